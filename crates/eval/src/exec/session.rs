//! The worker of one thread, and the queries that are handed to it.

use std::mem;
use std::sync::Arc;

use super::cache::Key;
use super::child::{Child, Lost};
use super::database::Database;
use super::pool::{Pool, PoolError, Reason, Stop, WorkerCommand};
use super::rows::{Answer, Failure, FailureKind, Job, Race};
use super::wire::{self, Message, Request};

/// One worker at a time, started when there is something to run, and replaced when it is lost.
pub struct Session<'p> {
    pool: &'p Pool,
    child: Option<Child>,
    last: bool,
    ran: bool,
}

impl<'p> Session<'p> {
    /// A session; in a `last` one a worker that is lost is a failure of its query.
    pub(super) fn new(pool: &'p Pool, last: bool) -> Self {
        Self {
            pool,
            child: None,
            last,
            ran: false,
        }
    }

    /// Runs one query. A failure of the query is part of the answer; hand a [`Stop`] on.
    pub fn execute(&mut self, job: &Job) -> Result<Answer, Stop> {
        let answers = self.execute_all(std::slice::from_ref(job))?;
        // One job has one answer.
        Ok(answers
            .into_iter()
            .next()
            .unwrap_or_else(|| lost(Lost::Died, self.pool)))
    }

    /// Runs queries one after the other, and returns their answers in the same order. The worker gets them all at once,
    /// so that it has the next one at hand when it is done with one; each has the limits for itself.
    pub fn execute_all(&mut self, jobs: &[Job]) -> Result<Vec<Answer>, Stop> {
        let databases: Vec<_> = jobs
            .iter()
            .map(|job| self.pool.databases.at(&job.database))
            .collect();
        let cache = self.pool.cache.as_ref();
        let (keys, mut answers): (Vec<Option<Key>>, Vec<Option<Answer>>) = match cache {
            Some((cache, make)) => {
                let key = |(job, database): (&Job, &Arc<Database>)| {
                    database.uri.as_ref().ok()?;
                    Some(make.key(database.content()?, job))
                };
                let keys: Vec<_> = jobs.iter().zip(&databases).map(key).collect();
                let answers = cache.get(&keys);
                (keys, answers)
            }
            None => (vec![None; jobs.len()], vec![None; jobs.len()]),
        };
        let mut requests = Vec::new();
        let mut open = Vec::new();
        for (at, (job, database)) in jobs.iter().zip(&databases).enumerate() {
            match &database.uri {
                Err(failure) => answers[at] = Some(failed(failure.clone(), 0.0)),
                Ok(uri) if answers[at].is_none() => {
                    let request = Request::new(uri, job, self.pool.limits);
                    requests.push(wire::frame(&Message::Query(request)));
                    open.push(at);
                }
                Ok(_) => {}
            }
        }
        let mut answered = 0;
        while answered < requests.len() {
            // Alone, each goes by itself: it is then known which one a worker was lost by, though replies may go
            // together.
            let end = if self.last {
                answered + 1
            } else {
                requests.len()
            };
            let rest = &requests[answered..end];
            let asked = self.ask(&rest.concat(), rest.len(), &mut |payload| {
                let at = open[answered];
                answers[at] = Some(wire::decode(payload)?);
                answered += 1;
                if let (Some((cache, _)), Some(key), Some((ns, true))) =
                    (cache, keys[at], wire::head(payload))
                {
                    cache.put(key, payload, ns);
                }
                Some(())
            })?;
            if let Err(by) = asked {
                answers[open[answered]] = Some(lost(by, self.pool));
                answered += 1;
            }
        }
        // All places are filled by now.
        Ok(answers.into_iter().flatten().collect())
    }

    /// Runs two queries in turns, each on a connection of its own, and returns the nanoseconds of the first and of the
    /// second, for each of the laps. The first failure ends it.
    pub fn race(&mut self, race: &Race) -> Result<Result<Vec<(u64, u64)>, Failure>, Stop> {
        let database = self.pool.databases.at(&race.database);
        let uri = match &database.uri {
            Ok(uri) => uri,
            Err(failure) => return Ok(Err(failure.clone())),
        };
        let request = |sql: &str| {
            let job = Job::new(&race.database, sql);
            Request::new(uri, &job, self.pool.limits)
        };
        let message = Message::Race(request(&race.gold), request(&race.predicted), race.repeats);
        let mut times = Vec::new();
        let mut failure = None;
        let asked = self.ask(
            &wire::frame(&message),
            race.repeats as usize * 2,
            &mut |payload| {
                times.push(wire::head(payload)?.0);
                if let Err(error) = wire::decode(payload)?.result {
                    failure = failure.take().or(Some(error));
                }
                Some(())
            },
        )?;
        Ok(match (asked, failure) {
            (_, Some(failure)) => Err(failure),
            (Err(by), None) => Err(lost_failure(by, self.pool).0),
            (Ok(()), None) => Ok(times.chunks_exact(2).map(|lap| (lap[0], lap[1])).collect()),
        })
    }

    /// Whether a worker was asked since this was last called.
    pub(super) fn has_run_something(&mut self) -> bool {
        mem::take(&mut self.ran)
    }

    /// Asks the worker, which is started if there is none and let go if it is lost.
    fn ask(
        &mut self,
        requests: &[u8],
        replies: usize,
        take: &mut dyn FnMut(&[u8]) -> Option<()>,
    ) -> Result<Result<(), Lost>, Stop> {
        self.ran = true;
        let Pool {
            command, limits, ..
        } = self.pool;
        let child = match &mut self.child {
            Some(child) => child,
            none => none.insert(start(command, limits).map_err(|e| Stop(Reason::Broken(e)))?),
        };
        let asked = child.ask(requests, replies, limits.wall(), take);
        if asked.is_err() {
            self.child = None;
            if !self.last {
                return Err(Stop(Reason::Again));
            }
        }
        Ok(asked)
    }
}

fn failed(failure: Failure, ms: f64) -> Answer {
    Answer {
        result: Err(failure),
        ms,
    }
}

/// The answer to a query that has cost its worker twice.
fn lost(by: Lost, pool: &Pool) -> Answer {
    let (failure, ms) = lost_failure(by, pool);
    failed(failure, ms)
}

fn lost_failure(by: Lost, pool: &Pool) -> (Failure, f64) {
    let wall = pool.limits.wall_ms;
    match by {
        Lost::Late => {
            let message = format!("killed after {wall} ms, and again when run alone");
            (Failure::new(FailureKind::TimeoutWall, message), wall as f64)
        }
        Lost::Died => {
            let message = "brought its worker process down, and again when run alone";
            (Failure::new(FailureKind::Error, message), 0.0)
        }
    }
}

/// Starts a worker. One that ends before it has greeted may have been killed from outside, which must not end the run;
/// a program that is no worker does it every time.
fn start(command: &WorkerCommand, limits: &super::Limits) -> Result<Child, PoolError> {
    const ATTEMPTS: usize = 3;
    let mut result = Child::start(command, limits);
    for _ in 1..ATTEMPTS {
        if !matches!(result, Err(PoolError::NotAWorker { .. })) {
            break;
        }
        result = Child::start(command, limits);
    }
    result
}
