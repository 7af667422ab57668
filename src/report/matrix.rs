//! `matrix`: the busiest sources against the busiest servers.

use crate::error::Result;
use crate::model::aggregates::HostTotal;
use crate::model::{Aggregates, Cell, Drawing, Report, Timestamp};

use super::pairs::columns;
use super::ranking::{host, limit, top};
use super::{LIMIT, ReportContext, ReportEntry};

/// Who connects to whom, at a glance.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "matrix",
    help: "connections from each of the busiest sources to each of the busiest servers",
    options: &[LIMIT],
    example: r#"{ name = "matrix", limit = 8 }"#,
    needs_previous: false,
    function: matrix,
};

fn matrix(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let best =
        |totals: &[HostTotal]| top(totals.to_vec(), limit(context), |total| total.connections, |total| total.host);
    let (sources, servers) = (best(view.sources()), best(view.servers()));
    let mut rows = Vec::with_capacity(sources.len() * servers.len());
    for source in &sources {
        let pairs = view.pairs_from(source.host);
        for server in &servers {
            let found = pairs.binary_search_by_key(&server.host, |pair| pair.to);
            let connections = found.map_or(0, |at| pairs[at].connections);
            rows.push(vec![host(view, source.host), host(view, server.host), Cell::Count(connections)]);
        }
    }
    Ok(Report {
        id: context.name.to_owned(),
        title: "Busiest sources against busiest servers".into(),
        columns: columns(),
        rows,
        drawing: Drawing::Matrix,
    })
}
