//! Adapters of real PEFT in our decoder, ours in real PEFT, and several on one base.
//!
//! `scripts/reference/peft_adapters.py` made the files in `tests/peft`. Our adapters are opened by PEFT where
//! `HARNESS_PEFT_PYTHON` names a Python that has it: torch is three gigabytes, which is too much for every test run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::{Device, Tensor};
use harness_model::peft::{AdapterFile, PeftConfig, PeftError};
use harness_model::{Adapter, AdapterWeights, Decoder, Engine, LoraConfig, Projection};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reference::{decoder, error, golden, write};
use serde::Deserialize;
use serde_json::{Value, json};

/// Each settings another way to say which modules are changed and how much.
const NAMES: [&str; 6] = [
    "plain",
    "rslora",
    "patterns",
    "expression",
    "layers",
    "all-linear",
];

#[derive(Deserialize)]
struct Figures {
    ids: Vec<u32>,
    rows: Vec<usize>,
    logits: Vec<f32>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peft")
        .join(name)
}

fn base() -> Decoder {
    let golden = golden("qwen2-tied");
    decoder(&golden, &golden.config)
}

fn read(decoder: &Decoder, folder: &Path) -> Adapter {
    Adapter::from_file(decoder.config(), &AdapterFile::read(folder).unwrap()).unwrap()
}

fn logits(decoder: &Decoder, adapter: Option<&Adapter>, ids: &[u32]) -> Vec<f32> {
    let packed = adapter.map(|it| AdapterWeights::new(it, decoder.config().layers).unwrap());
    Engine::new(decoder, packed.as_ref())
        .all_logits(ids)
        .unwrap()
}

#[test]
fn adapters_of_peft_compute_what_they_do_there() {
    let decoder = base();
    let vocabulary = decoder.config().vocab_size;
    for name in NAMES {
        let text = std::fs::read(folder(name).join("logits.json")).unwrap();
        let figures: Figures = serde_json::from_slice(&text).unwrap();
        let adapter = read(&decoder, &folder(name));
        let found = logits(&decoder, Some(&adapter), &figures.ids);
        let rows = figures.rows.iter();
        let rows = rows.flat_map(|row| found[row * vocabulary..][..vocabulary].iter().copied());
        let error = error(rows, &figures.logits);
        println!("{name}: relative error {error:.1e}");
        assert!(error < 1e-5, "{name}: {error}");
        // Written by us it is the same adapter.
        let again = tempfile::tempdir().unwrap();
        adapter
            .to_file("base")
            .unwrap()
            .write(again.path())
            .unwrap();
        assert_eq!(
            logits(&decoder, Some(&read(&decoder, again.path())), &figures.ids),
            found
        );
    }
}

/// A random adapter for the base, as if it were trained.
fn ours(decoder: &Decoder, seed: u64, rank_stabilized: bool) -> Adapter {
    let lora = LoraConfig {
        rank: 3,
        alpha: 5.0,
        dropout: 0.1,
        targets: Projection::ALL.to_vec(),
        rank_stabilized,
    };
    let adapter = Adapter::new(decoder.config(), lora, seed).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            let count = var.elem_count();
            let data: Vec<f32> = (0..count).map(|_| random.random_range(-0.2..0.2)).collect();
            var.set(&Tensor::from_vec(data, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
    }
    adapter
}

#[test]
fn our_adapters_compute_the_same_in_peft() {
    let Some(python) = std::env::var_os("HARNESS_PEFT_PYTHON") else {
        println!("skipped: HARNESS_PEFT_PYTHON names no Python with torch, transformers and peft");
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let golden = golden("qwen2-tied");
    let model = work.path().join("base");
    std::fs::create_dir(&model).unwrap();
    write(&golden, &golden.config, &model);
    let decoder = base();
    let ids: Vec<u32> = (3..40).collect();
    let mut adapters: Vec<AdapterFile> = [false, true]
        .map(|it| ours(&decoder, 1, it).to_file("base").unwrap())
        .into();
    // And those of PEFT with every way of settings, written by us.
    adapters.extend(NAMES.map(|name| read(&decoder, &folder(name)).to_file("base").unwrap()));
    for file in adapters {
        let path = work.path().join("adapter");
        file.write(&path).unwrap();
        let adapter = read(&decoder, &path);
        let figures = work.path().join("logits.json");
        let told = json!({"ids": ids, "logits": logits(&decoder, Some(&adapter), &ids)});
        std::fs::write(&figures, told.to_string()).unwrap();
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/peft_adapters.py");
        let done = Command::new(&python)
            .arg(script)
            .arg("check")
            .args([&model, &path, &figures])
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&done.stdout));
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

/// One base in memory serves any number of adapters, in any order.
#[test]
fn several_adapters_on_one_base() {
    let decoder = base();
    let ids: Vec<u32> = (5..45).collect();
    let adapters: Vec<AdapterWeights> = (1..4)
        .map(|seed| {
            AdapterWeights::new(&ours(&decoder, seed, seed > 1), decoder.config().layers).unwrap()
        })
        .collect();
    let run = |which: Option<usize>| {
        Engine::new(&decoder, which.map(|i| &adapters[i]))
            .all_logits(&ids)
            .unwrap()
    };
    let alone: Vec<Vec<f32>> = (0..3)
        .map(|i| logits(&base(), Some(&ours(&base(), i + 1, i > 0)), &ids))
        .collect();
    let plain = logits(&base(), None, &ids);
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        assert_eq!(run(None), plain);
        for which in order {
            assert_eq!(run(Some(which)), alone[which]);
            assert_ne!(alone[which], plain);
        }
    }
}

#[test]
fn what_is_not_for_this_base_or_not_supported_is_named() {
    let decoder = base();
    let work = tempfile::tempdir().unwrap();
    let with = |name: &str, key: &str, value: Value| {
        let own = work.path().join("own");
        std::fs::create_dir_all(&own).unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            std::fs::copy(folder(name).join(file), own.join(file)).unwrap();
        }
        let config = own.join("adapter_config.json");
        let text = std::fs::read_to_string(&config).unwrap();
        let mut json: Value = serde_json::from_str(&text).unwrap();
        json[key] = value;
        std::fs::write(&config, json.to_string()).unwrap();
        match AdapterFile::read(&own) {
            Ok(file) => Adapter::from_file(decoder.config(), &file)
                .map(|_| ())
                .map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        }
    };
    assert_eq!(with("plain", "revision", json!("x")), Ok(()));
    for (name, key, value, part) in [
        (
            "plain",
            "modules_to_save",
            json!(["lm_head"]),
            "merge the adapter with PEFT",
        ),
        ("plain", "use_dora", json!(true), "DoRA"),
        ("plain", "bias", json!("all"), "bias"),
        ("plain", "r", json!(4), "[4, in]"),
        (
            "plain",
            "target_modules",
            json!(["q_proj", "v_proj"]),
            "none of the target modules",
        ),
        (
            "plain",
            "target_modules",
            json!(["q_proj", "v_proj", "down_proj", "up_proj"]),
            "up_proj",
        ),
        ("patterns", "rank_pattern", json!({}), "k_proj"),
        (
            "expression",
            "target_modules",
            json!("(.*"),
            "target_modules",
        ),
        (
            "layers",
            "layers_to_transform",
            json!([0, 1, 2]),
            "layers.1",
        ),
        ("layers", "layers_to_transform", json!([0]), "layers.2"),
    ] {
        let said = with(name, key, value).unwrap_err();
        assert!(said.contains(part), "{key} of {name}: {said}");
    }
    // Another base: the tensor, what it has and what the base asks for.
    let small = golden("codellama");
    let other = reference::decoder(&small, &small.config);
    let file = AdapterFile::read(&folder("plain")).unwrap();
    let said = Adapter::from_file(other.config(), &file)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("[3, 16]") && said.contains("[3, 32]") && said.contains("another base"),
        "{said}"
    );
    // Pickles are not opened.
    let pickled = work.path().join("pickled");
    std::fs::create_dir(&pickled).unwrap();
    std::fs::copy(
        folder("plain").join("adapter_config.json"),
        pickled.join("adapter_config.json"),
    )
    .unwrap();
    std::fs::write(pickled.join("adapter_model.bin"), b"cos\nsystem\n").unwrap();
    assert!(matches!(
        AdapterFile::read(&pickled),
        Err(PeftError::Pickled { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Settings and matrices of any kind come back as they were written.
    #[test]
    fn there_and_back(
        r in 1..6_usize,
        alpha in prop_oneof![Just(16.0), 0.01..64.0],
        rslora: bool,
        other_rank in 1..6_usize,
        layers in prop::option::of(prop::collection::vec(0..3_usize, 1..3)),
        seed: u64,
    ) {
        let mut config = PeftConfig::plain(r, alpha, vec!["q_proj".into(), "up_proj".into()]);
        config.use_rslora = rslora;
        config.rank_pattern = vec![(r"layers\.0\.mlp\..*".into(), other_rank)];
        config.alpha_pattern = vec![("up_proj".into(), alpha * 2.0)];
        config.layers_to_transform = layers.clone();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut tensors = Vec::new();
        for layer in (0..3).filter(|layer| layers.as_ref().is_none_or(|all| all.contains(layer))) {
            for (path, outputs, inputs) in [("mlp.up_proj", 48, 32), ("self_attn.q_proj", 32, 32)] {
                let rank = if layer == 0 && path.starts_with("mlp") { other_rank } else { r };
                for (matrix, shape) in [('A', [rank, inputs]), ('B', [outputs, rank])] {
                    tensors.push(harness_model::peft::NamedTensor {
                        name: harness_model::peft::tensor_name(&format!("model.layers.{layer}.{path}"), matrix),
                        shape: shape.to_vec(),
                        data: (0..shape[0] * shape[1]).map(|_| random.random_range(-1.0..1.0)).collect(),
                    });
                }
            }
        }
        let file = AdapterFile { config, tensors };
        let folder = tempfile::tempdir().unwrap();
        file.write(folder.path()).unwrap();
        let read = AdapterFile::read(folder.path()).unwrap();
        prop_assert_eq!(&read, &file);
        let golden = golden("qwen2-tied");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), golden.config.to_string()).unwrap();
        let base = harness_model::ModelConfig::from_folder(folder.path()).unwrap();
        let adapter = Adapter::from_file(&base, &read).unwrap();
        let back = adapter.to_file("x").unwrap();
        prop_assert_eq!(back.tensors.len(), file.tensors.len());
        let pair = adapter.pair(layers.map_or(0, |all| all[0]), Projection::QProj).unwrap();
        let scale = if rslora { alpha / (r as f64).sqrt() } else { alpha / r as f64 };
        prop_assert!((f64::from(pair.scale) - scale).abs() <= 1e-6 * scale);
    }
}
