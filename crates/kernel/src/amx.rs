//! The processor's tile unit (AMX): products of 16 × 32 tiles of bfloat16, summed in `f32`.
//!
//! One instruction multiplies two tiles, sixteen times the work of a vector instruction. The compiler knows no stable
//! intrinsics for it, so the loops are assembly; that is the only assembly of the project. A tile of the left factor
//! is 16 rows of 32 values, a tile of the right one 16 pairs of inputs of 16 outputs, the layout of
//! [`Packed`](crate::Packed) panels. A call computes two tiles by two, 32 rows of 32 outputs.
//!
//! Every product is exact in `f32`, sums are rounded to nearest after each of a pair; numbers below `f32`'s normal range count
//! as zero.

#![cfg_attr(
    not(all(target_arch = "x86_64", target_os = "linux")),
    allow(dead_code, reason = "no unit, no calls")
)]

use half::bf16;

use crate::cpu::{self, Instructions};

/// Rows, and outputs, of one call.
pub(crate) const SIDE: usize = 32;

/// Whether the unit is to be used: it is there, the system lets this process use it, and nobody capped the choice.
pub(crate) fn available() -> bool {
    cpu::has(Instructions::Amx)
}

/// Whether this machine has the unit and the system lets this process use it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn detect() -> bool {
    imp::detect()
}

/// How many parts of the left and the right factor are multiplied with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Both are bfloat16.
    OneByOne,
    /// The left one is the sum of three bfloat16: the product is that of `f32` with bfloat16.
    ThreeByOne,
    /// Both are: the six products that `f32` can see.
    ThreeByThree,
}

impl Parts {
    /// Parts of the left factor.
    fn left(self) -> usize {
        match self {
            Self::OneByOne => 1,
            Self::ThreeByOne | Self::ThreeByThree => 3,
        }
    }

    /// Parts of the right factor.
    fn right(self) -> usize {
        match self {
            Self::OneByOne | Self::ThreeByOne => 1,
            Self::ThreeByThree => 3,
        }
    }
}

/// What a call adds to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin<'a> {
    Zero,
    /// What is in the result.
    Result,
    /// As many rows of 32 values of another matrix, so far apart, which may be 0.
    Rows(&'a [f32], usize),
}

/// One call: `c[32][32] = begin[32][32] + a · b`, over at least one step. Where the unit was set up for a few rows, only these
/// are computed, in the same order, and `a_low` is not read.
///
/// The left factor lies as `[steps][parts][16][32]` for rows 0 to 15 in `a`, and so for rows 16 to 31 in `a_low`; the
/// right one as `[steps][parts][16][32][2]` in `b`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) a: &'a [bf16],
    pub(crate) a_low: &'a [bf16],
    pub(crate) b: &'a [bf16],
    pub(crate) steps: usize,
    pub(crate) begin: Begin<'a>,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) use imp::{Tiles, multiply, multiply_shared};

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod imp {
    use std::arch::asm;
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
    use std::cell::Cell;
    use std::marker::PhantomData;

    use half::bf16;

    use super::{Begin, Call, Parts, SIDE};
    use crate::threads::Shared;

    /// The system call `arch_prctl`, its request for a state component, and the component of tile data.
    const ARCH_PRCTL: i64 = 158;
    const REQUEST: i64 = 0x1023;
    const TILE_DATA: i64 = 18;
    /// Bits of `cpuid` leaf 7, register `edx`: bfloat16 tiles, tiles.
    const AMX: u32 = 1 << 22 | 1 << 24;
    /// Bits that say that the system saves the tiles' configuration and data.
    const SAVED: u64 = 1 << 17 | 1 << 18;
    /// Bit of `cpuid` leaf 1, register `ecx`: `xgetbv` may be asked.
    const OSXSAVE: u32 = 1 << 27;

    pub(super) fn detect() -> bool {
        if !std::arch::is_x86_feature_detected!("avx512bf16")
            || __cpuid(0).eax < 7
            || __cpuid(1).ecx & OSXSAVE == 0
            || __cpuid_count(7, 0).edx & AMX != AMX
        {
            return false;
        }
        // SAFETY: `OSXSAVE` says that the instruction is there.
        if unsafe { enabled() } & SAVED != SAVED {
            return false;
        }
        let answer: i64;
        // SAFETY: the system call reads registers only and changes no memory; it asks that tiles may be used, for the
        // whole process, and says whether they may.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") ARCH_PRCTL => answer,
                in("rdi") REQUEST,
                in("rsi") TILE_DATA,
                out("rcx") _,
                out("r11") _,
                options(nostack),
            );
        }
        answer == 0
    }

    #[target_feature(enable = "xsave")]
    unsafe fn enabled() -> u64 {
        // SAFETY: register 0 exists wherever the instruction does.
        unsafe { _xgetbv(0) }
    }

    /// The shape of the eight tiles: rows of 64 bytes.
    #[repr(C, align(64))]
    struct Shape([u8; 64]);

    impl Shape {
        /// The left factor's tiles and those of the result have `rows` rows, the right factor's, 6 and 7, all of 16.
        fn new(rows: u8) -> Self {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            for tile in 0..8 {
                bytes[16 + 2 * tile] = 64;
                bytes[48 + tile] = if tile < 6 { rows } else { 16 };
            }
            Self(bytes)
        }

        /// # Safety
        /// The unit is there and may be used.
        unsafe fn set_up(self) {
            // SAFETY: the caller's promise; the shape is a valid one, 64 bytes long.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const self, options(nostack, readonly)) };
        }
    }

    thread_local! {
        /// Rows that this thread's tiles are set up for; 0 where they are not.
        static SET_UP: Cell<u8> = const { Cell::new(0) };
    }

    /// As long as it lives, the tiles of this thread are set up. It stays on its thread. There may be several, the last one
    /// first to go: a thread that waits within a product may take up a task of another.
    pub(crate) struct Tiles {
        /// Rows of a result: 32, or up to 16.
        height: usize,
        /// What the tiles were set up for before.
        before: u8,
        thread: PhantomData<*const ()>,
    }

    impl Tiles {
        /// Sets up the calling thread's tiles for results of `rows` rows, if that is up to 16, and of 32 else.
        ///
        /// # Panics
        /// If there is no unit, or it is not to be used.
        pub(crate) fn new(rows: usize) -> Self {
            // Permission is the process's, so one thread's request serves all.
            assert!(super::available(), "a tile unit");
            let rows = rows.max(1);
            let (height, tile) = if rows <= 16 {
                (rows, rows as u8)
            } else {
                (SIDE, 16)
            };
            let before = SET_UP.replace(tile);
            if before != tile {
                // SAFETY: the unit is there and may be used.
                unsafe { Shape::new(tile).set_up() };
            }
            Self {
                height,
                before,
                thread: PhantomData,
            }
        }
    }

    impl Drop for Tiles {
        // Also when a panic unwinds: no thread keeps tiles that the system would have to save at every switch.
        fn drop(&mut self) {
            let now = SET_UP.replace(self.before);
            // SAFETY: the unit is there, or there would be no value to drop. Nobody holds what is in the tiles: a call leaves
            // its result in memory.
            unsafe {
                if self.before == 0 {
                    asm!("tilerelease", options(nostack, nomem));
                } else if self.before != now {
                    Shape::new(self.before).set_up();
                }
            }
        }
    }

    /// Tiles 0 to 3 are the sums, 4 and 5 rows of the left factor, 6 and 7 outputs of the right one.
    macro_rules! product {
        ($pointers:expr, $a_step:literal, $b_step:literal, [$($step:literal),+ $(,)?]) => {{
            let (from, from_stride, a, l, b, n, c, stride) = $pointers;
            asm!(
                "test {f}, {f}",
                "jz 3f",
                "tileloadd tmm0, [{f} + {fs}*1]",
                "tileloadd tmm1, [{f} + {fs}*1 + 64]",
                "lea {f}, [{f} + {fs}*8]",
                "lea {f}, [{f} + {fs}*8]",
                "tileloadd tmm2, [{f} + {fs}*1]",
                "tileloadd tmm3, [{f} + {fs}*1 + 64]",
                "jmp 2f",
                "3:",
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                $($step,)+
                concat!("add {a}, ", $a_step),
                concat!("add {l}, ", $a_step),
                concat!("add {b}, ", $b_step),
                "dec {n}",
                "jnz 2b",
                "tilestored [{c} + {cs}*1], tmm0",
                "tilestored [{c} + {cs}*1 + 64], tmm1",
                "lea {c}, [{c} + {cs}*8]",
                "lea {c}, [{c} + {cs}*8]",
                "tilestored [{c} + {cs}*1], tmm2",
                "tilestored [{c} + {cs}*1 + 64], tmm3",
                f = inout(reg) from => _,
                fs = in(reg) 4 * from_stride,
                a = inout(reg) a => _,
                l = inout(reg) l => _,
                b = inout(reg) b => _,
                n = inout(reg) n => _,
                c = inout(reg) c => _,
                cs = in(reg) 4 * stride,
                // The rows of a tile of `a` are 64 bytes apart, those of a tile of `b` 128.
                s = in(reg) 64_usize,
                t = in(reg) 128_usize,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }};
    }

    /// Computes one call; rows of `c` are `stride` apart.
    ///
    /// # Panics
    /// If a factor, `c` or what it begins from is too short.
    #[inline]
    pub(crate) fn multiply(
        unit: &Tiles,
        parts: Parts,
        call: Call<'_>,
        c: &mut [f32],
        stride: usize,
    ) {
        // SAFETY: the slice is borrowed for writing alone.
        unsafe { multiply_shared(unit, parts, call, (Shared::new(c), 0), stride) };
    }

    /// [`multiply`] with a result that begins at a place of a slice of several threads.
    ///
    /// # Safety
    /// No other thread reads or writes these rows of 32 values meanwhile.
    ///
    /// # Panics
    /// As [`multiply`].
    #[inline]
    pub(crate) unsafe fn multiply_shared(
        unit: &Tiles,
        parts: Parts,
        call: Call<'_>,
        (c, offset): (Shared<'_>, usize),
        stride: usize,
    ) {
        /// Values of a left and of a right factor, one step and part each.
        const LEFT: usize = 16 * 32;
        const RIGHT: usize = 16 * 32 * 2;
        // The assembly checks nothing, so this is the one place where bounds are; a call runs for thousands of cycles.
        let Call {
            a, a_low, b, steps, ..
        } = call;
        assert!(steps > 0 && steps <= b.len(), "a step");
        let left = steps.saturating_mul(parts.left() * LEFT);
        let (height, few) = (unit.height, unit.height < SIDE);
        let tile = if few { height } else { 16 };
        assert_eq!(usize::from(SET_UP.get()), tile, "tiles set up last");
        assert!(
            a.len() >= left && (few || a_low.len() >= left),
            "left factors"
        );
        assert!(
            b.len() >= steps.saturating_mul(parts.right() * RIGHT),
            "right factor"
        );
        let c = c.rows(offset, height, SIDE, stride);
        let (from, from_stride) = match call.begin {
            Begin::Zero => (std::ptr::null(), 0),
            Begin::Result => (c.cast_const(), stride),
            Begin::Rows(rows, stride) => {
                let reach = (height - 1).saturating_mul(stride).saturating_add(SIDE);
                assert!(rows.len() >= reach, "what it begins from");
                (rows.as_ptr(), stride)
            }
        };
        let pointers = (
            from,
            from_stride,
            a.as_ptr(),
            a_low.as_ptr(),
            b.as_ptr(),
            steps,
            c,
            stride,
        );
        // SAFETY: what the tiles read and write was just found to lie inside the slices, and nobody else uses `c` meanwhile.
        // `Tiles` vouches that the unit is there and the tiles have their shape.
        unsafe {
            if few {
                return multiply_few(parts, pointers);
            }
            match parts {
                Parts::OneByOne => product!(
                    pointers,
                    "1024",
                    "2048",
                    [
                        "tileloadd tmm4, [{a} + {s}*1]",
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                    ]
                ),
                Parts::ThreeByOne => product!(
                    pointers,
                    "3072",
                    "2048",
                    [
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tileloadd tmm4, [{a} + {s}*1 + 2048]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1 + 2048]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm4, [{a} + {s}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1 + 1024]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm4, [{a} + {s}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                    ]
                ),
                Parts::ThreeByThree => product!(
                    pointers,
                    "3072",
                    "6144",
                    [
                        // The smallest products first: 0·2, 1·1 and 2·0, then 0·1 and 1·0, then 0·0.
                        "tileloadd tmm6, [{b} + {t}*1 + 4096]",
                        "tileloadd tmm7, [{b} + {t}*1 + 4160]",
                        "tileloadd tmm4, [{a} + {s}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm6, [{b} + {t}*1 + 2048]",
                        "tileloadd tmm7, [{b} + {t}*1 + 2112]",
                        "tileloadd tmm4, [{a} + {s}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1 + 1024]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm4, [{a} + {s}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tileloadd tmm4, [{a} + {s}*1 + 2048]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1 + 2048]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm4, [{a} + {s}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1 + 1024]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "tileloadd tmm4, [{a} + {s}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{l} + {s}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                    ]
                ),
            }
        }
    }

    /// Tiles 0 and 1 are the sums, 2 to 4 the parts of the left factor, 6 and 7 outputs of the right one.
    macro_rules! few {
        ($pointers:expr, $a_step:literal, $b_step:literal, [$($step:literal),+ $(,)?]) => {{
            let (from, from_stride, a, _, b, n, c, stride) = $pointers;
            asm!(
                "test {f}, {f}",
                "jz 3f",
                "tileloadd tmm0, [{f} + {fs}*1]",
                "tileloadd tmm1, [{f} + {fs}*1 + 64]",
                "jmp 2f",
                "3:",
                "tilezero tmm0",
                "tilezero tmm1",
                "2:",
                $($step,)+
                concat!("add {a}, ", $a_step),
                concat!("add {b}, ", $b_step),
                "dec {n}",
                "jnz 2b",
                "tilestored [{c} + {cs}*1], tmm0",
                "tilestored [{c} + {cs}*1 + 64], tmm1",
                f = in(reg) from,
                fs = in(reg) 4 * from_stride,
                a = inout(reg) a => _,
                b = inout(reg) b => _,
                n = inout(reg) n => _,
                c = in(reg) c,
                cs = in(reg) 4 * stride,
                s = in(reg) 64_usize,
                t = in(reg) 128_usize,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }};
    }

    /// What a call reads and writes: what it begins from and its stride, two left factors, the right one, steps, and the result
    /// with its stride.
    type Pointers = (
        *const f32,
        usize,
        *const bf16,
        *const bf16,
        *const bf16,
        usize,
        *mut f32,
        usize,
    );

    /// The call for as many rows as the tiles are set up for.
    ///
    /// # Safety
    /// As in [`multiply_shared`], which has looked at the bounds.
    #[inline]
    unsafe fn multiply_few(parts: Parts, pointers: Pointers) {
        // SAFETY: the caller's promise.
        unsafe {
            match parts {
                Parts::OneByOne => few!(
                    pointers,
                    "1024",
                    "2048",
                    [
                        "tileloadd tmm2, [{a} + {s}*1]",
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tdpbf16ps tmm0, tmm2, tmm6",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tdpbf16ps tmm1, tmm2, tmm7",
                    ]
                ),
                Parts::ThreeByOne => few!(
                    pointers,
                    "3072",
                    "2048",
                    [
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tileloadd tmm4, [{a} + {s}*1 + 2048]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm3, [{a} + {s}*1 + 1024]",
                        "tdpbf16ps tmm0, tmm3, tmm6",
                        "tdpbf16ps tmm1, tmm3, tmm7",
                        "tileloadd tmm2, [{a} + {s}*1]",
                        "tdpbf16ps tmm0, tmm2, tmm6",
                        "tdpbf16ps tmm1, tmm2, tmm7",
                    ]
                ),
                Parts::ThreeByThree => few!(
                    pointers,
                    "3072",
                    "6144",
                    [
                        "tileloadd tmm2, [{a} + {s}*1]",
                        "tileloadd tmm3, [{a} + {s}*1 + 1024]",
                        "tileloadd tmm4, [{a} + {s}*1 + 2048]",
                        "tileloadd tmm6, [{b} + {t}*1 + 4096]",
                        "tileloadd tmm7, [{b} + {t}*1 + 4160]",
                        "tdpbf16ps tmm0, tmm2, tmm6",
                        "tdpbf16ps tmm1, tmm2, tmm7",
                        "tileloadd tmm6, [{b} + {t}*1 + 2048]",
                        "tileloadd tmm7, [{b} + {t}*1 + 2112]",
                        "tdpbf16ps tmm0, tmm3, tmm6",
                        "tdpbf16ps tmm1, tmm3, tmm7",
                        "tdpbf16ps tmm0, tmm2, tmm6",
                        "tdpbf16ps tmm1, tmm2, tmm7",
                        "tileloadd tmm6, [{b} + {t}*1]",
                        "tileloadd tmm7, [{b} + {t}*1 + 64]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tdpbf16ps tmm0, tmm3, tmm6",
                        "tdpbf16ps tmm1, tmm3, tmm7",
                        "tdpbf16ps tmm0, tmm2, tmm6",
                        "tdpbf16ps tmm1, tmm2, tmm7",
                    ]
                ),
            }
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(target_os = "linux")))]
mod imp {
    pub(super) fn detect() -> bool {
        false
    }
}
