//! Text while its tokens are still coming.
//!
//! A character may take several tokens (an emoji in byte-level merges takes up to four), so text is given as soon as it
//! ends with a whole character. Where single bytes are tokens of their own (`SentencePiece`) a run of them is text only as
//! a whole, and given with the token behind it. Only the last tokens are decoded again, so a text takes time for its length.

use super::{Tokenizer, TokenizerError};

/// Tokens without a whole character after which text is given as it is: they are not UTF-8 and will not be.
const PATIENCE: usize = 32;

/// Turns tokens into text one by one. What it gives, one after another and with [`Self::finish`], is the text of all.
#[derive(Debug)]
pub struct TextStream<'a> {
    tokenizer: &'a Tokenizer,
    /// The last tokens whose text was given, and those whose text was not.
    ids: Vec<u32>,
    /// How many of `ids` were given. They stay because a token's text may depend on the one before: a leading blank is
    /// dropped at the beginning of a text.
    given: usize,
}

impl Tokenizer {
    /// A text that begins. Special tokens have none, as in [`Self::decode`].
    pub fn stream(&self) -> TextStream<'_> {
        TextStream {
            tokenizer: self,
            ids: Vec::new(),
            given: 0,
        }
    }
}

impl TextStream<'_> {
    /// The text that is certain now that this token has come; often it is empty.
    ///
    /// # Errors
    /// If the library can't decode.
    pub fn push(&mut self, id: u32) -> Result<String, TokenizerError> {
        if self.tokenizer.is_silent(id) {
            return Ok(String::new());
        }
        self.ids.push(id);
        if self.tokenizer.is_byte(id) {
            return Ok(String::new());
        }
        let text = self.rest()?;
        let cut = text.ends_with(char::REPLACEMENT_CHARACTER);
        if text.is_empty() || (cut && self.ids.len() - self.given < PATIENCE) {
            return Ok(String::new());
        }
        self.ids.drain(..self.given);
        self.given = self.ids.len();
        Ok(text)
    }

    /// What is left, with the replacement character for what is no whole character.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(self) -> Result<String, TokenizerError> {
        self.rest()
    }

    /// The text of the tokens that was not given.
    fn rest(&self) -> Result<String, TokenizerError> {
        let before = self.tokenizer.decode(&self.ids[..self.given])?;
        let whole = self.tokenizer.decode(&self.ids)?;
        Ok(whole.get(before.len()..).unwrap_or_default().to_owned())
    }
}

impl Tokenizer {
    /// Whether the token has no text: a special one, or none at all.
    fn is_silent(&self, id: u32) -> bool {
        let token = self.inner.id_to_token(id);
        token.is_none_or(|token| self.specials.binary_search(&token).is_ok())
    }

    /// Whether the token is a byte of a vocabulary that falls back to bytes.
    fn is_byte(&self, id: u32) -> bool {
        let token = self.inner.id_to_token(id);
        token.is_some_and(|token| {
            let hex = token
                .strip_prefix("<0x")
                .and_then(|rest| rest.strip_suffix('>'));
            hex.is_some_and(|hex| hex.len() == 2 && u8::from_str_radix(hex, 16).is_ok())
        })
    }
}
