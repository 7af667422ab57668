//! What stamps mean, as data. The slow twin that the properties compare with is `twin`.

mod patterns;
mod properties;
mod zones;

use super::*;

/// Later than all stamps here that have no year.
const LATEST: &str = "2024-11-30T12:00:00Z";

fn instant(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_nanos(i64::try_from(instant.as_nanosecond()).unwrap())
}

fn rules(form: &str, zone: &str) -> StampRules {
    StampRules { form: StampForm::parse(form).unwrap(), units: Units::AUTO, zone: Zone::parse(zone).unwrap() }
}

/// What a text means by these rules: an instant, or why it is none.
fn read(rules: &StampRules, text: &str) -> Result<String, Unfit> {
    let found = rules.read(text.as_bytes(), instant(LATEST), &mut StampScratch::default());
    found.map(|time| time.to_string())
}

#[test]
fn each_form_means_its_instant() {
    let cases = [
        ("number", "1700000000", "2023-11-14T22:13:20Z"),
        ("number", "1700000000123", "2023-11-14T22:13:20.123Z"),
        ("number", "1591367999.305988", "2020-06-05T14:39:59.305988Z"),
        ("number", "1286536308.779", "2010-10-08T11:11:48.779Z"),
        ("number", "-0.5", "1969-12-31T23:59:59.5Z"),
        ("rfc3339", "2022-07-10T23:50:05.533101+0000", "2022-07-10T23:50:05.533101Z"),
        ("rfc3339", "2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("rfc3339", "2024-01-31t10:00:00z", "2024-01-31T10:00:00Z"),
        ("rfc3339", "2024-01-31 10:00:00", "2024-01-31T10:00:00Z"),
        ("rfc3339", "2024-01-31 10:00:00 +0100", "2024-01-31T09:00:00Z"),
        ("rfc3339", "2024-01-31 10:00:00.123 UTC", "2024-01-31T10:00:00.123Z"),
        ("rfc3339", "2024-01-31T10:00:00+01:00", "2024-01-31T09:00:00Z"),
        ("rfc3339", "2024-01-31T10:00:00-01", "2024-01-31T11:00:00Z"),
        ("rfc3339", "2024-01-31T10:00:00-00:30", "2024-01-31T10:30:00Z"),
        ("rfc3339", "2024-01-31T10:00:00,5", "2024-01-31T10:00:00.5Z"),
        ("rfc3339", "2024-01-31T10:00:00.123456789Z", "2024-01-31T10:00:00.123456789Z"),
        ("rfc3339", "2024-01-31T10:00:00.12345678900Z", "2024-01-31T10:00:00.123456789Z"),
        ("rfc3339", "2024-01-01T10:30", "2024-01-01T10:30:00Z"),
        ("rfc3339", "2024-01-01 10:30Z", "2024-01-01T10:30:00Z"),
        ("rfc3339", "2024-01-01T10:30+0100", "2024-01-01T09:30:00Z"),
        ("rfc3339", "2024-01-01T10:30+01:00", "2024-01-01T09:30:00Z"),
        ("rfc3339", "2024/01/31 10:00:00", "2024-01-31T10:00:00Z"),
        ("rfc3339", "20240131T100000Z", "2024-01-31T10:00:00Z"),
        ("rfc3339", "20240131T100000", "2024-01-31T10:00:00Z"),
        ("rfc3339", "20240131T100000.25+0100", "2024-01-31T09:00:00.25Z"),
        ("rfc3339", "20240131T100000+01:00", "2024-01-31T09:00:00Z"),
        ("rfc3339", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("rfc3339", "2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"),
        ("rfc3339", "2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
        ("rfc3339", "1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224192Z"),
        ("rfc3339", "2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775807Z"),
        ("rfc3339", "2262-04-12T23:47:16.854775807+23:59:", ""),
        ("rfc3339", "2262-04-12T23:46:16.854775807+23:59", "2262-04-11T23:47:16.854775807Z"),
        ("clf", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
        ("clf", "06/Feb/2009:12:14:14.655", "2009-02-06T12:14:14.655Z"),
        ("clf", "29/Feb/2024:23:59:60 +0000", "2024-03-01T00:00:00Z"),
        ("syslog", "Oct 11 22:14:15", "2024-10-11T22:14:15Z"),
        ("syslog", "Oct  1 22:14:15", "2024-10-01T22:14:15Z"),
        ("syslog", "Oct 1 22:14:15", "2024-10-01T22:14:15Z"),
        ("syslog", "Oct 01 22:14:15.250", "2024-10-01T22:14:15.25Z"),
        ("syslog", "Nov 30 12:00:00", "2024-11-30T12:00:00Z"),
        ("syslog", "Nov 30 12:00:00.000000001", "2023-11-30T12:00:00.000000001Z"),
        ("syslog", "Nov 30 11:59:60", "2024-11-30T12:00:00Z"),
        ("syslog", "Nov 30 14:00:00 +0200", "2024-11-30T12:00:00Z"),
        ("syslog", "Dec 31 23:59:59", "2023-12-31T23:59:59Z"),
        ("syslog", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
        ("syslog", "Oct 11 2023 22:14:15", "2023-10-11T22:14:15Z"),
        ("syslog", "2023 Oct 11 22:14:15", "2023-10-11T22:14:15Z"),
        ("syslog", "Oct 11 22:14:15.5 2023", "2023-10-11T22:14:15.5Z"),
        ("syslog", "Oct 11 22:14:15 2023 +0200", "2023-10-11T20:14:15Z"),
        ("syslog", "Oct 11 2023 22:14:15.123 UTC", "2023-10-11T22:14:15.123Z"),
        ("syslog", "oct 11 22:14:15", "2024-10-11T22:14:15Z"),
        ("syslog", "Dec 31 2025 00:00:00", "2025-12-31T00:00:00Z"),
    ];
    for (form, text, time) in cases {
        let expected = if time.is_empty() { Err(Unfit::NoStamp) } else { Ok(time.to_owned()) };
        assert_eq!(read(&rules("auto", "UTC"), text), expected, "auto {text}");
        for other in ["number", "rfc3339", "clf", "syslog"] {
            let expected = if other == form { expected.clone() } else { Err(Unfit::NoStamp) };
            assert_eq!(read(&rules(other, "UTC"), text), expected, "{other} {text}");
        }
        let told = StampForm::of(text.as_bytes(), Units::AUTO);
        assert_eq!(told.as_ref().map(StampForm::name), (!time.is_empty()).then_some(form), "{text}");
    }
}

#[test]
fn anything_else_is_no_stamp() {
    for text in [
        "",
        " ",
        "-",
        "+5",
        "1e9",
        "5.",
        ".5",
        "1,5",
        "x",
        "2024",
        "2024-01-31",
        "2024/01/31",
        "2024-01-31T",
        "2024-01-31T10",
        "2024-01-31T1000",
        "2024-01-31T10:0",
        "2024-01-31T10:00:",
        "2024-01-31T10:00:0",
        "2024-01-31T10:00:00.",
        "2024-01-31T10:00:00.Z",
        "2024-01-31T10:00.5",
        "2024-01-31T10:00:00.1234567891",
        "2024-01-31T10:00:00.0000000001Z",
        "2024-01-31_10:00:00",
        "2024-01/31T10:00:00",
        "2024/01-31T10:00:00",
        "2024.01.31 10:00:00",
        "2024-1-31T10:00:00",
        "24-01-31T10:00:00",
        "+2024-01-31T10:00:00",
        "-2024-01-31T10:00:00",
        "02024-01-31T10:00:00",
        "2024-13-01T00:00:00",
        "2024-00-01T00:00:00",
        "2024-01-00T00:00:00",
        "2024-01-32T00:00:00",
        "2023-02-29T00:00:00",
        "1900-02-29T00:00:00",
        "2024-01-31T24:00:00",
        "2024-01-31T10:60:00",
        "2024-01-31T10:00:61",
        "2024-01-31T10:00:00 ",
        " 2024-01-31T10:00:00",
        "2024-01-31  10:00:00",
        "2024-01-31T10:00:00ZZ",
        "2024-01-31T10:00:00+1",
        "2024-01-31T10:00:00+1:00",
        "2024-01-31T10:00:00+24:00",
        "2024-01-31T10:00:00+01:60",
        "2024-01-31T10:00:00 CET",
        "2024-01-31T10:00:00[UTC]",
        "2024-01-31T10:00:00+01:00:00",
        "2024-W05-3T10:00:00",
        "2024-031T10:00:00",
        "20240131T1000",
        "20240131T1000Z",
        "20240131 100000Z",
        "20240131T10:00:00Z",
        "2024-01-31T100000",
        "202401311000T0Z",
        "20241331T100000Z",
        "2o24-01-31T10:00:00",
        "2024-01-31T10:00:0o",
        "2024-01-31T1/:00:00",
        "2024-01-31T10:0::00",
        "2024-01-31\u{a0}10:00:00",
        "1/Oct/2000:13:55:36",
        "10/Okt/2000:13:55:36",
        "10/10/2000:13:55:36",
        "10/Oct/2000 13:55:36",
        "10/Oct/2000:13:55",
        "[10/Oct/2000:13:55:36 -0700]",
        "31/Apr/2000:13:55:36",
        "10/Oct/2000:13:55:36  -0700",
        "10-Oct-2000:13:55:36",
        "Oct 11",
        "Oct 11 22:14",
        "Oct 32 22:14:15",
        "Feb 30 22:14:15",
        "Oct  0 22:14:15",
        "Oct 00 22:14:15",
        "Oct  11 22:14:15",
        "Oct   1 22:14:15",
        "Oct 11  22:14:15",
        "Oct11 22:14:15",
        "October 11 22:14:15",
        "Oct 11 22:14:15 CEST",
        "Wed Oct 11 22:14:15",
        "11 Oct 22:14:15",
        "Oct 11 22:14:15 23",
        "Oct 11 2023 22:14:15 2023",
        "2023 Oct 11 2023 22:14:15",
        "2023 Oct 11 22:14:15 2023",
        "Oct 11 22:14:15 +0100 2023",
        "Oct 11 22:14:15 ",
        "Feb 29 2023 00:00:00",
        "Oct 11 24:14:15",
        "/ct 11 22:14:15",
        "Oct 11 22:14:15.",
        "Oct  : 22:14:15",
    ] {
        for form in ["auto", "number", "rfc3339", "clf", "syslog"] {
            // Four digits are a number.
            let expected = match text {
                "2024" if matches!(form, "auto" | "number") => Ok("1970-01-01T00:33:44Z".to_owned()),
                _ => Err(Unfit::NoStamp),
            };
            assert_eq!(read(&rules(form, "Europe/Berlin"), text), expected, "{form} {text:?}");
        }
        assert!(text == "2024" || StampForm::of(text.as_bytes(), Units::AUTO).is_none(), "{text}");
    }
}

#[test]
fn beyond_all_instants_is_told_in_every_form() {
    for (text, unfit) in [
        ("1677-09-21T00:12:43.145224191Z", Unfit::TooEarly),
        ("2262-04-11T23:47:16.854775808Z", Unfit::TooLate),
        ("2262-04-11T23:47:16.854775807-00:01", Unfit::TooLate),
        ("1677-09-21T00:12:43.145224192+00:01", Unfit::TooEarly),
        ("0000-01-01T00:00:00Z", Unfit::TooEarly),
        ("0001-01-01T00:00:00", Unfit::TooEarly),
        ("9999-12-31T23:59:60-23:59", Unfit::TooLate),
        ("9999-12-31T23:59:59", Unfit::TooLate),
        ("00010101T000000Z", Unfit::TooEarly),
        ("10/Oct/1000:13:55:36 -0700", Unfit::TooEarly),
        ("10/Oct/3000:13:55:36", Unfit::TooLate),
        ("Oct 11 1492 22:14:15", Unfit::TooEarly),
        ("Oct 11 22:14:15 2492", Unfit::TooLate),
        ("9999999999", Unfit::TooLate),
        ("-9223372037", Unfit::TooEarly),
    ] {
        for zone in ["UTC", "Europe/Berlin", "Pacific/Apia", "-23:59"] {
            assert_eq!(read(&rules("auto", zone), text), Err(unfit), "{text} {zone}");
        }
        assert!(StampForm::of(text.as_bytes(), Units::AUTO).is_some(), "{text}");
    }
}

#[test]
fn a_year_that_is_not_written_is_the_latest_that_fits() {
    let cases = [
        ("Feb 29 12:00:00", "2024-02-29T12:00:00Z", Ok("2024-02-29T12:00:00Z")),
        ("Feb 29 12:00:00", "2024-02-29T11:59:59.999999999Z", Ok("2020-02-29T12:00:00Z")),
        ("Feb 29 12:00:00", "2104-02-29T11:59:59Z", Ok("2096-02-29T12:00:00Z")),
        ("Feb 29 12:00:00", "2103-12-31T23:59:59Z", Ok("2096-02-29T12:00:00Z")),
        ("Jan  1 00:00:00", "2024-12-31T23:59:59Z", Ok("2024-01-01T00:00:00Z")),
        ("Jan  1 00:00:00 +0100", "2024-12-31T23:00:00Z", Ok("2024-12-31T23:00:00Z")),
        ("Jan  1 23:00:00 +2359", "2024-12-31T23:01:00Z", Ok("2024-12-31T23:01:00Z")),
        ("Dec 31 23:00:00 -0100", "2024-12-31T23:59:59Z", Ok("2024-01-01T00:00:00Z")),
        ("Dec 31 23:59:60", "2025-01-01T00:00:00Z", Ok("2025-01-01T00:00:00Z")),
        ("Dec 31 23:59:60", "2024-12-31T23:59:59.999999999Z", Ok("2024-01-01T00:00:00Z")),
        ("Apr 11 23:47:16", "2262-04-11T23:47:16.854775807Z", Ok("2262-04-11T23:47:16Z")),
        ("Apr 11 23:47:17", "2262-04-11T23:47:16.854775807Z", Ok("2261-04-11T23:47:17Z")),
        ("Sep 20 00:00:00", "1677-09-21T00:12:43.145224192Z", Err(Unfit::TooEarly)),
        ("Feb 29 00:00:00", "1677-09-21T00:12:43.145224192Z", Err(Unfit::TooEarly)),
        ("Oct 11 00:00:00", "1677-12-21T00:00:00Z", Ok("1677-10-11T00:00:00Z")),
    ];
    for (text, latest, expected) in cases {
        let found = rules("syslog", "UTC").read(text.as_bytes(), instant(latest), &mut StampScratch::default());
        assert_eq!(found.map(|time| time.to_string()), expected.map(str::to_owned), "{text} {latest}");
    }
    // It is next year there already, or last year still.
    let found = |zone, latest| rules("syslog", zone).read(b"Jan  1 05:00:00", instant(latest), &mut Default::default());
    assert_eq!(found("Asia/Tokyo", "2024-12-31T20:00:00Z"), Ok(instant("2024-12-31T20:00:00Z")));
    assert_eq!(found("Asia/Tokyo", "2024-12-31T19:59:59Z"), Ok(instant("2023-12-31T20:00:00Z")));
    assert_eq!(found("America/New_York", "2025-01-01T09:59:59Z"), Ok(instant("2024-01-01T10:00:00Z")));
}

#[test]
fn forms_have_names() {
    for form in ["auto", "number", "rfc3339", "clf", "syslog", "%F %T"] {
        assert_eq!(StampForm::parse(form).unwrap().name(), form);
    }
    for (text, said) in [
        ("rfc339", "did you mean 'rfc3339'?"),
        ("", "expected auto, number, rfc3339, clf, syslog or a pattern, e.g. %d.%m.%Y %H:%M:%S, not ''"),
        ("RFC3339", "expected auto"),
        ("100%", "expected a letter behind the %"),
    ] {
        let error = StampForm::parse(text).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(StampRules::default(), rules("auto", "UTC"));
}

#[test]
fn a_unit_that_is_given_is_that_of_numbers() {
    let rules = StampRules { units: Units::named("ms").unwrap(), ..StampRules::default() };
    assert_eq!(read(&rules, "1.5"), Ok("1970-01-01T00:00:00.0015Z".to_owned()));
    assert_eq!(read(&rules, "2024-01-31T10:00:00.5Z"), Ok("2024-01-31T10:00:00.5Z".to_owned()));
    assert_eq!(StampForm::of(b"0.0000001", rules.units), None);
    assert_eq!(StampForm::of(b"0.0000001", Units::AUTO), Some(StampForm::Number));
}
