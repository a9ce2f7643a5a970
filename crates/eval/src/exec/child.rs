//! One worker process as its parent sees it.

use std::io::BufReader;
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::pool::{PoolError, WorkerCommand};
use super::{Limits, wire};

/// How long a program may take to say that it is a worker, on a machine that is busy.
const GREETING_WAIT: Duration = Duration::from_mins(1);

/// What a reply has beside the rows: the words of a failure, and the last row, which may pass the limit.
const REPLY_OVERHEAD: u64 = 1 << 30;

/// A running worker. Dropping it kills it and waits for its end.
pub struct Child {
    process: process::Child,
    stdin: Option<ChildStdin>,
    replies: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
}

/// Why a worker gave no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It was still at it when the time was up.
    Late,
    /// It ended, or wrote what is no reply.
    Died,
}

impl Child {
    /// Starts the program and waits for its greeting.
    pub fn start(command: &WorkerCommand, limits: &Limits) -> Result<Self, PoolError> {
        let spawned = Command::new(&command.program)
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a crashing query makes the runtime say is no message of this program.
            .stderr(Stdio::null())
            .spawn();
        let mut process = spawned.map_err(|source| PoolError::Start {
            program: command.program.clone(),
            source,
        })?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take();
        let (send, replies) = mpsc::channel();
        let limit = limits.result_bytes.saturating_add(REPLY_OVERHEAD);
        // A thread of its own reads, because only a channel can be waited on with a deadline.
        let reader = thread::spawn(move || {
            let Some(stdout) = stdout else { return };
            let mut stdout = BufReader::new(stdout);
            while let Ok(Some(frame)) = wire::read_frame(&mut stdout, limit) {
                if send.send(frame).is_err() {
                    break;
                }
            }
        });
        let child = Self {
            process,
            stdin,
            replies,
            reader: Some(reader),
        };
        match child.replies.recv_timeout(GREETING_WAIT) {
            Ok(frame) if frame == wire::GREETING => Ok(child),
            _ => Err(PoolError::NotAWorker {
                program: command.program.clone(),
                args: command.args.clone(),
            }),
        }
    }

    /// Sends a request and waits for the reply. After an error the worker is of no further use.
    pub fn ask(&mut self, request: &[u8], wall: Duration) -> Result<Vec<u8>, Lost> {
        let stdin = self.stdin.as_mut().ok_or(Lost::Died)?;
        wire::write_frame(stdin, request).map_err(|_| Lost::Died)?;
        self.replies
            .recv_timeout(wall)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => Lost::Late,
                RecvTimeoutError::Disconnected => Lost::Died,
            })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It may have ended by itself; waiting for it leaves no zombie in either case.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
