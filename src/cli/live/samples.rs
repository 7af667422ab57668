//! Glances for tests.

use super::glance::Glance;
use crate::model::{Balance, Cell, Column, ColumnKind, Report, Timestamp, Window, WindowResult};
use crate::pipeline::StageObservation;

const HOST: ColumnKind = ColumnKind::Host;

fn report(id: &str, title: &str, columns: &[(&'static str, ColumnKind)], rows: Vec<Vec<Cell>>) -> Report {
    let columns: Vec<Column> =
        columns.iter().map(|(name, kind)| Column { name: (*name).into(), kind: *kind }).collect();
    Report { id: id.to_owned(), ..Report::table(title, columns, rows) }
}

pub fn host(name: &[u8]) -> Cell {
    Cell::Host(name.to_vec())
}

/// The result of the hour that ends at `end`.
fn result_of(servers: &[(&str, u64)], end: Timestamp, balance: Balance) -> WindowResult {
    let rows = servers.iter().map(|(name, count)| vec![host(name.as_bytes()), Cell::Count(*count)]).collect();
    let pairs = vec![vec![host(b"sierra"), host(b"Delta"), Cell::Count(3)]];
    WindowResult {
        sequence: 0,
        window: Window::closed(end.minus(3_600_000_000_000), end),
        windows: 1,
        periodic: false,
        cut: Default::default(),
        issue: None,
        from_start: false,
        stamps: None,
        connections: 6,
        measures: Vec::new(),
        reports: vec![
            report(
                "top-servers",
                "Servers that received most connections",
                &[("server", HOST), ("connections", ColumnKind::Count)],
                rows,
            ),
            report(
                "top-pairs",
                "Pairs with most connections",
                &[("from", HOST), ("to", HOST), ("connections", ColumnKind::Count)],
                pairs,
            ),
        ],
        balance,
    }
}

/// A glance at an hour with these servers.
pub fn glance_of(servers: &[(&str, u64)]) -> Glance {
    let end = Timestamp::from_seconds(1_700_000_000);
    let balance = Balance {
        lines_read: 1234,
        counted: 1200,
        out_of_window: 30,
        malformed: [4, 0, 0, 0, 0, 0, 0, 0, 0],
        bytes_read: 30_000,
        bytes_total: 60_000,
        inputs: 2,
        ..Balance::default()
    };
    let stage = |name: &str, kind, waiting, capacity| StageObservation {
        name: name.to_owned(),
        kind,
        threads: 2,
        chained: kind == "bucket-aggregator",
        waiting,
        capacity,
        batches: 7,
    };
    Glance {
        result: Some(result_of(servers, end, balance.clone())),
        balance,
        watermark: Some(end.minus(5_000_000_000)),
        now: end,
        inputs: 2,
        stages: vec![
            stage("read", "reader", 0, 0),
            stage("lines", "line-splitter", 4, 4),
            stage("recent", "time-filter", 1, 4),
            stage("tally", "bucket-aggregator", 0, 0),
        ],
        ended: false,
    }
}

/// A glance at an hour with three servers.
pub fn glance() -> Glance {
    glance_of(&[("Delta", 3), ("Bravo", 2), ("Alpha", 1)])
}
