//! Windows that repeat, of inputs that end: each closes when the watermark has passed its end.

use std::sync::Arc;

use parking_lot::Mutex;

use super::closed::Closed;
use super::counting::{Counting, Then};
use super::peek::Peek;
use crate::actor::{Exit, Outlet, Stop, Transform};
use crate::batch::Records;
use crate::error::Result;
use crate::model::{Gap, Timestamp};
use crate::ops::close::{Closer, Due};
use crate::tally::Tally;

/// The windows, and what is counted into them.
pub struct Every {
    counting: Arc<Counting>,
    /// The lock also keeps results in order on their way out.
    closer: Mutex<Closer>,
    peek: Option<Arc<Peek>>,
    stop: Stop,
}

impl Every {
    /// For the windows of a closer.
    pub fn new(counting: Arc<Counting>, closer: Closer, peek: Option<Arc<Peek>>, stop: Stop) -> Arc<Self> {
        Arc::new(Every { counting, closer: Mutex::new(closer), peek, stop })
    }

    /// Closes every window that is due at the watermark, and sends its view; empty ones too, in
    /// long runs as one, unless the run drains.
    fn close_due(&self, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let counting = &self.counting;
        let mut closer = self.closer.lock();
        // Dropped before the lock: no other worker closes a window that a panic has left half
        // closed.
        let _abort = self.stop.abort_on_panic();
        loop {
            let (watermark, extent) = {
                let progress = counting.progress.lock();
                (progress.watermark(), progress.extent())
            };
            let Some(first) = closer.due(watermark, extent) else { return Ok(()) };
            let closed = {
                let mut tally = counting.tally.write();
                counting.hand_over(i64::MIN, &mut tally);
                // After an interrupt, nobody waits for an endless run of windows that hold nothing.
                if self.stop.draining() && closer.skip_empty(first, &tally) {
                    continue;
                }
                let (window, gap) = match closer.decide(first, watermark, extent, &tally) {
                    Due::Window(window) => (window, None),
                    Due::Gap(gap) => (gap.window, Some(gap)),
                    Due::Wait(sure) => {
                        self.pass_over(&closer, sure, &mut tally);
                        return Ok(());
                    }
                };
                let view = counting.view(&mut tally, &closer.layout(first), Then::Closed)?;
                let balance = counting.with_overflow(counting.progress.lock().balance_at(window.end));
                let (sequence, needed) = closer.close(window, gap.map_or(1, |gap| gap.windows));
                counting.forget_before(&mut tally, needed);
                if tally.needs_sweep() {
                    tally.sweep();
                }
                let (periodic, written) = (true, Arc::default());
                let closed = Arc::new(Closed { sequence, periodic, gap, issue: None, view, balance, written });
                if watermark == Timestamp::MAX {
                    self.peek.iter().for_each(|peek| peek.keep(&closed));
                }
                closed
            };
            outlet.send(closed)?;
        }
    }

    /// Drops what is of no use as these windows are sure to have one result, with more behind them
    /// that are not due yet.
    fn pass_over(&self, closer: &Closer, sure: Option<Gap>, tally: &mut Tally) {
        let Some(Gap { window, .. }) = sure else { return };
        self.counting.progress.lock().balance_at(window.end);
        self.counting.forget_before(tally, closer.first_needed(closer.number(window).saturating_add(1)));
    }
}

/// One worker.
pub struct EveryWorker {
    every: Arc<Every>,
    number: usize,
    /// The watermark at which this worker last looked for windows to close.
    seen: Timestamp,
}

impl EveryWorker {
    /// The next worker.
    pub fn new(every: Arc<Every>) -> Self {
        let number = every.counting.worker();
        EveryWorker { every, number, seen: Timestamp::MIN }
    }
}

impl Transform for EveryWorker {
    type In = Arc<Records>;
    type Out = Arc<Closed>;

    fn receive(&mut self, batch: Arc<Records>, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let counting = &self.every.counting;
        counting.count(self.number, &batch.records, &batch)?;
        let watermark = {
            let mut progress = counting.progress.lock();
            progress.applied(&batch)?;
            progress.watermark()
        };
        if watermark <= self.seen {
            return Ok(());
        }
        self.seen = watermark;
        self.every.close_due(outlet)
    }

    fn finish(&mut self, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        self.every.close_due(outlet)
    }
}
