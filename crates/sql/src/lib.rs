//! Reading SQL text: what its structure is, whether it parses, what it does.
//!
//! The crate works on strings alone. It knows no database, no data set and no tensor, and it never
//! executes anything. Everything but [`Parsed`] and [`structure`] stands on one hand-written scanner ([`lex`]), because
//! models write broken SQL and broken SQL has a structure too; only the countable features, the
//! subtrees and the canonical form ask a parser.
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`lex`] | which tokens are in this text? (never fails but for an open quote) |
//! | [`template`](mod@template) | what is left of a query without names, aliases and literals? |
//! | [`ngram`] | which runs of tokens do templates share? |
//! | [`order`] | does the query put its rows in order? |
//! | [`extract`] | which part of a chatty answer is the query? |
//! | [`statement`] | is this one statement that only reads? |
//! | [`features`](mod@features) | how many joins, subqueries, aggregates …? |
//! | [`subtree`] | which parts do two queries share, names and values aside? |
//! | [`structure`] | do two queries differ in more than has no meaning? |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod extract;
pub mod features;
mod hash;
mod keyword;
pub mod lex;
pub mod ngram;
pub mod order;
mod parsed;
pub mod statement;
pub mod structure;
pub mod subtree;
pub mod template;

pub use extract::{Cut, Extracted, Rule, cut_runaway, extract_sql};
pub use features::{Features, features};
pub use keyword::is_keyword;
pub use ngram::{NgramIndex, NgramOptions, NgramTable};
pub use parsed::Parsed;
pub use statement::{StatementKind, classify, first_keyword, is_single_reading_query};
pub use template::{Excluded, Template, TemplateTable, template};
