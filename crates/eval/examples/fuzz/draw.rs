//! Draws from the generator of random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Random numbers that are determined by a seed, a round and a target.
#[derive(Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The numbers of one target in one round: no round depends on how many an earlier one drew.
    pub fn of(seed: u64, round: u64, target: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(round << 8 | target);
        Self(rng)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let drawn = self.0.next_u64() % (end.max(1) as u64);
        drawn as usize
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of the pieces between the tildes.
    pub fn piece<'a>(&mut self, pieces: &'a str) -> &'a str {
        let number = self.below(pieces.split('~').count());
        pieces.split('~').nth(number).unwrap_or_default()
    }

    /// One of the words between the tildes, without the blanks around it.
    pub fn word<'a>(&mut self, words: &'a str) -> &'a str {
        self.piece(words).trim()
    }
}
