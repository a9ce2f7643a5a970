//! Real vocabularies against ids that others expect: 47 texts for each (`scripts/fetch-tokenizers` brings them).
//!
//! They are required in continuous integration.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod common;

use std::path::{Path, PathBuf};

use common::{Gguf, QWEN, SMOLLM2, cached};
use harness_model::chat::ChatTemplate;
use harness_model::export::{Source, to_gguf};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::weights::gguf::{Array, BlockType, Header, Value};
use harness_model::{FullModel, ModelConfig, Precision};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

const SEPARATOR: &str = "\n__ggml_vocab_test__\n";

/// The file of a vocabulary, or nothing (after saying so) where it may be absent.
fn vocabulary(name: &str) -> Option<PathBuf> {
    let folder = harness_model::source::default_cache()
        .expect("one of HARNESS_CACHE, XDG_CACHE_HOME and HOME is set")
        .join("vocabularies/llama-cpp-python-0.3.36");
    let path = folder.join(format!("ggml-vocab-{name}.gguf"));
    if path.is_file() {
        return Some(path);
    }
    let in_ci = std::env::var_os("CI").is_some_and(|it| !it.is_empty());
    assert!(
        !in_ci,
        "{} is required here: run scripts/fetch-tokenizers",
        path.display()
    );
    println!(
        "skipped: {} is not there; scripts/fetch-tokenizers brings it",
        path.display()
    );
    None
}

/// The texts with their ids.
fn vectors(path: &Path) -> Vec<(String, Vec<u32>)> {
    let read = |end: &str| std::fs::read_to_string(format!("{}.{end}", path.display())).unwrap();
    let (texts, ids) = (read("inp"), read("out"));
    let pairs: Vec<(String, Vec<u32>)> = texts
        .split(SEPARATOR)
        .zip(ids.split('\n'))
        .map(|(text, ids)| {
            let ids = ids.split_whitespace().map(|id| id.parse().unwrap());
            (text.to_owned(), ids.collect())
        })
        .collect();
    assert_eq!(pairs.len(), 47);
    pairs
}

fn agrees(name: &str, tokenizer: &Tokenizer, vectors: &[(String, Vec<u32>)]) {
    for (text, expected) in vectors {
        let found = tokenizer.encode_plain(text, false).unwrap();
        assert_eq!(&found, expected, "{name}: {text:?}");
    }
    println!("{name}: {} of {} texts", vectors.len(), vectors.len());
}

#[test]
fn the_ids_are_those_of_the_authors() {
    for name in ["qwen2", "llama-bpe", "llama-spm", "deepseek-coder"] {
        let Some(path) = vocabulary(name) else { return };
        agrees(name, &Tokenizer::open(&path).unwrap(), &vectors(&path));
    }
    // The vocabulary inside the real model is the same one.
    if let (Some(model), Some(path)) = (cached(&QWEN), vocabulary("qwen2")) {
        agrees(
            "Qwen2.5-Coder",
            &Tokenizer::open(&model).unwrap(),
            &vectors(&path),
        );
    }
}

#[test]
fn a_query_in_every_vocabulary() {
    for (name, expected) in [
        ("qwen2", vec![4858, 23989, 28671, 4295, 22757]),
        ("llama-bpe", vec![4963, 24945, 29771, 4393, 23597]),
        ("deepseek-coder", vec![7507, 31970, 7, 10230, 7432, 24111]),
        ("llama-spm", vec![5097, 21122, 22798, 3895, 15640]),
    ] {
        let Some(path) = vocabulary(name) else { return };
        let ids = Tokenizer::open(&path)
            .unwrap()
            .encode_plain("SELECT COUNT(*) FROM singer", false);
        assert_eq!(ids.unwrap(), expected, "{name}");
    }
}

/// Code Llama has Llama 2's pieces and sixteen more, for filling gaps.
#[test]
fn code_llama_adds_to_llama_2() {
    let Some(path) = vocabulary("llama-spm") else {
        return;
    };
    let header = Header::open(&path).unwrap();
    let array = |key: &str| header.metadata[key].as_array().unwrap().clone();
    let mut tokens: Vec<String> = array("tokenizer.ggml.tokens")
        .texts()
        .unwrap()
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(tokens.len(), 32_000);
    let number = |key: &str| array(key).numbers().unwrap();
    let mut types: Vec<i32> = number("tokenizer.ggml.token_type")
        .into_iter()
        .map(|n| n as i32)
        .collect();
    let mut scores: Vec<f32> = number("tokenizer.ggml.scores")
        .into_iter()
        .map(|n| n as f32)
        .collect();
    let names = ["SU", "SUF", "PRE", "M", "MID", "E", "EOT"].map(|name| format!("\u{2581}<{name}"));
    let specials = ["PRE", "SUF", "MID", "EOT"].map(|name| format!("\u{2581}<{name}>"));
    let more = (2..=6).map(|n| format!("\u{2581}{}", "<EOT>".repeat(n)));
    for token in names.into_iter().chain(specials).chain(more) {
        types.push(if token.ends_with('>') { 3 } else { 1 });
        scores.push(-1e6);
        tokens.push(token);
    }
    assert_eq!(tokens.len(), 32_016);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("codellama.gguf");
    Gguf::default()
        .text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &types)
        .f32s("tokenizer.ggml.scores", &scores)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .write(&file);
    let tokenizer = Tokenizer::open(&file).unwrap();
    agrees("CodeLlama", &tokenizer, &vectors(&path));
    assert_eq!(tokenizer.vocab_size(), 32_016);
    for (name, id) in [
        ("PRE", 32_007),
        ("SUF", 32_008),
        ("MID", 32_009),
        ("EOT", 32_010),
    ] {
        let token = format!("\u{2581}<{name}>");
        assert_eq!(tokenizer.id_of(&token), Some(id));
        assert_eq!(tokenizer.encode_with_specials(&token, false).unwrap(), [id]);
        assert!(!tokenizer.encode_plain(&token, false).unwrap().contains(&id));
    }
}

/// All tokenizers at hand.
fn tokenizers() -> Vec<(String, Tokenizer)> {
    let names = ["qwen2", "llama-bpe", "llama-spm", "deepseek-coder"];
    let mut all: Vec<(String, Tokenizer)> = names
        .into_iter()
        .filter_map(|name| {
            Some((
                name.to_owned(),
                Tokenizer::open(&vocabulary(name)?).unwrap(),
            ))
        })
        .collect();
    if let Some(path) = cached(&SMOLLM2) {
        all.push(("smollm2".to_owned(), Tokenizer::open(&path).unwrap()));
    }
    all
}

fn any_text() -> impl Strategy<Value = String> {
    let plain = prop::collection::vec(
        prop_oneof![
            any::<char>(),
            proptest::char::range(' ', '~'),
            prop::sample::select(vec![
                '\n',
                '\t',
                ' ',
                '東',
                'é',
                '\u{301}',
                '🙂',
                '\u{1F3FD}',
                '\u{200D}',
                'İ',
                '\0'
            ]),
        ],
        0..40,
    );
    plain.prop_map(|chars| chars.into_iter().collect())
}

/// What comes token by token is the whole text, and a token's text comes with it where it is whole.
#[test]
fn a_stream_is_the_text() {
    for (name, tokenizer) in tokenizers() {
        let bound = tokenizer.vocab_size() as u32;
        let mut runner = TestRunner::new(Config {
            cases: 500,
            failure_persistence: None,
            ..Config::default()
        });
        let ids = prop::collection::vec(0..bound, 0..60);
        let tokens = |ids: &[u32]| {
            let mut stream = tokenizer.stream();
            let mut parts: Vec<String> = ids.iter().map(|id| stream.push(*id).unwrap()).collect();
            parts.push(stream.finish().unwrap());
            parts
        };
        runner
            .run(&(any_text(), ids), |(text, ids)| {
                let of_text = tokenizer.encode_plain(&text, false).unwrap();
                for ids in [of_text, ids] {
                    let parts = tokens(&ids);
                    prop_assert_eq!(parts.concat(), tokenizer.decode(&ids).unwrap(), "{}", &name);
                }
                Ok(())
            })
            .unwrap();
        // Letters come at once, an emoji with its last token.
        let ids = tokenizer.encode_plain("SELECT a 🦙", false).unwrap();
        let parts = tokens(&ids);
        assert!(parts[0].starts_with('S'), "{name}: {parts:?}");
        assert!(
            parts
                .iter()
                .all(|part| !part.contains(char::REPLACEMENT_CHARACTER)),
            "{name}: {parts:?}"
        );
        let last = if name == "llama-spm" {
            ids.len()
        } else {
            ids.len() - 1
        };
        assert!(parts[last].ends_with('🦙'), "{name}: {parts:?}");
    }
}

/// Text keeps its meaning whatever it says: names of special tokens stay text, and what was text comes back.
#[test]
fn no_text_becomes_a_special_token() {
    for (name, tokenizer) in tokenizers() {
        let path = if name == "smollm2" {
            cached(&SMOLLM2)
        } else {
            vocabulary(&name)
        };
        let header = Header::open(&path.unwrap()).unwrap();
        let texts = header.metadata["tokenizer.ggml.tokens"]
            .as_array()
            .unwrap()
            .texts()
            .unwrap();
        let kinds = header
            .metadata
            .get("tokenizer.ggml.token_type")
            .and_then(Value::as_array);
        let kinds = kinds.and_then(Array::numbers).unwrap();
        let control: Vec<(u32, &str)> = (0..)
            .zip(texts)
            .zip(kinds)
            .filter(|(_, kind)| (*kind - 3.0).abs() < 0.5)
            .map(|(it, _)| it)
            .collect();
        assert!(!control.is_empty(), "{name}");
        for (id, token) in control.into_iter().take(300) {
            let text = format!("x {token} y");
            let ids = tokenizer.encode_plain(&text, false).unwrap();
            // SmolLM2 keeps its special tokens among the merges too, as others' readers do.
            if name != "smollm2" {
                assert!(!ids.contains(&id), "{name}: {token} of {text:?}");
            }
            assert_eq!(tokenizer.decode(&ids).unwrap(), text, "{name}");
            assert!(
                tokenizer
                    .encode_with_specials(&text, false)
                    .unwrap()
                    .contains(&id),
                "{name}: {token}"
            );
        }
    }
}

/// Ways of one vocabulary through files: GGUF, `tokenizer.json`, GGUF again.
#[test]
fn a_vocabulary_stays_itself_in_other_files() {
    for name in ["qwen2", "llama-bpe", "llama-spm", "deepseek-coder"] {
        let Some(path) = vocabulary(name) else { return };
        let own = Tokenizer::open(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        std::fs::create_dir(&base).unwrap();
        let config = json!({
            "model_type": "llama", "vocab_size": own.vocab_size(), "hidden_size": 8, "intermediate_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 16, "eos_token_id": 2,
        });
        std::fs::write(base.join("config.json"), config.to_string()).unwrap();
        let config = ModelConfig::from_folder(&base).unwrap();
        FullModel::random(config.clone(), 1)
            .unwrap()
            .save(&base, Precision::F32)
            .unwrap();
        own.save(&base, &config, None).unwrap();
        let json = Tokenizer::open(&base).unwrap();
        agrees(name, &json, &vectors(&path));
        let file = folder.path().join("again.gguf");
        let source = Source {
            weights: &Weights::open(&base).unwrap(),
            adapter: None,
            tokenizer: &json,
            chat: None::<&ChatTemplate>,
            name,
        };
        to_gguf(&source, &file, BlockType::F32, &mut |_, _, _| {}).unwrap();
        let again = Tokenizer::open(&file).unwrap();
        agrees(name, &again, &vectors(&path));
        let mut runner = TestRunner::new(Config {
            cases: 2_000,
            failure_persistence: None,
            ..Config::default()
        });
        runner
            .run(&any_text(), |text| {
                let ids = own.encode_plain(&text, false).unwrap();
                prop_assert_eq!(&ids, &json.encode_plain(&text, false).unwrap());
                prop_assert_eq!(&ids, &again.encode_plain(&text, false).unwrap());
                prop_assert_eq!(own.decode(&ids).unwrap(), again.decode(&ids).unwrap());
                Ok(())
            })
            .unwrap();
    }
}
