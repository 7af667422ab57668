//! `scans`: the sources that connect to more servers than others do.
//!
//! A source that goes through many hosts, and one that goes through the ports of one, are told apart
//! by their hosts and services.

use std::collections::HashSet;

use crate::error::Result;
use crate::model::{Cell, Column, Report, Timestamp};
use crate::options::{Kind, OptionSpec};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Connection, Rows, with_more};
use super::measures::{and_measures, with_measures};
use super::ranking::{Top, host, limit};
use super::service::parts;

const ABOVE: OptionSpec = OptionSpec {
    name: "above",
    kind: Kind::Count(0, u64::MAX),
    default: Some("100"),
    required: false,
    help: "how many servers a source may connect to without being shown",
};

/// Who connects to suspiciously many.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "scans",
    help: "the sources that connect to more distinct servers than is usual, with their hosts and services",
    options: &[LIMIT, ABOVE],
    example: r#"{ name = "scans", above = 50 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(scans),
    #[cfg(test)]
    oracle: Some(counted),
};

fn scans(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let above = context.options.count(ABOVE.name).unwrap_or(0);
    let mut most = Top::new(limit(context));
    context.for_each_host(view, Side::From, |total| {
        if total.peers > above {
            most.offer(total.peers, || (total.host.bytes().to_vec(), total.amount()));
        }
    })?;
    let (most, more) = most.into_ranked();
    let names: Vec<&[u8]> = most.iter().map(|(_, (name, _))| &name[..]).collect();
    // Without a source there is nothing to look for.
    let peers = if names.is_empty() { Vec::new() } else { context.peers(view, Side::From, &names)? };
    let rows = most.iter().zip(&peers).map(|((servers, (name, amount)), peers)| {
        let (mut hosts, mut services) = (HashSet::new(), HashSet::new());
        for (host, service) in peers.iter().map(|peer| parts(&peer.host)) {
            hosts.insert(host);
            services.extend(service);
        }
        let counts = [*servers, hosts.len() as u64, services.len() as u64, amount.connections].map(Cell::Count);
        and_measures(std::iter::once(host(name.clone())).chain(counts), &amount.sums, view)
    });
    let columns = ["servers", "hosts", "services", "connections"].map(Column::count);
    let columns = with_measures(std::iter::once(Column::host("source")).chain(columns), view);
    let title = format!("Sources that connected to more servers than {above}");
    Ok(Report { more, ..Report::table(title, columns, rows.collect()) })
}

#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let distinct = |source: &str, part: fn(&str) -> Option<String>| {
        let servers = asked.inside().filter(|connection| connection.source() == source).map(Connection::server);
        let parts = servers.filter_map(|server| part(&server));
        parts.collect::<std::collections::BTreeSet<_>>().len() as u64
    };
    let whole = |server: &str| Some(server.to_owned());
    let host = |server: &str| server.split(':').next().map(str::to_owned);
    let service = |server: &str| server.split_once(':').map(|(_, service)| service.to_owned());
    let sources = asked.counted(|connection| vec![connection.source()]);
    let rows = sources.into_iter().map(|(key, connections)| {
        let servers = distinct(&key[0], whole);
        let more = [distinct(&key[0], host), distinct(&key[0], service), connections];
        (with_more(key, more), servers)
    });
    asked.ranked(rows.filter(|(_, servers)| *servers > asked.above).collect())
}
