//! What the script changes in a tree before it compares: values go, and columns bound by foreign keys become one.

use std::collections::BTreeMap;

use super::names::Name;
use super::tree::{ColumnUnit, Query, TableUnit, Term, Value, ValueUnit};

/// Takes the values out of conditions, also of subqueries in them and of combined queries, but not of queries in `FROM`.
///
/// `None` where a connective stands in the place of a condition (`a = 1 b = 2 and c = 3`): the script fails there.
pub fn remove_values(query: &mut Query) -> Option<()> {
    for terms in [&mut query.joined_on, &mut query.having, &mut query.filter] {
        for term in terms.iter_mut().step_by(2) {
            let Term::Condition(condition) = term else {
                return None;
            };
            for value in [&mut condition.value, &mut condition.upper] {
                match value {
                    Some(Value::Query(inner)) => remove_values(inner)?,
                    _ => *value = None,
                }
            }
        }
    }
    match &mut query.combined {
        Some((_, second)) => remove_values(second),
        None => Some(()),
    }
}

/// Puts one column in place of all that are bound to it by foreign keys, and forgets `DISTINCT`.
///
/// That happens in the query and those it is combined with, where the column's table is one of the first query's own,
/// and not in subqueries.
pub fn unite_columns(query: &mut Query, representatives: &BTreeMap<Name, Name>) {
    let tables: Vec<usize> = query
        .tables
        .iter()
        .filter_map(|unit| match unit {
            TableUnit::Table(Name::Table(table)) => Some(*table),
            _ => None,
        })
        .collect();
    let mut unite = |unit: &mut ColumnUnit| {
        unit.distinct = false;
        if let Name::Column(table, _) = unit.column
            && tables.contains(&table)
            && let Some(first) = representatives.get(&unit.column)
        {
            unit.column = *first;
        }
    };
    let mut query = query;
    loop {
        each_column(query, &mut unite);
        match &mut query.combined {
            Some((_, second)) => query = second,
            None => return,
        }
    }
}

/// The columns of a query that are not in subqueries or values.
fn each_column(query: &mut Query, change: &mut impl FnMut(&mut ColumnUnit)) {
    let selected = query.select.iter_mut().map(|(_, unit)| unit);
    let ordering = query.order_by.iter_mut().flat_map(|order| &mut order.units);
    let compared = [&mut query.joined_on, &mut query.filter, &mut query.having]
        .into_iter()
        .flat_map(|terms| terms.iter_mut().step_by(2))
        .filter_map(|term| match term {
            Term::Condition(condition) => Some(&mut condition.unit),
            Term::And | Term::Or => None,
        });
    let units = selected.chain(ordering).chain(compared);
    units
        .flat_map(|ValueUnit { left, right, .. }| [Some(left), right.as_mut()])
        .flatten()
        .chain(&mut query.group_by)
        .for_each(change);
}
