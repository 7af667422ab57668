//! The highest stamps of an input, and the one among them by which time is told.
//!
//! One stamp that runs ahead, or a handful, must not move time for all others. So time is told by
//! the highest stamp that `ENOUGH` records stand at, or beyond in steps that are no jumps: the
//! *trusted* one.
//!
//! Invariant: what is held is a function of which stamps were added, not of their order, and joins.
//! So batches may be looked at in any order, and joined in that of their input.
//!
//! Adding a stamp never lowers the trusted one. Let `low` be the lowest held, `trusted` where the
//! ascent from it stops, and `time` be added. If `time <= low`, nothing changes. Else `low` goes,
//! and the new lowest, `next`, is one of those held before or `time`. If `next <= trusted`, all
//! stamps from `next` to `trusted` are still there, and one more among them only makes steps
//! smaller: the ascent comes to `trusted` as before, or passes it. If `next > trusted`, the ascent
//! starts above it.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// This many records are believed wherever they stand; fewer are not if they stand ahead of all
/// others by a jump.
pub const ENOUGH: usize = 8;

/// The `ENOUGH` highest stamps, those that are alike included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peaks {
    /// Ascending; at the front `MIN` in place of those that are missing.
    stamps: [Timestamp; ENOUGH],
    count: u8,
}

impl Default for Peaks {
    fn default() -> Self {
        Peaks { stamps: [Timestamp::MIN; ENOUGH], count: 0 }
    }
}

impl Peaks {
    /// Adds a stamp. Whether it is one of the highest.
    #[inline]
    pub fn add(&mut self, time: Timestamp) -> bool {
        let takes = self.takes(time);
        if takes {
            self.insert(time);
        }
        takes
    }

    /// Whether anything would change if this stamp were added.
    #[inline]
    pub fn takes(&self, time: Timestamp) -> bool {
        time > self.stamps[0] || usize::from(self.count) < ENOUGH
    }

    /// The highest stamp that would change nothing if it were added; `None` if any would.
    #[inline]
    pub fn nothing_new(&self) -> Option<Timestamp> {
        (usize::from(self.count) == ENOUGH).then_some(self.stamps[0])
    }

    // Few stamps are among the highest, and the loops that add them need their registers.
    #[inline(never)]
    fn insert(&mut self, time: Timestamp) {
        self.count = (self.count + 1).min(ENOUGH as u8);
        // Most logs ascend.
        if time >= self.stamps[ENOUGH - 1] {
            self.stamps.copy_within(1.., 0);
            self.stamps[ENOUGH - 1] = time;
            return;
        }
        let mut at = 0;
        while self.stamps[at + 1] < time {
            self.stamps[at] = self.stamps[at + 1];
            at += 1;
        }
        self.stamps[at] = time;
    }

    /// Adds the stamps that another holds.
    pub fn join(&mut self, other: &Peaks) {
        other.held().iter().for_each(|&time| {
            self.add(time);
        });
    }

    /// The highest stamp of all.
    pub fn highest(&self) -> Option<Timestamp> {
        self.held().last().copied()
    }

    /// The trusted highest stamp, if steps of up to `max_jump` nanoseconds are no jumps; with 0 no
    /// step is one. `None` while there are too few records to tell.
    pub fn trusted(&self, max_jump: i64) -> Option<Timestamp> {
        match max_jump {
            0 => self.highest(),
            _ if usize::from(self.count) < ENOUGH => None,
            _ => Some(self.stamps[self.trusted_at(max_jump)]),
        }
    }

    /// As `trusted`, where no more stamps come: of few, the highest is as good as any.
    pub fn trusted_of_all(&self, max_jump: i64) -> Option<Timestamp> {
        self.trusted(max_jump).or_else(|| self.highest())
    }

    /// How many stamps stand ahead of the trusted one, which they have not moved.
    pub fn ahead(&self, max_jump: i64) -> u64 {
        match max_jump {
            0 => 0,
            _ if usize::from(self.count) < ENOUGH => 0,
            _ => (ENOUGH - 1 - self.trusted_at(max_jump)) as u64,
        }
    }

    fn trusted_at(&self, max_jump: i64) -> usize {
        let is_jump = |pair: &[Timestamp]| pair[1].nanos().saturating_sub(pair[0].nanos()) > max_jump;
        self.stamps.windows(2).position(is_jump).unwrap_or(ENOUGH - 1)
    }

    /// Whether this, which was read from somewhere, can have come of adding stamps.
    pub fn is_sound(&self) -> bool {
        let missing = ENOUGH.checked_sub(usize::from(self.count));
        missing.is_some_and(|missing| self.stamps[..missing].iter().all(|stamp| *stamp == Timestamp::MIN))
            && self.stamps.is_sorted()
    }

    fn held(&self) -> &[Timestamp] {
        &self.stamps[ENOUGH - usize::from(self.count)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn peaks(stamps: &[i64]) -> Peaks {
        let mut peaks = Peaks::default();
        stamps.iter().for_each(|&stamp| {
            peaks.add(Timestamp::from_nanos(stamp));
        });
        peaks
    }

    #[test]
    fn g5_more_stamps_than_there_are_and_stamps_out_of_order_are_not_sound() {
        let good = peaks(&[5, 3, 9]);
        assert!(good.is_sound() && Peaks::default().is_sound() && peaks(&[1; 20]).is_sound());
        assert!(!Peaks { count: 255, ..good }.is_sound());
        assert!(!Peaks { count: 2, ..good }.is_sound());
        let mut stamps = good.stamps;
        stamps.swap(ENOUGH - 1, ENOUGH - 2);
        assert!(!Peaks { stamps, ..good }.is_sound());
    }

    /// The rule as it reads: of all stamps, sorted.
    fn simple(stamps: &[i64], max_jump: i64) -> Option<i64> {
        let mut sorted = stamps.to_vec();
        sorted.sort_unstable();
        if max_jump == 0 {
            return sorted.last().copied();
        }
        let mut at = sorted.len().checked_sub(ENOUGH)?;
        while at + 1 < sorted.len() && i128::from(sorted[at + 1]) - i128::from(sorted[at]) <= i128::from(max_jump) {
            at += 1;
        }
        Some(sorted[at])
    }

    /// Stamps in clusters, so that there are jumps and equals; some at the ends of time.
    fn stamps() -> impl Strategy<Value = Vec<i64>> {
        let any = prop_oneof![
            8 => (0..6i64, 0..25i64).prop_map(|(cluster, at)| cluster * 100 + at),
            1 => Just(i64::MIN),
            1 => Just(i64::MAX),
        ];
        vec(any, 0..40)
    }

    proptest! {
        #[test]
        fn the_trusted_stamp_is_that_of_the_rule_and_never_goes_back(stamps in stamps(), max_jump in 0..120i64) {
            let mut before = None;
            for end in 0..=stamps.len() {
                let peaks = peaks(&stamps[..end]);
                let trusted = peaks.trusted(max_jump);
                prop_assert_eq!(trusted.map(Timestamp::nanos), simple(&stamps[..end], max_jump));
                prop_assert!(trusted >= before, "{:?} after {:?}", trusted, before);
                let above = stamps[..end].iter().filter(|&&stamp| trusted.is_some_and(|at| stamp > at.nanos())).count();
                prop_assert_eq!(peaks.ahead(max_jump), above as u64);
                before = trusted;
            }
        }

        #[test]
        fn the_order_does_not_matter_and_parts_join(
            (stamps, shuffled) in stamps().prop_flat_map(|stamps| (Just(stamps.clone()), Just(stamps).prop_shuffle())),
            cut in 0..40usize,
        ) {
            let whole = peaks(&stamps);
            prop_assert_eq!(whole, peaks(&shuffled));
            let (left, right) = shuffled.split_at(cut.min(shuffled.len()));
            let mut joined = peaks(left);
            joined.join(&peaks(right));
            prop_assert_eq!(whole, joined);
            for &stamp in &stamps {
                let mut more = whole;
                prop_assert_eq!(whole.takes(Timestamp::from_nanos(stamp)), more.add(Timestamp::from_nanos(stamp)));
                let says_nothing_new = whole.nothing_new().is_some_and(|highest| Timestamp::from_nanos(stamp) <= highest);
                prop_assert_eq!(says_nothing_new, !whole.takes(Timestamp::from_nanos(stamp)));
            }
        }
    }

    #[test]
    fn seven_stamps_ahead_are_not_believed_and_eight_are() {
        let mut stamps: Vec<i64> = (0..20).collect();
        for ahead in 0..7 {
            assert_eq!(peaks(&stamps).trusted(10), Some(Timestamp::from_nanos(19)), "{ahead} ahead");
            assert_eq!(peaks(&stamps).ahead(10), ahead);
            stamps.push(1_000);
        }
        assert_eq!(peaks(&stamps).trusted(10), Some(Timestamp::from_nanos(19)));
        stamps.push(1_000);
        assert_eq!(peaks(&stamps).trusted(10), Some(Timestamp::from_nanos(1_000)));
        assert_eq!(peaks(&[5]).trusted(10), None);
        assert_eq!(peaks(&[5]).trusted_of_all(10), Some(Timestamp::from_nanos(5)));
    }
}
