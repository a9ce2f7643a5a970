//! What the system may give to a worker process: the last net, below the limits of the engine.
//!
//! On systems other than Linux the address space is not limited.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::Limits;

/// Bytes of address space beside the engine's heap and the result: allocators take it in large pieces.
const ADDRESS_SLACK: u64 = 1 << 30;
/// Files that may be open: the three streams, the database, and what the runtime wants for itself.
const OPEN_FILES: u64 = 64;

/// Takes from this process what no query needs: writing to files, memory dumps, many open files, and address space
/// beyond the limits. A limit that is already lower stays as it is.
pub fn confine(limits: &Limits) {
    lower(Resource::Fsize, 0);
    lower(Resource::Core, 0);
    lower(Resource::Nofile, OPEN_FILES);
    if let Some(mapped) = address_space() {
        // While a result grows, its old and its new place exist together.
        let result = limits.result_bytes.saturating_mul(4);
        let wanted = limits
            .heap_bytes
            .saturating_add(result)
            .saturating_add(u64::from(limits.cell_bytes).saturating_mul(4))
            .saturating_add(ADDRESS_SLACK);
        lower(Resource::As, mapped.saturating_add(wanted));
    }
}

/// Allows the process so much more processor time and one second: where the parent that would kill it at the wall limit
/// is itself held up, the system does it.
pub fn allow_cpu(wall: Duration) {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let seconds = used.cast_unsigned().saturating_add(wall.as_secs() + 2);
    let maximum = getrlimit(Resource::Cpu).maximum;
    let limit = Rlimit {
        current: Some(least(maximum, seconds)),
        maximum,
    };
    // Without it the parent's clock still holds.
    let _ = setrlimit(Resource::Cpu, limit);
}

fn lower(resource: Resource, value: u64) {
    let now = getrlimit(resource);
    let limit = Rlimit {
        current: Some(least(now.current, value)),
        maximum: Some(least(now.maximum, value)),
    };
    // A process may always lower its limits.
    let _ = setrlimit(resource, limit);
}

/// The lower of a limit, which may be none, and a value.
fn least(limit: Option<u64>, value: u64) -> u64 {
    limit.map_or(value, |limit| limit.min(value))
}

/// Bytes this process has mapped by now.
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
