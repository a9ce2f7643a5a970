//! Mutations of texts of queries and of bytes.

use super::draw::Draw;

/// Pieces that scanners, grammars and the engine may trip over.
const PIECES: &[&[u8]] = &[
    b"'",
    b"\"",
    b"`",
    b"[",
    b"]",
    b"(",
    b")",
    b";",
    b"--",
    b"/*",
    b"*/",
    b"\\",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"# ",
    b"#",
    b"$1",
    b"?",
    b"@x",
    b":x",
    b"%s",
    b"\xc2\xb4",
    b"{",
    b"}",
    b" DISTINCT ",
    b"distinct",
    b" NOT ",
    b" AS ",
    b" ORDER BY ",
    b" LIMIT ",
    b" UNION ",
    b" WITH ",
    b" CASE ",
    b" JOIN ",
    b" ON ",
    b" IN (",
    b"SELECT ",
    b" FROM ",
    b" WHERE ",
    b"value",
    b"YEAR(CURDATE())",
    b"! =",
    b"> =",
    b"t1.",
    b"*",
    b",",
    b".",
    b"1e999",
    b"9223372036854775808",
    b"0x10",
    b"1_000",
    b"-",
    b"||",
    b"->>",
    b"NULL",
];

/// Bytes of the longest input.
const LONGEST: usize = 20_000;

/// Between one and five changes of one of the kept inputs.
pub fn mutated(kept: &[Vec<u8>], draw: &mut Draw) -> Vec<u8> {
    let mut input = kept[draw.below(kept.len())].clone();
    let changes = if draw.once_in(2) {
        1
    } else {
        1 + draw.below(5)
    };
    for _ in 0..changes {
        let other = &kept[draw.below(kept.len())];
        change(&mut input, other, draw);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], draw: &mut Draw) {
    let at = draw.below(input.len() + 1);
    let end = (at + draw.below(17)).min(input.len());
    match draw.below(13) {
        0 if at < input.len() => input[at] ^= 1 << draw.below(8),
        1 if at < input.len() => input[at] = draw.below(256) as u8,
        2 => input.truncate(at),
        3 => drop(input.drain(at..end)),
        4 => {
            let copy = input[at..end].to_vec();
            let to = draw.below(input.len() + 1);
            input.splice(to..to, copy);
        }
        5 => {
            let from = draw.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        6 => input[at..end].fill([0, 1, 0x7f, 0x80, 0xff][draw.below(5)]),
        7 => {
            let words = words(input);
            let (from, to) = (
                words[draw.below(words.len())].clone(),
                words[draw.below(words.len())].clone(),
            );
            let word = input[from].to_vec();
            input.splice(to, word);
        }
        8 => {
            let words = words(input);
            let gone = words[draw.below(words.len())].clone();
            input.drain(gone);
        }
        9 => {
            let (mine, theirs) = (words(input), words(other));
            let to = mine[draw.below(mine.len())].clone();
            let from = theirs[draw.below(theirs.len())].clone();
            input.splice(to, other[from].iter().copied());
        }
        // Many of the same: depth and length.
        10 if draw.once_in(8) => {
            let many = [50, 200, 1100][draw.below(3)];
            let piece = [
                &b"("[..],
                b"NOT ",
                b"- ",
                b"1+",
                b"SELECT (",
                b"a.",
                b"[",
                b",1",
            ][draw.below(8)];
            input.splice(at..at, piece.repeat(many));
        }
        11 => input[at..end].make_ascii_uppercase(),
        _ => {
            let piece = PIECES[draw.below(PIECES.len())];
            input.splice(at..at, piece.iter().copied());
        }
    }
}

/// Where the words, the blanks between them and the other characters are; never empty.
fn words(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let kind = |byte: u8| match byte {
        b' ' | b'\n' => 0,
        b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => 1,
        other => other,
    };
    let mut words = Vec::new();
    let mut start = 0;
    for at in 1..=text.len() {
        if at == text.len() || kind(text[at]) > 1 || kind(text[at]) != kind(text[at - 1]) {
            words.push(start..at);
            start = at;
        }
    }
    if words.is_empty() {
        words.push(0..0);
    }
    words
}
