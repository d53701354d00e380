//! What Linux knows about a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Returns for how long the threads of a process have run, to the nanosecond.
///
/// The ticks of `/proc/PID/stat` are a hundred times coarser than what is measured here.
pub(super) fn run_time(pid: u32) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("the run time of threads needs Linux")?;
    let mut nanoseconds = 0;
    for task in tasks {
        let path = task?.path().join("schedstat");
        let line = fs::read_to_string(&path)?;
        let running: Option<u64> = line.split_ascii_whitespace().next().and_then(|field| field.parse().ok());
        nanoseconds += running.with_context(|| format!("{} is of another form", path.display()))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Returns how much memory a process holds, in megabytes of 10^6 bytes.
pub(super) fn resident_megabytes(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<f64> = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    Ok(kibibytes.context("the process has no VmRSS")? * 1024.0 / 1e6)
}
