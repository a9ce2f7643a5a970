//! `harness model merge` and `harness model export`: a model with an adapter in it, as files for other programs.

use std::path::Path;

use anyhow::{Context as _, Result};
use harness_model::chat::{ChatError, ChatTemplate};
use harness_model::export::{Closeness, Proof, Source, to_folder, to_gguf};
use harness_model::peft::AdapterFile;
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Weights;
use harness_model::weights::gguf::BlockType;
use harness_model::{Adapter, Precision};
use serde::Serialize;

use super::named::files;
use crate::cli::{FileType, FolderType, ModelExportArgs, ModelMergeArgs};
use crate::progress::Progress;

pub fn merge(arguments: &ModelMergeArgs) -> Result<()> {
    let precision = match arguments.kind {
        FolderType::Bf16 => Precision::Bf16,
        FolderType::F32 => Precision::F32,
    };
    let opened = Opened::new(&arguments.model, arguments.adapter.as_deref())?;
    let mut steps = Steps::default();
    let proof = to_folder(
        &opened.source(),
        &arguments.out,
        precision,
        &mut |what, done, of| {
            steps.set(what, done, of);
        },
    )?;
    drop(steps);
    tell(&opened, &arguments.out, &proof, arguments.json)
}

pub fn export(arguments: &ModelExportArgs) -> Result<()> {
    let block = match arguments.kind {
        FileType::F32 => BlockType::F32,
        FileType::F16 => BlockType::F16,
        FileType::Bf16 => BlockType::Bf16,
        FileType::Q8_0 => BlockType::Q8_0,
    };
    anyhow::ensure!(
        arguments.out.extension().is_some_and(|it| it == "gguf"),
        "{}: name the file with the ending .gguf, by which programs know it",
        arguments.out.display()
    );
    let opened = Opened::new(&arguments.model, arguments.adapter.as_deref())?;
    let mut steps = Steps::default();
    let proof = to_gguf(
        &opened.source(),
        &arguments.out,
        block,
        &mut |what, done, of| {
            steps.set(what, done, of);
        },
    )?;
    drop(steps);
    tell(&opened, &arguments.out, &proof, arguments.json)
}

/// A model with what belongs to it.
struct Opened {
    name: String,
    origin: String,
    weights: Weights,
    tokenizer: Tokenizer,
    chat: Option<ChatTemplate>,
    adapter: Option<Adapter>,
}

impl Opened {
    fn new(model: &str, adapter: Option<&Path>) -> Result<Self> {
        let (name, files) = files(model)?;
        let path = &files.path;
        let weights = Weights::open(path)?;
        let tokenizer = Tokenizer::open(path)?;
        tokenizer
            .check_fits(weights.config())
            .with_context(|| format!("the tokenizer of {}", path.display()))?;
        let chat = match ChatTemplate::open(path) {
            Ok(chat) => Some(chat),
            Err(ChatError::NoTemplate { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let adapter = adapter
            .map(|folder| {
                let file = AdapterFile::read(folder)?;
                Adapter::from_file(weights.config(), &file)
                    .with_context(|| format!("adapter {}", folder.display()))
            })
            .transpose()?;
        Ok(Self {
            name,
            origin: files.origin,
            weights,
            tokenizer,
            chat,
            adapter,
        })
    }

    fn source(&self) -> Source<'_> {
        Source {
            weights: &self.weights,
            adapter: self.adapter.as_ref(),
            tokenizer: &self.tokenizer,
            chat: self.chat.as_ref(),
            name: &self.name,
        }
    }
}

/// A progress display for each step of an export.
#[derive(Default)]
struct Steps {
    current: Option<(String, Progress)>,
}

impl Steps {
    fn set(&mut self, what: &str, done: usize, of: usize) {
        if self.current.as_ref().is_none_or(|(name, _)| name != what) {
            let unit = if what.starts_with("writing") {
                "tensors"
            } else {
                "layers"
            };
            self.current = Some((what.to_owned(), Progress::new(what.to_owned(), unit, of, 0)));
        }
        if let Some((_, progress)) = &mut self.current {
            progress.set(done, "");
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    model: &'a str,
    origin: &'a str,
    path: &'a Path,
    sha256: String,
    proof: &'a Proof,
}

fn tell(opened: &Opened, path: &Path, proof: &Proof, json: bool) -> Result<()> {
    let sha256 = Weights::open(path)?.sha256()?;
    if json {
        let told = Told {
            model: &opened.name,
            origin: &opened.origin,
            path,
            sha256,
            proof,
        };
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    println!("{}", path.display());
    println!("SHA-256 {sha256}");
    println!(
        "shown on {} tokens drawn at random, and {} texts:",
        proof.tokens, proof.texts
    );
    if let Some(merged) = &proof.merged {
        println!(
            "  base and adapter against merged, f32   {}",
            closeness(merged)
        );
    }
    println!(
        "  merged in f32 against what is written  {}",
        closeness(&proof.rounded)
    );
    println!(
        "  what is written, read again, gives the same bits; the vocabulary cuts the texts alike"
    );
    Ok(())
}

fn closeness(it: &Closeness) -> String {
    format!(
        "logits within {:.1e} of the largest, {:.1e} nats a token, the same likeliest token after {:.1} %",
        it.relative,
        it.kl,
        100.0 * it.same_top
    )
}
