//! A tiny random checkpoint in Hugging Face layout: it answers at once, and nearly always with nonsense.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

const INTERMEDIATE: usize = 48;
const LAYERS: usize = 2;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
/// The 256 bytes, and the two tokens below.
const VOCABULARY: usize = 258;
const SPECIALS: [(&str, usize); 2] = [("<|endoftext|>", 256), ("<|im_end|>", 257)];

/// A checkpoint that a test may spoil before it is written.
pub struct Checkpoint {
    pub config: Value,
    pub tokenizer: Value,
    /// Shape and values by name.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Checkpoint {
    /// A model of two layers with this width, a multiple of 8.
    pub fn new(hidden: usize) -> Self {
        let config = json!({
            "model_type": "llama", "architectures": ["LlamaForCausalLM"],
            "vocab_size": VOCABULARY, "hidden_size": hidden, "intermediate_size": INTERMEDIATE,
            "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
            "max_position_embeddings": 512, "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
            "tie_word_embeddings": false, "hidden_act": "silu", "eos_token_id": 256,
        });
        Self {
            config,
            tokenizer: tokenizer(),
            tensors: tensors(hidden),
        }
    }

    /// Writes `config.json`, `tokenizer.json` and `model.safetensors` into a new folder.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("config.json"), self.config.to_string()).unwrap();
        fs::write(folder.join("tokenizer.json"), self.tokenizer.to_string()).unwrap();
        let mut header = Map::new();
        let mut body: Vec<u8> = Vec::new();
        for (name, (shape, values)) in &self.tensors {
            let start = body.len();
            body.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let entry =
                json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, body.len()] });
            header.insert(name.clone(), entry);
        }
        let mut header = Value::Object(header).to_string().into_bytes();
        // The values begin at a multiple of eight bytes.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.extend(body);
        fs::write(folder.join("model.safetensors"), file).unwrap();
    }
}

fn tensors(hidden: usize) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut tensors = BTreeMap::new();
    let mut add = |name: String, shape: &[usize], spread: f32, centre: f32| {
        let count: usize = shape.iter().product();
        let values = (0..count)
            .map(|_| centre + rng.random_range(-spread..spread))
            .collect();
        tensors.insert(name, (shape.to_vec(), values));
    };
    let kv = hidden / HEADS * KV_HEADS;
    add(
        "model.embed_tokens.weight".into(),
        &[VOCABULARY, hidden],
        0.5,
        0.0,
    );
    add("lm_head.weight".into(), &[VOCABULARY, hidden], 0.5, 0.0);
    add("model.norm.weight".into(), &[hidden], 0.1, 1.0);
    for layer in 0..LAYERS {
        for (part, outputs, inputs) in [
            ("self_attn.q_proj", hidden, hidden),
            ("self_attn.k_proj", kv, hidden),
            ("self_attn.v_proj", kv, hidden),
            ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", INTERMEDIATE, hidden),
            ("mlp.up_proj", INTERMEDIATE, hidden),
            ("mlp.down_proj", hidden, INTERMEDIATE),
        ] {
            let name = format!("model.layers.{layer}.{part}.weight");
            add(name, &[outputs, inputs], 0.3, 0.0);
        }
        for part in ["input_layernorm", "post_attention_layernorm"] {
            let name = format!("model.layers.{layer}.{part}.weight");
            add(name, &[hidden], 0.1, 1.0);
        }
    }
    tensors
}

/// Byte-level BPE without a merge: each byte is a token.
fn tokenizer() -> Value {
    let mut vocabulary = Map::new();
    let mut hidden = 0;
    for byte in 0..=255_u8 {
        // Bytes that are no visible character of Latin-1 are written as characters from U+0100 on.
        let visible = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let character = if visible {
            char::from(byte)
        } else {
            hidden += 1;
            char::from_u32(0xff + hidden).unwrap()
        };
        vocabulary.insert(character.to_string(), json!(byte));
    }
    let added: Vec<Value> = SPECIALS
        .iter()
        .map(|(content, id)| {
            json!({
                "id": id, "content": content, "special": true, "single_word": false,
                "lstrip": false, "rstrip": false, "normalized": false,
            })
        })
        .collect();
    let bytes = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
    });
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "added_tokens": added, "pre_tokenizer": bytes, "post_processor": null, "decoder": bytes,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": [],
        },
    })
}
