//! How much faster than the gold query a prediction is, from repeated runs of both.

/// One turn of each query, in nanoseconds from the text of the query to its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lap {
    /// The gold query.
    pub gold_ns: u64,
    /// The prediction.
    pub predicted_ns: u64,
}

/// The mean of `gold / predicted` over the laps, without those that lie three standard deviations or more from the mean
/// of all; `None` without laps. Both official scripts clean so. Where all ratios are equal they cut every one of them and
/// give 0; here they are kept.
pub fn mean_ratio(laps: &[Lap]) -> Option<f64> {
    let ratios: Vec<f64> = laps.iter().map(Lap::ratio).collect();
    let mean = mean(&ratios)?;
    let squares: Vec<f64> = ratios.iter().map(|ratio| (ratio - mean).powi(2)).collect();
    let reach = 3.0 * self::mean(&squares)?.sqrt();
    let kept: Vec<f64> = ratios
        .iter()
        .copied()
        .filter(|ratio| (ratio - mean).abs() < reach)
        .collect();
    self::mean(&kept).or(Some(mean))
}

impl Lap {
    /// `gold / predicted`: above 1 where the prediction is the faster. A clock too coarse to see a query counts it as
    /// one nanosecond.
    pub fn ratio(&self) -> f64 {
        self.gold_ns.max(1) as f64 / self.predicted_ns.max(1) as f64
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laps(ratios: &[u64]) -> Vec<Lap> {
        let lap = |ratio: &u64| Lap {
            gold_ns: ratio * 100,
            predicted_ns: 100,
        };
        ratios.iter().map(lap).collect()
    }

    #[test]
    fn outliers_are_cut_and_equal_ratios_are_not() {
        assert_eq!(mean_ratio(&[]), None);
        assert_eq!(mean_ratio(&laps(&[2, 2, 2])), Some(2.0));
        assert_eq!(mean_ratio(&laps(&[1, 3])), Some(2.0));
        // One in a hundred at 10 standard deviations.
        let mut many = vec![1; 99];
        many.push(1000);
        assert_eq!(mean_ratio(&laps(&many)), Some(1.0));
        let blind = Lap {
            gold_ns: 0,
            predicted_ns: 0,
        };
        assert_eq!(mean_ratio(&[blind]), Some(1.0));
    }
}
