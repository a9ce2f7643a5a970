//! One query on one database, read-only and within limits, in this process.
//!
//! It stops what can be stopped from the inside; what can't (a single instruction that never ends, a crash) is for the
//! parent, which kills the process. It does not know of workers or frames.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::AuthContext;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use super::permit::Seen;
use super::rows::{Failure, FailureKind};
use super::stopwatch::Stopwatch;
use super::wire::{Encoder, Reply, Request};

/// Instructions between two looks at the step limit.
const STEPS_PER_LOOK: u64 = 1000;

/// The heap limit that was set last.
static HEAP_LIMIT: AtomicU64 = AtomicU64::new(0);

/// Runs the query on a connection of its own. The time is that of the query alone, from preparing it to its last row.
pub fn run(request: &Request) -> Reply {
    let seen = Seen::default();
    let mut ns = 0;
    let result = attempt(request, &seen, &mut ns);
    Reply {
        repeatable: seen.repeatable(&request.sql),
        result,
        ns,
    }
}

fn attempt(request: &Request, seen: &Seen, ns: &mut u64) -> Result<Encoder, Failure> {
    // SQLite reads up to the first NUL and would silently run a part of the text.
    if request.sql.contains('\0') {
        return Err(Failure::new(
            FailureKind::Error,
            "the query contains a NUL character",
        ));
    }
    let connection = open(&request.uri)
        .and_then(|mut connection| {
            confine(&mut connection, request, seen)?;
            Ok(connection)
        })
        .map_err(|error| {
            seen.trouble();
            match failure(&error) {
                Failure {
                    kind: FailureKind::Error,
                    message,
                } => Failure::new(FailureKind::NoDatabase, message),
                other => other,
            }
        })?;
    let watch = Stopwatch::start();
    let result = query(&connection, request, seen);
    *ns = watch.ns();
    result.map_err(|failure| Failure {
        // A function that is denied comes back as an ordinary error.
        kind: match failure.kind {
            FailureKind::Error if seen.denied() => FailureKind::Refused,
            kind => kind,
        },
        ..failure
    })
}

fn open(uri: &str) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(
        uri,
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}

/// Takes from the connection all but reading, and has it say in `seen` what it was asked for. The pragmas come first:
/// afterwards the authorizer denies them too.
fn confine(connection: &mut Connection, request: &Request, seen: &Seen) -> rusqlite::Result<()> {
    let limits = &request.limits;
    if request.reverse {
        connection.pragma_update(None, "reverse_unordered_selects", true)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // This one is the whole process's, so that it stays until another is asked for.
    if HEAP_LIMIT.load(Ordering::Relaxed) != limits.heap_bytes {
        let bytes = i64::try_from(limits.heap_bytes).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "hard_heap_limit", bytes, |_| Ok(()))?;
        HEAP_LIMIT.store(limits.heap_bytes, Ordering::Relaxed);
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, limits.cell_bytes),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, limits.sql_bytes),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, limits.expression_depth),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, i32::try_from(value).unwrap_or(i32::MAX))?;
    }
    let judge = seen.clone();
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        judge.authorize(&context)
    }))?;
    let looks = limits.steps.div_ceil(STEPS_PER_LOOK);
    let mut looked = 0_u64;
    connection.progress_handler(
        STEPS_PER_LOOK as i32,
        Some(move || {
            looked += 1;
            looked >= looks
        }),
    )
}

fn query(connection: &Connection, request: &Request, seen: &Seen) -> Result<Encoder, Failure> {
    let limits = &request.limits;
    let fail = |error: Error| {
        if let Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) = error.sqlite_error_code()
        {
            seen.trouble();
        }
        failure(&error)
    };
    let mut statement = connection.prepare(&request.sql).map_err(fail)?;
    seen.prepared();
    let columns = statement.column_count();
    if statement.expanded_sql().is_none() {
        return Err(Failure::new(
            FailureKind::Empty,
            "the text holds no statement",
        ));
    }
    // The authorizer has already refused what writes; this is the engine's second opinion, and it leaves out EXPLAIN.
    if !statement.readonly() || statement.is_explain() != 0 || columns == 0 {
        return Err(Failure::new(
            FailureKind::Refused,
            "the statement is not a reading query",
        ));
    }
    if columns > limits.columns as usize {
        return Err(Failure::new(
            FailureKind::TooLarge,
            format!("{columns} columns, the limit is {}", limits.columns),
        ));
    }
    let mut encoder = Encoder::new(columns);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(fail)? {
        for index in 0..columns {
            encoder.cell(row.get_ref(index).map_err(fail)?);
        }
        if encoder.end_row() > limits.rows {
            return Err(Failure::new(
                FailureKind::TooLarge,
                format!("more than {} rows", limits.rows),
            ));
        }
        if encoder.len() > limits.result_bytes {
            return Err(Failure::new(
                FailureKind::TooLarge,
                format!("a result of more than {} bytes", limits.result_bytes),
            ));
        }
    }
    Ok(encoder)
}

/// The failure an error of the engine stands for.
fn failure(error: &Error) -> Failure {
    let kind = match error {
        Error::MultipleStatement => FailureKind::Refused,
        _ => match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => FailureKind::Timeout,
            Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => FailureKind::TooLarge,
            Some(ErrorCode::AuthorizationForStatementDenied) => FailureKind::Refused,
            Some(ErrorCode::CannotOpen) => FailureKind::NoDatabase,
            _ => FailureKind::Error,
        },
    };
    let message = match error {
        Error::MultipleStatement => "more than one statement".to_owned(),
        // Without the text of the query, which rusqlite repeats.
        Error::SqlInputError { msg, .. } => msg.clone(),
        _ if kind == FailureKind::Timeout => "stopped at the step limit".to_owned(),
        other => other.to_string(),
    };
    Failure { kind, message }
}

#[cfg(test)]
mod tests {
    use super::super::database::Databases;
    use super::super::rows::{Job, Rows, Value};
    use super::super::{Limits, wire};
    use super::*;

    fn check(sql: &str, limits: Limits) -> Result<Rows, Failure> {
        check_order(sql, limits, false)
    }

    fn check_order(sql: &str, limits: Limits, reverse: bool) -> Result<Rows, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("odd name?#%.sqlite");
        Connection::open(&database)
            .unwrap()
            .execute_batch("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL);")
            .unwrap();
        let sql = sql.to_owned();
        let job = Job {
            database,
            sql,
            reverse,
        };
        let uri = Databases::default().at(&job.database).uri.clone().unwrap();
        let request = Request::new(&uri, &job, limits);
        let answer = wire::decode(&run(&request).encode()).unwrap();
        assert!(answer.ms >= 0.0);
        answer.result
    }

    #[track_caller]
    fn fails(sql: &str, kind: FailureKind) {
        assert_eq!(
            check(sql, Limits::default()).unwrap_err().kind,
            kind,
            "{sql}"
        );
    }

    #[test]
    fn reads() {
        for sql in [
            "SELECT a, b FROM t",
            "  select a, b from t; -- done",
            "SELECT a, b FROM t;;",
            "WITH c AS (SELECT * FROM t) SELECT * FROM c",
            "VALUES (1, 'x'), (2, NULL)",
        ] {
            let rows = check(sql, Limits::default()).unwrap();
            let text = Value::Text(b"x".to_vec());
            assert_eq!(
                rows.rows,
                [[Value::Int(1), text], [Value::Int(2), Value::Null]],
                "{sql}"
            );
        }
        // An unknown name in double quotes is text, as it is for the official evaluators.
        assert_eq!(
            check("SELECT a FROM t WHERE b = \"x\"", Limits::default())
                .unwrap()
                .rows,
            [[Value::Int(1)]]
        );
    }

    #[test]
    fn rows_come_from_the_last_to_the_first_if_asked() {
        let first = |sql: &str, reverse| {
            let rows = check_order(sql, Limits::default(), reverse).unwrap().rows;
            rows[0][0].clone()
        };
        for (sql, reversed) in [
            ("SELECT a FROM t", 2),
            ("SELECT a FROM t LIMIT 1", 2),
            ("SELECT a FROM t ORDER BY a", 1),
        ] {
            assert_eq!(first(sql, false), Value::Int(1), "{sql}");
            assert_eq!(first(sql, true), Value::Int(reversed), "{sql}");
        }
    }

    #[test]
    fn tells_failures_apart() {
        fails("", FailureKind::Empty);
        fails(" ; -- nothing", FailureKind::Empty);
        fails("SELEC 1", FailureKind::Error);
        fails("SELECT c FROM t", FailureKind::Error);
        fails("SELECT 1\0; DROP TABLE t", FailureKind::Error);
        fails("SELECT 1; SELECT 2", FailureKind::Refused);
        fails("SELECT 1; DELETE FROM t", FailureKind::Refused);
        fails("EXPLAIN SELECT 1", FailureKind::Refused);
        fails("DELETE FROM t RETURNING a", FailureKind::Refused);
        fails("PRAGMA table_info(t)", FailureKind::Refused);
        fails("SELECT load_extension('x')", FailureKind::Refused);
        fails("SELECT zeroblob(1000000000)", FailureKind::TooLarge);
    }

    #[test]
    fn pragmas_that_tell_of_the_schema_are_tables() {
        let names = check("SELECT name FROM pragma_table_info('t')", Limits::default()).unwrap();
        let text = |name: &str| vec![Value::Text(name.into())];
        assert_eq!(names.rows, [text("a"), text("b")]);
        fails("SELECT * FROM pragma_journal_mode", FailureKind::Refused);
        fails("SELECT * FROM pragma_query_only", FailureKind::Refused);
        fails("SELECT * FROM pragma_cache_size", FailureKind::Refused);
    }

    #[test]
    fn says_whether_the_answer_would_be_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("d.sqlite");
        Connection::open(&database)
            .unwrap()
            .execute_batch(
                "CREATE TABLE t (a, made DEFAULT CURRENT_TIMESTAMP); INSERT INTO t VALUES (1, '2020-01-01');
                 CREATE VIEW v AS SELECT date(a) AS day FROM t;
                 CREATE VIEW late AS SELECT CURRENT_DATE AS day;",
            )
            .unwrap();
        let uri = Databases::default().at(&database).uri.clone().unwrap();
        let repeatable = |sql: &str| {
            let uri = uri.clone();
            let request = Request {
                uri,
                sql: sql.to_owned(),
                limits: Limits::default(),
                reverse: false,
            };
            run(&request).repeatable
        };
        for (sql, expected) in [
            ("SELECT 1", true),
            ("SELECT abs(random())", false),
            ("SELECT CURRENT_DATE", false),
            ("SELECT date('2020-02-02')", true),
            ("SELECT date('2020-02-02', 'localtime')", false),
            ("SELECT date('now')", false),
            ("SELECT a, made FROM t", true),
            ("SELECT a, made, CURRENT_TIME FROM t", false),
            ("SELECT * FROM v", false),
            ("SELECT * FROM late", false),
        ] {
            assert_eq!(repeatable(sql), expected, "{sql}");
        }
    }

    #[test]
    fn keeps_to_each_limit() {
        let limits = Limits::default();
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT";
        for (sql, limits, kind) in [
            (
                format!("{endless} count(*) FROM c"),
                Limits {
                    steps: 100_000,
                    ..limits
                },
                FailureKind::Timeout,
            ),
            (
                format!("{endless} x FROM c"),
                Limits {
                    rows: 100,
                    ..limits
                },
                FailureKind::TooLarge,
            ),
            (
                format!("{endless} x FROM c"),
                Limits {
                    result_bytes: 100,
                    ..limits
                },
                FailureKind::TooLarge,
            ),
            (
                "SELECT 1, 2, 3".to_owned(),
                Limits {
                    columns: 2,
                    ..limits
                },
                FailureKind::TooLarge,
            ),
            (
                "SELECT 'abcdefghijklmnopqrstuvwxyz'".to_owned(),
                Limits {
                    sql_bytes: 20,
                    ..limits
                },
                FailureKind::TooLarge,
            ),
        ] {
            assert_eq!(check(&sql, limits).unwrap_err().kind, kind, "{sql}");
        }
    }

    #[test]
    fn the_step_limit_falls_at_the_same_step_every_time() {
        let sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000) SELECT x FROM c";
        let passes = |steps| {
            let limits = Limits {
                steps,
                ..Limits::default()
            };
            check(sql, limits).is_ok()
        };
        let (mut low, mut high) = (0, 10_000_000);
        while high - low > 1000 {
            let middle = u64::midpoint(low, high);
            if passes(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        for _ in 0..3 {
            assert!(passes(high) && !passes(low));
        }
    }
}
