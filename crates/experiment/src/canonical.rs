//! Canonical JSON and the digests made of it.
//!
//! Canonical means: keys sorted by their bytes, no white space, numbers and strings as `serde_json` writes
//! them. Two values that differ only in the order of their keys have the same text, so the same digest.

use std::fmt;
use std::io::Read;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Text that is not 64 lower-case hexadecimal digits where a digest is due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a SHA-256: expected 64 lower-case hexadecimal digits")]
pub struct NotADigest {
    /// What stood there.
    pub found: String,
}

impl Digest {
    /// The digest of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::from_hasher(Sha256::new().chain_update(bytes))
    }

    /// The digest of a value's canonical JSON.
    pub fn of_value(value: &Value) -> Self {
        Self::of_bytes(to_string(value).as_bytes())
    }

    /// The digest of all that a reader yields, and how many bytes that was. Memory use is one block.
    ///
    /// # Errors
    /// Whatever the reader returns.
    pub fn of_reader(mut reader: impl Read) -> std::io::Result<(Self, u64)> {
        let mut hasher = Sha256::new();
        let mut block = vec![0_u8; 1 << 16];
        let mut bytes = 0_u64;
        loop {
            let read = match reader.read(&mut block) {
                Ok(0) => return Ok((Self::from_hasher(hasher), bytes)),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(&block[..read]);
            bytes += read as u64;
        }
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits: enough to tell results apart on a screen.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    fn from_hasher(hasher: Sha256) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in hasher.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err(NotADigest { found: text })
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// The canonical JSON text of a value.
pub fn to_string(value: &Value) -> String {
    sorted(value).to_string()
}

/// The same value with the keys of every object in sorted order.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(
                entries
                    .into_iter()
                    .map(|(k, v)| (k.clone(), sorted(v)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// The first place, in canonical order, where two values differ, as a path such as `train.lora.rank`, with
/// both values as JSON (`absent` where one has nothing). `None` if they are equal.
pub fn first_difference(old: &Value, new: &Value) -> Option<Difference> {
    difference_below(&mut Vec::new(), Some(old), Some(new))
}

/// One difference between two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a dotted path; empty for the whole value.
    pub path: String,
    /// The first value as JSON, or `absent`.
    pub old: String,
    /// The second value as JSON, or `absent`.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {}, is now {}", self.path, self.old, self.new)
    }
}

fn difference_below(
    path: &mut Vec<String>,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Difference> {
    if old == new {
        return None;
    }
    let parts: Vec<(String, Option<&Value>, Option<&Value>)> = match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.into_iter()
                .map(|k| (k.clone(), a.get(k), b.get(k)))
                .collect()
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => (0..a.len().max(b.len()))
            .map(|i| (i.to_string(), a.get(i), b.get(i)))
            .collect(),
        _ => Vec::new(),
    };
    for (key, a, b) in parts {
        path.push(key);
        let found = difference_below(path, a, b);
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    let text = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), to_string);
    Some(Difference {
        path: path.join("."),
        old: text(old),
        new: text(new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_digest() {
        // printf abc | sha256sum
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of_bytes(b"abc").as_str(), expected);
        assert_eq!(
            Digest::of_reader(&b"abc"[..]).unwrap(),
            (Digest(expected.into()), 3)
        );
        assert_eq!(
            Digest::try_from(expected.to_owned()).unwrap().short(),
            "ba7816bf8f01"
        );
        assert!(Digest::try_from("BA78".to_owned()).is_err());
    }

    #[test]
    fn key_order_is_no_difference() {
        let a = json!({"b": [1, {"y": 1, "x": 2}], "a": 0.5});
        let b = json!({"a": 0.5, "b": [1, {"x": 2, "y": 1}]});
        assert_eq!(to_string(&a), r#"{"a":0.5,"b":[1,{"x":2,"y":1}]}"#);
        assert_eq!(Digest::of_value(&a), Digest::of_value(&b));
        assert_eq!(first_difference(&a, &b), None);
    }

    #[test]
    fn names_the_first_difference() {
        let check = |a: Value, b: Value, expected: &str| {
            assert_eq!(first_difference(&a, &b).unwrap().to_string(), expected);
        };
        check(
            json!({"a": {"b": [1, 2]}}),
            json!({"a": {"b": [1, 3]}}),
            "a.b.1 was 2, is now 3",
        );
        check(
            json!({"a": 1}),
            json!({"a": 1, "c": "x"}),
            "c was absent, is now \"x\"",
        );
        check(
            json!({"a": {"b": 1}}),
            json!({"a": 7}),
            "a was {\"b\":1}, is now 7",
        );
    }
}
