//! The sums of the measures of pairs, which lie beside the buckets of their table, place by place.
//!
//! Not here: which pair is in which place (`pairs`). Invariant: without measures there is nothing here,
//! and no work; a place that no pair is in is at 0, so that a pair without sums needs no look at it.

use crate::model::{Countable, MeasureSet, PerMeasure};

/// Places of a bucket: as many as fit a line of the cache.
pub(super) const PLACES: usize = 6;

/// Where a pair is: its bucket, and the place in it.
pub(super) type SumsPlace = (usize, usize);

/// The sums of all places.
#[derive(Debug, Clone, Default)]
pub(super) struct PairSums {
    measures: MeasureSet,
    sums: Vec<u64>,
}

impl PairSums {
    /// Of no places yet, with these measures.
    pub fn new(measures: MeasureSet) -> Self {
        PairSums { measures, sums: Vec::new() }
    }

    pub fn measures(&self) -> MeasureSet {
        self.measures
    }

    /// Bytes of the sums of a bucket.
    pub fn bytes_of_a_bucket(&self) -> usize {
        PLACES * self.measures.len() * size_of::<u64>()
    }

    /// Makes room for this many buckets, all at 0. Gives what was there.
    pub fn widen(&mut self, buckets: usize) -> PairSums {
        let wider = vec![0; buckets * PLACES * self.measures.len()];
        PairSums { measures: self.measures, sums: std::mem::replace(&mut self.sums, wider) }
    }

    fn at(&self, (bucket, place): SumsPlace) -> usize {
        (bucket * PLACES + place) * self.measures.len()
    }

    fn of(&self, slot: SumsPlace) -> &[u64] {
        let at = self.at(slot);
        self.sums.get(at..at + self.measures.len()).unwrap_or_default()
    }

    fn of_mut(&mut self, slot: SumsPlace) -> &mut [u64] {
        let at = self.at(slot);
        self.sums.get_mut(at..at + self.measures.len()).unwrap_or_default()
    }

    /// The sums of a pair.
    pub fn get(&self, slot: SumsPlace) -> PerMeasure {
        let mut all = PerMeasure::default();
        self.measures.places().zip(self.of(slot)).for_each(|(place, number)| all.0[place] = *number);
        all
    }

    /// Adds to those of a pair, which may be new to its place.
    #[inline(always)]
    pub fn add<A: Countable>(&mut self, slot: SumsPlace, what: A) {
        if A::HAS_SUMS {
            let (places, more) = (self.measures.places(), what.amount().sums);
            let mine = self.of_mut(slot).iter_mut().zip(places);
            mine.for_each(|(mine, place)| PerMeasure::add_at(mine, place, more.get(place)));
        }
    }

    /// Takes off those of a pair, but for times. Gives whether they were there; if not, nothing is taken off.
    #[inline(always)]
    pub fn take_off<A: Countable>(&mut self, slot: SumsPlace, what: A) -> bool {
        if !A::HAS_SUMS {
            return true;
        }
        let off = what.amount().sums;
        let sums = self.measures.sums();
        let were_there = self.of(slot).iter().zip(off.0).take(sums).all(|(mine, off)| *mine >= off);
        if were_there {
            self.of_mut(slot).iter_mut().zip(off.0).take(sums).for_each(|(mine, off)| *mine -= off);
        }
        were_there
    }

    /// Moves those of the last pair of a bucket to another place. Where it is there already, it is the
    /// one that goes.
    pub fn move_to(&mut self, from: SumsPlace, to: SumsPlace) {
        if !self.measures.is_empty() {
            let (last, to) = (self.at(from), self.at(to));
            self.sums.copy_within(last..last + self.measures.len(), to);
            self.of_mut(from).fill(0);
        }
    }

    /// Takes those of a pair over that was in a place of another table.
    pub fn take_over(&mut self, other: &PairSums, from: SumsPlace, to: SumsPlace) {
        self.of_mut(to).copy_from_slice(other.of(from));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{PairHash, PairTable};
    use crate::model::{Amount, MeasureSet, PerMeasure};
    use crate::tally::budget::Budget;
    use crate::tally::names::HostId;

    type Plain = BTreeMap<(u32, u32), Amount>;

    fn plain(table: &PairTable) -> Plain {
        let mut out = Plain::new();
        table.for_each_amount(|from, to, amount| assert_eq!(out.insert((from.0, to.0), amount), None, "twice"));
        out
    }

    fn amount(connections: u64, sums: [u64; 4], measures: usize) -> Amount {
        Amount { connections, sums: PerMeasure::of(&sums[..measures]) }
    }

    proptest! {
        #[test]
        fn sums_agree_with_a_map_whatever_comes_and_goes(
            steps in proptest::collection::vec(
                (0u8..5, 0u32..25, 0u32..6, 1u64..40_000, proptest::array::uniform4(0u64..1 << 50)),
                0..600,
            ),
            measures in 0usize..=4,
            limited: bool,
        ) {
            let hash = PairHash::default();
            let (mut table, mut map) = (PairTable::with_measures(hash, MeasureSet::of_sums(measures)), Plain::new());
            let budget = Budget::new(limited.then_some(3_000));
            for (what, from, to, count, sums) in steps {
                let (pair, amount) = ((from, to), amount(count, sums, measures));
                let (from, to) = (HostId(from), HostId(to));
                let hash = hash.of(from, to);
                match what {
                    // All of a pair goes, or more than there is.
                    0 => {
                        let all = map.remove(&pair);
                        let off = all.unwrap_or(amount);
                        prop_assert_eq!(table.take_off(hash, from, to, off, &budget), all.is_some());
                    }
                    // A part of it.
                    1 => {
                        let there = map.get(&pair).copied().unwrap_or_default();
                        let fits = there.connections > count && amount.sums.is_within(&there.sums);
                        if !fits {
                            continue;
                        }
                        prop_assert!(table.take_off(hash, from, to, amount, &budget));
                        let entry = map.get_mut(&pair).unwrap();
                        entry.connections -= count;
                        entry.sums -= amount.sums;
                    }
                    2 => {
                        table.add_anyway(hash, from, to, amount, &budget);
                        *map.entry(pair).or_default() += amount;
                    }
                    _ => {
                        if table.add(hash, from, to, amount, &budget) {
                            *map.entry(pair).or_default() += amount;
                        }
                    }
                }
            }
            prop_assert_eq!(plain(&table), map.clone());
            prop_assert_eq!(budget.used(), table.bytes());
            for (at, bucket) in table.buckets.iter().enumerate() {
                let are_free = bucket.taken as usize..super::PLACES;
                prop_assert!(are_free.into_iter().all(|place| table.sums.get((at, place)) == PerMeasure::default()));
            }
            let (mut copy, free) = (PairTable::with_measures(hash, MeasureSet::of_sums(measures)), Budget::default());
            copy.absorb(&table, &free, |copy, from, to, amount: Amount| {
                assert!(copy.add(hash.of(from, to), from, to, amount, &free));
            });
            prop_assert_eq!(plain(&copy), map);
        }
    }

    #[test]
    fn sums_that_are_not_there_are_not_taken_off() {
        let (hash, budget, host) = (PairHash::default(), Budget::default(), HostId(1));
        let mut table = PairTable::with_measures(hash, MeasureSet::of_sums(1));
        let hash = hash.of(host, host);
        assert!(table.add(hash, host, host, amount(2, [5, 0, 0, 0], 1), &budget));
        assert!(!table.take_off(hash, host, host, amount(1, [6, 0, 0, 0], 1), &budget));
        assert_eq!(plain(&table)[&(1, 1)], amount(2, [5, 0, 0, 0], 1));
        assert_eq!(table.measures(), MeasureSet::of_sums(1));
    }
}
