//! Progress of long work: a bar with a rate and an ETA on a terminal, plain lines in a log.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines of a log.
const EVERY: Duration = Duration::from_secs(20);

/// The progress of one piece of work, counted in `unit`s.
pub struct Progress {
    label: String,
    unit: &'static str,
    total: u64,
    done: u64,
    /// Done before this run began: not part of the rate.
    before: u64,
    bar: Option<ProgressBar>,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Begins a piece of work of `total` units of which `before` were done by an earlier run.
    pub fn new(label: impl Into<String>, unit: &'static str, total: usize, before: usize) -> Self {
        let label = label.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{prefix} [{bar:28}] {pos}/{len} {per_sec} ETA {eta} {msg}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total as u64).with_style(style);
            bar.set_prefix(label.clone());
            bar.set_position(before as u64);
            bar.reset_eta();
            bar
        });
        Self {
            label,
            unit,
            total: total as u64,
            done: before as u64,
            before: before as u64,
            bar,
            started: Instant::now(),
            said: Instant::now(),
        }
    }

    /// Says that `done` units are done, with a short note such as a loss.
    pub fn set(&mut self, done: usize, note: &str) {
        self.done = done as u64;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
            bar.set_message(note.to_owned());
        } else if self.said.elapsed() >= EVERY || self.done == self.total {
            self.said = Instant::now();
            eprintln!("{}", self.line(note));
        }
    }

    /// Says something besides, above the bar where there is one.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn line(&self, note: &str) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = (self.done - self.before.min(self.done)) as f64 / seconds.max(1e-9);
        let left = self.total.saturating_sub(self.done);
        let eta = if left == 0 {
            format!("{seconds:.0} s")
        } else if rate > 0.0 {
            format!("ETA {:.0} s", left as f64 / rate)
        } else {
            "ETA unknown".to_owned()
        };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(", {note}")
        };
        format!(
            "{}: {}/{} {}, {rate:.2}/s, {eta}{note}",
            self.label, self.done, self.total, self.unit
        )
    }
}

/// The progress of a download or an archive in MiB, shown from the first bytes on: before, the size is not known.
pub struct Bytes {
    label: String,
    /// The bar or the lines, and the MiB that were told last.
    shown: Option<(Progress, usize)>,
}

impl Bytes {
    /// Begins a piece of work.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            shown: None,
        }
    }

    /// Says that `done` bytes are done of `total`, if that is known. What is smaller than a MiB is not worth a word.
    pub fn set(&mut self, done: u64, total: Option<u64>) {
        let mebibytes = |bytes: u64| (bytes >> 20) as usize;
        let (done, total) = (mebibytes(done), total.map_or(0, mebibytes));
        if total == 0 && done == 0 {
            return;
        }
        match &mut self.shown {
            None => {
                let mut progress = Progress::new(self.label.clone(), "MiB", total, done);
                progress.set(done, "");
                self.shown = Some((progress, done));
            }
            Some((progress, told)) if *told != done => {
                *told = done;
                progress.set(done, "");
            }
            Some(_) => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            eprintln!("{}", self.line(""));
        }
    }
}
