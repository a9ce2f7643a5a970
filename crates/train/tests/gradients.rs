//! The gradient of a step does not depend on how the step is cut, and every way to lose it is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use candle_core::DType;
use harness_train::gradients::{StepGradients, step_gradients, trainable};
use harness_train::{TrainError, TrainExample};

mod common;
use common::{Toy, examples};

fn gradients(toy: &Toy, data: &[TrainExample], budget: usize) -> Result<StepGradients, TrainError> {
    let data: Vec<&TrainExample> = data.iter().collect();
    step_gradients(toy, &trainable(toy)?, &data, budget, 1, 0)
}

#[test]
fn one_by_eight_is_two_by_four_is_eight_by_one() {
    let toy = Toy::new(DType::F64);
    for seed in 0..40 {
        let mut data = examples(8, seed);
        for example in &mut data {
            // Equal lengths, so that the token budget cuts the step into equal parts.
            example.prompt.resize(6, 0);
            example.prompt.extend(vec![1; 5 - example.completion.len()]);
        }
        let whole = gradients(&toy, &data, 88).unwrap();
        assert_eq!(whole.micro_batches, 1);
        for (budget, micro_batches) in [(44, 2), (22, 4), (11, 8), (1, 8)] {
            let cut = gradients(&toy, &data, budget).unwrap();
            assert_eq!(cut.micro_batches, micro_batches);
            assert_eq!(
                (cut.tokens, cut.target_tokens),
                (whole.tokens, whole.target_tokens)
            );
            assert!((cut.loss - whole.loss).abs() < 1e-12);
            for (name, gradient) in &whole.gradients {
                let off = (gradient - &cut.gradients[name]).unwrap().abs().unwrap();
                let off = off.max_all().unwrap().to_scalar::<f64>().unwrap();
                assert!(
                    off < 1e-12,
                    "seed {seed}, {micro_batches} parts: {name} off by {off:e}"
                );
            }
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_names_its_examples() {
    let mut toy = Toy::new(DType::F32);
    toy.poison = Some(3);
    let mut data = examples(3, 1);
    for (example, token) in data.iter_mut().zip([1, 3, 2]) {
        example.completion = vec![token];
    }
    match gradients(&toy, &data, 1).unwrap_err() {
        TrainError::NotFinite {
            quantity,
            step,
            ids,
        } => {
            assert_eq!(
                (quantity, step, ids),
                ("the loss", 1, vec!["e1".to_owned()])
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_variable_off_the_graph_is_named() {
    let mut toy = Toy::new(DType::F32);
    toy.detach_bias = true;
    let error = gradients(&toy, &examples(2, 1), 100).unwrap_err();
    assert_eq!(error.to_string(), "in step 1 no gradient reaches out.bias");
}
