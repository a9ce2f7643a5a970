//! The stated memory against what is alive at most when a model answers and is trained.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, reason = "the figures are of interest")]

#[path = "fuzz/allocations.rs"]
mod allocations;
mod common;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Tensor, Var};
use harness_model::memory::{Workload, memory};
use harness_model::weights::{Base, Weights};
use harness_model::{
    Adapter, Decoder, Engine, FullModel, GenerateOptions, LoraConfig, LoraGradients, ModelConfig,
    ModelError, Precision, Projection, Sequences, Sweep, Workspace, room,
};
use serde_json::json;

/// A model big enough that its own memory is most of what is taken.
fn config(folder: &Path) -> ModelConfig {
    let config = json!({
        "model_type": "llama", "vocab_size": 6000, "hidden_size": 320, "intermediate_size": 864,
        "num_hidden_layers": 6, "num_attention_heads": 10, "num_key_value_heads": 5,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    ModelConfig::from_folder(folder).unwrap()
}

/// Tokens of all sequences, different in each.
fn sequences(config: &ModelConfig, work: &Workload) -> Vec<Vec<u32>> {
    let token = |row: usize, place: usize| ((row * 7919 + place * 31) % config.vocab_size) as u32;
    (0..work.batch)
        .map(|row| (0..work.length).map(|place| token(row, place)).collect())
        .collect()
}

/// The most bytes that are alive while `run` runs, over those before.
fn peak(run: impl FnOnce()) -> u64 {
    allocations::begin();
    run();
    allocations::end().1 as u64
}

fn decoder(path: &Path, work: &Workload) -> Decoder {
    let weights = Weights::open(path).unwrap();
    Decoder::load(&weights, work.precision, &mut |_, _| {}).unwrap()
}

fn answer(path: &Path, work: &Workload) {
    let decoder = decoder(path, work);
    let mut prompts = sequences(decoder.config(), work);
    for prompt in &mut prompts {
        prompt.truncate(work.length - 4);
    }
    let options = GenerateOptions {
        batch_size: work.batch,
        max_new_tokens: 4,
        end_tokens: Vec::new(),
        cache_bytes: None,
    };
    Engine::new(&decoder, None)
        .generate::<ModelError>(&prompts, &options, &|_| false, &mut |_, _| Ok(()))
        .unwrap();
}

/// Answers to prompts of which neighbours begin alike; what it takes, and what was said before.
fn answers(path: &Path, precision: Precision, base: Base, batch_size: usize) -> (u64, u64) {
    let weights = Weights::open(path).unwrap();
    let work = Workload {
        length: 300,
        batch: 20,
        rank: 0,
        precision,
        base,
    };
    let mut prompts = sequences(weights.config(), &work);
    let first = prompts[0].clone();
    for (index, prompt) in prompts.iter_mut().enumerate() {
        prompt.truncate(300 - 7 * index);
        let alike = 100.min(prompt.len());
        prompt[..alike].copy_from_slice(&first[..alike]);
    }
    let stated = room(&weights, precision, base, &prompts, batch_size, 40).total();
    let options = GenerateOptions {
        batch_size,
        max_new_tokens: 40,
        end_tokens: Vec::new(),
        cache_bytes: None,
    };
    let taken = peak(|| {
        let decoder = Decoder::load_base(&weights, precision, base, &mut |_, _| {}).unwrap();
        Engine::new(&decoder, None)
            .generate::<ModelError>(&prompts, &options, &|_| false, &mut |_, _| Ok(()))
            .unwrap();
    });
    (stated, taken)
}

/// The two moments of the optimiser.
fn moments(vars: &[(String, Var)]) -> Vec<Tensor> {
    let twice = vars.iter().chain(vars);
    twice.map(|(_, var)| var.zeros_like().unwrap()).collect()
}

/// A step on one micro-batch, all of whose tokens but the first carry loss.
fn step(
    config: &ModelConfig,
    work: &Workload,
    vars: &[(String, Var)],
    gradients: &mut dyn FnMut(&Sequences<'_>) -> BTreeMap<String, Vec<f32>>,
) {
    let tokens = sequences(config, work).concat();
    let starts: Vec<usize> = (0..=work.batch).map(|row| row * work.length).collect();
    let targets: Vec<(usize, u32)> = (0..tokens.len())
        .filter(|row| (row + 1) % work.length > 0)
        .map(|row| (row, tokens[row + 1]))
        .collect();
    let moments = moments(vars);
    let batch = Sequences {
        tokens: &tokens,
        starts: &starts,
        targets: &targets,
    };
    let kept = gradients(&batch);
    assert_eq!(2 * kept.len(), moments.len());
}

fn lora(path: &Path, work: &Workload, recompute: bool) {
    let weights = Weights::open(path).unwrap();
    let decoder = Decoder::load_base(&weights, work.precision, work.base, &mut |_, _| {});
    let decoder = decoder.unwrap();
    let lora = LoraConfig {
        rank: work.rank,
        alpha: 16.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(decoder.config(), lora, 1).unwrap();
    let sweep = Sweep::new(&decoder, Some(&adapter)).recompute(recompute);
    let mut space = Workspace::new(work.precision);
    step(
        decoder.config(),
        work,
        &adapter.named_vars(),
        &mut |batch| {
            let mut gradients = LoraGradients::new();
            sweep
                .gradients(batch, None, &mut space, &mut gradients)
                .unwrap();
            gradients.into_named()
        },
    );
}

fn full(path: &Path, work: &Workload) {
    let model = FullModel::load(&Weights::open(path).unwrap()).unwrap();
    step(model.config(), work, &model.named_vars(), &mut |batch| {
        model.gradients(batch).unwrap().1
    });
}

/// Stated within 30 % of measured.
fn compare(what: &str, stated: u64, measured: u64) {
    let ratio = stated as f64 / measured as f64;
    println!("{what}: stated {stated}, measured {measured}, ratio {ratio:.3}");
    assert!(
        (0.7..1.3).contains(&ratio),
        "{what}: stated {stated} B, measured {measured} B"
    );
}

/// One test, as the allocator counts for the whole program.
#[test]
fn stated_memory_is_within_a_third_of_what_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let made = config(folder.path());
    FullModel::random(made, 3)
        .unwrap()
        .save(folder.path(), Precision::F32)
        .unwrap();
    for (length, batch, rank, precision, base) in [
        (128, 1, 8, Precision::Bf16, Base::Plain),
        (512, 3, 16, Precision::F32, Base::Plain),
        (64, 8, 4, Precision::F32, Base::Plain),
        (256, 2, 8, Precision::Bf16, Base::Nf4),
    ] {
        let work = Workload {
            length,
            batch,
            rank,
            precision,
            base,
        };
        let stated = memory(Weights::open(folder.path()).unwrap().config(), &work);
        let path = folder.path();
        let name = |what| format!("{what} {batch} x {length}, {precision:?}, {base:?}");
        compare(
            &name("answer"),
            stated.inference,
            peak(|| answer(path, &work)),
        );
        compare(
            &name("lora"),
            stated.lora,
            peak(|| lora(path, &work, false)),
        );
        compare(
            &name("lora, recomputed"),
            stated.lora_recomputed,
            peak(|| lora(path, &work, true)),
        );
        compare(&name("all"), stated.full, peak(|| full(path, &work)));
    }
    let within_a_fifth = |what: &str, (stated, taken): (u64, u64)| {
        let ratio = stated as f64 / taken as f64;
        println!("{what}: stated {stated}, measured {taken}, ratio {ratio:.3}");
        assert!((0.8..1.2).contains(&ratio), "{what}: {ratio}");
    };
    for (precision, batch_size) in [
        (Precision::F32, 1),
        (Precision::F32, 9),
        (Precision::Bf16, 20),
    ] {
        let taken = answers(folder.path(), precision, Base::Plain, batch_size);
        within_a_fifth(&format!("answers, {precision:?}, {batch_size}"), taken);
    }
    let Some(path) = common::cached(&common::SMOLLM2) else {
        return;
    };
    for (precision, base, batch_size) in [
        (Precision::Bf16, Base::Plain, 4),
        (Precision::F32, Base::Codes, 1),
        (Precision::F32, Base::Codes, 20),
    ] {
        let taken = answers(&path, precision, base, batch_size);
        within_a_fifth(
            &format!("SmolLM2 answers, {precision:?}, {base:?}, {batch_size}"),
            taken,
        );
    }
    let work = Workload {
        length: 256,
        batch: 1,
        rank: 16,
        precision: Precision::Bf16,
        base: Base::Plain,
    };
    let stated = memory(Weights::open(&path).unwrap().config(), &work);
    compare(
        "SmolLM2 answer",
        stated.inference,
        peak(|| answer(&path, &work)),
    );
    compare(
        "SmolLM2 lora",
        stated.lora,
        peak(|| lora(&path, &work, false)),
    );
}
