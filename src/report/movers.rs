//! `risers` and `fallers`: whose connections have become more, or fewer, since the window before.
//!
//! Invariant: what is in one of the two windows alone counts as none in the other, and what has not
//! changed is in neither report. It is connections that move; sums beside them are those of the window.

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Report, Timestamp};
use crate::options::{Kind, OptionSpec};
use crate::tally::{Aggregates, Side};

use super::context::ReportContext;
use super::entry::{LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Connection, Rows, summed, with_more};
use super::measures::{and_sums, with_sums};
use super::ranking::{Top, host, limit};

const OF: OptionSpec = OptionSpec {
    name: "of",
    kind: Kind::Choice(&["servers", "sources", "pairs"]),
    default: Some("servers"),
    required: false,
    help: "whose connections: servers, sources or pairs",
};

/// Whose connections have become more.
pub(super) const RISERS: ReportEntry = ReportEntry {
    name: "risers",
    help: "the servers, sources or pairs whose connections grew most since the window before",
    options: &[LIMIT, OF],
    example: r#"{ name = "risers", of = "sources" }"#,
    needs_previous: true,
    looks_at_pairs: true,
    maker: ReportMaker::Function(risers),
    #[cfg(test)]
    oracle: Some(risen),
};

/// Whose connections have become fewer.
pub(super) const FALLERS: ReportEntry = ReportEntry {
    name: "fallers",
    help: "the servers, sources or pairs whose connections fell most since the window before",
    options: &[LIMIT, OF],
    example: r#"{ name = "fallers", of = "pairs" }"#,
    needs_previous: true,
    looks_at_pairs: true,
    maker: ReportMaker::Function(fallers),
    #[cfg(test)]
    oracle: Some(fallen),
};

/// What moves, what is counted of it in the window, and its connections in the one before.
type Moved = (Vec<Vec<u8>>, Amount, u64);

fn risers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let rise = |[connections, before]: [u64; 2]| connections.checked_sub(before);
    moved(context, view, "more", Column::count("rise"), rise)
}

fn fallers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let fall = |[connections, before]: [u64; 2]| before.checked_sub(connections);
    let report = moved(context, view, "fewer", Column::count("fall"), fall)?;
    Ok(Report { looks_back: true, ..report })
}

fn moved(
    context: &ReportContext<'_>,
    view: &Aggregates,
    than: &str,
    difference: Column,
    by: impl Fn([u64; 2]) -> Option<u64> + Sync,
) -> Result<Report> {
    let (names, who, most) = match context.options.text(OF.name) {
        Some("pairs") => (&["from", "to"][..], "Pairs with", pairs(context, view, &by)?),
        Some("sources") => (&["source"][..], "Sources that made", hosts(context, view, Side::From, &by)?),
        _ => (&["server"][..], "Servers that received", hosts(context, view, Side::To, &by)?),
    };
    let (most, more) = most.into_ranked();
    let rows = most.into_iter().map(|(difference, (names, Amount { connections, sums }, before))| {
        let counts = [connections, before, difference].map(Cell::Count);
        and_sums(names.into_iter().map(host).chain(counts), &sums, view)
    });
    let counts = [Column::count("connections"), Column::count("before"), difference];
    let columns = with_sums(names.iter().copied().map(Column::host).chain(counts), view);
    let title = format!("{who} {than} connections than in the window before");
    Ok(Report { more, ..Report::table(title, columns, rows.collect()) })
}

/// Offers what has moved this way.
fn offer(most: &mut Top<Moved>, difference: Option<u64>, moved: impl FnOnce() -> Moved) {
    if let Some(difference) = difference.filter(|difference| *difference > 0) {
        most.offer(difference, moved);
    }
}

fn hosts(
    context: &ReportContext<'_>,
    view: &Aggregates,
    side: Side,
    by: &impl Fn([u64; 2]) -> Option<u64>,
) -> Result<Top<Moved>> {
    let mut most = Top::new(limit(context));
    context.for_each_host_compared(view, side, |name, amount, before| {
        offer(&mut most, by([amount.connections, before]), || (vec![name.bytes().to_vec()], amount, before));
    })?;
    Ok(most)
}

fn pairs(
    context: &ReportContext<'_>,
    view: &Aggregates,
    by: &(impl Fn([u64; 2]) -> Option<u64> + Sync),
) -> Result<Top<Moved>> {
    let limit = limit(context);
    context.regroup(
        view,
        |parts| {
            let mut most = Top::new(limit);
            for part in parts {
                view.for_each_pair_in(part, |pair| {
                    offer(&mut most, by([pair.connections, pair.before]), || {
                        (vec![pair.from.bytes().to_vec(), pair.to.bytes().to_vec()], pair.amount(), pair.before)
                    });
                })?;
                view.for_each_gone_pair_in(part, |from, to, before| {
                    let (names, before) = (|| vec![from.bytes().to_vec(), to.bytes().to_vec()], before.connections);
                    offer(&mut most, by([0, before]), || (names(), Amount::default(), before));
                })?;
            }
            Ok(most)
        },
        Top::join,
    )
}

#[cfg(test)]
fn risen(asked: &Asked<'_>) -> Rows {
    compared(asked, |here, before| here - before)
}

#[cfg(test)]
fn fallen(asked: &Asked<'_>) -> Rows {
    compared(asked, |here, before| before - here)
}

/// By how much, and then by name.
#[cfg(test)]
fn compared(asked: &Asked<'_>, difference: fn(i64, i64) -> i64) -> Rows {
    let key = |one: &Connection| match asked.of {
        "pairs" => vec![one.source(), one.server()],
        "sources" => vec![one.source()],
        _ => vec![one.server()],
    };
    let (here, before) = (summed(asked.inside().map(key)), summed(asked.before().map(key)));
    let keys: std::collections::BTreeSet<_> = here.keys().chain(before.keys()).cloned().collect();
    let rows = keys.into_iter().filter_map(|key| {
        let [here, before] = [&here, &before].map(|counts| counts.get(&key).copied().unwrap_or(0));
        let moved = difference(here as i64, before as i64);
        (moved > 0).then(|| (with_more(key, [here, before]), moved as u64))
    });
    asked.ranked(rows.collect())
}
