//! Ctrl-Z: the process stops as a job of its shell, and goes on when the shell says so.
//!
//! Invariant: it stops only where somebody can make it go on: within a session in which a shell
//! controls jobs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGSTOP, SIGTSTP};
use signal_hook::{flag, low_level};

/// Signals that stop the process and let it go on.
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

    /// Stops, with all of the job, until it is continued. To be called with the terminal given
    /// back.
    pub fn stop(&self) -> io::Result<()> {
        // The signal goes to the whole pipe, as the terminal itself would send it.
        kill_current_process_group(Signal::TSTP)?;
        low_level::raise(SIGSTOP)?;
        self.stop.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether a shell controls this job: some process that it descends from is of the same session and
/// of another group (POSIX, 3.264: the group is not orphaned).
pub fn is_controlled() -> bool {
    let Some(own) = place("self") else { return false };
    let mut parent = own.parent;
    while let Some(ancestor) = place(&parent.to_string()) {
        if ancestor.session != own.session {
            return false;
        }
        if ancestor.group != own.group {
            return true;
        }
        parent = ancestor.parent;
    }
    false
}

/// The numbers of a process: its parent, group and session, or 0 for one that is outside the
/// container.
struct ProcessPlace {
    parent: u32,
    group: u32,
    session: u32,
}

/// Not by system calls, where the library takes a 0 for a bug.
fn place(process: &str) -> Option<ProcessPlace> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it, in brackets, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut numbers = rest.split_ascii_whitespace().skip(1).map_while(|number| number.parse().ok());
    Some(ProcessPlace { parent: numbers.next()?, group: numbers.next()?, session: numbers.next()? })
}
