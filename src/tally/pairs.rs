//! Pairs of hosts, counted: one table with open addressing, many of which make up a pane.
//!
//! A bucket is a line of the cache with six pairs, compared without a branch: most pairs of a large
//! table are seen a few times, so that a count has two bytes there, and what few have beyond them
//! lies elsewhere. The lines that a batch needs are read ahead, as many at a time as the processor
//! can wait for.
//!
//! Invariant: each pair is there at most once, with a count above 0.

mod sums;
mod take_off;

use std::collections::HashMap;

use wide::u32x4;

use super::budget::Budget;
use super::hash::{folded, seeds};
use super::names::HostId;
use crate::model::{Amount, Countable, MeasureSet};

use sums::{PLACES, PairSums, SumsPlace};

/// Connections per pair of hosts. The simple version, against which this one is tested, is a map.
#[derive(Debug, Clone)]
pub struct PairTable {
    hash: PairHash,
    /// A pair is in its bucket or, where that is full, in the first one behind it that is not; the
    /// first bucket follows the last.
    buckets: Vec<Bucket>,
    taken: usize,
    /// What a count has beyond its bits in the bucket: few have, since each has passed `CARRIED`.
    carried: HashMap<(HostId, HostId), u64, ahash::RandomState>,
    sums: PairSums,
}

/// As many pairs as fit a line of the cache, the first `taken` of its places used.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket {
    from: [u32; PLACES],
    to: [u32; PLACES],
    count: [u16; PLACES],
    taken: u16,
}

/// The bit of a count of which there is more elsewhere.
const CARRIED: u16 = 1 << 15;

/// Bytes that this takes there: a pair and a number, in a map of which more than half may be free.
const EACH_CARRIED: usize = 40;

impl Bucket {
    /// Where a pair is. All places are compared, four at a time, so that the processor has no branch
    /// to predict.
    #[inline(always)]
    fn find(&self, from: HostId, to: HostId) -> Option<usize> {
        let (froms, tos) = (u32x4::splat(from.0), u32x4::splat(to.0));
        let low = first(&self.from).simd_eq(froms) & first(&self.to).simd_eq(tos);
        let high = last(&self.from).simd_eq(froms) & last(&self.to).simd_eq(tos);
        let mut found = low.to_bitmask() | high.to_bitmask() << (PLACES - 4);
        found &= (1 << self.taken) - 1;
        (found != 0).then_some(found.trailing_zeros() as usize)
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.taken as usize == PLACES
    }

    #[inline(always)]
    fn push(&mut self, from: u32, to: u32, count: u16) {
        let at = self.taken as usize;
        (self.from[at], self.to[at], self.count[at]) = (from, to, count);
        self.taken += 1;
    }
}

/// The first four of some numbers.
#[inline(always)]
fn first(&[a, b, c, d, ..]: &[u32; PLACES]) -> u32x4 {
    u32x4::new([a, b, c, d])
}

/// The last four.
#[inline(always)]
fn last(&[.., a, b, c, d]: &[u32; PLACES]) -> u32x4 {
    u32x4::new([a, b, c, d])
}

/// How pairs are hashed: keyed at random, so that no log can be made to flood one bucket.
#[derive(Debug, Clone, Copy)]
pub struct PairHash {
    seeds: [u64; 2],
}

impl Default for PairHash {
    fn default() -> Self {
        let [first, second] = seeds();
        PairHash { seeds: [first, second | 1] }
    }
}

impl PairHash {
    /// The hash of a pair. Numbers of hosts follow each other, and with some keys one multiplication
    /// alone would put their pairs into few buckets.
    #[inline]
    pub fn of(&self, from: HostId, to: HostId) -> u64 {
        let pair = u64::from(from.0) << 32 | u64::from(to.0);
        folded(pair ^ self.seeds[0], self.seeds[1]).wrapping_mul(SPREAD).rotate_left(u32::BITS)
    }
}

/// 2^64 divided by the golden section.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The fewest buckets of a table that is not empty.
const FIRST_BUCKETS: usize = 4;

impl PairTable {
    /// An empty table of pairs that are hashed like this, without measures.
    pub fn new(hash: PairHash) -> Self {
        PairTable::with_measures(hash, MeasureSet::default())
    }

    /// The same with these measures.
    pub fn with_measures(hash: PairHash, measures: MeasureSet) -> Self {
        let sums = PairSums::new(measures);
        PairTable { hash, buckets: Vec::new(), taken: 0, carried: Default::default(), sums }
    }

    /// Which measures there are.
    pub fn measures(&self) -> MeasureSet {
        self.sums.measures()
    }

    /// Adds to the count of a pair of this hash. Gives whether there was room: a new pair may need
    /// more memory than is left.
    #[inline(always)]
    pub fn add(&mut self, hash: u64, from: HostId, to: HostId, what: impl Countable, budget: &Budget) -> bool {
        let count = what.amount().connections;
        let mut at = self.place(hash);
        while let Some(bucket) = self.buckets.get_mut(at) {
            if let Some(place) = bucket.find(from, to) {
                let here = bucket.count[place];
                match fitting(u64::from(here & !CARRIED) + count) {
                    Some(sum) => bucket.count[place] = here & CARRIED | sum,
                    None => self.carry(at, place, count, budget),
                }
                self.sums.add((at, place), what);
                return true;
            }
            if !bucket.is_full() {
                break;
            }
            at = self.behind(at);
        }
        if is_crowded(self.taken + 1, self.buckets.len()) {
            if !self.grow(budget) {
                return false;
            }
            at = self.with_room(self.place(hash));
        }
        self.push(at, from, to, what, budget);
        true
    }

    /// Calls `f` with this table, each pair of another one of the same hash, and its count.
    pub fn absorb<A: Countable>(
        &mut self,
        other: &PairTable,
        budget: &Budget,
        mut f: impl FnMut(&mut Self, HostId, HostId, A),
    ) {
        // In order, all pairs would come to the start of a table that is too small for them, and
        // each would search for a place through all those before it.
        if self.reserve(other.taken, budget) {
            other.each(|from, to, what| f(self, from, to, what));
        } else {
            other.each_scattered(|from, to, what| f(self, from, to, what));
        }
    }

    /// Makes room for this many more pairs at once, if there is memory for it.
    fn reserve(&mut self, pairs: usize, budget: &Budget) -> bool {
        let buckets = (5 * (self.taken + pairs)).div_ceil(4 * PLACES).max(FIRST_BUCKETS);
        // A table to which more comes time and again is not widened each time.
        let some_more = if budget.limit().is_some() { 0 } else { self.buckets.len() / 4 };
        buckets <= self.buckets.len() || self.widen(buckets.max(self.buckets.len() + some_more), budget)
    }

    /// As `add`, with memory to grow or without: if there is none, the places that are kept free
    /// are used first.
    pub fn add_anyway(&mut self, hash: u64, from: HostId, to: HostId, what: impl Countable, budget: &Budget) {
        if self.add(hash, from, to, what, budget) {
            return;
        }
        // One place in sixteen stays free in any case.
        if 16 * (self.taken + 1) > 15 * PLACES * self.buckets.len() {
            let before = self.bytes();
            self.grow(&Budget::default());
            budget.take_anyway(self.bytes() - before);
        }
        self.push(self.with_room(self.place(hash)), from, to, what, budget);
    }

    /// Puts a pair that is not there yet into a bucket that has room for it.
    #[inline(always)]
    fn push(&mut self, at: usize, from: HostId, to: HostId, what: impl Countable, budget: &Budget) {
        let count = what.amount().connections;
        self.taken += 1;
        let first = fitting(count).unwrap_or(1);
        let bucket = &mut self.buckets[at];
        let place = bucket.taken as usize;
        bucket.push(from.0, to.0, first);
        self.sums.add((at, place), what);
        if u64::from(first) < count {
            self.carry(at, place, count - u64::from(first), budget);
        }
    }

    /// The count of a pair of this hash; 0 if it is not there.
    pub fn get(&self, hash: u64, from: HostId, to: HostId) -> u64 {
        self.get_amount::<u64>(hash, from, to).connections
    }

    /// The same, with its sums where those are asked for.
    pub fn get_amount<A: Countable>(&self, hash: u64, from: HostId, to: HostId) -> Amount {
        let mut at = self.place(hash);
        while let Some(bucket) = self.buckets.get(at) {
            if let Some(place) = bucket.find(from, to) {
                return A::of(self.count(bucket, place), || self.sums.get((at, place))).amount();
            }
            if !bucket.is_full() {
                break;
            }
            at = self.behind(at);
        }
        Amount::default()
    }

    /// Reads where a pair of this hash would be, so that it is in the cache when it is added. The
    /// value has no meaning.
    #[inline]
    pub fn touch(&self, hash: u64) -> u32 {
        self.buckets.get(self.place(hash)).map_or(0, |bucket| bucket.taken.into())
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

    #[inline]
    pub(super) fn each<A: Countable>(&self, mut f: impl FnMut(HostId, HostId, A)) {
        (0..self.buckets.len()).for_each(|at| self.each_of(at, &mut f));
    }

    /// As `each`, each time from another part of the table, which takes longer.
    fn each_scattered<A: Countable>(&self, mut f: impl FnMut(HostId, HostId, A)) {
        let buckets = self.buckets.len();
        // By strides of about the golden section, which come to each bucket once if they share no
        // divisor with the number of buckets.
        let section = (buckets as f64 * 0.618) as usize;
        let Some(stride) = (section.max(1)..=buckets).find(|stride| divisor(*stride, buckets) == 1) else { return };
        let mut at = 0;
        for _ in 0..buckets {
            self.each_of(at, &mut f);
            at = (at + stride) % buckets;
        }
    }

    #[inline]
    fn each_of<A: Countable>(&self, at: usize, f: &mut impl FnMut(HostId, HostId, A)) {
        let bucket = &self.buckets[at];
        for place in 0..PLACES.min(bucket.taken as usize) {
            let what = A::of(self.count(bucket, place), || self.sums.get((at, place)));
            f(HostId(bucket.from[place]), HostId(bucket.to[place]), what);
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
        self.buckets.len() * self.each_bucket() + self.carried.len() * EACH_CARRIED
    }

    /// Bytes of a bucket and of its sums.
    fn each_bucket(&self) -> usize {
        size_of::<Bucket>() + self.sums.bytes_of_a_bucket()
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        (((hash & u64::from(u32::MAX)) * self.buckets.len() as u64) >> 32) as usize
    }

    /// The bucket behind this one.
    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    /// The first bucket from `at` on that is not full.
    fn with_room(&self, mut at: usize) -> usize {
        while self.buckets[at].is_full() {
            at = self.behind(at);
        }
        at
    }

    #[inline(always)]
    fn count(&self, bucket: &Bucket, place: usize) -> u64 {
        match bucket.count[place] {
            count if count & CARRIED == 0 => u64::from(count),
            count => u64::from(count & !CARRIED) + self.carried(bucket, place),
        }
    }

    /// What the count of a pair has beyond that in its bucket.
    #[cold]
    fn carried(&self, bucket: &Bucket, place: usize) -> u64 {
        let pair = (HostId(bucket.from[place]), HostId(bucket.to[place]));
        self.carried.get(&pair).copied().unwrap_or(0)
    }

    /// Adds to a count what it can't hold in its bucket, whatever memory that takes.
    #[cold]
    fn carry(&mut self, at: usize, place: usize, count: u64, budget: &Budget) {
        let bucket = &mut self.buckets[at];
        let pair = (HostId(bucket.from[place]), HostId(bucket.to[place]));
        let here = std::mem::replace(&mut bucket.count[place], CARRIED);
        if here & CARRIED == 0 {
            budget.take_anyway(EACH_CARRIED);
        }
        *self.carried.entry(pair).or_default() += u64::from(here & !CARRIED) + count;
    }

    /// Twice as many buckets; where memory is limited, half as many again, which wastes less and
    /// costs some time. Gives whether there is memory for them.
    #[cold]
    fn grow(&mut self, budget: &Budget) -> bool {
        let more = if budget.limit().is_some() { self.buckets.len() / 2 } else { self.buckets.len() };
        self.widen((self.buckets.len() + more).max(FIRST_BUCKETS), budget)
    }

    /// This many buckets, if there is memory for them.
    fn widen(&mut self, wider: usize, budget: &Budget) -> bool {
        // For a moment there are both tables.
        if !budget.take(wider * self.each_bucket()) {
            return false;
        }
        // Places keep their order, so that both tables are gone through from start to end.
        let narrow = std::mem::replace(&mut self.buckets, vec![Bucket::default(); wider]);
        let narrow_sums = self.sums.widen(wider);
        match self.measures().is_empty() {
            true => self.take_over(&narrow, |_, _, _| {}),
            false => self.take_over(&narrow, |sums, from, to| sums.take_over(&narrow_sums, from, to)),
        }
        budget.give_back(narrow.len() * self.each_bucket());
        true
    }

    /// Takes the pairs of other buckets over, and calls `moved` with the place that each had there and
    /// the one that it has here.
    #[inline(always)]
    fn take_over(&mut self, others: &[Bucket], moved: impl Fn(&mut PairSums, SumsPlace, SumsPlace)) {
        for (before, bucket) in others.iter().enumerate() {
            for place in 0..bucket.taken as usize {
                let (from, to) = (bucket.from[place], bucket.to[place]);
                let at = self.with_room(self.place(self.hash.of(HostId(from), HostId(to))));
                self.buckets[at].push(from, to, bucket.count[place]);
                moved(&mut self.sums, (before, place), (at, self.buckets[at].taken as usize - 1));
            }
        }
    }
}

/// A count as its bucket holds it, if it can.
#[inline(always)]
fn fitting(count: u64) -> Option<u16> {
    u16::try_from(count).ok().filter(|count| count & CARRIED == 0)
}

/// Whether these are too few buckets. One place of five stays free: so there is always a free one,
/// and it is near.
#[inline(always)]
fn is_crowded(pairs: usize, buckets: usize) -> bool {
    5 * pairs > 4 * PLACES * buckets
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests;
