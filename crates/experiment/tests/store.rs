//! The results' folder: what is finished is found again and whole, and a crash at any moment loses nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness_experiment::plan::ExternalInputs;
use harness_experiment::spec::{Env, load_text};
use harness_experiment::store::{Finish, Pending, Staleness, pending};
use harness_experiment::{
    Digest, Manifest, Plan, StageDir, StageId, StageKey, StageKind, Status, Store, StoreError,
};
use serde_json::json;

fn key(limit: u32) -> StageKey {
    StageKey::new(
        StageId::new(StageKind::Train, "s"),
        &json!({"limit": limit, "train": {"seed": 5}, "model": {"source": "/secret/place/w.gguf"}}),
        BTreeMap::from([("data/s".to_owned(), Digest::of_bytes(b"s"))]),
    )
}

/// Finishes a stage with a log, a big file that is not kept, and scratch.
fn finish(store: &Store, key: &StageKey, log: &str) -> StageDir {
    let work = store.begin(key).unwrap();
    fs::write(work.path().join("log.jsonl"), log).unwrap();
    fs::create_dir_all(work.path().join("adapter")).unwrap();
    fs::write(work.path().join("adapter/weights.bin"), [0; 100]).unwrap();
    fs::create_dir_all(work.path().join("checkpoint")).unwrap();
    fs::write(work.path().join("checkpoint/state"), "x").unwrap();
    fs::write(work.path().join("rows.partial.jsonl"), "x").unwrap();
    let notes = json!({"steps": 3, "file": "/secret/place/notes"});
    work.finish(Finish {
        external: &["adapter/weights.bin"],
        notes: Some(&notes),
    })
    .unwrap()
}

fn done(status: Status) -> StageDir {
    match status {
        Status::Done(stage) => *stage,
        other => panic!("not done: {other:?}"),
    }
}

fn stale(status: Status) -> String {
    match status {
        Status::Stale(why) => why.to_string(),
        other => panic!("not stale: {other:?}"),
    }
}

#[test]
fn what_is_finished_is_found_again() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    assert!(matches!(store.status(&key(1)).unwrap(), Status::Missing));
    let finished = finish(&store, &key(1), "one\n");
    let found = done(store.status(&key(1)).unwrap());
    assert_eq!(found, finished);
    assert_eq!(
        fs::read_to_string(found.file("log.jsonl").unwrap()).unwrap(),
        "one\n"
    );
    assert!(matches!(
        found.file("nothing"),
        Err(StoreError::NoFile { .. })
    ));

    let manifest = found.manifest();
    let files: Vec<_> = manifest
        .files
        .iter()
        .map(|f| (f.path.as_str(), f.bytes, f.external))
        .collect();
    assert_eq!(
        files,
        [("adapter/weights.bin", 100, true), ("log.jsonl", 4, false)]
    );
    assert_eq!(
        manifest.seeds,
        BTreeMap::from([("train.seed".to_owned(), 5)])
    );
    assert_eq!(
        (manifest.attempts, &manifest.notes["steps"]),
        (1, &json!(3))
    );
    assert_eq!(manifest.digest, key(1).digest());
    let text = fs::read_to_string(found.path().join("manifest.json")).unwrap();
    assert!(
        !text.contains("/secret") && !text.contains(out.path().to_str().unwrap()),
        "{text}"
    );
    let again: Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!(&again, manifest);
    let mut left: Vec<_> = fs::read_dir(out.path().join("train"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["s"]);
}

#[test]
fn an_earlier_result_stays_until_the_next_is_finished() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    finish(&store, &key(1), "one\n");
    assert_eq!(
        stale(store.status(&key(2)).unwrap()),
        "parameters.limit was 1, is now 2"
    );
    let work = store.begin(&key(2)).unwrap();
    fs::write(work.path().join("log.jsonl"), "half").unwrap();
    drop(work);
    done(store.status(&key(1)).unwrap());
    finish(&store, &key(2), "two\n");
    done(store.status(&key(2)).unwrap());
    let latest = store.latest(&key(1).id).unwrap().unwrap();
    assert_eq!(latest.manifest().parameters["limit"], 2);
}

#[test]
fn an_interrupted_stage_goes_on_only_with_its_own_files() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    let work = store.begin(&key(1)).unwrap();
    assert!(!work.resumed());
    fs::write(work.path().join("predictions.partial.jsonl"), "row\n").unwrap();
    drop(work);
    drop(store);
    let store = Store::open(out.path()).unwrap();
    let work = store.begin(&key(1)).unwrap();
    assert!(work.resumed());
    assert_eq!(
        fs::read_to_string(work.path().join("predictions.partial.jsonl")).unwrap(),
        "row\n"
    );
    drop(work);
    let work = store.begin(&key(2)).unwrap();
    assert!(!work.resumed() && !work.path().join("predictions.partial.jsonl").exists());
    drop(work);
    // A mark that was never written whole says nothing, so the files below it are not trusted.
    fs::write(out.path().join("train/.s.partial/key.json"), "{\"dig").unwrap();
    assert!(!store.begin(&key(2)).unwrap().resumed());
    assert_eq!(
        store
            .begin(&key(2))
            .unwrap()
            .finish(Finish::default())
            .unwrap()
            .manifest()
            .attempts,
        2
    );
}

#[test]
fn damage_is_found_and_named() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    let folder = finish(&store, &key(1), "one\n").path().to_owned();
    let check = |damage: &dyn Fn(), expected: &str| {
        damage();
        let why = stale(store.status(&key(1)).unwrap());
        assert!(why.contains(expected), "{why}");
        assert!(store.latest(&key(1).id).is_err());
        finish(&store, &key(1), "one\n");
        done(store.status(&key(1)).unwrap());
    };
    let log = folder.join("log.jsonl");
    let manifest = folder.join("manifest.json");
    check(
        &|| fs::write(&log, "two\n").unwrap(),
        "train/s: log.jsonl is not what was finished: SHA-256",
    );
    check(
        &|| fs::write(&log, "longer\n").unwrap(),
        "7 bytes, expected 4",
    );
    check(&|| fs::remove_file(&log).unwrap(), "it is missing");
    check(
        &|| fs::write(&manifest, "{").unwrap(),
        "is not a manifest: EOF",
    );
    let edited = |from: &str, to: &str| {
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(from));
        fs::write(&manifest, text.replace(from, to)).unwrap();
    };
    check(
        &|| edited("\"limit\": 1", "\"limit\": 2"),
        "its digest is not that of its parameters",
    );
    check(
        &|| edited("log.jsonl", "../../x"),
        "is not a path below the folder",
    );
    check(
        &|| edited("\"format\": 1", "\"format\": 9"),
        "layout 9 is not known",
    );
}

#[test]
fn files_that_are_not_kept_may_be_absent() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    let folder = finish(&store, &key(1), "one\n").path().to_owned();
    fs::remove_file(folder.join("adapter/weights.bin")).unwrap();
    let found = done(store.status(&key(1)).unwrap());
    assert_eq!(found.absent(), ["adapter/weights.bin"]);
    let error = found.file("adapter/weights.bin").unwrap_err();
    assert_eq!(error.hint().unwrap(), "run train/s again on this machine");
    found.file("log.jsonl").unwrap();
}

#[test]
fn a_crash_while_publishing_is_completed_by_the_next_run() {
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join("train").join(name);
    {
        let store = Store::open(out.path()).unwrap();
        finish(&store, &key(1), "one\n");
    }
    // After the manifest was written, before anything was renamed.
    fs::rename(at("s"), at(".s.partial")).unwrap();
    done(Store::open(out.path()).unwrap().status(&key(1)).unwrap());
    // Between the two renames: the earlier result is aside, the next one complete.
    {
        let store = Store::open(out.path()).unwrap();
        fs::rename(at("s"), at("kept")).unwrap();
        finish(&store, &key(2), "two\n");
        fs::rename(at("s"), at(".s.partial")).unwrap();
        fs::rename(at("kept"), at(".s.old")).unwrap();
    }
    done(Store::open(out.path()).unwrap().status(&key(2)).unwrap());
    assert!(!at(".s.old").exists() && !at(".s.partial").exists());
    // The earlier result is aside and there is no next one: it comes back.
    fs::rename(at("s"), at(".s.old")).unwrap();
    done(Store::open(out.path()).unwrap().status(&key(2)).unwrap());
}

#[test]
fn two_runs_on_one_folder_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let first = Store::open(out.path()).unwrap();
    let error = Store::open(out.path()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("(process {})", std::process::id())),
        "{text}"
    );
    assert!(error.hint().is_some());
    // Reading is always possible, writing through a reader never.
    let reader = Store::read(out.path());
    assert!(matches!(reader.status(&key(1)).unwrap(), Status::Missing));
    assert!(matches!(
        reader.begin(&key(1)),
        Err(StoreError::ReadOnlyStore { .. })
    ));
    drop(first);
    // The file of a run that has ended, in whatever way, holds nobody up.
    assert!(out.path().join(".lock").exists());
    Store::open(out.path()).unwrap();
}

#[test]
fn refusals_of_the_system_say_what_to_do() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("results")).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert!(
        error
            .hint()
            .unwrap()
            .contains("a file stands where a folder is needed")
    );
    for (kind, expected) in [
        (
            std::io::ErrorKind::StorageFull,
            "nothing finished was lost: free space and run again",
        ),
        (
            std::io::ErrorKind::ReadOnlyFilesystem,
            "choose another folder with `out`",
        ),
    ] {
        let error = StoreError::Io {
            action: "write",
            path: "r/train/s".into(),
            source: kind.into(),
        };
        assert!(
            error.to_string().starts_with("cannot write r/train/s: "),
            "{error}"
        );
        assert!(error.hint().unwrap().contains(expected));
    }
    // A device that is always full, where the system has one.
    let full = Path::new("/dev/full");
    if full.exists() {
        let source = fs::write(full, "x").unwrap_err();
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    }
    let store = Store::open(out.path()).unwrap();
    let work = store.begin(&key(1)).unwrap();
    fs::create_dir(work.path().join("checkpoint")).unwrap();
    fs::write(work.path().join("checkpoint/state"), "x").unwrap();
    let error = work
        .finish(Finish {
            external: &["absent"],
            notes: None,
        })
        .unwrap_err();
    assert!(matches!(error, StoreError::NoFile { .. }));
    assert!(matches!(store.status(&key(1)).unwrap(), Status::Missing));
    // Whatever kept it from being finished, the work is still there.
    let work = store.begin(&key(1)).unwrap();
    assert!(work.resumed() && work.path().join("checkpoint/state").exists());
}

#[test]
fn only_what_is_needed_is_run_again() {
    let out = tempfile::tempdir().unwrap();
    let store = Store::open(out.path()).unwrap();
    let text = "name: x\nmodel: {name: m, source: [a]}\ntrain_sets: {s: {dataset: spider, split: train}}\n\
                targets: {d: {dataset: spider, split: dev}}\n";
    let plan_of = |set: &str| {
        let spec = load_text(
            Path::new("x.yaml"),
            text,
            None,
            &[set.to_owned()],
            &Env::default(),
        );
        let plan = Plan::new(&spec.unwrap());
        let keys = plan.keys(&ExternalInputs::new());
        (plan, keys)
    };
    let (plan, keys) = plan_of("seed=17");
    assert_eq!(
        pending(&store, &plan, &keys).unwrap().len(),
        plan.stages.len()
    );
    for key in &keys {
        finish(&store, key, "log\n");
    }
    assert!(pending(&store, &plan, &keys).unwrap().is_empty());

    // As on a fresh clone: nothing that is not kept is here, and nothing has to be run for that.
    for key in &keys {
        let folder = out.path().join(key.id.kind.as_str()).join(&key.id.name);
        fs::remove_file(folder.join("adapter/weights.bin")).unwrap();
    }
    assert!(pending(&store, &plan, &keys).unwrap().is_empty());

    // A damaged score needs the predictions it reads, and these the adapter they were made with.
    fs::write(out.path().join("score/s--d/log.jsonl"), "?").unwrap();
    let todo = pending(&store, &plan, &keys).unwrap();
    let names: Vec<String> = todo.keys().map(ToString::to_string).collect();
    assert_eq!(
        names,
        ["data/d", "data/s", "predict/s--d", "score/s--d", "train/s"]
    );
    let of = |kind, name: &str| &todo[&StageId::new(kind, name)];
    assert!(matches!(
        of(StageKind::Score, "s--d"),
        Pending::Stale(Staleness::Damaged(_))
    ));
    assert!(
        matches!(of(StageKind::Train, "s"), Pending::Absent(files) if files == &["adapter/weights.bin"])
    );

    let (plan, keys) = plan_of("align.l_max=3");
    let todo = pending(&store, &plan, &keys).unwrap();
    assert!(
        matches!(&todo[&StageId::new(StageKind::Align, "s--d")], Pending::Stale(Staleness::Differs(d)) if d.path == "parameters.align.l_max")
    );
}
