//! The worker's side: read a message, do it, answer, until the parent is gone.

use std::io::{self, BufReader, BufWriter, StdoutLock};
use std::process;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::rows::{Failure, FailureKind};
use super::wire::{Message, Reply, Request};
use super::{own_limits, sandbox, wire};

/// Bytes a request may have: the text of a query is limited by itself, later and with a verdict.
const REQUEST_LIMIT: u64 = 1 << 30;
/// Bytes of stack for the engine, which descends into nested queries.
const STACK: usize = 64 << 20;

/// Serves queries on standard input and output until standard input ends. A program that uses [`Pool`](super::Pool)
/// calls this when it is started with the arguments of its [`WorkerCommand`](super::WorkerCommand), and nothing before
/// it may write to standard output.
pub fn worker_main() -> ! {
    let serving = thread::Builder::new().stack_size(STACK).spawn(serve);
    if serving.is_ok() {
        // The end of the parent ends a worker that would run for long yet. What it has sent is not consumed by waiting
        // for the end alone, so one thread can read while the other waits.
        let stdin = io::stdin();
        loop {
            let mut ends = [PollFd::new(&stdin, PollFlags::empty())];
            if poll(&mut ends, None).is_ok() {
                break;
            }
        }
    }
    process::exit(0);
}

fn serve() {
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    // Without a reader there is nothing left to do.
    if wire::write_frame(&mut output, wire::GREETING).is_ok() {
        let mut confined = false;
        while let Ok(Some(frame)) = wire::read_frame(&mut input, REQUEST_LIMIT) {
            if answer(&frame, &mut output, &mut confined).is_err() {
                break;
            }
        }
    }
    process::exit(0);
}

fn answer(
    frame: &[u8],
    output: &mut BufWriter<StdoutLock<'_>>,
    confined: &mut bool,
) -> io::Result<()> {
    let mut run = |request: &Request| {
        if !*confined {
            own_limits::confine(&request.limits);
            *confined = true;
        }
        own_limits::allow_cpu(request.limits.wall());
        sandbox::run(request)
    };
    match serde_json::from_slice(frame) {
        Ok(Message::Query(request)) => wire::write_frame(output, &run(&request).encode()),
        Ok(Message::Race(gold, predicted, repeats)) => {
            for _ in 0..repeats {
                for request in [&gold, &predicted] {
                    wire::write_frame(output, &run(request).without_rows().encode())?;
                }
            }
            Ok(())
        }
        Err(error) => {
            let message = format!("unreadable request: {error}");
            let reply = Reply {
                result: Err(Failure::new(FailureKind::Error, message)),
                ns: 0,
                repeatable: false,
            };
            wire::write_frame(output, &reply.encode())
        }
    }
}
