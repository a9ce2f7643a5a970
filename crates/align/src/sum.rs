//! Sums of floating-point numbers.

/// Adds with Neumaier's compensation: the error does not grow with the number of terms, which is in the
/// ten thousands here while results must hold to nine digits.
pub(crate) fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for term in terms {
        let next = total + term;
        lost += if total.abs() >= term.abs() {
            (total - next) + term
        } else {
            (term - next) + total
        };
        total = next;
    }
    total + lost
}

/// Mean and standard deviation (n − 1 below) of at least one number; the deviation of one number is 0.
pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = sum(values.iter().copied()) / n;
    let squares = sum(values.iter().map(|v| (v - mean).powi(2)));
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{mean_and_sd, sum};

    #[test]
    fn nothing_is_lost() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(std::iter::repeat_n(0.1, 10_000_000)), 1e6);
        assert_eq!(sum([]), 0.0);
    }

    #[test]
    fn deviations() {
        assert_eq!(mean_and_sd(&[2.0, 4.0, 6.0]), (4.0, 2.0));
        assert_eq!(mean_and_sd(&[3.0]), (3.0, 0.0));
    }
}
