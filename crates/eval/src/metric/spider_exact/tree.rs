//! A query as Spider's grammar sees it. Equality is that of the script's nested tuples: order counts.

use super::names::Name;

/// One `SELECT` with its clauses, and what it is combined with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// `SELECT DISTINCT`.
    pub distinct: bool,
    /// What is selected, with the aggregate over it.
    pub select: Vec<(Aggregate, ValueUnit)>,
    /// What it is selected from.
    pub tables: Vec<TableUnit>,
    /// The conditions of all joins.
    pub joined_on: Vec<Term>,
    /// `WHERE`.
    pub filter: Vec<Term>,
    /// `GROUP BY`.
    pub group_by: Vec<ColumnUnit>,
    /// `HAVING`.
    pub having: Vec<Term>,
    /// `ORDER BY`.
    pub order_by: Option<OrderBy>,
    /// The number of `LIMIT`.
    pub limit: Option<String>,
    /// The query after `INTERSECT`, `UNION` or `EXCEPT`.
    pub combined: Option<(SetOperation, Box<Query>)>,
}

/// A table by its name, or a query in brackets.
#[derive(Debug, Clone, PartialEq)]
pub enum TableUnit {
    /// A named table.
    Table(Name),
    /// `FROM (SELECT …)`.
    Query(Box<Query>),
}

/// `ORDER BY`: only the last direction is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderBy {
    /// Whether the last direction named is `DESC`.
    pub descending: bool,
    /// What is ordered by.
    pub units: Vec<ValueUnit>,
}

/// A column, or the result of an operator over two.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueUnit {
    /// The operator between the two.
    pub operator: UnitOperator,
    /// The only or left column.
    pub left: ColumnUnit,
    /// The right column.
    pub right: Option<ColumnUnit>,
}

/// A column with an aggregate over it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnUnit {
    /// The aggregate.
    pub aggregate: Aggregate,
    /// The column or `*`.
    pub column: Name,
    /// `DISTINCT` before it.
    pub distinct: bool,
}

/// A member of a list of conditions. In what the grammar is made for, every second one is a connective.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A comparison.
    Condition(Condition),
    /// `AND`.
    And,
    /// `OR`.
    Or,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// `NOT` before the operator.
    pub negated: bool,
    /// The operator.
    pub operator: Operator,
    /// What is compared.
    pub unit: ValueUnit,
    /// What it is compared with.
    pub value: Option<Value>,
    /// The upper end of `BETWEEN`.
    pub upper: Option<Value>,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text in its quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// A column.
    Column(ColumnUnit),
    /// `(SELECT …)`.
    Query(Box<Query>),
}

/// `none` is a word of the grammar: it can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the words of SQL")]
pub enum Aggregate {
    None,
    Max,
    Min,
    Count,
    Sum,
    Avg,
}

impl Aggregate {
    /// The aggregate of a word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "max" => Self::Max,
            "min" => Self::Min,
            "count" => Self::Count,
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            _ => return None,
        })
    }
}

/// `none` is a word of the grammar here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the signs of arithmetic")]
pub enum UnitOperator {
    None,
    Minus,
    Plus,
    Times,
    Divided,
}

impl UnitOperator {
    /// The operator of a word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "-" => Self::Minus,
            "+" => Self::Plus,
            "*" => Self::Times,
            "/" => Self::Divided,
            _ => return None,
        })
    }
}

/// The operators of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the words of SQL")]
pub enum Operator {
    Not,
    Between,
    Equal,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Unequal,
    In,
    Like,
    Is,
    Exists,
}

impl Operator {
    /// The operator of a word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "not" => Self::Not,
            "between" => Self::Between,
            "=" => Self::Equal,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" => Self::AtLeast,
            "<=" => Self::AtMost,
            "!=" => Self::Unequal,
            "in" => Self::In,
            "like" => Self::Like,
            "is" => Self::Is,
            "exists" => Self::Exists,
            _ => return None,
        })
    }
}

/// How two queries are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the words of SQL")]
pub enum SetOperation {
    Intersect,
    Union,
    Except,
}

impl SetOperation {
    /// The operation of a word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "intersect" => Self::Intersect,
            "union" => Self::Union,
            "except" => Self::Except,
            _ => return None,
        })
    }
}

impl Query {
    /// The lists of conditions, in the order in which the script joins them.
    pub fn conditions(&self) -> [&[Term]; 3] {
        [&self.joined_on, &self.filter, &self.having]
    }
}
