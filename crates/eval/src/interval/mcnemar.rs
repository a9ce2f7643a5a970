//! Is the difference between before and after more than chance?

/// The exact two-sided p-value of McNemar's test, of `fixed` rows that were wrong and became right and `broken` ones
/// that went the other way: twice the probability of at most the smaller number in `fixed + broken` throws of a fair
/// coin, at most 1.
pub fn mcnemar_exact(fixed: usize, broken: usize) -> f64 {
    let n = fixed + broken;
    // The logarithm of each term, so that thousands of throws do not underflow term by term.
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for k in 1..=fixed.min(broken) {
        log_term += ((n - k + 1) as f64 / k as f64).ln();
        sum += log_term.exp();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from `scripts/reference/eval_intervals.py`.
    #[test]
    fn agrees_with_statsmodels() {
        for (fixed, broken, expected) in [
            (0, 0, 1.0),
            (1, 0, 1.0),
            (5, 5, 1.0),
            (10, 2, 0.038_574_218_75),
            (3, 30, 1.401_174_813_508_987_4e-6),
            (120, 80, 0.005_685_155_996_750_306),
            (900, 700, 6.319_484_959_450_105e-7),
        ] {
            for p in [mcnemar_exact(fixed, broken), mcnemar_exact(broken, fixed)] {
                assert!(
                    (p - expected).abs() <= 1e-11 * expected,
                    "{fixed} {broken}: {p}"
                );
            }
        }
    }
}
