//! Tiny random models, written as a checkpoint folder and kept as tensors for reference implementations.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use harness_kernel::Precision;
use harness_model::Decoder;
use harness_model::weights::Weights;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const HIDDEN: usize = 32;
pub const INTERMEDIATE: usize = 48;
pub const LAYERS: usize = 3;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const HEAD_DIM: usize = 8;
pub const VOCABULARY: usize = 101;
pub const THETA: f64 = 5000.0;
pub const EPSILON: f64 = 1e-5;

/// What sets a model apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    pub name: &'static str,
    pub tied: bool,
    /// Biases of all projections of attention and of the feed-forward part.
    pub biased: bool,
    /// Positions a query sees, in all layers but the first of a family that says from where on.
    pub window: Option<usize>,
    /// What the rotary frequencies are divided by.
    pub factor: f64,
}

const PLAIN: Kind = Kind {
    name: "llama",
    tied: false,
    biased: false,
    window: None,
    factor: 1.0,
};

/// Models that differ in what the decoder computes.
pub const KINDS: [Kind; 7] = [
    PLAIN,
    Kind {
        tied: true,
        ..PLAIN
    },
    Kind {
        name: "qwen2",
        tied: true,
        ..PLAIN
    },
    Kind {
        biased: true,
        factor: 4.0,
        ..PLAIN
    },
    Kind {
        name: "mistral",
        window: Some(4),
        ..PLAIN
    },
    Kind {
        name: "qwen2",
        window: Some(3),
        ..PLAIN
    },
    Kind {
        name: "qwen3",
        tied: true,
        ..PLAIN
    },
];

impl Kind {
    /// Whether a query of this layer sees the latest positions only.
    pub fn window_of(&self, layer: usize) -> Option<usize> {
        self.window.filter(|_| self.name != "qwen2" || layer > 0)
    }

    fn has_bias(&self, part: &str) -> bool {
        let first = ["q_proj", "k_proj", "v_proj"]
            .iter()
            .any(|p| part.ends_with(p));
        self.biased || (self.name == "qwen2" && first)
    }
}

pub struct Tiny {
    pub kind: Kind,
    pub tensors: BTreeMap<String, Tensor>,
    pub decoder: Decoder,
}

pub fn tiny(kind: Kind, seed: u64) -> Tiny {
    tiny_in(kind, seed, Precision::F32)
}

pub fn tiny_in(kind: Kind, seed: u64, precision: Precision) -> Tiny {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = BTreeMap::new();
    let mut add = |name: String, shape: &[usize], spread: f32, centre: f32| {
        let count = shape.iter().product();
        let data: Vec<f32> = (0..count)
            .map(|_| centre + rng.random_range(-spread..spread))
            .collect();
        tensors.insert(name, Tensor::from_vec(data, shape, &Device::Cpu).unwrap());
    };
    add(
        "model.embed_tokens.weight".into(),
        &[VOCABULARY, HIDDEN],
        0.5,
        0.0,
    );
    if !kind.tied {
        add("lm_head.weight".into(), &[VOCABULARY, HIDDEN], 0.5, 0.0);
    }
    add("model.norm.weight".into(), &[HIDDEN], 0.3, 1.0);
    let kv = KV_HEADS * HEAD_DIM;
    for layer in 0..LAYERS {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        for (part, outputs, inputs) in [
            ("self_attn.q_proj", HIDDEN, HIDDEN),
            ("self_attn.k_proj", kv, HIDDEN),
            ("self_attn.v_proj", kv, HIDDEN),
            ("self_attn.o_proj", HIDDEN, HIDDEN),
            ("mlp.gate_proj", INTERMEDIATE, HIDDEN),
            ("mlp.up_proj", INTERMEDIATE, HIDDEN),
            ("mlp.down_proj", HIDDEN, INTERMEDIATE),
        ] {
            add(
                name(&format!("{part}.weight")),
                &[outputs, inputs],
                0.4,
                0.0,
            );
            if kind.has_bias(part) {
                add(name(&format!("{part}.bias")), &[outputs], 0.3, 0.0);
            }
        }
        if kind.name == "qwen3" {
            for part in ["self_attn.q_norm.weight", "self_attn.k_norm.weight"] {
                add(name(part), &[HEAD_DIM], 0.3, 1.0);
            }
        }
        add(name("input_layernorm.weight"), &[HIDDEN], 0.3, 1.0);
        add(name("post_attention_layernorm.weight"), &[HIDDEN], 0.3, 1.0);
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), kind, &tensors);
    let weights = Weights::open(folder.path()).unwrap();
    let decoder = Decoder::load(&weights, precision, &mut |_, _| {}).unwrap();
    Tiny {
        kind,
        tensors,
        decoder,
    }
}

/// Writes a checkpoint.
pub fn write(folder: &Path, kind: Kind, tensors: &BTreeMap<String, Tensor>) {
    let config = serde_json::json!({
        "model_type": kind.name, "sliding_window": kind.window, "use_sliding_window": kind.name == "qwen2" && kind.window.is_some(),
        "max_window_layers": 1, "attention_bias": kind.biased, "mlp_bias": kind.biased, "head_dim": HEAD_DIM,
        "rope_scaling": {"type": "linear", "factor": kind.factor},
        "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": 256, "rope_theta": THETA, "rms_norm_eps": EPSILON,
        "tie_word_embeddings": kind.tied, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let map: HashMap<String, Tensor> = tensors.clone().into_iter().collect();
    candle_core::safetensors::save(&map, folder.join("model.safetensors")).unwrap();
}

pub fn tokens(seed: u64, count: usize) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| rng.random_range(3..VOCABULARY as u32))
        .collect()
}
