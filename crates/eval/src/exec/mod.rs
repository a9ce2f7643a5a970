//! Running one query against one database, in another process, within limits.
//!
//! The parent ([`Pool`]) starts copies of the program as workers, hands each one the [`Job`]s of an item and waits for
//! each no longer than the wall limit; the worker ([`worker_main`]) opens the database for every job anew and runs the
//! query in a sandbox. A query that hangs, exhausts memory or crashes SQLite costs one worker, which is replaced. What a
//! query returned can be kept between runs ([`Cache`]).
//!
//! There are three nets, each below the one before: the engine's own means (read-only and immutable, `query_only`, an
//! authorizer, limits on steps, rows, columns, bytes and heap), the limits the system has for the worker's process (no
//! byte to any file, address space, open files, processor time), and the parent's clock and kill.
//!
//! What is not covered: the worker runs with the rights of its user, so a flaw in SQLite itself that lets a query
//! execute code is not contained.
//!
//! This module does not know what a gold query is, nor when two results agree.

mod cache;
mod child;
mod database;
pub(crate) mod fuzz;
mod limits;
mod own_limits;
mod permit;
mod pool;
mod repeatable;
mod rows;
mod sandbox;
mod session;
mod stopwatch;
mod wire;
mod worker;

pub use cache::{Cache, CacheCounts, CacheError, CacheEvent};
pub use limits::Limits;
pub(crate) use permit::{CLOCK_FUNCTIONS, DATE_FUNCTIONS, RANDOM_FUNCTIONS};
pub use pool::{Pool, PoolError, Stop, WorkerCommand};
pub use rows::{Answer, Failure, FailureKind, Job, Race, Rows, Value};
pub use session::Session;
pub use worker::worker_main;
