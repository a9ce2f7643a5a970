//! The alignment scores of a cell, by the names that correlations use.

use crate::Cell;

/// One alignment score: its name, what to call it, and where it stands in a cell.
pub(crate) struct Score {
    /// Name among the correlations.
    pub name: &'static str,
    /// What a reader sees.
    pub label: &'static str,
    /// The same for narrow places.
    pub short: &'static str,
    /// The score of a cell.
    pub of: fn(&Cell) -> Option<f64>,
    /// Its interval (95 %), for scores that have one.
    pub interval: fn(&Cell) -> Option<(f64, f64)>,
    /// The value that says "neither nearer nor farther", for ratios.
    pub neutral: Option<f64>,
}

const NO_INTERVAL: fn(&Cell) -> Option<(f64, f64)> = |_| None;

/// The Alignment Ratio, on which the study stands.
pub(crate) const AR: Score = Score {
    name: "ar",
    label: "Alignment Ratio (AR)",
    short: "AR",
    of: |cell| cell.ar,
    interval: NO_INTERVAL,
    neutral: Some(1.0),
};

/// The same ratio with training set and predictions drawn to one size, which has an interval.
pub(crate) const AR_SAME_SIZE: Score = Score {
    name: "ar_rarefied",
    label: "Alignment Ratio at equal sizes",
    short: "AR at equal sizes",
    of: |cell| cell.ar_rarefied,
    interval: |cell| cell.ar_rarefied_interval,
    neutral: Some(1.0),
};

/// KL-alignment of a training set with a target.
pub(crate) const A_KL: Score = Score {
    name: "a_kl",
    label: "A(S, T), KL-alignment of training set and target",
    short: "A(S, T)",
    of: |cell| cell.a_kl,
    interval: NO_INTERVAL,
    neutral: None,
};

/// What a reader sees for the name of a predictor; the name itself where it is not known.
pub(crate) fn label(name: &str) -> &str {
    match name {
        "a_kl_predictions" => "KL-alignment of base predictions and target",
        "a_kl_rev" => "KL-alignment of target and training set",
        "a_kl_style_free" => "A(S, T) without matters of style",
        "d_kl" => "KL divergence of training set from target",
        "d_kl_rev" => "KL divergence of target from training set",
        "js" => "Jensen-Shannon divergence",
        "ovlp_template" => "target's templates found in training set",
        "ovlp_ngram" => "target's n-grams found in training set",
        "ovlp_ratio_template" => "overlap ratio, templates",
        "ovlp_ratio_ngram" => "overlap ratio, n-grams",
        "nll_target" => "model's loss on target's gold queries",
        "nll_train" => "model's loss on training set's queries",
        "nll_gap" => "difference of these losses (takes target's gold)",
        "nll_drop" => "what a short probe takes off the loss on target's gold queries",
        "nll_ratio" => "that loss before the probe by that after it (takes target's gold)",
        "embed_mmd" => "discrepancy (MMD) of questions' vectors",
        "embed_frechet" => "Fréchet distance of questions' vectors",
        "embed_frechet_ratio" => "the same of target's halves by that of the sets",
        "gradient_cosine" => "cosine of gradients on both sets' gold queries",
        "control:accuracy_before" => "control: accuracy before",
        "control:inverse_a_kl_predictions" => "control: 1 / KL-alignment of base predictions",
        _ => [AR, AR_SAME_SIZE, A_KL]
            .iter()
            .find(|score| score.name == name)
            .map_or(name, |score| score.label),
    }
}
