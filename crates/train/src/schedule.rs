//! Learning rate as a function of the step. It knows neither optimiser nor data.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Shape of the learning rate after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Stays at the peak.
    Constant,
    /// Falls in a straight line to 0 at the end.
    Linear,
    /// Falls as half a cosine wave to 0 at the end (Loshchilov and Hutter 2017, without restarts).
    Cosine,
}

/// A resolved schedule. Letters: w warm-up steps, T steps in all, s the 0-based step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Shape after the warm-up.
    pub kind: ScheduleKind,
    /// Rate at the end of the warm-up.
    pub peak: f64,
    /// w.
    pub warmup_steps: usize,
    /// T. The rate would be 0 at step T, which is never taken.
    pub total_steps: usize,
}

impl Schedule {
    /// Rate of step `s`: `peak·(s+1)/(w+1)` for s < w, so that no step is wasted at rate 0 and the peak is first
    /// reached at s = w; then the shape over the progress `(s−w)/(T−w)`.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / (self.warmup_steps + 1) as f64;
        }
        let span = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / span as f64).min(1.0);
        match self.kind {
            ScheduleKind::Constant => self.peak,
            ScheduleKind::Linear => self.peak * (1.0 - progress),
            ScheduleKind::Cosine => self.peak * 0.5 * (1.0 + (PI * progress).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ScheduleKind, warmup_steps: usize, total_steps: usize, expected: &[f64]) {
        let schedule = Schedule {
            kind,
            peak: 8.0,
            warmup_steps,
            total_steps,
        };
        for (step, &expected) in expected.iter().enumerate() {
            let rate = schedule.rate(step);
            assert!(
                (rate - expected).abs() < 1e-14,
                "{kind:?} step {step}: {rate}, expected {expected}"
            );
        }
    }

    #[test]
    fn tables() {
        let half_root = 4.0 * 0.5_f64.sqrt();
        check(ScheduleKind::Constant, 0, 3, &[8.0, 8.0, 8.0, 8.0]);
        check(ScheduleKind::Constant, 3, 5, &[2.0, 4.0, 6.0, 8.0, 8.0]);
        check(ScheduleKind::Linear, 0, 4, &[8.0, 6.0, 4.0, 2.0, 0.0, 0.0]);
        check(ScheduleKind::Linear, 1, 5, &[4.0, 8.0, 6.0, 4.0, 2.0, 0.0]);
        check(
            ScheduleKind::Cosine,
            1,
            5,
            &[4.0, 8.0, 4.0 + half_root, 4.0, 4.0 - half_root, 0.0],
        );
        check(ScheduleKind::Cosine, 0, 1, &[8.0]);
        check(
            ScheduleKind::Linear,
            4,
            4,
            &[1.6, 3.2, 4.8, 6.4, 8.0, 0.0, 0.0],
        );
    }
}
