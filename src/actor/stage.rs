//! The loop of every worker that has an inbox.
//!
//! Not here: what a stage does with a batch (`Transform` says that), and threads (`pool`).
//! Invariant: a worker ends when its inbox closes, a send or its work fails, or the run is aborted,
//! and in no other way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::channel::Received;
use super::edge::{Inbox, Outlet};
use super::outcome::Exit;

/// What a stage does with its batches. Each worker has its own.
pub trait Transform: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// What goes out, to every stage downstream.
    type Out: Clone + Send + 'static;

    /// Works on one batch. `drive` calls it for each batch that this worker takes.
    fn receive(&mut self, batch: Self::In, outlet: &mut Outlet<Self::Out>) -> Result<(), Exit>;

    /// How long to wait for a batch before `waited` is called; without end if it is `None`.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Called whenever no batch has come for that long.
    fn waited(&mut self) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once, in the last worker of the pool, when no batch will come to any of them.
    fn finish(&mut self, _outlet: &mut Outlet<Self::Out>) -> Result<(), Exit> {
        Ok(())
    }
}

/// Tells which worker of a pool is the last to end.
#[derive(Clone)]
pub struct Countdown(Arc<AtomicUsize>);

impl Countdown {
    /// For a pool of `workers`.
    pub fn new(workers: usize) -> Self {
        Countdown(Arc::new(AtomicUsize::new(workers)))
    }

    /// Whether the caller is the last. Everything that the others did before their call happened
    /// before its return.
    fn is_last(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// Runs a worker until its inbox closes. `point` names the place for injected faults.
pub fn drive<T: Transform>(
    mut worker: T,
    point: &'static str,
    inbox: &Inbox<T::In>,
    mut outlet: Outlet<T::Out>,
    countdown: &Countdown,
) -> Result<(), Exit> {
    // Without injection points, this name has no use.
    let _ = point;
    loop {
        match inbox.receive_within(worker.patience()) {
            Received::Batch(batch) => {
                fail::fail_point!(point);
                worker.receive(batch, &mut outlet)?;
            }
            Received::Nothing => worker.waited()?,
            Received::End => break,
            Received::Rung => return Err(Exit::Stopped),
        }
    }
    if countdown.is_last() { worker.finish(&mut outlet) } else { Ok(()) }
}
