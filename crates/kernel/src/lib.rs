//! Numeric kernels on plain slices: what training and generation spend their time in.
//!
//! This crate knows neither tensors with gradients nor models: a kernel gets slices and shapes and fills
//! slices. The `unsafe` of the project lives here; most kernels are safe code shaped so that the compiler vectorises it.
//!
//! **One promise holds for all that prediction uses** ([`matmul()`], [`attend`], norms, rotation, activation): the
//! value of an output row depends on that row's inputs alone, not on how many rows are computed with it, on
//! blocking, or on the number of threads. A product sums over `k` in rising order with fused multiply-adds,
//! always. So a prompt gives the same logits alone, in a batch of eight, or behind a shared prefix, to the last
//! bit, on one machine. Training also uses products whose factors change at every call ([`add_a_bt`] and its
//! like, [`attention_forward`]); these are the `gemm` crate's, whose order of summation follows the shape.
//!
//! # Instructions
//!
//! What the processor has is asked in one place, [`instructions()`], when the first kernel runs; `HARNESS_CPU` caps it. The
//! tests (`paths`) run each kernel with every set of instructions of the machine, against a sum in `f64` and, where the
//! arithmetic is the same, to the bit. Products with vectors of 256 and of 512 bits give the same bits; those without fused
//! multiply-adds, and those of the tile unit, are rounded elsewhere.
//!
//! # Where `unsafe` is, and why
//!
//! - `threads`: a slice that several threads write, each its own places. Bounds are checked at every access; that places
//!   are disjoint is argued where work is divided (`matmul`, `product`, `outer`, `kv`, `attention`).
//! - `simd`, `split`, `nf4`: calls of code that is compiled for instructions that `cpu` has found. Without them the same safe
//!   body runs.
//! - `tile`, `outer`, `quant`: vector instructions over pointers. Bounds are checked before a loop, never in it.
//! - `amx`: the assembly of the tile unit, and the request to the system. A call takes slices and checks them all; the
//!   tests put pages without access around each. A thread's tiles are given back when the last of its users is gone, by
//!   return or by panic.
//! - `small`: the `gemm` crate takes pointers; every element is found to lie in its slice first.
//! - `memory`, `interrupt`, `threads`: one setting of the allocator, the handler of an interrupt, one variable of the
//!   environment.
//!
//! Sizes are multiplied without wrapping round before they are compared with a slice's. `scripts/check-kernels` runs the
//! tests under `AddressSanitizer`.
//!
//! Dimension letters: `m` rows (tokens), `k` inputs, `n` outputs, `t` positions, `d` head width.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod aligned;
mod amx;
mod attention;
mod cpu;
mod exp;
mod interrupt;
mod kv;
mod loss;
mod matmul;
mod memory;
mod nf4;
mod norm;
mod outer;
mod pack;
#[cfg(test)]
mod paths;
mod product;
mod quant;
mod rope;
mod rows;
mod simd;
mod small;
mod split;
mod stored;
mod swiglu;
mod threads;
mod tile;

pub use attention::{AttentionShape, attention_backward, attention_forward};
pub use cpu::{Instructions, instructions};
pub use exp::{exp, softmax_in_place};
pub use interrupt::{InterruptWatch, watch_interrupts};
pub use kv::{KvPages, KvShape, PAGE, Queries, attend};
pub use loss::{argmax, cross_entropy_row, cross_entropy_rows, log_sum_exp};
pub use matmul::{Init, matmul};
pub use memory::keep_freed_memory;
pub use nf4::Nf4;
pub use norm::{
    rms_norm, rms_norm_backward, rms_norm_backward_row, rms_norm_row, rms_norm_weight_gradient,
};
pub use outer::add_outer;
pub use pack::{Packed, Precision, STEP as STEP_INPUTS, WIDTH as PANEL_OUTPUTS};
pub use product::{Start, Sum, product, sum_of_products, sums_of_products};
pub use quant::{Bits, CodeForm, GROUP, Quant, QuantRow};
pub use rope::Rope;
pub use rows::Rows;
pub use small::{add_a_b, add_a_bt, add_at_b};
pub use stored::Stored;
pub use swiglu::{swiglu, swiglu_backward, swiglu_backward_row, swiglu_row};
pub use threads::{for_each_row_block, keep_candle_on_one_thread};
