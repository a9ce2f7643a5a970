//! Letting a model answer the questions of a target.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use harness_data::prompt::{self, Prompt};
use harness_experiment::plan::BASE;
use harness_experiment::spec::Method;
use harness_experiment::{StageId, StageKind, WorkDir};
use harness_model::peft::AdapterFile;
use harness_model::{Adapter, AdapterWeights, Engine, GenerateOptions, Generation, StopReason};
use harness_record::{Example, Finish, Prediction};
use harness_sql::extract_sql;
use serde_json::json;

use super::{Inputs, Left, split_pair};
use crate::context::{Context, convert};
use crate::files::{Growing, write_lines};
use crate::model::Model;
use crate::progress::Progress;

/// The file of predictions in a stage's folder.
pub const PREDICTIONS: &str = "predictions.jsonl";

pub fn run(context: &Context, inputs: &Inputs<'_>, name: &str, work: &WorkDir<'_>) -> Result<Left> {
    let (train, target) = split_pair(name)?;
    if train == BASE {
        return predict(context, target, Trained::Nothing, work.path());
    }
    let stage = inputs.stage(&StageId::new(StageKind::Train, train))?;
    let trained = match context.spec.train.method {
        Method::Lora => {
            stage.file("adapter_model.safetensors")?;
            Trained::Adapter(stage.path())
        }
        Method::Full => {
            stage.file("model.safetensors")?;
            Trained::Weights(stage.path())
        }
    };
    predict(context, target, trained, work.path())
}

/// What training has made of the experiment's model, and the folder that holds it.
#[derive(Debug, Clone, Copy)]
pub enum Trained<'a> {
    /// It is the base model.
    Nothing,
    /// An adapter in PEFT's format.
    Adapter(&'a Path),
    /// Other weights of the same shape.
    Weights(&'a Path),
}

/// Answers all questions of a target into `folder`; rows of an interrupted attempt in it are kept.
pub fn predict(
    context: &Context,
    target: &str,
    trained: Trained<'_>,
    folder: &Path,
) -> Result<Left> {
    let dataset = context.dataset(target)?;
    let (options, sources) = context.prompt_sources(target)?;
    // Before the model is loaded: what can't be asked is told at once.
    let asked: Vec<&Example> = dataset.examples.iter().collect();
    let asked = prompt::prompts(&options, &sources, &asked)?;
    let pruned = super::pruning(&options, dataset);
    let model = context.model()?;
    let other;
    let (decoder, adapter) = match trained {
        Trained::Nothing => (model.decoder()?, None),
        Trained::Adapter(folder) => (model.decoder()?, Some(read_adapter(model, folder)?)),
        Trained::Weights(folder) => {
            other = model.trained(folder)?;
            (&other, None)
        }
    };

    let partial = folder.join("predictions.partial.jsonl");
    let (mut growing, finished) = Growing::open::<Prediction>(&partial)?;
    let mut rows: BTreeMap<String, Prediction> = finished
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let mut questions = Questions::default();
    for (example, prompt) in dataset.examples.iter().zip(asked) {
        if !rows.contains_key(&example.id) {
            questions.add(model, example, prompt)?;
        }
    }
    refuse_too_long(&questions.prompts, decoder.context(), target)?;

    let engine = Engine::new(decoder, adapter.as_ref());
    let total = dataset.examples.len();
    let mut progress = Progress::new(
        format!("answering {target}"),
        "questions",
        total,
        rows.len(),
    );
    answer(context, model, &engine, &questions, &mut |row| {
        growing.push(&row)?;
        rows.insert(row.id.clone(), row);
        progress.set(rows.len(), "");
        Ok(())
    })?;
    drop(progress);

    let ordered: Vec<&Prediction> = dataset.examples.iter().map(|e| &rows[&e.id]).collect();
    write_lines(&folder.join(PREDICTIONS), &ordered)?;
    let mut finishes = BTreeMap::new();
    for row in &ordered {
        *finishes
            .entry(convert::<_, String>(&row.finish)?)
            .or_insert(0usize) += 1;
    }
    let tokens: usize = ordered.iter().map(|row| row.completion_tokens).sum();
    let empty = ordered.iter().filter(|row| row.sql.is_empty()).count();
    let mut notes = json!({
        "predictions": ordered.len(), "without_sql": empty, "finish": finishes,
        "prompt_tokens": ordered.iter().map(|row| row.prompt_tokens).sum::<usize>(),
        "completion_tokens": tokens,
    });
    if let Some(loss) = pruned {
        notes["pruning"] = json!(loss);
    }
    Ok(Left {
        notes,
        ..Left::default()
    })
}

/// Questions as they are put to the model.
#[derive(Default)]
pub struct Questions<'a> {
    examples: Vec<&'a Example>,
    /// Token ids of each prompt.
    prompts: Vec<Vec<u32>>,
    /// What each prompt has written of the answer already.
    primers: Vec<String>,
}

impl<'a> Questions<'a> {
    /// Adds a question with its prompt.
    pub fn add(&mut self, model: &Model, example: &'a Example, prompt: Prompt) -> Result<()> {
        let ids = model
            .prompt_ids(&prompt)
            .with_context(|| format!("example {}", example.id))?;
        self.examples.push(example);
        self.prompts.push(ids);
        self.primers.push(prompt.primed);
        Ok(())
    }
}

/// Answers questions greedily, as the experiment says; `on_row` gets the answers as they are finished.
pub fn answer(
    context: &Context,
    model: &Model,
    engine: &Engine<'_>,
    questions: &Questions<'_>,
    on_row: &mut dyn FnMut(Prediction) -> Result<()>,
) -> Result<()> {
    let generate = GenerateOptions {
        batch_size: context.spec.generate.batch_size,
        max_new_tokens: context.spec.generate.max_new_tokens,
        end_tokens: model.end_tokens().to_vec(),
        cache_bytes: None,
    };
    let chat = context.spec.prompt.chat;
    let complete = |tokens: &[u32]| {
        model
            .tokenizer
            .decode(tokens)
            .is_ok_and(|text| is_complete(&text, chat))
    };
    let Questions {
        examples,
        prompts,
        primers,
    } = questions;
    engine.generate::<anyhow::Error>(prompts, &generate, &complete, &mut |index, answer| {
        let raw = model
            .tokenizer
            .decode(strip_end(&answer, model.end_tokens()))?;
        let count = answer.tokens.len();
        on_row(Prediction {
            id: examples[index].id.clone(),
            db_id: examples[index].db_id.clone(),
            sql: extract_sql(&raw, &primers[index]).sql,
            raw,
            finish: match answer.stop {
                StopReason::EndToken => Finish::EndOfText,
                StopReason::Rule => Finish::StopText,
                StopReason::MaxTokens => Finish::MaxTokens,
                StopReason::ContextFull => Finish::ContextFull,
            },
            prompt_tokens: prompts[index].len(),
            completion_tokens: count,
            mean_logprob: (count > 0).then(|| answer.logprob / count as f64),
        })
    })?;
    Ok(())
}

fn read_adapter(model: &Model, folder: &Path) -> Result<AdapterWeights> {
    let file = AdapterFile::read(folder)?;
    let config = model.weights.config();
    let adapter = Adapter::from_file(config, &file)
        .with_context(|| format!("adapter in {}", folder.display()))?;
    Ok(AdapterWeights::new(&adapter, config.layers)?)
}

/// A prompt that fills the model's context gets no answer. That is counted like any other wrong answer, but if it
/// happens to all of them there is no experiment.
fn refuse_too_long(prompts: &[Vec<u32>], context: usize, target: &str) -> Result<()> {
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let long = prompts.iter().filter(|ids| ids.len() >= context).count();
    let what = format!(
        "{long} of {} prompts of {target} fill the model's context of {context} tokens (the longest has {longest}) \
         and get no answer; prompt.format compact, prompt.max_schema_tables and max_schema_columns make them \
         shorter, as do fewer rows, values or worked examples",
        prompts.len()
    );
    ensure!(long == 0 || long < prompts.len(), what);
    if long > 0 {
        eprintln!("{what}");
    }
    Ok(())
}

/// Whether an answer is whole: a semicolon, a fence that closes (or opens, behind a plain prompt), or, behind a
/// plain prompt, a blank line.
fn is_complete(text: &str, chat: bool) -> bool {
    if chat {
        // The first fence opens the block, the second closes it.
        let fences = text.matches("```").count();
        return fences >= 2 || (fences == 0 && text.trim_end().ends_with(';'));
    }
    let body = text.trim_start();
    body.contains(';') || body.contains("```") || body.contains("\n\n")
}

fn strip_end<'a>(answer: &'a Generation, end_tokens: &[u32]) -> &'a [u32] {
    match answer.tokens.split_last() {
        Some((last, rest)) if end_tokens.contains(last) => rest,
        _ => &answer.tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_answer_is_whole_at_its_end_mark() {
        for (text, chat, whole) in [
            (" name FROM singer", false, false),
            (" name FROM singer;", false, true),
            (" name\nFROM singer\n\n", false, true),
            ("\n\n name", false, false),
            (" 1\n```", false, true),
            ("```sql\nSELECT 1;", true, false),
            ("```sql\nSELECT 1;\n```", true, true),
            ("SELECT 1;", true, true),
        ] {
            assert_eq!(is_complete(text, chat), whole, "{text:?}");
        }
    }
}
