//! Why a skeleton or a query made of it is of no use.

use serde::{Serialize, Serializer};

/// The reasons, from reading the skeleton to looking at the result. Cards count them by their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The skeleton has a construct that is not read; what was expected in its place.
    Unread(&'static str),
    /// A name in the skeleton has no meaning that could be found.
    Unresolved,
    /// A function whose arguments nothing is known of.
    Function,
    /// A text stands where no rule says what could replace it.
    Literal,
    /// No database has tables and columns of the shape.
    NoTables,
    /// No value fits a literal.
    NoValues,
    /// The written query has another template.
    OtherTemplate,
    /// A name or a text of the target is left in the written query.
    Leak,
    /// No words for the query.
    NoQuestion,
    /// The query fails or passes a limit.
    Fails,
    /// It returns no row.
    Empty,
    /// It returns nothing but NULL or 0.
    Trivial,
    /// It returns more rows than an answer should have.
    TooManyRows,
    /// Its condition changes nothing.
    IdleCondition,
    /// The same query was made before.
    Repeated,
}

impl Reason {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::Unread(what) => format!("not read: expected {what}"),
            other => other.fixed().to_owned(),
        }
    }

    fn fixed(self) -> &'static str {
        match self {
            Self::Unread(_) => "not read",
            Self::Unresolved => "a name of the skeleton could not be resolved",
            Self::Function => "a function that is not known",
            Self::Literal => "a text that nothing can replace",
            Self::NoTables => "no tables and columns of this shape",
            Self::NoValues => "no values for its literals",
            Self::OtherTemplate => "the written query has another template",
            Self::Leak => "a name or text of the target would be left",
            Self::NoQuestion => "no words for the query",
            Self::Fails => "the query fails or passes a limit",
            Self::Empty => "the result is empty",
            Self::Trivial => "the result is nothing but NULL or 0",
            Self::TooManyRows => "the result has too many rows",
            Self::IdleCondition => "a condition that changes nothing",
            Self::Repeated => "made before",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.words())
    }
}
