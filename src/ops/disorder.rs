//! How far records lie behind the highest stamp before them in their input: what `lateness` has to
//! allow for.
//!
//! Needs the batches of each input in order; the highest stamp before a batch comes from outside.

use crate::model::Timestamp;
use crate::model::time::SECOND;

use super::scan::{Block, each_record};

/// The bounds, in nanoseconds, for which it is told how many records they would lose.
pub const BOUNDS: [i64; 14] = {
    let mut bounds = [0, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 86_400];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] *= SECOND;
        at += 1;
    }
    bounds
};

/// The disorder of some records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disorder {
    /// Well-formed lines that are not in the future.
    pub records: u64,
    /// The largest disorder, in nanoseconds.
    pub largest: i64,
    /// How many records there are, by how many bounds they pass.
    passed: [u64; BOUNDS.len() + 1],
}

impl Disorder {
    /// Adds the records of a block of whole lines, when `before` is the highest stamp before it.
    pub fn measure(&mut self, block: Block<'_>, future_after: Timestamp, before: Option<Timestamp>) {
        let mut highest = before;
        each_record(block, |time| {
            if time > future_after {
                return;
            }
            let behind = highest.map_or(0, |highest| highest.nanos().saturating_sub(time.nanos()).max(0));
            highest = highest.max(Some(time));
            self.records += 1;
            self.largest = self.largest.max(behind);
            self.passed[BOUNDS.partition_point(|bound| *bound < behind)] += 1;
        });
    }

    /// Adds what was measured elsewhere.
    pub fn merge(&mut self, other: &Disorder) {
        self.records += other.records;
        self.largest = self.largest.max(other.largest);
        for (mine, theirs) in self.passed.iter_mut().zip(other.passed) {
            *mine += theirs;
        }
    }

    /// Each bound with the records that lie further back than it.
    pub fn lost(&self) -> impl Iterator<Item = (i64, u64)> {
        BOUNDS.iter().enumerate().map(|(at, bound)| (*bound, self.passed[at + 1..].iter().sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::LineRules;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_behind_each_bound_are_counted(stamps in proptest::collection::vec(0i64..200_000, 0..80), cut in 0usize..80) {
            let cut = cut.min(stamps.len());
            let mut disorder = Disorder::default();
            for (part, before) in [(&stamps[..cut], None), (&stamps[cut..], stamps[..cut].iter().max())] {
                let text: String = part.iter().map(|stamp| format!("{stamp} a b\n{stamp} malformed\n\n")).collect();
                let block = Block { bytes: text.as_bytes(), from: 0, rules: &LineRules::plain(100) };
                let before = before.map(|stamp| Timestamp::from_seconds(*stamp));
                let mut measured = Disorder::default();
                measured.measure(block, Timestamp::MAX, before);
                disorder.merge(&measured);
            }
            let behind = |at: usize| stamps[..at].iter().max().map_or(0, |highest| (highest - stamps[at]).max(0));
            let all: Vec<i64> = (0..stamps.len()).map(|at| behind(at) * SECOND).collect();
            prop_assert_eq!(disorder.records, stamps.len() as u64);
            prop_assert_eq!(disorder.largest, all.iter().max().copied().unwrap_or(0));
            for (bound, lost) in disorder.lost() {
                prop_assert_eq!(lost, all.iter().filter(|behind| **behind > bound).count() as u64);
            }
        }
    }
}
