//! One experiment: its YAML specification, its stages in order, and the folder that keeps their results.
//!
//! This crate reads configuration, names stages by what determines them, and stores what they made. It does
//! not know how a stage is computed, how anything is drawn, or what a model, a query or a score is: the
//! sections of a specification are plain data here, and the crates that own the work give them meaning.
//!
//! It is the only library that reads the clock, the host and the git commit (see [`provenance`]).
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)
)]

pub mod canonical;
pub mod plan;
pub mod provenance;
pub mod spec;
pub mod store;
mod suggest;
mod tree;

pub use canonical::Digest;
pub use plan::{Plan, Stage, StageId, StageKey, StageKind};
pub use spec::{Env, Resolved, SpecErrors};
pub use store::{Manifest, StageDir, Status, Store, StoreError, WorkDir};
