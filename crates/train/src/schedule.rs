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
    /// Warm-up, stable, decay (Hu et al. 2024, `MiniCPM`): stays at the peak, then falls over the last steps as
    /// `1 − √x`, x the share of the fall that is done, which Hägele et al. (2024) found better than a straight line.
    /// The stable part is that of every longer run, so a run can be extended from a checkpoint before the fall.
    Wsd,
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
    /// Steps at the end over which the rate falls, d; for [`ScheduleKind::Wsd`] alone.
    pub decay_steps: usize,
    /// T. The rate would be 0 at step T, which is never taken.
    pub total_steps: usize,
}

impl Schedule {
    /// Rate of step `s`: `peak·(s+1)/(w+1)` for s < w, so that no step is wasted at rate 0 and the peak is first
    /// reached at s = w; then the shape over the progress `(s−w)/(T−w)`, or for WSD, over that of the fall, `(s−(T−d))/d`.
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
            ScheduleKind::Wsd => {
                let fall = self.decay_steps.min(span).max(1);
                let fallen = (step + fall).saturating_sub(self.total_steps) as f64 / fall as f64;
                self.peak * (1.0 - fallen.min(1.0).sqrt())
            }
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
            decay_steps: 4,
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
        let wsd = [4.0, 8.0, 8.0, 8.0, 4.0, 8.0 - 8.0 * 0.5_f64.sqrt()];
        check(ScheduleKind::Wsd, 1, 7, &wsd);
        check(ScheduleKind::Wsd, 2, 3, &[8.0 / 3.0, 16.0 / 3.0, 8.0, 0.0]);
        check(
            ScheduleKind::Linear,
            4,
            4,
            &[1.6, 3.2, 4.8, 6.4, 8.0, 0.0, 0.0],
        );
    }
}
