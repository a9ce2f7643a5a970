//! A vocabulary as the files that lie in a folder in Hugging Face layout.

use std::path::Path;

use serde_json::{Value, json};
use tokenizers::processors::template::TemplateProcessing;

use super::{Tokenizer, TokenizerError, pre};
use crate::chat::ChatTemplate;
use crate::config::ModelConfig;

impl Tokenizer {
    /// Writes `tokenizer.json`, `tokenizer_config.json`, `generation_config.json` and, where the model has a chat template,
    /// `chat_template.jinja` into `folder`.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn save(
        &self,
        folder: &Path,
        config: &ModelConfig,
        chat: Option<&ChatTemplate>,
    ) -> Result<(), TokenizerError> {
        let write = |name: &str, text: String| {
            let file = folder.join(name);
            std::fs::write(&file, text).map_err(|source| TokenizerError::Io { file, source })
        };
        write("tokenizer.json", self.json(config)?)?;
        let named = |id: Option<u32>| id.and_then(|id| self.inner.id_to_token(id));
        let mut settings = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": named(config.bos),
            "eos_token": named(config.eos.first().copied()),
            "pad_token": named(config.pad.or(config.eos.first().copied())),
            "add_bos_token": config.add_bos,
            "clean_up_tokenization_spaces": false,
            "model_max_length": config.context,
        });
        if let Some(chat) = chat {
            settings["chat_template"] = Value::from(chat.source());
            write("chat_template.jinja", chat.source())?;
        }
        write("tokenizer_config.json", format!("{settings:#}\n"))?;
        let generation = json!({
            "bos_token_id": config.bos,
            "eos_token_id": config.eos,
            "pad_token_id": config.pad.or(config.eos.first().copied()),
        });
        write("generation_config.json", format!("{generation:#}\n"))
    }

    /// `tokenizer.json` as it is now.
    pub(crate) fn to_json(&self) -> Result<Value, TokenizerError> {
        serde_json::to_value(&self.inner).map_err(|e| TokenizerError::Save {
            what: e.to_string(),
        })
    }

    /// The name that GGUF files have for the way this vocabulary cuts a text before it merges; none if it has none.
    pub(crate) fn cut_name(&self) -> Option<&'static str> {
        let json = self.to_json().ok()?;
        pre::name_of(&json["normalizer"], &json["pre_tokenizer"])
    }

    /// `tokenizer.json`; a text begins with the beginning-of-sequence token where the model wants that.
    fn json(&self, config: &ModelConfig) -> Result<String, TokenizerError> {
        let fail = |what: String| TokenizerError::Save { what };
        let mut inner = self.inner.clone();
        let bos = config.bos.filter(|_| config.add_bos);
        if let Some((id, token)) = bos.and_then(|id| Some((id, inner.id_to_token(id)?)))
            && inner.get_post_processor().is_none()
        {
            let begin = TemplateProcessing::builder()
                .try_single(format!("{token} $A"))
                .map_err(fail)?
                .try_pair(format!("{token} $A {token}:1 $B:1"))
                .map_err(fail)?
                .special_tokens(vec![(token.as_str(), id)])
                .build()
                .map_err(|e| fail(e.to_string()))?;
            inner.with_post_processor(Some(begin));
        }
        inner.to_string(true).map_err(|e| fail(e.to_string()))
    }
}
