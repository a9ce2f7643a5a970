//! A database file as it may be opened: read-only and immutable, or not at all. And what is in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::cache;
use super::rows::{Failure, FailureKind};

/// The databases of a run, each looked at once: they are taken to be immutable as long as it goes on.
#[derive(Debug, Default)]
pub struct Databases(Mutex<BTreeMap<OsString, Arc<Database>>>);

/// One database of a run.
#[derive(Debug)]
pub struct Database {
    /// How it is opened, or why not.
    pub uri: Result<String, Failure>,
    path: PathBuf,
    content: OnceLock<Option<[u8; 32]>>,
}

impl Databases {
    /// The database of a path.
    pub fn at(&self, path: &Path) -> Arc<Database> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = known.get(path.as_os_str()) {
            return Arc::clone(database);
        }
        let database = Arc::new(Database {
            uri: uri(path),
            path: path.to_owned(),
            content: OnceLock::new(),
        });
        known.insert(path.into(), Arc::clone(&database));
        database
    }
}

impl Database {
    /// The digest of its content, read once; `None` where it can't be read.
    pub fn content(&self) -> Option<&[u8; 32]> {
        let read = || cache::content(&self.path).ok();
        self.content.get_or_init(read).as_ref()
    }
}

/// How SQLite begins a rollback journal that is in use; a journal that was done with begins with zeros.
const JOURNAL_IN_USE: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// The `file:` URI that opens a database without a lock, and without ever making a journal or shared-memory file.
///
/// Opened so, SQLite does not look at what lies beside the file. A write-ahead log or a journal in use means that the
/// file alone is not the database (changes are missing, or half made), which is an error here rather than silently old
/// data.
fn uri(database: &Path) -> Result<String, Failure> {
    let told = |message: String| Failure::new(FailureKind::NoDatabase, message);
    let path = std::fs::canonicalize(database)
        .map_err(|error| told(format!("{}: {error}", database.display())))?;
    for (suffix, what) in [
        ("-wal", "a write-ahead log"),
        ("-journal", "a journal in use"),
    ] {
        let mut beside = OsString::from(path.as_os_str());
        beside.push(suffix);
        if in_use(Path::new(&beside), suffix == "-journal") {
            return Err(told(format!(
                "{} has {what} beside it, so the file alone is not the database: let the program that writes it end, \
                 or open it once with SQLite's shell, which takes the changes in",
                database.display()
            )));
        }
    }
    let mut uri = String::from("file://");
    for &byte in path.as_os_str().as_encoded_bytes() {
        // Everything else is escaped: `?` and `#` have a meaning in a URI, and a path need not be UTF-8.
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    Ok(uri)
}

/// Whether a file beside the database holds a part of it. One that can't be read may do so.
fn in_use(beside: &Path, journal: bool) -> bool {
    let mut head = Vec::new();
    match File::open(beside).and_then(|file| file.take(8).read_to_end(&mut head)) {
        Ok(_) if journal => head == JOURNAL_IN_USE,
        Ok(read) => read > 0,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a b?#%.sqlite");
        std::fs::write(&database, "").unwrap();
        let uri = uri(&database).unwrap();
        assert!(
            uri.ends_with("/a%20b%3F%23%25.sqlite?mode=ro&immutable=1"),
            "{uri}"
        );
    }

    #[test]
    fn a_log_or_a_journal_with_changes_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("d.sqlite");
        let missing = uri(&database).unwrap_err();
        assert_eq!(missing.kind, FailureKind::NoDatabase);
        std::fs::write(&database, "").unwrap();
        for (suffix, content, usable) in [
            ("-wal", &b""[..], true),
            ("-wal", b"frames", false),
            ("-journal", b"", true),
            ("-journal", &[0; 512], true),
            ("-journal", &JOURNAL_IN_USE, false),
        ] {
            let beside = folder.path().join(format!("d.sqlite{suffix}"));
            std::fs::write(&beside, content).unwrap();
            match uri(&database) {
                Ok(_) => assert!(usable, "{suffix}"),
                Err(failure) => {
                    assert!(!usable && failure.kind == FailureKind::NoDatabase);
                    assert!(failure.message.contains("beside it"), "{failure}");
                }
            }
            std::fs::remove_file(beside).unwrap();
        }
    }
}
