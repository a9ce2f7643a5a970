//! Numbers as Python's `float` and `int` read them, in ASCII digits.

/// More digits are an error in Python.
const MOST_DIGITS: usize = 4300;

/// A number: `1`, `-.5`, `1e3`, `1_000`, `inf`, `nan`.
pub fn float(text: &str) -> Option<f64> {
    // Most words are names, and are not looked at further.
    text.starts_with(|first: char| first.is_ascii_digit() || "+-.in".contains(first))
        .then(|| without_underscores(text)?.parse().ok())?
}

/// The digits of an integer, with a `-` if it is negative, so that equal integers of any size are equal texts.
pub fn integer(text: &str) -> Option<String> {
    let text = without_underscores(text)?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    if digits.is_empty()
        || digits.len() > MOST_DIGITS
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    Some(match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    })
}

/// Without the underscores, which may stand between two digits only.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let well_placed = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_')
        .all(|(at, _)| well_placed(at))
        .then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_reads_them() {
        // Left: text. Then what float() and int() make of it; `-` where they raise.
        const CASES: &[(&str, &str, &str)] = &[
            ("1", "1", "1"),
            ("-007", "-7", "-7"),
            ("+5", "5", "5"),
            ("-0", "-0", "0"),
            ("1_000", "1000", "1000"),
            ("1__0", "-", "-"),
            ("_1", "-", "-"),
            ("1_", "-", "-"),
            ("1_.5", "-", "-"),
            ("1.", "1", "-"),
            (".5", "0.5", "-"),
            ("1e3", "1000", "-"),
            ("inf", "inf", "-"),
            ("-infinity", "-inf", "-"),
            ("nan", "NaN", "-"),
            ("+nan", "NaN", "-"),
            (".", "-", "-"),
            ("", "-", "-"),
            ("+", "-", "-"),
            ("--1", "-", "-"),
            ("0x10", "-", "-"),
            ("1,2", "-", "-"),
            ("e5", "-", "-"),
            (
                "123456789012345678901234567890",
                "123456789012345680000000000000",
                "123456789012345678901234567890",
            ),
        ];
        for (text, as_float, as_integer) in CASES {
            let float = float(text).map_or("-".to_owned(), |number| number.to_string());
            assert_eq!(float, *as_float, "float {text:?}");
            assert_eq!(
                integer(text).unwrap_or("-".into()),
                *as_integer,
                "integer {text:?}"
            );
        }
        assert_eq!(integer(&"9".repeat(MOST_DIGITS + 1)), None);
    }
}
