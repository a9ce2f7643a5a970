//! Clipping of gradients by their global norm (Pascanu et al. 2013). It does not know where gradients come from.

use candle_core::{CpuStorage, DType, Result, Storage, Tensor};

use crate::gradients::Gradients;
use crate::slices::{part, scaled, sum_of_squares};

/// √(Σ over all gradients of the squared Frobenius norm), computed in f64 and summed in the order of the names, with the
/// same bits at any number of threads.
pub fn global_norm(gradients: &Gradients) -> Result<f64> {
    let mut sum = 0.0;
    for gradient in gradients.values() {
        sum += squares(gradient)?;
    }
    Ok(sum.sqrt())
}

/// Σ x² over a tensor, in f64.
fn squares(gradient: &Tensor) -> Result<f64> {
    let gradient = gradient.contiguous()?;
    {
        let (storage, layout) = gradient.storage_and_layout();
        match &*storage {
            Storage::Cpu(CpuStorage::F32(values)) => {
                return Ok(sum_of_squares(part(values, layout)?));
            }
            Storage::Cpu(CpuStorage::F64(values)) => {
                return Ok(sum_of_squares(part(values, layout)?));
            }
            _ => {}
        }
    }
    gradient
        .to_dtype(DType::F64)?
        .sqr()?
        .sum_all()?
        .to_scalar::<f64>()
}

/// Scales the gradients so that their global norm is at most `max_norm`; returns the norm before clipping.
///
/// The factor is `max_norm / (norm + 1e-6)` where that is below 1, as in `torch.nn.utils.clip_grad_norm_`.
/// `max_norm` 0 measures without clipping. A norm that is not finite is returned and nothing is scaled.
pub fn clip_global_norm(gradients: &mut Gradients, max_norm: f64) -> Result<f64> {
    let norm = global_norm(gradients)?;
    let factor = max_norm / (norm + 1e-6);
    if max_norm > 0.0 && norm.is_finite() && factor < 1.0 {
        for gradient in gradients.values_mut() {
            *gradient = scaled(gradient, factor)?;
        }
    }
    Ok(norm)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn gradients() -> Gradients {
        let tensor = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap();
        Gradients::from([
            ("a".to_owned(), tensor(&[3.0, 0.0])),
            ("b".to_owned(), tensor(&[4.0])),
        ])
    }

    #[test]
    fn clips_only_above_the_limit() {
        for (limit, expected) in [(0.0, 5.0), (6.0, 5.0), (1.0, 5.0 / 5.000_001)] {
            let mut gradients = gradients();
            let before = clip_global_norm(&mut gradients, limit).unwrap();
            assert!((before - 5.0).abs() < 1e-15);
            let after = global_norm(&gradients).unwrap();
            assert!((after - expected).abs() < 1e-12, "limit {limit}: {after}");
        }
    }

    #[test]
    fn a_norm_that_is_not_finite_is_reported() {
        let mut gradients = gradients();
        let nan = Tensor::new(&[f64::NAN], &Device::Cpu).unwrap();
        gradients.insert("c".to_owned(), nan);
        assert!(clip_global_norm(&mut gradients, 1.0).unwrap().is_nan());
        assert!(global_norm(&Gradients::new()).unwrap().abs() < f64::EPSILON);
    }
}
