//! Laws that hold for every report function, and each one against a plain count.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::model::{Amount, Balance, Cell, Measured, PerMeasure, Report, Timestamp, Window};
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
        format!("s{}", self.from)
    }

    pub fn server(&self) -> String {
        format!("d{}", self.to)
    }
}

type Connections = Vec<Connection>;

fn connections() -> impl Strategy<Value = Connections> {
    let connection = (-3i64..3, 0u8..6, 0u8..4).prop_map(|(bucket, from, to)| Connection { bucket, from, to });
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

const MEASURES: [&str; 2] = ["ones", "bytes"];

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
    if connected::side(entry) == Some(Side::To) { "d1" } else { "s1" }
}

fn report(entry: &ReportEntry, limit: u64, view: &Aggregates, by: Option<&str>) -> Report {
    let mut options = Options::defaults(entry.options);
    if let Some(by) = by.filter(|_| entry.options.iter().any(|option| option.name == "by")) {
        options.set("by", Value::Text(by.into()));
    }
    if entry.options.iter().any(|option| option.name == "limit") {
        options.set("limit", Value::Count(limit));
    }
    if entry.options.iter().any(|option| option.name == "host") {
        options.set("host", Value::Text(host(entry).into()));
    }
    let context = ReportContext {
        name: entry.name,
        options: &options,
        window: view.window(),
        balance: &Balance::default(),
        threads: NonZeroUsize::MIN,
    };
    entry.maker.make(&context, view, view.window().end).unwrap()
}

/// Rows as texts, counts as numbers behind them.
fn plain(report: &Report) -> Rows {
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

proptest! {
    #[test]
    fn every_report_agrees_with_a_plain_count(connections in connections(), limit in 1u64..12) {
        for view in [view(&connections, &[]), stored_view(&connections, &[])] {
            for entry in TABLE {
                let report = report(entry, limit, &view, None);
                let oracle = entry.oracle.unwrap_or_else(|| panic!("no oracle for {}: write one in its file", entry.name));
                let asked = Asked { connections: &connections, limit: limit as usize, host: host(entry) };
                prop_assert_eq!(plain(&report), oracle(&asked), "{}", entry.name);
                prop_assert_eq!(report.check(), Ok(()));
            }
        }
    }
}

/// The cells of a column, with what tells their rows.
fn cells(report: &Report, name: &str) -> Vec<(Vec<Cell>, Cell)> {
    let at = report.columns.iter().position(|column| column.name == name).unwrap();
    let tells = |cell: &&Cell| !matches!(cell, Cell::Count(_));
    report.rows.iter().map(|row| (row.iter().filter(tells).cloned().collect(), row[at].clone())).collect()
}

proptest! {
    #[test]
    fn every_report_has_its_sums_wherever_they_are(connections in connections(), limit in 1u64..12) {
        let names = MEASURES.map(str::to_owned);
        let views = [view(&connections, &names), stored_view(&connections, &names)];
        let plain = view(&connections, &[]);
        for entry in TABLE {
            for by in [None, Some("connections"), Some("ones"), Some("bytes")] {
                let [first, second] = [&views[0], &views[1]].map(|view| report(entry, limit, view, by));
                prop_assert_eq!(first.check(), Ok(()));
                prop_assert_eq!(&first, &second, "{} by {:?}", entry.name, by);
                prop_assert!(MEASURES.iter().all(|name| first.columns.iter().any(|column| column.name == *name)));
                // One of each connection is as many as connections.
                if first.columns.iter().any(|column| column.name == "connections") {
                    prop_assert_eq!(cells(&first, "ones"), cells(&first, "connections"), "{}", entry.name);
                }
                if by == Some("ones") {
                    prop_assert_eq!(&first.more, &report(entry, limit, &views[0], Some("connections")).more);
                }
            }
            let without = report(entry, limit, &plain, None);
            let with = report(entry, limit, &views[0], None);
            let cut = with.rows.iter().map(|row| row[..without.columns.len()].to_vec()).collect::<Vec<_>>();
            prop_assert_eq!(&cut, &without.rows, "{}", entry.name);
            prop_assert_eq!(with.more, without.more);
        }
    }

    #[test]
    fn rankings_by_a_measure_are_those_of_a_plain_sum(connections in connections(), limit in 1u64..12) {
        let view = view(&connections, &MEASURES.map(str::to_owned));
        let sum = |key: fn(&Connection) -> Vec<String>| {
            let mut sums = BTreeMap::<Vec<String>, u64>::new();
            for connection in connections.iter().filter(|connection| connection.bucket >= 0) {
                *sums.entry(key(connection)).or_default() += amount(connection).sums.get(1);
            }
            let mut rows: Vec<(Vec<String>, u64)> = sums.into_iter().collect();
            rows.sort_by_key(|(key, sum)| (std::cmp::Reverse(*sum), key.clone()));
            rows.truncate(limit as usize);
            rows
        };
        let both = |connection: &Connection| vec![connection.source(), connection.server()];
        for (name, expected) in [
            ("top-servers", sum(|connection| vec![connection.server()])),
            ("top-sources", sum(|connection| vec![connection.source()])),
            ("top-pairs", sum(both)),
        ] {
            let report = report(entry(name).unwrap(), limit, &view, Some("bytes"));
            // Behind the connections and the ones.
            prop_assert_eq!(plain(&report), expected, "{}", name);
        }
    }
}

#[test]
fn no_measure_is_called_as_a_column_is() {
    let view = view(&Vec::new(), &[]);
    for column in TABLE.iter().flat_map(|entry| report(entry, 1, &view, None).columns) {
        assert!(
            !crate::format::is_measure_name(&column.name),
            "add '{}' to the names that no measure has",
            column.name
        );
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
    let report = entry("connected-from").unwrap().maker.make(&context, &view, window.end).unwrap();
    assert_eq!(report.rows.len(), 1);
}
