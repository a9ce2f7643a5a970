//! A hash for keys of our own making.

use std::hash::Hasher;

/// A multiplicative hash for numbers and short words, which need no defence against crafted keys and would spend most of
/// the counting in the standard one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut key = [0; 8];
            key[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(key));
        }
    }

    fn write_u8(&mut self, key: u8) {
        self.write_u64(u64::from(key));
    }

    fn write_u32(&mut self, key: u32) {
        self.write_u64(u64::from(key));
    }

    fn write_u64(&mut self, key: u64) {
        // The high bits of the product hold the mixture; the table uses the low ones too.
        let product = (self.0.rotate_left(5) ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }

    fn write_usize(&mut self, key: usize) {
        self.write_u64(key as u64);
    }
}
