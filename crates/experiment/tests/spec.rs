//! Specifications: defaults, parts, overrides, and every fault with its place and a way out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use harness_experiment::spec::{
    DatasetKind, DevMeasure, Env, LeakRule, Metric, Precision, Projection, Resolved, Schedule,
    Select, SpecErrors, load, load_text,
};
use proptest::prelude::*;
use serde_json::json;

const SMALL: &str = "\
model: {name: tiny, source: [{local: weights}]}
train_sets:
  train-a: {dataset: spider, split: train, limit: 8}
targets:
  dev-a: {dataset: spider, split: dev}
  dev-b: {dataset: bird, split: dev, databases: [superhero]}
";

fn resolve(text: &str, sets: &[&str]) -> Result<Resolved, SpecErrors> {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    load_text(Path::new("x.yaml"), text, None, &sets, &Env::default())
}

/// Checks the whole text of the faults.
fn check(text: &str, sets: &[&str], expected: &str) {
    let found = resolve(text, sets).unwrap_err().to_string();
    assert_eq!(found, expected.trim_end(), "\nfound:\n{found}");
}

/// A folder of configuration with a few parts.
fn configs() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join("configs").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("model/tiny-2.5.yaml", "source:\n  - local: weights\n");
    write("train/lora-small.yaml", "lora: {rank: 4}\nepochs: 2\n");
    write("train/lora-big.yaml", "lora: {rank: 64}\n");
    write("data/spider-train.yaml", "dataset: spider\nsplit: train\n");
    write(
        "experiment/first.yaml",
        "model: tiny-2.5\ntrain: lora-small\ntrain_sets: {s: spider-train}\n\
         targets: {t: {dataset: bird, split: dev}}\n",
    );
    let path = root.path().join("configs/experiment/first.yaml");
    (root, path)
}

#[test]
fn defaults_are_filled_in() {
    let spec = resolve(SMALL, &[]).unwrap();
    assert_eq!((spec.name.as_str(), spec.seed), ("x", 17));
    assert_eq!(spec.out, Path::new("results/x"));
    assert_eq!(
        spec.data[&DatasetKind::Bird],
        Path::new("../shared/data/bird")
    );
    let set = &spec.train_sets["train-a"];
    assert_eq!(
        (set.limit, set.seed, set.require_database),
        (Some(8), 17, false)
    );
    assert_eq!(spec.root_of(set), Path::new("../shared/data/spider"));
    assert_eq!((spec.train.epochs, spec.train.steps), (Some(1.0), None));
    let lora = spec.train.lora.unwrap();
    assert_eq!((lora.rank, lora.alpha), (8, 16.0));
    assert_eq!(lora.targets, Projection::ALL);
    assert_eq!(spec.train.schedule, Schedule::Cosine);
    assert_eq!(spec.generate.precision, Precision::F32);
    assert_eq!(
        spec.eval.metric_of[&DatasetKind::Spider],
        Metric::SpiderExec
    );
    assert_eq!(spec.eval.metric_of[&DatasetKind::Bird], Metric::BirdEx);
    assert_eq!(
        (spec.align.l_max, spec.align.alpha, spec.align.filters),
        (15, 0.5, true)
    );
}

#[test]
fn what_is_shown_reads_back_to_the_same() {
    let sets = [
        "train.steps=12",
        "eval.workers=2",
        "data={spider: /a/b, bird: c}",
        "train_sets.train-a.root=/somewhere/else",
        "prompt={chat: true, format: m_schema, values: 2, few_shot: {k: 3, from: train-a}}",
        "name=\"007\"",
    ];
    let spec = resolve(SMALL, &sets).unwrap();
    let again = resolve(&spec.to_yaml(), &[]).unwrap();
    assert_eq!(again, spec, "{}", spec.to_yaml());
    let portable = spec.to_portable_json().to_string();
    assert!(
        !portable.contains("/a/b") && !portable.contains("somewhere"),
        "{portable}"
    );
}

#[test]
fn the_environment_rules_over_the_data_root() {
    let env = Env {
        data: Some("elsewhere".into()),
    };
    let text = format!("{SMALL}data: here\n");
    let spec = load_text(Path::new("x.yaml"), &text, None, &[], &env).unwrap();
    assert_eq!(
        spec.data[&DatasetKind::Spider],
        Path::new("elsewhere/spider")
    );
    let spec = resolve(&text, &[]).unwrap();
    assert_eq!(spec.data[&DatasetKind::Spider], Path::new("here/spider"));
}

#[test]
fn made_up_data_is_its_own_root() {
    let text = format!("{SMALL}synth: {{out: made/up, train: 9}}\n");
    let env = Env {
        data: Some("elsewhere".into()),
    };
    let spec = load_text(Path::new("x.yaml"), &text, None, &[], &env).unwrap();
    assert_eq!(spec.data[&DatasetKind::Bird], Path::new("made/up/bird"));
    let synth = spec.synth.as_ref().unwrap();
    assert_eq!((synth.seed, synth.train, synth.target), (17, 9, 240));
    assert_eq!(resolve(&spec.to_yaml(), &[]).unwrap(), spec);
    let faults = resolve(&format!("{text}data: here\n"), &[]).unwrap_err();
    assert!(faults.to_string().contains("`synth` says"), "{faults}");
}

#[test]
fn defects_are_one_file_or_several_and_leaks_a_word() {
    let plain = resolve(SMALL, &[]).unwrap();
    assert!(plain.defects.is_empty() && plain.leaks == LeakRule::Report);
    let shown = plain.to_yaml();
    assert!(
        !shown.contains("defects") && !shown.contains("leaks"),
        "{shown}"
    );
    for (sets, defects) in [
        ("defects=a.jsonl", vec!["a.jsonl"]),
        ("defects=[a.jsonl, b/c.jsonl]", vec!["a.jsonl", "b/c.jsonl"]),
    ] {
        let spec = resolve(SMALL, &[sets, "leaks=deny"]).unwrap();
        assert_eq!(spec.leaks, LeakRule::Deny);
        assert_eq!(
            spec.defects,
            defects.iter().map(Path::new).collect::<Vec<_>>()
        );
        assert_eq!(resolve(&spec.to_yaml(), &[]).unwrap(), spec);
    }
    for (set, part) in [
        ("leaks=maybe", "maybe"),
        ("defects=3", "a file, or a list of files"),
    ] {
        let faults = resolve(SMALL, &[set]).unwrap_err().to_string();
        assert!(faults.contains(part), "{faults}");
    }
}

#[test]
fn parts_and_overrides_compose() {
    let (_root, path) = configs();
    let sets = |sets: &[&str]| -> Vec<String> { sets.iter().map(|&s| s.to_owned()).collect() };
    let spec = load(&path, None, &[], &Env::default()).unwrap();
    assert_eq!(spec.name, "first");
    assert_eq!(spec.model.name, "tiny-2.5");
    assert_eq!(spec.train.epochs, Some(2.0));
    assert_eq!(spec.train.lora.unwrap().rank, 4);
    assert_eq!(spec.train_sets["s"].split, "train");

    // Into a part, past a part, another part, a key taken away, a new set, an item of a list.
    let spec = load(
        &path,
        None,
        &sets(&[
            "train.lora.alpha=3",
            "train.epochs=",
            "train.steps=5",
            "train_sets.s.databases=[a, b]",
            "train_sets.s.databases.1=c",
            "targets.u={dataset: spider, split: dev}",
            "targets.t=null",
        ]),
        &Env::default(),
    )
    .unwrap();
    let lora = spec.train.lora.as_ref().unwrap();
    assert_eq!((lora.rank, lora.alpha), (4, 3.0));
    assert_eq!((spec.train.epochs, spec.train.steps), (None, Some(5)));
    assert_eq!(
        spec.train_sets["s"].databases,
        Some(vec!["a".into(), "c".into()])
    );
    assert_eq!(spec.targets.keys().collect::<Vec<_>>(), ["u"]);
    let spec = load(
        &path,
        None,
        &sets(&["train=lora-big", "train.batch_size=2"]),
        &Env::default(),
    );
    let train = spec.unwrap().train;
    assert_eq!((train.lora.unwrap().rank, train.batch_size), (64, 2));
}

#[test]
fn a_fault_in_a_part_shows_the_part() {
    let (root, path) = configs();
    let part = root.path().join("configs/train/lora-small.yaml");
    fs::write(&part, "lora:\n  rnak: 4\n").unwrap();
    let error = load(&path, None, &["model=tiny".to_owned()], &Env::default()).unwrap_err();
    let text = error
        .to_string()
        .replace(root.path().to_str().unwrap(), "ROOT");
    assert_eq!(
        text,
        "--set model=tiny: model: there is no part `tiny` in ROOT/configs/model\n  \
         help: there are: tiny-2.5\n\
         ROOT/configs/train/lora-small.yaml:2:3: train.lora.rnak: unknown key `rnak`\n  \
         2 |   rnak: 4\n    \
         |   ^\n  \
         help: did you mean `rank`?"
    );
    let missing = root.path().join("configs/experiment/frist.yaml");
    let text = load(&missing, None, &[], &Env::default())
        .unwrap_err()
        .to_string();
    assert!(text.contains("help: did you mean `first`?"), "{text}");
}

#[test]
fn every_fault_is_told_at_once() {
    check(
        "\
name: x/y
sead: 3
model: {name: m, source: [a]}
train:
  lora: {rnak: 8, targets: [q_prj, v_proj]}
  learning_rate: fast
  epochs: 1
  steps: 0
train_sets:
  base: {dataset: spider, split: trian}
targets:
  t: {datset: bird, split: dev, limit: 0}
  u: {split: dev}
generate: {max_new_tokens: -1}
eval: {metrics: [bird_ex, bird_ex]}
",
        &[],
        "\
x.yaml:1:7: name: `x/y` cannot be the name of a folder: use letters, digits, `-`, `_` and `.`
  1 | name: x/y
    |       ^
x.yaml:2:1: sead: unknown key `sead`
  2 | sead: 3
    | ^
  help: did you mean `seed`?
x.yaml:5:10: train.lora.rnak: unknown key `rnak`
  5 |   lora: {rnak: 8, targets: [q_prj, v_proj]}
    |          ^
  help: did you mean `rank`?
x.yaml:5:29: train.lora.targets.0: unknown value `q_prj`
  5 |   lora: {rnak: 8, targets: [q_prj, v_proj]}
    |                             ^
  help: did you mean `q_proj`?
x.yaml:6:18: train.learning_rate: expected a number, found the text \"fast\"
  6 |   learning_rate: fast
    |                  ^
x.yaml:8:10: train.steps: `epochs` and `steps` both say how long to train; give one
  8 |   steps: 0
    |          ^
  help: on the command line, `--set train.epochs=` takes `epochs` away
x.yaml:8:10: train.steps: expected 1 or more, found 0
  8 |   steps: 0
    |          ^
x.yaml:10:9: train_sets.base: `base` cannot name a set
  10 |   base: {dataset: spider, split: trian}
     |         ^
  help: use letters, digits, single `-` and `_`; `base` is taken
x.yaml:10:34: train_sets.base.split: spider has no split `trian`
  10 |   base: {dataset: spider, split: trian}
     |                                  ^
  help: did you mean `train`?
x.yaml:12:7: targets.t.datset: unknown key `datset`
  12 |   t: {datset: bird, split: dev, limit: 0}
     |       ^
  help: did you mean `dataset`?
x.yaml:12:40: targets.t.limit: a limit of 0 leaves nothing; leave the key out to take all
  12 |   t: {datset: bird, split: dev, limit: 0}
     |                                        ^
x.yaml:13:6: targets.u.dataset: the set has no `dataset`
  13 |   u: {split: dev}
     |      ^
x.yaml:14:28: generate.max_new_tokens: expected a whole number of tokens, or `times_longest_trained` with a number, found -1
  14 | generate: {max_new_tokens: -1}
     |                            ^
x.yaml:15:27: eval.metrics.1: `bird_ex` stands twice in the list
  15 | eval: {metrics: [bird_ex, bird_ex]}
     |                           ^
",
    );
}

#[test]
fn values_of_the_wrong_type() {
    check(
        "model: 3\nseed: -1\nprompt: {chat: yes, format: dll}\ntargets: []\n",
        &[],
        "\
x.yaml:1:8: model: expected a mapping, found 3
  1 | model: 3
    |        ^
x.yaml:2:7: seed: expected a whole number, 0 or more, found -1
  2 | seed: -1
    |       ^
x.yaml:3:16: prompt.chat: expected true or false, found the text \"yes\"
  3 | prompt: {chat: yes, format: dll}
    |                ^
x.yaml:3:29: prompt.format: unknown value `dll`
  3 | prompt: {chat: yes, format: dll}
    |                             ^
  help: did you mean `ddl`?
x.yaml:4:10: targets: expected a mapping, found a list
  4 | targets: []
    |          ^
",
    );
}

#[test]
fn prompts_that_can_not_be_made() {
    let small = "\
model: {name: tiny, source: [{local: x}]}
train_sets: {spider-train: {dataset: spider, split: train}}
";
    let text = format!(
        "{small}\
prompt:
  sample_rows: 0
  values: 0
  sample_values: 2
  max_schema_tables: 0
  few_shot: {{k: 0, from: spider-trian}}
"
    );
    check(
        &text,
        &[],
        "\
x.yaml:4:16: prompt.sample_rows: expected 1 or more, found 0; leave the key out to show none
  4 |   sample_rows: 0
    |                ^
x.yaml:5:11: prompt.values: expected 1 or more, found 0; leave the key out to show none
  5 |   values: 0
    |           ^
x.yaml:6:18: prompt.sample_values: only the format `m_schema` shows values by column; use `sample_rows`
  6 |   sample_values: 2
    |                  ^
x.yaml:7:22: prompt.max_schema_tables: expected 1 or more, found 0; leave the key out to show all
  7 |   max_schema_tables: 0
    |                      ^
x.yaml:8:17: prompt.few_shot.k: expected 1 or more, found 0; leave `few_shot` out to show none
  8 |   few_shot: {k: 0, from: spider-trian}
    |                 ^
x.yaml:8:26: prompt.few_shot.from: there is no training set `spider-trian`
  8 |   few_shot: {k: 0, from: spider-trian}
    |                          ^
  help: did you mean `spider-train`?
",
    );
    let text = format!("{small}prompt:\n  format: m_schema\n  sample_rows: 1\n  few_shot: {{}}\n");
    check(
        &text,
        &[],
        "\
x.yaml:5:16: prompt.sample_rows: the format `m_schema` shows values by column, not rows; use `sample_values`
  5 |   sample_rows: 1
    |                ^
x.yaml:6:13: prompt.few_shot.k: `few_shot` does not say how many: it has no `k`
  6 |   few_shot: {}
    |             ^
x.yaml:6:13: prompt.few_shot.from: `few_shot` does not say which training set it takes examples from
  6 |   few_shot: {}
    |             ^
",
    );
}

#[test]
fn overrides_that_lead_nowhere() {
    check(
        SMALL,
        &[
            "trian.lora.rank=8",
            "targets.dev-c.limit=3",
            "targets.dev-b.databases.7=x",
            "seed.deep=1",
            "nothing",
            "a..b=1",
            "seed=[1",
            "train.lora.rank=abc",
        ],
        "\
--set trian.lora.rank=8: trian: unknown key `trian`
  help: did you mean `train`?
--set targets.dev-c.limit=3: targets.dev-c: there is no `dev-c`
  help: did you mean `dev-a`?
--set targets.dev-b.databases.7=x: targets.dev-b.databases: the list has 1 items, so there is none at 7 (the first is 0)
--set seed.deep=1: seed: expected a whole number, 0 or more, found a mapping
--set nothing: expected `path.to.key=value`
  help: for example `--set train.learning_rate=1e-4`
--set a..b=1: expected `path.to.key=value`
  help: for example `--set train.learning_rate=1e-4`
--set seed=[1: unclosed bracket '['
--set train.lora.rank=abc: train.lora.rank: expected a whole number, 0 or more, found the text \"abc\"
",
    );
}

#[test]
fn what_is_no_mapping() {
    check("", &[], "x.yaml:1:1: the file is empty\n");
    check(
        "- a\n",
        &[],
        "x.yaml:1:1: expected a mapping of keys, found a list\n  1 | - a\n    | ^",
    );
    check(
        "model: tiny\ntargets: {t: {dataset: spider, split: dev}}\n",
        &[],
        "\
x.yaml:1:8: model: `tiny` names a part, but no folder above the file is called `configs`
  1 | model: tiny
    |        ^
  help: move the file below a `configs` folder, or write `model` out",
    );
    check(
        "seed: 1\nseed: 2\nmodel: {name: 3, source: [a]}\n",
        &[],
        "\
x.yaml:1:1: targets: there is nothing to do: neither `train_sets` nor `targets` is given
  1 | seed: 1
    | ^
x.yaml:2:1: key `seed` stands twice; it was first given on line 1
  2 | seed: 2
    | ^
x.yaml:3:15: model.name: expected text, found 3
  3 | model: {name: 3, source: [a]}
    |               ^
  help: put it in quotes",
    );
    check(
        "model: {name: m}\n",
        &[],
        "\
x.yaml:1:1: targets: there is nothing to do: neither `train_sets` nor `targets` is given
  1 | model: {name: m}
    | ^
x.yaml:1:8: model.source: the model has no source, so its weights cannot be found
  1 | model: {name: m}
    |        ^",
    );
}

#[test]
fn what_is_not_yaml() {
    check(
        "a: 1\nmodel: [\n",
        &[],
        "x.yaml:2:8: unclosed bracket '['\n  2 | model: [\n    |        ^",
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), set in any::<String>()) {
        let _ = resolve(&text, &[&set]);
    }

    #[test]
    fn text_like_yaml_never_panics(
        text in "((model|train|targets|t|lora|data|eval|[a-z]):|  |- |\\{|\\}|\\[|\\]|,|: |\n|\n  |&a |\\*a|<<: |\"|'|[0-9.e-]{1,4}|~|!!int |spider|\\||>){0,40}",
        set in "(train|targets|model|[a-z]|\\.|=|0|\\[){0,8}",
    ) {
        let _ = resolve(&text, &[&set]);
        let _ = resolve(&format!("{SMALL}{text}"), &[&set]);
    }
}

#[test]
fn later_keys_of_training_leave_earlier_results_as_they_are() {
    let plain = resolve(SMALL, &[]).unwrap();
    let shown = serde_json::to_value(&plain.train).unwrap();
    for key in [
        "decay_ratio",
        "length_bucketing",
        "dev_measure",
        "early_stop",
        "select",
        "keep_checkpoints",
    ] {
        assert!(shown.get(key).is_none(), "{key}");
    }
    assert!(shown["lora"].get("plus_ratio").is_none());

    // The defaults written out are the defaults.
    let same = [
        "train.length_bucketing=false",
        "train.dev_measure=loss",
        "train.select=last",
        "train.keep_checkpoints=1",
        "train.lora.plus_ratio=1",
    ];
    assert_eq!(resolve(SMALL, &same).unwrap(), plain);

    let all = [
        "train.schedule=wsd",
        "train.decay_ratio=0.2",
        "train.length_bucketing=true",
        "train.dev_examples=4",
        "train.dev_every=2",
        "train.dev_measure=ex",
        "train.early_stop={patience: 3, min_delta: 0.01}",
        "train.select=best",
        "train.keep_checkpoints=2",
        "train.lora.plus_ratio=16",
    ];
    let spec = resolve(SMALL, &all).unwrap();
    let train = &spec.train;
    assert_eq!(train.schedule, Schedule::Wsd);
    assert_eq!(train.decay_ratio, Some(0.2));
    assert!(train.length_bucketing);
    assert_eq!(train.dev_measure, DevMeasure::Ex);
    assert_eq!(train.select, Select::Best);
    let stop = train.early_stop.unwrap();
    assert_eq!((stop.patience, stop.min_delta), (3, 0.01));
    assert_eq!(train.keep_checkpoints, 2);
    let ratio = train.lora.as_ref().unwrap().plus_ratio;
    assert!((ratio - 16.0).abs() < f64::EPSILON, "{ratio}");
    assert_eq!(resolve(&spec.to_yaml(), &[]).unwrap(), spec);
    assert_eq!(
        resolve(SMALL, &["train.schedule=wsd"])
            .unwrap()
            .train
            .decay_ratio,
        Some(0.1)
    );
}

#[test]
fn faults_of_the_later_keys_of_training() {
    for (sets, expected) in [
        (&["train.decay_ratio=0.2"][..], "only `schedule: wsd`"),
        (
            &["train.schedule=wsd", "train.decay_ratio=2"],
            "from 0 to 1, found 2",
        ),
        (
            &["train.select=best"],
            "`dev_examples` and `dev_every` have to be",
        ),
        (
            &["train.dev_measure=ex", "train.dev_examples=3"],
            "there is nothing to go by",
        ),
        (
            &[
                "train.dev_examples=3",
                "train.dev_every=1",
                "train.early_stop={}",
            ],
            "`patience` is missing",
        ),
        (
            &[
                "train.dev_examples=3",
                "train.dev_every=1",
                "train.early_stop={patience: 0}",
            ],
            "expected 1 or more, found 0",
        ),
        (&["train.keep_checkpoints=0"], "expected 1 or more, found 0"),
        (&["train.lora.plus_ratio=0"], "above 0, found 0"),
        (&["train.lora.plus_ration=2"], "plus_ratio"),
        (&["train.selct=best"], "select"),
    ] {
        let found = resolve(SMALL, sets).unwrap_err().to_string();
        assert!(found.contains(expected), "{sets:?}:\n{found}");
    }
}

fn with_generate(generate: &str) -> String {
    format!(
        "\
model: {{name: m, source: [a]}}
train_sets: {{s: {{dataset: spider, split: train}}}}
targets: {{t: {{dataset: spider, split: dev}}}}
generate: {{{generate}}}
"
    )
}

#[test]
fn how_answers_are_drawn_is_kept_only_where_it_is() {
    let load = |generate: &str| {
        load_text(
            Path::new("x.yaml"),
            &with_generate(generate),
            None,
            &[],
            &Env::default(),
        )
        .unwrap()
    };
    let plain = load("");
    assert_eq!(plain, load("temperature: 0, top_p: 1, samples: 1"));
    assert_eq!(
        plain.to_json()["generate"],
        json!({"batch_size": 8, "max_new_tokens": 160, "precision": "f32"})
    );
    let drawn = load(
        "temperature: 0.7, top_k: 50, samples: 5, max_new_tokens: {times_longest_trained: 1.5}",
    );
    assert_eq!(
        drawn.to_json()["generate"],
        json!({
            "batch_size": 8, "max_new_tokens": {"times_longest_trained": 1.5}, "precision": "f32",
            "temperature": 0.7, "top_k": 50, "samples": 5, "seed": 17,
        })
    );
    assert_eq!((plain.generate.samples(), drawn.generate.samples()), (1, 5));
    let again = load_text(
        Path::new("x.yaml"),
        &drawn.to_yaml(),
        None,
        &[],
        &Env::default(),
    );
    assert_eq!(again.unwrap(), drawn);
}

#[test]
fn what_cannot_be_drawn_is_told() {
    for (generate, key, what) in [
        ("samples: 3", "generate.samples", "without a temperature"),
        ("top_k: 3", "generate.top_k", "without a temperature"),
        ("top_p: 0.5", "generate.top_p", "without a temperature"),
        ("seed: 5", "generate.seed", "without a temperature"),
        ("cache_mib: 0", "generate.cache_mib", "expected 1 or more"),
        ("base: nf4", "generate.base", "for training"),
        ("temperature: -1", "generate.temperature", "of 0 or more"),
        (
            "temperature: 1, top_p: 0",
            "generate.top_p",
            "above 0 and at most 1",
        ),
        (
            "temperature: 1, top_p: 1.5",
            "generate.top_p",
            "above 0 and at most 1",
        ),
        (
            "temperature: 1, top_k: 0",
            "generate.top_k",
            "expected 1 or more",
        ),
        (
            "temperature: 1, samples: 0",
            "generate.samples",
            "expected 1 or more",
        ),
        (
            "max_new_tokens: 0",
            "generate.max_new_tokens",
            "expected 1 or more",
        ),
        (
            "max_new_tokens: {times_longest: 2}",
            "generate.max_new_tokens.times_longest",
            "times_longest_trained",
        ),
        (
            "max_new_tokens: {times_longest_trained: 0.5}",
            "generate.max_new_tokens.times_longest_trained",
            "of 1 or more",
        ),
    ] {
        let text = with_generate(generate);
        let error = load_text(Path::new("x.yaml"), &text, None, &[], &Env::default()).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains(key) && said.contains(what),
            "{generate}: {said}"
        );
    }
    let text = "model: {name: m, source: [a]}\ntargets: {t: {dataset: spider, split: dev}}\n\
                generate: {max_new_tokens: {times_longest_trained: 2}}\n";
    let error = load_text(Path::new("x.yaml"), text, None, &[], &Env::default()).unwrap_err();
    assert!(error.to_string().contains("no training sets"), "{error}");
}
