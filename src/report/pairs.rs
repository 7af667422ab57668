//! `top-pairs`: the pairs of hosts with most connections.

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, Pair};

use super::context::ReportContext;
use super::entry::{BY, LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::{Top, best, host};
use super::shares::with_shares;

/// The busiest pairs.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "top-pairs",
    help: "the pairs of hosts with most connections",
    options: &[LIMIT, BY, REVERSE, SHARES],
    example: r#"{ name = "top-pairs", limit = 20 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(top_pairs),
    #[cfg(test)]
    oracle: Some(counted),
};

fn top_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let by = Ranked::of(context, view)?;
    // The best of all are among the best of each part.
    let best = context.regroup(
        view,
        |parts| {
            let mut best = best(context);
            for part in parts {
                view.for_each_pair_in(part, |pair| {
                    best.offer(by.number(&pair.amount()), || (key(&pair), pair.amount()));
                })?;
            }
            Ok(best)
        },
        Top::join,
    )?;
    let (best, more) = best.into_ranked();
    let rows = best.into_iter().map(|(_, (key, amount))| row(key, amount, view)).collect();
    let title = by.title(context, "Pairs with {} connections", "Pairs with {}");
    let report = Report { more, ..Report::table(title, columns(view), rows) };
    Ok(with_shares(context, view, &by, report))
}

/// The columns of reports on pairs.
pub(super) fn columns(view: &Aggregates) -> Vec<Column> {
    with_measures([Column::host("from"), Column::host("to"), Column::count("connections")], view)
}

/// What pairs are ordered by: their names.
pub(super) fn key(pair: &Pair<'_>) -> (Vec<u8>, Vec<u8>) {
    (pair.from.bytes().to_vec(), pair.to.bytes().to_vec())
}

/// A row of reports on pairs.
pub(super) fn row((from, to): (Vec<u8>, Vec<u8>), amount: Amount, view: &Aggregates) -> Vec<Cell> {
    and_measures([host(from), host(to), Cell::Count(amount.connections)], &amount.sums, view)
}

#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    asked.ranked(asked.counted(|connection| vec![connection.source(), connection.server()]))
}
