//! Lengths of time as people write them: `90s`, `5m`, `1h30m`, `2d`.
//!
//! And in words, for people: `1 day 2 h`.
//!
//! Bare numbers, where they are taken, are seconds. Invariant: what could be taken for another
//! length is refused. So months and years, whose length varies and whose short forms look like
//! those of minutes, are understood only where they are spelled out, as 30.44 and 365.25 days.

use std::time::Duration;

use super::time::{SECOND, Timestamp};

/// Units that are understood only spelled out: as people write them, and as they are spelled out.
const SPELLED_OUT: [(&str, &str); 4] = [("M", "months"), ("y", "years"), ("yr", "years"), ("yrs", "years")];

/// The length that a text means; `Ok(None)` if it is not a length. Errors with what is expected in
/// place of a unit that exists and is not understood.
pub fn read(text: &str) -> Result<Option<Duration>, String> {
    // Numbers with blanks in them would be joined, and nobody knows what `1 30m` means.
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.';
    if words.windows(2).any(|pair| pair[0].ends_with(is_of_number) && pair[1].starts_with(is_of_number)) {
        return Ok(None);
    }
    let Ok(length) = humantime::parse_duration(text) else { return Ok(None) };
    let mut units = text.split(|c: char| !c.is_alphabetic());
    match units.find_map(|unit| SPELLED_OUT.iter().find(|(short, _)| *short == unit)) {
        None => Ok(Some(length)),
        Some(("M", _)) => Err(format!("expected m for minutes ({}), as M is months", text.replace('M', "m"))),
        Some((short, long)) => Err(format!("expected {long} spelled out (2{long}), as {short} is not understood")),
    }
}

/// The same, or a bare number: of seconds, with decimals or without, exact to the nanosecond.
pub fn read_or_seconds(text: &str) -> Result<Option<Duration>, String> {
    Ok(match seconds(text) {
        Some(length) => Some(length),
        None => read(text)?,
    })
}

fn seconds(text: &str) -> Option<Duration> {
    let (whole, parts) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let finest = parts.trim_end_matches('0');
    if !is_number(whole) || !is_number(parts) || finest.len() > 9 {
        return None;
    }
    Some(Duration::new(whole.parse().ok()?, format!("{finest:0<9}").parse().ok()?))
}

/// A length as it may be read again.
pub fn shown(length: Duration) -> String {
    humantime::format_duration(length).to_string().replace(' ', "")
}

const MINUTE: i64 = 60 * SECOND;
/// An hour, in nanoseconds.
pub const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Units of lengths in words, in nanoseconds, and what one of them alone is called.
const UNITS: [(i64, &str, &str); 3] = [(DAY, "days", "day"), (HOUR, "h", "hour"), (MINUTE, "min", "minute")];

/// A length in nanoseconds in words, exactly, as it stands behind `last`: `hour`, `2 days 3 h`.
pub fn in_words(nanos: i64) -> String {
    match UNITS.iter().find(|(unit, _, _)| *unit == nanos) {
        Some((_, _, alone)) => (*alone).to_owned(),
        None => parts(nanos),
    }
}

/// A length in words, in its largest units only; smaller ones are left out.
pub fn about(nanos: i64) -> String {
    let unit = match nanos {
        DAY.. => HOUR,
        HOUR.. => MINUTE,
        _ => SECOND,
    };
    parts(nanos.max(0) / unit * unit)
}

fn parts(nanos: i64) -> String {
    let (mut rest, mut words) = (nanos, Vec::new());
    for (unit, name, alone) in UNITS {
        match rest / unit {
            0 => {}
            1 if name == "days" => words.push(format!("1 {alone}")),
            count => words.push(format!("{count} {name}")),
        }
        rest %= unit;
    }
    if rest > 0 || words.is_empty() {
        words.push(format!("{} s", Timestamp::from_nanos(rest).unix_decimal()));
    }
    words.join(" ")
}

/// A length in whole seconds as options take it.
pub fn as_option(nanos: i64) -> String {
    let (mut rest, mut text) = (nanos, String::new());
    for (unit, letter) in UNITS.map(|(unit, _, _)| unit).into_iter().chain([SECOND]).zip(["d", "h", "m", "s"]) {
        if rest / unit > 0 {
            text += &format!("{}{letter}", rest / unit);
        }
        rest %= unit;
    }
    text
}

/// A length in whole units of the second below its largest one, which is no shorter.
pub fn rounded_up(nanos: i64) -> i64 {
    let unit = match nanos {
        nanos if nanos > 2 * DAY => HOUR,
        nanos if nanos > 2 * HOUR => MINUTE,
        _ => SECOND,
    };
    nanos.checked_add(unit - 1).map_or(nanos, |more| more / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_and_years_are_spelled_out() {
        for (text, expected) in [
            ("5M", "expected m for minutes (5m), as M is months"),
            ("1h30M", "expected m for minutes (1h30m), as M is months"),
            ("1M 5s", "expected m for minutes (1m 5s), as M is months"),
            ("0.5 M", "expected m for minutes (0.5 m), as M is months"),
            ("1y", "expected years spelled out (2years), as y is not understood"),
            ("2yr3d", "expected years spelled out (2years), as yr is not understood"),
            ("2yrs", "expected years spelled out (2years), as yrs is not understood"),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
        for (text, seconds) in [("1month", 2_630_016), ("2months", 5_260_032), ("1year", 31_557_600), ("5m", 300)] {
            assert_eq!(read(text), Ok(Some(Duration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_is_none() {
        for text in ["", "M", "yM", "5", "5x", "5H", "-5m", "1 0s", "1 30m", "1. 5s", "1 .5s", "soon"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
        assert_eq!(read("1h 30 m"), Ok(Some(Duration::from_secs(5_400))));
    }

    #[test]
    fn lengths_are_said_exactly_or_in_their_largest_units() {
        for (nanos, exactly, nearly) in [
            (0, "0 s", "0 s"),
            (SECOND / 2, "0.5 s", "0 s"),
            (MINUTE, "minute", "1 min"),
            (HOUR, "hour", "1 h"),
            (HOUR + MINUTE + SECOND, "1 h 1 min 1 s", "1 h 1 min"),
            (DAY + HOUR + MINUTE, "1 day 1 h 1 min", "1 day 1 h"),
            (3 * DAY, "3 days", "3 days"),
        ] {
            assert_eq!((in_words(nanos).as_str(), about(nanos).as_str()), (exactly, nearly));
        }
        assert_eq!((about(-5), about(i64::MIN)), ("0 s".to_owned(), "0 s".to_owned()));
    }

    #[test]
    fn bare_numbers_are_seconds_exactly() {
        for (text, nanos) in [
            ("90", 90_000_000_000),
            ("0", 0),
            ("0.5", 500_000_000),
            ("1.000000001", 1_000_000_001),
            ("2.5000000000", 2_500_000_000),
            ("1.5h", 5_400_000_000_000),
        ] {
            assert_eq!(read_or_seconds(text), Ok(Some(Duration::from_nanos(nanos))), "{text}");
        }
        for text in ["", ".", ".5", "5.", "-5", "+5", "1.5.5", "1e3", "0.0000000001", "99999999999999999999"] {
            assert_eq!(read_or_seconds(text), Ok(None), "{text}");
        }
        assert!(read_or_seconds("5M").is_err());
    }

    proptest! {
        #[test]
        fn an_option_in_whole_seconds_is_read_as_what_it_says(seconds in 1..i64::MAX / SECOND) {
            let length = u64::try_from(seconds).map(Duration::from_secs).unwrap();
            prop_assert_eq!(read(&as_option(seconds * SECOND)), Ok(Some(length)));
            let rounded = rounded_up(seconds * SECOND);
            prop_assert!(rounded >= seconds * SECOND && rounded - seconds * SECOND < HOUR);
        }

        #[test]
        fn lengths_are_read_from_what_is_shown(nanos: u64) {
            let length = Duration::from_nanos(nanos);
            prop_assert_eq!(read(&shown(length)), Ok(Some(length)));
        }

        /// Each letter that humantime takes for a unit, in either case, is one unit or refused:
        /// none is another in capitals.
        #[test]
        fn no_capital_makes_another_length(number in 1u32..1000, unit in "[a-z]{1,6}") {
            let small = read(&format!("{number}{unit}")).ok().flatten();
            let capital = read(&format!("{number}{}", unit.to_uppercase())).ok().flatten();
            prop_assert!(capital.is_none() || capital == small, "{} {:?} {:?}", unit, small, capital);
        }
    }
}
