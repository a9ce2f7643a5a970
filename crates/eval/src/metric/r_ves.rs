//! BIRD mini-dev's reward-based valid efficiency score: 0 for a wrong prediction (by `bird_ex`), else the square root of
//! a reward in five steps by how many times faster than the gold query it is. The mean over rows, times 100, is the
//! published figure.
//!
//! It is a measurement of time, though the steps hide most of its spread: a prediction that runs exactly as the gold does
//! still falls to either side of a step by chance.

use super::bird_ex;
use super::laps::{Lap, mean_ratio};
use super::{ByTime, Kind, Metric};

pub const METRIC: Metric = Metric {
    name: "r_ves",
    summary: "BIRD mini-dev's R-VES: square root of a stepwise reward for speed where the answer is right",
    graded: true,
    kind: Kind::Time(ByTime {
        right: bird_ex::RESULTS,
        score,
    }),
};

fn score(laps: &[Lap]) -> Option<f64> {
    mean_ratio(laps).map(|ratio| reward(ratio).sqrt())
}

fn reward(ratio: f64) -> f64 {
    match ratio {
        2.0.. => 1.25,
        1.0.. => 1.0,
        0.5.. => 0.75,
        0.25.. => 0.5,
        _ => 0.25,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps() {
        for (ratio, expected) in [
            (9.0, 1.25),
            (2.0, 1.25),
            (1.99, 1.0),
            (1.0, 1.0),
            (0.99, 0.75),
            (0.5, 0.75),
            (0.49, 0.5),
            (0.25, 0.5),
            (0.24, 0.25),
            (0.0, 0.25),
        ] {
            assert_eq!(reward(ratio).to_bits(), f64::to_bits(expected), "{ratio}");
        }
    }
}
