//! Answers on disk while they come in: what was answered before a run ended is not asked again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use harness_record::{Example, Prediction};
use serde::{Deserialize, Serialize};

use crate::files::Growing;

/// How long an answer took. Apart from the answers, which are the same at every run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timing {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<usize>,
    /// Milliseconds from entering the batch to the last token.
    ms: f64,
}

/// A question's identifier and the number of the answer to it.
type Key = (String, usize);

/// The answers of a folder, with those of earlier runs.
pub struct Rows {
    answers: (Growing, BTreeMap<Key, Prediction>),
    timings: (Growing, BTreeMap<Key, Timing>),
}

impl Rows {
    /// Opens what a run left in `folder`.
    pub fn open(folder: &Path) -> Result<Self> {
        let (answers, known) = Growing::open(&folder.join("predictions.partial.jsonl"))?;
        let (timings, timed) = Growing::open(&folder.join("timing.partial.jsonl"))?;
        let by_key = |row: Prediction| ((row.id.clone(), row.sample.unwrap_or(0)), row);
        let timing_by_key = |row: Timing| ((row.id.clone(), row.sample.unwrap_or(0)), row);
        Ok(Self {
            answers: (answers, known.into_iter().map(by_key).collect()),
            timings: (timings, timed.into_iter().map(timing_by_key).collect()),
        })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.1.len()
    }

    /// Adds an answer.
    pub fn push(&mut self, row: Prediction, spent: Duration) -> Result<()> {
        let key = (row.id.clone(), row.sample.unwrap_or(0));
        let timing = Timing {
            id: row.id.clone(),
            sample: row.sample,
            ms: (spent.as_secs_f64() * 1e6).round() / 1e3,
        };
        // The answer last: where it is not, it is asked for again and timed again.
        self.timings.0.push(&timing)?;
        self.answers.0.push(&row)?;
        self.timings.1.insert(key.clone(), timing);
        self.answers.1.insert(key, row);
        Ok(())
    }

    /// Which of the first `samples` answers to a question are not there.
    pub fn missing(&self, example: &Example, samples: usize) -> Vec<usize> {
        let known = |sample: &usize| self.answers.1.contains_key(&(example.id.clone(), *sample));
        (0..samples).filter(|sample| !known(sample)).collect()
    }

    /// The answers to each question, by their number.
    pub fn of<'a>(&'a self, examples: &[Example], samples: usize) -> Vec<Vec<&'a Prediction>> {
        of(&self.answers.1, examples, samples)
    }

    /// How long each answer took, question by question.
    pub fn timings(&self, examples: &[Example], samples: usize) -> Vec<&Timing> {
        of(&self.timings.1, examples, samples).concat()
    }
}

fn of<'a, T>(rows: &'a BTreeMap<Key, T>, examples: &[Example], samples: usize) -> Vec<Vec<&'a T>> {
    examples
        .iter()
        .map(|example| {
            (0..samples)
                .filter_map(|sample| rows.get(&(example.id.clone(), sample)))
                .collect()
        })
        .collect()
}
