//! What does not fit is refused before anything is touched, sizes that wrap round among it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;

use super::random;
use crate::cpu::Instructions;
use crate::cpu::testing::here;
use crate::stored::Stored;
use crate::threads::Shared;
use crate::{
    AttentionShape, Init, Packed, Precision, Rows, add_a_b, add_a_bt, add_at_b, add_outer, amx,
    attention_forward, matmul, product,
};

fn refused(what: &str, run: impl FnOnce()) {
    let result = catch_unwind(AssertUnwindSafe(run));
    assert!(result.is_err(), "{what} was not refused");
}

/// Twice this is nothing, once it has wrapped round.
const HALF: usize = 1 << (usize::BITS - 1);

#[test]
fn sizes_that_wrap_round() {
    let two = Packed::rows(&[1.0; 4], 2, 2, Precision::F32);
    let mut out = [0f32; 4];
    refused("product", || {
        matmul(&[1.0; 2], HALF + 1, &two, &mut out[..2], Init::Zero);
    });
    refused("rows", || {
        Rows::new(Precision::F32).copy(&[1.0; 2], HALF + 1, 2);
    });
    refused("outer product", || {
        add_outer(&mut out, (HALF, 2, 2), &[], &[]);
    });
    refused("small products", || {
        add_a_b(&mut out, (2, 2, HALF + 1), &[0.0; 2], &[0.0; 2], 1.0);
    });
    refused("small products", || {
        add_a_bt(&mut out[..2], (HALF + 1, 2, 1), &[0.0; 1], &[0.0; 2], 1.0);
    });
    refused("small products", || {
        add_at_b(&mut out, (2, 2, HALF + 1), &[0.0; 2], &[0.0; 2], 1.0);
    });
    let shape = AttentionShape {
        heads: 2,
        kv_heads: 2,
        head_dim: 2,
        starts: vec![0, HALF],
        window: None,
    };
    refused("attention", || {
        attention_forward(&shape, Precision::F32, (&[], &[], &[]), &mut []);
    });
}

#[test]
fn places_outside_a_shared_slice() {
    let mut values = random(1, 100);
    let shared = Shared::new(&mut values);
    shared.rows(4, 3, 16, 40);
    for (offset, height, width, stride) in [
        (5, 3, 16, 40),
        (100, 1, 1, 0),
        (usize::MAX, 1, 2, 0),
        (0, HALF + 1, 1, 2),
    ] {
        refused("rows", || _ = shared.rows(offset, height, width, stride));
    }
}

#[test]
fn a_thread_has_its_tiles_until_the_last_is_given_back() {
    if !here().contains(&Instructions::Amx) {
        return;
    }
    let outer = amx::Tiles::new();
    let (a, b) = ([half::bf16::ONE; 512], [half::bf16::ONE; 1024]);
    let run = |unit: &amx::Tiles| {
        let mut out = [0f32; 1024];
        let call = amx::Call {
            a: &a,
            a_low: &a,
            b: &b,
            steps: 1,
            begin: amx::Begin::Zero,
        };
        amx::multiply(unit, amx::Parts::OneByOne, call, &mut out, 32);
        out.iter().all(|x| x.to_bits() == 32f32.to_bits())
    };
    refused("what was thrown", || {
        let inner = amx::Tiles::new();
        assert!(run(&inner) && !run(&outer), "thrown with tiles set up");
    });
    // The inner one is gone, by unwinding; the outer one still works. So it does on threads that never asked.
    assert!(run(&outer));
    assert!(
        std::thread::spawn(|| drop(amx::Tiles::new()))
            .join()
            .is_ok()
    );
}

#[test]
fn factors_of_the_tile_unit_that_are_too_short() {
    if !here().contains(&Instructions::Amx) {
        return;
    }
    let unit = amx::Tiles::new();
    let (values, from) = ([half::bf16::ONE; 2048], [0f32; 1024]);
    let run = |[a, a_low, b, begin, c]: [usize; 5], steps: usize| {
        let call = amx::Call {
            a: &values[..a],
            a_low: &values[..a_low],
            b: &values[..b],
            steps,
            begin: amx::Begin::Rows(&from[..begin], 32),
        };
        let mut result = [0f32; 1024];
        amx::multiply(&unit, amx::Parts::OneByOne, call, &mut result[..c], 32);
    };
    let enough = [1024, 1024, 2048, 1024, 1024];
    run(enough, 2);
    for place in 0..enough.len() {
        let mut lengths = enough;
        lengths[place] -= 1;
        refused("an operand that is too short", || run(lengths, 2));
    }
    refused("no step", || run(enough, 0));
    refused("too many steps", || run(enough, HALF));
}

/// A matrix of ones that waits for other threads when it is read.
#[derive(Debug)]
struct Waiting;

impl Stored for Waiting {
    fn outputs(&self) -> usize {
        96
    }

    fn inputs(&self) -> usize {
        64
    }

    fn bytes(&self) -> usize {
        0
    }

    fn block(&self) -> usize {
        32
    }

    fn read(&self, _: usize, _: usize, out: &mut [f32]) {
        out.par_chunks_mut(1).for_each(|place| place[0] = 1.0);
    }
}

#[test]
fn a_thread_that_waits_within_a_product_may_work_for_another() {
    let weights = Packed::stored(Arc::new(Waiting));
    let mut rows = Rows::new(Precision::F32);
    rows.copy(&[1.0; 40 * 64], 40, 64);
    (0..8).into_par_iter().for_each(|_| {
        let mut out = vec![0f32; 40 * 96];
        product(&rows, &weights, &mut out, Init::Zero);
        assert!(out.iter().all(|x| x.to_bits() == 64f32.to_bits()));
    });
}
