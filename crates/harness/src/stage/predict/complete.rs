//! When an answer is whole, and what of it is text.

use harness_model::Generation;

/// Whether an answer is whole: a semicolon, a fence that closes (or opens, behind a plain prompt), or, behind a
/// plain prompt, a blank line.
pub fn is_complete(text: &str, chat: bool) -> bool {
    if chat {
        // The first fence opens the block, the second closes it.
        let fences = text.matches("```").count();
        return fences >= 2 || (fences == 0 && text.trim_end().ends_with(';'));
    }
    let body = text.trim_start();
    body.contains(';') || body.contains("```") || body.contains("\n\n")
}

/// The answer's tokens without the one that ended it.
pub fn strip_end<'a>(answer: &'a Generation, end_tokens: &[u32]) -> &'a [u32] {
    match answer.tokens.split_last() {
        Some((last, rest)) if end_tokens.contains(last) => rest,
        _ => &answer.tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_answer_is_whole_at_its_end_mark() {
        for (text, chat, whole) in [
            (" name FROM singer", false, false),
            (" name FROM singer;", false, true),
            (" name\nFROM singer\n\n", false, true),
            ("\n\n name", false, false),
            (" 1\n```", false, true),
            ("```sql\nSELECT 1;", true, false),
            ("```sql\nSELECT 1;\n```", true, true),
            ("SELECT 1;", true, true),
        ] {
            assert_eq!(is_complete(text, chat), whole, "{text:?}");
        }
    }
}
