//! What the model writes for the target before fine-tuning: from a file, or by asking it.
//!
//! Asking is done by the stages of an experiment, so that answers are kept and used again like any others: those of the
//! experiment itself, or of one without training that is made for the purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness_align::Workload;
use harness_data::read_examples;
use harness_eval::Summary;
use harness_experiment::plan::BASE;
use harness_experiment::{Env, Plan, Resolved, StageKind, Store, spec};
use serde_json::json;

use super::subject::{Subject, Target, golds};
use crate::cli::AdviseArgs;
use crate::command::Opened;
use crate::context::{Context, answers};
use crate::files::read_json;
use crate::stage::predict::PREDICTIONS;
use crate::{set, workload};

/// The target's questions that were answered, and the answers in their order.
pub struct Asked {
    pub target: Workload,
    pub predictions: Workload,
    /// Accuracy of the answers, where they were executed.
    pub accuracy: Option<Summary>,
    pub notes: Vec<String>,
}

/// Reads the answers from the file that is given, or asks the model.
pub fn ask(subject: &Subject, arguments: &AdviseArgs, out: &Path) -> Result<Asked> {
    match (&arguments.predictions, &subject.target, &subject.spec) {
        (Some(file), target, spec) => {
            let target = match (target, spec) {
                (Target::OfExperiment(name), Some(spec)) => {
                    golds(&Context::new(spec.clone()), name)?
                }
                (target, _) => workload::read(target.name(), arguments.spec.data.as_deref())?,
            };
            read(target, file)
        }
        (None, Target::OfExperiment(name), Some(spec)) => ask_model(spec.clone(), name, Vec::new()),
        (None, target, spec) => {
            let (spec, notes) = without_training(arguments, target.name(), spec.as_ref(), out)?;
            ask_model(spec, TARGET, notes)
        }
    }
}

fn read(target: Workload, file: &Path) -> Result<Asked> {
    let predicted = workload::read_predicted(file, &target)?;
    let mut notes = predicted.notes();
    let answered = predicted.workload.queries();
    let target = if answered.len() < target.len() {
        // What was not asked has no pair: it would be compared with nothing.
        let ids: BTreeSet<&str> = answered.iter().map(|query| query.id.as_str()).collect();
        let places: Vec<usize> = (0..target.len())
            .filter(|&i| ids.contains(target.queries()[i].id.as_str()))
            .collect();
        notes.push(format!(
            "only the {} questions with a prediction count as the target",
            places.len()
        ));
        target.subset(target.name(), &places)
    } else {
        target
    };
    Ok(Asked {
        target,
        predictions: predicted.workload,
        accuracy: None,
        notes,
    })
}

/// The name of the only target of an experiment that is made for the purpose.
const TARGET: &str = "target";

/// An experiment that asks the model about one set and trains nothing: with the model and the prompt of `base`, or
/// those of the command line. Also what a reader should know of the questions.
fn without_training(
    arguments: &AdviseArgs,
    name: &str,
    base: Option<&Resolved>,
    out: &Path,
) -> Result<(Resolved, Vec<String>)> {
    let data = arguments.spec.data.as_deref();
    let Ok(set) = set::parse(name, data) else {
        bail!(
            "{name} holds no questions to ask the model: name a data set as KIND:SPLIT@FOLDER, or give what the model \
             writes with --predictions"
        );
    };
    // A split that can't be read is told before a specification is made of it.
    let questions = read_examples(&set.reference)?.len();
    let reference = &set.reference;
    let root = std::path::absolute(&reference.root)
        .with_context(|| format!("no such folder: {}", reference.root.display()))?;
    let mut target = json!({
        "dataset": reference.dataset.name(), "split": reference.split, "root": root,
    });
    let mut notes = Vec::new();
    if arguments.questions < questions {
        target["limit"] = json!(arguments.questions);
        notes.push(format!(
            "{} of the target's {questions} questions were asked, drawn at random; they count as the target",
            arguments.questions
        ));
    }
    let mut text = json!({
        "name": "advise", "seed": arguments.scores.seed, "out": out, "targets": { TARGET: target },
        "model": arguments.model,
    });
    if let Some(base) = base {
        text["model"] = serde_json::to_value(&base.model)?;
    }
    let env = Env {
        data: data.map(Path::to_owned),
    };
    // Overrides were applied to the experiment where there is one.
    let sets = base.map_or(arguments.spec.sets.as_slice(), |_| &[]);
    let configs = Some(Path::new("configs"));
    let mut resolved = spec::load_text(Path::new("MODEL"), &text.to_string(), configs, sets, &env)?;
    if let Some(base) = base {
        resolved.prompt.clone_from(&base.prompt);
        resolved.generate = base.generate;
        resolved.eval.clone_from(&base.eval);
        // Worked examples come from a training set of the experiment.
        resolved.train_sets.clone_from(&base.train_sets);
        resolved.data.clone_from(&base.data);
    }
    Ok((resolved, notes))
}

/// Asks the model the questions of one target of an experiment, and executes the answers.
fn ask_model(spec: Resolved, name: &str, mut notes: Vec<String>) -> Result<Asked> {
    let mut plan = Plan::new(&spec);
    let wanted = answers(StageKind::Score, BASE, name);
    plan.stages
        .retain(|stage| stage.id.kind != StageKind::Score || stage.id == wanted);
    let store = Store::open(&spec.out)?;
    let opened = Opened {
        context: Context::new(spec),
        plan,
        store,
    };
    opened.run(&[StageKind::Score])?;

    let stage = |kind| {
        let id = answers(kind, BASE, name);
        let found = opened.store.latest(&id)?;
        found.with_context(|| format!("stage {id} is not done"))
    };
    let predictions = stage(StageKind::Predict)?.file(PREDICTIONS)?;
    let summaries: Vec<Summary> = read_json(&stage(StageKind::Score)?.file("summary.json")?)?;
    let spec = &opened.context.spec;
    let metrics: BTreeMap<_, _> = summaries
        .into_iter()
        .map(|summary| (summary.metric.clone(), summary))
        .collect();
    let metric = spec.eval.metric_of[&spec.targets[name].dataset].as_str();
    let target = golds(&opened.context, name)?;
    let predicted = workload::read_predicted(&predictions, &target)?;
    notes.extend(predicted.notes());
    Ok(Asked {
        target,
        predictions: predicted.workload,
        accuracy: metrics
            .get(metric)
            .cloned()
            .filter(|it| it.accuracy.is_some()),
        notes,
    })
}
