//! An allocator that knows the largest piece it was asked for, and how much was alive at once, between two marks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

struct Counting;

/// Largest piece since the mark.
static LARGEST: AtomicUsize = AtomicUsize::new(0);
/// Bytes taken less bytes given back since the mark, and the most that was.
static ALIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(size: usize) {
    LARGEST.fetch_max(size, Ordering::Relaxed);
    let alive = ALIVE.fetch_add(size.cast_signed(), Ordering::Relaxed) + size.cast_signed();
    PEAK.fetch_max(alive, Ordering::Relaxed);
}

fn given_back(size: usize) {
    ALIVE.fetch_sub(size.cast_signed(), Ordering::Relaxed);
}

// SAFETY: every call goes on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's promises are those of this call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given_back(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        given_back(layout.size());
        taken(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Sets the mark.
pub fn begin() {
    LARGEST.store(0, Ordering::Relaxed);
    ALIVE.store(0, Ordering::Relaxed);
    PEAK.store(0, Ordering::Relaxed);
}

/// The largest piece since the mark, and the most bytes that were alive together.
pub fn end() -> (usize, usize) {
    let peak = PEAK.load(Ordering::Relaxed).max(0);
    (LARGEST.load(Ordering::Relaxed), peak.unsigned_abs())
}
