//! Where nltk sees the end of a sentence in a query.
//!
//! `word_tokenize` cuts a text into sentences first and parts the full stop at the end of each from its word. In queries
//! that is nearly always the end of the text.

/// Whether the full stop at this place is parted from the word before it.
pub fn ends_sentence(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    let closes = |char: char| matches!(char, ']' | ')' | '}' | '>' | '»' | '”' | '’' | ' ');
    !before.is_empty()
        && !before.ends_with('.')
        && after.trim_start_matches(closes).trim_start().is_empty()
}
