//! The user's own file of queries: JSON Lines with a `sql` field, or one query a line.
//!
//! It is less than a data set: nothing but the text of the queries is needed to compare their structure. What else
//! a line of JSON tells is kept: `id`, `question`, `db_id`.

use std::path::Path;
use std::str::Utf8Error;

use harness_record::Query;

use crate::error::{DataError, Place};
use crate::field::Record;
use crate::file::{json_fault, parse_lines, read};

/// Reads a file of queries.
///
/// A file whose name ends in `.jsonl` is JSON Lines: `sql` (text), and where they are known `id`, `question`, `db_id`.
/// Of any other file each line that is not blank is one query.
///
/// # Errors
/// [`DataError`], with the file, the line and the field; also when there is no query.
pub fn read_queries(path: &Path) -> Result<Vec<Query>, DataError> {
    let root = path.parent().unwrap_or(Path::new("."));
    let (content, _) = read(root, path)?;
    parse_queries(path, &content)
}

/// [`read_queries`] from memory; `path` is for messages and for its ending.
///
/// # Errors
/// As [`read_queries`].
pub fn parse_queries(path: &Path, content: &[u8]) -> Result<Vec<Query>, DataError> {
    let queries = if is_json_lines(path) {
        parse_lines(path, content, query_of)?
    } else {
        let text =
            std::str::from_utf8(content).map_err(|error| not_utf8(path, 0, content, &error))?;
        let lines = text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(before, line)| Query {
                id: (before + 1).to_string(),
                sql: line.to_owned(),
                question: None,
                db_id: None,
            })
            .collect()
    };
    if queries.is_empty() {
        return Err(DataError::NoQueries {
            path: path.to_owned(),
        });
    }
    Ok(queries)
}

/// Whether the lines of a file are JSON.
pub(crate) fn is_json_lines(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "jsonl")
}

/// The query of one line of JSON; `before` counts the lines before it.
pub(crate) fn parse_query(path: &Path, before: usize, line: &[u8]) -> Result<Query, DataError> {
    let value = serde_json::from_slice(line).map_err(|error| json_fault(path, before, &error))?;
    query_of(&Record::of(path, Place::Line(before + 1), &value)?)
}

fn query_of(row: &Record<'_>) -> Result<Query, DataError> {
    Ok(Query {
        id: match row.optional_identifier("id")? {
            Some(id) => id,
            None => row.number().to_string(),
        },
        sql: row.text("sql")?.to_owned(),
        question: row.optional_text("question")?.map(str::to_owned),
        db_id: row.optional_text("db_id")?.map(str::to_owned),
    })
}

/// The fault of a file whose `content`, behind some lines, is no text.
pub(crate) fn not_utf8(path: &Path, before: usize, content: &[u8], error: &Utf8Error) -> DataError {
    let valid = &content[..error.valid_up_to()];
    DataError::NotUtf8 {
        path: path.to_owned(),
        line: before + valid.split(|byte| *byte == b'\n').count(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse_queries;

    #[test]
    fn lines_of_json() {
        let content = "{\"sql\": \"SELECT 1\"}\n\n{\"sql\": \"\", \"id\": 7, \"question\": \"?\", \"db_id\": \"d\"}\n";
        let found = parse_queries(Path::new("q.jsonl"), content.as_bytes()).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|q| {
                (
                    q.id.as_str(),
                    q.sql.as_str(),
                    q.question.as_deref(),
                    q.db_id.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("1", "SELECT 1", None, None),
                ("7", "", Some("?"), Some("d"))
            ]
        );
    }

    #[test]
    fn bare_lines() {
        let found = parse_queries(Path::new("q.sql"), b"SELECT 1\r\n \nSELECT 2").unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|q| (q.id.as_str(), q.sql.as_str()))
            .collect();
        assert_eq!(shown, [("1", "SELECT 1"), ("3", "SELECT 2")]);
    }

    #[test]
    fn faults_name_their_place() {
        for (name, content, expected) in [
            (
                "q.jsonl",
                "{\"sql\": \"a\"}\n{\"query\": \"a\"}",
                "line 2: field `sql`",
            ),
            ("q.jsonl", "{\"sql\": \"a\"}\n{", "q.jsonl:2"),
            ("q.jsonl", "\n", "holds no query"),
            ("q.sql", "\n \n", "holds no query"),
        ] {
            let error = parse_queries(Path::new(name), content.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = parse_queries(Path::new("q.sql"), b"SELECT 1\n\xff").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
