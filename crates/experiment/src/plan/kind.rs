//! The kinds of stages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// Read a part of a data set.
    Data,
    /// Ask a model the questions of a target.
    Predict,
    /// Execute predictions and compare them with the gold queries.
    Score,
    /// Ask the base model about a set: losses of its gold queries, vectors of its questions.
    Measure,
    /// Train a few steps and measure the targets again.
    Probe,
    /// Measure how a training set and the predictions agree with a target.
    Align,
    /// Fine-tune the model on a training set.
    Train,
    /// Compare alignment with gain over all cells.
    Correlate,
    /// Write the tables.
    Report,
}

impl StageKind {
    /// Every kind, in the order of the work.
    pub const ALL: [Self; 9] = [
        Self::Data,
        Self::Predict,
        Self::Score,
        Self::Measure,
        Self::Probe,
        Self::Align,
        Self::Train,
        Self::Correlate,
        Self::Report,
    ];

    /// The name of the kind, which is its folder below the results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Predict => "predict",
            Self::Score => "score",
            Self::Measure => "measure",
            Self::Probe => "probe",
            Self::Align => "align",
            Self::Train => "train",
            Self::Correlate => "correlate",
            Self::Report => "report",
        }
    }

    /// Version of the code behind a kind. It is part of every digest, so raising it makes all results of the
    /// kind stale: raise it with each change after which the same input gives another result.
    pub fn code_version(self) -> u32 {
        match self {
            Self::Data | Self::Score | Self::Measure | Self::Probe => 1,
            // Train 2: products of training on the tile unit where there is one, another order of sums.
            // Predict 2: the products of training for answers, another order of sums.
            // Align 2: all scores, ceilings, intervals by half-samples. Correlate 2: clusters, controls, more statistics.
            // Report 2: with a page and figures.
            Self::Predict | Self::Train | Self::Align | Self::Correlate | Self::Report => 2,
        }
    }

    /// Whether a stage of this kind reads the files of its inputs that are not kept with the results
    /// (weights, questions): without them it cannot run. The last two only read figures and predictions.
    pub fn reads_external_files(self) -> bool {
        !matches!(self, Self::Correlate | Self::Report)
    }
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a stage: unique within an experiment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StageId {
    /// What it does.
    pub kind: StageKind,
    /// To what: the name of a set, of a pair `TRAIN--TARGET`, or `all`.
    pub name: String,
}

impl StageId {
    /// A stage of `kind` called `name`.
    pub fn new(kind: StageKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}
