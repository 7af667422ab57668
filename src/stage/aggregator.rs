//! Bucket-aggregator: records to tallies, and tallies to the view of each window.
//!
//! Each worker counts into a tally of its own; they meet only when a window closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::actor::{Exit, Outlet, Stop, Transform};
use crate::model::balance::Rejected;
use crate::model::{Aggregates, Balance, Records, Tally, Timestamp, Window};
use crate::ops::close::{Closer, once_layout};
use crate::ops::count::{Buckets, count};
use crate::ops::progress::Progress;

/// A window that is complete.
#[derive(Debug)]
pub struct Closed {
    /// Its place in the run, from 0.
    pub sequence: u64,
    /// Whether it is one of many.
    pub periodic: bool,
    /// What it holds.
    pub view: Aggregates,
    /// The balance sheet at this window.
    pub balance: Balance,
}

/// What all workers of an aggregator share.
pub struct Shared {
    /// How time is cut into buckets.
    pub buckets: Buckets,
    /// One tally for each worker.
    pub tallies: Vec<Mutex<Tally>>,
    /// How far the inputs are counted.
    pub progress: Mutex<Progress>,
    /// The windows.
    pub closing: Closing,
    /// The run's stop switch.
    pub stop: Stop,
    /// The number of the next worker.
    pub next_worker: AtomicUsize,
}

/// How windows close.
pub enum Closing {
    /// One window, when the input ends; and whether the window before it is kept.
    Once(Window, bool),
    /// When the watermark passes their end. The lock also keeps results in order on their way out.
    Every(Box<Mutex<Closer>>),
}

impl Shared {
    /// The balance sheet so far and the first malformed lines.
    pub fn sheet(&self) -> (Balance, Vec<Rejected>) {
        let progress = self.progress.lock();
        (progress.balance().clone(), progress.rejected().to_vec())
    }

    /// Closes every window that is due at the watermark, and sends its view; empty ones too, unless the run drains.
    fn close_due(&self, closer: &Mutex<Closer>, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let mut closer = closer.lock();
        // Dropped before the lock: no other worker closes a window that a panic has left half merged.
        let _abort = self.stop.abort_on_panic();
        loop {
            let (window, balance) = {
                let mut progress = self.progress.lock();
                let Some(window) = closer.due(progress.watermark(), progress.extent()) else { return Ok(()) };
                (window, progress.balance_at(window.end))
            };
            // Whoever interrupts a run does not wait for windows without end that hold nothing.
            if self.stop.draining() {
                let counted = |from| self.tallies.iter().filter_map(|tally| tally.lock().first_from(from)).min();
                if closer.skip_empty(window, counted) {
                    continue;
                }
            }
            let end = closer.end_bucket(window);
            for tally in &self.tallies {
                let part = tally.lock().split_before(end);
                closer.add(&part);
            }
            let (sequence, view) = closer.close(window);
            outlet.send(Arc::new(Closed { sequence, periodic: true, view, balance }))?;
        }
    }

    fn close_once(&self, window: Window, previous: bool) -> Closed {
        let tallies: Vec<Tally> = self.tallies.iter().map(|tally| std::mem::take(&mut *tally.lock())).collect();
        let parts: Vec<&Tally> = tallies.iter().collect();
        let view = Aggregates::new(&once_layout(window, &self.buckets, previous), &parts);
        Closed { sequence: 0, periodic: false, view, balance: self.progress.lock().balance().clone() }
    }
}

/// One worker.
pub struct Aggregator {
    shared: Arc<Shared>,
    worker: usize,
    /// The watermark at which this worker last looked for windows to close.
    seen: Timestamp,
}

impl Aggregator {
    /// The next worker.
    pub fn new(shared: Arc<Shared>) -> Self {
        let worker = shared.next_worker.fetch_add(1, Ordering::Relaxed);
        Aggregator { shared, worker, seen: Timestamp::MIN }
    }
}

impl Transform for Aggregator {
    type In = Arc<Records>;
    type Out = Arc<Closed>;

    fn receive(&mut self, batch: Arc<Records>, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let shared = &self.shared;
        count(&batch.records, &batch.chunk.bytes, &shared.buckets, &mut shared.tallies[self.worker].lock());
        let watermark = {
            let mut progress = shared.progress.lock();
            progress.applied(&batch)?;
            progress.watermark()
        };
        match &shared.closing {
            Closing::Every(closer) if watermark > self.seen => {
                self.seen = watermark;
                shared.close_due(closer, outlet)
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        match &self.shared.closing {
            Closing::Once(window, previous) => outlet.send(Arc::new(self.shared.close_once(*window, *previous))),
            Closing::Every(closer) => self.shared.close_due(closer, outlet),
        }
    }
}
