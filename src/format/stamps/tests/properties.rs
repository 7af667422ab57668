//! Stamps that are written by the library are read as what they were, and texts that are nearly
//! stamps as the slow twin reads them.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::super::*;
use super::rules;
use crate::format::stamps::twin;

/// Zones that do what others do not: offsets with seconds, half an hour more in summer, winter time
/// as the exception, days that were left out, rules that changed often, and none at all.
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Gaza",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Etc/GMT+12",
];

/// Ways to write a time, and whether they write its offset, by name of their form. The fraction
/// stands where the star does.
const WAYS: [(&str, &str, bool); 21] = [
    ("rfc3339", "%Y-%m-%dT%H:%M:%S*", false),
    ("rfc3339", "%Y-%m-%dT%H:%M:%S*%:z", true),
    ("rfc3339", "%Y-%m-%dt%H:%M:%S*%z", true),
    ("rfc3339", "%Y-%m-%d %H:%M:%S*", false),
    ("rfc3339", "%Y-%m-%d %H:%M:%S* %z", true),
    ("rfc3339", "%Y/%m/%d %H:%M:%S*", false),
    ("rfc3339", "%Y/%m/%d %H:%M:%S*%:z", true),
    ("rfc3339", "%Y%m%dT%H%M%S*", false),
    ("rfc3339", "%Y%m%dT%H%M%S*%z", true),
    ("clf", "%d/%b/%Y:%H:%M:%S*", false),
    ("clf", "%d/%b/%Y:%H:%M:%S* %z", true),
    ("syslog", "%b %e %H:%M:%S* %Y", false),
    ("syslog", "%b %e %Y %H:%M:%S*", false),
    ("syslog", "%b %d %Y %H:%M:%S* %:z", true),
    ("syslog", "%Y %b %-d %H:%M:%S*", false),
    ("syslog", "%b %e %H:%M:%S* %Y %z", true),
    ("syslog", "%b %e %H:%M:%S*", false),
    ("syslog", "%b %-d %H:%M:%S*", false),
    ("syslog", "%b %d %H:%M:%S* %z", true),
    ("rfc3339", "%Y-%m-%dT%H:%M", false),
    ("rfc3339", "%Y-%m-%d %H:%M%:z", true),
];

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// An instant: anywhere, or within hours of a transition of the zone.
fn instants() -> impl Strategy<Value = (&'static str, i64)> {
    let seconds = prop_oneof![
        3 => 0i64..2_000_000_000,
        2 => -9_223_372_037i64..=9_223_372_036,
        1 => prop::sample::select(vec![-9_223_372_036i64, 9_223_372_035, 0, -1])
    ];
    let near = prop_oneof![Just(None), (-14_400i64..14_400).prop_map(Some)];
    (prop::sample::select(&ZONES[..]), seconds, near).prop_map(|(name, seconds, near)| {
        let second = jiff::Timestamp::from_second(seconds).unwrap();
        let transition = near.and_then(|_| zone(name).following(second).next().map(|it| it.timestamp().as_second()));
        (name, transition.filter(|it| *it < 9_223_000_000).map_or(seconds, |it| it + near.unwrap_or(0)))
    })
}

/// A fraction as it is written, and its nanoseconds.
fn fractions() -> impl Strategy<Value = (String, i64)> {
    let written = (prop::sample::select(vec!['.', ',']), 1usize..=9, 0i64..1_000_000_000, 0usize..3).prop_map(
        |(point, digits, nanos, zeros)| {
            let kept = &format!("{nanos:09}")[..digits];
            (
                format!("{point}{kept}{}", if digits == 9 { &"00"[..zeros.min(2)] } else { "" }),
                format!("{kept:0<9}").parse().unwrap(),
            )
        },
    );
    prop_oneof![Just((String::new(), 0)), written]
}

/// A valid text, as the library writes it, with its form, zone, and the instant that it means.
fn stamps() -> impl Strategy<Value = (&'static str, &'static str, String, i128)> {
    (instants(), fractions(), prop::sample::select(&WAYS[..])).prop_filter_map(
        "an offset with seconds is not written",
        |((name, seconds), (fraction, nanos), (form, way, has_offset))| {
            let time = jiff::Timestamp::from_second(seconds).unwrap().to_zoned_datetime(zone(name));
            let has_seconds = way.contains('*');
            if has_offset && time.offset().seconds() % 60 != 0 {
                return None;
            }
            let text = time.strftime(&way.replace('*', &fraction)).to_string();
            // The library says what a time of day means that stands for two instants.
            let local = time.datetime().with().second(if has_seconds { time.second() } else { 0 }).build().unwrap();
            let instant = if has_offset {
                time.offset().to_timestamp(local).unwrap()
            } else {
                zone(name).to_ambiguous_timestamp(local).compatible().unwrap()
            };
            Some((form, name, text, instant.as_nanosecond() + if has_seconds { i128::from(nanos) } else { 0 }))
        },
    )
}

fn fitting(nanos: i128) -> Result<Timestamp, Unfit> {
    let unfit = if nanos < 0 { Unfit::TooEarly } else { Unfit::TooLate };
    i64::try_from(nanos).map(Timestamp::from_nanos).map_err(|_| unfit)
}

const FORMS: [&str; 4] = ["number", "rfc3339", "clf", "syslog"];

/// Bytes that stamps consist of, and neighbours of those.
fn near_bytes() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => prop::sample::select(b"0123456789".to_vec()),
        4 => prop::sample::select(b" -+:/.,TtZzUC".to_vec()),
        1 => prop::sample::select(b"JanFebOctDec;@`{\x10\xb0\xff\0".to_vec()),
    ]
}

/// A change of a text: a byte in place of one, before one, or one taken away.
fn change(text: &mut Vec<u8>, (kind, at, byte): (u8, prop::sample::Index, u8)) {
    match kind {
        0 if !text.is_empty() => {
            let at = at.index(text.len());
            text[at] = byte;
        }
        1 if !text.is_empty() => {
            text.remove(at.index(text.len()));
        }
        2 => text.truncate(at.index(text.len() + 1)),
        _ => text.insert(at.index(text.len() + 1), byte),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_is_read((form, zone, text, nanos) in stamps(), other in stamps()) {
        // What was read before makes no difference.
        let mut scratch = StampScratch::default();
        let (rules, auto) = (rules(form, zone), rules("auto", zone));
        let _ = auto.read(other.2.as_bytes(), Timestamp::MAX, &mut scratch);
        // Where there is no year, it is the latest, and the stamp itself is that of this year.
        let expected = fitting(nanos);
        let latest = expected.unwrap_or(Timestamp::MAX);
        if form != "syslog" || expected.is_ok() {
            prop_assert_eq!(rules.read(text.as_bytes(), latest, &mut scratch), expected, "{} {}", zone, text);
            prop_assert_eq!(auto.read(text.as_bytes(), latest, &mut scratch), expected, "{} {}", zone, text);
        }
        for other in FORMS.iter().filter(|other| **other != form) {
            let found = super::rules(other, zone).read(text.as_bytes(), latest, &mut scratch);
            prop_assert_eq!(found, Err(Unfit::NoStamp), "{} {}", other, text);
        }
    }

    #[test]
    fn texts_that_are_nearly_stamps_are_read_as_the_twin_reads_them(
        stamps in prop::collection::vec((stamps(), prop::collection::vec((0u8..4, any::<prop::sample::Index>(), near_bytes()), 0..4)), 1..4),
        latest in prop_oneof![Just(Timestamp::MAX), any::<i64>().prop_map(Timestamp::from_nanos), (0i64..2_000_000_000).prop_map(Timestamp::from_seconds)],
    ) {
        let zone_name = stamps[0].0.1;
        let rules_of: Vec<StampRules> = FORMS.iter().map(|form| rules(form, zone_name)).collect();
        let auto = rules("auto", zone_name);
        // One scratch for all of them.
        let mut scratch = StampScratch::default();
        for ((_, _, text, _), changes) in stamps {
            let mut text = text.into_bytes();
            changes.into_iter().for_each(|it| change(&mut text, it));
            for (form, rules) in FORMS.iter().zip(&rules_of) {
                let before = [scratch.unclear.ambiguous, scratch.unclear.missing];
                let found = rules.read(&text, latest, &mut scratch);
                let (expected, counts) = twin::read(&[form], &text, latest, &zone(zone_name));
                prop_assert_eq!(found, expected, "{} {} {}", form, zone_name, text.escape_ascii());
                if found.is_ok() {
                    let counted = [scratch.unclear.ambiguous - before[0], scratch.unclear.missing - before[1]];
                    prop_assert_eq!(counted, counts, "{} {}", zone_name, text.escape_ascii());
                }
            }
            let (expected, _) = twin::read(&FORMS, &text, latest, &zone(zone_name));
            prop_assert_eq!(auto.read(&text, latest, &mut scratch), expected, "{}", text.escape_ascii());
            prop_assert_eq!(StampForm::of(&text, Units::AUTO).is_some(), {
                let forms = FORMS.iter().filter(|form| is_of(form, &text));
                forms.count() == 1
            }, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        text in prop_oneof![any::<Vec<u8>>(), prop::collection::vec(near_bytes(), 0..40)], latest: i64,
    ) {
        for form in ["auto", "number", "rfc3339", "clf", "syslog", "%F %T%.f"] {
            let _ = rules(form, "Europe/Berlin").read(&text, Timestamp::from_nanos(latest), &mut StampScratch::default());
        }
        let _ = StampForm::of(&text, Units::AUTO);
    }
}

/// Whether the twin finds the form in a text: whatever the year, as one that is not written may
/// have none that fits.
fn is_of(form: &str, text: &[u8]) -> bool {
    twin::read(&[form], text, Timestamp::MAX, &TimeZone::UTC).0 != Err(Unfit::NoStamp)
}
