//! Tiny vocabularies made here: `SentencePiece` merges, `tokenizer.json`, chat templates from folders, and damage.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::Gguf;
use harness_model::chat::{ChatError, ChatTemplate, Message, Role};
use harness_model::tokenizer::{Tokenizer, TokenizerError};

/// A `SentencePiece` vocabulary in which "ab" is better than "bc", which is better than "▁a".
fn sentence_pieces() -> Gguf {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    let mut types = vec![2, 3, 3];
    let mut scores = vec![0.0; 3];
    for byte in 0..=255u8 {
        tokens.push(format!("<0x{byte:02X}>"));
        types.push(6);
        scores.push(0.0);
    }
    let pieces = [
        ("ab", -1.0),
        ("bc", -2.0),
        ("\u{2581}a", -3.0),
        ("\u{2581}", -4.0),
        ("a", -5.0),
        ("b", -6.0),
        ("c", -7.0),
    ];
    for (piece, score) in pieces {
        tokens.push(piece.to_owned());
        types.push(1);
        scores.push(score);
    }
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    Gguf::default()
        .text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &types)
        .f32s("tokenizer.ggml.scores", &scores)
        .u32("tokenizer.ggml.bos_token_id", 1)
}

fn open(gguf: &Gguf) -> Result<Tokenizer, TokenizerError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.gguf");
    gguf.write(&path);
    Tokenizer::open(&path)
}

#[test]
fn sentence_pieces_merge_by_score_and_fall_back_to_bytes() {
    let t = open(&sentence_pieces()).unwrap();
    let (ab, bc, space_a, space, a, c) = (259, 260, 261, 262, 263, 265);
    for (text, expected) in [
        ("abc", vec![space, ab, c]),
        ("a", vec![space_a]),
        ("bca", vec![space, bc, a]),
        ("\n", vec![space, 3 + 10]),
        ("é", vec![space, 3 + 0xc3, 3 + 0xa9]),
    ] {
        assert_eq!(t.encode_plain(text, false).unwrap(), expected, "{text:?}");
        assert_eq!(t.decode(&expected).unwrap(), text);
    }
    assert_eq!(t.encode_plain("a", true).unwrap(), [1, space_a]);
    assert_eq!(t.encode_with_specials("</s>", false).unwrap(), [2]);
    let plain = t.encode_plain("</s>", false).unwrap();
    assert!(!plain.contains(&2));
    assert_eq!(t.decode(&plain).unwrap(), "</s>");
}

#[test]
fn faults_of_vocabularies_are_named() {
    let pairs = || {
        Gguf::default()
            .text("tokenizer.ggml.model", "gpt2")
            .text("tokenizer.ggml.pre", "qwen2")
    };
    for (gguf, expected) in [
        (
            Gguf::default(),
            "tokenizer.ggml.tokens is missing or holds no texts",
        ),
        (
            pairs()
                .texts("tokenizer.ggml.tokens", &["a", "b"])
                .texts("tokenizer.ggml.merges", &["a b"]),
            "tokenizer.ggml.merges[0] = \"a b\", but \"ab\" is not in the vocabulary",
        ),
        (
            pairs()
                .texts("tokenizer.ggml.tokens", &["a", "b"])
                .texts("tokenizer.ggml.merges", &["ab"]),
            "tokenizer.ggml.merges[0] = \"ab\", expected two tokens",
        ),
        (
            pairs()
                .texts("tokenizer.ggml.tokens", &["a"])
                .i32s("tokenizer.ggml.token_type", &[1, 1]),
            "tokenizer.ggml.token_type has 2 entries for 1 tokens",
        ),
        (
            Gguf::default()
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", "other")
                .texts("tokenizer.ggml.tokens", &["a"]),
            "tokenizer.ggml.pre = \"other\" is not supported; supported are smollm, qwen2, llama-bpe, llama3, deepseek-coder",
        ),
        (
            Gguf::default()
                .text("tokenizer.ggml.model", "bert")
                .texts("tokenizer.ggml.tokens", &["a"]),
            "tokenizer.ggml.model = \"bert\" is not supported; supported are gpt2, llama",
        ),
    ] {
        let error = open(&gguf).unwrap_err().to_string();
        assert_eq!(error.split_once("v.gguf: ").unwrap().1, expected);
    }
}

#[test]
fn every_byte_pair_scheme_splits_digits_and_words_its_own_way() {
    let tokens = [
        "1", "2", "3", "\u{120}", "a", "12", "123", "\u{120}a", "[unused]",
    ];
    for (pre, expected) in [
        ("smollm", vec![0, 1, 2, 7]),
        ("qwen2", vec![0, 1, 2, 7]),
        ("llama-bpe", vec![6, 7]),
        ("deepseek-coder", vec![0, 1, 2, 7]),
    ] {
        let gguf = Gguf::default()
            .text("tokenizer.ggml.model", "gpt2")
            .text("tokenizer.ggml.pre", pre)
            .texts("tokenizer.ggml.tokens", &tokens)
            .i32s("tokenizer.ggml.token_type", &[1, 1, 1, 1, 1, 1, 1, 1, 5])
            .texts("tokenizer.ggml.merges", &["1 2", "12 3", "\u{120} a"]);
        let t = open(&gguf).unwrap();
        assert_eq!(t.encode_plain("123 a", false).unwrap(), expected, "{pre}");
        assert_eq!(t.vocab_size(), 8, "unused entries do not count");
        assert!(matches!(
            t.encode_plain("1", true).unwrap_err(),
            TokenizerError::NoBos
        ));
    }
}

const JSON: &str = r#"{"version": "1.0", "truncation": {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
  "padding": null, "normalizer": null, "post_processor": null,
  "added_tokens": [{"id": 3, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
  "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}"#;

fn folder(tokenizer: &str, config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tokenizer.json"), tokenizer).unwrap();
    fs::write(dir.path().join("tokenizer_config.json"), config).unwrap();
    dir
}

#[test]
fn a_tokenizer_json_with_its_config() {
    let dir = folder(JSON, r#"{"bos_token": {"content": "<s>"}}"#);
    let t = Tokenizer::open(dir.path()).unwrap();
    // The stored truncation to one token is not applied.
    assert_eq!(t.encode_plain("abab", true).unwrap(), [3, 2, 2]);
    assert_eq!(t.encode_with_specials("<s>ab", false).unwrap(), [3, 2]);
    assert_eq!(t.decode(&[3, 2, 0, 99]).unwrap(), "aba");
    assert_eq!((t.vocab_size(), t.bos()), (4, Some(3)));
    assert_eq!(
        t.sha256(),
        Tokenizer::open(&dir.path().join("tokenizer.json"))
            .unwrap()
            .sha256()
    );
}

#[test]
fn damaged_tokenizer_files_are_refused() {
    for (json, config) in [
        (JSON.replace(r#""ab": 2"#, r#""xy": 2"#), "{}"),
        (JSON.replace("\"a b\"", "\"a  b\""), "{}"),
        (JSON.replace("BPE", "WordPiece"), "{}"),
        (JSON[..JSON.len() - 2].to_owned(), "{}"),
        (JSON.to_owned(), "{"),
        (JSON.to_owned(), r#"{"bos_token": "<none>"}"#),
    ] {
        let dir = folder(&json, config);
        Tokenizer::open(dir.path()).unwrap_err();
    }
    assert!(matches!(
        Tokenizer::open(Path::new("no/such/tokenizer.json")).unwrap_err(),
        TokenizerError::Io { .. }
    ));
}

fn render(template: &str) -> Result<String, ChatError> {
    let chat = ChatTemplate::parse(template.into(), "<s>", "</s>", Path::new("t"))?;
    let message = |role, content: &str| Message {
        role,
        content: content.into(),
    };
    chat.render(
        &[message(Role::User, " q "), message(Role::Assistant, "a")],
        true,
    )
}

#[test]
fn templates_follow_python() {
    for (template, expected) in [
        // Blocks take their line with them.
        (
            "{% for m in messages %}\n  {% if true %}\n{{ m.role }}\n  {% endif %}\n{% endfor %}\nend",
            "user\nassistant\nend",
        ),
        (
            "{{ bos_token }}{{ messages[0]['content'].strip() }}{{ eos_token }}",
            "<s>q</s>",
        ),
        (
            "{{ messages[1].role.upper() }}{{ messages[-1]['content'] }}",
            "ASSISTANTa",
        ),
        (
            "{% if not tools %}none{% endif %}{{ messages[0].tool_calls }}",
            "none",
        ),
        (
            "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
            "2",
        ),
        (
            "{% for m in messages %}{% if m.role == 'assistant' %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
            "user",
        ),
    ] {
        assert_eq!(render(template).unwrap(), expected, "{template}");
    }
    for (template, expected) in [
        (
            "{{ raise_exception('only user turns') }}",
            "t: chat template: line 1: only user turns",
        ),
        (
            "{{ strftime_now('%d %b') }}",
            "t: chat template: line 1: the template asks for the current date",
        ),
        ("\n{% if %}", "t: chat template: line 2: "),
    ] {
        let error = render(template).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn templates_of_folders() {
    let dir = folder(
        JSON,
        r#"{"chat_template": [{"name": "tools", "template": "x"}, {"name": "default", "template": "{{ bos_token }}d"}], "bos_token": "<s>"}"#,
    );
    assert_eq!(
        ChatTemplate::open(dir.path())
            .unwrap()
            .render(&[], false)
            .unwrap(),
        "<s>d"
    );
    fs::write(dir.path().join("chat_template.jinja"), "own file").unwrap();
    assert_eq!(
        ChatTemplate::open(dir.path())
            .unwrap()
            .render(&[], false)
            .unwrap(),
        "own file"
    );
    let dir = folder(JSON, "{}");
    assert!(matches!(
        ChatTemplate::open(dir.path()).unwrap_err(),
        ChatError::NoTemplate { .. }
    ));
}
