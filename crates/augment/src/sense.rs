//! Whether a result is worth asking for.

use harness_record::Scalar;

use crate::reason::Reason;

/// More rows than this are no answer to a question.
pub const MOST_ROWS: usize = 10_000;

/// What a query returned; none if it failed.
pub type Found = Option<Vec<Vec<Scalar>>>;

/// Looks at what a query returned, and at what it returns without its condition, if that was asked for.
pub fn judge(found: &Found, without_condition: Option<&Found>) -> Result<(), Reason> {
    let Some(rows) = found else {
        return Err(Reason::Fails);
    };
    if rows.is_empty() {
        return Err(Reason::Empty);
    }
    if rows.len() > MOST_ROWS {
        return Err(Reason::TooManyRows);
    }
    let mut cells = rows.iter().flatten();
    if cells.all(is_nothing) {
        return Err(Reason::Trivial);
    }
    match without_condition {
        Some(Some(all)) if all == rows => Err(Reason::IdleCondition),
        _ => Ok(()),
    }
}

fn is_nothing(value: &Scalar) -> bool {
    match value {
        Scalar::Null | Scalar::Integer(0) => true,
        Scalar::Real(number) => number.abs() < f64::MIN_POSITIVE,
        Scalar::Text(text) => text.is_empty(),
        Scalar::Integer(_) | Scalar::Blob => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results() {
        let one = |value| Some(vec![vec![value]]);
        let seven = one(Scalar::Integer(7));
        for (found, without, expected) in [
            (seven.clone(), None, Ok(())),
            (seven.clone(), Some(one(Scalar::Integer(8))), Ok(())),
            (seven.clone(), Some(None), Ok(())),
            (
                seven.clone(),
                Some(seven.clone()),
                Err(Reason::IdleCondition),
            ),
            (None, None, Err(Reason::Fails)),
            (Some(Vec::new()), None, Err(Reason::Empty)),
            (one(Scalar::Null), None, Err(Reason::Trivial)),
            (one(Scalar::Real(0.0)), None, Err(Reason::Trivial)),
            (
                Some(vec![vec![Scalar::Blob]; MOST_ROWS + 1]),
                None,
                Err(Reason::TooManyRows),
            ),
        ] {
            assert_eq!(judge(&found, without.as_ref()), expected);
        }
    }
}
