//! `out = x · Wᵀ` of [`Rows`] and packed weights: the product of training.
//!
//! On a machine with a tile unit a value of `f32` is three bfloat16 (see `split`), so a product with weights that are bfloat16
//! takes three passes of the unit and one with weights that are not six, those whose result an `f32` can see: as exact as
//! a sum of `f32` products, and several times as fast. The rows are cut into blocks, `k` into stretches whose part of a panel
//! stays in the first-level cache. The sum over `k` runs in rising order whatever the blocking and the number of
//! threads, and a row's result depends on that row alone.

use half::bf16;
use rayon::prelude::*;

use crate::amx::{self, Call, Parts, SIDE};
use crate::matmul::{Init, matmul};
use crate::pack::{Packed, Panels, STEP, WIDTH, padded};
use crate::rows::{Form, Rows, TILE};
use crate::split::split_panel;
use crate::threads::Shared;

/// Steps a stretch: 32 kB of a panel of bfloat16.
const STRETCH: usize = 16;
/// Parts of rows a task at most: a stretch of so many rows stays in the second-level cache.
const BLOCK: usize = 768;

/// `out[m, n] (+)= x[m, k] · W[n, k]ᵀ`, in parallel on rayon's current pool.
///
/// # Panics
/// If `x` has other inputs than the weights, or `out` is not `m · n` long.
pub fn product(x: &Rows, weights: &Packed, out: &mut [f32], init: Init) {
    let (m, n) = (x.m(), weights.outputs());
    assert_eq!(x.k(), weights.inputs(), "inputs");
    assert_eq!(out.len(), m * n, "out is [{m}, {n}]");
    match &x.form {
        Form::Plain(data) => matmul(data, m, weights, out, init),
        Form::Tiles(tiles) => run(x, tiles.values(), weights, out, init),
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn run(_: &Rows, _: &[bf16], _: &Packed, _: &mut [f32], _: Init) {
    unreachable!("tiles are made where there is a unit for them")
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn run(x: &Rows, tiles: &[bf16], weights: &Packed, out: &mut [f32], init: Init) {
    let (m, n, k) = (x.m(), weights.outputs(), x.k());
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if init == Init::Zero {
            out.fill(0.0);
        }
        return;
    }
    // Whoever made the tiles asked before; whether threads may use the unit is not left to trust.
    assert!(amx::available(), "a tile unit");
    let job = Job {
        tiles,
        parts: x.parts(),
        weights,
        m,
        out: Shared(out.as_mut_ptr()),
        init,
    };
    let panels = n.div_ceil(WIDTH);
    let pairs = m.div_ceil(SIDE);
    // Enough tasks that a thread held up by other work does not hold up the rest.
    let wanted = 6 * rayon::current_num_threads();
    let largest = (BLOCK / job.parts / SIDE).max(1);
    let blocks = pairs
        .div_ceil(largest)
        .max(wanted.div_ceil(panels).min(pairs));
    let block = pairs.div_ceil(blocks);
    let blocks = pairs.div_ceil(block);
    let group = panels.div_ceil(wanted.div_ceil(blocks)).max(1);
    let groups = panels.div_ceil(group);
    (0..blocks * groups).into_par_iter().for_each(|task| {
        let (first_pair, first_panel) = (task / groups * block, task % groups * group);
        // SAFETY: the lengths were checked above, and every task writes its own rows and columns.
        unsafe {
            job.compute(
                first_pair..(first_pair + block).min(pairs),
                first_panel..(first_panel + group).min(panels),
            );
        }
    });
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Job<'a> {
    tiles: &'a [bf16],
    parts: usize,
    weights: &'a Packed,
    m: usize,
    out: Shared,
    init: Init,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
thread_local! {
    /// A stretch of a panel in parts.
    static STRIPE: std::cell::RefCell<crate::aligned::Aligned> =
        std::cell::RefCell::new(crate::aligned::Aligned::zeros(0));
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Job<'_> {
    /// Pairs of row tiles by panels.
    ///
    /// # Safety
    /// The unit is there; nobody else touches those rows and columns of `out`, which is as long as the shapes say.
    unsafe fn compute(&self, pairs: std::ops::Range<usize>, panels: std::ops::Range<usize>) {
        // SAFETY: the caller's promise.
        let unit = unsafe { amx::Tiles::new() };
        let k = self.weights.inputs();
        let steps = padded(k) / STEP;
        STRIPE.with_borrow_mut(|stripe| {
            for start in (0..steps).step_by(STRETCH) {
                let length = STRETCH.min(steps - start);
                for panel in panels.clone() {
                    let (parts, b) = match &self.weights.panels {
                        Panels::Bf16(data) => {
                            let panel = &data.values()[panel * padded(k) * WIDTH..];
                            let parts = if self.parts == 3 {
                                Parts::ThreeByOne
                            } else {
                                Parts::OneByOne
                            };
                            (
                                parts,
                                &panel[start * STEP * WIDTH..][..length * STEP * WIDTH],
                            )
                        }
                        Panels::F32(data) => {
                            let panel = &data[panel * k * WIDTH..][..k * WIDTH];
                            let end = ((start + length) * STEP).min(k) * WIDTH;
                            let from = &panel[start * STEP * WIDTH..end];
                            stripe.resize(length * self.parts * STEP * WIDTH);
                            let parts = if self.parts == 3 {
                                split_panel::<3>(from, stripe.values_mut());
                                Parts::ThreeByThree
                            } else {
                                split_panel::<1>(from, stripe.values_mut());
                                Parts::OneByOne
                            };
                            (parts, stripe.values())
                        }
                    };
                    for pair in pairs.clone() {
                        // SAFETY: the caller's promise; `b` holds `length` steps.
                        unsafe { self.tile(&unit, parts, (start, length), b, pair, panel) };
                    }
                }
            }
        });
    }

    /// 32 rows by 32 outputs, over a stretch of `k`.
    ///
    /// # Safety
    /// As above.
    #[inline]
    unsafe fn tile(
        &self,
        unit: &amx::Tiles,
        parts: Parts,
        (start, length): (usize, usize),
        b: &[bf16],
        pair: usize,
        panel: usize,
    ) {
        let (n, k) = (self.weights.outputs(), self.weights.inputs());
        let step = self.parts * TILE * STEP;
        let tile = padded(k) / STEP * step;
        let (row, column) = (pair * SIDE, panel * WIDTH);
        let a = &self.tiles[2 * pair * tile + start * step..][..tile + length * step];
        let (height, width) = (SIDE.min(self.m - row), WIDTH.min(n - column));
        let mut call = Call {
            a: a.as_ptr().cast(),
            a_low: a[tile..].as_ptr().cast(),
            b: b.as_ptr().cast(),
            steps: length,
            c: std::ptr::null_mut(),
            c_stride: n,
            keep: start > 0 || self.init == Init::Keep,
        };
        // SAFETY: rows and columns below lie in `out`; a partial square goes through a buffer of its own.
        unsafe {
            let out = self.out.at(row * n + column);
            if height == SIDE && width == WIDTH {
                call.c = out;
                amx::multiply(unit, parts, call);
                return;
            }
            let mut buffer = [0f32; SIDE * WIDTH];
            if call.keep {
                for line in 0..height {
                    let to = buffer[line * WIDTH..].as_mut_ptr();
                    std::ptr::copy_nonoverlapping(out.add(line * n), to, width);
                }
            }
            call.c = buffer.as_mut_ptr();
            call.c_stride = WIDTH;
            amx::multiply(unit, parts, call);
            for line in 0..height {
                let from = buffer[line * WIDTH..].as_ptr();
                std::ptr::copy_nonoverlapping(from, out.add(line * n), width);
            }
        }
    }
}
