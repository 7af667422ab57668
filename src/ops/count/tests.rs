//! Counting held against slow and obvious twins, whatever happens between batches.

use std::sync::Arc;

use super::lane::DENSE_BYTES;
use super::*;
use crate::format::mapped::numbers::BoundNumbers;
use crate::model::{PerMeasure, Timestamp, Window};
use crate::tally::Aggregates;
use crate::tally::Budget;
use crate::tally::Shape;
use crate::tally::aggregates::Layout;
use crate::tally::names::Names;
use crate::tally::pane::Pane;
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
        drop(counters);
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
fn e10_records_of_panes_in_turns_that_are_left_are_told_by_their_place_in_the_batch() {
    let lines: Lines = (0..5_000).map(|line| (line % 3 * 10, (line % 1_000) as u16, 0)).collect();
    let (bytes, all) = records(&lines);
    let mut tally = Tally::new(Shape { pane: 10, shards: 4 }, Arc::new(Budget::new(Some(100_000))));
    let mut counter = Counter::default();
    let left = count(&all, &bytes, &BUCKETS, &tally, &mut counter);
    assert!(!left.is_empty() && left.len() < all.len(), "{} of {} are left", left.len(), all.len());
    counter.hand_over(i64::MAX, &mut tally);
    let (mut found, mut expected) = (Twin::default(), Twin::default());
    let (names, panes) = tally.drain();
    found.add(&names, panes);
    for (_, record) in (0..).zip(&all).filter(|(at, _)| !left.contains(at)) {
        let name = |range| Record::slice(&bytes, range).to_vec();
        let key = (record.time.nanos() / 10, name(record.from), name(record.to));
        *expected.0.entry(key).or_default() += 1;
    }
    assert_eq!(found.0, expected.0);
}

#[test]
fn indexed_tables_take_no_more_than_their_bytes() {
    let lines: Lines = (0..60_000).map(|line| (line / 200, (line % 200) as u16, 0)).collect();
    let (bytes, all) = records(&lines);
    let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
    let mut counter = Counter::default();
    assert!(count(&all, &bytes, &BUCKETS, &tally, &mut counter).is_empty());
    assert!(0 < counter.dense_bytes && counter.dense_bytes <= DENSE_BYTES, "{} bytes", counter.dense_bytes);
    let taken: usize = counter.lanes.values().map(|lane| lane.dense_bytes()).sum();
    assert_eq!(taken, counter.dense_bytes);
}

#[test]
fn extreme_stamps_are_counted_too() {
    let buckets = Buckets { anchor: Timestamp::from_nanos(7), grain: 10, last: i64::MAX };
    let total: u64 = counted(&[i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX], &buckets).values().sum();
    assert_eq!(total, 5);
}

/// What may happen to a tally that is counted into.
#[derive(Debug, Clone)]
enum Event {
    /// A worker counts a batch: for each line when, and which names.
    Batch(usize, Vec<(i64, usize, usize)>),
    /// All goes to the disk, and names get new numbers.
    Drain,
    /// What is before a pane closes, and the names that only it has are dropped.
    Close(i64),
}

/// Names of each length around those at which they are treated in another way, each length with
/// some that differ in their last byte only.
fn hostile(name: usize) -> Vec<u8> {
    const LENGTHS: [usize; 18] = [1, 2, 7, 8, 9, 15, 16, 17, 24, 30, 31, 32, 33, 40, 62, 63, 64, 70];
    let (length, last) = (LENGTHS[name % LENGTHS.len()], name / LENGTHS.len());
    [vec![b'h'; length - 1], vec![b'a' + last as u8]].concat()
}

/// Counted as by nobody who has to hurry.
#[derive(Debug, Default)]
struct Twin(BTreeMap<(i64, Vec<u8>, Vec<u8>), u64>);

/// What is counted in the quick way, and what has left the tally of it.
struct World {
    tally: Tally,
    counters: [Counter; 2],
    gone: Twin,
    twin: Twin,
}

impl World {
    fn new() -> Self {
        let tally = Tally::new(Shape { pane: 10, shards: 3 }, Arc::default());
        World { tally, counters: Default::default(), gone: Twin::default(), twin: Twin::default() }
    }

    /// Counts lines of a stamp and two names. The last one has nothing behind it, or a newline.
    fn count(&mut self, worker: usize, lines: &[(i64, Vec<u8>, Vec<u8>)]) {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        for (time, from, to) in lines {
            bytes.extend_from_slice(b"\n1 ");
            let start = bytes.len() as u32;
            bytes.extend_from_slice(from);
            let between = bytes.len() as u32;
            bytes.push(b' ');
            bytes.extend_from_slice(to);
            let range = (between + 1, bytes.len() as u32);
            records.push(Record { time: Timestamp::from_nanos(*time), from: (start, between), to: range });
            *self.twin.0.entry((time.div_euclid(10), from.clone(), to.clone())).or_default() += 1;
        }
        assert!(count(&records, &bytes, &BUCKETS, &self.tally, &mut self.counters[worker]).is_empty());
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Batch(worker, lines) => {
                let names = |&(time, from, to): &(i64, usize, usize)| (time, hostile(from), hostile(to));
                self.count(*worker, &lines.iter().map(names).collect::<Vec<_>>());
            }
            Event::Drain => self.drain(),
            Event::Close(pane) => {
                self.counters.iter_mut().for_each(|counter| counter.hand_over(*pane, &mut self.tally));
                let closed = self.tally.panes().into_iter().filter(|(number, _)| number < pane).collect();
                self.gone.add(self.tally.hosts().read().names(), closed);
                self.tally.drop_before(10 * pane);
                self.tally.sweep();
            }
        }
    }

    fn drain(&mut self) {
        self.counters.iter_mut().for_each(|counter| counter.hand_over(i64::MAX, &mut self.tally));
        let (names, panes) = self.tally.drain();
        self.gone.add(&names, panes);
    }

    fn check(mut self) {
        self.drain();
        assert_eq!(self.gone.0, self.twin.0);
        let budget = Arc::clone(self.tally.budget());
        drop(self);
        assert_eq!(budget.used(), 0);
    }
}

impl Twin {
    fn add(&mut self, names: &Names, panes: Vec<(i64, Arc<Pane>)>) {
        for (number, pane) in panes {
            pane.for_each(|from, to, count| {
                let name = |id| names.get(id).expect("a host of a pair has a name").to_vec();
                *self.0.entry((number, name(from), name(to))).or_default() += count;
            });
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Of few names, so that pairs come again; or of all.
    let batch = (2usize..400, 1i64..60)
        .prop_flat_map(|(names, time)| proptest::collection::vec((0..time, 0..names, 0..names.min(50)), 0..200));
    // Once more than fits a piece.
    let batch = (batch, prop_oneof![4 => Just(1usize), 1 => Just(20)]).prop_map(|(lines, times)| lines.repeat(times));
    let event = prop_oneof![
        8 => (0usize..2, batch).prop_map(|(worker, lines)| Event::Batch(worker, lines)),
        1 => Just(Event::Drain),
        1 => (0i64..6).prop_map(Event::Close),
    ];
    proptest::collection::vec(event, 0..12)
}

proptest! {
    #[test]
    fn whatever_happens_between_batches_the_pairs_are_those_of_a_map(events in events()) {
        let mut world = World::new();
        events.iter().for_each(|event| world.happens(event));
        world.check();
    }
}

/// Lines of `hosts` hosts that connect to one another, of these numbers of hostile names.
fn lines(hosts: std::ops::Range<usize>, time: i64) -> Vec<(i64, Vec<u8>, Vec<u8>)> {
    let pairs = hosts.clone().flat_map(|from| [(from, hosts.start), (hosts.start, from)]);
    pairs.map(|(from, to)| (time, hostile(from), hostile(to))).collect()
}

#[test]
fn pairs_at_hand_are_forgotten_when_names_get_new_numbers_as_all_go_to_the_disk() {
    let mut world = World::new();
    for _ in 0..3 {
        world.count(0, &lines(0..300, 5));
    }
    world.drain();
    for first in [200, 100, 0] {
        // Once the names are known, and once their pairs are at hand.
        for _ in 0..3 {
            world.count(0, &lines(first..first + 20, 5));
        }
    }
    world.check();
}

#[test]
fn pairs_at_hand_are_forgotten_when_numbers_of_dropped_names_are_given_to_others() {
    let mut world = World::new();
    // Names with the first numbers are never dropped.
    world.count(0, &lines(0..300, 5));
    for time in [5, 15] {
        for _ in 0..3 {
            world.count(0, &lines(300..320, time));
        }
        world.happens(&Event::Close(time / 10 + 1));
        for _ in 0..3 {
            world.count(0, &lines(320..350, time + 10));
        }
    }
    world.check();
}

#[test]
fn a_pane_without_records_between_two_others_is_not_made() {
    let (bytes, all) = records(&vec![(5, 1, 1), (25, 1, 1), (5, 1, 1)]);
    let tally = Tally::new(Shape { pane: 10, shards: 1 }, Arc::default());
    assert!(count(&all, &bytes, &BUCKETS, &tally, &mut Counter::default()).is_empty());
    assert_eq!(tally.panes().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 2]);
}

/// Records with numbers before their hosts, each: second, source, server, and the numbers.
type NumberedLine = (i64, u8, u8, Option<u64>, Option<u64>);

fn numbered(lines: &[NumberedLine], bound: &BoundNumbers) -> (Vec<Record>, Vec<u8>) {
    let (mut records, mut text) = (Vec::new(), Vec::new());
    for (second, from, to, sum, weight) in lines {
        let fields = [sum, weight].map(|number| number.map(|number| number.to_string()));
        bound.write(|slot| fields[slot].as_ref().map(String::as_bytes), &mut text);
        text.extend_from_slice(&0u32.to_le_bytes());
        let mut put = |name: String| {
            let start = text.len() as u32;
            text.extend_from_slice(name.as_bytes());
            text.push(0);
            (start, text.len() as u32 - 1)
        };
        let (from, to) = (put(format!("s{from}")), put(format!("d{to}")));
        records.push(Record { time: Timestamp::from_seconds(*second), from, to });
    }
    (records, text)
}

proptest! {
    #[test]
    fn numbers_are_counted_as_by_a_map(
        batches in proptest::collection::vec(proptest::collection::vec(
            (0i64..40, 0u8..20, 0u8..6, proptest::option::of(0u64..1 << 50), proptest::option::of(1u64..90_000)), 0..200), 1..5),
        is_weighted: bool,
        sums: bool,
        plain_first: bool,
    ) {
        let measures = if sums { vec![vec![vec![0]]] } else { Vec::new() };
        let names: Vec<String> = measures.iter().map(|_| "bytes".to_owned()).collect();
        let bound = BoundNumbers { measures, weight: is_weighted.then_some(1), are_of_json: false };
        let mut tally = Tally::new(Shape { pane: 10, shards: 3 }, Arc::default()).measuring(&names);
        let (mut counter, mut expected, mut by_bucket) = (Counter::default(), BTreeMap::new(), BTreeMap::new());
        if plain_first {
            // What was counted as single connections before is added to.
            let (records, text) = numbered(&[(0, 1, 1, None, None)], &BoundNumbers::default());
            prop_assert!(count(&records, &text, &BUCKETS, &tally, &mut counter).is_empty());
            *expected.entry((0, "s1".to_owned(), "d1".to_owned())).or_default() += Amount::from(1);
            *by_bucket.entry(0).or_default() += 1;
        }
        let mut measured = BTreeMap::<i64, Measured>::new();
        for lines in &batches {
            let (records, text) = numbered(lines, &bound);
            let left = count_numbers(&records, (&text, bound.layout()), &BUCKETS, &tally, &mut counter);
            prop_assert!(left.is_empty());
            for (line, record) in lines.iter().zip(&records) {
                let bucket = BUCKETS.of(record.time);
                let sum = line.3.filter(|_| sums);
                let connections = line.4.filter(|_| is_weighted).unwrap_or(1);
                let amount = Amount { connections, sums: PerMeasure::of(&[sum.unwrap_or(0)]) };
                let key = (tally.pane_of(bucket), format!("s{}", line.1), format!("d{}", line.2));
                *expected.entry(key).or_default() += amount;
                *by_bucket.entry(bucket).or_default() += connections;
                let missing = PerMeasure::of(&[u64::from(sums && sum.is_none())]);
                if bound.layout() != BoundNumbers::default().layout() {
                    *measured.entry(bucket).or_default() += Measured { sums: amount.sums, missing };
                }
            }
        }
        counter.hand_over(i64::MAX, &mut tally);
        prop_assert_eq!(tally.buckets(), &by_bucket);
        prop_assert_eq!(tally.measured(), &measured);
        let hosts = tally.hosts().read();
        let name = |id| String::from_utf8(hosts.names().name(id).to_vec()).unwrap();
        let mut found = BTreeMap::new();
        for (number, pane) in tally.panes() {
            pane.for_each_amount(|from, to, amount| assert_eq!(found.insert((number, name(from), name(to)), amount), None));
        }
        prop_assert_eq!(found, expected);
    }
}
