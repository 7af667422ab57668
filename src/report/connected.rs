//! `connected-to` and `connected-from`: the peers of one host.

use crate::error::{Error, Result};
use crate::model::{Aggregates, Cell, Column, ColumnKind, Drawing, Report, Side, Timestamp, escape};
use crate::options::{Kind, OptionSpec};

use super::ranking::host;
use super::{ReportContext, ReportEntry};

const HOST: OptionSpec = OptionSpec {
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
    options: &[HOST],
    example: r#"{ name = "connected-to", host = "Delta" }"#,
    needs_previous: false,
    looks_at_pairs: true,
    function: to,
};

/// Whom a host connected to.
pub(super) const FROM: ReportEntry = ReportEntry {
    name: "connected-from",
    help: "the hosts that a host connected to, by name",
    options: &[HOST],
    example: r#"{ name = "connected-from", host = "sierra" }"#,
    needs_previous: false,
    looks_at_pairs: true,
    function: from,
};

fn to(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    list(context, view, Side::To, b"List of connected hosts to ", true)
}

fn from(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    list(context, view, Side::From, b"List of connections from ", false)
}

fn asked(context: &ReportContext<'_>) -> Result<Vec<u8>> {
    let text = context.options.text("host");
    text.map(escape::bytes).ok_or_else(|| Error::report(context.name, "which host? give it as `host`"))
}

/// The hosts on the other side of one.
fn list(context: &ReportContext<'_>, view: &Aggregates, side: Side, title: &[u8], gap: bool) -> Result<Report> {
    let name = asked(context)?;
    let peers = context.peers(view, side, &[&name])?.into_iter().flatten();
    Ok(Report {
        id: context.name.to_owned(),
        title: [title, &name].concat(),
        columns: vec![
            Column { name: "host", kind: ColumnKind::Host },
            Column { name: "connections", kind: ColumnKind::Count },
        ],
        rows: peers.map(|peer| vec![host(peer.host), Cell::Count(peer.connections)]).collect(),
        drawing: Drawing::List { gap },
        overflow: 0,
    })
}
