//! "Did you mean": the nearest of a list of valid names.

/// The candidate that `word` was probably meant to be, or `None` if none is near.
///
/// Near means: at most one edit (insertion, deletion, substitution, swap of neighbours) per three
/// characters, and at least one; case and the choice between `-` and `_` count for nothing.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), name))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// The help text for a name that is not in `candidates`.
pub(crate) fn help(word: &str, candidates: &[&str], noun: &str) -> Option<String> {
    if candidates.is_empty() {
        return None;
    }
    if let Some(name) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{name}`?"));
    }
    Some(format!("{noun}: {}", candidates.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typing_errors_and_nothing_else() {
        let names = ["rank", "alpha", "dropout", "learning_rate"];
        let near = |word| nearest(word, names);
        assert_eq!(near("rnak"), Some("rank"));
        assert_eq!(near("Alpha"), Some("alpha"));
        assert_eq!(near("learning-rate"), Some("learning_rate"));
        assert_eq!(near("learnign_rte"), Some("learning_rate"));
        assert_eq!(near("batch"), None);
        assert_eq!(near(""), None);
        assert_eq!(
            help("zzz", &names[..2], "known keys").unwrap(),
            "known keys: rank, alpha"
        );
    }
}
