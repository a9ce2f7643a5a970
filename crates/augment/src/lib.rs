//! Training examples for templates that a target has and a source lacks: queries of the target are taken as skeletons,
//! filled with tables, columns and values of the source's databases, and given a question that is composed from the
//! query itself. What is made is marked synthetic.
//!
//! Skeleton (names, literals and what each must be: `skeleton`) → tables and columns of a database (`assign`) → literals
//! that the data has (`fill`) → text, with the very template that is wanted (`write`) → question (`ask`) → result, which
//! must make sense (`sense`).
//!
//! The crate knows query texts, schemas and rows as plain data. It knows no files and no data sets, and it executes
//! nothing: [`augment()`] hands queries to a function that does. The same input and seed give the same examples.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod ask;
mod assign;
mod augment;
mod database;
mod evaluate;
mod fill;
mod read;
mod reason;
mod sense;
mod skeleton;
mod tree;
mod wanted;
mod words;
mod write;

pub use augment::{Augmented, Example, Execute, Options, Probe, Wanting, augment};
pub use database::Database;
pub use reason::Reason;
pub use sense::Found;
pub use wanted::{Wanted, wanted};
