//! Decoding of many prompts: rows come and go as they finish, shared beginnings are computed once.
//!
//! A pass computes the next token of every row that is being decoded and, with what is left of its tokens, prompts of
//! rows that wait. Prompts are taken in the order of their tokens, so those that begin alike are neighbours: each takes over
//! the pages of the one before as far as the two agree.

use harness_kernel::{PAGE, log_sum_exp};

use super::Engine;
use super::cache::{Cache, Table};
use super::forward::{Piece, Space, in_pool};
use super::sample::{Draws, Sampling};
use crate::error::ModelError;

/// Tokens a pass: bounds the memory of a long prompt.
pub(crate) const PASS: usize = 512;

/// How to decode.
#[derive(Debug, Clone)]
pub struct GenerateOptions {
    /// Rows decoded together. Changes speed and memory, never a result.
    pub batch_size: usize,
    /// Tokens generated at most, the end token included.
    pub max_new_tokens: usize,
    /// Ids that end an answer.
    pub end_tokens: Vec<u32>,
    /// Memory for keys and values in bytes, if it is to be bounded: rows wait where it is not enough. One row is always served.
    /// Changes speed and memory, never a result.
    pub cache_bytes: Option<u64>,
}

/// What a call of [`Engine::generate`] has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Tokens of the prompts that were begun.
    pub prompt_tokens: usize,
    /// Those of them that another prompt had computed.
    pub shared_tokens: usize,
    /// Tokens generated.
    pub generated_tokens: usize,
    /// Passes through the model; one of prompts and one of answers at a time are one.
    pub passes: usize,
    /// Pages of keys and values that were in use at most, and their bytes.
    pub pages: usize,
}

/// The answer to one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Generated ids, the end token included.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub stop: StopReason,
    /// Sum of the natural-log probabilities of the generated tokens by the model itself, however they were drawn.
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

/// What happens while prompts are answered.
#[derive(Debug)]
pub enum Event {
    /// The prompt of this index has a row from now on.
    Begun(usize),
    /// A pass through the model is done; what has been done in all.
    Passed(Work),
    /// The prompt of this index is answered.
    Done(usize, Generation),
}

/// A row being answered.
struct Row {
    prompt: usize,
    table: Table,
    /// Tokens whose keys and values need not be computed any more: they are in its pages, or will be before it is its turn.
    length: usize,
    /// Those that are there now.
    cached: usize,
    next: u32,
    answer: Generation,
}

/// A token that comes next, and its log-probability.
#[derive(Clone, Copy)]
struct Next {
    token: usize,
    logprob: f64,
}

/// Room for passes of prompts, and for passes of answers where these are computed apart.
struct Spaces {
    given: Space,
    drawn: Option<Space>,
}

/// The prompt that was begun last, and its pages.
struct Trunk {
    prompt: usize,
    table: Table,
}

/// Answers on their way.
struct Run<'a, 'e> {
    engine: &'a Engine<'e>,
    prompts: &'a [Vec<u32>],
    options: &'a GenerateOptions,
    draws: Option<Draws<'a>>,
    cache: Cache,
    /// In the order in which they were begun; those before `rows[i]` are computed at least as far as `rows[i]` shares with them.
    rows: Vec<Row>,
    trunk: Option<Trunk>,
    work: Work,
}

impl Engine<'_> {
    /// Answers all prompts greedily; `done` gets each answer with its prompt's index as it is finished, in no fixed order.
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
    ) -> Result<Work, E> {
        self.answer(prompts, None, options, complete, &mut |event| match event {
            Event::Done(index, answer) => done(index, answer),
            Event::Begun(_) | Event::Passed(_) => Ok(()),
        })
    }

    /// As [`generate`](Self::generate), with tokens drawn as `draws` says, greedily if there is nothing to say; `on_event`
    /// is told how it goes, and ends the work by an error of its own.
    ///
    /// # Errors
    /// As of `generate`, or if there is not one stream for each prompt, a number of `draws` is out of range, or `on_event`
    /// fails.
    pub fn answer<E: From<ModelError>>(
        &self,
        prompts: &[Vec<u32>],
        draws: Option<Draws<'_>>,
        options: &GenerateOptions,
        complete: &dyn Fn(&[u32]) -> bool,
        on_event: &mut dyn FnMut(Event) -> Result<(), E>,
    ) -> Result<Work, E> {
        let refused = |setting, problem: &str| {
            let problem = problem.to_owned();
            Err(E::from(ModelError::Setting { setting, problem }))
        };
        if options.batch_size == 0 || options.max_new_tokens == 0 {
            return refused(
                "generate",
                "batch_size and max_new_tokens have to be at least 1",
            );
        }
        if prompts.iter().any(Vec::is_empty) {
            return refused("prompt", "has to hold at least one token");
        }
        if let Some(draws) = &draws {
            if draws.streams.len() != prompts.len() {
                return refused("streams", "there has to be one for each prompt");
            }
            if let Some(fault) = draws.sampling.fault() {
                return refused("sampling", fault);
            }
        }
        let context = self.decoder.context();
        let mut queue: Vec<usize> = Vec::with_capacity(prompts.len());
        for (index, prompt) in prompts.iter().enumerate() {
            if prompt.len() < context {
                queue.push(index);
            } else {
                let answer = Generation::empty(StopReason::ContextFull);
                on_event(Event::Done(index, answer))?;
            }
        }
        queue.sort_by(|a, b| prompts[*a].cmp(&prompts[*b]).then(a.cmp(b)));
        let mut waiting = queue.into_iter().peekable();
        let page = self.kv_shape().page_bytes() as u64;
        let limit = options.cache_bytes.map_or(u64::MAX, |bytes| bytes / page);
        let mut run = Run {
            engine: self,
            prompts,
            options,
            draws,
            cache: Cache::new(
                self.kv_shape(),
                usize::try_from(limit).unwrap_or(usize::MAX),
            ),
            rows: Vec::new(),
            trunk: None,
            work: Work::default(),
        };
        let mut spaces = Spaces {
            given: self.space(),
            drawn: self.is_apart().then(Space::few),
        };
        loop {
            while run.rows.len() < options.batch_size
                && waiting.peek().is_some_and(|prompt| run.begin(*prompt))
            {
                if let Some(prompt) = waiting.next() {
                    on_event(Event::Begun(prompt))?;
                }
            }
            if run.rows.is_empty() {
                return Ok(run.work);
            }
            run.pass(&mut spaces, complete, on_event)?;
            on_event(Event::Passed(run.work))?;
        }
    }
}

impl Run<'_, '_> {
    /// Gives the prompt a row, if there are pages for it.
    fn begin(&mut self, prompt: usize) -> bool {
        let tokens = &self.prompts[prompt];
        let context = self.engine.decoder.context();
        let most = (tokens.len() + self.options.max_new_tokens).min(context);
        // The last token is always computed: its output is what is asked for.
        let alike = self.trunk.as_ref().map_or(0, |trunk| {
            let other = &self.prompts[trunk.prompt];
            let alike = other.iter().zip(tokens).take_while(|(a, b)| a == b);
            alike.count().min(tokens.len() - 1)
        });
        // Of a page that is shared in part there is a copy to be had once it is computed.
        let computed = self.trunk.as_ref().is_some_and(|trunk| {
            let row = self.rows.iter().find(|row| row.prompt == trunk.prompt);
            row.is_none_or(|row| row.cached >= alike)
        });
        let whole = alike / PAGE;
        let shared = self.trunk.as_ref().map_or(&[][..], |trunk| {
            &trunk.table.pages[..whole.min(trunk.table.pages.len())]
        });
        debug_assert_eq!(shared.len(), whole);
        let must = self.rows.is_empty();
        let Some(mut table) = self.cache.open(shared, most, must) else {
            return false;
        };
        let mut length = whole * PAGE;
        self.cache.reach(&mut table, tokens.len());
        if computed
            && alike > length
            && let Some(trunk) = &self.trunk
        {
            self.cache
                .pages
                .copy(trunk.table.pages[whole], table.pages[whole]);
            length = alike;
        }
        let kept = self.cache.share(&table.pages);
        let trunk = Trunk {
            prompt,
            table: kept,
        };
        if let Some(before) = self.trunk.replace(trunk) {
            self.cache.close(before.table);
        }
        self.work.prompt_tokens += tokens.len();
        self.work.shared_tokens += length;
        self.rows.push(Row {
            prompt,
            table,
            length,
            cached: if computed { length } else { 0 },
            next: 0,
            answer: Generation::empty(StopReason::MaxTokens),
        });
        true
    }

    /// One pass through the model, or two: one for prompts and one for answers, where they are computed in different ways.
    fn pass<E: From<ModelError>>(
        &mut self,
        spaces: &mut Spaces,
        complete: &dyn Fn(&[u32]) -> bool,
        on_event: &mut dyn FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let answering = self.rows.iter().filter(|row| row.answers()).count();
        let mut left = PASS.saturating_sub(answering);
        // How many tokens of each row go through.
        let mut counts = Vec::with_capacity(self.rows.len());
        for row in &mut self.rows {
            let count = if row.answers() {
                self.cache.reach(&mut row.table, row.length + 1);
                1
            } else {
                let count = left.min(self.prompts[row.prompt].len() - row.length);
                left -= count;
                count
            };
            counts.push(count);
        }
        let mut found = vec![None; self.rows.len()];
        match &mut spaces.drawn {
            None => self.compute(&mut spaces.given, &counts, &mut found)?,
            Some(drawn) => {
                let only = |answers: bool| -> Vec<usize> {
                    let rows = self.rows.iter().zip(&counts);
                    rows.map(|(row, &count)| if row.answers() == answers { count } else { 0 })
                        .collect()
                };
                let (given, answers) = (only(false), only(true));
                self.compute(&mut spaces.given, &given, &mut found)?;
                self.compute(drawn, &answers, &mut found)?;
            }
        }
        self.work.passes += 1;
        self.work.pages = self.work.pages.max(self.cache.used());
        let context = self.engine.decoder.context();
        let mut kept = Vec::with_capacity(self.rows.len());
        let rows = std::mem::take(&mut self.rows);
        for ((mut row, count), found) in rows.into_iter().zip(counts).zip(found) {
            row.length += count;
            if count > 0 {
                row.cached = row.length;
            }
            let stop = found.and_then(|token| {
                self.work.generated_tokens += 1;
                row.take(token, self.options, context, complete)
            });
            if let Some(stop) = stop {
                row.answer.stop = stop;
                self.cache.close(row.table);
                on_event(Event::Done(row.prompt, row.answer))?;
            } else {
                kept.push(row);
            }
        }
        self.rows = kept;
        Ok(())
    }

    /// Puts the next `counts` tokens of the rows through the model, and what comes next into `found`, for those of which it is known then.
    fn compute(
        &mut self,
        space: &mut Space,
        counts: &[usize],
        found: &mut [Option<Next>],
    ) -> Result<(), ModelError> {
        let mut pieces = Vec::with_capacity(self.rows.len());
        // The last tokens of those whose next one is known then, and their rows.
        let (mut chosen, mut owners) = (Vec::new(), Vec::new());
        let mut tokens = 0;
        for (index, (row, &count)) in self.rows.iter().zip(counts).enumerate() {
            if count == 0 {
                continue;
            }
            tokens += count;
            let prompt = &self.prompts[row.prompt];
            pieces.push(Piece {
                tokens: if row.answers() {
                    std::slice::from_ref(&row.next)
                } else {
                    &prompt[row.length..row.length + count]
                },
                position: row.length,
                table: &row.table.pages,
            });
            if row.length + count >= prompt.len() {
                chosen.push(tokens - 1);
                owners.push(index);
            }
        }
        if pieces.is_empty() {
            return Ok(());
        }
        let (engine, pages) = (self.engine, &mut self.cache.pages);
        let logits = in_pool(|| {
            engine.forward(&pieces, pages, space, &mut |_| true)?;
            Ok::<_, ModelError>(engine.logits(space, &chosen))
        })?;
        let logits = logits.chunks_exact(engine.decoder.config.vocab_size);
        for (logits, owner) in logits.zip(owners) {
            let token = self.choose(logits, &self.rows[owner]);
            let logprob = f64::from(logits[token]) - log_sum_exp(logits);
            found[owner] = Some(Next { token, logprob });
        }
        Ok(())
    }
}

impl Run<'_, '_> {
    /// The next token of a row.
    fn choose(&self, logits: &[f32], row: &Row) -> usize {
        let (sampling, stream) = self.draws.as_ref().map_or(
            // Nothing is drawn.
            (Sampling::GREEDY, &[0; 32]),
            |draws| (draws.sampling, &draws.streams[row.prompt]),
        );
        sampling.choose(logits, stream, row.answer.tokens.len())
    }
}

impl Generation {
    fn empty(stop: StopReason) -> Self {
        Self {
            tokens: Vec::new(),
            stop,
            logprob: 0.0,
        }
    }
}

impl Row {
    /// Whether its prompt is done, and tokens are being generated.
    fn answers(&self) -> bool {
        !self.answer.tokens.is_empty()
    }

    /// Takes a token; says why the answer ends, if it does.
    fn take(
        &mut self,
        Next { token, logprob }: Next,
        options: &GenerateOptions,
        context: usize,
        complete: &dyn Fn(&[u32]) -> bool,
    ) -> Option<StopReason> {
        self.answer.logprob += logprob;
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
