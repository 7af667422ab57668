//! Shares in rankings: of each row, and of all rows up to it, in what the ranking is by.
//!
//! Not here: how a share is worked out (`Percent`). Invariant: the whole is all that the window holds,
//! further pairs among it, for which there was no memory.

use super::context::ReportContext;
use super::entry::SHARES;
use super::measures::Ranked;
use crate::model::{Cell, Column, Percent, Report};
use crate::tally::Aggregates;

/// What the columns are called by connections, and before the name of a measure.
const COLUMNS: [(&str, &str); 2] = [("percent", "percent_of_"), ("running_percent", "running_percent_of_")];

/// Whether shares are asked for.
pub(super) fn has_shares(context: &ReportContext<'_>) -> bool {
    context.options.flag(SHARES.name)
}

/// The same ranking with shares, if they are asked for. Nothing that is counted is in two rows.
pub(super) fn with_shares(context: &ReportContext<'_>, view: &Aggregates, by: &Ranked, ranking: Report) -> Report {
    if !has_shares(context) {
        return ranking;
    }
    let running = numbers(by, &ranking).into_iter().scan(0u64, |sum, number| {
        *sum = sum.saturating_add(number);
        Some(*sum)
    });
    let running = running.collect();
    with_running(view, by, ranking, running)
}

/// A ranking with shares, given what each row and all rows up to it come to together.
pub(super) fn with_running(view: &Aggregates, by: &Ranked, mut ranking: Report, running: Vec<u64>) -> Report {
    let whole = by.whole(view);
    let numbers = numbers(by, &ranking);
    ranking.columns.extend(COLUMNS.map(|(plain, before)| match by {
        Ranked::ByConnections => Column::percent(plain),
        Ranked::ByMeasure(_, name) => Column::percent(format!("{before}{name}")),
    }));
    for (row, parts) in ranking.rows.iter_mut().zip(numbers.into_iter().zip(running)) {
        row.extend([parts.0, parts.1].map(|part| Cell::Percent(Percent::of(part, whole))));
    }
    ranking
}

/// What each row is ranked by, which stands in the column of that name.
fn numbers(by: &Ranked, ranking: &Report) -> Vec<u64> {
    let at = ranking.columns.iter().position(|column| column.name == by.name());
    let number = |row: &Vec<Cell>| match at.and_then(|at| row.get(at)) {
        Some(Cell::Count(number)) => *number,
        _ => 0,
    };
    ranking.rows.iter().map(number).collect()
}
