//! Lengths of time as people write them: `90s`, `5m`, `1h30m`, `2d`.
//!
//! Not here: bare numbers, which options take for seconds. Invariant: what could be taken for another length is none. So
//! months and years, which have no one length and whose short forms look like those of minutes, are understood only where
//! they are spelled out: 30.44 and 365.25 days.

use std::time::Duration;

/// Units that are understood only spelled out: as people write them, and as they are spelled out.
const SPELLED_OUT: [(&str, &str); 4] = [("M", "months"), ("y", "years"), ("yr", "years"), ("yrs", "years")];

/// The length that a text means; `Ok(None)` if it means none. Errors with what is expected in place of a unit that is not
/// understood though it is one.
pub fn read(text: &str) -> Result<Option<Duration>, String> {
    // Numbers within which blanks stand would be joined: of `1 30m` nobody knows what is meant.
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

/// A length as it may be read again.
pub fn shown(length: Duration) -> String {
    humantime::format_duration(length).to_string().replace(' ', "")
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

    proptest! {
        #[test]
        fn lengths_are_read_from_what_is_shown(nanos: u64) {
            let length = Duration::from_nanos(nanos);
            prop_assert_eq!(read(&shown(length)), Ok(Some(length)));
        }

        /// Each letter that humantime takes for a unit, in either case, is one unit or refused: none is another in capitals.
        #[test]
        fn no_capital_makes_another_length(number in 1u32..1000, unit in "[a-z]{1,6}") {
            let small = read(&format!("{number}{unit}")).ok().flatten();
            let capital = read(&format!("{number}{}", unit.to_uppercase())).ok().flatten();
            prop_assert!(capital.is_none() || capital == small, "{} {:?} {:?}", unit, small, capital);
        }
    }
}
