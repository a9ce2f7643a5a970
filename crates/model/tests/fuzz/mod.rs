//! Files that are drawn, for the readers of headers and vocabularies: small valid files, damaged.
//!
//! What must hold: nothing panics, and no memory is taken on the word of a header alone. The test runs some of it, the
//! example `fuzz_files` as much as one likes.
#![allow(dead_code, reason = "the test and the example use a part each")]

mod allocations;
mod damage;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use harness_model::ModelConfig;
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::gguf::Header;
use harness_model::weights::read_safetensors_header;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What reads the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Header of a GGUF file, and the configuration in it.
    Gguf,
    /// Header of a safetensors file.
    Safetensors,
    /// A `tokenizer.json`.
    TokenizerJson,
    /// The vocabulary of a GGUF header.
    Vocabulary,
}

impl Target {
    pub const ALL: [Self; 4] = [
        Self::Gguf,
        Self::Safetensors,
        Self::TokenizerJson,
        Self::Vocabulary,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Gguf => "gguf",
            Self::Safetensors => "safetensors",
            Self::TokenizerJson => "tokenizer",
            Self::Vocabulary => "vocabulary",
        }
    }

    /// Bytes of one allocation, and of all that are alive together, that a file of `len` bytes may lead to.
    ///
    /// Headers are kept in about their size, with some room that is there for any. What a tokenizer keeps of an entry (two
    /// maps, strings, tables of its bytes) is many times the entry, and its expressions are compiled.
    fn bounds(self, len: usize) -> (usize, usize) {
        match self {
            Self::Gguf | Self::Safetensors => (2 * len + (1 << 11), 8 * len + (1 << 12)),
            Self::TokenizerJson | Self::Vocabulary => (32 * len + (1 << 17), 128 * len + (1 << 18)),
        }
    }

    /// Reads the bytes; whether they were a file.
    fn read(self, bytes: &[u8]) -> bool {
        let path = Path::new("drawn");
        match self {
            Self::Gguf => match Header::read(bytes, bytes.len() as u64, path) {
                Ok(header) => {
                    ModelConfig::from_gguf(&header, bytes.len().is_multiple_of(2)).is_ok()
                }
                Err(error) => said(&error),
            },
            Self::Safetensors => match read_safetensors_header(bytes, bytes.len() as u64, path) {
                Ok(entries) => {
                    let mut end = 0;
                    for entry in entries {
                        assert!(entry.start >= end, "{entry:?} shares bytes");
                        end = entry.start + entry.bytes;
                    }
                    assert!(end <= bytes.len() as u64, "a tensor leaves the file");
                    true
                }
                Err(error) => said(&error),
            },
            Self::TokenizerJson => match Tokenizer::from_json(bytes, path) {
                Ok(tokenizer) => speak(&tokenizer),
                Err(error) => said(&error),
            },
            Self::Vocabulary => {
                let Ok(header) = Header::read(bytes, bytes.len() as u64, path) else {
                    return false;
                };
                match Tokenizer::from_header(&header) {
                    Ok(tokenizer) => speak(&tokenizer),
                    Err(error) => said(&error),
                }
            }
        }
    }
}

/// Every error can be told, and shortly.
fn said(error: &dyn std::error::Error) -> bool {
    assert!(!error.to_string().is_empty());
    false
}

/// A tokenizer that was built can be used, whatever it does to the text.
fn speak(tokenizer: &Tokenizer) -> bool {
    for text in ["SELECT a FROM t", "grö 12\n \u{1F600}"] {
        for ids in [
            tokenizer.encode_plain(text, false),
            tokenizer.encode_with_specials(text, false),
        ]
        .into_iter()
        .flatten()
        {
            for id in &ids {
                assert!((*id as usize) < tokenizer.vocab_size(), "id {id}");
            }
            let _ = tokenizer.decode(&ids);
        }
    }
    let _ = tokenizer.decode_with_specials(&[0, 1, u32::MAX]);
    true
}

/// Draws files for one reader.
pub struct Fuzzer {
    pub target: Target,
    random: ChaCha8Rng,
    seeds: Vec<Vec<u8>>,
    /// Files read, and those of them that were accepted.
    pub inputs: u64,
    pub accepted: u64,
    /// Most bytes of one allocation, and of all alive together.
    pub most: (usize, usize),
}

/// What a reader did that it must not do.
pub struct Breach {
    pub what: String,
    pub input: Vec<u8>,
}

impl Fuzzer {
    pub fn new(target: Target, seed: u64) -> Self {
        let seeds = seeds::of(target);
        for seed in &seeds {
            assert!(
                target.read(seed),
                "{target:?}: a seed is not accepted: {}",
                seed.escape_ascii()
            );
        }
        Self {
            target,
            random: ChaCha8Rng::seed_from_u64(seed),
            seeds,
            inputs: 0,
            accepted: 0,
            most: (0, 0),
        }
    }

    /// Draws so many files and has them read, on a thread of its own: the library of the tokenizers keeps a cache for
    /// every tokenizer and thread, which goes with the thread alone.
    pub fn steps(&mut self, count: u64) -> Result<(), Breach> {
        let run = || (0..count).try_for_each(|_| self.step());
        std::thread::scope(|scope| scope.spawn(run).join()).expect("panics are caught")
    }

    fn step(&mut self) -> Result<(), Breach> {
        let json = matches!(self.target, Target::Safetensors | Target::TokenizerJson);
        let before = self.target == Target::Safetensors;
        let input = damage::draw(&mut self.random, &self.seeds, json, before);
        let target = self.target;
        allocations::begin();
        let read = catch_unwind(AssertUnwindSafe(|| target.read(&input)));
        let (largest, alive) = allocations::end();
        self.inputs += 1;
        let (one, all) = target.bounds(input.len());
        self.most = (self.most.0.max(largest), self.most.1.max(alive));
        let what = match read {
            Err(_) => "panicked".to_owned(),
            Ok(accepted) => {
                self.accepted += u64::from(accepted);
                if largest <= one && alive <= all {
                    return Ok(());
                }
                format!(
                    "took {largest} bytes at once (at most {one}) and {alive} in all (at most {all}) for {} bytes",
                    input.len()
                )
            }
        };
        Err(Breach { what, input })
    }
}
