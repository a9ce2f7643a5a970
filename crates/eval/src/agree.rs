//! Which of several queries for one question return the same: what a vote among answers needs to know of them.
//!
//! It knows no gold query.

use std::path::PathBuf;

use crate::evaluate::{EvalError, Options};
use crate::exec::{Job, Pool, Rows, Session, Stop};
use crate::metric::bag;

/// Queries that are to be compared with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The SQLite file they are for, if there is one.
    pub database: Option<PathBuf>,
    /// Their texts.
    pub queries: Vec<String>,
}

/// Executes all queries, each distinct text of a question once, and gives each the number of its group: queries of a group
/// return the same by the metric `bag`, compared with the group's first. Groups are numbered in the order of their firsts;
/// `None` is a query that fails, passes a limit, or has no database. `done` is called with the number of questions that
/// are finished.
///
/// # Errors
/// If the worker processes can't be had.
pub fn agreeing(
    questions: &[Candidates],
    options: &Options,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<Vec<Option<usize>>>, EvalError> {
    let pool = Pool::new(options.worker.clone(), options.limits, options.workers);
    let mut count = 0;
    Ok(pool.run(questions, group, &mut |_| {
        count += 1;
        done(count);
    })?)
}

fn group(session: &mut Session<'_>, question: &Candidates) -> Result<Vec<Option<usize>>, Stop> {
    let database = question.database.as_ref().filter(|file| file.is_file());
    let Some(database) = database else {
        return Ok(vec![None; question.queries.len()]);
    };
    let mut distinct: Vec<&str> = Vec::new();
    let places: Vec<usize> = question
        .queries
        .iter()
        .map(|sql| {
            let known = distinct.iter().position(|other| other == sql);
            known.unwrap_or_else(|| {
                distinct.push(sql);
                distinct.len() - 1
            })
        })
        .collect();
    let jobs: Vec<Job> = distinct
        .iter()
        .map(|sql| Job::new(database, *sql))
        .collect();
    let answers = session.execute_all(&jobs)?;
    let mut firsts: Vec<&Rows> = Vec::new();
    let groups: Vec<Option<usize>> = answers
        .iter()
        .map(|answer| {
            let rows = answer.result.as_ref().ok()?;
            let known = firsts.iter().position(|first| bag::agree(first, rows));
            Some(known.unwrap_or_else(|| {
                firsts.push(rows);
                firsts.len() - 1
            }))
        })
        .collect();
    Ok(places.into_iter().map(|place| groups[place]).collect())
}
