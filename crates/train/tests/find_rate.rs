//! The range test on the toy model: it finds rates at which training works, and stops where it does not.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use candle_core::DType;
use harness_train::{RateRange, RateTest, TrainConfig, TrainError, find_rate};

mod common;
use common::{Toy, examples};

fn config() -> TrainConfig {
    TrainConfig {
        batch_size: 8,
        ..TrainConfig::default()
    }
}

fn test(toy: &Toy, range: RateRange) -> Result<RateTest, TrainError> {
    let (data, development) = (examples(16, 3), examples(5, 3));
    let mut told = 0;
    let test = find_rate(toy, &config(), range, &data, &development, &mut |_| {
        told += 1;
    })?;
    assert_eq!(told, test.points.len());
    Ok(test)
}

#[test]
fn it_stops_where_the_loss_explodes() {
    let range = RateRange {
        min: 1e-5,
        max: 1e3,
        steps: 90,
    };
    let found = test(&Toy::new(DType::F32), range).unwrap();
    assert!(found.points.len() < 90);
    let diverged = found.diverged_at.unwrap();
    let steepest = found.steepest.unwrap();
    assert!(steepest < diverged, "{steepest} {diverged}");
    assert!((1e-3..1.0).contains(&steepest), "{steepest}");
    assert!((found.tenth_of_divergence.unwrap() * 10.0 / diverged - 1.0).abs() < 1e-12);
    assert!(found.least_dev_loss.unwrap() < diverged);
    let measured = found.points.iter().filter(|point| point.dev_loss.is_some());
    assert!(measured.count() >= 10);
    // At such small rates nothing moves, and the first smoothed loss is the loss itself.
    let first = &found.points[0];
    assert_eq!(first.loss.to_bits(), first.smoothed.to_bits());
    assert_eq!(found, test(&Toy::new(DType::F32), range).unwrap());
}

#[test]
fn rates_that_are_all_small_diverge_nowhere() {
    let range = RateRange {
        min: 1e-6,
        max: 1e-3,
        steps: 20,
    };
    let found = test(&Toy::new(DType::F64), range).unwrap();
    assert_eq!(found.points.len(), 20);
    assert_eq!(found.diverged_at, None);
    assert_eq!(found.tenth_of_divergence, None);

    let backwards = RateRange { min: 1e-2, ..range };
    let error = test(&Toy::new(DType::F64), backwards)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("lr-max is 0.001, expected a finite number above lr-min"),
        "{error}"
    );
}
