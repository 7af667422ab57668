//! Laws of sums: every report has them, and rankings by a measure are those of a plain sum.
//!
//! Not here: the laws of connections, which hold where nothing is summed (`laws`).

use super::*;

/// The measures that `amount` gives.
const MEASURES: [&str; 2] = ["ones", "bytes"];

/// The options of a report that ranks by something, if it ranks.
fn asked_by(entry: &ReportEntry, limit: u64, of: &str, by: Option<&str>) -> Options {
    let mut options = asked(entry, limit, of);
    if let Some(by) = by.filter(|_| has(entry, "by")) {
        options.set("by", Value::Text(by.into()));
    }
    options
}

/// The cells of a column, with what tells their rows; nothing if there is no such column.
fn cells(report: &Report, name: &str) -> Option<Vec<(Vec<Cell>, Cell)>> {
    let at = report.columns.iter().position(|column| column.name == name)?;
    let tells = |cell: &&Cell| !matches!(cell, Cell::Count(_));
    Some(report.rows.iter().map(|row| (row.iter().filter(tells).cloned().collect(), row[at].clone())).collect())
}

/// What the connections of the window come to of the second measure, those between the same hosts by
/// each of their keys.
fn plain_sum<const N: usize>(
    connections: &Connections,
    keys: impl Fn(&Connection) -> [Vec<String>; N],
) -> BTreeMap<Vec<String>, u64> {
    let mut sums = BTreeMap::new();
    for connection in connections.iter().filter(|connection| connection.bucket >= 0) {
        // Of a connection of a host with itself, both keys are one.
        let keys: std::collections::BTreeSet<_> = keys(connection).into();
        keys.into_iter().for_each(|key| *sums.entry(key).or_default() += amount(connection).sums.get(1));
    }
    sums
}

/// The rankings by the second measure, each with what a plain sum says.
fn rankings(connections: &Connections) -> [(&'static str, BTreeMap<Vec<String>, u64>); 5] {
    let service = |connection: &Connection| {
        let server = connection.server();
        server.split_once(':').map_or("no-port", |(_, service)| service).to_owned()
    };
    [
        ("top-servers", plain_sum(connections, |one| [vec![one.server()]])),
        ("top-sources", plain_sum(connections, |one| [vec![one.source()]])),
        ("top-pairs", plain_sum(connections, |one| [vec![one.source(), one.server()]])),
        ("talkers", plain_sum(connections, |one| [vec![one.source()], vec![one.server()]])),
        ("services", plain_sum(connections, |one| [vec![service(one)]])),
    ]
}

/// The hosts of each row, and the number in a column.
fn column(report: &Report, name: &str) -> Rows {
    let cells = cells(report, name).unwrap();
    let text = |cell: Cell| match cell {
        Cell::Host(name) => Some(String::from_utf8(name).unwrap()),
        _ => None,
    };
    let row = |(tells, cell): (Vec<Cell>, Cell)| match cell {
        Cell::Count(number) => (tells.into_iter().filter_map(text).collect(), number),
        other => panic!("{other:?}"),
    };
    cells.into_iter().map(row).collect()
}

proptest! {
    #[test]
    fn every_report_has_its_sums_wherever_they_are(connections in connections(), limit in 1u64..12) {
        let names = MEASURES.map(str::to_owned);
        let views = [view(&connections, &names), stored_view(&connections, &names)];
        let plain = view(&connections, &[]);
        for (entry, of) in TABLE.iter().flat_map(|entry| CHOICES.map(|of| (entry, of))) {
            for by in [None, Some("connections"), Some("ones"), Some("bytes")] {
                let options = asked_by(entry, limit, of, by);
                let [first, second] = [&views[0], &views[1]].map(|view| made(entry, &options, view));
                prop_assert_eq!(first.check(), Ok(()));
                prop_assert_eq!(&first, &second, "{} by {:?}", entry.name, by);
                // What is only in the window before has its sums from there.
                let [ones, bytes, counts] = match entry.name {
                    "gone-pairs" => ["ones_before", "bytes_before", "before"],
                    _ => ["ones", "bytes", "connections"],
                };
                prop_assert!(cells(&first, ones).is_some() && cells(&first, bytes).is_some(), "{}", entry.name);
                // One of each connection is as many as connections.
                if let Some(connections) = cells(&first, counts) {
                    prop_assert_eq!(cells(&first, ones), Some(connections), "{}", entry.name);
                }
                if by == Some("ones") {
                    let by_connections = made(entry, &asked_by(entry, limit, of, Some("connections")), &views[0]);
                    prop_assert_eq!(&first.more, &by_connections.more);
                }
            }
            let without = made(entry, &asked(entry, limit, of), &plain);
            let with = made(entry, &asked(entry, limit, of), &views[0]);
            let cut = with.rows.iter().map(|row| row[..without.columns.len()].to_vec()).collect::<Vec<_>>();
            prop_assert_eq!(&cut, &without.rows, "{}", entry.name);
            prop_assert_eq!(with.more, without.more);
        }
    }

    #[test]
    fn rankings_by_a_measure_are_those_of_a_plain_sum_either_way_round(
        connections in connections(), limit in 1u64..12, reverse: bool,
    ) {
        let names = MEASURES.map(str::to_owned);
        for view in [view(&connections, &names), stored_view(&connections, &names)] {
            for (name, sums) in rankings(&connections) {
                let mut expected: Rows = sums.into_iter().collect();
                expected.sort_by_key(|(key, sum)| (if reverse { *sum } else { u64::MAX - *sum }, key.clone()));
                expected.truncate(limit as usize);
                let entry = entry(name).unwrap();
                let mut options = asked_by(entry, limit, "", Some("bytes"));
                options.set("reverse", Value::Flag(reverse));
                let report = made(entry, &options, &view);
                prop_assert_eq!(column(&report, "bytes"), expected, "{}", name);
                let title = String::from_utf8_lossy(&report.title).into_owned();
                prop_assert!(title.contains(if reverse { "fewest bytes" } else { "most bytes" }), "{}", title);
            }
        }
    }

    #[test]
    fn shares_in_a_ranking_by_a_measure_are_those_of_its_whole(connections in connections(), limit in 1u64..12) {
        let names = MEASURES.map(str::to_owned);
        let inside = || connections.iter().filter(|connection| connection.bucket >= 0);
        let bytes = |connection: &Connection| amount(connection).sums.get(1);
        let whole = inside().map(bytes).sum::<u64>();
        for view in [view(&connections, &names), stored_view(&connections, &names)] {
            for entry in TABLE.iter().filter(|entry| has(entry, "shares")) {
                let mut options = asked_by(entry, limit, "", Some("bytes"));
                let without = made(entry, &options, &view);
                options.set("shares", Value::Flag(true));
                let with = made(entry, &options, &view);
                prop_assert_eq!(with.check(), Ok(()));
                let added = with.columns[without.columns.len()..].to_vec();
                prop_assert_eq!(added, ["percent_of_bytes", "running_percent_of_bytes"].map(Column::percent));
                let (rows, mut sum) = (column(&without, "bytes"), 0);
                for (at, (row, (_, number))) in with.rows.iter().zip(&rows).enumerate() {
                    sum += number;
                    let running = match entry.name {
                        // Of two talkers, a connection between them is one.
                        "talkers" => {
                            let is_part = |one: &&Connection| {
                                rows[..=at].iter().any(|(key, _)| [one.source(), one.server()].contains(&key[0]))
                            };
                            inside().filter(is_part).map(bytes).sum()
                        }
                        _ => sum,
                    };
                    let shares = [*number, running].map(|part| Cell::Percent(Percent::of(part, whole)));
                    prop_assert_eq!(&row[without.columns.len()..], &shares[..], "{}", entry.name);
                    prop_assert_eq!(&row[..without.columns.len()], &without.rows[at][..], "{}", entry.name);
                }
            }
        }
    }
}

#[test]
fn no_measure_is_called_as_a_column_is() {
    let view = view(&Vec::new(), &[]);
    for entry in TABLE {
        let mut options = asked(entry, 1, "");
        if has(entry, "shares") {
            options.set("shares", Value::Flag(true));
        }
        for column in made(entry, &options, &view).columns {
            assert!(
                !crate::format::are_measure_names(&[column.name.to_string()]),
                "add '{}' to the names that no measure has",
                column.name
            );
        }
    }
    for name in ["percent_of_bytes", "running_percent_of_bytes"] {
        assert!(!crate::format::are_measure_names(&[name.to_owned()]), "shares in '{}' are called so", name);
    }
}
