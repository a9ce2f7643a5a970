//! A model hub of one repository on a port of this machine, which can be told to misbehave.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

pub const REPO: &str = "maker/tiny";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A file of the repository.
#[derive(Debug, Clone)]
pub struct Stored {
    pub bytes: Vec<u8>,
    /// SHA-256 for a large file, anything for a small one.
    pub etag: String,
}

/// What came instead of an orderly answer; each is used up by one request.
#[derive(Debug, Clone)]
pub enum Mischief {
    /// This status and these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The body is another of the same length.
    Altered,
    /// The body is longer than the file.
    Longer,
    /// The range is ignored.
    Whole,
    /// This text with status 200.
    Text(&'static str),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    commit: String,
    files: BTreeMap<String, Stored>,
    mischief: Vec<(String, Mischief)>,
    requests: Vec<Request>,
    /// Where the content of files is, if not here.
    elsewhere: Option<String>,
    /// The repository was renamed: the old name leads on.
    old_name: Option<String>,
}

pub struct FakeHub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeHub {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            commit: COMMIT.to_owned(),
            ..State::default()
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                thread::spawn(move || {
                    // A client that hangs up is its own affair.
                    let _ = answer(stream, &state);
                });
            }
        });
        Self {
            address,
            state,
            stop,
            thread: Some(thread),
        }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn put(&self, name: &str, bytes: &[u8], etag: &str) {
        let stored = Stored {
            bytes: bytes.to_vec(),
            etag: etag.to_owned(),
        };
        self.state().files.insert(name.to_owned(), stored);
    }

    pub fn move_to(&self, commit: &str) {
        commit.clone_into(&mut self.state().commit);
    }

    /// The next request whose path contains `part` is answered so.
    pub fn next(&self, part: &str, mischief: Mischief) {
        self.state().mischief.push((part.to_owned(), mischief));
    }

    pub fn forget_mischief(&self) {
        self.state().mischief.clear();
    }

    /// The content of files is at another host.
    pub fn content_at(&self, other: &FakeHub) {
        self.state().elsewhere = Some(other.endpoint());
    }

    /// Requests for this repository are led to the one there is.
    pub fn renamed_from(&self, repo: &str) {
        self.state().old_name = Some(repo.to_owned());
    }

    /// What was asked since the last time.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

impl Drop for FakeHub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The listener only looks up when someone comes.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: BTreeMap::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request
            .headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let reply = {
        let mut state = state.lock().unwrap();
        state.requests.push(request.clone());
        reply(&request, &mut state)
    };
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "Content-Length: {}\r\n\r\n", reply.length).unwrap();
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        stream.write_all(&reply.body)?;
    }
    stream.flush()
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    length: usize,
    body: Vec<u8>,
}

impl Reply {
    fn of(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            status,
            headers: headers.iter().map(own).collect(),
            length: body.len(),
            body: body.to_vec(),
        }
    }
}

fn reply(request: &Request, state: &mut State) -> Reply {
    let mut mischief = None;
    // A head has no body that could be cut.
    let fits = |(part, what): &(String, Mischief)| {
        request.path.contains(part.as_str())
            && (request.method == "GET" || matches!(what, Mischief::Status(..)))
    };
    if let Some(at) = state.mischief.iter().position(fits) {
        mischief = Some(state.mischief.remove(at).1);
    }
    match &mischief {
        Some(Mischief::Status(status, headers)) => {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            return Reply::of(*status, &headers, b"");
        }
        Some(Mischief::Text(text)) => return Reply::of(200, &[], text.as_bytes()),
        _ => {}
    }
    if let Some(old) = &state.old_name
        && request.path.contains(&format!("/{old}/"))
    {
        let to = request.path.replace(old.as_str(), REPO);
        return Reply::of(307, &[("Location", &to)], b"");
    }
    if let Some(revision) = request
        .path
        .strip_prefix(&format!("/api/models/{REPO}/revision/"))
    {
        if ![state.commit.as_str(), "main"].contains(&revision) {
            return Reply::of(404, &[("X-Error-Code", "RevisionNotFound")], b"");
        }
        let names: Vec<String> = state
            .files
            .keys()
            .map(|name| format!("{{\"rfilename\":{name:?}}}"))
            .collect();
        let text = format!(
            "{{\"sha\":\"{}\",\"siblings\":[{}]}}",
            state.commit,
            names.join(",")
        );
        return Reply::of(200, &[], text.as_bytes());
    }
    if let Some(etag) = request.path.strip_prefix("/cdn/") {
        let etag = etag.split('?').next().unwrap();
        return match state.files.values().find(|file| file.etag == etag) {
            Some(file) => content(request, file, &[], mischief.as_ref()),
            None => Reply::of(404, &[], b""),
        };
    }
    let base = format!("/{REPO}/resolve/{}/", state.commit);
    let inner = format!("/api/resolve-cache/models{base}");
    let path = request
        .path
        .strip_prefix(&inner)
        .map(|name| format!("{base}{name}"));
    let is_inner = path.is_some();
    let path = path.unwrap_or_else(|| request.path.clone());
    let Some(name) = path.strip_prefix(&base) else {
        return Reply::of(404, &[("X-Error-Code", "RepoNotFound")], b"");
    };
    let Some(file) = state.files.get(name) else {
        return Reply::of(404, &[("X-Error-Code", "EntryNotFound")], b"");
    };
    let commit = state.commit.clone();
    let etag = format!("\"{}\"", file.etag);
    let size = file.bytes.len().to_string();
    // A small file comes from another place of the same host, and what leads there has a length of its own.
    if file.etag.len() != 64 && !is_inner {
        let to = format!("{inner}{name}");
        let headers = [("Location", to.as_str()), ("X-Repo-Commit", &commit)];
        return Reply::of(307, &headers, b"Temporary Redirect");
    }
    if let Some(elsewhere) = &state.elsewhere
        && file.etag.len() == 64
    {
        let to = format!("{elsewhere}/cdn/{}?signature=s3cret", file.etag);
        let headers = [
            ("Location", to.as_str()),
            ("X-Repo-Commit", &commit),
            ("X-Linked-Etag", &etag),
            ("X-Linked-Size", &size),
        ];
        return Reply::of(302, &headers, b"");
    }
    content(
        request,
        file,
        &[("X-Repo-Commit", &commit), ("ETag", &etag)],
        mischief.as_ref(),
    )
}

fn content(
    request: &Request,
    file: &Stored,
    headers: &[(&str, &str)],
    mischief: Option<&Mischief>,
) -> Reply {
    let whole = matches!(mischief, Some(Mischief::Whole));
    let range = request.headers.get("range").filter(|_| !whole);
    let from: usize = range.map_or(0, |range| {
        let start = range.strip_prefix("bytes=").unwrap();
        start.trim_end_matches('-').parse().unwrap()
    });
    let total = file.bytes.len();
    if from > 0 && from >= total {
        return Reply::of(416, &[("Content-Range", &format!("bytes */{total}"))], b"");
    }
    let span = format!("bytes {from}-{}/{total}", total.saturating_sub(1));
    let mut reply = Reply::of(
        if from > 0 { 206 } else { 200 },
        headers,
        &file.bytes[from..],
    );
    if from > 0 {
        reply.headers.push(("Content-Range".to_owned(), span));
    }
    match mischief {
        Some(Mischief::Cut(after)) => reply.body.truncate(*after),
        Some(Mischief::Altered) => reply.body.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Mischief::Longer) => {
            reply.body.extend(b"and more");
            reply.length = reply.body.len();
        }
        _ => {}
    }
    reply
}
