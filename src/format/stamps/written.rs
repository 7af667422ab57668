//! Times as they are written, and the instants that they mean.
//!
//! Not here: how they are read from text (`form`, `pattern`). Invariant: an instant is exact, or it
//! is refused with the side on which it lies.

use super::civil::{self, DAY};
use super::scratch::{Occurrence, StampScratch};
use super::zone::{MOST_OFFSET, Zone};
use crate::model::time::SECOND;
use crate::model::{Timestamp, Unfit};

/// A date and time of day as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenTime {
    /// Seconds from 1970 to its whole second, as if there were no zones.
    pub local: i64,
    /// What is written with it.
    pub tail: TimeTail,
}

/// A time of a day of a year that is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearlessTime {
    /// From 1.
    pub month: u32,
    /// Of the month, from 1.
    pub day: u32,
    /// Whole seconds from midnight.
    pub second: i64,
    /// What is written with it.
    pub tail: TimeTail,
}

/// What is written with a date and a time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeTail {
    /// Nanoseconds behind the whole second. A leap second is one more behind the second before it,
    /// so that it is the instant of the next in every zone.
    pub nanos: i64,
    /// Seconds that clocks are ahead of UTC, if that is written.
    pub offset: Option<i64>,
}

/// How many years are looked back for one that has the date: from one leap day to the next there
/// may be eight.
const YEARS_BACK: u32 = 8;

impl TimeTail {
    /// The same behind a leap second, if it is one.
    #[inline]
    pub const fn after(mut self, is_leap: bool) -> Self {
        self.nanos += SECOND * is_leap as i64;
        self
    }
}

impl WrittenTime {
    /// The instant that it means, in a zone if it has no offset.
    #[inline]
    pub fn instant(self, zone: &Zone, scratch: &mut StampScratch) -> Result<Timestamp, Unfit> {
        let (second, times) = self.second(zone, scratch).ok_or(Unfit::NoStamp)?;
        fitting(second, self.tail.nanos).inspect(|_| scratch.count(times))
    }

    /// Seconds from 1970 to its whole second, and how many instants it means.
    #[inline]
    fn second(self, zone: &Zone, scratch: &mut StampScratch) -> Option<(i64, Occurrence)> {
        let (offset, times) = match self.tail.offset {
            Some(offset) => (offset, Occurrence::Once),
            None => zone.offset(self.local, scratch)?,
        };
        Some((self.local - offset, times))
    }
}

impl YearlessTime {
    /// The instant that it means in the latest year in which that is not after `latest`.
    #[inline]
    pub fn instant(self, latest: Timestamp, zone: &Zone, scratch: &mut StampScratch) -> Result<Timestamp, Unfit> {
        let local = |year| civil::days(year, self.month, self.day).map(|day| day * DAY + self.second);
        in_latest_year(local, self.tail, latest, zone, scratch)
    }
}

/// The instant of the latest year, by the seconds that there are from 1970 to a time in each year
/// that has it, which is not after `latest`.
pub fn in_latest_year(
    mut local: impl FnMut(u32) -> Option<i64>,
    tail: TimeTail,
    latest: Timestamp,
    zone: &Zone,
    scratch: &mut StampScratch,
) -> Result<Timestamp, Unfit> {
    let last = latest.nanos().div_euclid(SECOND) + MOST_OFFSET;
    let year = civil::year(last.div_euclid(DAY));
    for year in (year.saturating_sub(YEARS_BACK)..=year).rev() {
        // What is after it in every zone is not looked up in one, which would forget another year.
        let Some(local) = local(year).filter(|local| *local <= last) else { continue };
        let (second, times) = WrittenTime { local, tail }.second(zone, scratch).ok_or(Unfit::NoStamp)?;
        if exact(second, tail.nanos) <= i128::from(latest.nanos()) {
            return fitting(second, tail.nanos).inspect(|_| scratch.count(times));
        }
    }
    Err(Unfit::NoStamp)
}

/// Nanoseconds from 1970.
const fn exact(second: i64, nanos: i64) -> i128 {
    second as i128 * SECOND as i128 + nanos as i128
}

#[inline]
fn fitting(second: i64, nanos: i64) -> Result<Timestamp, Unfit> {
    match second.checked_mul(SECOND).and_then(|whole| whole.checked_add(nanos)) {
        Some(nanos) => Ok(Timestamp::from_nanos(nanos)),
        None => at_the_edge(second, nanos),
    }
}

/// What lies beyond all instants, or before 1970 with a whole second that does.
#[cold]
fn at_the_edge(second: i64, nanos: i64) -> Result<Timestamp, Unfit> {
    let unfit = if second < 0 { Unfit::TooEarly } else { Unfit::TooLate };
    i64::try_from(exact(second, nanos)).map(Timestamp::from_nanos).map_err(|_| unfit)
}
