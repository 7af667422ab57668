//! A part of a pane's pairs, whose table can be set aside to be saved while counting goes on.
//!
//! While it is set aside nothing changes it, so that it can be written out without a lock and
//! without a copy; what is counted meanwhile goes to a second table, which holds new counts only
//! and is joined with the first one afterwards. Invariant: a pair's count is the sum over both
//! tables, and each pair is visited once.

use std::sync::Arc;

use super::budget::Budget;
use super::names::HostId;
use super::pairs::{PairHash, PairTable};
use crate::model::{Amount, Countable, MeasureSet};

/// Connections per pair, in one table or, while one is being saved, in two.
#[derive(Debug)]
pub struct Shard {
    hash: PairHash,
    table: PairTable,
    /// What is being saved.
    aside: Option<Arc<PairTable>>,
}

impl Shard {
    /// An empty shard, with these measures.
    pub fn new(hash: PairHash, measures: MeasureSet) -> Self {
        Shard { hash, table: PairTable::with_measures(hash, measures), aside: None }
    }

    /// Adds to the count of a pair of this hash, if there is memory for it. Gives whether there
    /// was.
    #[inline(always)]
    pub fn add(&mut self, hash: u64, from: HostId, to: HostId, what: impl Countable, budget: &Budget) -> bool {
        if self.table.add(hash, from, to, what, budget) {
            return true;
        }
        // A known pair needs a second place while the first is being saved.
        let is_known = self.aside.as_ref().is_some_and(|aside| aside.get(hash, from, to) > 0);
        if is_known {
            self.table.add_anyway(hash, from, to, what, budget);
        }
        is_known
    }

    /// As `add`, with memory or without.
    pub fn add_anyway(&mut self, hash: u64, from: HostId, to: HostId, what: impl Countable, budget: &Budget) {
        self.table.add_anyway(hash, from, to, what, budget);
    }

    /// Adds every count of another shard, while it is not being saved itself. Gives the sum of the
    /// counts of those pairs for which there is no memory. Calls `added` with each of the others:
    /// its count, and whether it is new.
    #[inline]
    pub fn absorb<A: Countable>(
        &mut self,
        other: &Shard,
        budget: &Budget,
        added: &mut impl FnMut(HostId, HostId, A, bool),
    ) -> u64 {
        let (hash, mut left) = (self.hash, 0);
        for table in other.aside.iter().map(Arc::as_ref).chain([&other.table]) {
            self.table.absorb(table, budget, |mine, from, to, what: A| {
                let before = mine.len();
                if mine.add(hash.of(from, to), from, to, what, budget) {
                    added(from, to, what, mine.len() > before);
                } else {
                    left += what.amount().connections;
                }
            });
        }
        left
    }

    /// Takes every count of another shard off, while neither is being counted into and this one is
    /// not being saved. Gives the sum of the counts, or `None` if any of them was not there. Calls
    /// `taken` with each: its count, and whether the pair is gone.
    #[inline]
    pub fn take_off<A: Countable>(
        &mut self,
        other: &Shard,
        budget: &Budget,
        taken: &mut impl FnMut(HostId, HostId, A, bool),
    ) -> Option<u64> {
        let mut sum = 0;
        for table in other.aside.iter().map(Arc::as_ref).chain([&other.table]) {
            let mut were_there = true;
            table.each(|from, to, what: A| {
                let before = self.table.len();
                if self.table.take_off(self.hash.of(from, to), from, to, what, budget) {
                    sum += what.amount().connections;
                    taken(from, to, what, self.table.len() < before);
                } else {
                    were_there = false;
                }
            });
            were_there.then_some(())?;
        }
        Some(sum)
    }

    /// A copy, while it is not being saved, whose bytes somebody has taken.
    pub fn copied(&self) -> Self {
        Shard { hash: self.hash, table: self.table.clone(), aside: None }
    }

    /// The count of a pair; 0 if it is not there.
    pub fn get(&self, hash: u64, from: HostId, to: HostId) -> u64 {
        let aside = self.aside.as_ref().map_or(0, |aside| aside.get(hash, from, to));
        self.table.get(hash, from, to) + aside
    }

    /// What is counted of a pair, with its sums.
    pub fn get_amount(&self, hash: u64, from: HostId, to: HostId) -> Amount {
        let get = |table: &PairTable| table.get_amount::<Amount>(hash, from, to);
        let mut amount = get(&self.table);
        self.aside.iter().for_each(|aside| amount += get(aside));
        amount
    }

    /// Fetches the place of a pair from memory; the value says nothing.
    #[inline(always)]
    pub fn touch(&self, hash: u64) -> u32 {
        self.table.touch(hash)
    }

    /// Calls `f` with each pair and its count, in no order.
    #[inline]
    pub fn for_each(&self, f: impl FnMut(HostId, HostId, u64)) {
        self.each(f);
    }

    /// Calls `f` with each pair, its count and its sums, in no order.
    pub fn for_each_amount(&self, f: impl FnMut(HostId, HostId, Amount)) {
        self.each(f);
    }

    /// Calls `f` with each pair and what is counted of it, in no order.
    #[inline]
    pub fn each<A: Countable>(&self, mut f: impl FnMut(HostId, HostId, A)) {
        let Some(aside) = &self.aside else { return self.table.each(f) };
        aside.each(|from, to, what: A| {
            let mut whole = what.amount();
            whole += self.table.get_amount::<A>(self.hash.of(from, to), from, to);
            f(from, to, A::of(whole.connections, || whole.sums));
        });
        self.table.each(|from, to, what: A| {
            if aside.get(self.hash.of(from, to), from, to) == 0 {
                f(from, to, what);
            }
        });
    }

    /// Calls `f` with the hosts of each pair, in no order, and for some pairs twice.
    pub fn for_each_place(&self, mut f: impl FnMut(HostId, HostId)) {
        for table in self.aside.iter().map(Arc::as_ref).chain([&self.table]) {
            table.for_each(|from, to, _| f(from, to));
        }
    }

    /// How many pairs there are; for a shard that is being saved, an upper bound.
    pub fn len(&self) -> usize {
        self.table.len() + self.aside.as_ref().map_or(0, |aside| aside.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that its tables take.
    pub fn bytes(&self) -> usize {
        self.table.bytes() + self.aside.as_ref().map_or(0, |aside| aside.bytes())
    }

    /// Sets its table aside to be saved. One that is aside already is joined with it first.
    pub fn set_aside(&mut self, budget: &Budget) -> Arc<PairTable> {
        self.join(budget);
        let empty = self.empty_table();
        let table = Arc::new(std::mem::replace(&mut self.table, empty));
        self.aside = Some(Arc::clone(&table));
        table
    }

    /// Makes one table again of what was set aside and what was counted meanwhile. It costs time
    /// for the latter only, if nobody else holds the former any more.
    pub fn join(&mut self, budget: &Budget) {
        if self.table.measures().is_empty() {
            self.join_amounts::<u64>(budget)
        } else {
            self.join_amounts::<Amount>(budget)
        }
    }

    fn empty_table(&self) -> PairTable {
        PairTable::with_measures(self.hash, self.table.measures())
    }

    fn join_amounts<A: Countable>(&mut self, budget: &Budget) {
        let Some(aside) = self.aside.take() else { return };
        let empty = self.empty_table();
        let meanwhile = std::mem::replace(&mut self.table, empty);
        match Arc::try_unwrap(aside) {
            Ok(table) => self.table = table,
            Err(held) => self.table.absorb(&held, budget, |mine, from, to, what: A| {
                mine.add_anyway(self.hash.of(from, to), from, to, what, budget);
            }),
        }
        meanwhile.each(|from, to, what: A| {
            self.table.add_anyway(self.hash.of(from, to), from, to, what, budget);
        });
        budget.give_back(meanwhile.bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Counts = BTreeMap<(u32, u32), u64>;

    fn counts(shard: &Shard) -> Counts {
        let mut out = Counts::new();
        shard.for_each(|from, to, count| assert_eq!(out.insert((from.0, to.0), count), None, "a pair came twice"));
        out
    }

    proptest! {
        #[test]
        fn d24_counting_goes_on_while_a_table_is_saved(
            parts in proptest::collection::vec(proptest::collection::vec((0u32..20, 0u32..5), 0..60), 1..5),
            hold: bool,
        ) {
            let (hash, budget) = (PairHash::default(), Budget::new(Some(1 << 20)));
            let (mut shard, mut oracle, mut held) = (Shard::new(hash, MeasureSet::default()), Counts::new(), Vec::new());
            for part in parts {
                let before = oracle.clone();
                let saved = shard.set_aside(&budget);
                for (from, to) in part {
                    let (from, to) = (HostId(from), HostId(to));
                    prop_assert!(shard.add(hash.of(from, to), from, to, 1, &budget));
                    *oracle.entry((from.0, to.0)).or_default() += 1;
                    prop_assert_eq!(shard.get(hash.of(from, to), from, to), oracle[&(from.0, to.0)]);
                }
                prop_assert_eq!(counts(&shard), oracle.clone());
                let mut written = Counts::new();
                saved.for_each(|from, to, count| { written.insert((from.0, to.0), count); });
                prop_assert_eq!(written, before, "what is saved is what was there");
                if hold { held.push(saved); } else { drop(saved); shard.join(&budget); }
                prop_assert_eq!(counts(&shard), oracle.clone());
            }
            if !hold {
                prop_assert_eq!(budget.used(), shard.bytes());
            }
        }
    }

    #[test]
    fn a_pair_that_is_known_never_overflows_while_it_is_saved() {
        let (hash, host) = (PairHash::default(), HostId);
        let mut shard = Shard::new(hash, MeasureSet::default());
        shard.add_anyway(hash.of(host(1), host(2)), host(1), host(2), 5, &Budget::default());
        let none = Budget::new(Some(0));
        let _saved = shard.set_aside(&none);
        assert!(shard.add(hash.of(host(1), host(2)), host(1), host(2), 1, &none));
        let refused = |to: u32| !shard.add(hash.of(host(1), host(to)), host(1), host(to), 1, &none);
        assert!((3..100).any(refused), "what is not known does, once the table is full");
        assert_eq!(shard.get(hash.of(host(1), host(2)), host(1), host(2)), 6);
    }
}
