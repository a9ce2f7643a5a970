//! Arguments of `correlate`.

use std::path::PathBuf;

use clap::Args;

use super::SpecArgs;

/// Arguments of `correlate`: files of cells, or an experiment.
#[derive(Debug, Args)]
pub struct CorrelateArgs {
    /// Files of cells, which are put together: a JSON list such as an experiment leaves, JSON Lines, or CSV with the
    /// columns model, train_set, target, seed, before, after (shares from 0 to 1), if you like n, gain_low and
    /// gain_high, and a column for each score.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "config")]
    pub cells: Vec<PathBuf>,
    /// The experiment.
    #[arg(long, value_name = "FILE", required_unless_present = "cells")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// The score that the answer is about.
    #[arg(long, value_name = "NAME", default_value = "ar")]
    pub score: String,
    /// Resamples of the intervals, and permutations of the p-values.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub resamples: usize,
    /// Seed of both: by default the experiment's own, for files 0.
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
