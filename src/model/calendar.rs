//! Dates and times of day that do not exist: which part of one is wrong.
//!
//! Not here: what a date means (`moment`), and times that a zone skips. Invariant: nothing is
//! expected of a text that has the form of a date and whose parts all exist.

use jiff::civil::Date;

/// What is expected of a text that has the form of a date or of a time of day but does not exist;
/// `None` if it has another form, or if all its parts exist.
pub fn expected(text: &str) -> Option<String> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    if time.is_none() && is_time_of_day(date) {
        return Some(format!("expected a date before the time of day, e.g. 2026-01-31 {EXAMPLE}"));
    }
    wrong_date(date).or_else(|| wrong_time(time?))
}

/// A date and time of day with the offset right behind it, if a blank or a word for UTC stands
/// there: as `date` and others print it, `2026-01-31 12:00:00 +0100`.
pub fn with_offset_joined(text: &str) -> Option<String> {
    let at = text.find("UTC").or_else(|| text.find("GMT"));
    let (time, offset) = match at {
        Some(at) if text.len() == at + 3 => (&text[..at], "Z"),
        _ => text.rsplit_once(' ').filter(|(_, offset)| is_offset(offset))?,
    };
    let time = time.trim_end();
    let time_of_day = time.get(11..).filter(|_| has_date(time))?;
    is_time_of_day(time_of_day).then(|| format!("{time}{offset}"))
}

/// Whether a word is an offset from UTC, or stands for none.
pub fn is_offset(word: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_digit() || c == ':';
    let digits = word.strip_prefix(['+', '-']);
    matches!(word, "Z" | "z" | "UTC" | "GMT")
        || digits.is_some_and(|it| it.starts_with(is_of_one) && it.chars().all(is_of_one))
}

/// What stands behind a date, or a date and a time of day, where the name of a zone may.
pub fn zone_behind(text: &str) -> Option<&str> {
    let (time, name) = text.rsplit_once(' ')?;
    let is_name = name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_local = has_date(time) && time.get(11..).is_none_or(is_time_of_day);
    (is_name && is_local).then_some(name)
}

/// Whether a text begins with what has the form of a date.
fn has_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    date.len() == 10 && date.split('-').count() == 3 && date.split('-').all(|part| number(part).is_some())
}

/// A time of day that stands in examples.
const EXAMPLE: &str = "12:00";

/// The most hours that an offset has: no zone ever had more than 16.
pub const MOST_HOURS: i64 = 23;

/// What is expected of an offset from UTC.
pub const OFFSET: &str = "expected an offset from -23:59 to +23:59 (those in use lie between -12:00 and +14:00)";

fn is_time_of_day(text: &str) -> bool {
    text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.'))
}

fn wrong_date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let (year_number, month_number, day_number) = (number(year)?, number(month)?, number(day)?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return Some("expected four digits of the year and two each of month and day, e.g. 2026-01-31".to_owned());
    }
    if !(1..=12).contains(&month_number) {
        return Some(format!("expected a month from 01 to 12, and there is no {month}"));
    }
    let first = Date::new(i16::try_from(year_number).ok()?, i8::try_from(month_number).ok()?, 1).ok()?;
    let days = first.days_in_month();
    let exists = (1..=i64::from(days)).contains(&day_number);
    (!exists).then(|| format!("expected a day from 01 to {days} in {year}-{month}, and there is no {day}"))
}

fn wrong_time(text: &str) -> Option<String> {
    let at = text.find(['+', '-', 'Z', 'z']).unwrap_or(text.len());
    let (time, offset) = text.split_at(at);
    let parts: Vec<&str> = time.split(':').collect();
    // Seconds may have a fraction.
    let whole = |text: &'_ str| number(text.split('.').next().unwrap_or_default());
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (number(hour)?, number(minute)?, 0),
        [hour, minute, second] => (number(hour)?, number(minute)?, whole(second)?),
        _ => return None,
    };
    let no = |what: &str, most: u8, found: i64| format!("expected {what} from 00 to {most}, and there is no {found}");
    if hour > 23 {
        return Some(no("an hour", 23, hour));
    }
    if minute > 59 {
        return Some(no("a minute", 59, minute));
    }
    // Unix time has no leap second, which would be 60.
    if second > 59 {
        return Some(no("a second", 59, second));
    }
    wrong_offset(offset).then(|| OFFSET.to_owned())
}

/// Whether a text has the form of an offset that no zone has.
fn wrong_offset(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return false };
    let Some(digits) = digits.split(':').map(number).collect::<Option<Vec<_>>>() else { return false };
    let (hours, minutes) = match digits[..] {
        [both] if text.len() > 3 => (both / 100, both % 100),
        [hours] => (hours, 0),
        [hours, minutes, ..] => (hours, minutes),
        [] => return false,
    };
    hours > MOST_HOURS || minutes > 59
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_part_that_does_not_exist_is_named() {
        for (text, said) in [
            ("2026-02-30", "a day from 01 to 28 in 2026-02, and there is no 30"),
            ("2024-02-30", "a day from 01 to 29 in 2024-02"),
            ("2026-04-31 12:00", "a day from 01 to 30 in 2026-04"),
            ("2026-01-00", "a day from 01 to 31"),
            ("2026-13-01", "a month from 01 to 12, and there is no 13"),
            ("2026-00-01", "a month from 01 to 12"),
            ("2026-1-31", "two each of month and day"),
            ("26-01-31", "four digits of the year"),
            ("2026-01-31 25:00", "an hour from 00 to 23, and there is no 25"),
            ("2026-01-31T24:00", "an hour from 00 to 23"),
            ("2026-01-31T12:60", "a minute from 00 to 59, and there is no 60"),
            ("2026-01-31T12:00:61Z", "a second from 00 to 59"),
            ("2026-01-31T12:00:00+25:00", "an offset from -23:59 to +23:59"),
            ("2026-01-31T12:00:00-2400", "an offset from"),
            ("2026-01-31T12:00:00+02:60", "an offset from"),
            ("12:00", "a date before the time of day"),
            ("25:00", "a date before the time of day"),
        ] {
            assert!(expected(text).is_some_and(|found| found.contains(said)), "{text} {:?}", expected(text));
        }
        for text in ["", "x", "2026", "2026-01-31", "2026-W05-6", "2026-01-31T", "1-2-x", "2026-01-31T12", "a:b"] {
            assert_eq!(expected(text), None, "{text}");
        }
    }

    proptest! {
        /// By the library that reads dates: a part is found wrong where it reads none, and only
        /// there.
        #[test]
        fn what_is_wrong_is_what_cannot_be_read(
            year in 1i64..9999, month in 0i64..15, day in 0i64..34, hour in 0i64..27, minute in 0i64..63, second in 0i64..60
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
            prop_assert_eq!(expected(&text).is_some(), text.parse::<jiff::civil::DateTime>().is_err(), "{}", text);
        }

        #[test]
        fn any_text_is_looked_at_without_panic(text in "[-+0-9TZ:. ä]{0,30}") {
            let _ = expected(&text);
        }
    }
}
