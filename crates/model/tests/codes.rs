//! Prediction with the codes of a real GGUF file: near the numbers they stand for, and the same bits in any company.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, reason = "the figures are of interest")]

mod common;

use harness_model::tokenizer::Tokenizer;
use harness_model::weights::{Base, Weights};
use harness_model::{
    Adapter, AdapterWeights, Decoder, Engine, GenerateOptions, Generation, LoraConfig, ModelError,
    Precision, Projection,
};

const TEXTS: [&str; 6] = [
    "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, country TEXT);\n-- How many singers are there?\nSELECT",
    "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, country TEXT);\n-- What are the names of all singers?\nSELECT",
    "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, country TEXT);\n-- Who is the oldest singer?\nSELECT name",
    "The capital of France is",
    "def add(a, b):\n    return",
    "Once upon a time there was a little",
];

fn answers(engine: &Engine<'_>, prompts: &[Vec<u32>], batch_size: usize) -> Vec<Generation> {
    let options = GenerateOptions {
        batch_size,
        max_new_tokens: 24,
        end_tokens: vec![2],
        cache_bytes: None,
    };
    let mut found: Vec<Option<Generation>> = vec![None; prompts.len()];
    engine
        .generate::<ModelError>(prompts, &options, &|_| false, &mut |index, answer| {
            found[index] = Some(answer);
            Ok(())
        })
        .unwrap();
    found.into_iter().flatten().collect()
}

fn adapter(decoder: &Decoder) -> AdapterWeights {
    let config = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(decoder.config(), config, 5).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let some = var.as_tensor().ones_like().unwrap() * 0.01;
            var.set(&some.unwrap()).unwrap();
        }
    }
    AdapterWeights::new(&adapter, decoder.config().layers).unwrap()
}

#[test]
fn codes_answer_like_their_numbers_and_alike_in_any_company() {
    let Some(path) = common::cached(&common::SMOLLM2) else {
        return;
    };
    let weights = Weights::open(&path).unwrap();
    let open = |base| Decoder::load_base(&weights, Precision::F32, base, &mut |_, _| {}).unwrap();
    let (coded, plain) = (open(Base::Codes), open(Base::Plain));
    assert!(4 * coded.bytes() < 3 * plain.bytes());
    let tokenizer = Tokenizer::open(&path).unwrap();
    let prompts: Vec<Vec<u32>> = TEXTS
        .iter()
        .map(|text| tokenizer.encode_plain(text, false).unwrap())
        .collect();

    // Given text: bfloat16 activations cost little of its probability.
    let pairs: Vec<(Vec<u32>, Vec<u32>)> = prompts
        .iter()
        .map(|it| (it[..1].to_vec(), it[1..].to_vec()))
        .collect();
    let nats = |decoder: &Decoder| {
        let (mut nats, mut tokens) = (0.0, 0);
        Engine::new(decoder, None)
            .completion_losses::<ModelError>(&pairs, &mut |_, loss| {
                nats += loss.nats;
                tokens += loss.tokens;
                Ok(())
            })
            .unwrap();
        nats / tokens as f64
    };
    let (found, wanted) = (nats(&coded), nats(&plain));
    println!("nats a token: {found:.4} with codes, {wanted:.4} with numbers");
    assert!((found - wanted).abs() < 0.01 * wanted);

    // Generated text: bytes as activations. Answers may part where two tokens are about as likely.
    let (own, other) = (Engine::new(&coded, None), Engine::new(&plain, None));
    let (found, wanted) = (answers(&own, &prompts, 3), answers(&other, &prompts, 3));
    let mut same = 0;
    for (found, wanted) in found.iter().zip(&wanted) {
        if found.tokens == wanted.tokens {
            same += 1;
            let tokens = found.tokens.len() as f64;
            let apart = (found.logprob - wanted.logprob).abs() / tokens;
            assert!(apart < 0.05, "{apart} a token");
        }
    }
    println!("{same} of {} answers are the same", prompts.len());
    assert!(2 * same >= prompts.len());

    let adapter = adapter(&coded);
    for engine in [own, Engine::new(&coded, Some(&adapter))] {
        let alone = answers(&engine, &prompts, 1);
        for batch_size in [2, 6] {
            let together = answers(&engine, &prompts, batch_size);
            for (alone, together) in alone.iter().zip(&together) {
                assert_eq!(alone.tokens, together.tokens);
                assert_eq!(alone.logprob.to_bits(), together.logprob.to_bits());
            }
        }
    }
}
