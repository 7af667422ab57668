//! Beside the bucket-aggregator: what it has in addition where inputs are followed.
//!
//! Workers count, a keeper issues results (`keeper`), a saver saves (`saver`). Invariant: who holds the gate alone sees
//! counts and positions that agree: each input is counted up to its position and not beyond.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model::{Grid, Peaks, Record, Records, Timestamp};
use crate::ops::close::Closer;
use crate::ops::sequence::{Place, Sequencer};
use crate::output::rejects::{RejectsFile, late_line};

use super::aggregator::{Closed, Shared};

/// When results come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// When the watermark has passed a window's end.
    Event,
    /// When the clock has passed it.
    Clock,
}

/// What workers, keeper and saver of an aggregator share.
pub struct Live {
    /// Held by each worker while it counts a batch, and alone by who needs counts and positions to agree.
    pub(super) gate: RwLock<()>,
    /// Batches reach the tally in the order of their input, so that there is nothing beyond a position.
    order: Mutex<Sequencer<Arc<Records>>>,
    /// The windows and what was issued of them.
    pub(super) windows: Mutex<Windows>,
    grid: Grid,
    /// When results come.
    pub trigger: Trigger,
    /// How long results are kept to be issued again, in nanoseconds.
    pub grace: i64,
    /// Where lines go that come too late for their windows.
    pub late: Option<Arc<RejectsFile>>,
    limits: RwLock<Limits>,
    /// Set when a record is counted into a window whose result was issued.
    pub(super) changed: AtomicBool,
    /// Batches that are half counted. Above 0 with nobody at work, a worker has failed in the middle.
    counting: AtomicUsize,
    stages: Mutex<Stages>,
    moved: Condvar,
    /// Whether the keeper waits for a batch to be counted, and has to be told.
    dozes: AtomicBool,
    /// The longest time for which counting stood still to set aside what is saved, or to drop names, in nanoseconds.
    stalled: AtomicU64,
}

/// Which parts of the stage are done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stages {
    /// All batches are counted, and no more will come.
    pub drained: bool,
    /// All results are issued.
    pub issued: bool,
    /// The last state is saved, or never will be.
    pub saved: bool,
}

/// What stamps mean for records that come behind others.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// All windows that hold a stamp below it have closed for good.
    floor: Timestamp,
    /// A window that holds a stamp below it was closed.
    closed: Timestamp,
}

/// The windows of an aggregator that follows, and what was issued of them.
pub struct Windows {
    pub(super) closer: Closer,
    /// The number of the first window; results are numbered from it.
    pub(super) first: Option<i64>,
    /// What was issued of windows that may be issued again.
    pub(super) issued: BTreeMap<i64, Issued>,
    /// Runs of windows that were issued as one, and hold nothing: the first and the last of each. In order, as long as
    /// their windows may be issued by themselves.
    pub(super) gaps: Vec<(i64, i64)>,
    /// Results that were issued and are not written yet.
    pub(super) outstanding: Vec<Outstanding>,
    /// Windows whose results have to be issued again, since they may not have been written: the first and the last of
    /// each result.
    pub(super) again: Vec<(i64, i64)>,
}

/// A result on its way to the outputs.
pub(super) struct Outstanding {
    /// Its windows, the first and the last: one, or a run of them that hold nothing.
    pub k: (i64, i64),
    /// There while any reporter has it in hand.
    pub closed: Weak<Closed>,
    /// Whether any reporter has written it.
    pub written: Arc<AtomicBool>,
}

impl Outstanding {
    fn is_under_way(&self) -> bool {
        self.closed.strong_count() > 0
    }
}

/// What was issued of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// How often, from 0.
    pub revision: u32,
    /// With how many connections.
    pub connections: u64,
}

/// The windows as they are saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedWindows {
    first: Option<i64>,
    next: Option<i64>,
    issued: Vec<(i64, Issued)>,
    gaps: Vec<(i64, i64)>,
    again: Vec<(i64, i64)>,
}

impl SavedWindows {
    /// The next window to close, once a record is known.
    pub fn next(&self) -> Option<i64> {
        self.next
    }

    /// What was issued of windows that may be issued again, by window.
    pub fn issued(&self) -> &[(i64, Issued)] {
        &self.issued
    }

    /// The first and the last window of each result that comes once more, since it may not have been written.
    pub fn again(&self) -> &[(i64, i64)] {
        &self.again
    }
}

impl Windows {
    /// Windows as a closer gives them; saved ones go on.
    pub fn new(closer: Closer, saved: Option<SavedWindows>) -> Self {
        let fresh = SavedWindows { first: closer.grid().first, ..SavedWindows::default() };
        let SavedWindows { first, next, issued, gaps, again } = saved.unwrap_or(fresh);
        Windows {
            closer: closer.resumed(next),
            first,
            issued: issued.into_iter().collect(),
            gaps,
            outstanding: Vec::new(),
            again,
        }
    }

    /// What there is to save.
    pub fn saved(&mut self) -> SavedWindows {
        self.forget_written();
        let mut again: Vec<(i64, i64)> =
            self.outstanding.iter().map(|result| result.k).chain(self.again.iter().copied()).collect();
        again.sort_unstable();
        again.dedup();
        let issued = self.issued.iter().map(|(&k, &issued)| (k, issued));
        // What was not written for certain has not been issued: it comes again under the same number.
        let issued = issued.filter_map(|(k, issued)| match (again.contains(&(k, k)), issued.revision.checked_sub(1)) {
            (false, _) => Some((k, issued)),
            (true, Some(revision)) => Some((k, Issued { revision, ..issued })),
            (true, None) => None,
        });
        let issued = issued.collect();
        SavedWindows { first: self.first, next: self.closer.next(), issued, gaps: self.gaps.clone(), again }
    }

    /// The lowest window that is still of use, once any is known.
    pub(super) fn lowest(&mut self) -> Option<i64> {
        self.forget_written();
        let under_way = self.outstanding.iter().map(|result| &result.k).chain(&self.again).map(|(first, _)| *first);
        self.open().chain(under_way).min()
    }

    /// The windows that may be issued, or issued again: the first of each run.
    fn open(&self) -> impl Iterator<Item = i64> {
        self.oldest_issued().into_iter().chain(self.closer.next())
    }

    /// The revision under which window `k` is issued next.
    pub(super) fn next_revision(&self, k: i64) -> u32 {
        // As one of many that hold nothing it was issued, too.
        let in_gap = || self.gaps.iter().any(|&(first, last)| (first..=last).contains(&k));
        self.issued.get(&k).map_or_else(|| u32::from(in_gap()), |issued| issued.revision + 1)
    }

    /// The first window that was issued and may be again.
    pub(super) fn oldest_issued(&self) -> Option<i64> {
        let issued = self.issued.first_key_value().map(|(&k, _)| k);
        issued.into_iter().chain(self.gaps.first().map(|(first, _)| *first)).min()
    }

    /// Forgets what was issued of windows before `k`.
    pub(super) fn expire(&mut self, k: i64) {
        self.issued = self.issued.split_off(&k);
        self.gaps.retain(|&(_, last)| last >= k);
        if let Some((first, _)) = self.gaps.first_mut() {
            *first = k.max(*first);
        }
    }

    /// The runs of buckets that are still of use, each from its first to before its end: those of results on their way,
    /// and all from the first window on that may be issued. An output that takes nothing keeps no others.
    pub(super) fn kept(&self) -> Vec<(i64, i64)> {
        let closer = &self.closer;
        let Some(next) = closer.next() else { return vec![(i64::MIN, i64::MAX)] };
        let first = self.open().min().unwrap_or(next);
        let under_way = self.outstanding.iter().map(|result| &result.k).chain(&self.again);
        let runs =
            under_way.map(|&(k, _)| (closer.first_needed(k), closer.layout(closer.grid().window(k)).end_bucket()));
        runs.chain([(closer.first_needed(first), i64::MAX)]).collect()
    }

    /// Whether all results are written that were issued, or dropped.
    pub(super) fn all_written(&mut self) -> bool {
        self.forget_written();
        !self.outstanding.iter().any(Outstanding::is_under_way)
    }

    /// Forgets results that were dropped for later ones.
    pub(super) fn give_up(&mut self) {
        self.outstanding.retain(Outstanding::is_under_way);
    }

    /// A result that was dropped and is not written stays: the run is about to end by what kept it from being written.
    fn forget_written(&mut self) {
        self.outstanding.retain(|result| result.is_under_way() || !result.written.load(Ordering::Relaxed));
    }
}

impl Live {
    /// Nothing is counted yet, or what is in `order` and `windows`.
    pub fn new(order: Sequencer<Arc<Records>>, windows: Windows, trigger: Trigger, grace: i64) -> Self {
        let grid = *windows.closer.grid();
        let live = Live {
            gate: RwLock::new(()),
            order: Mutex::new(order),
            windows: Mutex::new(windows),
            grid,
            trigger,
            grace,
            late: None,
            limits: RwLock::new(Limits { floor: Timestamp::MIN, closed: Timestamp::MIN }),
            changed: AtomicBool::new(false),
            counting: AtomicUsize::new(0),
            stages: Mutex::new(Stages::default()),
            moved: Condvar::new(),
            dozes: AtomicBool::new(false),
            stalled: AtomicU64::new(0),
        };
        live.set_limits(&live.windows.lock());
        live
    }

    /// Says which stamps are late from now on. To be called with the gate held alone.
    pub(super) fn set_limits(&self, windows: &Windows) {
        let Some(next) = windows.closer.next() else { return };
        let open = if self.grace > 0 { windows.open().min() } else { Some(next) };
        let grid = self.grid;
        *self.limits.write() =
            Limits { floor: grid.window(open.unwrap_or(next)).start, closed: grid.window(next - 1).end };
    }

    /// Counts a batch, and those that waited for it, once all before it in its input are counted.
    pub(super) fn receive(&self, shared: &Shared, worker: usize, batch: Arc<Records>) -> Result<()> {
        let _gate = self.gate.read();
        let ready = self.order.lock().arrive(Place::of(&batch.chunk), Peaks::default(), batch);
        for (_, batch) in ready {
            self.counting.fetch_add(1, Ordering::Relaxed);
            self.count(shared, worker, &batch)?;
            self.counting.fetch_sub(1, Ordering::Relaxed);
        }
        if self.dozes.swap(false, Ordering::Relaxed) {
            self.moved.notify_all();
        }
        Ok(())
    }

    fn count(&self, shared: &Shared, worker: usize, batch: &Records) -> Result<()> {
        let limits = *self.limits.read();
        let lowest = batch.records.iter().map(|record| record.time).min();
        // Only an input that was idle, and left the watermark, gives records whose windows have closed.
        let behind = lowest.is_some_and(|lowest| lowest < limits.floor);
        let mut late = 0;
        if behind {
            let in_time: Vec<Record> =
                batch.records.iter().filter(|record| record.time >= limits.floor).copied().collect();
            let behind = batch.records.iter().filter(|record| record.time < limits.floor);
            let behind: Vec<&Record> = behind.filter(|record| self.grid.covers(record.time)).collect();
            self.keep_late(batch, &behind)?;
            late = behind.len() as u64;
            shared.count(worker, &in_time, &batch.chunk.bytes)?;
        } else {
            shared.count(worker, &batch.records, &batch.chunk.bytes)?;
        }
        if lowest.is_some_and(|lowest| lowest < limits.closed) {
            self.changed.store(true, Ordering::Relaxed);
        }
        let mut progress = shared.progress.lock();
        progress.applied(batch)?;
        progress.came_late(batch.chunk.span.input, late);
        Ok(())
    }

    /// Writes the lines of late records where they are wanted.
    fn keep_late(&self, batch: &Records, late: &[&Record]) -> Result<()> {
        let Some(file) = self.late.as_ref().filter(|_| !late.is_empty()) else { return Ok(()) };
        let (bytes, mut block) = (&batch.chunk.bytes, Vec::new());
        for record in late {
            let (from, to) = (record.from.0 as usize, record.to.1 as usize);
            let start = memchr::memrchr(b'\n', &bytes[..from]).map_or(0, |newline| newline + 1);
            let end = memchr::memchr(b'\n', &bytes[to..]).map_or(bytes.len(), |newline| to + newline);
            late_line(&mut block, &bytes[start..end]);
        }
        file.append((batch.chunk.span.input, batch.chunk.span.from), &block)
    }

    /// The longest time for which counting stood still for a state to be saved, or for names to be dropped.
    pub fn longest_stall(&self) -> Duration {
        Duration::from_nanos(self.stalled.load(Ordering::Relaxed))
    }

    /// Notes a time for which counting stood still.
    pub(super) fn stalled_for(&self, time: Duration) {
        self.stalled.fetch_max(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether counts and positions agree, now that nobody counts.
    pub(super) fn is_consistent(&self) -> bool {
        self.counting.load(Ordering::Relaxed) == 0
    }

    /// What is done.
    pub(super) fn stages(&self) -> Stages {
        *self.stages.lock()
    }

    /// Notes what is done.
    pub(super) fn done(&self, note: impl FnOnce(&mut Stages)) {
        note(&mut self.stages.lock());
        self.moved.notify_all();
    }

    /// As `wait`, or until a batch is counted. One that is counted at the same moment may be noticed only after that time.
    pub(super) fn doze(&self, time: Duration) {
        self.dozes.store(true, Ordering::Relaxed);
        self.wait(time);
        self.dozes.store(false, Ordering::Relaxed);
    }

    /// Waits so long, or until something more is done.
    pub(super) fn wait(&self, time: Duration) {
        let mut stages = self.stages.lock();
        self.moved.wait_for(&mut stages, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::count::Buckets;

    #[test]
    fn a_long_silence_that_may_not_be_written_comes_again_as_one_and_is_open_to_late_records() {
        let grid = Grid { anchor: Timestamp::from_seconds(0), length: 10, period: 10, first: None };
        let buckets = Buckets { anchor: grid.anchor, grain: 10, last: i64::MAX };
        let closer = || Closer::new(grid, buckets, false);
        let mut windows = Windows::new(closer(), Some(SavedWindows { next: Some(900), ..SavedWindows::default() }));
        windows.issued.extend([(3, Issued { revision: 2, connections: 7 }), (899, Issued::default())]);
        windows.gaps.push((4, 800));
        let sent = |k| Outstanding { k, closed: Weak::new(), written: Arc::default() };
        windows.outstanding.extend([sent((4, 800)), sent((899, 899))]);
        let saved = windows.saved();
        assert_eq!(saved.again(), [(4, 800), (899, 899)]);
        let mut windows = Windows::new(closer(), Some(saved));
        assert_eq!((windows.closer.next(), windows.lowest()), (Some(900), Some(3)));
        // One window comes again under its number; one of many that held nothing was issued as such.
        assert_eq!([3, 4, 800, 801, 899].map(|k| windows.next_revision(k)), [3, 1, 1, 0, 0]);
        windows.again.clear();
        windows.expire(500);
        assert_eq!((windows.lowest(), &windows.gaps[..]), (Some(500), &[(500, 800)][..]));
        windows.expire(801);
        assert_eq!((windows.lowest(), windows.gaps.len()), (Some(900), 0));
    }
}
