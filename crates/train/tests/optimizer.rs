//! `AdamW` against `torch.optim.AdamW` (figures from `scripts/reference/adamw.py`, torch 2.15.0), and its state.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use harness_train::gradients::Gradients;
use harness_train::{AdamW, AdamWOptions, OptimizerError};

fn eighths(values: [i64; 6], dtype: DType) -> Tensor {
    let values: Vec<f64> = values.iter().map(|&value| value as f64 / 8.0).collect();
    Tensor::from_vec(values, (2, 3), &Device::Cpu)
        .unwrap()
        .to_dtype(dtype)
        .unwrap()
}

fn variable(dtype: DType) -> BTreeMap<String, Var> {
    let start = eighths([0, 1, 2, 3, 4, 5].map(|i| i * 5 % 7 - 3), dtype);
    BTreeMap::from([("p".to_owned(), Var::from_tensor(&start).unwrap())])
}

fn take_steps(
    optimizer: &mut AdamW,
    dtype: DType,
    steps: std::ops::Range<i64>,
) -> Result<(), OptimizerError> {
    for t in steps {
        let gradient = eighths([0, 1, 2, 3, 4, 5].map(|i| (t * 7 + i * 3) % 11 - 5), dtype);
        let gradients = Gradients::from([("p".to_owned(), gradient)]);
        optimizer.step(0.25 / (t + 1) as f64, &gradients)?;
    }
    Ok(())
}

fn values(vars: &BTreeMap<String, Var>) -> Vec<f64> {
    let flat = vars["p"].flatten_all().unwrap();
    flat.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

#[track_caller]
fn check(dtype: DType, options: AdamWOptions, steps: i64, tolerance: f64, expected: [f64; 6]) {
    let vars = variable(dtype);
    let mut optimizer = AdamW::new(&vars, options).unwrap();
    take_steps(&mut optimizer, dtype, 0..steps).unwrap();
    for (index, (found, expected)) in values(&vars).into_iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(
            off <= tolerance,
            "element {index}: {found}, expected {expected}, off by {off:e}"
        );
    }
}

const DECAYED: AdamWOptions = AdamWOptions {
    betas: (0.9, 0.999),
    eps: 1e-8,
    weight_decay: 0.1,
};

#[test]
fn agrees_with_torch() {
    check(
        DType::F64,
        AdamWOptions::default(),
        5,
        1e-15,
        [
            -0.055_305_308_296_614_876,
            0.387_773_537_671_519_9,
            -0.214_147_310_031_637_56,
            -0.594_318_416_073_842_5,
            0.698_552_510_929_919_7,
            0.544_011_779_661_038_2,
        ],
    );
    check(
        DType::F64,
        AdamWOptions {
            betas: (0.8, 0.95),
            eps: 1e-3,
            weight_decay: 0.1,
        },
        9,
        1e-15,
        [
            -0.070_223_962_690_975_01,
            0.341_677_937_934_751_76,
            -0.184_349_595_192_184_86,
            -0.523_761_308_934_917_9,
            0.658_834_648_905_564_2,
            0.492_170_984_858_090_35,
        ],
    );
    check(
        DType::F32,
        DECAYED,
        9,
        5e-7,
        [
            -0.048_087_984_323_501_59,
            0.344_968_944_787_979_1,
            -0.193_709_895_014_762_88,
            -0.545_358_777_046_203_6,
            0.675_615_847_110_748_3,
            0.511_409_878_730_773_9,
        ],
    );
}

#[test]
fn a_restored_state_continues_bit_by_bit() {
    for dtype in [DType::F32, DType::F64] {
        let whole = variable(dtype);
        let mut optimizer = AdamW::new(&whole, DECAYED).unwrap();
        take_steps(&mut optimizer, dtype, 0..9).unwrap();

        let vars = variable(dtype);
        let mut first = AdamW::new(&vars, DECAYED).unwrap();
        take_steps(&mut first, dtype, 0..4).unwrap();
        let state = first.save().unwrap();
        let mut second = AdamW::new(&vars, DECAYED).unwrap();
        second.restore(&state).unwrap();
        assert_eq!(second.steps(), 4);
        assert_eq!(second.save().unwrap(), state);
        take_steps(&mut second, dtype, 4..9).unwrap();

        assert_eq!(second.save().unwrap(), optimizer.save().unwrap());
        assert_eq!(values(&vars), values(&whole));
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name() {
    let state = AdamW::new(&variable(DType::F32), DECAYED)
        .unwrap()
        .save()
        .unwrap();
    let mut wide = AdamW::new(&variable(DType::F64), DECAYED).unwrap();
    for (bytes, expected) in [
        (&state[..], "tensor p.m is [2, 3] F32, expected [2, 3] F64"),
        (&state[..state.len() - 1], "not a safetensors file"),
        (&[][..], "not a safetensors file"),
    ] {
        let error = wide.restore(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let other = BTreeMap::from([("q".to_owned(), variable(DType::F32)["p"].clone())]);
    let error = AdamW::new(&other, DECAYED)
        .unwrap()
        .restore(&state)
        .unwrap_err();
    assert!(
        error.to_string().contains("tensor p.m belongs to no"),
        "{error}"
    );
}

#[test]
fn a_step_without_its_gradient_changes_nothing() {
    let vars = variable(DType::F64);
    let before = values(&vars);
    let mut optimizer = AdamW::new(&vars, DECAYED).unwrap();
    let error = optimizer.step(1.0, &Gradients::new()).unwrap_err();
    assert_eq!(error.to_string(), "variable p has no gradient in this step");
    let narrow = Gradients::from([("p".to_owned(), eighths([1; 6], DType::F32))]);
    let error = optimizer.step(1.0, &narrow).unwrap_err().to_string();
    assert!(error.contains("[2, 3] F32, expected [2, 3] F64"), "{error}");
    assert_eq!((values(&vars), optimizer.steps()), (before, 0));
}

#[test]
fn half_precision_is_refused() {
    let error = AdamW::new(&variable(DType::BF16), DECAYED).unwrap_err();
    assert!(error.to_string().contains("p is BF16"), "{error}");
}

/// Two variables of one value each after one step without gradient: what is left is the decay.
#[test]
fn only_matrices_decay_and_each_variable_has_its_rate() {
    let one = |shape: &[usize]| {
        let value = Tensor::ones(shape, DType::F64, &Device::Cpu).unwrap();
        Var::from_tensor(&value).unwrap()
    };
    let vars = BTreeMap::from([
        ("a.bias".to_owned(), one(&[1])),
        ("a.weight".to_owned(), one(&[1, 1])),
        ("b.weight".to_owned(), one(&[1, 1])),
    ]);
    let rates = |name: &str| if name.starts_with('b') { 4.0 } else { 1.0 };
    let mut optimizer = AdamW::new(&vars, DECAYED).unwrap().with_rates(rates);
    let still = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.zeros_like().unwrap().detach()))
        .collect();
    optimizer.step(0.5, &still).unwrap();
    let left = |name: &str| {
        let flat = vars[name].flatten_all().unwrap();
        flat.to_vec1::<f64>().unwrap()[0]
    };
    assert_eq!(left("a.bias").to_bits(), 1.0_f64.to_bits());
    assert!((left("a.weight") - 0.95).abs() < 1e-15);
    assert!((left("b.weight") - 0.80).abs() < 1e-15);

    // The first step of Adam has the size of the rate, whatever the gradient.
    let plain = AdamWOptions {
        weight_decay: 0.0,
        ..DECAYED
    };
    let mut optimizer = AdamW::new(&vars, plain).unwrap().with_rates(rates);
    let before = [left("a.weight"), left("b.weight")];
    let ones = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.ones_like().unwrap().detach()))
        .collect();
    optimizer.step(0.01, &ones).unwrap();
    assert!((before[0] - left("a.weight") - 0.01).abs() < 1e-9);
    assert!((before[1] - left("b.weight") - 0.04).abs() < 1e-9);
}
