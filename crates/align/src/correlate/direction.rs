//! What the names of scores say: which way they point, and whether they claim a gain above 1.

use crate::score::table::Direction;

impl Direction {
    /// 1 or −1: what a score is multiplied with so that higher is closer.
    pub(super) fn sign(self) -> f64 {
        match self {
            Self::Likeness => 1.0,
            Self::Distance => -1.0,
        }
    }
}

/// Whether `name` is a ratio of two scores, which claims a gain where it is above 1.
pub(super) fn is_ratio(name: &str) -> bool {
    name == "ar" || name.starts_with("ar_") || name.contains("ratio")
}

#[cfg(test)]
mod tests {
    use super::is_ratio;

    #[test]
    fn names_tell() {
        for name in ["ar", "ar_rarefied", "ovlp_ratio_template", "js_ratio"] {
            assert!(is_ratio(name), "{name}");
        }
        for name in ["a_kl", "js", "control:accuracy_before", "arms"] {
            assert!(!is_ratio(name), "{name}");
        }
    }
}
