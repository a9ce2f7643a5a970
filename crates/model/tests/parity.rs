//! The decoder on real weights against figures of transformers 5.23.0 with torch 2.15.0 (CPU, f32 arithmetic,
//! weights dequantised to bfloat16), and answers of a real model at several batch sizes.
//!
//! Tolerances are those stated with the figures: 0.02 in mean negative log-likelihood, 0.15 in logits. A wrong
//! rotation or an unpermuted weight moves the likelihood by about 1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod common;

use common::{Cached, QWEN, SMOLLM2, cached};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::{Decoder, Engine, GenerateOptions, Generation, ModelError, Precision};

const CAPITAL: &str = "The capital of France is";
const PROSE: &str = "Photosynthesis is the process by which green plants use sunlight to make food from \
                     carbon dioxide and water. The process takes place in the leaves, inside small \
                     structures called chloroplasts, and it releases oxygen into the air.";
const SQL: &str = "CREATE TABLE singer (singer_id int, name text, country text, age int);\n\
                   -- How many singers do we have?\nSELECT";

/// One prompt with the reference's figures.
struct Golden {
    text: &'static str,
    mean_nll: f64,
    /// The likeliest next tokens with their logits, likeliest first.
    top: &'static [(usize, f32)],
    /// Greedy continuation; empty where none is stated.
    greedy: &'static [u32],
}

const SMOLLM2_GOLDENS: [Golden; 3] = [
    Golden {
        text: CAPITAL,
        mean_nll: 3.69008,
        top: &[
            (7042, 17.345),
            (260, 14.860),
            (4528, 13.200),
            (2250, 12.997),
            (1315, 12.925),
        ],
        greedy: &[7042, 30, 198, 198, 504, 2988, 314, 42],
    },
    Golden {
        text: PROSE,
        mean_nll: 2.05547,
        top: &[(669, 16.473), (198, 15.822), (1423, 14.141), (533, 13.993)],
        greedy: &[],
    },
    Golden {
        text: SQL,
        mean_nll: 3.95721,
        top: &[(334, 13.146)],
        greedy: &[334, 8292, 24, 67, 516, 79, 67, 516],
    },
];

const QWEN_GOLDENS: [Golden; 3] = [
    Golden {
        text: CAPITAL,
        mean_nll: 2.87228,
        top: &[
            (12095, 14.583),
            (7148, 10.406),
            (2598, 9.480),
            (106_004, 9.316),
            (44245, 8.862),
        ],
        greedy: &[12095, 13, 12095, 374, 7407, 304, 279, 10200],
    },
    Golden {
        text: PROSE,
        mean_nll: 1.92863,
        top: &[(576, 12.848)],
        greedy: &[],
    },
    Golden {
        text: SQL,
        mean_nll: 2.63226,
        top: &[(1760, 20.469)],
        greedy: &[1760, 28671, 4295, 22757, 401, 313, 2585, 1657],
    },
];

struct Model {
    decoder: Decoder,
    tokenizer: Tokenizer,
}

fn open(model: &Cached) -> Option<Model> {
    let path = cached(model)?;
    let weights = Weights::open(&path).unwrap();
    Some(Model {
        decoder: Decoder::load(&weights, Precision::Bf16, &mut |_, _| {}).unwrap(),
        tokenizer: Tokenizer::open(&path).unwrap(),
    })
}

fn greedy(
    engine: &Engine<'_>,
    prompts: &[Vec<u32>],
    batch_size: usize,
    count: usize,
) -> Vec<Generation> {
    let options = GenerateOptions {
        batch_size,
        max_new_tokens: count,
        end_tokens: vec![],
        cache_bytes: None,
    };
    let mut answers = vec![None; prompts.len()];
    engine
        .generate::<ModelError>(prompts, &options, &|_| false, &mut |index, answer| {
            answers[index] = Some(answer);
            Ok(())
        })
        .unwrap();
    answers.into_iter().map(Option::unwrap).collect()
}

fn check(model: &Model, goldens: &[Golden]) {
    let engine = Engine::new(&model.decoder, None);
    for golden in goldens {
        let ids = model.tokenizer.encode_plain(golden.text, false).unwrap();
        let losses = engine.token_losses(&ids).unwrap();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        println!(
            "mean NLL {mean:.5} for {:.5}: {:?}…",
            golden.mean_nll,
            &golden.text[..20]
        );
        assert!(
            (mean - golden.mean_nll).abs() < 0.02,
            "{mean} for {}",
            golden.mean_nll
        );
        // The same as a completion of the first token, and cut elsewhere.
        for cut in [1, ids.len() / 2] {
            let pair = (ids[..cut].to_vec(), ids[cut..].to_vec());
            engine
                .completion_losses::<ModelError>(&[pair], &mut |_, loss| {
                    let own: f64 = losses[cut - 1..].iter().sum();
                    assert!((loss.nats - own).abs() < 1e-9 * own, "{loss:?} for {own}");
                    assert_eq!(loss.tokens, ids.len() - cut);
                    Ok(())
                })
                .unwrap();
        }
        let logits = engine.last_logits(&ids).unwrap();
        assert_eq!(harness_kernel::argmax(&logits), golden.top[0].0);
        for &(id, expected) in golden.top {
            assert!(
                (logits[id] - expected).abs() < 0.15,
                "{id}: {} for {expected}",
                logits[id]
            );
        }
        if !golden.greedy.is_empty() {
            let answer = greedy(&engine, &[ids], 1, golden.greedy.len()).remove(0);
            assert_eq!(answer.tokens, golden.greedy);
        }
    }
}

#[test]
fn smollm2_is_the_reference_s() {
    if let Some(model) = open(&SMOLLM2) {
        check(&model, &SMOLLM2_GOLDENS);
    }
}

#[test]
fn qwen_is_the_reference_s() {
    if let Some(model) = open(&QWEN) {
        check(&model, &QWEN_GOLDENS);
    }
}

/// 100 prompts over a few made-up schemas: token for token the same at batch sizes 1, 4 and 8.
#[test]
fn a_hundred_answers_are_the_same_at_every_batch_size() {
    let Some(model) = open(&SMOLLM2) else { return };
    let schemas = [
        "CREATE TABLE ship (id int, name text, built int);\n",
        "CREATE TABLE tree (id int, kind text, height real);\nCREATE TABLE park (id int, tree_id int);\n",
        "CREATE TABLE song (id int, title text, length int, band text);\n",
    ];
    let words = [
        "oldest",
        "largest",
        "last",
        "third",
        "most common",
        "average",
        "first",
    ];
    let prompts: Vec<Vec<u32>> = (0..100)
        .map(|i| {
            let text = format!(
                "{}-- What is the {} one of {}?\nSELECT",
                schemas[i % 3],
                words[i % 7],
                i / 3
            );
            model.tokenizer.encode_plain(&text, false).unwrap()
        })
        .collect();
    let engine = Engine::new(&model.decoder, None);
    let alone = greedy(&engine, &prompts, 1, 6);
    for batch_size in [4, 8] {
        assert_eq!(alone, greedy(&engine, &prompts, batch_size, 6));
    }
}
