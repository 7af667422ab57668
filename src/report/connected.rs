//! `connected-to` and `connected-from`: the peers of one host.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::{Amount, Cell, Column, Drawing, Report, Timestamp, escape};
use crate::options::{Kind, OptionSpec};
use crate::tally::{Aggregates, Peer, Side};

use super::context::ReportContext;
use super::entry::{BY, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows};
use super::measures::{Ranked, and_measures, with_measures};
use super::ranking::host;

pub(super) const HOST: OptionSpec = OptionSpec {
    name: "host",
    kind: Kind::Text,
    default: None,
    required: true,
    help: "the host; bytes that are not text are written as they are shown, e.g. \\xff",
};

/// Who connected to a host.
pub(super) const TO: ReportEntry = ReportEntry {
    name: "connected-to",
    help: "the hosts that connected to a host, by name",
    options: &[HOST, BY],
    example: r#"{ name = "connected-to", host = "Delta" }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(to),
    #[cfg(test)]
    oracle: Some(sources_of),
};

/// Whom a host connected to.
pub(super) const FROM: ReportEntry = ReportEntry {
    name: "connected-from",
    help: "the hosts that a host connected to, by name",
    options: &[HOST, BY],
    example: r#"{ name = "connected-from", host = "sierra" }"#,
    needs_previous: false,
    looks_at_pairs: true,
    maker: ReportMaker::Function(from),
    #[cfg(test)]
    oracle: Some(servers_of),
};

fn to(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    list(context, view, Side::To, b"List of connected hosts to ", true)
}

fn from(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    list(context, view, Side::From, b"List of connections from ", false)
}

/// The host that a report is asked about.
pub(super) fn asked<'a>(context: &ReportContext<'a>) -> Result<&'a str> {
    let asked = context.options.text(HOST.name);
    asked.ok_or_else(|| Error::report(context.name, "which host? give it as `host`"))
}

/// The names that a host may have been asked for by.
pub(super) struct Forms {
    /// With each `\xNN` as the byte that is shown so.
    pub byte: Vec<u8>,
    /// As it stands, with its backslash, if that is another.
    pub backslash: Option<Vec<u8>>,
}

impl Forms {
    /// Of a host as it was asked for.
    pub fn of(asked: &str) -> Self {
        let (byte, as_it_stands) = (escape::bytes(asked), asked.as_bytes().to_vec());
        Forms { backslash: (byte != as_it_stands).then_some(as_it_stands), byte }
    }

    /// The names, that with the byte first.
    pub fn names(&self) -> Vec<&[u8]> {
        [Some(&self.byte), self.backslash.as_ref()].into_iter().flatten().map(Vec::as_slice).collect()
    }

    /// Whether there are hosts of both names, on any of these sides.
    pub fn are_both_in(&self, context: &ReportContext<'_>, view: &Aggregates, sides: &[Side]) -> Result<bool> {
        if self.backslash.is_none() {
            return Ok(false);
        }
        let mut found = [false, false];
        for side in sides {
            let peers = context.peers(view, *side, &self.names())?;
            found.iter_mut().zip(peers).for_each(|(found, peers)| *found |= !peers.is_empty());
        }
        Ok(found == [true, true])
    }
}

/// The host, and those on the other side of it: of an address, of all its texts together. Where `\xNN` may be a byte or four characters, it
/// is the byte, as outputs show it, if there is such a host; never both.
fn peers(context: &ReportContext<'_>, view: &Aggregates, side: Side) -> Result<(Vec<u8>, Vec<Peer>)> {
    let asked = asked(context)?;
    if let Some(meant) = context.meant(asked)? {
        let texts = meant.texts(view)?;
        let found = context.peers(view, side, &texts.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        return Ok((meant.text(), together(found)));
    }
    let forms = Forms::of(asked);
    let mut found = context.peers(view, side, &forms.names())?;
    let Forms { byte, backslash } = forms;
    match (found.pop(), backslash) {
        (Some(peers), Some(backslash)) if found.iter().all(Vec::is_empty) && !peers.is_empty() => {
            Ok((backslash, peers))
        }
        (Some(peers), None) => Ok((byte, peers)),
        _ => Ok((byte, found.pop().unwrap_or_default())),
    }
}

/// Peers of several hosts as those of one, by name.
pub fn together(found: Vec<Vec<Peer>>) -> Vec<Peer> {
    let mut all: BTreeMap<Vec<u8>, Amount> = BTreeMap::new();
    for peer in found.into_iter().flatten() {
        let amount = peer.amount();
        *all.entry(peer.host).or_default() += amount;
    }
    let peer = |(host, Amount { connections, sums })| Peer { host, connections, sums };
    all.into_iter().map(peer).collect()
}

/// The hosts on the other side of one: by name, unless it is asked what they are to be ranked by.
fn list(context: &ReportContext<'_>, view: &Aggregates, side: Side, title: &[u8], gap: bool) -> Result<Report> {
    let (name, mut peers) = peers(context, view, side)?;
    let by = Ranked::of(context, view)?;
    by.order(context, &mut peers, Peer::amount);
    let row = |peer: Peer| and_measures([host(peer.host), Cell::Count(peer.connections)], &peer.sums, view);
    Ok(Report {
        // A list has no place for sums.
        drawing: if view.measures().is_empty() { Drawing::List { gap } } else { Drawing::Table },
        ..Report::table(
            [title, &context.shown(name)].concat(),
            with_measures([Column::host("host"), Column::count("connections")], view),
            peers.into_iter().map(row).collect(),
        )
    })
}

/// By name and without a limit, as all lists.
#[cfg(test)]
fn sources_of(asked: &Asked<'_>) -> Rows {
    let to = asked.host();
    asked
        .counted_where(|connection| connection.server() == to, |connection| vec![connection.source()])
        .into_iter()
        .collect()
}

#[cfg(test)]
fn servers_of(asked: &Asked<'_>) -> Rows {
    let from = asked.host();
    asked
        .counted_where(|connection| connection.source() == from, |connection| vec![connection.server()])
        .into_iter()
        .collect()
}
