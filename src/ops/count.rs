//! Records to tally: finds each record's bucket and counts its pair.

use crate::model::{Record, Tally, Timestamp};

/// How time is cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Where bucket 0 starts.
    pub anchor: Timestamp,
    /// Length of a bucket in nanoseconds, above 0.
    pub grain: i64,
    /// The highest bucket: a stamp beyond it, such as one on the end of a window that has both ends in, is put here.
    pub last: i64,
}

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
}

/// Counts the records, which point into `bytes`.
pub fn count(records: &[Record], bytes: &[u8], buckets: &Buckets, tally: &mut Tally) {
    let mut rest = records;
    // Neighbours mostly share a bucket: it is looked up once for each run of them.
    while let Some((first, others)) = rest.split_first() {
        let bucket = buckets.of(first.time);
        let (start, last) = buckets.range(bucket);
        let mut counter = tally.bucket(bucket);
        counter.add_at(bytes, first.from, first.to);
        let run = others.iter().take_while(|record| start <= record.time && record.time <= last);
        let length = run.map(|record| counter.add_at(bytes, record.from, record.to)).count();
        rest = &others[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn counted(times: &[i64], buckets: &Buckets) -> BTreeMap<i64, u64> {
        let records: Vec<Record> =
            times.iter().map(|&time| Record { time: Timestamp::from_nanos(time), from: (0, 1), to: (1, 2) }).collect();
        let mut tally = Tally::default();
        count(&records, b"ab", buckets, &mut tally);
        let mut out = BTreeMap::new();
        tally.for_each(i64::MIN, i64::MAX, |bucket, _, _, count| *out.entry(bucket).or_default() += count);
        out
    }

    proptest! {
        #[test]
        fn every_record_is_in_the_bucket_of_its_stamp(times in proptest::collection::vec(-50i64..50, 0..60)) {
            let buckets = Buckets { anchor: Timestamp::from_nanos(3), grain: 10, last: 2 };
            let mut oracle = BTreeMap::new();
            for time in &times {
                *oracle.entry(((time - 3) as f64 / 10.0).floor().min(2.0) as i64).or_default() += 1;
            }
            prop_assert_eq!(counted(&times, &buckets), oracle);
        }
    }

    #[test]
    fn c3_stamps_far_from_the_anchor_are_in_their_buckets() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let buckets = Buckets { anchor: at(9_000_000_000), grain: 86_400 * crate::model::time::SECOND, last: i64::MAX };
        let far = buckets.of(at(-3_000_000_000));
        assert_eq!(far, (-3_000_000_000i64 - 9_000_000_000).div_euclid(86_400));
        assert_eq!(buckets.range(far).0, at(9_000_000_000 + far * 86_400));
        assert_eq!(buckets.of(at(-2_999_900_000)), far + 1);
    }

    #[test]
    fn extreme_stamps_are_counted_too() {
        let buckets = Buckets { anchor: Timestamp::from_nanos(7), grain: 10, last: i64::MAX };
        let total: u64 = counted(&[i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX], &buckets).values().sum();
        assert_eq!(total, 5);
    }
}
