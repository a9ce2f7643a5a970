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
    let mut order: Vec<usize> = (0..examples).collect();
    shuffle(
        &mut order,
        &mut stream(seed, Stream::Order, epoch as u64, 0),
    );
    order
}

/// Batches whose examples are sorted by length together. More make the lengths in a step more alike and the steps less
/// random; at 50 the spread of lengths within a step is a few per cent of what it is in the whole.
const WINDOW: usize = 50;

/// [`epoch_order`] with examples of like length in the same step: the shuffled epoch is cut into windows of 50 batches,
/// each window is sorted by length, cut into batches again, and its batches are shuffled.
///
/// Nothing is padded here, so no arithmetic is saved: a step's time and memory go with its longest examples, and the
/// micro-batches of a step fill up evenly. The examples of the epoch's last step, where that is not a full one, are the
/// last of the shuffle, so that it is not always the longest examples that make it up. A function of lengths, batch
/// size, seed and epoch alone.
pub fn bucketed_order(lengths: &[usize], batch_size: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let batch_size = batch_size.max(1);
    let mut order = epoch_order(lengths.len(), seed, epoch);
    let rest = order.split_off(lengths.len() - lengths.len() % batch_size);
    let mut random = stream(seed, Stream::Buckets, epoch as u64, 0);
    let mut bucketed = Vec::with_capacity(lengths.len());
    for window in order.chunks_mut(WINDOW.saturating_mul(batch_size)) {
        // Stable: among equals the shuffle decides.
        window.sort_by_key(|&example| lengths[example]);
        let mut batches: Vec<&[usize]> = window.chunks(batch_size).collect();
        shuffle(&mut batches, &mut random);
        bucketed.extend(batches.into_iter().flatten());
    }
    bucketed.extend(rest);
    bucketed
}

/// Fisher–Yates.
fn shuffle<T>(items: &mut [T], random: &mut impl RngCore) {
    for last in (1..items.len()).rev() {
        // The high half of the product is uniform over 0..=last up to a bias below 2^-40 at any real size.
        let pick = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(last, pick as usize);
    }
}

/// Indices of the examples of one step (0-based), in training order.
pub fn step_examples(step: usize, examples: usize, batch_size: usize, seed: u64) -> Vec<usize> {
    let (epoch, range) = position(step, examples, batch_size);
    epoch_order(examples, seed, epoch)[range].to_vec()
}

/// [`step_examples`] in [`bucketed_order`].
pub fn bucketed_step_examples(
    step: usize,
    lengths: &[usize],
    batch_size: usize,
    seed: u64,
) -> Vec<usize> {
    let (epoch, range) = position(step, lengths.len(), batch_size);
    bucketed_order(lengths, batch_size, seed, epoch)[range].to_vec()
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

    #[test]
    fn buckets_visit_each_example_once_among_its_likes() {
        for (examples, batch_size) in [(1, 1), (7, 3), (203, 4), (1001, 5), (5, 9)] {
            // Scrambled lengths from 1 to 300.
            let lengths: Vec<usize> = (0..examples).map(|i| 1 + i * 7919 % 300).collect();
            for epoch in 0..3 {
                let steps = steps_per_epoch(examples, batch_size);
                let batches: Vec<Vec<usize>> = (epoch * steps..(epoch + 1) * steps)
                    .map(|step| bucketed_step_examples(step, &lengths, batch_size, 5))
                    .collect();
                let spread = |batch: &[usize]| {
                    let of = || batch.iter().map(|&i| lengths[i]);
                    of().max().unwrap() - of().min().unwrap()
                };
                if examples > 100 {
                    let whole = &batches[..examples / batch_size];
                    let mean = whole.iter().map(|b| spread(b)).sum::<usize>() / whole.len();
                    assert!(mean < 20, "spread {mean}");
                    let middle = |b: &Vec<usize>| lengths[b[0]];
                    assert!(!whole.is_sorted_by_key(middle), "the steps are in no order");
                }
                let mut seen: Vec<usize> = batches.concat();
                seen.sort_unstable();
                assert_eq!(seen, (0..examples).collect::<Vec<_>>());
            }
        }
        assert_eq!(bucketed_step_examples(3, &[], 4, 1), Vec::<usize>::new());
        let lengths = [5; 40];
        assert_ne!(
            bucketed_order(&lengths, 4, 1, 0),
            bucketed_order(&lengths, 4, 1, 1)
        );
    }
}
