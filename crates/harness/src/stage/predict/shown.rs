//! The progress of prediction on the screen, and what is said when Ctrl-C ends it.

use std::time::Instant;

use harness_model::Work;

use crate::command::for_a_shell;
use crate::progress::Progress;
use crate::stage::Interrupted;

/// The progress of one target.
pub struct Shown {
    progress: Progress,
    done: usize,
    total: usize,
    since: Instant,
    work: Work,
}

impl Shown {
    /// Begins with `done` answers of `total` that an earlier run has left.
    pub fn new(target: &str, total: usize, done: usize) -> Self {
        if done > 0 && done < total {
            eprintln!("{done} of {total} answers to {target} are there already");
        }
        Self {
            progress: Progress::new(format!("answering {target}"), "answers", total, done),
            done,
            total,
            since: Instant::now(),
            work: Work::default(),
        }
    }

    /// What has been done in all.
    pub fn work(&mut self, work: Work) {
        self.work = work;
        // The line of the last answer is told once.
        if self.done < self.total {
            self.progress.set(self.done, &self.note());
        }
    }

    /// An answer is there, of `done` in all.
    pub fn answered(&mut self, done: usize) {
        self.done = done;
        self.progress.set(done, &self.note());
    }

    fn note(&self) -> String {
        let seconds = self.since.elapsed().as_secs_f64().max(1e-9);
        let shared = self.work.shared_tokens as f64 / self.work.prompt_tokens.max(1) as f64;
        format!(
            "{:.0} tokens/s, {:.0} % of the prompts shared",
            self.work.generated_tokens as f64 / seconds,
            100.0 * shared
        )
    }
}

/// That the work was ended after so many answers, and how to go on.
pub fn interrupted(done: usize, total: usize) -> Interrupted {
    let command: Vec<String> = std::env::args().collect();
    Interrupted::new(format!(
        "stopped after {done} of {total} answers, which are kept; to go on, run the same again:\n    {}",
        for_a_shell(&command)
    ))
}
