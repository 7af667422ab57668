//! `matrix`: the busiest sources against the busiest servers.

use crate::error::{Error, Result};
use crate::model::{Cell, Drawing, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::pairs::columns;
use super::ranking::host;
use super::top::busiest;
#[cfg(test)]
use super::top::{servers_counted, sources_counted};

/// Who connects to whom, at a glance.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "matrix",
    help: "connections from each of the busiest sources to each of the busiest servers",
    options: &[LIMIT],
    example: r#"{ name = "matrix", limit = 8 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(matrix),
    #[cfg(test)]
    oracle: Some(counted),
};

fn matrix(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let busiest = |side| Ok::<_, Error>(busiest(context, view, side)?.into_sorted());
    let (sources, servers) = (busiest(Side::From)?, busiest(Side::To)?);
    let names: Vec<&[u8]> = sources.iter().map(|(_, name)| &name[..]).collect();
    let peers = context.peers(view, Side::From, &names)?;
    let mut rows = Vec::with_capacity(sources.len() * servers.len());
    for (source, peers) in names.iter().zip(&peers) {
        for (_, server) in &servers {
            // Peers come by name.
            let found = peers.binary_search_by(|peer| peer.host.cmp(server));
            let connections = found.map_or(0, |at| peers[at].connections);
            rows.push(vec![host(*source), host(&server[..]), Cell::Count(connections)]);
        }
    }
    Ok(Report { drawing: Drawing::Matrix, ..Report::table("Busiest sources against busiest servers", columns(), rows) })
}

/// Each of the busiest sources against each of the busiest servers, also where they never met.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let counts = asked.counted(|connection| vec![connection.source(), connection.server()]);
    let (sources, servers) = (sources_counted(asked), servers_counted(asked));
    let pairs = sources.iter().flat_map(|(from, _)| servers.iter().map(move |(to, _)| [&from[..], &to[..]].concat()));
    pairs.map(|pair| (pair.clone(), counts.get(&pair).copied().unwrap_or(0))).collect()
}
