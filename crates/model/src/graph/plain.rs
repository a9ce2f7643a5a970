//! The operations of a decoder as compositions of candle's differentiable ones.
//!
//! candle has faster forms of most, which record no gradient and raise no error for it (`clippy.toml` bans them). These are
//! slow and right: finite differences in `f64` check each.

use candle_core::{D, DType, Device, Result, Tensor};

/// `x · Wᵀ + b`: `x` is `[rows, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`, the result `[rows, outputs]`.
///
/// # Errors
/// If the shapes do not agree.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = x.matmul(&weight.t()?)?;
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(bias),
    }
}

/// `x / √(mean(x²) + ε) · weight` over the last dimension (Zhang and Sennrich 2019): `x` is `[…, w]`, `weight` `[w]`.
///
/// # Errors
/// If the shapes do not agree.
pub fn rms_norm(x: &Tensor, weight: &Tensor, epsilon: f64) -> Result<Tensor> {
    let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
    x.broadcast_div(&(mean + epsilon)?.sqrt()?)?
        .broadcast_mul(weight)
}

/// How far each token's heads turn.
#[derive(Debug)]
pub struct Turns {
    /// `[m, 1, d/2]`.
    cos: Tensor,
    sin: Tensor,
}

impl Turns {
    /// For tokens at `positions` (`m` of them) and the `d/2` frequencies of a head, in radians a position.
    ///
    /// The angle is rounded to f32, as it was when the models were trained; its cosine is not.
    ///
    /// # Errors
    /// If the device does not have the type.
    pub fn new(
        frequencies: &[f32],
        positions: &[u32],
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let shape = (positions.len(), 1, frequencies.len());
        let table = |of: fn(f64) -> f64| {
            let angles = positions
                .iter()
                .flat_map(|p| frequencies.iter().map(move |f| *p as f32 * f));
            let values: Vec<f64> = angles.map(|angle| of(f64::from(angle))).collect();
            Tensor::from_vec(values, shape, &Device::Cpu)?
                .to_dtype(dtype)?
                .to_device(device)
        };
        Ok(Self {
            cos: table(f64::cos)?,
            sin: table(f64::sin)?,
        })
    }

    /// Turns each pair `(x[i], x[i + d/2])` of each head of `x`, `[m, heads, d]` in and out (Su et al. 2021, in the layout of
    /// Hugging Face).
    ///
    /// # Errors
    /// If the shapes do not agree.
    pub fn rotate(&self, x: &Tensor) -> Result<Tensor> {
        let half = self.cos.dim(D::Minus1)?;
        let (low, high) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
        let (cos, sin) = (&self.cos, &self.sin);
        let turned_low = (low.broadcast_mul(cos)? - high.broadcast_mul(sin)?)?;
        let turned_high = (high.broadcast_mul(cos)? + low.broadcast_mul(sin)?)?;
        Tensor::cat(&[turned_low, turned_high], 2)
    }
}

/// Attention of one sequence: `q` is `[t, h, d]`, `k` and `v` are `[t, g, d]` with `g` a divisor of `h`, the result is
/// `[t, h · d]`. A query sees its own position and those before it, of which the latest `window` where given.
///
/// # Errors
/// If the shapes do not agree.
pub fn causal_attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    window: Option<usize>,
) -> Result<Tensor> {
    let (t, h, d) = q.dims3()?;
    let g = k.dim(1)?;
    // The h/g query heads that share a head of keys lie below each other: [g, h/g · t, d].
    let q = q.reshape((t, g, h / g, d))?.permute((1, 2, 0, 3))?;
    let q = q.reshape((g, h / g * t, d))?;
    let by_head = |x: &Tensor| x.transpose(0, 1)?.contiguous();
    let (k, v) = (by_head(k)?, by_head(v)?);
    let scores = q.matmul(&k.t()?)?.affine(1.0 / (d as f64).sqrt(), 0.0)?;
    let hidden = hidden(t, window, q.dtype(), q.device())?;
    let scores = scores.reshape((h, t, t))?.broadcast_add(&hidden)?;
    let attended = softmax(&scores)?.reshape((g, h / g * t, t))?.matmul(&v)?;
    let attended = attended.reshape((g, h / g, t, d))?.permute((2, 0, 1, 3))?;
    attended.reshape((t, h * d))
}

/// `[1, t, t]`: what is added to the score of a query (row) and a key (column): −∞ where it is not seen, else 0.
fn hidden(t: usize, window: Option<usize>, dtype: DType, device: &Device) -> Result<Tensor> {
    let seen =
        |query: usize, key: usize| key <= query && window.is_none_or(|window| key + window > query);
    let mask: Vec<f32> = (0..t * t)
        .map(|i| {
            if seen(i / t, i % t) {
                0.0
            } else {
                f32::NEG_INFINITY
            }
        })
        .collect();
    Tensor::from_vec(mask, (1, t, t), &Device::Cpu)?
        .to_dtype(dtype)?
        .to_device(device)
}

/// `e^x / Σ e^x` over the last dimension. No row may be all −∞.
///
/// # Errors
/// If the device fails.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let powers = below_top(x)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

/// `x − max(x)` over the last dimension, so that no power of e overflows. The result of what follows does not depend on the
/// number subtracted, so no gradient flows through it.
fn below_top(x: &Tensor) -> Result<Tensor> {
    x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())
}

/// `silu(gate) · up` with `silu(x) = x / (1 + e^−x)` (Shazeer 2020), of equal shapes.
///
/// # Errors
/// If the shapes differ.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()? * up
}

/// `Σ −ln softmax(logits)[id]` in nats, a scalar: `logits` is `[n, v]`, `ids` `[n]` of u32.
///
/// # Errors
/// If the shapes do not agree or an id is `v` or more.
pub fn summed_cross_entropy(logits: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let below = below_top(logits)?;
    let total = below.exp()?.sum_keepdim(1)?.log()?;
    (total - below.gather(&ids.unsqueeze(1)?, 1)?)?.sum_all()
}
