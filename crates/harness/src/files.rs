//! Reading and writing the files between stages: JSON and JSON Lines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a JSON file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    serde_json::from_reader(BufReader::new(file)).with_context(|| format!("in {}", path.display()))
}

/// Writes a JSON file, indented, with a final line break.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    write(path, &bytes)
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads the rows of a JSON Lines file; a fault is told with its line.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut rows = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        if !line.trim().is_empty() {
            let row = serde_json::from_str(&line)
                .with_context(|| format!("{}, line {}", path.display(), number + 1))?;
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Writes a JSON Lines file.
pub fn write_lines<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        for row in rows {
            serde_json::to_writer(&mut out, row)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A JSON Lines file that takes its place when it is whole: until then an earlier file of the name is as it was.
pub struct Pending {
    path: PathBuf,
    /// What is written; `None` where the name is that of a device or a pipe, which can't be replaced.
    beside: Option<PathBuf>,
    out: BufWriter<File>,
}

impl Pending {
    /// Opens it, so that a folder that can't be written is told before the work and not after it.
    pub fn open(path: &Path) -> Result<Self> {
        let replaceable = fs::metadata(path).map_or(true, |found| found.is_file());
        let beside = replaceable.then(|| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}.partial", std::process::id()));
            PathBuf::from(name)
        });
        let file = match &beside {
            Some(beside) => File::create(beside),
            None => File::options().write(true).open(path),
        };
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            out: BufWriter::new(file),
        })
    }

    /// Writes further rows.
    pub fn write<T: Serialize>(&mut self, rows: impl IntoIterator<Item = T>) -> Result<()> {
        let write = || -> std::io::Result<()> {
            for row in rows {
                serde_json::to_writer(&mut self.out, &row)?;
                self.out.write_all(b"\n")?;
            }
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Puts the file in its place.
    pub fn finish(mut self) -> Result<()> {
        let mut finish = || -> std::io::Result<()> {
            self.out.flush()?;
            match &self.beside {
                Some(beside) => fs::rename(beside, &self.path),
                None => Ok(()),
            }
        };
        finish().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // Nothing is lost if this fails, and there may be an error on its way that says more.
            let _ = fs::remove_file(beside);
        }
    }
}

/// A JSON Lines file that grows row by row, so that a killed run keeps what it had.
pub struct Growing {
    path: PathBuf,
    file: File,
}

impl Growing {
    /// Opens a file and returns its whole rows; a line that was cut off in the middle is taken away.
    pub fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<T>)> {
        let context = || format!("cannot open {}", path.display());
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(context),
        };
        let mut rows = Vec::new();
        let mut whole = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(body) = line.strip_suffix(b"\n") else {
                break;
            };
            let Ok(row) = serde_json::from_slice(body) else {
                break;
            };
            rows.push(row);
            whole += line.len();
        }
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(context)?;
        file.set_len(whole as u64).with_context(context)?;
        let path = path.to_owned();
        Ok((Self { path, file }, rows))
    }

    /// Adds a row; it is with the system when this returns.
    pub fn push(&mut self, row: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_taken_away_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.partial.jsonl");
        fs::write(&path, "1\n2\n3").unwrap();
        let (mut growing, rows) = Growing::open::<u32>(&path).unwrap();
        assert_eq!(rows, [1, 2]);
        growing.push(&4).unwrap();
        drop(growing);
        assert_eq!(read_lines::<u32>(&path).unwrap(), [1, 2, 4]);
    }

    #[test]
    fn a_malformed_line_is_told_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, "1\nx\n").unwrap();
        let error = read_lines::<u32>(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
