//! `timeline`: connections per bucket.

use crate::error::Result;
use crate::model::{Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, BucketTotal};

use super::context::ReportContext;
use super::entry::{ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{and_sums, with_sums};

/// How busy the window was, and when.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "timeline",
    help: "connections in each bucket of the window, empty ones too",
    options: &[],
    example: r#""timeline""#,
    needs_previous: false,
    looks_at_pairs: false,
    maker: ReportMaker::Function(timeline),
    #[cfg(test)]
    oracle: Some(counted),
};

fn timeline(_: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let row = |(at, bucket): (usize, &BucketTotal)| {
        let cells = [Cell::Time(bucket.start), Cell::Count(bucket.connections)];
        and_sums(cells, &view.measured_in(at).sums, view)
    };
    let columns = with_sums([Column::time("start"), Column::count("connections")], view);
    Ok(Report::table("Connections over time", columns, view.buckets().iter().enumerate().map(row).collect()))
}

/// Each bucket has its row, also where nothing was counted.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let connections = |bucket: i64| asked.inside().filter(|connection| connection.bucket == bucket).count() as u64;
    (0..3).map(|bucket| (vec![(bucket * 10).to_string()], connections(bucket))).collect()
}
