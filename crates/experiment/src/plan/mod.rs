//! The stages of an experiment, in an order in which each comes after all it needs.
//!
//! A plan knows names, parameters and dependencies. It does not know which stages are done (the store does)
//! nor how one is run (the caller does).

mod key;
mod kind;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use key::StageKey;
pub use kind::{StageId, StageKind};

use crate::canonical::Digest;
use crate::spec::{
    DatasetKind, Loss, MaxNewTokens, Method, Metric, ModelScores, Precision, Resolved, Set, Train,
};

/// The name that stands for the model before any training in the names of stages.
pub const BASE: &str = "base";

/// One piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name.
    pub id: StageId,
    /// The resolved parameters that its result depends on.
    pub parameters: Value,
    /// The stages whose results it reads, in a fixed order.
    pub needs: Vec<StageId>,
}

/// All stages of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The stages; each comes after all it needs.
    pub stages: Vec<Stage>,
}

/// Digests that only the caller can compute, by stage: data files, databases, weights.
pub type ExternalInputs = BTreeMap<StageId, BTreeMap<String, Digest>>;

impl Plan {
    /// The stages of an experiment: everything before training first, so that a first answer is there early.
    pub fn new(spec: &Resolved) -> Self {
        use StageKind::{Align, Correlate, Data, Measure, Predict, Probe, Report, Score, Train};
        let mut plan = Self { stages: Vec::new() };
        let data = |name: &str| StageId::new(Data, name);
        let pair = |train: &str, target: &str| format!("{train}--{target}");

        for (name, set) in spec.train_sets.iter().chain(&spec.targets) {
            plan.add(data(name), set_parameters(set), vec![]);
        }
        for target in spec.targets.keys() {
            plan.add_answers(spec, BASE, target);
        }
        if let Some(asked) = &spec.align.model_scores {
            plan.add_measures(spec, asked);
        }
        for train in spec.train_sets.keys() {
            for target in spec.targets.keys() {
                let predictions = StageId::new(Predict, pair(BASE, target));
                let mut needs = vec![data(train), data(target), predictions];
                if spec.align.model_scores.is_some() {
                    needs.extend([train, target].map(|name| StageId::new(Measure, name)));
                    needs.push(StageId::new(Probe, train));
                }
                let parameters = json!({ "align": spec.align });
                plan.add(StageId::new(Align, pair(train, target)), parameters, needs);
            }
        }
        for train in spec.train_sets.keys() {
            plan.add(
                StageId::new(Train, train),
                train_parameters(spec, &spec.train),
                with_shots(spec, vec![data(train)]),
            );
            for target in spec.targets.keys() {
                plan.add_answers(spec, train, target);
            }
        }
        if !spec.targets.is_empty() {
            let needs = plan.of_kinds(&[Score, Align]);
            let parameters = json!({
                "metric_of": metric_of(spec),
                "bootstrap_draws": spec.eval.bootstrap_draws,
                "seed": spec.seed,
            });
            plan.add(StageId::new(Correlate, "all"), parameters, needs);
        }
        let needs = plan.of_kinds(&[Predict, Score, Align, Train, Correlate]);
        let parameters = json!({ "name": spec.name, "model": spec.model.name });
        plan.add(StageId::new(Report, "all"), parameters, needs);
        plan
    }

    /// The stage called `id`.
    pub fn get(&self, id: &StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == *id)
    }

    /// The key of every stage, in the plan's order. The inputs of a stage are the digests of the stages it
    /// needs and what `external` adds for it.
    pub fn keys(&self, external: &ExternalInputs) -> Vec<StageKey> {
        let mut digests: BTreeMap<&StageId, Digest> = BTreeMap::new();
        let mut keys = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let mut inputs = external.get(&stage.id).cloned().unwrap_or_default();
            for need in &stage.needs {
                if let Some(digest) = digests.get(need) {
                    inputs.insert(need.to_string(), digest.clone());
                }
            }
            let key = StageKey::new(stage.id.clone(), &stage.parameters, inputs);
            digests.insert(&stage.id, key.digest());
            keys.push(key);
        }
        keys
    }

    /// What the base model says of every set, and what it says of the targets after a probe on each training set.
    fn add_measures(&mut self, spec: &Resolved, asked: &ModelScores) {
        let data = |name: &String| StageId::new(StageKind::Data, name);
        for name in spec.train_sets.keys().chain(spec.targets.keys()) {
            let parameters = json!({
                "model": spec.model,
                "prompt": prompt_parameters(spec),
                "precision": spec.generate.precision,
                "gradient": gradient_parameters(&spec.train),
                "embedding_layer": asked.embedding_layer,
                "sample": asked.sample,
                "seed": spec.seed,
            });
            let needs = with_shots(spec, vec![data(name)]);
            self.add(StageId::new(StageKind::Measure, name), parameters, needs);
        }
        for train in spec.train_sets.keys() {
            let mut parameters = train_parameters(spec, &spec.train.probe(asked.probe_steps));
            parameters["sample"] = json!(asked.sample);
            parameters["seed"] = json!(spec.seed);
            let mut needs = vec![data(train)];
            needs.extend(spec.targets.keys().map(data));
            let needs = with_shots(spec, needs);
            self.add(StageId::new(StageKind::Probe, train), parameters, needs);
        }
    }

    /// Prediction and scoring of one target by the model as it is after `train`.
    fn add_answers(&mut self, spec: &Resolved, train: &str, target: &str) {
        let name = format!("{train}--{target}");
        let data = StageId::new(StageKind::Data, target);
        let predict = StageId::new(StageKind::Predict, name.clone());
        let mut needs = with_shots(spec, vec![data.clone()]);
        if train != BASE {
            needs.push(StageId::new(StageKind::Train, train));
        }
        if let MaxNewTokens::Rule { .. } = spec.generate.max_new_tokens {
            for set in spec.train_sets.keys() {
                let set = StageId::new(StageKind::Data, set);
                if !needs.contains(&set) {
                    needs.push(set);
                }
            }
        }
        let parameters = json!({
            "model": spec.model,
            "prompt": prompt_parameters(spec),
            // How much memory keys and values may take changes no answer.
            "generate": without(json!(spec.generate), &["cache_mib"]),
        });
        self.add(predict.clone(), parameters, needs);
        let score = StageId::new(StageKind::Score, name);
        self.add(score, score_parameters(spec), vec![data, predict]);
    }

    fn add(&mut self, id: StageId, parameters: Value, needs: Vec<StageId>) {
        self.stages.push(Stage {
            id,
            parameters,
            needs,
        });
    }

    fn of_kinds(&self, kinds: &[StageKind]) -> Vec<StageId> {
        self.stages
            .iter()
            .map(|stage| &stage.id)
            .filter(|id| kinds.contains(&id.kind))
            .cloned()
            .collect()
    }
}

/// Where a set lies, and the list of its chosen examples, is not among what determines it: the files' digests are, as
/// inputs.
fn set_parameters(set: &Set) -> Value {
    json!({ "set": without(json!(set), &["root", "ids"]) })
}

/// The stages that prompts take something from: those given, and the set that worked examples are from.
fn with_shots(spec: &Resolved, mut needs: Vec<StageId>) -> Vec<StageId> {
    if let Some(few) = &spec.prompt.few_shot {
        let set = StageId::new(StageKind::Data, &few.from);
        if !needs.contains(&set) {
            needs.push(set);
        }
    }
    needs
}

/// Keys that were added after the first results are left out at the value that those were made with, so that they
/// stay valid.
fn prompt_parameters(spec: &Resolved) -> Value {
    let mut unchanged = Vec::new();
    if spec.prompt.primer {
        unchanged.push("primer");
    }
    if !spec.prompt.descriptions {
        unchanged.push("descriptions");
    }
    without(json!(spec.prompt), &unchanged)
}

/// How often a checkpoint is written changes no result. The precision of the frozen weights does; it was added
/// after the first results, all of bfloat16, and is left out at that value so that they stay valid. So are method
/// and loss.
fn train_parameters(spec: &Resolved, train: &Train) -> Value {
    let mut unchanged = vec!["checkpoint_every"];
    if train.method == Method::Lora {
        unchanged.push("method");
    }
    if train.loss == Loss::Completion {
        unchanged.push("loss");
    }
    let mut parameters = json!({
        "model": spec.model,
        "prompt": prompt_parameters(spec),
        "train": without(json!(train), &unchanged),
    });
    if spec.generate.precision != Precision::Bf16 {
        parameters["precision"] = json!(spec.generate.precision);
    }
    parameters
}

/// Of training, what the gradient of the first step on a set depends on.
fn gradient_parameters(train: &Train) -> Value {
    json!({
        "lora": train.lora,
        "base": train.base,
        "loss": train.loss,
        "max_length": train.max_length,
        "micro_batch_tokens": train.micro_batch_tokens,
        "batch_size": train.batch_size,
        "seed": train.seed,
    })
}

/// The metrics of kinds that came after the first results stand there only where a target is of that
/// kind, so that those results stay valid.
fn metric_of(spec: &Resolved) -> BTreeMap<DatasetKind, Metric> {
    let is_asked = |kind: DatasetKind| spec.targets.values().any(|set| set.dataset == kind);
    let is_first = |kind| {
        matches!(
            kind,
            DatasetKind::Spider | DatasetKind::Bird | DatasetKind::Jsonl
        )
    };
    let all = spec.eval.metric_of.iter();
    all.filter(|(kind, _)| is_first(**kind) || is_asked(**kind))
        .map(|(kind, metric)| (*kind, *metric))
        .collect()
}

/// How many workers there are changes no verdict.
fn score_parameters(spec: &Resolved) -> Value {
    json!({
        "eval": without(json!(spec.eval), &["workers", "metric_of"]),
        "seed": spec.seed,
    })
}

fn without(mut value: Value, keys: &[&str]) -> Value {
    if let Value::Object(map) = &mut value {
        for key in keys {
            map.shift_remove(*key);
        }
    }
    value
}
