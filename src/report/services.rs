//! `services`: what is connected to, by port and protocol.
//!
//! Not here: what of a name is its service (`service`).

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Report, Timestamp};
use crate::tally::aggregates::Name;
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{BY, LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Connection, Rows, with_more};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::{best, host};
use super::service::{NONE, parts};
use super::shares::with_shares;

/// Which ports most connections go to.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "services",
    help: "the ports with most connections, of servers as 10.0.0.1:443/tcp or host:22; no-port stands for all others",
    options: &[LIMIT, BY, REVERSE, SHARES],
    example: r#"{ name = "services", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(services),
    #[cfg(test)]
    oracle: Some(counted),
};

/// The service that a server's name tells.
fn service(name: &[u8]) -> &[u8] {
    parts(name).1.unwrap_or(NONE)
}

fn services(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let by = Ranked::of(context, view)?;
    // Each server has one service, so the servers of a service are those that it is counted of.
    let mut all: HashMap<Vec<u8>, (Amount, u64)> = HashMap::new();
    context.for_each_host_amount(view, Side::To, |server, amount| {
        let service = service(server.bytes());
        let (sum, servers) = match all.get_mut(service) {
            Some(counts) => counts,
            None => all.entry(service.to_vec()).or_default(),
        };
        *sum += amount;
        *servers += 1;
    })?;
    let mut best = best(context);
    all.into_iter()
        .for_each(|(service, (amount, servers))| best.offer(by.number(&amount), || (service, amount, servers)));
    let (best, more) = best.into_ranked();
    let names: Vec<&[u8]> = best.iter().map(|(_, (service, ..))| &service[..]).collect();
    let sources = sources(context, view, &names)?;
    let rows = best.iter().zip(sources).map(|((_, (service, amount, servers)), sources)| {
        let counts = [amount.connections, *servers, sources].map(Cell::Count);
        and_measures([host(&service[..])].into_iter().chain(counts), &amount.sums, view)
    });
    let rows = rows.collect();
    let columns =
        [Column::host("service"), Column::count("connections"), Column::count("hosts"), Column::count("sources")];
    let title = by.title(context, "Services with {} connections", "Services with {}");
    let report = Report { more, ..Report::table(title, with_measures(columns, view), rows) };
    Ok(with_shares(context, view, &by, report))
}

/// How many sources connect to each of some services.
fn sources(context: &ReportContext<'_>, view: &Aggregates, services: &[&[u8]]) -> Result<Vec<u64>> {
    let ranks: HashMap<&[u8], u32> = services.iter().copied().zip(0..).collect();
    let distinct = context.regroup(
        view,
        |parts| {
            let mut distinct = Distinct { counts: vec![0; services.len()], ..Distinct::default() };
            for part in parts {
                view.for_each_pair_in(part, |pair| {
                    if let Some(rank) = ranks.get(service(pair.to.bytes())) {
                        distinct.add(*rank, pair.from);
                    }
                })?;
            }
            Ok(distinct)
        },
        Distinct::join,
    )?;
    Ok(distinct.into_counts())
}

/// The sources of services, each once.
#[derive(Default)]
struct Distinct {
    counts: Vec<u64>,
    /// Of sources that are known by their numbers.
    seen: HashSet<(u32, u32)>,
    /// Of pairs that come by their source: the last one, and its services so far. So those that lie
    /// elsewhere are not listed here.
    last: (Vec<u8>, HashSet<u32>),
}

impl Distinct {
    fn add(&mut self, rank: u32, source: Name<'_>) {
        match source {
            Name::Number(_, id) => drop(self.seen.insert((rank, id.0))),
            Name::Bytes(source) => {
                let (last, ranks) = &mut self.last;
                if last != source {
                    source.clone_into(last);
                    ranks.clear();
                }
                self.counts[rank as usize] += u64::from(ranks.insert(rank));
            }
        }
    }

    /// Those of two sets of parts. Of pairs that come by their source there is one part.
    fn join(mut self, other: Self) -> Self {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.seen.extend(other.seen);
        self
    }

    fn into_counts(mut self) -> Vec<u64> {
        self.seen.into_iter().for_each(|(rank, _)| self.counts[rank as usize] += 1);
        self.counts
    }
}

#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let service_of = |connection: &Connection| match connection.server().split_once(':') {
        Some((_, service)) => service.to_owned(),
        None => "no-port".to_owned(),
    };
    let counts = asked.counted(|connection| vec![service_of(connection)]);
    let distinct = |service: &str, name: fn(&Connection) -> String| {
        let of = asked.inside().filter(|connection| service_of(connection) == service).map(name);
        of.collect::<std::collections::BTreeSet<_>>().len() as u64
    };
    let rows = counts.into_iter().map(|(key, count)| {
        let more = [distinct(&key[0], Connection::server), distinct(&key[0], Connection::source)];
        (with_more(key, more), count)
    });
    asked.ranked(rows.collect())
}
