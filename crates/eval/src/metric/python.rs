//! Values as Python sees them: the official evaluators are Python, and when two values are equal, and how they sort as
//! text, is decided by its rules.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use crate::exec::Value;

/// A value in a form in which equal means equal in Python: `1 == 1.0`, exactly also beyond 2^53; `-0.0 == 0`; text,
/// bytes and numbers are never equal to each other; `None == None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cell<'a> {
    /// `None`.
    Null,
    /// An integer, or a float that is one and fits.
    Int(i64),
    /// The bits of any other float.
    Real(u64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What to do with text that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadText {
    /// It can't be read: `None` in its place (Python's default).
    Fails,
    /// Its bad bytes are left out (Python's `errors="ignore"`).
    Dropped,
}

impl<'a> Cell<'a> {
    /// The cell of a value; `None` for text that can't be read.
    pub fn new(value: &'a Value, bad_text: BadText) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(*number),
            Value::Real(number) => real(*number),
            Value::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.into()),
                Err(_) if bad_text == BadText::Fails => return None,
                Err(_) => Self::Text(bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()),
            },
            Value::Blob(bytes) => Self::Bytes(bytes),
        })
    }
}

fn real<'a>(number: f64) -> Cell<'a> {
    // -2^63 is a float and 2^63 is the first one that is out of the range of integers.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.trunc().to_bits() == number.to_bits() && (-LIMIT..LIMIT).contains(&number) {
        Cell::Int(number as i64)
    } else {
        Cell::Real(number.to_bits())
    }
}

/// Gives equal cells equal numbers.
#[derive(Debug, Default)]
pub struct Numbering<'a>(HashMap<Cell<'a>, u32>);

impl<'a> Numbering<'a> {
    /// The number of a cell: counted up from 0 as new cells come.
    pub fn number(&mut self, cell: Cell<'a>) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(cell).or_insert(next)
    }
}

/// Python's `str(x) + str(type(x))`. Text is taken without its bad bytes.
pub fn sort_key(value: &Value) -> String {
    match value {
        Value::Null => "None<class 'NoneType'>".to_owned(),
        Value::Int(number) => format!("{number}<class 'int'>"),
        Value::Real(number) => repr_float(*number) + "<class 'float'>",
        Value::Text(bytes) => {
            let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
            text + "<class 'str'>"
        }
        Value::Blob(bytes) => repr_bytes(bytes) + "<class 'bytes'>",
    }
}

/// Python's `repr` of a float: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e16.
fn repr_float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        // Rust's own `{:?}` changes to an exponent elsewhere, `{}` never does and leaves out the `.0`.
        let plain = format!("{number}");
        if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    }
}

/// Python's `repr` of bytes.
fn repr_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut text = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => {
                if char::from(byte) == quote {
                    text.push('\\');
                }
                text.push(char::from(byte));
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality() {
        let int = Value::Int;
        let real = Value::Real;
        let text = |text: &str| Value::Text(text.into());
        let (big, limit) = (9_007_199_254_740_992_i64, 9_223_372_036_854_775_808.0);
        for (left, right, equal) in [
            (int(1), real(1.0), true),
            (real(-0.0), int(0), true),
            (real(-0.0), real(0.0), true),
            (int(big), real(big as f64), true),
            (int(big + 1), real(big as f64), false),
            (int(i64::MAX), real(limit), false),
            (int(i64::MIN), real(-limit), true),
            (real(0.3), real(0.1 + 0.2), false),
            (real(f64::INFINITY), real(f64::INFINITY), true),
            (int(1), text("1"), false),
            (text("a"), Value::Blob(b"a".into()), false),
            (Value::Null, Value::Null, true),
            (Value::Null, text(""), false),
            (Value::Text(b"caf\xe9".into()), text("caf"), true),
        ] {
            assert_eq!(
                Cell::new(&left, BadText::Dropped) == Cell::new(&right, BadText::Dropped),
                equal,
                "{left:?} {right:?}"
            );
        }
        let bad = Value::Text(b"\xe9".into());
        assert_eq!(Cell::new(&bad, BadText::Fails), None);
    }

    /// Expected texts as Python 3.11 prints them.
    #[test]
    fn floats_print_as_in_python() {
        for (number, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456_789.125, "123456789.125"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(repr_float(number), expected);
        }
    }

    #[test]
    fn bytes_print_as_in_python() {
        assert_eq!(repr_bytes(b"a\\\n\x00\xff"), r"b'a\\\n\x00\xff'");
        assert_eq!(repr_bytes(b"it's"), "b\"it's\"");
        assert_eq!(repr_bytes(b"'\""), "b'\\'\"'");
    }
}
