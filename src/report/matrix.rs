//! `matrix`: the busiest sources against the busiest servers.

use crate::error::{Error, Result};
use crate::model::{Amount, Cell, Column, Drawing, Report, Timestamp};
use crate::tally::{Aggregates, Peer, Side};

use super::context::ReportContext;
use super::entry::{BY, LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{Ranked, and_sums, with_sums};
use super::ranking::host;
use super::top::busiest;
#[cfg(test)]
use super::top::{servers_counted, sources_counted};

/// Who connects to whom, at a glance.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "matrix",
    help: "connections from each of the busiest sources to each of the busiest servers",
    options: &[LIMIT, BY],
    example: r#"{ name = "matrix", limit = 8 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(matrix),
    #[cfg(test)]
    oracle: Some(counted),
};

fn matrix(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let by = Ranked::of(context, view)?;
    let busiest = |side| {
        let sorted = busiest(context, view, side, &by)?.into_sorted();
        Ok::<_, Error>(sorted.into_iter().map(|(_, (name, _))| name).collect::<Vec<_>>())
    };
    let (sources, servers) = (busiest(Side::From)?, busiest(Side::To)?);
    let names: Vec<&[u8]> = sources.iter().map(|name| &name[..]).collect();
    let peers = context.peers(view, Side::From, &names)?;
    let mut rows = Vec::with_capacity(sources.len() * servers.len());
    for (source, peers) in names.iter().zip(&peers) {
        for server in &servers {
            // Peers come by name.
            let found = peers.binary_search_by(|peer| peer.host.cmp(server)).ok().map(|at| &peers[at]);
            rows.push(row(&by, (source, server), &found.map(Peer::amount).unwrap_or_default(), view));
        }
    }
    let (title, columns) = ("Busiest sources against busiest servers", columns(&by, view));
    let title = if by == Ranked::ByConnections { title.to_owned() } else { format!("{title}, by {}", by.name()) };
    Ok(Report { drawing: Drawing::Matrix, ..Report::table(title, columns, rows) })
}

/// What the matrix is by comes first behind the hosts: that is what is drawn.
fn columns(by: &Ranked, view: &Aggregates) -> Vec<Column> {
    let mut columns = with_sums([Column::host("from"), Column::host("to"), Column::count("connections")], view);
    first(by, &mut columns[2..]);
    columns
}

fn row(by: &Ranked, (from, to): (&[u8], &[u8]), amount: &Amount, view: &Aggregates) -> Vec<Cell> {
    let mut cells = and_sums([host(from), host(to), Cell::Count(amount.connections)], &amount.sums, view);
    first(by, &mut cells[2..]);
    cells
}

/// Brings what the matrix is by to the front of connections and sums.
fn first<T>(by: &Ranked, numbers: &mut [T]) {
    if let Ranked::ByMeasure(at, _) = by
        && let Some(up_to_it) = numbers.get_mut(..*at + 2)
    {
        up_to_it.rotate_right(1);
    }
}

/// Each of the busiest sources against each of the busiest servers, also where they never met.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let counts = asked.counted(|connection| vec![connection.source(), connection.server()]);
    let (sources, servers) = (sources_counted(asked), servers_counted(asked));
    let pairs = sources.iter().flat_map(|(from, _)| servers.iter().map(move |(to, _)| [&from[..], &to[..]].concat()));
    pairs.map(|pair| (pair.clone(), counts.get(&pair).copied().unwrap_or(0))).collect()
}
