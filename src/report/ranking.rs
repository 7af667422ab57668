//! What rankings share: the highest counts first, and of two alike the one whose name comes first.
//!
//! Not here: what is ranked. Invariant: what is kept depends on what was offered, and not on the
//! order.

use std::cmp::Ordering;

use crate::model::{Cell, More};

use super::context::ReportContext;
use super::entry::REVERSE;

/// The rows that the `limit` option allows.
pub(super) fn limit(context: &ReportContext<'_>) -> usize {
    context.options.count("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// What a ranking keeps, as its options say: so many, the highest or the lowest.
pub(super) fn best<K: Ord>(context: &ReportContext<'_>) -> Top<K> {
    Top { reversed: is_reversed(context), ..Top::new(limit(context)) }
}

/// Whether the lowest counts come first.
pub(super) fn is_reversed(context: &ReportContext<'_>) -> bool {
    context.options.flag(REVERSE.name)
}

/// A title, in which `{}` stands for most or fewest, as the ranking goes.
pub(super) fn titled(context: &ReportContext<'_>, title: &str) -> String {
    title.replace("{}", if is_reversed(context) { "fewest" } else { "most" })
}

/// The best of what it is offered: by count, highest first, then by key. Holds at most twice as
/// many as it keeps.
#[derive(Debug)]
pub struct Top<K> {
    limit: usize,
    /// Whether the lowest count comes first. Counts are kept as ranks then, of which the highest is
    /// that of the lowest count.
    reversed: bool,
    kept: Vec<(u64, K)>,
    /// What is below this count is not among them.
    least: u64,
    /// How many of those with this count were dropped.
    ties: u64,
}

/// How many are held before they are sorted out, at least.
const FIRST_LOOK: usize = 1024;

impl<K: Ord> Top<K> {
    /// Nothing yet, of `limit` at most.
    pub fn new(limit: usize) -> Self {
        Top { limit, reversed: false, kept: Vec::new(), least: 0, ties: 0 }
    }

    /// Offers a key with its count. The key is made only if it may be among the first.
    pub fn offer(&mut self, count: u64, key: impl FnOnce() -> K) {
        let rank = self.turned(count);
        if rank < self.least {
            return;
        }
        self.kept.push((rank, key()));
        if self.kept.len() >= FIRST_LOOK.max(self.limit.saturating_mul(2)) {
            self.look_through();
        }
    }

    /// All that two have kept.
    pub fn join(mut self, other: Self) -> Self {
        // There are enough that are no less than the higher of the two.
        match self.least.cmp(&other.least) {
            Ordering::Less => (self.least, self.ties) = (other.least, other.ties),
            Ordering::Equal => self.ties += other.ties,
            Ordering::Greater => {}
        }
        other.kept.into_iter().for_each(|(rank, key)| self.offer(self.turned(rank), || key));
        self
    }

    /// The first, in order.
    pub fn into_sorted(self) -> Vec<(u64, K)> {
        self.into_ranked().0
    }

    /// The first, in order, and how many more have the count of the last.
    pub fn into_ranked(mut self) -> (Vec<(u64, K)>, Option<More>) {
        self.look_through();
        self.kept.sort_unstable_by(order);
        let more = (self.ties > 0).then_some(More { rows: self.ties, with: Some(self.turned(self.least)) });
        let reversed = self.reversed;
        let counted = self.kept.into_iter().map(|(rank, key)| (if reversed { !rank } else { rank }, key));
        (counted.collect(), more)
    }

    /// The rank of a count, by which the highest comes first; or the count of a rank.
    fn turned(&self, count: u64) -> u64 {
        if self.reversed { !count } else { count }
    }

    /// Drops what is not among the first.
    fn look_through(&mut self) {
        if self.limit >= self.kept.len() {
            return;
        }
        self.kept.select_nth_unstable_by(self.limit, order);
        let dropped = self.kept.split_off(self.limit);
        let least = self.kept.iter().map(|(count, _)| *count).min().unwrap_or(0);
        let before = if least == self.least { self.ties } else { 0 };
        self.ties = before + dropped.iter().filter(|(count, _)| *count == least).count() as u64;
        self.least = least;
    }
}

fn order<K: Ord>(a: &(u64, K), b: &(u64, K)) -> Ordering {
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
            reversed: bool,
        ) {
            let parts = items.chunks(1_500).map(|part| {
                let mut top = Top { reversed, ..Top::new(limit) };
                part.iter().for_each(|&(count, key)| top.offer(count, || key));
                top
            });
            let (found, more) = parts.reduce(Top::join).map(Top::into_ranked).unwrap_or_default();
            let mut sorted = items;
            sorted.sort_by_key(|&(count, key)| (if reversed { count } else { 6 - count }, key));
            let left_out = sorted.split_off(limit.min(sorted.len()));
            let last = sorted.last().map(|(count, _)| *count);
            let ties = left_out.iter().filter(|(count, _)| Some(*count) == last).count() as u64;
            prop_assert_eq!(found, sorted);
            prop_assert_eq!(more, (ties > 0).then_some(More { rows: ties, with: last }));
        }
    }
}
