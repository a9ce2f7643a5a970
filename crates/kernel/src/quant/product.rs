//! Several products of rows in bytes with codes, divided among threads.

use rayon::prelude::*;

use super::Quant;
use super::bytes::ByteRow;
use crate::pack::WIDTH;
use crate::threads::Shared;

/// `out[rows][outputs] += rows · codesᵀ`.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) codes: &'a Quant,
    pub(crate) rows: &'a [ByteRow],
    pub(crate) out: &'a mut [f32],
}

/// Panels of one job.
struct Task<'a> {
    codes: &'a Quant,
    rows: &'a [ByteRow],
    out: Shared<'a>,
    panels: std::ops::Range<usize>,
}

/// All jobs, in parallel on rayon's current pool.
///
/// # Panics
/// If a result has another size than its factors say.
pub(crate) fn run(jobs: Vec<Job<'_>>) {
    let count = |codes: &Quant| codes.n.div_ceil(WIDTH);
    let panels: usize = jobs.iter().map(|job| count(job.codes)).sum();
    // Enough tasks that a thread held up by other work does not hold up the rest.
    let step = panels.div_ceil(6 * rayon::current_num_threads()).max(1);
    let mut tasks = Vec::new();
    for Job { codes, rows, out } in jobs {
        assert_eq!(out.len(), rows.len().saturating_mul(codes.n), "a result");
        let (out, last) = (Shared::new(out), count(codes));
        tasks.extend((0..last).step_by(step).map(|first| Task {
            codes,
            rows,
            out,
            panels: first..(first + step).min(last),
        }));
    }
    tasks.par_iter().for_each(|task| {
        let Task {
            codes, rows, out, ..
        } = task;
        let mut sums = vec![0f32; rows.len() * WIDTH];
        for panel in task.panels.clone() {
            let width = WIDTH.min(codes.n - panel * WIDTH);
            let place = |row: usize| row * codes.n + panel * WIDTH;
            for (row, sums) in sums.chunks_exact_mut(WIDTH).enumerate() {
                // SAFETY: every task reads and writes its own columns of its own result.
                unsafe { out.read(place(row), &mut sums[..width]) };
            }
            codes.dot(panel, rows, &mut sums);
            for (row, sums) in sums.chunks_exact(WIDTH).enumerate() {
                // SAFETY: as above.
                unsafe { out.write(place(row), &sums[..width]) };
            }
        }
    });
}
