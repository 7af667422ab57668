//! Looks at the stamps of an input before, or beside, the run itself: their unit, the highest, the lowest.

use crate::format::{FormatVisitor, LineFormat, Stamp, dispatch};
use crate::model::{TimeUnit, Timestamp};

/// The well-formed lines of a block of whole lines, one at a time: raw stamp and line number do not matter to the
/// caller, only the stamps. Goes on while `f` says so.
fn each_stamp<F: LineFormat>(bytes: &[u8], mut f: impl FnMut(i64, &dyn Fn() -> bool) -> bool) {
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        if let Stamp::At(stamp, at) = F::stamp(bytes, start, end)
            && !f(stamp, &|| F::hosts(bytes, at, end).is_ok())
        {
            return;
        }
        start = end + 1;
    }
}

/// The unit of an input's stamps by its first well-formed line; `None` if the block has none.
pub fn detect_unit(format: &str, bytes: &[u8]) -> Option<TimeUnit> {
    struct Detect<'a>(&'a [u8]);
    impl FormatVisitor for Detect<'_> {
        type Output = Option<TimeUnit>;
        fn visit<F: LineFormat>(self) -> Option<TimeUnit> {
            let mut unit = None;
            each_stamp::<F>(self.0, |stamp, well_formed| {
                unit = well_formed().then(|| TimeUnit::by_magnitude(stamp));
                unit.is_none()
            });
            unit
        }
    }
    dispatch(format, Detect(bytes)).flatten()
}

/// The stamp of the last well-formed line in a block of whole lines: where an input has come to, for choosing which
/// to read next.
pub fn last_stamp(format: &str, bytes: &[u8], unit: TimeUnit) -> Option<Timestamp> {
    struct Last<'a>(&'a [u8], TimeUnit);
    impl FormatVisitor for Last<'_> {
        type Output = Option<Timestamp>;
        fn visit<F: LineFormat>(self) -> Option<Timestamp> {
            let mut end = self.0.strip_suffix(b"\n").unwrap_or(self.0).len();
            loop {
                let start = memchr::memrchr(b'\n', &self.0[..end]).map_or(0, |at| at + 1);
                if let Stamp::At(stamp, at) = F::stamp(self.0, start, end)
                    && F::hosts(self.0, at, end).is_ok()
                {
                    return Some(self.1.timestamp(stamp));
                }
                end = start.checked_sub(1)?;
            }
        }
    }
    dispatch(format, Last(bytes, unit)).flatten()
}

/// The highest stamp of an input that is not in the future, block by block.
#[derive(Debug, Clone, Copy)]
pub struct Highest {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// The highest so far.
    pub found: Option<Timestamp>,
}

/// The lowest stamp of an input that is not late, block by block.
#[derive(Debug, Clone, Copy)]
pub struct Lowest {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// The declared disorder in nanoseconds.
    pub lateness: i64,
    /// The first and the last instant that count.
    pub bounds: (Timestamp, Timestamp),
    /// The highest stamp so far.
    pub highest: Option<Timestamp>,
    /// The lowest that counts so far.
    pub found: Option<Timestamp>,
}

impl Highest {
    /// Looks at a block of whole lines.
    pub fn look(&mut self, format: &str, bytes: &[u8], unit: TimeUnit) {
        dispatch(format, Look { bytes, unit, state: self });
    }
}

impl Lowest {
    /// Looks at a block of whole lines.
    pub fn look(&mut self, format: &str, bytes: &[u8], unit: TimeUnit) {
        dispatch(format, Look { bytes, unit, state: self });
    }

    /// Whether no lower stamp can come that is not late.
    pub fn is_settled(&self) -> bool {
        match (self.found, self.highest) {
            (Some(lowest), Some(highest)) => lowest <= highest.minus(self.lateness),
            _ => false,
        }
    }

    fn note(&mut self, time: Timestamp, well_formed: &dyn Fn() -> bool) -> bool {
        if time > self.future_after {
            return true;
        }
        let late = self.highest.is_some_and(|highest| time < highest.minus(self.lateness));
        let counts = !late && self.bounds.0 <= time && time <= self.bounds.1;
        let lower = counts && self.found.is_none_or(|found| time < found);
        let higher = Some(time) > self.highest;
        if (lower || higher) && well_formed() {
            self.found = if lower { Some(time) } else { self.found };
            self.highest = self.highest.max(Some(time));
        }
        !self.is_settled()
    }
}

struct Look<'a, S> {
    bytes: &'a [u8],
    unit: TimeUnit,
    state: &'a mut S,
}

impl FormatVisitor for Look<'_, Highest> {
    type Output = ();
    fn visit<F: LineFormat>(self) {
        each_stamp::<F>(self.bytes, |stamp, well_formed| {
            let time = self.unit.timestamp(stamp);
            if Some(time) > self.state.found && time <= self.state.future_after && well_formed() {
                self.state.found = Some(time);
            }
            true
        });
    }
}

impl FormatVisitor for Look<'_, Lowest> {
    type Output = ();
    fn visit<F: LineFormat>(self) {
        each_stamp::<F>(self.bytes, |stamp, well_formed| self.state.note(self.unit.timestamp(stamp), well_formed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    #[test]
    fn the_unit_is_told_by_the_first_well_formed_line() {
        assert_eq!(detect_unit("plain", b"5\n\nx y z\n1700000000000 a b\n17 a b\n"), Some(TimeUnit::Millis));
        assert_eq!(detect_unit("plain", b"nothing\n"), None);
    }

    #[test]
    fn the_last_well_formed_line_says_how_far_an_input_has_come() {
        assert_eq!(last_stamp("plain", b"5 a b\n7 a b\nbad\n\n", TimeUnit::Seconds), Some(AT(7)));
        assert_eq!(last_stamp("plain", b"7 a b", TimeUnit::Seconds), Some(AT(7)));
        assert_eq!(last_stamp("plain", b"", TimeUnit::Seconds), None);
        assert_eq!(last_stamp("plain", b"\n", TimeUnit::Seconds), None);
    }

    #[test]
    fn malformed_and_future_lines_are_not_the_highest() {
        let mut highest = Highest { future_after: AT(100), found: None };
        highest.look("plain", b"50 a b\n90 a\n101 a b\n70 a b\n", TimeUnit::Seconds);
        assert_eq!(highest.found, Some(AT(70)));
    }

    #[test]
    fn the_lowest_is_settled_once_lower_ones_would_be_late() {
        let mut lowest = Lowest {
            future_after: AT(1000),
            lateness: 10 * crate::model::time::SECOND,
            bounds: (Timestamp::MIN, Timestamp::MAX),
            highest: None,
            found: None,
        };
        lowest.look("plain", b"50 a b\n45 a b\n40 a\n", TimeUnit::Seconds);
        assert_eq!((lowest.found, lowest.is_settled()), (Some(AT(45)), false));
        lowest.look("plain", b"55 a b\n1 a b\n", TimeUnit::Seconds);
        assert_eq!((lowest.found, lowest.is_settled()), (Some(AT(45)), true));
    }
}
