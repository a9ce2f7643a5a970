//! The scores, one file each. All but the ratios are given counts over one numbering of features.
//!
//! | file | score | formula |
//! | --- | --- | --- |
//! | [`kl`] | KL-alignment, its divergence D and its worst case c | F2–F4 |
//! | [`js`] | Jensen-Shannon divergence | F5 |
//! | [`overlap`] | share of the target's templates or n-grams that the source has | F6 |
//! | [`ratio`] | a training set's score by that of the model's own predictions | F7 |
//! | [`rarefied`] | the ratio at one sample size, with its interval | F8 |

pub mod js;
pub mod kl;
pub mod overlap;
pub mod rarefied;
pub mod ratio;
