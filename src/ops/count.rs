//! Records to tally: finds each record's bucket and counts its pair.
//!
//! Each worker has a counter of its own, through which it counts into the tally of all. Pairs of
//! the first few hosts are counted in a small table of the counter and reach the tally when a
//! window closes; all others once a batch, shard by shard. So workers meet at a lock a few times a
//! batch and never for a line. The small table is indexed by the numbers of the hosts, of which it
//! takes the first 256.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use crate::batch::Record;
use crate::model::Timestamp;
use crate::tally::hash::shard;
use crate::tally::host::Hosts;
use crate::tally::pane::Pane;
use crate::tally::sweep;
use crate::tally::{Budget, HostId, Tally};

/// How time is cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Where bucket 0 starts.
    pub anchor: Timestamp,
    /// Length of a bucket in nanoseconds, above 0.
    pub grain: i64,
    /// The highest bucket: a stamp beyond it, such as one on the end of a window that has both ends
    /// in, is put here.
    pub last: i64,
}

impl Buckets {
    /// The bucket of an instant.
    pub fn of(&self, time: Timestamp) -> i64 {
        let bucket = match time.nanos().checked_sub(self.anchor.nanos()) {
            Some(distance) => distance.div_euclid(self.grain),
            // Instants lie up to 585 years apart, which 64 bits of nanoseconds cannot say.
            None => {
                let distance = i128::from(time.nanos()) - i128::from(self.anchor.nanos());
                let bucket = distance.div_euclid(i128::from(self.grain));
                i64::try_from(bucket).unwrap_or(if bucket < 0 { i64::MIN } else { i64::MAX })
            }
        };
        bucket.min(self.last)
    }

    /// The instants of a bucket, first and last.
    fn range(&self, bucket: i64) -> (Timestamp, Timestamp) {
        let start = self.anchor.plus_times(bucket, self.grain);
        let last = if bucket == self.last { Timestamp::MAX } else { start.plus(self.grain).minus(1) };
        (start, last)
    }

    /// The instants of a pane of a tally, first and last.
    fn pane_range(&self, pane: i64, tally: &Tally) -> (Timestamp, Timestamp) {
        let (first, last) = tally.buckets_of(pane);
        (self.range(first).0, self.range(last).1)
    }
}

/// What one worker counts with.
#[derive(Debug, Default)]
pub struct Counter {
    /// By number of pane.
    lanes: BTreeMap<i64, Lane>,
    /// Connections by bucket that the tally does not have yet.
    buckets: BTreeMap<i64, u64>,
    /// Records of the batch with a host that is new.
    strangers: Vec<u32>,
    /// Bytes of all indexed tables.
    dense_bytes: usize,
}

/// A bucket that records of a batch fall into, and how many.
#[derive(Debug)]
struct OpenBucket {
    number: i64,
    start: Timestamp,
    last: Timestamp,
    count: u64,
}

impl OpenBucket {
    #[inline]
    fn has(&self, time: Timestamp) -> bool {
        self.start <= time && time <= self.last
    }
}

/// What a worker counts of one pane.
#[derive(Debug)]
struct Lane {
    pane: Arc<Pane>,
    dense: Dense,
    /// By shard: pairs that wait for the end of the batch.
    waiting: Vec<Vec<Waiting>>,
    any_waiting: bool,
}

/// Connections per pair of the first hosts, in a table that is indexed rather than hashed: row
/// `from`, column `to`.
#[derive(Debug, Default)]
struct Dense {
    stride: usize,
    counts: Vec<u64>,
}

/// A pair that waits to be counted, once.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    hash: u64,
    from: HostId,
    to: HostId,
    /// Its record in the batch.
    record: u32,
}

/// The hosts up to which pairs are counted in an indexed table: 512 KiB at most. Their names are
/// never dropped.
const DENSE_HOSTS: usize = sweep::ALWAYS_KEPT;

/// The hosts by which an indexed table grows: in few steps, as each copies the table.
const STRIDE_STEP: usize = 32;

/// The bytes that all indexed tables of a counter may take: beyond, tables that are mostly zeros
/// would cost more than they save.
const DENSE_BYTES: usize = 8 << 20;

/// Buckets that are kept at hand while a batch is counted.
const AT_HAND: usize = 4;

/// Records whose hosts are fetched from a large table before the first of them is looked up.
const BLOCK: usize = 32;

/// Counts the records, which point into `bytes`, with their buckets. Those left over, by their
/// place in `records`, are in their buckets, but there was no memory left in the tally's budget for
/// their pair.
pub fn count(records: &[Record], bytes: &[u8], buckets: &Buckets, tally: &Tally, counter: &mut Counter) -> Vec<u32> {
    counter.count_buckets(records, buckets);
    count_pairs(records, bytes, buckets, tally, counter)
}

/// As `count`, for records that are in their buckets already.
pub fn count_pairs(
    records: &[Record],
    bytes: &[u8],
    buckets: &Buckets,
    tally: &Tally,
    counter: &mut Counter,
) -> Vec<u32> {
    let hosts = tally.hosts().read();
    let mut at = 0;
    // Neighbours mostly share a pane: it is looked up once for each run of them.
    while let Some(first) = records.get(at) {
        let pane = tally.pane_of(buckets.of(first.time));
        let (start, last) = buckets.pane_range(pane, tally);
        let Counter { lanes, strangers, dense_bytes, .. } = &mut *counter;
        let lane = lanes.entry(pane).or_insert_with(|| Lane::new(tally.pane(pane)));
        let inside = |record: &&Record| start <= record.time && record.time <= last;
        // The pane of a stamp at the end of time may end before it.
        let run = 1 + records[at + 1..].iter().take_while(inside).count();
        for block in records[at..at + run].chunks(BLOCK) {
            let id = |range: (u32, u32)| hosts.find_at(bytes, range.0 as usize, range.1 as usize);
            if hosts.is_large() {
                let touch = |range: (u32, u32)| hosts.touch_at(bytes, range.0 as usize, range.1 as usize);
                black_box(block.iter().fold(0, |sum, record| sum ^ touch(record.from) ^ touch(record.to)));
            }
            for record in block {
                match (id(record.from), id(record.to)) {
                    (Some(from), Some(to)) => lane.add(from, to, at as u32, dense_bytes, tally.budget()),
                    _ => strangers.push(at as u32),
                }
                at += 1;
            }
        }
    }
    drop(hosts);
    let mut left = Vec::new();
    if !counter.strangers.is_empty() {
        counter.meet(records, bytes, buckets, tally, &mut left);
    }
    for lane in counter.lanes.values_mut().filter(|lane| lane.any_waiting) {
        lane.flush(tally, &mut left);
    }
    left
}

impl Counter {
    /// Counts the records of each bucket. Where time is out of order they change between a few,
    /// which are kept at hand.
    fn count_buckets(&mut self, records: &[Record], buckets: &Buckets) {
        let mut open: Vec<OpenBucket> = Vec::with_capacity(AT_HAND);
        let (mut at, mut next) = (0, 0);
        for record in records {
            if !open.get(at).is_some_and(|bucket| bucket.has(record.time)) {
                at = open.iter().position(|bucket| bucket.has(record.time)).unwrap_or(AT_HAND);
            }
            if at == AT_HAND {
                let number = buckets.of(record.time);
                let (start, last) = buckets.range(number);
                let new = OpenBucket { number, start, last, count: 0 };
                // The one that was opened first gives way.
                (at, next) = (next, (next + 1) % AT_HAND);
                match open.get_mut(at) {
                    Some(oldest) => self.close_bucket(std::mem::replace(oldest, new)),
                    None => open.push(new),
                }
            }
            open[at].count += 1;
        }
        open.into_iter().for_each(|bucket| self.close_bucket(bucket));
    }

    fn close_bucket(&mut self, bucket: OpenBucket) {
        *self.buckets.entry(bucket.number).or_default() += bucket.count;
    }

    /// Counts the records whose hosts the tally did not know, and adds these hosts to it.
    fn meet(&mut self, records: &[Record], bytes: &[u8], buckets: &Buckets, tally: &Tally, left: &mut Vec<u32>) {
        let Counter { lanes, strangers, dense_bytes, .. } = self;
        let mut hosts = tally.hosts().write();
        for at in strangers.drain(..) {
            let record = &records[at as usize];
            let mut id = |range| Hosts::intern_within(&mut hosts, Record::slice(bytes, range), tally.budget());
            let (Some(from), Some(to)) = (id(record.from), id(record.to)) else {
                left.push(at);
                continue;
            };
            let pane = tally.pane_of(buckets.of(record.time));
            let lane = lanes.entry(pane).or_insert_with(|| Lane::new(tally.pane(pane)));
            lane.add(from, to, at, dense_bytes, tally.budget());
        }
    }

    /// Hands what it holds of the panes before `pane`, and its buckets, to the tally.
    pub fn hand_over(&mut self, pane: i64, tally: &mut Tally) {
        for (bucket, connections) in std::mem::take(&mut self.buckets) {
            tally.add_to_bucket(bucket, connections);
        }
        let later = self.lanes.split_off(&pane);
        for lane in std::mem::replace(&mut self.lanes, later).into_values() {
            lane.dense.for_each(|from, to, count| lane.pane.add_anyway(from, to, count));
            self.dense_bytes -= lane.dense.bytes();
            tally.budget().give_back(lane.dense.bytes());
        }
    }
}

impl Lane {
    fn new(pane: Arc<Pane>) -> Self {
        let waiting = vec![Vec::new(); pane.shards().len()];
        Lane { pane, dense: Dense::default(), waiting, any_waiting: false }
    }

    #[inline(always)]
    fn add(&mut self, from: HostId, to: HostId, record: u32, dense_bytes: &mut usize, budget: &Budget) {
        let (row, column) = (from.0 as usize, to.0 as usize);
        if row.max(column) < self.dense.stride {
            self.dense.counts[row * self.dense.stride + column] += 1;
            return;
        }
        self.add_sparse(from, to, record, dense_bytes, budget);
    }

    /// Makes room in the indexed table for a pair of the first hosts; the others wait.
    fn add_sparse(&mut self, from: HostId, to: HostId, record: u32, dense_bytes: &mut usize, budget: &Budget) {
        let hosts = from.0.max(to.0) as usize + 1;
        if hosts <= DENSE_HOSTS && self.dense.grow(hosts, dense_bytes, budget) {
            self.dense.counts[from.0 as usize * self.dense.stride + to.0 as usize] += 1;
            return;
        }
        let hash = self.pane.hash().of(from, to);
        self.waiting[shard(hash, self.pane.shards().len())].push(Waiting { hash, from, to, record });
        self.any_waiting = true;
    }

    /// Counts the pairs that wait. Those for which there are no bytes are left.
    fn flush(&mut self, tally: &Tally, left: &mut Vec<u32>) {
        self.any_waiting = false;
        if let Some(marks) = tally.marks() {
            self.waiting.iter().flatten().for_each(|pair| marks.set_pair(pair.from, pair.to));
        }
        for (waiting, shard) in
            self.waiting.iter_mut().zip(self.pane.shards()).filter(|(waiting, _)| !waiting.is_empty())
        {
            let mut table = shard.write();
            // The places of all pairs are fetched first, many at a time, since none of them depends
            // on another: in a large table nearly each fetch goes to memory, and counting pair by
            // pair would wait for each in turn.
            black_box(waiting.iter().fold(0, |sum, pair| sum ^ table.touch(pair.hash)));
            for pair in waiting.drain(..) {
                if !table.add(pair.hash, pair.from, pair.to, 1, tally.budget()) {
                    left.push(pair.record);
                }
            }
        }
    }
}

impl Dense {
    /// Makes room for this many hosts, if that is worth the memory and it is left. Gives whether
    /// there is room.
    #[cold]
    fn grow(&mut self, hosts: usize, all_bytes: &mut usize, budget: &Budget) -> bool {
        let stride = hosts.next_multiple_of(STRIDE_STEP);
        let more = (stride * stride - self.counts.len()) * size_of::<u64>();
        if *all_bytes + more > DENSE_BYTES || !budget.take(more) {
            return false;
        }
        *all_bytes += more;
        let mut wider = Dense { stride, counts: vec![0; stride * stride] };
        self.for_each(|from, to, count| wider.counts[from.0 as usize * stride + to.0 as usize] = count);
        *self = wider;
        true
    }

    fn bytes(&self) -> usize {
        self.counts.len() * size_of::<u64>()
    }

    fn for_each(&self, mut f: impl FnMut(HostId, HostId, u64)) {
        for (at, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            f(HostId((at / self.stride) as u32), HostId((at % self.stride) as u32), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Window;
    use crate::tally::Aggregates;
    use crate::tally::Shape;
    use crate::tally::aggregates::Layout;
    use proptest::prelude::*;

    fn counted(times: &[i64], buckets: &Buckets) -> BTreeMap<i64, u64> {
        let records: Vec<Record> =
            times.iter().map(|&time| Record { time: Timestamp::from_nanos(time), from: (0, 1), to: (1, 2) }).collect();
        let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        let mut counter = Counter::default();
        assert!(count(&records, b"ab", buckets, &tally, &mut counter).is_empty());
        counter.buckets
    }

    /// Lines of a stamp and two hosts as records, and a map of the counts of their pairs in window
    /// 0, of ten buckets.
    type Lines = Vec<(i64, u16, u16)>;

    const BUCKETS: Buckets = Buckets { anchor: Timestamp::from_nanos(0), grain: 1, last: i64::MAX };

    fn records(lines: &Lines) -> (Vec<u8>, Vec<Record>) {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        for (time, from, to) in lines {
            let mut range = |name: String| {
                let start = bytes.len() as u32;
                bytes.extend_from_slice(name.as_bytes());
                (start, bytes.len() as u32)
            };
            let (from, to) = (range(format!("{from}")), range(format!("a-name-of-more-than-16-bytes-{to}")));
            records.push(Record { time: Timestamp::from_nanos(*time), from, to });
        }
        (bytes, records)
    }

    type Plain = BTreeMap<(Vec<u8>, Vec<u8>), u64>;

    fn pairs(view: &Aggregates) -> Plain {
        let mut out = Plain::new();
        view.for_each_pair(|pair| {
            let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
            assert_eq!(out.insert(key, pair.connections), None, "a pair came twice");
        })
        .unwrap();
        out
    }

    fn layout(panes: i64) -> Layout {
        let window = Window::half_open(Timestamp::from_nanos(0), Timestamp::from_nanos(10));
        Layout { window, first_bucket: 0, buckets: panes * 10 / panes, grain: 1, previous: false }
    }

    proptest! {
        #[test]
        fn every_record_is_in_the_bucket_of_its_stamp(times in proptest::collection::vec(-50i64..50, 0..60)) {
            let buckets = Buckets { anchor: Timestamp::from_nanos(3), grain: 10, last: 2 };
            let mut oracle = BTreeMap::new();
            for time in &times {
                *oracle.entry(((time - 3) as f64 / 10.0).floor().min(2.0) as i64).or_default() += 1;
            }
            prop_assert_eq!(counted(&times, &buckets), oracle);
        }
    }

    proptest! {
        #[test]
        fn whoever_counts_and_in_whatever_batches_the_pairs_are_those_of_the_simple_way(
            lines in proptest::collection::vec((-10i64..20, 0u16..600, 0u16..4), 0..300),
            cuts in proptest::collection::vec((0usize..300, 0usize..3), 0..8),
            pane in prop_oneof![Just(10i64), Just(5), Just(1)],
            shards in prop_oneof![Just(1usize), Just(5)],
        ) {
            let shape = Shape { pane, shards };
            let (bytes, all) = records(&lines);
            let mut simple = Tally::new(shape, Arc::default());
            for record in &all {
                let name = |range| Record::slice(&bytes, range);
                simple.add(BUCKETS.of(record.time), name(record.from), name(record.to), 1);
            }
            let (budget, mut counters) = (Arc::<Budget>::default(), [Counter::default(), Counter::default(), Counter::default()]);
            let mut tally = Tally::new(shape, Arc::clone(&budget));
            let mut rest = &all[..];
            for (length, worker) in cuts.into_iter().chain([(300, 0)]) {
                let (batch, others) = rest.split_at(length.min(rest.len()));
                prop_assert!(count(batch, &bytes, &BUCKETS, &tally, &mut counters[worker]).is_empty());
                rest = others;
            }
            counters.iter_mut().for_each(|counter| counter.hand_over(i64::MAX, &mut tally));
            prop_assert!(counters.iter().all(|counter| counter.lanes.is_empty() && counter.dense_bytes == 0));
            let layout = layout(10 / pane);
            let (view, expected) = (tally.view(&layout), simple.view(&layout));
            prop_assert_eq!(view.buckets(), expected.buckets());
            prop_assert_eq!(pairs(&view), pairs(&expected));
            drop((view, tally.drain()));
            prop_assert_eq!(budget.used(), 0);
        }
    }

    #[test]
    fn e10_records_without_room_are_left_once_and_stay_in_their_buckets() {
        let lines: Lines = (0..5_000).map(|line| (line % 10, (line % 1_000) as u16, 0)).collect();
        let (bytes, all) = records(&lines);
        let budget = Arc::new(Budget::new(Some(100_000)));
        let mut tally = Tally::new(Shape { pane: 10, shards: 4 }, Arc::clone(&budget));
        let mut counter = Counter::default();
        let left = count(&all, &bytes, &BUCKETS, &tally, &mut counter);
        assert!(!left.is_empty() && left.len() < all.len(), "{} of {} are left", left.len(), all.len());
        assert!(left.iter().collect::<std::collections::BTreeSet<_>>().len() == left.len());
        assert!(budget.used() <= 100_000);
        counter.hand_over(i64::MAX, &mut tally);
        let view = tally.view(&layout(1));
        assert_eq!(view.total(), 5_000);
        assert_eq!(pairs(&view).values().sum::<u64>() + left.len() as u64, 5_000);
        assert!(pairs(&view).values().all(|count| *count == 5), "a pair is counted in part");
    }

    #[test]
    fn indexed_tables_take_no_more_than_their_bytes() {
        let lines: Lines = (0..60_000).map(|line| (line / 200, (line % 200) as u16, 0)).collect();
        let (bytes, all) = records(&lines);
        let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        let mut counter = Counter::default();
        assert!(count(&all, &bytes, &BUCKETS, &tally, &mut counter).is_empty());
        assert!(0 < counter.dense_bytes && counter.dense_bytes <= DENSE_BYTES, "{} bytes", counter.dense_bytes);
        let taken: usize = counter.lanes.values().map(|lane| lane.dense.bytes()).sum();
        assert_eq!(taken, counter.dense_bytes);
    }

    #[test]
    fn c3_stamps_far_from_the_anchor_are_in_their_buckets() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let buckets = Buckets { anchor: at(9_000_000_000), grain: 86_400 * crate::model::time::SECOND, last: i64::MAX };
        let far = buckets.of(at(-3_000_000_000));
        assert_eq!(far, (-3_000_000_000i64 - 9_000_000_000).div_euclid(86_400));
        assert_eq!(buckets.range(far).0, at(9_000_000_000 + far * 86_400));
        assert_eq!(buckets.of(at(-2_999_900_000)), far + 1);
    }

    #[test]
    fn extreme_stamps_are_counted_too() {
        let buckets = Buckets { anchor: Timestamp::from_nanos(7), grain: 10, last: i64::MAX };
        let total: u64 = counted(&[i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX], &buckets).values().sum();
        assert_eq!(total, 5);
    }
}
