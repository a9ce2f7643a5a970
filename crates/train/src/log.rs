//! The curve of a run as JSON Lines: one line per step and per development loss, on disk as soon as it is known.
//! A resumed run continues the file, so that it reads like that of a run that was never interrupted.
//!
//! Each line is an object; `event` says which. A key that is not known to a reader is to be passed over.
//!
//! | `event` | key | what |
//! | --- | --- | --- |
//! | `step` | `step`, `of` | the step, counted from 1, and the steps of the whole run |
//! | | `loss` | nats per target token, the mean over the step, before its update |
//! | | `learning_rate` | of the update |
//! | | `grad_norm` | global norm before clipping |
//! | | `tokens`, `target_tokens` | tokens read, and those of them that carried loss |
//! | | `micro_batches` | forward and backward passes |
//! | `dev_loss` | `step` | steps done before the measurement; 0 is the untrained model |
//! | | `loss` | nats per target token over all development examples, without dropout |
//! | | `target_tokens` | tokens that carried loss |
//! | | `score` | share of right answers, where the run measures it |
//!
//! There is no time in it: two runs of the same seed have the same bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::event::Event;

/// Why the log could not be written or continued.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The log.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A line that is not the last is not a line of a log.
    #[error("{} line {line} is not a line of a training log: {source}", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The log of one run.
#[derive(Debug)]
pub struct StepLog {
    path: PathBuf,
    file: File,
}

/// The part of a line that says where it belongs.
#[derive(Deserialize)]
struct Place {
    step: usize,
}

impl StepLog {
    /// Opens the log at `path`, making it where it is not. Nothing is lost before [`Event::Started`] is recorded.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(io_at("open", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes the line of a step or a development loss. At the start of a run it cuts what lies after the steps
    /// already done: all of it for a fresh run, and for a resumed one what followed its checkpoint. Other events
    /// leave no line.
    pub fn record(&mut self, event: &Event) -> Result<(), LogError> {
        match event {
            Event::Started { done, .. } => self.keep(*done),
            Event::Step(_) | Event::DevLoss(_) => {
                let io = |source: io::Error| io_at("write", &self.path)(source);
                let mut line = serde_json::to_vec(event).map_err(|error| io(error.into()))?;
                line.push(b'\n');
                // One call for the whole line, unbuffered: a kill leaves at most one torn line, the last.
                self.file.write_all(&line).map_err(io)
            }
            Event::Checkpoint { .. } | Event::Damaged { .. } | Event::EarlyStop { .. } => Ok(()),
        }
    }

    /// Cuts the file before the first line of a later step than `done`, and before a torn last line.
    fn keep(&mut self, done: usize) -> Result<(), LogError> {
        let length = if done == 0 {
            0
        } else {
            let text = fs::read(&self.path).map_err(io_at("read", &self.path))?;
            self.end_of(&text, done)?
        };
        self.file
            .set_len(length as u64)
            .map_err(io_at("cut", &self.path))
    }

    /// Length in bytes of the lines of `text` up to step `done`.
    fn end_of(&self, text: &[u8], done: usize) -> Result<usize, LogError> {
        let mut end = 0;
        for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if !line.ends_with(b"\n") {
                break;
            }
            let place: Place = serde_json::from_slice(line).map_err(|source| LogError::Line {
                path: self.path.clone(),
                line: index + 1,
                source,
            })?;
            if place.step > done {
                break;
            }
            end += line.len();
        }
        Ok(end)
    }
}

fn io_at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::LeftOut;
    use crate::event::{DevLoss, StepRecord};

    fn started(done: usize) -> Event {
        Event::Started {
            examples: 1,
            left_out: LeftOut::default(),
            dev_examples: 0,
            dev_left_out: LeftOut::default(),
            steps: 9,
            done,
            trainable_parameters: 1,
        }
    }

    fn step(step: usize) -> Event {
        Event::Step(StepRecord {
            step,
            of: 9,
            loss: 0.5,
            learning_rate: 0.25,
            grad_norm: 2.0,
            tokens: 5,
            target_tokens: 2,
            micro_batches: 1,
        })
    }

    fn dev(step: usize) -> Event {
        Event::DevLoss(DevLoss {
            step,
            loss: 1.5,
            target_tokens: 3,
            score: None,
        })
    }

    const STEP_1: &str = "{\"event\":\"step\",\"step\":1,\"of\":9,\"loss\":0.5,\"learning_rate\":0.25,\
        \"grad_norm\":2.0,\"tokens\":5,\"target_tokens\":2,\"micro_batches\":1}\n";
    const DEV_1: &str = "{\"event\":\"dev_loss\",\"step\":1,\"loss\":1.5,\"target_tokens\":3}\n";

    #[test]
    fn a_resumed_log_is_cut_to_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let mut log = StepLog::open(&path).unwrap();
        for event in [started(0), step(1), dev(1), step(2)] {
            log.record(&event).unwrap();
        }
        fs::write(
            &path,
            [&fs::read(&path).unwrap()[..], b"{\"event\":\"st"].concat(),
        )
        .unwrap();

        let mut log = StepLog::open(&path).unwrap();
        log.record(&started(1)).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{STEP_1}{DEV_1}")
        );

        log.record(&started(0)).unwrap();
        log.record(&step(1)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), STEP_1);
    }

    #[test]
    fn a_foreign_file_is_refused_on_resume() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        fs::write(&path, format!("{STEP_1}hello\n")).unwrap();
        let error = StepLog::open(&path)
            .unwrap()
            .record(&started(3))
            .unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert_eq!(fs::read(&path).unwrap().len(), STEP_1.len() + 6);
    }
}
