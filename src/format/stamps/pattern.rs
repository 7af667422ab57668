//! Times in a form that people describe: `%d.%m.%Y %H:%M:%S`, by the rules of strptime.
//!
//! Not here: the forms that logs have by themselves (`form`). Invariant: a pattern that is accepted
//! has a date, perhaps without its year, and a time of day, or is a Unix time.

use jiff::civil::date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, civil::DateTime};

use super::scratch::StampScratch;
use super::written::{TimeTail, WrittenTime, in_latest_year};
use super::zone::Zone;
use crate::model::time::SECOND;
use crate::model::{Timestamp, Unfit};

/// A form of stamps, as strptime has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampPattern {
    text: String,
    /// Whether a text of it says of which year it is.
    has_year: bool,
    /// What stands before the seconds.
    before_seconds: Option<String>,
}

/// What can be read.
const KNOWN: &str = "%aAbBdDeFfgGhHIjklmMnNpPRsStTuUVwWyYz";

/// What strftime writes and strptime cannot read, or not well, and what to do about it.
const REFUSED: &[(char, &str)] = &[
    ('C', "write the year as %Y"),
    ('c', "it differs by language; write its parts, e.g. %b %d %H:%M:%S %Y"),
    ('r', "it differs by language; write %I:%M:%S %p"),
    ('x', "it differs by language; write its parts, e.g. %d.%m.%Y"),
    ('X', "it differs by language; write %H:%M:%S"),
    ('Z', "letters like CET are not one zone; write them as they are, and give the zone"),
    ('Q', "write the name of the zone as it is, and give the zone"),
    ('q', "write the month as %m"),
];

/// What a pattern looks like.
const EXAMPLE: &str = "e.g. %d.%m.%Y %H:%M:%S";

impl StampPattern {
    /// Checks a pattern. Errors with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let directives = directives(text)?;
        let has = |letters: &str| directives.iter().any(|(_, letter)| letters.contains(*letter));
        if directives.is_empty() {
            return Err(format!("expected a pattern, {EXAMPLE}"));
        }
        if has("s") && has("fN") {
            return Err("a Unix time with a fraction needs no pattern; expected the form number".to_owned());
        }
        if has("Il") && !has("pP") {
            return Err("expected %p in a pattern with hours up to 12, to tell morning from evening".to_owned());
        }
        let mut sample = sample(text).ok_or_else(|| {
            format!("'{text}' cannot read what it writes; expected something between parts of any length, {EXAMPLE}")
        })?;
        let (has_year, before_seconds) = (has_year(&mut sample)?, before_seconds(text, &directives));
        let is_whole = sample.timestamp().is_some() || (sample.hour().is_some() && sample.to_time().is_ok());
        if !is_whole {
            return Err(format!("expected a pattern with a time of day, with no part of it left out, {EXAMPLE}"));
        }
        Ok(StampPattern { text: text.to_owned(), has_year, before_seconds })
    }

    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant that a text of this form means.
    pub(super) fn read(
        &self,
        text: &[u8],
        latest: Timestamp,
        zone: &Zone,
        scratch: &mut StampScratch,
    ) -> Result<Timestamp, Unfit> {
        let mut found = BrokenDownTime::parse(&self.text, text).map_err(|_| Unfit::NoStamp)?;
        let offset = found.offset().map(|offset| i64::from(offset.seconds()));
        if let Some(instant) = found.timestamp() {
            let tail = TimeTail { nanos: 0, offset: Some(0) };
            return WrittenTime { local: instant.as_second(), tail }.instant(zone, scratch);
        }
        let is_leap = found.second() == Some(59) && self.is_leap_second(text);
        let nanos = i64::from(found.subsec_nanosecond().unwrap_or(0));
        let tail = TimeTail { nanos, offset }.after(is_leap);
        if self.has_year {
            let local = found.to_datetime().ok().and_then(seconds).ok_or(Unfit::NoStamp)?;
            return WrittenTime { local, tail }.instant(zone, scratch);
        }
        // A day of the week that is written with it, too, tells the year.
        let local = |year| {
            found.set_year(i16::try_from(year).ok()).ok()?;
            found.to_datetime().ok().and_then(seconds)
        };
        in_latest_year(local, tail, latest, zone, scratch)
    }

    /// Whether the seconds of a text are 60, for which the library says 59.
    #[cold]
    fn is_leap_second(&self, text: &[u8]) -> bool {
        let before = self.before_seconds.as_deref().unwrap_or_default();
        let Ok((_, length)) = BrokenDownTime::parse_prefix(before, text) else { return false };
        let seconds = text.get(length..).unwrap_or_default().trim_ascii_start();
        let zeros = seconds.iter().take_while(|byte| **byte == b'0').count();
        seconds[zeros..].starts_with(b"60")
    }
}

/// Whole seconds from 1970 to a date and time of day.
fn seconds(time: DateTime) -> Option<i64> {
    let since: SignedDuration = time.duration_since(date(1970, 1, 1).at(0, 0, 0, 0));
    // Before 1970, too, a fraction counts forwards.
    i64::try_from(since.as_nanos().div_euclid(i128::from(SECOND))).ok()
}

/// The letter of each directive with the place of its percent sign. Errors with the first that
/// cannot be read.
fn directives(text: &str) -> Result<Vec<(usize, char)>, String> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('%').map(|at| from + at) {
        // Flags, a width, and colons or a point may stand before the letter.
        let rest = &text[at + 1..];
        let (skipped, letter) = rest
            .char_indices()
            .find(|(_, c)| !matches!(c, '_' | '-' | '0'..='9' | '^' | '#' | ':' | '.'))
            .ok_or_else(|| format!("expected a letter behind the % at the end of '{text}'"))?;
        if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == letter) {
            return Err(format!("%{letter} cannot be read: {instead}"));
        }
        if !KNOWN.contains(letter) {
            return Err(format!("%{letter} is nothing that can be read; for a percent sign write %%"));
        }
        found.push((at, letter));
        from = at + 1 + skipped + letter.len_utf8();
    }
    Ok(found)
}

/// What a pattern reads of the text that it writes of a time whose parts all have two digits.
fn sample(pattern: &str) -> Option<BrokenDownTime> {
    let time = date(2024, 10, 31).at(22, 26, 53, 589_793_238).to_zoned_datetime(TimeZone::UTC).ok()?;
    let text = BrokenDownTime::from(&time).to_string(pattern).ok()?;
    BrokenDownTime::parse(pattern, text).ok()
}

/// Whether what was read has a year. Errors if it has no date even with one.
fn has_year(sample: &mut BrokenDownTime) -> Result<bool, String> {
    if sample.timestamp().is_some() || sample.to_date().is_ok() {
        return Ok(true);
    }
    let is_date = sample.year().is_none() && sample.set_year(Some(2024)).is_ok() && sample.to_date().is_ok();
    if is_date { Ok(false) } else { Err(format!("expected a pattern with a date, {EXAMPLE}")) }
}

/// What stands before the seconds of a pattern: before the last, which is the one that counts.
fn before_seconds(text: &str, directives: &[(usize, char)]) -> Option<String> {
    let (at, letter) = directives.iter().rfind(|(_, letter)| matches!(letter, 'S' | 'T'))?;
    let hour_and_minute = if *letter == 'T' { "%H:%M:" } else { "" };
    Some(format!("{}{hour_and_minute}", &text[..*at]))
}
