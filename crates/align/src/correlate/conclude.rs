//! The finding in words, and the reasons for care.

use super::leaderboard::{Place, Usefulness};
use super::options::{CorrelateOptions, FEW_CLUSTERS, NO_CONCLUSION};
use super::permute::NoTest;
use super::report::{Conclusion, PredictorReport, Table};
use super::resample::Clusters;

pub(super) fn conclude(
    headline: Option<&PredictorReport>,
    place: Option<&Place>,
    options: &CorrelateOptions,
) -> (Conclusion, String) {
    let name = &options.headline;
    let n = headline.map_or(0, |p| p.n);
    if n < NO_CONCLUSION {
        let text = format!(
            "too few cells to conclude: {n} with {name}, at least {NO_CONCLUSION} are needed"
        );
        return (Conclusion::TooFewCells, text);
    }
    let spearman = headline.and_then(|p| p.spearman.value.zip(p.spearman.widest()));
    let Some((rho, interval)) = spearman else {
        let text = format!(
            "no correlation of {name} with the gain can be measured: the {n} cells are too much alike"
        );
        return (Conclusion::NotMeasurable, text);
    };
    let (conclusion, finding) = match interval {
        i if i.low > 0.0 => (Conclusion::Positive, "goes with a larger gain"),
        i if i.high < 0.0 => (Conclusion::Negative, "goes with a smaller gain"),
        _ => (
            Conclusion::NoRelationShown,
            "has not been shown to go with the gain",
        ),
    };
    let (low, high, percent) = (interval.low, interval.high, 100.0 * interval.level);
    let mut text = format!(
        "a higher {name} {finding}: Spearman {rho:.2}, {percent:.0} % interval {low:.2} to {high:.2}, {n} cells"
    );
    if let Some(against) = place.and_then(against_controls) {
        text = format!("{text}. {against}");
    }
    (conclusion, text)
}

/// Whether the headline is better than the controls, as a sentence without its full stop.
fn against_controls(place: &Place) -> Option<String> {
    let found = place.less_best_control.as_ref()?;
    let verdict = match place.usefulness? {
        Usefulness::Useful => "It is better than the best control",
        Usefulness::NotShown => "It has not been shown to be better than the best control",
        Usefulness::Worse => "It is worse than the best control",
        Usefulness::TooFewCells | Usefulness::NotMeasurable => return None,
    };
    let interval = found.widest()?;
    let control = found.to.trim_start_matches("control:").replace('_', " ");
    Some(format!(
        "{verdict}, {control}: difference of Spearman {:.2}, interval {:.2} to {:.2}",
        found.difference.value?, interval.low, interval.high
    ))
}

pub(super) fn notes(
    table: &Table,
    headline: Option<&PredictorReport>,
    predictors: &[PredictorReport],
    n: usize,
) -> Vec<String> {
    let mut notes = Vec::new();
    if n >= NO_CONCLUSION {
        notes.extend(clusters(table, headline));
    }
    match headline.and_then(|p| p.permutation.reason) {
        Some(NoTest::NothingToShuffle) => notes.push(
            "no p: every model and target has one training set only (or all have different numbers of seeds), so there \
             is nothing to shuffle"
                .to_owned(),
        ),
        Some(NoTest::SameForAllTrainSets) => notes.push(
            "no p: the score is the same for all training sets of a model and target".to_owned(),
        ),
        _ => {}
    }
    let scores = predictors.iter().filter(|p| !p.control).count();
    if n >= NO_CONCLUSION && scores > 1 {
        notes.push(format!(
            "{scores} scores were tried: the first of a leaderboard looks better than it is, and intervals and p are not \
             corrected for that"
        ));
    }
    let some = predictors.iter().filter(|p| !p.control && p.n < n);
    let some: Vec<String> = some.map(|p| format!("{} {}", p.name, p.n)).collect();
    if !some.is_empty() {
        notes.push(format!(
            "of {n} cells, these have fewer: {}",
            some.join(", ")
        ));
    }
    notes
}

/// What the intervals resample, where that limits them.
fn clusters(table: &Table, headline: Option<&PredictorReport>) -> Vec<String> {
    let mut notes = Vec::new();
    let over = headline.map(|p| p.clusters);
    let said = match over {
        Some(Clusters::Targets) => {
            Some("one model: intervals resample targets only and say nothing of other models")
        }
        Some(Clusters::Models) => {
            Some("one target: intervals resample models only and say nothing of other targets")
        }
        Some(Clusters::Cells) => Some(
            "one model and one target: intervals resample single cells and say nothing of other models or targets",
        ),
        Some(Clusters::ModelsAndTargets) | None => None,
    };
    notes.extend(said.map(str::to_owned));
    let models = matches!(over, Some(Clusters::ModelsAndTargets | Clusters::Models));
    let targets = matches!(over, Some(Clusters::ModelsAndTargets | Clusters::Targets));
    let few: Vec<String> = [
        (models, table.models, "models"),
        (targets, table.targets, "targets"),
    ]
    .into_iter()
    .filter(|(resampled, count, _)| *resampled && *count < FEW_CLUSTERS)
    .map(|(_, count, what)| format!("{count} {what}"))
    .collect();
    if !few.is_empty() {
        notes.push(format!(
            "{}: intervals over so few are rough, and never taken for narrower than if cells were independent",
            few.join(" and ")
        ));
    }
    notes
}
