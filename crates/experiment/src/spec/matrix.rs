//! A matrix of experiments: what varies, and the cells that come of it.

use std::collections::BTreeMap;

use super::Desk;
use crate::suggest;
use crate::tree::{Entry, Node, Place, Value};

/// Cells at most: more is a slip in a list rather than a plan.
const MOST: usize = 10_000;

/// What a cell sets: a dotted key, where that was written, and its value.
pub(super) type Assignment = (String, Place, Node);

/// One combination.
#[derive(Debug, Clone)]
pub(super) struct Combination {
    /// Made of what varies; a name for a folder.
    pub(super) name: String,
    pub(super) assignments: Vec<Assignment>,
}

/// A key and its values.
struct Axis {
    key: String,
    values: Vec<Node>,
}

/// Takes `matrix` out of the tree; its combinations in the order in which they are written, the last key running fastest. `None` if there is
/// none, or nothing can be made of it.
pub(super) fn take(desk: &mut Desk, tree: &mut Node) -> Option<Vec<Combination>> {
    let Value::Map(entries) = &mut tree.value else {
        return None;
    };
    let at = entries.iter().position(|entry| entry.key == "matrix")?;
    let matrix = entries.remove(at).value;
    let faults = desk.faults.len();
    let Value::Map(entries) = matrix.value else {
        let message = format!(
            "expected keys with lists of values, found {}",
            matrix.noun()
        );
        desk.fault(matrix.place, "matrix", message, None);
        return None;
    };
    let (mut axes, mut include, mut exclude) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match entry.key.as_str() {
            "include" => include = maps(desk, entry),
            "exclude" => exclude = maps(desk, entry),
            _ => axes.extend(axis(desk, entry)),
        }
    }
    let mut rows = grid(desk, &axes, matrix.place);
    leave_out(desk, &axes, &exclude, &mut rows);
    rows.extend(include.into_iter().map(|(_, row)| row));
    if desk.faults.len() > faults {
        return None;
    }
    if rows.is_empty() || rows.len() > MOST {
        let message = format!("{} cells, expected 1 to {MOST}", rows.len());
        desk.fault(matrix.place, "matrix", message, None);
        return None;
    }
    named(desk, &axes, rows, matrix.place)
}

fn axis(desk: &mut Desk, entry: Entry) -> Option<Axis> {
    let path = format!("matrix.{}", entry.key);
    let place = entry.key_place;
    let Value::List(values) = entry.value.value else {
        let message = format!("expected a list of values, found {}", entry.value.noun());
        desk.fault(entry.value.place, &path, message, None);
        return None;
    };
    if values.is_empty() {
        desk.fault(
            place,
            &path,
            "the list is empty, so there is no cell".to_owned(),
            None,
        );
        return None;
    }
    for (at, value) in values.iter().enumerate() {
        if values[..at].iter().any(|before| same(before, value)) {
            let message = "the same value stands here twice".to_owned();
            desk.fault(value.place, &path, message, None);
        }
    }
    Some(Axis {
        key: entry.key,
        values,
    })
}

/// The mappings of `include` or `exclude`, each with its place.
fn maps(desk: &mut Desk, entry: Entry) -> Vec<(Place, Vec<Assignment>)> {
    let path = format!("matrix.{}", entry.key);
    let Value::List(items) = entry.value.value else {
        let message = format!("expected a list of mappings, found {}", entry.value.noun());
        desk.fault(entry.value.place, &path, message, None);
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in items {
        match item.value {
            Value::Map(entries) if !entries.is_empty() => {
                let row = entries
                    .into_iter()
                    .map(|entry| (entry.key, entry.key_place, entry.value));
                found.push((item.place, row.collect()));
            }
            _ => {
                let message = "expected a mapping of keys, such as `{seed: 3}`".to_owned();
                desk.fault(item.place, &path, message, None);
            }
        }
    }
    found
}

fn grid(desk: &mut Desk, axes: &[Axis], place: Place) -> Vec<Vec<Assignment>> {
    if axes.is_empty() {
        return Vec::new();
    }
    let count = axes
        .iter()
        .try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
    if count.is_none_or(|count| count > 10 * MOST) {
        let message = format!("more than {} combinations", 10 * MOST);
        desk.fault(place, "matrix", message, None);
        return Vec::new();
    }
    let mut rows: Vec<Vec<Assignment>> = vec![Vec::new()];
    for axis in axes {
        rows = rows
            .into_iter()
            .flat_map(|row| {
                axis.values.iter().map(move |value| {
                    let mut row = row.clone();
                    row.push((axis.key.clone(), value.place, value.clone()));
                    row
                })
            })
            .collect();
    }
    rows
}

/// Takes away the rows that have all values of a mapping of `exclude`.
fn leave_out(
    desk: &mut Desk,
    axes: &[Axis],
    exclude: &[(Place, Vec<Assignment>)],
    rows: &mut Vec<Vec<Assignment>>,
) {
    let keys: Vec<&str> = axes.iter().map(|axis| axis.key.as_str()).collect();
    for (place, pattern) in exclude {
        let mut known = true;
        for (key, place, _) in pattern {
            if !keys.contains(&key.as_str()) {
                known = false;
                let help = suggest::help(key, &keys, "these vary");
                let message = format!("`{key}` does not vary");
                desk.fault(*place, "matrix.exclude", message, help);
            }
        }
        let before = rows.len();
        rows.retain(|row| {
            !pattern.iter().all(|(key, _, value)| {
                row.iter()
                    .any(|(other, _, found)| other == key && same(found, value))
            })
        });
        if known && rows.len() == before && !axes.is_empty() {
            let message = "no cell has these values, so nothing is left out".to_owned();
            desk.fault(*place, "matrix.exclude", message, None);
        }
    }
}

/// Gives each row its name; two of the same name, or with the same values, are a fault.
fn named(
    desk: &mut Desk,
    axes: &[Axis],
    rows: Vec<Vec<Assignment>>,
    place: Place,
) -> Option<Vec<Combination>> {
    let varies = |key: &str| {
        axes.iter()
            .find(|axis| axis.key == key)
            .is_none_or(|axis| axis.values.len() > 1)
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(rows.len());
    for (number, row) in (1..).zip(rows) {
        let parts: Vec<String> = row
            .iter()
            .filter(|(key, ..)| varies(key))
            .map(|(key, _, value)| {
                let position = axes
                    .iter()
                    .find(|axis| axis.key == *key)
                    .and_then(|axis| axis.values.iter().position(|it| same(it, value)));
                format!("{}={}", short(key, axes), text(value, position))
            })
            .collect();
        let name = if parts.is_empty() {
            "all".to_owned()
        } else {
            parts.join(",")
        };
        if let Some(first) = seen.insert(name.clone(), number) {
            let message = format!("cells {first} and {number} are both called `{name}`");
            let help = "values that are no single words need distinct ones beside them".to_owned();
            let place = row.first().map_or(place, |(_, place, _)| *place);
            desk.fault(place, "matrix", message, Some(help));
            return None;
        }
        found.push(Combination {
            name,
            assignments: row,
        });
    }
    Some(found)
}

/// The last part of a key, unless another key ends in it too.
fn short<'a>(key: &'a str, axes: &[Axis]) -> &'a str {
    let last = |key: &'a str| key.rsplit('.').next().unwrap_or(key);
    let own = last(key);
    let other = axes
        .iter()
        .any(|axis| axis.key != key && axis.key.rsplit('.').next() == Some(own));
    if other { key } else { own }
}

/// A value as part of a folder's name; what is no single word is called by its position.
fn text(value: &Node, position: Option<usize>) -> String {
    let said = match &value.value {
        Value::Null => "none".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::Uint(it) => it.to_string(),
        Value::Float(it) => it.to_string(),
        Value::Text(it) => it.clone(),
        Value::List(_) | Value::Map(_) => {
            position.map_or("other".to_owned(), |at| (at + 1).to_string())
        }
    };
    let clean = |c: char| {
        if c.is_ascii_alphanumeric() || "._+-".contains(c) {
            c
        } else {
            '-'
        }
    };
    said.chars().map(clean).collect()
}

/// Whether two values are the same, wherever they are written.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|a| b.iter().any(|b| a.key == b.key && same(&a.value, &b.value)))
        }
        (a, b) => a == b,
    }
}
