//! Everything that reads the text of a query without a parser, on texts that are drawn: fragments of SQL in any order,
//! queries of a file with characters and tokens lost, doubled, swapped and put in, any characters, and long repetitions.
//!
//!     fuzz_queries [--seed N] [--seconds N] [--inputs N] [--queries FILE ...]
//!
//! FILE has one query a line. What must hold: nothing panics, the pieces of the scanner are the whole text, both
//! ways to templates and both ways to n-grams agree, parse trees can be counted, and what is cut is a beginning. It ends with counts and with the
//! slowest texts by their length; a fault ends it with the text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a tool for developers, which stops at the first fault"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use harness_align::{Options, QuerySet, Tally, compare};
use harness_sql::lex::Scanner;
use harness_sql::ngram::count;
use harness_sql::order::is_ordered;
use harness_sql::{
    NgramOptions, NgramTable, Parsed, TemplateTable, classify, cut_runaway, extract_sql, features,
    template,
};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const FRAGMENTS: &str = "SELECT select FROM WHERE AS as CAST( TRY_CAST t.CAST( OVER ( OVER( END CASE WHEN THEN ELSE LEFT JOIN \
    OUTER FULL INNER NULLS FIRST LAST PARTITION BY ORDER GROUP ROWS CURRENT ROW RANGE WITH RECURSIVE REPLACE INTO IF NOT \
    EXISTS CREATE VIEW ADD COLUMN PRIMARY KEY INTERVAL REFERENCES TABLE VALUES NULL CURRENT_DATE TRUE a t COUNT( fn Größe \
    x$1 1 .5 1e5 2nd 1. 0xFF 's' ' '' \" \"q\" `b` ` [c] [ ] ( ) , . + - * / :: : :p ? @x # <> == != <= ->> -> || | ! ^ \
    ; -- /* */ /*c*/ ``` ```sql Answer: LIMIT UNION ASC DESC LIKE IN BETWEEN AND OR \u{1F600} \u{17F} \u{131} $ _ { }";

/// What long texts repeat.
const UNITS: &[&str] = &[
    "(",
    ")",
    "'",
    "\"",
    "[",
    "`",
    ";",
    "-",
    "--\n",
    "/*",
    "/**/",
    ",",
    ".",
    "a",
    "a ",
    "a.",
    "é",
    "\u{A0}",
    "1e",
    "1.",
    ":",
    "CAST(a AS ",
    "CAST(a AS b) ",
    "OVER(ROWS ",
    "CASE ",
    "END ",
    "SELECT ",
    "SELECT\n\n",
    "WITH x AS (",
    "```\n",
    "f(",
    "f(a) ",
    "AND a = 1 ",
    "x, ",
    "- 1 ",
    "a: WITH '\n",
    "NULLS FIRST ",
    "||",
    "'' ",
    "/*\n",
];

struct Fuzzer {
    random: ChaCha8Rng,
    fragments: Vec<&'static str>,
    queries: Vec<String>,
    table: TemplateTable,
}

impl Fuzzer {
    fn input(&mut self) -> (&'static str, String) {
        match self.random.random_range(0..1_000) {
            0 => ("long", self.long()),
            1..300 => ("fragments", self.soup()),
            300..400 => ("characters", self.characters()),
            _ if self.queries.is_empty() => ("fragments", self.soup()),
            _ => ("damaged", self.damaged()),
        }
    }

    fn soup(&mut self) -> String {
        let n = self.random.random_range(0..40);
        let mut text = String::from(if self.random.random() { "SELECT " } else { "" });
        for _ in 0..n {
            text += self.fragments.choose(&mut self.random).unwrap();
            text += ["", " ", " ", "\n"].choose(&mut self.random).unwrap();
        }
        text
    }

    fn characters(&mut self) -> String {
        let n = self.random.random_range(0..60);
        let one = |random: &mut ChaCha8Rng| match random.random_range(0..4) {
            0 => random.random::<char>(),
            1 => *[
                '\u{85}', '\u{A0}', '\u{1680}', '\u{2028}', '\u{3000}', '\u{200B}', '\u{FEFF}',
            ]
            .choose(random)
            .unwrap(),
            _ => char::from(random.random_range(0..128_u8)),
        };
        (0..n).map(|_| one(&mut self.random)).collect()
    }

    fn long(&mut self) -> String {
        let units: Vec<&str> = (0..self.random.random_range(1..3))
            .map(|_| *UNITS.choose(&mut self.random).unwrap())
            .collect();
        let length = 1_usize << self.random.random_range(10..18);
        let mut text = String::from(if self.random.random() { "SELECT " } else { "" });
        // A fragment here and there breaks the rhythm.
        while text.len() < length {
            text += &units.concat();
            if self.random.random_range(0..5_000) == 0 {
                text += self.fragments.choose(&mut self.random).unwrap();
            }
        }
        text
    }

    fn damaged(&mut self) -> String {
        let query = self.queries.choose(&mut self.random).unwrap();
        let mut parts: Vec<String> = if self.random.random() {
            query.chars().map(String::from).collect()
        } else {
            query.split_inclusive(' ').map(str::to_owned).collect()
        };
        for _ in 0..self.random.random_range(1..5) {
            if parts.is_empty() {
                break;
            }
            let (a, b) = (
                self.random.random_range(0..parts.len()),
                self.random.random_range(0..parts.len()),
            );
            match self.random.random_range(0..5) {
                0 => drop(parts.remove(a)),
                1 => parts.insert(a, parts[b].clone()),
                2 => parts.swap(a, b),
                3 => parts.truncate(a),
                _ => parts.insert(
                    a,
                    (*self.fragments.choose(&mut self.random).unwrap()).to_owned(),
                ),
            }
        }
        parts.concat()
    }

    fn check(&mut self, sql: &str, deep: bool) {
        let mut end = 0;
        for piece in Scanner::new(sql) {
            assert!(
                sql[end..piece.start].chars().all(char::is_whitespace) && !piece.text.is_empty()
            );
            end = piece.end();
        }
        assert!(sql[end..].chars().all(char::is_whitespace));
        let found = template(sql);
        if self.table.len() > 10_000 {
            self.table = TemplateTable::default();
        }
        assert_eq!(
            self.table.read(sql).map(|_| ()),
            found.as_ref().map(|_| ()).map_err(|reason| *reason)
        );
        let (kept, _) = cut_runaway(sql);
        assert!(sql.starts_with(kept));
        classify(sql);
        is_ordered(sql);
        extract_sql(
            sql,
            ["", "SELECT ", "WITH x AS ("][self.random.random_range(0..3)],
        );
        if deep && sql.len() < 4_000 {
            let parsed = Parsed::new(sql);
            assert_eq!(parsed.as_ref().map(Parsed::features), features(sql));
            if let Some(parsed) = parsed {
                let _ = parsed.subtrees();
            }
        }
        if let (Ok(template), true) = (&found, deep) {
            let _ = template.style_free();
            let options = NgramOptions {
                l_max: self.random.random_range(1..20),
                filters: self.random.random(),
            };
            let table = NgramTable::new([template], options);
            let counts = table.spread(&table.count(&[1]));
            if sql.len() < 4_000 {
                let texts = (0..counts.len() as u32).map(|feature| table.text(feature).unwrap());
                let shown: BTreeMap<_, _> =
                    texts.zip(counts.iter().map(|n| u64::from(*n))).collect();
                assert_eq!(shown, count([template], options));
                let mut tally = Tally::default();
                tally.add(sql);
                let set = QuerySet::from_templates([Ok(template.clone())]);
                assert_eq!(tally.finish(), set);
                if let Ok(own) = compare(&set, &set, &Options::default()) {
                    assert!((own.a_kl - 1.0).abs() < 1e-12);
                }
            }
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut seed, mut seconds, mut most, mut queries) = (0, 60, u64::MAX, Vec::new());
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match name.as_str() {
            "--seed" => seed = value().parse().expect("a number"),
            "--seconds" => seconds = value().parse().expect("a number"),
            "--inputs" => most = value().parse().expect("a number"),
            "--queries" => {
                let text = std::fs::read_to_string(value()).expect("a file of queries");
                queries.extend(text.lines().map(str::to_owned));
            }
            other => panic!("no option {other}"),
        }
    }
    let mut fuzzer = Fuzzer {
        random: ChaCha8Rng::seed_from_u64(seed),
        fragments: FRAGMENTS.split_ascii_whitespace().collect(),
        queries,
        table: TemplateTable::default(),
    };
    let begin = Instant::now();
    let (mut kinds, mut bytes, mut inputs) = (BTreeMap::<&str, u64>::new(), 0, 0);
    // The slowest text of each length, by powers of two: nanoseconds a byte.
    let mut slowest: BTreeMap<u32, (f64, String)> = BTreeMap::new();
    while inputs < most && begin.elapsed() < Duration::from_secs(seconds) {
        let (kind, sql) = fuzzer.input();
        *kinds.entry(kind).or_default() += 1;
        let started = Instant::now();
        let deep = inputs % 8 == 0;
        let checked = catch_unwind(AssertUnwindSafe(|| fuzzer.check(&sql, deep)));
        if checked.is_err() {
            println!("{kind}, input {inputs} of seed {seed}: {sql:?}");
            std::process::exit(1);
        }
        let pace = started.elapsed().as_nanos() as f64 / (sql.len() + 64) as f64;
        let class = slowest
            .entry(sql.len().max(1).ilog2())
            .or_insert((0.0, String::new()));
        if pace > class.0 {
            *class = (pace, sql.chars().take(60).collect());
        }
        inputs += 1;
        bytes += sql.len() as u64;
    }
    println!(
        "{inputs} inputs, {bytes} bytes, {:.0} s, seed {seed}: no fault",
        begin.elapsed().as_secs_f64()
    );
    for (kind, n) in kinds {
        println!("  {kind:12} {n}");
    }
    println!("slowest by length, ns a byte:");
    for (class, (pace, text)) in slowest {
        println!("  from {:7} bytes {pace:8.1}  {text:?}", 1_u64 << class);
    }
}
