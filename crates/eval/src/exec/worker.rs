//! The worker's side: read a request, run it, answer, until the parent is gone.

use std::io::{self, BufWriter};
use std::process;
use std::sync::mpsc;
use std::thread;

use super::rows::{Failure, FailureKind};
use super::{sandbox, wire};

/// Bytes a request may have: the text of a query is limited by itself, later and with a verdict.
const REQUEST_LIMIT: u64 = 1 << 30;

/// Serves queries on standard input and output until standard input ends. A program that uses [`Pool`](super::Pool)
/// calls this when it is started with the arguments of its [`WorkerCommand`](super::WorkerCommand), and nothing before
/// it may write to standard output.
pub fn worker_main() -> ! {
    let (send, requests) = mpsc::channel();
    // Reading goes on while a query runs, so that the end of the parent ends a worker that would run for long yet.
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(frame)) = wire::read_frame(&mut input, REQUEST_LIMIT) {
            if send.send(frame).is_err() {
                break;
            }
        }
        process::exit(0);
    });
    let mut output = BufWriter::new(io::stdout().lock());
    let mut write = |payload: &[u8]| {
        // Without a reader there is nothing left to do.
        if wire::write_frame(&mut output, payload).is_err() {
            process::exit(0);
        }
    };
    write(wire::GREETING);
    for frame in requests {
        let reply = match serde_json::from_slice(&frame) {
            Ok(request) => sandbox::run(&request),
            Err(error) => {
                let message = format!("unreadable request: {error}");
                wire::Reply {
                    result: Err(Failure::new(FailureKind::Error, message)),
                    ms: 0.0,
                }
            }
        };
        write(&reply.encode());
    }
    process::exit(0);
}
