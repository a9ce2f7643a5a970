//! Splitting rows over the threads of rayon's pool.

use std::marker::PhantomData;

use rayon::prelude::*;

/// Rows handed to one task where the work per row is cheap.
const ROWS: usize = 16;

/// Calls `work(first_row, block)` for blocks of whole rows of `out`, `width` values a row, in parallel.
/// Which rows share a block never changes a result, because rows are independent.
pub fn for_each_row_block(
    out: &mut [f32],
    width: usize,
    work: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    if width == 0 {
        return;
    }
    if out.len() <= ROWS * width {
        work(0, out);
        return;
    }
    out.par_chunks_mut(ROWS * width)
        .enumerate()
        .for_each(|(index, block)| work(index * ROWS, block));
}

/// A slice that several threads write, each its own places. What is asked for is checked to lie inside; that no two
/// threads ask for the same place is the promise of whoever reads and writes.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    slice: PhantomData<&'a mut [f32]>,
}

impl<'a> Shared<'a> {
    /// Nobody else uses the slice as long as this is used.
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            slice: PhantomData,
        }
    }

    /// Where `height` rows of `width` values begin that lie `stride` apart, the first at `offset`. All of them lie inside
    /// the slice.
    ///
    /// # Panics
    /// If they do not.
    #[inline]
    pub(crate) fn rows(
        self,
        offset: usize,
        height: usize,
        width: usize,
        stride: usize,
    ) -> *mut f32 {
        let end = height
            .saturating_sub(1)
            .saturating_mul(stride)
            .saturating_add(offset)
            .saturating_add(width);
        assert!(end <= self.len, "{end} of {} places", self.len);
        // SAFETY: `offset` is no larger than `end`, so this stays within the slice or is one past its last place.
        unsafe { self.start.add(offset) }
    }

    /// Copies what is at `offset` and behind it.
    ///
    /// # Safety
    /// No thread writes these places meanwhile.
    ///
    /// # Panics
    /// If they are not all inside.
    #[inline]
    pub(crate) unsafe fn read(self, offset: usize, into: &mut [f32]) {
        let from = self.rows(offset, 1, into.len(), 0);
        // SAFETY: the places are inside; `into` is borrowed for writing alone, so it is none of them.
        unsafe { std::ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
    }

    /// Copies `values` to `offset` and behind it.
    ///
    /// # Safety
    /// No other thread reads or writes these places meanwhile.
    ///
    /// # Panics
    /// If they are not all inside.
    #[inline]
    pub(crate) unsafe fn write(self, offset: usize, values: &[f32]) {
        let to = self.rows(offset, 1, values.len(), 0);
        // SAFETY: the places are inside; they were borrowed for writing alone, so `values` are none of them.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len()) };
    }
}

// SAFETY: it stands for a slice of plain numbers, which may be used from any thread; that threads use disjoint places is
// the promise of the functions that touch them.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

/// The variable candle reads when it first computes.
const CANDLE_THREADS: &str = "CANDLE_NUM_THREADS";

/// Has candle do what it does element by element on the calling thread, unless the user has said otherwise.
///
/// Its own threads wait by spinning, beside those of rayon that our kernels run on: on two shared cores that was a
/// quarter of the processor time of a training step. No result depends on it. To be called first of all: once
/// there is a second thread, or where threads can't be counted, it does nothing.
pub fn keep_candle_on_one_thread() {
    let alone = std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1);
    if alone && std::env::var_os(CANDLE_THREADS).is_none() {
        // SAFETY: no other thread runs that could read the environment meanwhile.
        unsafe { std::env::set_var(CANDLE_THREADS, "1") };
    }
}
