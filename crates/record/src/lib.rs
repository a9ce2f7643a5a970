//! The nouns of the harness as plain serialisable data.
//!
//! This crate knows neither files nor tensors nor SQL grammar: it only says what an example, a schema, rows of it,
//! a prediction and a verdict are, so that the crates that make them and the crates that read them
//! need not know each other.

mod content;
mod example;
mod prediction;
mod query;
mod schema;
mod verdict;

pub use content::{Content, Scalar};
pub use example::Example;
pub use prediction::{Finish, Prediction};
pub use query::Query;
pub use schema::{Column, ForeignKey, Schema, Table};
pub use verdict::{Outcome, Verdict};
