//! Spider's exact set match and its levels of hardness, as `evaluation.py` and `process_sql.py` of taoyds/spider
//! (at b7b5b8c) decide them.
//!
//! Both queries are read by a small grammar of Spider's own ([`parse`]) into trees ([`tree`]), values and `DISTINCT` are
//! taken out, columns bound by foreign keys become one ([`rebuild`]), and the components are compared as sets
//! ([`compare`]). Published numbers rest on the oddities of that, so they are kept:
//!
//! - Ignored are values, the number of `LIMIT`, `DISTINCT`, and join conditions with their absence, of which only the
//!   words `or`, `not`, `in` and `like` count. In a subquery of `WHERE`, `DISTINCT` and the number of `LIMIT` count and
//!   foreign keys are not looked at; in one of `FROM`, values count as well.
//! - Select items, conditions and tables are unordered, columns of `GROUP BY` and `ORDER BY` are not. `ORDER BY` has the
//!   last direction only. `count(*)` and `count(id)` differ.
//! - The grammar reads few queries: no `<>`, no alias without `AS`, no `LEFT JOIN`, no `IS NULL`, no `IN (1, 2)`, no
//!   `CASE`, no arithmetic with numbers, no operator that touches its neighbours (`a=1`). What is behind the part that
//!   it understands is ignored.
//! - A prediction that is not read is compared as a query without any components, so it is wrong unless the gold query
//!   has none either.
//!
//! Departures from the script, which fails as a whole there: a prediction whose conditions are out of step (`a = 1 b = 2
//! and c = 3`) is wrong, different subqueries in two `FROM`s are unequal, and queries nested hundreds deep are compared.

mod compare;
mod hardness;
mod names;
mod numbers;
mod parse;
mod rebuild;
mod sentences;
mod tokens;
mod tree;

use harness_record::Schema;

use super::{Kind, Metric, Texts};
use compare::exact_match;
pub use hardness::Hardness;
use names::{Names, representatives};
use parse::parse;
use rebuild::{remove_values, unite_columns};

pub const METRIC: Metric = Metric {
    name: "spider_exact",
    summary: "Spider's exact set match: equal components of the queries as written, values aside",
    graded: false,
    kind: Kind::Text(score),
};

/// How hard a gold query is by Spider's count; `None` if Spider's grammar does not read it.
pub fn spider_hardness(gold: &str, schema: &Schema) -> Option<Hardness> {
    hardness::hardness(&parse(gold, &Names::new(schema))?)
}

/// Whether a prediction matches a gold query, both as written; `None` if Spider's grammar does not read the gold query.
pub fn spider_exact_match(gold: &str, predicted: &str, schema: &Schema) -> Option<bool> {
    let names = Names::new(schema);
    let mut gold = parse(gold, &names)?;
    remove_values(&mut gold)?;
    let mut predicted = parse(predicted, &names).unwrap_or_default();
    if remove_values(&mut predicted).is_none() {
        return Some(false);
    }
    let representatives = representatives(schema, &names);
    for query in [&mut gold, &mut predicted] {
        unite_columns(query, &representatives);
    }
    Some(exact_match(&predicted, &gold))
}

fn score(texts: &Texts<'_>) -> Option<f64> {
    spider_exact_match(texts.gold, texts.predicted, texts.schema?)
        .map(|matches| f64::from(u8::from(matches)))
}
