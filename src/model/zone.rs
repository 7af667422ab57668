//! Time zones: names of the IANA database, and offsets.
//!
//! Not here: what an instant is in a zone (`moment`). Invariant: what is suggested in place of a
//! text is a zone.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::calendar;

/// The zone that a text names: one of the IANA database, or an offset of less than a day. Errors
/// with what is expected.
pub fn zone(text: &str) -> Result<TimeZone, String> {
    if text == "UTC" || text == "Z" {
        return Ok(TimeZone::UTC);
    }
    let no_zone = || match text.starts_with(['+', '-']) {
        true if is_short_offset(text) => "expected an offset with two digits of its hours".to_owned(),
        true => calendar::OFFSET.to_owned(),
        false => "expected a time zone, e.g. UTC, Europe/Berlin or +02:00".to_owned(),
    };
    // Other forms are rules that hardly anybody means.
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/_-+:".contains(c));
    let found = DateTimeParser::new().parse_time_zone_with(&TimeZoneDatabase::bundled(), text);
    let zone = found.ok().filter(|_| plain).ok_or_else(no_zone)?;
    let is_offset = zone.to_fixed_offset().is_ok_and(|offset| i64::from(offset.seconds()).abs() < DAY);
    if zone.iana_name().is_some() || is_offset { Ok(zone) } else { Err(no_zone()) }
}

/// Whether an offset has one digit for its hours.
fn is_short_offset(text: &str) -> bool {
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    hours.len() == 1 && is_number(hours) && is_number(minutes)
}

/// Seconds of a day, in which every offset lies.
const DAY: i64 = (calendar::MOST_HOURS + 1) * 3_600;

/// The names of all zones.
pub fn zone_names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// Abbreviations of zones that people use and the database does not know, in small letters, with
/// the zones that have them now or in another season.
const LETTERS: [(&str, &str); 20] = [
    ("aedt", "Australia/Sydney"),
    ("aest", "Australia/Sydney"),
    ("bst", "Europe/London"),
    ("cdt", "America/Chicago"),
    ("cest", "Europe/Berlin"),
    ("cst", "America/Chicago"),
    ("edt", "America/New_York"),
    ("eest", "Europe/Athens"),
    ("hkt", "Asia/Hong_Kong"),
    ("ist", "Asia/Kolkata"),
    ("jst", "Asia/Tokyo"),
    ("kst", "Asia/Seoul"),
    ("mdt", "America/Denver"),
    ("msk", "Europe/Moscow"),
    ("nzdt", "Pacific/Auckland"),
    ("nzst", "Pacific/Auckland"),
    ("pdt", "America/Los_Angeles"),
    ("pst", "America/Los_Angeles"),
    ("sgt", "Asia/Singapore"),
    ("west", "Europe/Lisbon"),
];

/// The zones that a text which names none may have been meant to name, a few at most: an offset
/// behind `UTC`, a city, what people call a zone.
pub fn meant(text: &str) -> Vec<String> {
    let text = text.trim().to_lowercase().replace(' ', "_");
    if let Some(offset) = offset(&text) {
        return vec![offset];
    }
    if let Some((_, name)) = LETTERS.iter().find(|(letters, _)| *letters == text) {
        return vec![(*name).to_owned()];
    }
    let is_city = |name: &str| name.rsplit('/').next() == Some(&text[..]);
    let found = zone_names().into_iter().filter(|name| is_city(&name.to_lowercase()));
    found.take(3).collect()
}

/// A zone of a region, whose name is the first part of theirs.
pub fn of_region(text: &str) -> Option<String> {
    let is_there = |name: &str| name.split_once('/').is_some_and(|(region, _)| region.eq_ignore_ascii_case(text));
    // The one of all examples comes first.
    let known = std::iter::once("Europe/Berlin").chain(LETTERS.map(|(_, name)| name));
    let known = known.map(str::to_owned).find(|name| is_there(name));
    known.or_else(|| zone_names().into_iter().find(|name| is_there(name)))
}

/// The zone that a name is or may be meant for, as it is written.
pub fn named(text: &str) -> Option<String> {
    match zone(text) {
        Ok(_) => Some(text.to_owned()),
        Err(_) => meant(text).into_iter().next(),
    }
}

/// An offset behind `UTC` or `GMT`, or one that is not written out: `utc+1`, `gmt-03:30`, `+2`.
fn offset(text: &str) -> Option<String> {
    let rest = ["utc", "gmt"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text).trim_start_matches('_');
    let (sign, digits) = rest.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "-"))?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "00"),
    };
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let offset = format!("{sign}{:02}:{:02}", number(hours)?, number(minutes)?);
    zone(&offset).is_ok().then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zones_are_names_or_offsets() {
        for good in ["UTC", "Z", "Europe/Berlin", "+02:00", "-0330", "Etc/UTC"] {
            assert!(zone(good).is_ok(), "{good}");
        }
        for bad in ["", "Mars", "EST5EDT,M3.2.0,M11.1.0", "2026-01-31", "Europe/../Berlin"] {
            assert!(zone(bad).unwrap_err().contains("expected a time zone"), "{bad}");
        }
        assert!(zone("+23:59").is_ok() && zone("-23:59:59").is_ok());
        for bad in ["+24:00", "-24", "+25:00", "-25:59:59", "+2500", "+26:00", "+99", "+1:2:3:4"] {
            assert!(zone(bad).unwrap_err().contains("from -23:59 to +23:59"), "{bad}");
        }
    }

    #[test]
    fn what_is_no_zone_may_be_meant_to_be_one() {
        for (text, names) in [
            ("Berlin", &["Europe/Berlin"][..]),
            ("berlin", &["Europe/Berlin"]),
            ("New York", &["America/New_York"]),
            ("new_york", &["America/New_York"]),
            ("UTC+1", &["+01:00"]),
            ("utc-03:30", &["-03:30"]),
            ("GMT+5", &["+05:00"]),
            ("UTC+0530", &["+05:30"]),
            ("UTC +2", &["+02:00"]),
            ("+2", &["+02:00"]),
            ("CEST", &["Europe/Berlin"]),
            ("PST", &["America/Los_Angeles"]),
            ("Louisville", &["America/Kentucky/Louisville", "America/Louisville"]),
            ("UTC+25", &[]),
            ("Mars", &[]),
            ("", &[]),
        ] {
            assert_eq!(meant(text), names, "{text}");
        }
        // These are in the database: fixed hours behind UTC, and the time of Brussels.
        for (text, hours) in [("EST", [-5, -5]), ("MST", [-7, -7]), ("CET", [1, 2])] {
            let zone = zone(text).unwrap();
            for (hours, second) in hours.iter().zip([1_700_000_000, 1_690_000_000]) {
                let offset = zone.to_offset(jiff::Timestamp::from_second(second).unwrap());
                assert_eq!(offset.seconds(), hours * 3_600, "{text}");
            }
        }
    }

    #[test]
    fn a_region_has_zones() {
        for (text, name) in [("Europe", "Europe/Berlin"), ("asia", "Asia/Hong_Kong"), ("Atlantic", "Atlantic/")] {
            let found = of_region(text).unwrap();
            assert!(found.starts_with(name) && zone(&found).is_ok(), "{found}");
        }
        assert_eq!((of_region("Berlin"), of_region(""), of_region("UTC")), (None, None, None));
    }

    proptest! {
        #[test]
        fn what_is_meant_is_a_zone(text in prop_oneof!["(utc|GMT|)[+-][0-9:]{0,5}", "[a-zA-Z_ /]{0,12}", Just("Sydney".to_owned())]) {
            for name in meant(&text) {
                prop_assert!(zone(&name).is_ok(), "{} {}", text, name);
            }
        }
    }
}
