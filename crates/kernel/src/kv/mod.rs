//! Keys and values in pages, kept in the panel layout of [`matmul`](crate::matmul()), and attention over them.
//!
//! A page holds [`PAGE`] positions of all layers; a sequence is a table of pages, and sequences that begin alike have
//! pages in common. Keys are the columns of one product and values of another, so both are stored as the panels those
//! products read: nothing is copied, repeated or transposed when a token is generated.

mod attend;

pub use attend::{Queries, attend};

use crate::pack::WIDTH;

/// Positions a page.
pub const PAGE: usize = WIDTH;

/// What a page is sized by.
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
    /// Memory of a page in bytes.
    pub fn page_bytes(&self) -> usize {
        4 * self.page_values()
    }

    /// Panels that the values of a head take.
    fn value_panels(&self) -> usize {
        self.head_dim.div_ceil(WIDTH)
    }

    /// Numbers of the keys of a head in a page.
    fn key_values(&self) -> usize {
        PAGE * self.head_dim
    }

    /// Numbers of one head in a page: its keys, then its values.
    fn head_values(&self) -> usize {
        self.key_values() + self.value_panels() * WIDTH * PAGE
    }

    fn page_values(&self) -> usize {
        self.layers * self.kv_heads * self.head_values()
    }
}

/// Pages of keys and values. Who owns which page is the caller's affair.
#[derive(Debug)]
pub struct KvPages {
    shape: KvShape,
    /// `[layer][kv_head]` keys `[d][PAGE]`, then values `[d / WIDTH][PAGE][WIDTH]`.
    pages: Vec<Vec<f32>>,
}

impl KvPages {
    /// No pages.
    pub fn new(shape: KvShape) -> Self {
        Self {
            shape,
            pages: Vec::new(),
        }
    }

    /// What the pages are sized by.
    pub fn shape(&self) -> KvShape {
        self.shape
    }

    /// Number of pages.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Adds a page; its index.
    pub fn push(&mut self) -> usize {
        self.pages.push(vec![0.0; self.shape.page_values()]);
        self.pages.len() - 1
    }

    /// Makes page `to` what page `from` is.
    ///
    /// # Panics
    /// If there is no such page, or both are the same.
    pub fn copy(&mut self, from: usize, to: usize) {
        assert!(from != to && from.max(to) < self.len(), "two pages");
        let Ok([from, to]) = self.pages.get_disjoint_mut([from, to]) else {
            unreachable!("both are there")
        };
        to.copy_from_slice(from);
    }

    /// Stores the rotated keys and the values of positions `position..` of one layer, rows of `kv_heads · d` values, in the
    /// pages of `table`.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn store(
        &mut self,
        layer: usize,
        table: &[usize],
        position: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let shape = self.shape;
        let (d, width) = (shape.head_dim, shape.kv_heads * shape.head_dim);
        for (offset, (k, v)) in keys
            .chunks_exact(width)
            .zip(values.chunks_exact(width))
            .enumerate()
        {
            let at = position + offset;
            let page = &mut self.pages[table[at / PAGE]];
            let slot = at % PAGE;
            let first = layer * shape.kv_heads * shape.head_values();
            for (head, (k, v)) in k.chunks_exact(d).zip(v.chunks_exact(d)).enumerate() {
                let place = &mut page[first + head * shape.head_values()..][..shape.head_values()];
                let (own_keys, own_values) = place.split_at_mut(shape.key_values());
                for (own, value) in own_keys[slot..].iter_mut().step_by(PAGE).zip(k) {
                    *own = *value;
                }
                for (panel, v) in own_values
                    .chunks_exact_mut(PAGE * WIDTH)
                    .zip(v.chunks(WIDTH))
                {
                    panel[slot * WIDTH..][..v.len()].copy_from_slice(v);
                }
            }
        }
    }

    /// Keys and values of a head of a layer in a page.
    fn head(&self, page: usize, layer: usize, head: usize) -> (&[f32], &[f32]) {
        let shape = &self.shape;
        let first = (layer * shape.kv_heads + head) * shape.head_values();
        self.pages[page][first..][..shape.head_values()].split_at(shape.key_values())
    }
}
