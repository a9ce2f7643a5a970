//! One file of a repository into the cache: taken up where it broke off, checked for size and hash, then given its name.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::super::{HubFault, Progress};
use super::cache::{Kept, fault};
use super::request::{Ask, Client, LINKED, escaped, text};
use crate::digest::sha256_file;

/// Which file.
pub(super) struct Wanted<'a> {
    pub(super) repo: &'a str,
    pub(super) commit: &'a str,
    pub(super) name: &'a str,
}

/// What the hub says of a file.
struct Facts {
    /// Name of the content: SHA-256 of a large file, git's own hash of a small one.
    etag: String,
    bytes: u64,
}

/// Fetches a file; its path below the snapshot.
pub(super) fn download(
    client: &Client<'_>,
    kept: &Kept,
    what: &Wanted<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, HubFault> {
    let path = format!(
        "{}/resolve/{}/{}",
        what.repo,
        what.commit,
        escaped(what.name, true)
    );
    let facts = facts(client.ask(&path, Ask::Head)?.headers())?;
    let blob = kept.blob(&facts.etag);
    let lock = kept.lock(&facts.etag)?;
    // Another revision may have the same content, or another process has fetched it meanwhile.
    if fs::metadata(&blob).map_or(0, |meta| meta.len()) != facts.bytes || facts.bytes == 0 {
        let folder = blob.parent().unwrap_or(&blob);
        fs::create_dir_all(folder).map_err(|e| fault(folder, e))?;
        let part = blob.with_file_name(format!("{}.incomplete", facts.etag));
        let resumed = fetch(client, &path, &facts, &part, (what.name, progress))?;
        match check(&part, &facts) {
            // What an earlier attempt left may have been wrong; once more from the start.
            Err(HubFault::Hash { .. }) if resumed => {
                fetch(client, &path, &facts, &part, (what.name, progress))?;
                check(&part, &facts)?;
            }
            checked => checked?,
        }
        fs::rename(&part, &blob).map_err(|e| fault(&blob, e))?;
    }
    drop(lock);
    kept.link(what.commit, what.name, &facts.etag)
}

fn facts(headers: &HeaderMap) -> Result<Facts, HubFault> {
    let missing = |what: &str| HubFault::BadAnswer {
        what: format!("header {what} is missing or malformed"),
    };
    let etag = text(headers, LINKED[0])
        .or_else(|| text(headers, header::ETAG.as_str()))
        .map(|tag| tag.trim_start_matches("W/").trim_matches('"'))
        // It becomes the name of a file.
        .filter(|tag| tag.len() >= 2 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .ok_or_else(|| missing("ETag"))?;
    let bytes = text(headers, LINKED[1])
        .or_else(|| text(headers, header::CONTENT_LENGTH.as_str()))
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| missing("Content-Length"))?;
    Ok(Facts {
        etag: etag.to_ascii_lowercase(),
        bytes,
    })
}

/// Fetches what is missing of the part, again and again as long as something comes; whether an earlier attempt had left
/// something.
fn fetch(
    client: &Client<'_>,
    path: &str,
    facts: &Facts,
    part: &Path,
    (name, progress): (&str, &mut dyn FnMut(Progress<'_>)),
) -> Result<bool, HubFault> {
    let length = || fs::metadata(part).map_or(0, |meta| meta.len());
    if length() > facts.bytes {
        remove(part);
    }
    let resumed = length() > 0;
    let mut fruitless = 0;
    loop {
        let before = length();
        if before == facts.bytes && (before > 0 || part.exists()) {
            return Ok(resumed);
        }
        let response = client.ask(path, Ask::Get { from: before })?;
        let received = receive(response, part, (before, facts.bytes), &mut |done| {
            progress(Progress::Bytes {
                item: name,
                done,
                total: facts.bytes,
            });
        });
        match received {
            Ok(()) => return Ok(resumed),
            Err(broken @ HubFault::Interrupted { .. }) => {
                fruitless = if length() > before { 1 } else { fruitless + 1 };
                if !client.wait(fruitless, None) {
                    return Err(broken);
                }
            }
            Err(other) => return Err(other),
        }
    }
}

/// Writes an answer to the part, at the place it is for.
fn receive(
    response: Response<Body>,
    part: &Path,
    (before, total): (u64, u64),
    tell: &mut dyn FnMut(u64),
) -> Result<(), HubFault> {
    let broken = |got, words: &str| HubFault::Interrupted {
        got,
        total,
        words: words.to_owned(),
    };
    let from = match (response.status().as_u16(), first_byte(response.headers())) {
        // All of it, though a part was asked for.
        (200, _) => 0,
        (206, Some(from)) if from == before => before,
        (206 | 416, _) => {
            remove(part);
            return Err(broken(0, "the answer is not the part that was asked for"));
        }
        (status, _) => return Err(HubFault::Status { status }),
    };
    let mut out: File = OpenOptions::new()
        .create(true)
        .append(true)
        .open(part)
        .map_err(|e| fault(part, e))?;
    out.set_len(from).map_err(|e| fault(part, e))?;
    let mut body = response.into_body().into_reader();
    let mut done = from;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Err(broken(done, &error.to_string())),
        };
        done += read as u64;
        if done > total {
            remove(part);
            return Err(HubFault::TooLong { expected: total });
        }
        out.write_all(&buffer[..read]).map_err(|e| fault(part, e))?;
        tell(done);
    }
    out.sync_all().map_err(|e| fault(part, e))?;
    if done < total {
        return Err(broken(done, "the answer ended early"));
    }
    Ok(())
}

/// Where the hub states a SHA-256 the content must have it; other contents are small and known by their size alone.
fn check(part: &Path, facts: &Facts) -> Result<(), HubFault> {
    if !is_sha256(&facts.etag) {
        return Ok(());
    }
    let found = sha256_file(part).map_err(|e| fault(part, e))?;
    if found == facts.etag {
        return Ok(());
    }
    remove(part);
    Err(HubFault::Hash {
        expected: facts.etag.clone(),
        found,
    })
}

pub(super) fn is_sha256(tag: &str) -> bool {
    tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Takes a part away; it need not be there.
fn remove(part: &Path) {
    let _ = fs::remove_file(part);
}

/// The first byte of `bytes FROM-TO/TOTAL`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let span = text(headers, header::CONTENT_RANGE.as_str())?.strip_prefix("bytes ")?;
    span.split_once('-')?.0.trim().parse().ok()
}
