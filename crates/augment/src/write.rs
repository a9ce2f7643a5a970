//! The query with everything in its place, and the proof that nothing of the target is left in it.

use std::collections::BTreeMap;

use harness_sql::lex::{Kind, lex};
use harness_sql::{is_keyword, template};

use crate::assign::Assignment;
use crate::database::Database;
use crate::reason::Reason;
use crate::skeleton::{
    Name, Skeleton, Target, inner_text, is_date_modifier, is_format, is_punctuation,
};
use crate::tree::At;

/// Words that are no keywords wherever they stand, and that queries may keep: functions, types and words of clauses.
const KEPT: [&str; 66] = [
    "ABS",
    "AVG",
    "CAST",
    "COALESCE",
    "COUNT",
    "CURRENT",
    "DATE",
    "DATETIME",
    "DENSE_RANK",
    "END",
    "FALSE",
    "FIRST",
    "FIRST_VALUE",
    "FULL",
    "GROUP_CONCAT",
    "IFNULL",
    "IIF",
    "INSTR",
    "JULIANDAY",
    "LAG",
    "LAST",
    "LAST_VALUE",
    "LEAD",
    "LEFT",
    "LENGTH",
    "LOWER",
    "LTRIM",
    "MAX",
    "MIN",
    "NTILE",
    "NULLIF",
    "NULLS",
    "OVER",
    "PARTITION",
    "RANK",
    "REPLACE",
    "RIGHT",
    "ROUND",
    "ROW_NUMBER",
    "RTRIM",
    "STRFTIME",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "TIME",
    "TOTAL",
    "TRIM",
    "TRUE",
    "TYPEOF",
    "UPPER",
    "BIGINT",
    "CHAR",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "INTEGER",
    "NUMERIC",
    "PRECISION",
    "REAL",
    "SIGNED",
    "TEXT",
    "UNSIGNED",
    "VARCHAR",
    "TIMESTAMP",
    "BOOLEAN",
];

/// What is written for a name or a literal, by its place.
pub type Texts = BTreeMap<At, String>;

/// What is written for each name of the skeleton.
pub fn names(skeleton: &Skeleton, assignment: &Assignment, database: &Database) -> Texts {
    let table = |class: usize| identifier(&database.tables[assignment.tables[class]].name);
    let source_name = |source: usize| {
        let info = &skeleton.sources[source];
        match (info.alias, info.table, info.cte) {
            (true, _, _) => Some(format!("T{}", source + 1)),
            (false, Some(class), _) => Some(table(class)),
            (false, None, Some(number)) => Some(part_name(number)),
            (false, None, None) => None,
        }
    };
    let mut texts = Texts::new();
    for (at, name) in &skeleton.names {
        let text = match name {
            Name::Table(class) => table(*class),
            Name::Cte(number) => part_name(*number),
            Name::Result(number) => result_name(*number),
            Name::Source { source } => source_name(*source).unwrap_or_default(),
            Name::Column {
                source,
                target,
                qualify,
            } => {
                let column = match target {
                    Target::Column(class) => {
                        identifier(&database.column(assignment.place(skeleton, *class)).name)
                    }
                    Target::Result(number) => result_name(*number),
                };
                match source_name(*source).filter(|_| *qualify) {
                    Some(source) => format!("{source}.{column}"),
                    None => column,
                }
            }
            Name::Text => continue,
        };
        texts.insert(*at, text);
    }
    texts
}

fn part_name(number: usize) -> String {
    format!("part{}", number + 1)
}

fn result_name(number: usize) -> String {
    format!("result{}", number + 1)
}

/// A name as SQL: bare where it can be.
fn identifier(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts && plain && !is_keyword(name) && !is_kept(name) {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

fn is_kept(word: &str) -> bool {
    KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(word))
}

/// Writes the query: the skeleton's tokens, with the texts of `texts` in the places that they have.
pub fn write(skeleton: &Skeleton, texts: &Texts) -> Result<String, Reason> {
    let mut sql = String::new();
    for (at, (gap, token)) in skeleton.tokens.iter().enumerate() {
        // A literal that is replaced brings its own sign.
        let sign = matches!(token.as_str(), "-" | "+") && skeleton.literals.contains_key(&(at + 1));
        sql.push_str(gap);
        match texts.get(&at) {
            Some(text) => sql.push_str(text),
            None if sign => {}
            None if is_safe(skeleton, at) => sql.push_str(token),
            None => return Err(Reason::Leak),
        }
    }
    match template(&sql) {
        Ok(found) if found == skeleton.template => Ok(sql),
        _ => Err(Reason::OtherTemplate),
    }
}

/// The query with some tokens left out, for a comparison of results.
pub fn without(skeleton: &Skeleton, texts: &Texts, begin: At, end: At) -> String {
    let mut sql = String::new();
    for (at, (_, token)) in skeleton.tokens.iter().enumerate() {
        if (begin..end).contains(&at) {
            continue;
        }
        let sign = matches!(token.as_str(), "-" | "+") && skeleton.literals.contains_key(&(at + 1));
        if !sign || texts.contains_key(&at) {
            sql.push_str(texts.get(&at).unwrap_or(token));
            sql.push(' ');
        }
    }
    sql
}

/// Whether a token says nothing of the target's data.
fn is_safe(skeleton: &Skeleton, at: At) -> bool {
    let token = &skeleton.tokens[at].1;
    let Ok(pieces) = lex(token) else {
        return false;
    };
    // Some tokens are one only beside their neighbours, such as a lone quote; none of those is safe.
    let [piece] = pieces.as_slice() else {
        return false;
    };
    match piece.kind {
        Kind::Word => is_keyword(token) || is_kept(token),
        Kind::String | Kind::Quoted => {
            let text = inner_text(token);
            piece.text.starts_with(['\'', '"'])
                && (is_punctuation(&text) || is_format(&text) || is_date_modifier(&text))
        }
        Kind::Number | Kind::Operator | Kind::Open | Kind::Close | Kind::Comma | Kind::Dot => true,
        _ => false,
    }
}
