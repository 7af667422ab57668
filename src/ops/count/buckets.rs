//! Which bucket a record falls into, and how many fall into each.
//!
//! Neighbours mostly share a bucket: time is looked at in runs of records, in one tight loop.
//! Invariant: runs follow each other without a gap, and a bucket lies in one pane.

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

/// Records in a row whose buckets are of one pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PaneRun {
    /// The number of the pane.
    pub pane: i64,
    /// The first record in the batch that is behind it.
    pub end: usize,
}

/// A bucket that records of a batch fall into, and how many.
#[derive(Debug)]
struct OpenBucket {
    number: i64,
    pane: i64,
    start: Timestamp,
    /// From its start to its last instant, in nanoseconds.
    reach: u64,
    count: u64,
}

/// Where time is out of order, records change between a few buckets, which are kept at hand.
#[derive(Debug, Default)]
struct OpenBuckets {
    buckets: Vec<OpenBucket>,
    /// The one that was opened first, which gives way.
    next: usize,
}

/// Buckets that are kept at hand.
const AT_HAND: usize = 4;

/// Records that are looked at without a thought of the end of the batch.
const BLOCK: usize = 8;

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

    /// The instants of a bucket, first and last.
    fn range(&self, bucket: i64) -> (Timestamp, Timestamp) {
        let start = self.anchor.plus_times(bucket, self.grain);
        let last = if bucket == self.last { Timestamp::MAX } else { start.plus(self.grain).minus(1) };
        (start, last)
    }

    /// Calls `add` with buckets and how many of the records are in them, for some buckets more than
    /// once, and gives the records' runs.
    pub(super) fn divide(
        &self,
        records: &[Record],
        tally: &Tally,
        runs: &mut Vec<PaneRun>,
        mut add: impl FnMut(i64, u64),
    ) {
        runs.clear();
        let mut open = OpenBuckets::default();
        let mut at = 0;
        while let Some(first) = records.get(at) {
            let bucket = open.find_or(first.time, || OpenBucket::new(self, first.time, tally), &mut add);
            // The last bucket of all may end before the stamp that it was opened for.
            let end = at + 1 + bucket.run(&records[at + 1..]);
            bucket.count += (end - at) as u64;
            match runs.last_mut() {
                Some(run) if run.pane == bucket.pane => run.end = end,
                _ => runs.push(PaneRun { pane: bucket.pane, end }),
            }
            at = end;
        }
        open.buckets.into_iter().for_each(|bucket| add(bucket.number, bucket.count));
    }
}

impl OpenBuckets {
    /// The bucket of an instant, which `new` gives if it is not at hand.
    fn find_or(
        &mut self,
        time: Timestamp,
        new: impl Fn() -> OpenBucket,
        add: &mut impl FnMut(i64, u64),
    ) -> &mut OpenBucket {
        let at = match self.buckets.iter().position(|bucket| bucket.has(time)) {
            Some(at) => at,
            None if self.buckets.len() < AT_HAND => {
                self.buckets.push(new());
                self.buckets.len() - 1
            }
            None => {
                let oldest = self.next;
                self.next = (oldest + 1) % AT_HAND;
                let closed = std::mem::replace(&mut self.buckets[oldest], new());
                add(closed.number, closed.count);
                oldest
            }
        };
        &mut self.buckets[at]
    }
}

impl OpenBucket {
    /// The bucket of an instant, without records.
    fn new(buckets: &Buckets, time: Timestamp, tally: &Tally) -> Self {
        let number = buckets.of(time);
        let (start, last) = buckets.range(number);
        let reach = last.max(start).nanos().wrapping_sub(start.nanos()) as u64;
        OpenBucket { number, pane: tally.pane_of(number), start, reach, count: 0 }
    }

    #[inline(always)]
    fn has(&self, time: Timestamp) -> bool {
        time.nanos().wrapping_sub(self.start.nanos()) as u64 <= self.reach
    }

    /// How many of the records are in it before the first that is not.
    fn run(&self, records: &[Record]) -> usize {
        let has_all = |block: &&[Record; BLOCK]| block.iter().all(|record| self.has(record.time));
        let whole = BLOCK * records.as_chunks().0.iter().take_while(has_all).count();
        whole + records[whole..].iter().take_while(|record| self.has(record.time)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c3_stamps_far_from_the_anchor_are_in_their_buckets() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let buckets = Buckets { anchor: at(9_000_000_000), grain: 86_400 * crate::model::time::SECOND, last: i64::MAX };
        let far = buckets.of(at(-3_000_000_000));
        assert_eq!(far, (-3_000_000_000i64 - 9_000_000_000).div_euclid(86_400));
        assert_eq!(buckets.range(far).0, at(9_000_000_000 + far * 86_400));
        assert_eq!(buckets.of(at(-2_999_900_000)), far + 1);
    }
}
