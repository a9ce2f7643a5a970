//! The innermost product: up to twelve rows by a panel's [`WIDTH`] outputs, whose sums stay in registers, for each set of
//! vector instructions. The sum over inputs runs in rising order in all of them.

use half::bf16;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{self, Instructions};
use crate::pack::WIDTH;

/// Rows of a register tile: 12 × 2 accumulators fill 24 of the 32 AVX-512 registers.
pub(crate) const ROWS: usize = 12;

/// A stored weight. The weights of two inputs stand together; how, is the type's affair.
pub(crate) trait Weight: Copy + Send + Sync {
    /// Inputs whose weights are read at once: a panel has a multiple of so many.
    const TOGETHER: usize;

    /// The weight from input `step` to output `offset` of a panel.
    ///
    /// # Safety
    /// The panel reaches that far.
    unsafe fn at(panel: *const Self, step: usize, offset: usize) -> f32;

    /// The weights of inputs `step` (even) and `step + 1`, as four registers: the lower and upper outputs of the first,
    /// then of the second.
    ///
    /// # Safety
    /// The panel reaches to the end of both, and the processor has AVX-512F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load_pair(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 4];

    /// The weights of input `step` (even): the lower and upper outputs.
    ///
    /// # Safety
    /// As above, for one input.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load_one(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 2];

    /// The weights of inputs `step` (even) and `step + 1` to eight outputs from `offset` on.
    ///
    /// # Safety
    /// The panel reaches to the end of both, and the processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load_eight(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> [std::arch::x86_64::__m256; 2];

    /// The weights of input `step` (even) to eight outputs from `offset` on.
    ///
    /// # Safety
    /// As above, for one input.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load_last(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> std::arch::x86_64::__m256;
}

impl Weight for f32 {
    const TOGETHER: usize = 1;

    unsafe fn at(panel: *const Self, step: usize, offset: usize) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { *panel.add(step * WIDTH + offset) }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load_pair(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 4] {
        use std::arch::x86_64::_mm512_loadu_ps;
        // SAFETY: the caller's promise.
        unsafe {
            let from = panel.add(step * WIDTH);
            [
                _mm512_loadu_ps(from),
                _mm512_loadu_ps(from.add(16)),
                _mm512_loadu_ps(from.add(32)),
                _mm512_loadu_ps(from.add(48)),
            ]
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load_one(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 2] {
        use std::arch::x86_64::_mm512_loadu_ps;
        // SAFETY: the caller's promise.
        unsafe {
            let from = panel.add(step * WIDTH);
            [_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(16))]
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn load_eight(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> [std::arch::x86_64::__m256; 2] {
        use std::arch::x86_64::_mm256_loadu_ps;
        // SAFETY: the caller's promise.
        unsafe {
            let from = panel.add(step * WIDTH + offset);
            [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(WIDTH))]
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn load_last(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> std::arch::x86_64::__m256 {
        // SAFETY: the caller's promise.
        unsafe { std::arch::x86_64::_mm256_loadu_ps(panel.add(step * WIDTH + offset)) }
    }
}

impl Weight for bf16 {
    const TOGETHER: usize = 2;

    unsafe fn at(panel: *const Self, step: usize, offset: usize) -> f32 {
        // SAFETY: the caller's promise; both of a pair are there, as panels have an even number of inputs.
        let pair = unsafe {
            let place: *const u32 = panel.add(step / 2 * 2 * WIDTH + offset * 2).cast();
            u32::from_le(place.read_unaligned())
        };
        // Read as a pair, because then the compiler makes vectors of it.
        f32::from_bits(if step.is_multiple_of(2) {
            pair << 16
        } else {
            pair & 0xFFFF_0000
        })
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load_pair(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 4] {
        use std::arch::x86_64::{
            _mm512_and_si512, _mm512_castsi512_ps, _mm512_loadu_si512, _mm512_set1_epi32,
            _mm512_slli_epi32,
        };
        // SAFETY: the caller's promise. A bfloat16 is the upper half of an f32: of the two in 32 bits the first input's is
        // moved there, the second input's is there already.
        unsafe {
            let from = panel.add(step * WIDTH);
            let low = _mm512_loadu_si512(from.cast());
            let high = _mm512_loadu_si512(from.add(32).cast());
            let upper = _mm512_set1_epi32(0xFFFF_0000_u32.cast_signed());
            [
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(low)),
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(high)),
                _mm512_castsi512_ps(_mm512_and_si512(low, upper)),
                _mm512_castsi512_ps(_mm512_and_si512(high, upper)),
            ]
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load_one(panel: *const Self, step: usize) -> [std::arch::x86_64::__m512; 2] {
        // SAFETY: the caller's promise; a panel of bfloat16 has an even number of inputs.
        let [low, high, ..] = unsafe { Self::load_pair(panel, step) };
        [low, high]
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn load_eight(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> [std::arch::x86_64::__m256; 2] {
        use std::arch::x86_64::{
            _mm256_and_si256, _mm256_castsi256_ps, _mm256_loadu_si256, _mm256_set1_epi32,
            _mm256_slli_epi32,
        };
        // SAFETY: the caller's promise; the pairs of eight outputs are 32 bytes, halves as in `load_pair`.
        unsafe {
            let pairs = _mm256_loadu_si256(panel.add(step * WIDTH + 2 * offset).cast());
            let upper = _mm256_set1_epi32(0xFFFF_0000_u32.cast_signed());
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(pairs)),
                _mm256_castsi256_ps(_mm256_and_si256(pairs, upper)),
            ]
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn load_last(
        panel: *const Self,
        step: usize,
        offset: usize,
    ) -> std::arch::x86_64::__m256 {
        // SAFETY: the caller's promise; a panel of bfloat16 has an even number of inputs.
        let [first, _] = unsafe { Self::load_eight(panel, step, offset) };
        first
    }
}

/// `out[height, WIDTH] (+)= xᵀ[length, height] · weights[length, WIDTH]` of a tile and the beginning of a panel.
///
/// # Safety
/// `out` has `height` rows of `WIDTH` values, `out_stride` apart, which no other thread uses meanwhile.
///
/// # Panics
/// If `height` is not 1 to 12, or the panel ends too soon.
#[inline]
pub(crate) unsafe fn tile_product<W: Weight>(
    height: usize,
    x: &[f32],
    weights: &[W],
    out: *mut f32,
    out_stride: usize,
    keep: bool,
) {
    assert!((1..=ROWS).contains(&height), "a height");
    let length = x.len() / height;
    // The kernels check nothing, so this is where bounds are.
    assert!(
        weights.len() / WIDTH >= length.next_multiple_of(W::TOGETHER),
        "a panel"
    );
    let (x, weights) = (x.as_ptr(), weights.as_ptr());
    macro_rules! by_height {
        ($kernel:ident) => {
            match height {
                1 => $kernel::<W, 1>(length, x, weights, out, out_stride, keep),
                2 => $kernel::<W, 2>(length, x, weights, out, out_stride, keep),
                3 => $kernel::<W, 3>(length, x, weights, out, out_stride, keep),
                4 => $kernel::<W, 4>(length, x, weights, out, out_stride, keep),
                5 => $kernel::<W, 5>(length, x, weights, out, out_stride, keep),
                6 => $kernel::<W, 6>(length, x, weights, out, out_stride, keep),
                7 => $kernel::<W, 7>(length, x, weights, out, out_stride, keep),
                8 => $kernel::<W, 8>(length, x, weights, out, out_stride, keep),
                9 => $kernel::<W, 9>(length, x, weights, out, out_stride, keep),
                10 => $kernel::<W, 10>(length, x, weights, out, out_stride, keep),
                11 => $kernel::<W, 11>(length, x, weights, out, out_stride, keep),
                _ => $kernel::<W, 12>(length, x, weights, out, out_stride, keep),
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    {
        if cpu::has(Instructions::Avx512) {
            // SAFETY: the feature is among those that `cpu` looks for. Each kernel reads `length` inputs of `height` values of `x`
            // and of `WIDTH` weights, up to a whole pair, which were just found; `out` is the caller's promise.
            unsafe { by_height!(tile_avx512) };
            return;
        }
        if cpu::has(Instructions::Avx2) {
            // SAFETY: as above.
            unsafe { by_height!(tile_avx2) };
            return;
        }
    }
    // SAFETY: as above.
    unsafe { by_height!(tile_portable) };
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn tile_avx512<W: Weight, const HEIGHT: usize>(
    length: usize,
    x: *const f32,
    weights: *const W,
    out: *mut f32,
    out_stride: usize,
    keep: bool,
) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: the caller's promise about the pointers.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); 2]; HEIGHT];
        if keep {
            for (row, sum) in sums.iter_mut().enumerate() {
                sum[0] = _mm512_loadu_ps(out.add(row * out_stride));
                sum[1] = _mm512_loadu_ps(out.add(row * out_stride + 16));
            }
        }
        for step in (0..length / 2 * 2).step_by(2) {
            let weights = W::load_pair(weights, step);
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_ps(*x.add(step * HEIGHT + row));
                sum[0] = _mm512_fmadd_ps(value, weights[0], sum[0]);
                sum[1] = _mm512_fmadd_ps(value, weights[1], sum[1]);
                let value = _mm512_set1_ps(*x.add((step + 1) * HEIGHT + row));
                sum[0] = _mm512_fmadd_ps(value, weights[2], sum[0]);
                sum[1] = _mm512_fmadd_ps(value, weights[3], sum[1]);
            }
        }
        if length % 2 == 1 {
            let weights = W::load_one(weights, length - 1);
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_ps(*x.add((length - 1) * HEIGHT + row));
                sum[0] = _mm512_fmadd_ps(value, weights[0], sum[0]);
                sum[1] = _mm512_fmadd_ps(value, weights[1], sum[1]);
            }
        }
        for (row, sum) in sums.iter().enumerate() {
            _mm512_storeu_ps(out.add(row * out_stride), sum[0]);
            _mm512_storeu_ps(out.add(row * out_stride + 16), sum[1]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2<W: Weight, const HEIGHT: usize>(
    length: usize,
    x: *const f32,
    weights: *const W,
    out: *mut f32,
    out_stride: usize,
    keep: bool,
) {
    // Six rows by two registers are twelve of the sixteen, and enough sums at a time to hide what one of them waits for; of
    // one row or two there are enough only across the whole panel.
    // SAFETY: the caller's promise.
    unsafe {
        let mut row = 0;
        while row < HEIGHT {
            let rest = HEIGHT - row;
            let strip = |offset: usize| {
                (
                    x.add(row),
                    HEIGHT,
                    out.add(row * out_stride + offset),
                    offset,
                )
            };
            macro_rules! halves {
                ($rows:literal) => {
                    for offset in [0, WIDTH / 2] {
                        strip_avx2::<W, $rows, 2>(length, strip(offset), weights, out_stride, keep);
                    }
                };
            }
            match rest {
                1 => strip_avx2::<W, 1, 4>(length, strip(0), weights, out_stride, keep),
                2 => strip_avx2::<W, 2, 4>(length, strip(0), weights, out_stride, keep),
                3 => halves!(3),
                4 => halves!(4),
                5 => halves!(5),
                _ => halves!(6),
            }
            row += rest.min(6);
        }
    }
}

/// `R` rows by `C` registers of a tile: `x` is where their values begin, those of the next input `height` further on; `out`
/// is where their sums are, and `offset` the first of the outputs.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn strip_avx2<W: Weight, const R: usize, const C: usize>(
    length: usize,
    (x, height, out, offset): (*const f32, usize, *mut f32, usize),
    weights: *const W,
    out_stride: usize,
    keep: bool,
) {
    use std::arch::x86_64::{
        _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    // SAFETY: the promise of the caller's caller about the pointers.
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); C]; R];
        if keep {
            for (row, sum) in sums.iter_mut().enumerate() {
                for (c, sum) in sum.iter_mut().enumerate() {
                    *sum = _mm256_loadu_ps(out.add(row * out_stride + 8 * c));
                }
            }
        }
        for step in (0..length / 2 * 2).step_by(2) {
            let mut both = [[_mm256_setzero_ps(); C]; 2];
            let [first, second] = &mut both;
            for (c, (first, second)) in first.iter_mut().zip(second).enumerate() {
                [*first, *second] = W::load_eight(weights, step, offset + 8 * c);
            }
            for (input, weights) in both.iter().enumerate() {
                for (row, sum) in sums.iter_mut().enumerate() {
                    let value = _mm256_broadcast_ss(&*x.add((step + input) * height + row));
                    for (sum, weights) in sum.iter_mut().zip(weights) {
                        *sum = _mm256_fmadd_ps(value, *weights, *sum);
                    }
                }
            }
        }
        if length % 2 == 1 {
            for c in 0..C {
                let weights = W::load_last(weights, length - 1, offset + 8 * c);
                for (row, sum) in sums.iter_mut().enumerate() {
                    let value = _mm256_broadcast_ss(&*x.add((length - 1) * height + row));
                    sum[c] = _mm256_fmadd_ps(value, weights, sum[c]);
                }
            }
        }
        for (row, sum) in sums.iter().enumerate() {
            for (c, sum) in sum.iter().enumerate() {
                _mm256_storeu_ps(out.add(row * out_stride + 8 * c), *sum);
            }
        }
    }
}

unsafe fn tile_portable<W: Weight, const HEIGHT: usize>(
    length: usize,
    x: *const f32,
    weights: *const W,
    out: *mut f32,
    out_stride: usize,
    keep: bool,
) {
    // Without a fused instruction `mul_add` is a slow library call; there the product is rounded twice.
    let fused = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    let add = if fused {
        f32::mul_add
    } else {
        |a: f32, b: f32, c: f32| a * b + c
    };
    // SAFETY: the caller's promise.
    unsafe { tile_plain::<W, HEIGHT>(length, x, weights, out, out_stride, keep, add) }
}

/// The same sums in plain loops, two rows by sixteen outputs at a time, for the compiler to vectorise.
#[inline(always)]
#[allow(clippy::inline_always)] // Has to take on the target features of its caller.
unsafe fn tile_plain<W: Weight, const HEIGHT: usize>(
    length: usize,
    x: *const f32,
    weights: *const W,
    out: *mut f32,
    out_stride: usize,
    keep: bool,
    add: impl Fn(f32, f32, f32) -> f32 + Copy,
) {
    const HALF: usize = WIDTH / 2;
    for half in 0..2 {
        for row in (0..HEIGHT).step_by(2) {
            let rows = 2.min(HEIGHT - row);
            let mut sums = [[0f32; HALF]; 2];
            // SAFETY: the caller's promise about the pointers.
            unsafe {
                if keep {
                    for (r, sum) in sums.iter_mut().enumerate().take(rows) {
                        for (c, value) in sum.iter_mut().enumerate() {
                            *value = *out.add((row + r) * out_stride + half * HALF + c);
                        }
                    }
                }
                for step in 0..length {
                    let lane: [f32; HALF] =
                        std::array::from_fn(|c| W::at(weights, step, half * HALF + c));
                    for (r, sum) in sums.iter_mut().enumerate().take(rows) {
                        let value = *x.add(step * HEIGHT + row + r);
                        for (total, weight) in sum.iter_mut().zip(&lane) {
                            *total = add(value, *weight, *total);
                        }
                    }
                }
                for (r, sum) in sums.iter().enumerate().take(rows) {
                    for (c, value) in sum.iter().enumerate() {
                        *out.add((row + r) * out_stride + half * HALF + c) = *value;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{ROWS, WIDTH, Weight, bf16, tile_portable, tile_product};

    type Tile<W> = unsafe fn(usize, *const f32, *const W, *mut f32, usize, bool);

    const STRIDE: usize = WIDTH + 5;

    fn random(len: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(len as u64);
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn run<W: Weight>(
        tile: Tile<W>,
        height: usize,
        length: usize,
        weights: &[W],
        keep: bool,
    ) -> Vec<f32> {
        let x = random(height * length);
        let mut out = random(height * STRIDE);
        assert!(weights.len() >= length * WIDTH);
        // SAFETY: the slices have the lengths that height and length ask for; features are checked by the callers.
        unsafe {
            tile(
                length,
                x.as_ptr(),
                weights.as_ptr(),
                out.as_mut_ptr(),
                STRIDE,
                keep,
            );
        }
        out
    }

    /// The tile that this machine chooses against those of other machines, at every height.
    fn check<W: Weight>(convert: impl Fn(f32) -> W) {
        macro_rules! heights {
            ($($height:literal)*) => {$(
                for (length, keep) in [(1, false), (7, true), (300, false), (301, true)] {
                    let weights: Vec<W> = random((length + length % 2) * WIDTH).into_iter().map(&convert).collect();
                    let x = random($height * length);
                    let mut best = random($height * STRIDE);
                    // SAFETY: there are as many rows as the height.
                    unsafe { tile_product::<W>($height, &x, &weights, best.as_mut_ptr(), STRIDE, keep) };
                    let plain = run::<W>(tile_portable::<W, $height>, $height, length, &weights, keep);
                    for (a, b) in best.iter().zip(&plain) {
                        assert!((a - b).abs() < 1e-4, "{a} and {b} at height {}", $height);
                    }
                    #[cfg(target_arch = "x86_64")]
                    if crate::cpu::has(crate::cpu::Instructions::Avx2) {
                        let avx2 = run::<W>(super::tile_avx2::<W, $height>, $height, length, &weights, keep);
                        assert_eq!(best, avx2, "height {}", $height);
                    }
                }
            )*};
        }
        heights!(1 2 3 4 5 6 7 8 9 10 11 12);
        assert_eq!(ROWS, 12, "every height is tried");
    }

    #[test]
    fn tiles_of_other_machines_give_the_same() {
        check(|value| value);
        check(bf16::from_f32);
    }
}
