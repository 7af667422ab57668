//! `connected-to` and `connected-from`: the peers of one host.

use crate::error::{Error, Result};
use crate::model::{Aggregates, Cell, Column, ColumnKind, Drawing, HostId, Report, Timestamp, escape};
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
    function: to,
};

/// Whom a host connected to.
pub(super) const FROM: ReportEntry = ReportEntry {
    name: "connected-from",
    help: "the hosts that a host connected to, by name",
    options: &[HOST],
    example: r#"{ name = "connected-from", host = "sierra" }"#,
    needs_previous: false,
    function: from,
};

fn to(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let name = asked(context)?;
    let wanted = view.host(&name);
    let pairs = view.pairs().iter().filter(|pair| Some(pair.to) == wanted);
    let peers = pairs.map(|pair| (pair.from, pair.connections)).collect();
    Ok(list(context, view, b"List of connected hosts to ", &name, peers, true))
}

fn from(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let name = asked(context)?;
    let pairs = view.host(&name).map_or(&[][..], |wanted| view.pairs_from(wanted));
    let peers = pairs.iter().map(|pair| (pair.to, pair.connections)).collect();
    Ok(list(context, view, b"List of connections from ", &name, peers, false))
}

fn asked(context: &ReportContext<'_>) -> Result<Vec<u8>> {
    let text = context.options.text("host");
    text.map(escape::bytes).ok_or_else(|| Error::report(context.name, "which host? give it as `host`"))
}

/// Pairs are sorted by number, and so these peers are by name.
fn list(
    context: &ReportContext<'_>,
    view: &Aggregates,
    title: &[u8],
    name: &[u8],
    peers: Vec<(HostId, u64)>,
    gap: bool,
) -> Report {
    Report {
        id: context.name.to_owned(),
        title: [title, name].concat(),
        columns: vec![
            Column { name: "host", kind: ColumnKind::Host },
            Column { name: "connections", kind: ColumnKind::Count },
        ],
        rows: peers.iter().map(|&(peer, count)| vec![host(view, peer), Cell::Count(count)]).collect(),
        drawing: Drawing::List { gap },
    }
}
