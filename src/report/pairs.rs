//! `top-pairs`: the pairs of hosts with most connections.

use crate::error::Result;
use crate::model::{Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, Pair};

use super::context::ReportContext;
use super::entry::{LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::ranking::{Top, best, host, titled, with_shares};

/// The busiest pairs.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "top-pairs",
    help: "the pairs of hosts with most connections",
    options: &[LIMIT, REVERSE, SHARES],
    example: r#"{ name = "top-pairs", limit = 20 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(top_pairs),
    #[cfg(test)]
    oracle: Some(counted),
};

fn top_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    // The best of all are among the best of each part.
    let best = context.regroup(
        view,
        |parts| {
            let mut best = best(context);
            for part in parts {
                view.for_each_pair_in(part, |pair| best.offer(pair.connections, || key(&pair)))?;
            }
            Ok(best)
        },
        Top::join,
    )?;
    let (best, more) = best.into_ranked();
    let rows = best.into_iter().map(|(connections, key)| row(key, connections)).collect();
    let report = Report { more, ..Report::table(titled(context, "Pairs with {} connections"), columns(), rows) };
    Ok(with_shares(context, view, report))
}

/// The columns of reports on pairs.
pub(super) fn columns() -> Vec<Column> {
    vec![Column::host("from"), Column::host("to"), Column::count("connections")]
}

/// What pairs are ordered by: their names.
pub(super) fn key(pair: &Pair<'_>) -> (Vec<u8>, Vec<u8>) {
    (pair.from.bytes().to_vec(), pair.to.bytes().to_vec())
}

/// A row of reports on pairs.
pub(super) fn row((from, to): (Vec<u8>, Vec<u8>), connections: u64) -> Vec<Cell> {
    vec![host(from), host(to), Cell::Count(connections)]
}

#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    asked.ranked(asked.counted(|connection| vec![connection.source(), connection.server()]))
}
