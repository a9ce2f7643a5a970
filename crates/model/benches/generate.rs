//! Seconds of greedy answers, at the shapes of real models with random weights or with the weights of a checkpoint:
//!
//!     cargo bench -p harness-model --bench generate --profile release -- [--shape 135m|0.5b|1.5b] [--batch N]
//!         [--prompt N] [--new N] [--precision f32|bf16] [--rank N] [--rounds N]
//!     … -- --weights FILE [--base plain|codes] …
//!     … -- --weights FOLDER --prompts FILE [--ends ID,ID] [--batch N] [--new N] [--answers FILE]
//!     … -- --completions N [--prompt N] [--new N]
//!
//! With `--completions` it does not answer: so many random prompts are given with random completions, and their
//! log-probabilities are asked for.
//!
//! FILE has a line of JSON a prompt, a list of token ids. It prints one line of JSON: the seconds of each round (the first,
//! which is not counted, left out where there are several), answers and tokens a second, the peak of memory.
//! `scripts/bench/generate/run.py` puts it beside transformers.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use harness_model::weights::{Base, Tensors, Weights};
use harness_model::{
    Adapter, AdapterWeights, Decoder, Engine, GenerateOptions, LoraConfig, ModelConfig, ModelError,
    Precision, Projection, keep_candle_on_one_thread, keep_freed_memory,
};
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
        let seed = name
            .bytes()
            .fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let centre = if name.contains("norm") { 1.0 } else { 0.0 };
        // Published checkpoints are bfloat16; so are these.
        let values = (0..shape.iter().product()).map(|_: usize| {
            let value: f32 = centre + random.random_range(-0.03..0.03);
            f32::from_bits(value.to_bits() & 0xFFFF_0000)
        });
        Ok(values.collect())
    }
}

/// Hidden, intermediate, layers, heads, key heads, vocabulary, family.
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

fn main() {
    keep_candle_on_one_thread();
    keep_freed_memory();
    let mut options = BTreeMap::new();
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let name = name.strip_prefix("--").expect("an option").to_owned();
        options.insert(name, arguments.next().expect("a value"));
    }
    let number = |name: &str, default: usize| {
        options
            .get(name)
            .map_or(default, |value| value.parse().unwrap())
    };
    let precision = match options.get("precision").map_or("f32", String::as_str) {
        "f32" => Precision::F32,
        "bf16" => Precision::Bf16,
        other => panic!("no precision {other}"),
    };
    let shape = options.get("shape").map_or("135m", String::as_str);
    let decoder = match options.get("weights") {
        Some(folder) => {
            let weights = Weights::open(Path::new(folder)).unwrap();
            let base = match options.get("base").map_or("plain", String::as_str) {
                "plain" => Base::Plain,
                "codes" => Base::Codes,
                other => panic!("no base {other}"),
            };
            Decoder::load_base(&weights, precision, base, &mut |_, _| {}).unwrap()
        }
        None => Decoder::load_tensors(&Random(config(shape)), precision, &mut |_, _| {}).unwrap(),
    };
    let batch = number("batch", 1);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let prompts: Vec<Vec<u32>> = match options.get("prompts") {
        Some(file) => std::fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        None => (0..batch)
            .map(|_| {
                let ids = (0..number("prompt", 256)).map(|_| random.random_range(3..49_152));
                ids.collect()
            })
            .collect(),
    };
    let ends = options.get("ends").map_or(Vec::new(), |ids| {
        ids.split(',').map(|id| id.parse().unwrap()).collect()
    });
    let generate = GenerateOptions {
        batch_size: batch,
        max_new_tokens: number("new", 64),
        end_tokens: ends,
        cache_bytes: None,
    };
    let rank = number("rank", 0);
    let adapter = (rank > 0).then(|| adapter(&decoder, rank));
    let engine = Engine::new(&decoder, adapter.as_ref());
    let rounds = number("rounds", 1);
    let mut seconds = Vec::new();
    let mut answers = vec![Vec::new(); prompts.len()];
    let mut work = None;
    if let Some(count) = options.get("completions") {
        let pair = |random: &mut ChaCha8Rng, length: usize| -> Vec<u32> {
            (0..length)
                .map(|_| random.random_range(3..49_152))
                .collect()
        };
        let pairs: Vec<(Vec<u32>, Vec<u32>)> = (0..count.parse().unwrap())
            .map(|_| {
                (
                    pair(&mut random, number("prompt", 256)),
                    pair(&mut random, number("new", 64)),
                )
            })
            .collect();
        let start = Instant::now();
        let mut nats = 0.0;
        engine
            .completion_losses::<ModelError>(&pairs, &mut |_, loss| {
                nats += loss.nats;
                Ok(())
            })
            .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{}",
            serde_json::json!({
                "side": "harness", "shape": shape, "completions": pairs.len(), "seconds": [seconds], "median_s": seconds,
                "nats": nats, "peak_mib": peak_mib(),
            })
        );
        return;
    }
    for round in 0..=rounds {
        // With real prompts a round is long enough not to need a first one that is not counted.
        if round == 0 && options.contains_key("prompts") {
            continue;
        }
        let start = Instant::now();
        let found = engine
            .generate::<ModelError>(&prompts, &generate, &|_| false, &mut |index, answer| {
                answers[index] = answer.tokens;
                Ok(())
            })
            .unwrap();
        if round > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
        work = Some(found);
    }
    if let Some(file) = options.get("answers") {
        let lines: Vec<String> = answers
            .iter()
            .map(|answer| format!("{answer:?}\n"))
            .collect();
        std::fs::write(file, lines.concat()).unwrap();
    }
    let mut sorted = seconds.clone();
    sorted.sort_by(f64::total_cmp);
    let (median, work) = (sorted[sorted.len() / 2], work.unwrap());
    println!(
        "{}",
        serde_json::json!({
            "side": "harness", "shape": shape, "batch": batch, "precision": format!("{precision:?}").to_lowercase(),
            "rank": rank, "prompts": prompts.len(), "seconds": seconds, "median_s": median,
            "prompt_tokens": work.prompt_tokens, "shared_tokens": work.shared_tokens,
            "generated_tokens": work.generated_tokens, "passes": work.passes,
            "tokens_per_s": work.generated_tokens as f64 / median, "peak_mib": peak_mib(),
        })
    );
}

/// An adapter on all projections that changes something.
fn adapter(decoder: &Decoder, rank: usize) -> AdapterWeights {
    let lora = LoraConfig {
        rank,
        alpha: 2.0 * rank as f64,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(decoder.config(), lora, 1).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let values = var.as_tensor().ones_like().unwrap().affine(1e-3, 0.0);
            var.set(&values.unwrap()).unwrap();
        }
    }
    AdapterWeights::new(&adapter, decoder.config().layers).unwrap()
}

/// Largest resident memory of this process so far; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
