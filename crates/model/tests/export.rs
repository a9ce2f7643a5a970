//! Exports of tiny models of every family, with an adapter: what is read again computes the same, in both layouts.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::path::Path;

use candle_core::{Device, Tensor, Var};
use common::Gguf;
use harness_model::chat::{ChatTemplate, Message, Role};
use harness_model::config::Family;
use harness_model::export::{ExportError, Proof, Source, to_folder, to_gguf};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::weights::gguf::BlockType;
use harness_model::{
    Adapter, Decoder, Engine, FullModel, LoraConfig, ModelConfig, Precision, Projection,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const TEMPLATE: &str = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}";
const ROWS: usize = 320;

/// The letters that stand for the 256 bytes in a byte-level vocabulary.
fn byte_letters() -> Vec<char> {
    let plain = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 256;
    (0..=255_u8)
        .map(|b| {
            if plain(b) {
                return char::from(b);
            }
            next += 1;
            char::from_u32(next - 1).unwrap()
        })
        .collect()
}

/// A byte-level vocabulary with a few merges and two special tokens; ids 260 and 261.
fn byte_pairs(pre: &str) -> Gguf {
    let mut tokens: Vec<String> = byte_letters().into_iter().map(String::from).collect();
    tokens.extend(["SE", "SEL", "\u{120}a", "12"].map(String::from));
    tokens.extend(["<|im_start|>", "<|im_end|>"].map(String::from));
    let mut types = vec![1; 260];
    types.extend([3, 3]);
    while tokens.len() < ROWS {
        tokens.push(format!("[PAD{}]", tokens.len()));
        types.push(5);
    }
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    Gguf::default()
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", pre)
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &types)
        .texts(
            "tokenizer.ggml.merges",
            &["S E", "SE L", "\u{120} a", "1 2"],
        )
        .u32("tokenizer.ggml.bos_token_id", 260)
        .text("tokenizer.chat_template", TEMPLATE)
}

/// `SentencePiece` with bytes: "ab" is better than "bc", which is better than "▁a".
fn sentence_pieces() -> Gguf {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    tokens.extend((0..=255_u8).map(|byte| format!("<0x{byte:02X}>")));
    let pieces = ["ab", "bc", "\u{2581}a", "\u{2581}", "a", "b", "c"];
    tokens.extend(pieces.map(String::from));
    let mut types = vec![2, 3, 3];
    types.resize(259, 6);
    types.resize(266, 1);
    let mut scores: Vec<f32> = vec![0.0; 259];
    scores.extend((1..=7).map(|i| -(i as f32)));
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    Gguf::default()
        .text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &types)
        .f32s("tokenizer.ggml.scores", &scores)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .text("tokenizer.chat_template", TEMPLATE)
}

fn vocabulary(gguf: &Gguf) -> (Tokenizer, ChatTemplate) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("v.gguf");
    gguf.write(&file);
    (
        Tokenizer::open(&file).unwrap(),
        ChatTemplate::open(&file).unwrap(),
    )
}

/// A model with random weights in `folder`, in Hugging Face layout.
fn model(folder: &Path, family: &str, changes: &Value, vocabulary_of: &Gguf) -> Weights {
    let mut config = json!({
        "model_type": family, "vocab_size": ROWS, "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 5e5,
        "bos_token_id": 1, "eos_token_id": [261, 2], "pad_token_id": 2,
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut config = ModelConfig::from_folder(folder).unwrap();
    config.add_bos = vocabulary_of.bytes().windows(5).any(|it| it == b"llama");
    let fresh = FullModel::random(config.clone(), 5).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for (name, var) in fresh.named_vars() {
        let centre = if name.contains("norm") { 1.0 } else { 0.0 };
        let data: Vec<f32> = (0..var.elem_count())
            .map(|_| centre + random.random_range(-0.3..0.3))
            .collect();
        var.set(&Tensor::from_vec(data, var.shape(), &Device::Cpu).unwrap())
            .unwrap();
    }
    fresh.save(folder, Precision::F32).unwrap();
    let (tokenizer, chat) = vocabulary(vocabulary_of);
    tokenizer.save(folder, &config, Some(&chat)).unwrap();
    Weights::open(folder).unwrap()
}

fn adapter(config: &ModelConfig) -> Adapter {
    let lora = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: vec![Projection::QProj, Projection::KProj, Projection::DownProj],
        rank_stabilized: false,
    };
    let adapter = Adapter::new(config, lora, 5).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let data: Vec<f32> = (0..var.elem_count())
                .map(|_| random.random_range(-0.2..0.2))
                .collect();
            let shape = var.shape().clone();
            Var::set(&var, &Tensor::from_vec(data, shape, &Device::Cpu).unwrap()).unwrap();
        }
    }
    adapter
}

/// What is exported of a folder or file, all opened anew.
struct Opened {
    weights: Weights,
    tokenizer: Tokenizer,
    chat: ChatTemplate,
}

impl Opened {
    fn new(path: &Path) -> Self {
        Self {
            weights: Weights::open(path).unwrap(),
            tokenizer: Tokenizer::open(path).unwrap(),
            chat: ChatTemplate::open(path).unwrap(),
        }
    }

    fn source<'a>(&'a self, adapter: Option<&'a Adapter>) -> Source<'a> {
        Source {
            weights: &self.weights,
            adapter,
            tokenizer: &self.tokenizer,
            chat: Some(&self.chat),
            name: "tiny",
        }
    }
}

fn logits(weights: &Weights) -> Vec<f32> {
    let decoder = Decoder::load(weights, Precision::F32, &mut |_, _| {}).unwrap();
    let ids: Vec<u32> = (0..40).map(|i| i * 7 % ROWS as u32).collect();
    Engine::new(&decoder, None).all_logits(&ids).unwrap()
}

fn says_the_same(own: &Opened, exported: &Opened) {
    let (a, b) = (own.weights.config(), exported.weights.config());
    let mut expected = a.clone();
    if b.family == Family::Llama {
        // The two have one architecture in GGUF.
        expected.family = Family::Llama;
    }
    assert_eq!(&expected, b);
    assert_eq!(own.chat.source(), exported.chat.source());
    let message = Message {
        role: Role::User,
        content: "abc 12".into(),
    };
    let text = own
        .chat
        .render(std::slice::from_ref(&message), true)
        .unwrap();
    assert_eq!(text, exported.chat.render(&[message], true).unwrap());
    let ids = |it: &Opened| it.tokenizer.encode_with_specials(&text, a.add_bos).unwrap();
    assert_eq!(ids(own), ids(exported));
    assert_eq!(own.tokenizer.bos(), exported.tokenizer.bos());
}

fn quiet() -> impl FnMut(&str, usize, usize) {
    |_, _, _| {}
}

fn good(proof: &Proof, rounding: f64) {
    assert!(proof.merged.unwrap().relative < 1e-5, "{proof:?}");
    assert!(proof.rounded.relative <= rounding, "{proof:?}");
    assert!(proof.rounded.kl.is_finite() && proof.tokens == 64 && proof.texts == 8);
}

#[test]
fn every_family_in_both_layouts() {
    let scaled = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192});
    for (family, changes, vocabulary) in [
        ("llama", json!({}), sentence_pieces()),
        (
            "llama",
            json!({"tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true}),
            byte_pairs("smollm"),
        ),
        (
            "llama",
            json!({"rope_scaling": {"type": "linear", "factor": 4.0}}),
            byte_pairs("deepseek-coder"),
        ),
        (
            "llama",
            json!({"rope_scaling": scaled, "head_dim": 32}),
            byte_pairs("llama-bpe"),
        ),
        ("mistral", json!({"sliding_window": 9}), sentence_pieces()),
        (
            "qwen2",
            json!({"tie_word_embeddings": true}),
            byte_pairs("qwen2"),
        ),
        ("qwen3", json!({"head_dim": 24}), byte_pairs("qwen2")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        model(&at("base"), family, &changes, &vocabulary);
        let own = Opened::new(&at("base"));
        let adapter = adapter(own.weights.config());
        let source = own.source(Some(&adapter));
        // A folder, of which everything can be exported again.
        let proof = to_folder(&source, &at("merged"), Precision::F32, &mut quiet()).unwrap();
        good(&proof, 0.0);
        let merged = Opened::new(&at("merged"));
        says_the_same(&own, &merged);
        assert_ne!(logits(&own.weights), logits(&merged.weights));
        let proof = to_folder(&source, &at("half"), Precision::Bf16, &mut quiet()).unwrap();
        good(&proof, 0.15);
        for (name, block, rounding) in [
            ("f32.gguf", BlockType::F32, 0.0),
            ("f16.gguf", BlockType::F16, 0.02),
            ("q8.gguf", BlockType::Q8_0, 0.15),
        ] {
            let proof = to_gguf(&source, &at(name), block, &mut quiet()).unwrap();
            good(&proof, rounding);
            says_the_same(&own, &Opened::new(&at(name)));
        }
        // From one layout to the other and back nothing changes.
        assert_eq!(
            logits(&Weights::open(&at("f32.gguf")).unwrap()),
            logits(&merged.weights)
        );
        let file = Opened::new(&at("f32.gguf"));
        to_folder(
            &file.source(None),
            &at("back"),
            Precision::F32,
            &mut quiet(),
        )
        .unwrap();
        assert_eq!(
            logits(&Weights::open(&at("back")).unwrap()),
            logits(&merged.weights)
        );
        let back = Opened::new(&at("back"));
        to_gguf(
            &back.source(None),
            &at("again.gguf"),
            BlockType::F32,
            &mut quiet(),
        )
        .unwrap();
        let again = Opened::new(&at("again.gguf"));
        assert_eq!(logits(&again.weights), logits(&merged.weights));
        says_the_same(&file, &again);
    }
}

/// What is left of a failed export: nothing under its name, and no part of it.
fn nothing_but(folder: &Path, expected: &[&str]) {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, expected);
}

#[test]
fn what_is_not_good_gets_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sliding = json!({"use_sliding_window": true, "sliding_window": 5, "max_window_layers": 1});
    model(&at("sliding"), "qwen2", &sliding, &byte_pairs("qwen2"));
    let own = Opened::new(&at("sliding"));
    let out = at("out.gguf");
    let error = to_gguf(&own.source(None), &out, BlockType::F16, &mut quiet()).unwrap_err();
    assert!(error.to_string().contains("slides"), "{error}");
    // A type that is read and not written.
    let error = to_gguf(&own.source(None), &out, BlockType::Q4K, &mut quiet());
    assert!(error.is_err());
    // A vocabulary that is not the model's: the file has the model's, and cuts another way.
    model(&at("base"), "qwen2", &json!({}), &byte_pairs("qwen2"));
    let base = Opened::new(&at("base"));
    to_gguf(
        &base.source(None),
        &at("base.gguf"),
        BlockType::F32,
        &mut quiet(),
    )
    .unwrap();
    let file = Opened::new(&at("base.gguf"));
    let (other, _) = vocabulary(&byte_pairs("llama-bpe"));
    let wrong = Source {
        tokenizer: &other,
        ..file.source(None)
    };
    let error = to_gguf(&wrong, &out, BlockType::F32, &mut quiet()).unwrap_err();
    assert!(matches!(error, ExportError::NotProven { .. }), "{error}");
    nothing_but(folder.path(), &["base", "base.gguf", "sliding"]);
    // What is there stays.
    let error = to_folder(
        &base.source(None),
        &at("base"),
        Precision::F32,
        &mut quiet(),
    )
    .unwrap_err();
    assert!(matches!(error, ExportError::Exists(_)), "{error}");
    // A folder that can't be made.
    let error = to_folder(
        &base.source(None),
        &at("base.gguf").join("x"),
        Precision::F32,
        &mut quiet(),
    );
    assert!(matches!(error, Err(ExportError::Io { .. })));
}

#[test]
fn a_vocabulary_without_a_name_is_refused_by_gguf_only() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    model(&at("base"), "llama", &json!({}), &byte_pairs("qwen2"));
    // Another cut than any that has a name.
    let file = at("base").join("tokenizer.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("p{N}| ?", "p{N}{1,2}| ?")).unwrap();
    let own = Opened::new(&at("base"));
    to_folder(&own.source(None), &at("copy"), Precision::F32, &mut quiet()).unwrap();
    let error = to_gguf(
        &own.source(None),
        &at("x.gguf"),
        BlockType::F32,
        &mut quiet(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("way to cut a text"), "{error}");
}
