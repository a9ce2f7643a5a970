//! Gradients of a real model in its full width and depth: the hand-written pass against the plain form in `f64`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::{SMOLLM2, cached};
use harness_model::graph::GraphModel;
use harness_model::weights::Weights;
use harness_model::{
    Adapter, Decoder, LoraConfig, LoraGradients, Precision, Projection, Sequences, Sweep, Workspace,
};

#[test]
fn of_smollm2() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let weights = Weights::open(&path).unwrap();
    let config = weights.config();
    let lora = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.1,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(config, lora, 1).unwrap();
    for (place, (name, var)) in adapter.named_vars().into_iter().enumerate() {
        if name.contains("lora_B") {
            let values: Vec<f32> = (0..var.elem_count())
                .map(|i| 0.01 * ((i + place) as f32 * 0.7).sin())
                .collect();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
    }
    // Two sequences of any tokens; the later half of each carries loss.
    let tokens: Vec<u32> = (0..40).map(|i| (i * i * 31 + i * 7) % 49_152).collect();
    let targets: Vec<(usize, u32)> = (8..15)
        .chain(28..39)
        .map(|row| (row, tokens[row + 1]))
        .collect();
    let batch = Sequences {
        tokens: &tokens,
        starts: &[0, 16, 40],
        targets: &targets,
    };

    let decoder = Decoder::load(&weights, Precision::F32, &mut |_, _| {}).unwrap();
    let mut found = LoraGradients::new();
    let loss = Sweep::new(&decoder, Some(&adapter))
        .gradients(
            &batch,
            Some(3),
            &mut Workspace::new(Precision::F32),
            &mut found,
        )
        .unwrap();
    let found = found.into_named();
    drop(decoder);

    let model = GraphModel::load(&weights, DType::F64, &Device::Cpu).unwrap();
    let exact = adapter.to_dtype(DType::F64).unwrap();
    let expected = model.summed_loss(Some(&exact), &batch, Some(3)).unwrap();
    let store = expected.backward().unwrap();
    let expected = expected.to_scalar::<f64>().unwrap();
    let off = (loss - expected).abs() / expected;
    let mut worst = 0f64;
    for (name, var) in exact.named_vars() {
        let expected = store.get(&var).unwrap().flatten_all().unwrap();
        let expected: Vec<f64> = expected.to_vec1().unwrap();
        let pairs = found[&name].iter().zip(&expected);
        let error = pairs.map(|(f, e)| (f64::from(*f) - e).powi(2)).sum::<f64>();
        let size = expected.iter().map(|e| e * e).sum::<f64>();
        let share = (error / size).sqrt();
        assert!(share < 1e-3, "{name}: relative error {share}");
        worst = worst.max(share);
    }
    println!(
        "relative errors: loss {off:.1e}, the worst of {} tensors {worst:.1e}",
        found.len()
    );
    assert!(off < 1e-5, "{loss} for {expected}");
}
