//! What the stages of one experiment share: its data sets and its model, opened when first asked for.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use harness_data::defect::{Exclusions, read_defects};
use harness_data::prompt::{PromptOptions, Sources};
use harness_data::{Dataset, DatasetKind, DatasetRef};
use harness_experiment::plan::ExternalInputs;
use harness_experiment::spec::Cell;
use harness_experiment::{Digest, Env, Plan, Resolved, StageId, StageKind, spec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::SpecArgs;
use crate::model::{self, Model, ModelFiles};

/// An experiment and what has been opened for it.
pub struct Context {
    pub spec: Resolved,
    /// The command that does the whole experiment again, for the report; `None` where it is not known.
    pub command: Option<String>,
    datasets: BTreeMap<String, OnceCell<Dataset>>,
    exclusions: OnceCell<Exclusions>,
    files: OnceCell<ModelFiles>,
    /// The digest of the weights that keys were made with before there were files.
    declared: OnceCell<String>,
    model: OnceCell<Model>,
}

/// Reads and resolves an experiment.
pub fn load_spec(path: &Path, arguments: &SpecArgs) -> Result<Resolved> {
    let env = Env {
        data: arguments.data.clone(),
    };
    Ok(spec::load(
        path,
        arguments.cell.as_deref(),
        &arguments.sets,
        &env,
    )?)
}

/// Reads and resolves all cells of an experiment, or the one that is asked for.
pub fn load_cells(path: &Path, arguments: &SpecArgs) -> Result<Vec<Cell>> {
    let env = Env {
        data: arguments.data.clone(),
    };
    if let Some(name) = &arguments.cell {
        let spec = spec::load(path, Some(name), &arguments.sets, &env)?;
        let name = name.clone();
        return Ok(vec![Cell { name, spec }]);
    }
    Ok(spec::load_cells(path, &arguments.sets, &env)?)
}

/// A value of one crate's type as the type of another crate that has the same names.
pub fn convert<T: Serialize, U: DeserializeOwned>(value: &T) -> Result<U> {
    serde_json::from_value(serde_json::to_value(value)?)
        .map_err(|error| anyhow!("configuration: {error}"))
}

impl Context {
    pub fn new(spec: Resolved) -> Self {
        let names = spec.train_sets.keys().chain(spec.targets.keys());
        Self {
            datasets: names.map(|name| (name.clone(), OnceCell::new())).collect(),
            spec,
            command: None,
            exclusions: OnceCell::new(),
            files: OnceCell::new(),
            declared: OnceCell::new(),
            model: OnceCell::new(),
        }
    }

    /// A training set or target, read when it is first asked for, without what the lists of defects take out.
    pub fn dataset(&self, name: &str) -> Result<&Dataset> {
        let Some(cell) = self.datasets.get(name) else {
            return Err(anyhow!("the experiment has no set called {name}"));
        };
        get_or_try(cell, || {
            let reference = self.reference(name)?;
            ensure!(
                reference.root.exists(),
                "set {name}: there is no folder {}; `data` in the experiment, --data or HARNESS_DATA says where the data lies",
                reference.root.display()
            );
            harness_data::load_without(&reference, self.exclusions()?)
                .with_context(|| format!("set {name}"))
        })
    }

    /// What a training set or target is made of.
    pub fn reference(&self, name: &str) -> Result<DatasetRef> {
        let set = self
            .spec
            .set(name)
            .ok_or_else(|| anyhow!("the experiment has no set called {name}"))?;
        let kind = convert::<_, DatasetKind>(&set.dataset)?;
        Ok(DatasetRef {
            databases: set.databases.clone(),
            ids: set.ids.clone(),
            limit: set.limit,
            seed: set.seed,
            require_database: set.require_database,
            descriptions: self.spec.prompt.descriptions,
            cache: harness_model::source::default_cache().map(|it| it.join("databases")),
            ..DatasetRef::new(kind, self.spec.root_of(set), &set.split)
        })
    }

    /// The examples that the lists of defects take out.
    fn exclusions(&self) -> Result<&Exclusions> {
        get_or_try(&self.exclusions, || {
            let mut defects = Vec::new();
            for path in &self.spec.defects {
                defects.extend(read_defects(path).context("a list of defects")?);
            }
            Ok(Exclusions::new(&defects))
        })
    }

    /// How the questions of a set become prompts, and where these take what they show.
    pub fn prompt_sources(&self, name: &str) -> Result<(PromptOptions, Sources<'_>)> {
        let options: PromptOptions = convert(&self.spec.prompt)?;
        let shots = options.few_shot.as_ref();
        let shots = shots.map(|few| self.dataset(&few.from)).transpose()?;
        let sources = Sources {
            dataset: self.dataset(name)?,
            shots,
        };
        Ok((options, sources))
    }

    /// The model's files, fetched when first asked for.
    pub fn model_files(&self) -> Result<&ModelFiles> {
        get_or_try(&self.files, || {
            let files = model::fetch(&self.spec)?;
            // Of several candidates another than the first was had.
            if let Some(declared) = self.declared.get() {
                ensure!(
                    *declared == files.sha256,
                    "model {}: results are wanted of the weights {}…, and what could be had is {}; put what is at hand first \
                     among the candidates of `source`",
                    self.spec.model.name,
                    &declared[..12],
                    files.files.path.display()
                );
            }
            Ok(files)
        })
    }

    /// The digest of the weights; where it is known from their source nothing is fetched for it.
    fn weights_sha256(&self) -> Result<&str> {
        if let Some(files) = self.files.get() {
            return Ok(&files.sha256);
        }
        if let Some(declared) = model::declared(&self.spec)? {
            return Ok(self.declared.get_or_init(|| declared));
        }
        Ok(&self.model_files()?.sha256)
    }

    /// The model in memory, loaded when first asked for.
    pub fn model(&self) -> Result<&Model> {
        get_or_try(&self.model, || Model::open(&self.spec, self.model_files()?))
    }

    /// The digests of what stages read from outside: data files, databases, weights.
    pub fn external(&self, plan: &Plan) -> Result<ExternalInputs> {
        let mut inputs = ExternalInputs::new();
        for stage in &plan.stages {
            let own = inputs.entry(stage.id.clone()).or_default();
            match stage.id.kind {
                StageKind::Data => {
                    let dataset = self.dataset(&stage.id.name)?;
                    let databases = dataset.hash_databases()?;
                    for file in dataset.files.iter().chain(&databases) {
                        own.insert(format!("file:{}", file.path), digest(&file.sha256)?);
                    }
                    for (number, path) in (1..).zip(&self.spec.defects) {
                        own.insert(format!("file:defects/{number}"), of_file(path)?);
                    }
                    if let Some(path) = self
                        .spec
                        .set(&stage.id.name)
                        .and_then(|set| set.ids.as_ref())
                    {
                        own.insert("file:ids".to_owned(), of_file(path)?);
                    }
                }
                StageKind::Predict | StageKind::Train | StageKind::Measure | StageKind::Probe => {
                    own.insert("weights".to_owned(), digest(self.weights_sha256()?)?);
                }
                _ => {}
            }
        }
        Ok(inputs)
    }
}

/// The digest of a file's content.
fn of_file(path: &Path) -> Result<Digest> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Digest::of_bytes(&bytes))
}

/// A SHA-256 in hexadecimal as a digest.
pub fn digest(hex: &str) -> Result<Digest> {
    convert(&hex)
}

/// The stage that holds the answers to `target` of the model as it is after `train`.
pub fn answers(kind: StageKind, train: &str, target: &str) -> StageId {
    StageId::new(kind, format!("{train}--{target}"))
}

/// The value of a cell, made when it is first asked for.
pub fn get_or_try<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `experiment` does not know `data`, so what both say of the layouts is compared here.
    #[test]
    fn both_tables_of_layouts_agree() -> Result<()> {
        for kind in spec::DatasetKind::ALL {
            let same: DatasetKind = convert(&kind)?;
            assert_eq!(same.name(), kind.as_str());
            if !kind.splits().is_empty() {
                assert_eq!(same.splits(Path::new("")), kind.splits());
            }
        }
        assert_eq!(spec::DatasetKind::ALL.len(), DatasetKind::ALL.len());
        Ok(())
    }
}
