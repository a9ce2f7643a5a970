//! Reading one member out of a wheel, which is a zip archive. Nothing in it is installed or run.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::SourceError;
use super::pattern::matches;

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
