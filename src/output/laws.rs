//! The exact layouts, the schema, and laws that hold for every output.

use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;

use super::destination::{Destination, Receipt};
use super::*;
use crate::model::escape::{bytes, is_hostile};
use crate::model::time::SECOND;
use crate::model::{
    Balance, Cell, Column, ColumnKind, Drawing, Ends, Loss, More, Report, Stamps, Timestamp, Window, WindowResult,
};
use crate::options::{Options, Value};

fn written(output: &str, results: &[WindowResult]) -> String {
    read_back(output, |destination| {
        for result in results {
            assert!(destination.write(result, &Receipt::new(1, Arc::default())).unwrap());
        }
    })
}

/// What an output writes to a file.
fn read_back(output: &str, write: impl FnOnce(&mut Destination)) -> String {
    let (entry, file) = (entry(output).unwrap(), tempfile::NamedTempFile::new().unwrap());
    let mut options = Options::defaults(entry.options);
    options.set("path", Value::Text(file.path().to_str().unwrap().to_owned()));
    write(&mut (entry.open)(&options, &mut Opening::default()).unwrap());
    std::fs::read_to_string(file.path()).unwrap()
}

fn report(
    id: &str,
    title: &str,
    columns: &[(&'static str, ColumnKind)],
    rows: Vec<Vec<Cell>>,
    drawing: Drawing,
) -> Report {
    let columns: Vec<Column> = columns.iter().map(|&(name, kind)| Column { name: name.into(), kind }).collect();
    Report { id: id.into(), drawing, ..Report::table(title, columns, rows) }
}

fn host(name: &str) -> Cell {
    Cell::Host(name.into())
}

const HOST: (&str, ColumnKind) = ("host", ColumnKind::Host);
const CONNECTIONS: (&str, ColumnKind) = ("connections", ColumnKind::Count);

fn result(reports: Vec<Report>) -> WindowResult {
    let at = Timestamp::from_seconds;
    let balance = Balance {
        lines_read: 3,
        counted: 2,
        blank: 1,
        bytes_read: 40,
        bytes_total: 40,
        inputs: 1,
        ..Balance::default()
    };
    let window = Window::closed(at(1_700_000_000), at(1_700_003_600));
    let (windows, issue, stamps, cut) = (1, None, None, Ends::default());
    WindowResult {
        sequence: 0,
        window,
        windows,
        periodic: false,
        cut,
        issue,
        connections: 2,
        measures: Vec::new(),
        from_start: false,
        stamps,
        reports,
        balance,
    }
}

fn classic() -> WindowResult {
    let list = |names: &[&str]| names.iter().map(|name| vec![host(name), Cell::Count(1)]).collect();
    let asked = |report: Report, name, value| Report { options: vec![(name, value)], ..report };
    result(vec![
        asked(
            report(
                "top-servers",
                "Server that received more connections:",
                &[("server", ColumnKind::Host), CONNECTIONS],
                vec![vec![host("Uniform"), Cell::Count(1015)]],
                Drawing::Labelled { labels: vec!["to", "ts"] },
            ),
            "limit",
            Cell::Count(1),
        ),
        asked(
            report(
                "connected-to",
                "List of connected hosts to Delta",
                &[HOST, CONNECTIONS],
                list(&["almont", "alpine", "alta"]),
                Drawing::List { gap: true },
            ),
            "host",
            host("Delta"),
        ),
        asked(
            report(
                "connected-from",
                "List of connections from sierra",
                &[HOST, CONNECTIONS],
                list(&["Alpha", "Bravo", "Charlie"]),
                Drawing::List { gap: false },
            ),
            "host",
            host("sierra"),
        ),
    ])
}

#[test]
fn the_positional_form_looks_as_it_always_did() {
    let expected = "\
Report results
--------------

* Server that received more connections:
to    Uniform
ts       1015

* List of connected hosts to Delta

almont, alpine, alta

* List of connections from sierra
Alpha, Bravo, Charlie
";
    assert_eq!(written("text", &[classic()]), expected);
}

#[test]
fn tables_are_aligned_and_empty_ones_say_so() {
    let columns = [HOST, CONNECTIONS];
    let rows = vec![vec![host("a"), Cell::Count(10_000_000_000_000)], vec![host("täst-host"), Cell::Count(1)]];
    let cross = |from: &str, to: &str, count| vec![host(from), host(to), Cell::Count(count)];
    let three = [("from", ColumnKind::Host), ("to", ColumnKind::Host), CONNECTIONS];
    let reports = vec![
        report("t", "Table", &columns, rows, Drawing::Table),
        report("e", "Empty", &columns, vec![], Drawing::Table),
        report("l", "List", &columns, vec![], Drawing::List { gap: false }),
        report(
            "m",
            "Matrix",
            &three,
            vec![cross("a", "X", 5), cross("a", "Y", 0), cross("b", "X", 1), cross("b", "Y", 22)],
            Drawing::Matrix,
        ),
    ];
    let expected = "\
Report results
--------------

* Table
host          connections
a          10000000000000
täst-host               1

* Empty
(none)

* List
(none)

* Matrix
   X   Y
a  5   0
b  1  22
";
    assert_eq!(written("text", &[result(reports)]), expected);
}

#[test]
fn an_empty_window_is_one_line_and_periodic_ones_have_headings() {
    let empty = WindowResult { connections: 0, ..classic() };
    let none = "Nothing between 2023-11-14 22:13:20 and 2023-11-14 23:13:20 UTC";
    assert_eq!(written("text", std::slice::from_ref(&empty)), format!("{none}\n"));
    let (low, high) = (Timestamp::from_seconds(5), Timestamp::from_nanos(6_500_000_000));
    for (extent, whole, said) in [
        (None, true, ", and no record elsewhere"),
        (None, false, ", and no record elsewhere that was looked at"),
        (
            Some((low, high)),
            true,
            "; stamps run from 1970-01-01 00:00:05 to 1970-01-01 00:00:06.5ODD; for their last hour: --until latest",
        ),
        (
            Some((low, low)),
            false,
            "; stamps run from 1970-01-01 00:00:05 to 1970-01-01 00:00:05, as far as was lookedODD; for their last hour: \
             --until latest",
        ),
    ] {
        let empty = WindowResult { stamps: Some(Stamps { extent, whole }), ..empty.clone() };
        let odd = odd((low, high)).unwrap();
        assert_eq!(written("text", &[empty]), format!("{none}{said}\n").replace("ODD", &format!(", {odd}")));
    }
    let stamps = Some(Stamps { extent: Some((low, high)), whole: true });
    for (seconds, from_start, remedy) in [
        (60, false, "minute: --until latest"),
        (5_400, false, "1 h 30 min: --until latest"),
        (93_784, false, "1 day 2 h 3 min 4 s: --until latest"),
        (172_800, true, "2 days: --since latest-2d --until latest"),
        (172_801, true, "2 days 1 h: --since latest-2d1h --until latest"),
        (7_201, true, "2 h 1 min: --since latest-2h1m --until latest"),
        (1, true, "1 s: --since latest-1s --until latest"),
        (0, true, "hour: --since latest-1h --until latest"),
    ] {
        let window = Window::closed(empty.window.end.minus(seconds * SECOND), empty.window.end);
        let text = written("text", &[WindowResult { stamps, window, from_start, ..empty.clone() }]);
        assert!(text.ends_with(&format!("; for their last {remedy}\n")), "{text}");
    }
    let stamps = Some(Stamps { extent: None, whole: true });
    let none_read = Balance { lines_read: 0, counted: 0, blank: 0, bytes_read: 0, ..empty.balance.clone() };
    for (balance, said) in [
        (Balance { bytes_total: 0, ..none_read.clone() }, format!("{none}: the input is empty (0 bytes)\n")),
        (
            Balance { bytes_total: 0, inputs: 3, ..none_read.clone() },
            format!("{none}: all 3 inputs are empty (0 bytes)\n"),
        ),
        (Balance { counted: 0, blank: 3, ..empty.balance.clone() }, format!("{none}: all lines are blank\n")),
        (Balance { bytes_unread: 40, ..none_read.clone() }, String::new()),
        (Balance { bytes_total: 0, inputs: 0, ..none_read }, String::new()),
    ] {
        assert_eq!(written("text", &[WindowResult { stamps, balance, ..empty.clone() }]), said);
    }
    let periodic = WindowResult { periodic: true, ..empty };
    let text = written("text", &[periodic.clone(), periodic]);
    let one = "Window 2023-11-14T22:13:20Z .. 2023-11-14T23:13:20Z\nNo data in last 3600 seconds\n";
    assert_eq!(text, format!("{one}\n{one}"));
}

#[test]
fn a_stretch_that_holds_nothing_is_said_by_its_ends() {
    let (low, high) = (Timestamp::from_seconds(1_000_000_800), Timestamp::from_seconds(1_000_000_860));
    let balance = result(Vec::new()).balance;
    let (extent, whole) = (Some((low, high)), true);
    for (since, until, said) in [
        (Some(low), Some(high), "between 2001-09-09 02:00:00 and 2001-09-09 02:01:00 UTC"),
        (Some(low), None, "from 2001-09-09 02:00:00 UTC on"),
        (None, Some(high), "before 2001-09-09 02:01:00 UTC"),
        (None, None, "in any window"),
    ] {
        let found = nothing(Stretch::Range(since, until), Some(Stamps { extent, whole }), &balance).unwrap();
        let shorter = "windows that are shorter than --every leave out what lies between them: give --seconds as long";
        let all = "without --since and --until all of them count";
        let remedy = if since.or(until).is_none() { shorter } else { all };
        let rest = format!("; stamps run from 2001-09-09 02:00:00 to 2001-09-09 02:01:00; {remedy}");
        assert_eq!(found, format!("Nothing {said}{rest}"));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaResult {
    schema: String,
    window: SchemaWindow,
    reports: Vec<SchemaReport>,
    balance: SchemaBalance,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct SchemaWindow {
    start: String,
    end: String,
    start_unix: Option<i64>,
    end_unix: Option<i64>,
    start_unix_nanos: i64,
    end_unix_nanos: i64,
    end_inclusive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the schema is what is under test")]
struct SchemaReport {
    id: String,
    options: std::collections::BTreeMap<String, serde_json::Value>,
    title: String,
    columns: Vec<SchemaColumn>,
    rows: Vec<Vec<serde_json::Value>>,
    overflow: Option<u64>,
    more: Option<SchemaMore>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct SchemaMore {
    rows: u64,
    with: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the schema is what is under test")]
struct SchemaColumn {
    name: String,
    r#type: String,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct SchemaBalance {
    lines_read: u64,
    counted: u64,
    out_of_window: u64,
    late: u64,
    future: u64,
    malformed: u64,
    blank: u64,
    bytes_read: u64,
    bytes_skipped: u64,
    bytes_total: u64,
    inputs: u64,
}

#[test]
fn the_schema_of_json_is_pinned() {
    let text = written("json", &[classic()]);
    let expected = concat!(
        r#"{"schema":"logparser/1","window":{"start":"2023-11-14T22:13:20Z","end":"2023-11-14T23:13:20Z","#,
        r#""start_unix":1700000000,"end_unix":1700003600,"start_unix_nanos":1700000000000000000,"end_unix_nanos":1700003600000000000,"end_inclusive":true},"reports":["#,
        r#"{"id":"top-servers","options":{"limit":1},"title":"Server that received more connections:","columns":["#,
        r#"{"name":"server","type":"host"},{"name":"connections","type":"count"}],"rows":[["Uniform",1015]]},"#,
        r#"{"id":"connected-to","options":{"host":"Delta"},"title":"List of connected hosts to Delta","columns":[{"name":"host","type":"host"},"#,
        r#"{"name":"connections","type":"count"}],"rows":[["almont",1],["alpine",1],["alta",1]]},"#,
        r#"{"id":"connected-from","options":{"host":"sierra"},"title":"List of connections from sierra","columns":[{"name":"host","type":"host"},"#,
        r#"{"name":"connections","type":"count"}],"rows":[["Alpha",1],["Bravo",1],["Charlie",1]]}],"#,
        r#""balance":{"lines_read":3,"counted":2,"out_of_window":0,"late":0,"future":0,"malformed":0,"blank":1,"#,
        r#""bytes_read":40,"bytes_skipped":0,"bytes_total":40,"inputs":1}}"#,
        "\n"
    );
    assert_eq!(text, expected);
    let parsed: SchemaResult = serde_json::from_str(&text).unwrap();
    assert_eq!((parsed.schema.as_str(), parsed.reports.len(), parsed.balance.lines_read), ("logparser/1", 3, 3));
    assert!(parsed.window.end_inclusive);
}

#[test]
fn every_loss_is_in_every_result_for_programs_and_in_the_last_line() {
    for loss in Loss::ALL {
        let mut result = classic();
        loss.put(&mut result.balance, 3);
        let sheet = read_back("json", |destination| destination.end(&result.balance).unwrap());
        for (text, is_last) in [(written("json", &[result]), false), (sheet, true)] {
            let line: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!((&line["balance"][loss.key()], line["window"].is_null()), (&3.into(), is_last), "{text}");
        }
    }
}

#[test]
fn what_a_limit_leaves_out_is_said_where_rows_stay_rows() {
    for (with, said, json) in [
        (Some(2), "and 4 more with 2\n", "\"more\":{\"rows\":4,\"with\":2}"),
        (None, "and 4 more\n", "\"more\":{\"rows\":4}"),
    ] {
        let rows = vec![vec![host("a"), Cell::Count(2)]];
        let cut = Report {
            more: Some(More { rows: 4, with }),
            ..report("t", "T", &[HOST, CONNECTIONS], rows, Drawing::Table)
        };
        let cut = result(vec![cut]);
        assert!(written("text", std::slice::from_ref(&cut)).ends_with(said));
        assert!(written("json", std::slice::from_ref(&cut)).contains(json));
        assert_eq!(written("csv", &[cut]), "host,connections\na,2\n");
    }
}

/// Whatever the limits, and however many hosts are asked about.
#[test]
fn names_in_csv_do_not_change_with_limits_and_are_never_alike() {
    let named = |id, options: Vec<(&'static str, Cell)>| Report {
        options,
        ..report(id, "Title", &[HOST], vec![vec![host("x")]], Drawing::Table)
    };
    let names = |reports| {
        let text = written("csv", &[result(reports)]);
        text.lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().trim_matches('"').to_owned())
            .collect::<Vec<_>>()
    };
    let limited = |limit| named("top-servers", vec![("limit", Cell::Count(limit))]);
    let asked = |name| named("connected-to", vec![("host", host(name))]);
    for limit in [1, 5] {
        assert_eq!(
            names(vec![limited(limit), asked("Delta"), asked("=cmd"), asked("\u{202e}")]),
            ["top-servers", "connected-to:host=Delta", "connected-to:host==cmd", "connected-to:host=\\xe2\\x80\\xae"]
        );
    }
    assert_eq!(names(vec![limited(1), limited(5)]), ["top-servers:limit=1", "top-servers:limit=5"]);
}

#[test]
fn csv_has_one_header_and_a_column_for_the_report_where_there_are_several() {
    let expected = "\
report,server,connections,host
top-servers,Uniform,1015,
connected-to:host=Delta,,1,almont
connected-to:host=Delta,,1,alpine
connected-to:host=Delta,,1,alta
connected-from:host=sierra,,1,Alpha
connected-from:host=sierra,,1,Bravo
connected-from:host=sierra,,1,Charlie
";
    assert_eq!(written("csv", &[classic()]), expected);
    let one = WindowResult { periodic: true, reports: classic().reports[1..2].to_vec(), ..classic() };
    let text = written("csv", &[one.clone(), one]);
    assert_eq!(text.lines().next(), Some("window_start,window_end,host,connections"));
    assert_eq!(text.lines().nth(1), Some("2023-11-14T22:13:20Z,2023-11-14T23:13:20Z,almont,1"));
    assert_eq!(text.lines().count(), 7);
}

#[test]
fn s4_no_cell_of_csv_begins_a_formula() {
    let names = ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "a\"b,c", "a\nb"];
    let rows = names.iter().map(|name| vec![host(name)]).collect();
    let text = written("csv", &[result(vec![report("r", "t", &[HOST], rows, Drawing::Table)])]);
    assert_eq!(text, "host\n'=cmd()\n'+1\n'-1\n'@x\n\\x09x\n\\x0dx\n\"a\"\"b,c\"\na\\x0ab\n");
    // The same signs in other forms, behind blanks, and in cells that a semicolon would make.
    let names =
        ["＝a", "＋a", "－a", "＠a", "﹦a", "﹢a", "﹣a", "﹫a", "⁺a", "₌a", "−a", "  =a", "a;=b;-c;d", "a;;@b", "'=a"];
    let rows = names.iter().map(|name| vec![host(name)]).collect();
    let text = written("csv", &[result(vec![report("r", "t", &[HOST], rows, Drawing::Table)])]);
    for (line, name) in text.lines().skip(1).zip(names) {
        match name.contains(';') {
            true => assert!(!line.contains(";=") && !line.contains(";@") && !line.contains(";-"), "{line}"),
            false => assert_eq!(line, format!("'{name}")),
        }
    }
    assert!(text.contains("a\\x3b=b\\x3b-c;d\n"), "{text}");
}

#[test]
fn s1_s3_json_is_exact_and_harmless() {
    let name = "a\u{1b}[2J\u{202e}\u{9b}\u{2028}</script>&\"\\\u{e0041}";
    let rows = vec![vec![host(name)], vec![Cell::Host(b"\xffx".to_vec())]];
    let text = written("json", &[result(vec![report("r", "t", &[HOST], rows, Drawing::Table)])]);
    assert!(!text.trim_end().chars().any(|c| is_hostile(c) || matches!(c, '<' | '>' | '&')), "{text}");
    let parsed: SchemaResult = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed.reports[0].rows[0][0], name);
    assert_eq!(parsed.reports[0].rows[1][0], "\\xffx");
}

#[test]
fn names_and_endings_are_unique() {
    for (at, entry) in TABLE.iter().enumerate() {
        let others = &TABLE[..at];
        assert!(others.iter().all(|other| other.name != entry.name), "{} twice", entry.name);
        let is_taken = |ending: &&&str| others.iter().any(|other| other.endings.contains(ending));
        assert_eq!(entry.endings.iter().find(is_taken), None, "{}: an ending that stands for another", entry.name);
    }
}

fn drawing() -> impl Strategy<Value = Drawing> {
    prop_oneof![
        Just(Drawing::Table),
        Just(Drawing::Matrix),
        Just(Drawing::List { gap: true }),
        Just(Drawing::Labelled { labels: vec!["to", "ts"] }),
    ]
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(b'\n'), Just(0x1b), Just(b'"'), Just(b'='), Just(b'\\'), Just(b'x')];
    proptest::collection::vec(byte, 1..12)
}

proptest! {
    #[test]
    fn nothing_that_acts_leaves_any_output(names in proptest::collection::vec(name(), 1..4), drawing in drawing(), periodic: bool) {
        let rows = names.iter().map(|name| vec![Cell::Host(name.clone()), Cell::Host(name.clone()), Cell::Count(3)]).collect();
        let columns = [("from", ColumnKind::Host), ("to", ColumnKind::Host), CONNECTIONS];
        let mut odd = report("r", "", &columns, rows, drawing);
        odd.title = names[0].clone();
        let result = WindowResult { periodic, ..result(vec![odd]) };
        for entry in TABLE {
            let text = written(entry.name, std::slice::from_ref(&result));
            prop_assert!(!text.chars().any(|c| is_hostile(c) && c != '\n'), "{}: {text:?}", entry.name);
        }
        // What JSON says can be had back exactly.
        let parsed: SchemaResult = serde_json::from_str(&written("json", &[result])).unwrap();
        for (row, name) in parsed.reports[0].rows.iter().zip(&names) {
            let said = row[0].as_str().unwrap();
            prop_assert!(said.as_bytes() == &name[..] || &bytes(said) == name);
        }
    }
}
