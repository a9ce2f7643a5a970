//! Which score tells the gain best, and whether any does better than the controls.
//!
//! Predictors are ordered by their skill: Spearman's coefficient with the gain, turned round for distances,
//! so that a score that points the wrong way is last. A control claims no direction; it is given the one
//! that it has in the table, which favours it. The constant has a skill of 0. Differences are taken over the
//! cells that both predictors have, in the same resamples.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::coefficient::spearman;
use super::options::{CorrelateOptions, NO_CONCLUSION, NO_NUMBER};
use super::predictor::Predictor;
use super::resample::{Draws, Estimate, NoValue};
use super::sample::Sample;
use crate::interval::Interval;

/// What the order of the leaderboard is made by.
pub const CRITERION: &str =
    "Spearman's coefficient with the gain, turned round where lower is closer";

/// One place of the leaderboard, the best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Name of the predictor.
    pub name: String,
    /// Whether it is a control.
    pub control: bool,
    /// Cells that have it.
    pub n: usize,
    /// Its skill; none where it is not measurable.
    pub skill: Option<f64>,
    /// Its skill less that of the headline predictor, over the cells of both.
    pub less_headline: Option<Difference>,
    /// Its skill less that of the control that has the highest, over the cells of both; none for a control.
    pub less_best_control: Option<Difference>,
    /// Whether it is better than the controls; none for a control.
    pub usefulness: Option<Usefulness>,
}

/// A difference of skills.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    /// The other predictor.
    pub to: String,
    /// Cells that have both.
    pub n: usize,
    /// The difference.
    pub difference: Estimate,
    /// Its interval if cells were independent.
    pub plain_interval: Option<Interval>,
}

impl Difference {
    /// The interval that verdicts are made by: from the lower of the lower ends to the higher of the higher ends of
    /// resampling clusters and resampling cells, because few clusters give intervals that are too narrow.
    pub fn widest(&self) -> Option<Interval> {
        let clustered = self.difference.interval?;
        Some(clustered.hull(self.plain_interval))
    }
}

/// Whether a score is better than the controls, by the widest interval of the difference to the best of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usefulness {
    /// Fewer than 8 cells.
    TooFewCells,
    /// Its skill, or its difference to the best control, has no interval.
    NotMeasurable,
    /// The interval of the difference to the best control lies above 0.
    Useful,
    /// That interval contains 0: it may be no better.
    NotShown,
    /// That interval lies below 0.
    Worse,
}

pub(super) fn leaderboard(predictors: &[Predictor<'_>], options: &CorrelateOptions) -> Vec<Place> {
    let contestants: Vec<Contestant<'_>> = predictors
        .par_iter()
        .map(|predictor| Contestant::new(predictor, options))
        .collect();
    let headline = contestants
        .iter()
        .find(|one| one.predictor.name == options.headline);
    let mut places: Vec<Place> = contestants
        .par_iter()
        .map(|one| place(one, headline, &contestants, options))
        .collect();
    // What is not measurable comes last; equals stay in the order of the table.
    places.sort_by(|a, b| {
        let skill = |place: &Place| place.skill.unwrap_or(f64::NEG_INFINITY);
        skill(b).total_cmp(&skill(a))
    });
    places
}

fn place(
    one: &Contestant<'_>,
    headline: Option<&Contestant<'_>>,
    contestants: &[Contestant<'_>],
    options: &CorrelateOptions,
) -> Place {
    let control = one.predictor.control;
    let n = one.sample.len();
    let less_headline = headline
        .filter(|headline| headline.predictor.name != one.predictor.name)
        .map(|headline| difference(one, headline, options));
    let less_best_control = if control {
        None
    } else {
        let controls = contestants.iter().filter(|other| other.predictor.control);
        // The strongest control leaves the smallest difference; the first of equals.
        let strongest = controls
            .filter_map(|other| Some((gap(one, other)?, other)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        strongest.map(|(_, other)| difference(one, other, options))
    };
    let usefulness = (!control).then(|| match &less_best_control {
        _ if n < NO_CONCLUSION => Usefulness::TooFewCells,
        Some(found) if found.n < NO_CONCLUSION => Usefulness::TooFewCells,
        Some(found) => match found.widest() {
            Some(interval) if interval.low > 0.0 => Usefulness::Useful,
            Some(interval) if interval.high < 0.0 => Usefulness::Worse,
            Some(_) => Usefulness::NotShown,
            None => Usefulness::NotMeasurable,
        },
        None => Usefulness::NotMeasurable,
    });
    Place {
        name: one.predictor.name.clone(),
        control,
        n,
        skill: (n >= NO_NUMBER).then(|| one.skill(&one.sample)).flatten(),
        less_headline,
        less_best_control,
        usefulness,
    }
}

/// A predictor with its skill in every resample.
struct Contestant<'a> {
    predictor: &'a Predictor<'a>,
    sample: Sample,
    /// What Spearman's coefficient is multiplied with; 0 for a constant.
    sign: f64,
    resampled: Resampled,
}

/// Values in resamples of clusters, and of cells.
struct Resampled {
    clusters: Vec<Option<f64>>,
    cells: Vec<Option<f64>>,
}

impl<'a> Contestant<'a> {
    fn new(predictor: &'a Predictor<'a>, options: &CorrelateOptions) -> Self {
        let sample = Sample::new(predictor);
        let mut one = Self {
            sign: sample.direction.sign(),
            predictor,
            sample,
            resampled: Resampled {
                clusters: Vec::new(),
                cells: Vec::new(),
            },
        };
        if predictor.control {
            let found = spearman(&one.sample.score, &one.sample.gain);
            one.sign = found.map_or(0.0, |rho| if rho < 0.0 { -1.0 } else { 1.0 });
        }
        one.resampled = one.resample(&one.sample, options);
        one
    }

    /// Its skill in resamples of a part of its cells.
    fn resample(&self, sample: &Sample, options: &CorrelateOptions) -> Resampled {
        let skills = |draws: Draws| {
            if sample.len() < NO_CONCLUSION {
                Vec::new()
            } else {
                draws.values(sample, |s| self.skill(s))
            }
        };
        Resampled {
            clusters: skills(Draws::clustered(sample, options)),
            cells: skills(Draws::plain(sample, options)),
        }
    }

    /// The skill of a control that does not vary is 0; of a score that does not there is none.
    fn skill(&self, sample: &Sample) -> Option<f64> {
        if self.sign == 0.0 {
            return Some(0.0);
        }
        let rho = spearman(&sample.score, &sample.gain);
        let constant_control = || {
            let varies = spearman(&sample.gain, &sample.gain).is_some();
            (self.predictor.control && varies).then_some(0.0)
        };
        rho.map(|rho| self.sign * rho).or_else(constant_control)
    }

    fn has_the_cells_of(&self, other: &Self) -> bool {
        let (a, b) = (&self.predictor.cells, &other.predictor.cells);
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| std::ptr::eq(a.0, b.0))
    }

    /// The same predictor on the cells that `other` has, too.
    fn shared(&self, other: &Self) -> Sample {
        let has = |cell| {
            other
                .predictor
                .cells
                .iter()
                .any(|(c, _)| std::ptr::eq(*c, cell))
        };
        let cells = self.predictor.cells.iter().copied();
        Sample::new(&Predictor {
            name: String::new(),
            control: self.predictor.control,
            direction: self.predictor.direction,
            cells: cells.filter(|(cell, _)| has(*cell)).collect(),
        })
    }
}

fn gap(one: &Contestant<'_>, other: &Contestant<'_>) -> Option<f64> {
    Some(one.skill(&one.shared(other))? - other.skill(&other.shared(one))?)
}

fn difference(
    one: &Contestant<'_>,
    other: &Contestant<'_>,
    options: &CorrelateOptions,
) -> Difference {
    let (mine, theirs) = (one.shared(other), other.shared(one));
    let draws = Draws::clustered(&mine, options);
    let less = |a: &[Option<f64>], b: &[Option<f64>]| -> Vec<Option<f64>> {
        a.iter().zip(b).map(|(a, b)| Some((*a)? - (*b)?)).collect()
    };
    let differences =
        |a: &Resampled, b: &Resampled| [less(&a.clusters, &b.clusters), less(&a.cells, &b.cells)];
    // Skills are known already where both have the same cells.
    let [of_clusters, of_cells] = if one.has_the_cells_of(other) {
        differences(&one.resampled, &other.resampled)
    } else {
        differences(
            &one.resample(&mine, options),
            &other.resample(&theirs, options),
        )
    };
    let estimate = |resampled| {
        let absent = NoValue::ConstantScore;
        draws.estimate_of(mine.len(), gap(one, other), absent, resampled)
    };
    Difference {
        to: other.predictor.name.clone(),
        n: mine.len(),
        difference: estimate(of_clusters),
        plain_interval: estimate(of_cells).interval,
    }
}
