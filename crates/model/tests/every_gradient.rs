//! Every trainable tensor of every layer, in every family and by every method, has a gradient.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod reference;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use harness_model::config::Family;
use harness_model::graph::GraphModel;
use harness_model::weights::Weights;
use harness_model::{
    Adapter, Decoder, FullModel, LoraConfig, LoraGradients, ModelConfig, Precision, Projection,
    Sequences, Sweep, Workspace,
};
use reference::{Golden, golden, names, write};

/// Two sequences; every row but the last of each is a target.
fn with_batch<T>(golden: &Golden, then: impl Fn(&Sequences<'_>) -> T) -> T {
    let (tokens, starts) = (&golden.ids[..24], [0, 9, 24]);
    let rows = (0..8).chain(9..23);
    let targets: Vec<(usize, u32)> = rows.map(|row| (row, tokens[row + 1])).collect();
    then(&Sequences {
        tokens,
        starts: &starts,
        targets: &targets,
    })
}

fn weights(golden: &Golden) -> Weights {
    let folder = tempfile::tempdir().unwrap();
    write(golden, &golden.config, folder.path());
    Weights::open(folder.path()).unwrap()
}

/// An adapter of all projections. B is not zero, as it is before the first step, or A would have no gradient.
fn adapter(config: &ModelConfig, dropout: f32, rank_stabilized: bool) -> Adapter {
    let lora = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout,
        targets: Projection::ALL.to_vec(),
        rank_stabilized,
    };
    let adapter = Adapter::new(config, lora, 1).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let values = reference::values(&name, var.elem_count(), 0.1);
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
    }
    adapter
}

/// Each of `expected` has a gradient, and no value of it is NaN or infinite, and not all are zero.
fn check(what: &str, expected: &[String], gradients: &BTreeMap<String, Vec<f64>>) {
    let found: Vec<&String> = gradients.keys().collect();
    let mut expected: Vec<&String> = expected.iter().collect();
    expected.sort();
    assert_eq!(found, expected, "{what}");
    for (name, gradient) in gradients {
        let size = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(size.is_finite() && size > 1e-6, "{what}: {name} has {size}");
    }
}

/// The gradients that a graph has for these variables.
fn of(loss: &Tensor, vars: &[(String, Var)]) -> BTreeMap<String, Vec<f64>> {
    let store = loss.backward().unwrap();
    let read = |gradient: &Tensor| {
        let wide = gradient.to_dtype(DType::F64).unwrap();
        wide.flatten_all().unwrap().to_vec1().unwrap()
    };
    vars.iter()
        .filter_map(|(name, var)| Some((name.clone(), read(store.get(var)?))))
        .collect()
}

fn wide(gradients: BTreeMap<String, Vec<f32>>) -> BTreeMap<String, Vec<f64>> {
    let of = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    let named = gradients.into_iter();
    named.map(|(name, values)| (name, of(values))).collect()
}

fn names_of(vars: &[(String, Var)]) -> Vec<String> {
    vars.iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn of_adapters() {
    let mut families = Vec::new();
    for name in names() {
        let golden = golden(&name);
        let weights = weights(&golden);
        let config = weights.config();
        families.push(config.family);
        let decoder = Decoder::load(&weights, Precision::F32, &mut |_, _| {}).unwrap();
        let graph = GraphModel::load(&weights, DType::F64, &Device::Cpu).unwrap();
        for (dropout, rank_stabilized) in [(0.0, false), (0.0, true), (0.2, false), (0.2, true)] {
            let adapter = adapter(config, dropout, rank_stabilized);
            let vars = names_of(&adapter.named_vars());
            assert_eq!(vars.len(), config.layers * 7 * 2);
            with_batch(&golden, |batch| {
                let mut found = LoraGradients::new();
                Sweep::new(&decoder, Some(&adapter))
                    .gradients(
                        batch,
                        Some(7),
                        &mut Workspace::new(Precision::F32),
                        &mut found,
                    )
                    .unwrap();
                let what = format!("{name}, dropout {dropout}, by hand");
                check(&what, &vars, &wide(found.into_named()));

                let exact = adapter.to_dtype(DType::F64).unwrap();
                let loss = graph.summed_loss(Some(&exact), batch, Some(7)).unwrap();
                let what = format!("{name}, dropout {dropout}, as a graph");
                check(&what, &vars, &of(&loss, &exact.named_vars()));
            });
        }
    }
    for family in Family::ALL {
        assert!(families.contains(&family), "no model of {}", family.name());
    }
}

#[test]
fn of_all_weights() {
    for name in names() {
        let golden = golden(&name);
        let weights = weights(&golden);
        let stored: Vec<String> = golden.tensors.keys().cloned().collect();
        let model = FullModel::load(&weights).unwrap();
        let graph = GraphModel::load_trainable(&weights, DType::F64, &Device::Cpu).unwrap();
        with_batch(&golden, |batch| {
            let (_, found) = model.gradients(batch).unwrap();
            check(&format!("{name}, by hand"), &stored, &wide(found));
            let loss = graph.summed_loss(None, batch, None).unwrap();
            let found = of(&loss, &graph.named_vars());
            check(&format!("{name}, as a graph"), &stored, &found);
        });
    }
}
