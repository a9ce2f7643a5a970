//! The SQLite file of a [`Cache`](super::Cache), and what is done when it fails.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use std::{fs, mem};

use rusqlite::{Connection, Error, ErrorCode, params};
use sha2::{Digest, Sha256};

use super::{CacheError, CacheEvent, Key};

/// Name of the file. A change of its tables is a new name.
pub(super) const FILE: &str = "outcomes-1.sqlite";
const TABLES: &str = "CREATE TABLE IF NOT EXISTS outcome (id INTEGER PRIMARY KEY, key BLOB NOT NULL, sum BLOB NOT NULL, \
                      payload BLOB NOT NULL)";

/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(10);
/// So often it is tried to open it.
const ATTEMPTS: u32 = 50;
/// A reply of more bytes is not kept.
const LONGEST: usize = 16 << 20;
/// Replies are written together when they are so many, ...
const BATCH: usize = 1000;
/// ... have so many bytes, ...
const BATCH_BYTES: usize = 4 << 20;
/// ... or took so many nanoseconds: a run that is killed loses little more work than that.
pub(super) const BATCH_NS: u64 = 300_000_000;

/// The open file, and what is to be written to it.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    /// `None` once it can't be read.
    connection: Option<Connection>,
    writable: bool,
    rebuilt: bool,
    pending: BTreeMap<i64, (Key, Vec<u8>)>,
    pending_bytes: usize,
    pending_ns: u64,
    events: Vec<CacheEvent>,
    stored: u64,
}

impl Store {
    /// Opens the file in a folder. One that is damaged is made anew.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let folder_error = |source| CacheError::Folder {
            folder: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(folder_error)?;
        let file = fs::canonicalize(folder).map_err(folder_error)?.join(FILE);
        let mut store = Self {
            file,
            connection: None,
            writable: true,
            rebuilt: false,
            pending: BTreeMap::new(),
            pending_bytes: 0,
            pending_ns: 0,
            events: Vec::new(),
            stored: 0,
        };
        match connect(&store.file) {
            Ok(connection) => store.connection = Some(connection),
            Err(error) if is_damage(&error) => store.rebuild(&error),
            Err(error) => {
                return Err(CacheError::File {
                    file: store.file.clone(),
                    reason: error.to_string(),
                });
            }
        }
        Ok(store)
    }

    /// The reply that is not written yet.
    pub fn pending(&self, key: &Key) -> Option<&[u8]> {
        let (kept, payload) = self.pending.get(&key.id())?;
        (kept == key).then_some(payload)
    }

    /// Whether there are replies that are not written yet.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The file, as long as it can be used.
    pub fn file(&self) -> Option<&Path> {
        self.connection.as_ref().map(|_| self.file.as_path())
    }

    /// Lets the engine say that the disk is full when the file would grow.
    #[cfg(test)]
    pub fn allow_no_more_pages(&self) {
        let connection = self.connection.as_ref().unwrap();
        let pages: i64 = connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    }

    /// Tells of a row that is not as it was written.
    pub fn damaged_row(&mut self) {
        let file = self.file.clone();
        self.events.push(CacheEvent::BadRow { file });
    }

    /// Keeps a reply: in memory at first, and written with others.
    pub fn put(&mut self, key: Key, payload: &[u8], ns: u64) {
        if !self.writable || payload.len() > LONGEST {
            return;
        }
        self.pending.insert(key.id(), (key, payload.to_vec()));
        self.pending_bytes += payload.len();
        self.pending_ns = self.pending_ns.saturating_add(ns);
        if self.pending.len() >= BATCH
            || self.pending_bytes >= BATCH_BYTES
            || self.pending_ns >= BATCH_NS
        {
            self.flush();
        }
    }

    /// Writes what is pending.
    pub fn flush(&mut self) {
        let pending = mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.pending_ns = 0;
        if pending.is_empty() || !self.writable {
            return;
        }
        let mut written = self.write(&pending);
        if let Err(error) = &written
            && is_damage(error)
        {
            self.failed(error);
            written = self.write(&pending);
        }
        match written {
            Ok(()) => self.stored += pending.len() as u64,
            Err(error) => self.off(&error),
        }
    }

    fn write(&mut self, pending: &BTreeMap<i64, (Key, Vec<u8>)>) -> rusqlite::Result<()> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT OR REPLACE INTO outcome VALUES (?1, ?2, ?3, ?4)")?;
            for (id, (key, payload)) in pending {
                insert.execute(params![id, key.bytes(), checksum(key, payload), payload])?;
            }
        }
        transaction.commit()
    }

    /// What has befallen the store since it was last asked.
    pub fn take_events(&mut self) -> Vec<CacheEvent> {
        mem::take(&mut self.events)
    }

    /// Answers that were written.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Begins anew after damage, or does without the file after anything else.
    pub fn failed(&mut self, error: &Error) {
        if is_damage(error) && !self.rebuilt {
            self.rebuild(error);
        } else {
            self.connection = None;
            self.off(error);
        }
    }

    /// Removes the file and begins another, once: a file that is damaged again has a cause that will not go away.
    fn rebuild(&mut self, error: &Error) {
        self.rebuilt = true;
        self.connection = None;
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.file.clone().into_os_string();
            path.push(suffix);
            // What can't be removed can't be opened as a cache either, which is told below.
            let _ = fs::remove_file(path);
        }
        match connect(&self.file) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.events.push(CacheEvent::Rebuilt {
                    file: self.file.clone(),
                    reason: error.to_string(),
                });
            }
            Err(error) => self.off(&error),
        }
    }

    fn off(&mut self, error: &Error) {
        if mem::replace(&mut self.writable, false) {
            self.events.push(CacheEvent::Off {
                file: self.file.clone(),
                reason: error.to_string(),
            });
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Opens the file, again and again while another process makes it or has it to itself: two that turn a new file to a
/// write-ahead log at once are told at once, and not after the time that they would wait.
pub fn connect(file: &Path) -> rusqlite::Result<Connection> {
    for _ in 1..ATTEMPTS {
        match connect_once(file) {
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                ) =>
            {
                thread::sleep(BUSY / ATTEMPTS);
            }
            result => return result,
        }
    }
    connect_once(file)
}

/// The file is the cache's own, so that, unlike those of data sets, it is opened for writing.
fn connect_once(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY / ATTEMPTS)?;
    // With a write-ahead log processes read while one writes, and one that is killed leaves what it had committed.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(TABLES)?;
    // A table of that name that is another would fail later and each time.
    connection.prepare("SELECT id, key, sum, payload FROM outcome")?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// The first half of the SHA-256 of key and reply.
pub fn checksum(key: &Key, payload: &[u8]) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(key.bytes());
    digest.update(payload);
    let whole: [u8; 32] = digest.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// Whether the error says that the file is no cache; others say that it can't be reached.
fn is_damage(error: &Error) -> bool {
    let other_tables = matches!(error, Error::SqlInputError { .. });
    other_tables
        || matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        )
}
