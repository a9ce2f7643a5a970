//! How long it takes until the first forward pass can begin, with the files in the page cache.
//!
//!     load_time [MODEL ...]
//!
//! MODEL is a GGUF file, a safetensors file or a folder; without one, a folder of 1 GB of random bfloat16 weights is
//! made and removed again. Each is loaded three times; the first may still wait for the disk. The time is that of opening and of
//! [`Decoder::load`], in bfloat16.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a tool for developers"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use harness_model::weights::Weights;
use harness_model::{Decoder, Precision};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

const HIDDEN: usize = 2048;
const INNER: usize = 5504;
const KEYS: usize = 1024;
const LAYERS: usize = 9;
const VOCABULARY: usize = 32_000;

fn main() {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let made = tempfile::tempdir().unwrap();
    if paths.is_empty() {
        make(made.path());
        paths.push(made.path().to_owned());
    }
    for path in paths {
        let bytes = size(&path);
        println!("{}: {:.2} GB", path.display(), bytes as f64 / 1e9);
        for _ in 0..3 {
            let begin = Instant::now();
            let weights = Weights::open(&path).unwrap();
            let opened = begin.elapsed().as_secs_f64();
            let decoder = Decoder::load(&weights, Precision::Bf16, &mut |_, _| {}).unwrap();
            let loaded = begin.elapsed().as_secs_f64();
            println!(
                "  open {:.3} s, ready {loaded:.3} s, {:.2} s a GB, {:.2} GB in memory",
                opened,
                loaded / (bytes as f64 / 1e9),
                decoder.bytes() as f64 / 1e9
            );
        }
    }
}

fn size(path: &Path) -> u64 {
    if path.is_file() {
        return fs::metadata(path).unwrap().len();
    }
    let entries = fs::read_dir(path).unwrap();
    let sizes = entries.map(|entry| entry.unwrap().metadata().unwrap().len());
    sizes.sum()
}

/// Writes configuration and weights.
fn make(folder: &Path) {
    let config = json!({
        "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": 16, "num_key_value_heads": 8,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2,
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut tensors: Vec<(String, Vec<usize>)> = vec![
        ("model.embed_tokens.weight".into(), vec![VOCABULARY, HIDDEN]),
        ("lm_head.weight".into(), vec![VOCABULARY, HIDDEN]),
        ("model.norm.weight".into(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (part, shape) in [
            ("input_layernorm", vec![HIDDEN]),
            ("post_attention_layernorm", vec![HIDDEN]),
            ("self_attn.q_proj", vec![HIDDEN, HIDDEN]),
            ("self_attn.k_proj", vec![KEYS, HIDDEN]),
            ("self_attn.v_proj", vec![KEYS, HIDDEN]),
            ("self_attn.o_proj", vec![HIDDEN, HIDDEN]),
            ("mlp.gate_proj", vec![INNER, HIDDEN]),
            ("mlp.up_proj", vec![INNER, HIDDEN]),
            ("mlp.down_proj", vec![HIDDEN, INNER]),
        ] {
            tensors.push((format!("model.layers.{layer}.{part}.weight"), shape));
        }
    }
    let mut header = Map::new();
    let mut end = 0;
    for (name, shape) in &tensors {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        let entry = json!({"dtype": "BF16", "shape": shape, "data_offsets": [start, end]});
        header.insert(name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    let mut out = BufWriter::new(File::create(folder.join("model.safetensors")).unwrap());
    out.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    out.write_all(header.as_bytes()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut block = vec![0u8; 1 << 20];
    while end > 0 {
        rng.fill_bytes(&mut block);
        for value in block.chunks_exact_mut(2) {
            // Any sign and fraction, of magnitude 2^-7 to 2^-6.
            value[1] = value[1] & 0x80 | 0x3c;
        }
        let count = end.min(block.len());
        out.write_all(&block[..count]).unwrap();
        end -= count;
    }
    out.flush().unwrap();
}
