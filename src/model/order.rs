//! How well lines are sorted by time, and who has seen it: what skipping bytes of a file rests on.
//!
//! Disorder is how far a stamp lies behind the highest before it. With a bound D on it, a line with
//! stamp s says that no line before it has a stamp above s + D, and none behind it one below s - D.
//! Invariant: `then` is associative, so that what is said of parts, in their order, is what is said
//! of the whole.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::time::Timestamp;

/// What the stamps of some lines span, and how far they are out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The lowest stamp.
    pub lowest: Timestamp,
    /// The highest stamp.
    pub highest: Timestamp,
    /// The largest disorder, in nanoseconds.
    pub disorder: i64,
}

impl Extent {
    /// Of one line.
    pub const fn of(time: Timestamp) -> Self {
        Extent { lowest: time, highest: time, disorder: 0 }
    }

    /// Adds a line behind those of `extent`, if it is well-formed, which is asked only if its stamp
    /// says something new.
    #[inline]
    pub fn add(extent: &mut Option<Extent>, time: Timestamp, is_well_formed: impl FnOnce() -> bool) {
        let more = extent.map_or(Extent::of(time), |known| known.then(Extent::of(time)));
        if *extent != Some(more) && is_well_formed() {
            *extent = Some(more);
        }
    }

    /// Adds well-formed lines behind those of `extent`.
    #[inline]
    pub fn add_all(extent: &mut Option<Extent>, times: impl Iterator<Item = Timestamp>) {
        let (mut from, mut to) = Extent::nothing_new(*extent);
        for time in times {
            if time < from || time > to {
                Extent::add(extent, time, || true);
                (from, to) = Extent::nothing_new(*extent);
            }
        }
    }

    /// The stamps, from the first to the last, that say nothing new behind the lines of `extent`:
    /// no lower and no higher than any, and no further back than another was. Of no lines, none.
    pub fn nothing_new(extent: Option<Extent>) -> (Timestamp, Timestamp) {
        extent.map_or((Timestamp::MAX, Timestamp::MIN), |known| {
            (known.lowest.max(known.highest.minus(known.disorder)), known.highest)
        })
    }

    /// Of these lines and `later` ones behind them.
    pub fn then(self, later: Extent) -> Extent {
        let across = self.highest.nanos().saturating_sub(later.lowest.nanos());
        Extent {
            lowest: self.lowest.min(later.lowest),
            highest: self.highest.max(later.highest),
            disorder: self.disorder.max(later.disorder).max(across),
        }
    }
}

/// The extents of parts of an input, in whatever order they come.
#[derive(Debug, Default)]
pub struct OrderMeter {
    parts: Mutex<Parts>,
    noted: Condvar,
}

#[derive(Debug, Default)]
struct Parts {
    /// Parts that follow each other without a gap are one: by its first byte, its end and its
    /// extent.
    runs: BTreeMap<u64, (u64, Option<Extent>)>,
    bytes: u64,
}

impl OrderMeter {
    /// Notes the part `from..to`. A part that has been noted is not noted again.
    pub fn note(&self, from: u64, to: u64, extent: Option<Extent>) {
        let mut parts = self.parts.lock();
        if parts.add(from, to, extent) {
            self.noted.notify_all();
        }
    }

    /// The extent of all parts, if any has one, once they have `bytes` bytes; waits for them at
    /// most so long. `None` if they do not have so many yet.
    pub fn whole(&self, bytes: u64, wait: Duration) -> Option<Option<Extent>> {
        let mut parts = self.parts.lock();
        if parts.bytes < bytes {
            self.noted.wait_for(&mut parts, wait);
        }
        if parts.bytes < bytes {
            return None;
        }
        Some(joined(parts.runs.values().map(|(_, extent)| *extent)))
    }
}

impl Parts {
    /// Adds a part to the run before it, and the run behind it to both. Whether it was not there
    /// yet.
    fn add(&mut self, from: u64, to: u64, extent: Option<Extent>) -> bool {
        let before = self.runs.range(..=from).next_back().map(|(&start, &(end, extent))| (start, end, extent));
        if before.is_some_and(|(_, end, _)| end > from) {
            return false;
        }
        let (start, extent) = match before {
            Some((start, end, before)) if end == from => (start, joined([before, extent])),
            _ => (from, extent),
        };
        let (end, extent) = match self.runs.remove(&to) {
            Some((end, behind)) => (end, joined([extent, behind])),
            None => (to, extent),
        };
        self.runs.insert(start, (end, extent));
        self.bytes += to - from;
        true
    }
}

/// The extent of parts in their order.
pub fn joined(parts: impl IntoIterator<Item = Option<Extent>>) -> Option<Extent> {
    parts.into_iter().flatten().reduce(Extent::then)
}

/// The stamps that there are, as far as was looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    /// The lowest and the highest of any record.
    pub extent: Option<(Timestamp, Timestamp)>,
    /// Whether there are no others.
    pub whole: bool,
}

impl Stamps {
    /// Of no records.
    pub const fn none() -> Self {
        Stamps { extent: None, whole: true }
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Stamps) {
        self.whole &= other.whole;
        self.extent = match (self.extent, other.extent) {
            (Some((low, high)), Some((other_low, other_high))) => Some((low.min(other_low), high.max(other_high))),
            (mine, theirs) => mine.or(theirs),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn oracle(stamps: &[i64]) -> Option<Extent> {
        let mut highest = *stamps.first()?;
        let mut disorder = 0;
        for &stamp in stamps {
            disorder = disorder.max(highest - stamp);
            highest = highest.max(stamp);
        }
        let lowest = *stamps.iter().min()?;
        let at = Timestamp::from_nanos;
        Some(Extent { lowest: at(lowest), highest: at(highest), disorder })
    }

    proptest! {
        #[test]
        fn lines_added_at_once_say_what_they_say_one_by_one(
            stamps in proptest::collection::vec(prop_oneof![8 => -9i64..9, 1 => Just(i64::MIN), 1 => Just(i64::MAX)], 0..40),
            cut in 0usize..40,
        ) {
            let stamps: Vec<Timestamp> = stamps.into_iter().map(Timestamp::from_nanos).collect();
            let (first, rest) = stamps.split_at(cut.min(stamps.len()));
            let (mut at_once, mut one_by_one) = (None, None);
            for part in [first, rest] {
                Extent::add_all(&mut at_once, part.iter().copied());
            }
            for &time in &stamps {
                let (from, to) = Extent::nothing_new(one_by_one);
                let before = one_by_one;
                Extent::add(&mut one_by_one, time, || true);
                prop_assert!(before == one_by_one || time < from || to < time);
            }
            prop_assert_eq!(at_once, one_by_one);
            prop_assert_eq!(at_once, joined(stamps.iter().map(|time| Some(Extent::of(*time)))));
        }

        #[test]
        fn any_parts_joined_say_what_the_whole_says(
            stamps in proptest::collection::vec(-50i64..50, 0..40),
            cuts in proptest::collection::vec(0usize..40, 0..6),
            order in any::<u64>(),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stamps.len())).collect();
            cuts.extend([0, stamps.len()]);
            cuts.sort_unstable();
            let meter = OrderMeter::default();
            let mut parts: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).filter(|(a, b)| a < b).collect();
            let middle = order as usize % parts.len().max(1);
            parts.rotate_left(middle);
            for &(from, to) in parts.iter().rev().chain(&parts) {
                let extent = stamps[from..to].iter().map(|stamp| Some(Extent::of(Timestamp::from_nanos(*stamp))));
                meter.note(from as u64, to as u64, joined(extent));
            }
            prop_assert!(meter.parts.lock().runs.len() <= 1);
            prop_assert_eq!(meter.whole(stamps.len() as u64, Duration::ZERO), Some(oracle(&stamps)));
            prop_assert_eq!(meter.whole(stamps.len() as u64 + 1, Duration::ZERO), None);
        }
    }
}
