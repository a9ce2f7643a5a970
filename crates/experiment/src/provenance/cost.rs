//! What a stage cost: time and memory of this process.

use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// What a piece of work cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds on the wall clock.
    pub wall_seconds: f64,
    /// Seconds of processor time, of ended child processes too.
    pub cpu_seconds: Option<f64>,
    /// Most memory that this process held at once, in bytes; child processes are not in it.
    pub peak_memory_bytes: Option<u64>,
}

/// Measures one piece of work, from its making on.
#[derive(Debug)]
pub struct Meter {
    started: SystemTime,
    wall: Instant,
    cpu_seconds: Option<f64>,
}

impl Meter {
    /// Starts to measure. Where the system allows it, the memory peak of the process is set back, so that
    /// each stage gets its own.
    pub fn start() -> Self {
        // "5" sets back VmHWM; where that is not allowed, the peak is that of the whole run so far.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        Self {
            started: SystemTime::now(),
            wall: Instant::now(),
            cpu_seconds: cpu_seconds(),
        }
    }

    /// When it was started.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// The cost up to now.
    pub fn cost(&self) -> Cost {
        let milliseconds = |seconds: f64| (seconds * 1e3).round() / 1e3;
        Cost {
            wall_seconds: milliseconds(self.wall.elapsed().as_secs_f64()),
            cpu_seconds: self
                .cpu_seconds
                .zip(cpu_seconds())
                .map(|(before, now)| milliseconds((now - before).max(0.0))),
            peak_memory_bytes: peak_memory_bytes(),
        }
    }
}

/// Processor time of this process and its ended children.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold blanks; utime, stime, cutime and
    // cstime are fields 14 to 17, which is 11 to 14 after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().ok())
        .sum::<Option<u64>>()?;
    // Linux shows user space 100 ticks a second on every architecture.
    Some(ticks as f64 / 100.0)
}

fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
