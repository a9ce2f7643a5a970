//! The values a GGUF header holds, kept in about the memory they take on disk.

/// One metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any of the unsigned integer types.
    Unsigned(u64),
    /// Any of the signed integer types.
    Signed(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
    /// An array of values of one type.
    Array(Array),
}

impl Value {
    /// A word for error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unsigned(_) | Self::Signed(_) => "integer",
            Self::F32(_) | Self::F64(_) => "float",
            Self::Bool(_) => "bool",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
        }
    }

    /// The value as a non-negative integer.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(v) => Some(*v),
            Self::Signed(v) => u64::try_from(*v).ok(),
            _ => None,
        }
    }

    /// The value as a float. A 32-bit value is taken by its shortest decimal form:
    /// the file means 1e-5, not the 9.99999974737875e-6 nearest to it in 32 bits.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::F32(v) => v.to_string().parse().ok(),
            Self::F64(v) => Some(*v),
            _ => None,
        }
    }

    /// The value as a truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(v) => Some(*v),
            _ => None,
        }
    }

    /// The value as text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(v) => Some(v),
            _ => None,
        }
    }

    /// The value as an array.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Self::Array(v) => Some(v),
            _ => None,
        }
    }
}

/// Type of a number in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// 8-bit unsigned (also used for truth values).
    U8,
    /// 8-bit signed.
    I8,
    /// 16-bit unsigned.
    U16,
    /// 16-bit signed.
    I16,
    /// 32-bit unsigned.
    U32,
    /// 32-bit signed.
    I32,
    /// 64-bit unsigned.
    U64,
    /// 64-bit signed.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

impl NumberType {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// An array of a GGUF header. A vocabulary has 150,000 texts, so they share one buffer.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    /// Texts, one after the other; `ends[i]` is where text `i` ends.
    Texts {
        /// All texts joined.
        joined: String,
        /// End of each text in `joined`, in bytes.
        ends: Vec<usize>,
    },
    /// Numbers as they lie on disk, little-endian.
    Numbers {
        /// Their type.
        number: NumberType,
        /// Their bytes.
        bytes: Vec<u8>,
    },
}

impl Array {
    /// An array of texts.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut joined, mut ends) = (String::new(), Vec::new());
        for text in texts {
            joined.push_str(text);
            ends.push(joined.len());
        }
        Self::Texts { joined, ends }
    }

    /// How many elements the array has.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts { ends, .. } => ends.len(),
            Self::Numbers { number, bytes } => bytes.len() / number.bytes(),
        }
    }

    /// Whether the array has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts of the array, or nothing if it holds numbers.
    pub fn texts(&self) -> Option<Vec<&str>> {
        let Self::Texts { joined, ends } = self else {
            return None;
        };
        let mut start = 0;
        Some(
            ends.iter()
                .map(|&end| {
                    let text = &joined[start..end];
                    start = end;
                    text
                })
                .collect(),
        )
    }

    /// The numbers of the array as `f64`, or nothing if it holds texts.
    /// Every number of the arrays in use (token types, scores) is exact in an `f64`.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let Self::Numbers { number, bytes } = self else {
            return None;
        };
        Some(
            bytes
                .chunks_exact(number.bytes())
                .map(|b| decode(*number, b))
                .collect(),
        )
    }
}

/// One little-endian number; `b` has exactly `number.bytes()` bytes.
fn decode(number: NumberType, b: &[u8]) -> f64 {
    let mut wide = [0u8; 8];
    wide[..b.len()].copy_from_slice(b);
    let raw = u64::from_le_bytes(wide);
    match number {
        NumberType::U8 | NumberType::U16 | NumberType::U32 | NumberType::U64 => raw as f64,
        NumberType::I8 => f64::from((raw as u8).cast_signed()),
        NumberType::I16 => f64::from((raw as u16).cast_signed()),
        NumberType::I32 => f64::from((raw as u32).cast_signed()),
        NumberType::I64 => raw.cast_signed() as f64,
        NumberType::F32 => f64::from(f32::from_bits(raw as u32)),
        NumberType::F64 => f64::from_bits(raw),
    }
}
