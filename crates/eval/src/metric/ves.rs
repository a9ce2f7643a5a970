//! BIRD's valid efficiency score: 0 for a wrong prediction (by `bird_ex`), else the square root of how many times faster
//! than the gold query it is. The mean over rows, times 100, is the published figure.
//!
//! It is a measurement of time: another machine, or this one while it is busy, gives another value, and values may
//! exceed 1. Departure from the official script: that times the query to its first row, which tells little of the work
//! behind the others; here the time is to the last row.

use super::bird_ex;
use super::laps::{Lap, mean_ratio};
use super::{ByTime, Kind, Metric};

pub const METRIC: Metric = Metric {
    name: "ves",
    summary: "BIRD's valid efficiency score: square root of gold time / predicted time where the answer is right",
    graded: true,
    kind: Kind::Time(ByTime {
        right: bird_ex::RESULTS,
        score,
    }),
};

fn score(laps: &[Lap]) -> Option<f64> {
    mean_ratio(laps).map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_times_faster_counts_twice() {
        let lap = Lap {
            gold_ns: 400,
            predicted_ns: 100,
        };
        assert_eq!(score(&[lap, lap]), Some(2.0));
        assert_eq!(score(&[]), None);
    }
}
