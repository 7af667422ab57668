//! The loop of every worker that has an inbox, and the stages that a worker runs one after the other.
//!
//! Not here: what a stage does with a batch (`Transform` says that), how stages of one worker are
//! put together (`chain`), and threads (`pool`). Invariant: a worker ends when its inbox closes or
//! it finds nothing more to send, a send or its work fails, or the run is aborted, and in no other
//! way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::channel::Received;
use super::edge::Inbox;
use super::outcome::Exit;
use super::outlet::{Chained, Outlet};
use super::panics;
use super::stage::Transform;

/// A stage's part of one worker: its work, and the way out, which may lead into the next stage of
/// the same worker.
pub(super) struct Link<T: Transform> {
    name: Arc<str>,
    /// Names the place for injected faults.
    point: &'static str,
    work: T,
    outlet: Outlet<T::Out>,
}

impl<T: Transform> Link<T> {
    /// A part of this stage.
    pub fn new(name: Arc<str>, point: &'static str, work: T, outlet: Outlet<T::Out>) -> Self {
        Link { name, point, work, outlet }
    }

    /// Works for the stage: a panic meanwhile is its own.
    fn at_work<R>(&mut self, work: impl FnOnce(&mut T, &mut Outlet<T::Out>) -> R) -> R {
        let before = panics::enter(Arc::clone(&self.name));
        let done = work(&mut self.work, &mut self.outlet);
        panics::leave(before);
        done
    }
}

impl<T: Transform> Chained<T::In> for Link<T> {
    fn receive(&mut self, batch: T::In) -> Result<(), Exit> {
        let point = self.point;
        self.at_work(|work, outlet| {
            // Without injection points, this name has no use.
            let _ = point;
            fail::fail_point!(point);
            work.receive(batch, outlet)
        })
    }

    fn patience(&self) -> Option<Duration> {
        self.work.patience().into_iter().chain(self.outlet.patience()).min()
    }

    fn waited(&mut self) -> Result<(), Exit> {
        self.at_work(|work, _| work.waited())?;
        self.outlet.waited()
    }

    fn finish(&mut self) -> Result<(), Exit> {
        self.at_work(|work, outlet| work.finish(outlet))?;
        self.outlet.finish()
    }
}

/// Tells which worker of a pool is the last to end.
#[derive(Clone)]
pub(super) struct Countdown(Arc<AtomicUsize>);

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

/// Runs a worker until its inbox closes; `head` is the first of its stages. By then, every batch has
/// passed all of them.
pub(super) fn drive<T: Transform>(mut head: Link<T>, inbox: &Inbox<T::In>, countdown: &Countdown) -> Result<(), Exit> {
    loop {
        match inbox.receive_within(head.patience()) {
            Received::Batch(batch) => head.receive(batch)?,
            Received::Nothing => head.waited()?,
            Received::End => break,
            Received::Rung => return Err(Exit::Stopped),
        }
    }
    if countdown.is_last() { head.finish() } else { Ok(()) }
}

/// Runs a worker that has no inbox: what it sends, it finds by itself, until there is no more. What
/// it waits for is its own business, so that stages behind it are never told that they have waited.
pub(super) fn lead<T: Clone>(
    mut outlet: Outlet<T>,
    work: impl FnOnce(&mut Outlet<T>) -> Result<(), Exit>,
    countdown: &Countdown,
) -> Result<(), Exit> {
    work(&mut outlet)?;
    if countdown.is_last() { outlet.finish() } else { Ok(()) }
}
