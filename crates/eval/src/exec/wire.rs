//! What parent and worker say to each other: frames of a length (8 bytes, little endian) and that many bytes.
//!
//! The worker greets with [`GREETING`]; each [`Message`] is a frame of JSON, and each [`Reply`] a frame of its own: the
//! nanoseconds (8 bytes); a byte that is 1 where the query, run again, gives the same; then a byte 0, the number of
//! columns and of rows (8 bytes each) and the cells row by row; or a byte 1 and a [`Failure`] in JSON. Cells are a tag
//! byte and a number of 8 bytes or a length and bytes, so that text that is not UTF-8 and numbers pass unchanged.

use std::io::{self, Read, Write};

use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

use super::rows::{Failure, FailureKind, Rows, Value};
use super::{Answer, Job, Limits};

/// The first frame a worker writes, so that a program that is no worker is found out at once.
pub const GREETING: &[u8] = b"harness-eval worker 3";

/// What a parent asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// One query, answered by one [`Reply`].
    Query(Request),
    /// Two queries, run in turns so many times: a lap is answered by the [`Reply`] of each. The rows are left out.
    Race(Request, Request, u32),
}

/// The request for one query.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// The database as the `file:` URI to be opened.
    pub uri: String,
    /// The text of the query.
    pub sql: String,
    /// What the query may use.
    pub limits: Limits,
    /// Whether rows are to be visited from the last to the first.
    pub reverse: bool,
}

impl Request {
    /// The request for a job on a database that is opened by this URI.
    pub fn new(uri: &str, job: &Job, limits: Limits) -> Self {
        Self {
            uri: uri.to_owned(),
            sql: job.sql.clone(),
            limits,
            reverse: job.reverse,
        }
    }
}

/// A message as a frame.
pub fn frame(message: &Message) -> Vec<u8> {
    // Text and numbers always have a JSON form.
    let payload = serde_json::to_vec(message).unwrap_or_default();
    let mut frame = (payload.len() as u64).to_le_bytes().to_vec();
    frame.extend_from_slice(&payload);
    frame
}

/// Writes one frame.
pub fn write_frame(out: &mut impl Write, payload: &[u8]) -> io::Result<()> {
    out.write_all(&(payload.len() as u64).to_le_bytes())?;
    out.write_all(payload)
}

/// Reads one frame; `None` where the stream ends before it. A frame longer than `limit` bytes is an error.
pub fn read_frame(from: &mut impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 8];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from_le_bytes(head);
    if length > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut payload = Vec::new();
    from.take(length).read_to_end(&mut payload)?;
    if (payload.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(payload))
}

/// A result on its way to the parent.
pub struct Encoder {
    bytes: Vec<u8>,
    rows: u64,
}

impl Encoder {
    /// Where the number of columns is: behind the nanoseconds and two bytes.
    const COLUMNS: usize = 10;

    /// An empty result of so many columns.
    pub fn new(columns: usize) -> Self {
        let mut bytes = vec![0; Self::COLUMNS];
        bytes.extend_from_slice(&(columns as u64).to_le_bytes());
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        Self { bytes, rows: 0 }
    }

    /// Adds one cell.
    pub fn cell(&mut self, value: ValueRef<'_>) {
        let (tag, number, payload): (u8, u64, &[u8]) = match value {
            ValueRef::Null => return self.bytes.push(0),
            ValueRef::Integer(number) => (1, number.cast_unsigned(), &[]),
            ValueRef::Real(number) => (2, number.to_bits(), &[]),
            ValueRef::Text(bytes) => (3, bytes.len() as u64, bytes),
            ValueRef::Blob(bytes) => (4, bytes.len() as u64, bytes),
        };
        self.bytes.push(tag);
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.bytes.extend_from_slice(payload);
    }

    /// Ends a row and says how many there are.
    pub fn end_row(&mut self) -> u64 {
        self.rows += 1;
        self.rows
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn finish(mut self, head: [u8; 9]) -> Vec<u8> {
        let rows = Self::COLUMNS + 8;
        self.bytes[..9].copy_from_slice(&head);
        self.bytes[rows..rows + 8].copy_from_slice(&self.rows.to_le_bytes());
        self.bytes
    }
}

/// The worker's answer to a query.
pub struct Reply {
    /// The rows, or why there are none.
    pub result: Result<Encoder, Failure>,
    /// Nanoseconds the query took.
    pub ns: u64,
    /// Whether it would give the same if it were run again.
    pub repeatable: bool,
}

impl Reply {
    /// The reply without its rows.
    pub fn without_rows(self) -> Self {
        Self {
            result: self.result.map(|_| Encoder::new(0)),
            ..self
        }
    }

    /// The frame's payload.
    pub fn encode(self) -> Vec<u8> {
        let mut head = [0; 9];
        head[..8].copy_from_slice(&self.ns.to_le_bytes());
        head[8] = u8::from(self.repeatable);
        match self.result {
            Ok(rows) => rows.finish(head),
            Err(failure) => {
                let mut bytes = head.to_vec();
                bytes.push(1);
                // A pair of an enum without data and a string always has a JSON form.
                if let Ok(json) = serde_json::to_vec(&(failure.kind, &failure.message)) {
                    bytes.extend_from_slice(&json);
                }
                bytes
            }
        }
    }
}

/// The nanoseconds of a reply, and whether the query would give the same again.
pub fn head(payload: &[u8]) -> Option<(u64, bool)> {
    let (ns, rest) = payload.split_first_chunk()?;
    let repeatable = match rest.first()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    Some((u64::from_le_bytes(*ns), repeatable))
}

/// Reads a reply; `None` if it is not one.
pub fn decode(payload: &[u8]) -> Option<Answer> {
    let (ns, _) = head(payload)?;
    let (&kind, rest) = payload.get(9..)?.split_first()?;
    let result = match kind {
        0 => Ok(decode_rows(rest)?),
        1 => {
            let (kind, message): (FailureKind, String) = serde_json::from_slice(rest).ok()?;
            Err(Failure { kind, message })
        }
        _ => return None,
    };
    let ms = ns as f64 / 1e6;
    Some(Answer { result, ms })
}

fn decode_rows(mut rest: &[u8]) -> Option<Rows> {
    let columns = usize::try_from(number(&mut rest)?).ok()?;
    let count = number(&mut rest)?;
    // A row takes a byte at least, so this is no reply; without columns its rows would never end.
    if count > 0 && (columns == 0 || count > rest.len() as u64) {
        return None;
    }
    let mut rows = Vec::with_capacity(usize::try_from(count).ok()?);
    for _ in 0..count {
        let mut row = Vec::with_capacity(columns.min(rest.len()));
        for _ in 0..columns {
            row.push(cell(&mut rest)?);
        }
        rows.push(row);
    }
    rest.is_empty().then_some(Rows { columns, rows })
}

fn cell(rest: &mut &[u8]) -> Option<Value> {
    let (&tag, tail) = rest.split_first()?;
    *rest = tail;
    if tag == 0 {
        return Some(Value::Null);
    }
    let number = number(rest)?;
    match tag {
        1 => Some(Value::Int(number.cast_signed())),
        2 => Some(Value::Real(f64::from_bits(number))),
        _ => {
            let (bytes, tail) = rest.split_at_checked(usize::try_from(number).ok()?)?;
            *rest = tail;
            match tag {
                3 => Some(Value::Text(bytes.to_vec())),
                4 => Some(Value::Blob(bytes.to_vec())),
                _ => None,
            }
        }
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u64::from_le_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_comes_out_as_it_went_in() {
        let mut encoder = Encoder::new(5);
        for value in [
            ValueRef::Null,
            ValueRef::Integer(i64::MIN),
            ValueRef::Real(f64::NEG_INFINITY),
            ValueRef::Text(b"caf\xe9\0"),
            ValueRef::Blob(b""),
        ] {
            encoder.cell(value);
        }
        encoder.end_row();
        let reply = Reply {
            result: Ok(encoder),
            ns: 250_000,
            repeatable: true,
        };
        let payload = reply.encode();
        assert_eq!(head(&payload), Some((250_000, true)));
        let answer = decode(&payload).unwrap();
        assert_eq!(answer.ms.to_bits(), 0.25_f64.to_bits());
        assert_eq!(
            answer.result.unwrap(),
            Rows {
                columns: 5,
                rows: vec![vec![
                    Value::Null,
                    Value::Int(i64::MIN),
                    Value::Real(f64::NEG_INFINITY),
                    Value::Text(b"caf\xe9\0".to_vec()),
                    Value::Blob(vec![]),
                ]]
            }
        );
        // A reply cut anywhere, or with something behind it, is not taken for a reply.
        for end in 0..payload.len() {
            assert!(decode(&payload[..end]).is_none());
        }
        assert!(decode(&[&payload[..], &[0]].concat()).is_none());
    }

    #[test]
    fn rows_without_columns_are_no_reply() {
        let endless = [&[0; 18][..], &u64::MAX.to_le_bytes()].concat();
        assert!(decode(&endless).is_none());
        let many = [&[0; 10][..], &[1, 0, 0, 0, 0, 0, 0, 0], &[0xff; 8], &[0; 9]].concat();
        assert!(decode(&many).is_none());
    }

    #[test]
    fn a_failure_comes_out_as_it_went_in() {
        let failure = Failure::new(FailureKind::TooLarge, "too \"large\"");
        let reply = Reply {
            result: Err(failure.clone()),
            ns: 7_500_000,
            repeatable: false,
        };
        let answer = Answer {
            result: Err(failure),
            ms: 7.5,
        };
        assert_eq!(decode(&reply.encode()), Some(answer));
    }

    #[test]
    fn frames_end_with_the_stream_and_have_a_limit() {
        let mut wire = Vec::new();
        write_frame(&mut wire, b"abc").unwrap();
        let mut from = &wire[..];
        assert_eq!(read_frame(&mut from, 3).unwrap().unwrap(), b"abc");
        assert!(read_frame(&mut from, 3).unwrap().is_none());
        assert!(read_frame(&mut &wire[..], 2).is_err());
        assert!(read_frame(&mut &wire[..10], 3).is_err());
    }
}
