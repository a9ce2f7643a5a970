//! Importance resampling (DSIR: Xie, Santurkar, Ma, Liang 2023, "Data Selection for Language Models via Importance
//! Resampling").
//!
//! Words and pairs of words of the templates fall into a fixed number of buckets by a hash. Target and pool are bags of
//! buckets; a candidate's weight is the ratio of its likelihoods under the two. Adding Gumbel noise to the logarithms of
//! the weights and taking the n largest draws n candidates without replacement in proportion to their weights. Where the
//! authors hash the words of a text, templates are hashed here, so that all methods see the same of a query.

use harness_sql::Template;
use rand::Rng as _;

use super::{POOL, TARGET, Task};
use crate::score::rarefied::generator;

/// Buckets, as in the paper.
const BUCKETS: usize = 10_000;

/// ln weight + Gumbel noise of each candidate.
pub(super) fn scores(task: &Task) -> Vec<f64> {
    let forms: Vec<Vec<usize>> = task.space.forms().iter().map(buckets).collect();
    let bag = |set| {
        // One of each bucket: no share is 0.
        let mut bag = vec![1.0_f64; BUCKETS];
        for template in task.space.templates(set) {
            for &bucket in &forms[template as usize] {
                bag[bucket] += 1.0;
            }
        }
        let total: f64 = bag.iter().sum();
        bag.into_iter()
            .map(|times| (times / total).ln())
            .collect::<Vec<f64>>()
    };
    let (target, pool) = (bag(TARGET), bag(POOL));
    let mut random = generator(task.options.seed, 21, 0);
    let mut score = |candidate| {
        let form = &forms[task.candidates.template(candidate) as usize];
        let weight: f64 = form.iter().map(|&b| target[b] - pool[b]).sum();
        let uniform: f64 = random.random_range(f64::MIN_POSITIVE..1.0);
        weight - (-uniform.ln()).ln()
    };
    (0..task.candidates.len()).map(&mut score).collect()
}

/// The buckets of the words of a template and of its pairs of neighbours.
fn buckets(template: &Template) -> Vec<usize> {
    let tokens = template.tokens();
    let single = tokens.chunks(1).map(hash);
    let pairs = tokens.windows(2).map(hash);
    single.chain(pairs).collect()
}

/// FNV-1a of words, with a mark between them.
fn hash<S: AsRef<str>>(words: &[S]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        for byte in word.as_ref().bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    (hash % BUCKETS as u64) as usize
}
