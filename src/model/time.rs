//! Instants: nanoseconds since the Unix epoch.
//!
//! Not here: the wall clock (it is injected), numbers as logs write them (`stamp`) and durations as
//! people do (`options`). Invariant: a timestamp is exact. Where the result would lie before 1677
//! or after 2262, arithmetic says so (`checked_plus`); only bounds, which tell what lies before or
//! after them, may be "before everything" or "after everything" in its place.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// Where the time comes from: the clock of the machine, or that of a test.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The lowest instant; also "before everything".
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The highest instant; also "after everything".
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Timestamp(nanos)
    }

    /// From whole seconds since the epoch, as constants and clocks have them; a number beyond all
    /// instants gives the first or the last.
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(SECOND))
    }

    /// From a time of the system, such as when a file was written to.
    pub fn of_system(time: SystemTime) -> Self {
        let nanos = |length: Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(nanos(since)),
            Err(before) => Timestamp(nanos(before.duration()).saturating_neg()),
        }
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This instant moved by `nanos`, forwards or backwards; `None` if there is no such instant.
    pub const fn checked_plus(self, nanos: i64) -> Option<Self> {
        match self.0.checked_add(nanos) {
            Some(nanos) => Some(Timestamp(nanos)),
            None => None,
        }
    }

    /// A bound: this instant moved by `nanos`, forwards or backwards, or what is before or after
    /// everything.
    pub const fn plus(self, nanos: i64) -> Self {
        Timestamp(self.0.saturating_add(nanos))
    }

    /// A bound: this instant moved by `times` lengths of `nanos`, or what is before or after
    /// everything.
    pub const fn plus_times(self, times: i64, nanos: i64) -> Self {
        let moved = self.0 as i128 + times as i128 * nanos as i128;
        if moved > i64::MAX as i128 {
            Timestamp::MAX
        } else if moved < i64::MIN as i128 {
            Timestamp::MIN
        } else {
            Timestamp(moved as i64)
        }
    }

    /// A bound: this instant moved back by `nanos`, or what is before or after everything.
    pub const fn minus(self, nanos: i64) -> Self {
        Timestamp(self.0.saturating_sub(nanos))
    }

    /// Unix seconds as a decimal number without loss: `1700000000` or `1700000000.25`.
    pub fn unix_decimal(self) -> String {
        let (seconds, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        if nanos == 0 {
            return seconds.to_string();
        }
        // A negative instant counts down to its second: -0.5 s is -1 s + 0.5 s.
        let (sign, whole, part) =
            if seconds < 0 { ("-", -(seconds + 1), SECOND - nanos) } else { ("", seconds, nanos) };
        let text = format!("{sign}{whole}.{part:09}");
        text.trim_end_matches('0').to_owned()
    }
}

/// RFC 3339 in UTC, with as many decimals as the instant needs.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(instant) => instant.fmt(f),
            Err(_) => f.write_str(&self.unix_decimal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_without_loss() {
        assert_eq!(Timestamp::from_seconds(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_nanos(1_500_000_000).to_string(), "1970-01-01T00:00:01.5Z");
        assert_eq!(Timestamp::from_nanos(1_500_000_000).unix_decimal(), "1.5");
        assert_eq!(Timestamp::from_nanos(-500_000_000).unix_decimal(), "-0.5");
        assert_eq!(Timestamp::from_nanos(-1_500_000_000).unix_decimal(), "-1.5");
        assert_eq!(Timestamp::from_seconds(-2).unix_decimal(), "-2");
    }
}
