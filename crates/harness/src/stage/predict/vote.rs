//! Choosing one of several answers to a question by what they return: the result that most answers agree on wins.
//!
//! After Wang et al., Self-Consistency Improves Chain of Thought Reasoning in Language Models (2023), with the result of
//! execution as the answer. No gold query is known here.

use std::collections::BTreeMap;

use anyhow::Result;
use harness_data::Dataset;
use harness_eval::{Candidates, agreeing};
use harness_record::{Example, Prediction};

use crate::context::Context;
use crate::progress::Progress;
use crate::stage::score::worker_options;

/// One answer, as far as a vote knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ballot {
    /// Sum of the log-probabilities of its tokens.
    pub logprob: f64,
    /// Which result it returns; `None` where it returns none.
    pub result: Option<usize>,
}

/// The ballot that wins, and how many agree with it: the largest group of equal results, of equally large ones that whose
/// log-probabilities have the greater sum, else the earlier; in it the likeliest ballot, else the earlier. Where nothing
/// returns a result the likeliest wins with no vote. `None` without ballots.
pub fn winner(ballots: &[Ballot]) -> Option<(usize, usize)> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, ballot) in ballots.iter().enumerate() {
        if let Some(result) = ballot.result {
            groups.entry(result).or_default().push(number);
        }
    }
    let sum = |group: &[usize]| -> f64 { group.iter().map(|&it| ballots[it].logprob).sum() };
    let largest = groups.values().max_by(|a, b| {
        let by_size = a.len().cmp(&b.len());
        by_size
            .then(sum(a).total_cmp(&sum(b)))
            .then(b.first().cmp(&a.first()))
    });
    let likeliest = |group: &[usize]| {
        group.iter().copied().max_by(|&a, &b| {
            let by_logprob = ballots[a].logprob.total_cmp(&ballots[b].logprob);
            by_logprob.then(b.cmp(&a))
        })
    };
    match largest {
        Some(group) => likeliest(group).map(|it| (it, group.len())),
        None => likeliest(&(0..ballots.len()).collect::<Vec<_>>()).map(|it| (it, 0)),
    }
}

/// The winning answer of each question; `samples` holds the answers of each, in the order of `examples`.
pub fn elect(
    context: &Context,
    dataset: &Dataset,
    examples: &[Example],
    samples: &[Vec<&Prediction>],
    label: String,
) -> Result<Vec<Prediction>> {
    let candidates: Vec<Candidates> = examples
        .iter()
        .zip(samples)
        .map(|(example, samples)| Candidates {
            database: dataset.databases.get(&example.db_id).cloned().flatten(),
            queries: samples.iter().map(|row| row.sql.clone()).collect(),
        })
        .collect();
    let eval = &context.spec.eval;
    let options = worker_options(eval.timeout_seconds, eval.workers)?;
    let mut progress = Progress::new(label, "questions", candidates.len(), 0);
    let results = agreeing(&candidates, &options, &mut |done| progress.set(done, ""))?;
    drop(progress);
    let mut winners = Vec::with_capacity(samples.len());
    for (samples, results) in samples.iter().zip(results) {
        let ballots: Vec<Ballot> = samples
            .iter()
            .zip(results)
            .map(|(row, result)| Ballot {
                logprob: row.mean_logprob.unwrap_or(f64::NEG_INFINITY)
                    * row.completion_tokens.max(1) as f64,
                result,
            })
            .collect();
        if let Some((number, votes)) = winner(&ballots) {
            winners.push(Prediction {
                votes: Some(votes),
                ..samples[number].clone()
            });
        }
    }
    Ok(winners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ballots: &[(f64, Option<usize>)], expected: Option<(usize, usize)>) {
        let ballots: Vec<Ballot> = ballots
            .iter()
            .map(|&(logprob, result)| Ballot { logprob, result })
            .collect();
        assert_eq!(winner(&ballots), expected);
    }

    #[test]
    fn the_result_that_most_agree_on_wins() {
        // The most votes, and in the group the likeliest.
        check(
            &[
                (-0.1, Some(0)),
                (-3.0, Some(1)),
                (-2.0, Some(1)),
                (-9.0, Some(1)),
            ],
            Some((2, 3)),
        );
        // As many votes: the likelier group, though the likeliest single answer is in the other.
        check(
            &[
                (-1.0, Some(0)),
                (-9.0, Some(0)),
                (-2.0, Some(1)),
                (-3.0, Some(1)),
            ],
            Some((2, 2)),
        );
        // As likely too: the earlier.
        check(&[(-2.0, Some(0)), (-2.0, Some(1))], Some((0, 1)));
        check(
            &[
                (-2.0, Some(1)),
                (-1.0, Some(0)),
                (-2.0, Some(0)),
                (-1.0, Some(1)),
            ],
            Some((3, 2)),
        );
        check(&[(-2.0, Some(0)), (-2.0, Some(0))], Some((0, 2)));
    }

    #[test]
    fn what_fails_wins_only_where_all_fail() {
        check(&[(-0.1, None), (-0.2, None), (-9.0, Some(0))], Some((2, 1)));
        check(&[(-3.0, None), (-1.0, None), (-1.0, None)], Some((1, 0)));
        check(&[(f64::NEG_INFINITY, None)], Some((0, 0)));
        check(&[], None);
    }
}
