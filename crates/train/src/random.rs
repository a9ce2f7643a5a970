//! Named random streams: every random number of a run is a function of the run's seed, the name of its use and
//! its place in the run. No state is carried from step to step, so nothing has to be saved to resume.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the numbers are used for. The tag is part of the key, so uses never share a stream.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// The shuffle of one epoch.
    Order,
    /// The order of an epoch's steps where examples of like length share one.
    Buckets,
    /// The dropout masks of one micro-batch.
    Dropout,
}

/// The generator keyed by (`seed`, `name`, `a`, `b`): `ChaCha8`'s 32-byte key is exactly these four words.
pub(crate) fn stream(seed: u64, name: Stream, a: u64, b: u64) -> ChaCha8Rng {
    let tag = match name {
        Stream::Order => *b"order\0\0\0",
        Stream::Buckets => *b"buckets\0",
        Stream::Dropout => *b"dropout\0",
    };
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&tag);
    key[16..24].copy_from_slice(&a.to_le_bytes());
    key[24..].copy_from_slice(&b.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
