//! `new-pairs`: the pairs of the window that were not in the window before it.

use crate::error::Result;
use crate::model::{More, Report, Timestamp};
use crate::options::OptionSpec;
use crate::tally::Aggregates;

use super::context::ReportContext;
use super::entry::{LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Connection, Rows};
use super::pairs::{columns, key, row};
use super::ranking::{Top, limit};

/// Who connects to whom for the first time.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "new-pairs",
    help: "the pairs that were not in the window before, by name",
    options: &[OptionSpec { default: Some("100"), ..LIMIT }],
    example: r#"{ name = "new-pairs", limit = 50 }"#,
    needs_previous: true,
    looks_at_pairs: true,
    maker: ReportMaker::Function(new_pairs),
    #[cfg(test)]
    oracle: Some(counted),
};

fn new_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let limit = limit(context);
    // All have the same count, so those that come first by name are kept.
    let new = context.regroup(
        view,
        |parts| {
            let mut new = Top::new(limit);
            for part in parts {
                view.for_each_pair_in(part, |pair| {
                    if pair.before == 0 {
                        new.offer(0, || (key(&pair), pair.amount()));
                    }
                })?;
            }
            Ok(new)
        },
        Top::join,
    )?;
    let (new, more) = new.into_ranked();
    // All are new alike.
    let more = more.map(|more| More { with: None, ..more });
    let rows = new.into_iter().map(|(_, (key, amount))| row(key, amount, view)).collect();
    Ok(Report { more, ..Report::table("Pairs that were not in the window before", columns(view), rows) })
}

/// By name, as many as the limit says.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let is_new =
        |one: &Connection| asked.before().all(|other| (other.source(), other.server()) != (one.source(), one.server()));
    let new = asked.counted_where(is_new, |connection| vec![connection.source(), connection.server()]);
    new.into_iter().take(asked.limit).collect()
}
