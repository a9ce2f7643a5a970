//! The hub as a source, against a hub of the test's own on this machine: what is fetched, what is kept, and what is
//! said of every way in which it can fail.
#![cfg(feature = "hub")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod fake_hub;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fake_hub::{COMMIT, FakeHub, Mischief, REPO, Request};
use harness_model::source::{
    Candidate, HubAccess, HubFault, HubSource, LayoutFault, ModelSource, Patience, Progress,
    ResolvedModel, SourceError, Token, resolve_with,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SECRET: &str = "hf_nobodymayseethis";

thread_local! {
    /// What the client would have slept, in seconds.
    static PAUSES: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// A hub, a machine with an empty cache, and how one reaches the other.
struct Lab {
    hub: FakeHub,
    folder: TempDir,
    access: HubAccess,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = FakeHub::new();
        let access = HubAccess {
            endpoint: hub.endpoint(),
            folder: folder.path().join("hub"),
            token: Token::new(SECRET, "HF_TOKEN").unwrap(),
            offline: false,
            patience: Patience {
                pause: |pause| PAUSES.with_borrow_mut(|it| it.push(pause.as_secs_f64())),
                ..Patience::default()
            },
        };
        PAUSES.take();
        Self {
            hub,
            folder,
            access,
        }
    }

    /// With a model of one large file and two small ones.
    fn with_model() -> Self {
        let lab = Self::new();
        lab.put_small("config.json", b"{}");
        lab.put_small("tokenizer.json", b"{\"t\":1}");
        lab.put("model.safetensors", &large(1));
        lab
    }

    /// With a repository of GGUF files.
    fn with_ggufs() -> Self {
        let lab = Self::new();
        lab.put("tiny-q4.gguf", &large(4));
        lab.put("tiny-q8.gguf", &large(8));
        lab
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.hub.put(name, bytes, &sha256(bytes));
    }

    fn put_small(&self, name: &str, bytes: &[u8]) {
        self.hub.put(name, bytes, &sha256(bytes)[..40]);
    }

    fn fetch(&self, source: &HubSource) -> Result<ResolvedModel, SourceError> {
        self.fetch_told(source, &mut |_| {})
    }

    fn fetch_told(
        &self,
        source: &HubSource,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<ResolvedModel, SourceError> {
        let source = ModelSource {
            candidates: vec![Candidate::Hub(source.clone())],
        };
        resolve_with(&source, &self.cache(), &self.access, progress)
    }

    /// The fault of a fetch that fails; its words name the repository and never the token or a signed address.
    #[track_caller]
    fn fault(&self, source: &HubSource) -> (String, HubFault) {
        let error = self.fetch(source).unwrap_err();
        let words = format!("{error} {error:?}");
        assert!(
            !words.contains(SECRET) && !words.contains("s3cret"),
            "{words}"
        );
        let text = error.to_string();
        let SourceError::Hub { fault, .. } = error else {
            panic!("{text}");
        };
        assert!(
            text.starts_with(&format!("hub {}@{}: ", source.repo, source.revision)),
            "{text}"
        );
        (text, *fault)
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("harness")
    }

    fn repo(&self) -> PathBuf {
        self.access.folder.join("models--maker--tiny")
    }

    fn snapshot(&self) -> PathBuf {
        self.repo().join("snapshots").join(COMMIT)
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Content that is long enough to be cut.
fn large(seed: usize) -> Vec<u8> {
    (0..300_000).map(|i| (i * 31 % 251 + seed) as u8).collect()
}

fn tiny() -> HubSource {
    HubSource::of(REPO)
}

fn gguf(pattern: &str) -> HubSource {
    HubSource {
        file: Some(pattern.to_owned()),
        ..tiny()
    }
}

fn asked(requests: &[Request]) -> Vec<String> {
    let one = |request: &Request| format!("{} {}", request.method, request.path);
    requests.iter().map(one).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_is_fetched_once_into_the_cache_that_python_shares() {
    let lab = Lab::with_model();
    lab.put_small("chat_template.jinja", b"{{ messages }}");
    lab.put_small("README.md", b"never fetched");
    let mut events = Vec::new();
    let model = lab
        .fetch_told(&tiny(), &mut |it| events.push(format!("{it:?}")))
        .unwrap();
    assert_eq!(model.path, lab.snapshot());
    assert_eq!(model.origin, format!("hub {REPO}@main (commit {COMMIT})"));
    assert_eq!(
        names(&model.path),
        [
            "chat_template.jinja",
            "config.json",
            "model.safetensors",
            "tokenizer.json"
        ]
    );
    assert_eq!(
        fs::read(model.path.join("model.safetensors")).unwrap(),
        large(1)
    );
    assert!(
        events
            .iter()
            .any(|it| it.contains("done: 300000, total: 300000")),
        "{events:?}"
    );

    // Content by its tag, names as relative links, the branch as a commit.
    assert_eq!(
        fs::read_to_string(lab.repo().join("refs/main")).unwrap(),
        COMMIT
    );
    assert_eq!(
        fs::read_link(model.path.join("model.safetensors")).unwrap(),
        Path::new("../../blobs").join(sha256(&large(1)))
    );
    assert_eq!(names(&lab.repo().join("blobs")).len(), 4);

    lab.hub.requests();
    assert_eq!(lab.fetch(&tiny()).unwrap(), model);
    // By its commit it is the same snapshot.
    let pinned = HubSource {
        revision: COMMIT.to_owned(),
        ..tiny()
    };
    assert_eq!(lab.fetch(&pinned).unwrap().path, model.path);
    assert!(lab.hub.requests().is_empty());
    assert_eq!(names(&lab.repo().join("refs")), ["main"]);
}

#[test]
fn one_gguf_comes_from_another_host_which_never_sees_the_token() {
    let lab = Lab::with_ggufs();
    let other = FakeHub::new();
    other.put("x", &large(8), &sha256(&large(8)));
    lab.hub.content_at(&other);
    lab.hub.renamed_from("maker/old-name");
    let source = HubSource {
        repo: "maker/old-name".to_owned(),
        ..gguf("*q8*")
    };
    let model = lab.fetch(&source).unwrap();
    assert_eq!(model.sha256, Some(sha256(&large(8))));
    assert_eq!(fs::read(&model.path).unwrap(), large(8));
    assert!(model.path.ends_with("tiny-q8.gguf"));

    let bearer = format!("Bearer {SECRET}");
    let here = lab.hub.requests();
    assert_eq!(here.len(), 6, "{here:?}");
    for request in &here {
        assert_eq!(
            request.headers.get("authorization"),
            Some(&bearer),
            "{request:?}"
        );
    }
    let there = other.requests();
    assert_eq!(there.len(), 1, "{there:?}");
    assert!(!format!("{there:?}").contains(SECRET), "{there:?}");
}

#[test]
fn shards_follow_their_index() {
    let lab = Lab::new();
    lab.put_small("config.json", b"{}");
    lab.put_small("tokenizer.json", b"{}");
    let shards = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    let index = format!(
        r#"{{"weight_map": {{"a": "{}", "b": "{}", "c": "{0}"}}}}"#,
        shards[0], shards[1]
    );
    lab.put_small("model.safetensors.index.json", index.as_bytes());
    for (number, shard) in shards.iter().enumerate() {
        lab.put(shard, &large(number));
    }
    let model = lab.fetch(&tiny()).unwrap();
    assert_eq!(model.path, lab.snapshot());
    for shard in shards {
        assert!(model.path.join(shard).is_file());
    }
    // A shard that was taken away is fetched again, and nothing else.
    fs::remove_file(model.path.join(shards[1])).unwrap();
    lab.hub.requests();
    lab.fetch(&tiny()).unwrap();
    let paths = asked(&lab.hub.requests());
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(
        paths[1].starts_with("HEAD") && paths[1].ends_with(shards[1]),
        "{paths:?}"
    );

    for bad in [r#"{"weight_map": {"a": "../../x"}}"#, "{}", "no json"] {
        let lab = Lab::new();
        lab.put_small("config.json", b"{}");
        lab.put_small("tokenizer.json", b"{}");
        lab.put_small("model.safetensors.index.json", bad.as_bytes());
        let (text, fault) = lab.fault(&tiny());
        assert!(matches!(fault, HubFault::BadIndex { .. }), "{text}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    let coded = |status, code: &str| Mischief::Status(status, vec![("X-Error-Code", code.into())]);
    let plain = |status| Mischief::Status(status, Vec::new());
    for (with_token, place, mischief, words) in [
        (
            false,
            "api",
            coded(401, "RepoNotFound"),
            "no such repository, or a private one; if it is private set HF_TOKEN",
        ),
        (
            true,
            "api",
            coded(404, "RepoNotFound"),
            "or the token may not see it; check its name",
        ),
        (true, "api", plain(404), "no such repository"),
        (
            true,
            "api",
            coded(404, "RevisionNotFound"),
            "no such branch, tag or commit; check `revision`",
        ),
        (
            false,
            "api",
            plain(401),
            "(401); set HF_TOKEN to a token that may read",
        ),
        (
            true,
            "api",
            plain(401),
            "does not know the token (401); it may have expired: set HF_TOKEN",
        ),
        (
            false,
            "safetensors",
            coded(401, "GatedRepo"),
            "model.safetensors: access is refused (401); accept the licence on the repository's page at the hub, and set HF_TOKEN",
        ),
        (
            true,
            "safetensors",
            coded(403, "GatedRepo"),
            "accept the licence on the repository's page at the hub, and see that the token is that account's",
        ),
        (true, "safetensors", plain(403), "access is refused (403)"),
        (
            true,
            "safetensors",
            coded(404, "EntryNotFound"),
            "model.safetensors: the repository has no such file at this revision",
        ),
        (
            true,
            "safetensors",
            plain(418),
            "status 418; is HF_ENDPOINT a model hub?",
        ),
        (
            true,
            "api",
            Mischief::Text("<html>"),
            "the answer is not a model hub's",
        ),
        (
            true,
            "api",
            Mischief::Text(r#"{"sha": "../up", "siblings": []}"#),
            "its `sha` is no commit",
        ),
        (
            true,
            "api",
            Mischief::Status(302, vec![("Location", "ftp://x".into())]),
            "an address that is none",
        ),
    ] {
        let mut lab = Lab::with_model();
        if !with_token {
            lab.access.token = None;
        }
        lab.hub.next(place, mischief);
        let (text, _) = lab.fault(&tiny());
        assert!(text.contains(words), "{text}\n{words}");
        // Asking again is of no use, and nothing is kept that would be taken for a model.
        assert!(PAUSES.take().is_empty());
        assert!(!lab.repo().join("refs").exists());
        // What was in the way is gone: it goes on.
        lab.fetch(&tiny()).unwrap();
    }
    let lab = Lab::with_model();
    for _ in 0..20 {
        lab.hub.next(
            "api",
            Mischief::Status(302, vec![("Location", "/api/x".into())]),
        );
    }
    let (text, _) = lab.fault(&tiny());
    assert!(text.contains("redirects in a circle"), "{text}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let lab = Lab::with_model();
    for repo in [
        "",
        "../up",
        "a/b/c",
        "a//b",
        "a b/c",
        "maker/..",
        "maker/tiny?x",
    ] {
        let (text, fault) = lab.fault(&HubSource::of(repo));
        assert!(
            matches!(fault, HubFault::Setting { key: "repo", .. }),
            "{text}"
        );
    }
    for revision in ["", "..", "a/../b", "/main", "a b"] {
        let source = HubSource {
            revision: revision.to_owned(),
            ..tiny()
        };
        let (text, fault) = lab.fault(&source);
        assert!(
            matches!(
                fault,
                HubFault::Setting {
                    key: "revision",
                    ..
                }
            ),
            "{text}"
        );
    }
    assert!(lab.hub.requests().is_empty());

    // A tag becomes a file name, and so do the names of the list.
    lab.hub.put("config.json", b"{}", "../../../escaped");
    lab.put("../../../escaped.gguf", &large(0));
    let (text, fault) = lab.fault(&tiny());
    assert!(matches!(fault, HubFault::BadAnswer { .. }), "{text}");
    let (text, fault) = lab.fault(&gguf("*.gguf"));
    assert!(
        matches!(fault, HubFault::Layout(LayoutFault::NoneMatches { .. })),
        "{text}"
    );
    assert!(!lab.folder.path().join("escaped").exists());
    assert!(!lab.folder.path().join("escaped.gguf").exists());
}

#[test]
fn the_choice_among_several_files_is_left_to_the_user() {
    let lab = Lab::with_ggufs();
    let (text, _) = lab.fault(&tiny());
    assert!(
        text.ends_with(
            "there are several models: tiny-q4.gguf, tiny-q8.gguf; choose one with the key `file`"
        ),
        "{text}"
    );
    let (text, _) = lab.fault(&gguf("*.gguf"));
    assert!(text.contains("fits tiny-q4.gguf, tiny-q8.gguf"), "{text}");
    assert!(
        lab.fetch(&gguf("tiny-q4.gguf"))
            .unwrap()
            .path
            .ends_with("tiny-q4.gguf")
    );
    // That one is here alone does not make it the one that is meant.
    let (text, _) = lab.fault(&tiny());
    assert!(text.contains("several models"), "{text}");

    let lab = Lab::new();
    lab.put_small("config.json", b"{}");
    lab.put("pytorch_model.bin", &large(0));
    let (text, _) = lab.fault(&tiny());
    assert!(text.contains("there are no weights"), "{text}");
    lab.put("model.safetensors", &large(0));
    let (text, _) = lab.fault(&tiny());
    assert!(
        text.contains("tokenizer.json: the repository has no such file"),
        "{text}"
    );
}

#[test]
fn the_hub_is_left_alone_for_as_long_as_it_wants() {
    let lab = Lab::with_model();
    let busy = |seconds: &str| Mischief::Status(429, vec![("Retry-After", seconds.into())]);
    lab.hub.next("api", busy("7"));
    lab.hub.next("safetensors", busy("3"));
    lab.hub.next("tokenizer", Mischief::Status(429, Vec::new()));
    let window = ("RateLimit", "\"resolvers\";r=0;t=21".into());
    lab.hub.next("config", Mischief::Status(429, vec![window]));
    lab.fetch(&tiny()).unwrap();
    assert_eq!(PAUSES.take(), [7.0, 21.0, 0.5, 3.0]);

    let lab = Lab::with_model();
    lab.hub.next("api", busy("3600"));
    let (text, fault) = lab.fault(&tiny());
    assert!(
        text.contains("fewer requests (429); try again in 3600 s"),
        "{text}"
    );
    assert!(matches!(
        fault,
        HubFault::TooManyRequests {
            wait_seconds: Some(3600),
            ..
        }
    ));
    assert!(PAUSES.take().is_empty());
}

#[test]
fn a_fault_of_the_hub_is_waited_for_with_bounds() {
    let lab = Lab::with_model();
    lab.hub.next("api", Mischief::Status(500, Vec::new()));
    lab.hub.next("api", Mischief::Status(503, Vec::new()));
    lab.hub
        .next("config.json", Mischief::Status(502, Vec::new()));
    lab.fetch(&tiny()).unwrap();
    assert_eq!(PAUSES.take(), [0.5, 1.0, 0.5]);

    let lab = Lab::with_model();
    for _ in 0..9 {
        lab.hub
            .next("safetensors", Mischief::Status(500, Vec::new()));
    }
    let (text, _) = lab.fault(&tiny());
    assert!(
        text.contains("model.safetensors: the hub has a fault of its own (status 500, 5 attempts); try again later"),
        "{text}"
    );
    assert_eq!(PAUSES.take(), [0.5, 1.0, 2.0, 4.0]);
}

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let lab = Lab::with_ggufs();
    lab.hub.next("q4", Mischief::Cut(100_000));
    lab.hub.next("q4", Mischief::Cut(50_000));
    let model = lab.fetch(&gguf("*q4*")).unwrap();
    assert_eq!(fs::read(model.path).unwrap(), large(4));
    let ranges: Vec<Option<String>> = lab
        .hub
        .requests()
        .iter()
        .filter(|request| request.method == "GET" && request.path.contains("q4"))
        .map(|request| request.headers.get("range").cloned())
        .collect();
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=100000-".to_owned()),
            Some("bytes=150000-".to_owned())
        ]
    );
    // Each attempt brought something, so the pause did not grow.
    assert_eq!(PAUSES.take(), [0.5, 0.5]);
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let mut lab = Lab::with_ggufs();
    lab.access.patience.attempts = 1;
    lab.hub.next("q4", Mischief::Cut(123_456));
    let (text, fault) = lab.fault(&gguf("*q4*"));
    assert!(
        matches!(
            fault,
            HubFault::Interrupted {
                got: 123_456,
                total: 300_000,
                ..
            }
        ),
        "{text}"
    );
    assert!(
        text.contains("what came is kept: run again to go on"),
        "{text}"
    );
    assert!(!lab.snapshot().join("tiny-q4.gguf").exists());
    lab.hub.requests();

    // A hub that ignores the range sends all of it, which does not go behind what is there.
    for mischief in [Some(Mischief::Whole), None] {
        if let Some(mischief) = mischief {
            lab.hub.next("q4", mischief);
        }
        let model = lab.fetch(&gguf("*q4*")).unwrap();
        assert_eq!(fs::read(&model.path).unwrap(), large(4));
        let requests = lab.hub.requests();
        let range = requests.last().unwrap().headers.get("range");
        assert_eq!(range.unwrap(), "bytes=123456-");
        // Back to the broken download.
        let blob = lab.repo().join("blobs").join(sha256(&large(4)));
        fs::remove_file(&blob).unwrap();
        fs::write(blob.with_extension("incomplete"), &large(4)[..123_456]).unwrap();
    }
}

#[test]
fn what_is_not_what_its_hash_says_is_not_kept() {
    let lab = Lab::with_ggufs();
    lab.hub.next("q4", Mischief::Altered);
    let (text, fault) = lab.fault(&gguf("*q4*"));
    let HubFault::Hash { expected, found } = fault else {
        panic!("{text}");
    };
    assert_eq!(expected, sha256(&large(4)));
    assert_ne!(found, expected);
    assert!(text.contains("tiny-q4.gguf: SHA-256 is"), "{text}");
    assert!(names(&lab.repo().join("blobs")).is_empty());
    assert!(!lab.snapshot().exists());

    lab.hub.next("q4", Mischief::Longer);
    let (text, fault) = lab.fault(&gguf("*q4*"));
    assert!(
        matches!(fault, HubFault::TooLong { expected: 300_000 }),
        "{text}"
    );
    assert!(names(&lab.repo().join("blobs")).is_empty());

    // What an earlier run left is of another file: all of it is fetched once more.
    let part = lab
        .repo()
        .join("blobs")
        .join(format!("{}.incomplete", sha256(&large(4))));
    for left in [vec![0; 1000], vec![0; 300_000], vec![0; 300_001]] {
        fs::write(&part, left).unwrap();
        let model = lab.fetch(&gguf("*q4*")).unwrap();
        assert_eq!(fs::read(&model.path).unwrap(), large(4));
        assert!(!part.exists());
        fs::remove_file(lab.repo().join("blobs").join(sha256(&large(4)))).unwrap();
    }
}

#[test]
fn a_file_that_was_damaged_in_the_cache_is_fetched_anew() {
    let lab = Lab::with_ggufs();
    let model = lab.fetch(&gguf("*q4*")).unwrap();
    let blob = model.path.canonicalize().unwrap();
    let mut bytes = large(4);
    bytes[7] ^= 1;
    fs::write(&blob, bytes).unwrap();
    assert_eq!(lab.fetch(&gguf("*q4*")).unwrap(), model);
    assert_eq!(fs::read(&model.path).unwrap(), large(4));
}

#[test]
fn offline_the_cache_serves_or_says_that_it_can_not() {
    let mut lab = Lab::with_model();
    lab.access.offline = true;
    let (text, _) = lab.fault(&tiny());
    assert!(
        text.contains("not in the cache") && text.contains("and HF_HUB_OFFLINE is set; unset it"),
        "{text}"
    );
    lab.access.offline = false;
    let model = lab.fetch(&tiny()).unwrap();
    lab.hub.requests();
    lab.access.offline = true;
    assert_eq!(lab.fetch(&tiny()).unwrap(), model);
    fs::remove_file(model.path.join("tokenizer.json")).unwrap();
    let (text, fault) = lab.fault(&tiny());
    assert!(matches!(fault, HubFault::Offline { .. }), "{text}");
    assert!(
        text.contains(": tokenizer.json: not in the cache"),
        "{text}"
    );
    assert!(lab.hub.requests().is_empty());
}

#[test]
fn what_python_fetched_is_not_fetched_again() {
    let lab = Lab::with_model();
    lab.put_small("tokenizer_config.json", b"{\"later\":1}");
    let blobs = lab.repo().join("blobs");
    for folder in [blobs.clone(), lab.snapshot(), lab.repo().join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(lab.repo().join("refs/main"), COMMIT).unwrap();
    for (name, bytes) in [
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{\"t\":1}".to_vec()),
        ("model.safetensors", large(1)),
    ] {
        let etag = sha256(&bytes);
        fs::write(blobs.join(&etag), bytes).unwrap();
        fs::copy(blobs.join(&etag), lab.snapshot().join(name)).unwrap();
    }
    let mut offline = lab.access.clone();
    offline.offline = true;
    let source = ModelSource {
        candidates: vec![Candidate::Hub(tiny())],
    };
    resolve_with(&source, &lab.cache(), &offline, &mut |_| {}).unwrap();

    // With the hub at hand its list tells that something is missing.
    let model = lab.fetch(&tiny()).unwrap();
    assert!(model.path.join("tokenizer_config.json").is_file());
    let paths = asked(&lab.hub.requests());
    assert_eq!(paths.len(), 5, "{paths:?}");
    assert!(
        paths[1..]
            .iter()
            .all(|it| it.ends_with("tokenizer_config.json")),
        "{paths:?}"
    );
}

#[test]
fn a_hub_out_of_reach_is_no_hindrance_if_the_model_is_here() {
    let lab = Lab::with_model();
    let model = lab.fetch(&tiny()).unwrap();
    let mut away = lab.access.clone();
    // Nothing listens there any more.
    away.endpoint = FakeHub::new().endpoint();
    let source = ModelSource {
        candidates: vec![Candidate::Hub(tiny())],
    };
    // Without the list it would be asked.
    fs::remove_dir_all(lab.cache()).unwrap();
    let found = resolve_with(&source, &lab.cache(), &away, &mut |_| {}).unwrap();
    assert_eq!(found, model);

    fs::remove_dir_all(&lab.access.folder).unwrap();
    let error = resolve_with(&source, &lab.cache(), &away, &mut |_| {}).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("no connection") && text.contains("HF_HUB_OFFLINE=1"),
        "{text}"
    );
}

#[test]
fn a_branch_that_moves_on_is_one_commit_at_a_time() {
    let lab = Lab::with_model();
    lab.hub
        .next("safetensors", Mischief::Status(403, Vec::new()));
    lab.fault(&tiny());
    let later = "89abcdef0123456789abcdef0123456789abcdef";
    lab.hub.move_to(later);
    lab.put_small("config.json", b"{\"later\":1}");
    let model = lab.fetch(&tiny()).unwrap();
    assert!(model.path.ends_with(later));
    assert_eq!(
        names(&model.path),
        ["config.json", "model.safetensors", "tokenizer.json"]
    );
    assert_eq!(
        fs::read(model.path.join("config.json")).unwrap(),
        b"{\"later\":1}"
    );
    // The old commit is the old commit still.
    let pinned = HubSource {
        revision: COMMIT.to_owned(),
        ..tiny()
    };
    let (text, fault) = lab.fault(&pinned);
    assert!(matches!(fault, HubFault::NoRevision), "{text}");
}

#[test]
fn two_at_once_fetch_a_content_once() {
    let lab = Lab::with_ggufs();
    let source = ModelSource {
        candidates: vec![Candidate::Hub(gguf("*q4*"))],
    };
    let mut quick = lab.access.clone();
    quick.patience.pause = |_| std::thread::sleep(Duration::from_millis(1));
    let cache = lab.cache();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| resolve_with(&source, &cache, &quick, &mut |_| {}).unwrap()))
            .collect();
        for thread in threads {
            let model = thread.join().unwrap();
            assert_eq!(fs::read(model.path).unwrap(), large(4));
        }
    });
    let contents = asked(&lab.hub.requests());
    let contents = contents
        .iter()
        .filter(|it| it.starts_with("GET") && it.contains("resolve"));
    assert_eq!(contents.count(), 1);
}
