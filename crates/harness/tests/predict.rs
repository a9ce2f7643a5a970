//! `harness predict` into a folder: the same bytes whatever happens to the process, several answers and their vote.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod support;
use support::{Lab, assert_same};

const KILLS: usize = 12;
const QUESTIONS: usize = 60;

/// The experiment with more questions and longer answers, so that there is time to be killed in.
fn long_lab() -> Lab {
    let lab = Lab::new();
    lab.variant(
        "long.yaml",
        "generate: {batch_size: 3, max_new_tokens: 12}",
        "generate: {batch_size: 3, max_new_tokens: 120}",
    );
    let rows: Vec<_> = (0..QUESTIONS)
        .map(|number| {
            serde_json::json!({
                "id": format!("shop-{number}"), "db_id": "shop", "db": "shop.sqlite",
                "question": format!("What is b in the list of number {number}?"), "sql": "SELECT b FROM t",
            })
        })
        .collect();
    lab.write_rows("shop", &rows);
    lab
}

fn start(lab: &Lab, out: &str) -> Child {
    let mut command = lab.command();
    command
        .args(["predict", "--config", "long.yaml", "--target", "shop"])
        .args(["--out", out])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What has to be the same at every run.
fn left(lab: &Lab, out: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = lab.tree(out);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["manifest.json", "predictions.jsonl", "timing.jsonl"]
    );
    files.remove("timing.jsonl");
    assert_eq!(lab.rows(&format!("{out}/timing.jsonl")).len(), QUESTIONS);
    files
}

fn said(child: Child) -> (std::process::ExitStatus, String) {
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn killed_at_a_dozen_moments_it_leaves_the_same_bytes() {
    let lab = long_lab();
    let begin = Instant::now();
    let (status, text) = said(start(&lab, "whole"));
    let whole_time = begin.elapsed();
    assert!(status.success(), "{text}");
    let expected = left(&lab, "whole");

    let mut random = ChaCha8Rng::seed_from_u64(4);
    let (mut kills, mut round, mut resumed) = (0, 0, 0);
    while kills < KILLS {
        // A run that reaches its end before enough kills is compared and begun anew.
        let out = format!("killed-{round}");
        round += 1;
        loop {
            let mut child = start(&lab, &out);
            let until = Instant::now() + whole_time.mul_f64(random.random_range(0.1..0.8));
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if kills < KILLS && child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
            }
            let (status, text) = said(child);
            resumed += usize::from(text.contains("answers to shop are there already"));
            if status.success() {
                break;
            }
            assert_eq!(status.code(), None, "{text}");
            kills += 1;
        }
        // Every question was answered once: what was there was not asked again.
        let rows = lab.rows(&format!("{out}/predictions.jsonl"));
        let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!((rows.len(), ids.len()), (QUESTIONS, QUESTIONS));
        assert_same(&left(&lab, &out), &expected);
    }
    assert!(resumed > 0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_after_the_step_and_the_same_command_goes_on() {
    let lab = long_lab();
    let mut child = start(&lab, "stopped");
    let partial = lab.path("stopped/.work/predictions.partial.jsonl");
    let lines = || std::fs::read_to_string(&partial).map_or(0, |text| text.lines().count());
    while lines() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let (status, text) = said(child);
    assert_eq!(status.code(), Some(130), "{text}");
    let done = lines();
    assert!((2..QUESTIONS).contains(&done));
    let expected = format!("stopped after {done} of {QUESTIONS} answers, which are kept; to go on");
    assert!(text.contains(&expected), "{text}");
    assert!(
        text.contains("predict --config long.yaml --target shop --out stopped"),
        "{text}"
    );
    assert!(!text.contains("error:"), "{text}");

    let (status, text) = said(start(&lab, "stopped"));
    assert!(status.success(), "{text}");
    let expected = format!("{done} of {QUESTIONS} answers to shop are there already");
    assert!(text.contains(&expected), "{text}");
    let (status, text) = said(start(&lab, "whole"));
    assert!(status.success(), "{text}");
    assert_same(&left(&lab, "stopped"), &left(&lab, "whole"));
}

#[test]
fn it_says_where_and_what_next_and_does_nothing_twice() {
    let lab = Lab::new();
    let line = "predict --config tiny.yaml --target shop --out answers";
    let output = lab.harness(line).output().unwrap();
    let text = support::succeeded(line, &output);
    let next = "harness eval answers/predictions.jsonl --dataset jsonl --split shop --root data";
    assert_eq!(
        text,
        format!("answers/predictions.jsonl\nto score them: {next}\n")
    );
    let error = String::from_utf8(output.stderr).unwrap();
    let manifest = lab.json("answers/manifest.json");
    let cut = manifest["notes"]["cut"].as_u64().unwrap();
    assert_eq!(manifest["notes"]["max_new_tokens"], 12);
    assert_eq!(
        cut > 0,
        error.contains("answers were cut after 12 tokens"),
        "{error}"
    );
    let first = lab.tree("answers");
    // What is left where it was killed while it cleared up.
    std::fs::create_dir(lab.path("answers/.work")).unwrap();
    lab.write("answers/.work/timing.jsonl", "");
    let again = lab.succeed(&format!("{line} --json"));
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(
        (&again["manifest"], again["next"].as_str()),
        (&manifest, Some(next))
    );
    assert_same(&first, &lab.tree("answers"));
    // The line works as it stands.
    lab.succeed(next.strip_prefix("harness ").unwrap());
    // The stage of the experiment has the same rows.
    lab.succeed("predict --config tiny.yaml");
    assert_eq!(
        first["predictions.jsonl"],
        lab.tree("results/predict/base--shop")["predictions.jsonl"]
    );

    let error = lab.fail(&format!("{line} --set generate.max_new_tokens=5"));
    assert!(error.contains("made by something else"), "{error}");
    let error = lab.fail("predict --config tiny.yaml --out other");
    assert!(
        error.contains("2 targets; choose one with --target"),
        "{error}"
    );
    let error = lab.fail("predict --config tiny.yaml --target shup --out other");
    assert!(error.contains("there are: mixed, shop"), "{error}");
    let error = lab.fail("predict --config tiny.yaml --target shop");
    assert!(error.contains("--out"), "{error}");
}

#[test]
fn several_answers_are_drawn_and_the_vote_is_among_them() {
    let lab = Lab::new();
    let sets = "--set generate.temperature=0.8 --set generate.samples=5 --set generate.top_p=0.95";
    let line = |out: &str, more: &str| {
        format!("predict --config tiny.yaml --target mixed --out {out} {sets} {more}")
    };
    lab.succeed(&line("one", ""));
    let rows = lab.rows("one/predictions.jsonl");
    let samples = lab.rows("one/samples.jsonl");
    assert_eq!((rows.len(), samples.len()), (6, 30));
    assert_eq!(lab.rows("one/timing.jsonl").len(), 30);
    for (question, row) in rows.iter().enumerate() {
        let own = &samples[5 * question..5 * question + 5];
        for (number, sample) in own.iter().enumerate() {
            assert_eq!(
                (&sample["id"], sample["sample"].as_u64()),
                (&row["id"], Some(number as u64))
            );
            assert!(sample["votes"].is_null());
        }
        let mut winner = own[row["sample"].as_u64().unwrap() as usize].clone();
        winner["votes"] = row["votes"].clone();
        assert_eq!(&winner, row);
        assert!(row["votes"].as_u64().unwrap() <= 5);
    }
    // Neither the batch nor the order changes a byte; another seed does.
    lab.succeed(&line("two", "--set generate.batch_size=7"));
    lab.succeed(&line("three", "--set generate.seed=5"));
    let bytes = |out: &str| lab.tree(out)["samples.jsonl"].clone();
    assert_eq!(bytes("one"), bytes("two"));
    assert_eq!(
        lab.tree("one")["predictions.jsonl"],
        lab.tree("two")["predictions.jsonl"]
    );
    assert_ne!(bytes("one"), bytes("three"));
}

#[test]
fn the_longest_answer_follows_from_what_is_trained_on() {
    let lab = Lab::new();
    for (name, times) in [("one.yaml", "1"), ("more.yaml", "1.5")] {
        let rule = format!("max_new_tokens: {{times_longest_trained: {times}}}");
        lab.variant(name, "max_new_tokens: 12", &rule);
    }
    lab.succeed("predict --config one.yaml --target shop --out a");
    let longest = |out: &str| {
        let manifest = lab.json(&format!("{out}/manifest.json"));
        manifest["notes"]["max_new_tokens"].as_u64().unwrap()
    };
    let once = longest("a");
    lab.succeed("predict --config more.yaml --target shop --out b");
    assert_eq!(longest("b"), (once * 3).div_ceil(2));
    assert!(once > 4);
    let rows = lab.rows("a/predictions.jsonl");
    let most = rows
        .iter()
        .map(|row| row["completion_tokens"].as_u64().unwrap())
        .max();
    assert!(most.unwrap() <= once);
}

#[test]
fn answers_of_an_adapter_that_run_are_voted_on() {
    let lab = Lab::new();
    lab.succeed("train --config tiny.yaml --train-set plain --out adapter --set train.steps=120");
    let line = |out: &str, more: &str| {
        format!(
            "predict --config tiny.yaml --target shop --adapter adapter --out {out} --set generate.temperature=0.5 \
             --set generate.samples=5 --set generate.max_new_tokens=40 {more}"
        )
    };
    lab.succeed(&line("one", ""));
    assert!(lab.json("one/manifest.json")["made_by"]["adapter_sha256"].is_string());
    let rows = lab.rows("one/predictions.jsonl");
    let votes: Vec<u64> = rows
        .iter()
        .map(|row| row["votes"].as_u64().unwrap())
        .collect();
    assert!(votes.iter().any(|&count| count >= 2), "{votes:?}");
    lab.succeed(&line("two", "--set eval.workers=1"));
    assert_eq!(
        lab.tree("one")["predictions.jsonl"],
        lab.tree("two")["predictions.jsonl"]
    );
}
