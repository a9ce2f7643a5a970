//! Which weights a run ends with and when it ends: best, early stop, buckets, and checkpoints that cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use candle_core::DType;
use harness_train::{
    EarlyStop, Event, Measure, Outcome, Run, Score, Select, Summary, TrainConfig, TrainError,
    TrainExample, train,
};

mod common;
use common::{Toy, examples};

/// Learning so fast that the development loss soon rises.
fn config() -> TrainConfig {
    TrainConfig {
        steps: Some(30),
        batch_size: 4,
        learning_rate: 0.06,
        dev_every: 3,
        checkpoint_every: 4,
        seed: 11,
        ..TrainConfig::default()
    }
}

/// What a run needs besides its configuration and its data.
#[derive(Default, Clone, Copy)]
struct With<'a> {
    folder: Option<&'a Path>,
    score: Option<Score<'a>>,
}

fn attempt(
    toy: &Toy,
    config: &TrainConfig,
    data: &[TrainExample],
    with: With<'_>,
) -> Result<(Summary, Vec<Event>), TrainError> {
    // Half of it can be learnt from the training set and half of it cannot, so the loss falls and rises again.
    let development = [&data[..4], &examples(3, 99)].concat();
    let run = Run {
        config,
        examples: data,
        development: &development,
        checkpoints: with.folder,
        resume: true,
        score: with.score,
        stop: &AtomicBool::new(false),
    };
    let mut events = Vec::new();
    match train(toy, &run, &mut |event| events.push(event))? {
        Outcome::Finished(summary) => Ok((summary, events)),
        Outcome::Stopped(_) => panic!("nobody stopped it"),
    }
}

fn in_folder(folder: &Path) -> With<'_> {
    With {
        folder: Some(folder),
        score: None,
    }
}

#[test]
fn the_best_weights_are_those_of_the_best_measurement() {
    let data = examples(8, 3);
    let config = TrainConfig {
        select: Select::Best,
        ..config()
    };
    let kept = Toy::new(DType::F32);
    let (summary, _) = attempt(&kept, &config, &data, With::default()).unwrap();
    let best = summary.selected.unwrap();
    assert!(0 < best.step && best.step < 30, "{best:?}");
    for dev in &summary.dev {
        assert!(dev.loss >= best.measure);
    }

    // The same weights as those of a run whose constant rate ends there.
    let short = Toy::new(DType::F32);
    let constant = TrainConfig {
        schedule: harness_train::ScheduleKind::Constant,
        warmup_steps: Some(0),
        ..config.clone()
    };
    let long = Toy::new(DType::F32);
    let (summary, _) = attempt(&long, &constant, &data, With::default()).unwrap();
    let until = TrainConfig {
        steps: summary.selected.map(|best| best.step),
        select: Select::Last,
        ..constant
    };
    attempt(&short, &until, &data, With::default()).unwrap();
    assert_eq!(long.bits(), short.bits());

    // From checkpoints it is the same, and so it is after a kill at any place.
    for kill in [None, Some(3), Some(20), Some(36)] {
        let folder = tempfile::tempdir().unwrap();
        if kill.is_some() {
            let killed = Toy::new(DType::F32);
            killed.fails_in.set(kill);
            attempt(&killed, &config, &data, in_folder(folder.path())).unwrap_err();
        }
        let resumed = Toy::new(DType::F32);
        let (summary, _) = attempt(&resumed, &config, &data, in_folder(folder.path())).unwrap();
        assert_eq!(summary.selected, Some(best), "{kill:?}");
        assert_eq!(resumed.bits(), kept.bits(), "{kill:?}");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [format!("step-{:08}", best.step), "step-00000030".to_owned()]
        );
    }
}

#[test]
fn a_run_that_gets_no_better_ends() {
    let data = examples(8, 3);
    let config = TrainConfig {
        early_stop: Some(EarlyStop {
            patience: 2,
            min_delta: 0.0,
        }),
        ..config()
    };
    let whole = Toy::new(DType::F32);
    let (summary, events) = attempt(&whole, &config, &data, With::default()).unwrap();
    assert!(summary.stopped_early && summary.steps < 30, "{summary:?}");
    let told = events
        .iter()
        .any(|event| matches!(event, Event::EarlyStop { step, .. } if *step == summary.steps));
    assert!(told);
    assert_eq!(summary.dev.last().unwrap().step, summary.steps);

    for kill in [2, 12, 25] {
        let folder = tempfile::tempdir().unwrap();
        let killed = Toy::new(DType::F32);
        killed.fails_in.set(Some(kill));
        attempt(&killed, &config, &data, in_folder(folder.path())).unwrap_err();
        let resumed = Toy::new(DType::F32);
        let (again, _) = attempt(&resumed, &config, &data, in_folder(folder.path())).unwrap();
        assert_eq!((again, resumed.bits()), (summary.clone(), whole.bits()));
        // A run that is over stays so.
        let once_more = Toy::new(DType::F32);
        let (again, _) = attempt(&once_more, &config, &data, in_folder(folder.path())).unwrap();
        assert_eq!((again, once_more.bits()), (summary.clone(), whole.bits()));
    }
}

#[test]
fn a_score_of_the_callers_decides() {
    let data = examples(8, 3);
    let config = TrainConfig {
        dev_measure: Measure::Score,
        select: Select::Best,
        ..config()
    };
    let asked = Cell::new(0);
    let score = |step: usize| {
        asked.set(asked.get() + 1);
        Ok(if step == 9 { 0.5 } else { 0.25 })
    };
    let with = With {
        folder: None,
        score: Some(Score(&score)),
    };
    let toy = Toy::new(DType::F32);
    let (summary, _) = attempt(&toy, &config, &data, with).unwrap();
    let best = summary.selected.unwrap();
    assert_eq!((best.step, asked.get()), (9, 11));
    assert!(summary.dev.iter().all(|dev| dev.score.is_some()));

    let none = attempt(&toy, &config, &data, With::default()).unwrap_err();
    assert!(matches!(none, TrainError::NoScore), "{none}");
    let fails = |_: usize| Err("no room".into());
    let with = With {
        folder: None,
        score: Some(Score(&fails)),
    };
    let error = attempt(&toy, &config, &data, with).unwrap_err().to_string();
    assert_eq!(error, "the development score after step 0: no room");
}

#[test]
fn buckets_resume_to_the_bit() {
    let data = examples(23, 3);
    let config = TrainConfig {
        length_bucketing: true,
        ..config()
    };
    let whole = Toy::new(DType::F32);
    attempt(&whole, &config, &data, With::default()).unwrap();
    let plain = Toy::new(DType::F32);
    let other = TrainConfig {
        length_bucketing: false,
        ..config.clone()
    };
    attempt(&plain, &other, &data, With::default()).unwrap();
    assert_ne!(plain.bits(), whole.bits());
    let folder = tempfile::tempdir().unwrap();
    for kill in [9, 14] {
        let killed = Toy::new(DType::F32);
        killed.fails_in.set(Some(kill));
        attempt(&killed, &config, &data, in_folder(folder.path())).unwrap_err();
    }
    let resumed = Toy::new(DType::F32);
    attempt(&resumed, &config, &data, in_folder(folder.path())).unwrap();
    assert_eq!(resumed.bits(), whole.bits());
}

#[test]
fn a_damaged_checkpoint_is_told_and_passed_over() {
    let data = examples(8, 3);
    let config = TrainConfig {
        keep_checkpoints: 2,
        dev_every: 0,
        ..config()
    };
    let whole = Toy::new(DType::F32);
    attempt(&whole, &config, &data, With::default()).unwrap();
    for file in [
        "progress.json",
        "weights.safetensors",
        "optimizer.safetensors",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let killed = Toy::new(DType::F32);
        killed.fails_in.set(Some(14));
        attempt(&killed, &config, &data, in_folder(folder.path())).unwrap_err();
        let newest = folder.path().join("step-00000012").join(file);
        let bytes = fs::read(&newest).unwrap();
        fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();

        let resumed = Toy::new(DType::F32);
        let (_, events) = attempt(&resumed, &config, &data, in_folder(folder.path())).unwrap();
        let Event::Damaged { path, reason } = &events[0] else {
            panic!("{:?}", events[0]);
        };
        assert!(path.ends_with("step-00000012"), "{reason}");
        assert!(matches!(events[1], Event::Started { done: 8, .. }));
        assert_eq!(resumed.bits(), whole.bits());

        // With nothing else to go on from it is an error, which names the file.
        let only = tempfile::tempdir().unwrap();
        let torn = only.path().join("step-00000012");
        fs::create_dir(&torn).unwrap();
        fs::write(torn.join(file), &bytes[..bytes.len() / 2]).unwrap();
        let fresh = Toy::new(DType::F32);
        let error = attempt(&fresh, &config, &data, in_folder(only.path())).unwrap_err();
        assert!(error.to_string().contains("step-00000012"), "{error}");
    }
}

#[test]
fn a_bad_example_is_found_in_its_micro_batch_and_nothing_is_changed() {
    let mut data = examples(8, 3);
    for (index, example) in data.iter_mut().enumerate() {
        // Only `e5` has the poisoned token.
        example.completion = vec![if index == 5 { 3 } else { 4 }];
    }
    let folder = tempfile::tempdir().unwrap();
    let one_epoch = TrainConfig {
        steps: Some(6),
        batch_size: 2,
        micro_batch_tokens: 1000,
        checkpoint_every: 1,
        dev_every: 0,
        ..config()
    };
    let mut poisoned = Toy::new(DType::F32);
    poisoned.poison = Some(3);
    let error = attempt(&poisoned, &one_epoch, &data, in_folder(folder.path())).unwrap_err();
    let TrainError::NotFinite { step, ids, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(ids, &["e5"]);

    // The weights are those of the last whole step, which the last checkpoint has too.
    let clean = Toy::new(DType::F32);
    clean.fails_in.set(Some(step - 1));
    attempt(&clean, &one_epoch, &data, With::default()).unwrap_err();
    assert_eq!(poisoned.bits(), clean.bits());
    let last = harness_train::latest_checkpoint(folder.path()).unwrap();
    let name = format!("step-{:08}", step - 1);
    assert_eq!(last.is_some(), *step > 1);
    assert!(last.is_none_or(|path| path.ends_with(name)));
}
