//! The hand-written training pass against the plain form in `f64`, over random models and batches; and the plain form against
//! itself: packed sequences never meet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod against;
mod tiny;

use std::sync::Mutex;

use against::{Plain, distance};
use candle_core::{DType, Device, Tensor};
use half::bf16;
use harness_model::config::{Biases, Family, RopeScaling, SlidingWindow};
use harness_model::graph::GraphModel;
use harness_model::weights::Tensors;
use harness_model::{
    Adapter, Decoder, FullModel, LoraConfig, LoraGradients, ModelConfig, ModelError, Precision,
    Projection, Sequences, Sweep, Workspace,
};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A model of any shape that a configuration may have, with random weights.
struct Random {
    config: ModelConfig,
    seed: u64,
}

impl Tensors for Random {
    fn config(&self) -> &ModelConfig {
        &self.config
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let seed = name.bytes().fold(self.seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let centre = if name.contains("norm") { 1.0 } else { 0.0 };
        let count = shape.iter().product();
        let values = (0..count).map(|_| centre + rng.random_range(-0.3_f32..0.3));
        Ok(values.collect())
    }
}

impl Random {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let kv_heads = rng.random_range(1..4);
        let heads = kv_heads * rng.random_range(1..5);
        let layers = rng.random_range(1..4);
        let slides: Vec<usize> = (0..layers).filter(|_| rng.random()).collect();
        let window = SlidingWindow {
            tokens: rng.random_range(1..9),
            layers: slides,
        };
        let scaling = [
            RopeScaling::None,
            RopeScaling::Linear { factor: 4.0 },
            RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context: 16,
            },
        ];
        let config = ModelConfig {
            family: Family::Llama,
            vocab_size: rng.random_range(20..150),
            // Of a few values a norm keeps little but the signs, and what flows back is rounding.
            hidden: rng.random_range(8..48),
            intermediate: rng.random_range(1..70),
            layers,
            heads,
            kv_heads,
            head_dim: 2 * rng.random_range(2..9_usize),
            context: 64,
            rope_theta: 1e4,
            rope_scaling: scaling.choose(rng).unwrap().clone(),
            window: rng.random::<bool>().then_some(window),
            rms_eps: 1e-5,
            tied: rng.random(),
            biases: Biases {
                qkv: rng.random(),
                output: rng.random(),
                feed_forward: rng.random(),
            },
            qk_norm: rng.random(),
            bos: None,
            eos: vec![0],
            pad: None,
            add_bos: false,
        };
        let seed = rng.random();
        Self { config, seed }
    }

    fn adapter(&self, rng: &mut ChaCha8Rng) -> Adapter {
        let count = rng.random_range(1..8);
        let targets = Projection::ALL.choose_multiple(rng, count).copied();
        let config = LoraConfig {
            rank: rng.random_range(1..7),
            alpha: 4.0,
            dropout: *[0.0, 0.3].choose(rng).unwrap(),
            targets: targets.collect(),
            rank_stabilized: rng.random(),
        };
        let adapter = Adapter::new(&self.config, config, rng.random()).unwrap();
        for (name, var) in adapter.named_vars() {
            if name.contains("lora_B") {
                let count = var.elem_count();
                let data: Vec<f32> = (0..count).map(|_| rng.random_range(-0.3..0.3)).collect();
                var.set(&Tensor::from_vec(data, var.shape(), &Device::Cpu).unwrap())
                    .unwrap();
            }
        }
        adapter
    }
}

/// One to five sequences of 1 to 40 tokens, and targets on some rows, at least one.
struct Batch {
    tokens: Vec<u32>,
    starts: Vec<usize>,
    targets: Vec<(usize, u32)>,
}

impl Batch {
    fn new(rng: &mut ChaCha8Rng, vocabulary: usize) -> Self {
        let mut starts = vec![0];
        for _ in 0..rng.random_range(1..6) {
            starts.push(starts.last().unwrap() + rng.random_range(1..41));
        }
        let m = *starts.last().unwrap();
        let mut id = || rng.random_range(0..vocabulary as u32);
        let tokens: Vec<u32> = (0..m).map(|_| id()).collect();
        let mut targets: Vec<(usize, u32)> = (0..m).map(|row| (row, id())).collect();
        let (share, kept) = (rng.random_range(0.05..1.0), rng.random_range(0..m));
        targets.retain(|(row, _)| *row == kept || rng.random_bool(share));
        Self {
            tokens,
            starts,
            targets,
        }
    }

    fn sequences(&self) -> Sequences<'_> {
        Sequences {
            tokens: &self.tokens,
            starts: &self.starts,
            targets: &self.targets,
        }
    }

    /// Each sequence as a batch of its own.
    fn alone(&self) -> Vec<Self> {
        let of = |ends: &[usize]| Self {
            tokens: self.tokens[ends[0]..ends[1]].to_vec(),
            starts: vec![0, ends[1] - ends[0]],
            targets: self
                .targets
                .iter()
                .filter(|(row, _)| (ends[0]..ends[1]).contains(row))
                .map(|(row, id)| (row - ends[0], *id))
                .collect(),
        };
        self.starts.windows(2).map(of).collect()
    }
}

/// Calls `check` with random numbers of many seeds; a failure names the smallest seed found.
fn for_seeds(cases: u32, check: impl Fn(&mut ChaCha8Rng)) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(&proptest::prelude::any::<u64>(), |seed| {
        check(&mut ChaCha8Rng::seed_from_u64(seed));
        Ok::<_, TestCaseError>(())
    });
    run.unwrap();
}

#[test]
fn the_hand_written_pass_is_the_plain_one() {
    let worst = Mutex::new((0f64, 0f64, 0f64));
    for_seeds(250, |rng| {
        let random = Random::new(rng);
        let adapter = random.adapter(rng);
        let batch = Batch::new(rng, random.config.vocab_size);
        let batch = batch.sequences();
        let dropout = rng.random::<bool>().then(|| rng.random());
        let recompute = rng.random();
        let plain = Plain::adapted(&random, &adapter);
        let (wanted, expected) = plain.gradients(&batch, dropout);

        let decoder = Decoder::load_tensors(&random, Precision::F32, &mut |_, _| {}).unwrap();
        let mut found = LoraGradients::new();
        let mut space = Workspace::new(Precision::F32);
        let loss = Sweep::new(&decoder, Some(&adapter))
            .recompute(recompute)
            .gradients(&batch, dropout, &mut space, &mut found)
            .unwrap();
        let found = found.into_named();
        assert_eq!(found.len(), expected.len());
        let off = (loss - wanted).abs() / wanted;
        assert!(off < 1e-5, "{loss} for {wanted}");
        let (mut all_off, mut all) = (0.0, 0.0);
        let mut parts = Vec::new();
        for (name, expected) in &expected {
            let own = Tensor::from_slice(&found[name], expected.shape(), &Device::Cpu).unwrap();
            let (error, size) = distance(&own, expected);
            parts.push((name, error, size));
            all_off += error * error;
            all += size * size;
        }
        let (all_off, all) = (f64::sqrt(all_off), f64::sqrt(all));
        let mut share = 0f64;
        for (name, error, size) in parts {
            // A tensor that hardly matters to the loss may be the small difference of large numbers.
            let own = error / size.max(1e-3 * all);
            assert!(own < 1e-4, "{name}: {error} of {size}, {:?}", random.config);
            share = share.max(own);
        }
        let mut worst = worst.lock().unwrap();
        worst.0 = worst.0.max(off);
        worst.1 = worst.1.max(share);
        worst.2 = worst.2.max(all_off / all);
    });
    let (loss, tensor, whole) = *worst.lock().unwrap();
    println!(
        "worst relative errors: loss {loss:.1e}, a tensor {tensor:.1e}, the gradient {whole:.1e}"
    );
}

/// The same model with matrices rounded to bfloat16.
struct Rounded<'a>(&'a Random);

impl Tensors for Rounded<'_> {
    fn config(&self) -> &ModelConfig {
        self.0.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let mut values = self.0.tensor(name, shape)?;
        if shape.len() == 2 {
            for value in &mut values {
                *value = bf16::from_f32(*value).to_f32();
            }
        }
        Ok(values)
    }
}

/// In bfloat16 the weights are exactly the rounded ones; activations are rounded too, to 8 bits, and sums are not.
#[test]
fn in_bfloat16_it_is_the_plain_one_of_the_rounded_weights() {
    let errors = Mutex::new(Vec::new());
    for_seeds(100, |rng| {
        let random = Random::new(rng);
        let adapter = random.adapter(rng);
        let batch = Batch::new(rng, random.config.vocab_size);
        let batch = batch.sequences();
        let (wanted, expected) =
            Plain::adapted(&Rounded(&random), &adapter).gradients(&batch, Some(1));
        let decoder = Decoder::load_tensors(&random, Precision::Bf16, &mut |_, _| {}).unwrap();
        let mut found = LoraGradients::new();
        let mut space = Workspace::new(Precision::Bf16);
        let loss = Sweep::new(&decoder, Some(&adapter))
            .gradients(&batch, Some(1), &mut space, &mut found)
            .unwrap();
        let found = found.into_named();
        let (mut off, mut size) = (0.0, 0.0);
        for (name, expected) in &expected {
            let own = Tensor::from_slice(&found[name], expected.shape(), &Device::Cpu).unwrap();
            let (error, norm) = distance(&own, expected);
            off += error * error;
            size += norm * norm;
        }
        let loss = (loss - wanted).abs() / wanted;
        errors.lock().unwrap().push((f64::sqrt(off / size), loss));
    });
    let mut errors = errors.into_inner().unwrap();
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (middle, worst) = (errors[errors.len() / 2].0, errors[errors.len() - 1].0);
    let loss = errors.iter().map(|(_, loss)| *loss).fold(0.0, f64::max);
    println!(
        "relative errors in bfloat16: loss {loss:.1e}, the gradient {middle:.1e}, at worst {worst:.1e}"
    );
    assert!(loss < 1e-2, "{loss}");
    assert!(middle < 2e-2 && worst < 1e-1, "{middle}, {worst}");
}

#[test]
fn training_of_all_weights_is_the_plain_one() {
    let worst = Mutex::new(0f64);
    for_seeds(100, |rng| {
        let random = Random::new(rng);
        let batch = Batch::new(rng, random.config.vocab_size);
        let batch = batch.sequences();
        let (wanted, expected) = Plain::full(&random).gradients(&batch, None);
        let model = FullModel::random(random.config.clone(), 1).unwrap();
        let vars = model.named_vars();
        for (name, var) in &vars {
            let values = random.tensor(name, var.dims()).unwrap();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
        let (found, gradients) = model.gradients(&batch).unwrap();
        assert!(
            (found - wanted).abs() < 1e-5 * wanted,
            "{found} for {wanted}"
        );
        let parts: Vec<(&String, f64, f64)> = vars
            .iter()
            .map(|(name, var)| {
                let found =
                    Tensor::from_slice(&gradients[name], var.shape(), &Device::Cpu).unwrap();
                let (error, size) = distance(&found, &expected[name]);
                (name, error, size)
            })
            .collect();
        assert_eq!(parts.len(), expected.len());
        let all = parts
            .iter()
            .map(|(_, _, size)| size * size)
            .sum::<f64>()
            .sqrt();
        for (name, error, size) in parts {
            let own = error / size.max(1e-3 * all);
            assert!(own < 1e-4, "{name}: {error} of {size}, {:?}", random.config);
            let mut worst = worst.lock().unwrap();
            *worst = worst.max(own);
        }
    });
    let worst = *worst.lock().unwrap();
    println!("worst relative error of a tensor: {worst:.1e}");
}

#[test]
fn packed_sequences_never_meet() {
    for_seeds(60, |rng| {
        let random = Random::new(rng);
        let adapter = random.adapter(rng);
        let batch = Batch::new(rng, random.config.vocab_size);
        let plain = Plain::adapted(&random, &adapter);
        let decoder = Decoder::load_tensors(&random, Precision::F32, &mut |_, _| {}).unwrap();
        let sweep = Sweep::new(&decoder, Some(&adapter));
        let mut space = Workspace::new(Precision::F32);
        let mut sums = [0.0; 2];
        let (packed, gradients) = plain.gradients(&batch.sequences(), None);
        let mut summed = gradients
            .iter()
            .map(|(name, gradient)| (name.clone(), gradient.zeros_like().unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>();
        for alone in batch.alone() {
            if alone.targets.is_empty() {
                continue;
            }
            let (loss, gradients) = plain.gradients(&alone.sequences(), None);
            sums[0] += loss;
            sums[1] += sweep.loss(&alone.sequences(), &mut space).unwrap();
            for (name, sum) in &mut summed {
                *sum = (&*sum + &gradients[name]).unwrap();
            }
        }
        let swept = sweep.loss(&batch.sequences(), &mut space).unwrap();
        assert!(
            (packed - sums[0]).abs() < 1e-12 * packed,
            "{packed}, {sums:?}"
        );
        assert!((swept - sums[1]).abs() < 1e-12 * swept, "{swept}, {sums:?}");
        for (name, sum) in &summed {
            let (error, size) = distance(sum, &gradients[name]);
            assert!(error < 1e-11 * size.max(1e-3), "{name}: {error} of {size}");
        }
    });
}

#[test]
fn f32_is_f64_rounded() {
    for_seeds(20, |rng| {
        let random = Random::new(rng);
        let adapter = random.adapter(rng);
        let batch = Batch::new(rng, random.config.vocab_size);
        let narrow = GraphModel::load(&random, DType::F32, &Device::Cpu).unwrap();
        let loss = narrow
            .summed_loss(Some(&adapter), &batch.sequences(), Some(1))
            .unwrap();
        let wide = Plain::adapted(&random, &adapter).loss(&batch.sequences(), Some(1));
        let (found, wanted) = (
            f64::from(loss.to_scalar::<f32>().unwrap()),
            wide.to_scalar::<f64>().unwrap(),
        );
        assert!(
            (found - wanted).abs() < 1e-5 * wanted,
            "{found} for {wanted}"
        );
    });
}

#[test]
fn nothing_to_predict_costs_nothing() {
    let random = Random::new(&mut ChaCha8Rng::seed_from_u64(1));
    let model = GraphModel::load(&random, DType::F64, &Device::Cpu).unwrap();
    for (tokens, starts) in [
        (&[][..], &[0][..]),
        (&[1, 2], &[0, 2]),
        (&[1], &[0, 0, 1, 1]),
    ] {
        let batch = Sequences {
            tokens,
            starts,
            targets: &[],
        };
        let loss = model.summed_loss(None, &batch, None).unwrap();
        assert_eq!(loss.to_scalar::<f64>().unwrap().to_bits(), 0);
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let random = Random::new(&mut ChaCha8Rng::seed_from_u64(1));
    let error = GraphModel::load(&random, DType::U32, &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("U32"), "{error}");
    let model = GraphModel::load(&random, DType::F64, &Device::Cpu).unwrap();
    assert!(model.named_vars().is_empty());
    let adapter = random.adapter(&mut ChaCha8Rng::seed_from_u64(1));
    let check = |adapter: Option<&Adapter>, tokens: &[u32], targets: &[(usize, u32)]| {
        let batch = Sequences {
            tokens,
            starts: &[0, tokens.len()],
            targets,
        };
        let error = model.summed_loss(adapter, &batch, None).unwrap_err();
        error.to_string()
    };
    let error = check(Some(&adapter), &[1], &[(0, 1)]);
    assert!(error.contains("to_dtype"), "{error}");
    let error = check(None, &[5000], &[(0, 1)]);
    assert!(error.contains("5000"), "{error}");
    let error = check(None, &[1], &[(1, 1)]);
    assert!(error.contains("row 1"), "{error}");
    let error = check(None, &[1; 65], &[(0, 1)]);
    assert!(error.contains("65") && error.contains("64"), "{error}");
}
