//! What this machine has: memory, as Linux tells it. Elsewhere nothing is known, and nothing is said.

use std::fs;
use std::path::Path;

/// Bytes that this process holds in memory now.
pub fn resident() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Bytes that a process can take before the system or its control group runs out: the least of what both have left.
pub fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| field(&text, "MemAvailable:"));
    [system, left_in_group()].into_iter().flatten().min()
}

/// What is left of the limit of the control group, of version 2 or 1, where there is a limit.
fn left_in_group() -> Option<u64> {
    let number = |path: &str| -> Option<u64> {
        let text = fs::read_to_string(Path::new("/sys/fs/cgroup").join(path)).ok()?;
        text.trim().parse().ok()
    };
    let limit = number("memory.max").or_else(|| number("memory/memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory/memory.usage_in_bytes"))?;
    Some(limit.saturating_sub(used))
}

/// A field of a text of `NAME: COUNT kB` lines, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    let gibibytes = count as f64 / (1u64 << 30) as f64;
    if gibibytes >= 1.0 {
        format!("{gibibytes:.1} GiB")
    } else {
        format!("{:.0} MiB", gibibytes * 1024.0)
    }
}

/// A stretch of time for people.
pub fn duration(seconds: f64) -> String {
    let minutes = seconds / 60.0;
    if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else if minutes < 100.0 {
        format!("{minutes:.0} min")
    } else {
        format!("{:.1} h", minutes / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        for (count, expected) in [
            (0, "0 MiB"),
            (700 << 20, "700 MiB"),
            (1 << 30, "1.0 GiB"),
            (13 << 28, "3.2 GiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        for (seconds, expected) in [
            (0.4, "0 s"),
            (99.0, "99 s"),
            (600.0, "10 min"),
            (9000.0, "2.5 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(field("A: 1 kB\nB:   20 kB\n", "B:"), Some(20480));
        assert_eq!(field("B: twenty", "B:"), None);
    }

    #[test]
    fn linux_tells() {
        if cfg!(target_os = "linux") {
            assert!(resident().is_some_and(|bytes| bytes > 1 << 20));
            assert!(available().is_some());
        }
    }
}
