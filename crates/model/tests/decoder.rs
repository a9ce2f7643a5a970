//! The decoder against independent implementations: logits against candle-transformers' stock models, gradients
//! against the plain form in `f64`, answers against each other at every batch size.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod against;
mod tiny;

use std::collections::{BTreeMap, HashMap};

use against::{Plain, batch, distance};
use candle_core::{DType, Device, Tensor, Var};
use candle_transformers::models::{llama, qwen2};
use harness_model::{
    Adapter, AdapterWeights, Engine, GenerateOptions, Generation, LoraConfig, LoraGradients,
    ModelError, Precision, Projection, Sequences, Sweep, Work, Workspace,
};
use tiny::{
    EPSILON, HEADS, HIDDEN, INTERMEDIATE, KINDS, KV_HEADS, LAYERS, THETA, Tiny, VOCABULARY, tiny,
    tiny_in, tokens,
};

fn reference_logits(tiny: &Tiny, ids: &[u32]) -> Vec<f32> {
    let tensors: HashMap<String, Tensor> = tiny.tensors.clone().into_iter().collect();
    let vb = candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let input = Tensor::new(ids, &Device::Cpu)
        .unwrap()
        .unsqueeze(0)
        .unwrap();
    let logits = if tiny.kind.name == "qwen2" {
        let config = qwen2::Config {
            vocab_size: VOCABULARY,
            hidden_size: HIDDEN,
            intermediate_size: INTERMEDIATE,
            num_hidden_layers: LAYERS,
            num_attention_heads: HEADS,
            num_key_value_heads: KV_HEADS,
            max_position_embeddings: 256,
            sliding_window: 256,
            max_window_layers: LAYERS,
            tie_word_embeddings: tiny.kind.tied,
            rope_theta: THETA,
            rms_norm_eps: EPSILON,
            use_sliding_window: false,
            hidden_act: candle_nn::Activation::Silu,
        };
        let mut model = qwen2::ModelForCausalLM::new(&config, vb).unwrap();
        model.forward(&input, 0).unwrap()
    } else {
        let config = llama::Config {
            hidden_size: HIDDEN,
            intermediate_size: INTERMEDIATE,
            vocab_size: VOCABULARY,
            num_hidden_layers: LAYERS,
            num_attention_heads: HEADS,
            num_key_value_heads: KV_HEADS,
            use_flash_attn: false,
            rms_norm_eps: EPSILON,
            rope_theta: THETA as f32,
            bos_token_id: None,
            eos_token_id: None,
            rope_scaling: None,
            max_position_embeddings: 256,
            tie_word_embeddings: tiny.kind.tied,
        };
        let mut cache = llama::Cache::new(false, DType::F32, &config, &Device::Cpu).unwrap();
        let model = llama::Llama::load(vb, &config).unwrap();
        model.forward(&input, 0, &mut cache).unwrap()
    };
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn logits_are_those_of_the_stock_models() {
    // What the stock models compute, which is the first three.
    for kind in KINDS.into_iter().take(3) {
        let tiny = tiny(kind, 7);
        let ids = tokens(3, 41);
        let found = Engine::new(&tiny.decoder, None).last_logits(&ids).unwrap();
        let expected = reference_logits(&tiny, &ids);
        let scale = expected.iter().fold(0f32, |top, x| top.max(x.abs()));
        for (f, e) in found.iter().zip(&expected) {
            assert!(
                (f - e).abs() < 1e-5 * scale,
                "{f} for {e} of at most {scale}"
            );
        }
    }
}

fn adapter(tiny: &Tiny, targets: &[Projection]) -> Adapter {
    let config = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: targets.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(tiny.decoder.config(), config, 5).unwrap();
    // B starts at zero, where A has no gradient: move it, as a first step would.
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let moved = var.as_tensor().randn_like(0.0, 0.2).unwrap();
            var.set(&moved).unwrap();
        }
    }
    adapter
}

fn sweep(
    tiny: &Tiny,
    adapter: &Adapter,
    batch: &Sequences<'_>,
    dropout: Option<u64>,
    recompute: bool,
) -> (f64, BTreeMap<String, Vec<f32>>) {
    let mut gradients = LoraGradients::new();
    let mut space = Workspace::new(Precision::F32);
    let loss = Sweep::new(&tiny.decoder, Some(adapter))
        .recompute(recompute)
        .gradients(batch, dropout, &mut space, &mut gradients)
        .unwrap();
    (loss, gradients.into_named())
}

#[test]
fn loss_and_every_gradient_are_those_of_plain_operations() {
    for kind in KINDS {
        let tiny = tiny(kind, 9);
        let adapter = adapter(&tiny, &Projection::ALL);
        let plain = Plain::adapted(&tiny, &adapter);
        let (ids, starts, targets) = batch();
        let sequences = Sequences {
            tokens: &ids,
            starts: &starts,
            targets: &targets,
        };
        let (wanted, expected) = plain.gradients(&sequences, None);
        let mut seen = Vec::new();
        for recompute in [false, true] {
            let (found, grads) = sweep(&tiny, &adapter, &sequences, None, recompute);
            assert!(
                (found - wanted).abs() < 1e-5 * wanted,
                "{found} for {wanted}"
            );
            assert_eq!(grads.len(), LAYERS * 7 * 2);
            for (name, var) in adapter.named_vars() {
                let found = Tensor::from_slice(&grads[&name], var.shape(), &Device::Cpu).unwrap();
                let (error, size) = distance(&found, &expected[&name]);
                assert!(size > 1e-6, "{name} has a zero gradient");
                assert!(
                    error < 1e-4 * size,
                    "{name}: relative error {}",
                    error / size
                );
            }
            seen.push(grads);
        }
        assert_eq!(seen[0], seen[1], "what is computed again is the same");
    }
}

#[test]
fn gradients_are_slopes() {
    let tiny = tiny(KINDS[2], 4);
    let adapter = adapter(&tiny, &[Projection::QProj, Projection::DownProj]);
    let plain = Plain::adapted(&tiny, &adapter);
    let (ids, starts, targets) = batch();
    let sequences = Sequences {
        tokens: &ids,
        starts: &starts,
        targets: &targets,
    };
    let (_, grads) = sweep(&tiny, &adapter, &sequences, None, false);
    // Finite differences of the plain form, whose loss was shown to be ours: in f64 they are sharp.
    let value = || plain.loss(&sequences, None).to_scalar::<f64>().unwrap();
    for (name, found) in grads {
        let wide = &plain.vars[&name];
        let data: Vec<f64> = wide.flatten_all().unwrap().to_vec1().unwrap();
        for index in [0, data.len() / 2, data.len() - 1] {
            let mut ends = [0.0; 2];
            for (end, step) in ends.iter_mut().zip([1e-5, -1e-5]) {
                let mut moved = data.clone();
                moved[index] += step;
                wide.set(&Tensor::from_vec(moved, wide.shape(), &Device::Cpu).unwrap())
                    .unwrap();
                *end = value();
            }
            wide.set(&Tensor::from_vec(data.clone(), wide.shape(), &Device::Cpu).unwrap())
                .unwrap();
            let slope = (ends[0] - ends[1]) / 2e-5;
            let error = (f64::from(found[index]) - slope).abs();
            assert!(
                error < 2e-4 * slope.abs().max(0.1),
                "{name}[{index}]: {} for {slope}",
                found[index]
            );
        }
    }
}

#[test]
fn dropout_follows_its_seed_and_none_is_off() {
    let tiny = tiny(KINDS[1], 4);
    let config = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.5,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(tiny.decoder.config(), config, 5).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            var.set(&var.as_tensor().ones_like().unwrap()).unwrap();
        }
    }
    let (ids, starts, targets) = batch();
    let sequences = Sequences {
        tokens: &ids,
        starts: &starts,
        targets: &targets,
    };
    let loss = |key| sweep(&tiny, &adapter, &sequences, key, false);
    let (dropped, plain) = (loss(Some(1)), loss(None));
    assert_eq!(dropped, loss(Some(1)));
    assert_eq!(dropped, sweep(&tiny, &adapter, &sequences, Some(1), true));
    for other in [&loss(Some(2)), &plain] {
        assert_ne!(dropped.0.to_bits(), other.0.to_bits());
        assert_ne!(dropped.1, other.1);
    }
    let alone = Sweep::new(&tiny.decoder, Some(&adapter))
        .loss(&sequences, &mut Workspace::new(Precision::F32))
        .unwrap();
    assert_eq!(alone.to_bits(), plain.0.to_bits());
}

fn generate(engine: &Engine<'_>, prompts: &[Vec<u32>], batch_size: usize) -> Vec<Generation> {
    generate_in(engine, prompts, batch_size, None).0
}

fn generate_in(
    engine: &Engine<'_>,
    prompts: &[Vec<u32>],
    batch_size: usize,
    cache_bytes: Option<u64>,
) -> (Vec<Generation>, Work) {
    let options = GenerateOptions {
        batch_size,
        max_new_tokens: 24,
        end_tokens: vec![2, 17],
        cache_bytes,
    };
    let mut answers = vec![None; prompts.len()];
    let work = engine
        .generate::<ModelError>(
            prompts,
            &options,
            &|tokens| tokens.ends_with(&[40]),
            &mut |index, answer| {
                assert!(answers[index].replace(answer).is_none());
                Ok(())
            },
        )
        .unwrap();
    (answers.into_iter().map(Option::unwrap).collect(), work)
}

/// Pages are shared, copied and waited for, and prompts go through in several passes: no answer changes.
#[test]
fn long_prompts_with_pages_in_common_are_as_alone() {
    let tiny = tiny(KINDS[1], 21);
    let engine = Engine::new(&tiny.decoder, None);
    let context = tiny.decoder.context();
    let trunk = tokens(1, context - 30);
    let cuts = [0, 31, 32, 33, 64, 100, trunk.len() - 1];
    let mut prompts: Vec<Vec<u32>> = (0..21)
        .map(|i| {
            let mut prompt = trunk[..cuts[i % cuts.len()]].to_vec();
            prompt.extend(tokens(100 + i as u64 / 14, 1 + i % 5));
            prompt
        })
        .collect();
    prompts.extend([trunk.clone(), trunk.clone(), trunk[..64].to_vec()]);
    let alone: Vec<Generation> = prompts
        .iter()
        .map(|prompt| generate(&engine, std::slice::from_ref(prompt), 1).remove(0))
        .collect();
    for (batch_size, cache_bytes) in [
        (1, None),
        (3, None),
        (40, None),
        (40, Some(0)),
        (8, Some(100_000)),
    ] {
        let (answers, work) = generate_in(&engine, &prompts, batch_size, cache_bytes);
        assert_eq!(alone, answers, "{batch_size} {cache_bytes:?}");
        let total: usize = prompts.iter().map(Vec::len).sum();
        assert_eq!(work.prompt_tokens, total);
        assert!(work.shared_tokens > total / 3, "{work:?}");
        let generated: usize = answers.iter().map(|answer| answer.tokens.len()).sum();
        assert_eq!(work.generated_tokens, generated);
    }
}

#[test]
fn answers_are_the_same_bits_at_any_batch_size_and_order() {
    let precisions = [Precision::F32, Precision::Bf16];
    for (kind, precision) in KINDS
        .into_iter()
        .flat_map(|kind| precisions.map(|it| (kind, it)))
    {
        let tiny = tiny_in(kind, 21, precision);
        let adapter = adapter(&tiny, &Projection::ALL);
        let adapter = AdapterWeights::new(&adapter, LAYERS).unwrap();
        let shared = tokens(1, 30);
        let mut prompts: Vec<Vec<u32>> = (0..40)
            .map(|i| {
                let mut prompt = shared[..(i * 7) % 31].to_vec();
                prompt.extend(tokens(100 + i as u64, 1 + i % 9));
                prompt
            })
            .collect();
        prompts.push(prompts[3].clone());
        for adapter in [None, Some(&adapter)] {
            let engine = Engine::new(&tiny.decoder, adapter);
            let alone = generate(&engine, &prompts, 1);
            assert_eq!(alone, generate(&engine, &prompts, 4));
            assert_eq!(alone, generate(&engine, &prompts, 8));
            assert_eq!(alone, generate(&engine, &prompts, 100));
            prompts.reverse();
            let mut reversed = generate(&engine, &prompts, 4);
            prompts.reverse();
            reversed.reverse();
            assert_eq!(alone, reversed);
        }
    }
}

#[test]
fn the_likelihood_of_an_answer_is_the_loss_of_its_tokens() {
    // Weights that are bfloat16 are multiplied in one way; with others the sums of a token that is generated have another order.
    for (precision, tolerance) in [(Precision::Bf16, 1e-9), (Precision::F32, 1e-6)] {
        let tiny = tiny_in(KINDS[2], 2, precision);
        let engine = Engine::new(&tiny.decoder, None);
        let prompt = tokens(8, 12);
        let answer = generate(&engine, std::slice::from_ref(&prompt), 1).remove(0);
        let whole: Vec<u32> = prompt.iter().chain(&answer.tokens).copied().collect();
        let losses = engine.token_losses(&whole).unwrap();
        let sum: f64 = losses[prompt.len() - 1..].iter().sum();
        assert!(
            (sum + answer.logprob).abs() < tolerance * sum.abs().max(1.0),
            "{precision:?}: {sum} {}",
            answer.logprob
        );
    }
}

#[test]
fn an_adapter_survives_its_file_and_fits_its_model_only() {
    let small = tiny(KINDS[1], 2);
    let adapter = adapter(&small, &[Projection::QProj, Projection::UpProj]);
    let file = adapter.to_file("tiny").unwrap();
    let back = Adapter::from_file(small.decoder.config(), &file).unwrap();
    assert_eq!(back.config(), adapter.config());
    for ((name, a), (other, b)) in adapter.named_vars().into_iter().zip(back.named_vars()) {
        assert_eq!(name, other);
        let bits = |v: &Var| v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(bits(&a), bits(&b));
    }
    let config = LoraConfig {
        rank_stabilized: true,
        ..adapter.config().clone()
    };
    let stabilized = Adapter::new(small.decoder.config(), config, 5).unwrap();
    let file = stabilized.to_file("tiny").unwrap();
    assert!(file.config.use_rslora);
    let back = Adapter::from_file(small.decoder.config(), &file).unwrap();
    assert_eq!(back.config(), stabilized.config());
    let scale = back.pair(0, Projection::QProj).unwrap().exact_scale();
    assert!((scale - 6.0 / 3f64.sqrt()).abs() < 1e-15, "{scale}");
    let mut larger = small.decoder.config().clone();
    larger.intermediate += 1;
    let error = Adapter::from_file(&larger, &file).unwrap_err().to_string();
    assert!(
        error.contains("up_proj") && error.contains("another base model"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let tiny = tiny(KINDS[1], 2);
    let engine = Engine::new(&tiny.decoder, None);
    let error = engine.last_logits(&[1, 5000]).unwrap_err().to_string();
    assert!(error.contains("5000") && error.contains("101"), "{error}");
    let error = engine
        .token_losses(&tokens(1, 300))
        .unwrap_err()
        .to_string();
    assert!(error.contains("300") && error.contains("256"), "{error}");
    assert!(engine.last_logits(&[]).is_err());
    let answers = generate(&engine, &[tokens(1, 256), tokens(2, 250)], 2);
    assert!(answers[0].tokens.is_empty());
    assert_eq!(answers[1].tokens.len().min(6), answers[1].tokens.len());
}

/// Gradients are the same bits at any number of threads, where sums over rows have an order of their own.
#[test]
fn gradients_do_not_depend_on_threads() {
    if !std::arch::is_x86_feature_detected!("avx512f") {
        return;
    }
    let tiny = tiny(KINDS[2], 9);
    let adapter = adapter(&tiny, &Projection::ALL);
    let (ids, starts, targets) = batch();
    let sequences = Sequences {
        tokens: &ids,
        starts: &starts,
        targets: &targets,
    };
    let at = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| sweep(&tiny, &adapter, &sequences, None, false))
    };
    let one = at(1);
    assert_eq!(one, at(2));
    assert_eq!(one, at(5));
}
