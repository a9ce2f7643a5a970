//! Percentile intervals of resampled statistics.

use serde::{Deserialize, Serialize};

/// A percentile bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Its level, 0.95 for a 95 % interval.
    pub level: f64,
    /// Resamples it stands on.
    pub resamples: usize,
}

impl Interval {
    /// The interval that holds the middle `level` of `values`; none without values.
    pub(crate) fn percentile(mut values: Vec<f64>, level: f64) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Self {
            low: quantile(&values, tail)?,
            high: quantile(&values, 1.0 - tail)?,
            level,
            resamples: values.len(),
        })
    }

    /// The interval from the lower of both lower ends to the higher of both higher ends.
    ///
    /// Resampling few clusters gives intervals that are too narrow (Cameron, Gelbach and Miller, Review of Economics
    /// and Statistics 90, 2008), at worst narrower than if all cells were independent, which no clustering can make
    /// true. What is concluded is therefore concluded from the hull of both.
    pub(crate) fn hull(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or(self);
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            ..self
        }
    }

    /// Whether `value` lies inside or on an end.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan).
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = (q * last as f64).clamp(0.0, last as f64);
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::{Interval, quantile};

    #[test]
    fn quantiles_interpolate() {
        let values = [1.0, 2.0, 4.0, 8.0];
        for (q, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, q).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    }

    #[test]
    fn the_middle_part() {
        let interval = Interval::percentile((0..=100).rev().map(f64::from).collect(), 0.9).unwrap();
        assert!((interval.low - 5.0).abs() < 1e-9 && (interval.high - 95.0).abs() < 1e-9);
        assert!(interval.contains(5.5) && !interval.contains(4.0));
    }
}
