//! `talkers`: the hosts with most connections on either side.
//!
//! A connection of a host with itself counts once for it, though it is among those that it made and
//! those that it received.

use std::collections::HashMap;

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Report, Timestamp};
use crate::tally::Aggregates;

use super::context::ReportContext;
use super::entry::{BY, LIMIT, REVERSE, ReportEntry, ReportMaker, SHARES};
#[cfg(test)]
use super::laws::{Asked, Rows, with_more};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::{best, host};
use super::shares::{has_shares, with_running};

/// Who is part of most connections.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "talkers",
    help: "the hosts with most connections on either side; those of a host with itself count once",
    options: &[LIMIT, BY, REVERSE, SHARES],
    example: r#"{ name = "talkers", limit = 5 }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(talkers),
    #[cfg(test)]
    oracle: Some(counted),
};

fn talkers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let (by, mut best) = (Ranked::of(context, view)?, best(context));
    context.for_each_host_on_either_side(view, |sides| {
        let amount = sides.amount();
        let each = [sides.as_source.connections, sides.as_server.connections];
        best.offer(by.number(&amount), || (sides.host.bytes().to_vec(), amount, each));
    })?;
    let (best, more) = best.into_ranked();
    let names: Vec<Vec<u8>> = best.iter().map(|(_, (name, ..))| name.clone()).collect();
    let rows = best.into_iter().map(|(_, (name, Amount { connections, sums }, [as_source, as_server]))| {
        let counts = [connections, as_source, as_server].map(Cell::Count);
        and_measures([host(name)].into_iter().chain(counts), &sums, view)
    });
    let columns =
        [Column::host("host"), Column::count("connections"), Column::count("as_source"), Column::count("as_server")];
    let title = by.title(context, "Hosts with {} connections on either side", "Hosts with {} on either side");
    let report = Report { more, ..Report::table(title, with_measures(columns, view), rows.collect()) };
    if !has_shares(context) {
        return Ok(report);
    }
    let running = running(context, view, &by, &names)?;
    Ok(with_running(view, &by, report, running))
}

/// For each host, what the connections come to that it or one of those before it is part of. Between
/// two of them, a connection counts once.
fn running(context: &ReportContext<'_>, view: &Aggregates, by: &Ranked, names: &[Vec<u8>]) -> Result<Vec<u64>> {
    let ranks: HashMap<&[u8], usize> = names.iter().enumerate().map(|(rank, name)| (&name[..], rank)).collect();
    // By the first of the hosts that is part of them.
    let mut running = context.regroup(
        view,
        |parts| {
            let mut new = vec![0u64; names.len()];
            for part in parts {
                view.for_each_pair_in(part, |pair| {
                    let ranks = [pair.from, pair.to].into_iter().filter_map(|name| ranks.get(name.bytes()));
                    if let Some(rank) = ranks.min() {
                        new[*rank] += by.number(&pair.amount());
                    }
                })?;
            }
            Ok(new)
        },
        |mut all, new| {
            all.iter_mut().zip(new).for_each(|(all, new)| *all += new);
            all
        },
    )?;
    let mut sum = 0;
    for number in &mut running {
        sum += *number;
        *number = sum;
    }
    Ok(running)
}

/// Either end counts, and both only once where they are one.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let of = |name: &String, side: fn(&super::laws::Connection) -> String| {
        asked.inside().filter(|connection| side(connection) == *name).count() as u64
    };
    let hosts: std::collections::BTreeSet<String> =
        asked.inside().flat_map(|connection| [connection.source(), connection.server()]).collect();
    let rows = hosts.into_iter().map(|name| {
        let is_part = |connection: &super::laws::Connection| [connection.source(), connection.server()].contains(&name);
        let connections = asked.inside().filter(|connection| is_part(connection)).count() as u64;
        let sides = [of(&name, super::laws::Connection::source), of(&name, super::laws::Connection::server)];
        (with_more(vec![name], sides), connections)
    });
    asked.ranked(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::laws::view_of;
    use super::*;
    use crate::options::{Options, Value};

    #[test]
    fn a_connection_with_itself_counts_once_and_so_does_one_between_two_talkers() {
        let view = view_of(&[("a", "b", 3), ("b", "a", 1), ("a", "a", 4), ("c", "d", 2)]);
        let mut options = Options::default();
        options.set(SHARES.name, Value::Flag(true));
        let report = super::super::laws::made(&ENTRY, &options, &view);
        let shown = |row: &Vec<Cell>| {
            let texts = row.iter().map(|cell| match cell {
                Cell::Host(name) => String::from_utf8_lossy(name).into_owned(),
                Cell::Count(count) => count.to_string(),
                Cell::Percent(share) => share.to_string(),
                Cell::Time(time) => time.to_string(),
            });
            texts.collect::<Vec<_>>().join(" ")
        };
        let rows: Vec<String> = report.rows.iter().map(shown).collect();
        assert_eq!(
            rows,
            ["a 8 7 5 80.00 80.00", "b 4 1 3 40.00 80.00", "c 2 2 0 20.00 100.00", "d 2 0 2 20.00 100.00"]
        );
    }
}
