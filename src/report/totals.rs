//! `totals`: how much there is in the window, in one row.

use crate::error::Result;
use crate::model::{Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows, with_more};
use super::measures::{and_sums, with_sums};

/// How much there is.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "totals",
    help: "how many connections, distinct pairs, sources, servers and hosts there are",
    options: &[],
    example: r#""totals""#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(totals),
    #[cfg(test)]
    oracle: Some(counted),
};

fn totals(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let (mut pairs, mut sources, mut servers, mut hosts) = (0, 0, 0, 0);
    context.for_each_host(view, Side::From, |total| pairs += total.peers)?;
    context.for_each_host_on_either_side(view, |sides| {
        hosts += 1;
        sources += u64::from(sides.as_source.connections > 0);
        servers += u64::from(sides.as_server.connections > 0);
    })?;
    let columns = ["connections", "pairs", "sources", "servers", "hosts"].map(Column::count);
    let row = [view.total(), pairs, sources, servers, hosts].map(Cell::Count);
    // Of all connections, as is their number: those of further pairs are among them.
    let row = and_sums(row, &view.measured().sums, view);
    Ok(Report::table("Totals", with_sums(columns, view), vec![row]))
}

#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let distinct = |names: &mut dyn Iterator<Item = String>| {
        let names: std::collections::BTreeSet<String> = names.collect();
        names.len() as u64
    };
    let (source, server) = (super::laws::Connection::source, super::laws::Connection::server);
    let more = [
        distinct(&mut asked.inside().map(|one| format!("{} {}", one.source(), one.server()))),
        distinct(&mut asked.inside().map(source)),
        distinct(&mut asked.inside().map(server)),
        distinct(&mut asked.inside().flat_map(|one| [one.source(), one.server()])),
    ];
    vec![(with_more(Vec::new(), more), asked.inside().count() as u64)]
}
