//! `fan-out` and `fan-in`: the hosts with most distinct peers on the other side.

use crate::error::Result;
use crate::model::aggregates::HostTotal;
use crate::model::{Aggregates, Cell, Column, ColumnKind, Drawing, Report, Timestamp};

use super::ranking::{host, limit, top};
use super::{LIMIT, ReportContext, ReportEntry};

/// Who connected to most servers.
pub(super) const OUT: ReportEntry = ReportEntry {
    name: "fan-out",
    help: "the hosts that connected to most distinct hosts",
    options: &[LIMIT],
    example: r#""fan-out""#,
    needs_previous: false,
    function: out,
};

/// Who was reached by most sources.
pub(super) const IN: ReportEntry = ReportEntry {
    name: "fan-in",
    help: "the hosts that most distinct hosts connected to",
    options: &[LIMIT],
    example: r#""fan-in""#,
    needs_previous: false,
    function: within,
};

fn out(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    Ok(peers(context, view, view.sources(), ("source", "servers"), "Sources that reached most servers"))
}

fn within(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    Ok(peers(context, view, view.servers(), ("server", "sources"), "Servers that most sources reached"))
}

fn peers(
    context: &ReportContext<'_>,
    view: &Aggregates,
    totals: &[HostTotal],
    (side, other): (&'static str, &'static str),
    title: &str,
) -> Report {
    let best = top(totals.to_vec(), limit(context), |total| total.peers, |total| total.host);
    Report {
        id: context.name.to_owned(),
        title: title.into(),
        columns: vec![Column { name: side, kind: ColumnKind::Host }, Column { name: other, kind: ColumnKind::Count }],
        rows: best.iter().map(|total| vec![host(view, total.host), Cell::Count(total.peers)]).collect(),
        drawing: Drawing::Table,
    }
}
