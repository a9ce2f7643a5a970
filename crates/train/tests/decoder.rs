//! The loop over a real decoder, tiny and random: it learns by heart, and every adapter matrix, or every weight, takes
//! part.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../../model/tests/tiny/mod.rs"]
mod tiny;

use std::sync::atomic::AtomicBool;

use harness_model::weights::Weights;
use harness_model::{Adapter, FullModel, LoraConfig, Projection};
use harness_train::{
    FullObjective, LoraObjective, Objective, Run, TrainConfig, TrainExample, train,
};
use tiny::{KINDS, tiny, tokens, write};

fn examples() -> Vec<TrainExample> {
    (0..6)
        .map(|i| TrainExample {
            id: format!("made-up-{i}"),
            prompt: tokens(i, 5 + i as usize),
            completion: tokens(100 + i, 4),
        })
        .collect()
}

fn learn(dropout: f32) -> (f64, f64, Vec<(String, Vec<f32>)>) {
    let tiny = tiny(KINDS[2], 3);
    let lora = LoraConfig {
        rank: 8,
        alpha: 16.0,
        dropout,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(tiny.decoder.config(), lora, 1).unwrap();
    let objective = LoraObjective::new(&tiny.decoder, &adapter, false);
    let (first, last) = fit(&objective, 2e-2);
    (first, last, read(&objective))
}

/// First and last loss of a short training.
fn fit(objective: &dyn Objective, learning_rate: f64) -> (f64, f64) {
    let config = TrainConfig {
        steps: Some(150),
        batch_size: 3,
        micro_batch_tokens: 20,
        learning_rate,
        ..TrainConfig::default()
    };
    let examples = examples();
    let stop = AtomicBool::new(false);
    let run = Run {
        config: &config,
        examples: &examples,
        development: &[],
        checkpoints: None,
        resume: false,
        score: None,
        stop: &stop,
    };
    let outcome = train(objective, &run, &mut |_| {}).unwrap();
    let summary = outcome.summary();
    (summary.first_loss, summary.final_loss)
}

fn read(objective: &dyn Objective) -> Vec<(String, Vec<f32>)> {
    objective
        .named_vars()
        .into_iter()
        .map(|(name, var)| (name, var.flatten_all().unwrap().to_vec1().unwrap()))
        .collect()
}

#[test]
fn all_weights_learn_a_few_answers_by_heart() {
    let tiny = tiny(KINDS[2], 3);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), tiny.kind, &tiny.tensors);
    let weights = Weights::open(folder.path()).unwrap();
    let learn = || {
        let model = FullModel::load(&weights).unwrap();
        let objective = FullObjective { model: &model };
        let before = read(&objective);
        let (first, last) = fit(&objective, 5e-3);
        (first, last, before, read(&objective))
    };
    let (first, last, before, after) = learn();
    assert!(first > 3.0, "untrained: {first}");
    assert!(last < 0.05, "trained: {last}");
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        assert_ne!(before, after, "{name} was never moved");
    }
    let (_, again, _, same) = learn();
    assert_eq!(last.to_bits(), again.to_bits());
    assert!(after == same, "the same seed gives the same bits");
}

#[test]
fn a_decoder_learns_a_few_answers_by_heart() {
    let (first, last, vars) = learn(0.0);
    assert!(first > 3.0, "untrained: {first}");
    assert!(last < 0.05, "trained: {last}");
    for (name, values) in vars {
        assert!(
            values.iter().any(|value| *value != 0.0),
            "{name} was never moved"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_with_dropout_too() {
    let (first, second) = (learn(0.1), learn(0.1));
    assert_eq!(first.1.to_bits(), second.1.to_bits());
    assert_eq!(first.2, second.2);
}
