//! What is wrong with a prediction, in a word of a fixed list.
//!
//! A failure is classed by the words of SQLite and of the sandbox, a wrong result by how it differs from the gold's. It
//! is a help for reading, and no score: it does not know metrics, only whether the one that is looked at was satisfied.

use std::fmt;

use harness_record::Outcome;
use serde::{Deserialize, Serialize};

use crate::exec::Rows;
use crate::metric::bag;

/// What is wrong with a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// It is not SQL.
    Syntax,
    /// It reads a table that is not there.
    NoSuchTable,
    /// It reads a column that is not there.
    NoSuchColumn,
    /// It calls a function that SQLite does not have.
    NoSuchFunction,
    /// A name in it could mean several columns.
    Ambiguous,
    /// An aggregate or window function stands where none may.
    Misuse,
    /// A function is called with a number of arguments it does not take.
    WrongArguments,
    /// A subquery, a row value or a side of a set operation has another number of columns than its place asks for.
    ColumnCount,
    /// A value is of a type or size that an operation can't take.
    Type,
    /// Any other error of the engine.
    Other,
    /// It was stopped at a limit of time.
    Timeout,
    /// It was stopped at a limit of size, the sandbox's or the engine's own.
    TooLarge,
    /// It is not a single reading query.
    Refused,
    /// There is no query.
    Empty,
    /// It returned no rows and the gold does.
    EmptyResult,
    /// It returned rows and the gold does not.
    NonemptyResult,
    /// It returned another number of columns.
    WrongColumns,
    /// It returned other rows, or the same ones another number of times.
    WrongRows,
    /// It returned the right rows, but not in the order the gold states.
    WrongOrder,
    /// It returned the right rows, but with their columns in another order.
    ColumnOrder,
    /// It returned the right rows, and a rule of the metric's own is against it: text that is not UTF-8, a second closing
    /// semicolon, the way it is written.
    Rule,
}

impl ErrorClass {
    /// Its name in verdicts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::NoSuchTable => "no_such_table",
            Self::NoSuchColumn => "no_such_column",
            Self::NoSuchFunction => "no_such_function",
            Self::Ambiguous => "ambiguous",
            Self::Misuse => "misuse",
            Self::WrongArguments => "wrong_arguments",
            Self::ColumnCount => "column_count",
            Self::Type => "type",
            Self::Other => "other",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::EmptyResult => "empty_result",
            Self::NonemptyResult => "nonempty_result",
            Self::WrongColumns => "wrong_columns",
            Self::WrongRows => "wrong_rows",
            Self::WrongOrder => "wrong_order",
            Self::ColumnOrder => "column_order",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The results of two queries that ran to their end.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// What the gold query returned.
    pub gold: &'a Rows,
    /// What the prediction returned.
    pub predicted: &'a Rows,
    /// Whether the gold query states an order of its rows.
    pub ordered: bool,
}

/// The class of a prediction that is wrong by some metric; `None` if nothing can be said, because there is no database, the
/// gold query fails, or the results are not at hand. `error` is the message that goes with the outcome.
pub fn error_class(
    outcome: Outcome,
    error: Option<&str>,
    results: Option<Results<'_>>,
) -> Option<ErrorClass> {
    match outcome {
        Outcome::Executed => results.map(result_class),
        Outcome::Error => Some(message_class(error.unwrap_or_default())),
        Outcome::Timeout | Outcome::TimeoutWall => Some(ErrorClass::Timeout),
        Outcome::TooLarge => Some(ErrorClass::TooLarge),
        Outcome::Refused => Some(ErrorClass::Refused),
        Outcome::Empty => Some(ErrorClass::Empty),
        Outcome::NoDatabase | Outcome::GoldError => None,
    }
}

fn result_class(results: Results<'_>) -> ErrorClass {
    let Results {
        gold,
        predicted,
        ordered,
    } = results;
    match (gold.rows.is_empty(), predicted.rows.is_empty()) {
        (false, true) => ErrorClass::EmptyResult,
        (true, false) => ErrorClass::NonemptyResult,
        _ if gold.columns != predicted.columns => ErrorClass::WrongColumns,
        _ if !bag::agree(gold, predicted) => ErrorClass::WrongRows,
        _ if ordered && !bag::agree_in_order(gold, predicted) => ErrorClass::WrongOrder,
        _ if !bag::agree_by_column(gold, predicted) => ErrorClass::ColumnOrder,
        _ => ErrorClass::Rule,
    }
}

/// SQLite's messages, each with the class it stands for; `true` where the message begins with the text, and otherwise it
/// stands in it. The first that fits decides.
const MESSAGES: &[(bool, &str, ErrorClass)] = &[
    (true, "no such table:", ErrorClass::NoSuchTable),
    (true, "no such column:", ErrorClass::NoSuchColumn),
    (true, "cannot join using column ", ErrorClass::NoSuchColumn),
    (true, "no such function:", ErrorClass::NoSuchFunction),
    (true, "unknown function:", ErrorClass::NoSuchFunction),
    (false, " is not a function", ErrorClass::NoSuchFunction),
    (true, "ambiguous ", ErrorClass::Ambiguous),
    (true, "row value misused", ErrorClass::ColumnCount),
    (true, "misuse of ", ErrorClass::Misuse),
    (
        true,
        "aggregate functions are not allowed",
        ErrorClass::Misuse,
    ),
    (true, "HAVING clause on a non-aggregate", ErrorClass::Misuse),
    (true, "a GROUP BY clause is required", ErrorClass::Misuse),
    (true, "recursive aggregate queries", ErrorClass::Misuse),
    (true, "cannot use window functions", ErrorClass::Misuse),
    (
        false,
        "may not be used as a window function",
        ErrorClass::Misuse,
    ),
    (
        false,
        "may not be used with non-aggregate",
        ErrorClass::Misuse,
    ),
    (false, "may only be used with aggregate", ErrorClass::Misuse),
    (
        false,
        "not supported for window functions",
        ErrorClass::Misuse,
    ),
    (
        true,
        "wrong number of arguments",
        ErrorClass::WrongArguments,
    ),
    (
        true,
        "DISTINCT aggregates must have exactly",
        ErrorClass::WrongArguments,
    ),
    (
        true,
        "SELECTs to the left and right of",
        ErrorClass::ColumnCount,
    ),
    (
        true,
        "all VALUES must have the same",
        ErrorClass::ColumnCount,
    ),
    (true, "sub-select returns ", ErrorClass::ColumnCount),
    (true, "IN(...) element has ", ErrorClass::ColumnCount),
    (false, " values for ", ErrorClass::ColumnCount),
    (true, "datatype mismatch", ErrorClass::Type),
    (true, "integer overflow", ErrorClass::Type),
    (true, "malformed JSON", ErrorClass::Type),
    (true, "JSON ", ErrorClass::Type),
    (true, "bad JSON path", ErrorClass::Type),
    (true, "hex literal too big", ErrorClass::Type),
    (true, "oversized integer", ErrorClass::Type),
    (true, "argument of ", ErrorClass::Type),
    (true, "argument 1 of ", ErrorClass::Type),
    (true, "second argument to ", ErrorClass::Type),
    (true, "ESCAPE expression must be", ErrorClass::Type),
    (true, "too many ", ErrorClass::TooLarge),
    (true, "at most ", ErrorClass::TooLarge),
    (true, "Expression tree is too large", ErrorClass::TooLarge),
    (
        true,
        "LIKE or GLOB pattern too complex",
        ErrorClass::TooLarge,
    ),
    (true, "string or blob too big", ErrorClass::TooLarge),
    (true, "Recursion limit", ErrorClass::TooLarge),
    (false, "stack overflow", ErrorClass::TooLarge),
    (false, "nested too deep", ErrorClass::TooLarge),
    (false, "syntax error", ErrorClass::Syntax),
    (false, " clause should come after ", ErrorClass::Syntax),
    (false, " is required before ", ErrorClass::Syntax),
    (false, "contains a NUL character", ErrorClass::Syntax),
    (true, "incomplete input", ErrorClass::Syntax),
    (true, "unrecognized token", ErrorClass::Syntax),
    (true, "unknown join type", ErrorClass::Syntax),
    (true, "no tables specified", ErrorClass::Syntax),
    (true, "a NATURAL join may not have", ErrorClass::Syntax),
];

fn message_class(message: &str) -> ErrorClass {
    MESSAGES
        .iter()
        .find(|(begins, text, _)| {
            if *begins {
                message.starts_with(text)
            } else {
                message.contains(text)
            }
        })
        .map_or(ErrorClass::Other, |(.., class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Value;

    /// What the engine says when it prepares the query or looks for its first row.
    fn message(connection: &rusqlite::Connection, sql: &str) -> String {
        let run = || connection.prepare(sql)?.raw_query().next().map(|_| ());
        match run() {
            Err(rusqlite::Error::SqlInputError { msg, .. }) => msg,
            Err(rusqlite::Error::SqliteFailure(code, message)) => {
                message.unwrap_or_else(|| code.to_string())
            }
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The classes of messages as the engine itself writes them.
    #[test]
    fn failures_by_the_words_of_sqlite() {
        use ErrorClass as Class;
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a, b); CREATE TABLE u (a, c); INSERT INTO t VALUES (1, 'x')",
            )
            .unwrap();
        for (sql, expected) in [
            ("SELEC 1", Class::Syntax),
            ("SELECT", Class::Syntax),
            ("SELECT 'a", Class::Syntax),
            ("SELECT * WHERE", Class::Syntax),
            ("SELECT *", Class::Syntax),
            ("SELECT a FROM t LIMIT 1 UNION SELECT 1", Class::Syntax),
            ("SELECT a FROM t ORDER BY a UNION SELECT 1", Class::Syntax),
            ("SELECT a FROM t LEFT INNER OUTER JOIN u", Class::Syntax),
            ("SELECT 1 FROM x", Class::NoSuchTable),
            ("SELECT 1 FROM x.y", Class::NoSuchTable),
            ("SELECT x FROM t", Class::NoSuchColumn),
            ("SELECT t.c FROM t", Class::NoSuchColumn),
            ("SELECT x.a FROM t", Class::NoSuchColumn),
            ("SELECT 1 FROM t JOIN u USING (b)", Class::NoSuchColumn),
            ("SELECT year(a) FROM t", Class::NoSuchFunction),
            ("SELECT a FROM t, u", Class::Ambiguous),
            ("SELECT a FROM t WHERE count(*) > 1", Class::Misuse),
            ("SELECT a FROM t WHERE rank() OVER () > 1", Class::Misuse),
            ("SELECT sum(count(*)) FROM t", Class::Misuse),
            ("SELECT count(*) AS n FROM t WHERE n > 1", Class::Misuse),
            ("SELECT a FROM t GROUP BY count(*)", Class::Misuse),
            ("SELECT a FROM t HAVING a > 1", Class::Misuse),
            ("SELECT abs(a) OVER () FROM t", Class::Misuse),
            ("SELECT count(DISTINCT a) OVER () FROM t", Class::Misuse),
            ("SELECT substr(a) FROM t", Class::WrongArguments),
            ("SELECT count(DISTINCT a, b) FROM t", Class::WrongArguments),
            ("SELECT 1 UNION SELECT 1, 2", Class::ColumnCount),
            (
                "SELECT a FROM t WHERE a IN (SELECT a, b FROM t)",
                Class::ColumnCount,
            ),
            ("SELECT (1, 2)", Class::ColumnCount),
            ("VALUES (1), (2, 3)", Class::ColumnCount),
            (
                "WITH c(x, y) AS (SELECT 1) SELECT * FROM c",
                Class::ColumnCount,
            ),
            ("SELECT a FROM t LIMIT 'x'", Class::Type),
            ("SELECT abs(-9223372036854775808)", Class::Type),
            ("SELECT json_extract('{', '$.a')", Class::Type),
            ("SELECT json('{')", Class::Type),
            ("SELECT 0x11111111111111111", Class::Type),
            ("SELECT ntile(0) OVER () FROM t", Class::Type),
            ("SELECT a LIKE 'x' ESCAPE 'yy' FROM t", Class::Type),
            ("SELECT 1 COLLATE x = 2", Class::Other),
            (
                "SELECT a FROM t UNION SELECT a FROM u ORDER BY c",
                Class::Other,
            ),
            ("SELECT a FROM t ORDER BY 2", Class::Other),
        ] {
            let message = message(&connection, sql);
            let class = error_class(Outcome::Error, Some(&message), None);
            assert_eq!(class, Some(expected), "{sql}: {message}");
        }
        for (sql, expected) in [
            (format!("SELECT 1{}", " + 1".repeat(2000)), Class::TooLarge),
            (format!("SELECT {}1", "1, ".repeat(3000)), Class::TooLarge),
            (
                format!("SELECT 1 FROM t{}", ", t".repeat(70)),
                Class::TooLarge,
            ),
            (
                format!("SELECT 1{}", " UNION SELECT 1".repeat(600)),
                Class::TooLarge,
            ),
        ] {
            let message = message(&connection, &sql);
            let class = error_class(Outcome::Error, Some(&message), None);
            assert_eq!(class, Some(expected), "{message}");
        }
    }

    fn rows(columns: usize, numbers: &[i64]) -> Rows {
        let cells: Vec<Value> = numbers.iter().map(|number| Value::Int(*number)).collect();
        Rows {
            columns,
            rows: cells.chunks(columns).map(<[Value]>::to_vec).collect(),
        }
    }

    #[test]
    fn results_by_how_they_differ() {
        use ErrorClass as Class;
        let gold = rows(2, &[1, 2, 3, 4]);
        let none = rows(2, &[]);
        for (gold, predicted, ordered, expected) in [
            (&gold, &none, false, Class::EmptyResult),
            (&none, &gold, false, Class::NonemptyResult),
            (&none, &rows(1, &[]), false, Class::WrongColumns),
            (&gold, &rows(1, &[1, 3]), false, Class::WrongColumns),
            (&gold, &rows(2, &[1, 2, 3, 5]), true, Class::WrongRows),
            (
                &gold,
                &rows(2, &[1, 2, 3, 4, 3, 4]),
                false,
                Class::WrongRows,
            ),
            (&gold, &rows(2, &[3, 4, 1, 2]), true, Class::WrongOrder),
            (&gold, &rows(2, &[3, 4, 1, 2]), false, Class::Rule),
            (&gold, &rows(2, &[2, 1, 4, 3]), true, Class::ColumnOrder),
            (&gold, &gold, true, Class::Rule),
        ] {
            let results = Results {
                gold,
                predicted,
                ordered,
            };
            let class = error_class(Outcome::Executed, None, Some(results));
            assert_eq!(class, Some(expected), "{predicted:?}");
        }
    }

    #[test]
    fn outcomes() {
        for (outcome, expected) in [
            (Outcome::Timeout, Some("timeout")),
            (Outcome::TooLarge, Some("too_large")),
            (Outcome::Refused, Some("refused")),
            (Outcome::Empty, Some("empty")),
            (Outcome::Error, Some("other")),
            (Outcome::NoDatabase, None),
            (Outcome::GoldError, None),
            (Outcome::Executed, None),
        ] {
            let class = error_class(outcome, None, None);
            assert_eq!(class.map(ErrorClass::as_str), expected);
            // The name in verdicts is the one serde writes.
            let json = class.map(|class| serde_json::to_value(class).unwrap());
            assert_eq!(json, expected.map(Into::into));
        }
    }
}
