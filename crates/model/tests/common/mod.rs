//! What several tests share: cached models, and tiny GGUF files made on the spot.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

/// A model file in the cache.
pub struct Cached {
    pub name: &'static str,
    pub file: &'static str,
    pub sha256: &'static str,
    pub required_in_ci: bool,
}

pub const SMOLLM2: Cached = Cached {
    name: "SmolLM2-135M-Instruct",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    required_in_ci: true,
};

pub const QWEN: Cached = Cached {
    name: "Qwen2.5-Coder-0.5B-Instruct",
    file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    required_in_ci: false,
};

/// The path of a cached model, or nothing (after saying so) where it may be absent.
pub fn cached(model: &Cached) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let path = harness_model::source::default_cache()
        .expect("one of HARNESS_CACHE, XDG_CACHE_HOME and HOME is set")
        .join("models")
        .join(&model.sha256[..16])
        .join(model.file);
    if path.is_file() {
        return Some(path);
    }
    let required = (model.required_in_ci && set("CI"))
        || (!model.required_in_ci && set("HARNESS_LARGE_MODELS"));
    assert!(
        !required,
        "{} is required here but not at {}",
        model.name,
        path.display()
    );
    println!(
        "skipped: {} is not in the cache ({})",
        model.name,
        path.display()
    );
    None
}

/// Writes a GGUF file, piece by piece.
#[derive(Default)]
pub struct Gguf {
    metadata: Vec<u8>,
    keys: u64,
    infos: Vec<u8>,
    data: Vec<u8>,
    tensors: u64,
}

fn text(out: &mut Vec<u8>, s: &str) {
    out.extend((s.len() as u64).to_le_bytes());
    out.extend(s.as_bytes());
}

impl Gguf {
    fn key(&mut self, key: &str, kind: u32) {
        self.keys += 1;
        text(&mut self.metadata, key);
        self.metadata.extend(kind.to_le_bytes());
    }

    pub fn u32(mut self, key: &str, value: u32) -> Self {
        self.key(key, 4);
        self.metadata.extend(value.to_le_bytes());
        self
    }

    pub fn f32(mut self, key: &str, value: f32) -> Self {
        self.key(key, 6);
        self.metadata.extend(value.to_le_bytes());
        self
    }

    pub fn flag(mut self, key: &str, value: bool) -> Self {
        self.key(key, 7);
        self.metadata.push(value.into());
        self
    }

    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key, 8);
        text(&mut self.metadata, value);
        self
    }

    pub fn texts(mut self, key: &str, values: &[&str]) -> Self {
        self.key(key, 9);
        self.metadata.extend(8u32.to_le_bytes());
        self.metadata.extend((values.len() as u64).to_le_bytes());
        for v in values {
            text(&mut self.metadata, v);
        }
        self
    }

    pub fn i32s(mut self, key: &str, values: &[i32]) -> Self {
        self.key(key, 9);
        self.metadata.extend(5u32.to_le_bytes());
        self.metadata.extend((values.len() as u64).to_le_bytes());
        self.metadata
            .extend(values.iter().flat_map(|v| v.to_le_bytes()));
        self
    }

    pub fn f32s(mut self, key: &str, values: &[f32]) -> Self {
        self.key(key, 9);
        self.metadata.extend(6u32.to_le_bytes());
        self.metadata.extend((values.len() as u64).to_le_bytes());
        self.metadata
            .extend(values.iter().flat_map(|v| v.to_le_bytes()));
        self
    }

    /// A tensor of shape `shape` (outermost first) in the block format `code`.
    pub fn tensor(mut self, name: &str, shape: &[usize], code: u32, bytes: &[u8]) -> Self {
        self.tensors += 1;
        text(&mut self.infos, name);
        self.infos.extend((shape.len() as u32).to_le_bytes());
        for d in shape.iter().rev() {
            self.infos.extend((*d as u64).to_le_bytes());
        }
        self.infos.extend(code.to_le_bytes());
        self.infos.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(bytes);
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        self
    }

    /// A tensor of 32-bit floats.
    pub fn floats(self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, shape, 0, &bytes)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend(self.tensors.to_le_bytes());
        out.extend(self.keys.to_le_bytes());
        out.extend(&self.metadata);
        out.extend(&self.infos);
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(&self.data);
        out
    }

    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).unwrap();
    }
}

/// The keys of a tiny model: hidden 4, one block, one head of width 4.
pub fn tiny(arch: &str) -> Gguf {
    let k = |name: &str| format!("{arch}.{name}");
    Gguf::default()
        .text("general.architecture", arch)
        .u32(&k("block_count"), 1)
        .u32(&k("context_length"), 16)
        .u32(&k("embedding_length"), 4)
        .u32(&k("feed_forward_length"), 8)
        .u32(&k("attention.head_count"), 1)
        .u32(&k("attention.head_count_kv"), 1)
        .f32(&k("rope.freq_base"), 10_000.0)
        .f32(&k("attention.layer_norm_rms_epsilon"), 1e-5)
}
