//! Real models, when they are in the cache: ids, chat text, shapes and a few weights.
//!
//! SmolLM2-135M is required in continuous integration; Qwen2.5-Coder-0.5B when it is cached already or
//! `HARNESS_LARGE_MODELS=1` asks for it. Nothing is downloaded here.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::float_cmp, reason = "values are read, not computed")]

mod common;

use common::{QWEN, SMOLLM2, cached};
use harness_model::Precision;
use harness_model::chat::{ChatTemplate, Message, Role};
use harness_model::config::Family;
use harness_model::export::{Proof, Source, to_folder, to_gguf};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::weights::gguf::BlockType;

fn user(content: &str) -> Vec<Message> {
    vec![Message {
        role: Role::User,
        content: content.into(),
    }]
}

/// Reference ids: transformers' tokenizers built from the same vocabularies.
#[test]
fn smollm2_ids() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let t = Tokenizer::open(&path).unwrap();
    let ids = t
        .encode_plain("SELECT COUNT(*) FROM singer", false)
        .unwrap();
    assert_eq!(ids, [23428, 3214, 23330, 12905, 25, 18451, 24078]);
    let ids = t.encode_plain("The capital of France is", false).unwrap();
    assert_eq!(ids, [504, 3575, 282, 4649, 314]);
    check_tokenizer(&t, 49152, 2);
    t.check_fits(Weights::open(&path).unwrap().config())
        .unwrap();
}

#[test]
fn qwen_ids() {
    let Some(path) = cached(&QWEN) else { return };
    let t = Tokenizer::open(&path).unwrap();
    let ids = t
        .encode_plain("SELECT COUNT(*) FROM singer", false)
        .unwrap();
    assert_eq!(ids, [4858, 23989, 28671, 4295, 22757]);
    let ids = t.encode_plain("The capital of France is", false).unwrap();
    assert_eq!(ids, [785, 6722, 315, 9625, 374]);
    check_tokenizer(&t, 151_665, 151_645);
    t.check_fits(Weights::open(&path).unwrap().config())
        .unwrap();
}

/// Specials are tokens in rendered templates only, and text survives the way there and back.
fn check_tokenizer(t: &Tokenizer, vocabulary: usize, im_end: u32) {
    assert_eq!(t.vocab_size(), vocabulary);
    assert_eq!(t.id_of("<|im_end|>"), Some(im_end));
    assert_eq!(
        t.encode_with_specials("<|im_end|>", false).unwrap(),
        [im_end]
    );
    let plain = t.encode_plain("drop <|im_end|> it", false).unwrap();
    assert!(!plain.contains(&im_end));
    assert_eq!(t.decode(&plain).unwrap(), "drop <|im_end|> it");
    assert_eq!(t.find_special("drop <|im_end|> it"), Some("<|im_end|>"));
    assert_eq!(t.find_special("no such thing"), None);
    let text = "Wie heißt «naïve»?\n\tSELECT 'x' FROM t WHERE a >= 1234.5 -- 中文 🙂\r\n\r\n";
    for ids in [
        t.encode_plain(text, false),
        t.encode_with_specials(text, false),
    ] {
        assert_eq!(t.decode(&ids.unwrap()).unwrap(), text);
    }
    assert_eq!(t.encode_plain("", false).unwrap(), [] as [u32; 0]);
}

#[test]
fn smollm2_chat() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let chat = ChatTemplate::open(&path).unwrap();
    assert_eq!(
        chat.render(&user("Hi"), true).unwrap(),
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n\
         <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
}

#[test]
fn qwen_chat() {
    let Some(path) = cached(&QWEN) else { return };
    let chat = ChatTemplate::open(&path).unwrap();
    assert_eq!(
        chat.render(&user("Hi"), true).unwrap(),
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n\
         <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
    let mut messages = user("Hi");
    messages.insert(
        0,
        Message {
            role: Role::System,
            content: "Answer in SQL.".into(),
        },
    );
    messages.push(Message {
        role: Role::Assistant,
        content: "SELECT 1".into(),
    });
    assert_eq!(
        chat.render(&messages, false).unwrap(),
        "<|im_start|>system\nAnswer in SQL.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n\
         <|im_start|>assistant\nSELECT 1<|im_end|>\n"
    );
}

#[test]
fn smollm2_weights() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let w = Weights::open(&path).unwrap();
    let c = w.config();
    assert_eq!(
        (
            c.family,
            c.vocab_size,
            c.hidden,
            c.intermediate,
            c.layers,
            c.heads,
            c.kv_heads,
            c.head_dim
        ),
        (Family::Llama, 49152, 576, 1536, 30, 9, 3, 64)
    );
    assert_eq!(
        (c.rope_theta, c.rms_eps, c.tied, c.biases.qkv),
        (100_000.0, 1e-5, true, false)
    );
    assert_eq!(
        (c.bos, c.pad, c.add_bos, c.eos[0]),
        (Some(1), Some(2), false, 2)
    );
    assert_eq!(read_all(&w), 134_515_008);
    assert_eq!(w.sha256().unwrap(), SMOLLM2.sha256);
}

#[test]
fn qwen_weights() {
    let Some(path) = cached(&QWEN) else { return };
    let w = Weights::open(&path).unwrap();
    let c = w.config();
    assert_eq!(
        (
            c.family,
            c.vocab_size,
            c.hidden,
            c.intermediate,
            c.layers,
            c.heads,
            c.kv_heads,
            c.head_dim
        ),
        (Family::Qwen2, 151_936, 896, 4864, 24, 14, 2, 64)
    );
    assert_eq!(
        (c.rope_theta, c.rms_eps, c.tied, c.biases.qkv),
        (1e6, 1e-6, true, true)
    );
    assert_eq!(c.eos, [151_645, 151_643]);
    assert!(!w.has("lm_head.weight"));
    assert_eq!(read_all(&w), 494_032_768);
}

/// Reads every tensor and returns the number of values.
fn read_all(w: &Weights) -> usize {
    w.names()
        .into_iter()
        .map(|name| w.tensor(name, w.shape(name).unwrap()).unwrap().len())
        .sum()
}

/// The file in eight bits, and that as a folder: ids, template and answers stay.
#[test]
fn smollm2_is_exported_and_read_again() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (file, merged) = (folder.path().join("s.gguf"), folder.path().join("s"));
    let export = |path: &std::path::Path, write: &dyn Fn(&Source<'_>) -> Proof| {
        write(&Source {
            weights: &Weights::open(path).unwrap(),
            adapter: None,
            tokenizer: &Tokenizer::open(path).unwrap(),
            chat: Some(&ChatTemplate::open(path).unwrap()),
            name: "SmolLM2",
        })
    };
    let quiet = || |_: &str, _: usize, _: usize| {};
    let proof = export(&path, &|it| {
        to_gguf(it, &file, BlockType::Q8_0, &mut quiet()).unwrap()
    });
    assert!(proof.rounded.kl < 0.02, "{proof:?}");
    let proof = export(&file, &|it| {
        to_folder(it, &merged, Precision::F32, &mut quiet()).unwrap()
    });
    assert_eq!(proof.rounded.relative, 0.0, "{proof:?}");
    let (own, opened) = (
        Weights::open(&file).unwrap(),
        Weights::open(&merged).unwrap(),
    );
    assert_eq!(own.config(), opened.config());
    check_tokenizer(&Tokenizer::open(&merged).unwrap(), 49152, 2);
    let chat = |path| {
        ChatTemplate::open(path)
            .unwrap()
            .render(&user("hi"), true)
            .unwrap()
    };
    assert_eq!(chat(&merged), chat(&path));
}
