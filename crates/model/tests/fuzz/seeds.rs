//! The small valid files that are damaged.

use serde_json::{Value, json};

use super::Target;

/// The files of a reader.
pub fn of(target: Target) -> Vec<Vec<u8>> {
    match target {
        Target::Gguf => vec![
            gguf("llama", &plain_tensors(), &[]),
            gguf("qwen2", &plain_tensors(), &[("general.alignment", Key::U32(64))]),
            gguf(
                "llama",
                &[("token_embd.weight", &[8, 32], 8, 272), ("output.weight", &[2, 256], 14, 420)],
                &vocabulary(false),
            ),
        ],
        Target::Safetensors => vec![
            safetensors(&json!({
                "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
                "__metadata__": {"format": "pt"},
            }), 32),
            safetensors(&json!({
                "model.norm.weight": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]},
                "e": {"dtype": "I64", "shape": [0, 7], "data_offsets": [2, 2]},
            }), 2),
        ],
        Target::TokenizerJson => [
            tokenizer(&Value::Null, &Value::Null),
            tokenizer(
                &json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}),
                &json!({"type": "NFC"}),
            ),
            tokenizer(
                &json!({"type": "Digits", "individual_digits": true}),
                &json!({"type": "Sequence", "normalizers": [
                    {"type": "Prepend", "prepend": "\u{2581}"},
                    {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"},
                ]}),
            ),
        ]
        .iter()
        .map(|it| it.to_string().into_bytes())
        .collect(),
        Target::Vocabulary => vec![
            gguf("llama", &plain_tensors(), &vocabulary(false)),
            gguf("llama", &plain_tensors(), &vocabulary(true)),
        ],
    }
}

/// Values of metadata.
enum Key {
    U32(u32),
    F32(f32),
    Flag(bool),
    Text(&'static str),
    Texts(Vec<&'static str>),
    I32s(Vec<i32>),
    F32s(Vec<f32>),
}

/// Name, shape from the outermost dimension, block format and bytes.
type Tensor = (&'static str, &'static [u64], u32, usize);

fn plain_tensors() -> [Tensor; 2] {
    [
        ("token_embd.weight", &[3, 4], 0, 48),
        ("blk.0.attn_q.weight", &[4, 4], 1, 32),
    ]
}

fn vocabulary(characters: bool) -> Vec<(&'static str, Key)> {
    let mut keys = vec![
        ("tokenizer.ggml.bos_token_id", Key::U32(1)),
        ("tokenizer.ggml.add_bos_token", Key::Flag(true)),
    ];
    if characters {
        keys.extend([
            ("tokenizer.ggml.model", Key::Text("llama")),
            (
                "tokenizer.ggml.tokens",
                Key::Texts(vec![
                    "<unk>",
                    "<s>",
                    "a",
                    "b",
                    "ab",
                    "<0x41>",
                    "\u{2581}",
                    "\u{2581}a",
                ]),
            ),
            (
                "tokenizer.ggml.scores",
                Key::F32s(vec![0.0, 0.0, -1.0, -2.0, -3.0, 0.0, -4.0, -5.0]),
            ),
            (
                "tokenizer.ggml.token_type",
                Key::I32s(vec![2, 3, 1, 1, 1, 6, 1, 1]),
            ),
        ]);
    } else {
        keys.extend([
            ("tokenizer.ggml.model", Key::Text("gpt2")),
            ("tokenizer.ggml.pre", Key::Text("smollm")),
            (
                "tokenizer.ggml.tokens",
                Key::Texts(vec![
                    "a",
                    "b",
                    "ab",
                    "\u{120}",
                    "\u{120}a",
                    "<|im_end|>",
                    "S",
                    "E",
                ]),
            ),
            (
                "tokenizer.ggml.merges",
                Key::Texts(vec!["a b", "\u{120} a"]),
            ),
            (
                "tokenizer.ggml.token_type",
                Key::I32s(vec![1, 1, 1, 1, 1, 3, 1, 4]),
            ),
        ]);
    }
    keys
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn gguf(arch: &'static str, tensors: &[Tensor], extra: &[(&str, Key)]) -> Vec<u8> {
    let own = |name: &str| format!("{arch}.{name}");
    let mut keys: Vec<(String, &Key)> = Vec::new();
    let general = Key::Text(arch);
    keys.push(("general.architecture".to_owned(), &general));
    let (one, four, sixteen) = (Key::U32(1), Key::U32(4), Key::U32(16));
    let (base, eps) = (Key::F32(10_000.0), Key::F32(1e-5));
    for (name, value) in [
        ("block_count", &one),
        ("context_length", &sixteen),
        ("embedding_length", &four),
        ("feed_forward_length", &sixteen),
        ("attention.head_count", &one),
        ("attention.head_count_kv", &one),
        ("rope.freq_base", &base),
        ("attention.layer_norm_rms_epsilon", &eps),
    ] {
        keys.push((own(name), value));
    }
    keys.extend(
        extra
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value)),
    );

    let mut out = b"GGUF".to_vec();
    out.extend(3_u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((keys.len() as u64).to_le_bytes());
    for (name, value) in keys {
        text(&mut out, &name);
        put(&mut out, value);
    }
    let alignment = if extra.iter().any(|(name, _)| *name == "general.alignment") {
        64
    } else {
        32
    };
    let mut start = 0_usize;
    for (name, shape, code, bytes) in tensors {
        text(&mut out, name);
        out.extend((shape.len() as u32).to_le_bytes());
        out.extend(shape.iter().rev().flat_map(|n| n.to_le_bytes()));
        out.extend(code.to_le_bytes());
        out.extend((start as u64).to_le_bytes());
        start = (start + bytes).next_multiple_of(alignment);
    }
    out.resize(out.len().next_multiple_of(alignment) + start, 0);
    out
}

fn put(out: &mut Vec<u8>, value: &Key) {
    let array = |out: &mut Vec<u8>, kind: u32, len: usize| {
        out.extend(9_u32.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend((len as u64).to_le_bytes());
    };
    match value {
        Key::U32(v) => {
            out.extend(4_u32.to_le_bytes());
            out.extend(v.to_le_bytes());
        }
        Key::F32(v) => {
            out.extend(6_u32.to_le_bytes());
            out.extend(v.to_le_bytes());
        }
        Key::Flag(v) => {
            out.extend(7_u32.to_le_bytes());
            out.push(u8::from(*v));
        }
        Key::Text(v) => {
            out.extend(8_u32.to_le_bytes());
            text(out, v);
        }
        Key::Texts(all) => {
            array(out, 8, all.len());
            for own in all {
                text(out, own);
            }
        }
        Key::I32s(all) => {
            array(out, 5, all.len());
            out.extend(all.iter().flat_map(|v| v.to_le_bytes()));
        }
        Key::F32s(all) => {
            array(out, 6, all.len());
            out.extend(all.iter().flat_map(|v| v.to_le_bytes()));
        }
    }
}

fn safetensors(header: &Value, data: usize) -> Vec<u8> {
    let header = header.to_string();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.as_bytes());
    out.resize(out.len() + data, 0);
    out
}

fn tokenizer(pre: &Value, normalizer: &Value) -> Value {
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [{"id": 5, "content": "<|im_end|>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}],
        "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3, "\u{2581}": 4, "<|im_end|>": 5, "<0x41>": 6, "\u{2581}ab": 7},
            "merges": [["a", "b"], ["\u{2581}", "ab"]]},
    })
}
