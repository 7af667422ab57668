//! `fan-out` and `fan-in`: the hosts with most distinct peers on the other side.

use crate::error::Result;
use crate::model::{Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{LIMIT, REVERSE, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows, summed};
use super::measures::{and_measures, with_measures};
use super::ranking::{best, host, titled};

/// Who connected to most servers.
pub(super) const OUT: ReportEntry = ReportEntry {
    name: "fan-out",
    help: "the hosts that connected to most distinct hosts",
    options: &[LIMIT, REVERSE],
    example: r#""fan-out""#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(out),
    #[cfg(test)]
    oracle: Some(servers_each),
};

/// Who was reached by most sources.
pub(super) const IN: ReportEntry = ReportEntry {
    name: "fan-in",
    help: "the hosts that most distinct hosts connected to",
    options: &[LIMIT, REVERSE],
    example: r#""fan-in""#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(within),
    #[cfg(test)]
    oracle: Some(sources_each),
};

fn out(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    peers(context, view, Side::From, ("source", "servers"), "Sources that reached {} servers")
}

fn within(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    peers(context, view, Side::To, ("server", "sources"), "Servers that {} sources reached")
}

fn peers(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    (host_column, count_column): (&'static str, &'static str),
    title: &str,
) -> Result<Report> {
    let mut best = best(context);
    context.for_each_host(view, side, |total| best.offer(total.peers, || (total.host.bytes().to_vec(), total.sums)))?;
    let (best, more) = best.into_ranked();
    let rows =
        best.into_iter().map(|(peers, (name, sums))| and_measures([host(name), Cell::Count(peers)], &sums, view));
    let columns = with_measures([Column::host(host_column), Column::count(count_column)], view);
    Ok(Report { more, ..Report::table(titled(context, title), columns, rows.collect()) })
}

/// Each pair counts once.
#[cfg(test)]
fn servers_each(asked: &Asked<'_>) -> Rows {
    let pairs: std::collections::BTreeSet<_> =
        asked.inside().map(|connection| (connection.source(), connection.server())).collect();
    asked.ranked(summed(pairs.into_iter().map(|(from, _)| vec![from])))
}

#[cfg(test)]
fn sources_each(asked: &Asked<'_>) -> Rows {
    let pairs: std::collections::BTreeSet<_> =
        asked.inside().map(|connection| (connection.source(), connection.server())).collect();
    asked.ranked(summed(pairs.into_iter().map(|(_, to)| vec![to])))
}
