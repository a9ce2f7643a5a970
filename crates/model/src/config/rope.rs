//! The frequencies of rotary positions, plain or scaled to longer contexts.
//!
//! All is computed in f32 and in the order of transformers (`modeling_rope_utils.py`), whose rounding models were
//! trained with.

use serde::{Deserialize, Serialize};

/// How the frequencies of a plain model are changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub enum RopeScaling {
    /// Not at all.
    #[default]
    None,
    /// Divided by `factor`: positions are squeezed together (`DeepSeek-Coder`).
    Linear {
        /// At least 1 in models that were made longer.
        factor: f64,
    },
    /// Long waves divided by `factor`, short ones kept, those between blended (Llama 3.1).
    Llama3 {
        /// What long waves are divided by.
        factor: f64,
        /// Waves longer than `original_context / low_freq_factor` positions are long.
        low_freq_factor: f64,
        /// Waves shorter than `original_context / high_freq_factor` positions are short.
        high_freq_factor: f64,
        /// The context before it was made longer, in positions.
        #[serde(rename = "original_max_position_embeddings")]
        original_context: usize,
    },
    /// Each divided by a number of its own, as GGUF files state Llama 3.1's.
    Factors {
        /// One for each pair of a head.
        factors: Vec<f32>,
    },
}

/// Llama 3.1's own settings beside the factor, which no file with factors states.
const LLAMA3: (f64, f64, usize) = (1.0, 4.0, 8192);
/// Factors are stored in f32, after a few operations in it.
const ROUNDING: f32 = 1e-5;

impl RopeScaling {
    /// Stated factors as the rule they come from, where that is Llama 3.1's; what is left are the factors.
    pub(crate) fn from_factors(factors: Vec<f32>, theta: f64) -> Self {
        let (low_freq_factor, high_freq_factor, original_context) = LLAMA3;
        let rule = Self::Llama3 {
            factor: f64::from(factors.iter().copied().fold(1.0, f32::max)),
            low_freq_factor,
            high_freq_factor,
            original_context,
        };
        let head_dim = 2 * factors.len();
        let by_rule = rule.factors(head_dim, theta);
        let mut pairs = factors.iter().zip(&by_rule);
        if pairs.all(|(stated, rule)| (stated - rule).abs() <= ROUNDING * rule) {
            return rule;
        }
        Self::Factors { factors }
    }

    /// What of the scaling `config.json` has no words for.
    pub(crate) fn unsayable(&self) -> Option<String> {
        matches!(self, Self::Factors { .. })
            .then(|| "rotary frequencies with factors of their own".to_owned())
    }

    /// What each of the `head_dim / 2` plain frequencies is divided by.
    pub(crate) fn factors(&self, head_dim: usize, theta: f64) -> Vec<f32> {
        let plain = Self::None.frequencies(head_dim, theta);
        let scaled = self.frequencies(head_dim, theta);
        plain
            .iter()
            .zip(scaled)
            .map(|(plain, scaled)| plain / scaled)
            .collect()
    }

    /// Frequencies of the `head_dim / 2` pairs, in radians a position: `θ^(−2i/head_dim)` before scaling.
    pub fn frequencies(&self, head_dim: usize, theta: f64) -> Vec<f32> {
        let plain =
            (0..head_dim / 2).map(|i| (1.0 / theta.powf((2 * i) as f64 / head_dim as f64)) as f32);
        plain
            .enumerate()
            .map(|(pair, frequency)| self.scale(pair, frequency))
            .collect()
    }

    fn scale(&self, pair: usize, frequency: f32) -> f32 {
        match *self {
            Self::None => frequency,
            Self::Linear { factor } => frequency / factor as f32,
            Self::Factors { ref factors } => frequency / factors.get(pair).copied().unwrap_or(1.0),
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_context,
            } => {
                let (factor, context) = (factor as f32, original_context as f32);
                let (low, high) = (low_freq_factor as f32, high_freq_factor as f32);
                let wave = std::f32::consts::TAU / frequency;
                if wave > context / low {
                    frequency / factor
                } else if wave < context / high {
                    frequency
                } else {
                    let smooth = (context / wave - low) / (high - low);
                    (1.0 - smooth) * frequency / factor + smooth * frequency
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RopeScaling;

    #[test]
    fn factors_are_another_way_to_say_it() {
        let scaling = |original_context| RopeScaling::Llama3 {
            factor: 32.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context,
        };
        let known = scaling(8192);
        let factors = known.factors(64, 5e5);
        assert_eq!(RopeScaling::from_factors(factors, 5e5), known);
        // Another rule's stay as they are, and turn as far.
        let factors = scaling(4096).factors(64, 5e5);
        let kept = RopeScaling::from_factors(factors.clone(), 5e5);
        assert_eq!(kept, RopeScaling::Factors { factors });
        let (found, expected) = (
            kept.frequencies(64, 5e5),
            scaling(4096).frequencies(64, 5e5),
        );
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(f, e)| (f - e).abs() <= 2e-7 * e)
        );
    }

    #[test]
    fn plain_and_linear() {
        let plain = RopeScaling::None.frequencies(4, 100.0);
        assert_eq!(plain, [1.0, 0.1]);
        let squeezed = RopeScaling::Linear { factor: 4.0 }.frequencies(4, 100.0);
        assert_eq!(squeezed, [0.25, 0.025]);
    }

    /// Llama 3.1: short waves stay, long ones are eight times as long, between them there is no jump.
    #[test]
    fn llama3_blends() {
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 8192,
        };
        let plain = RopeScaling::None.frequencies(128, 5e5);
        let scaled = scaling.frequencies(128, 5e5);
        assert_eq!(plain[0].to_bits(), scaled[0].to_bits());
        assert!((plain[63] / scaled[63] - 8.0).abs() < 1e-5);
        assert!(scaled.windows(2).all(|pair| pair[1] < pair[0]));
        let share = |i: usize| plain[i] / scaled[i];
        assert!((0..63).all(|i| share(i) <= share(i + 1) + 1e-5));
    }
}
