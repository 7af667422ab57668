//! Laws that hold for every report function, and each one against a plain count.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::model::{
    Amount, Balance, Cell, Column, ColumnKind, Drawing, Measured, More, PerMeasure, Percent, Report, Timestamp, Window,
};
use crate::options::{Options, Raw, Value};
use crate::tally::Shape;
use crate::tally::aggregates::PairSource;
use crate::tally::aggregates::{Layout, PairVisitor, Pairs};
use crate::tally::{Aggregates, Overflow, Side, Tally};

/// One connection of a made-up log.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub bucket: i64,
    from: u8,
    to: u8,
}

impl Connection {
    pub fn source(&self) -> String {
        if self.from == 5 { "d2".to_owned() } else { format!("s{}", self.from) }
    }

    /// Some have ports, and some are sources too.
    pub fn server(&self) -> String {
        ["d0", "d1", "d2", "d3", "d1:53/udp", "d2:443/tcp", "d3:443/tcp", "s1"][usize::from(self.to)].to_owned()
    }
}

type Connections = Vec<Connection>;

fn connections() -> impl Strategy<Value = Connections> {
    let connection = (-3i64..3, 0u8..6, 0u8..8).prop_map(|(bucket, from, to)| Connection { bucket, from, to });
    proptest::collection::vec(connection, 0..80)
}

/// Rows as texts, with the number of each.
pub(super) type Rows = Vec<(Vec<String>, u64)>;

/// What a report has to say, counted the plain way.
pub(super) type Oracle = fn(&Asked<'_>) -> Rows;

/// What a report is asked, for its oracle.
pub(super) struct Asked<'a> {
    connections: &'a Connections,
    pub limit: usize,
    host: &'a str,
    /// Of how many servers a source is still none to be shown.
    pub above: u64,
    /// Whose connections are compared.
    pub of: &'a str,
}

impl Asked<'_> {
    /// The host that is asked for.
    pub fn host(&self) -> String {
        self.host.to_owned()
    }

    /// What the window holds.
    pub fn inside(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| (0..3).contains(&connection.bucket))
    }

    /// What the window before holds.
    pub fn before(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| connection.bucket < 0)
    }

    /// The connections of the window by a key, those that it is about.
    pub fn counted_where(
        &self,
        is_meant: impl Fn(&Connection) -> bool,
        key: impl Fn(&Connection) -> Vec<String>,
    ) -> BTreeMap<Vec<String>, u64> {
        summed(self.inside().filter(|connection| is_meant(connection)).map(key))
    }

    /// The connections of the window by a key.
    pub fn counted(&self, key: impl Fn(&Connection) -> Vec<String>) -> BTreeMap<Vec<String>, u64> {
        self.counted_where(|_| true, key)
    }

    /// By number and then by name, as many as the limit says.
    pub fn ranked(&self, counts: BTreeMap<Vec<String>, u64>) -> Rows {
        let mut rows: Rows = counts.into_iter().collect();
        rows.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), key.clone()));
        rows.truncate(self.limit);
        rows
    }
}

/// A key with further numbers behind it.
pub(super) fn with_more(mut key: Vec<String>, numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    key.extend(numbers.into_iter().map(|number| number.to_string()));
    key
}

/// How often each key is there.
pub(super) fn summed(keys: impl Iterator<Item = Vec<String>>) -> BTreeMap<Vec<String>, u64> {
    let mut sums = BTreeMap::new();
    keys.for_each(|key| *sums.entry(key).or_default() += 1);
    sums
}

/// Each connection measures 1 of the first measure, and what its hosts say of the second.
fn amount(connection: &Connection) -> Amount {
    let sums = PerMeasure::of(&[1, 1_000 * u64::from(connection.from) + 7 * u64::from(connection.to)]);
    Amount { connections: 1, sums }
}

/// Three buckets of ten seconds from second 0, and the three before.
fn view(connections: &Connections, measures: &[String]) -> Aggregates {
    let mut tally = Tally::new(Shape { pane: 3, shards: 2 }, Default::default()).measuring(measures);
    for connection in connections {
        let (from, to) = (connection.source(), connection.server());
        match measures.is_empty() {
            true => tally.add(connection.bucket, from.as_bytes(), to.as_bytes(), 1),
            false => tally.add_amount(connection.bucket, from.as_bytes(), to.as_bytes(), amount(connection)),
        }
    }
    tally.view(&layout())
}

fn layout() -> Layout {
    let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(30));
    Layout { window, first_bucket: 0, buckets: 3, grain: 10 * crate::model::time::SECOND, previous: true }
}

/// Pairs in a sorted list, as if they were on disk: by source and by server.
#[derive(Debug, Default)]
struct Listed([BTreeMap<(String, String), [Amount; 2]>; 2]);

impl PairSource for Listed {
    fn for_each(&self, side: Side, f: &mut PairVisitor<'_>) -> std::io::Result<()> {
        self.0[side as usize]
            .iter()
            .for_each(|((first, second), counts)| f(first.as_bytes(), second.as_bytes(), *counts));
        Ok(())
    }

    fn for_each_both_ways(&self, f: &mut PairVisitor<'_>) -> std::io::Result<()> {
        let mut ways: BTreeMap<&(String, String), [Amount; 2]> = BTreeMap::new();
        for (way, pairs) in self.0.iter().enumerate() {
            pairs.iter().for_each(|(key, [amount, _])| ways.entry(key).or_default()[way] += *amount);
        }
        ways.into_iter().for_each(|((first, second), counts)| f(first.as_bytes(), second.as_bytes(), counts));
        Ok(())
    }
}

/// As `view`, of pairs that are elsewhere.
fn stored_view(connections: &Connections, measures: &[String]) -> Aggregates {
    let (mut listed, mut buckets) = (Listed::default(), BTreeMap::new());
    let mut measured = BTreeMap::<i64, Measured>::new();
    for connection in connections {
        let (bucket, from, to) = (connection.bucket, connection.source(), connection.server());
        let keys = [(from.clone(), to.clone()), (to, from)];
        for (side, key) in listed.0.iter_mut().zip(keys) {
            side.entry(key).or_default()[usize::from(bucket < 0)] += amount(connection);
        }
        *buckets.entry(bucket).or_default() += 1;
        *measured.entry(bucket).or_default() += Measured { sums: amount(connection).sums, ..Measured::default() };
    }
    let view = Aggregates::new(&layout(), &buckets, Overflow::default(), Pairs::Stored(Box::new(listed)));
    view.measuring(&layout(), measures.into(), &measured)
}

/// The host that a report is asked for, if it asks for one.
fn host(entry: &ReportEntry) -> &'static str {
    match absent::sides(entry) {
        [Side::To] => "d1",
        [Side::To, _] => "d2",
        _ => "s1",
    }
}

/// Each way in which a report may be asked what it has a choice of.
const CHOICES: [&str; 3] = ["servers", "sources", "pairs"];

/// Above how many servers a source is shown.
const ABOVE: u64 = 2;

fn asked(entry: &ReportEntry, limit: u64, of: &str) -> Options {
    let mut options = Options::defaults(entry.options);
    let values = [
        ("limit", Value::Count(limit)),
        ("host", Value::Text(host(entry).into())),
        ("above", Value::Count(ABOVE)),
        ("of", Value::Text(of.into())),
    ];
    for (name, value) in values {
        if entry.options.iter().any(|option| option.name == name) {
            options.set(name, value);
        }
    }
    options
}

/// The report with these options.
pub(super) fn made(entry: &ReportEntry, options: &Options, view: &Aggregates) -> Report {
    let context = ReportContext {
        name: entry.name,
        options,
        window: view.window(),
        balance: &Balance::default(),
        threads: NonZeroUsize::MIN,
        hosts: None,
    };
    entry.maker.make(&context, view, view.window().end).unwrap()
}

/// A view of so many connections each.
pub(super) fn view_of(pairs: &[(&str, &str, u64)]) -> Aggregates {
    let mut tally = Tally::new(Shape { pane: 3, shards: 2 }, Default::default());
    pairs.iter().for_each(|(from, to, count)| tally.add(0, from.as_bytes(), to.as_bytes(), *count));
    tally.view(&layout())
}

/// Rows as texts, with the number that they are ranked by, if they are; others stand behind the
/// texts.
fn plain(report: &Report) -> Rows {
    let is_difference = |column: &Column| matches!(&column.name[..], "rise" | "fall");
    let is_count = |column: &Column| column.kind == ColumnKind::Count;
    let ranked = report.columns.iter().position(is_difference).or_else(|| report.columns.iter().position(is_count));
    let row = |row: &Vec<Cell>| {
        let mut texts = Vec::new();
        let mut number = 0;
        for (at, cell) in row.iter().enumerate() {
            match cell {
                Cell::Host(name) => texts.push(String::from_utf8(name.clone()).unwrap()),
                Cell::Time(time) => texts.push(time.unix_decimal()),
                Cell::Count(count) if Some(at) == ranked => number = *count,
                Cell::Count(count) => texts.push(count.to_string()),
                Cell::Percent(share) => texts.push(share.to_string()),
            }
        }
        (texts, number)
    };
    report.rows.iter().map(row).collect()
}

fn has(entry: &ReportEntry, option: &str) -> bool {
    entry.options.iter().any(|spec| spec.name == option)
}

proptest! {
    #[test]
    fn every_report_agrees_with_a_plain_count(connections in connections(), limit in 1u64..12) {
        for view in [view(&connections, &[]), stored_view(&connections, &[])] {
            for (entry, of) in TABLE.iter().flat_map(|entry| CHOICES.map(|of| (entry, of))) {
                let report = made(entry, &asked(entry, limit, of), &view);
                let oracle = entry.oracle.unwrap_or_else(|| panic!("no oracle for {}: write one in its file", entry.name));
                let asked =
                    Asked { connections: &connections, limit: limit as usize, host: host(entry), above: ABOVE, of };
                prop_assert_eq!(plain(&report), oracle(&asked), "{}", entry.name);
                prop_assert_eq!(report.check(), Ok(()));
            }
        }
    }

    #[test]
    fn a_ranking_that_is_turned_round_has_the_lowest_first_and_ties_by_name(
        connections in connections(), limit in 1u64..12,
    ) {
        for view in [view(&connections, &[]), stored_view(&connections, &[])] {
            for entry in TABLE.iter().filter(|entry| has(entry, "reverse")) {
                let mut expected = plain(&made(entry, &asked(entry, u64::MAX, ""), &view));
                expected.sort_by_key(|(texts, count)| (*count, texts.clone()));
                let left_out = expected.split_off(expected.len().min(limit as usize));
                let last = expected.last().map(|(_, count)| *count);
                let ties = left_out.iter().filter(|(_, count)| Some(*count) == last).count() as u64;
                let mut options = asked(entry, limit, "");
                options.set("reverse", Value::Flag(true));
                let report = made(entry, &options, &view);
                prop_assert_eq!(plain(&report), expected, "{}", entry.name);
                prop_assert_eq!(report.more, (ties > 0).then_some(More { rows: ties, with: last }), "{}", entry.name);
                prop_assert!(String::from_utf8_lossy(&report.title).contains("fewest"), "{}", entry.name);
            }
        }
    }

    #[test]
    fn shares_are_two_more_columns_and_change_nothing_else(
        connections in connections(), limit in 1u64..12, reverse: bool,
    ) {
        for view in [view(&connections, &[]), stored_view(&connections, &[])] {
            for entry in TABLE.iter().filter(|entry| has(entry, "shares")) {
                let mut options = asked(entry, limit, "");
                options.set("reverse", Value::Flag(reverse));
                let without = made(entry, &options, &view);
                options.set("shares", Value::Flag(true));
                let mut with = made(entry, &options, &view);
                prop_assert_eq!(with.check(), Ok(()));
                let added = with.columns.split_off(without.columns.len());
                prop_assert_eq!(added, ["percent", "running_percent"].map(Column::percent));
                let mut running = 0;
                for (row, (_, count)) in with.rows.iter_mut().zip(plain(&without)) {
                    let shares = row.split_off(without.columns.len());
                    running += count;
                    prop_assert_eq!(&shares[0], &Cell::Percent(Percent::of(count, view.total())), "{}", entry.name);
                    // Of two talkers, a connection between them is one.
                    if entry.name != "talkers" {
                        prop_assert_eq!(&shares[1], &Cell::Percent(Percent::of(running, view.total())), "{}", entry.name);
                    }
                }
                prop_assert_eq!(with.rows, without.rows);
                prop_assert_eq!(with.more, without.more);
                // The one server of the positional form has a title and a drawing of its own.
                prop_assert!(with.title == without.title || without.drawing != Drawing::Table, "{}", entry.name);
                prop_assert_eq!(with.drawing, Drawing::Table, "{}", entry.name);
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
        hosts: None,
    };
    let report = entry("connected-from").unwrap().maker.make(&context, &view, window.end).unwrap();
    assert_eq!(report.rows.len(), 1);
}

mod sums;
