//! `timeline`: connections per bucket.

use crate::error::Result;
use crate::model::{Cell, Column, ColumnKind, Drawing, Report, Timestamp};
use crate::tally::Aggregates;

use super::context::ReportContext;
use super::entry::ReportEntry;
#[cfg(test)]
use super::laws::{Asked, Rows};

/// How busy the window was, and when.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "timeline",
    help: "connections in each bucket of the window, empty ones too",
    options: &[],
    example: r#""timeline""#,
    needs_previous: false,
    looks_at_pairs: false,
    function: timeline,
    #[cfg(test)]
    oracle: Some(counted),
};

fn timeline(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let rows = view.buckets().iter().map(|bucket| vec![Cell::Time(bucket.start), Cell::Count(bucket.connections)]);
    Ok(Report {
        id: context.name.to_owned(),
        title: "Connections over time".into(),
        columns: vec![
            Column { name: "start", kind: ColumnKind::Time },
            Column { name: "connections", kind: ColumnKind::Count },
        ],
        rows: rows.collect(),
        drawing: Drawing::Table,
        overflow: 0,
        more: None,
        options: Vec::new(),
    })
}

/// Each bucket has its row, also where nothing was counted.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let connections = |bucket: i64| asked.inside().filter(|connection| connection.bucket == bucket).count() as u64;
    (0..3).map(|bucket| (vec![(bucket * 10).to_string()], connections(bucket))).collect()
}
