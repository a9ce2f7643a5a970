//! Ratios (F7): how much closer to the target is a training set than what the model writes already?

use serde::{Deserialize, Serialize};

use crate::compare::Comparison;

/// A training set's scores by those of the model's predictions before tuning, on the same target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    /// Alignment ratio A(S, T) / A(M, T); above 1, the training set is closer.
    pub ar: f64,
    /// The ratio of template overlaps; none if the predictions share no template with the target.
    pub ovlp_ratio_template: Option<f64>,
    /// The ratio of n-gram overlaps; none if the predictions share no n-gram with the target.
    pub ovlp_ratio_ngram: Option<f64>,
}

/// The ratios of `source` (training set to target) by `predictions` (predictions to the same target).
///
/// A set of few queries looks worse than it is, so that this ratio is fair only between sets of about
/// one size; [`rarefied_ratio`](crate::rarefied_ratio) compares at one size.
pub fn ratios(source: &Comparison, predictions: &Comparison) -> Ratios {
    let ratio = |above: f64, below: f64| (below > 0.0).then(|| above / below);
    Ratios {
        ar: source.a_kl / predictions.a_kl,
        ovlp_ratio_template: ratio(source.ovlp_template, predictions.ovlp_template),
        ovlp_ratio_ngram: ratio(source.ovlp_ngram, predictions.ovlp_ngram),
    }
}

#[cfg(test)]
mod tests {
    use super::ratios;
    use crate::{Options, QuerySet, compare};

    #[test]
    fn a_ratio_without_its_lower_part_is_none() {
        let target = QuerySet::new(["SELECT a FROM t"]);
        let against =
            |sql: &str| compare(&QuerySet::new([sql]), &target, &Options::default()).unwrap();
        let (equal, foreign) = (against("SELECT b FROM u"), against("VALUES (1)"));
        let found = ratios(&equal, &foreign);
        assert!(found.ar > 1.0);
        assert_eq!(
            (found.ovlp_ratio_template, found.ovlp_ratio_ngram),
            (None, None)
        );
        assert_eq!(ratios(&foreign, &equal).ovlp_ratio_template, Some(0.0));
        assert_eq!(ratios(&equal, &equal).ar, 1.0);
    }
}
