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

#[test]
fn all_candidates_are_listed_when_none_works() {
    let source = ModelSource {
        candidates: vec![
            Candidate::Local("/no/a".into()),
            Candidate::Local("/no/b".into()),
        ],
    };
    let text = resolve(&source, Path::new("/no/cache"), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "no source of the model works:\n  local /no/a: /no/a: no such file or folder\n  local /no/b: /no/b: no such file or folder"
    );
    let none = ModelSource { candidates: vec![] };
    assert!(matches!(
        resolve(&none, Path::new("/no/cache"), &mut |_| {}).unwrap_err(),
        SourceError::NoCandidates
    ));
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
    for bad in [
        r#"[{"locale": "a.gguf"}]"#,
        r#"[{"hub": {"repo": "a/b", "revison": "c"}}]"#,
        r#"[{"package": {"packages": [], "file": "f", "sha256": "00"}}]"#,
    ] {
        assert!(serde_json::from_str::<ModelSource>(bad).is_err(), "{bad}");
    }
}
