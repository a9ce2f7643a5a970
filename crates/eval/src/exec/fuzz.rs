//! The sandbox and the wire without a process, for [`crate::fuzz`].

use rusqlite::types::ValueRef;

use super::database::Databases;
use super::rows::{Answer, Failure, FailureKind, Job, Rows, Value};
use super::wire::{Encoder, Reply, Request};
use super::{Limits, sandbox, wire};

/// Runs a job in this process, and reads the answer as a parent does.
pub fn run(job: &Job, limits: Limits) -> Result<Rows, Failure> {
    let database = Databases::default().at(&job.database);
    let uri = database.uri.as_ref().map_err(Clone::clone)?;
    let request = Request::new(uri, job, limits);
    let payload = sandbox::run(&request).encode();
    let lost = || Failure::new(FailureKind::Error, "not a reply");
    reply(&payload).ok_or_else(lost)?.result
}

/// What a parent makes of a worker's reply; `None` if it is not one.
pub fn reply(payload: &[u8]) -> Option<Answer> {
    wire::decode(payload)
}

/// The nanoseconds of a reply, and whether it can be repeated.
pub fn head(payload: &[u8]) -> Option<(u64, bool)> {
    wire::head(payload)
}

/// The reply that carries these rows, with its nanoseconds and whether it can be repeated.
pub fn reply_of(rows: &Rows, (ns, repeatable): (u64, bool)) -> Vec<u8> {
    let mut encoder = Encoder::new(rows.columns);
    for row in &rows.rows {
        for value in row {
            encoder.cell(match value {
                Value::Null => ValueRef::Null,
                Value::Int(number) => ValueRef::Integer(*number),
                Value::Real(number) => ValueRef::Real(*number),
                Value::Text(bytes) => ValueRef::Text(bytes),
                Value::Blob(bytes) => ValueRef::Blob(bytes),
            });
        }
        encoder.end_row();
    }
    let reply = Reply {
        result: Ok(encoder),
        ns,
        repeatable,
    };
    reply.encode()
}
