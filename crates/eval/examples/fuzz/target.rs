//! What is run on every input, and what has to hold beside that nothing panics.

use harness_eval::exec::{Rows, Value};
use harness_eval::{METRICS, fuzz};

use super::draw::Draw;
use super::generate;
use super::world::{self, PART, World};

/// One thing under test.
pub struct Target {
    /// Its name in the report.
    pub name: &'static str,
    /// Executions in a round: more of what is fast.
    pub share: u64,
    /// The good inputs that mutations start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// A new input.
    pub make: fn(&mut Draw) -> Vec<u8>,
    /// Runs it. Says in short what came out, and panics where something does not hold.
    pub run: fn(&World, &[u8]) -> String,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "scanner",
        share: 500,
        seeds: world::queries,
        make: query,
        run: scanner,
    },
    Target {
        name: "rewriting",
        share: 1500,
        seeds: world::queries,
        make: query,
        run: rewriting,
    },
    Target {
        name: "texts",
        share: 500,
        seeds: world::pairs,
        make: pair,
        run: texts,
    },
    Target {
        name: "results",
        share: 1000,
        seeds: world::results,
        make: bytes,
        run: results,
    },
    Target {
        name: "wire",
        share: 1500,
        seeds: world::replies,
        make: bytes,
        run: wire,
    },
    Target {
        name: "sandbox",
        share: 250,
        seeds: world::queries,
        make: query,
        run: sandbox,
    },
];

fn query(draw: &mut Draw) -> Vec<u8> {
    generate::text(draw).into_bytes()
}

fn pair(draw: &mut Draw) -> Vec<u8> {
    let gold = generate::text(draw);
    let predicted = if draw.once_in(2) {
        gold.clone()
    } else {
        generate::text(draw)
    };
    format!("{gold}{PART}{predicted}").into_bytes()
}

fn bytes(draw: &mut Draw) -> Vec<u8> {
    (0..draw.below(80)).map(|_| draw.below(16) as u8).collect()
}

/// The scanner and what stands on it.
fn scanner(_: &World, input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let pieces = harness_sql::lex::lex(&text).map(|pieces| pieces.len());
    let template = harness_sql::template(&text);
    let extracted = harness_sql::extract_sql(&text, "");
    let kind = harness_sql::classify(&extracted.sql);
    let counted = harness_sql::features(&text).is_some();
    format!("{} {} {kind:?} {counted}", pieces.is_ok(), template.is_ok())
}

/// What policies do to a query before it runs. They take out and never add.
fn rewriting(_: &World, input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let broken = fuzz::ties_broken(&text, 3);
    let mut said = format!("{} ", broken.is_some());
    for metric in METRICS {
        if let Some(after) = fuzz::rewritten(metric, &text) {
            assert!(
                after.len() <= text.len(),
                "{} made the query longer",
                metric.name
            );
            said.push(if after == text { '=' } else { '-' });
        }
    }
    said
}

/// The metrics that read both queries. A query that can be read equals itself.
fn texts(world: &World, input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let (gold, predicted) = text.split_once(PART).unwrap_or((&text, ""));
    let hardness = harness_eval::spider_hardness(gold, &world.schema);
    let mut said = format!("{hardness:?} ");
    for metric in METRICS {
        let score = |predicted| fuzz::text_score(metric, gold, predicted, &world.schema);
        let itself = score(gold);
        assert!(
            itself.is_none_or(|score| score == 1.0),
            "{}: {itself:?} of itself",
            metric.name
        );
        let other = score(predicted);
        assert_eq!(
            other.is_none(),
            itself.is_none(),
            "{}: a matter of the gold",
            metric.name
        );
        assert!(other.is_none_or(|score| (0.0..=1.0).contains(&score)));
        said.push_str(&format!("{other:?} "));
    }
    said
}

/// The comparisons of results, and that each agrees with itself.
fn results(_: &World, input: &[u8]) -> String {
    let (gold, predicted) = tables(input);
    let mut said = String::new();
    for metric in METRICS {
        for sql in ["SELECT a FROM t", "SELECT a FROM t ORDER BY a"] {
            let score = |predicted| fuzz::result_score(metric, sql, &gold, predicted);
            let itself = score(&gold);
            let readable = gold.rows.iter().flatten().all(|value| match value {
                Value::Text(bytes) => std::str::from_utf8(bytes).is_ok(),
                _ => true,
            });
            let holds = metric.graded || !readable || itself.is_none_or(|score| score == 1.0);
            assert!(holds, "{}: {itself:?} of itself", metric.name);
            let other = score(&predicted);
            assert!(metric.graded || other.is_none_or(|score| score == 0.0 || score == 1.0));
            said.push(match other {
                None => '?',
                Some(0.0) => '0',
                Some(1.0) => '1',
                Some(_) => '~',
            });
        }
    }
    said
}

/// Two results from bytes: the number of columns, then a byte a value, half of them to each.
fn tables(input: &[u8]) -> (Rows, Rows) {
    let (&first, rest) = input.split_first().unwrap_or((&1, &[]));
    let rest = &rest[..rest.len().min(500)];
    let columns = usize::from(first % 16).max(1);
    let (left, right) = rest.split_at(rest.len() / 2 / columns * columns);
    let rows = |bytes: &[u8]| Rows {
        columns,
        rows: bytes
            .chunks_exact(columns)
            .map(|row| row.iter().map(value).collect())
            .collect(),
    };
    (rows(left), rows(right))
}

fn value(byte: &u8) -> Value {
    match byte % 16 {
        0 => Value::Null,
        1 => Value::Int(1),
        2 => Value::Real(1.0),
        3 => Value::Text(b"1".to_vec()),
        4 => Value::Blob(b"1".to_vec()),
        5 => Value::Int(9_007_199_254_740_993),
        6 => Value::Real(9_007_199_254_740_992.0),
        7 => Value::Text(vec![0xff]),
        8 => Value::Real(-0.0),
        9 => Value::Real(f64::INFINITY),
        10 => Value::Real(0.1 + 0.2),
        11 => Value::Real(0.3),
        12 => Value::Text(Vec::new()),
        13 => Value::Int(i64::MIN),
        other => Value::Int(i64::from(other)),
    }
}

/// A reply, and that what was read is written the same.
fn wire(_: &World, input: &[u8]) -> String {
    let Some(answer) = fuzz::reply(input) else {
        return "none".to_owned();
    };
    match answer.result {
        Err(failure) => format!("{:?}", failure.kind),
        Ok(rows) => {
            let again = fuzz::reply_of(&rows, fuzz::head(input).unwrap_or_default());
            assert!(again == input, "another text for the same rows");
            "rows".to_owned()
        }
    }
}

/// A query in the sandbox: within its limits, the same twice, and the database as it was.
fn sandbox(world: &World, input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let run = || fuzz::executed(&world.database, &text, world.limits);
    let result = run();
    if !fuzz::asks_chance_or_clock(&text) {
        let again = run();
        // Values that are not numbers equal nothing, so the words are compared.
        let same = format!("{result:?}") == format!("{again:?}");
        assert!(same, "another result the second time");
    }
    assert!(
        world.is_untouched(),
        "the database or its folder has changed"
    );
    match result {
        Ok(rows) => {
            assert!(
                rows.rows.len() as u64 <= world.limits.rows
                    && rows.columns <= world.limits.columns as usize
            );
            format!("rows {}", rows.rows.len().min(3))
        }
        Err(failure) => {
            // Without what it is about, which is another in every query.
            let words = failure
                .message
                .split([':', '"', '\''])
                .next()
                .unwrap_or_default();
            let words: String = words
                .chars()
                .filter(|it| !it.is_ascii_digit())
                .take(24)
                .collect();
            format!("{:?} {words}", failure.kind)
        }
    }
}
