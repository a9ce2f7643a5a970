//! Maximum mean discrepancy of two sets of vectors (Gretton et al., JMLR 13, 2012).

use rayon::prelude::*;

use crate::score::table::Missing;
use crate::sum::sum;

/// The estimate and the width it was made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmd {
    /// MMD², unbiased (their lemma 6): below 0 where the sets are as alike as samples of one distribution can look.
    pub squared: f64,
    /// σ of the kernel `exp(−‖x − y‖² / 2σ²)`: the median distance between two vectors of the pooled sets (their section 8).
    pub width: f64,
}

/// MMD² of two sets of vectors of one length.
///
/// # Errors
/// What is missing: a second vector of a set, or a width above 0.
pub fn mmd(a: &[Vec<f32>], b: &[Vec<f32>]) -> Result<Mmd, Missing> {
    if a.len() < 2 || b.len() < 2 {
        return Err(Missing::TooFew);
    }
    let pooled: Vec<&[f32]> = a.iter().chain(b).map(Vec::as_slice).collect();
    // Row i has the distances to all before it.
    let squares: Vec<Vec<f64>> = (0..pooled.len())
        .into_par_iter()
        .map(|i| {
            pooled[..i]
                .iter()
                .map(|other| squared(pooled[i], other))
                .collect()
        })
        .collect();
    let width = median(
        squares
            .iter()
            .flatten()
            .map(|square| square.sqrt())
            .collect(),
    );
    if width * width <= 0.0 {
        return Err(Missing::NoScale);
    }
    let kernel = |square: &f64| (square / (-2.0 * width * width)).exp();
    let (m, n) = (a.len(), b.len());
    let of_a = sum(squares[..m].iter().flatten().map(kernel));
    let of_b = sum(squares[m..].iter().flat_map(|row| &row[m..]).map(kernel));
    let across = sum(squares[m..].iter().flat_map(|row| &row[..m]).map(kernel));
    // Sums over pairs i > j are half of those over i ≠ j.
    let within = |pairs: f64, count: usize| 2.0 * pairs / (count as f64 * (count - 1) as f64);
    Ok(Mmd {
        squared: within(of_a, m) + within(of_b, n) - 2.0 * across / (m as f64 * n as f64),
        width,
    })
}

fn squared(x: &[f32], y: &[f32]) -> f64 {
    let differences = x.iter().zip(y).map(|(x, y)| f64::from(*x) - f64::from(*y));
    differences.map(|it| it * it).sum()
}

/// The middle one, or the mean of the two in the middle, of at least one number.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}
