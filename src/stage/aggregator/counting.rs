//! What is counted, by all workers of an aggregator together.
//!
//! All workers count into one tally, each through a counter of its own. Not here: when windows
//! close.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::batch::{Record, Records};
use crate::error::{Error, ErrorKind, Result};
use crate::model::balance::Rejected;
use crate::model::{Balance, Loss, MemoryPolicy, Traces};
use crate::ops::count::{Buckets, Counter, count_numbers, count_pairs};
use crate::ops::progress::CountProgress;
use crate::spill::RunStore;
use crate::tally::aggregates::Layout;
use crate::tally::{Aggregates, Overflow, Tally};

use super::measuring::RunMeasures;

/// What is counted, and on disk, and how far.
pub struct Counting {
    /// How time is cut into buckets.
    pub(super) buckets: Buckets,
    /// What is counted. Workers count into it at the same time; whoever divides it holds it alone.
    pub(super) tally: RwLock<Tally>,
    /// What each worker counts with. Locked only while the tally is held.
    counters: Vec<Mutex<Counter>>,
    /// What happens to pairs for which there is no memory.
    pub(super) policy: MemoryPolicy,
    /// What was counted and is on disk.
    pub(super) store: Mutex<RunStore>,
    /// Connections that were counted without their pair.
    pub(super) overflowed: AtomicU64,
    /// Connections that were counted with their pair, but have none in a result: there was no memory
    /// to join the panes of its window. The most that any window had of them, since windows may have
    /// the same connections.
    unjoined: AtomicU64,
    /// The sheet that the run goes on from.
    pub before: Balance,
    /// How far the inputs are counted.
    pub progress: Arc<Mutex<CountProgress>>,
    /// The number of the next worker.
    next_worker: AtomicUsize,
    /// What is summed.
    pub measures: RunMeasures,
}

/// What comes of a window once it is viewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing more is counted into it.
    Closed,
    /// More may be counted while the view is read.
    Open,
    /// The tally is of no use any more.
    Nothing,
}

impl Counting {
    /// Goes on with what is in a tally, and the connections that are counted without their pair.
    pub fn new(
        buckets: Buckets,
        (tally, overflowed): (Tally, u64),
        workers: usize,
        policy: MemoryPolicy,
        progress: Arc<Mutex<CountProgress>>,
        measures: RunMeasures,
    ) -> Arc<Self> {
        let before = Balance { overflowed, ..progress.lock().balance().clone() };
        Arc::new(Counting {
            buckets,
            tally: RwLock::new(tally),
            counters: (0..workers).map(|_| Mutex::default()).collect(),
            policy,
            store: Mutex::default(),
            overflowed: AtomicU64::new(overflowed),
            unjoined: AtomicU64::new(0),
            before,
            progress,
            next_worker: AtomicUsize::new(0),
            measures,
        })
    }

    /// The number of the next worker.
    pub(super) fn worker(&self) -> usize {
        self.next_worker.fetch_add(1, Ordering::Relaxed)
    }

    /// The balance sheet so far, the first malformed lines, and what is known of other losses.
    pub fn sheet(&self) -> (Balance, Vec<Rejected>, Traces) {
        let progress = self.progress.lock();
        let balance = self.with_overflow(progress.balance().clone());
        (balance, progress.rejected().to_vec(), progress.traces().clone())
    }

    pub(super) fn with_overflow(&self, balance: Balance) -> Balance {
        let overflowed = self.overflowed.load(Ordering::Relaxed) + self.unjoined.load(Ordering::Relaxed);
        Balance { overflowed, ..balance }
    }

    /// Counts records of a batch.
    pub(super) fn count(&self, worker: usize, records: &[Record], batch: &Records) -> Result<()> {
        let (bytes, layout) = (batch.host_bytes(), self.measures.layout(batch));
        if !layout.is_empty() {
            self.measures.take(records, batch)?;
        }
        let (left, drained) = {
            let tally = self.tally.read();
            let counter = &mut self.counters[worker].lock();
            let left = count_numbers(records, (bytes, layout), &self.buckets, &tally, counter);
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
                    let connections = batch.numbers(layout, &records[*at as usize]).amount.connections;
                    tally.pane(tally.pane_of(bucket)).overflow(connections);
                }
                self.overflowed.fetch_add(left.len() as u64, Ordering::Relaxed);
                if let Some(first) = left.iter().min() {
                    let mut traces = Traces::default();
                    traces.note(Loss::Overflow, batch.place_of(&records[*first as usize]));
                    self.progress.lock().note(&traces);
                }
                Ok(())
            }
            MemoryPolicy::Error => Err(beyond_limit(&self.tally.read())),
            MemoryPolicy::Spill => self.spill_and_count(worker, (records, batch), left, drained),
        }
    }

    /// Counts the records that were left of a batch, and makes room for them on the way.
    fn spill_and_count(
        &self,
        worker: usize,
        (records, batch): (&[Record], &Records),
        mut left: Vec<u32>,
        mut drained: u64,
    ) -> Result<()> {
        let text = (batch.host_bytes(), self.measures.layout(batch));
        let mut again: Vec<Record> = records.to_vec();
        while !left.is_empty() {
            again = left.iter().map(|&at| again[at as usize]).collect();
            let mut tally = self.tally.write();
            // If another worker has made room meanwhile, that may be enough.
            let spilled = tally.drained() == drained;
            if spilled {
                self.spill(&mut tally)?;
            }
            drained = tally.drained();
            left = count_pairs(&again, text, &self.buckets, &tally, &mut self.counters[worker].lock());
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

    /// The view of a window, of which all is counted that there is.
    pub(super) fn view(&self, tally: &mut Tally, layout: &Layout, then: Then) -> Result<Aggregates> {
        let (first, end) = (tally.pane_of(layout.first_bucket), tally.pane_of(layout.end_bucket()));
        let before = if layout.previous { first - (end - first) } else { first };
        self.hand_over(end, tally);
        let is_stored = self.store.lock().holds(before..end);
        if !is_stored && let Some(view) = self.view_in_memory(tally, layout, then) {
            match self.policy {
                MemoryPolicy::Error if view.overflow().of_both() > 0 => return Err(beyond_limit(tally)),
                // Joined, panes may take more than they did before. The last view has nothing to
                // join.
                MemoryPolicy::Spill if view.overflow().of_both() > 0 && then != Then::Nothing => {}
                _ => {
                    self.unjoined.fetch_max(view.overflow().unjoined, Ordering::Relaxed);
                    return Ok(view);
                }
            }
        }
        self.spill(tally)?;
        let stored = self.store.lock().pairs(first..end, before..first);
        Ok(tally.view_of(layout, Overflow::default(), Box::new(stored)))
    }

    /// The view of a window of which all pairs are in memory; `None` if there is none to join them,
    /// and they may go to the disk.
    fn view_in_memory(&self, tally: &mut Tally, layout: &Layout, then: Then) -> Option<Aggregates> {
        let by_sums = match then {
            Then::Closed => tally.next_closed_view(layout),
            Then::Open => tally.next_view(layout),
            Then::Nothing => None,
        };
        if by_sums.is_some() {
            return by_sums;
        }
        let may_join = self.policy != MemoryPolicy::Spill || tally.budget().has(tally.bytes_to_join(layout));
        may_join.then(|| match then {
            Then::Closed => tally.view(layout),
            Then::Open => tally.open_view(layout),
            Then::Nothing => tally.last_view(layout),
        })
    }

    pub(super) fn forget_before(&self, tally: &mut Tally, bucket: i64) {
        tally.drop_before(bucket);
        self.store.lock().drop_before(tally.pane_of(bucket));
    }
}

fn beyond_limit(tally: &Tally) -> Error {
    ErrorKind::MemoryLimit { limit: tally.budget().limit().unwrap_or(usize::MAX) }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Timestamp, Window};
    use crate::tally::Budget;
    use crate::tally::Shape;

    fn counting(limit: usize) -> Arc<Counting> {
        let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::new(Budget::new(Some(limit))));
        let buckets = Buckets { anchor: Timestamp::from_seconds(0), grain: SECOND, last: i64::MAX };
        let progress = Arc::new(Mutex::new(CountProgress::new([], true)));
        Counting::new(buckets, (tally, 0), 0, MemoryPolicy::Spill, progress, RunMeasures::none())
    }

    #[test]
    fn e10_panes_that_do_not_fit_once_they_are_joined_go_to_the_disk() {
        let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(2));
        let layout = Layout { window, first_bucket: 0, buckets: 2, grain: SECOND, previous: false };
        for (pairs, room) in (1..30).flat_map(|tens| (10..30).map(move |room| (tens * 40, room))) {
            let counted = counting(usize::MAX / 2);
            let mut tally = counted.tally.write();
            (0..pairs).for_each(|pair: u64| tally.add((pair % 2) as i64, format!("{pair:08}").as_bytes(), b"to", 1));
            // As much is left as both panes take, or up to three times that.
            let limit = tally.budget().used() + tally.bytes_to_join(&layout) * room / 10;
            drop(tally);
            let counted = counting(limit);
            let mut tally = counted.tally.write();
            (0..pairs).for_each(|pair: u64| tally.add((pair % 2) as i64, format!("{pair:08}").as_bytes(), b"to", 1));
            let view = counted.view(&mut tally, &layout, Then::Closed).unwrap();
            let mut known = 0;
            view.for_each_pair(|pair| known += pair.connections).unwrap();
            assert_eq!(
                (known, view.overflow().of_both(), view.total()),
                (pairs, 0, pairs),
                "{pairs} pairs, {room} tenths"
            );
        }
    }
}
