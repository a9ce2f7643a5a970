//! Where and when something was computed: the commit, the host, the clock, what it cost.
//!
//! Nothing here ever enters a digest. What cannot be found out is `None`, never a guess.

mod clock;
mod code;
mod cost;

use serde::{Deserialize, Serialize};

pub use clock::rfc3339;
pub use code::Code;
pub use cost::{Cost, Meter};

/// The machine, as far as it may be told: no host name, no user, no folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The processor's own name.
    pub cpu: Option<String>,
    /// Threads that this process may run at once.
    pub threads: Option<usize>,
    /// Operating system and architecture, such as `linux-x86_64`.
    pub system: String,
}

impl Host {
    /// This machine.
    pub fn current() -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("model name"))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            });
        Self {
            cpu,
            threads: std::thread::available_parallelism().ok().map(Into::into),
            system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}
