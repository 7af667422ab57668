//! Ctrl-Z: the process stops as a job of its shell, and goes on when the shell says so.
//!
//! Invariant: it stops only where somebody can have it go on: within a session in which a shell controls jobs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, getpgid, getpgrp, getppid, getsid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGSTOP, SIGTSTP};
use signal_hook::{flag, low_level};

/// Signals that stop the process and have it go on.
pub struct Job {
    stop: Arc<AtomicBool>,
    went_on: Arc<AtomicBool>,
}

impl Job {
    /// Watches for both.
    pub fn watch() -> io::Result<Self> {
        let job = Job { stop: Arc::default(), went_on: Arc::default() };
        flag::register(SIGTSTP, Arc::clone(&job.stop))?;
        flag::register(SIGCONT, Arc::clone(&job.went_on))?;
        Ok(job)
    }

    /// Whether it was asked to stop by a signal since the last call.
    pub fn is_asked(&self) -> bool {
        self.stop.swap(false, Ordering::Relaxed)
    }

    /// Whether it went on since the last call, however it had been stopped.
    pub fn went_on(&self) -> bool {
        self.went_on.swap(false, Ordering::Relaxed)
    }

    /// Stops, with all of the job, until it is continued. To be called with the terminal given back.
    pub fn stop(&self) -> io::Result<()> {
        // The others of a pipe, as the terminal itself would tell them.
        kill_current_process_group(Signal::TSTP)?;
        low_level::raise(SIGSTOP)?;
        self.stop.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether a shell controls this job: some process that it descends from is of the same session and of another group
/// (POSIX, 3.264: the group is not orphaned).
pub fn is_controlled() -> bool {
    let session = getsid(None).ok();
    let mut ancestor = getppid();
    while let Some(process) = ancestor {
        if getsid(Some(process)).ok() != session {
            return false;
        }
        if getpgid(Some(process)).ok() != Some(getpgrp()) {
            return true;
        }
        ancestor = parent(process);
    }
    false
}

fn parent(process: Pid) -> Option<Pid> {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    // The name before it, in brackets, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    Pid::from_raw(rest.split_ascii_whitespace().nth(1)?.parse().ok()?)
}
