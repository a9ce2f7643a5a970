//! One worker process as its parent sees it.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};

use super::pool::{PoolError, WorkerCommand};
use super::stopwatch::Stopwatch;
use super::{Limits, wire};

/// How long a program may take to say that it is a worker, on a machine that is busy.
const GREETING_WAIT: Duration = Duration::from_mins(1);

/// What a reply has beside the rows: the words of a failure, and the last row, which may pass the limit.
const REPLY_OVERHEAD: u64 = 1 << 30;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// A running worker. Dropping it kills it and waits for its end.
pub struct Child {
    process: process::Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// What has been read and is no whole frame yet.
    unread: Vec<u8>,
    reply_limit: u64,
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
        let can_not_start = |source| PoolError::Start {
            program: command.program.clone(),
            source,
        };
        let mut process = Command::new(&command.program)
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a crashing query makes the runtime say is no message of this program.
            .stderr(Stdio::null())
            .spawn()
            .map_err(can_not_start)?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(can_not_start(io::ErrorKind::BrokenPipe.into()));
        };
        let mut child = Self {
            process,
            stdin,
            stdout,
            unread: Vec::new(),
            reply_limit: limits.result_bytes.saturating_add(REPLY_OVERHEAD),
        };
        // Neither side may wait for the other to read while the other waits to be read.
        ioctl_fionbio(&child.stdin, true)
            .and_then(|()| ioctl_fionbio(&child.stdout, true))
            .map_err(|error| can_not_start(error.into()))?;
        let mut greeting = Vec::new();
        let mut keep = |frame: &[u8]| {
            greeting.extend_from_slice(frame);
            Some(())
        };
        match child.ask(&[], 1, GREETING_WAIT, &mut keep) {
            Ok(()) if greeting == wire::GREETING => Ok(child),
            _ => Err(PoolError::NotAWorker {
                program: command.program.clone(),
                args: command.args.clone(),
            }),
        }
    }

    /// Sends requests and hands each of so many replies to `take`, which gives `None` to what is no reply. Each reply
    /// may take `wall`, from the one before on. After an error the worker is of no further use.
    pub fn ask(
        &mut self,
        mut requests: &[u8],
        replies: usize,
        wall: Duration,
        take: &mut dyn FnMut(&[u8]) -> Option<()>,
    ) -> Result<(), Lost> {
        for _ in 0..replies {
            let watch = Stopwatch::start();
            let end = loop {
                if let Some(end) = self.frame_end()? {
                    break end;
                }
                if !requests.is_empty() {
                    let sent = pass(self.stdin.write(requests))?;
                    requests = &requests[sent.unwrap_or(0)..];
                }
                let left = watch.left(wall).ok_or(Lost::Late)?;
                self.wait(!requests.is_empty(), left)?;
                self.read()?;
            };
            take(&self.unread[8..end]).ok_or(Lost::Died)?;
            self.unread.drain(..end);
        }
        Ok(())
    }

    /// Where the first frame of what has been read ends, if it is whole.
    fn frame_end(&mut self) -> Result<Option<usize>, Lost> {
        let Some(head) = self.unread.first_chunk() else {
            return Ok(None);
        };
        let length = u64::from_le_bytes(*head);
        if length > self.reply_limit {
            return Err(Lost::Died);
        }
        let end = 8 + length as usize;
        Ok((self.unread.len() >= end).then_some(end))
    }

    /// Waits until the worker has written something or, if there is more to send, reads on.
    fn wait(&self, more: bool, left: Duration) -> Result<(), Lost> {
        let time = Timespec::try_from(left).ok();
        let mut ends = [
            PollFd::from_borrowed_fd(self.stdout.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.stdin.as_fd(), PollFlags::OUT),
        ];
        match poll(&mut ends[..=usize::from(more)], time.as_ref()) {
            // Whether the time is up, the caller's clock says.
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(_) => Err(Lost::Died),
        }
    }

    /// Takes what the worker has written.
    fn read(&mut self) -> Result<(), Lost> {
        loop {
            let before = self.unread.len();
            self.unread.resize(before + CHUNK, 0);
            let got = pass(self.stdout.read(&mut self.unread[before..]));
            self.unread
                .truncate(before + got.ok().flatten().unwrap_or(0));
            match got? {
                Some(0) => return Err(Lost::Died),
                Some(CHUNK) => {}
                _ => return Ok(()),
            }
        }
    }
}

/// The bytes of a transfer; `None` where it would have to wait.
fn pass(result: io::Result<usize>) -> Result<Option<usize>, Lost> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(Lost::Died),
        },
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; waiting for it leaves no zombie in either case.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
