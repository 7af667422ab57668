//! The tally: (bucket, from, to) -> count. All parallelism rests on its `merge`.
//!
//! Invariant: `merge` is associative and commutative, the empty tally is its identity, and no count is ever lost.

use std::collections::BTreeMap;

use super::host::{HostId, Hosts};

/// Connections per bucket and pair of hosts.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    hosts: Hosts,
    buckets: BTreeMap<i64, PairCounts>,
    /// Hosts left by the last `compact`.
    compacted: usize,
}

/// The hosts up to which pairs are counted in a table that is indexed rather than hashed: 512 KiB at most.
const DENSE_HOSTS: usize = 256;

/// The hosts by which an indexed table grows: in few steps, as each copies the table.
const STRIDE_STEP: usize = 32;

/// The bytes that all indexed tables of a tally may take: beyond, tables that are mostly zeros would cost more than
/// they save.
const DENSE_BYTES: usize = 8 << 20;

/// Connections per pair of hosts.
#[derive(Debug, Clone)]
enum PairCounts {
    /// Row `from`, column `to`; `stride` columns.
    Dense { stride: usize, counts: Vec<u64> },
    /// By `from << 32 | to`.
    Sparse(std::collections::HashMap<u64, u64, ahash::RandomState>),
}

impl Tally {
    /// Counts `count` connections. `bucket` is the number of the bucket, of either sign.
    pub fn add(&mut self, bucket: i64, from: &[u8], to: &[u8], count: u64) {
        self.bucket(bucket).add(from, to, count);
    }

    /// The counter of one bucket, for a run of records that fall into it.
    #[inline]
    pub fn bucket(&mut self, bucket: i64) -> BucketCounter<'_> {
        let tables = self.buckets.len() + 1;
        let counts =
            self.buckets.entry(bucket).or_insert_with(|| PairCounts::new(dense_fits(self.hosts.len(), tables)));
        BucketCounter { hosts: &mut self.hosts, counts }
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Tally) {
        self.absorb(&other.hosts, &other.buckets);
    }

    /// Takes the buckets before `bucket` out, as a tally of their own.
    pub fn split_before(&mut self, bucket: i64) -> Tally {
        if self.buckets.range(..bucket).next().is_none() {
            return Tally::default();
        }
        let later = self.buckets.split_off(&bucket);
        let earlier = std::mem::replace(&mut self.buckets, later);
        let mut taken = Tally::default();
        taken.absorb(&self.hosts, &earlier);
        self.compact();
        taken
    }

    /// Forgets the buckets before `bucket`.
    pub fn drop_before(&mut self, bucket: i64) {
        self.buckets = self.buckets.split_off(&bucket);
        self.compact();
    }

    /// Adds counts whose hosts are numbered by `hosts`. A host that they do not hold is not taken over.
    fn absorb(&mut self, hosts: &Hosts, buckets: &BTreeMap<i64, PairCounts>) {
        let mut known: Vec<Option<HostId>> = vec![None; hosts.len()];
        for (&bucket, counts) in buckets {
            let tables = self.buckets.len() + 1;
            let dense = matches!(counts, PairCounts::Dense { .. }) && dense_fits(hosts.len(), tables);
            let mine = self.buckets.entry(bucket).or_insert_with(|| PairCounts::new(dense));
            counts.for_each(|from, to, count| {
                let mut id =
                    |host: HostId| *known[host.0 as usize].get_or_insert_with(|| self.hosts.intern(hosts.name(host)));
                mine.add(id(from), id(to), count);
            });
        }
    }

    /// The hosts, which may include some that no bucket holds any more.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Calls `f` with each bucket from `first` to before `end`, each pair in it, and its count, which is above 0.
    /// Buckets come in order, pairs in any.
    pub fn for_each(&self, first: i64, end: i64, mut f: impl FnMut(i64, HostId, HostId, u64)) {
        if first >= end {
            return;
        }
        for (&bucket, counts) in self.buckets.range(first..end) {
            counts.for_each(|from, to, count| f(bucket, from, to, count));
        }
    }

    /// The first bucket from `bucket` on that is there.
    pub fn first_from(&self, bucket: i64) -> Option<i64> {
        self.buckets.range(bucket..).next().map(|(&bucket, _)| bucket)
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Drops the names that no bucket holds, once they may be half of all: a long run over hosts that come and go
    /// holds the names of its open windows only.
    fn compact(&mut self) {
        if self.hosts.len() < 2 * self.compacted + 1024 {
            return;
        }
        let mut kept = Tally::default();
        kept.absorb(&self.hosts, &self.buckets);
        kept.compacted = kept.hosts.len();
        *self = kept;
    }
}

/// Counts into one bucket of a tally.
pub struct BucketCounter<'a> {
    hosts: &'a mut Hosts,
    counts: &'a mut PairCounts,
}

impl BucketCounter<'_> {
    /// Counts `count` connections from one host to another.
    pub fn add(&mut self, from: &[u8], to: &[u8], count: u64) {
        let (from, to) = (self.hosts.intern(from), self.hosts.intern(to));
        self.counts.add(from, to, count);
    }

    /// Counts one connection between the hosts whose names are the ranges `from` and `to` of `bytes`.
    #[inline(always)]
    pub fn add_at(&mut self, bytes: &[u8], from: (u32, u32), to: (u32, u32)) {
        let mut id = |range: (u32, u32)| self.hosts.intern_at(bytes, range.0 as usize, range.1 as usize);
        let (from, to) = (id(from), id(to));
        self.counts.add(from, to, 1);
    }
}

/// The hosts that an indexed table has room for when it has to hold `hosts`.
fn stride_of(hosts: usize) -> usize {
    hosts.next_multiple_of(STRIDE_STEP)
}

/// Whether so many indexed tables with room for so many hosts are worth their bytes.
fn dense_fits(hosts: usize, tables: usize) -> bool {
    hosts <= DENSE_HOSTS && tables * stride_of(hosts).pow(2) * size_of::<u64>() <= DENSE_BYTES
}

impl PairCounts {
    fn new(dense: bool) -> Self {
        if dense { PairCounts::Dense { stride: 0, counts: Vec::new() } } else { PairCounts::Sparse(Default::default()) }
    }

    #[inline(always)]
    fn add(&mut self, from: HostId, to: HostId, count: u64) {
        match self {
            PairCounts::Dense { stride, counts } => {
                let (from, to) = (from.0 as usize, to.0 as usize);
                if from.max(to) < *stride {
                    counts[from * *stride + to] += count;
                    return;
                }
            }
            PairCounts::Sparse(counts) => {
                *counts.entry(u64::from(from.0) << 32 | u64::from(to.0)).or_insert(0) += count;
                return;
            }
        }
        self.grow_and_add(from, to, count);
    }

    /// Makes room for these hosts first: a wider table, or past the limit a hashed one.
    #[cold]
    fn grow_and_add(&mut self, from: HostId, to: HostId, count: u64) {
        let hosts = from.0.max(to.0) as usize + 1;
        let mut wider = if hosts > DENSE_HOSTS {
            PairCounts::Sparse(Default::default())
        } else {
            let stride = stride_of(hosts);
            PairCounts::Dense { stride, counts: vec![0; stride * stride] }
        };
        self.for_each(|from, to, count| wider.add(from, to, count));
        wider.add(from, to, count);
        *self = wider;
    }

    fn for_each(&self, mut f: impl FnMut(HostId, HostId, u64)) {
        match self {
            PairCounts::Dense { stride, counts } => {
                for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    f(HostId((at / stride) as u32), HostId((at % stride) as u32), count);
                }
            }
            PairCounts::Sparse(counts) => {
                for (&key, &count) in counts {
                    f(HostId((key >> 32) as u32), HostId(key as u32), count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Plain = BTreeMap<(i64, Vec<u8>, Vec<u8>), u64>;

    fn plain(tally: &Tally) -> Plain {
        let mut out = Plain::new();
        tally.for_each(i64::MIN, i64::MAX, |bucket, from, to, count| {
            let key = (bucket, tally.hosts().name(from).to_vec(), tally.hosts().name(to).to_vec());
            *out.entry(key).or_default() += count;
        });
        out
    }

    fn tally(records: &[(i64, u16, u16)]) -> (Tally, Plain) {
        let (mut tally, mut oracle) = (Tally::default(), Plain::new());
        for &(bucket, from, to) in records {
            let (from, to) = (from.to_string().into_bytes(), to.to_string().into_bytes());
            tally.add(bucket, &from, &to, 1);
            *oracle.entry((bucket, from, to)).or_default() += 1;
        }
        (tally, oracle)
    }

    fn records() -> impl Strategy<Value = Vec<(i64, u16, u16)>> {
        proptest::collection::vec((-20i64..20, 0u16..400, 0u16..20), 0..200)
    }

    proptest! {
        #[test]
        fn counting_agrees_with_a_map(records in records()) {
            let (tally, oracle) = tally(&records);
            prop_assert_eq!(plain(&tally), oracle);
        }

        #[test]
        fn merge_is_commutative_and_associative_with_an_identity(a in records(), b in records(), c in records()) {
            let (a, b, c) = (tally(&a).0, tally(&b).0, tally(&c).0);
            let merged = |parts: &[&Tally]| {
                let mut all = Tally::default();
                parts.iter().for_each(|part| all.merge(part));
                all
            };
            prop_assert_eq!(plain(&merged(&[&a, &b])), plain(&merged(&[&b, &a])));
            let (left, right) = (merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
            prop_assert_eq!(plain(&left), plain(&right));
            prop_assert_eq!(plain(&merged(&[&a, &Tally::default()])), plain(&a));
        }

        #[test]
        fn splitting_loses_nothing(records in records(), at in -21i64..21) {
            let (mut later, oracle) = tally(&records);
            let earlier = later.split_before(at);
            let mut both = plain(&earlier);
            prop_assert!(both.keys().all(|key| key.0 < at));
            prop_assert!(plain(&later).keys().all(|key| key.0 >= at));
            both.extend(plain(&later));
            prop_assert_eq!(both, oracle);
        }
    }

    #[test]
    fn names_of_closed_buckets_are_forgotten() {
        let mut tally = Tally::default();
        for bucket in 0..100i64 {
            for host in 0..500 {
                tally.add(bucket, format!("{bucket}-{host}").as_bytes(), b"to", 1);
            }
            drop(tally.split_before(bucket));
        }
        assert!(tally.hosts().len() < 4_000, "{} names are held", tally.hosts().len());
    }

    #[test]
    fn b13_counts_pass_32_bits() {
        let mut tally = Tally::default();
        tally.add(0, b"a", b"b", u64::from(u32::MAX));
        tally.add(0, b"a", b"b", 2);
        assert_eq!(plain(&tally).into_values().next(), Some(u64::from(u32::MAX) + 2));
    }

    #[test]
    fn indexed_tables_take_no_more_than_their_bytes() {
        let mut tally = Tally::default();
        for bucket in 0..100 {
            for host in 0..200 {
                tally.add(bucket, format!("{host}").as_bytes(), b"to", 1);
            }
        }
        let bytes = |counts: &PairCounts| match counts {
            PairCounts::Dense { counts, .. } => size_of_val(&counts[..]),
            PairCounts::Sparse(_) => 0,
        };
        let (mut other, most) = (Tally::default(), DENSE_BYTES);
        other.merge(&tally);
        for tally in [&tally, &other] {
            let taken: usize = tally.buckets.values().map(bytes).sum();
            assert!(0 < taken && taken <= most, "{taken} bytes");
        }
    }
}
