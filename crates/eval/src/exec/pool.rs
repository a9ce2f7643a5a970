//! Worker processes that share out a list of items.

use std::ffi::OsString;
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::Limits;
use super::cache::{Cache, Keys};
use super::database::Databases;
use super::session::Session;

/// Results that are handed over together at most.
const PORTION: usize = 64;

/// How to start a worker: usually the running program itself with a hidden subcommand that calls
/// [`worker_main`](super::worker_main).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Why the pool can't work at all. What goes wrong with one query is a [`Failure`](super::Failure) instead.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The worker program does not start.
    #[error("can't start the worker program {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The worker program starts and is no worker.
    #[error("{} {args:?} does not answer as a worker does: check the arguments, and that the program \
             calls worker_main() before it writes anything", program.display())]
    NotAWorker {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        args: Vec<OsString>,
    },
}

/// Why a task stops before its end; made by [`Session::execute`] and handed on to the pool.
#[derive(Debug)]
pub struct Stop(pub(super) Reason);

#[derive(Debug)]
pub(super) enum Reason {
    /// Its worker was lost; it will be called again, alone, when all others are done.
    Again,
    /// The pool can't go on.
    Broken(PoolError),
}

/// Starts workers as they are needed and never more than asked for.
#[derive(Debug, Clone)]
pub struct Pool {
    pub(super) command: WorkerCommand,
    pub(super) limits: Limits,
    pub(super) databases: Arc<Databases>,
    pub(super) cache: Option<(Arc<Cache>, Keys)>,
    workers: usize,
}

impl Pool {
    /// A pool of at most so many workers (at least one).
    pub fn new(command: WorkerCommand, limits: Limits, workers: usize) -> Self {
        Self {
            command,
            limits,
            databases: Arc::default(),
            cache: None,
            workers: workers.max(1),
        }
    }

    /// The pool with a cache: what it has is not run, and what is run goes there.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<Cache>) -> Self {
        self.cache = Some((cache, Keys::new(&self.limits)));
        self
    }

    /// Calls `task` for each item, each with a session at hand, and returns what it gave in the order of the items;
    /// `done` is called on this thread as each is finished, in no fixed order.
    ///
    /// A task whose worker is lost is called once more after all others, one at a time: what was killed because
    /// the machine was busy, or because its neighbour had taken the memory, gets its turn alone.
    pub fn run<T: Sync, R: Send>(
        &self,
        items: &[T],
        task: impl Fn(&mut Session<'_>, &T) -> Result<R, Stop> + Sync,
        done: &mut dyn FnMut(&R),
    ) -> Result<Vec<R>, PoolError> {
        let mut results: Vec<Option<R>> = Vec::new();
        results.resize_with(items.len(), || None);
        let next = AtomicUsize::new(0);
        let broken = AtomicBool::new(false);
        let mut error = None;
        thread::scope(|scope| {
            let (send, finished) = mpsc::channel();
            for _ in 0..self.workers.min(items.len()) {
                let send = send.clone();
                let (next, broken, task) = (&next, &broken, &task);
                scope.spawn(move || {
                    let mut session = Session::new(self, false);
                    // What comes from the cache is handed over in portions: waking the other thread takes longer.
                    let mut portion = Vec::new();
                    while !broken.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(index) else { break };
                        portion.push((index, task(&mut session, item)));
                        let ran = session.has_run_something();
                        if (ran || portion.len() >= PORTION)
                            && send.send(mem::take(&mut portion)).is_err()
                        {
                            return;
                        }
                    }
                    let _ = send.send(portion);
                });
            }
            drop(send);
            for (index, result) in finished.into_iter().flatten() {
                match result {
                    Ok(result) => {
                        done(&result);
                        results[index] = Some(result);
                    }
                    Err(Stop(Reason::Again)) => {}
                    Err(Stop(Reason::Broken(reason))) => {
                        broken.store(true, Ordering::Relaxed);
                        error.get_or_insert(reason);
                    }
                }
            }
        });
        if let Some(error) = error {
            return Err(error);
        }
        let mut session = Session::new(self, true);
        let mut complete = Vec::with_capacity(items.len());
        for (item, result) in items.iter().zip(results) {
            complete.push(match result {
                Some(result) => result,
                None => loop {
                    match task(&mut session, item) {
                        Ok(result) => {
                            done(&result);
                            break result;
                        }
                        Err(Stop(Reason::Broken(reason))) => return Err(reason),
                        // A last session turns every loss into a failure, so this does not come back for ever.
                        Err(Stop(Reason::Again)) => {}
                    }
                },
            });
        }
        if let Some((cache, _)) = &self.cache {
            cache.flush();
        }
        Ok(complete)
    }
}
