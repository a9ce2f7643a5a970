//! Greedy decoding of many prompts: rows come and go as they finish, shared beginnings are computed once.

use harness_kernel::{KvCache, argmax, log_sum_exp};

use super::Engine;
use super::forward::Piece;
use crate::error::ModelError;

/// Tokens of a prompt computed at a time: bounds the memory of a long prompt.
const PREFILL: usize = 512;

/// How to decode.
#[derive(Debug, Clone)]
pub struct GenerateOptions {
    /// Rows decoded together. Changes speed and memory, never a result.
    pub batch_size: usize,
    /// Tokens generated at most, the end token included.
    pub max_new_tokens: usize,
    /// Ids that end an answer.
    pub end_tokens: Vec<u32>,
}

/// The answer to one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Generated ids, the end token included.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub stop: StopReason,
    /// Sum of the natural-log probabilities of the generated tokens.
    pub logprob: f64,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// An end token was written.
    EndToken,
    /// The caller's rule said that the answer is complete.
    Rule,
    /// `max_new_tokens` was reached.
    MaxTokens,
    /// Prompt and answer fill the context.
    ContextFull,
}

/// A row being decoded.
struct Row {
    prompt: usize,
    cache: KvCache,
    /// Tokens whose keys and values are cached.
    length: usize,
    next: u32,
    answer: Generation,
}

impl Engine<'_> {
    /// Answers all prompts; `done` gets each answer with its prompt's index as it is finished, in no fixed order.
    /// `complete` is asked after each token whether the tokens generated so far are a whole answer.
    /// A prompt that does not fit the context gets an empty answer and [`StopReason::ContextFull`].
    ///
    /// # Errors
    /// If a token does not fit the vocabulary, a prompt is empty, or `done` fails.
    pub fn generate<E: From<ModelError>>(
        &self,
        prompts: &[Vec<u32>],
        options: &GenerateOptions,
        complete: &dyn Fn(&[u32]) -> bool,
        done: &mut dyn FnMut(usize, Generation) -> Result<(), E>,
    ) -> Result<(), E> {
        if options.batch_size == 0 || options.max_new_tokens == 0 {
            return Err(E::from(ModelError::Setting {
                setting: "generate",
                problem: "batch_size and max_new_tokens have to be at least 1".to_owned(),
            }));
        }
        let context = self.decoder.context();
        // In the order of their tokens, prompts that begin alike are neighbours.
        let mut queue: Vec<usize> = (0..prompts.len()).collect();
        queue.sort_by(|a, b| prompts[*a].cmp(&prompts[*b]).then(a.cmp(b)));
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0).min(context);
        let mut shared = Shared {
            cache: KvCache::new(self.kv_shape(), longest),
            tokens: Vec::new(),
        };
        let mut spare: Vec<KvCache> = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut waiting = queue.into_iter();
        loop {
            while rows.len() < options.batch_size {
                let Some(prompt) = waiting.next() else { break };
                let tokens = &prompts[prompt];
                if tokens.len() >= context {
                    let stop = StopReason::ContextFull;
                    done(
                        prompt,
                        Generation {
                            tokens: Vec::new(),
                            stop,
                            logprob: 0.0,
                        },
                    )?;
                    continue;
                }
                let logits = self.prefill(&mut shared, tokens)?;
                let mut cache = spare.pop().unwrap_or_else(|| {
                    let capacity = (longest + options.max_new_tokens).min(context);
                    KvCache::new(self.kv_shape(), capacity)
                });
                cache.copy_from(&shared.cache, tokens.len());
                let mut row = Row {
                    prompt,
                    cache,
                    length: tokens.len(),
                    next: 0,
                    answer: Generation {
                        tokens: Vec::new(),
                        stop: StopReason::MaxTokens,
                        logprob: 0.0,
                    },
                };
                if let Some(stop) = row.take(&logits, options, context, complete) {
                    row.answer.stop = stop;
                    spare.push(row.cache);
                    done(row.prompt, row.answer)?;
                } else {
                    rows.push(row);
                }
            }
            if rows.is_empty() {
                return Ok(());
            }
            let next: Vec<u32> = rows.iter().map(|row| row.next).collect();
            let mut pieces: Vec<Piece<'_>> = rows
                .iter_mut()
                .zip(&next)
                .map(|(row, token)| Piece {
                    tokens: std::slice::from_ref(token),
                    position: row.length,
                    cache: &mut row.cache,
                })
                .collect();
            let hidden = self.forward(&mut pieces)?;
            let logits = self.logits(&hidden);
            let mut kept = Vec::with_capacity(rows.len());
            for (mut row, logits) in rows
                .into_iter()
                .zip(logits.chunks_exact(self.decoder.config.vocab_size))
            {
                row.length += 1;
                if let Some(stop) = row.take(logits, options, context, complete) {
                    row.answer.stop = stop;
                    spare.push(row.cache);
                    done(row.prompt, row.answer)?;
                } else {
                    kept.push(row);
                }
            }
            rows = kept;
        }
    }

    /// Computes what the prompt does not share with the one before; returns the logits after its last token.
    fn prefill(&self, shared: &mut Shared, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        if tokens.is_empty() {
            return Err(ModelError::Setting {
                setting: "prompt",
                problem: "has to hold at least one token".to_owned(),
            });
        }
        let alike = shared
            .tokens
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count();
        // The last token is always computed: its output is what is asked for.
        let mut position = alike.min(tokens.len() - 1);
        shared.tokens.truncate(position);
        let width = self.decoder.config.hidden;
        let mut last = Vec::new();
        while position < tokens.len() {
            let end = (position + PREFILL).min(tokens.len());
            let hidden = self.forward(&mut [Piece {
                tokens: &tokens[position..end],
                position,
                cache: &mut shared.cache,
            }])?;
            last = hidden[hidden.len() - width..].to_vec();
            position = end;
        }
        shared.tokens = tokens.to_vec();
        Ok(self.logits(&last))
    }
}

/// The prompt computed last, with its keys and values.
struct Shared {
    cache: KvCache,
    tokens: Vec<u32>,
}

impl Row {
    /// Takes the likeliest token; says why the answer ends, if it does.
    fn take(
        &mut self,
        logits: &[f32],
        options: &GenerateOptions,
        context: usize,
        complete: &dyn Fn(&[u32]) -> bool,
    ) -> Option<StopReason> {
        let token = argmax(logits);
        self.answer.logprob += f64::from(logits[token]) - log_sum_exp(logits);
        self.next = token as u32;
        self.answer.tokens.push(self.next);
        if options.end_tokens.contains(&self.next) {
            Some(StopReason::EndToken)
        } else if complete(&self.answer.tokens) {
            Some(StopReason::Rule)
        } else if self.answer.tokens.len() >= options.max_new_tokens {
            Some(StopReason::MaxTokens)
        } else if self.length + 1 >= context {
            Some(StopReason::ContextFull)
        } else {
            None
        }
    }
}
