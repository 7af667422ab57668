//! The slow and obvious reader of the forms, which the tests compare with: templates are tried one
//! after the other, and `jiff` says what a date means.
//!
//! Not here: the tests. Invariant: nothing is shared with what is tested but the types.

use jiff::civil::{DateTime, date};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::model::{Timestamp, Unfit, Units};

/// What a template found.
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    year: Option<i16>,
    month: i8,
    day: i8,
    clock: [i8; 3],
    nanos: i64,
    offset: Option<i32>,
    refused: bool,
}

/// Dates with times of day: `Y` is four digits of a year, `m` two of a month, `d` two of a day,
/// `e` a day as syslog has it, `b` letters, `H` a time of day with seconds, `M` without, `C`
/// together, `f` a fraction that may be there, `z` an offset that may be there.
const RFC3339: &[&str] = &[
    "Y-m-dTHfz",
    "Y-m-dtHfz",
    "Y-m-d Hfz",
    "Y-m-dTMz",
    "Y-m-dtMz",
    "Y-m-d Mz",
    "Y/m/dTHfz",
    "Y/m/dtHfz",
    "Y/m/d Hfz",
    "Y/m/dTMz",
    "Y/m/dtMz",
    "Y/m/d Mz",
    "YmdTCfz",
    "YmdtCfz",
];
const CLF: &[&str] = &["d/b/Y:Hfz"];
const SYSLOG: &[&str] = &["b e Hfz", "b e Y Hfz", "Y b e Hfz", "b e Hf Yz"];

/// What a text means, in all forms of these names, and whether its time of day was there twice or
/// not at all.
pub fn read(forms: &[&str], text: &[u8], latest: Timestamp, zone: &TimeZone) -> (Result<Timestamp, Unfit>, [u64; 2]) {
    let refused = (Err(Unfit::NoStamp), [0, 0]);
    let mut found = Vec::new();
    for form in forms {
        let templates = match *form {
            "rfc3339" => RFC3339,
            "clf" => CLF,
            "syslog" => SYSLOG,
            _ => {
                let number = Units::AUTO.read(text);
                if number != Err(Unfit::NoStamp) {
                    return (number, [0, 0]);
                }
                continue;
            }
        };
        let all = templates.iter().filter_map(|template| matched(template, text));
        found.extend(all.filter(|parts| !parts.refused));
    }
    assert!(found.len() < 2, "{} has two forms: {found:?}", text.escape_ascii());
    let Some(parts) = found.pop() else { return refused };
    match parts.year {
        Some(year) => match local(&parts, year) {
            Some(local) => resolve(&parts, local, zone),
            None => refused,
        },
        None => {
            let year = Offset::UTC.to_datetime(jiff::Timestamp::from_nanosecond(latest.nanos().into()).unwrap()).year();
            for year in (year - 8..=year + 1).rev() {
                let Some(local) = local(&parts, year) else { continue };
                let (found, counts) = resolve(&parts, local, zone);
                if found.is_ok_and(|time| time <= latest) || found == Err(Unfit::TooEarly) {
                    return (found, counts);
                }
            }
            refused
        }
    }
}

fn local(parts: &Parts, year: i16) -> Option<DateTime> {
    let [hour, minute, second] = parts.clock;
    DateTime::new(year, parts.month, parts.day, hour, minute, second.min(59), 0).ok()
}

fn resolve(parts: &Parts, local: DateTime, zone: &TimeZone) -> (Result<Timestamp, Unfit>, [u64; 2]) {
    // As if there were no zones: the library has no instants near the end of the year 9999.
    let epoch = date(1970, 1, 1).at(0, 0, 0, 0);
    let plain = local.duration_since(epoch).as_secs();
    if !(1600..2300).contains(&local.year()) {
        return (Err(if plain < 0 { Unfit::TooEarly } else { Unfit::TooLate }), [0, 0]);
    }
    let (offset, counts) = match parts.offset {
        Some(offset) => (offset, [0, 0]),
        None => {
            let ambiguous = zone.to_ambiguous_timestamp(local);
            let counts = match ambiguous.offset() {
                AmbiguousOffset::Unambiguous { .. } => [0, 0],
                AmbiguousOffset::Fold { .. } => [1, 0],
                AmbiguousOffset::Gap { .. } => [0, 1],
            };
            ((plain - ambiguous.compatible().unwrap().as_second()) as i32, counts)
        }
    };
    let leap = i128::from(parts.clock[2] == 60) * 1_000_000_000;
    let nanos = i128::from(plain - i64::from(offset)) * 1_000_000_000 + i128::from(parts.nanos) + leap;
    let unfit = if nanos < 0 { Unfit::TooEarly } else { Unfit::TooLate };
    (i64::try_from(nanos).map(Timestamp::from_nanos).map_err(|_| unfit), counts)
}

/// What a template finds in a text, if it is the whole of it.
fn matched(template: &str, text: &[u8]) -> Option<Parts> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = Parts::default();
    let mut rest = text;
    for letter in template.chars() {
        rest = match letter {
            'Y' => {
                let (year, rest) = number(rest, 4)?;
                parts.year = Some(year);
                rest
            }
            'm' => small(rest, &mut parts.month)?,
            'd' => small(rest, &mut parts.day)?,
            'e' if rest.starts_with(' ') => one(&rest[1..], &mut parts.day)?,
            'e' if rest.as_bytes().get(1) == Some(&b' ') => one(rest, &mut parts.day)?,
            'e' => small(rest, &mut parts.day)?,
            'b' => {
                let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
                let name = rest.get(..3)?.to_ascii_lowercase();
                parts.month = 1 + names.iter().position(|known| *known == name)? as i8;
                &rest[3..]
            }
            'H' => clock(rest, &mut parts, ":", 3)?,
            'M' => clock(rest, &mut parts, ":", 2)?,
            'C' => clock(rest, &mut parts, "", 3)?,
            'f' => fraction(rest, &mut parts),
            'z' => zone(rest, &mut parts)?,
            other => rest.strip_prefix(other)?,
        };
    }
    let [hour, minute, second] = parts.clock;
    let has_day = is_day(parts.month, parts.day);
    (rest.is_empty() && has_day && hour < 24 && minute < 60 && second < 61).then_some(parts)
}

/// Whether a month has such a day in some year.
fn is_day(month: i8, day: i8) -> bool {
    date(2024, 1, 1).with().month(month).build().is_ok_and(|first| (1..=first.days_in_month()).contains(&day))
}

fn number(text: &str, digits: usize) -> Option<(i16, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    Some((number, rest))
}

fn small<'a>(text: &'a str, into: &mut i8) -> Option<&'a str> {
    let (number, rest) = number(text, 2)?;
    *into = number as i8;
    Some(rest)
}

fn one<'a>(text: &'a str, into: &mut i8) -> Option<&'a str> {
    let (number, rest) = number(text, 1)?;
    *into = number as i8;
    Some(rest)
}

fn clock<'a>(text: &'a str, parts: &mut Parts, between: &str, count: usize) -> Option<&'a str> {
    let mut rest = text;
    for (at, into) in parts.clock.iter_mut().take(count).enumerate() {
        rest = if at > 0 { rest.strip_prefix(between)? } else { rest };
        rest = small(rest, into)?;
    }
    Some(rest)
}

fn fraction<'a>(text: &'a str, parts: &mut Parts) -> &'a str {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return text };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let padded = format!("{:0<9}", &digits[..end]);
    parts.refused = end == 0 || padded[9..].contains(|c| c != '0');
    parts.nanos = padded[..9].parse().unwrap();
    &digits[end..]
}

fn zone<'a>(text: &'a str, parts: &mut Parts) -> Option<&'a str> {
    if text.is_empty() {
        return Some(text);
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    if ["Z", "z", "UTC", "GMT"].contains(&text) {
        parts.offset = Some(0);
        return Some("");
    }
    let digits = text.strip_prefix(['+', '-'])?;
    let (mut hours, mut minutes) = (0, 0);
    let mut rest = small(digits, &mut hours)?;
    if !rest.is_empty() {
        rest = small(rest.strip_prefix(':').unwrap_or(rest), &mut minutes)?;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    parts.offset = Some(sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60));
    (hours < 24 && minutes < 60).then_some(rest)
}
