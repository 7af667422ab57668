//! Zones: what they are called, and what they make of times that were there twice or not at all.

use super::super::*;
use super::rules;

/// What times of a day mean in a zone, read with one scratch, and its counts: twice, never.
fn read(zone: &str, texts: &[&str]) -> (Vec<String>, [u64; 2]) {
    let (rules, mut scratch) = (rules("auto", zone), StampScratch::default());
    let read = |text: &&str| rules.read(text.as_bytes(), Timestamp::MAX, &mut scratch).unwrap().to_string();
    let found = texts.iter().map(read).collect();
    (found, [scratch.unclear.ambiguous, scratch.unclear.missing])
}

#[test]
fn times_without_an_offset_are_of_the_zone() {
    for (zone, text, time) in [
        ("UTC", "2024-07-01T12:00:00", "2024-07-01T12:00:00Z"),
        ("Europe/Berlin", "2024-07-01T12:00:00", "2024-07-01T10:00:00Z"),
        ("Europe/Berlin", "01/Jan/2024:12:00:00", "2024-01-01T11:00:00Z"),
        ("Europe/Berlin", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"),
        ("Europe/Berlin", "1700000000", "2023-11-14T22:13:20Z"),
        ("America/St_Johns", "Jul 1 2024 12:00:00", "2024-07-01T14:30:00Z"),
        ("+05:45", "2024-07-01T12:00:00", "2024-07-01T06:15:00Z"),
        ("-12:00", "2024-07-01T12:00:00", "2024-07-02T00:00:00Z"),
        // Clocks were not set back that autumn, as summer time had become the time of all year.
        ("America/Nuuk", "2023-10-28T23:30:00", "2023-10-29T01:30:00Z"),
        // Clocks showed the sun's time.
        ("Europe/Berlin", "1890-01-01T00:00:00", "1889-12-31T23:06:32Z"),
    ] {
        assert_eq!(read(zone, &[text]), (vec![time.to_owned()], [0, 0]), "{zone} {text}");
    }
}

#[test]
fn an_hour_that_is_there_twice_is_the_first_and_one_that_is_not_there_has_the_offset_before() {
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(&str, Pairs, [u64; 2])] = &[
        (
            "Europe/Berlin",
            &[
                ("2024-10-27T01:59:59.999999999", "2024-10-26T23:59:59.999999999Z"),
                ("2024-10-27T02:00:00", "2024-10-27T00:00:00Z"),
                ("2024-10-27T02:59:59.5", "2024-10-27T00:59:59.5Z"),
                // The second behind it, not an hour later.
                ("2024-10-27T02:59:60", "2024-10-27T01:00:00Z"),
                ("2024-10-27T03:00:00", "2024-10-27T02:00:00Z"),
                ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z"),
            ],
            [3, 0],
        ),
        (
            "Europe/Berlin",
            &[
                ("2024-03-31T01:59:59", "2024-03-31T00:59:59Z"),
                ("2024-03-31T01:59:60", "2024-03-31T01:00:00Z"),
                ("2024-03-31T02:00:00", "2024-03-31T01:00:00Z"),
                ("2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),
                ("2024-03-31T03:00:00", "2024-03-31T01:00:00Z"),
            ],
            [0, 2],
        ),
        // A whole day was left out.
        ("Pacific/Apia", &[("2011-12-30T12:00:00", "2011-12-30T22:00:00Z")], [0, 1]),
        // By half an hour.
        ("Australia/Lord_Howe", &[("2024-04-07T01:45:00", "2024-04-06T14:45:00Z")], [1, 0]),
        ("Europe/Berlin", &[("2200-10-26T02:30:00", "2200-10-26T00:30:00Z")], [1, 0]),
    ];
    for (zone, pairs, counts) in cases {
        let (texts, times): (Vec<&str>, Vec<&str>) = pairs.iter().copied().unzip();
        assert_eq!(read(zone, &texts), (times.into_iter().map(str::to_owned).collect(), *counts), "{zone}");
    }
    // A year that was only looked at is not counted: in 2024, the hour is there twice.
    let (rules, mut scratch) = (rules("syslog", "Europe/Berlin"), StampScratch::default());
    let latest = super::instant("2024-10-27T00:00:00Z");
    let found = rules.read(b"Oct 27 02:30:00", latest, &mut scratch).unwrap();
    assert_eq!((found.to_string().as_str(), scratch.unclear.ambiguous), ("2023-10-27T00:30:00Z", 0));
}

/// Of a zone that changed its rules in winter: what is known from behind that day does not reach
/// before it.
#[test]
fn a_time_before_a_change_out_of_season_is_not_taken_for_one_behind_it() {
    let (found, _) = read("America/Ciudad_Juarez", &["2022-12-05T00:00:00", "2022-11-27T15:26:40"]);
    assert_eq!(found, ["2022-12-05T07:00:00Z", "2022-11-27T21:26:40Z"]);
}

#[test]
fn a_scratch_does_not_take_one_zone_for_another() {
    let mut scratch = StampScratch::default();
    for _ in 0..3 {
        // Zones that are dropped and made again may lie where others lay.
        for (zone, hour) in [("Europe/Berlin", "11"), ("Asia/Tokyo", "03"), ("UTC", "12"), ("Europe/London", "12")] {
            let found = rules("auto", zone).read(b"2024-01-01T12:00:00", Timestamp::MAX, &mut scratch).unwrap();
            assert_eq!(found.to_string(), format!("2024-01-01T{hour}:00:00Z"), "{zone}");
        }
    }
}

#[test]
fn zones_are_names_or_offsets_and_print_as_they_are_read() {
    for text in ["UTC", "Europe/Berlin", "+02:00", "-03:30", "America/Argentina/Buenos_Aires", "+00:00:01"] {
        let zone = Zone::parse(text).unwrap();
        assert_eq!(zone.to_string(), text);
        assert_eq!(Zone::parse(&zone.to_string()), Ok(zone));
    }
    assert_eq!((Zone::parse("Z"), Zone::parse("+00:00")), (Ok(Zone::UTC), Ok(Zone::default())));
    assert_ne!(Zone::parse("Europe/Berlin"), Zone::parse("Europe/Paris"));
    assert_eq!(format!("{:?}", Zone::parse("Europe/Berlin").unwrap()), "Zone(Europe/Berlin)");
    for (text, said) in [
        ("Europe/Berln", "not 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("PST", "did you mean 'America/Los_Angeles'?"),
        ("UTC+1", "did you mean '+01:00'?"),
        ("Europe", "that is a region, of which a zone is e.g. Europe/Berlin"),
        ("+25:00", "from -23:59 to +23:59"),
        ("EST5EDT,M3.2.0,M11.1.0", "expected a time zone"),
        ("", "expected a time zone, e.g. UTC, Europe/Berlin or +02:00, not ''"),
    ] {
        let error = Zone::parse(text).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}
