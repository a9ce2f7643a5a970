//! Files to records: data sets, schemas and prompts.
//!
//! [`load`] reads one split of one data set into a [`Dataset`]; [`prompt`] turns an example and its
//! schema into text, with rows of its database or worked examples if these are wanted; [`defect`] says
//! what is wrong with the questions, and [`leak`] what a training set and a target have in common. This
//! crate knows neither tensors nor scores: it does not tokenise and it does not run a query of an
//! example. It writes nothing but the databases of [`DatasetKind::Gretel`] and what it is asked to fetch.

// `SQLite` and `NeurIPS` are names in sentences, not code.
#![allow(clippy::doc_markdown)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod chosen;
mod content;
mod dataset;
pub mod defect;
mod error;
pub mod fetch;
mod field;
mod file;
pub mod leak;
mod nearest;
mod notes;
pub mod parse;
pub mod predictions;
pub mod prompt;
pub mod prune;
mod query_file;
mod query_parts;
mod retrieve;
mod row_database;
mod rows;
mod sample;
pub mod schema;
mod shots;
mod source;
mod words;

pub use dataset::{Dataset, DatasetRef, load, load_without, read_examples};
pub use error::{DataError, Place};
pub use file::SourceFile;
pub use notes::{Notes, Refusal, RefusedPart};
pub use query_file::{parse_queries, read_queries};
pub use query_parts::{QueryPart, QueryParts};
pub use rows::read_rows;
pub use sample::{HeldOut, hold_out, sample};
pub use source::DatasetKind;
