//! What a name in a query is.

/// The meaning of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A table, by its class.
    Table(usize),
    /// A common table, by its number.
    Cte(usize),
    /// The alias of a source, or a source before a dot.
    Source {
        /// The source.
        source: usize,
    },
    /// A column.
    Column {
        /// The source it is read from.
        source: usize,
        /// What it is there.
        target: Target,
        /// Whether it must be written with its source, though the skeleton does not.
        qualify: bool,
    },
    /// A name that is given to a result, or a use of it.
    Result(usize),
    /// A text in double quotes that no source has as a column.
    Text,
}

/// What a column of a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A column of a table, by its class.
    Column(usize),
    /// A named result of a query, by the number of the name.
    Result(usize),
}
