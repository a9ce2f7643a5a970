//! Values as our own policies compare them.
//!
//! - NULL equals NULL and nothing else. Text and blobs compare as bytes, so that text need not be UTF-8; text never
//!   equals a blob, and neither equals a number.
//! - Whole numbers compare exactly, whichever of SQLite's two types they have: 1 equals 1.0, -0.0 equals 0, and
//!   2^53 + 1 equals no float. Infinities equal themselves.
//! - A number with a fraction equals another number (whole or not) if they lie within [`TOLERANCE`] of the larger one, and
//!   no nearer number stands between them. It is relative: nothing but 0 equals 0.
//!
//! Nearness alone is not transitive, and rounding to some digits would part neighbours at the cliffs. So the numbers of
//! all results that are compared are gathered and joined to groups, the closest first, as long as a group stays within
//! the tolerance from end to end and holds no two whole numbers; what could not be joined is never joined by way of a
//! third. Numbers are equal if they share a group. The same sum in another order differs in its last bits, hundreds of
//! times less than the tolerance, so such a pair is joined before anything else is; and numbers of a group are never
//! further apart than stated.

use std::collections::HashMap;

use crate::exec::{Rows, Value};

/// The distance between equal numbers, as a share of the larger one. A double has 15 to 17 digits; this leaves sums and
/// quotients three or four of them for rounding, and still tells the cents of a sum of billions.
pub const TOLERANCE: f64 = 1e-12;

/// Up to here every whole number is a float of its own.
const EXACT: u64 = 1 << 53;

/// The rows of some results with a number for each value, equal where the values are equal. It does not matter which
/// result is first.
pub fn numbered<const N: usize>(results: [&Rows; N]) -> [Vec<Vec<u32>>; N] {
    let groups = Groups::new(&results);
    let mut numbering = HashMap::new();
    results.map(|rows| {
        let mut numbers = Vec::with_capacity(rows.rows.len());
        for row in &rows.rows {
            let number = |value| {
                let next = numbering.len() as u32;
                *numbering.entry(groups.key(value)).or_insert(next)
            };
            numbers.push(row.iter().map(number).collect());
        }
        numbers
    })
}

/// What stands for a value: equal keys, equal values.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Null,
    Whole(i64),
    /// The bits of a float beyond the integers.
    Beyond(u64),
    Group(usize),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// A number.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Beyond(f64),
    Fraction(f64),
}

impl Number {
    fn new(value: &Value) -> Option<Self> {
        // -2^63 is an integer and 2^63 is the first float beyond them.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match *value {
            Value::Int(number) => Some(Self::Whole(number)),
            Value::Real(number) if number.is_finite() && number.fract() != 0.0 => {
                Some(Self::Fraction(number))
            }
            Value::Real(number) if (-LIMIT..LIMIT).contains(&number) => {
                Some(Self::Whole(number as i64))
            }
            Value::Real(number) => Some(Self::Beyond(number)),
            Value::Null | Value::Text(_) | Value::Blob(_) => None,
        }
    }

    /// As a float, if it can be near a number with a fraction: those end far below 2^53.
    fn nearby(self) -> Option<f64> {
        match self {
            Self::Whole(number) if number.unsigned_abs() <= EXACT => Some(number as f64),
            Self::Fraction(number) => Some(number),
            Self::Whole(_) | Self::Beyond(_) => None,
        }
    }
}

/// The groups of numbers in some results.
struct Groups {
    /// Different numbers, ascending; none where no number has a fraction and all are exact.
    numbers: Vec<f64>,
    /// The group of each: the place of its first member.
    group: Vec<usize>,
}

impl Groups {
    fn new(results: &[&Rows]) -> Self {
        let all = || {
            let rows = results.iter().flat_map(|result| &result.rows);
            rows.flatten().filter_map(Number::new)
        };
        let mut numbers: Vec<f64> = Vec::new();
        if all().any(|number| matches!(number, Number::Fraction(_))) {
            numbers.extend(all().filter_map(Number::nearby));
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.dedup();
        }
        let group = group(&numbers);
        Self { numbers, group }
    }

    fn key<'a>(&self, value: &'a Value) -> Key<'a> {
        match value {
            Value::Null => return Key::Null,
            Value::Text(bytes) => return Key::Text(bytes),
            Value::Blob(bytes) => return Key::Blob(bytes),
            Value::Int(_) | Value::Real(_) => {}
        }
        let number = Number::new(value);
        let place = number.and_then(Number::nearby).and_then(|number| {
            let found = self
                .numbers
                .binary_search_by(|other| other.total_cmp(&number));
            found.ok()
        });
        match (place, number) {
            (Some(place), _) => Key::Group(self.group[place]),
            (None, Some(Number::Whole(number))) => Key::Whole(number),
            (None, Some(Number::Beyond(number) | Number::Fraction(number))) => {
                Key::Beyond(number.to_bits())
            }
            (None, None) => Key::Null,
        }
    }
}

/// Joins ascending different numbers to groups; each number gets the place of the first of its group.
fn group(numbers: &[f64]) -> Vec<usize> {
    let mut gaps: Vec<(f64, usize)> = numbers
        .windows(2)
        .enumerate()
        .map(|(at, pair)| (distance(pair[0], pair[1]), at))
        .filter(|(gap, _)| *gap <= TOLERANCE)
        .collect();
    gaps.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let wholes: Vec<usize> = std::iter::once(0)
        .chain(numbers.iter().scan(0, |count, number| {
            *count += usize::from(number.fract() == 0.0);
            Some(*count)
        }))
        .collect();
    // Groups are runs: the first of a run knows its last, the last its first, and `closed` stands at the first.
    let mut first: Vec<usize> = (0..numbers.len()).collect();
    let mut last = first.clone();
    let mut closed = vec![false; numbers.len()];
    for (_, at) in gaps {
        let (left, right) = (first[at], at + 1);
        let end = last[right];
        let fits = distance(numbers[left], numbers[end]) <= TOLERANCE
            && wholes[end + 1] - wholes[left] < 2;
        if fits && !closed[left] && !closed[right] {
            last[left] = end;
            first[end] = left;
        } else {
            closed[left] = true;
            closed[right] = true;
        }
    }
    let mut start = 0;
    (0..numbers.len())
        .map(|at| {
            if at > last[start] {
                start = at;
            }
            start
        })
        .collect()
}

/// How far apart two numbers are, as a share of the larger one.
fn distance(one: f64, other: f64) -> f64 {
    (one - other).abs() / one.abs().max(other.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(values: &[Value]) -> Rows {
        Rows {
            columns: 1,
            rows: values.iter().map(|value| vec![value.clone()]).collect(),
        }
    }

    /// Whether two values are equal where the results hold others as well.
    fn equal(left: &Value, right: &Value, others: &[Value]) -> bool {
        let right = [std::slice::from_ref(right), others].concat();
        let [left, right] = numbered([&column(std::slice::from_ref(left)), &column(&right)]);
        left[0] == right[0]
    }

    #[test]
    fn equality() {
        let int = Value::Int;
        let real = Value::Real;
        let text = |bytes: &[u8]| Value::Text(bytes.into());
        let big = 9_007_199_254_740_992_i64;
        for (left, right, expected) in [
            (int(1), real(1.0), true),
            (real(-0.0), int(0), true),
            (real(-0.0), real(0.0), true),
            (int(big), real(big as f64), true),
            (int(big + 1), real(big as f64), false),
            (int(i64::MAX), int(i64::MAX - 1), false),
            (int(i64::MAX), real(i64::MAX as f64), false),
            (int(i64::MIN), real(i64::MIN as f64), true),
            (real(1e300), real(1e300), true),
            (real(1e300), real(1e300 + 1e285), false),
            (real(0.3), real(0.1 + 0.2), true),
            (int(30), real(30.000_000_000_000_004), true),
            (real(1.000_000_000_000_5), int(1), true),
            (real(1.000_000_000_002), int(1), false),
            (real(1_234_567_890.12), real(1_234_567_890.13), false),
            (real(5e-324), int(0), false),
            (real(-0.5), real(0.5), false),
            (real(f64::INFINITY), real(f64::INFINITY), true),
            (real(f64::INFINITY), real(f64::NEG_INFINITY), false),
            (real(f64::INFINITY), real(f64::MAX), false),
            (int(1), text(b"1"), false),
            (text(b"a"), Value::Blob(b"a".into()), false),
            (text(b"caf\xe9"), text(b"caf\xe9"), true),
            (text(b"caf\xe9"), text(b"caf\xe8"), false),
            (Value::Null, Value::Null, true),
            (Value::Null, text(b""), false),
            (Value::Null, int(0), false),
        ] {
            // Whether some other value has a fraction changes how numbers are kept, and must not change more.
            for others in [&[][..], &[real(0.5)]] {
                assert_eq!(equal(&left, &right, others), expected, "{left:?} {right:?}");
                assert_eq!(equal(&right, &left, others), expected, "{right:?} {left:?}");
            }
        }
    }

    /// Neighbours are parted by what stands near them, never by where a digit ends, and not by way of a third.
    #[test]
    fn groups_are_of_the_closest() {
        let step = |steps: f64| 1.5 * (1.0 + steps * TOLERANCE);
        let check = |steps: &[f64], expected: &[usize]| {
            let numbers: Vec<f64> = steps.iter().map(|steps| step(*steps)).collect();
            assert_eq!(group(&numbers), expected, "{steps:?}");
        };
        check(&[], &[]);
        check(&[0.0], &[0]);
        check(&[0.0, 0.9], &[0, 0]);
        check(&[0.0, 1.1], &[0, 1]);
        check(&[0.0, 0.4, 0.9], &[0, 0, 0]);
        check(&[0.0, 0.7, 1.2], &[0, 1, 1]);
        check(&[0.0, 0.5, 1.3, 1.7], &[0, 0, 2, 2]);
        // The third can't join the pair, and so not the fourth either.
        check(&[0.0, 0.6, 1.3, 2.1], &[0, 0, 2, 3]);
        let wholes = [3e12, 3e12 + 0.25, 3e12 + 1.0];
        assert_eq!(group(&wholes), [0, 0, 2]);
        for cliff in [0.1, 0.5, 0.999_999_999_999_5, 1.05, 123_456.789] {
            for (below, above) in [(-1e-15, 1e-15), (-3e-16, 9e-16), (0.0, 2e-15)] {
                let (below, above) = (cliff * (1.0 + below), cliff * (1.0 + above));
                assert!(equal(&Value::Real(below), &Value::Real(above), &[]));
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_of_a_group_are_near(steps in prop::collection::vec(0_u32..40, 0..12), scale in 0.01..1e11_f64) {
            let mut numbers: Vec<f64> =
                steps.iter().map(|steps| scale * (1.0 + f64::from(*steps) * 0.3 * TOLERANCE)).collect();
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.dedup();
            let groups = group(&numbers);
            for (one, first) in numbers.iter().zip(&groups) {
                prop_assert!(distance(*one, numbers[*first]) <= TOLERANCE);
            }
            // A number with nothing else near it finds its copy with another last bit.
            for number in &numbers {
                let copy = f64::from_bits(number.to_bits() + 1);
                let near = numbers.iter().filter(|other| distance(**other, copy) < 1e-14);
                if near.count() == 1 {
                    let others: Vec<Value> = numbers.iter().map(|other| Value::Real(*other)).collect();
                    prop_assert!(equal(&Value::Real(*number), &Value::Real(copy), &others));
                }
            }
        }
    }
}
