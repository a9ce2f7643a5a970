//! The whole way: wanted templates in, examples out, with an account of what could not be made.

use std::collections::{BTreeMap, BTreeSet};

use harness_record::{Query, Schema};
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::ask::ask;
use crate::assign::assign;
use crate::database::Database;
use crate::fill::fill;
use crate::reason::Reason;
use crate::sense::{Found, judge};
use crate::skeleton::Skeleton;
use crate::wanted::Wanted;
use crate::write::{names, without, write};

/// Rounds of making and executing, until what is asked for is made.
const ROUNDS: usize = 10;
/// Ways of filling one skeleton that are tried for one query.
const TRIES: usize = 12;
/// Draws of literals for one choice of tables and columns.
const FILLS: usize = 4;

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Options {
    /// Examples in all, at most.
    pub n: usize,
    /// Examples of one template, at most.
    pub per_template: usize,
    /// Seed of all choices.
    pub seed: u64,
}

/// Queries on one database, to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Place of the database in the list that [`augment()`] was given.
    pub database: usize,
    /// The queries.
    pub queries: Vec<String>,
}

/// Runs queries: for each probe what each of its queries returned, none for one that failed.
pub type Execute<'a, E> = dyn FnMut(&[Probe]) -> Result<Vec<Vec<Found>>, E> + 'a;

/// A made example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Place of its database in the list.
    #[serde(skip)]
    pub database: usize,
    /// Name of its database.
    pub db_id: String,
    /// The question.
    pub question: String,
    /// The query.
    pub sql: String,
    /// Its template.
    pub template: String,
    /// Identifier of the target's query that was its skeleton.
    pub skeleton: String,
    /// Rows that it returns.
    pub rows: usize,
}

/// What became of one wanted template.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wanting {
    /// The template.
    pub template: String,
    /// What the source lacks of it, as a share of the target's queries.
    pub lack: f64,
    /// Examples that were asked for.
    pub asked: usize,
    /// Examples that were made.
    pub made: usize,
    /// Why attempts came to nothing, with how many did.
    pub rejected: BTreeMap<Reason, usize>,
}

/// What was made, and of what.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Augmented {
    /// The examples, template by template, what is lacking most first.
    pub examples: Vec<Example>,
    /// The wanted templates that examples were asked of, in the same order.
    pub templates: Vec<Wanting>,
    /// Wanted templates beyond the number of examples.
    pub not_asked: usize,
    /// Share of the target's queries that the source lacks, over all wanted templates.
    pub lack: f64,
    /// The part of it whose templates have an example now.
    pub lack_met: f64,
}

/// Makes examples for the wanted templates.
///
/// `target` are the queries that [`Wanted::queries`] counts, `schema` tells the schema of one of their databases where
/// it is known. `progress` is told how many examples are made, of how many.
pub fn augment<'s, E>(
    wanted: &[Wanted],
    target: &[Query],
    schema: impl Fn(&str) -> Option<&'s Schema>,
    databases: &[Database],
    options: &Options,
    execute: &mut Execute<'_, E>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Augmented, E> {
    let mut works: Vec<Work> = quotas(wanted, options)
        .into_iter()
        .zip(wanted)
        .enumerate()
        .map(|(number, (asked, wanted))| Work::new(number, wanted, asked, target, &schema))
        .collect();
    let total = works.iter().map(|work| work.asked).sum();
    let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut candidates = Vec::new();
        for work in &mut works {
            for candidate in work.candidates(round, databases, options.seed) {
                if seen.insert((candidate.example.database, candidate.example.sql.clone())) {
                    candidates.push(candidate);
                } else {
                    work.reject(Reason::Repeated);
                }
            }
        }
        if candidates.is_empty() {
            break;
        }
        let probes: Vec<Probe> = candidates.iter().map(Candidate::probe).collect();
        let found = execute(&probes)?;
        for (mut candidate, found) in candidates.into_iter().zip(found) {
            let work = &mut works[candidate.work];
            let judged = match found.as_slice() {
                [] => Err(Reason::Fails),
                [result, rest @ ..] => judge(result, rest.first()),
            };
            match judged {
                Err(reason) => work.reject(reason),
                Ok(()) if work.made.len() < work.asked => {
                    let rows = found.first().and_then(Option::as_ref);
                    candidate.example.rows = rows.map_or(0, Vec::len);
                    work.made.push(candidate.example);
                }
                // More than were needed: made in case others would be of no use.
                Ok(()) => {}
            }
        }
        progress(works.iter().map(|work| work.made.len()).sum(), total);
    }
    let mut all = Augmented {
        not_asked: wanted.len() - works.len(),
        lack: wanted.iter().map(Wanted::lack).sum(),
        ..Augmented::default()
    };
    for (work, wanted) in works.into_iter().zip(wanted) {
        if !work.made.is_empty() {
            all.lack_met += wanted.lack();
        }
        all.templates.push(Wanting {
            template: wanted.template.to_string(),
            lack: wanted.lack(),
            asked: work.asked,
            made: work.made.len(),
            rejected: work.rejected,
        });
        all.examples.extend(work.made);
    }
    Ok(all)
}

/// How many examples are asked of each template, from the first on: one at least, and as many as its part of what is
/// lacking, until there are enough.
fn quotas(wanted: &[Wanted], options: &Options) -> Vec<usize> {
    let all: f64 = wanted.iter().map(Wanted::lack).sum();
    let mut left = options.n;
    let mut quotas = Vec::new();
    for one in wanted {
        let part = (options.n as f64 * one.lack() / all).round() as usize;
        let quota = part.clamp(1, options.per_template.max(1)).min(left);
        if quota == 0 {
            break;
        }
        left -= quota;
        quotas.push(quota);
    }
    quotas
}

/// One wanted template in the making.
struct Work {
    number: usize,
    asked: usize,
    /// Skeletons with the identifiers of their queries.
    skeletons: Vec<(String, Skeleton)>,
    /// Queries made so far, of use or not: no two have the same stream of random numbers.
    tried: u64,
    made: Vec<Example>,
    rejected: BTreeMap<Reason, usize>,
}

/// A query that is to be executed.
struct Candidate {
    work: usize,
    example: Example,
    /// The query without the condition of its first block.
    without: Option<String>,
}

impl Candidate {
    fn probe(&self) -> Probe {
        let mut queries = vec![self.example.sql.clone()];
        queries.extend(self.without.clone());
        Probe {
            database: self.example.database,
            queries,
        }
    }
}

impl Work {
    fn new<'s>(
        number: usize,
        wanted: &Wanted,
        asked: usize,
        target: &[Query],
        schema: impl Fn(&str) -> Option<&'s Schema>,
    ) -> Self {
        let mut work = Self {
            number,
            asked,
            skeletons: Vec::new(),
            tried: 0,
            made: Vec::new(),
            rejected: BTreeMap::new(),
        };
        for query in wanted.queries.iter().filter_map(|place| target.get(*place)) {
            let schema = query.db_id.as_deref().and_then(&schema);
            match Skeleton::new(&query.sql, schema) {
                Ok(skeleton) => work.skeletons.push((query.id.clone(), skeleton)),
                Err(reason) => work.reject(reason),
            }
        }
        work
    }

    fn reject(&mut self, reason: Reason) {
        *self.rejected.entry(reason).or_insert(0) += 1;
    }

    /// Queries for what is still missing, some more from the second round on.
    fn candidates(&mut self, round: usize, databases: &[Database], seed: u64) -> Vec<Candidate> {
        let missing = self.asked - self.made.len();
        let count = if round == 0 { missing } else { 2 * missing };
        let mut candidates = Vec::new();
        if self.skeletons.is_empty() {
            return candidates;
        }
        for _ in 0..count {
            for _ in 0..TRIES {
                self.tried += 1;
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(((self.number as u64) << 32) + self.tried);
                match self.candidate(databases, &mut rng) {
                    Ok(candidate) => {
                        candidates.push(candidate);
                        break;
                    }
                    Err(reason) => self.reject(reason),
                }
            }
        }
        candidates
    }

    fn candidate(&self, databases: &[Database], rng: &mut ChaCha8Rng) -> Result<Candidate, Reason> {
        let Some((id, skeleton)) = self.skeletons.choose(rng) else {
            return Err(Reason::NoTables);
        };
        let mut order: Vec<usize> = (0..databases.len()).collect();
        order.shuffle(rng);
        let chosen = order.into_iter().find_map(|place| {
            assign(skeleton, &databases[place], rng).map(|assignment| (place, assignment))
        });
        let (place, assignment) = chosen.ok_or(Reason::NoTables)?;
        let database = &databases[place];
        let mut texts = names(skeleton, &assignment, database);
        let mut literals = Err(Reason::NoValues);
        for _ in 0..FILLS {
            literals = fill(skeleton, &assignment, database, rng);
            if literals.is_ok() {
                break;
            }
        }
        texts.extend(literals?);
        let sql = write(skeleton, &texts)?;
        let question = ask(skeleton, &assignment, database, &texts, rng)?;
        Ok(Candidate {
            work: self.number,
            without: without_condition(skeleton, &texts),
            example: Example {
                database: place,
                db_id: database.db_id.clone(),
                question,
                sql,
                template: skeleton.template.to_string(),
                skeleton: id.clone(),
                rows: 0,
            },
        })
    }
}

/// The query without the condition of its first block, where it is cheap to run: not if the condition is what joins the
/// tables.
fn without_condition(skeleton: &Skeleton, texts: &BTreeMap<usize, String>) -> Option<String> {
    let core = skeleton.query.cores.first()?;
    let filter = core.filter.as_ref()?;
    let joined = core.from.iter().skip(1).all(|joined| joined.on.is_some());
    joined.then(|| without(skeleton, texts, filter.begin, filter.end))
}

#[cfg(test)]
mod tests;
