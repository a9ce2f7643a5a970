//! What is asked about: which model, which training sets, which target. Names are those of an experiment, or of sets.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use harness_align::Workload;
use harness_experiment::Resolved;
use harness_record::Query;

use crate::cli::AdviseArgs;
use crate::context::{Context, load_spec};
use crate::{made, workload};

/// The question.
pub struct Subject {
    /// The experiment that the rest was taken from.
    pub spec: Option<Resolved>,
    pub model: String,
    pub train: Vec<Workload>,
    pub target: Target,
}

/// The target by its name.
pub enum Target {
    /// One of the experiment.
    OfExperiment(String),
    /// A set outside of one.
    Set(String),
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Self::OfExperiment(name) | Self::Set(name) => name,
        }
    }
}

impl Subject {
    /// Reads the training sets; the target is only named.
    pub fn new(arguments: &AdviseArgs) -> Result<Self> {
        let data = arguments.spec.data.as_deref();
        let Some(config) = &arguments.config else {
            let named = |name: &Option<String>, what| {
                name.clone()
                    .with_context(|| format!("give {what}, or --config"))
            };
            return Ok(Self {
                spec: None,
                model: named(&arguments.model, "--model")?,
                train: read_all(&arguments.train, data)?,
                target: Target::Set(named(&arguments.target, "--target")?),
            });
        };
        let spec = load_spec(config, &arguments.spec)?;
        made::ensure(&spec)?;
        let context = Context::new(spec);
        let own = &context.spec;
        let names: Vec<&String> = match arguments.train.as_slice() {
            [] => own.train_sets.keys().collect(),
            names => names.iter().collect(),
        };
        let mut train = Vec::new();
        for name in names {
            train.push(if own.train_sets.contains_key(name) {
                golds(&context, name)?
            } else {
                workload::read(name, data)?
            });
        }
        if train.is_empty() {
            bail!(
                "{} has no training set: name one with --train",
                config.display()
            );
        }
        let known = || {
            let names: Vec<&str> = own.targets.keys().map(String::as_str).collect();
            names.join(", ")
        };
        let target = match &arguments.target {
            Some(name) if own.targets.contains_key(name) => Target::OfExperiment(name.clone()),
            Some(name) => Target::Set(name.clone()),
            None if own.targets.len() == 1 => Target::OfExperiment(known()),
            None => bail!("name one of the targets with --target: {}", known()),
        };
        Ok(Self {
            model: own.model.name.clone(),
            train,
            target,
            spec: Some(context.spec),
        })
    }

    /// The folder of this advice if the user names none.
    pub fn folder(&self) -> PathBuf {
        let plain = |name: &str| -> String {
            let kept = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let kept = name.chars().map(|c| if kept(c) { c } else { '-' });
            kept.collect()
        };
        // Where the data lies is no part of what it is.
        let target = self.target.name().split('@').next().unwrap_or_default();
        let target = Path::new(target).file_name().unwrap_or_default();
        let name = format!("{}--{}", self.model, target.to_string_lossy());
        Path::new("runs/advise").join(plain(&name))
    }
}

fn read_all(names: &[String], data: Option<&Path>) -> Result<Vec<Workload>> {
    names
        .iter()
        .map(|name| workload::read(name, data))
        .collect()
}

/// The gold queries of a set of an experiment, as it draws them.
pub fn golds(context: &Context, name: &str) -> Result<Workload> {
    let examples = context.dataset(name)?.examples.iter().cloned();
    Ok(Workload::new(name, examples.map(Query::from).collect()))
}
