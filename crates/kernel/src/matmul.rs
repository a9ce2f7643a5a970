//! `out = x · Wᵀ` for packed weights: the product that training and generation are made of.
//!
//! Goto's scheme: a block of `x` is packed into tiles of [`ROWS`] rows that stay in the second-level cache, a
//! stretch of a panel stays in the first, and a tile of the result stays in registers. The sum over `k` runs in
//! rising order with fused multiply-adds whatever the blocking, so blocking never shows in a result.

use half::bf16;
use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{self, Instructions};
use crate::pack::{Packed, Panels, WIDTH, padded};
use crate::stored::{self, Stored, transposed_panels};
use crate::threads::Shared;

/// Rows of a register tile: 12 × 2 accumulators fill 24 of the 32 AVX-512 registers.
pub(crate) const ROWS: usize = 12;
/// Rows of `x` packed at a time.
const BLOCK_ROWS: usize = 20 * ROWS;
/// Inputs a block: a stretch of a panel of this length stays in the first-level cache.
const BLOCK_INPUTS: usize = 384;

/// What the result starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// From zero: what was in `out` is overwritten.
    Zero,
    /// From what is in `out`: a bias, a residual, another product.
    Keep,
}

/// `out[m, n] (+)= x[m, k] · W[n, k]ᵀ`, row-major, in parallel on rayon's current pool.
///
/// # Panics
/// If `x` is not `m · k` long or `out` not `m · n`.
pub fn matmul(x: &[f32], m: usize, weights: &Packed, out: &mut [f32], init: Init) {
    let (n, k) = (weights.outputs(), weights.inputs());
    // No slice is as long as what a product that is too large becomes.
    assert_eq!(x.len(), m.saturating_mul(k), "x is [{m}, {k}]");
    assert_eq!(out.len(), m.saturating_mul(n), "out is [{m}, {n}]");
    match &weights.panels {
        Panels::F32(panels) => run(x, m, (panels, k), (n, k), out, init),
        Panels::Bf16(panels) => run(x, m, (panels.values(), padded(k)), (n, k), out, init),
        Panels::Stored { matrix, transposed } => {
            stored(x, m, (matrix.as_ref(), *transposed), (n, k), out, init);
        }
    }
}

/// [`matmul`] with a matrix that stays as it is stored: each panel is made once, used and forgotten.
fn stored(
    x: &[f32],
    m: usize,
    (matrix, transposed): (&dyn Stored, bool),
    (n, k): (usize, usize),
    out: &mut [f32],
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    let out = Shared::new(out);
    let room = || (Vec::new(), vec![0f32; k * WIDTH], vec![0f32; m * WIDTH]);
    (0..n.div_ceil(WIDTH))
        .into_par_iter()
        .for_each_init(room, |(buffer, made, result), panel| {
            if transposed {
                transposed_panels(matrix, panel..panel + 1, 0..k, buffer, made);
            } else {
                stored::panel(matrix, panel, 0..k, buffer, made);
            }
            let width = WIDTH.min(n - panel * WIDTH);
            let place = |row: usize| row * n + panel * WIDTH;
            if init == Init::Keep {
                for (r, result) in result.chunks_exact_mut(WIDTH).enumerate() {
                    // SAFETY: every task reads and writes its own columns.
                    unsafe { out.read(place(r), &mut result[..width]) };
                }
            }
            matmul_panels(
                (x, k),
                (m, k),
                made,
                k * WIDTH,
                WIDTH,
                (result, WIDTH),
                init,
            );
            for (r, result) in result.chunks_exact(WIDTH).enumerate() {
                // SAFETY: as above.
                unsafe { out.write(place(r), &result[..width]) };
            }
        });
}

/// As [`matmul`], on the calling thread, for panels of `f32` that were just made.
/// `x` has `m` rows of `k` values that start `x_stride` apart; `out` has rows `out_stride` apart.
fn matmul_panels(
    (x, x_stride): (&[f32], usize),
    (m, k): (usize, usize),
    panels: &[f32],
    panel_stride: usize,
    n: usize,
    (out, out_stride): (&mut [f32], usize),
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(x.len() >= (m - 1) * x_stride + k, "x too short");
    assert!(out.len() >= (m - 1) * out_stride + n, "out too short");
    assert!(
        panels.len() >= (n.div_ceil(WIDTH) - 1) * panel_stride + k * WIDTH,
        "panels too short"
    );
    let job = Job {
        x,
        x_stride,
        panels,
        panel_stride,
        n,
        k,
        out: Shared::new(out),
        out_stride,
        init,
    };
    with_scratch(m * k, |tiles| {
        let stretch = job.stretch(m);
        for start in (0..k).step_by(stretch) {
            let length = stretch.min(k - start);
            for row in (0..m).step_by(ROWS) {
                let height = ROWS.min(m - row);
                let into = &mut tiles[start * m + row * length..][..height * length];
                job.pack_tile(row, height, start, length, into);
            }
        }
        // SAFETY: nothing else uses `out`, which is borrowed for writing alone.
        unsafe { job.block(tiles, m, 0, m, 0, n.div_ceil(WIDTH)) }
    });
}

fn run<W: Weight>(
    x: &[f32],
    m: usize,
    (panels, panel_inputs): (&[W], usize),
    (n, k): (usize, usize),
    out: &mut [f32],
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    let job = Job {
        x,
        x_stride: k,
        panels,
        panel_stride: panel_inputs * WIDTH,
        n,
        k,
        out: Shared::new(out),
        out_stride: n,
        init,
    };
    let panel_count = n.div_ceil(WIDTH);
    let row_blocks = m.div_ceil(BLOCK_ROWS);
    // Enough tasks that a thread held up by other work does not hold up the rest.
    let wanted = (6 * rayon::current_num_threads()).div_ceil(row_blocks);
    let step = panel_count.div_ceil(wanted).max(1);
    let tasks_per_block = panel_count.div_ceil(step);
    with_scratch(m * k, |tiles| {
        job.pack_parallel(m, tiles);
        let tiles = &*tiles;
        (0..row_blocks * tasks_per_block)
            .into_par_iter()
            .for_each(|task| {
                let row = task / tasks_per_block * BLOCK_ROWS;
                let panel = task % tasks_per_block * step;
                let rows = BLOCK_ROWS.min(m - row);
                // SAFETY: every task has its own blocks of rows and steps of columns.
                unsafe { job.block(tiles, m, row, rows, panel, (panel + step).min(panel_count)) }
            });
    });
}

thread_local! {
    static TILES: std::cell::Cell<Vec<f32>> = const { std::cell::Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, at least `len` long. It is taken out meanwhile, so a product that is started while
/// this one waits for its threads gets a buffer of its own.
fn with_scratch(len: usize, work: impl FnOnce(&mut [f32])) {
    let mut buffer = TILES.take();
    if buffer.len() < len {
        buffer = vec![0.0; len.next_multiple_of(1 << 16)];
    }
    work(&mut buffer[..len]);
    TILES.set(buffer);
}

struct Job<'a, W> {
    x: &'a [f32],
    x_stride: usize,
    panels: &'a [W],
    panel_stride: usize,
    n: usize,
    k: usize,
    out: Shared<'a>,
    out_stride: usize,
    init: Init,
}

impl<W: Weight> Job<'_, W> {
    /// Inputs a block for a product of `m` rows. A few rows are bound by reading the weights: there a panel is walked
    /// once, from end to end.
    fn stretch(&self, m: usize) -> usize {
        if m <= ROWS {
            self.k.max(1)
        } else {
            BLOCK_INPUTS
        }
    }

    /// Packs all of `x` into tiles `[k][height]`: for each stretch of inputs, the tiles of all rows.
    fn pack_parallel(&self, m: usize, tiles: &mut [f32]) {
        let stretch = self.stretch(m);
        if m <= ROWS {
            self.pack_tile(0, m, 0, self.k, tiles);
            return;
        }
        tiles
            .par_chunks_mut(stretch * m)
            .enumerate()
            .for_each(|(block, tiles)| {
                let length = tiles.len() / m;
                tiles
                    .par_chunks_mut(ROWS * length)
                    .enumerate()
                    .for_each(|(tile, into)| {
                        let row = tile * ROWS;
                        self.pack_tile(row, ROWS.min(m - row), block * stretch, length, into);
                    });
            });
    }

    /// Packs `x[row..row + height, start..start + length]` into one tile.
    fn pack_tile(&self, row: usize, height: usize, start: usize, length: usize, into: &mut [f32]) {
        let at = |r: usize| &self.x[(row + r) * self.x_stride + start..][..length];
        if height == ROWS {
            let rows: [&[f32]; ROWS] = std::array::from_fn(at);
            for (input, tile) in into.chunks_exact_mut(ROWS).enumerate() {
                for (value, row) in tile.iter_mut().zip(&rows) {
                    *value = row[input];
                }
            }
        } else {
            for r in 0..height {
                for (value, place) in at(r).iter().zip(into[r..].iter_mut().step_by(height)) {
                    *place = *value;
                }
            }
        }
    }

    /// Rows `row..row + rows` of `m` times panels `first..last`, `tiles` being all of `x`, packed.
    ///
    /// # Safety
    /// No other thread touches those rows and columns of `out` meanwhile.
    unsafe fn block(
        &self,
        tiles: &[f32],
        m: usize,
        row: usize,
        rows: usize,
        first: usize,
        last: usize,
    ) {
        let stretch = self.stretch(m);
        let mut start = 0;
        loop {
            let length = stretch.min(self.k - start);
            let keep = start > 0 || self.init == Init::Keep;
            for panel in first..last {
                let column = panel * WIDTH;
                let width = WIDTH.min(self.n - column);
                for tile in (row..row + rows).step_by(ROWS) {
                    let height = ROWS.min(row + rows - tile);
                    let x = &tiles[start * m + tile * length..][..height * length];
                    let weights = &self.panels[panel * self.panel_stride + start * WIDTH..];
                    let place = tile * self.out_stride + column;
                    if width == WIDTH {
                        let out = self.out.rows(place, height, WIDTH, self.out_stride);
                        // SAFETY: `out` was found to have these places; that they are ours is the caller's promise.
                        unsafe { tile_product(height, x, weights, out, self.out_stride, keep) };
                        continue;
                    }
                    // A partial panel goes through a buffer of its own.
                    let mut buffer = [0f32; ROWS * WIDTH];
                    let mut place = place;
                    if keep {
                        for values in buffer.chunks_exact_mut(WIDTH).take(height) {
                            // SAFETY: the caller's promise.
                            unsafe { self.out.read(place, &mut values[..width]) };
                            place += self.out_stride;
                        }
                        place = tile * self.out_stride + column;
                    }
                    // SAFETY: the buffer has as many rows as a tile can have.
                    unsafe { tile_product(height, x, weights, buffer.as_mut_ptr(), WIDTH, keep) };
                    for values in buffer.chunks_exact(WIDTH).take(height) {
                        // SAFETY: the caller's promise.
                        unsafe { self.out.write(place, &values[..width]) };
                        place += self.out_stride;
                    }
                }
            }
            start += length;
            if start >= self.k {
                break;
            }
        }
    }
}

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
    // SAFETY: the caller's promise.
    unsafe { tile_plain::<W, HEIGHT>(length, x, weights, out, out_stride, keep, f32::mul_add) }
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
