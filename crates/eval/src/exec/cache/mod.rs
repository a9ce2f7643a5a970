//! What queries have returned, kept between runs.
//!
//! An answer is kept under the digest of all that determines it: the content of the database, the query, the limits, the
//! order of rows asked for, the version of SQLite and that of the sandbox. What depends on anything else is not kept:
//! answers of queries that call `random()` or read the clock, kills by the wall clock, workers that died, and trouble
//! with files.
//!
//! The cache is never trusted and never needed. Each answer has a checksum; a damaged one is run again, a damaged file
//! is made anew, and a disk that is full turns the keeping off. Each of these is a [`CacheEvent`] and none ends a run.
//! Nothing is ever removed from it: delete the folder to be rid of it.

mod key;
mod reader;
mod store;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use key::{Key, Keys, content};
use reader::{Found, Readers};
use store::Store;

use super::rows::Answer;
use super::wire;

/// Kept answers, shared by all sessions of a pool. Several processes may use one folder.
#[derive(Debug)]
pub struct Cache {
    store: Mutex<Store>,
    readers: Readers,
    pending: AtomicBool,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Why there is no cache. A run can do without.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder can't be had.
    #[error("can't use {} as the folder of kept outcomes: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file in it can't be opened.
    #[error("can't open the kept outcomes {}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The engine's words.
        reason: String,
    },
}

/// What befell the cache. The run goes on; its results are not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheEvent {
    /// An answer did not have its checksum. It is run again and replaced.
    #[error("a kept outcome in {} was damaged; its query is run again", file.display())]
    BadRow {
        /// The file.
        file: PathBuf,
    },
    /// The file was no cache, or a damaged one. It was removed, and a new one begun.
    #[error("the kept outcomes {} were damaged ({reason}) and are begun anew", file.display())]
    Rebuilt {
        /// The file.
        file: PathBuf,
        /// The engine's words.
        reason: String,
    },
    /// Nothing more is kept in this run: a full disk, a folder that is read-only, a file that another process does
    /// not let go.
    #[error("outcomes are no longer kept in {}: {reason}", file.display())]
    Off {
        /// The file.
        file: PathBuf,
        /// The engine's words.
        reason: String,
    },
}

/// How often the cache had the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Queries that were not run.
    pub hits: u64,
    /// Queries that were looked for in vain.
    pub misses: u64,
    /// Answers that were written.
    pub stored: u64,
}

impl Cache {
    /// Opens the cache in a folder, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        Ok(Self {
            store: Mutex::new(Store::open(folder)?),
            readers: Readers::default(),
            pending: AtomicBool::new(false),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        })
    }

    /// Writes what is not written yet. A pool does it at the end of each run, and a cache when it is dropped.
    pub fn flush(&self) {
        let mut store = self.store();
        store.flush();
        self.note_pending(&store);
    }

    /// What has befallen it since it was last asked.
    pub fn take_events(&self) -> Vec<CacheEvent> {
        self.store().take_events()
    }

    /// How often it had the answer so far.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            stored: self.store().stored(),
        }
    }

    /// The kept answers; `None` where there is none or no key.
    pub(super) fn get(&self, keys: &[Option<Key>]) -> Vec<Option<Answer>> {
        let mut answers = self.written(keys);
        if self.pending.load(Ordering::Relaxed) {
            let store = self.store();
            for (key, answer) in keys.iter().zip(&mut answers) {
                if let (Some(key), None) = (key, &answer) {
                    *answer = store.pending(key).and_then(wire::decode);
                }
            }
        }
        let wanted = keys.iter().flatten().count() as u64;
        let hits = answers.iter().flatten().count() as u64;
        self.hits.fetch_add(hits, Ordering::Relaxed);
        self.misses.fetch_add(wanted - hits, Ordering::Relaxed);
        answers
    }

    /// The answers that are in the file.
    fn written(&self, keys: &[Option<Key>]) -> Vec<Option<Answer>> {
        let nothing = || keys.iter().map(|_| None).collect();
        // Only the name is asked for under the lock: sessions look up at the same time.
        let Some(file) = self.store().file().map(Path::to_owned) else {
            return nothing();
        };
        match self.readers.find(&file, keys) {
            Ok(found) => found
                .into_iter()
                .map(|found| match found {
                    Found::Answer(answer) => Some(answer),
                    Found::Nothing => None,
                    Found::Damage => {
                        self.store().damaged_row();
                        None
                    }
                })
                .collect(),
            Err(error) => {
                self.store().failed(&error);
                self.readers.close();
                nothing()
            }
        }
    }

    /// Keeps the reply of a worker, which took so many nanoseconds.
    pub(super) fn put(&self, key: Key, payload: &[u8], ns: u64) {
        let mut store = self.store();
        store.put(key, payload, ns);
        self.note_pending(&store);
    }

    fn note_pending(&self, store: &Store) {
        self.pending.store(store.has_pending(), Ordering::Relaxed);
    }

    /// The store; a thread that panicked while it had it left a store whose file is consistent all the same.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
