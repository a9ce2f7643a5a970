//! Splitting rows over the threads of rayon's pool.

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

/// A pointer that may cross threads. Whoever makes one vouches that the threads write disjoint places.
#[derive(Clone, Copy)]
pub(crate) struct Shared(pub(crate) *mut f32);

impl Shared {
    /// The place `offset` values further on.
    ///
    /// # Safety
    /// It lies inside what the pointer was made from.
    pub(crate) unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

// SAFETY: the pointer itself is plain data; disjointness of the writes is argued where it is used.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}
