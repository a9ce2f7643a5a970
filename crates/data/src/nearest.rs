//! The nearest valid name for a misspelt one.

/// The candidate with the smallest edit distance to `name`, case ignored, if it is near enough to be
/// what was meant: at most a third of the name's letters differ, and never more than 64 are compared.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let name: Vec<char> = folded(name);
    let allowed = (name.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(&name, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

fn folded(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).take(64).collect()
}

/// Levenshtein distance, one row of the table at a time.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_else() {
        let names = ["train", "train-others", "dev"];
        assert_eq!(
            nearest("tarin-others", names).as_deref(),
            Some("train-others")
        );
        assert_eq!(nearest("trai", names).as_deref(), Some("train"));
        assert_eq!(nearest("Dev", names).as_deref(), Some("dev"));
        assert_eq!(
            nearest("train_other", names).as_deref(),
            Some("train-others")
        );
        assert_eq!(nearest("validation", names), None);
        assert_eq!(nearest("", names), None);
    }
}
