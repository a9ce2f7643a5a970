//! Which instructions the kernels use: the one place where the processor is asked.
//!
//! The best that is there is used, unless the environment variable `HARNESS_CPU` says `portable`, `avx2`, `avx512`,
//! `vnni` or `amx`: then nothing above it is. It is read once. What this machine does not have counts as the best that it has
//! below, and any other word as `auto`, the default. So the paths of other machines can be run, compared and timed on this one.
//!
//! The cap holds for the kernels of this crate. The `gemm` crate, which multiplies what is not packed, asks the processor
//! itself.

use std::fmt;
use std::sync::OnceLock;

/// The variable that caps the choice.
const VARIABLE: &str = "HARNESS_CPU";

/// Sets of instructions, each with all that are below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// Those that the program was compiled for.
    Portable,
    /// AVX2 and fused multiply-add.
    Avx2,
    /// AVX-512 F, BW, DQ and VL: what every processor with AVX-512 since 2017 has.
    Avx512,
    /// Products of bytes (VNNI).
    Vnni,
    /// The tile unit with bfloat16.
    Amx,
}

impl Instructions {
    /// All of them, rising.
    pub const ALL: [Self; 5] = [
        Self::Portable,
        Self::Avx2,
        Self::Avx512,
        Self::Vnni,
        Self::Amx,
    ];

    /// As `HARNESS_CPU` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Vnni => "vnni",
            Self::Amx => "amx",
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the kernels use: the best that this machine has and `HARNESS_CPU` allows.
pub fn instructions() -> Instructions {
    static CHOSEN: OnceLock<Instructions> = OnceLock::new();
    let chosen = *CHOSEN.get_or_init(|| best(cap(std::env::var(VARIABLE).ok().as_deref())));
    #[cfg(test)]
    let chosen = testing::lowered(chosen);
    chosen
}

pub(crate) fn has(wanted: Instructions) -> bool {
    instructions() >= wanted
}

/// What a value of the variable allows.
fn cap(value: Option<&str>) -> Instructions {
    let named = |it: &Instructions| value.is_some_and(|value| value.trim() == it.name());
    let found = Instructions::ALL.into_iter().find(named);
    found.unwrap_or(Instructions::Amx)
}

/// The best of this machine up to `cap`. Tiles are asked for only where they may be used.
fn best(cap: Instructions) -> Instructions {
    Instructions::ALL
        .into_iter()
        .take_while(|it| *it <= cap && found(*it))
        .last()
        .unwrap_or(Instructions::Portable)
}

/// Whether this machine has what `wanted` has beyond the one below.
#[cfg(target_arch = "x86_64")]
fn found(wanted: Instructions) -> bool {
    use std::arch::is_x86_feature_detected as detected;
    match wanted {
        Instructions::Portable => true,
        Instructions::Avx2 => detected!("avx2") && detected!("fma"),
        Instructions::Avx512 => {
            detected!("avx512f")
                && detected!("avx512bw")
                && detected!("avx512dq")
                && detected!("avx512vl")
        }
        Instructions::Vnni => detected!("avx512vnni"),
        Instructions::Amx => crate::amx::detect(),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn found(wanted: Instructions) -> bool {
    wanted == Instructions::Portable
}

/// Tests run a kernel at each level in one process.
#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;

    use super::{Instructions, instructions};

    thread_local! {
        static CAP: Cell<Instructions> = const { Cell::new(Instructions::Amx) };
    }

    pub(super) fn lowered(chosen: Instructions) -> Instructions {
        chosen.min(CAP.get())
    }

    /// Runs `work` with nothing above `cap`, on a thread of its own that is all of its pool.
    pub(crate) fn up_to<T: Send>(cap: Instructions, work: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        pool.build().unwrap().install(|| {
            CAP.set(cap);
            work()
        })
    }

    /// Those that this run of the tests may use.
    pub(crate) fn here() -> Vec<Instructions> {
        let upper = instructions();
        Instructions::ALL
            .into_iter()
            .filter(|it| *it <= upper)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_a_word_and_any_other_is_none() {
        for it in Instructions::ALL {
            assert_eq!(cap(Some(it.name())), it);
            assert_eq!(best(it), best(Instructions::Amx).min(it));
        }
        for value in [None, Some("auto"), Some(""), Some("sse9")] {
            assert_eq!(cap(value), Instructions::Amx);
        }
        assert_eq!(cap(Some(" avx2\n")), Instructions::Avx2);
    }
}
