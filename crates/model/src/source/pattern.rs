//! Names with `*` for any characters, as configurations choose files with.

/// Whether `name` fits `pattern`, in which `*` stands for any characters, also for `/`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let middle: Vec<&str> = parts.collect();
    let Some((last, middle)) = middle.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("a/b.bin", "a/b.bin", true),
            ("a/b.bin", "a/b.bin2", false),
            ("*/data/*.bin", "p/data/part01.bin", true),
            ("*/data/*.bin", "p/data/part01.txt", false),
            ("*", "anything", true),
            ("a*a", "a", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
