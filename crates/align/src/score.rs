//! The scores, one file each; [`table`] has them all.
//!
//! | file | score | formula |
//! | --- | --- | --- |
//! | [`kl`] | KL-alignment, its divergence D and its worst case c | F2–F4 |
//! | `against` | the same for many sources and one target | F4 |
//! | [`js`] | Jensen-Shannon divergence | F5 |
//! | [`overlap`] | share of the target's templates or n-grams that the source has; Jaccard | F6 |
//! | [`ratio`] | a training set's score by that of the model's own predictions | F7 |
//! | [`rarefied`] | the ratio at one sample size, with its intervals | F8 |
//! | [`skew`] | KL-alignment without pseudo-counts | Lee 2001 |
//! | [`features`] | distances between counted features | Székely and Rizzo 2013 |
//! | [`subtree`] | likeness of parse trees | |
//! | [`question`] | likeness of the questions' words | |
//! | [`model`] | what the model says: losses, vectors of questions, gradients | Gretton et al. 2012; Dowson and Landau 1982 |
//! | [`arrays`] | distances between numbers that a model wrote | Gretton et al. 2012 |

pub(crate) mod against;
pub mod arrays;
pub mod features;
pub mod js;
pub mod kl;
pub mod model;
pub mod overlap;
pub mod question;
pub mod rarefied;
pub mod ratio;
pub mod skew;
pub mod subtree;
pub mod table;
