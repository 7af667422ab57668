//! Of all formats: names, samples, detection, and bytes of any kind.

use proptest::prelude::*;

use super::detect::{Detected, detect};
use super::envelope::Envelope;
use super::listed::ListedFormat;
use super::mapped::definition::read_keys;
use super::mapped::presets::{Preset, SampleLine, presets, shown_name};
use super::schema::Schema;
use super::*;
use crate::model::lanes::Baseline;
use crate::model::{Cause, Timestamp};
use crate::options::Options;
use crate::tally::names::foreign_byte;

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Read {
    Record(Timestamp, Vec<u8>, Vec<u8>),
    Other,
    Filtered,
    Blank,
    Bad(Cause),
    Beyond,
}

/// What a format makes of a line.
struct Parse<'a>(&'a [u8]);

impl FormatVisitor for Parse<'_> {
    type Output = Read;
    fn visit<F: LineFormat>(self, format: &F) -> Read {
        let (line, mut scratch) = (self.0, F::Scratch::default());
        match format.stamp(&mut scratch, line, 0, line.len()) {
            Stamp::At(time, at) => {
                let mut hosts = || match format.hosts(&mut scratch, line, at, line.len()) {
                    Ok(hosts) => {
                        let text = F::take(&mut scratch).text;
                        let bytes = if text.is_empty() { line } else { &text };
                        let host = |(from, to): (usize, usize)| bytes[from..to].to_vec();
                        Read::Record(time, host(hosts.from), host(hosts.to))
                    }
                    Err(NoRecord::Malformed(cause)) => Read::Bad(cause),
                    Err(NoRecord::Filtered) => Read::Filtered,
                };
                let found = hosts();
                assert_eq!(hosts(), found, "asked once more, {}", line.escape_ascii());
                found
            }
            Stamp::Blank => Read::Blank,
            Stamp::Other => Read::Other,
            Stamp::Bad(cause) => Read::Bad(cause),
            Stamp::TooEarly(_) | Stamp::TooLate(_) => Read::Beyond,
        }
    }
}

/// All that a likeness says of a line, after it has learned from it.
struct AtAGlance<'a>(&'a [u8]);

impl FormatVisitor for AtAGlance<'_> {
    type Output = Option<(Timestamp, HostRanges)>;
    fn visit<F: LineFormat>(self, format: &F) -> Self::Output {
        format.alike(self.0, (Timestamp::MIN, Timestamp::MAX), Timestamp::MAX, self)
    }
}

impl LikenessVisitor for AtAGlance<'_> {
    type Output = Option<(Timestamp, HostRanges)>;
    fn visit(self, mut alike: impl Likeness) -> Self::Output {
        let _ = (alike.learn_outside(self.0, 0), alike.is_outside(self.0, 0));
        let _ = (alike.learn_front(self.0, 0), alike.stamp(self.0, 0));
        alike.record(Baseline, self.0, 0, self.0.len())
    }
}

/// The sample lines of a format, as a log.
fn log(preset: &Preset) -> String {
    preset.samples.iter().map(|(line, _)| format!("{line}\n")).collect()
}

/// A format bound to its samples.
fn opened(preset: &Preset) -> Schema {
    let log = log(preset);
    let definition = preset.definition().unwrap_or_else(|| panic!("{} is no definition", preset.name));
    let bound = definition.bind(&Head::of(log.as_bytes(), true), &StampContext::default());
    Schema::Mapped(bound.unwrap_or_else(|why| panic!("{}: {why}", preset.name)))
}

fn schemas() -> Vec<Schema> {
    presets().map(opened).chain([LineRules::plain(0).schema]).collect()
}

#[test]
fn names_are_unique_and_each_has_an_example() {
    let all: Vec<ListedFormat> = listed().collect();
    for (at, ListedFormat { name, help, example }) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other.name != *name), "{name} twice");
        assert!(!help.is_empty() && !example.is_empty(), "{name}");
        assert!(
            is_identity(name) && Format::named(name, &[], Options::default()).is_some_and(|it| it.is_ok()),
            "{name}"
        );
    }
    assert!(Format::named("no such format", &[], Options::default()).is_none());
    assert!(matches!(LineRules::plain(9).schema.visit(Parse(all[0].example.as_bytes())), Read::Record(..)));
}

#[test]
fn samples_are_what_they_say() {
    for preset in presets() {
        let schema = opened(preset);
        for (line, sample) in preset.samples {
            let expected = match sample {
                SampleLine::Record(time, from, to) => {
                    let time: jiff::Timestamp = time.parse().unwrap();
                    let time = Timestamp::from_nanos(time.as_nanosecond() as i64);
                    Read::Record(time, from.as_bytes().to_vec(), to.as_bytes().to_vec())
                }
                SampleLine::Other => Read::Other,
                SampleLine::Filtered => Read::Filtered,
            };
            assert_eq!(schema.visit(Parse(line.as_bytes())), expected, "{}: {line}", preset.name);
            // As some write them.
            assert_eq!(schema.visit(Parse(format!("{line}\r").as_bytes())), expected, "{}: {line}", preset.name);
        }
        assert!(preset.samples.iter().any(|(_, sample)| matches!(sample, SampleLine::Record(..))), "{}", preset.name);
    }
}

#[test]
fn samples_tell_their_format() {
    for preset in presets() {
        let log = log(preset);
        match detect(&Head::of(log.as_bytes(), true), &StampContext::default()) {
            Ok(Detected::Defined(told)) => assert_eq!(told.name, preset.name),
            other => panic!("{}: {other:?}", preset.name),
        }
    }
}

#[test]
fn a_definition_reads_back_from_what_is_shown() {
    for preset in presets() {
        let definition = preset.definition().unwrap();
        let again = Definition::new(preset.name, read_keys(&definition.to_string()).unwrap()).unwrap();
        assert_eq!(again, *definition, "{definition}");
        let format = Format::named(preset.name, &[], Options::default()).unwrap().unwrap();
        assert_eq!(format.identity(), preset.name);
    }
}

#[test]
fn keys_beside_a_format_change_it() {
    let keys = read_keys("to = '{id.resp_h}:{id.resp_p}/{proto}'\nwhere = 'proto=tcp'\n").unwrap();
    let format = Format::named("zeek-conn", &[], keys).unwrap().unwrap();
    assert!(is_identity(&format.identity()) && format.identity() != "zeek-conn");
    let log =
        b"#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\n1700000000\ta\tb\t443\ttcp\n1700000000\ta\tb\t53\tudp\n";
    let rules = format.bind(&Head::of(log, true), Timestamp::MAX, 100).unwrap();
    let read: Vec<Read> = log.split(|byte| *byte == b'\n').map(|line| rules.schema.visit(Parse(line))).collect();
    let record = Read::Record(Timestamp::from_seconds(1_700_000_000), b"a".to_vec(), b"b:443/tcp".to_vec());
    assert_eq!(read, [Read::Other, record, Read::Filtered, Read::Blank]);
}

#[test]
fn a_field_that_there_is_not_is_refused_with_those_there_are() {
    let log = b"#fields\tts\tid.orig_h\tid.resp_h\tproto\n1\ta\tb\ttcp\n";
    for (keys, said) in [
        ("to = 'id.resp'", "there is no field 'id.resp'"),
        (
            "where = 'protocol=tcp'",
            "there is no field 'protocol' (did you mean 'proto'?); the fields are ts, id.orig_h, id.resp_h, proto",
        ),
        ("time = 'stamp'", "there is no field 'stamp'"),
    ] {
        let format = Format::named("zeek-conn", &[], read_keys(keys).unwrap()).unwrap().unwrap();
        match format.bind(&Head::of(log, true), Timestamp::MAX, 100) {
            Err(Unbound::Misasked(why)) => assert!(why.contains(said), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_line_that_says_what_the_format_does_not_read_is_malformed() {
    let header = "#fields\tts\tid.orig_h\tid.resp_h\tconn_state";
    let zeek = presets().find(|preset| preset.name == "zeek-conn").unwrap().definition().unwrap();
    let bound = zeek.bind(&Head::of(header.as_bytes(), true), &StampContext::default()).unwrap();
    let schema = Schema::Mapped(bound);
    for (line, expected) in [
        ("#separator \\x09", Read::Other),
        ("#separator \\x2c", Read::Bad(Cause::TooFewFields)),
        ("#unset_field\t-", Read::Other),
        ("#unset_field\tNULL", Read::Bad(Cause::TooFewFields)),
        ("#empty_field\t(empty)", Read::Other),
        ("#empty_field\t", Read::Bad(Cause::TooFewFields)),
        ("#unset_fields\tNULL", Read::Other),
        ("#set_separator\t;", Read::Other),
        (header, Read::Other),
    ] {
        assert_eq!(schema.visit(Parse(line.as_bytes())), expected, "{line}");
    }
}

#[test]
fn a_url_with_blanks_in_it_makes_no_other_columns() {
    let squid = opened(presets().find(|preset| preset.name == "squid").unwrap());
    for url in ["http://a.example/b c", "http://a.example/ x HIER_DIRECT/203.0.113.9 text/html"] {
        let line = format!("1700000000.250 12 10.0.0.5 TCP_MISS/200 1 GET {url} - HIER_DIRECT/192.0.2.7 text/html");
        assert_eq!(squid.visit(Parse(line.as_bytes())), Read::Bad(Cause::TooManyFields), "{url}");
    }
}

#[test]
fn a_line_that_stands_for_several_is_a_record_of_formats_that_count_these() {
    let line = "Nov 14 22:13:20 a b: message repeated 2 times: [ ts=1700000000 src=a dst=b]";
    for (weight, is_record) in [("", false), ("weight = 'envelope.repeats'", true)] {
        let keys = read_keys(&format!("envelope = 'syslog'\n{weight}")).unwrap();
        let format = Format::named("logfmt", &[], keys).unwrap().unwrap();
        let rules = format.bind(&Head::of(line.as_bytes(), true), Timestamp::MAX, 100).unwrap();
        let found = rules.schema.visit(Parse(line.as_bytes()));
        assert_eq!(matches!(found, Read::Record(..)), is_record, "{found:?}");
        assert!(is_record || found == Read::Bad(Cause::NotOfTheForm), "{found:?}");
    }
}

#[test]
fn what_is_no_format_is_not_guessed() {
    let context = StampContext::default();
    let told = |text: &str| detect(&Head::of(text.as_bytes(), true), &context);
    for text in ["", "\n\n", "1700000000 a b\n", "1700000000 a\n", "1700000000\n", "1700000000 a b c d\nx\n"] {
        assert!(matches!(told(text), Ok(Detected::Plain)), "{text:?}");
    }
    for text in ["hello world\n", "{\"a\":1}\n", "a,b,c\n1,2,3\n", "\0\0\x01\x02", "time=now src=a\n"] {
        assert!(told(text).is_err(), "{text:?}");
    }
    // As many lines of one format as of another.
    let combined = presets().find(|preset| preset.name == "combined").unwrap().example();
    let zeek = r#"{"ts":1,"id.orig_h":"a","id.resp_h":"b"}"#;
    assert!(told(&format!("{combined}\n{zeek}\n{combined}\n{zeek}\n")).is_err());
    // A line in ten may be anything.
    assert!(matches!(told(&(format!("{combined}\n").repeat(9) + "?\n")), Ok(Detected::Defined(_))));
    assert!(told(&(format!("{combined}\n").repeat(8) + "?\n?\n")).is_err());
}

#[test]
fn what_stands_around_a_line_is_told_too() {
    for preset in presets().filter(|preset| preset.definition().unwrap().envelope == Envelope::None) {
        let wrapped = |wrap: &dyn Fn(&str) -> String| -> String {
            preset.samples.iter().map(|(line, _)| wrap(line) + "\n").collect()
        };
        let docker = |line: &str| serde_json::json!({ "log": format!("{line}\n"), "time": "2023-11-14T22:13:20Z" });
        for (envelope, log) in [
            ("cri", wrapped(&|line| format!("2023-11-14T22:13:20.25Z stdout F {line}"))),
            ("docker-json", wrapped(&|line| docker(line).to_string())),
            ("syslog", wrapped(&|line| format!("<134>Nov 14 22:13:20 node1 app[7]: {line}"))),
            ("syslog", wrapped(&|line| format!("Nov  4 22:13:20 node1 app: {line}"))),
            ("syslog", wrapped(&|line| format!("1 2023-11-14T22:13:20Z node1 app - - - {line}"))),
        ] {
            let head = Head::of(log.as_bytes(), true);
            let expected = format!("{} in {envelope}", preset.name);
            match detect(&head, &StampContext::default()) {
                Ok(Detected::Defined(told)) => assert_eq!(shown_name(&told), expected, "{log}"),
                other => panic!("{expected}: {other:?} {log}"),
            }
            // So it is where the format is named.
            let named = Format::named(preset.name, &[], Options::default()).unwrap().unwrap();
            let schema = named.bind(&head, Timestamp::MAX, 1_000).unwrap().schema;
            assert_eq!(named.told(&schema), Some(expected), "{log}");
        }
    }
}

#[test]
fn yearless_stamps_are_in_the_last_year_that_fits() {
    let line = b"Nov 14 22:13:20 fw kernel: IN=eth0 SRC=a DST=b PROTO=TCP";
    let latest: jiff::Timestamp = "2023-11-15T00:00:00Z".parse().unwrap();
    let latest = Timestamp::from_nanos(latest.as_nanosecond() as i64);
    let rules = Format::auto().bind(&Head::of(line, true), latest, 100).unwrap();
    assert!(
        matches!(rules.schema.visit(Parse(line)), Read::Record(time, ..) if time == Timestamp::from_seconds(1_700_000_000))
    );
    let earlier = rules.up_to(Timestamp::from_seconds(1_700_000_000 - 86_401));
    assert!(
        matches!(earlier.schema.visit(Parse(line)), Read::Record(time, ..) if time.to_string().starts_with("2022-11-14T"))
    );
}

#[test]
fn a_log_whose_zone_is_ahead_of_the_one_it_is_read_in_keeps_its_year() {
    let line = b"Jan  1 09:59:59 fw kernel: IN=eth0 SRC=a DST=b PROTO=TCP";
    let written: jiff::Timestamp = "2023-12-31T21:59:59Z".parse().unwrap();
    let written = Timestamp::from_nanos(written.as_nanosecond() as i64);
    let rules = Format::auto().bind(&Head::of(line, true), written, 100).unwrap();
    assert!(
        matches!(rules.schema.visit(Parse(line)), Read::Record(time, ..) if time.to_string().starts_with("2024-01-01T09:"))
    );
}

/// Lines that are nearly those of some format.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let samples: Vec<&str> = presets().flat_map(|preset| preset.samples.iter().map(|(line, _)| *line)).collect();
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (prop::sample::select(samples), proptest::collection::vec(change, 0..6)).prop_map(|(line, changes)| {
        let mut line = line.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(line.len());
            line[at] = byte;
        }
        line
    })
}

/// Cells of a log of Zeek, odd ones among them.
fn cell() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"1700000000".to_vec()),
        "-?[0-9]{0,12}([.][0-9]{0,10})?".prop_map(String::into_bytes),
        "[a-z0-9.]{0,18}".prop_map(String::into_bytes),
        prop_oneof![Just("-"), Just("(empty)"), Just(" "), Just("#x"), Just("a\0b")]
            .prop_map(|it| it.as_bytes().to_vec()),
    ]
}

/// Cells of a log with commas, with blanks and quotes around some.
fn comma_cell() -> impl Strategy<Value = Vec<u8>> {
    ("[ \t]{0,2}", cell(), "[ \t]{0,2}", any::<bool>()).prop_map(|(before, cell, behind, has_quotes)| {
        let quote: &[u8] = if has_quotes { b"\"" } else { b"" };
        [before.as_bytes(), quote, &cell, quote, behind.as_bytes()].concat()
    })
}

proptest! {
    #[test]
    fn lines_of_columns_mean_the_same_whether_more_is_asked_of_them_or_not(
        cells in proptest::collection::vec(cell(), 4..7),
        start: bool,
    ) {
        let header = b"#fields\tts\tid.orig_h\tid.resp_h\tduration\tconn_state\n";
        let read = |keys: &str| {
            let time = if start { "record-time = 'start'" } else { "" };
            let keys = read_keys(&format!("{keys}\n{time}")).unwrap();
            let format = Format::named("zeek-conn", &[], keys).unwrap().unwrap();
            let rules = format.bind(&Head::of(header, true), Timestamp::MAX, 100).unwrap();
            rules.schema.visit(Parse(&cells.join(&b'\t')))
        };
        // What is always met takes the general way.
        prop_assert_eq!(read(""), read("where = ['ts exists or ts missing']"));
    }

    #[test]
    fn lines_with_commas_mean_the_same_whether_more_is_asked_of_them_or_not(
        cells in proptest::collection::vec(comma_cell(), 3..6),
    ) {
        let header = b"ts, src_ip,\"dst_ip\", bytes\n";
        let read = |keys: &str| {
            let format = Format::named("csv", &[], read_keys(keys).unwrap()).unwrap().unwrap();
            let rules = format.bind(&Head::of(header, true), Timestamp::MAX, 100).unwrap();
            rules.schema.visit(Parse(&cells.join(&b',')))
        };
        prop_assert_eq!(read(""), read("where = ['ts exists or ts missing']"));
    }

    #[test]
    fn any_bytes_are_parsed_without_panic(
        line in prop_oneof![proptest::collection::vec(any::<u8>(), 0..60), mutated()]
    ) {
        let line: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').collect();
        for schema in schemas() {
            let _ = schema.visit(AtAGlance(&line));
            if let Read::Record(_, from, to) = schema.visit(Parse(&line)) {
                prop_assert!(!from.is_empty() && !to.is_empty());
                // What is read back is held to the same.
                for host in [from, to] {
                    prop_assert_eq!(foreign_byte(&host), None);
                }
            }
        }
    }

    #[test]
    fn any_head_is_told_or_refused(
        lines in proptest::collection::vec(prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), mutated()], 0..6),
        is_whole: bool,
    ) {
        let log = lines.join(&b'\n');
        let head = Head::of(&log, is_whole);
        let context = StampContext::default();
        if let Ok(Detected::Defined(told)) = detect(&head, &context) {
            prop_assert!(told.bind(&head, &context).is_ok());
        }
    }
}
