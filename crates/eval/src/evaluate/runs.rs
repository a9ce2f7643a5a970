//! The queries of one row that have been run, so that none is run twice.

use super::Row;
use crate::exec::{Answer, Failure, FailureKind, Job, Rows, Session, Stop};

/// The queries of one row. A query is known by its place among them.
pub struct Runs<'s, 'p, 'r> {
    session: &'s mut Session<'p>,
    row: &'r Row,
    done: Vec<(Job, Answer)>,
}

impl<'s, 'p, 'r> Runs<'s, 'p, 'r> {
    /// None yet.
    pub fn new(session: &'s mut Session<'p>, row: &'r Row) -> Self {
        Self {
            session,
            row,
            done: Vec::new(),
        }
    }

    /// Runs a query on one of the row's files unless it has been run, and says which one it is.
    pub fn run(&mut self, file: usize, sql: &str) -> Result<usize, Stop> {
        self.job(Job::new(self.file(file), sql))
    }

    /// The same on the first file, with the rows of its tables visited from the last to the first.
    pub fn run_reversed(&mut self, sql: &str) -> Result<usize, Stop> {
        self.job(Job {
            reverse: true,
            ..Job::new(self.file(0), sql)
        })
    }

    /// What a query returned.
    pub fn result(&self, run: usize) -> Result<&Rows, &Failure> {
        self.done[run].1.result.as_ref()
    }

    /// Milliseconds that a query took.
    pub fn ms(&self, run: usize) -> f64 {
        self.done[run].1.ms
    }

    /// The file, or no path.
    fn file(&self, file: usize) -> std::path::PathBuf {
        self.row.place.files.get(file).cloned().unwrap_or_default()
    }

    fn job(&mut self, job: Job) -> Result<usize, Stop> {
        if let Some(at) = self.done.iter().position(|(done, _)| *done == job) {
            return Ok(at);
        }
        let answer = if job.database.is_file() {
            self.session.execute(&job)?
        } else {
            let message = if job.database.as_os_str().is_empty() {
                "the data set has no file for this database".to_owned()
            } else {
                format!("there is no file {}", job.database.display())
            };
            Answer {
                result: Err(Failure::new(FailureKind::NoDatabase, message)),
                ms: 0.0,
            }
        };
        self.done.push((job, answer));
        Ok(self.done.len() - 1)
    }
}
