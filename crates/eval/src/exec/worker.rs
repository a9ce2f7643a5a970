//! The worker's side: read a message, do it, answer, until the parent is gone.

use std::io::{self, BufReader, BufWriter, StdoutLock, Write};
use std::process;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::rows::{Failure, FailureKind};
use super::wire::{Message, Reply, Request};
use super::{own_limits, sandbox, wire};

/// Bytes a request may have: the text of a query is limited by itself, later and with a verdict.
const REQUEST_LIMIT: u64 = 1 << 30;
/// Replies are not held back when their queries took longer than this together: the parent has a clock.
const HELD_NS: u64 = 5_000_000;
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
    let mut replies = Replies {
        output: BufWriter::new(io::stdout().lock()),
        held_ns: 0,
    };
    // Without a reader there is nothing left to do.
    if replies.greet().is_ok() {
        let mut confined = false;
        while let Ok(Some(frame)) = wire::read_frame(&mut input, REQUEST_LIMIT) {
            let answered = answer(&frame, &mut replies, &mut confined);
            let more = !input.buffer().is_empty();
            if answered.is_err() || !more && replies.hand_over().is_err() {
                break;
            }
        }
    }
    process::exit(0);
}

fn answer(frame: &[u8], replies: &mut Replies<'_>, confined: &mut bool) -> io::Result<()> {
    let mut run = |request: &Request| {
        if !*confined {
            own_limits::confine(&request.limits);
            *confined = true;
        }
        own_limits::allow_cpu(request.limits.wall());
        sandbox::run(request)
    };
    match serde_json::from_slice(frame) {
        Ok(Message::Query(request)) => replies.add(run(&request)),
        Ok(Message::Race(gold, predicted, repeats)) => {
            for _ in 0..repeats {
                for request in [&gold, &predicted] {
                    replies.add(run(request).without_rows())?;
                }
            }
            Ok(())
        }
        Err(error) => {
            let message = format!("unreadable request: {error}");
            replies.add(Reply {
                result: Err(Failure::new(FailureKind::Error, message)),
                ns: 0,
                repeatable: false,
            })
        }
    }
}

/// What goes to the parent. Quick replies go together, since each time it is woken costs more than a quick query does.
struct Replies<'a> {
    output: BufWriter<StdoutLock<'a>>,
    /// Nanoseconds that the queries took whose replies may be held back.
    held_ns: u64,
}

impl Replies<'_> {
    fn greet(&mut self) -> io::Result<()> {
        wire::write_frame(&mut self.output, wire::GREETING)?;
        self.hand_over()
    }

    fn add(&mut self, reply: Reply) -> io::Result<()> {
        self.held_ns = self.held_ns.saturating_add(reply.ns);
        wire::write_frame(&mut self.output, &reply.encode())?;
        if self.held_ns > HELD_NS {
            self.hand_over()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.held_ns = 0;
        self.output.flush()
    }
}
