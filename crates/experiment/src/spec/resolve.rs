//! The one place where what a user wrote becomes what the program runs with.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::names::{
    Base, DatasetKind, DevMeasure, Loss, Method, Metric, Precision, Projection, Schedule, Select,
};
use super::prompt;
use super::raw::{
    RawAlign, RawData, RawEarlyStop, RawEval, RawGenerate, RawLora, RawMaxNewTokens, RawModel,
    RawModelScores, RawSet, RawSpec, RawSynth, RawTrain,
};
use super::resolved::{
    Align, Draw, EarlyStop, Eval, Generate, Lora, MaxNewTokens, Model, ModelScores, Resolved, Set,
    Synth, Train,
};
use super::{Desk, Env};
use crate::suggest;
use crate::tree::Node;

const DEFAULT_SEED: u64 = 17;
const DEFAULT_DATA: &str = "../shared/data";
const DEFAULT_SYNTH: &str = "data/synth";

/// Fills in defaults and checks every value. Faults go to the desk; if there are any, the answer is only a
/// stand-in.
pub(super) fn resolve(
    raw: RawSpec,
    file: &Path,
    env: &Env,
    tree: &Node,
    desk: &mut Desk,
) -> Resolved {
    let mut check = Check { tree, desk };
    let name = raw.name.unwrap_or_else(|| {
        let stem = file.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    });
    check.that(is_name(&name), "name", || {
        format!("`{name}` cannot be the name of a folder: use letters, digits, `-`, `_` and `.`")
    });
    let seed = raw.seed.unwrap_or(DEFAULT_SEED);
    let train_sets = sets(raw.train_sets, "train_sets", seed, &mut check);
    let targets = sets(raw.targets, "targets", seed, &mut check);
    for name in train_sets.keys().filter(|name| targets.contains_key(*name)) {
        check.fault(
            &format!("targets.{name}"),
            format!("`{name}` is a training set too; each set needs a name of its own"),
            None,
        );
    }
    if train_sets.is_empty() && targets.is_empty() {
        let message =
            "there is nothing to do: neither `train_sets` nor `targets` is given".to_owned();
        check.missing("targets", message);
    }
    check.that(raw.synth.is_none() || raw.data.is_none(), "data", || {
        "`synth` says where the data lies, so `data` cannot".to_owned()
    });
    let synth = raw.synth.map(|raw| synth(raw, &mut check));
    let of_model = raw.align.as_ref().and_then(|it| it.model_scores.as_ref());
    let method = raw.train.as_ref().and_then(|it| it.method);
    check.that(
        of_model.is_none() || method != Some(Method::Full),
        "align.model_scores",
        || {
            "the probe and the gradients are those of an adapter: it needs `train.method: lora`"
                .to_owned()
        },
    );
    let generate = generate(
        raw.generate.unwrap_or_default(),
        seed,
        (!train_sets.is_empty()).then(|| method.unwrap_or(Method::Lora)),
        &mut check,
    );
    Resolved {
        seed,
        data: match &synth {
            Some(synth) => roots_below(&synth.out),
            None => data(raw.data, env),
        },
        synth,
        out: raw.out.unwrap_or_else(|| Path::new("results").join(&name)),
        model: model(raw.model, &mut check),
        prompt: prompt::resolve(
            raw.prompt.unwrap_or_default(),
            &train_sets,
            seed,
            &mut check,
        ),
        train_sets,
        targets,
        defects: raw.defects.map(|files| files.0).unwrap_or_default(),
        leaks: raw.leaks.unwrap_or_default(),
        train: train(raw.train.unwrap_or_default(), seed, &mut check),
        generate,
        eval: eval(raw.eval.unwrap_or_default(), &mut check),
        align: align(raw.align.unwrap_or_default(), &mut check),
        name,
    }
}

/// Notes faults at paths of the tree.
pub(super) struct Check<'a> {
    tree: &'a Node,
    desk: &'a mut Desk,
}

impl Check<'_> {
    pub(super) fn fault(&mut self, path: &str, message: String, help: Option<String>) {
        let keys: Vec<&str> = path.split('.').collect();
        let place = self.tree.place_of(&keys);
        self.desk.fault(place, path, message, help);
    }

    pub(super) fn that(&mut self, holds: bool, path: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.fault(path, message(), None);
        }
    }

    /// A key that has to be there and is not; no fault if it may have been among what was cut off.
    pub(super) fn missing(&mut self, path: &str, message: String) {
        fn parent(path: &str) -> &str {
            path.rsplit_once('.').map_or("", |(parent, _)| parent)
        }
        let excused = self.desk.cut.iter().any(|cut| {
            let above = path.strip_prefix(cut.as_str());
            above.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                || parent(cut) == parent(path)
        });
        if !excused {
            self.fault(path, message, None);
        }
    }

    /// `value`, or `default`, at least `least`.
    fn count(&mut self, path: &str, value: Option<usize>, default: usize, least: usize) -> usize {
        let value = value.unwrap_or(default);
        self.that(value >= least, path, || {
            format!("expected {least} or more, found {value}")
        });
        value
    }

    /// `value`, or `default`, finite and such that `holds`, which `expected` says in words.
    fn number(
        &mut self,
        path: &str,
        value: Option<f64>,
        default: f64,
        expected: &str,
        holds: impl Fn(f64) -> bool,
    ) -> f64 {
        let value = value.unwrap_or(default);
        self.that(value.is_finite() && holds(value), path, || {
            format!("expected a number {expected}, found {value}")
        });
        value
    }

    /// A list that must not be empty nor name anything twice.
    fn list<T: PartialEq>(&mut self, path: &str, items: &[T], show: impl Fn(&T) -> String) {
        self.that(!items.is_empty(), path, || {
            "the list is empty: leave the key out to get the default".to_owned()
        });
        for (at, item) in items.iter().enumerate() {
            if items[..at].contains(item) {
                let message = format!("`{}` stands twice in the list", show(item));
                self.fault(&format!("{path}.{at}"), message, None);
            }
        }
    }
}

fn positive(x: f64) -> bool {
    x > 0.0
}

fn share(x: f64) -> bool {
    (0.0..1.0).contains(&x)
}

/// Whether a text can name a folder and the part of a stage's name.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 100
        && name.chars().all(plain)
}

fn data(raw: Option<RawData>, env: &Env) -> BTreeMap<DatasetKind, PathBuf> {
    match (&env.data, raw) {
        (Some(root), _) => roots_below(root),
        (None, Some(RawData::Root(root))) => roots_below(&root),
        (None, Some(RawData::Roots(roots))) => {
            let mut all = roots_below(Path::new(DEFAULT_DATA));
            all.extend(roots);
            all
        }
        (None, None) => roots_below(Path::new(DEFAULT_DATA)),
    }
}

fn roots_below(root: &Path) -> BTreeMap<DatasetKind, PathBuf> {
    DatasetKind::ALL
        .into_iter()
        .map(|kind| (kind, root.join(kind.as_str())))
        .collect()
}

fn synth(raw: RawSynth, check: &mut Check<'_>) -> Synth {
    Synth {
        out: raw.out.unwrap_or_else(|| PathBuf::from(DEFAULT_SYNTH)),
        seed: raw.seed.unwrap_or(DEFAULT_SEED),
        train: check.count("synth.train", raw.train, 1200, 1),
        target: check.count("synth.target", raw.target, 240, 1),
    }
}

fn model(raw: Option<RawModel>, check: &mut Check<'_>) -> Model {
    let Some(raw) = raw else {
        check.missing("model", "no model is given".to_owned());
        return Model {
            name: String::new(),
            source: serde_json::Value::Null,
        };
    };
    let name = raw.name.unwrap_or_default();
    if name.trim().is_empty() {
        check.missing("model.name", "the model has no name".to_owned());
    }
    let source = raw.source.unwrap_or_default();
    if source.is_null() {
        let message = "the model has no source, so its weights cannot be found".to_owned();
        check.missing("model.source", message);
    }
    Model { name, source }
}

fn sets(
    raw: Option<BTreeMap<String, RawSet>>,
    section: &str,
    seed: u64,
    check: &mut Check<'_>,
) -> BTreeMap<String, Set> {
    let mut sets = BTreeMap::new();
    for (name, raw) in raw.unwrap_or_default() {
        let path = format!("{section}.{name}");
        // Dots would make the name unreachable for overrides, `--` parts a training set from a target in the
        // names of stages, and `base` stands there for the model before training.
        if !is_name(&name) || name.contains('.') || name.contains("--") || name == "base" {
            let message = format!("`{name}` cannot name a set");
            let help = "use letters, digits, single `-` and `_`; `base` is taken".to_owned();
            check.fault(&path, message, Some(help));
        }
        if let Some(set) = set(raw, &path, seed, check) {
            sets.insert(name, set);
        }
    }
    sets
}

fn set(raw: RawSet, path: &str, seed: u64, check: &mut Check<'_>) -> Option<Set> {
    let at = |key: &str| format!("{path}.{key}");
    if raw.dataset.is_none() {
        check.missing(&at("dataset"), "the set has no `dataset`".to_owned());
    }
    if raw.split.is_none() {
        check.missing(&at("split"), "the set has no `split`".to_owned());
    }
    if let (Some(dataset), Some(split)) = (raw.dataset, &raw.split) {
        let splits = dataset.splits();
        if !splits.is_empty() && !splits.contains(&split.as_str()) {
            let message = format!("{dataset} has no split `{split}`");
            let help = suggest::help(split, splits, "its splits");
            check.fault(&at("split"), message, help);
        }
    }
    if let Some(databases) = &raw.databases {
        check.list(&at("databases"), databases, Clone::clone);
    }
    check.that(raw.limit != Some(0), &at("limit"), || {
        "a limit of 0 leaves nothing; leave the key out to take all".to_owned()
    });
    Some(Set {
        dataset: raw.dataset?,
        split: raw.split?,
        root: raw.root,
        databases: raw.databases,
        ids: raw.ids,
        limit: raw.limit,
        seed: raw.seed.unwrap_or(seed),
        require_database: raw.require_database.unwrap_or(false),
    })
}

fn train(raw: RawTrain, seed: u64, check: &mut Check<'_>) -> Train {
    let at = |key: &str| format!("train.{key}");
    if raw.epochs.is_some() && raw.steps.is_some() {
        let message = "`epochs` and `steps` both say how long to train; give one".to_owned();
        let help = "on the command line, `--set train.epochs=` takes `epochs` away".to_owned();
        check.fault("train.steps", message, Some(help));
    }
    let epochs = match raw.steps {
        Some(steps) => {
            check.count(&at("steps"), Some(steps), 1, 1);
            None
        }
        None => Some(check.number(&at("epochs"), raw.epochs, 1.0, "above 0", positive)),
    };
    let betas = raw.betas.unwrap_or([0.9, 0.999]);
    for beta in betas {
        check.number(&at("betas"), Some(beta), 0.0, "from 0 to below 1", share);
    }
    let method = raw.method.unwrap_or(Method::Lora);
    check.that(
        method == Method::Lora || raw.lora.is_none(),
        "train.lora",
        || "with `method: full` there is no adapter: leave `lora` out".to_owned(),
    );
    let schedule = raw.schedule.unwrap_or(Schedule::Cosine);
    let falls = schedule == Schedule::Wsd;
    check.that(
        falls || raw.decay_ratio.is_none(),
        "train.decay_ratio",
        || "only `schedule: wsd` has a fall at the end: leave `decay_ratio` out".to_owned(),
    );
    let decay_ratio = check.number(
        &at("decay_ratio"),
        raw.decay_ratio,
        0.1,
        "from 0 to 1",
        |x| (0.0..=1.0).contains(&x),
    );
    let early_stop = raw.early_stop.map(|raw| early_stop(&raw, check));
    let dev_examples = raw.dev_examples.unwrap_or(0);
    let dev_every = raw.dev_every.unwrap_or(0);
    let dev_measure = raw.dev_measure.unwrap_or_default();
    let select = raw.select.unwrap_or_default();
    for (key, asked) in [
        ("early_stop", early_stop.is_some()),
        ("select", select == Select::Best),
        ("dev_measure", dev_measure == DevMeasure::Ex),
    ] {
        check.that(
            !asked || (dev_examples > 0 && dev_every > 0),
            &at(key),
            || {
                "there is nothing to go by: `dev_examples` and `dev_every` have to be 1 or more"
                    .to_owned()
            },
        );
    }
    Train {
        method,
        loss: raw.loss.unwrap_or(Loss::Completion),
        lora: (method == Method::Lora).then(|| lora(raw.lora.unwrap_or_default(), check)),
        learning_rate: check.number(
            &at("learning_rate"),
            raw.learning_rate,
            2e-4,
            "above 0",
            positive,
        ),
        epochs,
        steps: raw.steps,
        batch_size: check.count(&at("batch_size"), raw.batch_size, 8, 1),
        micro_batch_tokens: check.count(&at("micro_batch_tokens"), raw.micro_batch_tokens, 2048, 1),
        warmup_ratio: check.number(
            &at("warmup_ratio"),
            raw.warmup_ratio,
            0.05,
            "from 0 to 1",
            |x| (0.0..=1.0).contains(&x),
        ),
        schedule,
        decay_ratio: falls.then_some(decay_ratio),
        length_bucketing: raw.length_bucketing.unwrap_or(false),
        base: raw.base.unwrap_or_default(),
        recompute: raw.recompute.unwrap_or(false),
        weight_decay: check.number(
            &at("weight_decay"),
            raw.weight_decay,
            0.0,
            "of 0 or more",
            |x| x >= 0.0,
        ),
        betas,
        eps: check.number(&at("eps"), raw.eps, 1e-8, "above 0", positive),
        max_grad_norm: check.number(
            &at("max_grad_norm"),
            raw.max_grad_norm,
            1.0,
            "above 0",
            positive,
        ),
        max_length: check.count(&at("max_length"), raw.max_length, 1024, 2),
        seed: raw.seed.unwrap_or(seed),
        dev_examples,
        dev_every,
        dev_measure,
        early_stop,
        select,
        checkpoint_every: raw.checkpoint_every.unwrap_or(16),
        keep_checkpoints: check.count(&at("keep_checkpoints"), raw.keep_checkpoints, 1, 1),
    }
}

fn early_stop(raw: &RawEarlyStop, check: &mut Check<'_>) -> EarlyStop {
    if raw.patience.is_none() {
        let message = "`patience` is missing: measurements in a row that bring nothing".to_owned();
        check.missing("train.early_stop.patience", message);
    }
    EarlyStop {
        patience: check.count("train.early_stop.patience", raw.patience, 1, 1),
        min_delta: check.number(
            "train.early_stop.min_delta",
            raw.min_delta,
            0.0,
            "of 0 or more",
            |x| x >= 0.0,
        ),
    }
}

fn lora(raw: RawLora, check: &mut Check<'_>) -> Lora {
    let rank = check.count("train.lora.rank", raw.rank, 8, 1);
    let targets = raw.targets.unwrap_or_else(|| Projection::ALL.to_vec());
    check.list("train.lora.targets", &targets, |t| t.as_str().to_owned());
    Lora {
        rank,
        alpha: check.number(
            "train.lora.alpha",
            raw.alpha,
            2.0 * rank as f64,
            "above 0",
            positive,
        ),
        dropout: check.number(
            "train.lora.dropout",
            raw.dropout,
            0.0,
            "from 0 to below 1",
            share,
        ),
        targets,
        rank_stabilized: raw.rank_stabilized.unwrap_or(false),
        plus_ratio: check.number(
            "train.lora.plus_ratio",
            raw.plus_ratio,
            1.0,
            "above 0",
            positive,
        ),
    }
}

fn generate(
    raw: RawGenerate,
    seed: u64,
    trained: Option<Method>,
    check: &mut Check<'_>,
) -> Generate {
    let trains = trained.is_some();
    let base = raw.base.unwrap_or_default();
    check.that(base != Base::Nf4, "generate.base", || {
        "answers are generated with `plain` weights or with the `blocks` of a GGUF file; `nf4` is for training"
            .to_owned()
    });
    check.that(
        base == Base::Plain || trained != Some(Method::Full),
        "generate.base",
        || "full training leaves weights that are numbers, not blocks: leave it out".to_owned(),
    );
    let longest = "generate.max_new_tokens";
    let max_new_tokens = match raw.max_new_tokens {
        Some(RawMaxNewTokens::Rule(rule)) => {
            check.that(trains, longest, || {
                "there are no training sets whose longest answer could be a measure: give a number of tokens"
                    .to_owned()
            });
            let times_longest_trained = check.number(
                &format!("{longest}.times_longest_trained"),
                Some(rule.times_longest_trained),
                1.0,
                "of 1 or more",
                |x| x >= 1.0,
            );
            MaxNewTokens::Rule {
                times_longest_trained,
            }
        }
        Some(RawMaxNewTokens::Count(count)) => {
            MaxNewTokens::Count(check.count(longest, Some(count), 160, 1))
        }
        None => MaxNewTokens::Count(160),
    };
    Generate {
        batch_size: check.count("generate.batch_size", raw.batch_size, 8, 1),
        cache_mib: raw
            .cache_mib
            .map(|mib| check.count("generate.cache_mib", Some(mib), 1, 1)),
        max_new_tokens,
        precision: raw.precision.unwrap_or(Precision::F32),
        base,
        draw: draw(&raw, seed, check),
    }
}

fn draw(raw: &RawGenerate, seed: u64, check: &mut Check<'_>) -> Option<Draw> {
    let temperature = check.number(
        "generate.temperature",
        raw.temperature,
        0.0,
        "of 0 or more",
        |x| x >= 0.0,
    );
    let draw = Draw {
        temperature,
        top_k: raw
            .top_k
            .map(|count| check.count("generate.top_k", Some(count), 1, 1)),
        top_p: check.number(
            "generate.top_p",
            raw.top_p,
            1.0,
            "above 0 and at most 1",
            |x| x > 0.0 && x <= 1.0,
        ),
        samples: check.count("generate.samples", raw.samples, 1, 1),
        seed: raw.seed.unwrap_or(seed),
    };
    if temperature > 0.0 {
        return Some(draw);
    }
    // At the values that say nothing they are no contradiction.
    for (key, asked) in [
        ("top_k", raw.top_k.is_some()),
        ("top_p", draw.top_p < 1.0),
        ("samples", draw.samples > 1),
        ("seed", raw.seed.is_some()),
    ] {
        check.that(!asked, &format!("generate.{key}"), || {
            "without a temperature nothing is drawn: leave it out, or give `temperature`, such as 0.7"
                .to_owned()
        });
    }
    None
}

fn eval(raw: RawEval, check: &mut Check<'_>) -> Eval {
    let show = |metric: &Metric| metric.to_string();
    let metrics = raw
        .metrics
        .unwrap_or_else(|| vec![Metric::BirdEx, Metric::SpiderExec]);
    check.list("eval.metrics", &metrics, show);
    let asked = raw.metric_of.unwrap_or_default();
    for (kind, metric) in &asked {
        check.that(
            metrics.contains(metric),
            &format!("eval.metric_of.{kind}"),
            || not_computed(metric),
        );
    }
    let metric_of = DatasetKind::ALL
        .into_iter()
        .map(|kind| {
            let own = kind.metric();
            // Where the authors' own metric is not computed, the first that is stands in.
            let fallback = if metrics.contains(&own) {
                own
            } else {
                metrics.first().copied().unwrap_or(own)
            };
            (kind, asked.get(&kind).copied().unwrap_or(fallback))
        })
        .collect();
    Eval {
        metrics,
        metric_of,
        workers: raw
            .workers
            .map(|workers| check.count("eval.workers", Some(workers), 1, 1)),
        timeout_seconds: check.number(
            "eval.timeout_seconds",
            raw.timeout_seconds,
            60.0,
            "above 0 and at most 86400",
            |x| x > 0.0 && x <= 86_400.0,
        ),
        bootstrap_draws: check.count("eval.bootstrap_draws", raw.bootstrap_draws, 10_000, 1),
    }
}

fn not_computed(metric: &impl Display) -> String {
    format!("`{metric}` is not among `eval.metrics`, so it is not computed")
}

fn align(raw: RawAlign, check: &mut Check<'_>) -> Align {
    Align {
        l_max: check.count("align.l_max", raw.l_max, 15, 1),
        alpha: check.number("align.alpha", raw.alpha, 0.5, "above 0", positive),
        filters: raw.filters.unwrap_or(true),
        style_free: raw.style_free.unwrap_or(false),
        model_scores: raw.model_scores.map(|raw| model_scores(raw, check)),
    }
}

fn model_scores(raw: RawModelScores, check: &mut Check<'_>) -> ModelScores {
    ModelScores {
        embedding_layer: raw.embedding_layer,
        sample: check.count("align.model_scores.sample", raw.sample, 200, 2),
        probe_steps: check.count("align.model_scores.probe_steps", raw.probe_steps, 20, 1),
    }
}
