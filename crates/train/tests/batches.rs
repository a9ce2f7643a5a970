//! How a step is cut into micro-batches changes nothing: in f64 to 1e-12, and in the hand-written f32 pass to its rounding.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../../model/tests/tiny/mod.rs"]
mod tiny;

use candle_core::{DType, Device, Tensor};
use harness_model::graph::GraphModel;
use harness_model::weights::Weights;
use harness_model::{Adapter, LoraConfig, Projection};
use harness_train::gradients::{StepGradients, mean_loss, step_gradients, trainable};
use harness_train::{GraphObjective, LoraObjective, Objective, TrainExample};
use tiny::{KINDS, Tiny, tiny, tokens, write};

/// Eight examples of 12 tokens, of which 1 to 8 carry loss.
fn equal() -> Vec<TrainExample> {
    (0..8)
        .map(|i| example(i, 11 - i as usize, 1 + i as usize))
        .collect()
}

/// Eight examples of 3 to 17 tokens.
fn unequal() -> Vec<TrainExample> {
    (0..8)
        .map(|i| example(i, 1 + (i as usize * 5) % 13, 2 + (i as usize * 7) % 11))
        .collect()
}

fn example(seed: u64, prompt: usize, completion: usize) -> TrainExample {
    TrainExample {
        id: seed.to_string(),
        prompt: tokens(seed, prompt),
        completion: tokens(100 + seed, completion),
    }
}

/// An adapter as after some steps.
fn adapter(tiny: &Tiny) -> Adapter {
    let config = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(tiny.decoder.config(), config, 1).unwrap();
    for (place, (name, var)) in adapter.named_vars().into_iter().enumerate() {
        if name.contains("lora_B") {
            let values: Vec<f32> = (0..var.elem_count())
                .map(|i| 0.1 * ((i + place) as f32 * 0.7).sin())
                .collect();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
    }
    adapter
}

fn graph(tiny: &Tiny, trainable: bool) -> GraphModel {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), tiny.kind, &tiny.tensors);
    let weights = Weights::open(folder.path()).unwrap();
    let load = if trainable {
        GraphModel::load_trainable
    } else {
        GraphModel::load
    };
    load(&weights, DType::F64, &Device::Cpu).unwrap()
}

fn gradients(objective: &dyn Objective, data: &[TrainExample], budget: usize) -> StepGradients {
    let data: Vec<&TrainExample> = data.iter().collect();
    step_gradients(
        objective,
        &trainable(objective).unwrap(),
        &data,
        budget,
        1,
        0,
    )
    .unwrap()
}

/// The largest difference of a gradient between two cuts, as a share of its norm; and of the losses.
fn apart(found: &StepGradients, expected: &StepGradients) -> (f64, f64) {
    let norm = |tensor: &Tensor| {
        let wide = tensor.to_dtype(DType::F64).unwrap();
        let square = wide.sqr().unwrap().sum_all().unwrap();
        square.to_scalar::<f64>().unwrap().sqrt()
    };
    assert_eq!(found.gradients.len(), expected.gradients.len());
    let share = |name: &String| {
        let (found, expected) = (&found.gradients[name], &expected.gradients[name]);
        norm(&(found - expected).unwrap()) / norm(expected)
    };
    let worst = expected.gradients.keys().map(share).fold(0.0, f64::max);
    (worst, (found.loss - expected.loss).abs() / expected.loss)
}

/// Cuts of a step by token budgets, with how many micro-batches each makes.
fn check(
    what: &str,
    objective: &dyn Objective,
    data: &[TrainExample],
    cuts: &[(usize, usize)],
    limit: f64,
) {
    let whole = gradients(objective, data, usize::MAX);
    assert_eq!(whole.micro_batches, 1);
    for &(budget, micro_batches) in cuts {
        let cut = gradients(objective, data, budget);
        assert_eq!(cut.micro_batches, micro_batches);
        let (worst, loss) = apart(&cut, &whole);
        assert!(worst < limit && loss < limit, "{what}: {worst} {loss}");
        let all: Vec<&TrainExample> = data.iter().collect();
        let (mean, _) = mean_loss(objective, &all, budget).unwrap();
        assert!((mean - whole.loss).abs() < limit * mean, "{what}: {mean}");
    }
}

#[test]
fn one_by_eight_is_two_by_four_is_eight_by_one() {
    // 8 · 12 tokens at once, in two, four and eight parts.
    let even = [(48, 2), (24, 4), (12, 8)];
    let uneven = [(60, 3), (33, 4), (1, 8)];
    for kind in KINDS {
        let tiny = tiny(kind, 3);
        let (model, adapter) = (graph(&tiny, false), adapter(&tiny));
        let wide = adapter.to_dtype(DType::F64).unwrap();
        let plain = GraphObjective {
            model: &model,
            adapter: Some(&wide),
        };
        check(&format!("{kind:?}, f64"), &plain, &equal(), &even, 1e-12);
        check(
            &format!("{kind:?}, f64"),
            &plain,
            &unequal(),
            &uneven,
            1e-12,
        );
        let fast = LoraObjective::new(&tiny.decoder, &adapter, false);
        check(&format!("{kind:?}, f32"), &fast, &equal(), &even, 1e-5);
        check(&format!("{kind:?}, f32"), &fast, &unequal(), &uneven, 1e-5);
        let model = graph(&tiny, true);
        let full = GraphObjective {
            model: &model,
            adapter: None,
        };
        check(
            &format!("{kind:?}, all weights, f64"),
            &full,
            &equal(),
            &even,
            1e-12,
        );
    }
}
