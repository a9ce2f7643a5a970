//! Choosing the examples of a pool that serve a target.
//!
//! From one or several sets put together ([`Pool`]) n examples are chosen for a target that is given as queries: its
//! golds, or a sample of them. Forward A(S, T) is no guide here: a set that repeats the target's commonest template
//! reaches a high one. So the default covers the target, as A(T, S) and JS measure it. What a method chooses is worth
//! something only if it does better than its control arms on queries of the target that it has not seen, which
//! [`card`](fn@card) tells.
//!
//! | method | file | what it takes |
//! | --- | --- | --- |
//! | [`SelectMethod::Greedy`] | `greedy` | what lowers D(T, S') most, example by example |
//! | [`SelectMethod::Importance`] | `importance` | a resample by importance weights of hashed n-grams |
//! | [`SelectMethod::Nearest`] | `nearest` | the nearest by question (control) |
//! | [`SelectMethod::Random`] | `ranked` | any (control) |
//! | [`SelectMethod::LeastAligned`] | `ranked` | the least likely under the target (control) |
//!
//! The module knows no files and no models: what an example is worth beyond its structure is not seen here.

mod candidates;
mod card;
mod greedy;
mod held_out;
mod importance;
mod nearest;
mod pool;
mod quota;
mod ranked;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::compare::require_templates;
use crate::error::AlignError;
use crate::options::Options;
use crate::sparse::Sparse;
use crate::warning::{Role, Warning};
use crate::workload::Workload;

use candidates::Candidates;
pub use candidates::Removed;
pub use card::{Arm, Card, Coverage, Gap, card};
pub use held_out::{HeldOut, HeldOutArm};
pub use pool::Pool;
pub use quota::Constraints;

/// A sample of the target with fewer queries says too little of it to choose by.
pub const LEAST_SAMPLE: usize = 50;

/// How examples are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectMethod {
    /// Example by example what brings the chosen set nearest to the target: the largest drop of D(T, S').
    #[default]
    Greedy,
    /// Importance resampling on hashed n-grams (Xie et al. 2023).
    Importance,
    /// Control: nearest to the target's questions.
    Nearest,
    /// Control: at random.
    Random,
    /// Control: least likely under the target.
    LeastAligned,
}

impl SelectMethod {
    /// Every method, the default first.
    pub const ALL: [Self; 5] = [
        Self::Greedy,
        Self::Importance,
        Self::Nearest,
        Self::Random,
        Self::LeastAligned,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Greedy => "greedy",
            Self::Importance => "importance",
            Self::Nearest => "nearest",
            Self::Random => "random",
            Self::LeastAligned => "least-aligned",
        }
    }
}

/// What is asked of a selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectOptions {
    /// Examples to choose.
    pub n: usize,
    /// How.
    pub method: SelectMethod,
    /// What the chosen set must keep to.
    pub constraints: Constraints,
    /// Whether examples that repeat an earlier one (one template, and the same normalised query or question) stay.
    pub keep_duplicates: bool,
    /// Whether examples whose normalised query or question is one of the target's stay.
    pub keep_leaks: bool,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// The settings of the scores.
    pub scores: Options,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self {
            n: 1_000,
            method: SelectMethod::default(),
            constraints: Constraints::default(),
            keep_duplicates: false,
            keep_leaks: false,
            seed: 0,
            scores: Options::default(),
        }
    }
}

/// A chosen example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pick {
    /// Its turn, from 1.
    pub order: usize,
    /// Its identifier in its set.
    pub id: String,
    /// The set it comes from.
    pub set: String,
    /// Its database, where that is known.
    pub database: Option<String>,
    /// Its template.
    pub template: String,
    /// What decided: by `greedy` the drop of D(T, S') in nats, by the other methods what they rank by; more is better.
    pub gain: f64,
    /// What it shares with the target.
    pub why: String,
    /// Its place in the pool.
    #[serde(skip)]
    pub place: usize,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The examples, in the order in which they were chosen.
    pub picks: Vec<Pick>,
    /// What was asked.
    pub options: SelectOptions,
    /// Examples of the pool that could be chosen.
    pub candidates: usize,
    /// Examples of the pool that could not.
    pub removed: Removed,
    /// Reasons for care.
    pub warnings: Vec<Warning>,
}

impl Selection {
    /// The chosen examples, in their order.
    pub fn workload(&self, pool: &Pool) -> Workload {
        let places: Vec<usize> = self.picks.iter().map(|pick| pick.place).collect();
        pool.workload().subset("chosen", &places)
    }

    /// How many examples fewer than asked the constraints left.
    pub fn short(&self) -> usize {
        self.options.n - self.picks.len()
    }
}

/// What every method is given.
struct Task<'a> {
    pool: &'a Pool,
    target: &'a Workload,
    space: &'a Sparse,
    candidates: &'a Candidates,
    options: &'a SelectOptions,
}

/// The place of the pool in the space of a task.
const POOL: usize = 0;
/// The place of the target in it.
const TARGET: usize = 1;

/// Chooses examples of `pool` for `target`.
///
/// Fails if the target has fewer than [`LEAST_SAMPLE`] queries with a template, if fewer than n examples can be chosen,
/// or if an option is outside its range. Constraints that leave fewer than n are told by [`Selection::short`].
pub fn select(
    pool: &Pool,
    target: &Workload,
    options: &SelectOptions,
) -> Result<Selection, AlignError> {
    options.scores.check()?;
    require_templates(Role::Source, pool.workload().templates())?;
    require_sample(target)?;
    let space = Sparse::new(
        &[pool.workload().templates(), target.templates()],
        options.scores,
    );
    if space.count(space.templates(TARGET)).total == 0 {
        return Err(AlignError::NoNgrams {
            set: Role::Target,
            templates: target.templates().n_templates(),
            l_max: options.scores.l_max,
        });
    }
    let (candidates, removed) = candidates::candidates(pool, target, &space, options);
    if !(1..=candidates.len()).contains(&options.n) {
        return Err(AlignError::TooFewCandidates {
            n: options.n,
            candidates: candidates.len(),
            pool: pool.workload().len(),
        });
    }
    let task = Task {
        pool,
        target,
        space: &space,
        candidates: &candidates,
        options,
    };
    let chosen = match options.method {
        SelectMethod::Greedy => greedy::greedy(&task),
        SelectMethod::Importance => ranked::take(&task, &importance::scores(&task)),
        SelectMethod::Nearest => ranked::take(&task, &nearest::scores(&task)),
        SelectMethod::Random => ranked::take(&task, &vec![0.0; candidates.len()]),
        SelectMethod::LeastAligned => ranked::take(&task, &ranked::least_aligned(&task)),
    };
    Ok(Selection {
        picks: picks(&task, &chosen),
        options: options.clone(),
        candidates: candidates.len(),
        removed,
        warnings: Warning::of(Role::Target, target.templates()),
    })
}

fn require_sample(target: &Workload) -> Result<(), AlignError> {
    let queries = target.templates().n_templates();
    if queries < LEAST_SAMPLE {
        return Err(AlignError::SampleTooSmall {
            queries,
            least: LEAST_SAMPLE,
        });
    }
    Ok(())
}

/// The chosen candidates, each with what decided, as a reader wants them.
fn picks(task: &Task, chosen: &[(usize, f64)]) -> Vec<Pick> {
    let space = task.space;
    let mut of_target = vec![0_usize; space.forms().len()];
    for template in space.templates(TARGET) {
        of_target[template as usize] += 1;
    }
    let target = space.count(space.templates(TARGET));
    let pick = |(order, &(candidate, gain)): (usize, &(usize, f64))| {
        let place = task.candidates.place(candidate);
        let query = &task.pool.workload().queries()[place];
        let template = task.candidates.template(candidate);
        let vector = space.vector(template);
        let shared = vector
            .iter()
            .filter(|(f, _)| target.n[*f as usize] > 0)
            .count();
        let why = match of_target[template as usize] {
            0 => format!(
                "{shared} of its {} n-grams are the target's; no query of the target has its template",
                vector.len()
            ),
            1 => "1 query of the target has its template".to_owned(),
            times => format!("{times} queries of the target have its template"),
        };
        Pick {
            order: order + 1,
            id: query.id.clone(),
            set: task.pool.set_of(place).to_owned(),
            database: query.db_id.clone(),
            template: space.forms()[template as usize].to_string(),
            gain,
            why,
            place,
        }
    };
    chosen.iter().enumerate().map(pick).collect()
}
