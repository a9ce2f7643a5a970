//! Are two rebuilt trees one: `eval_exact_match`, with those of its partial matches that decide.

use super::names::Name;
use super::tree::{Condition, Operator, Query, Term};

/// Whether a predicted query matches a gold query in all components.
///
/// Where both have different subqueries in `FROM`, the script can fail while it sorts them; here they are unequal.
pub fn exact_match(predicted: &Query, gold: &Query) -> bool {
    same_members(&predicted.select, &gold.select)
        && same_members(&conditions(&predicted.filter), &conditions(&gold.filter))
        && same_groups(predicted, gold)
        && same_order(predicted, gold)
        && same_connectives(&predicted.filter, &gold.filter)
        && same_combination(predicted, gold)
        && keywords(predicted) == keywords(gold)
        && (gold.tables.is_empty() || same_members(&predicted.tables, &gold.tables))
}

/// The same members, each as often, in any order. Quadratic in the gold query's.
fn same_members<T: PartialEq>(predicted: &[T], gold: &[T]) -> bool {
    let mut left: Vec<&T> = gold.iter().collect();
    predicted.len() == gold.len()
        && predicted.iter().all(|member| {
            let found = left.iter().position(|candidate| *candidate == member);
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

/// What stands where conditions are expected, and what stands between.
fn conditions(terms: &[Term]) -> Vec<&Term> {
    terms.iter().step_by(2).collect()
}

fn connectives(terms: &[Term]) -> impl Iterator<Item = &Term> {
    terms.iter().skip(1).step_by(2)
}

fn same_connectives(predicted: &[Term], gold: &[Term]) -> bool {
    let contained =
        |in_it, other| connectives(in_it).all(|term| connectives(other).any(|it| it == term));
    contained(predicted, gold) && contained(gold, predicted)
}

/// Columns of `GROUP BY` in order, and `HAVING` where both group.
fn same_groups(predicted: &Query, gold: &Query) -> bool {
    let columns =
        |query: &Query| -> Vec<Name> { query.group_by.iter().map(|unit| unit.column).collect() };
    columns(predicted) == columns(gold)
        && (gold.group_by.is_empty() || predicted.having == gold.having)
}

/// Whether there is a `LIMIT` counts only where there is an order.
fn same_order(predicted: &Query, gold: &Query) -> bool {
    predicted.order_by == gold.order_by
        && (gold.order_by.is_none() || predicted.limit.is_some() == gold.limit.is_some())
}

fn same_combination(predicted: &Query, gold: &Query) -> bool {
    match (&predicted.combined, &gold.combined) {
        (None, None) => true,
        (Some((by, second)), Some((gold_by, gold_second))) => {
            by == gold_by && exact_match(second, gold_second)
        }
        _ => false,
    }
}

/// Which words a query uses, `NOT`, `IN`, `LIKE` and `OR` in any of its conditions. The other keywords of the script are
/// those of clauses that are compared above.
fn keywords(query: &Query) -> [bool; 6] {
    let terms = query.conditions();
    let in_conditions = |test: fn(&Condition) -> bool| {
        let test = |term: &Term| matches!(term, Term::Condition(condition) if test(condition));
        terms.iter().any(|terms| terms.iter().step_by(2).any(test))
    };
    let or = |terms: &&[Term]| connectives(terms).any(|term| *term == Term::Or);
    [
        !query.having.is_empty(),
        query.limit.is_some(),
        terms.iter().any(or),
        in_conditions(|condition| condition.negated),
        in_conditions(|condition| condition.operator == Operator::In),
        in_conditions(|condition| condition.operator == Operator::Like),
    ]
}
