//! Predictions that would write, break out or exhaust the machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;
use std::{fs, mem};

use harness_eval::{Limits, evaluate};
use harness_record::Outcome::{
    self, Empty, Error, Executed, Refused, Timeout, TimeoutWall, TooLarge,
};

use crate::support::{metrics, options, row, small_database};

/// Everything in a folder by name: content, time of the last change, rights.
fn contents(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime, bool)> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let about = fs::metadata(&path).unwrap();
            let state = (
                fs::read(&path).unwrap(),
                about.modified().unwrap(),
                about.permissions().readonly(),
            );
            (path.display().to_string(), state)
        })
        .collect()
}

/// Common tables of which each reads the one before twice, so that the last has 2^depth rows.
fn deep_views(depth: usize) -> String {
    let mut views = String::from("v0 AS (SELECT 1 AS a),");
    for at in 1..=depth {
        let before = at - 1;
        let _ = write!(
            views,
            "v{at} AS (SELECT a FROM v{before} UNION ALL SELECT a FROM v{before}),"
        );
    }
    views + &format!("w AS (SELECT count(*) FROM v{depth}), ")
}

pub fn nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    // Where the engine would put what it can't hold in memory.
    let watched = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    let other = other.to_str().unwrap();
    let before = contents(folder.path());
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    let nested = |depth: usize, open: &str, inner: &str, close: &str| {
        format!(
            "SELECT {}{inner}{}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    let attempts: Vec<(String, &[Outcome])> = vec![
        // Write.
        ("DELETE FROM fruit".into(), &[Refused]),
        ("DELETE FROM fruit RETURNING name".into(), &[Refused]),
        ("UPDATE fruit SET price = 0".into(), &[Refused]),
        ("INSERT INTO fruit VALUES (9, 'x', 1)".into(), &[Refused]),
        ("REPLACE INTO fruit VALUES (1, 'x', 1)".into(), &[Refused]),
        ("WITH c AS (SELECT 1) DELETE FROM fruit".into(), &[Refused]),
        ("DROP TABLE fruit".into(), &[Refused]),
        ("CREATE TABLE more (a)".into(), &[Refused]),
        ("CREATE INDEX i ON fruit (name)".into(), &[Refused]),
        ("ALTER TABLE fruit RENAME TO nuts".into(), &[Refused, Error]),
        (
            "CREATE TEMP TABLE fruit AS SELECT 1 AS name".into(),
            &[Refused],
        ),
        (
            "CREATE TEMP VIEW fruit AS SELECT 1 AS name".into(),
            &[Refused],
        ),
        (
            "CREATE TEMP TRIGGER t AFTER INSERT ON fruit BEGIN SELECT 1; END".into(),
            &[Refused],
        ),
        ("CREATE VIRTUAL TABLE v USING fts5(a)".into(), &[Refused]),
        ("SELECT 1; DROP TABLE fruit".into(), &[Refused]),
        ("BEGIN EXCLUSIVE".into(), &[Refused]),
        ("SAVEPOINT s".into(), &[Refused]),
        ("ANALYZE".into(), &[Refused]),
        ("REINDEX".into(), &[Refused]),
        ("VACUUM".into(), &[Refused, Error]),
        (format!("VACUUM INTO '{other}'"), &[Refused, Error]),
        // Change the settings of the connection or the file.
        ("PRAGMA user_version = 7".into(), &[Refused]),
        ("PRAGMA query_only = 0".into(), &[Refused]),
        ("PRAGMA writable_schema = 1".into(), &[Refused]),
        ("PRAGMA journal_mode = WAL".into(), &[Refused]),
        ("PRAGMA hard_heap_limit = 0".into(), &[Refused]),
        // Reach other files or code.
        (format!("ATTACH DATABASE '{other}' AS o"), &[Refused]),
        ("ATTACH DATABASE ':memory:' AS o".into(), &[Refused]),
        ("DETACH DATABASE main".into(), &[Refused, Error]),
        (
            "SELECT load_extension('libm.so.6')".into(),
            &[Refused, Error],
        ),
        ("SELECT readfile('/etc/hostname')".into(), &[Refused, Error]),
        (
            format!("SELECT writefile('{other}', 'x')"),
            &[Refused, Error],
        ),
        ("SELECT edit('x', 'true')".into(), &[Refused, Error]),
        (
            "SELECT fts3_tokenizer('simple', x'0000000000000000')".into(),
            &[Refused, Error],
        ),
        ("SELECT * FROM fsdir('/')".into(), &[Error]),
        // Reach files through tables and functions of the engine.
        ("SELECT * FROM pragma_journal_mode('wal')".into(), &[Refused, Error]),
        ("SELECT * FROM pragma_journal_mode".into(), &[Refused]),
        (
            "SELECT * FROM pragma_user_version(7)".into(),
            &[Refused, Error],
        ),
        (
            "SELECT * FROM pragma_wal_checkpoint('truncate')".into(),
            &[Refused, Error],
        ),
        ("SELECT * FROM pragma_optimize".into(), &[Refused, Error]),
        (
            "SELECT * FROM pragma_integrity_check".into(),
            &[Refused, Error],
        ),
        (
            "SELECT * FROM pragma_temp_store_directory('/')".into(),
            &[Refused, Error],
        ),
        (
            "SELECT * FROM pragma_hard_heap_limit(0)".into(),
            &[Refused, Error],
        ),
        (
            "SELECT name FROM pragma_table_info('fruit')".into(),
            &[Executed],
        ),
        ("SELECT * FROM sqlite_dbpage".into(), &[Error]),
        ("UPDATE sqlite_dbpage SET data = x''".into(), &[Refused, Error]),
        ("SELECT * FROM dbstat".into(), &[Executed]),
        ("SELECT * FROM bytecode('SELECT 1')".into(), &[Error]),
        ("SELECT * FROM csv('/etc/hostname')".into(), &[Error]),
        ("SELECT * FROM zipfile('/etc/hostname')".into(), &[Error]),
        (
            "CREATE VIRTUAL TABLE temp.v USING rtree(a, b, c)".into(),
            &[Refused],
        ),
        (
            format!("CREATE VIRTUAL TABLE v USING csv(filename = '{other}')"),
            &[Refused],
        ),
        (
            "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'x')".into(),
            &[Refused, Error],
        ),
        ("UPDATE sqlite_schema SET sql = ''".into(), &[Refused, Error]),
        ("SELECT * FROM temp.sqlite_schema".into(), &[Executed]),
        ("SELECT sqlite_log(1, 'x')".into(), &[Executed]),
        // Time.
        (format!("{endless} SELECT count(*) FROM c"), &[Timeout]),
        (
            format!("{endless} SELECT max(x) FROM c WHERE x < 0"),
            &[Timeout],
        ),
        (
            "SELECT count(*) FROM number a, number b, number c, number d".into(),
            &[Timeout],
        ),
        (
            "SELECT instr(hex(zeroblob(8000000)), hex(zeroblob(2000000)) || '1')".into(),
            &[TimeoutWall],
        ),
        (
            format!("SELECT '{}' LIKE '{}'", "a".repeat(40_000), "%a".repeat(20_000) + "b"),
            &[Executed],
        ),
        (
            format!("SELECT hex(zeroblob(500000)) GLOB '{}1'", "*0".repeat(1_000)),
            &[Executed, TimeoutWall],
        ),
        (
            "SELECT count(*) FROM (SELECT sum(a.x) OVER (ORDER BY a.x, b.x, c.x) FROM number a, number b, number c)"
                .into(),
            &[Timeout, TooLarge],
        ),
        (
            "SELECT a.x FROM number a, number b, number c, number d LIMIT 9223372036854775807 OFFSET 9223372036854775806"
                .into(),
            &[Timeout],
        ),
        (
            "SELECT x FROM number ORDER BY (SELECT count(*) FROM number a, number b WHERE a.x + b.x > number.x)".into(),
            &[Timeout],
        ),
        (
            "WITH RECURSIVE a(x) AS (SELECT 1 UNION SELECT x + 1 FROM a) SELECT * FROM a LIMIT 1 OFFSET 999999999999"
                .into(),
            &[Timeout, TooLarge],
        ),
        // Memory.
        (
            "WITH RECURSIVE c(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT length(x) FROM c".into(),
            &[TooLarge],
        ),
        (
            "SELECT group_concat(hex(zeroblob(1000000))) FROM number a, number b".into(),
            &[TooLarge, TimeoutWall],
        ),
        (
            "SELECT printf('%1000000000d', 1)".into(),
            &[TooLarge, Executed],
        ),
        ("SELECT printf('%.1000000000f', 1.5)".into(), &[TooLarge, Executed]),
        ("SELECT quote(zeroblob(16000000))".into(), &[TooLarge]),
        (
            "SELECT a.x || hex(zeroblob(7000000)) FROM number a, number b".into(),
            &[TooLarge],
        ),
        (
            "SELECT json_group_object(a.x || ',' || b.x || ',' || c.x, hex(zeroblob(10000))) FROM number a, number b, number c"
                .into(),
            &[TooLarge],
        ),
        (
            format!("SELECT count(*) FROM ({endless} SELECT x, hex(zeroblob(100000)) AS y FROM c) ORDER BY y"),
            &[Error, TooLarge, Timeout],
        ),
        (format!("{endless} SELECT x FROM c"), &[TooLarge]),
        (
            format!("{endless} SELECT group_concat(x) FROM c"),
            &[TooLarge, Timeout],
        ),
        (
            format!("{endless} SELECT x FROM c ORDER BY -x"),
            &[TooLarge, Timeout],
        ),
        (
            format!("{endless} SELECT count(DISTINCT x) FROM c"),
            &[TooLarge, Timeout],
        ),
        (
            format!("{endless} SELECT randomblob(1000000) FROM c"),
            &[TooLarge],
        ),
        ("SELECT zeroblob(1000000000)".into(), &[TooLarge]),
        ("SELECT hex(randomblob(2000000000))".into(), &[TooLarge]),
        (
            "SELECT replace(hex(zeroblob(5000000)), '0', hex(zeroblob(5000000)))".into(),
            &[TooLarge],
        ),
        (
            "SELECT printf('%.*c', 2000000000, 'x')".into(),
            &[TooLarge, Executed],
        ),
        (
            "SELECT json_group_array(hex(zeroblob(1000000))) FROM number".into(),
            &[TooLarge],
        ),
        // The stack, and sheer length.
        (nested(100_000, "(", "1", ")"), &[Error, TooLarge, Executed]),
        (nested(5_000, "(SELECT ", "1", ")"), &[Error, TooLarge]),
        (nested(50_000, "-", "1", ""), &[Error, TooLarge]),
        (nested(50_000, "NOT ", "1", ""), &[Error, TooLarge]),
        (
            nested(2_000, "1 FROM (SELECT ", "1", ")"),
            &[Error, TooLarge, Executed],
        ),
        (
            format!("SELECT {}1", "1 + ".repeat(100_000)),
            &[Error, TooLarge],
        ),
        (
            format!("SELECT {}1", "1, ".repeat(10_000)),
            &[Error, TooLarge],
        ),
        (
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5_000)),
            &[Error],
        ),
        (format!("SELECT '{}'", "x".repeat(3_000_000)), &[TooLarge]),
        (format!("SELECT json('{}')", "[".repeat(500_000)), &[Error]),
        (
            format!("SELECT json_extract('{}1{}', '$')", "[".repeat(999), "]".repeat(999)),
            &[Executed],
        ),
        (
            format!("SELECT json_each.value FROM json_each('[{}1]')", "1,".repeat(100_000)),
            &[Executed],
        ),
        (
            format!("SELECT CASE {} END", "WHEN 0 THEN 1 ".repeat(50_000)),
            &[Error, TooLarge, Executed],
        ),
        (
            format!("SELECT 1 FROM number WHERE x IN ({}1)", "1,".repeat(200_000)),
            &[Error, TooLarge, Executed],
        ),
        (
            format!("SELECT 1 FROM fruit{}", ", fruit".repeat(100)),
            &[Error],
        ),
        (
            format!("WITH {} c AS (SELECT 1) SELECT * FROM c", deep_views(60)),
            &[Error, TooLarge, Timeout, Executed],
        ),
        (format!("SELECT {}1{}", "abs(".repeat(3_000), ")".repeat(3_000)), &[Error]),
        (format!("SELECT x{} FROM number", " COLLATE nocase".repeat(50_000)), &[Error, Executed]),
        ("SELECT x'".into(), &[Error]),
        ("/*".into(), &[Empty, Error]),
        ("\u{feff}SELECT '\u{202e}' FROM \0".into(), &[Error]),
    ];
    // Each attempt is followed by a right answer, on one worker, so that what it left behind would show.
    let rows: Vec<_> = attempts
        .iter()
        .enumerate()
        .flat_map(|(id, (sql, _))| {
            let gold = "SELECT name, price FROM fruit ORDER BY id";
            [
                row(2 * id, &database, gold, sql),
                row(2 * id + 1, &database, gold, gold),
            ]
        })
        .collect();
    let limits = Limits {
        steps: 20_000_000,
        wall_ms: 8_000,
        heap_bytes: 128 << 20,
        ..Limits::default()
    };
    let mut options = options(1, limits);
    let variable = format!("SQLITE_TMPDIR={}", watched.path().display());
    let program = mem::replace(&mut options.worker.program, "env".into());
    options
        .worker
        .args
        .splice(0..0, [variable.into(), program.into_os_string()]);
    let judgements = evaluate(&rows, &metrics(), &options, &mut |_| {}).unwrap();
    let verdicts: Vec<_> = judgements.into_iter().map(|one| one.verdict).collect();
    let mut wrong = Vec::new();
    for (pair, (sql, allowed)) in verdicts.chunks(2).zip(&attempts) {
        let sql: String = sql.chars().take(90).collect();
        if !allowed.contains(&pair[0].outcome)
            || pair[0].scores.values().any(|score| *score == Some(1.0))
        {
            wrong.push(format!("{sql}: {:?} {:?}", pair[0].outcome, pair[0].error));
        }
        if pair[1].outcome != Executed || pair[1].scores.values().any(|score| *score == Some(0.0)) {
            wrong.push(format!("after {sql}: {:?}", pair[1]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(attempts.len() >= 100);
    assert_eq!(contents(folder.path()), before);
    assert_eq!(contents(watched.path()), BTreeMap::new());
}
