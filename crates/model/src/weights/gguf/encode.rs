//! Values as the blocks of a GGUF file, for the formats that are written.
//!
//! Of the quantised ones this is `Q8_0` as ggml defines it: scale d = max |x| / 127, kept as a 16-bit float, and
//! q = x / d rounded half away from zero, by the scale before it is rounded.

use half::{bf16, f16};

use super::BlockType;

impl BlockType {
    /// The types that [`Self::encode`] knows.
    pub const WRITTEN: [Self; 4] = [Self::F32, Self::F16, Self::Bf16, Self::Q8_0];

    /// The number of the type in a file, of the types that are written.
    pub fn code(self) -> Option<u32> {
        Some(match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => 8,
            Self::Bf16 => 30,
            _ => return None,
        })
    }

    /// The blocks of `values`, which are whole blocks; `None` for a type that is not written.
    pub fn encode(self, values: &[f32]) -> Option<Vec<u8>> {
        let bytes = values.len() / self.elements() * self.bytes();
        let mut out = Vec::with_capacity(bytes);
        match self {
            Self::F32 => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::F16 => out.extend(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes())),
            Self::Bf16 => out.extend(values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes())),
            Self::Q8_0 => {
                for block in values.chunks_exact(self.elements()) {
                    q8_0(block, &mut out);
                }
            }
            _ => return None,
        }
        Some(out)
    }
}

fn q8_0(x: &[f32], out: &mut Vec<u8>) {
    let top = x.iter().fold(0f32, |top, v| top.max(v.abs()));
    let d = top / 127.0;
    let inverse = if d > 0.0 { 1.0 / d } else { 0.0 };
    out.extend(f16::from_f32(d).to_le_bytes());
    out.extend(
        x.iter()
            .map(|v| ((v * inverse).round() as i8).cast_unsigned()),
    );
}

#[cfg(test)]
mod tests {
    use super::BlockType;

    #[test]
    fn what_is_written_is_read() {
        let values: Vec<f32> = (0..96).map(|i| (i as f32 - 40.0) * 0.37).collect();
        for (block, tolerance) in [
            (BlockType::F32, 0.0),
            (BlockType::F16, 1.0 / 2048.0),
            (BlockType::Bf16, 1.0 / 256.0),
        ] {
            let raw = block.encode(&values).unwrap();
            let mut back = vec![0.0; values.len()];
            block.decode(&raw, &mut back);
            for (a, b) in values.iter().zip(&back) {
                assert!(
                    (a - b).abs() <= tolerance * a.abs(),
                    "{block:?}: {a} became {b}"
                );
            }
            assert_eq!(block.encode(&back), Some(raw), "{block:?} again");
        }
    }

    #[test]
    fn blocks_of_eight_bits() {
        // The largest is 127 steps; half a step goes away from zero, as 0.5 and -0.5 times the scale of 1 do here.
        let mut values = vec![0f32; 64];
        values[..6].copy_from_slice(&[127.0, -127.0, 0.5, -0.5, 1.49, -63.0]);
        let raw = BlockType::Q8_0.encode(&values).unwrap();
        assert_eq!(raw.len(), 68);
        let quants: Vec<i8> = raw[2..8].iter().map(|q| q.cast_signed()).collect();
        assert_eq!(quants, [127, -127, 1, -1, 1, -63]);
        let mut back = vec![1.0; 64];
        BlockType::Q8_0.decode(&raw, &mut back);
        assert_eq!(back[..2], [127.0, -127.0]);
        assert_eq!(back[32..], [0.0; 32], "a block of zeros has no scale");
        assert_eq!(BlockType::Q4K.encode(&[0.0; 256]), None);
    }
}
