//! A pane: the pairs of a run of buckets that every window holds as a whole or not at all, in
//! shards that workers lock one by one.
//!
//! Invariant: each pair is in the shard that its hash tells. The tests are those of the tally,
//! which is made of panes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::budget::Budget;
use super::hash::shard;
use super::names::HostId;
use super::pairs::{PairHash, PairTable};
use super::shard::Shard;
use crate::model::{Amount, Countable, MeasureSet};

/// Connections per pair of hosts, over a run of buckets.
#[derive(Debug)]
pub struct Pane {
    hash: PairHash,
    shards: Box<[RwLock<Shard>]>,
    overflow: AtomicU64,
    measures: MeasureSet,
    budget: Arc<Budget>,
}

/// About the bytes of an empty pane.
const EACH_PANE: usize = 256;

/// Bytes of a pane, and for each of its pairs, beyond which it is mostly empty: six times what a
/// pair takes in a table that is as full as it gets.
const MOSTLY_EMPTY: (usize, usize) = (64 << 10, 80);

impl Pane {
    /// An empty pane of `shards` shards and these measures, which takes its memory from a budget.
    pub(super) fn new(hash: PairHash, shards: usize, measures: MeasureSet, budget: &Arc<Budget>) -> Self {
        budget.take_anyway(EACH_PANE);
        let shards = (0..shards).map(|_| RwLock::new(Shard::new(hash, measures))).collect();
        Pane { hash, shards, overflow: AtomicU64::new(0), measures, budget: Arc::clone(budget) }
    }

    /// Its shards. A pair is in the one that `shard` tells of its hash.
    pub fn shards(&self) -> &[RwLock<Shard>] {
        &self.shards
    }

    /// How pairs are hashed.
    pub fn hash(&self) -> PairHash {
        self.hash
    }

    /// Which measures there are.
    pub fn measures(&self) -> MeasureSet {
        self.measures
    }

    /// Connections that are counted without their pair, since there was no memory for it.
    pub fn overflowed(&self) -> u64 {
        self.overflow.load(Ordering::Relaxed)
    }

    /// Counts connections without their pair.
    pub fn overflow(&self, count: u64) {
        self.overflow.fetch_add(count, Ordering::Relaxed);
    }

    /// Sets all its tables aside, to be saved while counting goes on, until `join`.
    pub fn set_aside(&self) -> Vec<Arc<PairTable>> {
        self.shards.iter().map(|shard| shard.write().set_aside(&self.budget)).collect()
    }

    /// Joins what was set aside and is saved with what was counted meanwhile, one shard after the
    /// other.
    pub fn join(&self) {
        self.shards.iter().for_each(|shard| shard.write().join(&self.budget));
    }

    /// Adds to the count of a pair, whatever memory that takes.
    pub fn add_anyway(&self, from: HostId, to: HostId, what: impl Countable) {
        let hash = self.hash.of(from, to);
        let mut shard = self.shards[shard(hash, self.shards.len())].write();
        shard.add_anyway(hash, from, to, what, &self.budget);
    }

    /// As `add_anyway`, of all pairs that `each` gives one after the other, with the shards locked
    /// once.
    pub fn add_all_anyway(&self, each: impl FnOnce(&mut dyn FnMut(HostId, HostId, u64))) {
        let mut shards: Vec<_> = self.shards.iter().map(RwLock::write).collect();
        each(&mut |from, to, count| {
            let hash = self.hash.of(from, to);
            let at = shard(hash, shards.len());
            shards[at].add_anyway(hash, from, to, count, &self.budget);
        });
    }

    /// The count of a pair; 0 if it is not there.
    pub fn get(&self, from: HostId, to: HostId) -> u64 {
        let hash = self.hash.of(from, to);
        // A caller that reads a pane may look up another of its pairs.
        self.shards[shard(hash, self.shards.len())].read_recursive().get(hash, from, to)
    }

    /// What is counted of a pair.
    pub fn get_amount(&self, from: HostId, to: HostId) -> Amount {
        if self.measures.is_empty() {
            return self.get(from, to).into();
        }
        let hash = self.hash.of(from, to);
        self.shards[shard(hash, self.shards.len())].read_recursive().get_amount(hash, from, to)
    }

    /// Calls `f` with each pair and its count, in no order.
    pub fn for_each(&self, f: impl FnMut(HostId, HostId, u64)) {
        self.for_each_in(0..self.shards.len(), f);
    }

    /// As `for_each`, over some shards.
    pub fn for_each_in(&self, shards: Range<usize>, mut f: impl FnMut(HostId, HostId, u64)) {
        for shard in &self.shards[shards] {
            shard.read_recursive().for_each(&mut f);
        }
    }

    /// Calls `f` with each pair, its count and its sums, in no order.
    pub fn for_each_amount(&self, f: impl FnMut(HostId, HostId, Amount)) {
        self.for_each_amount_in(0..self.shards.len(), f);
    }

    /// Calls `f` with each pair and what is counted of it, in no order.
    pub fn each<A: Countable>(&self, mut f: impl FnMut(HostId, HostId, A)) {
        self.shards.iter().for_each(|shard| shard.read_recursive().each(&mut f));
    }

    /// As `for_each_amount`, over some shards.
    pub fn for_each_amount_in(&self, shards: Range<usize>, mut f: impl FnMut(HostId, HostId, Amount)) {
        for shard in &self.shards[shards] {
            shard.read_recursive().for_each_amount(&mut f);
        }
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read_recursive().len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether its tables take several times the bytes that its pairs need.
    pub(super) fn is_mostly_empty(&self) -> bool {
        self.bytes() > MOSTLY_EMPTY.0 + MOSTLY_EMPTY.1 * self.len()
    }

    /// Bytes that its tables take.
    pub(super) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.read_recursive().bytes()).sum()
    }

    /// Adds every count of another pane, as far as there is memory for its pairs; the rest
    /// overflows. Calls `added` with each pair that does not: its count, and whether it is new.
    pub(super) fn absorb<A: Countable>(&self, other: &Pane, mut added: impl FnMut(HostId, HostId, A, bool)) {
        self.overflow(other.overflowed());
        for (mine, theirs) in self.shards.iter().zip(&other.shards) {
            self.overflow(mine.write().absorb(&theirs.read_recursive(), &self.budget, &mut added));
        }
    }

    /// Takes off every count of another pane that was added, so that pairs of which nothing is left
    /// go. Gives the sum of the counts, or `None` if any of them was not there. Calls `taken` with
    /// each pair: its count, and whether it is gone.
    pub(super) fn take_off<A: Countable>(
        &self,
        other: &Pane,
        mut taken: impl FnMut(HostId, HostId, A, bool),
    ) -> Option<u64> {
        let overflowed = other.overflowed();
        self.overflow.fetch_sub(overflowed, Ordering::Relaxed);
        let mut shards = self.shards.iter().zip(&other.shards);
        shards.try_fold(overflowed, |sum, (mine, theirs)| {
            Some(sum + mine.write().take_off(&theirs.read_recursive(), &self.budget, &mut taken)?)
        })
    }

    /// A copy, while it is not being saved, whatever memory that takes.
    pub(super) fn copied(&self) -> Self {
        self.budget.take_anyway(EACH_PANE + self.bytes());
        let shards = self.shards.iter().map(|shard| RwLock::new(shard.read_recursive().copied())).collect();
        let overflow = AtomicU64::new(self.overflowed());
        Pane { hash: self.hash, shards, overflow, measures: self.measures, budget: Arc::clone(&self.budget) }
    }
}

impl Drop for Pane {
    fn drop(&mut self) {
        self.budget.give_back(EACH_PANE + self.bytes());
    }
}
