//! Which bucket a record falls into, and how many fall into each.
//!
//! The records of a piece are mostly of one bucket, or of a few if time is out of order. So they are
//! compared with the start of each of these but the first. Not here: how large a piece is (`count`).
//! Invariant: a bucket lies in one pane.

use crate::batch::Record;
use crate::model::Timestamp;
use crate::tally::Tally;

/// How time is cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Where bucket 0 starts.
    pub anchor: Timestamp,
    /// Length of a bucket in nanoseconds, above 0.
    pub grain: i64,
    /// The highest bucket: a stamp beyond it, such as one on the end of a window that has both ends
    /// in, is put here.
    pub last: i64,
}

/// How many records of a piece are in each of its buckets, and the panes of these.
#[derive(Debug, Default)]
pub(super) struct Division {
    /// Buckets that follow each other, the first and the last of which have records.
    first: i64,
    counts: Vec<u64>,
    /// The pane of the first bucket, and how many there are up to that of the last.
    pub first_pane: i64,
    pub panes: usize,
    /// Of each record, if there are several panes: the pane, counted from the first.
    pub pane_of: Vec<u8>,
}

/// The most buckets of a piece.
const MOST_BUCKETS: usize = 1024;

/// The most panes of a piece.
pub(super) const MOST_PANES: usize = u8::MAX as usize + 1;

/// The most buckets of whose starts each is compared with all records.
const FEW: usize = 8;

impl Buckets {
    /// The bucket of an instant.
    pub fn of(&self, time: Timestamp) -> i64 {
        let bucket = match time.nanos().checked_sub(self.anchor.nanos()) {
            Some(distance) => distance.div_euclid(self.grain),
            // Instants lie up to 585 years apart, which 64 bits of nanoseconds cannot say.
            None => {
                let distance = i128::from(time.nanos()) - i128::from(self.anchor.nanos());
                let bucket = distance.div_euclid(i128::from(self.grain));
                i64::try_from(bucket).unwrap_or(if bucket < 0 { i64::MIN } else { i64::MAX })
            }
        };
        bucket.min(self.last)
    }

    /// The first instant of a bucket.
    fn start(&self, bucket: i64) -> Timestamp {
        self.anchor.plus_times(bucket, self.grain)
    }

    /// Divides records, unless they are in too many buckets. Gives whether it did; one record is in
    /// one.
    pub(super) fn divide(&self, records: &[Record], tally: &Tally, division: &mut Division) -> bool {
        let (low, high) = Record::extent(records);
        let (first, last) = (self.of(low), self.of(high));
        let (first_pane, last_pane) = (tally.pane_of(first), tally.pane_of(last));
        let are_more = |first: i64, last: i64, most: usize| last.saturating_sub(first) >= most as i64;
        if are_more(first, last, MOST_BUCKETS) || are_more(first_pane, last_pane, MOST_PANES) {
            return false;
        }
        (division.first, division.first_pane) = (first, first_pane);
        division.panes = (last_pane - first_pane) as usize + 1;
        division.counts.clear();
        division.counts.resize((last - first) as usize + 1, 0);
        division.pane_of.clear();
        division.pane_of.resize(if division.panes > 1 { records.len() } else { 0 }, 0);
        if are_more(first, last, FEW) {
            self.divide_each(records, tally, division);
        } else {
            self.divide_by_starts(records, tally, division);
        }
        true
    }

    /// Divides records of few buckets: each is compared with the start of all buckets but the first.
    fn divide_by_starts(&self, records: &[Record], tally: &Tally, division: &mut Division) {
        let mut before = records.len() as u64;
        for at in 1..division.counts.len() {
            let bucket = division.first + at as i64;
            let start = self.start(bucket);
            let is_next_pane = tally.pane_of(bucket) > tally.pane_of(bucket - 1);
            let from_here = if is_next_pane {
                let records = division.pane_of.iter_mut().zip(records);
                records.map(|(pane, record)| u64::from(add_to(pane, record.time >= start))).sum()
            } else {
                records.iter().map(|record| u64::from(record.time >= start)).sum()
            };
            division.counts[at - 1] = before - from_here;
            before = from_here;
        }
        division.counts.last_mut().into_iter().for_each(|last| *last = before);
    }

    /// Divides records one by one.
    fn divide_each(&self, records: &[Record], tally: &Tally, division: &mut Division) {
        for (at, record) in records.iter().enumerate() {
            let bucket = self.of(record.time);
            division.counts[(bucket - division.first) as usize] += 1;
            if let Some(pane) = division.pane_of.get_mut(at) {
                *pane = (tally.pane_of(bucket) - division.first_pane) as u8;
            }
        }
    }
}

/// Adds one or nothing, without a branch, as the processor could not tell which: neighbours change
/// between buckets where time is out of order. Gives which.
#[inline(always)]
fn add_to(pane: &mut u8, is_behind: bool) -> bool {
    *pane += u8::from(is_behind);
    is_behind
}

impl Division {
    /// The buckets that have records, and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, u64)> {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(at, &count)| (self.first + at as i64, count))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::tally::Shape;

    #[test]
    fn c3_stamps_far_from_the_anchor_are_in_their_buckets() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let buckets = Buckets { anchor: at(9_000_000_000), grain: 86_400 * crate::model::time::SECOND, last: i64::MAX };
        let far = buckets.of(at(-3_000_000_000));
        assert_eq!(far, (-3_000_000_000i64 - 9_000_000_000).div_euclid(86_400));
        assert_eq!(buckets.start(far), at(9_000_000_000 + far * 86_400));
        assert_eq!(buckets.of(at(-2_999_900_000)), far + 1);
    }

    proptest! {
        #[test]
        fn a_piece_is_divided_as_record_by_record(
            times in proptest::collection::vec(prop_oneof![8 => -40i64..60, 1 => -3_000i64..3_000, 1 => Just(i64::MIN), 1 => Just(i64::MAX)], 1..12),
            (anchor, grain, pane) in (prop_oneof![-9i64..9, Just(i64::MIN)], 1i64..30, 1i64..4),
            last in prop_oneof![Just(2), Just(i64::MAX)],
        ) {
            let buckets = Buckets { anchor: Timestamp::from_nanos(anchor), grain, last };
            let tally = Tally::new(Shape { pane, shards: 1 }, Arc::default());
            let record = |&time: &i64| Record { time: Timestamp::from_nanos(time), from: (0, 1), to: (1, 2) };
            let records: Vec<Record> = times.iter().map(record).collect();
            let numbers: Vec<i64> = records.iter().map(|record| buckets.of(record.time)).collect();
            let (low, high) = (numbers.iter().min().unwrap(), numbers.iter().max().unwrap());
            let mut division = Division::default();
            let is_divided = buckets.divide(&records, &tally, &mut division);
            let far = |low: i64, high: i64| i128::from(high) - i128::from(low);
            let panes = far(tally.pane_of(*low), tally.pane_of(*high));
            prop_assert_eq!(is_divided, far(*low, *high) < MOST_BUCKETS as i128 && panes < MOST_PANES as i128);
            prop_assert!(is_divided || records.len() > 1);
            if is_divided {
                let mut counts = BTreeMap::new();
                numbers.iter().for_each(|number| *counts.entry(*number).or_default() += 1);
                prop_assert_eq!(division.buckets().collect::<BTreeMap<_, _>>(), counts);
                let pane = |at: usize| division.pane_of.get(at).map_or(0, |&pane| i64::from(pane));
                prop_assert_eq!(division.panes, (tally.pane_of(*high) - tally.pane_of(*low)) as usize + 1);
                for (at, number) in numbers.iter().enumerate() {
                    prop_assert_eq!(division.first_pane + pane(at), tally.pane_of(*number));
                }
            }
        }
    }
}
