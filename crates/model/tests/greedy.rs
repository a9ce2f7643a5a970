//! Greedy answers of a real model, id for id those of transformers (`scripts/reference/greedy.py`).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, reason = "the figures are of interest")]

mod common;

use common::{SMOLLM2, cached};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::{Decoder, Engine, GenerateOptions, ModelError, Precision};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    prompt: String,
    /// Up to where another order of sums may choose another token.
    ids: Vec<u32>,
}

#[test]
fn greedy_ids_are_those_of_transformers() {
    let Some(path) = cached(&SMOLLM2) else { return };
    let wanted: Vec<Answer> = serde_json::from_str(include_str!("golden/greedy.json")).unwrap();
    assert_eq!(wanted.len(), 200);
    let tokenizer = Tokenizer::open(&path).unwrap();
    let weights = Weights::open(&path).unwrap();
    let decoder = Decoder::load(&weights, Precision::F32, &mut |_, _| {}).unwrap();
    let prompts: Vec<Vec<u32>> = wanted
        .iter()
        .map(|it| tokenizer.encode_plain(&it.prompt, false).unwrap())
        .collect();
    let options = GenerateOptions {
        batch_size: 40,
        max_new_tokens: 32,
        end_tokens: vec![2],
        cache_bytes: None,
    };
    let mut unlike = Vec::new();
    let mut ids = 0;
    let work = Engine::new(&decoder, None)
        .generate::<ModelError>(&prompts, &options, &|_| false, &mut |index, answer| {
            let wanted = &wanted[index].ids;
            ids += wanted.len();
            if !answer.tokens.starts_with(wanted) {
                unlike.push(index);
            }
            Ok(())
        })
        .unwrap();
    println!("{ids} ids are compared; {work:?}");
    assert!(ids > 4000, "{ids}");
    assert!(unlike.is_empty(), "answers to prompts {unlike:?}");
}
