//! What the backward pass needs of a layer's forward pass.

/// The activations of one layer but its input, which is the output of the one below. Norms and the gated activation are not among them: they are computed again.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// `[m, heads · d]` and `[m, kv_heads · d]` as they were before their heads were normalised; empty where they are not.
    pub(super) q_raw: Vec<f32>,
    pub(super) k_raw: Vec<f32>,
    /// `[m, heads · d]` and twice `[m, kv_heads · d]`, rotated.
    pub(super) q: Vec<f32>,
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// `[t, heads · d]`.
    pub(super) attended: Vec<f32>,
    /// `[t, hidden]`: behind the attention.
    pub(super) middle: Vec<f32>,
    /// `[t, i]`. The backward pass writes their gradients over them.
    pub(super) gate: Vec<f32>,
    pub(super) up: Vec<f32>,
    /// `x · Aᵀ` of each projection, `[m or t, r]`; empty where it is not adapted.
    pub(super) low: [Vec<f32>; 7],
}
