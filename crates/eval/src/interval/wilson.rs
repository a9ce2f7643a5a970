//! The interval of a share.

use super::Interval;

/// The 0.975 quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval at 95 % of `right` in `n` (E. B. Wilson, JASA 22, 1927), without continuity correction.
/// It stays within [0, 1]; for `n` = 0 it is all of that.
pub fn wilson(right: usize, n: usize) -> Interval {
    if n == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let (right, n) = (right as f64, n as f64);
    let share = right / n;
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval {
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected ends from `scripts/reference/eval_intervals.py`.
    #[test]
    fn agrees_with_statsmodels() {
        for (right, n, low, high) in [
            (0, 1, 0.0, 0.793_450_685_622_762_7),
            (1, 1, 0.206_549_314_377_237_4, 1.0),
            (0, 20, 0.0, 0.161_125_158_052_819_4),
            (42, 120, 0.270_518_995_902_855_05, 0.438_786_754_022_757_1),
            (84, 129, 0.565_626_629_387_646_4, 0.727_956_415_741_669_6),
            (809, 972, 0.807_519_773_359_704_8, 0.854_473_006_472_269),
            (1034, 1034, 0.996_298_607_279_517_2, 1.0),
        ] {
            let interval = wilson(right, n);
            assert!(
                (interval.low - low).abs() < 1e-14,
                "{right}/{n}: {interval:?}"
            );
            assert!(
                (interval.high - high).abs() < 1e-14,
                "{right}/{n}: {interval:?}"
            );
        }
        assert_eq!(
            wilson(0, 0),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
    }
}
