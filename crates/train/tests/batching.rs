//! Properties of packing and of the cut into micro-batches, over seeded random cases.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use harness_train::batch::{admit, micro_batches};
use harness_train::{PackedBatch, TrainExample};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

mod common;
use common::within;

/// Examples whose tokens are all different, so that a token names its place; empty parts included.
fn distinct(random: &mut ChaCha8Rng) -> Vec<TrainExample> {
    let mut next = 0;
    (0..within(random, 0, 12))
        .map(|index| {
            let mut take = |to| {
                let count = within(random, 0, to) as u32;
                next += count;
                (next - count..next).collect::<Vec<u32>>()
            };
            TrainExample {
                id: format!("e{index}"),
                prompt: take(6),
                completion: take(5),
            }
        })
        .collect()
}

#[test]
fn every_completion_token_is_a_target_exactly_once() {
    for case in 0..500 {
        let examples = distinct(&mut ChaCha8Rng::seed_from_u64(case));
        let batch = PackedBatch::pack(&examples.iter().collect::<Vec<_>>());

        let tokens: Vec<u32> = examples
            .iter()
            .flat_map(|example| [&example.prompt[..], &example.completion].concat())
            .collect();
        assert_eq!(batch.tokens, tokens, "case {case}");

        let expected: Vec<u32> = examples
            .iter()
            .flat_map(|example| {
                &example.completion
                    [usize::from(example.prompt.is_empty() && !example.completion.is_empty())..]
            })
            .copied()
            .collect();
        let targets: Vec<u32> = batch.targets.iter().map(|target| target.1).collect();
        assert_eq!(targets, expected, "case {case}");

        assert_eq!(batch.count(), examples.len());
        assert_eq!(
            (batch.starts[0], *batch.starts.last().unwrap()),
            (0, tokens.len())
        );
        assert!(batch.starts.is_sorted(), "case {case}");
        for &(row, token) in &batch.targets {
            assert_eq!(batch.tokens[row + 1], token, "case {case}");
            assert!(
                !batch.starts.contains(&(row + 1)),
                "case {case}: row {row} predicts across a border"
            );
        }
    }
}

#[test]
fn micro_batches_cover_all_within_the_budget() {
    for case in 0..500 {
        let random = &mut ChaCha8Rng::seed_from_u64(case);
        let lengths: Vec<usize> = (0..within(random, 0, 20))
            .map(|_| within(random, 1, 30))
            .collect();
        let budget = within(random, 1, 60);
        let runs = micro_batches(&lengths, budget);
        let covered: Vec<usize> = runs.iter().cloned().flatten().collect();
        assert_eq!(
            covered,
            (0..lengths.len()).collect::<Vec<_>>(),
            "case {case}"
        );
        for run in &runs {
            let tokens: usize = lengths[run.clone()].iter().sum();
            assert!(tokens <= budget || run.len() == 1, "case {case}: {run:?}");
        }
        for pair in runs.windows(2) {
            let joined: usize = lengths[pair[0].start..=pair[1].start].iter().sum();
            assert!(joined > budget, "case {case}: {pair:?} could be one");
        }
    }
}

#[test]
fn each_example_is_kept_or_left_out_with_a_reason() {
    for case in 0..200 {
        let random = &mut ChaCha8Rng::seed_from_u64(case);
        let examples = distinct(random);
        let limit = within(random, 1, 12);
        let (kept, left_out) = admit(&examples, limit);
        assert!(
            kept.iter()
                .all(|e| e.len() <= limit && e.target_tokens() > 0)
        );
        let mut ids: Vec<&String> = kept.iter().map(|example| &example.id).collect();
        ids.extend(left_out.too_long.iter().chain(&left_out.no_target));
        ids.sort();
        let mut all: Vec<&String> = examples.iter().map(|example| &example.id).collect();
        all.sort();
        assert_eq!(ids, all, "case {case}");
    }
}
