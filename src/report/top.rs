//! `top-servers` and `top-sources`: the hosts with most connections on either side.

use crate::error::Result;
use crate::model::{Cell, Column, Drawing, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::ranking::{Top, best, has_shares, host, is_reversed, limit, titled, with_shares};

/// Who received most connections.
pub(super) const SERVERS: ReportEntry = ReportEntry {
    name: "top-servers",
    help: "the hosts that received most connections",
    options: &[LIMIT, REVERSE, SHARES],
    example: r#"{ name = "top-servers", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(servers),
    #[cfg(test)]
    oracle: Some(servers_counted),
};

/// Who made most connections.
pub(super) const SOURCES: ReportEntry = ReportEntry {
    name: "top-sources",
    help: "the hosts that made most connections",
    options: &[LIMIT, REVERSE, SHARES],
    example: r#"{ name = "top-sources", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(sources),
    #[cfg(test)]
    oracle: Some(sources_counted),
};

fn servers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    // The one server of the positional form is drawn as it always was.
    let is_one = limit(context) == 1 && !has_shares(context) && !is_reversed(context);
    let (title, drawing) = match is_one {
        true => ("Server that received more connections:", Drawing::Labelled { labels: vec!["to", "ts"] }),
        false => ("Servers that received {} connections", Drawing::Table),
    };
    Ok(Report { drawing, ..ranking(context, view, Side::To, "server", title)? })
}

fn sources(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    ranking(context, view, Side::From, "source", "Sources that made {} connections")
}

fn ranking(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    column: &'static str,
    title: &str,
) -> Result<Report> {
    let (best, more) = busiest(context, view, side)?.into_ranked();
    let rows = best.into_iter().map(|(count, name)| vec![host(name), Cell::Count(count)]).collect();
    let columns = [Column::host(column), Column::count("connections")];
    let report = Report { more, ..Report::table(titled(context, title), columns, rows) };
    Ok(with_shares(context, view, report))
}

/// The hosts with most connections on one side, as many as the report's limit says.
pub(super) fn busiest(context: &ReportContext<'_>, view: &Aggregates, side: Side) -> Result<Top<Vec<u8>>> {
    let mut best = best(context);
    context.for_each_host_by_connections(view, side, |host, connections| {
        best.offer(connections, || host.bytes().to_vec());
    })?;
    Ok(best)
}

#[cfg(test)]
pub(super) fn servers_counted(asked: &Asked<'_>) -> Rows {
    asked.ranked(asked.counted(|connection| vec![connection.server()]))
}

#[cfg(test)]
pub(super) fn sources_counted(asked: &Asked<'_>) -> Rows {
    asked.ranked(asked.counted(|connection| vec![connection.source()]))
}
