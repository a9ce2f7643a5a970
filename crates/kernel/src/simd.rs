//! Safe code compiled for the instructions of the machine at hand.

/// Defines a function whose body is compiled for AVX-512, for AVX2 and for any machine, and chosen when it is called.
/// The arithmetic is the same in all three: the compiler makes no fused operations of its own.
macro_rules! dispatched {
    ($(#[$meta:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $visible fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::inline_always)] // Has to take on the target features of its callers.
            fn plain($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
                fn avx512($($argument: $type),*) $(-> $result)? {
                    plain($($argument),*)
                }

                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) $(-> $result)? {
                    plain($($argument),*)
                }

                use $crate::cpu::{Instructions, has};
                if has(Instructions::Avx512) {
                    // SAFETY: these are the features that `cpu` looks for.
                    return unsafe { avx512($($argument),*) };
                }
                if has(Instructions::Avx2) {
                    // SAFETY: as above.
                    return unsafe { avx2($($argument),*) };
                }
            }
            plain($($argument),*)
        }
    };
}

pub(crate) use dispatched;
