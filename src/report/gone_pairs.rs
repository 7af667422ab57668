//! `gone-pairs`: the pairs of the window before that are not in this one.

use crate::error::Result;
use crate::model::{Cell, Column, More, Report, Timestamp};
use crate::options::OptionSpec;
use crate::tally::Aggregates;

use super::context::ReportContext;
use super::entry::{LIMIT, ReportEntry, ReportMaker};
#[cfg(test)]
use super::laws::{Asked, Rows, summed};
use super::measures::{and_measures, with_measures, with_sums};
use super::ranking::{Top, host, limit};

/// Who has stopped to connect to whom.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "gone-pairs",
    help: "the pairs of the window before that are not in this one, by name",
    options: &[OptionSpec { default: Some("100"), ..LIMIT }],
    example: r#"{ name = "gone-pairs", limit = 50 }"#,
    needs_previous: true,
    looks_at_pairs: true,
    maker: ReportMaker::Function(gone_pairs),
    #[cfg(test)]
    oracle: Some(counted),
};

fn gone_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let limit = limit(context);
    // All are gone alike, so those that come first by name are kept.
    let gone = context.regroup(
        view,
        |parts| {
            let mut gone = Top::new(limit);
            for part in parts {
                view.for_each_gone_pair_in(part, |from, to, before| {
                    gone.offer(0, || (from.bytes().to_vec(), to.bytes().to_vec(), before));
                })?;
            }
            Ok(gone)
        },
        Top::join,
    )?;
    let (gone, more) = gone.into_ranked();
    let more = more.map(|more| More { with: None, ..more });
    let rows = gone.into_iter().map(|(_, (from, to, before))| {
        and_measures([host(from), host(to), Cell::Count(before.connections)], &before.sums, view)
    });
    // What is summed is of the window before, as are the connections, and so these columns are called.
    let known = [Column::host("from"), Column::host("to"), Column::count("before")];
    let sums = known.len()..with_sums(known.clone(), view).len();
    let mut columns = with_measures(known, view);
    columns[sums].iter_mut().for_each(|sum| sum.name = format!("{}_before", sum.name).into());
    let title = "Pairs of the window before that are not in this one";
    Ok(Report { more, looks_back: true, ..Report::table(title, columns, rows.collect()) })
}

/// By name, as many as the limit says.
#[cfg(test)]
fn counted(asked: &Asked<'_>) -> Rows {
    let is_here = |key: &[String]| asked.inside().any(|one| one.source() == key[0] && one.server() == key[1]);
    let before = summed(asked.before().map(|one| vec![one.source(), one.server()]));
    before.into_iter().filter(|(key, _)| !is_here(key)).take(asked.limit).collect()
}
