//! What rankings share: the highest counts first, and of two alike the one whose name comes first.

use crate::model::Cell;

use super::ReportContext;

/// The rows that the `limit` option allows.
pub(super) fn limit(context: &ReportContext<'_>) -> usize {
    context.options.count("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The first so many of what it is offered: by count, highest first, then by key. Holds twice as many at most.
#[derive(Debug)]
pub struct Top<K> {
    limit: usize,
    kept: Vec<(u64, K)>,
    /// What is below this count is not among them.
    least: u64,
}

/// What is kept before it is looked through, at least.
const FIRST_LOOK: usize = 1024;

impl<K: Ord> Top<K> {
    /// Nothing yet, of `limit` at most.
    pub fn new(limit: usize) -> Self {
        Top { limit, kept: Vec::new(), least: 0 }
    }

    /// Offers a key with its count. The key is made only if it may be among the first.
    pub fn offer(&mut self, count: u64, key: impl FnOnce() -> K) {
        if count < self.least {
            return;
        }
        self.kept.push((count, key()));
        if self.kept.len() >= FIRST_LOOK.max(self.limit.saturating_mul(2)) {
            self.look_through();
        }
    }

    /// All that two have kept.
    pub fn join(mut self, other: Self) -> Self {
        other.kept.into_iter().for_each(|(count, key)| self.offer(count, || key));
        self
    }

    /// The first, in order.
    pub fn into_sorted(mut self) -> Vec<(u64, K)> {
        self.look_through();
        self.kept.sort_unstable_by(order);
        self.kept
    }

    /// Drops what is not among the first.
    fn look_through(&mut self) {
        if self.limit >= self.kept.len() {
            return;
        }
        self.kept.select_nth_unstable_by(self.limit, order);
        self.kept.truncate(self.limit);
        self.least = self.kept.iter().map(|(count, _)| *count).min().unwrap_or(0);
    }
}

fn order<K: Ord>(a: &(u64, K), b: &(u64, K)) -> std::cmp::Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1))
}

/// A host's name as a cell.
pub(super) fn host(name: impl Into<Vec<u8>>) -> Cell {
    Cell::Host(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_are_those_of_the_whole_list_sorted(
            items in proptest::collection::vec((0u64..6, 0u32..2_000), 0..4_000),
            limit in prop_oneof![1usize..20, Just(3_000), Just(usize::MAX)],
        ) {
            let parts = items.chunks(1_500).map(|part| {
                let mut top = Top::new(limit);
                part.iter().for_each(|&(count, key)| top.offer(count, || key));
                top
            });
            let found = parts.reduce(Top::join).map(Top::into_sorted).unwrap_or_default();
            let mut sorted = items;
            sorted.sort_by_key(|&(count, key)| (std::cmp::Reverse(count), key));
            sorted.truncate(limit);
            prop_assert_eq!(found, sorted);
        }
    }
}
