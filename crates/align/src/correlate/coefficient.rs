//! Coefficients of correlation. Each is none where one side is constant or the sides differ in length.

use crate::sum::sum;

/// Pearson's r.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || is_constant(x) || is_constant(y) {
        return None;
    }
    let (x, y) = (centred(x), centred(y));
    let product = |a: &[f64], b: &[f64]| sum(a.iter().zip(b).map(|(a, b)| a * b));
    let scale = product(&x, &x).sqrt() * product(&y, &y).sqrt();
    // Differences too small to be squared leave nothing to divide by.
    (scale > 0.0).then(|| (product(&x, &y) / scale).clamp(-1.0, 1.0))
}

/// Spearman's rho: Pearson's r of the ranks, tied values sharing their average rank.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Kendall's tau-b: (concordant − discordant) / √((pairs − ties in x)(pairs − ties in y)).
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let (mut balance, mut untied_x, mut untied_y) = (0_i64, 0_i64, 0_i64);
    for i in 0..x.len() {
        for j in 0..i {
            let (a, b) = (direction(x[i], x[j]), direction(y[i], y[j]));
            balance += a * b;
            untied_x += a.abs();
            untied_y += b.abs();
        }
    }
    let scale = (untied_x as f64).sqrt() * (untied_y as f64).sqrt();
    (scale > 0.0).then(|| (balance as f64 / scale).clamp(-1.0, 1.0))
}

/// Ranks from 1 on; tied values share their average rank.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| direction(values[a], values[b]) == 0) {
        for &place in tied {
            ranks[place] = before as f64 + f64::midpoint(tied.len() as f64, 1.0);
        }
        before += tied.len();
    }
    ranks
}

/// 1, 0 or −1 as `a` is above, equal to or below `b`.
fn direction(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}

fn is_constant(values: &[f64]) -> bool {
    values
        .windows(2)
        .all(|pair| direction(pair[0], pair[1]) == 0)
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = sum(values.iter().copied()) / values.len() as f64;
    values.iter().map(|v| v - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::{kendall, pearson, ranks, spearman};

    /// Figures of `scripts/reference/correlate.py` (scipy), which holds the same table.
    #[test]
    fn agrees_with_scipy() {
        let x = [1.05, 0.97, 1.10, 0.88, 1.02, 0.97, 1.21, 0.93, 1.00, 1.05];
        let y = [
            0.031, -0.012, 0.054, -0.040, 0.0, 0.012, 0.047, -0.012, 0.031, 0.0,
        ];
        let close = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}");
        };
        close(pearson(&x, &y), 0.830_502_206_760_033_3);
        close(spearman(&x, &y), 0.833_850_101_074_909_8);
        close(kendall(&x, &y), 0.705_931_208_002_517_5);
    }

    #[test]
    fn ties_share_ranks() {
        assert_eq!(
            ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]),
            [4.5, 3.0, 4.5, 1.5, 1.5]
        );
    }

    #[test]
    fn ends_and_absences() {
        for statistic in [pearson, spearman, kendall] {
            assert!((statistic(&[1.0, 2.0, 4.0], &[2.0, 4.0, 8.0]).unwrap() - 1.0).abs() < 1e-15);
            assert!(
                (statistic(&[1.0, 2.0, 4.0], &[-2.0, -4.0, -8.0]).unwrap() + 1.0).abs() < 1e-15
            );
            assert_eq!(statistic(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
            assert_eq!(statistic(&[1.0, 2.0], &[1.0]), None);
            assert_eq!(statistic(&[], &[]), None);
        }
        assert_eq!(
            pearson(&[0.1 + 0.2, 0.3, 0.3], &[1.0, 2.0, 3.0]).map(f64::is_nan),
            Some(false)
        );
    }
}
