//! A file of queries in parts of a few megabytes: for one pass over more queries than memory holds.
//!
//! What a line may be, and what is said of a faulty one, is as in [`read_queries`](crate::read_queries); only the texts
//! of the queries are told.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::error::DataError;
use crate::query_file::{is_json_lines, not_utf8, parse_query};

/// Bytes of a part, at least; it goes on to the end of its last line.
const PART: usize = 1 << 23;

/// The parts of a file, in their order.
#[derive(Debug)]
pub struct QueryParts {
    path: Arc<Path>,
    file: File,
    /// What was read behind the last line of the part before.
    rest: Vec<u8>,
    lines: usize,
    at_end: bool,
}

/// Whole lines of a file of queries.
#[derive(Clone, Debug)]
pub struct QueryPart {
    path: Arc<Path>,
    content: Vec<u8>,
    lines_before: usize,
}

impl QueryParts {
    /// Opens a file of queries; its ending says what its lines are.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io = io_fault(path);
        let mut file = File::open(path).map_err(&io)?;
        let mut rest = Vec::new();
        file.by_ref().take(3).read_to_end(&mut rest).map_err(&io)?;
        if rest == b"\xef\xbb\xbf" {
            rest.clear();
        }
        Ok(Self {
            path: path.into(),
            file,
            rest,
            lines: 0,
            at_end: false,
        })
    }

    fn read(&mut self) -> Result<Option<QueryPart>, DataError> {
        let mut content = std::mem::take(&mut self.rest);
        let end = loop {
            let searched = content.len();
            if !self.at_end {
                let mut more = self.file.by_ref().take(PART as u64);
                let read = more
                    .read_to_end(&mut content)
                    .map_err(io_fault(&self.path))?;
                self.at_end = read < PART;
            }
            if self.at_end {
                break content.len();
            }
            let line_feed = content[searched..].iter().rposition(|byte| *byte == b'\n');
            if let Some(place) = line_feed {
                break searched + place + 1;
            }
        };
        self.rest = content.split_off(end);
        let lines_before = self.lines;
        self.lines += content.split(|byte| *byte == b'\n').count() - 1;
        Ok((!content.is_empty()).then(|| QueryPart {
            path: self.path.clone(),
            content,
            lines_before,
        }))
    }
}

impl Iterator for QueryParts {
    type Item = Result<QueryPart, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl QueryPart {
    /// Shows `take` the text of each query, in their order.
    ///
    /// # Errors
    /// [`DataError`], with the file, the line and the field.
    pub fn each(&self, mut take: impl FnMut(&str)) -> Result<(), DataError> {
        if !is_json_lines(&self.path) {
            let text = std::str::from_utf8(&self.content)
                .map_err(|error| not_utf8(&self.path, self.lines_before, &self.content, &error))?;
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .for_each(take);
            return Ok(());
        }
        let is_text = std::str::from_utf8(&self.content).is_ok();
        for (number, line) in self.content.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            // What is not quickly found to be right is looked at closely, which finds the words for what is wrong.
            match serde_json::from_slice::<Line<'_>>(line) {
                Ok(found) if is_text => take(&found.sql),
                _ => take(&parse_query(&self.path, self.lines_before + number, line)?.sql),
            }
        }
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A line of JSON of which the text of the query is wanted, and of all else that it is of the right kind.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    sql: Cow<'a, str>,
    #[serde(default, rename = "id")]
    _id: Kind<true>,
    #[serde(default, rename = "question")]
    _question: Kind<false>,
    #[serde(default, rename = "db_id")]
    _db_id: Kind<false>,
}

/// A text or nothing, or a whole number where `NUMBER` says so.
#[derive(Default)]
struct Kind<const NUMBER: bool>;

impl<'de, const NUMBER: bool> Deserialize<'de> for Kind<NUMBER> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<const NUMBER: bool> Visitor<'_> for Kind<NUMBER> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or nothing")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        if NUMBER {
            Ok(self)
        } else {
            Err(E::custom("a number"))
        }
    }
}

fn io_fault(path: &Path) -> impl Fn(std::io::Error) -> DataError {
    let path = PathBuf::from(path);
    move |source| DataError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::QueryPart;
    use crate::query_file::parse_queries;

    fn check(name: &str, content: &[u8]) {
        let part = QueryPart {
            path: Path::new(name).into(),
            content: content.to_vec(),
            lines_before: 0,
        };
        let mut found = Vec::new();
        let end = part.each(|sql| found.push(sql.to_owned()));
        match (parse_queries(Path::new(name), content), end) {
            (Ok(expected), Ok(())) => {
                let texts: Vec<String> = expected.into_iter().map(|query| query.sql).collect();
                assert_eq!(found, texts);
            }
            (Err(expected), Err(fault)) => assert_eq!(fault.to_string(), expected.to_string()),
            (expected, found) => panic!("{expected:?} and {found:?}"),
        }
    }

    #[test]
    fn a_part_holds_what_a_whole_file_does() {
        for content in [
            &b"{\"sql\": \"SELECT 1\", \"id\": 7}\r\n\n{\"sql\": \"a \\\"b\\\"\", \"question\": null, \"x\": [1]}"[..],
            b"{\"sql\": \"a\"}\n{\"sql\": \"b\", \"id\": -1}",
            b"{\"sql\": \"a\", \"question\": 3}",
            b"{\"sql\": \"a\", \"db_id\": {}}",
            b"{\"sql\": \"a\", \"sql\": \"b\"}",
            b"{\"sql\": 1}",
            b"{\"sql\": \"a\"}\n\n{\"question\": \"b\"}",
            b"{\"sql\": \"a\"}\n[1]",
            b"{\"sql\": \"a\"}\n{\"sql\": \"a\" x}",
            b"{\"sql\": \"a\"}\n{\"sql\": \"a\", \"x\": \"\xff\"}",
        ] {
            check("q.jsonl", content);
        }
        for content in [&b"SELECT 1\r\n \n\nSELECT 2"[..], b"a\nb\xff"] {
            check("q.sql", content);
        }
    }
}
