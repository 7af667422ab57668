//! A time-filter's keys: which lines are read how, and which window or windows they are
//! for.
//!
//! Not here: `now` and the stamps of the inputs, on which instants may rest; they are known once a
//! run begins. Invariant: an instant that is known to lie beyond the years 1677 to 2262 is a
//! problem, at its place.

use jiff::tz::TimeZone;

use super::catalog::Known;
use super::draft::{Draft, Layer};
use super::plan::{Align, Range, Start};
use super::problems::Problems;
use crate::format::mapped::definition::KEYS;
use crate::format::stamps::Zone;
use crate::format::{self, Format};
use crate::model::{Moment, Timestamp, Units, zone};
use crate::options::{Instant, Options, Value, suggest};

/// Takes dates for what they are in the zone that is given, and the epoch for its instant. The zone.
pub(super) fn settle(draft: &Draft, options: &mut Options, problems: &mut Problems) -> TimeZone {
    let zone = zone(draft, options, problems);
    for key in ["since", "until", "align", "now"] {
        match options.instant(key).map(|instant| instant.within(&zone)) {
            None => {}
            Some(Ok(settled)) => options.set(key, Value::Instant(settled)),
            Some(Err(message)) => refuse(draft, key, message, None, problems),
        }
    }
    zone
}

/// A time-filter on its own.
pub(super) struct CheckedFilter {
    pub format: Format,
    pub range: Range,
    pub zone: TimeZone,
    pub options: Options,
}

/// A time-filter, of settled options.
pub(super) fn filter(
    draft: &Draft,
    options: Options,
    zone: TimeZone,
    known: Known<'_>,
    problems: &mut Problems,
) -> CheckedFilter {
    let format = format(draft, &options, known, problems);
    let range = range(draft, &options, problems);
    let filter = CheckedFilter { format, range, zone, options };
    fits(&filter, draft, problems);
    filter
}

fn zone(draft: &Draft, options: &Options, problems: &mut Problems) -> TimeZone {
    let name = options.text("timezone").unwrap_or("UTC");
    zone::zone(name).unwrap_or_else(|expected| {
        let meant: Vec<String> = zone::meant(name).iter().map(|meant| format!("'{meant}'")).collect();
        let region = zone::of_region(name).map(|zone| format!("that is a region, of which a zone is e.g. {zone}"));
        let near = match meant.is_empty() {
            true if region.is_some() => region,
            true => suggest(name, zone::zone_names().iter().map(String::as_str)),
            false => Some(format!("did you mean {}?", meant.join(" or "))),
        };
        refuse(draft, "timezone", format!("{expected}, not '{name}'"), near, problems);
        TimeZone::UTC
    })
}

fn range(draft: &Draft, options: &Options, problems: &mut Problems) -> Range {
    let (since, until) = (options.moment("since"), options.moment("until"));
    let length = options.nanos("seconds").unwrap_or(1);
    if let Some(period) = options.nanos("every") {
        let align = match options.instant("align") {
            Some(Instant::At(moment)) => Align::At(moment),
            Some(Instant::Word("first")) => Align::First,
            Some(Instant::Word("start")) => Align::Start,
            _ => Align::At(Moment::EPOCH),
        };
        let lateness = options.nanos("lateness").unwrap_or(0);
        return Range::Every { length, period, align, lateness, since, until };
    }
    let start = since.filter(|_| since_wins(draft, problems)).map_or(Start::Before(length), Start::At);
    Range::Once { start, until: until.unwrap_or(Moment::NOW) }
}

/// Whether `since` is the start of a one-shot window, and not `seconds`: the nearer layer wins.
fn since_wins(draft: &Draft, problems: &mut Problems) -> bool {
    let layer = |key| draft.value(key).map(|(layer, _): &(Layer, _)| *layer);
    if let (Some(since), Some(seconds)) = (draft.value("since"), draft.value("seconds"))
        && since.0 == seconds.0
    {
        let message = format!("takes the place of {}, which is given too", since.1.place.key("seconds"));
        problems.add(&since.1.place, draft.key("since"), message, Some("leave one of them out".into()));
    }
    layer("since") >= layer("seconds")
}

/// Notes sums that lie beyond the instants there are.
fn fits(filter: &CheckedFilter, draft: &Draft, problems: &mut Problems) {
    let beyond = |from: Moment, nanos: i64| matches!(from, Moment::At(time) if time.checked_plus(nanos).is_none());
    let range = format!("there are instants from {} to {} only", Timestamp::MIN, Timestamp::MAX);
    let mut note = |key: &str, message: String| {
        refuse(draft, key, message, Some(range.clone()), problems);
    };
    let future = filter.options.nanos("future").unwrap_or(0);
    if let Some(now) = filter.options.moment("now").filter(|now| beyond(*now, future)) {
        note("future", format!("reaches too far beyond now, which is {now}"));
    }
    match filter.range {
        Range::Once { start: Start::Before(length), until } if beyond(until, -length) => {
            note("seconds", format!("reaches too far back from the window's end at {until}"));
        }
        Range::Once { start: Start::At(Moment::At(start)), until: Moment::At(end) }
            if end.nanos().checked_sub(start.nanos()).is_none() =>
        {
            note("since", format!("makes a window of more than 292 years, up to {end}"));
        }
        Range::Every { length, period, since, until, .. } => {
            let Some(reach) = length.checked_add(period) else {
                note("every", "is too long together with seconds".to_owned());
                return;
            };
            if let Some(since) = since.filter(|since| beyond(*since, -reach)) {
                note("since", format!("has no windows around it: {since} less seconds and every is no instant"));
            }
            if let Some(until) = until.filter(|until| beyond(*until, reach)) {
                note("until", format!("has no windows around it: {until} and seconds and every is no instant"));
            }
        }
        Range::Once { .. } => {}
    }
}

/// Notes what is wrong with a key, at its value or, if it has none, at the stage.
pub(super) fn refuse(draft: &Draft, key: &str, message: String, help: Option<String>, problems: &mut Problems) {
    match draft.value(key) {
        // A value that was given to several stages at once is wrong once.
        Some((Layer::TopLevel | Layer::Override, entry)) => {
            problems.add(&entry.node.place, key.to_owned(), message, help);
        }
        Some((_, entry)) => problems.add(&entry.node.place, draft.key(key), message, help),
        None => problems.add(&draft.place, draft.key(key), message, help),
    }
}

/// The log format that is asked for, with what is said of it beside; the one that inputs tell if
/// there is none of that name, or something is wrong with it.
fn format(draft: &Draft, options: &Options, known: Known<'_>, problems: &mut Problems) -> Format {
    let name = options.text("format").unwrap_or(format::AUTO);
    let mut keys = Options::default();
    for spec in KEYS {
        if let Some(value) = options.get(spec.name) {
            keys.set(spec.name, value.clone());
        }
    }
    let units = options.text("unit").and_then(Units::named).unwrap_or(Units::AUTO);
    let zone = options.text("timezone").and_then(|name| Zone::parse(name).ok()).unwrap_or(Zone::UTC);
    let format = match Format::named(name, known.formats, keys) {
        Some(Ok(format)) => format,
        Some(Err(flaw)) => {
            refuse(draft, flaw.key, flaw.message, None, problems);
            Format::plain()
        }
        None => {
            let place = draft.value("format").map_or(&draft.place, |(_, entry)| &entry.node.place);
            let own = known.formats.iter().map(|own| own.name.as_str());
            let names: Vec<&str> = format::names().map(|name| -> &str { name }).chain(own).collect();
            let help =
                suggest(name, names.iter().copied()).unwrap_or_else(|| format!("the formats are {}", names.join(", ")));
            problems.add(place, draft.key("format"), format!("unknown format '{name}'"), Some(help));
            Format::plain()
        }
    };
    format.reading(units, zone)
}
