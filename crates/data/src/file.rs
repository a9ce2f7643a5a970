//! Finding, reading and hashing files. Knows nothing of what is in them beyond "a list of records".

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{DataError, Place};
use crate::field::Record;

/// A file that a data set was read from: enough to tell later whether it is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path relative to the root of the data set, with `/` between its parts.
    pub path: String,
    /// SHA-256 of the content, in lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl SourceFile {
    /// Hashes a file without holding it in memory.
    pub(crate) fn of(root: &Path, path: &Path) -> Result<Self, DataError> {
        let fault = |source: io::Error| DataError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = fs::File::open(path).map_err(fault)?;
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer).map_err(fault)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            bytes += read as u64;
        }
        Ok(Self {
            path: relative(root, path),
            sha256: hexadecimal(&hash.finalize()),
            bytes,
        })
    }
}

/// The first of `places` (relative to `root`) that is a file.
///
/// # Errors
/// [`DataError::MissingFile`] with all the places if none is.
pub(crate) fn locate(root: &Path, places: &[&str], what: &str) -> Result<PathBuf, DataError> {
    let tried: Vec<PathBuf> = places.iter().map(|place| root.join(place)).collect();
    match tried.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(DataError::MissingFile {
            what: what.to_owned(),
            tried,
        }),
    }
}

/// The whole of a file, without a byte order mark, and what it is.
pub(crate) fn read(root: &Path, path: &Path) -> Result<(Vec<u8>, SourceFile), DataError> {
    let (mut content, file) = read_bytes(root, path)?;
    if content.starts_with(b"\xef\xbb\xbf") {
        content.drain(..3);
    }
    Ok((content, file))
}

/// The whole of a file without a byte order mark, for those who need not tell later which file it was.
pub(crate) fn read_content(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut content = fs::read(path).map_err(|source| DataError::Io {
        path: path.to_owned(),
        source,
    })?;
    if content.starts_with(b"\xef\xbb\xbf") {
        content.drain(..3);
    }
    Ok(content)
}

/// The whole of a file as it is, and what it is.
pub(crate) fn read_bytes(root: &Path, path: &Path) -> Result<(Vec<u8>, SourceFile), DataError> {
    let content = fs::read(path).map_err(|source| DataError::Io {
        path: path.to_owned(),
        source,
    })?;
    let file = SourceFile {
        path: relative(root, path),
        sha256: sha256(&content),
        bytes: content.len() as u64,
    };
    Ok((content, file))
}

/// Reads a file that holds a JSON list of objects and makes something of each. One record at a time
/// exists as a JSON value, so a large file costs its bytes and not many times that.
pub(crate) fn read_list<T>(
    root: &Path,
    path: &Path,
    make: impl FnMut(&Record<'_>) -> Result<T, DataError>,
) -> Result<(Vec<T>, SourceFile), DataError> {
    let (content, file) = read(root, path)?;
    Ok((parse_list(path, &content, make)?, file))
}

/// [`read_list`] on bytes that are already in memory; `path` is for messages.
pub(crate) fn parse_list<T>(
    path: &Path,
    content: &[u8],
    make: impl FnMut(&Record<'_>) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let found = match content.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Some("an object"),
        Some(b'"') => Some("a text"),
        Some(b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => Some("a single value"),
        _ => None,
    };
    if let Some(found) = found {
        return Err(DataError::NotAList {
            path: path.to_owned(),
            found,
        });
    }
    let mut list = List {
        path,
        made: Vec::new(),
        make,
        fault: None,
    };
    let mut parser = serde_json::Deserializer::from_slice(content);
    let end = (&mut list)
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
    match (list.fault, end) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(json_fault(path, 0, &error)),
        (None, Ok(())) => Ok(list.made),
    }
}

/// Makes something of each line of a JSON Lines file; blank lines are passed over, and counted.
pub(crate) fn parse_lines<T>(
    path: &Path,
    content: &[u8],
    mut make: impl FnMut(&Record<'_>) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let mut made = Vec::new();
    for (before, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|error| json_fault(path, before, &error))?;
        made.push(make(&Record::of(path, Place::Line(before + 1), &value)?)?);
    }
    Ok(made)
}

/// A JSON error with its place; `lines_before` counts the lines of the file before the parsed text.
pub(crate) fn json_fault(path: &Path, lines_before: usize, error: &serde_json::Error) -> DataError {
    // The parser ends its message with the place, which is told apart here.
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(words, _)| words);
    DataError::Json {
        path: path.to_owned(),
        line: lines_before + error.line(),
        column: error.column(),
        message: message.to_owned(),
    }
}

/// Walks a JSON list and hands each element to `make`. A fault of a record ends the walk; it is kept
/// in `fault`, since the parser's error type could carry its text only.
struct List<'a, T, F> {
    path: &'a Path,
    made: Vec<T>,
    make: F,
    fault: Option<DataError>,
}

impl<'de, T, F> DeserializeSeed<'de> for &mut List<'_, T, F>
where
    F: FnMut(&Record<'_>) -> Result<T, DataError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T, F> Visitor<'de> for &mut List<'_, T, F>
where
    F: FnMut(&Record<'_>) -> Result<T, DataError>,
{
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            let place = Place::Record(self.made.len());
            match Record::of(self.path, place, &value).and_then(|record| (self.make)(&record)) {
                Ok(made) => self.made.push(made),
                Err(fault) => {
                    self.fault = Some(fault);
                    return Err(serde::de::Error::custom("a record is faulty"));
                }
            }
        }
        Ok(())
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .collect()
}
