//! `top-servers` and `top-sources`: the hosts with most connections on either side.

use crate::error::Result;
use crate::model::aggregates::HostTotal;
use crate::model::{Aggregates, Cell, Column, ColumnKind, Drawing, Report, Timestamp};

use super::ranking::{host, limit, top};
use super::{LIMIT, ReportContext, ReportEntry};

/// Who received most connections.
pub(super) const SERVERS: ReportEntry = ReportEntry {
    name: "top-servers",
    help: "the hosts that received most connections",
    options: &[LIMIT],
    example: r#"{ name = "top-servers", limit = 5 }"#,
    needs_previous: false,
    function: servers,
};

/// Who made most connections.
pub(super) const SOURCES: ReportEntry = ReportEntry {
    name: "top-sources",
    help: "the hosts that made most connections",
    options: &[LIMIT],
    example: r#"{ name = "top-sources", limit = 5 }"#,
    needs_previous: false,
    function: sources,
};

fn servers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    // The one server of the positional form is drawn as it always was.
    let (title, drawing) = match limit(context) {
        1 => ("Server that received more connections:", Drawing::Labelled { labels: vec!["to", "ts"] }),
        _ => ("Servers that received most connections", Drawing::Table),
    };
    Ok(ranking(context, view, view.servers(), "server", title, drawing))
}

fn sources(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    Ok(ranking(context, view, view.sources(), "source", "Sources that made most connections", Drawing::Table))
}

fn ranking(
    context: &ReportContext<'_>,
    view: &Aggregates,
    totals: &[HostTotal],
    column: &'static str,
    title: &str,
    drawing: Drawing,
) -> Report {
    let best = top(totals.to_vec(), limit(context), |total| total.connections, |total| total.host);
    Report {
        id: context.name.to_owned(),
        title: title.into(),
        columns: vec![
            Column { name: column, kind: ColumnKind::Host },
            Column { name: "connections", kind: ColumnKind::Count },
        ],
        rows: best.iter().map(|total| vec![host(view, total.host), Cell::Count(total.connections)]).collect(),
        drawing,
    }
}
