//! Where nltk sees the end of a sentence in a query.
//!
//! `word_tokenize` cuts a text into sentences first and parts the full stop at the end of each from its word. In queries
//! that is nearly always the end of the text. Elsewhere a word and a full stop before a blank or a bracket end a sentence
//! too, a single letter does not (`t. name`), and a number does unless a small letter follows (`5. and`). That is what
//! nltk's English model says of the words of SQL; its list of abbreviations and names is not known here.

/// Whether the full stop at this place is parted from the word before it.
pub fn ends_sentence(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    // There is nothing to part it from.
    if before.is_empty() || before.ends_with('.') {
        return false;
    }
    // Only these, of which no other blank is one, may stand between the full stop and the end of its sentence.
    let may_follow = |char: char| char == '>' || char == ' ' || closes(char);
    if after.trim_start_matches(may_follow).trim_start().is_empty() {
        return true;
    }
    if !after.starts_with(ends_word) {
        return false;
    }
    let next = after.trim_start();
    // Closing marks belong to the sentence that they follow.
    let rest = next.trim_start_matches(|char| closes(char) || opens(char));
    if rest.len() < next.len() && (rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        let closing = &after[..after.len() - rest.len()];
        if !closing.chars().all(may_follow) {
            return false;
        }
    }
    let word = before.rsplit(ends_word).next().unwrap_or_default();
    let word = word.trim_start_matches(['-', ',', '&', '#', '`']);
    if word.chars().count() == 1 && word.starts_with(char::is_alphabetic) {
        return false;
    }
    let goes_on = |next: char| next.is_lowercase() || ",;:.!?".contains(next);
    !(is_number(word) && next.starts_with(goes_on))
}

/// What ends a word for nltk's model.
fn ends_word(char: char) -> bool {
    char.is_whitespace() || closes(char) || opens(char) || ";*:@({[!?".contains(char)
}

fn closes(char: char) -> bool {
    matches!(char, ')' | ']' | '}' | '»' | '”' | '’')
}

fn opens(char: char) -> bool {
    matches!(char, '«' | '“' | '‘')
}

fn is_number(word: &str) -> bool {
    let word = word.strip_prefix(['.', ',']).unwrap_or(word);
    word.starts_with(|first: char| first.is_ascii_digit())
        && word
            .chars()
            .all(|char| char.is_ascii_digit() || ",.-".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_nltk_cuts() {
        // `|` is put where a full stop was parted from its word by nltk 3.10.4 with `punkt_tab`.
        for text in [
            "a b|.",
            "a b|.)",
            "a b|. ) ",
            "a b..",
            ".",
            "a t1.b c",
            "a ab|. c",
            "a ab|. C",
            "a t. c",
            "a t. C",
            "a 5. c",
            "a 5|. C",
            "a 5. , c",
            "a 5|. ) c",
            "a 5. \n) c",
            "a 5. \n)",
            "a 5|. \n); c",
            "a ab|.) c",
            "a ab|.); c",
            "a ab.$ c",
            "a ab.> c",
            "a ab|.” c",
            "a ab.“ c",
        ] {
            let plain = text.replace('|', "");
            let mut marked = String::new();
            for (at, char) in plain.char_indices() {
                let parted = char == '.' && ends_sentence(&plain, at);
                marked.extend(parted.then_some('|'));
                marked.push(char);
            }
            assert_eq!(marked, text);
        }
    }
}
