//! Predictions that would write, break out or exhaust the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness_eval::Limits;
use harness_record::Outcome::{self, Error, Executed, Refused, Timeout, TimeoutWall, TooLarge};

use crate::support::{row, small_database, verdicts};

/// Everything in a folder, by name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read(&path).unwrap())
        })
        .collect()
}

pub fn nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
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
        // Memory.
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
        wall_ms: 2_000,
        heap_bytes: 128 << 20,
        ..Limits::default()
    };
    let verdicts = verdicts(&rows, 1, limits);
    for (pair, (sql, allowed)) in verdicts.chunks(2).zip(&attempts) {
        let sql = sql.get(..80).unwrap_or(sql);
        assert!(allowed.contains(&pair[0].outcome), "{sql}: {:?}", pair[0]);
        assert!(
            pair[0].scores.values().all(|score| *score != Some(1.0)),
            "{sql}"
        );
        assert_eq!(pair[1].outcome, Executed, "after {sql}");
        assert!(
            pair[1].scores.values().all(|score| *score != Some(0.0)),
            "after {sql}"
        );
    }
    assert_eq!(contents(folder.path()), before);
}
