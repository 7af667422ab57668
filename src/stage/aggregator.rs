//! Bucket-aggregator: records to tallies, and tallies to the view of each window.
//!
//! All workers count into one tally, each through a counter of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::actor::{Exit, Outlet, Stop, Transform};
use crate::error::{Error, ErrorKind, Result};
use crate::model::balance::Rejected;
use crate::model::{Balance, Chunk, Gap, Issue, Loss, MemoryPolicy, Record, Records, Timestamp, Traces, Window};
use crate::ops::close::{Closer, Due, once_layout};
use crate::ops::count::{Buckets, Counter, count, count_pairs};
use crate::ops::progress::Progress;
use crate::spill::Store;
use crate::tally::aggregates::Layout;
use crate::tally::{Aggregates, Tally};

use super::live::Live;
use super::peek::Peek;
use super::standing::Standing;

/// A window that is complete.
#[derive(Debug)]
pub struct Closed {
    /// Its place in the run, from 0.
    pub sequence: u64,
    /// Whether it is one of many.
    pub periodic: bool,
    /// The windows that it stands for, if it stands for several, which hold nothing; the view is then that of the first.
    pub gap: Option<Gap>,
    /// Which result of the window it is, where there may be several.
    pub issue: Option<Issue>,
    /// What it holds.
    pub view: Aggregates,
    /// The balance sheet at this window.
    pub balance: Balance,
    /// Set once a reporter has written it. What is dropped without that, as an output failed or the run was aborted, is
    /// issued again by the next run.
    pub written: Arc<AtomicBool>,
}

/// What all workers of an aggregator share.
pub struct Shared {
    /// How time is cut into buckets.
    pub buckets: Buckets,
    /// What is counted. Workers count into it at the same time; who divides it holds it alone.
    pub tally: RwLock<Tally>,
    /// What each worker counts with. Held only by who holds the tally.
    pub counters: Vec<Mutex<Counter>>,
    /// What happens to pairs for which there is no memory.
    pub policy: MemoryPolicy,
    /// What was counted and is on disk.
    pub store: Mutex<Store>,
    /// Connections that were counted without their pair.
    pub overflowed: AtomicU64,
    /// The sheet that the run goes on from.
    pub before: Balance,
    /// Whether names and pairs are on their way to a saved state.
    pub saving: AtomicBool,
    /// How far the inputs are counted.
    pub progress: Arc<Mutex<Progress>>,
    /// The windows.
    pub closing: Closing,
    /// What it takes to look at a window before it is closed, if the run is watched.
    pub peek: Option<Peek>,
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
    /// By a keeper, as inputs are followed.
    Live(Box<Live>),
}

/// What comes of a window once it is viewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing more is counted into it.
    Closed,
    /// More may be, while the view is read.
    Open,
    /// The tally is of no use any more.
    Nothing,
}

impl Shared {
    /// The balance sheet so far, the first malformed lines, and what is known of other losses.
    pub fn sheet(&self) -> (Balance, Vec<Rejected>, Traces) {
        let progress = self.progress.lock();
        let balance = self.with_overflow(progress.balance().clone());
        (balance, progress.rejected().to_vec(), progress.traces().clone())
    }

    /// The longest time for which counting stood still for a state to be saved, or for names to be dropped.
    pub fn longest_stall(&self) -> Duration {
        match &self.closing {
            Closing::Live(live) => live.longest_stall(),
            Closing::Once(..) | Closing::Every(_) => Duration::ZERO,
        }
    }

    /// Where a run that follows stands, if it has no result of what was there.
    pub fn standing(&self) -> Option<Standing> {
        match &self.closing {
            Closing::Live(live) => *live.standing.lock(),
            Closing::Once(..) | Closing::Every(_) => None,
        }
    }

    pub(super) fn with_overflow(&self, balance: Balance) -> Balance {
        Balance { overflowed: self.overflowed.load(Ordering::Relaxed), ..balance }
    }

    /// Counts records of a chunk.
    pub(super) fn count(&self, worker: usize, records: &[Record], chunk: &Chunk) -> Result<()> {
        let bytes = &chunk.bytes;
        let (left, drained) = {
            let tally = self.tally.read();
            let left = count(records, bytes, &self.buckets, &tally, &mut self.counters[worker].lock());
            (left, tally.drained())
        };
        if left.is_empty() {
            return Ok(());
        }
        match self.policy {
            MemoryPolicy::Overflow => {
                let tally = self.tally.read();
                for at in &left {
                    let bucket = self.buckets.of(records[*at as usize].time);
                    tally.pane(tally.pane_of(bucket)).overflow(1);
                }
                self.overflowed.fetch_add(left.len() as u64, Ordering::Relaxed);
                if let Some(first) = left.iter().min() {
                    let mut traces = Traces::default();
                    traces.note(Loss::Overflow, chunk.place(records[*first as usize].from.0 as usize));
                    self.progress.lock().note(&traces);
                }
                Ok(())
            }
            MemoryPolicy::Error => Err(beyond_limit(&self.tally.read())),
            MemoryPolicy::Spill => self.spill_and_count(worker, records, bytes, left, drained),
        }
    }

    /// Counts the records that were left of a batch, and makes room for them on the way.
    fn spill_and_count(
        &self,
        worker: usize,
        records: &[Record],
        bytes: &[u8],
        mut left: Vec<u32>,
        mut drained: u64,
    ) -> Result<()> {
        let mut again: Vec<Record> = records.to_vec();
        while !left.is_empty() {
            again = left.iter().map(|&at| again[at as usize]).collect();
            let mut tally = self.tally.write();
            // If another worker has made room meanwhile, that may do.
            let spilled = tally.drained() == drained;
            if spilled {
                self.spill(&mut tally)?;
            }
            drained = tally.drained();
            left = count_pairs(&again, bytes, &self.buckets, &tally, &mut self.counters[worker].lock());
            if spilled && left.len() == again.len() {
                return Err(beyond_limit(&tally));
            }
        }
        Ok(())
    }

    /// Writes all pairs to disk, whoever has counted them, and starts anew.
    fn spill(&self, tally: &mut Tally) -> Result<()> {
        self.hand_over(i64::MAX, tally);
        let (names, panes) = tally.drain();
        self.store.lock().write(&names, panes)
    }

    /// Gathers what the workers have counted of the panes before this one.
    pub(super) fn hand_over(&self, pane: i64, tally: &mut Tally) {
        self.counters.iter().for_each(|counter| counter.lock().hand_over(pane, tally));
    }

    /// Closes every window that is due at the watermark, and sends its view; empty ones too, in long runs as one, unless
    /// the run drains.
    fn close_due(&self, closer: &Mutex<Closer>, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let mut closer = closer.lock();
        // Dropped before the lock: no other worker closes a window that a panic has left half closed.
        let _abort = self.stop.abort_on_panic();
        loop {
            let (watermark, extent) = {
                let progress = self.progress.lock();
                (progress.watermark(), progress.extent())
            };
            let Some(first) = closer.due(watermark, extent) else { return Ok(()) };
            let closed = {
                let mut tally = self.tally.write();
                self.hand_over(i64::MIN, &mut tally);
                // Whoever interrupts a run does not wait for windows without end that hold nothing.
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
                let balance = self.with_overflow(self.progress.lock().balance_at(window.end));
                let view = self.view(&mut tally, &closer.layout(first), Then::Closed)?;
                let (sequence, needed) = closer.close(window, gap.map_or(1, |gap| gap.windows));
                self.forget_before(&mut tally, needed);
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

    /// Drops what is of no use as these windows are sure to have one result, with more behind them that are not due yet.
    pub(super) fn pass_over(&self, closer: &Closer, sure: Option<Gap>, tally: &mut Tally) {
        let Some(Gap { window, .. }) = sure else { return };
        self.progress.lock().balance_at(window.end);
        self.forget_before(tally, closer.first_needed(closer.number(window).saturating_add(1)));
    }

    /// The view of a window, of which all is counted that there is.
    pub(super) fn view(&self, tally: &mut Tally, layout: &Layout, then: Then) -> Result<Aggregates> {
        let (first, end) = (tally.pane_of(layout.first_bucket), tally.pane_of(layout.end_bucket()));
        let before = if layout.previous { first - (end - first) } else { first };
        self.hand_over(end, tally);
        let is_stored = self.store.lock().holds(before..end);
        let to_join = tally.bytes_to_join(layout);
        if !is_stored && (self.policy != MemoryPolicy::Spill || tally.budget().has(to_join)) {
            let view = match then {
                Then::Closed => tally.view(layout),
                Then::Open => tally.open_view(layout),
                Then::Nothing => tally.last_view(layout),
            };
            match self.policy {
                MemoryPolicy::Error if view.overflow() > 0 => return Err(beyond_limit(tally)),
                // Joined, panes may take more than they did before. The last view has nothing to join.
                MemoryPolicy::Spill if view.overflow() > 0 && then != Then::Nothing => {}
                _ => return Ok(view),
            }
        }
        self.spill(tally)?;
        let stored = self.store.lock().pairs(first..end, before..first);
        Ok(tally.view_of(layout, 0, Box::new(stored)))
    }

    pub(super) fn forget_before(&self, tally: &mut Tally, bucket: i64) {
        tally.drop_before(bucket);
        self.store.lock().drop_before(tally.pane_of(bucket));
    }

    fn close_once(&self, window: Window, previous: bool) -> Result<Arc<Closed>> {
        let mut tally = self.tally.write();
        let layout = once_layout(window, &self.buckets, previous);
        // Who peeks needs the names even if this fails.
        let then = if self.peek.is_some() { Then::Closed } else { Then::Nothing };
        let view = self.view(&mut tally, &layout, then)?;
        let balance = self.with_overflow(self.progress.lock().balance().clone());
        let (gap, issue, written) = (None, None, Arc::default());
        let closed = Arc::new(Closed { sequence: 0, periodic: false, gap, issue, view, balance, written });
        self.peek.iter().for_each(|peek| peek.keep(&closed));
        Ok(closed)
    }
}

fn beyond_limit(tally: &Tally) -> Error {
    ErrorKind::MemoryLimit { limit: tally.budget().limit().unwrap_or(usize::MAX) }.into()
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
        if let Closing::Live(live) = &shared.closing {
            return Ok(live.receive(shared, self.worker, batch)?);
        }
        shared.count(self.worker, &batch.records, &batch.chunk)?;
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
            Closing::Once(window, previous) => outlet.send(self.shared.close_once(*window, *previous)?),
            Closing::Every(closer) => self.shared.close_due(closer, outlet),
            Closing::Live(live) => {
                live.done(|stages| stages.drained = true);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::tally::Budget;
    use crate::tally::Shape;

    fn shared(limit: usize) -> Shared {
        let shape = Shape { pane: 1, shards: 1 };
        let second = Timestamp::from_seconds(1);
        Shared {
            buckets: Buckets { anchor: Timestamp::from_seconds(0), grain: SECOND, last: i64::MAX },
            tally: RwLock::new(Tally::new(shape, Arc::new(Budget::new(Some(limit))))),
            counters: Vec::new(),
            policy: MemoryPolicy::Spill,
            store: Mutex::default(),
            overflowed: AtomicU64::new(0),
            before: Balance::default(),
            saving: AtomicBool::new(false),
            progress: Arc::new(Mutex::new(Progress::new([], true))),
            closing: Closing::Once(Window::closed(second, second), false),
            peek: None,
            stop: Stop::default(),
            next_worker: AtomicUsize::new(0),
        }
    }

    #[test]
    fn e10_panes_that_do_not_fit_once_they_are_joined_go_to_the_disk() {
        let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(2));
        let layout = Layout { window, first_bucket: 0, buckets: 2, grain: SECOND, previous: false };
        for (pairs, room) in (1..30).flat_map(|tens| (10..30).map(move |room| (tens * 40, room))) {
            let shared = shared(usize::MAX / 2);
            let mut tally = shared.tally.write();
            (0..pairs).for_each(|pair: u64| tally.add((pair % 2) as i64, format!("{pair:08}").as_bytes(), b"to", 1));
            // As much is left as both panes take, or up to three times that.
            let limit = tally.budget().used() + tally.bytes_to_join(&layout) * room / 10;
            drop(tally);
            let shared = self::shared(limit);
            let mut tally = shared.tally.write();
            (0..pairs).for_each(|pair: u64| tally.add((pair % 2) as i64, format!("{pair:08}").as_bytes(), b"to", 1));
            let view = shared.view(&mut tally, &layout, Then::Closed).unwrap();
            let mut known = 0;
            view.for_each_pair(|pair| known += pair.connections).unwrap();
            assert_eq!((known, view.overflow(), view.total()), (pairs, 0, pairs), "{pairs} pairs, {room} tenths");
        }
    }
}
