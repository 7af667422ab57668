//! What a saved state says of sums, and of lines that stand for several connections.
//!
//! Not here: the sums of pairs, which follow the pairs (`counts`). Invariant (`check`, `check_pairs`):
//! what is saved are parts of what all that was counted came to, which fits 64 bits; so whoever adds
//! them up meets no overflow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::are_measure_names;
use crate::model::{MeasureSet, Measured, PerMeasure, RunTotal};
use crate::tally::Tally;

/// The measures of a run, and what they came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMeasures {
    /// Their names.
    pub names: Vec<String>,
    /// Of all that was counted.
    pub total: RunTotal,
    /// Of buckets that are still there, by number.
    pub buckets: Vec<(i64, Measured)>,
}

impl SavedMeasures {
    /// Those of a tally; `None` if there is nothing to say.
    pub fn of(tally: &Tally, total: RunTotal) -> Option<Self> {
        let names = tally.measures().to_vec();
        let buckets = if names.is_empty() { Vec::new() } else { of_buckets(tally) };
        (!names.is_empty() || total.is_weighted).then_some(SavedMeasures { names, total, buckets })
    }

    /// Which they are.
    pub(super) fn set(&self) -> MeasureSet {
        MeasureSet::of(&self.names)
    }

    /// Errors with what no run saves that has read so many lines, and has these connections by bucket.
    pub(super) fn check(&self, lines: u64, connections: &[(i64, u64)]) -> Result<(), String> {
        let SavedMeasures { names, total, buckets } = self;
        if !are_measure_names(names) || (names.is_empty() && !total.is_weighted) {
            return Err("its sums have names that no sums have".to_owned());
        }
        let set = self.set();
        let told = [total.measured].into_iter().chain(buckets.iter().map(|(_, measured)| *measured));
        let mut numbers = told.flat_map(|told| [told.sums, told.missing]).chain([total.amount.sums]);
        if numbers.any(|numbers| set.lacks_any_of(&numbers)) {
            return Err("it has sums of more measures than it has".to_owned());
        }
        let is_of_lines = |missing: &PerMeasure, lines| missing.0.iter().all(|missing| *missing <= lines);
        let has_weights = total.is_weighted || (total.more == 0 && total.unweighted == 0);
        if !has_weights || total.more > total.amount.connections || total.unweighted > lines {
            return Err("its lines stand for more connections than can be".to_owned());
        }
        let sum = buckets.iter().try_fold(PerMeasure::default(), |sum, (_, more)| sum.checked_plus(&more.sums).ok());
        let are_parts = |sums: &PerMeasure| sums.is_within(&total.amount.sums);
        if !sum.is_some_and(|sum| are_parts(&sum)) || !are_parts(&total.measured.sums) {
            return Err("its sums are more than all that was counted came to".to_owned());
        }
        let connections: BTreeMap<i64, u64> = connections.iter().copied().collect();
        let are_there = |(bucket, measured): &(i64, Measured)| {
            connections.get(bucket).is_some_and(|connections| is_of_lines(&measured.missing, *connections))
        };
        let are_in_order = buckets.is_sorted_by(|a, b| a.0 < b.0);
        match are_in_order && buckets.iter().all(are_there) && is_of_lines(&total.measured.missing, lines) {
            true => Ok(()),
            false => Err("its sums are of buckets or lines that it does not have".to_owned()),
        }
    }

    /// Errors unless the sums of pairs come to those of their buckets, when a tally has both. Of pairs
    /// for which there was no memory, they are in the buckets only.
    pub(super) fn check_pairs(&self, tally: &Tally) -> Result<(), String> {
        let mut of_pairs = BTreeMap::new();
        for (number, pane) in tally.panes() {
            let mut sums = Some(PerMeasure::default());
            pane.for_each_amount(|_, _, amount| sums = sums.and_then(|sums| sums.checked_plus(&amount.sums).ok()));
            let sums = sums.ok_or_else(|| format!("pane {number} has sums of more than 64 bits"))?;
            of_pairs.insert(number, (sums, pane.overflowed() > 0));
        }
        let mut in_buckets = BTreeMap::<i64, PerMeasure>::new();
        for (bucket, measured) in &self.buckets {
            *in_buckets.entry(tally.pane_of(*bucket)).or_default() += measured.sums;
        }
        for number in of_pairs.keys().chain(in_buckets.keys()) {
            let (sums, has_overflow) = of_pairs.get(number).copied().unwrap_or_default();
            let held = in_buckets.get(number).copied().unwrap_or_default();
            if !(sums == held || has_overflow && sums.is_within(&held)) {
                return Err(format!("the sums of the pairs of pane {number} are not those of its buckets"));
            }
        }
        Ok(())
    }
}

fn of_buckets(tally: &Tally) -> Vec<(i64, Measured)> {
    tally.measured().iter().map(|(&bucket, &measured)| (bucket, measured)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Amount;
    use crate::tally::Shape;

    fn tally(limit: Option<usize>) -> Tally {
        let budget = crate::tally::Budget::new(limit);
        let mut tally = Tally::new(Shape { pane: 2, shards: 1 }, budget.into()).measuring(&["bytes".to_owned()]);
        for (bucket, bytes) in [(0, 5), (1, 7), (2, 11)] {
            let amount = Amount { connections: 1, sums: PerMeasure::of(&[bytes]) };
            tally.add_amount(bucket, b"a", b"b", amount);
        }
        tally
    }

    #[test]
    fn sums_of_pairs_that_are_not_those_of_their_buckets_are_refused() {
        let tally = tally(None);
        let total = RunTotal { amount: Amount { connections: 3, sums: PerMeasure::of(&[23]) }, ..RunTotal::default() };
        let saved = SavedMeasures::of(&tally, total).unwrap();
        assert_eq!(saved.check_pairs(&tally), Ok(()));
        let sums = |at: usize, bytes: u64| {
            let mut altered = saved.clone();
            altered.buckets[at].1.sums = PerMeasure::of(&[bytes]);
            altered.check_pairs(&tally)
        };
        // In one pane what is in which bucket is not known of pairs.
        assert_eq!(sums(0, 5), Ok(()));
        for (at, bytes, pane) in [(0, 4, 0), (1, 8, 0), (2, 0, 1)] {
            let said = format!("the sums of the pairs of pane {pane} are not those of its buckets");
            assert_eq!(sums(at, bytes), Err(said));
        }
        // What has no pair is in the buckets alone.
        tally.pane(1).overflow(1);
        assert_eq!(sums(2, 12), Ok(()));
        assert!(sums(2, 10).is_err());
    }

    #[test]
    fn what_is_not_asked_for_is_not_saved() {
        let plain = Tally::new(Shape { pane: 1, shards: 1 }, Default::default());
        assert_eq!(SavedMeasures::of(&plain, RunTotal::default()), None);
        let weighted = RunTotal { is_weighted: true, ..RunTotal::default() };
        assert!(SavedMeasures::of(&plain, weighted).is_some_and(|saved| saved.buckets.is_empty()));
    }
}
