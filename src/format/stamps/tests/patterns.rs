//! Patterns: which are accepted, and what they mean.

use proptest::prelude::*;

use super::super::*;
use super::{instant, read, rules};

#[test]
fn patterns_mean_what_strptime_reads() {
    for (pattern, text, time) in [
        ("%d.%m.%Y %H:%M:%S", "31.01.2024 10:00:00", "2024-01-31T10:00:00Z"),
        ("%d.%m.%Y %H:%M:%S", "1.2.2024 1:02:03", "2024-02-01T01:02:03Z"),
        ("%d.%m.%Y %H:%M:%S,%f %z", "31.01.2024 10:00:00,123 +0130", "2024-01-31T08:30:00.123Z"),
        ("%d.%m.%Y %H:%M:%S", "31.12.2016 23:59:60", "2017-01-01T00:00:00Z"),
        ("%d.%m.%Y %T%.f", "31.12.2016 23:59:60.5", "2017-01-01T00:00:00.5Z"),
        ("%d.%m.%Y %T%.f", "31.12.2016 23:59:59.60", "2016-12-31T23:59:59.6Z"),
        ("%j of %Y, %H:%M:%S", "160 of 1960, 00:00:59", "1960-06-08T00:00:59Z"),
        ("%j of %Y, %H:%M:%S", "160 of 1960, 00:00: 60", "1960-06-08T00:01:00Z"),
        ("%Y%m%d%H%M%S", "20240131100060", "2024-01-31T10:01:00Z"),
        ("%a %b %e %H:%M:%S %Y", "Wed Jan 31 10:00:00 2024", "2024-01-31T10:00:00Z"),
        ("%a %b %e %H:%M:%S.%f %Y", "Wed Jan  3 10:00:00.000250 2024", "2024-01-03T10:00:00.00025Z"),
        ("%m/%d/%y %I:%M:%S %p", "01/31/24 10:00:00 PM", "2024-01-31T22:00:00Z"),
        ("%F %H", "2024-01-31 10", "2024-01-31T10:00:00Z"),
        ("%F %R %:z", "2024-01-31 10:00 +01:00", "2024-01-31T09:00:00Z"),
        ("%G-W%V-%u %T", "2024-W05-3 10:00:00", "2024-01-31T10:00:00Z"),
        ("[%s]", "[1700000000]", "2023-11-14T22:13:20Z"),
        ("[%s]", "[-1]", "1969-12-31T23:59:59Z"),
        ("%Y-%m-%d %H:%M:%S CET", "2024-01-31 10:00:00 CET", "2024-01-31T10:00:00Z"),
        ("%Y %% %m %d %T", "2024 % 01 31 10:00:00", "2024-01-31T10:00:00Z"),
        ("%d %B %Y %T.%f", "31 december 1969 23:59:59.25", "1969-12-31T23:59:59.25Z"),
        // Without a year.
        ("%m-%d %H:%M:%S.%f", "01-31 10:00:00.5", "2024-01-31T10:00:00.5Z"),
        ("%m-%d %H:%M:%S", "12-31 10:00:00", "2023-12-31T10:00:00Z"),
        ("%m-%d %H:%M:%S", "11-30 11:59:60", "2024-11-30T12:00:00Z"),
        ("%m-%d %H:%M:%S.%f", "11-30 12:00:00.1", "2023-11-30T12:00:00.1Z"),
        ("%b %d %T %z", "Nov 30 13:00:00 +0100", "2024-11-30T12:00:00Z"),
        ("%j %T", "366 10:00:00", "2020-12-31T10:00:00Z"),
        // The day of the week tells the year.
        ("%a %b %d %T", "Tue Jan 31 10:00:00", "2023-01-31T10:00:00Z"),
    ] {
        assert_eq!(read(&rules(pattern, "UTC"), text), Ok(time.to_owned()), "{pattern} {text}");
    }
    let found = read(&rules("%d.%m.%Y %H:%M:%S", "Europe/Berlin"), "31.07.2024 10:00:00");
    assert_eq!(found, Ok("2024-07-31T08:00:00Z".to_owned()));
    for (text, unfit) in [
        ("30.02.2024 10:00:00", Unfit::NoStamp),
        ("31.01.2024 10:00:00 ", Unfit::NoStamp),
        ("31.01.2024 10:00:61", Unfit::NoStamp),
        ("31.01.2024", Unfit::NoStamp),
        ("", Unfit::NoStamp),
        ("31.01.24 10:00:00", Unfit::TooEarly),
        ("31.01.9999 10:00:00", Unfit::TooLate),
        ("31.01.-999 10:00:00", Unfit::TooEarly),
    ] {
        assert_eq!(read(&rules("%d.%m.%Y %H:%M:%S", "UTC"), text), Err(unfit), "{text}");
    }
    // Before all instants that the library has, too.
    assert_eq!(read(&rules("%F %T", "Europe/Berlin"), "-9999-01-01 00:00:00"), Err(Unfit::TooEarly));
    assert_eq!(read(&rules("[%s]", "UTC"), "[9999999999]"), Err(Unfit::TooLate));
    assert_eq!(read(&rules("%m-%d %T%.f", "UTC"), "02-30 10:00:00"), Err(Unfit::NoStamp));
    assert_eq!(read(&rules("%F %T%.f", "UTC"), "2024-01-31 10:00:00.0000000001"), Err(Unfit::NoStamp));
}

#[test]
fn what_is_wrong_with_a_pattern_is_said() {
    for (pattern, said) in [
        ("", "expected a pattern, e.g. %d.%m.%Y %H:%M:%S"),
        ("%", "expected a letter behind the % at the end of '%'"),
        ("%Y-%m-%d %H:%M:%-", "expected a letter behind the %"),
        ("%i", "%i is nothing that can be read"),
        ("%Y-%m-%d %H:%M:%S %ä", "%ä is nothing that can be read"),
        ("%H:%M:%S", "expected a pattern with a date"),
        ("%Y %H:%M:%S", "expected a pattern with a date"),
        ("%m %H:%M:%S", "expected a pattern with a date"),
        ("%a %H:%M:%S", "expected a pattern with a date"),
        ("%d.%m.%Y", "expected a pattern with a time of day"),
        ("%d.%m.%Y %M:%S", "expected a pattern with a time of day"),
        ("%d.%m.%Y %H:%S", "expected a pattern with a time of day"),
        ("%d.%m.%Y %H:%M.%f", "expected a pattern with a time of day"),
        ("%F %I:%M:%S", "expected %p in a pattern with hours up to 12"),
        ("%F %T %Z", "%Z cannot be read: letters like CET are not one zone"),
        ("%F %T %Q", "%Q cannot be read: write the name of the zone as it is"),
        ("%c", "%c cannot be read: it differs by language"),
        ("%C%y-%m-%d %T", "%C cannot be read: write the year as %Y"),
        ("%s.%f", "expected the form number"),
        ("%F %T %.S", "cannot read what it writes"),
    ] {
        let error = StampPattern::parse(pattern).unwrap_err();
        assert!(error.contains(said), "{pattern}: {error}");
    }
}

proptest! {
    /// What the library writes in a pattern is read as the instant that it was.
    #[test]
    fn what_is_written_in_a_pattern_is_read(
        seconds in -9_223_000_000i64..9_223_000_000, part in 0i64..1_000_000_000,
        day in prop::sample::select(vec!["%Y-%m-%d", "%d.%m.%Y", "%b %e %Y", "%a, %d %B %Y", "%Y/%j", "%G-W%V-%u", "%m/%d/%Y"]),
        time in prop::sample::select(vec!["%H:%M:%S.%f", "%T%.f", "%I.%M.%S,%9f%p", "%k:%M:%S %N"]),
        zone in prop::sample::select(vec![" %z", "%:z", " %::z", "", " UTC"]),
    ) {
        let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(part);
        let time_of_it = jiff::Timestamp::from_nanosecond(nanos).unwrap();
        let pattern = format!("{day} {time}{zone}");
        let text = jiff::fmt::strtime::format(&pattern, time_of_it).unwrap();
        let expected = time_of_it.to_string();
        prop_assert_eq!(read(&rules(&pattern, "UTC"), &text), Ok(expected), "{} {}", pattern, text);
    }

    #[test]
    fn any_pattern_is_looked_at_without_panic(
        pattern in "(%[-_0^#]?[0-9]{0,3}[.:]{0,3}[a-zA-Z%]|[ a:/.0-9]|[%ä:.]){0,9}", text in "[-+0-9a-zA-Z:. /,]{0,30}", bytes: Vec<u8>,
    ) {
        if let Ok(pattern) = StampPattern::parse(&pattern) {
            let rules = StampRules { form: StampForm::Pattern(pattern), ..StampRules::default() };
            for text in [text.as_bytes(), &bytes] {
                let _ = rules.read(text, instant("2024-01-01T00:00:00Z"), &mut StampScratch::default());
            }
        }
    }
}
