//! `out = x · Wᵀ` of [`Rows`] and packed weights: the product of training.
//!
//! On a machine with a tile unit a value of `f32` is three bfloat16 (see `split`), so a product with weights that are bfloat16
//! takes three passes of the unit and one with weights that are not six, those whose result an `f32` can see: as exact as
//! a sum of `f32` products, and several times as fast. The rows are cut into blocks, `k` into stretches whose part of a panel
//! stays in the first-level cache. The sum over `k` runs in rising order whatever the blocking and the number of
//! threads, and a row's result depends on that row alone.

use half::bf16;
use rayon::prelude::*;

use crate::amx::{self, Begin, Call, Parts, SIDE};
use crate::matmul::{Init, matmul};
use crate::pack::{Packed, Panels, STEP, WIDTH, padded};
use crate::quant;
use crate::rows::{Form, Rows, TILE};
use crate::split::split_panel;
use crate::stored::{self, Stored, transposed_panels};
use crate::threads::Shared;

/// Steps a stretch at most: 40 kB of a panel of bfloat16.
const STRETCH: usize = 20;
/// Parts of rows a task at most: a stretch of so many rows stays in the second-level cache.
const BLOCK: usize = 768;

/// What a sum of products starts from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// From zero: what was in `out` is overwritten.
    Zero,
    /// From what is in `out`.
    Out,
    /// From another matrix, `[m, n]`: a residual.
    Matrix(&'a [f32]),
    /// From the same values in every row, `[n]`: a bias.
    Row(&'a [f32]),
}

/// `out[m, n] (+)= x[m, k] · W[n, k]ᵀ`, in parallel on rayon's current pool.
///
/// # Panics
/// If `x` has other inputs than the weights, or `out` is not `m · n` long.
pub fn product(x: &Rows, weights: &Packed, out: &mut [f32], init: Init) {
    let start = match init {
        Init::Zero => Start::Zero,
        Init::Keep => Start::Out,
    };
    sum_of_products(&[(x, weights)], start, out);
}

/// `out[m, n] = start + Σ x[m, k] · W[n, k]ᵀ` over the terms, whose `k` may differ, in parallel on rayon's current pool.
/// A part of the result is finished before the next is begun, so a second term costs little beside a first with many inputs.
///
/// # Panics
/// If there is no term, or shapes or layouts do not agree.
pub fn sum_of_products(terms: &[(&Rows, &Packed)], start: Start<'_>, out: &mut [f32]) {
    sums_of_products(&mut [Sum { terms, start, out }]);
}

/// One of several sums of products.
#[derive(Debug)]
pub struct Sum<'a> {
    /// Rows and what they are multiplied with.
    pub terms: &'a [(&'a Rows, &'a Packed)],
    /// What the sum starts from.
    pub start: Start<'a>,
    /// `[m, n]`.
    pub out: &'a mut [f32],
}

/// Several [`sum_of_products`] at once: threads are called together once for all of them, which is what counts where the rows
/// are few.
///
/// # Panics
/// As there.
pub fn sums_of_products(sums: &mut [Sum<'_>]) {
    let mut jobs = Vec::with_capacity(sums.len());
    for sum in &mut *sums {
        check(sum);
        let (terms, out) = (sum.terms, &mut *sum.out);
        if out.is_empty() || matches!(terms[0].0.form, Form::Bytes(..)) {
            continue;
        }
        let tiles = terms.iter().all(|(x, _)| matches!(x.form, Form::Tiles(_)));
        if tiles && terms.iter().all(|(x, _)| x.k() > 0) {
            jobs.push((terms, sum.start, out));
            continue;
        }
        begin(sum.start, out);
        for term in terms.iter().filter(|(x, _)| x.k() > 0) {
            match &term.0.form {
                Form::Plain(data) => matmul(data, term.0.m(), term.1, out, Init::Keep),
                Form::Tiles(_) => run(vec![(std::slice::from_ref(term), Start::Out, &mut *out)]),
                Form::Bytes(..) => unreachable!("rows of a sum are all of one form"),
            }
        }
    }
    if !jobs.is_empty() {
        run(jobs);
    }
    few(sums);
}

/// The sums of few rows: first all that is multiplied with codes, then the rest.
fn few(sums: &mut [Sum<'_>]) {
    let mut jobs = Vec::new();
    for Sum { terms, start, out } in &mut *sums {
        let Form::Bytes(_, rows) = &terms[0].0.form else {
            continue;
        };
        begin(*start, out);
        if let Some(codes) = terms[0].1.codes() {
            jobs.push(quant::Job { codes, rows, out });
        }
    }
    if !jobs.is_empty() {
        quant::run(jobs);
    }
    for Sum { terms, out, .. } in sums {
        for (index, (x, weights)) in terms.iter().enumerate() {
            let Form::Bytes(data, rows) = &x.form else {
                continue;
            };
            match weights.codes() {
                Some(_) if index == 0 => {}
                Some(codes) => quant::run(vec![quant::Job { codes, rows, out }]),
                None => matmul(data, x.m(), weights, out, Init::Keep),
            }
        }
    }
}

/// What the tile unit is to compute: terms, what their sum starts from, and where it goes.
type Wanted<'a> = (&'a [(&'a Rows, &'a Packed)], Start<'a>, &'a mut [f32]);

fn check(Sum { terms, start, out }: &Sum<'_>) {
    assert!(!terms.is_empty(), "a term");
    let (m, n) = (terms[0].0.m(), terms[0].1.outputs());
    // No slice is as long as what a product that is too large becomes.
    assert_eq!(out.len(), m.saturating_mul(n), "out is [{m}, {n}]");
    match start {
        Start::Matrix(from) => assert_eq!(from.len(), out.len(), "start"),
        Start::Row(from) => assert_eq!(from.len(), n, "start"),
        Start::Zero | Start::Out => {}
    }
    let bytes = |x: &Rows| matches!(x.form, Form::Bytes(..));
    for (x, weights) in *terms {
        assert_eq!(bytes(x), bytes(terms[0].0), "rows of one form");
        assert_eq!((x.m(), weights.outputs()), (m, n), "terms are [{m}, {n}]");
        assert_eq!(x.k(), weights.inputs(), "inputs");
    }
}

/// Puts what the sum starts from into `out`.
fn begin(start: Start<'_>, out: &mut [f32]) {
    match start {
        Start::Zero => out.fill(0.0),
        Start::Out => {}
        Start::Matrix(from) => out.copy_from_slice(from),
        Start::Row(from) => {
            for row in out.chunks_exact_mut(from.len()) {
                row.copy_from_slice(from);
            }
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn run(_: Vec<Wanted<'_>>) {
    unreachable!("tiles are made where there is a unit for them")
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn run(wanted: Vec<Wanted<'_>>) {
    let panels: usize = wanted
        .iter()
        .map(|(terms, ..)| terms[0].1.outputs().div_ceil(WIDTH))
        .sum();
    // Enough tasks that a thread held up by other work does not hold up the rest.
    let tasks = 6 * rayon::current_num_threads();
    let jobs: Vec<Job<'_>> = wanted
        .into_iter()
        .map(|wanted| {
            let own = wanted.0[0].1.outputs().div_ceil(WIDTH);
            Job::new(wanted, (tasks * own).div_ceil(panels).max(1))
        })
        .collect();
    let mut places = Vec::new();
    for job in &jobs {
        places.extend((0..job.tasks()).map(|task| (job, task)));
    }
    places.par_iter().for_each(|(job, task)| {
        // SAFETY: every task has its own rows and columns of its own result.
        unsafe { job.compute(*task) };
    });
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Term<'a> {
    tiles: &'a [bf16],
    parts: usize,
    weights: &'a Packed,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Job<'a> {
    terms: Vec<Term<'a>>,
    m: usize,
    n: usize,
    start: Start<'a>,
    out: Shared<'a>,
    /// Pairs of row tiles a task, and panels a task.
    block: usize,
    group: usize,
}

/// One stretch of one term.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Stretch<'a> {
    term: &'a Term<'a>,
    first: usize,
    steps: usize,
    /// Whether nothing was added yet.
    begins: bool,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
thread_local! {
    /// For each term, the panels of a stretch that were made for it.
    static STRIPES: std::cell::Cell<Vec<Stripe>> = const { std::cell::Cell::new(Vec::new()) };
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl<'a> Job<'a> {
    /// A job in some `wanted` tasks.
    fn new((terms, start, out): Wanted<'a>, wanted: usize) -> Self {
        let (m, n) = (terms[0].0.m(), terms[0].1.outputs());
        let terms: Vec<Term<'_>> = terms
            .iter()
            .map(|(x, weights)| {
                let Form::Tiles(tiles) = &x.form else {
                    unreachable!("the caller looked")
                };
                Term {
                    tiles: tiles.values(),
                    parts: x.parts(),
                    weights,
                }
            })
            .collect();
        let parts = terms.iter().map(|term| term.parts).max().unwrap_or(1);
        let panels = n.div_ceil(WIDTH);
        let pairs = m.div_ceil(SIDE);
        let largest = (BLOCK / parts / SIDE).max(1);
        let blocks = pairs
            .div_ceil(largest)
            .max(wanted.div_ceil(panels).min(pairs));
        let block = pairs.div_ceil(blocks);
        let group = panels
            .div_ceil(wanted.div_ceil(pairs.div_ceil(block)))
            .max(1);
        Self {
            terms,
            m,
            n,
            start,
            out: Shared::new(out),
            block,
            group,
        }
    }

    /// Panels, and how many groups of them there are.
    fn groups(&self) -> (usize, usize) {
        let panels = self.n.div_ceil(WIDTH);
        (panels, panels.div_ceil(self.group))
    }

    fn tasks(&self) -> usize {
        self.m.div_ceil(SIDE).div_ceil(self.block) * self.groups().1
    }

    /// Some pairs of row tiles by some panels.
    ///
    /// # Safety
    /// No other thread does this task, nor touches its rows and columns of `out`, meanwhile.
    unsafe fn compute(&self, task: usize) {
        let (panels, groups) = self.groups();
        let (first_pair, first_panel) = (task / groups * self.block, task % groups * self.group);
        let pairs = first_pair..(first_pair + self.block).min(self.m.div_ceil(SIDE));
        let panels = first_panel..(first_panel + self.group).min(panels);
        let unit = amx::Tiles::new(self.m);
        // Taken out meanwhile: a stored matrix may wait for threads of its own, and this one take up another task.
        let mut stripes = STRIPES.take();
        stripes.resize_with(self.terms.len().max(stripes.len()), Stripe::default);
        // The stretches of the first term one by one; all others go with its last.
        let (main, others) = (&self.terms[0], &self.terms[1..]);
        let steps = padded(main.weights.inputs()) / STEP;
        // A few rows are bound by reading the weights: there a panel is walked once, from end to end.
        // Those that are made first are in the first-level cache when they are read.
        let made = matches!(main.weights.panels, Panels::Stored { .. });
        let count = if self.m <= TILE && !made {
            1
        } else {
            steps.div_ceil(STRETCH)
        };
        let length = steps.div_ceil(count);
        for first in (0..steps).step_by(length) {
            let mut stretches = vec![Stretch {
                term: main,
                first,
                steps: length.min(steps - first),
                begins: first == 0,
            }];
            if first + length >= steps {
                stretches.extend(others.iter().map(|term| Stretch {
                    term,
                    first: 0,
                    steps: padded(term.weights.inputs()) / STEP,
                    begins: false,
                }));
            }
            for stripe in &mut stripes {
                stripe.panels = 0..0;
            }
            for panel in panels.clone() {
                let factors: Vec<(Parts, &[bf16])> = stretches
                    .iter()
                    .zip(stripes.iter_mut())
                    .map(|(stretch, stripe)| stretch.panel(panel, panels.end, stripe))
                    .collect();
                for pair in pairs.clone() {
                    for (stretch, (parts, b)) in stretches.iter().zip(&factors) {
                        // SAFETY: the caller's promise.
                        unsafe { self.tile(&unit, *parts, stretch, b, pair, panel) };
                    }
                }
            }
        }
        STRIPES.set(stripes);
    }

    /// 32 rows by 32 outputs, over a stretch of `k`.
    ///
    /// # Safety
    /// As above.
    #[inline]
    unsafe fn tile(
        &self,
        unit: &amx::Tiles,
        parts: Parts,
        stretch: &Stretch<'_>,
        b: &[bf16],
        pair: usize,
        panel: usize,
    ) {
        let (m, n) = (self.m, self.n);
        let step = stretch.term.parts * TILE * STEP;
        let tile = padded(stretch.term.weights.inputs()) / STEP * step;
        let (row, column) = (pair * SIDE, panel * WIDTH);
        let a = &stretch.term.tiles[2 * pair * tile + stretch.first * step..]
            [..tile + stretch.steps * step];
        let (height, width) = (SIDE.min(m - row), WIDTH.min(n - column));
        let place = row * n + column;
        let begin = match self.start {
            _ if !stretch.begins => Begin::Result,
            Start::Zero => Begin::Zero,
            Start::Out => Begin::Result,
            Start::Matrix(from) => Begin::Rows(&from[place..], n),
            Start::Row(from) => Begin::Rows(&from[column..], 0),
        };
        let mut call = Call {
            a,
            a_low: &a[tile..],
            b,
            steps: stretch.steps,
            begin,
        };
        if (height == SIDE || m <= TILE) && width == WIDTH {
            // SAFETY: the caller's promise.
            unsafe { amx::multiply_shared(unit, parts, call, (self.out, place), n) };
            return;
        }
        // What is no whole square goes through one.
        let mut square = [0f32; SIDE * WIDTH];
        for (line, values) in square.chunks_exact_mut(WIDTH).enumerate().take(height) {
            match begin {
                Begin::Zero => {}
                // SAFETY: the caller's promise.
                Begin::Result => unsafe { self.out.read(place + line * n, &mut values[..width]) },
                Begin::Rows(from, stride) => {
                    values[..width].copy_from_slice(&from[line * stride..][..width]);
                }
            }
        }
        call.begin = Begin::Result;
        amx::multiply(unit, parts, call, &mut square, WIDTH);
        for (line, values) in square.chunks_exact(WIDTH).enumerate().take(height) {
            // SAFETY: the caller's promise.
            unsafe { self.out.write(place + line * n, &values[..width]) };
        }
    }
}

/// Panels of a stretch in parts, made from another form.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Stripe {
    panels: std::ops::Range<usize>,
    parts: crate::aligned::Aligned,
    values: Vec<f32>,
    buffer: Vec<f32>,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Default for Stripe {
    fn default() -> Self {
        Self {
            panels: 0..0,
            parts: crate::aligned::Aligned::zeros(0),
            values: Vec::new(),
            buffer: Vec::new(),
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Stripe {
    /// Takes a panel of a matrix that has it as bfloat16.
    fn take(&mut self, matrix: &dyn Stored, panel: usize, steps: std::ops::Range<usize>) -> bool {
        self.panels = 0..0;
        self.parts.resize(steps.len() * STEP * WIDTH);
        matrix.bf16_panel(panel, steps, self.parts.values_mut())
    }

    /// Splits `panels` of `[inputs][WIDTH]` values each into parts of `size` values.
    fn split(&mut self, values: &[f32], panels: usize, parts: usize, size: usize) {
        self.parts.resize(panels * size);
        let panel = values.len() / panels;
        let into = self.parts.values_mut().chunks_exact_mut(size);
        for (values, into) in values.chunks_exact(panel).zip(into) {
            if parts == 3 {
                split_panel::<3>(values, into);
            } else {
                split_panel::<1>(values, into);
            }
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Stretch<'_> {
    /// The weights of this stretch of a panel, as the unit reads them: in place, or made in `stripe`. The panels up to `end`
    /// will be asked for next.
    fn panel<'s>(
        &'s self,
        panel: usize,
        end: usize,
        stripe: &'s mut Stripe,
    ) -> (Parts, &'s [bf16]) {
        let (k, parts) = (self.term.weights.inputs(), self.term.parts);
        let made = if parts == 3 {
            Parts::ThreeByThree
        } else {
            Parts::OneByOne
        };
        let inputs = self.first * STEP..((self.first + self.steps) * STEP).min(k);
        let size = self.steps * parts * STEP * WIDTH;
        match &self.term.weights.panels {
            Panels::Bf16(data) => {
                let panel = &data.values()[panel * padded(k) * WIDTH..];
                let parts = if parts == 3 {
                    Parts::ThreeByOne
                } else {
                    Parts::OneByOne
                };
                let from = self.first * STEP * WIDTH;
                (parts, &panel[from..from + self.steps * STEP * WIDTH])
            }
            Panels::Split(_, data) if parts == 3 => {
                let panel = &data.values()[panel * padded(k) * 3 * WIDTH..];
                (made, &panel[self.first * 3 * STEP * WIDTH..][..size])
            }
            Panels::F32(data) | Panels::Split(data, _) => {
                let panel = &data[panel * k * WIDTH..][..k * WIDTH];
                stripe.split(
                    &panel[inputs.start * WIDTH..inputs.end * WIDTH],
                    1,
                    parts,
                    size,
                );
                (made, stripe.parts.values())
            }
            Panels::Stored {
                matrix,
                transposed: false,
            } if stripe.take(matrix.as_ref(), panel, self.first..self.first + self.steps) => {
                let parts = if parts == 3 {
                    Parts::ThreeByOne
                } else {
                    Parts::OneByOne
                };
                (parts, stripe.parts.values())
            }
            Panels::Stored { matrix, transposed } => {
                if !stripe.panels.contains(&panel) {
                    let mut values = std::mem::take(&mut stripe.values);
                    let buffer = &mut stripe.buffer;
                    let mut room =
                        |panels: usize| values.resize(panels * inputs.len() * WIDTH, 0.0);
                    stripe.panels = if *transposed {
                        // What is made together is used together.
                        let block = matrix.block() / WIDTH;
                        let panels = panel..(panel / block * block + block).min(end);
                        room(panels.len());
                        transposed_panels(
                            matrix.as_ref(),
                            panels.clone(),
                            inputs,
                            buffer,
                            &mut values,
                        );
                        panels
                    } else {
                        room(1);
                        stored::panel(matrix.as_ref(), panel, inputs, buffer, &mut values);
                        panel..panel + 1
                    };
                    stripe.split(&values, stripe.panels.len(), parts, size);
                    stripe.values = values;
                }
                let place = (panel - stripe.panels.start) * size;
                (made, &stripe.parts.values()[place..place + size])
            }
        }
    }
}
