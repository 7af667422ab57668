//! `new-pairs`: the pairs of the window that were not in the window before it.

use crate::error::Result;
use crate::model::{Aggregates, Drawing, Report, Timestamp};
use crate::options::OptionSpec;

use super::pairs::{columns, rows};
use super::ranking::limit;
use super::{LIMIT, ReportContext, ReportEntry};

/// Who connects to whom for the first time.
pub(super) const ENTRY: ReportEntry = ReportEntry {
    name: "new-pairs",
    help: "the pairs that were not in the window before, by name",
    options: &[OptionSpec { default: Some("100"), ..LIMIT }],
    example: r#"{ name = "new-pairs", limit = 50 }"#,
    needs_previous: true,
    function: new_pairs,
};

fn new_pairs(context: &ReportContext<'_>, view: &Aggregates, _: Timestamp) -> Result<Report> {
    let seen = view.previous().unwrap_or_default();
    let is_new = |pair: &&crate::model::PairCount| seen.binary_search(&(pair.from, pair.to)).is_err();
    let new = context.regroup(
        view.pairs(),
        |part| part.iter().filter(is_new).copied().collect::<Vec<_>>(),
        |a, b| [a, b].concat(),
    );
    let mut shown = new.unwrap_or_default();
    shown.truncate(limit(context));
    Ok(Report {
        id: context.name.to_owned(),
        title: "Pairs that were not in the window before".into(),
        columns: columns(),
        rows: rows(view, &shown),
        drawing: Drawing::Table,
    })
}
