//! Questions as a model is asked them, and its answers as rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness_data::prompt::Prompt;
use harness_experiment::spec::Draw;
use harness_model::{
    Draws, Engine, Event, GenerateOptions, Generation, Sampling, StopReason, Stream, Work,
    answer_stream,
};
use harness_record::{Example, Finish, Prediction};
use harness_sql::extract_sql;

use super::complete::{is_complete, strip_end};
use crate::context::Context;
use crate::model::Model;

/// Questions as they are put to the model.
#[derive(Default)]
pub struct Questions<'a> {
    examples: Vec<&'a Example>,
    /// Token ids of each prompt.
    pub prompts: Vec<Vec<u32>>,
    /// What each prompt has written of the answer already.
    primers: Vec<String>,
    /// Which answer to its question each is to be.
    samples: Vec<usize>,
}

impl<'a> Questions<'a> {
    /// Adds a question with its prompt, to be answered once for each number of `samples`.
    pub fn add(
        &mut self,
        model: &Model,
        example: &'a Example,
        prompt: &Prompt,
        samples: &[usize],
    ) -> Result<()> {
        let ids = model
            .prompt_ids(prompt)
            .with_context(|| format!("example {}", example.id))?;
        for &sample in samples {
            self.examples.push(example);
            self.prompts.push(ids.clone());
            self.primers.push(prompt.primed.clone());
            self.samples.push(sample);
        }
        Ok(())
    }
}

/// How questions are answered.
pub struct Asking<'a> {
    /// Longest answer in tokens.
    pub max_new_tokens: usize,
    /// Memory for keys and values; `None` bounds nothing.
    pub cache_bytes: Option<u64>,
    /// How tokens are drawn; `None` takes the likeliest.
    pub draw: Option<Draw>,
    /// Ends the work after the pass that is being computed once it is raised.
    pub stop: &'a AtomicBool,
}

/// The work was ended before all was answered.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Stopped {}

/// How it goes.
pub enum Told {
    /// What has been done in all.
    Work(Work),
    /// An answer, and how long it took from entering the batch.
    Row(Prediction, Duration),
}

/// Answers questions; `on_told` gets the answers as they are finished. Fails with [`Stopped`] if it is asked to stop.
pub fn answer(
    context: &Context,
    model: &Model,
    engine: &Engine<'_>,
    questions: &Questions<'_>,
    asking: &Asking<'_>,
    on_told: &mut dyn FnMut(Told) -> Result<()>,
) -> Result<()> {
    let options = GenerateOptions {
        batch_size: context.spec.generate.batch_size,
        max_new_tokens: asking.max_new_tokens,
        end_tokens: model.end_tokens().to_vec(),
        cache_bytes: asking.cache_bytes,
    };
    let chat = context.spec.prompt.chat;
    let complete = |tokens: &[u32]| {
        model
            .tokenizer
            .decode(tokens)
            .is_ok_and(|text| is_complete(&text, chat))
    };
    let streams = streams(questions, asking.draw);
    let draws = asking.draw.map(|draw| Draws {
        sampling: Sampling {
            temperature: draw.temperature,
            top_k: draw.top_k,
            top_p: draw.top_p,
        },
        streams: &streams,
    });
    let several = asking.draw.is_some_and(|draw| draw.samples > 1);
    let prompts = &questions.prompts;
    let mut begun: Vec<Option<Instant>> = vec![None; prompts.len()];
    engine.answer::<anyhow::Error>(prompts, draws, &options, &complete, &mut |event| {
        match event {
            Event::Begun(index) => begun[index] = Some(Instant::now()),
            Event::Passed(work) => {
                on_told(Told::Work(work))?;
                if asking.stop.load(Ordering::Relaxed) {
                    return Err(Stopped.into());
                }
            }
            Event::Done(index, answer) => {
                // A prompt that fills the context is never begun.
                let spent = begun[index].map_or(Duration::ZERO, |since| since.elapsed());
                let mut row = row(model, questions, index, &answer)?;
                row.sample = several.then_some(questions.samples[index]);
                on_told(Told::Row(row, spent))?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// The random numbers of each answer; none where nothing is drawn.
fn streams(questions: &Questions<'_>, draw: Option<Draw>) -> Vec<Stream> {
    let Some(draw) = draw else {
        return Vec::new();
    };
    questions
        .examples
        .iter()
        .zip(&questions.samples)
        .map(|(example, sample)| answer_stream(draw.seed, &example.id, *sample as u64))
        .collect()
}

fn row(
    model: &Model,
    questions: &Questions<'_>,
    index: usize,
    answer: &Generation,
) -> Result<Prediction> {
    let raw = model
        .tokenizer
        .decode(strip_end(answer, model.end_tokens()))?;
    let count = answer.tokens.len();
    Ok(Prediction {
        id: questions.examples[index].id.clone(),
        db_id: questions.examples[index].db_id.clone(),
        sql: extract_sql(&raw, &questions.primers[index]).sql,
        raw,
        finish: match answer.stop {
            StopReason::EndToken => Finish::EndOfText,
            StopReason::Rule => Finish::StopText,
            StopReason::MaxTokens => Finish::MaxTokens,
            StopReason::ContextFull => Finish::ContextFull,
        },
        prompt_tokens: questions.prompts[index].len(),
        completion_tokens: count,
        mean_logprob: (count > 0).then(|| answer.logprob / count as f64),
        sample: None,
        votes: None,
    })
}
