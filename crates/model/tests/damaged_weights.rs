//! Weights with one fault each: the error names tensor or key, what was expected, and what was found.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{Gguf, tiny};
use harness_model::check::check;
use harness_model::weights::Weights;
use harness_model::{Decoder, Precision};
use serde_json::{Map, Value, json};

/// Name, type, shape, offsets from the end of the header.
type Entry<'a> = (&'a str, &'a str, &'a [usize], [u64; 2]);

fn entry((name, dtype, shape, offsets): &Entry<'_>) -> String {
    format!(
        "{name:?}:{}",
        json!({"dtype": dtype, "shape": shape, "data_offsets": offsets})
    )
}

/// A safetensors file of a header and so many bytes of data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(entries: &[Entry<'_>]) -> String {
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!("{{{}}}", entries.join(","))
}

const CONFIG: &str = r#"{"model_type": "llama", "vocab_size": 3, "hidden_size": 4, "intermediate_size": 8,
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 16,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true}"#;

/// Names and shapes of the model of [`CONFIG`].
const MODEL: [(&str, &[usize]); 11] = [
    ("model.embed_tokens.weight", &[3, 4]),
    ("model.layers.0.input_layernorm.weight", &[4]),
    ("model.layers.0.mlp.down_proj.weight", &[4, 8]),
    ("model.layers.0.mlp.gate_proj.weight", &[8, 4]),
    ("model.layers.0.mlp.up_proj.weight", &[8, 4]),
    ("model.layers.0.post_attention_layernorm.weight", &[4]),
    ("model.layers.0.self_attn.k_proj.weight", &[2, 4]),
    ("model.layers.0.self_attn.o_proj.weight", &[4, 4]),
    ("model.layers.0.self_attn.q_proj.weight", &[4, 4]),
    ("model.layers.0.self_attn.v_proj.weight", &[2, 4]),
    ("model.norm.weight", &[4]),
];

/// Writes the tensors, all of ones but for a value of `odd`, as `name`.
fn write(folder: &Path, name: &str, tensors: &[(&str, &[usize])], odd: Option<(&str, usize)>) {
    let (mut entries, mut data) = (Map::new(), Vec::new());
    for (tensor, shape) in tensors {
        let start = data.len();
        for place in 0..shape.iter().product() {
            let value: f32 = if odd == Some((*tensor, place)) {
                f32::NAN
            } else {
                1.0
            };
            data.extend(value.to_le_bytes());
        }
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        entries.insert((*tensor).to_owned(), entry);
    }
    fs::write(
        folder.join(name),
        file(&Value::Object(entries).to_string(), &data),
    )
    .unwrap();
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), CONFIG).unwrap();
    folder
}

#[test]
fn faults_of_a_safetensors_header_name_tensor_and_figures() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let two = |second: Entry<'_>| header(&[("a", "F32", &[2], [0, 8]), second]);
    for (text, data, expected) in [
        (
            header(&[("a", "F32", &[3], [0, 8])]),
            8,
            "tensor a has 8 bytes, expected 12 for F32 [3]",
        ),
        (
            header(&[("a", "F32", &[2], [8, 0])]),
            8,
            "tensor a has 0 bytes, expected 8 for F32 [2]",
        ),
        (
            two(("b", "BF16", &[2], [4, 8])),
            8,
            "tensor b begins at byte N+4, expected N+8 or later, where tensor a ends",
        ),
        (
            two(("b", "BF16", &[2], [0, 4])),
            8,
            "tensor a begins at byte N+0, expected N+4 or later, where tensor b ends",
        ),
        (
            two(("b", "BF16", &[2], [10, 14])),
            14,
            "tensor b begins at byte N+10, expected N+8, where the data before it end",
        ),
        (
            two(("b", "BF16", &[2], [8, 12])),
            9,
            "truncated: tensor b ends at byte N+12, but the file has N+9 bytes",
        ),
        (
            two(("b", "BF16", &[2], [8, 12])),
            13,
            "the tensors end at byte N+12, the file at N+13",
        ),
        (
            two(("a", "F32", &[2], [8, 16])),
            16,
            "tensor a stands here twice; expected once",
        ),
        (
            header(&[("a", "F32", &[usize::MAX, 2], [0, 8])]),
            8,
            "tensor a: F32 of shape [18446744073709551615, 2] has no size in bytes",
        ),
        (
            header(&[("a", "F33", &[2], [0, 8])]),
            8,
            "malformed safetensors: unknown variant `F33`",
        ),
        ("[]".to_owned(), 0, "expected an object of tensors"),
    ] {
        fs::write(&path, file(&text, &vec![0; data])).unwrap();
        let start = 8 + text.len();
        let mut expected = expected.to_owned();
        for offset in (0..17).rev() {
            let said = format!("N+{offset}");
            expected = expected.replace(&said, &(start + offset).to_string());
        }
        let error = Weights::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&expected), "{error}\nexpected {expected}");
        assert!(error.contains("model.safetensors"), "{error}");
    }
}

#[test]
fn faults_of_an_index_name_tensor_and_shard() {
    let folder = folder();
    for name in ["x", "y"] {
        let file = format!("{name}.safetensors");
        write(folder.path(), &file, &[(name, &[1])], None);
    }
    write(folder.path(), "again.safetensors", &[("x", &[1])], None);
    for (map, expected) in [
        (
            r#"{"x": "x.safetensors", "y": "gone.safetensors"}"#,
            "shard gone.safetensors is not here, which tensor y should be in",
        ),
        (
            r#"{"x": "x.safetensors", "y": "x.safetensors"}"#,
            "x.safetensors: tensor y is missing",
        ),
        (
            r#"{"x": "y.safetensors", "y": "x.safetensors"}"#,
            "tensor x is in shard x.safetensors, expected by the index in y.safetensors",
        ),
        (
            r#"{"x": "x.safetensors", "x": "y.safetensors"}"#,
            "tensor x stands here twice; expected once",
        ),
        (
            r#"{"x": "x.safetensors", "z": "again.safetensors"}"#,
            "tensor x stands here twice; expected once, it is in",
        ),
        (r#"{"x": "/x.safetensors"}"#, "is not a plain file name"),
        (r#"["x"]"#, "expected an object from tensors to file names"),
    ] {
        let text = format!("{{\"weight_map\": {map}}}");
        fs::write(folder.path().join("model.safetensors.index.json"), text).unwrap();
        let error = Weights::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nexpected {expected}");
    }
}

#[test]
fn overlapping_and_crooked_tensors_of_a_gguf_are_refused() {
    let embedding: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let gguf = tiny("llama")
        .floats("token_embd.weight", &[3, 4], &embedding)
        .floats("output_norm.weight", &[4], &[1.0; 4]);
    let whole = gguf.bytes();
    // The offset of the second tensor is the last number of its entry: 64, behind 48 bytes and padding.
    let at = whole
        .windows(8)
        .rposition(|it| it == 64_u64.to_le_bytes())
        .unwrap();
    for (offset, expected) in [
        (32_u64, "tensor output_norm.weight begins at byte"),
        (0, "where tensor output_norm.weight ends"),
        (68, "expected a multiple of 32"),
        (96, "truncated: tensor output_norm.weight ends at byte"),
        (
            u64::MAX - 31,
            "truncated: tensor output_norm.weight ends at byte",
        ),
    ] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].copy_from_slice(&offset.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        let error = Weights::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nexpected {expected}");
    }
    gguf.floats("output_norm.weight", &[4], &[1.0; 4])
        .write(&path);
    let error = Weights::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("tensor output_norm.weight stands here twice"),
        "{error}"
    );
}

#[test]
fn heads_that_do_not_divide_are_a_contradiction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    for (heads, kv_heads, expected) in [
        (
            3,
            3,
            "key llama.embedding_length is 4, expected a multiple of the 3 attention heads",
        ),
        (
            2,
            3,
            "key llama.attention.head_count_kv is 3, expected a divisor of the 2 attention heads",
        ),
        (
            4,
            1,
            "key llama.attention.key_length is 1, expected an even number",
        ),
        (
            0,
            1,
            "key llama.embedding_length is 4, expected a multiple of the 0 attention heads",
        ),
    ] {
        Gguf::default()
            .text("general.architecture", "llama")
            .u32("llama.block_count", 1)
            .u32("llama.context_length", 16)
            .u32("llama.embedding_length", 4)
            .u32("llama.feed_forward_length", 8)
            .u32("llama.attention.head_count", heads)
            .u32("llama.attention.head_count_kv", kv_heads)
            .f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
            .floats("token_embd.weight", &[3, 4], &[0.5; 12])
            .write(&path);
        let error = Weights::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nexpected {expected}");
    }
}

fn load(folder: &Path) -> Result<Decoder, String> {
    let weights = Weights::open(folder).map_err(|e| e.to_string())?;
    Decoder::load(&weights, Precision::F32, &mut |_, _| {}).map_err(|e| e.to_string())
}

#[test]
fn a_whole_model_loads_and_a_tensor_without_a_place_is_refused() {
    let folder = folder();
    let name = "model.safetensors";
    write(folder.path(), name, &MODEL, None);
    load(folder.path()).unwrap();
    assert!(
        check(folder.path())
            .faults
            .iter()
            .all(|it| it.at == "tokenizer")
    );

    for surplus in [
        "model.layers.1.input_layernorm.weight",
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.0.self_attn.q_norm.weight",
    ] {
        let mut tensors = MODEL.to_vec();
        tensors.push((surplus, &[4]));
        write(folder.path(), name, &tensors, None);
        let error = load(folder.path()).unwrap_err();
        let expected = format!("tensor {surplus} has no place in the model of 1 layers");
        assert!(error.contains(&expected), "{error}");
    }
    let mut tensors = MODEL.to_vec();
    tensors.push(("model.layers.0.self_attn.rotary_emb.inv_freq", &[2]));
    write(folder.path(), name, &tensors, None);
    load(folder.path()).unwrap();

    let damaged = "model.layers.0.mlp.up_proj.weight";
    write(folder.path(), name, &MODEL, Some((damaged, 21)));
    let error = load(folder.path()).unwrap_err();
    let expected =
        format!("tensor {damaged} holds 1 values that are not finite, the first at index 21");
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_check_lists_every_fault_at_once() {
    let folder = folder();
    let mut tensors: Vec<(&str, &[usize])> = MODEL.to_vec();
    tensors.retain(|(name, _)| *name != "model.norm.weight");
    for (name, shape) in &mut tensors {
        if name.ends_with("v_proj.weight") {
            *shape = &[4, 2];
        }
    }
    tensors.push(("model.layers.7.input_layernorm.weight", &[4]));
    let odd = "model.embed_tokens.weight";
    write(folder.path(), "model.safetensors", &tensors, Some((odd, 5)));
    let report = check(folder.path());
    let found: Vec<String> = report
        .faults
        .iter()
        .map(|it| format!("{}: expected {}, found {}", it.at, it.expected, it.found))
        .collect();
    let expected = [
        "tensor model.embed_tokens.weight: expected finite values, found 1 that are not, the first at index 5",
        "tensor model.layers.0.self_attn.v_proj.weight: expected shape [2, 4], found shape [4, 2]",
        "tensor model.layers.7.input_layernorm.weight: expected no such tensor in this model of 1 layers, found there",
        "tensor model.norm.weight: expected shape [4], found missing",
        "tokenizer: expected a tokenizer that can be built, found",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for expected in expected {
        assert!(
            found.iter().any(|it| it.starts_with(expected)),
            "{expected} in {found:#?}"
        );
    }
    assert_eq!((report.tensors, report.tokens), (11, None));
}

#[test]
fn a_fault_does_not_hide_those_of_other_files() {
    let folder = folder();
    write(
        folder.path(),
        "a.safetensors",
        &MODEL[..4],
        Some((MODEL[1].0, 2)),
    );
    fs::write(folder.path().join("b.safetensors"), [9]).unwrap();
    let shards = ["a", "b", "c", "d"].map(|it| format!("{it}.safetensors"));
    let map: Map<String, Value> = MODEL
        .iter()
        .zip([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3])
        .map(|((name, _), shard): (_, usize)| ((*name).to_owned(), json!(shards[shard])))
        .collect();
    let index = json!({ "weight_map": map }).to_string();
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    let config = CONFIG.replace("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 3");
    fs::write(folder.path().join("config.json"), config).unwrap();
    let report = check(folder.path());
    let found: Vec<&str> = report.faults.iter().map(|it| it.at.as_str()).collect();
    for expected in [
        "tensor model.layers.0.input_layernorm.weight",
        "file",
        "shard c.safetensors",
        "shard d.safetensors",
        "key num_key_value_heads",
        "tokenizer",
    ] {
        assert!(found.contains(&expected), "{expected} in {found:?}");
    }
    assert_eq!(found.len(), 6, "{:#?}", report.faults);
}
