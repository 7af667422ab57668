//! Instants: nanoseconds since the Unix epoch, and the units in which logs write them.
//!
//! Not here: the wall clock (it is injected) and durations as people write them (`options`).
//! Invariant: a timestamp is exact; what does not fit (before 1677, after 2262) saturates.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

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

    /// From whole seconds since the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This instant moved by `nanos`, forwards or backwards; saturates.
    pub const fn plus(self, nanos: i64) -> Self {
        Timestamp(self.0.saturating_add(nanos))
    }

    /// This instant moved by `times` lengths of `nanos`; saturates only where the result would not fit.
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

    /// This instant moved back by `nanos`; saturates.
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

/// The unit in which an input writes its stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl TimeUnit {
    /// All units.
    pub const ALL: [TimeUnit; 4] = [TimeUnit::Seconds, TimeUnit::Millis, TimeUnit::Micros, TimeUnit::Nanos];

    /// Its name in options.
    pub const fn name(self) -> &'static str {
        match self {
            TimeUnit::Seconds => "s",
            TimeUnit::Millis => "ms",
            TimeUnit::Micros => "us",
            TimeUnit::Nanos => "ns",
        }
    }

    /// Nanoseconds in one unit.
    pub const fn nanos(self) -> i64 {
        match self {
            TimeUnit::Seconds => SECOND,
            TimeUnit::Millis => 1_000_000,
            TimeUnit::Micros => 1_000,
            TimeUnit::Nanos => 1,
        }
    }

    /// The unit by magnitude: up to 11 digits are seconds (until the year 5138), up to 14 milliseconds,
    /// up to 17 microseconds, more are nanoseconds. The sign does not matter.
    pub const fn by_magnitude(stamp: i64) -> Self {
        match stamp.unsigned_abs() {
            0..=99_999_999_999 => TimeUnit::Seconds,
            100_000_000_000..=99_999_999_999_999 => TimeUnit::Millis,
            100_000_000_000_000..=99_999_999_999_999_999 => TimeUnit::Micros,
            _ => TimeUnit::Nanos,
        }
    }

    /// The instant that `stamp` means in this unit; saturates.
    #[inline]
    pub const fn timestamp(self, stamp: i64) -> Timestamp {
        Timestamp(stamp.saturating_mul(self.nanos()))
    }

    /// The lowest stamp that means `time` or later.
    pub const fn first_stamp(self, time: Timestamp) -> i64 {
        if time.0 == i64::MIN { i64::MIN } else { (time.0 - 1).div_euclid(self.nanos()) + 1 }
    }

    /// The highest stamp that means `time` or earlier.
    pub const fn last_stamp(self, time: Timestamp) -> i64 {
        if time.0 == i64::MAX { i64::MAX } else { time.0.div_euclid(self.nanos()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_at_the_documented_magnitudes() {
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999), TimeUnit::Seconds);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000), TimeUnit::Millis);
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999_999), TimeUnit::Millis);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000_000), TimeUnit::Micros);
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999_999_999), TimeUnit::Micros);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000_000_000), TimeUnit::Nanos);
        assert_eq!(TimeUnit::by_magnitude(-5), TimeUnit::Seconds);
        assert_eq!(TimeUnit::by_magnitude(i64::MIN), TimeUnit::Nanos);
    }

    #[test]
    fn stamps_out_of_range_saturate() {
        assert_eq!(TimeUnit::Seconds.timestamp(253_402_300_799), Timestamp::MAX);
        assert_eq!(TimeUnit::Seconds.timestamp(-62_167_219_200), Timestamp::MIN);
        assert_eq!(TimeUnit::Millis.timestamp(1_500), Timestamp::from_nanos(1_500_000_000));
    }

    #[test]
    fn stamps_of_an_instant_are_exact_at_every_edge() {
        let edges =
            [i64::MIN, i64::MIN + 1, -SECOND - 1, -SECOND, -1, 0, 1, SECOND, SECOND + 1, i64::MAX - 1, i64::MAX];
        for unit in [TimeUnit::Seconds, TimeUnit::Millis, TimeUnit::Micros, TimeUnit::Nanos] {
            for time in edges.map(Timestamp::from_nanos) {
                let (first, last) = (unit.first_stamp(time), unit.last_stamp(time));
                assert!(unit.timestamp(first) >= time, "{unit:?} {time:?}");
                assert!(first == i64::MIN || unit.timestamp(first - 1) < time, "{unit:?} {time:?}");
                assert!(unit.timestamp(last) <= time, "{unit:?} {time:?}");
                assert!(last == i64::MAX || unit.timestamp(last + 1) > time, "{unit:?} {time:?}");
            }
        }
    }

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
