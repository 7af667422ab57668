//! `top-servers` and `top-sources`: the hosts with most connections on either side.

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Drawing, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{BY, LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{Ranked, and_sums, with_sums};
use super::ranking::{Top, host, limit};

/// Who received most connections.
pub(super) const SERVERS: ReportEntry = ReportEntry {
    name: "top-servers",
    help: "the hosts that received most connections",
    options: &[LIMIT, BY],
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
    options: &[LIMIT, BY],
    example: r#"{ name = "top-sources", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(sources),
    #[cfg(test)]
    oracle: Some(sources_counted),
};

fn servers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    // The one server of the positional form is drawn as it always was.
    let (title, drawing) = match limit(context) {
        1 if view.measures().is_empty() => {
            ("Server that received more connections:", Drawing::Labelled { labels: vec!["to", "ts"] })
        }
        _ => ("Servers that received most connections", Drawing::Table),
    };
    ranking(context, view, Side::To, ("server", "Servers", title), drawing)
}

fn sources(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    ranking(context, view, Side::From, ("source", "Sources", "Sources that made most connections"), Drawing::Table)
}

/// Given the name of the column, what its hosts are, and the title where connections decide.
fn ranking(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    (column, hosts, title): (&'static str, &str, &str),
    drawing: Drawing,
) -> Result<Report> {
    let by = Ranked::of(context, view)?;
    let (best, more) = busiest(context, view, side)?.into_ranked();
    let title = match &by {
        Ranked::ByConnections => title.to_owned(),
        Ranked::ByMeasure(_, name) => format!("{hosts} with most {name}"),
    };
    let row = |(_, (name, Amount { connections, sums })): (u64, (Vec<u8>, Amount))| {
        and_sums([host(name), Cell::Count(connections)], &sums, view)
    };
    let columns = with_sums([Column::host(column), Column::count("connections")], view);
    Ok(Report { drawing, more, ..Report::table(title, columns, best.into_iter().map(row).collect()) })
}

/// The hosts with most on one side of what the report is by, as many as its limit says.
pub(super) fn busiest(context: &ReportContext<'_>, view: &Aggregates, side: Side) -> Result<Top<(Vec<u8>, Amount)>> {
    let (by, mut best) = (Ranked::of(context, view)?, Top::new(limit(context)));
    if view.measures().is_empty() {
        context.for_each_host_by_connections(view, side, |host, connections| {
            best.offer(connections, || (host.bytes().to_vec(), connections.into()));
        })?;
        return Ok(best);
    }
    context.for_each_host(view, side, |total| {
        let amount = Amount { connections: total.connections, sums: total.sums };
        best.offer(by.number(&amount), || (total.host.bytes().to_vec(), amount));
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
