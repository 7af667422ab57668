//! Zones: what time of day is where a log was written, if its stamps do not say.
//!
//! Times of a day that happened twice are the first of the two, and times that were skipped are
//! counted with the offset before the gap, as RFC 5545 has it; both are told. Not here: which names
//! there are (`model::zone`). Invariant: what is remembered of a zone never gives another offset
//! than looking it up does.

use std::fmt;
use std::sync::Arc;

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp as Instant};

use super::scratch::{Occurrence, OffsetStretch, StampScratch};
use crate::model::time::SECOND;
use crate::model::zone;
use crate::options::suggest;

/// The zone of stamps that have none: a place of the IANA database, or a fixed offset.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(ZoneRules);

#[derive(Clone, PartialEq, Eq)]
enum ZoneRules {
    /// Seconds that clocks are ahead of UTC.
    Fixed(i64),
    /// Clocks are set by rules. The pointer is how a scratch knows whose offsets it remembers.
    Place(Arc<TimeZone>),
}

/// The most seconds by which clocks differ from UTC anywhere, rounded up: the library's limit is
/// below 26 hours.
pub(super) const MOST_OFFSET: i64 = 26 * 3_600;

/// The first and the last local second in which there may be an instant in some zone. What lies
/// beyond is beyond all instants with any offset.
const SECONDS: (i64, i64) = (i64::MIN / SECOND - 2 * MOST_OFFSET, i64::MAX / SECOND + 2 * MOST_OFFSET);

impl Zone {
    /// Clocks that show UTC.
    pub const UTC: Zone = Zone(ZoneRules::Fixed(0));

    /// A place by its name in the IANA database, `UTC`, or an offset such as `+02:00`. Errors with
    /// what is expected, and with names that are near.
    pub fn parse(text: &str) -> Result<Self, String> {
        zone::zone(text).map(Zone::from).map_err(|expected| {
            let near = near(text).map(|near| format!("; {near}")).unwrap_or_default();
            format!("{expected}, not '{text}'{near}")
        })
    }

    /// The offset in seconds at a local time, in seconds from 1970 as if there were no zones, and
    /// how many instants that time means. `None` where the library knows no such time.
    #[inline]
    pub(super) fn offset(&self, local: i64, scratch: &mut StampScratch) -> Option<(i64, Occurrence)> {
        match &self.0 {
            ZoneRules::Fixed(offset) => Some((*offset, Occurrence::Once)),
            ZoneRules::Place(rules) => match scratch.known(rules, local) {
                Some(offset) => Some((offset, Occurrence::Once)),
                None => look_up(rules, local, scratch),
            },
        }
    }
}

impl From<TimeZone> for Zone {
    fn from(rules: TimeZone) -> Self {
        match rules.to_fixed_offset() {
            Ok(offset) => Zone(ZoneRules::Fixed(i64::from(offset.seconds()))),
            Err(_) => Zone(ZoneRules::Place(Arc::new(rules))),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::UTC
    }
}

/// As it may be written again.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ZoneRules::Fixed(0) => f.write_str("UTC"),
            ZoneRules::Fixed(offset) => {
                let (sign, ahead) = if *offset < 0 { ('-', -offset) } else { ('+', *offset) };
                write!(f, "{sign}{:02}:{:02}", ahead / 3_600, ahead / 60 % 60)?;
                if ahead % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", ahead % 60) }
            }
            ZoneRules::Place(rules) => f.write_str(rules.iana_name().unwrap_or("a zone without a name")),
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({self})")
    }
}

/// What is said of names that are near to a text.
fn near(text: &str) -> Option<String> {
    let meant: Vec<String> = zone::meant(text).iter().map(|name| format!("'{name}'")).collect();
    if !meant.is_empty() {
        return Some(format!("did you mean {}?", meant.join(" or ")));
    }
    let region = zone::of_region(text).map(|name| format!("that is a region, of which a zone is e.g. {name}"));
    region.or_else(|| suggest(text, zone::zone_names().iter().map(String::as_str)))
}

/// The offset by the rules; that of a time which means one instant is remembered.
#[cold]
fn look_up(rules: &Arc<TimeZone>, local: i64, scratch: &mut StampScratch) -> Option<(i64, Occurrence)> {
    if !(SECONDS.0..=SECONDS.1).contains(&local) {
        return Some((0, Occurrence::Once));
    }
    let (offset, times) = offset_of(rules, local)?;
    if times == Occurrence::Once
        && let Some(stretch) = stretch(rules, local, offset).filter(|stretch| stretch.holds(local))
    {
        scratch.remember(rules, stretch);
    }
    Some((offset, times))
}

/// The offset of the first instant at which clocks show a local time, or of the time before they
/// are set past it.
///
/// From what clocks show at instants, in the order of time. What the library (1.0.1) says of local
/// times does not always agree with that: it has Nuuk set its clocks back in October 2023.
fn offset_of(rules: &TimeZone, local: i64) -> Option<(i64, Occurrence)> {
    let start = Instant::from_second(local - MOST_OFFSET).ok()?;
    let (mut since, mut offset) = (start.as_second(), seconds(rules.to_offset(start)));
    let (mut first, mut is_twice, mut before_gap) = (None, false, None);
    let mut is_shown = |offset: i64, since: i64, until: i64| {
        if (since..until).contains(&(local - offset)) {
            is_twice |= first.is_some();
            first = first.or(Some(offset));
        }
    };
    for transition in rules.following(start) {
        let (at, after) = (transition.timestamp().as_second(), seconds(transition.offset()));
        if at > local + MOST_OFFSET {
            break;
        }
        is_shown(offset, since, at);
        if (at + offset..at + after).contains(&local) {
            before_gap = before_gap.or(Some(offset));
        }
        (since, offset) = (at, after);
    }
    is_shown(offset, since, i64::MAX);
    match first {
        Some(offset) if is_twice => Some((offset, Occurrence::Twice)),
        Some(offset) => Some((offset, Occurrence::Once)),
        None => before_gap.map(|offset| (offset, Occurrence::Never)),
    }
}

fn seconds(offset: Offset) -> i64 {
    i64::from(offset.seconds())
}

/// How far back transitions are looked for, in seconds: further than from one to the next where
/// clocks are set twice a year.
const LOOKED_BACK: i64 = 400 * 86_400;

/// The local times around one which mean one instant each, all with its offset.
///
/// Between two transitions that is so of all but those which clocks also show before the first or
/// after the last. As no clock differs from UTC by more than the highest offset, what they show
/// long before and long after need not be looked at. Transitions are only followed forwards: the
/// library (1.0.1) does not find the last irregular one from behind, as in Ciudad Juarez in 2022.
fn stretch(rules: &TimeZone, local: i64, offset: i64) -> Option<OffsetStretch> {
    let second = SignedDuration::from_secs(1);
    let instant = local - offset;
    let start = instant - LOOKED_BACK;
    let mut stretch = OffsetStretch { from: start + MOST_OFFSET, until: i64::MAX, offset };
    let mut next = None;
    for transition in rules.following(Instant::from_second(start).ok()?) {
        let at = transition.timestamp();
        let before = rules.to_offset(at.checked_sub(second).ok()?);
        // What clocks show before they are set, and after.
        let shown = [before, transition.offset()].map(|offset| at.as_second() + seconds(offset));
        if at.as_second() <= instant {
            stretch.from = stretch.from.max(shown[0]).max(shown[1]);
        } else if at.as_second() <= *next.get_or_insert(at.as_second()) + 2 * MOST_OFFSET {
            stretch.until = stretch.until.min(shown[0]).min(shown[1]);
        } else {
            break;
        }
    }
    Some(stretch)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::tz::{AmbiguousOffset, TimeZoneDatabase};

    use super::*;

    fn all_zones() -> impl Iterator<Item = TimeZone> {
        let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
        assert!(names.len() > 400);
        names.into_iter().map(|name| TimeZoneDatabase::bundled().get(&name).unwrap())
    }

    /// Around every transition of every zone there is, what is remembered of the times before and
    /// after it is what looking them up gives.
    #[test]
    fn what_is_remembered_is_what_is_looked_up_around_every_transition() {
        let (mut known, mut all) = (0, 0);
        for rules in all_zones() {
            let zone = Zone::from(rules.clone());
            let mut scratch = StampScratch::default();
            let first = Instant::from_second(FIRST).unwrap();
            for transition in rules.following(first).take_while(|transition| transition.timestamp().as_second() < LAST)
            {
                let at = transition.timestamp().as_second() + i64::from(transition.offset().seconds());
                for step in STEPS {
                    // Before it and after it, each from what was looked up on either side.
                    for from in [-1_000_000, 1_000_000, -100_000, 100_000, step] {
                        zone.offset(at + from, &mut scratch).unwrap();
                        assert_same(&rules, &zone, at + step, &mut scratch);
                    }
                    all += 1;
                    zone.offset(at + step, &mut scratch).unwrap();
                    known += u64::from(is_known(&zone, at + step, &scratch));
                }
            }
        }
        // Times close to a transition are remembered, too.
        assert!(known * 2 > all, "{known} of {all}");
    }

    /// Should a transition not be found from before it, neither is it in the test above: here, time
    /// goes by, in both directions.
    #[test]
    fn what_is_remembered_stays_right_as_time_goes_by() {
        for rules in all_zones() {
            let zone = Zone::from(rules.clone());
            let mut scratch = StampScratch::default();
            let steps = (LAST - FIRST) / STEP;
            for step in (0..steps).chain((0..steps).rev()) {
                assert_same(&rules, &zone, FIRST + step * STEP, &mut scratch);
            }
        }
    }

    const STEPS: [i64; 14] =
        [-200_000, -90_000, -86_400, -7_200, -3_601, -3_600, -1_800, -1, 0, 1, 1_800, 3_599, 3_600, 7_200];

    /// Some days and a part of one, so that all times of day are there.
    const STEP: i64 = 9 * 86_400 + 4_999;

    const FIRST: i64 = -2_500_000_000;

    /// Instants behind this one follow the rule of the last years.
    const LAST: i64 = 2_300_000_000;

    fn is_known(zone: &Zone, local: i64, scratch: &StampScratch) -> bool {
        matches!(&zone.0, ZoneRules::Place(rules) if scratch.known(rules, local).is_some())
    }

    fn assert_same(rules: &TimeZone, zone: &Zone, local: i64, scratch: &mut StampScratch) {
        let found = zone.offset(local, scratch);
        let time = Offset::UTC.to_datetime(Instant::from_second(local).unwrap());
        let ambiguous = rules.to_ambiguous_timestamp(time);
        let times = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => Occurrence::Once,
            AmbiguousOffset::Fold { .. } => Occurrence::Twice,
            AmbiguousOffset::Gap { .. } => Occurrence::Never,
        };
        let expected = local - ambiguous.compatible().unwrap().as_second();
        // Where the library is not sure of itself, what it says of instants counts.
        if found != Some((expected, times)) {
            assert_eq!(found, slow_offset(rules, local), "{zone} {time}");
        }
    }

    /// The same by trying all offsets that there are around a time.
    fn slow_offset(rules: &TimeZone, local: i64) -> Option<(i64, Occurrence)> {
        let offset_at = |second: i64| seconds(rules.to_offset(Instant::from_second(second).unwrap()));
        let around = (local - MOST_OFFSET..=local + MOST_OFFSET).step_by(900);
        let offsets: BTreeSet<i64> = around.clone().map(offset_at).collect();
        let shown: Vec<i64> = offsets.into_iter().filter(|offset| offset_at(local - offset) == *offset).collect();
        match shown[..] {
            // The higher the offset, the earlier the instant.
            [.., _, highest] => Some((highest, Occurrence::Twice)),
            [only] => Some((only, Occurrence::Once)),
            [] => {
                let before = around.take_while(|second| second + offset_at(*second) < local).last()?;
                Some((offset_at(before), Occurrence::Never))
            }
        }
    }
}
