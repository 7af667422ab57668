//! Pairs of hosts, counted: one table with open addressing, many of which make up a pane.
//!
//! Invariant: each pair is there at most once, with a count above 0.

use std::collections::HashMap;

use super::budget::Budget;
use super::host::HostId;

/// Connections per pair of hosts. The simple version, against which this one is tested, is a map.
#[derive(Debug)]
pub struct PairTable {
    hash: PairHash,
    /// A pair is at its place or, where that is taken, at the first free slot behind it, the first one following the last.
    slots: Vec<Slot>,
    taken: usize,
    /// What a count has beyond 32 bits, and what it held when it passed them.
    carried: HashMap<(HostId, HostId), u64, ahash::RandomState>,
}

/// A pair and its count; free if the count is 0.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    from: u32,
    to: u32,
    count: u32,
}

/// How pairs are hashed: keyed at random, so that no log can be made to flood one place.
#[derive(Debug, Clone, Copy)]
pub struct PairHash {
    seeds: [u64; 2],
}

impl Default for PairHash {
    fn default() -> Self {
        let hasher = ahash::RandomState::new();
        PairHash { seeds: [hasher.hash_one(1), hasher.hash_one(2) | 1] }
    }
}

impl PairHash {
    /// The hash of a pair, all of whose bits are good. (Folded multiplication, as in wyhash, by Wang Yi.)
    #[inline]
    pub fn of(&self, from: HostId, to: HostId) -> u64 {
        let pair = u64::from(from.0) << 32 | u64::from(to.0);
        let product = u128::from(pair ^ self.seeds[0]) * u128::from(self.seeds[1]);
        product as u64 ^ (product >> 64) as u64
    }
}

/// Which of `count` places the upper half of a hash is for. Any number of places does, not only powers of two.
#[inline]
pub fn shard(hash: u64, count: usize) -> usize {
    ((hash >> 32) * count as u64 >> 32) as usize
}

/// Slots of a table that is not empty, at least.
const FIRST_SLOTS: usize = 16;

impl PairTable {
    /// An empty table of pairs that are hashed so.
    pub fn new(hash: PairHash) -> Self {
        PairTable { hash, slots: Vec::new(), taken: 0, carried: Default::default() }
    }

    /// Adds to the count of a pair of this hash. Whether there was room: one that is not there yet may need more bytes
    /// than are left.
    #[inline]
    pub fn add(&mut self, hash: u64, from: HostId, to: HostId, count: u64, budget: &Budget) -> bool {
        let mut at = self.place(hash);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.count == 0 {
                break;
            }
            if (slot.from, slot.to) == (from.0, to.0) {
                match u32::try_from(u64::from(slot.count) + count) {
                    Ok(sum) => slot.count = sum,
                    Err(_) => self.carry(at, count),
                }
                return true;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        self.insert(at, hash, from, to, count, budget)
    }

    /// The count of a pair of this hash; 0 if it is not there.
    pub fn get(&self, hash: u64, from: HostId, to: HostId) -> u64 {
        let mut at = self.place(hash);
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.count > 0) {
            if (slot.from, slot.to) == (from.0, to.0) {
                return self.count(slot);
            }
            at = self.behind(at);
        }
        0
    }

    /// Reads where a pair of this hash would be, so that it is near when it is added. What it gives has no meaning.
    #[inline]
    pub fn touch(&self, hash: u64) -> u32 {
        self.slots.get(self.place(hash)).map_or(0, |slot| slot.from)
    }

    /// Calls `f` with each pair and its count, in no order.
    #[inline]
    pub fn for_each(&self, mut f: impl FnMut(HostId, HostId, u64)) {
        for slot in self.slots.iter().filter(|slot| slot.count > 0) {
            f(HostId(slot.from), HostId(slot.to), self.count(slot));
        }
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.taken
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Bytes that the table takes.
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        ((hash & u64::from(u32::MAX)) * self.slots.len() as u64 >> 32) as usize
    }

    fn count(&self, slot: &Slot) -> u64 {
        let carried = if self.carried.is_empty() {
            0
        } else {
            self.carried.get(&(HostId(slot.from), HostId(slot.to))).copied().unwrap_or(0)
        };
        u64::from(slot.count) + carried
    }

    /// Counts beyond 32 bits, of which few pairs have so many.
    #[cold]
    fn carry(&mut self, at: usize, count: u64) {
        let slot = &mut self.slots[at];
        // All but one, as a slot without a count is free.
        *self.carried.entry((HostId(slot.from), HostId(slot.to))).or_default() += u64::from(slot.count) - 1 + count;
        slot.count = 1;
    }

    /// Puts a pair that is not there yet into a free slot, which is the one at `at` unless the table has to grow.
    fn insert(&mut self, mut at: usize, hash: u64, from: HostId, to: HostId, count: u64, budget: &Budget) -> bool {
        // A fifth stays free: the way to a free slot is short, and there always is one.
        if 5 * (self.taken + 1) > 4 * self.slots.len() {
            if !self.grow(budget) {
                return false;
            }
            at = self.place(hash);
            while self.slots[at].count > 0 {
                at = self.behind(at);
            }
        }
        self.taken += 1;
        self.slots[at] = Slot { from: from.0, to: to.0, count: 1 };
        if count > 1 {
            match u32::try_from(count) {
                Ok(count) => self.slots[at].count = count,
                Err(_) => self.carry(at, count - 1),
            }
        }
        true
    }

    /// Half as many slots again, which wastes less than twice as many. Whether there are bytes for them.
    #[cold]
    fn grow(&mut self, budget: &Budget) -> bool {
        let wider = (self.slots.len() + self.slots.len() / 2).max(FIRST_SLOTS);
        if !budget.take((wider - self.slots.len()) * size_of::<Slot>()) {
            return false;
        }
        let narrow = std::mem::replace(&mut self.slots, vec![Slot::default(); wider]);
        for slot in narrow.into_iter().filter(|slot| slot.count > 0) {
            let mut at = self.place(self.hash.of(HostId(slot.from), HostId(slot.to)));
            while self.slots[at].count > 0 {
                at = self.behind(at);
            }
            self.slots[at] = slot;
        }
        true
    }

    /// The slot behind this one.
    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Plain = BTreeMap<(u32, u32), u64>;

    fn plain(table: &PairTable) -> Plain {
        let mut out = Plain::new();
        table.for_each(|from, to, count| assert_eq!(out.insert((from.0, to.0), count), None, "a pair is there twice"));
        out
    }

    fn add(table: &mut PairTable, (from, to): (u32, u32), count: u64, budget: &Budget) -> bool {
        let (from, to) = (HostId(from), HostId(to));
        table.add(table.hash.of(from, to), from, to, count, budget)
    }

    proptest! {
        #[test]
        fn counting_agrees_with_a_map(
            pairs in proptest::collection::vec((0u32..40, 0u32..40, prop_oneof![Just(1u64), Just(u64::from(u32::MAX)), 2..9u64]), 0..500),
        ) {
            let (mut table, mut oracle, budget) = (PairTable::new(PairHash::default()), Plain::new(), Budget::default());
            for &(from, to, count) in &pairs {
                prop_assert!(add(&mut table, (from, to), count, &budget));
                *oracle.entry((from, to)).or_default() += count;
            }
            prop_assert_eq!(table.len(), oracle.len());
            for (from, to) in (0..40).flat_map(|from| (0..40).map(move |to| (from, to))) {
                let (hash, expected) = (table.hash.of(HostId(from), HostId(to)), oracle.get(&(from, to)));
                prop_assert_eq!(table.get(hash, HostId(from), HostId(to)), expected.copied().unwrap_or(0));
            }
            prop_assert_eq!(plain(&table), oracle);
            prop_assert_eq!(budget.used(), table.bytes());
        }
    }

    #[test]
    fn e10_a_table_that_may_not_grow_counts_the_pairs_that_it_has() {
        let (mut table, budget) = (PairTable::new(PairHash::default()), Budget::new(Some(100 * size_of::<Slot>())));
        let known = (0..1_000).filter(|&from| add(&mut table, (from, 0), 1, &budget)).count();
        assert!((40..=80).contains(&known), "{known} pairs of at most 80 in 100 slots");
        let again = (0..1_000).filter(|&from| add(&mut table, (from, 0), 1, &budget)).count();
        assert_eq!(again, known);
        assert!(plain(&table).values().all(|count| *count == 2));
        assert!(budget.used() <= 100 * size_of::<Slot>());
    }

    #[test]
    fn shards_share_the_hashes_evenly() {
        let (hash, mut counts) = (PairHash::default(), [0; 7]);
        for pair in 0..70_000u32 {
            counts[shard(hash.of(HostId(pair / 100), HostId(pair % 100)), counts.len())] += 1;
        }
        assert!(counts.iter().all(|count| (9_000..11_000).contains(count)), "{counts:?}");
    }
}
