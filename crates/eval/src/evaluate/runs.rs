//! The queries of one row that have been run, so that none is run twice.

use super::Row;
use crate::exec::{Failure, FailureKind, Job, Rows, Session, Stop};

/// The queries of one row. A query is known by its place among them.
pub struct Runs<'s, 'p, 'r> {
    session: &'s mut Session<'p>,
    row: &'r Row,
    done: Vec<(Job, Result<Rows, Failure>)>,
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
        let database = self.row.place.files.get(file).cloned().unwrap_or_default();
        let job = Job::new(database, sql);
        if let Some(at) = self.done.iter().position(|(done, _)| *done == job) {
            return Ok(at);
        }
        let result = if job.database.is_file() {
            self.session.execute(&job)?.result
        } else {
            let message = match self.row.place.files.get(file) {
                Some(path) => format!("there is no file {}", path.display()),
                None => "the data set has no file for this database".to_owned(),
            };
            Err(Failure::new(FailureKind::NoDatabase, message))
        };
        self.done.push((job, result));
        Ok(self.done.len() - 1)
    }

    /// What a query returned.
    pub fn result(&self, run: usize) -> Result<&Rows, &Failure> {
        self.done[run].1.as_ref()
    }
}
