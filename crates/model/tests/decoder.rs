//! The decoder against independent implementations: logits against candle-transformers' stock models, gradients
//! against plain candle operations in `f64`, answers against each other at every batch size.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod tiny;

use std::collections::{BTreeMap, HashMap};

use candle_core::{D, DType, Device, Tensor, Var};
use candle_transformers::models::{llama, qwen2};
use harness_model::{
    Adapter, AdapterWeights, Engine, GenerateOptions, Generation, LoraConfig, ModelError,
    Projection, Sequences,
};
use tiny::{
    EPSILON, HEAD_DIM, HEADS, HIDDEN, INTERMEDIATE, KV_HEADS, LAYERS, THETA, Tiny, VOCABULARY,
    tiny, tokens, wide,
};

const KINDS: [(bool, bool); 3] = [(false, true), (false, false), (true, true)];

fn reference_logits(tiny: &Tiny, ids: &[u32]) -> Vec<f32> {
    let tensors: HashMap<String, Tensor> = tiny.tensors.clone().into_iter().collect();
    let vb = candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let input = Tensor::new(ids, &Device::Cpu)
        .unwrap()
        .unsqueeze(0)
        .unwrap();
    let logits = if tiny.qwen2 {
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
            tie_word_embeddings: tiny.tied,
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
            tie_word_embeddings: tiny.tied,
        };
        let mut cache = llama::Cache::new(false, DType::F32, &config, &Device::Cpu).unwrap();
        let model = llama::Llama::load(vb, &config).unwrap();
        model.forward(&input, 0, &mut cache).unwrap()
    };
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn logits_are_those_of_the_stock_models() {
    for (qwen2, tied) in KINDS {
        let tiny = tiny(qwen2, tied, 7);
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

/// The same decoder in plain differentiable candle operations, in `f64`, one sequence at a time.
struct Naive {
    tensors: BTreeMap<String, Tensor>,
    tied: bool,
    scale: f64,
    lora: BTreeMap<String, Var>,
}

impl Naive {
    fn new(tiny: &Tiny, adapter: &Adapter) -> Self {
        let lora = adapter
            .named_vars()
            .into_iter()
            .map(|(name, var)| {
                let wide = var.as_tensor().to_dtype(DType::F64).unwrap();
                (name, Var::from_tensor(&wide).unwrap())
            })
            .collect();
        Self {
            tensors: wide(tiny),
            tied: tiny.tied,
            scale: f64::from(adapter.config().scale()),
            lora,
        }
    }

    fn linear(&self, x: &Tensor, path: &str) -> Tensor {
        let weight = &self.tensors[&format!("{path}.weight")];
        let mut y = x.matmul(&weight.t().unwrap()).unwrap();
        if let Some(bias) = self.tensors.get(&format!("{path}.bias")) {
            y = y.broadcast_add(bias).unwrap();
        }
        let key = |side| format!("base_model.model.{path}.lora_{side}.weight");
        if let (Some(a), Some(b)) = (self.lora.get(&key("A")), self.lora.get(&key("B"))) {
            let low = x.matmul(&a.t().unwrap()).unwrap();
            let update = low.matmul(&b.t().unwrap()).unwrap();
            y = (y + (update * self.scale).unwrap()).unwrap();
        }
        y
    }

    fn norm(&self, x: &Tensor, name: &str) -> Tensor {
        let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
        let rms = (mean + EPSILON).unwrap().sqrt().unwrap();
        x.broadcast_div(&rms)
            .unwrap()
            .broadcast_mul(&self.tensors[name])
            .unwrap()
    }

    fn loss(&self, ids: &[u32], targets: &[(usize, u32)]) -> Tensor {
        let t = ids.len();
        let half = HEAD_DIM / 2;
        let angle = |p: usize, i: usize| p as f64 * THETA.powf(-2.0 * i as f64 / HEAD_DIM as f64);
        let table = |f: fn(f64) -> f64| {
            let data: Vec<f64> = (0..t)
                .flat_map(|p| (0..half).map(move |i| f(angle(p, i))))
                .collect();
            Tensor::from_vec(data, (1, t, half), &Device::Cpu).unwrap()
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        let heads = |x: Tensor, n: usize| {
            x.reshape((t, n, HEAD_DIM))
                .unwrap()
                .transpose(0, 1)
                .unwrap()
                .contiguous()
                .unwrap()
        };
        let rotate = |x: Tensor| {
            let low = x.narrow(2, 0, half).unwrap();
            let high = x.narrow(2, half, half).unwrap();
            let turned_low =
                (low.broadcast_mul(&cos).unwrap() - high.broadcast_mul(&sin).unwrap()).unwrap();
            let turned_high =
                (high.broadcast_mul(&cos).unwrap() + low.broadcast_mul(&sin).unwrap()).unwrap();
            Tensor::cat(&[turned_low, turned_high], 2).unwrap()
        };
        let repeat = |x: Tensor| {
            let parts: Vec<Tensor> = (0..HEADS)
                .map(|h| x.narrow(0, h / (HEADS / KV_HEADS), 1).unwrap())
                .collect();
            Tensor::cat(&parts, 0).unwrap()
        };
        let mask: Vec<f64> = (0..t * t)
            .map(|i| {
                if i % t > i / t {
                    f64::NEG_INFINITY
                } else {
                    0.0
                }
            })
            .collect();
        let mask = Tensor::from_vec(mask, (1, t, t), &Device::Cpu).unwrap();

        let index = Tensor::new(ids, &Device::Cpu).unwrap();
        let embedding = &self.tensors["model.embed_tokens.weight"];
        let mut x = embedding.index_select(&index, 0).unwrap();
        for layer in 0..LAYERS {
            let at = |part: &str| format!("model.layers.{layer}.{part}");
            let h = self.norm(&x, &at("input_layernorm.weight"));
            let q = rotate(heads(self.linear(&h, &at("self_attn.q_proj")), HEADS));
            let k = repeat(rotate(heads(
                self.linear(&h, &at("self_attn.k_proj")),
                KV_HEADS,
            )));
            let v = repeat(heads(self.linear(&h, &at("self_attn.v_proj")), KV_HEADS));
            let scores = (q.matmul(&k.t().unwrap()).unwrap() / (HEAD_DIM as f64).sqrt()).unwrap();
            let scores = scores.broadcast_add(&mask).unwrap();
            let weights = candle_nn::ops::softmax(&scores, D::Minus1).unwrap();
            let attended = weights
                .matmul(&v)
                .unwrap()
                .transpose(0, 1)
                .unwrap()
                .reshape((t, HIDDEN))
                .unwrap();
            x = (x + self.linear(&attended, &at("self_attn.o_proj"))).unwrap();
            let h = self.norm(&x, &at("post_attention_layernorm.weight"));
            let gate = self.linear(&h, &at("mlp.gate_proj")).silu().unwrap();
            let up = self.linear(&h, &at("mlp.up_proj"));
            x = (x + self.linear(&(gate * up).unwrap(), &at("mlp.down_proj"))).unwrap();
        }
        let x = self.norm(&x, "model.norm.weight");
        let head = if self.tied {
            "model.embed_tokens.weight"
        } else {
            "lm_head.weight"
        };
        let logits = x.matmul(&self.tensors[head].t().unwrap()).unwrap();
        let logp = candle_nn::ops::log_softmax(&logits, D::Minus1).unwrap();
        targets
            .iter()
            .map(|&(row, id)| {
                logp.get(row)
                    .unwrap()
                    .get(id as usize)
                    .unwrap()
                    .neg()
                    .unwrap()
            })
            .reduce(|a, b| (a + b).unwrap())
            .unwrap()
    }
}

fn adapter(tiny: &Tiny, targets: &[Projection]) -> Adapter {
    let config = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: targets.to_vec(),
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

/// Two sequences of different length, loss on the later tokens of each.
fn batch() -> (Vec<u32>, Vec<usize>, Vec<(usize, u32)>) {
    let ids = tokens(11, 23);
    let starts = vec![0, 9, 23];
    let targets = starts
        .windows(2)
        .flat_map(|ends| (ends[0] + 3..ends[1] - 1).map(|row| (row, ids[row + 1])))
        .collect();
    (ids, starts, targets)
}

#[test]
fn loss_and_every_gradient_are_those_of_plain_operations() {
    for (qwen2, tied) in KINDS {
        let tiny = tiny(qwen2, tied, 9);
        let adapter = adapter(&tiny, &Projection::ALL);
        let naive = Naive::new(&tiny, &adapter);
        let (ids, starts, targets) = batch();
        let sequences = Sequences {
            tokens: &ids,
            starts: &starts,
            targets: &targets,
        };
        let loss = tiny
            .decoder
            .summed_loss(Some(&adapter), &sequences, None)
            .unwrap();
        let expected = starts
            .windows(2)
            .map(|ends| {
                let own: Vec<(usize, u32)> = targets
                    .iter()
                    .filter(|(row, _)| (ends[0]..ends[1]).contains(row))
                    .map(|(row, id)| (row - ends[0], *id))
                    .collect();
                naive.loss(&ids[ends[0]..ends[1]], &own)
            })
            .reduce(|a, b| (a + b).unwrap())
            .unwrap();
        let (found, wanted) = (
            loss.to_scalar::<f32>().unwrap(),
            expected.to_scalar::<f64>().unwrap(),
        );
        assert!(
            (f64::from(found) - wanted).abs() < 1e-5 * wanted,
            "{found} for {wanted}"
        );

        let (grads, naive_grads) = (loss.backward().unwrap(), expected.backward().unwrap());
        assert_eq!(adapter.named_vars().len(), LAYERS * 7 * 2);
        for (name, var) in adapter.named_vars() {
            let found = grads
                .get(&var)
                .unwrap_or_else(|| panic!("no gradient for {name}"));
            let expected = naive_grads.get(&naive.lora[&name]).unwrap();
            let difference = (found.to_dtype(DType::F64).unwrap() - expected).unwrap();
            let norm = |t: &Tensor| {
                t.sqr()
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .to_scalar::<f64>()
                    .unwrap()
                    .sqrt()
            };
            let (error, size) = (norm(&difference), norm(expected));
            assert!(size > 1e-6, "{name} has a zero gradient");
            assert!(
                error < 1e-4 * size,
                "{name}: relative error {}",
                error / size
            );
        }
    }
}

#[test]
fn gradients_are_slopes() {
    let tiny = tiny(true, true, 4);
    let adapter = adapter(&tiny, &[Projection::QProj, Projection::DownProj]);
    let naive = Naive::new(&tiny, &adapter);
    let (ids, starts, targets) = batch();
    let sequences = Sequences {
        tokens: &ids,
        starts: &starts,
        targets: &targets,
    };
    let grads = tiny
        .decoder
        .summed_loss(Some(&adapter), &sequences, None)
        .unwrap()
        .backward()
        .unwrap();
    // Finite differences of the plain form, whose loss was shown to be ours: in f64 they are sharp.
    let value = || {
        starts
            .windows(2)
            .map(|ends| {
                let own: Vec<(usize, u32)> = targets
                    .iter()
                    .filter(|(row, _)| (ends[0]..ends[1]).contains(row))
                    .map(|(row, id)| (row - ends[0], *id))
                    .collect();
                naive
                    .loss(&ids[ends[0]..ends[1]], &own)
                    .to_scalar::<f64>()
                    .unwrap()
            })
            .sum::<f64>()
    };
    for (name, var) in adapter.named_vars() {
        let wide = &naive.lora[&name];
        let data: Vec<f64> = wide.flatten_all().unwrap().to_vec1().unwrap();
        let found: Vec<f32> = grads
            .get(&var)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
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
    let tiny = tiny(false, true, 4);
    let config = LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.5,
        targets: Projection::ALL.to_vec(),
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
    let loss = |key| {
        let loss = tiny
            .decoder
            .summed_loss(Some(&adapter), &sequences, key)
            .unwrap();
        loss.to_scalar::<f32>().unwrap()
    };
    assert_eq!(loss(Some(1)).to_bits(), loss(Some(1)).to_bits());
    assert_ne!(loss(Some(1)).to_bits(), loss(Some(2)).to_bits());
    assert_ne!(loss(Some(1)).to_bits(), loss(None).to_bits());
}

fn generate(engine: &Engine<'_>, prompts: &[Vec<u32>], batch_size: usize) -> Vec<Generation> {
    let options = GenerateOptions {
        batch_size,
        max_new_tokens: 24,
        end_tokens: vec![2, 17],
    };
    let mut answers = vec![None; prompts.len()];
    engine
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
    answers.into_iter().map(Option::unwrap).collect()
}

#[test]
fn answers_are_the_same_bits_at_any_batch_size_and_order() {
    for (qwen2, tied) in KINDS {
        let tiny = tiny(qwen2, tied, 21);
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
    let tiny = tiny(true, true, 2);
    let engine = Engine::new(&tiny.decoder, None);
    let prompt = tokens(8, 12);
    let answer = generate(&engine, std::slice::from_ref(&prompt), 1).remove(0);
    let whole: Vec<u32> = prompt.iter().chain(&answer.tokens).copied().collect();
    let losses = engine.token_losses(&whole).unwrap();
    let sum: f64 = losses[prompt.len() - 1..].iter().sum();
    assert!(
        (sum + answer.logprob).abs() < 1e-9 * sum.abs().max(1.0),
        "{sum} {}",
        answer.logprob
    );
}

#[test]
fn an_adapter_survives_its_file_and_fits_its_model_only() {
    let small = tiny(false, true, 2);
    let adapter = adapter(&small, &[Projection::QProj, Projection::UpProj]);
    let file = adapter.to_file("tiny").unwrap();
    let back = Adapter::from_file(small.decoder.config(), &file).unwrap();
    for ((name, a), (other, b)) in adapter.named_vars().into_iter().zip(back.named_vars()) {
        assert_eq!(name, other);
        let bits = |v: &Var| v.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(bits(&a), bits(&b));
    }
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
    let tiny = tiny(false, true, 2);
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
