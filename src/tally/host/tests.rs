//! Sets of hosts held against lists and maps, by names of every length and by names of one key.

use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn name() -> impl Strategy<Value = Vec<u8>> {
    // Of every length around those at which names are treated in another way, and of few bytes,
    // so that some are alike.
    let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)];
    prop_oneof![1usize..4, 7usize..10, 15usize..19, 31usize..35, 60usize..67]
        .prop_flat_map(move |length| proptest::collection::vec(byte.clone(), length))
}

proptest! {
    #[test]
    fn interning_agrees_with_a_list(names in proptest::collection::vec(name(), 0..80), behind in 0usize..80) {
        let (mut hosts, mut whole) = (Hosts::default(), Hosts::default());
        let mut oracle: Vec<Vec<u8>> = Vec::new();
        let budget = Budget::default();
        for name in &names {
            let expected = oracle.iter().position(|known| known == name).unwrap_or_else(|| {
                oracle.push(name.clone());
                oracle.len() - 1
            });
            let within = [&b"xyz"[..], name, &[b'a'; 80][..behind]].concat();
            let find = |hosts: &Hosts| {
                let sought = hosts.sought(&within, 3, 3 + name.len());
                hosts.touch(&sought);
                hosts.find_sought(&sought, || name)
            };
            let known = find(&whole);
            prop_assert_eq!(known.is_some(), whole.names().find(name).is_some());
            prop_assert_eq!(hosts.intern_within(name, &budget), Some(HostId(expected as u32)));
            prop_assert_eq!(whole.intern(name), HostId(expected as u32));
            prop_assert_eq!(known.unwrap_or(HostId(expected as u32)), HostId(expected as u32));
            prop_assert_eq!(find(&whole), Some(HostId(expected as u32)));
        }
        prop_assert_eq!(budget.used(), hosts.bytes());
        prop_assert_eq!(hosts.names().iter().map(|(_, name)| name).collect::<Vec<_>>(), oracle.iter().collect::<Vec<_>>());
        let mut sorted = oracle.clone();
        sorted.sort();
        let by_name: Vec<_> = hosts.names().by_name().into_iter().map(|id| hosts.names().name(id)).collect();
        prop_assert_eq!(by_name, sorted);
    }

    #[test]
    fn s11_names_of_one_key_agree_with_a_map(steps in proptest::collection::vec((hostile(), 0u8..30), 0..200)) {
        let (mut hosts, mut map, budget) = (Hosts::unkeyed(), HashMap::<Vec<u8>, HostId>::new(), Budget::default());
        for (name, step) in &steps {
            if *step == 0 {
                map.retain(|name, _| name.len() % 2 == 0);
                let (kept, before): (HashSet<_>, _) = (map.values().copied().collect(), hosts.bytes());
                (0..SHARDS).for_each(|shard| hosts.drop_names(shard, |id| kept.contains(&id)));
                hosts.clear_away(0, 1);
                budget.give_back(before - hosts.bytes());
            }
            let known = map.get(name).copied();
            prop_assert_eq!(hosts.find(name), known);
            let id = hosts.intern_within(name, &budget);
            let agrees = if known.is_some() { id == known } else { map.values().all(|other| id != Some(*other)) };
            prop_assert!(agrees);
            map.insert(name.clone(), id.unwrap());
        }
        for (name, _) in &steps {
            let sought = hosts.sought(name, 0, name.len());
            let is = hosts.candidate(&sought).map(|id| (id, hosts.is(id, &sought, || name)));
            prop_assert_eq!(hosts.find(name), map.get(name).copied());
            prop_assert!(is.is_some() || !map.contains_key(name));
            prop_assert!(is.is_none_or(|(id, is)| is == (map.get(name) == Some(&id))));
        }
        prop_assert_eq!(hosts.names().len(), map.len());
        prop_assert_eq!(hosts.words.len(), hosts.names().end());
        prop_assert_eq!(budget.used(), hosts.bytes());
    }
}

/// Names of which many have one key, as long as none is drawn for the hash.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let byte = || prop_oneof![Just(b'a'), Just(b'b')];
    let blocks = proptest::collection::vec(byte().prop_map(|byte| [byte; 2 * WORD]), 0..5);
    (blocks, proptest::collection::vec(byte(), 0..WORD + 1))
        .prop_map(|(blocks, end)| [blocks.concat(), end].concat())
        .prop_filter("a name has a byte", |name| !name.is_empty())
}

#[test]
fn s11_names_can_be_made_of_one_key_where_none_is_drawn_and_not_where_one_is() {
    let blocks = |blocks: &[u8]| blocks.iter().flat_map(|byte| [*byte; 2 * WORD]).collect::<Vec<u8>>();
    let alike = [
        [b"aaaaaaaa".to_vec(), b"bbbbbbbb".to_vec()],
        [blocks(b"ab")[..20].to_vec(), blocks(b"ac")[..20].to_vec()],
        [blocks(b"ab"), blocks(b"ba")],
        [blocks(b"aab"), blocks(b"acb")],
        [blocks(b"abcd"), blocks(b"bacd")],
    ];
    for [one, other] in &alike {
        let key = |hosts: &Hosts, name: &[u8]| hosts.sought(name, 0, name.len()).key;
        let hosts = Hosts::unkeyed();
        assert_eq!(key(&hosts, one), key(&hosts, other), "{one:?} {other:?}");
        let drawn = (0..4).map(|_| Hosts::default()).filter(|hosts| key(hosts, one) == key(hosts, other)).count();
        assert_eq!(drawn, 0, "{one:?} {other:?}");
    }
}

#[test]
fn s11_long_names_of_one_letter_have_a_hash_each() {
    let hosts = Hosts::default();
    let hash = |length| hosts.hash_of_long(&vec![b'a'; length], 0, length);
    assert_eq!((33..=64).map(hash).collect::<HashSet<_>>().len(), 32);
}

#[test]
fn many_names_are_told_apart() {
    let name = |at: u32| format!("{}{at}", if at.is_multiple_of(3) { "a-long-name-of-a-host-" } else { "h" });
    let mut hosts = Hosts::default();
    for _ in 0..2 {
        for at in 0..20_000 {
            assert_eq!(hosts.intern(name(at).as_bytes()), HostId(at));
        }
    }
    assert_eq!(hosts.names().len(), 20_000);
    assert!(hosts.shards.iter().map(HostTable::slots).sum::<usize>() <= 65_536);
}

#[test]
fn e10_without_bytes_left_known_names_are_found_and_new_ones_are_not_added() {
    let (mut hosts, budget) = (Hosts::default(), Budget::new(Some(100_000)));
    let name = |at: u32| at.to_string().into_bytes();
    let known: Vec<_> = (0..10_000).map_while(|at| hosts.intern_within(&name(at), &budget)).collect();
    assert!((500..2_000).contains(&known.len()), "{} names in 100,000 bytes", known.len());
    assert_eq!(hosts.intern_within(&name(7), &budget), Some(HostId(7)));
    // Tables that still have room take a few more; no name is known in part.
    let more = (10_000..20_000).filter(|&at| hosts.intern_within(&name(at), &budget).is_some()).count();
    assert_eq!(hosts.names().len(), known.len() + more);
    assert!(known.len() + more < 2_000, "{more} names more");
    assert!(budget.used() <= 100_000);
}

#[test]
fn names_that_differ_in_their_last_byte_only_are_told_apart_whatever_their_length() {
    let mut hosts = Hosts::default();
    let names: Vec<Vec<u8>> = (1usize..71)
        .flat_map(|length| [b'a', b'b', 0, 0xff].map(|last| [vec![b'a'; length - 1], vec![last]].concat()))
        .collect();
    // A block of the longest names fits behind some of them, and behind others it does not.
    for end in [0, 70] {
        for (at, name) in names.iter().enumerate() {
            let bytes = [&name[..], &vec![b'x'; end]].concat();
            assert_eq!(hosts.intern(name), HostId(at as u32));
            let sought = hosts.sought(&bytes, 0, name.len());
            assert_eq!(hosts.find_sought(&sought, || name), Some(HostId(at as u32)));
        }
    }
}

#[test]
fn names_of_one_key_are_told_apart() {
    for length in [10, 20, 40, 70] {
        let mut hosts = Hosts::default();
        let (one, other) = (vec![b'a'; length], vec![b'b'; length]);
        let id = hosts.intern(&one);
        // As if the first name had the hash of the second.
        let sought = hosts.sought(&other, 0, length);
        hosts.shards = Default::default();
        hosts.enter(&SoughtName { words: hosts.sought(&one, 0, length).words, ..sought }, id);
        assert_eq!(hosts.candidate(&sought), Some(id));
        assert_eq!([hosts.find(&other), Some(hosts.intern(&other))], [None, Some(HostId(1))]);
        assert_eq!(hosts.find(&other), Some(HostId(1)));
    }
}
