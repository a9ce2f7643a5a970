//! Letting a model answer the questions of a target.

mod ask;
mod complete;
mod longest;
mod room;
mod rows;
mod shown;
mod vote;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use harness_data::prompt;
use harness_experiment::plan::BASE;
use harness_experiment::spec::Method;
use harness_experiment::{StageId, StageKind, WorkDir};
use harness_model::peft::AdapterFile;
use harness_model::{Adapter, AdapterWeights, Engine, watch_interrupts};
use harness_record::{Example, Finish, Prediction};
use serde_json::{Value, json};

pub use self::ask::{Asking, Questions, Stopped, Told, answer};
pub use self::longest::max_new_tokens;
use self::rows::Rows;
use self::shown::{Shown, interrupted};
use super::{Inputs, Left, split_pair};
use crate::context::{Context, convert};
use crate::files::write_lines;
use crate::model::Model;

/// The file of predictions in a stage's folder.
pub const PREDICTIONS: &str = "predictions.jsonl";

/// The file of all answers where a question has several; that of predictions then holds those that have won.
pub const SAMPLES: &str = "samples.jsonl";

/// The file that says how long each answer took, which is another at every run: the other files promise not to be.
pub const TIMING: &str = "timing.jsonl";

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
    let draw = context.spec.generate.draw;
    let samples = context.spec.generate.samples();
    let longest = max_new_tokens(context, context.spec.train_sets.keys().map(String::as_str))?;
    let mut rows = Rows::open(folder)?;
    let mut questions = Questions::default();
    for (example, prompt) in dataset.examples.iter().zip(&asked) {
        questions.add(model, example, prompt, &rows.missing(example, samples))?;
    }
    let cache_bytes = room::tell(&context.spec.generate, model, &questions.prompts, longest);
    let base = context.spec.generate.base;
    let other;
    let (decoder, adapter) = match trained {
        Trained::Nothing => (model.answering(base)?, None),
        Trained::Adapter(folder) => (model.answering(base)?, Some(read_adapter(model, folder)?)),
        Trained::Weights(folder) => {
            other = model.trained(folder)?;
            (&other, None)
        }
    };

    refuse_too_long(&questions.prompts, decoder.context(), target)?;

    let engine = Engine::new(decoder, adapter.as_ref());
    let total = dataset.examples.len() * samples;
    let interrupts = watch_interrupts();
    let asking = Asking {
        max_new_tokens: longest,
        cache_bytes,
        draw,
        stop: interrupts.flag(),
    };
    let mut shown = Shown::new(target, total, rows.len());
    let outcome = ask::answer(context, model, &engine, &questions, &asking, &mut |told| {
        match told {
            Told::Work(work) => shown.work(work),
            Told::Row(row, spent) => {
                rows.push(row, spent)?;
                shown.answered(rows.len());
            }
        }
        Ok(())
    });
    drop(shown);
    if let Err(error) = outcome {
        return Err(if error.is::<Stopped>() {
            interrupted(rows.len(), total).into()
        } else {
            error
        });
    }

    let all = rows.of(&dataset.examples, samples);
    let answers: Vec<Prediction> = if samples > 1 {
        let label = format!("executing the answers to {target}");
        let elected = vote::elect(context, dataset, &dataset.examples, &all, label)?;
        // A Ctrl-C in a terminal reaches the processes that execute the answers too, and then they have not voted.
        if interrupts.raised() {
            return Err(interrupted(rows.len(), total).into());
        }
        write_lines(&folder.join(SAMPLES), &all.concat())?;
        elected
    } else {
        all.into_iter().flatten().cloned().collect()
    };
    write_lines(
        &folder.join(TIMING),
        &rows.timings(&dataset.examples, samples),
    )?;
    write_lines(&folder.join(PREDICTIONS), &answers)?;
    let mut notes = notes(&answers, longest)?;
    if let Some(loss) = pruned {
        notes["pruning"] = json!(loss);
    }
    Ok(Left {
        notes,
        ..Left::default()
    })
}

/// Figures of the answers for the manifest. What was cut is told to the user too, with what to do.
fn notes(answers: &[Prediction], longest: usize) -> Result<Value> {
    let mut finishes = BTreeMap::new();
    for row in answers {
        *finishes
            .entry(convert::<_, String>(&row.finish)?)
            .or_insert(0usize) += 1;
    }
    let count = |finish| answers.iter().filter(|row| row.finish == finish).count();
    let (cut, full) = (count(Finish::MaxTokens), count(Finish::ContextFull));
    if cut > 0 {
        eprintln!(
            "{cut} of {} answers were cut after {longest} tokens, where generate.max_new_tokens ends them; where they are \
             queries and not repetitions, --set generate.max_new_tokens={} lets them end",
            answers.len(),
            2 * longest
        );
    }
    if full > 0 {
        eprintln!(
            "{full} of {} answers were cut where prompt and answer fill the model's context; prompt.format compact, \
             prompt.max_schema_tables and max_schema_columns make prompts shorter",
            answers.len()
        );
    }
    Ok(json!({
        "predictions": answers.len(),
        "without_sql": answers.iter().filter(|row| row.sql.is_empty()).count(),
        "finish": finishes,
        "cut": cut + full,
        "max_new_tokens": longest,
        "prompt_tokens": answers.iter().map(|row| row.prompt_tokens).sum::<usize>(),
        "completion_tokens": answers.iter().map(|row| row.completion_tokens).sum::<usize>(),
    }))
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
