//! The rules of the house that a compiler does not check, as text checks over the working tree.
//!
//! Each test gathers every breach, with file and line, before it fails. The reasons are in `CONTRIBUTING.md`, the
//! arrows between the crates in the table of `ARCHITECTURE.md`, which is read here: the table cannot go stale.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the working tree.
struct Text {
    /// Path from the root, with `/`.
    path: String,
    content: String,
}

impl Text {
    fn is_a(&self, extension: &str) -> bool {
        let found = Path::new(&self.path).extension();
        found.is_some_and(|found| found == extension)
    }

    /// The crate's folder name, for files below `crates/NAME`.
    fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.content.lines())
    }

    /// The lines that end up in a library or program: no comments, and no tests, benches or examples.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let inside: Vec<&str> = self.path.split('/').skip(2).collect();
        let ships = self.is_a("rs")
            && inside.first() == Some(&"src")
            && inside.last() != Some(&"tests.rs")
            && !inside.contains(&"tests");
        self.lines()
            .take_while(move |(_, line)| ships && !line.starts_with("#[cfg(test)]"))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace has a root")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text files below a folder of the root, sorted; what builds and runs leave behind is left out.
fn texts(below: &str) -> Vec<Text> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a folder can be listed").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let skipped = ["target", ".git", ".cache", "runs", "__pycache__"];
            if path.is_symlink() || skipped.contains(&&*name) {
                continue;
            }
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let root = root();
    let mut files = Vec::new();
    walk(&root.join(below), &mut files);
    files.sort();
    let text = |file: PathBuf| {
        let path = file.strip_prefix(&root).ok()?.to_str()?.replace('\\', "/");
        // What is not UTF-8 is not text.
        let content = fs::read_to_string(&file).ok()?;
        Some(Text { path, content })
    };
    files.into_iter().filter_map(text).collect()
}

/// Crate folder → text of its manifest.
fn manifests() -> BTreeMap<String, String> {
    let manifest = |text: Text| {
        let name = text.path.strip_prefix("crates/")?;
        let name = name.strip_suffix("/Cargo.toml")?.to_owned();
        Some((name, text.content))
    };
    texts("crates").into_iter().filter_map(manifest).collect()
}

/// The names under `[dependencies]` of a manifest. Those for tests only are another matter.
fn dependencies(manifest: &str) -> BTreeSet<&str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', '#']).next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The places, as `FILE:LINE: WORD`, where one of `words` stands in one of `lines`.
fn places<'a>(
    text: &Text,
    lines: impl Iterator<Item = (usize, &'a str)>,
    words: &[&str],
) -> Vec<String> {
    let mut places = Vec::new();
    for (number, line) in lines {
        for word in words.iter().filter(|word| line.contains(**word)) {
            places.push(format!("{}:{number}: {word}", text.path));
        }
    }
    places
}

/// The places of `words` in what crates ship, but for the crates in `rooms`.
fn shipped_outside(rooms: &[&str], words: &[&str]) -> Vec<String> {
    texts("crates")
        .iter()
        .filter(|text| text.crate_name().is_some_and(|name| !rooms.contains(&name)))
        .flat_map(|text| places(text, text.shipped(), words))
        .collect()
}

/// Fails with the rule and all breaches of it, one a line.
#[track_caller]
fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}\n", breaches.join("\n  "));
}

#[test]
fn arrows_are_those_of_the_architecture() {
    let architecture = read("ARCHITECTURE.md");
    // Rows `| NAME | what it is | what it must not know | arrows |`, the name in backquotes.
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, _, arrows, _] = cells[..] else {
            return None;
        };
        let name = name.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let arrows = arrows
            .split([',', ' '])
            .filter(|it| !matches!(*it, "" | "–"));
        Some((name, arrows.map(str::to_owned).collect()))
    };
    let drawn: BTreeMap<String, BTreeSet<String>> = architecture.lines().filter_map(row).collect();

    let mut built: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, manifest) in manifests() {
        let ours = dependencies(&manifest)
            .into_iter()
            .filter_map(|dependency| dependency.strip_prefix("harness-"));
        built.insert(name, ours.map(str::to_owned).collect());
    }

    let names: BTreeSet<&String> = drawn.keys().chain(built.keys()).collect();
    let breach = |name: &&String| {
        let show = |arrows: Option<&BTreeSet<String>>| match arrows {
            Some(arrows) => format!("{arrows:?}"),
            None => "no such crate".to_owned(),
        };
        let (built, drawn) = (built.get(*name), drawn.get(*name));
        (built != drawn).then(|| {
            let (built, drawn) = (show(built), show(drawn));
            format!("crates/{name}/Cargo.toml: {built}, but ARCHITECTURE.md: {drawn}")
        })
    };
    let breaches: Vec<String> = names.iter().filter_map(breach).collect();
    none(
        "a crate's arrows are a decision: change the table with its reason, or the crate",
        &breaches,
    );
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 7] = [
        ("candle-", &["model", "train"]),
        ("rusqlite", &["data", "eval", "synth"]),
        ("sqlparser", &["sql"]),
        ("tokenizers", &["model"]),
        ("hf-hub", &["model"]),
        ("clap", &["harness"]),
        ("anyhow", &["harness"]),
    ];
    let mut breaches = Vec::new();
    for (name, manifest) in manifests() {
        for dependency in dependencies(&manifest) {
            let room = rooms
                .iter()
                .find(|(start, _)| dependency.starts_with(start));
            if room.is_some_and(|(_, crates)| !crates.contains(&name.as_str())) {
                breaches.push(format!("crates/{name}/Cargo.toml: {dependency}"));
            }
        }
    }
    none("this dependency has its room elsewhere", &breaches);
}

#[test]
fn files_are_short_enough_to_read() {
    const LONGEST: usize = 800;
    let mut breaches = Vec::new();
    for text in [".ci", "configs", "crates", "scripts"]
        .into_iter()
        .flat_map(texts)
    {
        let lines = text.content.lines().count();
        if lines > LONGEST {
            breaches.push(format!("{}:{lines}: over {LONGEST} lines", text.path));
        }
    }
    none("split the file: one idea each", &breaches);
}

#[test]
fn nothing_is_left_undone() {
    // Joined here, so that this file does not find itself.
    let words = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[", "ignore"),
    ];
    let breaches: Vec<String> = texts("crates")
        .iter()
        .filter(|text| text.is_a("rs"))
        .flat_map(|text| places(text, text.lines(), &words))
        .collect();
    none("finish it, or say in an issue what is missing", &breaches);
}

#[test]
fn nothing_tells_where_it_was_made() {
    let words = [
        concat!("/", "home/"),
        concat!("/", "root/"),
        concat!("/", "Users/"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("crates", ".io"),
        concat!("npmjs", ".org"),
    ];
    let breaches: Vec<String> = texts("")
        .iter()
        // Cargo's lock names the registry of every package.
        .filter(|text| text.path != "Cargo.lock")
        .flat_map(|text| places(text, text.lines(), &words))
        .collect();
    none("no home folders and no hosts of registries", &breaches);
}

#[test]
fn only_the_binary_prints() {
    let breaches = shipped_outside(&["harness"], &["println!(", "print!("]);
    none("libraries return values and errors", &breaches);
}

#[test]
fn only_eval_data_and_synth_open_databases() {
    // `synth` opens none but those it has just made.
    let breaches = shipped_outside(&["data", "eval", "synth"], &["Connection::open"]);
    none("databases are opened by eval, data and synth", &breaches);
    let breaches = shipped_outside(&[], &["OPEN_READ_WRITE", "OPEN_CREATE"]);
    none("no database is opened for writing", &breaches);
}

#[test]
fn only_experiment_reads_the_clock() {
    // For metrics of speed, which are said to be timing, one file of `eval` has a clock.
    let stopwatch = "crates/eval/src/exec/stopwatch.rs:";
    let words = ["SystemTime::now", "Instant::now"];
    let mut breaches = shipped_outside(&["experiment", "harness"], &words);
    breaches.retain(|place| !place.starts_with(stopwatch));
    none("a result must not depend on the time", &breaches);
}

#[test]
fn randomness_has_a_seed() {
    let words = [
        "thread_rng",
        "rand::rng()",
        "rand::random",
        "from_os_rng",
        "from_entropy",
        "OsRng",
    ];
    let breaches = shipped_outside(&[], &words);
    none(
        "random numbers come from a seed that is passed in",
        &breaches,
    );
}

#[test]
fn unsafe_code_is_in_one_crate() {
    let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait"];
    let breaches = shipped_outside(&["kernel"], &words);
    none("unsafe code belongs in crates/kernel", &breaches);
}

#[test]
fn every_file_says_what_it_is() {
    let mut breaches = Vec::new();
    for text in texts("crates").iter().filter(|text| text.is_a("rs")) {
        // A file of unit tests tests the file whose name it bears.
        if !text.path.ends_with("/tests.rs") && !text.content.starts_with("//!") {
            breaches.push(format!("{}:1: no module documentation", text.path));
        }
    }
    for text in texts("configs").iter().filter(|text| text.is_a("yaml")) {
        if !text.content.starts_with("# ") {
            breaches.push(format!("{}:1: no comment on what it is for", text.path));
        }
    }
    none("begin with what the file is", &breaches);
}

#[test]
fn readme_and_ci_have_the_same_test_command() {
    let ci = read(".ci/run");
    let command = ci
        .lines()
        .find_map(|line| line.strip_prefix("TEST_COMMAND=\"")?.strip_suffix('"'))
        .expect(".ci/run has a line TEST_COMMAND=\"…\"");
    assert!(
        read("README.md").lines().any(|line| line == command),
        "README.md has no line `{command}`, which is what .ci/run runs"
    );
    assert!(
        ci.lines()
            .any(|line| line.starts_with("step test $TEST_COMMAND")),
        ".ci/run does not run its TEST_COMMAND"
    );
}
