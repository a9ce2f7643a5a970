//! A few rows of a database.

use std::collections::BTreeMap;

/// One stored value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// SQL's NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text in UTF-8.
    Text(String),
    /// Bytes, or a text that is not UTF-8; what they are is not kept.
    Blob,
}

/// Whole rows of the tables of one database: a sample, or all there are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    /// By table, in the names and the order of columns that its schema has.
    pub tables: BTreeMap<String, Vec<Vec<Scalar>>>,
}
