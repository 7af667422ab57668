//! Options as values: what a stage or a plug-in declares, and the checked values that it gets.
//!
//! Not here: where values come from (files, command line); `config` reads them and says where a bad
//! one stands. Invariant: an `Options` holds only keys that its specs name, each with a value of
//! its kind.

use jiff::tz::TimeZone;

use crate::model::Moment;
use crate::model::length;
use crate::model::location::{Location, PathArg, no_target, scheme};
use crate::model::size;
use crate::model::time::SECOND;

/// One option that a stage or plug-in understands.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// The key, kebab-case.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The value if none is given, as it would be written; `None` if there is none.
    pub default: Option<&'static str>,
    /// Whether it has to be given.
    pub required: bool,
    /// One sentence for people.
    pub help: &'static str,
}

/// What the values of an option are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text or a list of them.
    Texts,
    /// A file, folder or glob, or a list of them.
    Locations,
    /// A whole number from `.0` to `.1`.
    Count(u64, u64),
    /// A length of time above zero: seconds as a number, or e.g. `90s`, `5m`, `1h30m`, `2d`.
    Duration,
    /// A length of time, zero allowed.
    DurationOrZero,
    /// A size in bytes: a number, or e.g. `64KiB`, `1MiB`, `0.5GiB`.
    Bytes(u64, u64),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A path that is written to.
    Path,
    /// A path that is written to, or `-` for standard output.
    Target,
    /// A file that is read beside the logs.
    File,
    /// An instant: a number as stamps are, RFC 3339, a date, or one of these words.
    Instant(&'static [&'static str]),
    /// A list of reports: names, or tables with `name` and its options. Checked by `config`.
    Reports,
    /// A list of outputs: `text`, `json:PATH`, … Checked by `config`.
    Outputs,
}

/// A value as it was written, in any medium.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A text. Also what a command line gives, whatever it means.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, as it was written.
    Decimal(String),
    /// `true` or `false`.
    Flag(bool),
    /// A list.
    List(Vec<Raw>),
    /// Anything else, by the name of its type.
    Other(&'static str),
}

/// A checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Of `Text`, `Choice`, `Path`, `Target` and `File`.
    Text(String),
    /// Of `Texts`.
    Texts(Vec<String>),
    /// Of `Locations`.
    Locations(Vec<Location>),
    /// Of `Count` and `Bytes`.
    Count(u64),
    /// Of `Duration` and `DurationOrZero`, in nanoseconds.
    Nanos(i64),
    /// Of `Flag`.
    Flag(bool),
    /// Of `Instant`.
    Instant(Instant),
}

/// An instant, or a word that stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instant {
    /// An instant, or what one rests on.
    At(Moment),
    /// Another of the words that the option's kind lists.
    Word(&'static str),
}

impl Instant {
    /// What it is in a zone, where it is a date without one. Errors with what is said of a date that
    /// there is not.
    pub fn within(self, zone: &TimeZone) -> Result<Self, String> {
        match self {
            Instant::At(moment) => moment.within(zone).map(Instant::At),
            Instant::Word("epoch") => Ok(Instant::At(Moment::EPOCH)),
            Instant::Word(word) => Ok(Instant::Word(word)),
        }
    }
}

/// Checked values by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    entries: Vec<(&'static str, Value)>,
}

impl Options {
    /// The defaults of `specs`.
    pub fn defaults(specs: &[OptionSpec]) -> Self {
        let mut options = Options::default();
        for spec in specs {
            if let Some(Ok(value)) = spec.default.map(|text| spec.kind.parse(&Raw::Text(text.to_owned()))) {
                options.set(spec.name, value);
            }
        }
        options
    }

    /// Sets a value, in place of an earlier one.
    pub fn set(&mut self, name: &'static str, value: Value) {
        self.entries.retain(|(known, _)| *known != name);
        self.entries.push((name, value));
    }

    /// Takes a value out.
    pub fn unset(&mut self, name: &str) {
        self.entries.retain(|(known, _)| *known != name);
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All keys with their values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.entries.iter().map(|(name, value)| (*name, value))
    }

    /// A text, word or path.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of texts; empty if there is none.
    pub fn texts(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A list of locations; empty if there is none.
    pub fn locations(&self, name: &str) -> &[Location] {
        match self.get(name) {
            Some(Value::Locations(locations)) => locations,
            _ => &[],
        }
    }

    /// A number or a size in bytes.
    pub fn count(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// A length of time in nanoseconds.
    pub fn nanos(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Nanos(nanos) => Some(*nanos),
            _ => None,
        }
    }

    /// An instant, if it is no other word.
    pub fn moment(&self, name: &str) -> Option<Moment> {
        match self.instant(name)? {
            Instant::At(moment) => Some(moment),
            Instant::Word(_) => None,
        }
    }

    /// An instant or its word.
    pub fn instant(&self, name: &str) -> Option<Instant> {
        match self.get(name)? {
            Value::Instant(instant) => Some(*instant),
            _ => None,
        }
    }

    /// A flag; `false` if there is none.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Flag(true))
    }
}

impl Kind {
    /// The value that `raw` means. Errors with what is expected, e.g. `expected a whole number from
    /// 1 to 64`.
    pub fn parse(self, raw: &Raw) -> Result<Value, String> {
        match (self, raw) {
            (Kind::Path | Kind::Target, Raw::Text(text)) if scheme(text).is_some() => {
                let no_target = scheme(text).map(no_target).unwrap_or_default();
                Err(format!("expected a path; {no_target}"))
            }
            (Kind::Path, Raw::Text(text)) if PathArg::from(text.as_str()) == PathArg::Std => {
                Err("expected a path; standard output (-) has the results (a file that is called so is ./-)".to_owned())
            }
            (Kind::Text | Kind::Path | Kind::Target | Kind::File, Raw::Text(text)) if !text.is_empty() => {
                Ok(Value::Text(text.clone()))
            }
            (Kind::Texts, Raw::Text(_)) => self.parse(&Raw::List(vec![raw.clone()])),
            (Kind::Texts, Raw::List(items)) if !items.is_empty() => {
                let texts = items.iter().map(|item| match item {
                    Raw::Text(text) => Ok(text.clone()),
                    _ => Err(self.expected()),
                });
                texts.collect::<Result<Vec<_>, _>>().map(Value::Texts)
            }
            (Kind::Locations, Raw::Text(_)) => self.parse(&Raw::List(vec![raw.clone()])),
            (Kind::Locations, Raw::List(items)) if !items.is_empty() => {
                let locations = items.iter().map(|item| match item {
                    Raw::Text(text) if !text.is_empty() => Ok(Location::read(text)),
                    _ => Err(self.expected()),
                });
                locations.collect::<Result<Vec<_>, _>>().map(Value::Locations)
            }
            (Kind::Count(low, high), _) => {
                number(raw).filter(|n| (low..=high).contains(n)).map(Value::Count).ok_or_else(|| self.expected())
            }
            (Kind::Bytes(low, high), _) => {
                bytes(raw).filter(|n| (low..=high).contains(n)).map(Value::Count).ok_or_else(|| self.expected())
            }
            (Kind::Duration | Kind::DurationOrZero, _) => {
                let nanos = duration(raw)?.ok_or_else(|| self.expected())?;
                let nanos = i64::try_from(nanos).map_err(|_| TOO_LONG.to_owned())?;
                if nanos == 0 && self == Kind::Duration { Err(self.expected()) } else { Ok(Value::Nanos(nanos)) }
            }
            (Kind::Flag, Raw::Flag(flag)) => Ok(Value::Flag(*flag)),
            (Kind::Flag, Raw::Text(text)) if text == "true" || text == "false" => Ok(Value::Flag(text == "true")),
            (Kind::Choice(words), Raw::Text(text)) => {
                if words.contains(&text.as_str()) {
                    return Ok(Value::Text(text.clone()));
                }
                let help = suggest(text, words.iter().copied()).map_or(String::new(), |word| format!(" ({word})"));
                Err(format!("{}{help}", self.expected()))
            }
            (Kind::Instant(words), _) => instant(raw, words)?.map(Value::Instant).ok_or_else(|| {
                let near = near_instant(raw, words).map(|near| format!(" (did you mean '{near}'?)"));
                self.expected() + &near.unwrap_or_default()
            }),
            _ => Err(self.expected()),
        }
    }

    /// What is expected, for messages and help.
    pub fn expected(self) -> String {
        match self {
            Kind::Text => "expected a text".into(),
            Kind::Texts => "expected a text or a list of texts".into(),
            Kind::Path | Kind::Target | Kind::File => "expected a path".into(),
            Kind::Locations => "expected a text or a list of texts, none of them empty".into(),
            Kind::Count(low, u64::MAX) => format!("expected a whole number from {low}"),
            Kind::Count(low, high) => format!("expected a whole number from {low} to {high}"),
            Kind::Duration => {
                "expected a length of time above 0: a number of seconds, or e.g. 90s, 5m, 1h30m, 2d".into()
            }
            Kind::DurationOrZero => "expected a length of time: a number of seconds, or e.g. 90s, 5m, 1h30m, 2d".into(),
            Kind::Bytes(low, high) => format!("expected a size from {low} to {high} bytes, e.g. 64KiB or 1MiB"),
            Kind::Flag => "expected true or false".into(),
            Kind::Choice(words) => format!("expected one of {}", words.join(", ")),
            Kind::Instant(words) => {
                let words: String = words.iter().map(|word| format!("{word}, ")).collect();
                format!(
                    "expected {words}a Unix time, or a date, e.g. 2026-01-31, 2026-01-31 12:00 or 2026-01-31T12:00:00Z"
                )
            }
            Kind::Reports => "expected a list of reports, e.g. [\"top-servers\"]".into(),
            Kind::Outputs => "expected a list of outputs, e.g. [\"text\", \"json:results.jsonl\"]".into(),
        }
    }
}

fn number(raw: &Raw) -> Option<u64> {
    match raw {
        Raw::Integer(n) => u64::try_from(*n).ok(),
        Raw::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn bytes(raw: &Raw) -> Option<u64> {
    let Raw::Text(text) = raw else { return number(raw) };
    size::read(text)
}

/// What is said of a length of time that is too long to be one.
const TOO_LONG: &str = "expected a length of time of at most 292 years (9223372036 seconds)";

/// Nanoseconds, zero or more: a bare number means seconds. Errors with what is expected in place of
/// a unit.
fn duration(raw: &Raw) -> Result<Option<u128>, String> {
    if let Some(seconds) = number(raw) {
        return Ok(Some(u128::from(seconds) * u128::from(SECOND.unsigned_abs())));
    }
    let (Raw::Text(text) | Raw::Decimal(text)) = raw else { return Ok(None) };
    Ok(length::read_or_seconds(text)?.map(|length| length.as_nanos()))
}

/// The instant that a value means; `None` if it is not one. Errors with what is expected if it does
/// not fit.
fn instant(raw: &Raw, words: &'static [&'static str]) -> Result<Option<Instant>, String> {
    let text = match raw {
        Raw::Integer(stamp) => &stamp.to_string(),
        Raw::Text(text) | Raw::Decimal(text) => text,
        _ => return Ok(None),
    };
    if let Some(moment) = Moment::read(text, words)? {
        return Ok(Some(Instant::At(moment)));
    }
    Ok(words.iter().find(|word| *word == text).map(|word| Instant::Word(word)))
}

/// The instant that a text may have been meant to be: one of the words, in another case, with
/// blanks in it or misspelled.
fn near_instant(raw: &Raw, words: &'static [&'static str]) -> Option<String> {
    let Raw::Text(text) = raw else { return None };
    let text = text.split_whitespace().collect::<String>().to_lowercase();
    let meant = match text.strip_suffix("ago") {
        Some(length) => format!("-{}", length.trim_start_matches('-')),
        None => {
            let (word, added) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
            let changes = |known: &&&str| strsim::osa_distance(known, word);
            let near = words.iter().filter(|known| changes(known) <= known.len() / 3).min_by_key(changes)?;
            format!("{near}{added}")
        }
    };
    let is_instant = text.len() <= COMPARED && instant(&Raw::Text(meant.clone()), words).is_ok_and(|it| it.is_some());
    is_instant.then_some(meant)
}

/// The most bytes of a text to find the nearest of, and of the candidates: comparing takes the
/// product of both.
const COMPARED: usize = 128;

/// The fewest letters of which one may be wrong: below, anything is near anything.
const SHORTEST_SLIP: usize = 3;

/// The nearest of `known` to a text, if one is near.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > COMPARED {
        return None;
    }
    // One letter that is wrong, or two that have changed places, may be half of a short name. Before
    // a name that is a letter shorter or longer comes one of this length.
    let is_slip = |word: &str| text.len() >= SHORTEST_SLIP && strsim::osa_distance(text, word) == 1;
    let slip = |word: &str| {
        if !is_slip(word) {
            0.0
        } else if word.len() == text.len() {
            2.0
        } else {
            1.0
        }
    };
    let score = |word: &str| strsim::jaro_winkler(text, word) + slip(word);
    let near = known.into_iter().filter(|word| word.len() <= COMPARED).map(|word| (score(word), word));
    let (score, word) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then_some(word)
}

/// `did you mean 'X'?` with the nearest of `known`, if one is near.
pub fn suggest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(text, known).map(|word| format!("did you mean '{word}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: Kind, text: &str) -> Result<Value, String> {
        kind.parse(&Raw::Text(text.to_owned()))
    }

    #[test]
    fn lengths_of_time_are_seconds_or_as_people_write_them() {
        for (text, seconds) in [("3600", 3600), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800)] {
            assert_eq!(parse(Kind::Duration, text), Ok(Value::Nanos(seconds * SECOND)), "{text}");
        }
        assert_eq!(Kind::Duration.parse(&Raw::Integer(60)), Ok(Value::Nanos(60 * SECOND)));
        for bad in ["", "x", "-5", "5 parsecs", "0", "5M", "1y"] {
            assert!(parse(Kind::Duration, bad).is_err(), "{bad}");
        }
        assert_eq!(parse(Kind::Duration, "9223372036"), Ok(Value::Nanos(9_223_372_036 * SECOND)));
        for long in ["9223372037", "99999999999999", "18446744073709551615", "293years", "500000000000years"] {
            assert!(parse(Kind::Duration, long).is_err(), "{long}");
        }
        assert_eq!(parse(Kind::DurationOrZero, "293years"), Err(TOO_LONG.to_owned()));
        assert_eq!(parse(Kind::DurationOrZero, "0"), Ok(Value::Nanos(0)));
    }

    #[test]
    fn sizes_have_units() {
        let kind = Kind::Bytes(1, 1 << 40);
        assert_eq!(parse(kind, "64KiB"), Ok(Value::Count(65_536)));
        assert_eq!(parse(kind, "1 MB"), Ok(Value::Count(1_000_000)));
        assert_eq!(parse(kind, "100"), Ok(Value::Count(100)));
        for bad in ["", "KiB", "1 furlong", "0", "99999999999999999999GiB"] {
            assert!(parse(kind, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_are_numbers_as_stamps_are_dates_or_a_word() {
        use crate::model::{Timestamp, Word};
        let kind = Kind::Instant(&["now", "latest", "today", "first"]);
        let at = |moment| Ok(Value::Instant(Instant::At(moment)));
        let seconds = |seconds| at(Moment::At(Timestamp::from_seconds(seconds)));
        assert_eq!(parse(kind, "1700000000"), seconds(1_700_000_000));
        assert_eq!(parse(kind, "1700000000000"), seconds(1_700_000_000));
        assert_eq!(kind.parse(&Raw::Integer(1_700_000_000_000_000)), seconds(1_700_000_000));
        assert_eq!(kind.parse(&Raw::Decimal("5.0".into())), seconds(5));
        assert_eq!(parse(kind, "-10"), seconds(-10));
        assert_eq!(parse(kind, "2023-11-14T22:13:20Z"), seconds(1_700_000_000));
        assert_eq!(parse(kind, "2023-11-15T00:13:20+02:00"), seconds(1_700_000_000));
        assert_eq!(parse(kind, "latest"), at(Moment::LATEST));
        assert_eq!(parse(kind, "latest-1h"), at(Moment::Word(Word::Latest, -3_600 * SECOND)));
        assert_eq!(parse(kind, "first"), Ok(Value::Instant(Instant::Word("first"))));
        for bad in ["yesterday", "first-1h", "soon", "now-", "now-x", "", "1e9", "2023-11-14X"] {
            assert!(parse(kind, bad).unwrap_err().contains("now, latest, today, first, a Unix time"), "{bad}");
        }
        for beyond in ["9999999999", "3000-01-01T00:00:00Z", "-9999999999.5", "now+300years"] {
            assert!(parse(kind, beyond).unwrap_err().contains("from 1677-09-21T"), "{beyond}");
        }
    }

    #[test]
    fn a_word_for_an_instant_that_is_not_quite_one_gets_the_right_one() {
        let kind = Kind::Instant(&["now", "latest", "today", "yesterday", "first"]);
        for (text, meant) in [
            ("latset", "latest"),
            ("LATEST", "latest"),
            ("Yesterday", "yesterday"),
            ("yesteday", "yesterday"),
            ("lastest-1H", "latest-1h"),
            ("latest - 1h", "latest-1h"),
            ("latest -90 m", "latest-90m"),
            ("Now", "now"),
            ("nwo", "now"),
            ("2 hours ago", "-2hours"),
            ("FIRST", "first"),
        ] {
            let said = parse(kind, text).unwrap_err();
            assert!(said.ends_with(&format!(" (did you mean '{meant}'?)")), "{text}: {said}");
            assert!(parse(kind, meant).is_ok(), "{meant}");
        }
        for text in ["someday", "soon", "", "tomorrow", "long ago", "first-1h"] {
            let said = parse(kind, text).unwrap_err();
            assert!(!said.contains("did you mean"), "{text}: {said}");
        }
    }

    #[test]
    fn a_wrong_word_gets_the_nearest_one() {
        let message = parse(Kind::Choice(&["auto", "full"]), "ful").unwrap_err();
        assert_eq!(message, "expected one of auto, full (did you mean 'full'?)");
        assert_eq!(suggest("raeder", ["reader", "reporter"]).as_deref(), Some("did you mean 'reader'?"));
        assert_eq!(suggest("zzz", ["reader"]), None);
        // Short ones too, where one letter is much.
        assert_eq!(nearest("cvs", ["text", "json", "csv"]), Some("csv"));
        assert_eq!(nearest("tpo", ["to", "top"]), Some("top"));
        assert_eq!((nearest("x", ["y"]), nearest("", ["y"])), (None, None));
    }
}
