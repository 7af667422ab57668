//! Stamps: numbers that stand for instants, as logs write them and as people give them.
//!
//! The only place where a number becomes an instant. Not here: instants that are written in other
//! ways (`moment`), and where in a line its stamp stands (`format`). Invariant: a stamp means an
//! instant exactly, or is refused: nothing is rounded, and nothing saturates.

use super::time::{SECOND, Timestamp};

/// The unit of a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// Which unit stamps have: all the one that is given, or each its own, told by its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    given: Option<TimeUnit>,
    /// Nanoseconds that one stands for in a stamp of up to eleven digits: nearly all are.
    short: i64,
}

/// Why a text is not an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is not a number, does not fit 64 bits, or has digits finer than nanoseconds.
    NoStamp,
    /// It lies before the first instant there is, in 1677.
    TooEarly,
    /// It lies after the last instant there is, in 2262.
    TooLate,
}

/// The highest stamps, by their digits, that are seconds, milliseconds and microseconds.
const HIGHEST: [u64; 3] = [99_999_999_999, 99_999_999_999_999, 99_999_999_999_999_999];

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

    /// The unit by magnitude: up to 11 digits are seconds, up to 14 milliseconds, up to 17
    /// microseconds, more are nanoseconds. Zeros before them do not count.
    pub const fn by_magnitude(magnitude: u64) -> Self {
        if magnitude <= HIGHEST[0] {
            TimeUnit::Seconds
        } else if magnitude <= HIGHEST[1] {
            TimeUnit::Millis
        } else if magnitude <= HIGHEST[2] {
            TimeUnit::Micros
        } else {
            TimeUnit::Nanos
        }
    }

    /// The lowest stamp that means `time` or later.
    pub const fn first_stamp(self, time: Timestamp) -> i64 {
        if time.nanos() == i64::MIN { i64::MIN } else { (time.nanos() - 1).div_euclid(self.nanos()) + 1 }
    }

    /// The highest stamp that means `time` or earlier.
    pub const fn last_stamp(self, time: Timestamp) -> i64 {
        if time.nanos() == i64::MAX { i64::MAX } else { time.nanos().div_euclid(self.nanos()) }
    }
}

impl Units {
    /// Each stamp tells its own unit by its digits.
    pub const AUTO: Units = Units { given: None, short: SECOND };

    /// All stamps have this unit.
    pub const fn all(unit: TimeUnit) -> Self {
        Units { given: Some(unit), short: unit.nanos() }
    }

    /// By the name in options; `None` if there is no such unit.
    pub fn named(name: &str) -> Option<Self> {
        let unit = TimeUnit::ALL.into_iter().find(|unit| unit.name() == name).map(Units::all);
        unit.or_else(|| (name == Units::AUTO.name()).then_some(Units::AUTO))
    }

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self.given {
            Some(unit) => unit.name(),
            None => "auto",
        }
    }

    /// The unit of stamps of this magnitude.
    pub const fn of(self, magnitude: u64) -> TimeUnit {
        match self.given {
            Some(unit) => unit,
            None => TimeUnit::by_magnitude(magnitude),
        }
    }

    /// The instant of a stamp of up to eleven digits; `None` if it does not fit.
    #[inline(always)]
    pub const fn short(self, stamp: i64) -> Option<Timestamp> {
        match stamp.checked_mul(self.short) {
            Some(nanos) => Some(Timestamp::from_nanos(nanos)),
            None => None,
        }
    }

    /// The instant of a number; `None` if it does not fit.
    #[inline]
    pub const fn instant(self, stamp: i64) -> Option<Timestamp> {
        match stamp.checked_mul(self.of(stamp.unsigned_abs()).nanos()) {
            Some(nanos) => Some(Timestamp::from_nanos(nanos)),
            None => None,
        }
    }

    /// The instant that a text means: digits, a minus before them if it is before 1970, and a point
    /// and digits behind them for a part of the unit, which the digits before the point tell.
    pub fn read(self, text: &[u8]) -> Result<Timestamp, Unfit> {
        let nanos = self.nanos(text).ok_or(Unfit::NoStamp)?;
        let unfit = if nanos < 0 { Unfit::TooEarly } else { Unfit::TooLate };
        i64::try_from(nanos).map(Timestamp::from_nanos).map_err(|_| unfit)
    }

    fn nanos(self, text: &[u8]) -> Option<i128> {
        let (sign, digits) = text.strip_prefix(b"-").map_or((1, text), |rest| (-1, rest));
        let (whole, behind) = number(digits)?;
        i64::try_from(sign * i128::from(whole)).ok()?;
        let unit = self.of(whole);
        let part = match behind {
            [] => 0,
            [b'.', part @ ..] => fraction(part, unit)?,
            _ => return None,
        };
        Some(sign * (i128::from(whole) * i128::from(unit.nanos()) + i128::from(part)))
    }
}

/// The number that the digits write with which a text begins, at least one, and what stands behind
/// them.
#[inline]
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut at) = (0u64, 0);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
    (at > 0).then(|| (value, &text[at..]))
}

/// The nanoseconds that the digits behind a point write, at least one digit, in such units. `None` if
/// that is not a whole number.
#[inline]
fn fraction(digits: &[u8], unit: TimeUnit) -> Option<i64> {
    let places = match unit {
        TimeUnit::Seconds => 9,
        TimeUnit::Millis => 6,
        TimeUnit::Micros => 3,
        TimeUnit::Nanos => 0,
    };
    let (fine, finer) = digits.split_at(digits.len().min(places));
    if digits.is_empty() || finer.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let (mut nanos, mut step) = (0, unit.nanos());
    for byte in fine {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        step /= 10;
        nanos += step * i64::from(digit);
    }
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: i64) -> Option<Timestamp> {
        Some(Timestamp::from_nanos(nanos))
    }

    #[test]
    fn units_change_at_the_documented_magnitudes() {
        assert_eq!(TimeUnit::by_magnitude(0), TimeUnit::Seconds);
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999), TimeUnit::Seconds);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000), TimeUnit::Millis);
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999_999), TimeUnit::Millis);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000_000), TimeUnit::Micros);
        assert_eq!(TimeUnit::by_magnitude(99_999_999_999_999_999), TimeUnit::Micros);
        assert_eq!(TimeUnit::by_magnitude(100_000_000_000_000_000), TimeUnit::Nanos);
        assert_eq!(TimeUnit::by_magnitude(u64::MAX), TimeUnit::Nanos);
    }

    #[test]
    fn what_does_not_fit_is_no_instant() {
        assert_eq!(Units::AUTO.instant(9_223_372_036), at(9_223_372_036 * SECOND));
        assert_eq!(Units::AUTO.instant(9_223_372_037), None);
        assert_eq!(Units::AUTO.short(9_223_372_037), None);
        assert_eq!(Units::AUTO.instant(-9_223_372_037), None);
        assert_eq!(Units::all(TimeUnit::Seconds).instant(253_402_300_799), None);
        assert_eq!(Units::AUTO.instant(253_402_300_799), at(253_402_300_799_000_000));
        assert_eq!(Units::AUTO.instant(i64::MIN), at(i64::MIN));
        assert_eq!(Units::AUTO.instant(i64::MAX), at(i64::MAX));
    }

    #[test]
    fn fractions_are_exact_or_no_stamp() {
        use Unfit::{NoStamp, TooEarly, TooLate};
        let cases: &[(&str, Result<i64, Unfit>)] = &[
            ("1700000000.25", Ok(1_700_000_000_250_000_000)),
            ("-0.5", Ok(-500_000_000)),
            ("-1.5", Ok(-1_500_000_000)),
            ("0.000000001", Ok(1)),
            ("0.0000000010", Ok(1)),
            ("0.0000000001", Err(NoStamp)),
            ("1700000000.123456789", Ok(1_700_000_000_123_456_789)),
            ("1700000000000.25", Ok(1_700_000_000_000_250_000)),
            ("1700000000000000.125", Ok(1_700_000_000_000_000_125)),
            ("1700000000000000000.0", Ok(1_700_000_000_000_000_000)),
            ("1700000000000000000.5", Err(NoStamp)),
            ("9223372036.854775807", Ok(i64::MAX)),
            ("9223372036.854775808", Err(TooLate)),
            ("-9223372036.854775808", Ok(i64::MIN)),
            ("-9223372036.854775809", Err(TooEarly)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("9999999999", Err(TooLate)),
            ("-62167219200", Err(TooEarly)),
            ("9223372036854775808", Err(NoStamp)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("-9223372036854775809", Err(NoStamp)),
            ("0001700000000", Ok(1_700_000_000_000_000_000)),
            ("", Err(NoStamp)),
            (".", Err(NoStamp)),
            (".5", Err(NoStamp)),
            ("5.", Err(NoStamp)),
            ("-", Err(NoStamp)),
            ("-.5", Err(NoStamp)),
            ("+5", Err(NoStamp)),
            ("1.5.5", Err(NoStamp)),
            ("1e9", Err(NoStamp)),
            ("--5", Err(NoStamp)),
        ];
        for (text, nanos) in cases {
            assert_eq!(Units::AUTO.read(text.as_bytes()), nanos.map(Timestamp::from_nanos), "{text}");
        }
        assert_eq!(Units::all(TimeUnit::Millis).read(b"5.25").ok(), at(5_250_000));
    }

    #[test]
    fn stamps_of_an_instant_are_exact_at_every_edge() {
        let edges =
            [i64::MIN, i64::MIN + 1, -SECOND - 1, -SECOND, -1, 0, 1, SECOND, SECOND + 1, i64::MAX - 1, i64::MAX];
        for unit in TimeUnit::ALL {
            let nanos = |stamp: i64| i128::from(stamp) * i128::from(unit.nanos());
            for time in edges {
                let (first, last) =
                    (unit.first_stamp(Timestamp::from_nanos(time)), unit.last_stamp(Timestamp::from_nanos(time)));
                let time = i128::from(time);
                assert!(first == i64::MIN || (nanos(first) >= time && nanos(first - 1) < time), "{unit:?} {time}");
                assert!(last == i64::MAX || (nanos(last) <= time && nanos(last + 1) > time), "{unit:?} {time}");
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_they_are_counted(stamp in prop_oneof![any::<i64>(), -200_000_000_000_000i64..200_000_000_000_000, -20i64..20_000_000_000]) {
            for units in TimeUnit::ALL.map(Units::all).into_iter().chain([Units::AUTO]) {
                let text = stamp.to_string();
                prop_assert_eq!(units.read(text.as_bytes()).ok(), units.instant(stamp), "{:?} {}", units, stamp);
                if text.len() <= 11 {
                    prop_assert_eq!(units.short(stamp), units.instant(stamp));
                }
            }
        }

        #[test]
        fn every_instant_is_read_from_its_seconds(nanos in prop_oneof![any::<i64>(), -5_000_000_000i64..5_000_000_000]) {
            let text = Timestamp::from_nanos(nanos).unix_decimal();
            prop_assert_eq!(Units::AUTO.read(text.as_bytes()).ok(), at(nanos), "{}", text);
        }

        #[test]
        fn any_bytes_are_read_without_panic(text in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'-'), b'0'..=b'9', any::<u8>()], 0..30)) {
            let _ = Units::AUTO.read(&text);
        }
    }
}
