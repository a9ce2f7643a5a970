//! The loop as a whole on the toy model: it learns, repeats itself to the bit, and survives being killed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::DType;
use harness_train::{
    Event, Outcome, Run, ScheduleKind, StepLog, Summary, TrainConfig, TrainError, TrainExample,
    latest_checkpoint, train,
};

mod common;
use common::{Toy, examples};

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 3.0,
        batch_size: 4,
        micro_batch_tokens: 16,
        learning_rate: 0.02,
        warmup_ratio: 0.1,
        weight_decay: 0.01,
        dev_every: 3,
        checkpoint_every: 4,
        seed: 11,
        ..TrainConfig::default()
    }
}

fn toy(dtype: DType) -> Toy {
    let mut toy = Toy::new(dtype);
    toy.dropout = 0.25;
    toy
}

/// One attempt of a run in `folder`, with its log, as the command line would make it.
fn attempt(
    toy: &Toy,
    config: &TrainConfig,
    data: &[TrainExample],
    folder: &Path,
    resume: bool,
) -> Result<Outcome, TrainError> {
    let mut log = StepLog::open(&folder.join("log.jsonl")).unwrap();
    let run = Run {
        config,
        examples: data,
        development: &examples(5, 99),
        checkpoints: Some(&folder.join("checkpoints")),
        resume,
        score: None,
        stop: &AtomicBool::new(false),
    };
    train(toy, &run, &mut |event| log.record(&event).unwrap())
}

/// All that a run leaves: weights, log and checkpoint, byte for byte.
fn remains(toy: &Toy, folder: &Path) -> (Vec<u64>, Vec<Vec<u8>>) {
    let checkpoint = latest_checkpoint(&folder.join("checkpoints"))
        .unwrap()
        .unwrap();
    let files = [
        folder.join("log.jsonl"),
        checkpoint.join("weights.safetensors"),
        checkpoint.join("optimizer.safetensors"),
        checkpoint.join("progress.json"),
    ];
    (
        toy.bits(),
        files.iter().map(|file| fs::read(file).unwrap()).collect(),
    )
}

/// Forward passes of an uninterrupted run.
fn forward_passes(dtype: DType, data: &[TrainExample]) -> usize {
    let counted = toy(dtype);
    counted.fails_in.set(Some(usize::MAX));
    let folder = tempfile::tempdir().unwrap();
    attempt(&counted, &config(), data, folder.path(), false).unwrap();
    usize::MAX - counted.fails_in.get().unwrap()
}

fn finished(outcome: Outcome) -> Summary {
    match outcome {
        Outcome::Finished(summary) => summary,
        Outcome::Stopped(summary) => panic!("stopped after {} steps", summary.steps),
    }
}

#[test]
fn a_killed_and_resumed_run_leaves_the_bytes_of_an_uninterrupted_one() {
    for dtype in [DType::F32, DType::F64] {
        let data = examples(18, 3);
        let whole = toy(dtype);
        let folder = tempfile::tempdir().unwrap();
        let summary = finished(attempt(&whole, &config(), &data, folder.path(), false).unwrap());
        let expected = remains(&whole, folder.path());
        assert_eq!(summary.steps, 15);

        // Forward passes, development ones included, until the first, second … kill.
        let mut plans: Vec<Vec<usize>> = vec![vec![7, 20, 5, 12], vec![31, 0, 0, 3]];
        if dtype == DType::F32 {
            // Every place a run can be killed at, one by one.
            plans.extend((0..forward_passes(dtype, &data)).map(|kill| vec![kill]));
        }
        for kills in plans {
            let folder = tempfile::tempdir().unwrap();
            for &kill in &kills {
                let killed = toy(dtype);
                killed.fails_in.set(Some(kill));
                attempt(&killed, &config(), &data, folder.path(), true).unwrap_err();
            }
            let resumed = toy(dtype);
            let outcome = attempt(&resumed, &config(), &data, folder.path(), true).unwrap();
            assert_eq!(finished(outcome), summary, "{dtype:?} {kills:?}");
            assert_eq!(
                remains(&resumed, folder.path()),
                expected,
                "{dtype:?} {kills:?}"
            );
        }

        // A finished run resumed once more has nothing to do, and leaves what it was.
        let again = toy(dtype);
        let outcome = attempt(&again, &config(), &data, folder.path(), true).unwrap();
        assert_eq!(finished(outcome), summary);
        assert_eq!(remains(&again, folder.path()), expected);
    }
}

#[test]
fn a_stopped_run_checkpoints_and_resumes() {
    let data = examples(18, 3);
    let whole = toy(DType::F32);
    let folder = tempfile::tempdir().unwrap();
    attempt(&whole, &config(), &data, folder.path(), false).unwrap();
    let expected = remains(&whole, folder.path());

    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let stop = AtomicBool::new(false);
    let stopped = toy(DType::F32);
    let config = config();
    let mut log = StepLog::open(&folder.path().join("log.jsonl")).unwrap();
    let run = Run {
        config: &config,
        examples: &data,
        development: &examples(5, 99),
        checkpoints: Some(&checkpoints),
        resume: false,
        score: None,
        stop: &stop,
    };
    let outcome = train(&stopped, &run, &mut |event| {
        log.record(&event).unwrap();
        if matches!(event, Event::Step(step) if step.step == 6) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(outcome.unwrap(), Outcome::Stopped(summary) if summary.steps == 6));
    assert!(checkpoints.join("step-00000006").is_dir());

    let resumed = toy(DType::F32);
    attempt(&resumed, &config, &data, folder.path(), true).unwrap();
    assert_eq!(remains(&resumed, folder.path()), expected);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let data = examples(8, 3);
    let folder = tempfile::tempdir().unwrap();
    attempt(&toy(DType::F32), &config(), &data, folder.path(), false).unwrap();
    let faster = TrainConfig {
        learning_rate: 0.03,
        ..config()
    };
    let refuse = |toy: &Toy, config: &TrainConfig, data: &[TrainExample], expected: &str| {
        let before = toy.bits();
        let error = attempt(toy, config, data, folder.path(), true)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(toy.bits(), before);
    };
    refuse(&toy(DType::F32), &faster, &data, "another configuration");
    refuse(
        &toy(DType::F32),
        &config(),
        &data[1..],
        "another set of examples",
    );
    refuse(&toy(DType::F64), &config(), &data, "tensor embed is");
    // Without `resume` the same folder serves a fresh run.
    attempt(&toy(DType::F32), &faster, &data, folder.path(), false).unwrap();
}

#[test]
fn it_memorises_what_can_be_memorised() {
    let mut data = examples(6, 5);
    for (index, example) in data.iter_mut().enumerate() {
        // Each token has one successor, which a bigram model can learn to certainty.
        let start = index as u32;
        example.prompt = vec![9, start];
        example.completion = vec![(start + 1) % 8, (start + 2) % 8, (start + 3) % 8];
    }
    let config = TrainConfig {
        steps: Some(120),
        batch_size: 6,
        learning_rate: 0.1,
        schedule: ScheduleKind::Linear,
        dev_every: 40,
        ..TrainConfig::default()
    };
    let run = Run {
        config: &config,
        examples: &data,
        development: &data,
        checkpoints: None,
        resume: false,
        score: None,
        stop: &AtomicBool::new(false),
    };
    let mut events = Vec::new();
    let summary =
        finished(train(&Toy::new(DType::F32), &run, &mut |event| events.push(event)).unwrap());
    assert!(summary.first_loss > 2.0, "{}", summary.first_loss);
    assert!(summary.final_loss < 0.02, "{}", summary.final_loss);
    let dev: Vec<usize> = summary.dev.iter().map(|dev| dev.step).collect();
    assert_eq!(dev, [0, 40, 80, 120]);
    assert!(summary.dev.is_sorted_by(|a, b| a.loss > b.loss));
    // Before the first step, nothing dropped and nothing updated: the two measurements are of the same thing.
    assert!((summary.dev[0].loss - summary.first_loss).abs() < 1e-6);
    assert_eq!(
        (summary.tokens, summary.target_tokens),
        (120 * 30, 120 * 18)
    );
    assert_eq!(summary.examples_used, 6);
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Step(_)))
            .count(),
        120
    );
}

#[test]
fn what_is_left_out_is_told() {
    let mut data = examples(5, 2);
    data[1].prompt = vec![0; 40];
    data[3].completion.clear();
    let config = TrainConfig {
        max_length: 20,
        ..config()
    };
    let stop = AtomicBool::new(false);
    let run = Run {
        config: &config,
        examples: &data,
        development: &data[3..],
        checkpoints: None,
        resume: false,
        score: None,
        stop: &stop,
    };
    let mut started = None;
    let summary = finished(
        train(&toy(DType::F32), &run, &mut |event| {
            started.get_or_insert(event);
        })
        .unwrap(),
    );
    assert_eq!(summary.left_out.too_long, ["e1"]);
    assert_eq!(summary.left_out.no_target, ["e3"]);
    assert_eq!(summary.dev_left_out.no_target, ["e3"]);
    assert_eq!(summary.examples_used, 3);
    assert!(matches!(
        started,
        Some(Event::Started {
            examples: 3,
            dev_examples: 1,
            done: 0,
            trainable_parameters: 204,
            ..
        })
    ));

    let none = Run {
        examples: &data[3..4],
        ..run
    };
    let error = train(&toy(DType::F32), &none, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("none of the 1 training examples can be used"),
        "{error}"
    );
}

#[test]
fn an_update_that_blows_up_stops_with_the_weights_before_it() {
    let mut poisoned = toy(DType::F32);
    let data = examples(8, 3);
    poisoned.poison = Some(data[5].completion[0]);
    let before = poisoned.bits();
    let config = TrainConfig {
        batch_size: 8,
        ..config()
    };
    let run = Run {
        config: &config,
        examples: &data,
        development: &[],
        checkpoints: None,
        resume: false,
        score: None,
        stop: &AtomicBool::new(false),
    };
    let error = train(&poisoned, &run, &mut |_| {}).unwrap_err();
    assert!(
        matches!(error, TrainError::NotFinite { step: 1, .. }),
        "{error}"
    );
    assert_eq!(poisoned.bits(), before);
}
