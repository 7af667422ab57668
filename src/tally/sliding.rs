//! The sums of the panes of a window that slides: for the next window, the panes that come are added
//! and those that go are taken off, so that a step costs the panes that change and not the window.
//!
//! There are two: the pairs, with the totals of their hosts; and the connections of hosts alone,
//! which cost a fraction and are all that some reports ask for. Where nothing more is counted into a
//! window, neither is moved on before somebody asks for it: by then others count again, and what no
//! report asks for is never made. A sum is kept once two windows in a row have most of their panes in
//! common. The view of a window shares it; if that is still held when the next one is asked for, the
//! sum is copied first. A pane that has changed since it was added is noticed, as counts only add up
//! and it holds more connections by now; then the sum is made anew. Numbers of hosts that were given
//! to others do no harm: what was added under a number is taken off under it.
//!
//! Not here: what a view is made of, and where memory is limited (`counts`): a sum takes as much
//! again as the panes, and is copied while a view holds it, so that there is none then. Invariant: a
//! sum that is given is that of all panes that there are of the window, and nobody changes it as long
//! as it is held.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::budget::Budget;
use super::pairs::PairHash;
use super::pane::Pane;
use super::totals::{Connections, Totals};
use crate::model::{Amount, MeasureSet};

/// The sums of the last window that was asked for, and of the one before it.
#[derive(Debug, Default)]
pub(super) struct RunningSums([Mutex<RunningSum>; 2]);

/// The panes of the last window that was asked for, and the sums that are kept.
#[derive(Debug, Default)]
struct RunningSum {
    /// From the first pane to before the end.
    last: Range<i64>,
    pairs: Option<KeptSum<PairSum>>,
    connections: Option<KeptSum<Arc<Connections>>>,
}

/// A sum, and the panes that it is made of.
#[derive(Debug)]
struct KeptSum<S> {
    sum: S,
    panes: BTreeMap<i64, FilledPane>,
}

/// A pane, and the connections that it holds or held when it was added.
#[derive(Debug, Clone)]
pub(super) struct FilledPane {
    pub pane: Arc<Pane>,
    pub connections: u64,
}

/// The panes that there are of a window, and what their sum is made with.
#[derive(Debug)]
pub(super) struct WindowPanes {
    pub panes: BTreeMap<i64, FilledPane>,
    /// The hosts of all pairs have numbers below this.
    pub hosts: usize,
    pub hash: PairHash,
    /// Of a pane.
    pub shards: usize,
    /// Which measures there are.
    pub measures: MeasureSet,
    /// Where the memory of sums comes from.
    pub budget: Arc<Budget>,
}

/// Pairs, and the totals of their hosts.
#[derive(Debug, Clone)]
struct PairSum {
    pane: Arc<Pane>,
    totals: Arc<Totals>,
}

/// What panes are added to and taken off from. What is given out shares it.
trait PaneSum: Clone {
    /// The sum of no panes.
    fn of_none(over: &WindowPanes) -> Self;

    /// Makes it one that nobody shares.
    fn make_own(&mut self);

    /// Adds a pane. All hosts have numbers below `hosts`.
    fn add(&mut self, pane: &Pane, hosts: usize);

    /// Takes a pane off. Gives its connections, or `None` if any of them was not there.
    fn take_off(&mut self, pane: &Pane) -> Option<u64>;

    /// Whether it is worth keeping once panes were taken off.
    fn is_worth_keeping(&self) -> bool;
}

impl RunningSums {
    /// Forgets all sums.
    pub fn forget(&self) {
        for sum in &self.0 {
            let mut sum = sum.lock();
            (sum.pairs, sum.connections) = (None, None);
        }
    }

    /// Moves on to the next window, numbered 0, or to the one before it, numbered 1. Gives whether
    /// anything is gained by keeping its sum.
    pub fn slide(&self, which: usize, window: &Range<i64>) -> bool {
        let mut sum = self.0[which].lock();
        let last = std::mem::replace(&mut sum.last, window.clone());
        let slides = slides(&last, window);
        if !slides {
            (sum.pairs, sum.connections) = (None, None);
        }
        slides
    }

    /// The sum of the panes of a window, kept among these.
    fn moved<S: PaneSum>(
        &self,
        which: usize,
        over: &WindowPanes,
        kept: impl Fn(&mut RunningSum) -> &mut Option<KeptSum<S>>,
    ) -> S {
        let before = kept(&mut self.0[which].lock()).take();
        let moved = before.and_then(|before| before.moved(over)).unwrap_or_else(|| KeptSum::of(over));
        let shared = moved.sum.clone();
        *kept(&mut self.0[which].lock()) = Some(moved);
        shared
    }
}

/// Whether a window has most of its panes in common with the last one, and enough of them for a sum
/// to pay.
fn slides(last: &Range<i64>, window: &Range<i64>) -> bool {
    let panes = window.end - window.start;
    let common = last.end.min(window.end) - last.start.max(window.start);
    panes > 2 && common > panes / 2
}

impl WindowPanes {
    fn empty(&self) -> Pane {
        Pane::new(self.hash, self.shards, self.measures, &self.budget)
    }
}

impl<S: PaneSum> KeptSum<S> {
    /// The sum of the panes of a window, added one after the other.
    fn of(over: &WindowPanes) -> Self {
        KeptSum { sum: S::of_none(over), panes: BTreeMap::new() }.with(over)
    }

    /// This sum as that of another window; `None` if that has to be made anew.
    fn moved(mut self, over: &WindowPanes) -> Option<Self> {
        // Of a pane that was dropped, the number may stand for another one.
        let stays = |(number, added): &(i64, FilledPane)| {
            over.panes.get(number).is_some_and(|now| Arc::ptr_eq(&now.pane, &added.pane))
        };
        let (panes, going): (BTreeMap<_, _>, BTreeMap<_, _>) = self.panes.into_iter().partition(stays);
        if panes.iter().any(|(number, added)| over.panes[number].connections != added.connections) {
            return None;
        }
        self.sum.make_own();
        for FilledPane { pane, connections } in going.into_values() {
            if self.sum.take_off(&pane) != Some(connections) {
                return None;
            }
        }
        let moved = KeptSum { panes, ..self }.with(over);
        moved.sum.is_worth_keeping().then_some(moved)
    }

    /// This sum with the panes of a window that are not in it yet.
    fn with(mut self, over: &WindowPanes) -> Self {
        for (&number, filled) in &over.panes {
            if !self.panes.contains_key(&number) {
                self.sum.add(&filled.pane, over.hosts);
                self.panes.insert(number, filled.clone());
            }
        }
        self
    }
}

impl PaneSum for PairSum {
    fn of_none(over: &WindowPanes) -> Self {
        PairSum { pane: Arc::new(over.empty()), totals: Arc::new(Totals::new(over.hosts)) }
    }

    fn make_own(&mut self) {
        if Arc::get_mut(&mut self.pane).is_none() {
            self.pane = Arc::new(self.pane.copied());
        }
    }

    fn add(&mut self, pane: &Pane, hosts: usize) {
        let totals = Arc::make_mut(&mut self.totals);
        totals.reach(hosts);
        if self.pane.measures().is_empty() {
            return self.pane.absorb(pane, |from, to, count, is_new| totals.add(from, to, count, is_new));
        }
        totals.reach_sums(hosts);
        self.pane.absorb(pane, |from, to, amount: Amount, is_new| {
            totals.add(from, to, amount.connections, is_new);
            totals.add_sums(from, to, amount.sums);
        });
    }

    fn take_off(&mut self, pane: &Pane) -> Option<u64> {
        let totals = Arc::make_mut(&mut self.totals);
        if self.pane.measures().is_empty() {
            return self.pane.take_off(pane, |from, to, count, is_gone| totals.take_off(from, to, count, is_gone));
        }
        self.pane.take_off(pane, |from, to, amount: Amount, is_gone| {
            totals.take_off(from, to, amount.connections, is_gone);
            totals.take_off_sums(from, to, amount.sums);
        })
    }

    fn is_worth_keeping(&self) -> bool {
        !self.pane.is_mostly_empty()
    }
}

impl PaneSum for Arc<Connections> {
    fn of_none(_: &WindowPanes) -> Self {
        Arc::default()
    }

    fn make_own(&mut self) {
        Arc::make_mut(self);
    }

    fn add(&mut self, pane: &Pane, hosts: usize) {
        let connections = Arc::make_mut(self);
        connections.reach(hosts);
        pane.for_each(|from, to, count| connections.add(from, to, count));
    }

    fn take_off(&mut self, pane: &Pane) -> Option<u64> {
        let (connections, mut sum, mut were_there) = (Arc::make_mut(self), pane.overflowed(), true);
        pane.for_each(|from, to, count| {
            sum += count;
            were_there &= connections.take_off(from, to, count);
        });
        were_there.then_some(sum)
    }

    fn is_worth_keeping(&self) -> bool {
        true
    }
}

/// The panes of a window as one.
#[derive(Debug)]
pub struct Joined(WhenJoined);

#[derive(Debug)]
enum WhenJoined {
    Now(Made),
    /// When it is first asked for: the sum of panes in which nothing changes any more.
    Later(Box<LaterSum>),
}

#[derive(Debug)]
struct Made {
    pane: Arc<Pane>,
    /// If they are known.
    totals: Option<Arc<Totals>>,
}

#[derive(Debug)]
struct LaterSum {
    sums: Arc<RunningSums>,
    which: usize,
    over: WindowPanes,
    made: OnceLock<Made>,
}

impl Joined {
    /// The sum of the panes of window 0 or 1.
    pub(super) fn summed(sums: &RunningSums, which: usize, over: &WindowPanes) -> Self {
        Joined(WhenJoined::Now(sums.moved(which, over, |sum| &mut sum.pairs).into()))
    }

    /// The same, made later.
    pub(super) fn later(sums: &Arc<RunningSums>, which: usize, over: WindowPanes) -> Self {
        let later = LaterSum { sums: Arc::clone(sums), which, over, made: OnceLock::new() };
        Joined(WhenJoined::Later(Box::new(later)))
    }

    /// All pairs.
    pub fn pane(&self) -> &Arc<Pane> {
        &self.made().pane
    }

    /// The totals of their hosts, if they come with them.
    pub(super) fn totals(&self) -> Option<Arc<Totals>> {
        self.made().totals.clone()
    }

    /// The connections of their hosts, if they are known with less effort than the pairs.
    pub(super) fn connections(&self) -> Option<Arc<Connections>> {
        match &self.0 {
            WhenJoined::Later(later) if later.made.get().is_none() => {
                Some(later.sums.moved(later.which, &later.over, |sum| &mut sum.connections))
            }
            _ => None,
        }
    }

    /// Connections that are counted without their pair.
    pub(super) fn overflowed(&self) -> u64 {
        match &self.0 {
            WhenJoined::Now(made) => made.pane.overflowed(),
            WhenJoined::Later(sum) => sum.over.panes.values().map(|filled| filled.pane.overflowed()).sum(),
        }
    }

    fn made(&self) -> &Made {
        match &self.0 {
            WhenJoined::Now(made) => made,
            WhenJoined::Later(later) => {
                later.made.get_or_init(|| later.sums.moved(later.which, &later.over, |sum| &mut sum.pairs).into())
            }
        }
    }
}

impl From<Arc<Pane>> for Joined {
    fn from(pane: Arc<Pane>) -> Self {
        Joined(WhenJoined::Now(pane.into()))
    }
}

impl From<Arc<Pane>> for Made {
    fn from(pane: Arc<Pane>) -> Self {
        Made { pane, totals: None }
    }
}

impl From<PairSum> for Made {
    fn from(sum: PairSum) -> Self {
        Made { pane: sum.pane, totals: Some(sum.totals) }
    }
}

#[cfg(test)]
mod tests;
