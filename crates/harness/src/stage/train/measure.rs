//! The share of right answers on examples held out of the training set, with the weights as they are in a step of
//! training: the questions are answered greedily and the answers executed, as after training.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use harness_data::prompt;
use harness_eval::Summary;
use harness_model::{AdapterWeights, Decoder, Engine};
use harness_record::{Example, Prediction};

use crate::context::Context;
use crate::stage::{predict, score};

/// Answers `examples` of the training set `name` and returns the share that is right by the metric of its kind. Nothing is
/// returned if `stop` is raised before the end.
pub fn share_right(
    context: &Context,
    name: &str,
    examples: &[Example],
    decoder: &Decoder,
    adapter: Option<&AdapterWeights>,
    stop: &AtomicBool,
) -> Result<f64> {
    let model = context.model()?;
    let (options, sources) = context.prompt_sources(name)?;
    let asked: Vec<&Example> = examples.iter().collect();
    let prompts = prompt::prompts(&options, &sources, &asked)?;
    let mut questions = predict::Questions::default();
    for (example, prompt) in asked.into_iter().zip(&prompts) {
        questions.add(model, example, prompt, &[0])?;
    }
    let engine = Engine::new(decoder, adapter);
    let mut answers: Vec<Prediction> = Vec::new();
    let asking = predict::Asking {
        max_new_tokens: predict::max_new_tokens(context, [name])?,
        cache_bytes: context.spec.generate.cache_bytes(),
        draw: None,
        stop,
    };
    predict::answer(context, model, &engine, &questions, &asking, &mut |told| {
        if let predict::Told::Row(row, _) = told {
            answers.push(row);
        }
        Ok(())
    })?;
    let set = context.spec.set(name).context("no such set")?;
    let metric = context.spec.eval.metric_of[&set.dataset];
    let metric = harness_eval::metric(metric.as_str())?;
    let verdicts = score::judge(context, name, examples, &answers, &[metric], &mut |_| {})?;
    // A Ctrl-C in a terminal reaches the processes that execute the answers too; what they say then is no measurement.
    ensure!(!stop.load(Ordering::Relaxed), "interrupted");
    let summary = Summary::new(&verdicts, metric.name);
    ensure!(
        summary.accuracy.is_some(),
        "none of the {} held-out questions of {name} can be scored: their databases are not here, or their gold queries \
         fail; take dev_measure: loss",
        examples.len()
    );
    Ok(summary.accuracy.unwrap_or_default())
}
