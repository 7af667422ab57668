//! The workers of a run: started one by one, and waited for together.
//!
//! Not here: what workers do (`worker`). Invariant: a worker that fails or panics aborts the run;
//! `join` returns even if a worker is stuck in a system call.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::outcome::{Exit, Outcome};
use super::panics;
use super::stop::Stop;
use crate::error::{Error, ErrorKind};

/// How long the workers of an aborted run are waited for. What still runs then ends with the
/// process.
const GRACE: Duration = Duration::from_secs(1);

/// The running workers of all stages, in one list.
pub struct Pool {
    stop: Stop,
    running: usize,
    report: Sender<Outcome>,
    /// Locked by `join` alone, so that others may look at a run.
    reports: Mutex<Receiver<Outcome>>,
}

impl Pool {
    /// No workers yet.
    pub fn new(stop: Stop) -> Self {
        panics::hook();
        let (report, reports) = channel();
        Pool { stop, running: 0, report, reports: Mutex::new(reports) }
    }

    /// Starts a worker of `stage`. Errors if the system refuses a thread; the run is then aborted.
    pub fn spawn(
        &mut self,
        stage: &str,
        worker: impl FnOnce() -> Result<(), Exit> + Send + 'static,
    ) -> Result<(), Error> {
        let (report, stop, name) = (self.report.clone(), self.stop.clone(), Arc::from(stage));
        let body = move || {
            panics::enter(name);
            let outcome = match panic::catch_unwind(AssertUnwindSafe(worker)) {
                Ok(result) => Outcome::returned(result),
                Err(payload) => panics::outcome(&*payload),
            };
            if outcome.aborts() {
                stop.abort();
            }
            // Fails only if `join` has given up on this worker.
            let _ = report.send(outcome);
        };
        match thread::Builder::new().name(stage.to_owned()).spawn(body) {
            Ok(_) => self.running += 1,
            Err(source) => {
                self.stop.abort();
                let action = format!("cannot start a thread for stage '{stage}' (use fewer --threads)");
                return Err(ErrorKind::System { action, source }.into());
            }
        }
        Ok(())
    }

    /// Waits for all workers and folds their outcomes into one.
    pub fn join(self) -> Outcome {
        let mut folded = Outcome::Done;
        let mut deadline = None;
        for _ in 0..self.running {
            // A worker that is still stuck has been stopped, not done.
            let Some(outcome) = self.next(&mut deadline) else { return folded.and(Outcome::Stopped) };
            folded = folded.and(outcome);
        }
        folded
    }

    /// The next worker's outcome; `None` when the grace after an abort is over.
    fn next(&self, deadline: &mut Option<Instant>) -> Option<Outcome> {
        loop {
            if self.stop.aborted() && deadline.is_none() {
                *deadline = Some(Instant::now() + GRACE);
            }
            let wait = deadline.map_or(GRACE, |end| end.saturating_duration_since(Instant::now()));
            match self.reports.lock().recv_timeout(wait) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) if deadline.is_some_and(|end| Instant::now() >= end) => return None,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_a_panic_ends_the_run_and_says_where() {
        let stop = Stop::default();
        let mut pool = Pool::new(stop.clone());
        let (_port, inbox) = super::super::edge::<u8>(std::num::NonZeroUsize::MIN, &stop);
        pool.spawn("waiting", move || inbox.receive().map(|_| ())).unwrap();
        pool.spawn("broken", || panic!("oh {}", "dear")).unwrap();
        let Outcome::Panicked(error) = pool.join() else { panic!("not panicked") };
        let text = error.to_string();
        assert!(text.contains("stage 'broken' panicked: oh dear (at src/actor/pool.rs:"), "{text}");
    }

    #[test]
    fn an_abort_that_leaves_a_worker_stuck_is_no_success() {
        let stop = Stop::default();
        let mut pool = Pool::new(stop.clone());
        pool.spawn("done", || Ok(())).unwrap();
        pool.spawn("stuck", || {
            thread::sleep(Duration::from_secs(3600));
            Ok(())
        })
        .unwrap();
        stop.abort();
        assert!(matches!(pool.join(), Outcome::Stopped));
    }

    #[test]
    fn f5_a_stuck_worker_does_not_hang_an_aborted_run() {
        let mut pool = Pool::new(Stop::default());
        pool.spawn("stuck", || {
            thread::sleep(Duration::from_secs(3600));
            Ok(())
        })
        .unwrap();
        pool.spawn("failed", || Err(Exit::Failed(Error::usage("no")))).unwrap();
        let started = Instant::now();
        assert!(matches!(pool.join(), Outcome::Failed(_)));
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
