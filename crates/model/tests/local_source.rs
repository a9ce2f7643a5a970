//! Models that are on this machine already: which file of a folder, and what is said of those that can't be used.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

use harness_model::source::{
    Candidate, LocalSource, ModelSource, ResolvedModel, SourceError, files, resolve,
};
use sha2::{Digest, Sha256};

fn find(path: &Path, file: Option<&str>) -> Result<ResolvedModel, SourceError> {
    let source = ModelSource {
        candidates: vec![Candidate::Local(LocalSource {
            path: path.to_owned(),
            file: file.map(str::to_owned),
        })],
    };
    resolve(&source, Path::new("no-cache"), &mut |_| {})
}

#[test]
fn a_folder_stands_for_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A link that leads nowhere is a fault only where it is the model.
    #[cfg(unix)]
    std::os::unix::fs::symlink("gone", at("gone.bin")).unwrap();
    fs::write(at("a.gguf"), "GGUF a").unwrap();
    assert_eq!(find(folder.path(), None).unwrap().path, at("a.gguf"));
    fs::write(at("b.gguf"), "GGUF b").unwrap();
    let chosen = find(folder.path(), Some("b*")).unwrap();
    assert_eq!(chosen.path, at("b.gguf"));
    assert_eq!(chosen.origin, format!("local {}", at("b.gguf").display()));
    assert_eq!(find(&at("a.gguf"), None).unwrap().path, at("a.gguf"));
    // Safetensors in the hub's layout are what a folder is for.
    fs::write(at("model.safetensors"), "weights").unwrap();
    assert_eq!(find(folder.path(), None).unwrap().path, folder.path());
}

#[test]
fn the_files_of_a_model_have_sizes_and_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let index = r#"{"weight_map": {"x": "b.safetensors", "y": "a.safetensors"}}"#;
    for (name, text) in [
        ("config.json", "{}"),
        ("tokenizer.json", "{ }"),
        ("chat_template.jinja", "c"),
        ("optimizer.bin", "not of the model"),
        ("model.safetensors.index.json", index),
        ("a.safetensors", "first"),
        ("b.safetensors", "second"),
        ("q.gguf", "GGUF"),
    ] {
        fs::write(at(name), text).unwrap();
    }
    let found = files(&find(folder.path(), None).unwrap()).unwrap();
    let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "config.json",
            "tokenizer.json",
            "chat_template.jinja",
            "model.safetensors.index.json",
            "a.safetensors",
            "b.safetensors"
        ]
    );
    let last = found.last().unwrap();
    assert_eq!(last.bytes, 6);
    assert_eq!(last.sha256, format!("{:x}", Sha256::digest(b"second")));
    let one = files(&find(folder.path(), Some("*.gguf")).unwrap()).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!((one[0].name.as_str(), one[0].bytes), ("q.gguf", 4));
}

#[test]
fn what_can_not_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["none", "several", "bin"] {
        fs::create_dir(at(name)).unwrap();
    }
    for (name, text) in [
        ("several/b.gguf", "GGUF"),
        ("several/a.gguf", "GGUF"),
        ("bin/pytorch_model.bin", "pickled"),
        ("bin/config.json", "{}"),
        ("empty.gguf", ""),
        ("pointer.safetensors", "version https://git-lfs and so on"),
    ] {
        fs::write(at(name), text).unwrap();
    }
    for (name, file, words) in [
        ("gone", None, "no such file or folder"),
        (
            "none",
            None,
            "there are no weights: expected model.safetensors",
        ),
        ("bin", None, "found config.json, pytorch_model.bin"),
        (
            "several",
            None,
            "several models: a.gguf, b.gguf; choose one with the key `file`",
        ),
        (
            "several",
            Some("c*"),
            "`file: c*` fits nothing; there are a.gguf, b.gguf",
        ),
        ("several", Some("*"), "`file: *` fits a.gguf, b.gguf"),
        ("empty.gguf", None, "is empty; fetch it again"),
        (
            "pointer.safetensors",
            None,
            "run `git lfs pull` in its folder",
        ),
        ("several/a.gguf", Some("*"), "leave `file` out"),
        // A file where a folder should be.
        ("several/a.gguf/b.gguf", None, "several/a.gguf/b.gguf: "),
    ] {
        let text = find(&at(name), file).unwrap_err().to_string();
        assert!(text.contains(words), "{text}\n{words}");
        assert!(text.contains(name.split('/').next().unwrap()), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn what_can_not_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let circle = folder.path().join("circle.gguf");
    // Not even the superuser gets through a link to itself.
    std::os::unix::fs::symlink("circle.gguf", &circle).unwrap();
    for path in [circle.as_path(), folder.path()] {
        let error = find(path, None).unwrap_err();
        assert!(
            matches!(&error, SourceError::Io { path, .. } if *path == circle),
            "{error}"
        );
    }
}

#[test]
fn candidates_are_tried_in_order_and_each_failure_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.gguf");
    fs::write(&model, "GGUF").unwrap();
    let source = |text: &str| serde_json::from_str::<ModelSource>(text).unwrap();
    let cache = Path::new("no-cache");
    let text = format!(r#"[{{"local": "no/a"}}, {{"local": {model:?}}}, {{"local": "no/b"}}]"#);
    assert_eq!(
        resolve(&source(&text), cache, &mut |_| {}).unwrap().path,
        model
    );

    let text = r#"[{"local": "no/a"}, {"hub": {"repo": "../up"}},
        {"package": {"file": "../x", "sha256": "", "bytes": 1, "packages": []}}, {"local": {"path": "no/b", "file": "*"}}]"#;
    let error = resolve(&source(text), cache, &mut |_| {})
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "no source of the model works:");
    assert_eq!(lines[1], "  local no/a: no/a: no such file or folder");
    assert!(lines[2].starts_with("  hub ../up@main: "), "{error}");
    assert!(lines[3].starts_with("  no packages for ../x: "), "{error}");
    assert_eq!(lines[4], "  local no/b: no/b: no such file or folder");
    assert_eq!(lines.len(), 5);

    let error = resolve(&source("[]"), cache, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SourceError::NoCandidates));
}
