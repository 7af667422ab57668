//! `top-pairs`: the pairs of hosts with most connections.

use crate::error::Result;
use crate::model::{Aggregates, Cell, Column, ColumnKind, Drawing, PairCount, Report, Timestamp};

use super::ranking::{host, limit, top};
use super::{LIMIT, ReportContext, ReportEntry};

/// The busiest pairs.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "top-pairs",
    help: "the pairs of hosts with most connections",
    options: &[LIMIT],
    example: r#"{ name = "top-pairs", limit = 20 }"#,
    needs_previous: false,
    function: top_pairs,
};

fn top_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let limit = limit(context);
    let best = |pairs: Vec<PairCount>| top(pairs, limit, |pair| pair.connections, |pair| (pair.from, pair.to));
    // The best of all are among the best of each part.
    let shown = context.regroup(view.pairs(), |part| best(part.to_vec()), |a, b| best([a, b].concat()));
    Ok(Report {
        id: context.name.to_owned(),
        title: "Pairs with most connections".into(),
        columns: columns(),
        rows: rows(view, &shown.unwrap_or_default()),
        drawing: Drawing::Table,
    })
}

/// The columns of reports on pairs.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column { name: "from", kind: ColumnKind::Host },
        Column { name: "to", kind: ColumnKind::Host },
        Column { name: "connections", kind: ColumnKind::Count },
    ]
}

/// The rows of reports on pairs.
pub(super) fn rows(view: &Aggregates, pairs: &[PairCount]) -> Vec<Vec<Cell>> {
    let row = |pair: &PairCount| vec![host(view, pair.from), host(view, pair.to), Cell::Count(pair.connections)];
    pairs.iter().map(row).collect()
}
