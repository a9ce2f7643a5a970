//! A model's own chat template: messages to the text the model was trained on.
//!
//! Templates are Jinja as Python's transformers runs it (`trim_blocks`, `lstrip_blocks`, methods of Python's strings).
//! This module renders text; it knows neither token ids nor what the messages are about.

mod json;

use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::weights::WeightError;
use crate::weights::gguf::{Array, Header, Value as GgufValue};

/// Name of the template inside its environment, seen in error messages.
const NAME: &str = "chat_template";

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that stand before the conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name templates know the role by.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// An error of finding or rendering a chat template.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The file could not be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The GGUF header could not be read.
    #[error(transparent)]
    Header(#[from] WeightError),
    /// The model has no chat template; a base model wants a plain prompt.
    #[error("{}: the model has no chat template; use a plain prompt format", file.display())]
    NoTemplate {
        /// Where one was looked for.
        file: PathBuf,
    },
    /// `tokenizer_config.json` is not what it should be.
    #[error("{}: {what}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The fault.
        what: String,
    },
    /// The template does not parse, or refused the messages.
    #[error("{}: chat template: {what}", file.display())]
    Template {
        /// Where the template comes from.
        file: PathBuf,
        /// What the template engine, or the template itself, said.
        what: String,
    },
}

/// A parsed chat template with the special tokens it may name.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    file: PathBuf,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Opens the template of the model at `path`: a `.gguf` file, a folder in Hugging Face layout, or a file in one.
    pub fn open(path: &Path) -> Result<Self, ChatError> {
        if path.extension().is_some_and(|e| e == "gguf") {
            return Self::from_gguf(&Header::open(path)?);
        }
        if path.is_dir() {
            Self::from_folder(path)
        } else {
            Self::from_folder(path.parent().unwrap_or(Path::new(".")))
        }
    }

    /// Parses a template; `file` names it in errors, `bos` and `eos` are the texts of these tokens.
    pub fn parse(source: String, bos: &str, eos: &str, file: &Path) -> Result<Self, ChatError> {
        let template_error = |e: minijinja::Error| ChatError::Template {
            file: file.to_owned(),
            what: describe(&e),
        };
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()
                .map_err(template_error)?,
        );
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", json::tojson);
        environment
            .add_template_owned(NAME, source)
            .map_err(template_error)?;
        Ok(Self {
            environment,
            file: file.to_owned(),
            bos: bos.to_owned(),
            eos: eos.to_owned(),
        })
    }

    /// The text of a conversation. With `add_generation_prompt` it ends where the model's answer begins.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
    ) -> Result<String, ChatError> {
        let messages: Value = messages
            .iter()
            .map(|m| Value::from_pairs([("role", m.role.name()), ("content", m.content.as_str())]))
            .collect();
        self.environment
            .get_template(NAME)
            .and_then(|t| {
                t.render(context! {
                    messages,
                    add_generation_prompt,
                    bos_token => self.bos.as_str(),
                    eos_token => self.eos.as_str(),
                })
            })
            .map_err(|e| ChatError::Template {
                file: self.file.clone(),
                what: describe(&e),
            })
    }

    /// The template as it is written.
    pub fn source(&self) -> String {
        let template = self.environment.get_template(NAME);
        template.map_or_else(|_| String::new(), |it| it.source().to_owned())
    }

    fn from_gguf(header: &Header) -> Result<Self, ChatError> {
        let source =
            header
                .text("tokenizer.chat_template")
                .ok_or_else(|| ChatError::NoTemplate {
                    file: header.file.clone(),
                })?;
        let tokens = header
            .metadata
            .get("tokenizer.ggml.tokens")
            .and_then(GgufValue::as_array)
            .and_then(Array::texts)
            .unwrap_or_default();
        let token = |key: &str| {
            let id = header.metadata.get(key).and_then(GgufValue::as_u64);
            id.and_then(|id| tokens.get(id as usize))
                .copied()
                .unwrap_or("")
        };
        Self::parse(
            source.to_owned(),
            token("tokenizer.ggml.bos_token_id"),
            token("tokenizer.ggml.eos_token_id"),
            &header.file,
        )
    }

    fn from_folder(folder: &Path) -> Result<Self, ChatError> {
        let read = |file: &Path| {
            std::fs::read_to_string(file).map_err(|source| ChatError::Io {
                file: file.to_owned(),
                source,
            })
        };
        let config_file = folder.join("tokenizer_config.json");
        let config: serde_json::Value = if config_file.is_file() {
            serde_json::from_str(&read(&config_file)?).map_err(|e| ChatError::Malformed {
                file: config_file.clone(),
                what: e.to_string(),
            })?
        } else {
            serde_json::Value::Null
        };
        let token = |key: &str| {
            let value = config.get(key);
            let text = value.and_then(|v| v.as_str().or_else(|| v.get("content")?.as_str()));
            text.unwrap_or("").to_owned()
        };
        // Newer checkpoints keep the template in a file of its own, older ones as a text or a list of named texts.
        let own_file = folder.join("chat_template.jinja");
        let (source, file) = if own_file.is_file() {
            (read(&own_file)?, own_file)
        } else {
            let named = |all: &Vec<serde_json::Value>| {
                let default = all
                    .iter()
                    .find(|t| t.get("name").is_some_and(|n| n == "default"))?;
                Some(default.get("template")?.as_str()?.to_owned())
            };
            let source = config.get("chat_template").and_then(|t| {
                t.as_str()
                    .map(str::to_owned)
                    .or_else(|| named(t.as_array()?))
            });
            let file = config_file.clone();
            (
                source.ok_or(ChatError::NoTemplate { file: config_file })?,
                file,
            )
        };
        Self::parse(source, &token("bos_token"), &token("eos_token"), &file)
    }
}

/// The message of an error with the line it happened in.
fn describe(e: &minijinja::Error) -> String {
    let what = e.detail().map_or_else(|| e.to_string(), str::to_owned);
    match e.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

/// What templates call when the messages do not suit them.
fn raise_exception(message: &str) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(
        ErrorKind::InvalidOperation,
        message.to_owned(),
    ))
}

/// A prompt with today's date in it could not be repeated tomorrow.
fn strftime_now(_format: &str) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(
        ErrorKind::InvalidOperation,
        "the template asks for the current date (strftime_now); results would change from day to day, so this is refused",
    ))
}
