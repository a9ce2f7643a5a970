//! The stages of an experiment, and what their digests depend on.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness_experiment::plan::ExternalInputs;
use harness_experiment::spec::{self, Env, load_text};
use harness_experiment::{Digest, Plan, StageId, StageKey, StageKind, canonical};
use proptest::prelude::*;
use serde_json::{Value, json};

const SPEC: &str = "\
name: x
model: {name: tiny, source: [{local: /here/weights.gguf}]}
train_sets:
  s: {dataset: spider, split: train}
  b: {dataset: bird, split: train}
targets:
  d: {dataset: spider, split: dev}
";

fn plan(sets: &[&str]) -> Plan {
    let sets: Vec<String> = sets.iter().map(|&s| s.to_owned()).collect();
    Plan::new(&load_text(Path::new("x.yaml"), SPEC, None, &sets, &Env::default()).unwrap())
}

/// The stages whose digests differ between two ways to set up the same experiment.
fn changed(sets: &[&str], external: &ExternalInputs) -> Vec<String> {
    let before = plan(&[]).keys(&ExternalInputs::new());
    let after = plan(sets).keys(external);
    before
        .iter()
        .zip(&after)
        .filter(|(a, b)| a.digest() != b.digest())
        .map(|(a, _)| a.id.to_string())
        .collect()
}

/// A kind that is added later must not make results stale that know nothing of it.
#[test]
fn the_metrics_of_later_kinds_count_where_they_are_asked_for() {
    let kinds = |sets: &[&str]| {
        let plan = plan(sets);
        let stage = plan
            .get(&StageId::new(StageKind::Correlate, "all"))
            .unwrap();
        let metrics = stage.parameters["metric_of"].as_object().unwrap();
        metrics.keys().cloned().collect::<BTreeSet<_>>()
    };
    let first = ["bird", "jsonl", "spider"].map(str::to_owned);
    assert_eq!(kinds(&[]), first.clone().into());
    let mut with_gretel = BTreeSet::from(first);
    with_gretel.insert("gretel".to_owned());
    assert_eq!(
        kinds(&["targets.d.dataset=gretel", "targets.d.split=test"]),
        with_gretel
    );
}

#[test]
fn stages_come_after_what_they_need() {
    let plan = plan(&[]);
    let names: Vec<String> = plan.stages.iter().map(|s| s.id.to_string()).collect();
    assert_eq!(
        names,
        [
            "data/b",
            "data/s",
            "data/d",
            "predict/base--d",
            "score/base--d",
            "align/b--d",
            "align/s--d",
            "train/b",
            "predict/b--d",
            "score/b--d",
            "train/s",
            "predict/s--d",
            "score/s--d",
            "correlate/all",
            "report/all",
        ]
    );
    let mut seen = BTreeSet::new();
    for stage in &plan.stages {
        assert!(
            stage.needs.iter().all(|need| seen.contains(need)),
            "{}",
            stage.id
        );
        assert!(seen.insert(stage.id.clone()), "{} stands twice", stage.id);
    }
    let predict = plan.get(&StageId::new(StageKind::Predict, "s--d")).unwrap();
    let needs: Vec<String> = predict.needs.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["data/d", "train/s"]);
}

#[test]
fn a_digest_changes_with_what_determines_the_result_and_nothing_else() {
    let none = ExternalInputs::new();
    let nothing: [String; 0] = [];
    let indifferent = [
        "eval.workers=3",
        "out=elsewhere",
        "data=elsewhere",
        "train.checkpoint_every=1",
        // What the list takes out is an input of the stage that reads the set; a refusal changes no result.
        "defects=list.jsonl",
        "leaks=deny",
        "train_sets.s.root=/elsewhere",
        "model.source=[{local: /there/weights.gguf}]",
    ];
    assert_eq!(changed(&indifferent, &none), nothing);
    assert_eq!(
        changed(&["align.l_max=3"], &none),
        ["align/b--d", "align/s--d", "correlate/all", "report/all"]
    );
    assert_eq!(
        changed(&["train_sets.s.limit=3"], &none),
        [
            "data/s",
            "align/s--d",
            "train/s",
            "predict/s--d",
            "score/s--d",
            "correlate/all",
            "report/all"
        ]
    );
    assert_eq!(
        changed(&["train.learning_rate=1"], &none),
        [
            "train/b",
            "predict/b--d",
            "score/b--d",
            "train/s",
            "predict/s--d",
            "score/s--d",
            "correlate/all",
            "report/all"
        ]
    );
    // A key that came later changes digests where it differs from what was done before, and only there.
    assert_eq!(changed(&["prompt.primer=true"], &none), nothing);
    let prompted = [
        "predict/base--d",
        "score/base--d",
        "align/b--d",
        "align/s--d",
        "train/b",
        "predict/b--d",
        "score/b--d",
        "train/s",
        "predict/s--d",
        "score/s--d",
        "correlate/all",
        "report/all",
    ];
    for set in [
        "prompt.primer=false",
        "prompt.format=compact",
        "prompt.descriptions=true",
        "prompt.values=2",
    ] {
        assert_eq!(changed(&[set], &none), prompted, "{set}");
    }
    assert_eq!(
        changed(
            &[
                "train.method=lora",
                "train.loss=completion",
                "train.lora.rank_stabilized=false"
            ],
            &none
        ),
        nothing
    );
    for sets in [
        &["train.loss=all"][..],
        &["train.lora.rank_stabilized=true"],
        &["train.method=full", "train.lora="],
    ] {
        let moved = changed(sets, &none);
        let trained = ["train/b", "predict/b--d", "score/b--d", "train/s"];
        assert_eq!(moved[..4], trained, "{sets:?}");
    }
    // What is trained depends on the precision of the weights that stay as they are.
    let moved = changed(&["generate.precision=bf16"], &none);
    for stage in ["predict/base--d", "train/b", "train/s", "predict/s--d"] {
        assert!(
            moved.iter().any(|name| name == stage),
            "{stage} in {moved:?}"
        );
    }
    let weights = BTreeMap::from([("weights".to_owned(), Digest::of_bytes(b"w"))]);
    let external = ExternalInputs::from([(StageId::new(StageKind::Train, "s"), weights)]);
    assert_eq!(
        changed(&[], &external),
        [
            "train/s",
            "predict/s--d",
            "score/s--d",
            "correlate/all",
            "report/all"
        ]
    );
}

/// What prompts show of a training set, they depend on.
#[test]
fn worked_examples_make_their_set_an_input() {
    let sets = ["prompt.few_shot={k: 2, from: s}"];
    let needs = |kind, name: &str| -> Vec<String> {
        let plan = plan(&sets);
        let stage = plan.get(&StageId::new(kind, name)).unwrap();
        stage.needs.iter().map(ToString::to_string).collect()
    };
    assert_eq!(needs(StageKind::Predict, "base--d"), ["data/d", "data/s"]);
    assert_eq!(
        needs(StageKind::Predict, "b--d"),
        ["data/d", "data/s", "train/b"]
    );
    assert_eq!(needs(StageKind::Train, "b"), ["data/b", "data/s"]);
    assert_eq!(needs(StageKind::Train, "s"), ["data/s"]);
    let with = |more: &str| plan(&[sets[0], more]).keys(&ExternalInputs::new());
    let moved: Vec<String> = with("seed=17")
        .iter()
        .zip(with("prompt.few_shot.seed=18"))
        .filter(|(a, b)| a.digest() != b.digest())
        .map(|(a, _)| a.id.to_string())
        .collect();
    assert!(moved.contains(&"predict/base--d".to_owned()), "{moved:?}");
}

/// A rule goes by the answers of all training sets, so each prediction depends on them; a number does not.
#[test]
fn a_rule_for_the_longest_answer_makes_the_training_sets_inputs() {
    let needs = |sets: &[&str]| -> Vec<String> {
        let plan = plan(sets);
        let stage = plan.get(&StageId::new(StageKind::Predict, "b--d")).unwrap();
        stage.needs.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        needs(&["generate.max_new_tokens=99"]),
        ["data/d", "train/b"]
    );
    assert_eq!(
        needs(&["generate.max_new_tokens={times_longest_trained: 2}"]),
        ["data/d", "train/b", "data/b", "data/s"]
    );
}

/// How tokens are computed and drawn enters the digests of answers and of what follows from them, and of nothing else.
#[test]
fn draws_change_answers_and_not_training() {
    for key in ["generate.temperature=0.5", "generate.base=blocks"] {
        let stale = changed(&[key], &ExternalInputs::new());
        assert!(stale.contains(&"predict/base--d".to_owned()), "{stale:?}");
        assert!(
            !stale.iter().any(|id| id.starts_with("train/")),
            "{stale:?}"
        );
    }
    let nothing = [
        "generate.temperature=0",
        "generate.samples=1",
        "generate.base=plain",
        "generate.cache_mib=900",
    ];
    assert_eq!(
        changed(&nothing, &ExternalInputs::new()),
        Vec::<String>::new()
    );
}

/// The results in this repository are of the specification beside them: a key that came later leaves the parameters
/// of their stages as they were.
#[test]
fn published_results_keep_their_parameters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("configs/experiment/first-light.yaml");
    let plan = Plan::new(&spec::load(&file, None, &[], &Env::default()).unwrap());
    for key in plan.keys(&ExternalInputs::new()) {
        let folder = format!("results/first-light/{}/{}", key.id.kind, key.id.name);
        let manifest = std::fs::read(root.join(&folder).join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["parameters"], key.parameters, "{folder}");
        assert_eq!(manifest["code_version"], key.code_version, "{folder}");
        let named = |inputs: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            let stages = inputs.filter(|name| !name.starts_with("file:") && *name != "weights");
            stages.cloned().collect()
        };
        let published = manifest["inputs"].as_object().unwrap();
        assert_eq!(
            named(&mut published.keys()),
            named(&mut key.inputs.keys()),
            "{folder}"
        );
    }
}

/// What the model says is asked for by a key, and who does not write it has the plan that he had.
#[test]
fn what_the_model_says_is_measured_where_it_is_asked_for() {
    let asked = "align.model_scores.sample=9";
    let names =
        |plan: &Plan| -> Vec<String> { plan.stages.iter().map(|s| s.id.to_string()).collect() };
    let (without, with) = (plan(&[]), plan(&[asked]));
    let mut rest = names(&with);
    rest.retain(|name| !name.starts_with("measure/") && !name.starts_with("probe/"));
    assert_eq!(rest, names(&without));
    let needs = |name: &str| -> Vec<String> {
        let found = with.stages.iter().find(|s| s.id.to_string() == name);
        found
            .unwrap()
            .needs
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(needs("measure/s"), ["data/s"]);
    assert_eq!(needs("probe/s"), ["data/s", "data/d"]);
    assert_eq!(
        needs("align/s--d"),
        [
            "data/s",
            "data/d",
            "predict/base--d",
            "measure/s",
            "measure/d",
            "probe/s"
        ]
    );

    // Which of the added stages another value makes stale.
    let stale = |set: &str| -> Vec<String> {
        let before = with.keys(&ExternalInputs::new());
        let after = plan(&[asked, set]).keys(&ExternalInputs::new());
        let pairs = before.iter().zip(&after);
        let differ = pairs.filter(|(a, b)| a.digest() != b.digest());
        let names = differ.map(|(a, _)| a.id.to_string());
        names
            .filter(|name| name.starts_with("measure/") || name.starts_with("probe/"))
            .collect()
    };
    let measures = ["measure/b", "measure/s", "measure/d"];
    let probes = ["probe/b", "probe/s"];
    assert_eq!(stale("train.learning_rate=1"), probes);
    assert_eq!(stale("align.model_scores.probe_steps=3"), probes);
    assert_eq!(stale("align.model_scores.embedding_layer=3"), measures);
    for all in ["align.model_scores.sample=8", "seed=3", "train.lora.rank=2"] {
        assert_eq!(stale(all), [&measures[..], &probes].concat(), "{all}");
    }
    // A probe has a length, a rate and a schedule of its own.
    for other in [
        "train.epochs=7",
        "train.schedule=linear",
        "train.warmup_ratio=0.5",
        "align.l_max=3",
    ] {
        assert_eq!(stale(other), [""; 0], "{other}");
    }
}

#[test]
fn no_path_of_this_machine_is_in_a_key() {
    for key in plan(&[]).keys(&ExternalInputs::new()) {
        let text = key.parameters.to_string();
        assert!(
            !text.contains("/here") && !text.contains("shared"),
            "{text}"
        );
    }
}

/// Golden digests: if one changes although nothing was meant to change a result, the change is wrong; if it
/// was meant, the code version of the kind has to rise with it.
#[test]
fn digests_are_the_same_on_every_machine() {
    let key = StageKey::new(
        StageId::new(StageKind::Data, "any"),
        &json!({"set": {"split": "dev", "limit": 3}}),
        BTreeMap::from([("file".to_owned(), Digest::of_bytes(b"abc"))]),
    );
    // printf '%s' '{"code_version":1,"inputs":{"file":"ba78…15ad"},"kind":"data",
    //   "parameters":{"set":{"limit":3,"split":"dev"}}}' | sha256sum, in one line
    assert_eq!(
        key.digest().as_str(),
        "86528a4b975fee88e8e3d513efb2b9260f3d2c82e752614caaa3aa9f50dea515"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(|x: f64| Value::from(x)),
        "[a-z./]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same value with the keys of every object the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(reversed).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .rev()
                .map(|(k, v)| (k.clone(), reversed(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn digests_do_not_depend_on_the_order_of_keys(value in any_json()) {
        let other = reversed(&value);
        prop_assert_eq!(canonical::to_string(&value), canonical::to_string(&other));
        let key = |value| StageKey::new(StageId::new(StageKind::Train, "t"), value, BTreeMap::new());
        prop_assert_eq!(key(&value).digest(), key(&other).digest());
        prop_assert_eq!(canonical::first_difference(&value, &other), None);
        let again: Value = serde_json::from_str(&canonical::to_string(&value)).unwrap();
        prop_assert_eq!(canonical::to_string(&again), canonical::to_string(&value));
    }
}
