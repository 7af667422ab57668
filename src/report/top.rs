//! `top-servers` and `top-sources`: the hosts with most connections on either side.

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Drawing, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{BY, LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::{Top, best, host, is_reversed, limit};
use super::shares::{has_shares, with_shares};

/// Who received most connections.
pub(super) const SERVERS: ReportEntry = ReportEntry {
    name: "top-servers",
    help: "the hosts that received most connections",
    options: &[LIMIT, BY, REVERSE, SHARES],
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
    options: &[LIMIT, BY, REVERSE, SHARES],
    example: r#"{ name = "top-sources", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(sources),
    #[cfg(test)]
    oracle: Some(sources_counted),
};

fn servers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    // The one server of the positional form is drawn as it always was.
    let is_one = limit(context) == 1 && !has_shares(context) && !is_reversed(context) && view.measures().is_empty();
    let report =
        ranking(context, view, Side::To, "server", ["Servers that received {} connections", "Servers with {}"])?;
    if !is_one {
        return Ok(report);
    }
    let drawing = Drawing::Labelled { labels: vec!["to", "ts"] };
    Ok(Report { title: b"Server that received more connections:".to_vec(), drawing, ..report })
}

fn sources(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    ranking(context, view, Side::From, "source", ["Sources that made {} connections", "Sources with {}"])
}

/// Given the name of the column, and the titles by connections and by a measure.
fn ranking(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    column: &'static str,
    [by_connections, by_measure]: [&str; 2],
) -> Result<Report> {
    let by = Ranked::of(context, view)?;
    let (best, more) = busiest(context, view, side, &by)?.into_ranked();
    let row = |(_, (name, Amount { connections, sums })): (u64, (Vec<u8>, Amount))| {
        and_measures([host(name), Cell::Count(connections)], &sums, view)
    };
    let columns = with_measures([Column::host(column), Column::count("connections")], view);
    let title = by.title(context, by_connections, by_measure);
    let report = Report { more, ..Report::table(title, columns, best.into_iter().map(row).collect()) };
    Ok(with_shares(context, view, &by, report))
}

/// The hosts with most on one side of what a ranking is by, as many as the report's limit says.
pub(super) fn busiest(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    by: &Ranked,
) -> Result<Top<(Vec<u8>, Amount)>> {
    let mut best = best(context);
    context.for_each_host_amount(view, side, |host, amount| {
        best.offer(by.number(&amount), || (host.bytes().to_vec(), amount));
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
