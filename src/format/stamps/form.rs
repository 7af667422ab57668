//! The forms in which logs write times, and which of them a text has.
//!
//! Not here: numbers (`model::stamp`), forms that people describe (`pattern`), and what a time
//! means (`written`). Invariant: no text has two of these forms, so what a form reads does not
//! depend on which was expected.

use super::civil::{self, DAY};
use super::eight::{DigitTemplate, eight};
use super::tail::{fraction, offset, tail};
use super::written::{TimeTail, WrittenTime, YearlessTime};

/// The form that a text has, if it has any: what tells them apart stands at fixed places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownForm {
    /// `2024-01-31T10:00:00Z`, and what is written alike.
    Rfc3339,
    /// `31/Jan/2024:10:00:00 +0000`, as web servers write it.
    Clf,
    /// `Jan 31 10:00:00`, perhaps with a year.
    Syslog,
    /// Digits.
    Number,
}

impl KnownForm {
    /// The only form that a text can have.
    #[inline]
    pub fn of(text: &[u8]) -> Self {
        match *text {
            [_, _, _, _, b'-' | b'/', ..] | [_, _, _, _, _, _, _, _, b'T' | b't', ..] => KnownForm::Rfc3339,
            [_, _, b'/', ..] => KnownForm::Clf,
            [b'A'..=b'Z' | b'a'..=b'z', ..] | [_, _, _, _, b' ', ..] => KnownForm::Syslog,
            _ => KnownForm::Number,
        }
    }
}

/// A time of the form of syslog, which may have no year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyslogTime {
    /// It has one.
    Dated(WrittenTime),
    /// It has none.
    Yearless(YearlessTime),
}

const CLOCK: DigitTemplate = DigitTemplate::of(b"00:00:00");
const DASHES: DigitTemplate = DigitTemplate::of(b"0000-00-");
const SLASHES: DigitTemplate = DigitTemplate::of(b"0000/00/");
/// The year of the common log format; what the date has before it is looked at by itself.
const CLF_YEAR: DigitTemplate = DigitTemplate::of(b"/0000:\0\0");

/// RFC 3339 and its relatives: a blank in place of the `T`, slashes in the date, no seconds, no
/// offset or one without colon, and the basic form of ISO 8601, `20240131T100000Z`.
#[inline]
pub fn rfc3339(text: &[u8]) -> Option<WrittenTime> {
    match text.first_chunk::<19>() {
        Some(time) if time[16] == b':' => {
            let (local, is_leap) = dashed(time)?;
            Some(WrittenTime { local, tail: tail(text, 19)?.after(is_leap) })
        }
        _ => rare_rfc3339(text),
    }
}

/// The same without seconds, or in the basic form.
#[inline(never)]
fn rare_rfc3339(text: &[u8]) -> Option<WrittenTime> {
    if let Some(&[a, b, c, d, e, f, g, h, t @ (b'T' | b't'), i, j, k, l, m, n]) = text.first_chunk() {
        let time = [a, b, c, d, b'-', e, f, b'-', g, h, t, i, j, b':', k, l, b':', m, n];
        let (local, is_leap) = dashed(&time)?;
        return Some(WrittenTime { local, tail: tail(text, 15)?.after(is_leap) });
    }
    let (minute, behind) = text.split_first_chunk::<16>()?;
    let mut time = *b"0000-00-00T00:00:00";
    time[..16].copy_from_slice(minute);
    // There is no fraction where there are no seconds.
    Some(WrittenTime { local: dashed(&time)?.0, tail: TimeTail { nanos: 0, offset: offset(behind)? } })
}

/// `2024-01-31T10:00:00`: seconds from 1970, and whether it is a leap second.
#[inline(always)]
fn dashed(text: &[u8; 19]) -> Option<(i64, bool)> {
    let template = if text[4] == b'/' { SLASHES } else { DASHES };
    let [century, _, year, _, _, month, ..] = template.pairs(eight(text, 0))?;
    let day = two_digits([text[8], text[9]])?;
    if !matches!(text[10], b'T' | b't' | b' ') {
        return None;
    }
    let (second, is_leap) = clock(eight(text, 11))?;
    Some((civil::days(100 * century + year, month, day)? * DAY + second, is_leap))
}

/// `10:00:00`: seconds from midnight, and whether it is a leap second.
#[inline(always)]
fn clock(text: u64) -> Option<(i64, bool)> {
    let [hour, _, _, minute, _, _, second, _] = CLOCK.pairs(text)?;
    civil::second_of_day(hour, minute, second)
}

/// The form of the common log format: `31/Jan/2024:10:00:00 +0000`.
#[inline]
pub fn clf(text: &[u8]) -> Option<WrittenTime> {
    let time = text.first_chunk::<20>()?;
    let day = two_digits([time[0], time[1]]).filter(|_| time[2] == b'/')?;
    let month = month([time[3], time[4], time[5]])?;
    let [_, century, _, year, ..] = CLF_YEAR.pairs(eight(time, 4) >> 16)?;
    let (second, is_leap) = clock(eight(time, 12))?;
    let local = civil::days(100 * century + year, month, day)? * DAY + second;
    Some(WrittenTime { local, tail: tail(text, 20)?.after(is_leap) })
}

/// The form of RFC 3164, `Jan 31 10:00:00`: a day below ten has a blank or a zero before it, or
/// nothing. A year may stand before the month, before the time of day, or behind it.
#[inline]
pub fn syslog(text: &[u8]) -> Option<SyslogTime> {
    let (before, text) = year_before(text);
    let (&[a, b, c, b' '], text) = text.split_first_chunk()? else { return None };
    let month = month([a, b, c])?;
    let (day, text) = day(text)?;
    let (between, text) = match before {
        Some(_) => (None, text),
        None => year_before(text),
    };
    let (second, is_leap) = clock(eight(text, 0))?;
    let (nanos, at) = fraction(text, 8)?;
    let text = text.get(at..)?;
    let (behind, text) = match before.or(between) {
        Some(_) => (None, text),
        None => year_behind(text),
    };
    let tail = TimeTail { nanos, offset: offset(text)? }.after(is_leap);
    match before.or(between).or(behind) {
        Some(year) => {
            let local = civil::days(year, month, day)? * DAY + second;
            Some(SyslogTime::Dated(WrittenTime { local, tail }))
        }
        None => civil::is_day(month, day).then_some(SyslogTime::Yearless(YearlessTime { month, day, second, tail })),
    }
}

/// Four digits and a blank at the beginning of a text.
#[inline]
fn year_before(text: &[u8]) -> (Option<u32>, &[u8]) {
    match text.split_first_chunk() {
        Some((&[a, b, c, d, b' '], rest)) => match four_digits([a, b, c, d]) {
            Some(year) => (Some(year), rest),
            None => (None, text),
        },
        _ => (None, text),
    }
}

/// A blank and four digits at the beginning of a text.
#[inline]
fn year_behind(text: &[u8]) -> (Option<u32>, &[u8]) {
    match text.split_first_chunk() {
        Some((&[b' ', a, b, c, d], rest)) => match four_digits([a, b, c, d]) {
            Some(year) => (Some(year), rest),
            None => (None, text),
        },
        _ => (None, text),
    }
}

fn four_digits([a, b, c, d]: [u8; 4]) -> Option<u32> {
    Some(100 * two_digits([a, b])? + two_digits([c, d])?)
}

#[inline(always)]
fn two_digits(text: [u8; 2]) -> Option<u32> {
    let [tens, ones] = text.map(|byte| u32::from(byte.wrapping_sub(b'0')));
    (tens < 10 && ones < 10).then_some(10 * tens + ones)
}

/// The day at the beginning of a text, and what stands behind the blank behind it.
#[inline]
fn day(text: &[u8]) -> Option<(u32, &[u8])> {
    let (tens, ones, rest) = match *text {
        [b' ', ones, b' ', ref rest @ ..] => (b'0', ones, rest),
        [tens, ones, b' ', ref rest @ ..] => (tens, ones, rest),
        [ones, b' ', ref rest @ ..] => (b'0', ones, rest),
        _ => return None,
    };
    Some((two_digits([tens, ones])?, rest))
}

/// By the remainder of its first three letters by their number: each month, with its number in the
/// lowest byte. No two months have the same remainder.
const MONTHS: [u32; 31] = {
    let names = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let (mut months, mut at) = ([0; 31], 0);
    while at < 12 {
        let name = u32::from_be_bytes([0, names[3 * at], names[3 * at + 1], names[3 * at + 2]]);
        months[name as usize % months.len()] = name << 8 | (at as u32 + 1);
        at += 1;
    }
    months
};

/// A month by the first three letters of its English name, small or not.
#[inline(always)]
fn month([a, b, c]: [u8; 3]) -> Option<u32> {
    // Only letters become small letters so.
    let name = u32::from_be_bytes([0, a, b, c]) | 0x0020_2020;
    let found = MONTHS[name as usize % MONTHS.len()];
    (found >> 8 == name).then_some(found & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_told_by_their_letters() {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        for (at, name) in names.into_iter().enumerate() {
            for name in [name.to_owned(), name.to_uppercase(), format!("{}{}", name[..1].to_uppercase(), &name[1..])] {
                let bytes: [u8; 3] = name.as_bytes().try_into().unwrap();
                assert_eq!(month(bytes), Some(at as u32 + 1), "{name}");
            }
        }
        // Of all three bytes, only these.
        let all = (0..1 << 24).filter(|name: &u32| month(name.to_le_bytes()[..3].try_into().unwrap()).is_some());
        assert_eq!(all.count(), 12 * 8);
    }
}
