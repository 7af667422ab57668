//! `peers`: who connects to a host and whom it connects to, in one list.
//!
//! Not here: either direction alone (`connected`).

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::{Amount, Cell, Column, Report, Timestamp};
use crate::tally::{Aggregates, Side};

use super::connected::{Forms, HOST, asked};
use super::context::ReportContext;
use super::entry::{BY, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows, summed, with_more};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::host;

/// Whom a host has to do with.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "peers",
    help: "the hosts that connected to a host or that it connected to, by name",
    options: &[HOST, BY],
    example: r#"{ name = "peers", host = "Delta" }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(peers),
    #[cfg(test)]
    oracle: Some(counted),
};

fn peers(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let asked = asked(context)?;
    let (meant, forms) = (context.meant(asked)?, Forms::of(asked));
    let texts = meant.as_ref().map(|meant| meant.texts(view)).transpose()?;
    let names: Vec<&[u8]> = match &texts {
        Some(texts) => texts.iter().map(Vec::as_slice).collect(),
        None => forms.names(),
    };
    let [to, from] = [Side::To, Side::From].map(|side| context.peers(view, side, &names));
    let (to, from) = (to?, from?);
    // As with one direction: the byte as it is shown, if there is such a host; of an address, all its
    // texts together.
    let is_there = |at: &usize| !to[*at].is_empty() || !from[*at].is_empty();
    let at = (0..names.len()).find(is_there).unwrap_or(0);
    let of = if meant.is_some() { 0..names.len() } else { at..at + 1 };
    let itself = meant.map_or_else(|| names[at].to_vec(), |meant| meant.text());
    let mut peers: BTreeMap<&[u8], [Amount; 2]> = BTreeMap::new();
    for (way, found) in [&to[of.clone()], &from[of.clone()]].into_iter().enumerate() {
        for peer in found.iter().flatten() {
            let host = if names[of.clone()].contains(&&peer.host[..]) { &itself } else { &peer.host };
            peers.entry(host).or_default()[way] += peer.amount();
        }
    }
    let with_both = |(peer, [to, from]): (_, [Amount; 2])| {
        let mut both = to;
        // What a host has with itself goes both ways, and is there once.
        if peer != itself {
            both += from;
        }
        (peer, both, [to.connections, from.connections])
    };
    let mut peers: Vec<_> = peers.into_iter().map(with_both).collect();
    Ranked::of(context, view)?.order(context, &mut peers, |(_, both, _)| *both);
    let rows = peers.into_iter().map(|(peer, both, [to, from])| {
        let counts = [both.connections, to, from].map(Cell::Count);
        and_measures(std::iter::once(host(peer)).chain(counts), &both.sums, view)
    });
    let columns = [Column::host("host"), Column::count("connections"), Column::count("in"), Column::count("out")];
    let title = [b"Peers of ", &context.shown(itself.clone())[..]].concat();
    Ok(Report::table(title, with_measures(columns, view), rows.collect()))
}

/// By name and without a limit, as all lists.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let name = asked.host();
    let into = summed(asked.inside().filter(|one| one.server() == name).map(|one| vec![one.source()]));
    let out = summed(asked.inside().filter(|one| one.source() == name).map(|one| vec![one.server()]));
    let keys: std::collections::BTreeSet<_> = into.keys().chain(out.keys()).cloned().collect();
    let rows = keys.into_iter().map(|key| {
        let [into, out] = [&into, &out].map(|counts| counts.get(&key).copied().unwrap_or(0));
        let connections = if key[0] == name { into } else { into + out };
        (with_more(key, [into, out]), connections)
    });
    rows.collect()
}
