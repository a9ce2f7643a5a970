//! The Fréchet distance of Gaussians fitted to two sets of vectors (Dowson and Landau, Journal of Multivariate Analysis 12,
//! 1982; as a distance of a model's vectors, Heusel et al., "GANs trained by a two time-scale update rule …", 2017).
//!
//! A hidden state is wider than a sample is large, so that its covariance can't be estimated as it is. Vectors are
//! projected on the first principal components of both sets together. Covariances are the samples' own, divided by n − 1,
//! without shrinkage: what a small sample adds to the distance it adds to that of the target's halves as well, which the ratio
//! is made with.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::symmetric::{Square, dot, eigen};
use crate::score::table::Missing;
use crate::sum::sum;

/// Principal components that are kept at most.
const COMPONENTS: usize = 64;

/// Draws of halves that the ratio is made of.
const DRAWS: usize = 20;

/// A component with less than this share of the largest one's variance is rounding.
const LEAST: f64 = 1e-12;

/// The distance and how it was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frechet {
    /// `‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2 (C₁ C₂)^½)`.
    pub squared: f64,
    /// Components that were kept.
    pub components: usize,
    /// Their share of the variance of both sets together.
    pub kept: f64,
    /// The squared distance of two halves of the target divided by that of a half and as many vectors of the source, each the
    /// mean of the same draws; none with fewer than four vectors of the target or two of the source.
    pub ratio: Option<f64>,
}

/// The distance of two sets of vectors of one length; halves are drawn by `seed`.
///
/// # Errors
/// What is missing: a second vector of a set, or two vectors that differ.
pub fn frechet(source: &[Vec<f32>], target: &[Vec<f32>], seed: u64) -> Result<Frechet, Missing> {
    if source.len() < 2 || target.len() < 2 {
        return Err(Missing::TooFew);
    }
    let (points, kept) = project(source, target).ok_or(Missing::NoScale)?;
    let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
    let (of_source, of_target) = points.split_at(source.len());
    Ok(Frechet {
        squared: distance(of_source, of_target),
        components: points[0].len(),
        kept,
        ratio: ratio(of_source, of_target, seed),
    })
}

fn ratio(source: &[&[f64]], target: &[&[f64]], seed: u64) -> Option<f64> {
    let size = (target.len() / 2).min(source.len());
    if size < 2 {
        return None;
    }
    let draws: Vec<(f64, f64)> = (0..DRAWS as u64)
        .into_par_iter()
        .map(|number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            let (mut source, mut target) = (source.to_vec(), target.to_vec());
            target.shuffle(&mut rng);
            source.shuffle(&mut rng);
            let half = &target[..size];
            let own = distance(&target[size..2 * size], half);
            (own, distance(&source[..size], half))
        })
        .collect();
    let own = sum(draws.iter().map(|draw| draw.0));
    let other = sum(draws.iter().map(|draw| draw.1));
    Some(own / other).filter(|ratio| ratio.is_finite())
}

/// The coordinates of all vectors along the first principal components, and the share of the variance that they hold; none
/// where all vectors are the same.
fn project(source: &[Vec<f32>], target: &[Vec<f32>]) -> Option<(Vec<Vec<f64>>, f64)> {
    let vectors: Vec<&Vec<f32>> = source.iter().chain(target).collect();
    let (count, width) = (vectors.len(), vectors.first()?.len());
    let mean: Vec<f64> = (0..width)
        .map(|j| sum(vectors.iter().map(|vector| f64::from(vector[j]))) / count as f64)
        .collect();
    let centred: Vec<Vec<f64>> = vectors
        .iter()
        .map(|vector| {
            vector
                .iter()
                .zip(&mean)
                .map(|(x, mean)| f64::from(*x) - mean)
                .collect()
        })
        .collect();
    // The products of the rows have the eigenvalues that those of the columns have; there are fewer of the one or the other.
    let by_rows = count <= width;
    let found = if by_rows {
        eigen(products(&centred))
    } else {
        let columns: Vec<Vec<f64>> = (0..width)
            .map(|j| centred.iter().map(|row| row[j]).collect())
            .collect();
        eigen(products(&columns))
    };
    let largest = *found.values.first()?;
    let some = |value: &&f64| **value > LEAST * largest;
    let components = found
        .values
        .iter()
        .take(COMPONENTS)
        .take_while(some)
        .count();
    if components == 0 {
        return None;
    }
    let all = sum(found.values.iter().map(|value| value.max(0.0)));
    let kept = sum(found.values[..components].iter().copied()) / all;
    let coordinates = (0..count)
        .map(|i| {
            let coordinate = |k: usize| {
                if by_rows {
                    found.values[k].sqrt() * found.vectors.row(k)[i]
                } else {
                    dot(&centred[i], found.vectors.row(k))
                }
            };
            (0..components).map(coordinate).collect()
        })
        .collect();
    Some((coordinates, kept))
}

/// The products of all pairs of rows.
fn products(rows: &[Vec<f64>]) -> Square {
    let values: Vec<Vec<f64>> = rows
        .par_iter()
        .map(|a| rows.iter().map(|b| dot(a, b)).collect())
        .collect();
    Square {
        n: rows.len(),
        values: values.concat(),
    }
}

/// The squared distance of the Gaussians with the points' means and covariances.
fn distance(a: &[&[f64]], b: &[&[f64]]) -> f64 {
    let ((mean_a, a), (mean_b, b)) = (moments(a), moments(b));
    let apart = sum(mean_a.iter().zip(&mean_b).map(|(a, b)| (a - b).powi(2)));
    let traces = sum(a.iter().chain(&b).map(|row| dot(row, row)));
    // With C₁ = AᵀA and C₂ = BᵀB, (C₁ C₂)^½ has the trace of (M Mᵀ)^½, M = A Bᵀ, which is symmetric.
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let across: Vec<Vec<f64>> = few
        .iter()
        .map(|row| many.iter().map(|other| dot(row, other)).collect())
        .collect();
    let shared = sum(eigen(products(&across))
        .values
        .iter()
        .map(|value| value.max(0.0).sqrt()));
    (apart + traces - 2.0 * shared).max(0.0)
}

/// The mean of at least two points, and rows `A` with `AᵀA` their covariance: its eigenvectors times the roots of its eigenvalues,
/// without those that are 0, whose roots would be rounding.
fn moments(points: &[&[f64]]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (count, width) = (points.len() as f64, points[0].len());
    let mean: Vec<f64> = (0..width)
        .map(|j| sum(points.iter().map(|point| point[j])) / count)
        .collect();
    let scale = (count - 1.0).sqrt();
    let columns: Vec<Vec<f64>> = (0..width)
        .map(|j| {
            points
                .iter()
                .map(|point| (point[j] - mean[j]) / scale)
                .collect()
        })
        .collect();
    let found = eigen(products(&columns));
    let largest = found.values.first().copied().unwrap_or(0.0);
    let some = |(_, value): &(usize, &f64)| **value > LEAST * largest;
    let rows = found.values.iter().enumerate().take_while(some);
    let rows = rows.map(|(k, value)| {
        let root = value.sqrt();
        found.vectors.row(k).iter().map(|it| root * it).collect()
    });
    (mean, rows.collect())
}
