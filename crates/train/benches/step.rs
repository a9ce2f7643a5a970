//! Seconds of an optimisation step of `LoRA` on all linear layers, at the shapes of real models with random weights:
//!
//!     cargo bench -p harness-train --profile release -- [--shape 135m|0.5b|1.5b] [--batch N] [--length N] [--trained N]
//!         [--rank N] [--precision f32|bf16] [--base plain|nf4] [--recompute yes] [--steps N] [--peer graph]
//!
//! `--peer graph` takes the steps with candle's own operations and gradients instead, all in `f32`, with as many threads as
//! candle takes. `HARNESS_CPU` caps the instructions of our kernels, not those of candle's products, which are the `gemm` crate's.
//!
//! It prints one line of JSON: the seconds of each step (the first, which is not counted, left out), tokens a second, the
//! peak of memory, and the share of the speed of this machine's matrix products: of those that training uses, in the same
//! precision, and of those with vectors of `f32`. Operations are counted without the
//! adapter: 2 a weight and token forward, and as many backward, as frozen weights have no gradient; the head and its
//! loss at trained tokens only. `scripts/bench/train/run.py` puts it beside `PyTorch` and PEFT.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{DType, Device};
use harness_kernel::{
    Init, Packed, Rows, instructions, keep_candle_on_one_thread, keep_freed_memory, matmul, product,
};
use harness_model::graph::GraphModel;
use harness_model::weights::{Base, Tensors};
use harness_model::{Adapter, Decoder, LoraConfig, ModelConfig, ModelError, Precision, Projection};
use harness_train::gradients::{step_gradients, trainable};
use harness_train::{AdamW, AdamWOptions, GraphObjective, LoraObjective, Objective, TrainExample};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Random(ModelConfig);

impl Tensors for Random {
    fn config(&self) -> &ModelConfig {
        &self.0
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let mut state = name
            .bytes()
            .fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
        let centre = if name.contains("norm") { 1.0 } else { 0.0 };
        let values = (0..shape.iter().product()).map(|_: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let value = centre + ((state >> 40) as f32 / 16_777_216.0 - 0.5) * 0.06;
            // Published checkpoints are bfloat16; so are these.
            f32::from_bits(value.to_bits() & 0xFFFF_0000)
        });
        Ok(values.collect())
    }
}

/// Hidden, intermediate, layers, heads, key heads, head width, vocabulary, family.
fn config(shape: &str) -> ModelConfig {
    let (hidden, intermediate, layers, heads, kv_heads, vocabulary, family) = match shape {
        "135m" => (576, 1536, 30, 9, 3, 49_152, "llama"),
        "0.5b" => (896, 4864, 24, 14, 2, 151_936, "qwen2"),
        "1.5b" => (1536, 8960, 28, 12, 2, 151_936, "qwen2"),
        other => panic!("no shape {other}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let json = serde_json::json!({
        "model_type": family, "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": intermediate,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "max_position_embeddings": 8192, "rope_theta": 1e5, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        "eos_token_id": 2,
    });
    std::fs::write(folder.path().join("config.json"), json.to_string()).unwrap();
    ModelConfig::from_folder(folder.path()).unwrap()
}

fn number(options: &BTreeMap<String, String>, name: &str, default: usize) -> usize {
    options
        .get(name)
        .map_or(default, |value| value.parse().unwrap())
}

fn main() {
    let mut options = BTreeMap::new();
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let name = name.strip_prefix("--").expect("an option").to_owned();
        options.insert(name, arguments.next().expect("a value"));
    }
    let peer = match options.get("peer").map(String::as_str) {
        None => false,
        Some("graph") => true,
        Some(other) => panic!("no peer {other}"),
    };
    if !peer {
        keep_candle_on_one_thread();
    }
    keep_freed_memory();
    let shape = options.get("shape").map_or("135m", String::as_str);
    let (batch, length) = (
        number(&options, "batch", 4),
        number(&options, "length", 256),
    );
    let trained = number(&options, "trained", length - 1).min(length - 1);
    let (rank, steps) = (number(&options, "rank", 16), number(&options, "steps", 10));
    let precision = match options.get("precision").map_or("f32", String::as_str) {
        "f32" => Precision::F32,
        "bf16" => Precision::Bf16,
        other => panic!("no precision {other}"),
    };
    let config = config(shape);
    let base = match options.get("base").map_or("plain", String::as_str) {
        "plain" => Base::Plain,
        "nf4" => Base::Nf4,
        other => panic!("no base {other}"),
    };
    let recompute = options.get("recompute").is_some_and(|it| it == "yes");
    let random = Random(config.clone());
    let decoder =
        (!peer).then(|| Decoder::build(&random, precision, base, &mut |_, _| {}).unwrap());
    let graph = peer.then(|| GraphModel::load(&random, DType::F32, &Device::Cpu).unwrap());
    let lora = LoraConfig {
        rank,
        alpha: 2.0 * rank as f64,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(&config, lora, 1).unwrap();
    let (ours, theirs);
    let objective: &dyn Objective = if let Some(model) = &graph {
        theirs = GraphObjective {
            model,
            adapter: Some(&adapter),
        };
        &theirs
    } else {
        ours = LoraObjective::new(decoder.as_ref().unwrap(), &adapter, recompute);
        &ours
    };
    let vars = trainable(objective).unwrap();
    let mut optimizer = AdamW::new(&vars, AdamWOptions::default()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut seconds = Vec::new();
    let mut before = 0.0;
    for step in 0..=steps {
        let examples: Vec<TrainExample> = (0..batch)
            .map(|i| TrainExample {
                id: i.to_string(),
                prompt: (0..length - trained)
                    .map(|_| random.random_range(0..49_152))
                    .collect(),
                completion: (0..trained)
                    .map(|_| random.random_range(0..49_152))
                    .collect(),
            })
            .collect();
        let examples: Vec<&TrainExample> = examples.iter().collect();
        if step == 1 {
            before = cpu_seconds();
        }
        let start = Instant::now();
        let found = step_gradients(objective, &vars, &examples, batch * length, 1, step).unwrap();
        optimizer.step(1e-4, &found.gradients).unwrap();
        if step > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let cpu = (cpu_seconds() - before) / steps as f64;
    let mut sorted = seconds.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let linear: usize = Projection::ALL
        .iter()
        .map(|projection| {
            let (outputs, inputs) = projection.shape(&config);
            outputs * inputs
        })
        .sum();
    let tokens = batch * length;
    let head = config.vocab_size * config.hidden * batch * trained;
    let flops = 4.0 * (linear * config.layers * tokens + head) as f64;
    let (ceiling, vectors) = products(&config, tokens, precision);
    println!(
        "{}",
        serde_json::json!({
            "side": if peer { "candle" } else { "harness" }, "instructions": instructions().name(), "shape": shape, "batch": batch, "length": length, "trained": trained, "rank": rank,
            "precision": format!("{precision:?}").to_lowercase(), "base": base, "recompute": recompute, "seconds": seconds, "median_s": median, "cpu_s": cpu,
            "tokens_per_s": tokens as f64 / median, "peak_mib": peak_mib(), "gflops": flops / median / 1e9,
            "product_gflops": ceiling, "share": flops / median / 1e9 / ceiling,
            "vector_gflops": vectors, "vector_share": flops / median / 1e9 / vectors,
        })
    );
}

/// The best speed of a feed-forward product of this model in the precision of the run, in 10^9 operations a second: with
/// factors laid out before, as training has them, and with vectors of `f32` alone.
fn products(config: &ModelConfig, tokens: usize, precision: Precision) -> (f64, f64) {
    let (n, k) = (config.intermediate, config.hidden);
    let x: Vec<f32> = (0..tokens * k)
        .map(|i| (i % 17) as f32 * 0.1 - 0.8)
        .collect();
    // Values that are bfloat16, as published weights are.
    let w: Vec<f32> = (0..n * k).map(|i| (i % 13) as f32 * 0.125 - 0.75).collect();
    let w = Packed::rows(&w, n, k, precision);
    let mut rows = Rows::new(precision);
    rows.copy(&x, tokens, k);
    let mut out = vec![0f32; tokens * n];
    let mut best = |run: &mut dyn FnMut(&mut [f32])| {
        let seconds = (0..20).map(|_| {
            let start = Instant::now();
            run(&mut out);
            start.elapsed().as_secs_f64()
        });
        2.0 * (tokens * n * k) as f64 / seconds.fold(f64::INFINITY, f64::min) / 1e9
    };
    (
        best(&mut |out| product(&rows, &w, out, Init::Zero)),
        best(&mut |out| matmul(&x, tokens, &w, out, Init::Zero)),
    )
}

/// Processor time of this process so far, in seconds, in steps of a hundredth; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|it| it.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// Largest resident memory of this process so far; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
