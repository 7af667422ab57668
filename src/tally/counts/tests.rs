//! The tally held against maps.

use super::*;
use crate::model::time::SECOND;
use crate::model::{Timestamp, Window};
use crate::tally::Side;
use proptest::prelude::*;

type Plain = BTreeMap<(Vec<u8>, Vec<u8>), (u64, u64)>;

const PANE: i64 = 5;

fn tally(records: &[(i64, u16, u16)], shards: usize) -> Tally {
    let mut tally = Tally::new(Shape { pane: PANE, shards }, Arc::default());
    for &(bucket, from, to) in records {
        add(&mut tally, bucket, from, to);
    }
    tally
}

fn add(tally: &mut Tally, bucket: i64, from: u16, to: u16) {
    tally.add(bucket, from.to_string().as_bytes(), to.to_string().as_bytes(), 1);
}

fn layout(first_bucket: i64, panes: i64) -> Layout {
    let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(1));
    Layout { window, first_bucket, buckets: panes * PANE, grain: SECOND, previous: true }
}

fn plain(view: &Aggregates) -> Plain {
    let mut out = Plain::new();
    view.for_each_pair(|pair| {
        let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
        assert_eq!(out.insert(key, (pair.connections, pair.before)), None, "a pair came twice");
    })
    .unwrap();
    out
}

fn oracle(records: &[(i64, u16, u16)], first: i64, panes: i64) -> Plain {
    let (mut out, end) = (Plain::new(), first + panes * PANE);
    for (bucket, from, to) in records {
        let key = (from.to_string().into_bytes(), to.to_string().into_bytes());
        let counts: &mut (u64, u64) = out.entry(key).or_default();
        counts.0 += u64::from((first..end).contains(bucket));
        counts.1 += u64::from((first - panes * PANE..first).contains(bucket));
    }
    out.retain(|_, (connections, _)| *connections > 0);
    out
}

fn records() -> impl Strategy<Value = Vec<(i64, u16, u16)>> {
    proptest::collection::vec((-20i64..20, 0u16..60, 0u16..9), 0..200)
}

#[test]
fn the_view_of_an_open_window_has_nothing_that_is_counted_later() {
    let mut tally = tally(&[(0, 1, 1), (1, 1, 2)], 2);
    let (open, closed) = (tally.open_view(&layout(0, 1)), tally.view(&layout(0, 1)));
    // A pair that is known, one that is new, and one whose host has come since.
    [(0, 1, 1), (0, 2, 1), (3, 50, 1)].into_iter().for_each(|(at, from, to)| add(&mut tally, at, from, to));
    assert_eq!(plain(&open), oracle(&[(0, 1, 1), (1, 1, 2)], 0, 1));
    assert_eq!((open.total(), closed.total()), (2, 2));
}

proptest! {
    #[test]
    fn a_view_agrees_with_a_map(
        records in records(), first in -2i64..2, panes in 1i64..4, shards in prop_oneof![Just(1usize), Just(3)],
    ) {
        let mut tally = tally(&records, shards);
        let view = tally.view(&layout(first * PANE, panes));
        let expected = oracle(&records, first * PANE, panes);
        prop_assert_eq!(view.total(), expected.values().map(|counts| counts.0).sum::<u64>());
        let expected_again = expected.clone();
        prop_assert_eq!(plain(&view), expected);
        prop_assert_eq!(tally.show(&layout(first * PANE, panes), plain), expected_again);
        prop_assert_eq!(plain(&tally.view(&layout(first * PANE, panes))), plain(&view));
        prop_assert_eq!(plain(&tally.last_view(&layout(first * PANE, panes))), plain(&view));
    }

    #[test]
    fn a_view_of_both_sides_and_of_two_windows_agrees_with_a_map(
        records in records(), first in -2i64..2, panes in 1i64..4, shards in prop_oneof![Just(1usize), Just(3)],
    ) {
        let tally = tally(&records, shards);
        let view = tally.view(&layout(first * PANE, panes));
        let (from, end) = (first * PANE, (first + panes) * PANE);
        let of = |window: std::ops::Range<i64>, is_meant: &dyn Fn(u16, u16) -> bool| {
            records.iter().filter(|(bucket, from, to)| window.contains(bucket) && is_meant(*from, *to)).count() as u64
        };
        let (here, before) = (from..end, from - panes * PANE..from);
        let number = |name: &[u8]| std::str::from_utf8(name).unwrap().parse::<u16>().unwrap();

        let mut gone = BTreeMap::new();
        for part in 0..view.parts() {
            view.for_each_gone_pair_in(part, |from, to, amount| {
                assert_eq!(gone.insert((number(from.bytes()), number(to.bytes())), amount.connections), None);
            }).unwrap();
        }
        let pairs: std::collections::BTreeSet<(u16, u16)> = records.iter().map(|(_, from, to)| (*from, *to)).collect();
        let expected = pairs.iter().filter_map(|pair| {
            let is_pair = |from, to| (from, to) == *pair;
            let count = of(before.clone(), &is_pair);
            (count > 0 && of(here.clone(), &is_pair) == 0).then_some((*pair, count))
        });
        prop_assert_eq!(gone, expected.collect());

        let mut sides = BTreeMap::new();
        view.for_each_host_on_either_side(|host| {
            let counts = [host.as_source, host.as_server, host.with_itself, host.amount()];
            let counts = counts.map(|amount| amount.connections);
            assert_eq!(sides.insert(number(host.host.bytes()), counts), None);
        }).unwrap();
        let hosts: std::collections::BTreeSet<u16> = pairs.iter().flat_map(|(from, to)| [*from, *to]).collect();
        let expected = hosts.iter().filter_map(|host| {
            let counts = [
                of(here.clone(), &|from, _| from == *host),
                of(here.clone(), &|_, to| to == *host),
                of(here.clone(), &|from, to| from == *host && to == *host),
                of(here.clone(), &|from, to| from == *host || to == *host),
            ];
            (counts[3] > 0).then_some((*host, counts))
        });
        prop_assert_eq!(sides, expected.collect());

        for side in [Side::From, Side::To] {
            let mut compared = BTreeMap::new();
            let totals = view.totals_before_in(0..view.parts());
            view.for_each_host_compared(side, &totals, |host, amount, before| {
                assert_eq!(compared.insert(number(host.bytes()), [amount.connections, before]), None);
            }).unwrap();
            let expected = hosts.iter().filter_map(|host| {
                let is_host = |from, to| if side == Side::From { from == *host } else { to == *host };
                let counts = [of(here.clone(), &is_host), of(before.clone(), &is_host)];
                (counts != [0, 0]).then_some((*host, counts))
            });
            prop_assert_eq!(compared, expected.collect());
        }
    }

    #[test]
    fn what_is_before_a_pane_can_be_forgotten(records in records(), first in -3i64..4) {
        let mut tally = tally(&records, 2);
        tally.drop_before(first * PANE);
        tally.sweep();
        let later: Vec<_> = records.iter().filter(|record| record.0 >= first * PANE).copied().collect();
        prop_assert_eq!(plain(&tally.view(&layout(first * PANE, 3))), oracle(&later, first * PANE, 3));
        prop_assert_eq!(tally.first_from(i64::MIN), later.iter().map(|record| record.0).min());
    }
}

#[test]
fn names_are_not_swept_while_all_are_in_use() {
    let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Arc::default());
    (0..2000).for_each(|host| tally.add(5, format!("{host}").as_bytes(), b"to", 1));
    tally.drop_before(5);
    assert!(!tally.needs_sweep());
    tally.drop_before(6);
    assert!(tally.needs_sweep());
    tally.sweep();
    assert!(!tally.needs_sweep());
}

#[test]
fn names_of_dropped_panes_are_forgotten_and_bytes_given_back() {
    let budget = Arc::<Budget>::default();
    let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Arc::clone(&budget));
    let mut most = 0;
    for bucket in 0..100i64 {
        for host in 0..500 {
            tally.add(bucket, format!("{bucket}-{host}").as_bytes(), b"to", 1);
        }
        tally.drop_before(bucket);
        if tally.needs_sweep() {
            tally.sweep();
        }
        most = most.max(budget.used());
    }
    let names = tally.hosts.get_mut().names().len();
    assert!(names < 4_000, "{names} names are held");
    assert!(most < 1 << 20, "{most} bytes were taken");
    drop(tally.drain());
    assert_eq!(budget.used(), 0);
}

#[test]
fn b13_counts_pass_32_bits() {
    let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
    tally.add(0, b"a", b"b", u64::from(u32::MAX));
    tally.add(0, b"a", b"b", 2);
    let view = tally.view(&Layout { buckets: 1, ..layout(0, 1) });
    assert_eq!(plain(&view).into_values().next(), Some((u64::from(u32::MAX) + 2, 0)));
}

#[test]
fn e10_panes_that_cannot_be_joined_within_the_budget_overflow() {
    let budget = Arc::new(Budget::new(Some(20_000)));
    let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::clone(&budget));
    for host in 0..300u32 {
        tally.add(i64::from(host % 2), host.to_string().as_bytes(), b"to", 1);
    }
    let layout = Layout { first_bucket: 0, buckets: 2, previous: false, ..layout(0, 1) };
    assert!(tally.bytes_to_join(&layout) > 0);
    let view = tally.view(&layout);
    assert_eq!(view.total(), 300);
    let Overflow { window, before, unjoined } = view.overflow();
    assert!(window > 0);
    assert_eq!((before, unjoined), (0, window), "all have a pair in their pane");
    assert_eq!(window + plain(&view).values().map(|counts| counts.0).sum::<u64>(), 300);
}

#[test]
fn the_overflow_of_the_window_before_is_told_from_that_of_the_window() {
    let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
    for (bucket, overflow) in [(0, 5), (1, 3)] {
        tally.add(bucket, b"from", b"to", 1);
        tally.pane(bucket).overflow(overflow);
    }
    let overflow = |previous| tally.view(&Layout { buckets: 1, previous, ..layout(1, 1) }).overflow();
    assert_eq!(overflow(true), Overflow { window: 3, before: 5, unjoined: 0 });
    assert_eq!(overflow(false), Overflow { window: 3, before: 0, unjoined: 0 });
}
