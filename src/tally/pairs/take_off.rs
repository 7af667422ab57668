//! Takes counts off a table of pairs again, and pairs out of it that have none left.
//!
//! A search for a pair ends at the first bucket that is not full. So the place of a pair that goes
//! is filled with one from further on that had found no room before. Invariant: as that of the
//! table, and all buckets from the one that a pair's hash tells to the one that it is in are full,
//! the last perhaps aside.

use super::{Bucket, CARRIED, EACH_CARRIED, PairTable, fitting};
use crate::model::Countable;
use crate::tally::budget::Budget;
use crate::tally::names::HostId;

impl PairTable {
    /// Takes this much off the count of a pair. Gives whether it was there; if not, nothing is
    /// taken off.
    pub fn take_off(&mut self, hash: u64, from: HostId, to: HostId, what: impl Countable, budget: &Budget) -> bool {
        let count = what.amount().connections;
        let Some((at, place)) = self.find(hash, from, to) else { return false };
        let Some(left) = self.count(&self.buckets[at], place).checked_sub(count) else { return false };
        if !self.sums.take_off((at, place), what) {
            return false;
        }
        let here = &mut self.buckets[at].count[place];
        let was_carried = *here & CARRIED != 0;
        *here = fitting(left).unwrap_or(CARRIED);
        if *here == CARRIED {
            // More than a bucket holds was there before.
            self.carried.entry((from, to)).and_modify(|carried| *carried = left);
        } else if was_carried {
            self.carried.remove(&(from, to));
            budget.give_back(EACH_CARRIED);
        }
        if left == 0 {
            self.remove(at, place);
        }
        true
    }

    /// The bucket and the place in it of a pair of this hash.
    fn find(&self, hash: u64, from: HostId, to: HostId) -> Option<(usize, usize)> {
        let mut at = self.place(hash);
        loop {
            let bucket = self.buckets.get(at)?;
            if let Some(place) = bucket.find(from, to) {
                return Some((at, place));
            }
            if !bucket.is_full() {
                return None;
            }
            at = self.behind(at);
        }
    }

    /// Takes out the pair at a place.
    fn remove(&mut self, mut at: usize, mut place: usize) {
        self.taken -= 1;
        loop {
            let was_full = self.buckets[at].is_full();
            let last = self.buckets[at].close_up(place);
            self.sums.move_to((at, last), (at, place));
            let filler = if was_full { self.passed_by(at) } else { None };
            let Some((further, filling)) = filler else { return };
            let Bucket { from, to, count, .. } = self.buckets[further];
            self.buckets[at].push(from[filling], to[filling], count[filling]);
            self.sums.move_to((further, filling), (at, self.buckets[at].taken as usize - 1));
            (at, place) = (further, filling);
        }
    }

    /// A pair behind a bucket that was full until now, which would have been there if it had not.
    fn passed_by(&self, at: usize) -> Option<(usize, usize)> {
        let behind = |from: usize, to: usize| if to >= from { to - from } else { to + self.buckets.len() - from };
        let mut further = self.behind(at);
        while further != at {
            let bucket = &self.buckets[further];
            let passed = |&place: &usize| {
                let home = self.place(self.hash.of(HostId(bucket.from[place]), HostId(bucket.to[place])));
                behind(home, further) >= behind(at, further)
            };
            if let Some(place) = (0..bucket.taken as usize).find(passed) {
                return Some((further, place));
            }
            if !bucket.is_full() {
                return None;
            }
            further = self.behind(further);
        }
        None
    }
}

impl Bucket {
    /// Frees a place; the last pair of the bucket comes there. Gives where that was.
    fn close_up(&mut self, place: usize) -> usize {
        self.taken -= 1;
        let last = self.taken as usize;
        self.from[place] = self.from[last];
        self.to[place] = self.to[last];
        self.count[place] = self.count[last];
        last
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::PairHash;
    use super::*;

    proptest! {
        #[test]
        fn adding_and_taking_off_agree_with_a_map(
            steps in proptest::collection::vec(
                (any::<bool>(), 0u32..25, 0u32..6, prop_oneof![1u64..4, 32_766u64..32_770, Just(u64::from(u32::MAX))]),
                0..900,
            ),
        ) {
            let (mut table, mut map) = (PairTable::new(PairHash::default()), BTreeMap::<(u32, u32), u64>::new());
            let budget = Budget::default();
            for (adds, from, to, count) in steps {
                let (pair, hash) = ((from, to), table.hash.of(HostId(from), HostId(to)));
                if adds {
                    prop_assert!(table.add(hash, HostId(from), HostId(to), count, &budget));
                    *map.entry(pair).or_default() += count;
                    continue;
                }
                let left = map.get(&pair).and_then(|there| there.checked_sub(count));
                prop_assert_eq!(table.take_off(hash, HostId(from), HostId(to), count, &budget), left.is_some());
                match left {
                    Some(0) => _ = map.remove(&pair),
                    Some(left) => _ = map.insert(pair, left),
                    None => {}
                }
                prop_assert_eq!(table.len(), map.len());
                for (&(from, to), &count) in &map {
                    let (from, to) = (HostId(from), HostId(to));
                    prop_assert_eq!(table.get(table.hash.of(from, to), from, to), count);
                }
            }
            let mut left = BTreeMap::new();
            table.for_each(|from, to, count| assert_eq!(left.insert((from.0, to.0), count), None, "a pair came twice"));
            prop_assert_eq!(left, map);
            prop_assert_eq!(budget.used(), table.bytes());
        }
    }

    #[test]
    fn a_full_table_gives_all_its_pairs_out_again_in_any_order() {
        let hash = PairHash::default();
        for step in [1, 7, 11] {
            let (mut table, budget) = (PairTable::new(hash), Budget::new(Some(0)));
            // More than four places of five: most buckets are full.
            let add = |table: &mut PairTable, at| table.add_anyway(hash.of(at, at), at, at, 1, &budget);
            (0..5_000).for_each(|at| add(&mut table, HostId(at)));
            for at in (0..5_000).map(|at| HostId(at * step % 5_000)) {
                assert!(table.take_off(hash.of(at, at), at, at, 1, &budget), "{at:?} by steps of {step}");
            }
            assert!(table.is_empty() && table.buckets.iter().all(|bucket| bucket.taken == 0));
        }
    }
}
