//! Drops the names that no pane holds, a little at a time, while counting goes on.
//!
//! First the hosts of all pairs are marked, shard by shard; whoever counts a pair meanwhile marks
//! its hosts too. Then the names without a mark are dropped, one shard of hosts after the other.
//! Numbers stay, so that no pair is touched, and those of dropped names are given out again.
//! Invariant: while nobody counts, every host of a pair has a mark, or the shard of the pair is
//! still to be looked through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::host::Hosts;
use super::host_table::SHARDS;
use super::names::BLOCK;
use super::names::HostId;
use super::pane::Pane;

/// Hosts with lower numbers are never dropped: their pairs are counted apart, in tables that nobody
/// looks through.
pub const ALWAYS_KEPT: usize = 256;

/// Blocks of names that are cleared at a time.
const BLOCKS: usize = (1 << 16) / BLOCK;

/// By number of a host: whether its name is in use. The names of hosts beyond the last are in use
/// too.
#[derive(Debug)]
pub struct Marks(Box<[AtomicU64]>);

impl Marks {
    /// No marks, for hosts with numbers below `end`.
    fn new(end: usize) -> Self {
        let marks = Marks((0..end.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        (0..ALWAYS_KEPT as u32).for_each(|id| marks.set(HostId(id)));
        marks
    }

    /// Marks both hosts of a pair.
    #[inline]
    pub fn set_pair(&self, from: HostId, to: HostId) {
        self.set(from);
        self.set(to);
    }

    fn set(&self, id: HostId) {
        let bit = 1 << (id.0 % 64);
        // Most hosts are marked many times, by all workers.
        if let Some(word) = self.0.get(id.0 as usize / 64)
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn has(&self, id: HostId) -> bool {
        self.0.get(id.0 as usize / 64).is_none_or(|word| word.load(Ordering::Relaxed) & (1 << (id.0 % 64)) != 0)
    }
}

/// A sweep that is under way. One that is given up leaves the tally as it was.
#[derive(Debug)]
pub struct Sweep {
    pub(super) marks: Arc<Marks>,
    /// What is to be looked through: panes, each with its next shard. Those that the tally drops
    /// meanwhile are gone.
    panes: Vec<(Weak<Pane>, usize)>,
    next: NextDrop,
}

/// What is dropped next.
#[derive(Debug, Clone, Copy)]
enum NextDrop {
    /// The names of a shard.
    Shard(usize),
    /// What they have left in the blocks from this one on.
    Block(usize),
}

impl Sweep {
    /// A sweep over hosts with numbers below `end`, whose pairs are in these panes.
    pub(super) fn new(end: usize, panes: impl Iterator<Item = Weak<Pane>>) -> Self {
        Sweep {
            marks: Arc::new(Marks::new(end)),
            panes: panes.map(|pane| (pane, 0)).collect(),
            next: NextDrop::Shard(0),
        }
    }

    /// Marks the hosts of the next shard's pairs, which nobody changes meanwhile. Gives whether
    /// there was one.
    pub fn mark_some(&mut self) -> bool {
        while let Some((pane, next)) = self.panes.last_mut() {
            if let Some(pane) = pane.upgrade()
                && let Some(shard) = pane.shards().get(*next)
            {
                shard.read().for_each_place(|from, to| self.marks.set_pair(from, to));
                *next += 1;
                return true;
            }
            self.panes.pop();
        }
        false
    }

    /// Once all is marked: drops the names of a shard that have no mark, or clears away some of
    /// what they have left. Gives whether there is more to do.
    pub(super) fn drop_some(&mut self, hosts: &mut Hosts) -> bool {
        let next = match self.next {
            NextDrop::Shard(shard) => {
                hosts.drop_names(shard, |id| self.marks.has(id));
                Some(if shard + 1 < SHARDS { NextDrop::Shard(shard + 1) } else { NextDrop::Block(0) })
            }
            NextDrop::Block(first) => hosts.clear_away(first, BLOCKS).map(NextDrop::Block),
        };
        self.next = next.unwrap_or(self.next);
        next.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::tally::Shape;
    use crate::tally::{Budget, Tally};

    const SHAPE: Shape = Shape { pane: 1, shards: 2 };

    /// What may happen to a tally.
    #[derive(Debug, Clone)]
    enum Event {
        /// Connections of a bucket.
        Add(i64, Vec<(u16, u16)>),
        /// A host is met, and there are no bytes left for its pair.
        Meet(u16),
        DropBefore(i64),
        Start,
        /// So many steps of the sweep that is under way.
        Step(usize),
        Restore,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => (0i64..6, proptest::collection::vec((0u16..30, 0u16..30), 1..12)).prop_map(|(b, pairs)| Event::Add(b, pairs)),
            1 => (0u16..30).prop_map(Event::Meet),
            1 => (0i64..6).prop_map(Event::DropBefore),
            2 => Just(Event::Start),
            4 => (1usize..25).prop_map(Event::Step),
            1 => Just(Event::Restore),
        ];
        proptest::collection::vec(event, 0..40)
    }

    fn name(host: u16) -> Vec<u8> {
        if host.is_multiple_of(3) { format!("a-long-name-of-a-host-{host}") } else { format!("h{host}") }.into_bytes()
    }

    /// A tally and the map that it has to agree with.
    struct Both {
        tally: Tally,
        sweep: Option<Sweep>,
        map: BTreeMap<(i64, Vec<u8>, Vec<u8>), u64>,
    }

    impl Both {
        /// With so many hosts that are never dropped.
        fn new() -> Self {
            let mut both = Both { tally: empty(), sweep: None, map: BTreeMap::new() };
            (0..ALWAYS_KEPT).for_each(|host| both.meet(format!("kept{host}").as_bytes()));
            both
        }

        fn meet(&mut self, name: &[u8]) {
            let budget = Arc::clone(self.tally.budget());
            self.tally.hosts().write().intern_within(name, &budget).unwrap();
        }

        fn happens(&mut self, event: Event) {
            match event {
                Event::Add(bucket, pairs) => {
                    for (from, to) in pairs {
                        self.tally.add(bucket, &name(from), &name(to), 1);
                        *self.map.entry((bucket, name(from), name(to))).or_default() += 1;
                    }
                }
                Event::Meet(host) => self.meet(&name(host)),
                Event::DropBefore(bucket) => {
                    self.tally.drop_before(bucket);
                    self.map.retain(|(of, ..), _| *of >= bucket);
                }
                Event::Start => self.sweep = Some(self.tally.start_sweep()),
                Event::Step(steps) => (0..steps).for_each(|_| self.step()),
                Event::Restore => self.restore(),
            }
        }

        fn step(&mut self) {
            if let Some(sweep) = &mut self.sweep
                && !sweep.mark_some()
                && !self.tally.drop_some(sweep)
            {
                self.sweep = None;
            }
        }

        /// What is written out by number is read back.
        fn restore(&mut self) {
            let restored = empty();
            {
                let (old, mut new) = (self.tally.hosts().read(), restored.hosts().write());
                (0..old.names().end() as u32)
                    .for_each(|id| new.restore(old.names().get(HostId(id)).unwrap_or_default()));
                restored.budget().take_anyway(new.bytes());
            }
            for (number, pane) in self.tally.panes() {
                let new = restored.pane(number);
                pane.for_each(|from, to, count| new.add_anyway(from, to, count));
            }
            (self.tally, self.sweep) = (restored, None);
        }

        fn check(&self) {
            let hosts = self.tally.hosts().read();
            let mut map = BTreeMap::new();
            for (number, pane) in self.tally.panes() {
                pane.for_each(|from, to, count| {
                    let name = |id| hosts.names().get(id).expect("a host of a pair has a name").to_vec();
                    assert_eq!(map.insert((number, name(from), name(to)), count), None, "a pair came twice");
                });
            }
            assert_eq!(map, self.map);
            assert!(hosts.names().iter().all(|(id, name)| hosts.find(name) == Some(id) && !name.is_empty()));
            let panes: usize = self.tally.panes().iter().map(|(_, pane)| pane.bytes() + 256).sum();
            assert_eq!(self.tally.budget().used(), hosts.bytes() + panes);
        }
    }

    fn empty() -> Tally {
        Tally::new(SHAPE, Arc::<Budget>::default())
    }

    proptest! {
        #[test]
        fn whatever_happens_while_names_are_dropped_those_in_use_stay_and_no_others(events in events()) {
            let mut both = Both::new();
            for event in events {
                both.happens(event);
                both.check();
            }
            both.tally.sweep();
            both.check();
            let left: BTreeSet<Vec<u8>> =
                both.tally.hosts().read().names().iter().map(|(_, name)| name.to_vec()).collect();
            let in_use = both.map.keys().flat_map(|(_, from, to)| [from.clone(), to.clone()]);
            let kept = (0..ALWAYS_KEPT).map(|host| format!("kept{host}").into_bytes());
            prop_assert_eq!(left, in_use.chain(kept).collect());
            let budget = Arc::clone(both.tally.budget());
            drop(both.tally.drain());
            prop_assert_eq!(budget.used(), 0);
        }
    }

    #[test]
    fn numbers_of_dropped_names_are_given_out_again() {
        let mut tally = empty();
        for bucket in 0..50 {
            (0..1_000).for_each(|host| tally.add(bucket, format!("{bucket}-{host}").as_bytes(), b"to", 1));
            tally.drop_before(bucket);
            tally.sweep();
        }
        let end = tally.hosts().read().names().end();
        assert!(end < 2_500, "{end} numbers");
        tally.drop_before(50);
        tally.sweep();
        assert_eq!(tally.hosts().read().names().end(), ALWAYS_KEPT);
    }

    #[test]
    fn a_sweep_is_given_up_when_all_is_taken_out() {
        let mut tally = empty();
        (0..2_000).for_each(|host| tally.add(0, format!("{host}").as_bytes(), b"to", 1));
        let mut sweep = tally.start_sweep();
        tally.drop_before(1);
        while sweep.mark_some() {}
        drop(tally.drain());
        (0..2_000).for_each(|host| tally.add(1, format!("new{host}").as_bytes(), b"to", 1));
        assert!(!tally.drop_some(&mut sweep));
        assert_eq!(tally.hosts().read().names().len(), 2_001);
    }
}
