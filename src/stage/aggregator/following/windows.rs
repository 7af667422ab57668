//! The windows of an aggregator that follows: which have closed, what was issued of each, and what
//! is still needed.
//!
//! A result that is provisional says nothing of what is still needed: only closed windows let
//! anything go. Invariant (`check`): what was counted is in windows that are done with or in the
//! tally (`ops/settled.rs`), and the last revision of a window that is done with has all its
//! connections.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::error::{ErrorKind, Result};
use crate::model::Timestamp;
use crate::ops::close::Closer;
use crate::ops::settled::Settled;
use crate::snapshot::{Issued, SavedWindows};
use crate::tally::Tally;

use crate::stage::aggregator::closed::Closed;

/// The windows of an aggregator that follows, and what was issued of them.
pub struct LiveWindows {
    pub(super) closer: Closer,
    /// How long results are kept to be issued again, in nanoseconds.
    grace: i64,
    /// The number of the first window that has closed; results are numbered from it.
    first: Option<i64>,
    /// What was issued of windows that may be issued again.
    pub(super) issued: BTreeMap<i64, Issued>,
    /// Runs of windows that were issued as one, or come before the first one, and hold nothing: the
    /// first and the last of each. In order, as long as their windows may be issued by themselves.
    pub(super) gaps: Vec<(i64, i64)>,
    /// Results that were issued and are not written yet.
    pub(super) outstanding: Vec<Outstanding>,
    /// LiveWindows whose results have to be issued again, since they may not have been written: the
    /// first and the last of each result.
    pub(super) again: Vec<(i64, i64)>,
    settled: Settled,
    /// Whether an earlier run began with them.
    resumed: bool,
    /// A contradiction that was found. From then on nothing is saved.
    contradiction: Option<String>,
}

/// A result on its way to the outputs.
pub(super) struct Outstanding {
    /// Its windows, the first and the last: one, or a run of them that hold nothing.
    pub k: (i64, i64),
    /// What it says of them.
    pub issued: Issued,
    /// Alive while any reporter has it in hand.
    pub closed: Weak<Closed>,
    /// Whether any reporter has written it.
    pub written: Arc<AtomicBool>,
}

impl Outstanding {
    fn is_under_way(&self) -> bool {
        self.closed.strong_count() > 0
    }
}

impl LiveWindows {
    /// LiveWindows as a closer gives them; saved ones go on.
    pub fn new(closer: Closer, grace: i64, saved: Option<SavedWindows>) -> Self {
        let resumed = saved.is_some();
        let SavedWindows { first, next, issued, gaps, again, settled } = saved.unwrap_or_default();
        LiveWindows {
            closer: closer.resumed(next),
            grace,
            first,
            issued: issued.into_iter().collect(),
            gaps,
            outstanding: Vec::new(),
            again,
            settled,
            resumed,
            contradiction: None,
        }
    }

    /// How long results are kept to be issued again, in nanoseconds.
    pub fn grace(&self) -> i64 {
        self.grace
    }

    /// What there is to save.
    pub fn saved(&mut self) -> SavedWindows {
        self.forget_written();
        let mut again: Vec<(i64, i64)> =
            self.outstanding.iter().map(|result| result.k).chain(self.again.iter().copied()).collect();
        again.sort_unstable();
        again.dedup();
        let single = self.outstanding.iter().filter(|result| result.k.0 == result.k.1);
        let mut issued: BTreeMap<i64, Issued> = single.map(|result| (result.k.0, result.issued)).collect();
        issued.extend(&self.issued);
        // What was not written for certain has not been issued: it comes again under the same
        // number.
        let issued = issued.into_iter().filter_map(|(k, issued)| {
            match (again.contains(&(k, k)), issued.revision.checked_sub(1)) {
                (false, _) => Some((k, issued)),
                (true, Some(revision)) => Some((k, Issued { revision, ..issued })),
                (true, None) => None,
            }
        });
        let next = self.closer.next();
        // Before a window has closed, none is certain.
        let (first, gaps) = next.map_or((None, Vec::new()), |_| (self.first, self.gaps.clone()));
        SavedWindows { first, next, issued: issued.collect(), gaps, again, settled: self.settled }
    }

    /// LiveWindows from `k` on are about to close. If none has yet, those before it are open to
    /// late records as far as any window is: a record that changes the first one may be in them,
    /// too.
    pub(super) fn begin(&mut self, k: i64, watermark: Timestamp) {
        // If no result came of it, another window may be the first.
        if self.closer.next().is_some() {
            return;
        }
        self.first = Some(k);
        let changeable = self.changeable(watermark);
        let before = (self.grace > 0 && changeable < k).then(|| (changeable, k - 1));
        self.gaps = before.into_iter().collect();
    }

    /// The first window that late records may change.
    pub(super) fn changeable(&self, watermark: Timestamp) -> i64 {
        self.closer.grid().first_ending_after(watermark.minus(self.grace))
    }

    /// The place of window `k` among those of the run, from 0.
    pub(super) fn sequence(&self, k: i64) -> u64 {
        u64::try_from(k.saturating_sub(self.first.unwrap_or(k))).unwrap_or(0)
    }

    /// Whether a window has closed.
    pub(super) fn has_closed(&self, k: i64) -> bool {
        self.closer.next().is_some_and(|next| k < next)
    }

    /// The first window into which anything may still be counted, once any has closed.
    pub(super) fn open(&self) -> Option<i64> {
        let next = self.closer.next()?;
        let again = self.again.iter().map(|(first, _)| *first);
        let changeable = self.oldest_issued().into_iter().chain(again).filter(|_| self.grace > 0);
        let lowest = changeable.fold(next, i64::min);
        Some(lowest.max(self.settled.before().unwrap_or(i64::MIN)))
    }

    /// The revision under which window `k` is issued next.
    pub(super) fn next_revision(&self, k: i64) -> u32 {
        // As one of many that hold nothing it was issued, too, unless it comes before the first.
        let is_issued = self.first.is_none_or(|first| first <= k);
        let in_gap = || is_issued && self.gaps.iter().any(|&(first, last)| (first..=last).contains(&k));
        self.issued.get(&k).map_or_else(|| u32::from(in_gap()), |issued| issued.revision + 1)
    }

    /// The first window that was issued and may be again.
    pub(super) fn oldest_issued(&self) -> Option<i64> {
        let issued = self.issued.first_key_value().map(|(&k, _)| k);
        issued.into_iter().chain(self.gaps.first().map(|(first, _)| *first)).min()
    }

    /// The windows before `k` that were issued and hold something else now.
    pub(super) fn changed_before(&self, k: i64, tally: &Tally) -> Vec<i64> {
        let issued = self.issued.range(..k).filter(|(k, issued)| self.connections(**k, tally) != issued.connections);
        let mut changed: Vec<i64> = issued.map(|(&k, _)| k).collect();
        let gaps = self.gaps.iter().filter(|(first, _)| *first < k);
        let filled = gaps.flat_map(|&(first, last)| self.closer.holding(first, last.min(k - 1), tally));
        changed.extend(filled.filter(|k| !self.issued.contains_key(k)));
        changed
    }

    /// Settles the windows whose results cannot change any more, and lets them go.
    pub(super) fn settle(&mut self, tally: &Tally) -> Result<()> {
        let Some(open) = self.open() else { return Ok(()) };
        self.settled.advance(open, &self.closer, tally);
        self.release(open, tally)
    }

    /// Lets the windows before `k` go, whose results will not be issued again. Errors if what was
    /// issued of one is not what it holds.
    pub(super) fn release(&mut self, k: i64, tally: &Tally) -> Result<()> {
        self.gaps.retain(|&(_, last)| last >= k);
        if let Some((first, _)) = self.gaps.first_mut() {
            *first = k.max(*first);
        }
        let done: Vec<i64> =
            self.issued.range(..k).map(|(&k, _)| k).filter(|k| !self.again.contains(&(*k, *k))).collect();
        for k in done {
            let held = self.connections(k, tally);
            if let Some(Issued { connections, .. }) = self.issued.remove(&k).filter(|issued| issued.connections != held)
            {
                let message = format!("window {k} was issued with {connections} connections and holds {held}");
                self.contradiction = Some(message.clone());
                return Err(self.unbalanced(message).into());
            }
        }
        Ok(())
    }

    /// Errors unless all that is counted is in windows that are done with, or still in the tally.
    pub(super) fn check(&self, tally: &Tally, counted: u64) -> Result<()> {
        let found = self.contradiction.clone().map_or(Ok(()), Err);
        let checked = found.and_then(|()| self.settled.check(&self.closer, tally, counted));
        Ok(checked.map_err(|message| self.unbalanced(message))?)
    }

    /// What does not add up, and what may be to blame.
    fn unbalanced(&self, message: String) -> ErrorKind {
        if self.resumed { ErrorKind::Inherited(message) } else { ErrorKind::Unbalanced(message) }
    }

    /// The connections of window `k`.
    pub(super) fn connections(&self, k: i64, tally: &Tally) -> u64 {
        let layout = self.closer.layout(self.closer.grid().window(k));
        tally.connections(layout.first_bucket, layout.end_bucket())
    }

    /// The lowest window that is still of use, once any has closed.
    pub(super) fn lowest(&mut self) -> Option<i64> {
        self.forget_written();
        // What is issued before it has closed comes once more.
        let next = self.closer.next()?;
        let under_way = self.outstanding.iter().map(|result| &result.k).chain(&self.again).map(|(first, _)| *first);
        Some(self.oldest_issued().into_iter().chain(under_way).fold(next, i64::min))
    }

    /// The runs of buckets that are still of use, each from its first to before its end: those of
    /// results on their way, and all from the first window on that may be issued. An output that
    /// takes nothing keeps no others.
    pub(super) fn kept(&self) -> Vec<(i64, i64)> {
        let closer = &self.closer;
        let Some(next) = closer.next() else { return vec![(i64::MIN, i64::MAX)] };
        let first = self.oldest_issued().into_iter().fold(next, i64::min);
        let under_way = self.outstanding.iter().map(|result| &result.k).chain(&self.again);
        let runs =
            under_way.map(|&(k, _)| (closer.first_needed(k), closer.layout(closer.grid().window(k)).end_bucket()));
        runs.chain([(closer.first_needed(first), i64::MAX)]).collect()
    }

    /// Whether all results are written that were issued, or dropped.
    pub(super) fn all_written(&mut self) -> bool {
        self.unwritten() == 0
    }

    /// How many results were issued, and are neither written nor dropped.
    pub(super) fn unwritten(&mut self) -> usize {
        self.forget_written();
        self.outstanding.iter().filter(|result| result.is_under_way()).count()
    }

    /// Forgets results that were dropped for later ones.
    pub(super) fn give_up(&mut self) {
        self.outstanding.retain(Outstanding::is_under_way);
    }

    /// A result that was dropped unwritten stays: whatever kept it from being written is about to
    /// end the run.
    fn forget_written(&mut self) {
        self.outstanding.retain(|result| result.is_under_way() || !result.written.load(Ordering::Relaxed));
    }
}

/// LiveWindows from -1 to 7 that have closed at 95 seconds, and the eighth as it was issued before
/// it has.
#[cfg(test)]
pub(crate) fn closed(closer: Closer, grace: i64, tally: &Tally) -> SavedWindows {
    let grid = *closer.grid();
    let mut windows = LiveWindows::new(closer, grace, None);
    for k in -1..=7 {
        windows.begin(k, Timestamp::from_seconds(95));
        windows.issued.insert(k, Issued { revision: 0, connections: windows.connections(k, tally) });
        windows.closer.close(grid.window(k), 1);
        windows.settle(tally).unwrap();
    }
    windows.issued.insert(8, Issued { revision: 0, connections: 2 });
    windows.again = vec![(7, 7)];
    windows.saved()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Grid;
    use crate::ops::count::Buckets;
    use crate::tally::Shape;

    #[test]
    fn a_long_silence_that_may_not_be_written_comes_again_as_one_and_is_open_to_late_records() {
        let grid = Grid { anchor: Timestamp::from_seconds(0), length: 10, period: 10, first: None };
        let buckets = Buckets { anchor: grid.anchor, grain: 10, last: i64::MAX };
        let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        let closer = || Closer::new(grid, buckets, false);
        let mut windows =
            LiveWindows::new(closer(), 10, Some(SavedWindows { next: Some(900), ..SavedWindows::default() }));
        windows.issued.extend([(3, Issued { revision: 2, connections: 0 }), (899, Issued::default())]);
        windows.gaps.push((4, 800));
        let sent = |k| Outstanding { k, issued: Issued::default(), closed: Weak::new(), written: Arc::default() };
        windows.outstanding.extend([sent((4, 800)), sent((899, 899))]);
        let saved = windows.saved();
        assert_eq!(saved.again, [(4, 800), (899, 899)]);
        let mut windows = LiveWindows::new(closer(), 10, Some(saved));
        assert_eq!((windows.closer.next(), windows.lowest()), (Some(900), Some(3)));
        // One window comes again under its number; one of many that held nothing was issued as
        // such.
        assert_eq!([3, 4, 800, 801, 899].map(|k| windows.next_revision(k)), [3, 1, 1, 0, 0]);
        windows.again.clear();
        windows.release(500, &tally).unwrap();
        assert_eq!((windows.lowest(), &windows.gaps[..]), (Some(500), &[(500, 800)][..]));
        windows.release(801, &tally).unwrap();
        assert_eq!((windows.lowest(), windows.gaps.len()), (Some(900), 0));
    }

    #[test]
    fn windows_before_the_first_are_open_to_what_changes_the_first() {
        let at = Timestamp::from_seconds;
        let second = crate::model::time::SECOND;
        let grid = Grid { anchor: at(0), length: 20 * second, period: 10 * second, first: None };
        let buckets = Buckets { anchor: grid.anchor, grain: 10 * second, last: i64::MAX };
        let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        // Of 105, the first window is that from 90 to 110.
        tally.add(10, b"a", b"b", 1);
        let mut windows = LiveWindows::new(Closer::new(grid, buckets, false), 25 * second, None);
        windows.begin(9, at(110));
        windows.issued.insert(9, Issued { revision: 0, connections: 1 });
        windows.closer.close(grid.window(9), 1);
        windows.settle(&tally).unwrap();
        // Those that end after 85.
        assert_eq!((windows.open(), &windows.gaps[..]), (Some(7), &[(7, 8)][..]));
        assert!(windows.changed_before(10, &tally).is_empty());
        // That of 95 is in two.
        tally.add(9, b"a", b"b", 1);
        assert_eq!(windows.changed_before(10, &tally), [9, 8]);
        assert_eq!([7, 8, 9].map(|k| (windows.next_revision(k), windows.sequence(k))), [(0, 0), (0, 0), (1, 0)]);
        windows.begin(3, at(110));
        assert_eq!(windows.gaps.len(), 1);
        // Nothing is open where results are not issued again.
        let mut windows = LiveWindows::new(Closer::new(grid, buckets, false), 0, None);
        windows.begin(9, at(110));
        assert!(windows.gaps.is_empty());
    }

    #[test]
    fn what_is_provisional_moves_nothing_and_what_is_done_with_was_issued_as_it_is() {
        let grid = Grid { anchor: Timestamp::from_seconds(0), length: 10, period: 10, first: None };
        let buckets = Buckets { anchor: grid.anchor, grain: 10, last: i64::MAX };
        let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        tally.add(0, b"a", b"b", 3);
        let mut windows = LiveWindows::new(Closer::new(grid, buckets, false), 0, None);
        windows.issued.insert(20, Issued { revision: 0, connections: 0 });
        assert_eq!((windows.lowest(), windows.open()), (None, None));
        assert_eq!(windows.kept(), [(i64::MIN, i64::MAX)]);
        windows.settle(&tally).unwrap();
        assert!(windows.check(&tally, 3).is_ok() && windows.check(&tally, 4).is_err());
        windows.issued.insert(0, Issued { revision: 0, connections: 3 });
        windows.closer.close(grid.window(0), 1);
        windows.settle(&tally).unwrap();
        assert_eq!((windows.lowest(), windows.issued.len()), (Some(1), 1));
        tally.drop_before(1);
        assert!(windows.check(&tally, 3).is_ok());
        windows.issued.insert(1, Issued { revision: 0, connections: 1 });
        windows.closer.close(grid.window(1), 1);
        let error = windows.settle(&tally).unwrap_err().to_string();
        assert!(error.contains("window 1 was issued with 1 connections and holds 0"), "{error}");
        assert!(error.contains("this is a bug") && !error.contains("saved state"), "{error}");
        // What has been found once is not forgotten, and not saved.
        assert!(windows.settle(&tally).is_ok());
        assert!(windows.check(&tally, 3).unwrap_err().to_string().contains("window 1 was issued with 1"));
        let mut saved = windows.saved();
        saved.issued = vec![(2, Issued { revision: 0, connections: 1 })];
        let mut windows = LiveWindows::new(Closer::new(grid, buckets, false), 0, Some(saved));
        windows.closer.close(grid.window(2), 1);
        let error = windows.settle(&tally).unwrap_err().to_string();
        assert!(error.contains("the saved state that this run went on from has been changed, or"), "{error}");
    }

    #[test]
    fn a_first_window_that_did_not_come_about_is_none_to_go_on_from() {
        let grid = Grid { anchor: Timestamp::from_seconds(0), length: 10, period: 10, first: None };
        let buckets = Buckets { anchor: grid.anchor, grain: 10, last: i64::MAX };
        let mut windows = LiveWindows::new(Closer::new(grid, buckets, false), 25, None);
        windows.begin(9, Timestamp::from_nanos(100));
        assert_eq!(windows.saved(), SavedWindows::default());
        windows.begin(7, Timestamp::from_nanos(100));
        windows.closer.close(grid.window(7), 1);
        let saved = windows.saved();
        assert_eq!((saved.first, &saved.gaps[..]), (Some(7), &[][..]));
    }
}
