//! The older sets of one database each, in the form that Finegan-Dollak et al. (ACL 2018) gave them:
//! `NAME.json` for NAME of academic, advising, atis, geography, imdb, restaurants, scholar, yelp.
//!
//! A file lists queries; each has variants of its SQL, of which the first is the one used, and the
//! sentences that ask it. Both name variables, which are filled in: in a sentence with the sentence's
//! values, in the query with these too, or with the variable's example where a sentence has none. There
//! is one example a sentence.
//!
//! Splits: `geography` is all of a file; `geography-test` the sentences whose *question split* is
//! `test` (a number for cross-validation in the smaller files); `geography-query-test` those of queries
//! whose *query split* is `test`, so that no query of it is in another part.

use std::collections::BTreeSet;
use std::path::Path;

use harness_record::Example;
use serde_json::{Map, Value};

use super::{DatasetKind, Entry, Source, stems};
use crate::dataset::DatasetRef;
use crate::error::DataError;
use crate::field::Record;
use crate::file::{locate, parse_list, read};
use crate::schema;

pub(super) const ENTRY: Entry = Entry {
    name: "classic",
    splits,
    read: read_split,
    examples: |reference| Ok(read_split(reference)?.examples),
};

/// One sentence with its query.
pub(crate) struct Row {
    pub(crate) example: Example,
    question_split: String,
    query_split: String,
}

fn splits(root: &Path) -> Vec<String> {
    let mut splits = Vec::new();
    for name in stems(root, "json") {
        // A file that can't be read says so when it is asked for.
        let path = root.join(format!("{name}.json"));
        let rows = read(root, &path).and_then(|(content, _)| parse(&path, &content, &name));
        splits.extend(splits_of(&name, &rows.unwrap_or_default()));
    }
    splits
}

fn splits_of(name: &str, rows: &[Row]) -> Vec<String> {
    let part = |of: fn(&Row) -> &str, prefix: &str| -> BTreeSet<String> {
        rows.iter()
            .map(|row| format!("{name}-{prefix}{}", of(row)))
            .collect()
    };
    let mut splits = vec![name.to_owned()];
    splits.extend(part(|row| &row.question_split, ""));
    splits.extend(part(|row| &row.query_split, "query-"));
    splits
}

fn read_split(reference: &DatasetRef) -> Result<Source, DataError> {
    let DatasetRef { root, split, .. } = reference;
    let is_of = |name: &String| {
        split
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    // A name that begins with another one is the longer one.
    let names = stems(root, "json").into_iter().filter(is_of);
    let Some(name) = names.max_by_key(String::len) else {
        return Err(DatasetKind::Classic.unknown_split(reference));
    };
    let path = root.join(format!("{name}.json"));
    let (content, file) = read(root, &path)?;
    let mut rows = parse(&path, &content, &name)?;
    let wanted = split.strip_prefix(&format!("{name}-"));
    if let Some(part) = wanted {
        rows.retain(|row| {
            row.question_split == part || part.strip_prefix("query-") == Some(&row.query_split)
        });
        if rows.is_empty() {
            return Err(DatasetKind::Classic.unknown_split(reference));
        }
    }

    let mut source = Source {
        examples: rows.into_iter().map(|row| row.example).collect(),
        files: vec![file],
        ..Source::default()
    };
    let database = [
        format!("{name}-db.added-in-2020.sqlite"),
        format!("{name}-db.sqlite"),
        format!("{name}.sqlite"),
    ]
    .map(|file| root.join(file))
    .into_iter()
    .find(|path| path.is_file());
    if database.is_none() {
        let places = [format!("{name}-schema.csv")];
        let what = format!("the schema of {name}");
        let path = locate(root, &places.each_ref().map(String::as_str), &what)?;
        let (content, file) = read(root, &path)?;
        let schema = schema::from_classic_csv(&path, &content, &name)?;
        source.schemas.insert(name.clone(), schema);
        source.files.push(file);
    }
    source.databases.insert(name, database);
    Ok(source)
}

/// Reads the sentences of a file from memory.
pub(crate) fn parse(path: &Path, content: &[u8], name: &str) -> Result<Vec<Row>, DataError> {
    let queries = parse_list(path, content, |query| rows_of(query, name))?;
    Ok(queries.into_iter().flatten().collect())
}

fn rows_of(query: &Record<'_>, name: &str) -> Result<Vec<Row>, DataError> {
    let sql = match query.list("sql")?.first() {
        Some(Value::String(sql)) if !sql.trim().is_empty() => sql,
        other => return Err(query.fault("sql[0]", "a text that is not empty", other)),
    };
    let query_split = query.text("query-split")?;
    let mut examples = Map::new();
    for (index, variable) in query.list("variables")?.iter().enumerate() {
        let (Some(name), Some(example)) = (variable["name"].as_str(), variable["example"].as_str())
        else {
            let field = format!("variables[{index}]");
            let expected = "an object with the texts `name` and `example`";
            return Err(query.fault(&field, expected, Some(variable)));
        };
        examples.insert(name.to_owned(), Value::from(example));
    }

    let mut rows = Vec::new();
    for (index, sentence) in query.list("sentences")?.iter().enumerate() {
        let fault = |field: &str, expected: &str| {
            let field_name = format!("sentences[{index}].{field}");
            query.fault(&field_name, expected, sentence.get(field))
        };
        let text = |field: &str| match sentence[field].as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(fault(field, "a text that is not empty")),
        };
        let Some(values) = sentence["variables"].as_object() else {
            return Err(fault("variables", "an object of texts"));
        };
        if values.values().any(|value| !value.is_string()) {
            return Err(fault("variables", "an object of texts"));
        }
        let in_text = |variable: &str| values.get(variable)?.as_str();
        let in_sql = |variable: &str| {
            in_text(variable)
                .filter(|value| !value.is_empty())
                .or_else(|| examples.get(variable)?.as_str())
        };
        rows.push(Row {
            example: Example {
                id: format!("classic-{name}-{}-{index}", query.number()),
                db_id: name.to_owned(),
                question: filled_in(text("text")?, in_text),
                evidence: None,
                gold: filled_in_sql(sql, in_sql),
                difficulty: None,
            },
            question_split: text("question-split")?.to_owned(),
            query_split: query_split.to_owned(),
        });
    }
    Ok(rows)
}

/// Puts values in the place of the words that name a variable.
fn filled_in<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len());
    for word in words(text) {
        filled.push_str(value(word).unwrap_or(word));
    }
    filled
}

/// The same in a query, where a value that stands in quotes has its own such quotes doubled.
fn filled_in_sql<'a>(sql: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(sql.len());
    let mut quote: Option<&str> = None;
    for word in words(sql) {
        if matches!(word, "'" | "\"") {
            match quote {
                None => quote = Some(word),
                Some(open) if open == word => quote = None,
                Some(_) => {}
            }
        }
        match (value(word), quote) {
            (Some(value), Some(quote)) => filled.push_str(&value.replace(quote, &quote.repeat(2))),
            (Some(value), None) => filled.push_str(value),
            (None, _) => filled.push_str(word),
        }
    }
    filled
}

/// A text in pieces: words of letters, digits and `_`, and all other characters one by one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let value = |name: &str| match name {
            "name0" => Some("o'neill"),
            "level0" => Some("300"),
            _ => None,
        };
        assert_eq!(
            filled_in("who is name0, at level0? (alias0)", value),
            "who is o'neill, at 300? (alias0)"
        );
        assert_eq!(
            filled_in_sql(
                "N = 'name0' AND M = \"name0\" AND L > level0 AND xname0 = '%name0%'",
                value
            ),
            "N = 'o''neill' AND M = \"o'neill\" AND L > 300 AND xname0 = '%o''neill%'"
        );
    }
}
