//! Losses of given completions and vectors of texts: together the same bits as one at a time, and those of the functions
//! that take a single sequence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod reference;
mod tiny;

use std::path::Path;
use std::process::Command;

use harness_kernel::argmax;
use harness_model::{
    Adapter, AdapterWeights, CompletionLoss, Engine, LoraConfig, ModelError, Projection,
};
use serde_json::json;
use tiny::{HIDDEN, KINDS, LAYERS, Tiny, VOCABULARY, tiny, tokens};

type Pair = (Vec<u32>, Vec<u32>);

fn losses(engine: &Engine<'_>, pairs: &[Pair]) -> Vec<CompletionLoss> {
    let mut losses = vec![None; pairs.len()];
    engine
        .completion_losses::<ModelError>(pairs, &mut |index, loss| {
            assert!(losses[index].replace(loss).is_none(), "{index} comes twice");
            Ok(())
        })
        .unwrap();
    losses.into_iter().map(Option::unwrap).collect()
}

/// Prompts that share more and less of a beginning, some several pages long, and some more than once.
fn pairs() -> Vec<Pair> {
    let schema = tokens(1, 90);
    let mut pairs: Vec<Pair> = (0..40)
        .map(|i| {
            let mut prompt = schema[..(i * 17) % 91].to_vec();
            prompt.extend(tokens(100 + i as u64, 1 + i % 9));
            (prompt, tokens(200 + i as u64, i % 12))
        })
        .collect();
    pairs.push((tokens(7, 200), tokens(8, 56)));
    pairs.push(pairs[3].clone());
    pairs.push((pairs[3].0.clone(), tokens(9, 20)));
    // A prompt that is the beginning of another with a completion that is its end.
    pairs.push((schema[..5].to_vec(), schema[5..].to_vec()));
    pairs
}

fn adapter(tiny: &Tiny) -> AdapterWeights {
    let config = LoraConfig {
        rank: 4,
        alpha: 8.0,
        targets: Projection::ALL.to_vec(),
        dropout: 0.0,
        rank_stabilized: false,
    };
    let adapter = Adapter::new(tiny.decoder.config(), config, 3).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let filled = var.ones_like().unwrap().affine(0.05, 0.0).unwrap();
            var.set(&filled).unwrap();
        }
    }
    AdapterWeights::new(&adapter, LAYERS).unwrap()
}

#[test]
fn losses_are_the_same_bits_together_and_alone() {
    let pairs = pairs();
    for kind in KINDS {
        let tiny = tiny(kind, 21);
        let adapter = adapter(&tiny);
        for adapter in [None, Some(&adapter)] {
            let engine = Engine::new(&tiny.decoder, adapter);
            let together = losses(&engine, &pairs);
            let alone: Vec<CompletionLoss> = pairs
                .iter()
                .map(|pair| losses(&engine, std::slice::from_ref(pair))[0])
                .collect();
            assert_eq!(together, alone, "{}", kind.name);
        }
    }
}

#[test]
fn losses_are_those_of_the_whole_sequence() {
    let tiny = tiny(KINDS[2], 4);
    let engine = Engine::new(&tiny.decoder, None);
    let pairs = pairs();
    for ((prompt, completion), loss) in pairs.iter().zip(losses(&engine, &pairs)) {
        assert_eq!(loss.tokens, completion.len());
        assert_eq!(loss.mean().is_none(), completion.is_empty());
        let whole = [prompt.as_slice(), completion].concat();
        let own = &engine.token_losses(&whole).unwrap()[prompt.len() - 1..];
        let mut nats = 0.0;
        for loss in own {
            nats += loss;
        }
        assert_eq!(loss.nats.to_bits(), f64::to_bits(nats));
        let logits = engine.all_logits(&whole).unwrap();
        let right = completion.iter().enumerate().filter(|(place, token)| {
            let row = (prompt.len() + place - 1) * VOCABULARY;
            argmax(&logits[row..row + VOCABULARY]) == **token as usize
        });
        assert_eq!(loss.right, right.count());
    }
}

#[test]
fn vectors_are_means_of_hidden_states() {
    for kind in [KINDS[0], KINDS[4]] {
        let tiny = tiny(kind, 9);
        let engine = Engine::new(&tiny.decoder, None);
        let texts: Vec<Vec<u32>> = (0..30)
            .map(|i| tokens(i, 1 + (i as usize * 37) % 200))
            .collect();
        for layer in 0..=LAYERS {
            let mut finished = 0;
            let together = engine
                .embed(&texts, layer, &mut |count| finished = count)
                .unwrap();
            assert_eq!(finished, texts.len());
            for (text, vector) in texts.iter().zip(&together) {
                let alone = engine.embed(std::slice::from_ref(text), layer, &mut |_| {});
                assert_eq!(&alone.unwrap()[0], vector);
                let states = &engine.hidden_states(text).unwrap()[layer];
                for (place, value) in vector.iter().enumerate() {
                    let column = states.iter().skip(place).step_by(HIDDEN);
                    let mean = column.map(|x| f64::from(*x)).sum::<f64>() / text.len() as f64;
                    assert!((mean - f64::from(*value)).abs() < 1e-6, "{mean} {value}");
                }
            }
        }
    }
}

#[test]
fn what_can_not_be_measured_is_said() {
    let tiny = tiny(KINDS[1], 2);
    let engine = Engine::new(&tiny.decoder, None);
    let said = |prompt: &[u32], completion: &[u32]| {
        let pairs = [(prompt.to_vec(), completion.to_vec())];
        let found = engine.completion_losses::<ModelError>(&pairs, &mut |_, _| Ok(()));
        found.unwrap_err().to_string()
    };
    assert!(said(&[], &[1]).contains("at least one token"));
    assert!(said(&[1], &[2, 5000]).contains("5000"));
    assert!(said(&[5000], &[2]).contains("5000"));
    let long = said(&tokens(1, 200), &tokens(2, 58));
    assert!(long.contains("257") && long.contains("256"), "{long}");
    let embed = |tokens: Vec<u32>, layer| engine.embed(&[tokens], layer, &mut |_| {});
    assert!(embed(vec![], 0).is_err());
    let error = embed(vec![1], LAYERS + 1).unwrap_err().to_string();
    assert!(error.contains("0 to 3"), "{error}");
}

/// Needs a Python with torch and transformers, as the tests of PEFT do (`scripts/reference/completions.py`).
#[test]
fn losses_and_vectors_are_those_of_transformers() {
    let Some(python) = std::env::var_os("HARNESS_PEFT_PYTHON") else {
        println!("skipped: HARNESS_PEFT_PYTHON names no Python with torch and transformers");
        return;
    };
    for name in ["llama3.1", "mistral", "qwen2-tied", "qwen3", "smollm2"] {
        let golden = reference::golden(name);
        let work = tempfile::tempdir().unwrap();
        let model = work.path().join("model");
        std::fs::create_dir(&model).unwrap();
        reference::write(&golden, &golden.config, &model);
        let decoder = reference::decoder(&golden, &golden.config);
        let engine = Engine::new(&decoder, None);
        let pairs = pairs();
        let losses = losses(&engine, &pairs);
        let texts: Vec<Vec<u32>> = pairs.iter().map(|pair| pair.0.clone()).take(8).collect();
        let layer = decoder.config().layers;
        let told = json!({
            "pairs": pairs,
            "nats": losses.iter().map(|loss| loss.nats).collect::<Vec<_>>(),
            "right": losses.iter().map(|loss| loss.right).collect::<Vec<_>>(),
            "texts": texts,
            "layer": layer,
            "vectors": engine.embed(&texts, layer, &mut |_| {}).unwrap(),
        });
        let figures = work.path().join("figures.json");
        std::fs::write(&figures, told.to_string()).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let done = Command::new(&python)
            .arg(root.join("scripts/reference/completions.py"))
            .args([&model, &figures])
            .output()
            .unwrap();
        print!("{name}: {}", String::from_utf8_lossy(&done.stdout));
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name}: {error}");
    }
}
