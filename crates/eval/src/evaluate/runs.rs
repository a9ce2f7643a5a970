//! The queries of one row that have been run, so that none is run twice.

use std::path::PathBuf;

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

    /// The query on one of the row's files.
    pub fn job(&self, file: usize, sql: &str) -> Job {
        // No path is that of a database that is absent.
        let path: PathBuf = self.row.place.files.get(file).cloned().unwrap_or_default();
        Job::new(path, sql)
    }

    /// Runs those of the queries that have not been run. Together they cost one way to the worker and back.
    pub fn all(&mut self, jobs: impl IntoIterator<Item = Job>) -> Result<(), Stop> {
        let mut wanted: Vec<Job> = Vec::new();
        for job in jobs {
            if self.place_of(&job).is_some() || wanted.contains(&job) {
                continue;
            }
            if job.database.is_file() {
                wanted.push(job);
            } else {
                let answer = absent(&job);
                self.done.push((job, answer));
            }
        }
        let answers = self.session.execute_all(&wanted)?;
        self.done.extend(wanted.into_iter().zip(answers));
        Ok(())
    }

    /// Runs a query unless it has been run, and says which one it is.
    pub fn run(&mut self, job: Job) -> Result<usize, Stop> {
        if let Some(place) = self.place_of(&job) {
            return Ok(place);
        }
        let answer = if job.database.is_file() {
            self.session.execute(&job)?
        } else {
            absent(&job)
        };
        self.done.push((job, answer));
        Ok(self.done.len() - 1)
    }

    /// What a query returned.
    pub fn result(&self, run: usize) -> Result<&Rows, &Failure> {
        self.done[run].1.result.as_ref()
    }

    /// Milliseconds that a query took.
    pub fn ms(&self, run: usize) -> f64 {
        self.done[run].1.ms
    }

    fn place_of(&self, job: &Job) -> Option<usize> {
        self.done.iter().position(|(done, _)| done == job)
    }
}

fn absent(job: &Job) -> Answer {
    let message = if job.database.as_os_str().is_empty() {
        "the data set has no file for this database".to_owned()
    } else {
        format!("there is no file {}", job.database.display())
    };
    Answer {
        result: Err(Failure::new(FailureKind::NoDatabase, message)),
        ms: 0.0,
    }
}
