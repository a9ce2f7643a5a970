//! Spider's four levels of hardness: `eval_hardness` of the script.

use serde::{Deserialize, Serialize};

use super::tree::{Aggregate, Condition, Operator, Query, Term, Value};

/// How hard a gold query is, by Spider's count of its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hardness {
    /// One component at most.
    Easy,
    /// Up to two.
    Medium,
    /// Up to three, or a nested query.
    Hard,
    /// More.
    Extra,
}

impl Hardness {
    /// The levels, the easiest first.
    pub const ALL: [Self; 4] = [Self::Easy, Self::Medium, Self::Hard, Self::Extra];
}

impl std::fmt::Display for Hardness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
            Self::Extra => "extra",
        })
    }
}

/// The level of a query; `None` where a connective stands in the place of a condition, on which the script fails.
pub fn hardness(query: &Query) -> Option<Hardness> {
    let conditions = conditions(query)?;
    let clauses = clauses(query, &conditions);
    let nested = nested(query, &conditions);
    let others = others(query);
    Some(if clauses <= 1 && others == 0 && nested == 0 {
        Hardness::Easy
    } else if nested == 0 && ((others <= 2 && clauses <= 1) || (clauses <= 2 && others < 2)) {
        Hardness::Medium
    } else if (nested == 0 && ((others > 2 && clauses <= 2) || (clauses == 3 && others <= 2)))
        || (clauses <= 1 && others == 0 && nested <= 1)
    {
        Hardness::Hard
    } else {
        Hardness::Extra
    })
}

/// Every second member of the lists of conditions.
fn conditions(query: &Query) -> Option<Vec<&Condition>> {
    let terms = query.conditions().into_iter();
    terms
        .flat_map(|terms| terms.iter().step_by(2))
        .map(|term| match term {
            Term::Condition(condition) => Some(condition),
            Term::And | Term::Or => None,
        })
        .collect()
}

/// Clauses, joins, `OR` and `LIKE`: the script's component 1.
fn clauses(query: &Query, conditions: &[&Condition]) -> usize {
    let present = [
        !query.filter.is_empty(),
        !query.group_by.is_empty(),
        query.order_by.is_some(),
        query.limit.is_some(),
    ];
    let connectives = query.conditions().into_iter();
    let ors = connectives
        .flat_map(|terms| terms.iter().skip(1).step_by(2))
        .filter(|term| **term == Term::Or);
    let likes = conditions
        .iter()
        .filter(|condition| condition.operator == Operator::Like);
    present.into_iter().filter(|present| *present).count()
        + query.tables.len().saturating_sub(1)
        + ors.count()
        + likes.count()
}

/// Subqueries in conditions, and the query this one is combined with: component 2.
fn nested(query: &Query, conditions: &[&Condition]) -> usize {
    let values = conditions
        .iter()
        .flat_map(|condition| [&condition.value, &condition.upper]);
    let subqueries = values.filter(|value| matches!(value, Some(Value::Query(_))));
    subqueries.count() + usize::from(query.combined.is_some())
}

/// How many of four things there are more than one of: aggregates, selected columns, terms of `WHERE`, columns of
/// `GROUP BY`.
///
/// The script's count of aggregates looks at the first member of whatever it is handed. In a condition that is the flag
/// for `NOT`, and in a word of `HAVING` its first letter, so negated conditions and every `and` and `or` there count.
fn others(query: &Query) -> usize {
    let is_negated = |term: &Term| matches!(term, Term::Condition(condition) if condition.negated);
    let ordered = query.order_by.iter().flat_map(|order| &order.units);
    let ordered = ordered.flat_map(|unit| [Some(&unit.left), unit.right.as_ref()]);
    let columns = query.group_by.iter().chain(ordered.flatten());
    let aggregates = columns
        .map(|unit| unit.aggregate)
        .chain(query.select.iter().map(|(aggregate, _)| *aggregate))
        .filter(|aggregate| *aggregate != Aggregate::None);
    let negated = query
        .filter
        .iter()
        .step_by(2)
        .filter(|term| is_negated(term));
    let having = query
        .having
        .iter()
        .filter(|term| is_negated(term) || matches!(term, Term::And | Term::Or));
    [
        aggregates.count() + negated.count() + having.count(),
        query.select.len(),
        query.filter.len(),
        query.group_by.len(),
    ]
    .into_iter()
    .filter(|count| *count > 1)
    .count()
}
