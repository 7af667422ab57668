//! What may stand behind a time of day: a fraction of its second, and an offset from UTC.
//!
//! Not here: dates and times of day (`form`). Invariant: no digit is dropped that is not zero.

use super::eight::{DigitTemplate, digits, eight};
use super::written::TimeTail;

/// The fraction and the offset that are all that a text has from a place on.
#[inline(always)]
pub fn tail(text: &[u8], at: usize) -> Option<TimeTail> {
    let (nanos, at) = fraction(text, at)?;
    Some(TimeTail { nanos, offset: offset(text.get(at..)?)? })
}

/// Nanoseconds of the fraction at a place of a text, 0 if there is none, and the place behind it.
/// `None` if there are no digits behind its point, or if one beyond the ninth counts.
#[inline(always)]
pub fn fraction(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let Some(b'.' | b',') = text.get(at) else { return Some((0, at)) };
    let (count, number) = digits(eight(text, at + 1));
    let nanos = 10 * number as i64;
    match count {
        0 => None,
        1..8 => Some((nanos, at + 1 + count)),
        _ => long_fraction(text, at + 9, nanos),
    }
}

/// The same of a fraction that has eight digits at least, from the place of the ninth on.
fn long_fraction(text: &[u8], ninth: usize, nanos: i64) -> Option<(i64, usize)> {
    let digit = |at: usize| text.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
    let Some(last) = digit(ninth) else { return Some((nanos, ninth)) };
    let mut at = ninth + 1;
    while let Some(digit) = digit(at) {
        if digit != 0 {
            return None;
        }
        at += 1;
    }
    Some((nanos + last, at))
}

const HOURS: DigitTemplate = DigitTemplate::of(b"00\0\0\0\0\0\0");
const HOURS_MINUTES: DigitTemplate = DigitTemplate::of(b"0000\0\0\0\0");
const HOURS_COLON_MINUTES: DigitTemplate = DigitTemplate::of(b"00:00\0\0\0");

/// The offset that is the whole of a text, in seconds, and `None` in it for an empty text: `Z`,
/// `UTC`, `GMT`, or hours and perhaps minutes, with or without a blank before it.
#[inline]
pub fn offset(text: &[u8]) -> Option<Option<i64>> {
    let text = match text {
        [] => return Some(None),
        [b'Z'] => return Some(Some(0)),
        [b' ', text @ ..] => text,
        text => text,
    };
    let sign = match text {
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        [b'Z' | b'z'] | [b'U', b'T', b'C'] | [b'G', b'M', b'T'] => return Some(Some(0)),
        _ => return None,
    };
    let (hours, minutes) = match *text {
        [_, a, b] => (HOURS.pairs(u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]))?[0], 0),
        [_, a, b, c, d] => {
            let pairs = HOURS_MINUTES.pairs(u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0]))?;
            (pairs[0], pairs[2])
        }
        [_, a, b, colon, c, d] => {
            let pairs = HOURS_COLON_MINUTES.pairs(u64::from_le_bytes([a, b, colon, c, d, 0, 0, 0]))?;
            (pairs[0], pairs[3])
        }
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| Some(sign * i64::from(3_600 * hours + 60 * minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_exact_or_none() {
        let cases: &[(&str, Option<(i64, &str)>)] = &[
            ("", Some((0, ""))),
            ("Z", Some((0, "Z"))),
            (".5", Some((500_000_000, ""))),
            (",5Z", Some((500_000_000, "Z"))),
            (".123456789+01", Some((123_456_789, "+01"))),
            (".1234567890000", Some((123_456_789, ""))),
            (".1234567Z", Some((123_456_700, "Z"))),
            (".12345678 UTC", Some((123_456_780, " UTC"))),
            (".1234567891", None),
            (".0000000001", None),
            (".000000000000000000000000000000000000000000000000000000000000000001", None),
            (".", None),
            (".Z", None),
            (",-", None),
            ("..5", None),
        ];
        for (text, found) in cases {
            for before in ["", "2024-01-31T10:00:00"] {
                let whole = format!("{before}{text}");
                let found = found.map(|(nanos, rest)| (nanos, whole.len() - rest.len()));
                assert_eq!(fraction(whole.as_bytes(), before.len()), found, "{text}");
            }
        }
    }

    #[test]
    fn offsets_have_hours_and_perhaps_minutes() {
        let cases: &[(&str, Option<Option<i64>>)] = &[
            ("", Some(None)),
            ("Z", Some(Some(0))),
            ("z", Some(Some(0))),
            (" Z", Some(Some(0))),
            (" UTC", Some(Some(0))),
            ("GMT", Some(Some(0))),
            ("+01:00", Some(Some(3_600))),
            ("-0130", Some(Some(-5_400))),
            ("-00:30", Some(Some(-1_800))),
            ("-00:00", Some(Some(0))),
            (" +05", Some(Some(18_000))),
            ("+23:59", Some(Some(86_340))),
            ("+24:00", None),
            ("+01:60", None),
            ("+1", None),
            ("+1:00", None),
            ("+01:0", None),
            ("+01:", None),
            ("+010", None),
            ("+01-00", None),
            ("+01:00:00", None),
            ("01:00", None),
            ("+ab", None),
            ("+0a:00", None),
            ("  Z", None),
            (" ", None),
            ("utc", None),
            ("CET", None),
            ("ZZ", None),
            ("\u{2212}01", None),
        ];
        for (text, found) in cases {
            assert_eq!(offset(text.as_bytes()), *found, "{text}");
        }
    }
}
