//! Moments: instants as people give them, in options and files.
//!
//! A number means what it means as a stamp. A date, with a time of day or without, stands in the
//! zone that is given. Words rest on now, on its day, or on the highest stamp of the inputs, and a
//! length may be added: `latest-1h`. Not here: what now is, and the stamps. Invariant: a moment is
//! exact; what does not fit is refused, with the reason.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::stamp::{Unfit, Units};
use super::time::Timestamp;
use super::{calendar, length, zone};

/// An instant, or what one rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An instant.
    At(Timestamp),
    /// A day, or a time of one, in a zone that is given elsewhere.
    Local(Local),
    /// So many nanoseconds after what a word means.
    Word(Word, i64),
}

/// A date in no zone yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// The first instant of a day.
    Day(Date),
    /// A time of a day.
    Time(DateTime),
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// When the run starts.
    Now,
    /// The first instant of the day that now is in.
    Today,
    /// The first instant of the day before it.
    Yesterday,
    /// The highest stamp of the inputs that is not in the future.
    Latest,
}

impl Word {
    /// All words.
    pub const ALL: [Word; 4] = [Word::Now, Word::Today, Word::Yesterday, Word::Latest];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Word::Now => "now",
            Word::Today => "today",
            Word::Yesterday => "yesterday",
            Word::Latest => "latest",
        }
    }
}

impl Moment {
    /// When the run starts.
    pub const NOW: Moment = Moment::Word(Word::Now, 0);
    /// Where Unix time begins.
    pub const EPOCH: Moment = Moment::At(Timestamp::from_seconds(0));
    /// The highest stamp of the inputs.
    pub const LATEST: Moment = Moment::Word(Word::Latest, 0);

    /// The moment that a text means, if its word is one of these. `Ok(None)` if it is not a moment;
    /// an error, with what is wrong, if it has the form of one and does not fit.
    pub fn read(text: &str, words: &[&str]) -> Result<Option<Self>, String> {
        match Units::AUTO.read(text.as_bytes()) {
            Ok(time) => return Ok(Some(Moment::At(time))),
            Err(Unfit::TooEarly | Unfit::TooLate) => return Err(beyond()),
            Err(Unfit::NoStamp) => {}
        }
        if let Some(word) = word(text, words)? {
            return Ok(Some(word));
        }
        if length::read(text)?.is_some() {
            let stamp = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
            if stamp.len() > 8 && stamp.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("expected an instant, and a stamp has no unit behind it ({stamp})"));
            }
            return Err(match words.contains(&Word::Now.name()) {
                true => format!("expected an instant (-{text} is that long before now)"),
                false => "expected an instant and no length of time".to_owned(),
            });
        }
        let joined = calendar::with_offset_joined(text);
        let text = joined.as_deref().unwrap_or(text);
        if let Some(zone) = calendar::zone_behind(text).and_then(zone::named) {
            return Err(format!("expected a time with an offset or with none; give the zone with --timezone {zone}"));
        }
        if !text.chars().all(|c| c.is_ascii_digit() || " :.+-TtZz".contains(c)) {
            return Ok(None);
        }
        if let Some(expected) = calendar::expected(text) {
            return Err(expected);
        }
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return exact(instant).map(|time| Some(Moment::At(time)));
        }
        // What has an offset and was not an instant is not one without it either.
        let time_of_day = text.get(10..).unwrap_or_default();
        if time_of_day.contains(['+', '-', 'Z', 'z']) {
            return Ok(None);
        }
        let date = || text.parse::<Date>().map(Local::Day);
        let time = || text.parse::<DateTime>().map(Local::Time);
        let local = if time_of_day.is_empty() { date() } else { time() };
        Ok(local.ok().map(Moment::Local))
    }

    /// What is said of a number that is hardly meant as the stamp that it is: a day or a year
    /// without dashes or, where that is possible, a length before now.
    pub fn doubt(text: &str, may_be_before_now: bool) -> Option<String> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let year = |text: &str| text.parse().ok().filter(|year| (1990..=2100).contains(year));
        let meant = match (text.strip_prefix('-'), text.len()) {
            (Some(seconds), ..=6) if may_be_before_now && is_number(seconds) => {
                format!("for that long before now, write {text}s")
            }
            (None, 4) if is_number(text) => {
                year(text)?;
                format!("for the year, write {text}-01-01")
            }
            (None, 8) if is_number(text) => {
                let day = Date::new(year(&text[..4])?, text[4..6].parse().ok()?, text[6..].parse().ok()?);
                format!("for the day, write {}", day.ok()?)
            }
            _ => return None,
        };
        let stamp = Units::AUTO.read(text.as_bytes()).ok()?;
        Some(format!("{text} is {stamp}; {meant}"))
    }

    /// Whether it rests on the stamps of the inputs.
    pub fn rests_on_inputs(self) -> bool {
        matches!(self, Moment::Word(Word::Latest, _))
    }

    /// In a zone: a date becomes an instant. Errors with what is wrong.
    pub fn within(self, zone: &TimeZone) -> Result<Self, String> {
        match self {
            Moment::Local(Local::Day(date)) => first_instant(date, zone).map(Moment::At),
            Moment::Local(Local::Time(time)) => time_within(time, zone).map(Moment::At),
            other => Ok(other),
        }
    }

    /// The instant, in a zone, when `now` is now and `latest` gives the highest stamp of the
    /// inputs. Errors with what is wrong, or those of `latest`.
    pub fn resolve<E: From<String>>(
        self,
        zone: &TimeZone,
        now: Timestamp,
        latest: impl FnOnce() -> Result<Timestamp, E>,
    ) -> Result<Timestamp, E> {
        let (word, added) = match self.within(zone)? {
            Moment::At(time) => return Ok(time),
            Moment::Word(word, added) => (word, added),
            // `within` leaves no date.
            Moment::Local(_) => return Err(beyond().into()),
        };
        let base = match word {
            Word::Now => now,
            Word::Latest => latest()?,
            Word::Today | Word::Yesterday => {
                let today = zone.to_datetime(civil(now)).date();
                let day = if word == Word::Today { Ok(today) } else { today.yesterday() };
                first_instant(day.map_err(|_| beyond())?, zone)?
            }
        };
        base.checked_plus(added).ok_or_else(|| beyond().into())
    }
}

/// As it may be written again.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::At(time) => time.fmt(f),
            Moment::Local(Local::Day(date)) => date.fmt(f),
            Moment::Local(Local::Time(time)) => time.fmt(f),
            Moment::Word(word, 0) => f.write_str(word.name()),
            Moment::Word(word, added) => {
                let sign = if *added < 0 { '-' } else { '+' };
                let length = std::time::Duration::from_nanos(added.unsigned_abs());
                write!(f, "{}{sign}{}", word.name(), length::shown(length))
            }
        }
    }
}

/// A word that is one of these, and what is added to it: `latest-1h`, or `-2h` for `now-2h`.
fn word(text: &str, words: &[&str]) -> Result<Option<Moment>, String> {
    let at = text.find(['+', '-']).unwrap_or(text.len());
    let (name, added) = text.split_at(at);
    let name = if name.is_empty() && !added.is_empty() { Word::Now.name() } else { name };
    let found = Word::ALL.into_iter().find(|word| word.name() == name && words.contains(&name));
    let Some(word) = found else { return Ok(None) };
    let Some(length) = added.get(1..) else { return Ok(Some(Moment::Word(word, 0))) };
    let Some(length) = length::read_or_seconds(length)? else { return Ok(None) };
    let length = i64::try_from(length.as_nanos()).map_err(|_| beyond())?;
    Ok(Some(Moment::Word(word, if added.starts_with('-') { -length } else { length })))
}

/// The first instant of a day.
fn first_instant(date: Date, zone: &TimeZone) -> Result<Timestamp, String> {
    let midnight = zone.to_ambiguous_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    let first = midnight.compatible().map_err(|_| beyond())?;
    // Where the date line was moved, a day is left out.
    match zone.to_datetime(first).date() == date {
        true => exact(first),
        false => Err(format!("{date} is no day there, as clocks were set past it; the next begins at {first}")),
    }
}

/// The instant of a time of day. One that exists twice, or not at all, is refused.
fn time_within(time: DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    let found = zone.to_ambiguous_timestamp(time);
    match found.offset() {
        AmbiguousOffset::Unambiguous { .. } => exact(found.unambiguous().map_err(|_| beyond())?),
        AmbiguousOffset::Gap { before, after } => Err(format!(
            "{time} is no time there, as clocks were set forward; give it with its offset, {time}{before} or {time}{after}"
        )),
        AmbiguousOffset::Fold { before, after } => Err(format!(
            "{time} was there twice, as clocks were set back; give it with its offset, {time}{before} or {time}{after}"
        )),
    }
}

fn exact(instant: jiff::Timestamp) -> Result<Timestamp, String> {
    i64::try_from(instant.as_nanosecond()).map(Timestamp::from_nanos).map_err(|_| beyond())
}

/// Every timestamp is an instant that `jiff` knows.
fn civil(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).unwrap_or_default()
}

/// What is expected of a moment that does not fit.
fn beyond() -> String {
    format!("expected an instant from {} to {}", Timestamp::MIN, Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::model::zone::zone;
    use proptest::prelude::*;

    const WORDS: &[&str] = &["now", "today", "yesterday", "latest"];

    fn read(text: &str) -> Option<Moment> {
        Moment::read(text, WORDS).unwrap()
    }

    fn at(text: &str, zone_name: &str) -> Result<Timestamp, String> {
        read(text).unwrap().resolve(&zone(zone_name).unwrap(), Timestamp::from_seconds(1_700_000_000), || {
            Ok(Timestamp::from_seconds(1_600_000_000))
        })
    }

    #[test]
    fn days_begin_with_their_first_instant() {
        let seconds = |text: &str, zone: &str| at(text, zone).unwrap().nanos() / SECOND;
        assert_eq!(seconds("2023-11-14", "UTC"), 1_699_920_000);
        assert_eq!(seconds("today", "UTC"), 1_699_920_000);
        assert_eq!(seconds("yesterday", "+01:00"), 1_699_920_000 - 86_400 - 3_600);
        // It is the 15th there already.
        assert_eq!(seconds("today", "Asia/Tokyo"), 1_699_920_000 + 86_400 - 9 * 3_600);
        // Clocks went from 24:00 to 1:00: the day began at one.
        assert_eq!(seconds("2018-11-04", "America/Sao_Paulo"), 1_541_300_400);
        assert_eq!(seconds("latest-1h", "UTC"), 1_600_000_000 - 3_600);
        assert_eq!(seconds("-2h", "UTC"), 1_700_000_000 - 7_200);
        assert_eq!(seconds("latest-3600", "UTC"), 1_600_000_000 - 3_600);
        assert_eq!(seconds("now-90", "UTC"), 1_700_000_000 - 90);
        assert_eq!(at("now+0.5", "UTC").unwrap().nanos(), 1_700_000_000 * SECOND + SECOND / 2);
        // A stamp is one.
        assert_eq!(seconds("-90", "UTC"), -90);
    }

    #[test]
    fn numbers_that_look_like_dates_are_told() {
        for (text, said) in [
            ("20231114", Some("20231114 is 1970-08-23T03:45:14Z; for the day, write 2023-11-14")),
            ("2023", Some("2023 is 1970-01-01T00:33:43Z; for the year, write 2023-01-01")),
            ("-90", Some("-90 is 1969-12-31T23:58:30Z; for that long before now, write -90s")),
            ("20231341", None),
            ("1989", None),
            ("2101", None),
            ("1700000000", None),
            ("-1700000000", None),
            ("2023-11-14", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(Moment::doubt(text, true).as_deref(), said, "{text}");
        }
        assert_eq!(Moment::doubt("-90", false), None);
        // What is to be written is an instant.
        for text in ["2023-11-14", "2023-01-01", "-90s"] {
            assert!(read(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_blank_may_stand_before_an_offset() {
        for (text, same) in [
            ("2023-11-14 22:00:00 +0100", "2023-11-14T22:00:00+01:00"),
            ("2023-11-14 22:00:00 +01:00", "2023-11-14T22:00:00+01:00"),
            ("2023-11-14 22:00 -03", "2023-11-14T22:00:00-03:00"),
            ("2023-11-14 22:00:00.5  Z", "2023-11-14T22:00:00.5Z"),
            ("2023-11-14T22:00:00 UTC", "2023-11-14T22:00:00Z"),
            ("2023-11-14 22:00:00UTC", "2023-11-14T22:00:00Z"),
            ("2023-11-14 22:00 GMT", "2023-11-14T22:00:00Z"),
        ] {
            assert!(matches!(read(text), Some(Moment::At(_))), "{text}");
            assert_eq!(at(text, "Europe/Berlin"), at(same, "UTC"), "{text}");
        }
    }

    #[test]
    fn of_the_name_of_a_zone_it_is_said_where_it_is_given() {
        for (text, zone_name) in [
            ("2023-11-14 22:00:00 CET", "CET"),
            ("2023-11-14 22:00 Europe/Berlin", "Europe/Berlin"),
            ("2023-11-14T22:00 PST", "America/Los_Angeles"),
            ("2023-11-14 Europe/Berlin", "Europe/Berlin"),
        ] {
            let said = Moment::read(text, WORDS).unwrap_err();
            assert!(said.ends_with(&format!("give the zone with --timezone {zone_name}")), "{text} {said}");
        }
    }

    #[test]
    fn a_time_that_is_there_twice_or_not_at_all_is_refused_with_what_would_be_right() {
        for (text, is) in [("2026-10-25 02:30", "was there twice"), ("2026-03-29T02:30:00.5", "is no time there")] {
            let said = at(text, "Europe/Berlin").unwrap_err();
            assert!(said.contains(is), "{said}");
            let remedies: Vec<&str> = said.rsplit("offset, ").next().unwrap().split(" or ").collect();
            let instants = remedies.iter().map(|text| at(text, "Europe/Berlin").unwrap()).collect::<Vec<_>>();
            assert_eq!((instants[1].nanos() - instants[0].nanos()).abs(), 3_600 * SECOND, "{said}");
        }
    }

    #[test]
    fn what_is_none_is_none() {
        for bad in [
            "",
            "-",
            "+",
            "soon",
            "nowx",
            "now-",
            "now--1h",
            "2026-01-31T",
            "2026-01-31T12:00[UTC]",
            "2026-01-31 12:00 +01:00 Z",
            "2026-01-31 12:00+01:00 Z",
            "2026-01-31 12:00 +",
            "2026-01-31 +01:00",
            "2026-01-31 12:00 Nowhere",
            "2026-W05-6",
            "Z",
            "2026-01-31T12:00:00.0000000001",
            "2026-01-31T12:00:00.0000000001Z",
        ] {
            assert!(matches!(Moment::read(bad, WORDS), Ok(None)), "{bad:?} {:?}", Moment::read(bad, WORDS));
        }
    }

    #[test]
    fn what_has_the_form_of_an_instant_and_is_none_says_why() {
        for (bad, said) in [
            ("2h", "expected an instant (-2h is that long before now)"),
            ("5 s", "(-5 s is that long before now)"),
            ("1699999200s", "a stamp has no unit behind it (1699999200)"),
            ("5M", "expected m for minutes (5m)"),
            ("-5M", "expected m for minutes (5m)"),
            ("latest-1y", "expected years spelled out"),
            ("2026-1-1", "four digits of the year"),
            ("2026-01-31T24:00", "an hour from 00 to 23"),
            ("2026-02-29", "a day from 01 to 28"),
            ("2026-01-31T12:00:00+24:00", "an offset from"),
            ("12:00", "a date before the time of day"),
        ] {
            let found = Moment::read(bad, WORDS);
            assert!(found.as_ref().is_err_and(|message| message.contains(said)), "{bad} {found:?}");
        }
        assert_eq!(Moment::read("2h", &["latest"]), Err("expected an instant and no length of time".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same(nanos in prop_oneof![any::<i64>(), -9_000_000_000i64..9_000_000_000, Just(i64::MIN), Just(i64::MAX)]) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(read(&time.to_string()), Some(Moment::At(time)));
            prop_assert_eq!(read(&time.unix_decimal()), Some(Moment::At(time)));
        }

        #[test]
        fn moments_are_read_from_what_they_show(word in 0usize..4, added in prop_oneof![Just(0), any::<i64>(), -100_000i64..100_000]) {
            prop_assume!(added > i64::MIN);
            let moment = Moment::Word(Word::ALL[word], added);
            prop_assert_eq!(read(&moment.to_string()), Some(moment), "{}", moment);
        }

        #[test]
        fn sums_are_exact_or_refused(nanos: i64, added: i64) {
            let now = Timestamp::from_nanos(nanos);
            let found: Result<_, String> = Moment::Word(Word::Now, added).resolve(&TimeZone::UTC, now, || Ok(now));
            let sum = i128::from(nanos) + i128::from(added);
            prop_assert_eq!(found.ok().map(|time| i128::from(time.nanos())), i64::try_from(sum).ok().map(i128::from));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-+0-9TZ:. a-zäö]{0,30}") {
            let _ = Moment::read(&text, WORDS);
            let _ = zone(&text);
        }
    }
}
