//! The order of the data: a seeded shuffle per epoch, cut into steps. It is a function of (examples, seed, step)
//! alone, so a resumed run needs only its step to continue at the right example.

use std::ops::Range;

use rand::RngCore;

use crate::random::{Stream, stream};

/// Optimisation steps of one epoch over `examples` examples; the last one takes what is left.
pub fn steps_per_epoch(examples: usize, batch_size: usize) -> usize {
    examples.div_ceil(batch_size.max(1))
}

/// Place of a step (0-based) in the data: its epoch, and the range of that epoch's order it takes.
pub fn position(step: usize, examples: usize, batch_size: usize) -> (usize, Range<usize>) {
    let per_epoch = steps_per_epoch(examples, batch_size).max(1);
    let start = (step % per_epoch) * batch_size;
    (
        step / per_epoch,
        start.min(examples)..start.saturating_add(batch_size).min(examples),
    )
}

/// Permutation of `0..examples` for one epoch (Fisher–Yates over the stream of seed and epoch).
///
/// Written out here because a library's shuffle may change between versions, and the order is part of a result.
pub fn epoch_order(examples: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut random = stream(seed, Stream::Order, epoch as u64, 0);
    let mut order: Vec<usize> = (0..examples).collect();
    for last in (1..examples).rev() {
        // The high half of the product is uniform over 0..=last up to a bias below 2^-40 at any real size.
        let pick = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, pick as usize);
    }
    order
}

/// Indices of the examples of one step (0-based), in training order.
pub fn step_examples(step: usize, examples: usize, batch_size: usize, seed: u64) -> Vec<usize> {
    let (epoch, range) = position(step, examples, batch_size);
    epoch_order(examples, seed, epoch)[range].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_each_example_once() {
        for (examples, batch_size) in [(1, 1), (7, 3), (8, 4), (5, 9)] {
            for epoch in 0..3 {
                let steps = steps_per_epoch(examples, batch_size);
                let mut seen: Vec<usize> = (epoch * steps..(epoch + 1) * steps)
                    .flat_map(|step| step_examples(step, examples, batch_size, 5))
                    .collect();
                assert_eq!(seen, epoch_order(examples, 5, epoch));
                seen.sort_unstable();
                assert_eq!(seen, (0..examples).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_order_is_named_by_seed_and_epoch() {
        let order = epoch_order(100, 1, 0);
        assert_eq!(order, epoch_order(100, 1, 0));
        assert_ne!(order, epoch_order(100, 1, 1));
        assert_ne!(order, epoch_order(100, 2, 0));
        assert_ne!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_to_order() {
        assert_eq!(step_examples(3, 0, 4, 1), Vec::<usize>::new());
    }
}
