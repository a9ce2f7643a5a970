//! Every reader of a text or of bytes as a function from bytes in memory, for fuzzing.
//!
//! The loaders read files with these very functions. What comes from outside must not make one of them
//! panic: `examples/fuzz.rs` runs millions of mutated inputs through them, and a test some thousands.

use std::path::Path;

use crate::file::parse_list;
use crate::predictions::{PredictionFormat, parse_predictions};
use crate::query_file::parse_queries;
use crate::schema;
use crate::source::{bird, classic, gretel, jsonl, spider};

/// A reader: its name, and what it makes of bytes, told by the number of records.
#[derive(Debug, Clone, Copy)]
pub struct Parser {
    /// Name for reports.
    pub name: &'static str,
    /// Reads bytes; returns the number of records, or the fault.
    pub read: fn(&[u8]) -> Result<usize, Fault>,
}

/// What is wrong with an input, of whichever type the reader has.
pub type Fault = Box<dyn std::error::Error>;

/// All readers.
pub const PARSERS: &[Parser] = &[
    Parser {
        name: "spider",
        read: |content| {
            let path = Path::new("dev.json");
            Ok(parse_list(path, content, |row| spider::example("x", row, "question"))?.len())
        },
    },
    Parser {
        name: "bird",
        read: |content| {
            let path = Path::new("dev.json");
            Ok(parse_list(path, content, |row| bird::by_question_id("x", row))?.len())
        },
    },
    Parser {
        name: "tables",
        read: |content| {
            let path = Path::new("tables.json");
            Ok(parse_list(path, content, schema::from_tables_record)?.len())
        },
    },
    Parser {
        name: "descriptions",
        read: |content| Ok(schema::parse_descriptions(Path::new("x.csv"), content)?.len()),
    },
    Parser {
        name: "queries",
        read: |content| Ok(parse_queries(Path::new("queries.jsonl"), content)?.len()),
    },
    Parser {
        name: "query-lines",
        read: |content| Ok(parse_queries(Path::new("queries.sql"), content)?.len()),
    },
    Parser {
        name: "gretel-jsonl",
        read: |content| {
            let path = Path::new("train.jsonl");
            Ok(gretel::parse(path, content.to_vec(), "train")?
                .examples
                .len())
        },
    },
    #[cfg(feature = "parquet")]
    Parser {
        name: "gretel-parquet",
        read: |content| {
            let path = Path::new("train.parquet");
            Ok(gretel::parse(path, content.to_vec(), "train")?
                .examples
                .len())
        },
    },
    Parser {
        name: "jsonl",
        read: |content| {
            let parsed = jsonl::parse(Path::new("x.jsonl"), content, "x")?;
            Ok(parsed.source.examples.len())
        },
    },
    Parser {
        name: "classic",
        read: |content| Ok(classic::parse(Path::new("x.json"), content, "x")?.len()),
    },
    Parser {
        name: "classic-schema",
        read: |content| {
            let schema = schema::from_classic_csv(Path::new("x.csv"), content, "x")?;
            Ok(schema.tables.len())
        },
    },
    Parser {
        name: "ddl",
        read: |content| {
            let text = String::from_utf8_lossy(content);
            Ok(schema::from_ddl(&text, "x")?.tables.len())
        },
    },
    Parser {
        name: "predictions",
        read: |content| Ok(parse_predictions(Path::new("x"), content, None)?.rows.len()),
    },
    Parser {
        name: "predictions-csv",
        read: |content| {
            let format = Some(PredictionFormat::Csv);
            Ok(parse_predictions(Path::new("x.csv"), content, format)?
                .rows
                .len())
        },
    },
];
