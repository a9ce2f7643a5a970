//! Keys and values of one sequence, kept in the panel layout of [`matmul`](crate::matmul), and attention over them.
//!
//! Keys are the columns of one product and values of another, so both are stored as the panels those
//! products read: nothing is copied, repeated or transposed when a token is generated.

use rayon::prelude::*;

use crate::exp::softmax_in_place;
use crate::matmul::{Init, matmul_panels};
use crate::pack::WIDTH;
use crate::threads::Shared;

/// What a cache is sized by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvShape {
    /// Layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width `d` of a head.
    pub head_dim: usize,
}

impl KvShape {
    fn value_panels(&self) -> usize {
        self.head_dim.div_ceil(WIDTH)
    }
}

/// The keys and values of one sequence, for all layers.
#[derive(Debug, Clone)]
pub struct KvCache {
    shape: KvShape,
    capacity: usize,
    /// `[layer][kv_head][capacity / WIDTH][d][WIDTH]`
    keys: Vec<f32>,
    /// `[layer][kv_head][d / WIDTH][capacity][WIDTH]`
    values: Vec<f32>,
}

impl KvCache {
    /// Room for `capacity` positions (rounded up to whole panels).
    pub fn new(shape: KvShape, capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(WIDTH);
        let heads = shape.layers * shape.kv_heads * capacity;
        Self {
            shape,
            capacity,
            keys: vec![0.0; heads * shape.head_dim],
            values: vec![0.0; heads * shape.value_panels() * WIDTH],
        }
    }

    /// Positions there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Memory in bytes of a cache of `capacity` positions.
    pub fn bytes(shape: &KvShape, capacity: usize) -> usize {
        let capacity = capacity.next_multiple_of(WIDTH);
        4 * shape.layers
            * shape.kv_heads
            * capacity
            * (shape.head_dim + shape.value_panels() * WIDTH)
    }

    fn key_head(&self) -> usize {
        self.capacity * self.shape.head_dim
    }

    fn value_head(&self) -> usize {
        self.shape.value_panels() * self.capacity * WIDTH
    }

    /// Stores the rotated keys and the values of positions `position..` of one layer: rows of `kv_heads · d` values.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn store(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let KvShape {
            kv_heads, head_dim, ..
        } = self.shape;
        let width = kv_heads * head_dim;
        assert!(position + keys.len() / width <= self.capacity, "cache full");
        for (offset, (k, v)) in keys
            .chunks_exact(width)
            .zip(values.chunks_exact(width))
            .enumerate()
        {
            let at = position + offset;
            for head in 0..kv_heads {
                let index = layer * kv_heads + head;
                let key = index * self.key_head() + at / WIDTH * head_dim * WIDTH + at % WIDTH;
                let value = index * self.value_head() + at * WIDTH;
                for i in 0..head_dim {
                    self.keys[key + i * WIDTH] = k[head * head_dim + i];
                    self.values[value + i / WIDTH * self.capacity * WIDTH + i % WIDTH] =
                        v[head * head_dim + i];
                }
            }
        }
    }

    /// Takes over the first `length` positions of another cache of the same shape.
    ///
    /// # Panics
    /// If the shapes differ or `length` positions do not fit.
    pub fn copy_from(&mut self, other: &Self, length: usize) {
        assert_eq!(self.shape, other.shape);
        assert!(length <= self.capacity && length <= other.capacity);
        let d = self.shape.head_dim;
        let blocks = length.div_ceil(WIDTH) * d * WIDTH;
        let (own_keys, other_keys) = (self.key_head(), other.key_head());
        for (own, other) in self
            .keys
            .chunks_exact_mut(own_keys)
            .zip(other.keys.chunks_exact(other_keys))
        {
            own[..blocks].copy_from_slice(&other[..blocks]);
        }
        let (own_panel, other_panel) = (self.capacity * WIDTH, other.capacity * WIDTH);
        for (own, other) in self
            .values
            .chunks_exact_mut(own_panel)
            .zip(other.values.chunks_exact(other_panel))
        {
            own[..length * WIDTH].copy_from_slice(&other[..length * WIDTH]);
        }
    }
}

/// Query rows of one attention task.
const QUERY_ROWS: usize = 8;

/// Causal attention of new queries over cached keys and values of one layer, for several sequences at once.
///
/// Sequence `s` has `counts[s]` consecutive rows in `q` and `out` (`[rows, heads · d]`, rotated), the first at position
/// `positions[s]`; its keys and values up to the last of them are stored already.
///
/// With a `window` a query sees that many positions, its own among them.
///
/// # Panics
/// If the shapes do not fit, or the window is 0.
pub fn attend(
    layer: usize,
    window: Option<usize>,
    caches: &[&KvCache],
    positions: &[usize],
    counts: &[usize],
    q: &[f32],
    out: &mut [f32],
) {
    let Some(shape) = caches.first().map(|cache| cache.shape) else {
        return;
    };
    let KvShape {
        heads,
        kv_heads,
        head_dim: d,
        ..
    } = shape;
    let row_width = heads * d;
    assert!(caches.len() == positions.len() && caches.len() == counts.len());
    assert_eq!(q.len(), counts.iter().sum::<usize>() * row_width);
    assert_eq!(q.len(), out.len());
    assert_ne!(window, Some(0));
    let group = heads / kv_heads;
    let mut tasks = Vec::new();
    let mut row = 0;
    for (sequence, &count) in counts.iter().enumerate() {
        assert!(positions[sequence] + count <= caches[sequence].capacity);
        for from in (0..count).step_by(QUERY_ROWS) {
            for head in 0..kv_heads {
                tasks.push((
                    sequence,
                    row + from,
                    from,
                    QUERY_ROWS.min(count - from),
                    head,
                ));
            }
        }
        row += count;
    }
    let out = Shared::new(out);
    let scale = 1.0 / (d as f32).sqrt();
    tasks
        .into_par_iter()
        .for_each(|(sequence, row, from, count, head)| {
            let cache = caches[sequence];
            let first = positions[sequence] + from;
            let seen = first + count;
            let padded = seen.next_multiple_of(WIDTH);
            let index = layer * kv_heads + head;
            let keys = &cache.keys[index * cache.key_head()..][..cache.key_head()];
            let values = &cache.values[index * cache.value_head()..][..cache.value_head()];
            let rows = count * group;
            let mut scores = vec![0f32; rows * padded];
            for r in 0..count {
                // The heads of a group lie side by side, so a position's queries are `group` rows, `d` apart.
                let queries = &q[(row + r) * row_width + head * group * d..][..group * d];
                matmul_panels(
                    (queries, d),
                    (group, d),
                    keys,
                    d * WIDTH,
                    seen,
                    (&mut scores[r * group * padded..], padded),
                    Init::Zero,
                );
                for scores in scores[r * group * padded..]
                    .chunks_exact_mut(padded)
                    .take(group)
                {
                    let own = first + r;
                    let oldest = window.map_or(0, |window| (own + 1).saturating_sub(window));
                    scores[..oldest].fill(0.0);
                    softmax_in_place(&mut scores[oldest..=own], scale);
                    scores[own + 1..].fill(0.0);
                }
            }
            let mut buffer = vec![0f32; rows * d];
            matmul_panels(
                (&scores, padded),
                (rows, seen),
                values,
                cache.capacity * WIDTH,
                d,
                (&mut buffer, d),
                Init::Zero,
            );
            for (r, values) in buffer.chunks_exact(group * d).enumerate() {
                // SAFETY: a task writes its own heads of its own rows.
                unsafe { out.write((row + r) * row_width + head * group * d, values) };
            }
        });
}
