//! Damage to files: bytes, numbers, stretches, and the tokens of JSON.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Numbers at which sizes and counts go wrong.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    7,
    31,
    32,
    33,
    255,
    1 << 16,
    (1 << 31) - 1,
    1 << 32,
    1 << 40,
    1 << 62,
    1 << 63,
    u64::MAX - 7,
    u64::MAX,
];

/// What may stand in JSON where something else stood.
const FRAGMENTS: [&str; 24] = [
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "18446744073709551615",
    "4294967295",
    "4294967296",
    "0.5",
    "\"\"",
    "\"a\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[]]",
    "{\"a\":0}",
    "[0,1]",
    ",",
    ":",
    "\"<unk>\"",
    "\"(\"",
    "[0,18446744073709551615]",
    "\"F32\"",
];

/// A damaged copy of one of `seeds`, which are `json`, and may have the length of it `before` it.
pub fn draw(random: &mut ChaCha8Rng, seeds: &[Vec<u8>], json: bool, before: bool) -> Vec<u8> {
    let mut bytes = seeds.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..5) {
        if json && random.random_range(0..4) > 0 {
            token(random, &mut bytes);
        } else {
            one(random, &mut bytes, seeds);
        }
    }
    if before && random.random_range(0..8) > 0 {
        // The length before a header is nearly always right, or little else would be read.
        set_length(&mut bytes);
    }
    bytes
}

/// Makes the length at the beginning of a safetensors file that of the object behind it.
fn set_length(bytes: &mut [u8]) {
    let mut depth = 0_usize;
    let mut quoted = false;
    for at in 8..bytes.len() {
        match bytes[at] {
            b'"' if bytes[at - 1] != b'\\' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    bytes[..8].copy_from_slice(&((at - 7) as u64).to_le_bytes());
                    return;
                }
            }
            _ => {}
        }
    }
}

fn one(random: &mut ChaCha8Rng, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    if bytes.is_empty() {
        bytes.push(random.random());
    }
    let at = random.random_range(0..bytes.len());
    let until = (at + random.random_range(1..40)).min(bytes.len());
    match random.random_range(0..8) {
        0 => bytes[at] = random.random(),
        1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 | 3 => {
            let mut number = *NUMBERS.choose(random).unwrap_or(&0);
            if random.random_range(0..4) == 0 {
                number = (bytes.len() as u64).wrapping_add(number).wrapping_sub(8);
            }
            let width = if random.random() { 8 } else { 4 };
            let width = width.min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
        4 => drop(bytes.drain(at..until)),
        5 => {
            let stretch = bytes[at..until].to_vec();
            let to = random.random_range(0..=bytes.len());
            bytes.splice(to..to, stretch);
        }
        6 => {
            if random.random_range(0..4) == 0 {
                bytes.truncate(at);
            }
        }
        _ => {
            let other = seeds.choose(random).map_or(&[][..], Vec::as_slice);
            let from = random.random_range(0..=other.len());
            let end = (from + random.random_range(0..40)).min(other.len());
            bytes.splice(at..until, other[from..end].iter().copied());
        }
    }
}

/// Exchanges, doubles or drops a token of JSON.
fn token(random: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    let tokens = tokens(bytes);
    let (Some(a), Some(b)) = (tokens.choose(random), tokens.choose(random)) else {
        return;
    };
    let (a, b) = (a.clone(), bytes[b.clone()].to_vec());
    match random.random_range(0..6) {
        0 => drop(bytes.drain(a)),
        1 | 2 => drop(bytes.splice(a, b)),
        3 => {
            let number = random.random_range(0..300_u32).to_string();
            bytes.splice(a, number.into_bytes());
        }
        _ => {
            let fragment = FRAGMENTS.choose(random).unwrap_or(&"");
            bytes.splice(a, fragment.bytes());
        }
    }
}

/// The stretches of strings, of words and numbers, and of single marks.
fn tokens(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'"' => {
                while at < bytes.len() && (bytes[at] != b'"' || bytes[at - 1] == b'\\') {
                    at += 1;
                }
                at = (at + 1).min(bytes.len());
            }
            c if c.is_ascii_alphanumeric() || c == b'-' => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'.') {
                    at += 1;
                }
            }
            c if c.is_ascii_whitespace() => continue,
            _ => {}
        }
        all.push(start..at);
    }
    all
}
