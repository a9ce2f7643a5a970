//! Tiny models whose weights follow a rule that `scripts/reference/families.py` knows too, with transformers' figures.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use harness_model::weights::Weights;
use harness_model::{Decoder, ModelError, Precision};
use serde::Deserialize;
use serde_json::Value;

/// One model with the reference's figures.
#[derive(Deserialize)]
pub struct Golden {
    pub config: Value,
    pub spread: f32,
    pub tensors: BTreeMap<String, Vec<usize>>,
    pub ids: Vec<u32>,
    pub rows: Vec<usize>,
    pub columns: Vec<usize>,
    pub hidden: Vec<Vec<f32>>,
    pub logits: Vec<f32>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families")
}

pub fn golden(name: &str) -> Golden {
    let text = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The names of all models.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = files
        .map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".json").unwrap().to_owned()
        })
        .collect();
    names.sort();
    names
}

/// The values of a tensor, by the rule that the script states.
pub fn values(name: &str, count: usize, spread: f32) -> Vec<f32> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let value = |i: u64| {
        let mut x = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        let unit = (x >> 48) as f32 / 32_768.0 - 1.0;
        unit * spread + if name.contains("norm") { 1.0 } else { 0.0 }
    };
    (0..count as u64).map(value).collect()
}

/// Writes the model with a configuration of the caller's into `folder`.
pub fn write(golden: &Golden, config: &Value, folder: &Path) {
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let tensors: HashMap<String, Tensor> = golden
        .tensors
        .iter()
        .map(|(name, shape)| {
            let data = values(name, shape.iter().product(), golden.spread);
            let tensor = Tensor::from_vec(data, shape.as_slice(), &Device::Cpu).unwrap();
            (name.clone(), tensor)
        })
        .collect();
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
}

/// The model with a configuration of the caller's.
pub fn decoder(golden: &Golden, config: &Value) -> Decoder {
    open(golden, config).unwrap()
}

/// [`decoder`] with a configuration that may not fit the tensors.
pub fn open(golden: &Golden, config: &Value) -> Result<Decoder, ModelError> {
    let folder = tempfile::tempdir().unwrap();
    write(golden, config, folder.path());
    let weights = Weights::open(folder.path())?;
    Decoder::load(&weights, Precision::F32, &mut |_, _| {})
}

/// The largest difference as a share of the largest expected value.
pub fn error(found: impl IntoIterator<Item = f32>, expected: &[f32]) -> f32 {
    let found: Vec<f32> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    let top = expected.iter().fold(0f32, |top, x| top.max(x.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0f32, |worst, (f, e)| worst.max((f - e).abs())) / top
}
