//! The tally: (pane, from, to) -> count, and bucket -> count, for all workers of an aggregator
//! together.
//!
//! A pane is a run of buckets that every window holds as a whole or not at all: a one-shot window
//! is one, and so is the window before it; periodic windows are cut into panes by the common
//! divisor of their length and period. So pairs are held once a pane, and only totals once a
//! bucket. A pane's pairs lie in shards, each behind a lock of its own and grown by itself: no
//! table is ever copied whole. Names are there once, whoever counts, behind a lock that is written
//! only for names that are new. Only the report `timeline` asks for buckets, and it asks for no
//! pair: so a pair is there once for a day of twenty-minute buckets, and not 72 times.
//!
//! Invariant: counts only ever add up (addition is associative and commutative, and starts at
//! nothing), so that neither the order of records nor who counts them shows. What there is no
//! memory for is told to the caller or is in `overflow`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::RwLock;

use super::aggregates::{Aggregates, Counted, Layout, Overflow, PairSource, Pairs};
use super::budget::Budget;
use super::host::Hosts;
use super::names::{HostId, Names};
use super::pairs::PairHash;
use super::pane::Pane;
use super::sliding::{FilledPane, Joined, RunningSums, WindowPanes};
use super::sweep::{Marks, Sweep};
use crate::model::{Amount, MeasureSet, Measured};

/// How a tally is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Buckets in a pane, above 0. Pane 0 begins with bucket 0.
    pub pane: i64,
    /// Shards of each pane, above 0.
    pub shards: usize,
}

/// Connections by pane and pair, and by bucket.
#[derive(Debug)]
pub struct Tally {
    shape: Shape,
    hash: PairHash,
    budget: Arc<Budget>,
    hosts: RwLock<Hosts>,
    panes: RwLock<BTreeMap<i64, Arc<Pane>>>,
    by_bucket: BucketCounts,
    /// The sums of the last window and of the one before it, where windows slide.
    pub(super) sums: Arc<RunningSums>,
    /// The marks of the sweep that is under way.
    marks: Option<Arc<Marks>>,
    /// Hosts left by the last sweep.
    swept: usize,
    /// Whether a pane was dropped since: if not, all names are in use.
    dropped: bool,
    drained: u64,
    numbering: u64,
}

/// What all pairs come to by bucket, whether they are known or not.
#[derive(Debug, Default)]
struct BucketCounts {
    connections: BTreeMap<i64, u64>,
    /// The names of what is summed beside them.
    measures: Arc<[String]>,
    measured: BTreeMap<i64, Measured>,
}

impl BucketCounts {
    /// Forgets what is before a bucket.
    fn drop_before(&mut self, bucket: i64) {
        self.connections = self.connections.split_off(&bucket);
        self.measured = self.measured.split_off(&bucket);
    }

    /// Forgets all but some buckets.
    fn retain(&mut self, is_kept: impl Fn(i64) -> bool) {
        self.connections.retain(|bucket, _| is_kept(*bucket));
        self.measured.retain(|bucket, _| is_kept(*bucket));
    }
}

/// A view that borrows the names of some hosts until it is dropped, even by a panic.
struct Lent<'a> {
    view: Aggregates,
    hosts: &'a mut Hosts,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.hosts.names_mut() = self.view.take_names();
    }
}

impl Tally {
    /// An empty tally that takes its bytes from a budget.
    pub fn new(shape: Shape, budget: Arc<Budget>) -> Self {
        let sums = Arc::<RunningSums>::default();
        Tally {
            shape,
            hash: PairHash::default(),
            budget,
            hosts: RwLock::default(),
            panes: RwLock::default(),
            by_bucket: BucketCounts::default(),
            sums,
            marks: None,
            swept: 0,
            dropped: false,
            drained: 0,
            numbering: 0,
        }
    }

    /// The same, empty as it is, with measures of these names.
    pub fn measuring(mut self, names: &[String]) -> Self {
        self.by_bucket.measures = names.into();
        self
    }

    /// The names of its measures.
    pub fn measures(&self) -> &Arc<[String]> {
        &self.by_bucket.measures
    }

    /// Which they are.
    pub fn measure_set(&self) -> MeasureSet {
        MeasureSet::of(&self.by_bucket.measures)
    }

    /// What the measures of all pairs come to, by bucket.
    pub fn measured(&self) -> &BTreeMap<i64, Measured> {
        &self.by_bucket.measured
    }

    /// How it is divided.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The hosts, which may include some that no pane holds any more.
    pub fn hosts(&self) -> &RwLock<Hosts> {
        &self.hosts
    }

    /// The bytes that are left to it.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The pane that a bucket is in.
    pub fn pane_of(&self, bucket: i64) -> i64 {
        bucket.div_euclid(self.shape.pane)
    }

    /// The buckets of a pane, first and last.
    pub fn buckets_of(&self, pane: i64) -> (i64, i64) {
        let first = pane.saturating_mul(self.shape.pane);
        (first, first.saturating_add(self.shape.pane - 1))
    }

    /// The pane of this number, new if it is not there yet.
    pub fn pane(&self, number: i64) -> Arc<Pane> {
        if let Some(pane) = self.panes.read().get(&number) {
            return Arc::clone(pane);
        }
        Arc::clone(self.panes.write().entry(number).or_insert_with(|| Arc::new(self.new_pane())))
    }

    fn new_pane(&self) -> Pane {
        Pane::new(self.hash, self.shape.shards, self.measure_set(), &self.budget)
    }

    /// Counts connections, whatever memory they take: the simple way in, one pair at a time.
    pub fn add(&mut self, bucket: i64, from: &[u8], to: &[u8], count: u64) {
        let (from, to) = (self.intern_anyway(from), self.intern_anyway(to));
        self.marks.iter().for_each(|marks| marks.set_pair(from, to));
        self.pane(self.pane_of(bucket)).add_anyway(from, to, count);
        self.add_to_bucket(bucket, count);
    }

    /// As `add`, with what the measures come to.
    pub fn add_amount(&mut self, bucket: i64, from: &[u8], to: &[u8], amount: Amount) {
        let (from, to) = (self.intern_anyway(from), self.intern_anyway(to));
        self.marks.iter().for_each(|marks| marks.set_pair(from, to));
        self.pane(self.pane_of(bucket)).add_anyway(from, to, amount);
        self.add_to_bucket(bucket, amount.connections);
        self.measure(bucket, Measured { sums: amount.sums, ..Measured::default() });
    }

    /// Adds what the measures of a bucket come to, whose pairs are counted apart.
    pub fn measure(&mut self, bucket: i64, measured: Measured) {
        *self.by_bucket.measured.entry(bucket).or_default() += measured;
    }

    /// The number of a host, which is added if it is new, whatever memory that takes.
    pub fn intern_anyway(&mut self, name: &[u8]) -> HostId {
        let hosts = self.hosts.get_mut();
        let before = hosts.bytes();
        let id = hosts.intern(name);
        self.budget.take_anyway(hosts.bytes() - before);
        id
    }

    /// Counts connections of a bucket, whose pairs are counted apart.
    pub fn add_to_bucket(&mut self, bucket: i64, count: u64) {
        *self.by_bucket.connections.entry(bucket).or_default() += count;
    }

    /// The first bucket from `bucket` on that is there.
    pub fn first_from(&self, bucket: i64) -> Option<i64> {
        self.by_bucket.connections.range(bucket..).next().map(|(&bucket, _)| bucket)
    }

    /// What the panes of a window hold, and those of the window before it if they are kept. Nothing
    /// more is counted into them.
    pub fn view(&self, layout: &Layout) -> Aggregates {
        self.view_by(layout, |first, end| self.joined(first, end))
    }

    /// As `view`, where more may be counted into the window later; the view does not have that.
    pub fn open_view(&self, layout: &Layout) -> Aggregates {
        self.view_by(layout, |first, end| self.copied(first, end))
    }

    /// As `open_view`, of windows that are looked at one after the other: what they have in common
    /// is not joined each time, but their sums are moved on. `None` where that does not pay, or memory
    /// is limited.
    pub fn next_view(&self, layout: &Layout) -> Option<Aggregates> {
        self.view_by_sums(layout, |which, over| Joined::summed(&self.sums, which, &over))
    }

    /// As `next_view`, where nothing more is counted into the window: its sums are moved on by
    /// whoever asks for them.
    pub fn next_closed_view(&self, layout: &Layout) -> Option<Aggregates> {
        self.view_by_sums(layout, |which, over| Joined::later(&self.sums, which, over))
    }

    fn view_by_sums(&self, layout: &Layout, sum: impl Fn(usize, WindowPanes) -> Joined) -> Option<Aggregates> {
        // A sum is there beside the panes, and once more while a view holds it; and no time can be taken
        // off it.
        if self.budget.limit().is_some() || self.measure_set().has_times() {
            return None;
        }
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        let next = |which, panes: Range<i64>| {
            let slides = self.sums.slide(which, &panes);
            slides.then(|| sum(which, self.window_panes(panes)))
        };
        // The one before moves on with the window, even where that gives up.
        let window = next(0, first..end);
        let previous = layout.previous.then(|| next(1, first - (end - first)..first));
        let previous = previous.map_or(Some(None), |previous| Some(Some(previous?)))?;
        Some(self.view_of_panes(layout, window?, previous))
    }

    fn window_panes(&self, panes: Range<i64>) -> WindowPanes {
        let filled = |(&number, pane): (&i64, &Arc<Pane>)| {
            let (first, last) = self.buckets_of(number);
            let connections = self.connections(first, last.saturating_add(1));
            (number, FilledPane { pane: Arc::clone(pane), connections })
        };
        WindowPanes {
            panes: self.panes.read().range(panes).map(filled).collect(),
            hosts: self.hosts.read().names().end(),
            hash: self.hash,
            shards: self.shape.shards,
            measures: self.measure_set(),
            budget: Arc::clone(&self.budget),
        }
    }

    /// The view of the panes that `panes` makes one, from a first one to before another.
    fn view_by(&self, layout: &Layout, panes: impl Fn(i64, i64) -> Arc<Pane>) -> Aggregates {
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        let previous = layout.previous.then(|| panes(first - (end - first), first));
        self.view_of_panes(layout, panes(first, end).into(), previous.map(Joined::from))
    }

    fn view_of_panes(&self, layout: &Layout, window: Joined, previous: Option<Joined>) -> Aggregates {
        let names = self.hosts.read().names().clone();
        let of_window = window.overflowed();
        let before = previous.as_ref().map_or(0, Joined::overflowed);
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        let first = if layout.previous { first - (end - first) } else { first };
        let in_panes: u64 = self.panes.read().range(first..end).map(|(_, pane)| pane.overflowed()).sum();
        let unjoined = (of_window + before).saturating_sub(in_panes);
        let overflow = Overflow { window: of_window, before, unjoined };
        let pairs = Counted::new(names, window, previous);
        self.measured_view(layout, Aggregates::new(layout, &self.by_bucket.connections, overflow, pairs.into()))
    }

    /// A view with what its measures come to.
    fn measured_view(&self, layout: &Layout, view: Aggregates) -> Aggregates {
        view.measuring(layout, Arc::clone(&self.by_bucket.measures), &self.by_bucket.measured)
    }

    /// As `view`, of pairs that are stored elsewhere.
    pub fn view_of(&self, layout: &Layout, overflow: Overflow, pairs: Box<dyn PairSource>) -> Aggregates {
        self.measured_view(layout, Aggregates::new(layout, &self.by_bucket.connections, overflow, Pairs::Stored(pairs)))
    }

    /// As `view`, for the last time: the names of the hosts go with it, and are not copied.
    pub fn last_view(&mut self, layout: &Layout) -> Aggregates {
        let hosts = std::mem::take(self.hosts.get_mut());
        self.numbering += 1;
        self.view(layout).named(hosts.into_names())
    }

    /// Shows `f` the view of a window that is still counted into; nobody counts meanwhile. The
    /// names of the hosts are lent to the view, as they may be many.
    pub fn show<R>(&mut self, layout: &Layout, f: impl FnOnce(&Aggregates) -> R) -> R {
        let names = std::mem::take(self.hosts.get_mut().names_mut());
        let lent = Lent { view: self.view(layout).named(names), hosts: self.hosts.get_mut() };
        f(&lent.view)
    }

    /// The memory that joining the panes of a window would take; 0 if it is one pane, which is not
    /// copied.
    pub fn bytes_to_join(&self, layout: &Layout) -> usize {
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        let from = if layout.previous { first - (end - first) } else { first };
        if end - first <= 1 {
            return 0;
        }
        self.panes.read().range(from..end).map(|(_, pane)| pane.bytes()).sum()
    }

    /// The panes from `first` to before `end` as one.
    fn joined(&self, first: i64, end: i64) -> Arc<Pane> {
        let panes = self.panes.read();
        let mut found = panes.range(first..end).map(|(_, pane)| pane);
        match (found.next(), found.next()) {
            (Some(one), None) => Arc::clone(one),
            _ => self.copied(first, end),
        }
    }

    /// A copy of the panes from `first` to before `end`, as one.
    fn copied(&self, first: i64, end: i64) -> Arc<Pane> {
        let whole = self.new_pane();
        for (_, pane) in self.panes.read_recursive().range(first..end) {
            match self.by_bucket.measures.is_empty() {
                true => whole.absorb::<u64>(pane, |_, _, _, _| {}),
                false => whole.absorb::<Amount>(pane, |_, _, _, _| {}),
            }
        }
        Arc::new(whole)
    }

    /// All panes by number.
    pub fn panes(&self) -> Vec<(i64, Arc<Pane>)> {
        self.panes.read().iter().map(|(&number, pane)| (number, Arc::clone(pane))).collect()
    }

    /// Connections by bucket.
    pub fn buckets(&self) -> &BTreeMap<i64, u64> {
        &self.by_bucket.connections
    }

    /// Connections in the buckets from `first` to before `end`.
    pub fn connections(&self, first: i64, end: i64) -> u64 {
        self.by_bucket.connections.range(first..end).map(|(_, count)| count).sum()
    }

    /// Forgets what is before a bucket, which is the first of its pane.
    pub fn drop_before(&mut self, bucket: i64) {
        self.by_bucket.drop_before(bucket);
        let first = self.pane_of(bucket);
        let panes = self.panes.get_mut();
        let kept = panes.split_off(&first);
        self.dropped |= !panes.is_empty();
        *panes = kept;
    }

    /// Forgets all but these runs of whole panes, each from a bucket to before another.
    pub fn keep_only(&mut self, runs: &[(i64, i64)]) {
        let is_kept = |bucket: i64| runs.iter().any(|run| (run.0..run.1).contains(&bucket));
        self.by_bucket.retain(is_kept);
        let pane = self.shape.pane;
        let before = self.panes.get_mut().len();
        self.panes.get_mut().retain(|number, _| is_kept(number.saturating_mul(pane)));
        self.dropped |= self.panes.get_mut().len() < before;
    }

    /// Takes all panes and hosts out, so that their memory is free; the buckets stay.
    pub fn drain(&mut self) -> (Names, Vec<(i64, Arc<Pane>)>) {
        let hosts = std::mem::take(self.hosts.get_mut());
        self.budget.give_back(hosts.bytes());
        (self.marks, self.swept, self.dropped) = (None, 0, false);
        self.sums.forget();
        (self.drained, self.numbering) = (self.drained + 1, self.numbering + 1);
        (hosts.into_names(), std::mem::take(self.panes.get_mut()).into_iter().collect())
    }

    /// How often everything was taken out.
    pub fn drained(&self) -> u64 {
        self.drained
    }

    /// Changes wherever the number of a host may come to mean another name.
    pub fn numbering(&self) -> u64 {
        self.numbering
    }

    /// Whether names that no pane holds may be half of all, and no sweep is under way.
    pub fn needs_sweep(&self) -> bool {
        self.dropped && self.marks.is_none() && self.hosts.read().names().len() >= 2 * self.swept + 1024
    }

    /// Begins to drop the names that no pane holds: a long run over hosts that come and go holds
    /// the names of its open windows only. A sweep that is under way is given up.
    pub fn start_sweep(&mut self) -> Sweep {
        let panes = self.panes.get_mut().values().map(Arc::downgrade);
        let sweep = Sweep::new(self.hosts.get_mut().names().end(), panes);
        (self.marks, self.dropped) = (Some(Arc::clone(&sweep.marks)), false);
        sweep
    }

    /// What marks the hosts of pairs that are counted while a sweep is under way.
    pub fn marks(&self) -> Option<&Marks> {
        self.marks.as_deref()
    }

    /// Drops some names, for a sweep that has nothing more to mark. Gives whether there is more to
    /// do.
    pub fn drop_some(&mut self, sweep: &mut Sweep) -> bool {
        // Everything was taken out meanwhile, or another sweep was begun.
        if !self.marks.as_ref().is_some_and(|marks| Arc::ptr_eq(marks, &sweep.marks)) {
            return false;
        }
        let hosts = self.hosts.get_mut();
        let (before, names) = (hosts.bytes(), hosts.names().len());
        let is_more = sweep.drop_some(hosts);
        self.numbering += u64::from(hosts.names().len() < names);
        self.budget.give_back(before - hosts.bytes());
        if !is_more {
            (self.marks, self.swept) = (None, hosts.names().len());
        }
        is_more
    }

    /// Drops all names that no pane holds at once.
    pub fn sweep(&mut self) {
        let mut sweep = self.start_sweep();
        while sweep.mark_some() || self.drop_some(&mut sweep) {}
    }
}

#[cfg(test)]
mod tests;
