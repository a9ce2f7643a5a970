//! Functions of rows: the same bits whatever they are compiled for.

use half::bf16;
use proptest::prelude::*;

use super::{bits, random};
use crate::cpu::testing::{here, up_to};
use crate::cpu::{Instructions, instructions};
use crate::split::{split_panel, split_row};
use crate::stored::Stored;
use crate::{
    Nf4, Rope, argmax, cross_entropy_row, log_sum_exp, rms_norm_backward_row, rms_norm_row,
    softmax_in_place, swiglu_backward_row, swiglu_row,
};

/// Checks that `kernel` gives the same bits at every level as it does without instructions of its own.
fn same_bits(what: &str, kernel: impl Fn() -> Vec<f32> + Sync) {
    let plain = bits(&up_to(Instructions::Portable, &kernel));
    for level in here() {
        let found = bits(&up_to(level, &kernel));
        assert_eq!(found, plain, "{what} with {level}");
    }
}

fn split<const PARTS: usize>(x: &[f32]) -> Vec<f32> {
    let steps = x.len() / 32;
    let mut tile = vec![bf16::ONE; steps * PARTS * 512];
    split_row::<PARTS>(x, &mut tile);
    let mut panel = vec![bf16::ONE; x.len().div_ceil(1024) * PARTS * 1024];
    split_panel::<PARTS>(x, &mut panel);
    tile.iter()
        .chain(&panel)
        .map(|value| f32::from_bits(u32::from(value.to_bits())))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn of_a_row(len in 1usize..300, seed in 0u64..1000) {
        let (x, w, y) = (random(seed, len), random(seed + 1, len), random(seed + 2, len));
        same_bits("norm", || {
            let mut out = vec![0.0; len];
            rms_norm_row(&x, &w, 1e-5, &mut out);
            let mut slope = y.clone();
            rms_norm_backward_row(&x, &w, 1e-5, &mut slope);
            [out, slope].concat()
        });
        same_bits("activation", || {
            let mut out = vec![0.0; len];
            swiglu_row(&x, &w, &mut out);
            let (mut gate, mut up, mut dy) = (x.clone(), w.clone(), y.clone());
            swiglu_backward_row(&mut gate, &mut up, &mut dy);
            [out, gate, up, dy].concat()
        });
        same_bits("softmax and loss", || {
            let mut p = x.clone();
            softmax_in_place(&mut p, 3.0);
            let mut gradient = vec![0.0; len];
            let loss = cross_entropy_row(&x, (seed as usize % len) as u32, &mut gradient);
            let sums = [loss as f32, log_sum_exp(&x) as f32, argmax(&x) as f32];
            [p, gradient, sums.to_vec()].concat()
        });
    }

    #[test]
    fn of_a_rotation(half in 1usize..50, heads in 1usize..4, seed in 0u64..1000) {
        let rope = Rope::new(&random(seed, half), 20);
        let x = random(seed, 3 * heads * 2 * half);
        same_bits("rotation", || {
            let mut x = x.clone();
            rope.rotate(&mut x, &[0, 7, 19], seed % 2 == 0);
            x
        });
    }

    #[test]
    fn of_a_split(steps in 1usize..40, seed in 0u64..1000) {
        // Any bits: numbers of every size, infinite ones and NaN.
        let mut x: Vec<f32> = random(seed, steps * 32)
            .into_iter()
            .enumerate()
            .map(|(i, x)| f32::from_bits(x.to_bits().wrapping_mul(2_654_435_761).wrapping_add(i as u32)))
            .collect();
        x[0] = f32::NAN;
        x[1] = f32::NEG_INFINITY;
        same_bits("three parts", || split::<3>(&x));
        same_bits("one part", || split::<1>(&x));
    }

    #[test]
    fn of_four_bits(outputs in 1usize..5, inputs in 1usize..200, seed in 0u64..1000) {
        let values = random(seed, outputs * inputs);
        let matrix = Nf4::read_rows(outputs, inputs, |row, into| {
            into.copy_from_slice(&values[row * inputs..][..inputs]);
            Ok::<(), ()>(())
        }).unwrap();
        same_bits("four bits", || {
            let mut read = vec![0.0; outputs * inputs];
            for (row, into) in read.chunks_exact_mut(inputs).enumerate() {
                matrix.read(row, 0, into);
            }
            read
        });
    }
}

#[test]
fn a_cap_reaches_all_threads_of_the_pool_it_is_set_in() {
    for level in here() {
        let seen = up_to(level, || rayon::join(instructions, instructions));
        assert_eq!(seen, (level, level));
    }
}
