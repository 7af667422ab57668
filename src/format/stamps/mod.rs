//! Stamps as logs write them: numbers, dates of some forms, and dates of a form that people describe.
//!
//! A stamp is the whole of a text; where it stands in a line is told elsewhere. What it does not say
//! is taken from outside: the year is the latest that fits, and the zone is given. A date without a
//! time of day is no stamp. Not here: what numbers mean (`model::stamp`), and instants as people
//! give them (`model::moment`). Invariant: what a text means depends on the text and on what is
//! given, never on the texts before it; it is an instant exactly, or is refused.

mod civil;
mod eight;
mod form;
mod number;
mod pattern;
mod scratch;
mod tail;
mod written;
mod zone;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

pub use number::{scientific, seconds};
pub use pattern::StampPattern;
pub use scratch::StampScratch;
pub use zone::Zone;

use form::{KnownForm, SyslogTime};

use crate::model::{Timestamp, Unfit, Units};
use crate::options::suggest;

/// How stamps are written, and what they mean without a zone or a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampRules {
    /// How they are written.
    pub form: StampForm,
    /// How numbers tell their unit.
    pub units: Units,
    /// Where those are from that have no offset.
    pub zone: Zone,
}

/// How stamps are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StampForm {
    /// Each in any form but a pattern: no text has two of them.
    #[default]
    Auto,
    /// Digits, perhaps with a minus before them, and with a point and digits behind them.
    Number,
    /// RFC 3339 and its relatives: `2024-01-31T10:00:00Z`, `2024/01/31 10:00`, `20240131T100000,5+01`.
    Rfc3339,
    /// As web servers write them: `31/Jan/2024:10:00:00 +0000`.
    Clf,
    /// As syslog writes them, perhaps with a year: `Jan 31 10:00:00`, `Jan 31 2024 10:00:00.5 UTC`.
    Syslog,
    /// In a form that is described as for strptime.
    Pattern(StampPattern),
}

impl Default for StampRules {
    /// Any form but a pattern, numbers that tell their unit by their digits, and UTC.
    fn default() -> Self {
        StampRules { form: StampForm::Auto, units: Units::AUTO, zone: Zone::UTC }
    }
}

impl StampRules {
    /// The instant that a text means. One without a year is in the latest year in which it is not
    /// after `latest`.
    #[inline]
    pub fn read(&self, text: &[u8], latest: Timestamp, scratch: &mut StampScratch) -> Result<Timestamp, Unfit> {
        match &self.form {
            StampForm::Auto => self.read_kind(KnownForm::of(text), text, latest, scratch),
            StampForm::Number => self.read_kind(KnownForm::Number, text, latest, scratch),
            StampForm::Rfc3339 => self.read_kind(KnownForm::Rfc3339, text, latest, scratch),
            StampForm::Clf => self.read_kind(KnownForm::Clf, text, latest, scratch),
            StampForm::Syslog => self.read_kind(KnownForm::Syslog, text, latest, scratch),
            StampForm::Pattern(pattern) => pattern.read(text, latest, &self.zone, scratch),
        }
    }

    /// The instant that a text means which is no stamp by itself, where numbers may have an exponent.
    #[cold]
    pub fn read_scientific(&self, text: &[u8]) -> Result<Timestamp, Unfit> {
        match self.form {
            StampForm::Auto | StampForm::Number => scientific(text, self.units),
            _ => Err(Unfit::NoStamp),
        }
    }

    #[inline]
    fn read_kind(
        &self,
        kind: KnownForm,
        text: &[u8],
        latest: Timestamp,
        scratch: &mut StampScratch,
    ) -> Result<Timestamp, Unfit> {
        let zone = &self.zone;
        let written = match kind {
            KnownForm::Number => return number::number(text, self.units),
            KnownForm::Rfc3339 => form::rfc3339(text),
            KnownForm::Clf => form::clf(text),
            KnownForm::Syslog => match form::syslog(text).ok_or(Unfit::NoStamp)? {
                SyslogTime::Dated(written) => Some(written),
                SyslogTime::Yearless(yearless) => return yearless.instant(latest, zone, scratch),
            },
        };
        written.ok_or(Unfit::NoStamp)?.instant(zone, scratch)
    }
}

impl StampForm {
    /// The forms that have names.
    const NAMED: [StampForm; 5] =
        [StampForm::Auto, StampForm::Number, StampForm::Rfc3339, StampForm::Clf, StampForm::Syslog];

    /// A form by its name in options, or a pattern, which has a percent sign. Errors with what is
    /// expected, and with a name that is near.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains('%') {
            return StampPattern::parse(text).map(StampForm::Pattern);
        }
        let named = StampForm::NAMED.into_iter().find(|form| form.name() == text);
        named.ok_or_else(|| {
            let names = StampForm::NAMED.map(|form| form.name().to_owned());
            let near = suggest(text, names.iter().map(String::as_str)).map(|near| format!("; {near}"));
            let (last, others) = ("a pattern, e.g. %d.%m.%Y %H:%M:%S", names.join(", "));
            format!("expected {others} or {last}, not '{text}'{}", near.unwrap_or_default())
        })
    }

    /// Its name in options; a pattern is its own.
    pub fn name(&self) -> &str {
        match self {
            StampForm::Auto => "auto",
            StampForm::Number => "number",
            StampForm::Rfc3339 => "rfc3339",
            StampForm::Clf => "clf",
            StampForm::Syslog => "syslog",
            StampForm::Pattern(pattern) => pattern.text(),
        }
    }

    /// The form that the text of a stamp has by itself; `None` if it is none. An instant before or
    /// after all that there are has its form, too.
    pub fn of(text: &[u8], units: Units) -> Option<Self> {
        let (form, is_stamp) = match KnownForm::of(text) {
            KnownForm::Number => (StampForm::Number, units.read(text) != Err(Unfit::NoStamp)),
            KnownForm::Rfc3339 => (StampForm::Rfc3339, form::rfc3339(text).is_some()),
            KnownForm::Clf => (StampForm::Clf, form::clf(text).is_some()),
            KnownForm::Syslog => (StampForm::Syslog, form::syslog(text).is_some()),
        };
        is_stamp.then_some(form)
    }
}
