//! What the server's process uses, as Linux tells it.

use super::error::LoadError;

/// Ticks a second of CPU times in `/proc`: `USER_HZ`, which is part of Linux's interface on x86-64 and arm64.
const TICKS_A_SEC: f64 = 100.0;

/// A process on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(u32);

/// What a process used up to now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// CPU time of all its threads, ended ones too.
    pub(super) cpu_secs: f64,
    /// What it holds in memory.
    pub(super) rss_bytes: u64,
}

impl Process {
    /// Looks whether a process can be watched.
    pub(super) fn find(pid: u32) -> Result<Self, LoadError> {
        let unusable = |problem: &str| LoadError::Process { pid, problem: problem.to_owned() };
        if !cfg!(target_os = "linux") {
            return Err(unusable("processes can be watched on Linux only: leave the flag out"));
        }
        let process = Self(pid);
        process.usage().map(|_| process).ok_or_else(|| {
            unusable("no such process on this machine: give the id of the server's, or leave the flag out")
        })
    }

    /// What it used up to now; `None` when it is gone.
    pub(super) fn usage(self) -> Option<Usage> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.0)).ok();
        Some(Usage { cpu_secs: cpu_secs(&read("stat")?)?, rss_bytes: rss_bytes(&read("status")?)? })
    }
}

/// User and system time of `/proc/PID/stat`; the process's name in it may hold anything, parentheses too.
fn cpu_secs(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) as f64 / TICKS_A_SEC)
}

/// `VmRSS` of `/proc/PID/status`.
fn rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::{Process, cpu_secs, rss_bytes};

    #[test]
    fn the_kernels_lines_are_read() {
        let stat =
            "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 9 0 0 0 1234 66 0 0 20 0 9 0 1 1000 200 18446744073709551615";
        assert_eq!(cpu_secs(stat), Some(13.0));
        assert_eq!(rss_bytes("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t   512 kB\n"), Some(524_288));
        assert_eq!((cpu_secs("4242 (x"), cpu_secs("4242 (x) S 1"), rss_bytes("Name:\tx\n")), (None, None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_found_and_one_that_cannot_be_is_not() {
        let usage = Process::find(std::process::id()).expect("it runs").usage().expect("it still runs");
        assert!(usage.rss_bytes > 0 && usage.cpu_secs >= 0.0);
        let problem = Process::find(u32::MAX).expect_err("no process has this id").to_string();
        assert!(problem.contains("--server-pid 4294967295") && problem.contains("leave the flag out"), "{problem}");
    }
}
