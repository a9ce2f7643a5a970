//! A buffer of bfloat16 values that begins at a line of the cache, as the tile unit likes to read.

use half::bf16;
use half::vec::HalfBitsVecExt;

/// Values a line of 64 bytes.
const LINE: usize = 32;

/// `len` values, aligned to a line of the cache.
pub(crate) struct Aligned {
    data: Vec<bf16>,
    len: usize,
}

impl Aligned {
    /// Zeros. Those of a number of the language come from the system as they are, those of another type are written.
    pub(crate) fn zeros(len: usize) -> Self {
        let data = vec![0_u16; len + LINE].reinterpret_into::<bf16>();
        Self { data, len }
    }

    /// Makes room for `len` values, whose content is not defined.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.data.len() < len + LINE {
            *self = Self::zeros(len);
        }
        self.len = len;
    }

    fn start(&self) -> usize {
        // Where an address can't be aligned (it always can), speed is lost, nothing else.
        self.data.as_ptr().align_offset(2 * LINE).min(LINE)
    }

    pub(crate) fn values(&self) -> &[bf16] {
        let start = self.start();
        &self.data[start..start + self.len]
    }

    pub(crate) fn values_mut(&mut self) -> &mut [bf16] {
        let start = self.start();
        &mut self.data[start..start + self.len]
    }
}

impl std::fmt::Debug for Aligned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.values_mut().copy_from_slice(self.values());
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_a_line_and_is_copied_whole() {
        for len in [0, 1, 31, 32, 1000] {
            let mut buffer = Aligned::zeros(len);
            assert_eq!(buffer.values().as_ptr().align_offset(64), 0);
            for (i, value) in buffer.values_mut().iter_mut().enumerate() {
                *value = bf16::from_f32(i as f32);
            }
            assert_eq!(buffer.clone().values(), buffer.values());
            buffer.resize(2 * len);
            assert_eq!(buffer.values().len(), 2 * len);
        }
    }
}
