//! Numbers as text: shares as percent with one decimal, scores with three, `n.a.` where there is none.

use crate::{Coefficient, Estimate};

pub(crate) const NONE: &str = "n.a.";

/// A number with so many decimals, without a minus sign before zeros.
pub(crate) fn decimals(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// The same with a plus sign before what is above zero once rounded.
fn signed(value: f64, places: usize) -> String {
    let text = decimals(value, places);
    let above = value > 0.0 && value.is_finite() && text.chars().any(|c| matches!(c, '1'..='9'));
    if above { format!("+{text}") } else { text }
}

/// A score with three decimals.
pub(crate) fn score(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| decimals(value, 3))
}

/// A share in percent with its interval: `35.0 [27.1, 43.8]`.
pub(crate) fn percent(estimate: Option<Estimate>) -> String {
    with_interval(estimate, |share| decimals(share * 100.0, 1))
}

/// A difference of shares in percentage points with its interval: `+5.0 [-1.2, +11.0]`.
pub(crate) fn points(estimate: Option<Estimate>) -> String {
    with_interval(estimate, |share| signed(share * 100.0, 1))
}

/// Only the interval of a difference of shares: `[-1.2, +11.0]`.
pub(crate) fn points_interval(estimate: Option<Estimate>) -> String {
    estimate.map_or_else(
        || NONE.to_owned(),
        |e| {
            format!(
                "[{}, {}]",
                signed(e.low * 100.0, 1),
                signed(e.high * 100.0, 1)
            )
        },
    )
}

/// A coefficient with its interval, `0.812 [0.100, 0.990]`, or saying that there is none.
pub(crate) fn coefficient(found: Option<Coefficient>) -> String {
    match found {
        Some(Coefficient {
            value,
            interval: None,
        }) if value.is_finite() => {
            format!("{} (no interval)", decimals(value, 3))
        }
        Some(found) => ratio(Some(found.value), found.interval),
        None => NONE.to_owned(),
    }
}

/// A score with its interval where there is one.
pub(crate) fn ratio(value: Option<f64>, interval: Option<(f64, f64)>) -> String {
    match (value, interval) {
        (Some(_), Some((low, high))) => format!(
            "{} [{}, {}]",
            score(value),
            decimals(low, 3),
            decimals(high, 3)
        ),
        _ => score(value),
    }
}

/// A p-value: three decimals, `<0.001` below.
pub(crate) fn p_value(value: Option<f64>) -> String {
    match value {
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        other => score(other),
    }
}

/// Bytes as mebibytes without decimals.
pub(crate) fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || NONE.to_owned(),
        |bytes| decimals(bytes as f64 / 1_048_576.0, 0),
    )
}

fn with_interval(estimate: Option<Estimate>, show: impl Fn(f64) -> String) -> String {
    match estimate {
        Some(e) if e.value.is_finite() => {
            format!("{} [{}, {}]", show(e.value), show(e.low), show(e.high))
        }
        _ => NONE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_text() {
        let e = |value, low, high| Some(Estimate { value, low, high });
        assert_eq!(percent(e(0.35, 0.2707, 0.4384)), "35.0 [27.1, 43.8]");
        assert_eq!(points(e(0.05, -0.012, 0.11)), "+5.0 [-1.2, +11.0]");
        assert_eq!(points(e(-0.0001, 0.0001, 0.0)), "0.0 [0.0, 0.0]");
        assert_eq!(percent(e(f64::NAN, 0.0, 1.0)), "n.a.");
        assert_eq!(percent(None), "n.a.");
        assert_eq!(score(Some(0.99951)), "1.000");
        assert_eq!(score(Some(f64::INFINITY)), "n.a.");
        assert_eq!(ratio(Some(1.2), Some((0.9, 1.5))), "1.200 [0.900, 1.500]");
        assert_eq!(p_value(Some(1e-9)), "<0.001");
        assert_eq!(p_value(Some(0.0312)), "0.031");
        assert_eq!(mebibytes(Some(3 << 20)), "3");
    }
}
