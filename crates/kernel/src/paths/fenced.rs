//! Kernels read and write nothing beyond their slices: each slice lies between pages that may not be touched, at the lower
//! or at the upper end. A sanitizer does not see assembly; the processor does.

use half::bf16;

use super::random;
use crate::amx::{self, Begin, Call, Parts, SIDE};
use crate::cpu::Instructions;
use crate::cpu::testing::{here, up_to};
use crate::{Init, Packed, Precision, Rows, Start, add_outer, matmul, sum_of_products};

const PAGE: usize = 4096;
const NO_ACCESS: i32 = 0;
const READ_AND_WRITE: i32 = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS` of Linux.
const OWN_MEMORY: i32 = 0x22;

unsafe extern "C" {
    fn mmap(at: *mut u8, len: usize, access: i32, flags: i32, file: i32, offset: i64) -> *mut u8;
    fn mprotect(at: *mut u8, len: usize, access: i32) -> i32;
    fn munmap(at: *mut u8, len: usize) -> i32;
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Lower,
    Upper,
}

/// A copy of a slice between two pages without access.
struct Fenced<T> {
    pages: *mut u8,
    bytes: usize,
    values: *mut T,
    len: usize,
}

impl<T: Copy> Fenced<T> {
    fn new(values: &[T], end: End) -> Self {
        let size = size_of_val(values);
        let inner = size.next_multiple_of(PAGE);
        let bytes = inner + 2 * PAGE;
        // SAFETY: new memory is asked for; the pages between the outer two are opened, and the copy lies in them. Pages are
        // larger than any alignment, and a slice's size is a multiple of its own.
        unsafe {
            let pages = mmap(std::ptr::null_mut(), bytes, NO_ACCESS, OWN_MEMORY, -1, 0);
            assert!(pages as isize != -1, "memory");
            assert_eq!(mprotect(pages.add(PAGE), inner, READ_AND_WRITE), 0);
            let skipped = if end == End::Lower { 0 } else { inner - size };
            let place = pages.add(PAGE + skipped).cast::<T>();
            std::ptr::copy_nonoverlapping(values.as_ptr(), place, values.len());
            Self {
                pages,
                bytes,
                values: place,
                len: values.len(),
            }
        }
    }
}

impl<T> std::ops::Deref for Fenced<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many values were copied there.
        unsafe { std::slice::from_raw_parts(self.values, self.len) }
    }
}

impl<T> std::ops::DerefMut for Fenced<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; the memory is this value's own.
        unsafe { std::slice::from_raw_parts_mut(self.values, self.len) }
    }
}

impl<T> Drop for Fenced<T> {
    fn drop(&mut self) {
        // SAFETY: the memory is this value's own.
        unsafe { munmap(self.pages, self.bytes) };
    }
}

const ENDS: [End; 2] = [End::Lower, End::Upper];

fn halves(seed: u64, len: usize) -> Vec<bf16> {
    random(seed, len).into_iter().map(bf16::from_f32).collect()
}

#[test]
fn a_call_of_the_tile_unit() {
    if !here().contains(&Instructions::Amx) {
        return;
    }
    let unit = amx::Tiles::new();
    let row = random(9, SIDE);
    for (parts, left, right) in [
        (Parts::OneByOne, 1, 1),
        (Parts::ThreeByOne, 3, 1),
        (Parts::ThreeByThree, 3, 3),
    ] {
        for (steps, stride, end) in [(1, 32, ENDS[0]), (1, 45, ENDS[1]), (3, 32, ENDS[1])] {
            let size = (SIDE - 1) * stride + SIDE;
            let (a, low, b) = (
                halves(1, steps * left * 512),
                halves(2, steps * left * 512),
                halves(3, steps * right * 1024),
            );
            let (from, before) = (random(4, size), random(5, size));
            let (fenced_a, fenced_low) = (Fenced::new(&a, end), Fenced::new(&low, end));
            let (fenced_b, fenced_from) = (Fenced::new(&b, end), Fenced::new(&from, end));
            let fenced_row = Fenced::new(&row, end);
            for (begin, fenced_begin) in [
                (Begin::Zero, Begin::Zero),
                (Begin::Result, Begin::Result),
                (
                    Begin::Rows(&from, stride),
                    Begin::Rows(&fenced_from, stride),
                ),
                (Begin::Rows(&row, 0), Begin::Rows(&fenced_row, 0)),
            ] {
                let mut expected = before.clone();
                let call = Call {
                    a: &a,
                    a_low: &low,
                    b: &b,
                    steps,
                    begin,
                };
                amx::multiply(&unit, parts, call, &mut expected, stride);
                let mut found = Fenced::new(&before, end);
                let call = Call {
                    a: &fenced_a,
                    a_low: &fenced_low,
                    b: &fenced_b,
                    steps,
                    begin: fenced_begin,
                };
                amx::multiply(&unit, parts, call, &mut found, stride);
                assert_eq!(found[..], expected[..], "{parts:?}, {steps} steps, {end:?}");
            }
        }
    }
}

#[test]
fn products_of_every_path() {
    for (m, n, k) in [
        (1, 1, 1),
        (12, 32, 31),
        (13, 33, 2),
        (40, 70, 65),
        (33, 31, 400),
    ] {
        let (x, w, before) = (random(1, m * k), random(2, n * k), random(3, m * n));
        for end in ENDS {
            for precision in [Precision::F32, Precision::Bf16] {
                let packed = Packed::rows(&w, n, k, precision);
                for level in here() {
                    let run = |x: &[f32], start: &[f32], out: &mut [f32]| {
                        let mut rows = Rows::new(precision);
                        rows.copy(x, m, k);
                        sum_of_products(&[(&rows, &packed)], Start::Matrix(start), out);
                        matmul(x, m, &packed, out, Init::Keep);
                        sum_of_products(&[(&rows, &packed)], Start::Out, out);
                    };
                    let mut expected = before.clone();
                    up_to(level, || run(&x, &before, &mut expected));
                    let found = up_to(level, || {
                        let (x, start) = (Fenced::new(&x, end), Fenced::new(&before, end));
                        let mut out = Fenced::new(&before, end);
                        run(&x, &start, &mut out);
                        out.to_vec()
                    });
                    assert_eq!(found, expected, "{m} {n} {k} with {level}");
                }
            }
        }
    }
}

#[test]
fn outer_products_of_every_path() {
    for (m, r, n) in [(1, 1, 1), (3, 9, 17), (17, 8, 32), (5, 40, 33), (2, 3, 15)] {
        let (a, b, before) = (random(1, m * r), random(2, m * n), random(3, r * n));
        for end in ENDS {
            for level in here() {
                let mut expected = before.clone();
                up_to(level, || add_outer(&mut expected, (m, r, n), &a, &b));
                let found = up_to(level, || {
                    let (a, b) = (Fenced::new(&a, end), Fenced::new(&b, end));
                    let mut out = Fenced::new(&before, end);
                    add_outer(&mut out, (m, r, n), &a, &b);
                    out.to_vec()
                });
                assert_eq!(found, expected, "{m} {r} {n} with {level}");
            }
        }
    }
}
