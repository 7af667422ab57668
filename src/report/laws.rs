//! Laws that hold for every report function, and each one against a plain count.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::model::{Balance, Cell, Report, Timestamp, Window};
use crate::options::{Options, Raw, Value};
use crate::tally::Shape;
use crate::tally::aggregates::PairSource;
use crate::tally::aggregates::{Layout, PairVisitor, Pairs};
use crate::tally::{Aggregates, Side, Tally};

/// (bucket, from, to), one for each connection.
type Connections = Vec<(i64, u8, u8)>;

fn connections() -> impl Strategy<Value = Connections> {
    proptest::collection::vec((-3i64..3, 0u8..6, 0u8..4), 0..80)
}

fn name(side: char, host: u8) -> String {
    format!("{side}{host}")
}

/// Three buckets of ten seconds from second 0, and the three before.
fn view(connections: &Connections) -> Aggregates {
    let mut tally = Tally::new(Shape { pane: 3, shards: 2 }, Default::default());
    for (bucket, from, to) in connections {
        tally.add(*bucket, name('s', *from).as_bytes(), name('d', *to).as_bytes(), 1);
    }
    tally.view(&layout())
}

fn layout() -> Layout {
    let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(30));
    Layout { window, first_bucket: 0, buckets: 3, grain: 10 * crate::model::time::SECOND, previous: true }
}

/// Pairs in a sorted list, as if they were on disk: by source and by server.
#[derive(Debug, Default)]
struct Listed([BTreeMap<(String, String), [u64; 2]>; 2]);

impl PairSource for Listed {
    fn for_each(&self, side: Side, f: &mut PairVisitor<'_>) -> std::io::Result<()> {
        self.0[side as usize]
            .iter()
            .for_each(|((first, second), counts)| f(first.as_bytes(), second.as_bytes(), *counts));
        Ok(())
    }
}

/// As `view`, of pairs that are elsewhere.
fn stored_view(connections: &Connections) -> Aggregates {
    let (mut listed, mut buckets) = (Listed::default(), BTreeMap::new());
    for (bucket, from, to) in connections {
        let (from, to) = (name('s', *from), name('d', *to));
        let keys = [(from.clone(), to.clone()), (to, from)];
        for (side, key) in listed.0.iter_mut().zip(keys) {
            side.entry(key).or_default()[usize::from(*bucket < 0)] += 1;
        }
        *buckets.entry(*bucket).or_default() += 1;
    }
    Aggregates::new(&layout(), &buckets, 0, Pairs::Stored(Box::new(listed)))
}

fn report(entry: &ReportEntry, limit: u64, view: &Aggregates) -> Report {
    let mut options = Options::defaults(entry.options);
    if entry.options.iter().any(|option| option.name == "limit") {
        options.set("limit", Value::Count(limit));
    }
    if entry.options.iter().any(|option| option.name == "host") {
        options.set("host", Value::Text(if entry.name == "connected-to" { "d1" } else { "s1" }.into()));
    }
    let context = ReportContext {
        name: entry.name,
        options: &options,
        window: view.window(),
        balance: &Balance::default(),
        threads: NonZeroUsize::MIN,
    };
    (entry.function)(&context, view, view.window().end).unwrap()
}

/// Rows as texts, counts as numbers behind them.
fn plain(report: &Report) -> Vec<(Vec<String>, u64)> {
    let row = |row: &Vec<Cell>| {
        let mut texts = Vec::new();
        let mut number = 0;
        for cell in row {
            match cell {
                Cell::Host(name) => texts.push(String::from_utf8(name.clone()).unwrap()),
                Cell::Time(time) => texts.push(time.unix_decimal()),
                Cell::Count(count) => number = *count,
            }
        }
        (texts, number)
    };
    report.rows.iter().map(row).collect()
}

fn ranked(counts: BTreeMap<Vec<String>, u64>, limit: u64) -> Vec<(Vec<String>, u64)> {
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), key.clone()));
    rows.truncate(limit as usize);
    rows
}

/// What each report has to say, counted the plain way.
fn oracle(report: &str, connections: &Connections, limit: u64) -> Vec<(Vec<String>, u64)> {
    let inside: Vec<_> = connections.iter().filter(|(bucket, ..)| (0..3).contains(bucket)).collect();
    let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    let mut peers: BTreeMap<Vec<String>, BTreeSet<u8>> = BTreeMap::new();
    let mut count = |key: Vec<String>| *counts.entry(key).or_default() += 1;
    match report {
        "top-servers" => inside.iter().for_each(|(_, _, to)| count(vec![name('d', *to)])),
        "top-sources" => inside.iter().for_each(|(_, from, _)| count(vec![name('s', *from)])),
        "top-pairs" => inside.iter().for_each(|(_, from, to)| count(vec![name('s', *from), name('d', *to)])),
        "connected-to" => inside.iter().filter(|c| c.2 == 1).for_each(|(_, from, _)| count(vec![name('s', *from)])),
        "connected-from" => inside.iter().filter(|c| c.1 == 1).for_each(|(_, _, to)| count(vec![name('d', *to)])),
        "fan-out" => inside.iter().for_each(|(_, from, to)| {
            peers.entry(vec![name('s', *from)]).or_default().insert(*to);
        }),
        "fan-in" => inside.iter().for_each(|(_, from, to)| {
            peers.entry(vec![name('d', *to)]).or_default().insert(*from);
        }),
        "timeline" => {
            inside.iter().for_each(|(bucket, ..)| count(vec![(bucket * 10).to_string()]));
            (0..3).for_each(|bucket| {
                counts.entry(vec![(bucket * 10).to_string()]).or_default();
            });
        }
        "new-pairs" => {
            let before: BTreeSet<_> = connections.iter().filter(|c| c.0 < 0).map(|c| (c.1, c.2)).collect();
            let new = inside.iter().filter(|c| !before.contains(&(c.1, c.2)));
            new.for_each(|(_, from, to)| count(vec![name('s', *from), name('d', *to)]));
            return counts.into_iter().take(limit as usize).collect();
        }
        "matrix" => {
            let sources = oracle("top-sources", connections, limit);
            let servers = oracle("top-servers", connections, limit);
            let key = |from: &str, to: &str| vec![from.to_owned(), to.to_owned()];
            inside.iter().for_each(|(_, from, to)| count(key(&name('s', *from), &name('d', *to))));
            let cell = |from: &str, to: &str| (key(from, to), counts.get(&key(from, to)).copied().unwrap_or(0));
            return sources
                .iter()
                .flat_map(|(from, _)| servers.iter().map(move |(to, _)| cell(&from[0], &to[0])))
                .collect();
        }
        other => panic!("no oracle for {other}: write one"),
    }
    if !peers.is_empty() {
        return ranked(peers.into_iter().map(|(key, peers)| (key, peers.len() as u64)).collect(), limit);
    }
    match report {
        // Lists and timelines are by name and have no limit.
        "connected-to" | "connected-from" | "timeline" => counts.into_iter().collect(),
        _ => ranked(counts, limit),
    }
}

proptest! {
    #[test]
    fn every_report_agrees_with_a_plain_count(connections in connections(), limit in 1u64..12) {
        for view in [view(&connections), stored_view(&connections)] {
            for entry in TABLE {
                let report = report(entry, limit, &view);
                prop_assert_eq!(plain(&report), oracle(entry.name, &connections, limit), "{}", entry.name);
                prop_assert_eq!(&report.id, entry.name);
                prop_assert_eq!(report.check(), Ok(()));
            }
        }
    }
}

#[test]
fn names_are_unique_and_examples_are_as_the_options_say() {
    for (at, entry) in TABLE.iter().enumerate() {
        assert!(TABLE[..at].iter().all(|other| other.name != entry.name), "{} twice", entry.name);
        assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entry.name);
        let example: toml::Table = format!("x = {}", entry.example).parse().unwrap();
        match &example["x"] {
            toml::Value::String(name) => assert_eq!(name, entry.name),
            toml::Value::Table(table) => {
                assert_eq!(table["name"].as_str(), Some(entry.name));
                for (key, value) in table.iter().filter(|(key, _)| *key != "name") {
                    let spec = entry.options.iter().find(|option| option.name == key).unwrap();
                    let raw = match value {
                        toml::Value::Integer(number) => Raw::Integer(*number),
                        other => Raw::Text(other.as_str().unwrap().to_owned()),
                    };
                    spec.kind.parse(&raw).unwrap();
                }
            }
            other => panic!("{}: {other:?}", entry.name),
        }
    }
}

#[test]
fn a_host_is_asked_for_as_it_is_shown() {
    let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Default::default());
    tally.add(0, b"a\xff", b"d1", 1);
    let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(30));
    let layout = Layout { window, first_bucket: 0, buckets: 1, grain: 1, previous: false };
    let view = tally.view(&layout);
    let mut options = Options::default();
    options.set("host", Value::Text("a\\xff".into()));
    let context = ReportContext {
        name: "connected-from",
        options: &options,
        window,
        balance: &Balance::default(),
        threads: NonZeroUsize::MIN,
    };
    let report = (entry("connected-from").unwrap().function)(&context, &view, window.end).unwrap();
    assert_eq!(report.rows.len(), 1);
}
