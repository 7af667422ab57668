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
use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use super::aggregates::{Aggregates, Counted, Layout, PairSource, Pairs};
use super::budget::{Budget, Expendable};
use super::host::Hosts;
use super::names::{HostId, Names};
use super::pairs::PairHash;
use super::pane::Pane;
use super::sliding::{RunningSums, SumOver};
use super::sweep::{Marks, Sweep};

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
    /// Connections of all pairs, by bucket.
    buckets: BTreeMap<i64, u64>,
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
        budget.may_drop(Arc::downgrade(&sums) as Weak<dyn Expendable>);
        Tally {
            shape,
            hash: PairHash::default(),
            budget,
            hosts: RwLock::default(),
            panes: RwLock::default(),
            buckets: BTreeMap::new(),
            sums,
            marks: None,
            swept: 0,
            dropped: false,
            drained: 0,
            numbering: 0,
        }
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
        Pane::new(self.hash, self.shape.shards, &self.budget)
    }

    /// Counts connections, whatever memory they take: the simple way in, one pair at a time.
    pub fn add(&mut self, bucket: i64, from: &[u8], to: &[u8], count: u64) {
        let (from, to) = (self.intern_anyway(from), self.intern_anyway(to));
        self.marks.iter().for_each(|marks| marks.set_pair(from, to));
        self.pane(self.pane_of(bucket)).add_anyway(from, to, count);
        self.add_to_bucket(bucket, count);
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
        *self.buckets.entry(bucket).or_default() += count;
    }

    /// The first bucket from `bucket` on that is there.
    pub fn first_from(&self, bucket: i64) -> Option<i64> {
        self.buckets.range(bucket..).next().map(|(&bucket, _)| bucket)
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
    /// is not joined each time, but their sums are moved on. `None` where that does not pay, or there
    /// is no memory for sums.
    pub fn next_view(&mut self, layout: &Layout) -> Option<Aggregates> {
        let connections = |pane| {
            let (first, last) = self.buckets_of(pane);
            self.connections(first, last.saturating_add(1))
        };
        let (panes, hosts) = (&self.panes.read(), self.hosts.read().names().end());
        let over =
            SumOver { panes, connections: &connections, hosts, empty: &|| self.new_pane(), budget: &self.budget };
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        // The one before moves on with the window, even where that gives up.
        let window = self.sums.next(0, first..end, &over);
        let previous = layout.previous.then(|| self.sums.next(1, first - (end - first)..first, &over));
        let (sum, totals) = window?;
        let previous = previous.map_or(Some(None), |previous| Some(Some(previous?.0)))?;
        Some(self.view_of_panes(layout, sum, previous).with_known_totals(totals))
    }

    /// The view of the panes that `panes` makes one, from a first one to before another.
    fn view_by(&self, layout: &Layout, panes: impl Fn(i64, i64) -> Arc<Pane>) -> Aggregates {
        let (first, end) = (self.pane_of(layout.first_bucket), self.pane_of(layout.end_bucket()));
        let previous = layout.previous.then(|| panes(first - (end - first), first));
        self.view_of_panes(layout, panes(first, end), previous)
    }

    fn view_of_panes(&self, layout: &Layout, window: Arc<Pane>, previous: Option<Arc<Pane>>) -> Aggregates {
        let names = self.hosts.read().names().clone();
        let overflow = window.overflowed() + previous.as_ref().map_or(0, |pane| pane.overflowed());
        let pairs = Counted { names, window, previous };
        Aggregates::new(layout, &self.buckets, overflow, pairs.into())
    }

    /// As `view`, of pairs that are stored elsewhere; `overflow` connections are without their
    /// pair.
    pub fn view_of(&self, layout: &Layout, overflow: u64, pairs: Box<dyn PairSource>) -> Aggregates {
        Aggregates::new(layout, &self.buckets, overflow, Pairs::Stored(pairs))
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
        self.panes.read_recursive().range(first..end).for_each(|(_, pane)| whole.absorb(pane, |_, _, _, _| {}));
        Arc::new(whole)
    }

    /// All panes by number.
    pub fn panes(&self) -> Vec<(i64, Arc<Pane>)> {
        self.panes.read().iter().map(|(&number, pane)| (number, Arc::clone(pane))).collect()
    }

    /// Connections by bucket.
    pub fn buckets(&self) -> &BTreeMap<i64, u64> {
        &self.buckets
    }

    /// Connections in the buckets from `first` to before `end`.
    pub fn connections(&self, first: i64, end: i64) -> u64 {
        self.buckets.range(first..end).map(|(_, count)| count).sum()
    }

    /// Forgets what is before a bucket, which is the first of its pane.
    pub fn drop_before(&mut self, bucket: i64) {
        self.buckets = self.buckets.split_off(&bucket);
        let first = self.pane_of(bucket);
        let panes = self.panes.get_mut();
        let kept = panes.split_off(&first);
        self.dropped |= !panes.is_empty();
        *panes = kept;
    }

    /// Forgets all but these runs of whole panes, each from a bucket to before another.
    pub fn keep_only(&mut self, runs: &[(i64, i64)]) {
        let is_kept = |bucket: i64| runs.iter().any(|run| (run.0..run.1).contains(&bucket));
        self.buckets.retain(|bucket, _| is_kept(*bucket));
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
        self.sums.drop_all();
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
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Timestamp, Window};
    use proptest::prelude::*;

    type Plain = BTreeMap<(Vec<u8>, Vec<u8>), (u64, u64)>;

    const PANE: i64 = 5;

    fn tally(records: &[(i64, u16, u16)], shards: usize) -> Tally {
        let mut tally = Tally::new(Shape { pane: PANE, shards }, Arc::default());
        for &(bucket, from, to) in records {
            add(&mut tally, bucket, from, to);
        }
        tally
    }

    fn add(tally: &mut Tally, bucket: i64, from: u16, to: u16) {
        tally.add(bucket, from.to_string().as_bytes(), to.to_string().as_bytes(), 1);
    }

    fn layout(first_bucket: i64, panes: i64) -> Layout {
        let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(1));
        Layout { window, first_bucket, buckets: panes * PANE, grain: SECOND, previous: true }
    }

    fn plain(view: &Aggregates) -> Plain {
        let mut out = Plain::new();
        view.for_each_pair(|pair| {
            let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
            assert_eq!(out.insert(key, (pair.connections, pair.before)), None, "a pair came twice");
        })
        .unwrap();
        out
    }

    fn oracle(records: &[(i64, u16, u16)], first: i64, panes: i64) -> Plain {
        let (mut out, end) = (Plain::new(), first + panes * PANE);
        for (bucket, from, to) in records {
            let key = (from.to_string().into_bytes(), to.to_string().into_bytes());
            let counts: &mut (u64, u64) = out.entry(key).or_default();
            counts.0 += u64::from((first..end).contains(bucket));
            counts.1 += u64::from((first - panes * PANE..first).contains(bucket));
        }
        out.retain(|_, (connections, _)| *connections > 0);
        out
    }

    fn records() -> impl Strategy<Value = Vec<(i64, u16, u16)>> {
        proptest::collection::vec((-20i64..20, 0u16..60, 0u16..9), 0..200)
    }

    #[test]
    fn the_view_of_an_open_window_has_nothing_that_is_counted_later() {
        let mut tally = tally(&[(0, 1, 1), (1, 1, 2)], 2);
        let (open, closed) = (tally.open_view(&layout(0, 1)), tally.view(&layout(0, 1)));
        // A pair that is known, one that is new, and one whose host has come since.
        [(0, 1, 1), (0, 2, 1), (3, 50, 1)].into_iter().for_each(|(at, from, to)| add(&mut tally, at, from, to));
        assert_eq!(plain(&open), oracle(&[(0, 1, 1), (1, 1, 2)], 0, 1));
        assert_eq!((open.total(), closed.total()), (2, 2));
    }

    proptest! {
        #[test]
        fn a_view_agrees_with_a_map(
            records in records(), first in -2i64..2, panes in 1i64..4, shards in prop_oneof![Just(1usize), Just(3)],
        ) {
            let mut tally = tally(&records, shards);
            let view = tally.view(&layout(first * PANE, panes));
            let expected = oracle(&records, first * PANE, panes);
            prop_assert_eq!(view.total(), expected.values().map(|counts| counts.0).sum::<u64>());
            let expected_again = expected.clone();
            prop_assert_eq!(plain(&view), expected);
            prop_assert_eq!(tally.show(&layout(first * PANE, panes), plain), expected_again);
            prop_assert_eq!(plain(&tally.view(&layout(first * PANE, panes))), plain(&view));
            prop_assert_eq!(plain(&tally.last_view(&layout(first * PANE, panes))), plain(&view));
        }

        #[test]
        fn what_is_before_a_pane_can_be_forgotten(records in records(), first in -3i64..4) {
            let mut tally = tally(&records, 2);
            tally.drop_before(first * PANE);
            tally.sweep();
            let later: Vec<_> = records.iter().filter(|record| record.0 >= first * PANE).copied().collect();
            prop_assert_eq!(plain(&tally.view(&layout(first * PANE, 3))), oracle(&later, first * PANE, 3));
            prop_assert_eq!(tally.first_from(i64::MIN), later.iter().map(|record| record.0).min());
        }
    }

    #[test]
    fn names_are_not_swept_while_all_are_in_use() {
        let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Arc::default());
        (0..2000).for_each(|host| tally.add(5, format!("{host}").as_bytes(), b"to", 1));
        tally.drop_before(5);
        assert!(!tally.needs_sweep());
        tally.drop_before(6);
        assert!(tally.needs_sweep());
        tally.sweep();
        assert!(!tally.needs_sweep());
    }

    #[test]
    fn names_of_dropped_panes_are_forgotten_and_bytes_given_back() {
        let budget = Arc::<Budget>::default();
        let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Arc::clone(&budget));
        let mut most = 0;
        for bucket in 0..100i64 {
            for host in 0..500 {
                tally.add(bucket, format!("{bucket}-{host}").as_bytes(), b"to", 1);
            }
            tally.drop_before(bucket);
            if tally.needs_sweep() {
                tally.sweep();
            }
            most = most.max(budget.used());
        }
        let names = tally.hosts.get_mut().names().len();
        assert!(names < 4_000, "{names} names are held");
        assert!(most < 1 << 20, "{most} bytes were taken");
        drop(tally.drain());
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn b13_counts_pass_32_bits() {
        let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        tally.add(0, b"a", b"b", u64::from(u32::MAX));
        tally.add(0, b"a", b"b", 2);
        let view = tally.view(&Layout { buckets: 1, ..layout(0, 1) });
        assert_eq!(plain(&view).into_values().next(), Some((u64::from(u32::MAX) + 2, 0)));
    }

    #[test]
    fn e10_panes_that_cannot_be_joined_within_the_budget_overflow() {
        let budget = Arc::new(Budget::new(Some(20_000)));
        let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::clone(&budget));
        for host in 0..300u32 {
            tally.add(i64::from(host % 2), host.to_string().as_bytes(), b"to", 1);
        }
        let layout = Layout { first_bucket: 0, buckets: 2, previous: false, ..layout(0, 1) };
        assert!(tally.bytes_to_join(&layout) > 0);
        let view = tally.view(&layout);
        assert_eq!(view.total(), 300);
        assert!(view.overflow() > 0);
        assert_eq!(view.overflow() + plain(&view).values().map(|counts| counts.0).sum::<u64>(), 300);
    }
}
