//! The packed product beside the `gemm` crate on the shapes of a small decoder: `cargo bench -p harness-kernel`.
//! Alternating runs, the best of each; prints GF/s and the ratio.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use harness_kernel::{Init, Packed, Precision, Rows, add_a_bt, matmul, product};

fn best(runs: usize, mut run: impl FnMut()) -> f64 {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() {
    println!(
        "{:>6} {:>7} {:>6} {:>10} {:>10} {:>10} {:>7} {:>8} {:>8} {:>8}",
        "m",
        "n",
        "k",
        "gemm f32",
        "packed f32",
        "packed b16",
        "ratio",
        "f32·f32",
        "f32·b16",
        "b16·b16"
    );
    for (m, n, k) in [
        (1024, 896, 896),
        (1024, 4864, 896),
        (1024, 896, 4864),
        (1024, 1536, 576),
        (1024, 576, 576),
        (1024, 192, 576),
        (1024, 16, 576),
        (1024, 576, 16),
        (1024, 1536, 16),
        (128, 151_936, 896),
        (8, 4864, 896),
        (8, 151_936, 896),
        (1, 4864, 896),
    ] {
        let x: Vec<f32> = (0..m * k).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect();
        let w: Vec<f32> = (0..n * k).map(|i| (i % 13) as f32 * 0.1 - 0.6).collect();
        let (wide, narrow) = (
            Packed::rows(&w, n, k, Precision::F32),
            Packed::rows(&w, n, k, Precision::Bf16),
        );
        let mut out = vec![0f32; m * n];
        let runs = if m * n * k > 1 << 33 { 3 } else { 40 };
        let flops = 2.0 * (m * n * k) as f64 / 1e9;
        let peer = flops / best(runs, || add_a_bt(&mut out, (m, n, k), &x, &w, 1.0));
        let f32s = flops / best(runs, || matmul(&x, m, &wide, &mut out, Init::Zero));
        let bf16s = flops / best(runs, || matmul(&x, m, &narrow, &mut out, Init::Zero));
        let mut rows = |precision, weights: &Packed| {
            let mut rows = Rows::new(precision);
            rows.copy(&x, m, k);
            flops / best(runs, || product(&rows, weights, &mut out, Init::Zero))
        };
        let parts = [
            rows(Precision::F32, &wide),
            rows(Precision::F32, &narrow),
            rows(Precision::Bf16, &narrow),
        ];
        println!(
            "{m:>6} {n:>7} {k:>6} {peer:>10.0} {f32s:>10.0} {bf16s:>10.0} {:>7.2} {:>8.0} {:>8.0} {:>8.0}",
            f32s / peer,
            parts[0],
            parts[1],
            parts[2],
        );
    }
}
