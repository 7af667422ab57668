//! Tables of pairs against maps.

use super::super::hash::shard;
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

/// Counts of which some are more than a bucket holds, at once or after a few.
fn count() -> impl Strategy<Value = u64> {
    let carried = u64::from(CARRIED);
    prop_oneof![Just(1), 2..9u64, carried / 3..carried / 2, carried - 2..carried + 2, Just(u64::from(u32::MAX))]
}

proptest! {
    #[test]
    fn counting_agrees_with_a_map(
        pairs in proptest::collection::vec((0u32..40, 0u32..40, count()), 0..500),
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
fn e10_memory_for_large_counts_is_counted_and_counting_goes_on_without_it() {
    let (mut table, budget) = (PairTable::new(PairHash::default()), Budget::new(Some(1_000 * size_of::<Bucket>())));
    (0..1_000).for_each(|from| assert!(add(&mut table, (from, 0), u64::from(CARRIED) - 1, &budget)));
    let before = table.bytes();
    for more in 0..3 {
        (0..1_000).for_each(|from| assert!(add(&mut table, (from, 0), 1, &budget)));
        assert!(plain(&table).values().all(|count| *count == u64::from(CARRIED) + more));
    }
    assert_eq!(table.bytes() - before, 1_000 * EACH_CARRIED);
    assert!(EACH_CARRIED * table.carried.len() > table.carried.capacity() * size_of::<((HostId, HostId), u64)>());
    assert_eq!(budget.used(), table.bytes());
}

#[test]
fn e10_a_table_that_may_not_grow_counts_the_pairs_that_it_has() {
    let (mut table, budget) = (PairTable::new(PairHash::default()), Budget::new(Some(20 * size_of::<Bucket>())));
    let known = (0..1_000).filter(|&from| add(&mut table, (from, 0), 1, &budget)).count();
    assert!((20..=96).contains(&known), "{known} pairs of at most 96 in 120 places");
    let again = (0..1_000).filter(|&from| add(&mut table, (from, 0), 1, &budget)).count();
    assert_eq!(again, known);
    assert!(plain(&table).values().all(|count| *count == 2));
    assert!(budget.used() <= 20 * size_of::<Bucket>());
}

#[test]
fn e10_what_has_to_be_counted_fills_the_table_before_it_takes_bytes_that_are_not_there() {
    let (mut table, budget) = (PairTable::new(PairHash::default()), Budget::new(Some(20 * size_of::<Bucket>())));
    let pairs = (0..).take_while(|&from| add(&mut table, (from, 0), 1, &budget)).count() as u32;
    let bytes = table.bytes();
    let mut more = |count: u32| {
        for from in pairs..pairs + count {
            let (from, to) = (HostId(from), HostId(0));
            table.add_anyway(table.hash.of(from, to), from, to, 1, &budget);
        }
        (table.len() as u32, table.bytes(), plain(&table).len() as u32)
    };
    assert_eq!(more(pairs / 8), (pairs + pairs / 8, bytes, pairs + pairs / 8));
    assert_eq!(more(500).0, pairs + 500);
    assert_eq!(budget.used(), table.bytes());
}

#[test]
fn pairs_in_the_order_of_another_table_are_added_as_fast_as_any() {
    // In time that grows with the square of the pairs, this would take minutes.
    const PAIRS: u32 = 1_000_000;
    let (hash, free) = (PairHash::default(), Budget::default());
    let mut table = PairTable::new(hash);
    (0..PAIRS).for_each(|pair| assert!(add(&mut table, (pair / 1_000, pair % 1_000), 2, &free)));
    for limit in [None, Some(table.bytes()), Some(table.bytes() / 3)] {
        let (mut copy, budget, mut left) = (PairTable::new(hash), Budget::new(limit), 0);
        copy.absorb(&table, &budget, |copy, from, to, count: u64| {
            if !copy.add(hash.of(from, to), from, to, count, &budget) {
                left += 1;
            }
        });
        assert_eq!(copy.len() + left, PAIRS as usize);
        assert!(limit.is_some() || left == 0, "{left} left over without a limit");
        assert!(limit.is_none() || copy.len() > PAIRS as usize / 10, "{} pairs within {limit:?}", copy.len());
        copy.for_each(|from, to, count| assert_eq!(table.get(hash.of(from, to), from, to), count));
    }
}

#[test]
fn scattered_or_not_each_pair_is_visited_once() {
    for pairs in 0..200 {
        let mut table = PairTable::new(PairHash::default());
        (0..pairs).for_each(|pair| assert!(add(&mut table, (pair, 7), u64::from(pair) + 1, &Budget::default())));
        let mut visited = Plain::new();
        table.each_scattered(|from, to, count: u64| assert_eq!(visited.insert((from.0, to.0), count), None));
        assert_eq!(visited, plain(&table));
    }
}

#[test]
fn pairs_of_hosts_that_follow_each_other_fill_buckets_evenly_whatever_the_key() {
    for _ in 0..300 {
        let hash = PairHash::default();
        let mut pairs = vec![0; 4_096];
        for (from, to) in (0..500).flat_map(|from| (0..100).map(move |to| (from, to))) {
            pairs[(hash.of(HostId(from), HostId(to)) as u32 >> 20) as usize] += 1;
        }
        let most = pairs.iter().max().unwrap();
        assert!(*most < 50, "{most} of 50,000 pairs in one of 4,096 buckets with {hash:?}");
    }
}

#[test]
fn shards_share_the_hashes_evenly() {
    let (hash, mut counts) = (PairHash::default(), [0; 7]);
    for pair in 0..70_000u32 {
        counts[shard(hash.of(HostId(pair / 100), HostId(pair % 100)), counts.len())] += 1;
    }
    assert!(counts.iter().all(|count| (9_000..11_000).contains(count)), "{counts:?}");
}
