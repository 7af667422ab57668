//! What rankings share: the highest counts first, and of two alike the one whose name comes first.

use crate::model::{Aggregates, Cell, HostId};

use super::ReportContext;

/// The rows that the `limit` option allows.
pub(super) fn limit(context: &ReportContext<'_>) -> usize {
    context.options.count("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The first `limit` items by count, highest first, then by key. Keys are numbered by name, so they order by name.
pub(super) fn top<T, K: Ord>(
    mut items: Vec<T>,
    limit: usize,
    count: impl Fn(&T) -> u64,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let order = |a: &T, b: &T| count(b).cmp(&count(a)).then_with(|| key(a).cmp(&key(b)));
    if limit < items.len() {
        // Only those that are shown need to be in order.
        items.select_nth_unstable_by(limit, order);
        items.truncate(limit);
    }
    items.sort_unstable_by(order);
    items
}

/// A host's name as a cell.
pub(super) fn host(view: &Aggregates, host: HostId) -> Cell {
    Cell::Host(view.name(host).to_vec())
}
