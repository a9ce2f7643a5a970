//! The second pass for metrics of time: right predictions and their golds run again and again, one pair at a time on one
//! worker, so that no other query of this program disturbs the clock.

use serde::Serialize;

use super::{Judgement, Options, Phase, Progress, Row};
use crate::exec::{Pool, PoolError, Race};
use crate::metric::{Kind, Lap, Metric};

/// How the speed of a prediction varied over its runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Runs of each query.
    pub laps: usize,
    /// The least of gold time / predicted time over the runs.
    pub least: f64,
    /// The middle one.
    pub median: f64,
    /// The greatest.
    pub greatest: f64,
}

/// Puts measured scores for the 1 of each right prediction; `None` where a query that ran before did not run again.
pub fn measure(
    judgements: &mut [Judgement],
    rows: &[Row],
    metrics: &[Metric],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), PoolError> {
    let metrics: Vec<_> = metrics
        .iter()
        .filter_map(|metric| match metric.kind {
            Kind::Time(time) => Some((metric.name, time)),
            _ => None,
        })
        .collect();
    let right = |judgement: &Judgement| {
        let score = |name: &str| judgement.verdict.scores.get(name).copied().flatten();
        metrics.iter().any(|(name, _)| score(name) == Some(1.0))
    };
    let pairs: Vec<(usize, &Row)> = judgements
        .iter()
        .zip(rows)
        .enumerate()
        .filter(|(_, (judgement, _))| right(judgement))
        .map(|(at, (_, row))| (at, row))
        .collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let pool = Pool::new(options.worker.clone(), options.limits, 1);
    let mut now = Progress {
        phase: Phase::Timing,
        done: 0,
        total: pairs.len(),
        stopped: 0,
    };
    let laps = pool.run(
        &pairs,
        |session, (_, row)| {
            let race = Race {
                database: row.place.files.first().cloned().unwrap_or_default(),
                gold: row.gold.clone(),
                predicted: row.predicted.clone(),
                repeats: options.repeats,
            };
            let laps = session.race(&race)?.unwrap_or_default();
            Ok(laps
                .into_iter()
                .map(|(gold_ns, predicted_ns)| Lap {
                    gold_ns,
                    predicted_ns,
                })
                .collect::<Vec<_>>())
        },
        &mut |_| {
            now.done += 1;
            progress(now);
        },
    )?;
    for ((at, _), laps) in pairs.iter().zip(laps) {
        let judgement = &mut judgements[*at];
        judgement.spread = spread(&laps);
        for (name, time) in &metrics {
            if let Some(score) = judgement.verdict.scores.get_mut(*name)
                && *score == Some(1.0)
            {
                *score = (time.score)(&laps);
            }
        }
    }
    Ok(())
}

fn spread(laps: &[Lap]) -> Option<Spread> {
    let mut ratios: Vec<f64> = laps.iter().map(Lap::ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    Some(Spread {
        laps: ratios.len(),
        least: *ratios.first()?,
        median: ratios[ratios.len() / 2],
        greatest: *ratios.last()?,
    })
}
