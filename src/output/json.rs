//! `json`: one line a result, in the schema `logparser/1`, with the balance sheet at that moment.
//! Where the last result does not have all losses of the run, or there is no result, one more line
//! without a window has them.
//!
//! Host names are there exactly, with everything that could act on a terminal or a page escaped by
//! JSON's own means. Bytes that are not text are `\xNN`, and a backslash that would read as one is
//! `\x5c`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use super::entry::{OutputEntry, PATH, file_or_stdout, path};
use super::medium::{Medium, Style};
use crate::model::escape::{exact, is_hostile};
use crate::model::time::SECOND;
use crate::model::{Balance, Cell, Column, Ends, Issue, MeasureTotal, More, Report, Timestamp, Window, WindowResult};

/// The output.
pub(super) const ENTRY: OutputEntry = OutputEntry {
    name: "json",
    help: "one line of JSON a result, schema logparser/1",
    options: &[PATH],
    endings: &["json", "jsonl", "ndjson"],
    example: r#""json:results.jsonl""#,
    claims: file_or_stdout,
    open: |options, opening| opening.open("json", Box::new(Json), path(options)),
};

struct Json;

impl Medium for Json {
    fn render(&self, result: &WindowResult, _: Style) -> io::Result<Vec<u8>> {
        render(result)
    }

    fn says_more(&self) -> bool {
        true
    }

    fn sheet(&self, balance: &Balance) -> Option<io::Result<Vec<u8>>> {
        Some(render_sheet(balance))
    }
}

const SCHEMA: &str = "logparser/1";

#[derive(Serialize)]
struct ResultLine<'a> {
    schema: &'a str,
    /// None in the last line of a run whose results do not have all its losses.
    window: Option<WindowPart>,
    reports: Vec<ReportPart<'a>>,
    /// Only where measures are summed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    measures: Vec<MeasurePart<'a>>,
    balance: BalancePart,
}

#[derive(Serialize)]
struct WindowPart {
    start: String,
    end: String,
    /// Only where they are whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_unix: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_unix: Option<i64>,
    start_unix_nanos: i64,
    end_unix_nanos: i64,
    end_inclusive: bool,
    /// Only where it stands for many windows, which hold nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_windows: Option<u64>,
    /// Only where the range that was asked for cuts the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<CutPart>,
    /// Only where there may be several results of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    provisional: bool,
}

/// The ends that cut a window.
#[derive(Serialize)]
struct CutPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

#[derive(Serialize)]
struct ReportPart<'a> {
    id: &'a str,
    options: BTreeMap<&'static str, CellPart>,
    title: String,
    columns: Vec<ColumnPart<'a>>,
    rows: Vec<Vec<CellPart>>,
    /// Only where memory was limited and too little.
    #[serde(skip_serializing_if = "is_zero")]
    overflow: u64,
    /// Only where a limit left out rows that are as good as the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<MorePart>,
}

/// What a measure comes to in the window, and of how many of its records it is not known.
#[derive(Serialize)]
struct MeasurePart<'a> {
    name: &'a str,
    sum: u64,
    missing: u64,
}

#[derive(Serialize)]
struct MorePart {
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<u64>,
}

#[derive(Serialize)]
struct ColumnPart<'a> {
    name: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CellPart {
    Text(String),
    Count(u64),
}

#[derive(Serialize)]
struct BalancePart {
    lines_read: u64,
    counted: u64,
    #[serde(skip_serializing_if = "is_zero")]
    overflowed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    filtered: u64,
    out_of_window: u64,
    late: u64,
    future: u64,
    malformed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    other: u64,
    blank: u64,
    bytes_read: u64,
    bytes_skipped: u64,
    #[serde(skip_serializing_if = "is_zero")]
    bytes_unread: u64,
    bytes_total: u64,
    /// Only where inputs are compressed.
    #[serde(skip_serializing_if = "is_zero")]
    bytes_compressed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    unterminated: u64,
    /// Only where files are followed.
    #[serde(skip_serializing_if = "is_zero")]
    unknown_losses: u64,
    inputs: u64,
    #[serde(skip_serializing_if = "is_zero")]
    results_dropped: u64,
}

fn render(result: &WindowResult) -> io::Result<Vec<u8>> {
    bytes(&ResultLine {
        schema: SCHEMA,
        window: Some(WindowPart {
            empty_windows: (result.windows > 1).then_some(result.windows),
            cut: cut_part(result.cut),
            ..window_part(result.window, result.issue)?
        }),
        reports: result.reports.iter().filter(|_| result.windows == 1).map(report_part).collect(),
        measures: result.measures.iter().map(measure_part).collect(),
        balance: balance_part(&result.balance),
    })
}

/// A line without a window.
fn render_sheet(balance: &Balance) -> io::Result<Vec<u8>> {
    let (reports, measures) = (Vec::new(), Vec::new());
    bytes(&ResultLine { schema: SCHEMA, window: None, reports, measures, balance: balance_part(balance) })
}

fn bytes(line: &ResultLine<'_>) -> io::Result<Vec<u8>> {
    line_of(line).map(String::into_bytes)
}

/// A value as one line of JSON, in which nothing acts on a terminal or hides.
pub fn line_of(value: &impl Serialize) -> io::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Harmless))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// A window as results have it, for what else is said of it in JSON.
pub fn window(window: Window) -> io::Result<impl Serialize> {
    window_part(window, None)
}

/// A balance sheet as results have it, for what else is said of it in JSON.
pub fn balance(balance: &Balance) -> impl Serialize + use<> {
    balance_part(balance)
}

fn window_part(window: Window, issue: Option<Issue>) -> io::Result<WindowPart> {
    Ok(WindowPart {
        start: window.start.to_string(),
        end: window.end.to_string(),
        start_unix: seconds(window.start),
        end_unix: seconds(window.end),
        start_unix_nanos: window.start.nanos(),
        end_unix_nanos: window.end.nanos(),
        end_inclusive: window.end_inclusive,
        empty_windows: None,
        cut: None,
        revision: issue.map(|issue| issue.revision),
        provisional: issue.is_some_and(|issue| issue.provisional),
    })
}

fn cut_part(cut: Ends) -> Option<CutPart> {
    let at = |time: Option<Timestamp>| time.map(|time| time.to_string());
    (!cut.is_open()).then(|| CutPart { since: at(cut.since), until: at(cut.until) })
}

/// Unix seconds, if they are whole: a fraction would be a float to whoever reads it, and not exact.
fn seconds(time: Timestamp) -> Option<i64> {
    (time.nanos() % SECOND == 0).then_some(time.nanos() / SECOND)
}

fn report_part(report: &Report) -> ReportPart<'_> {
    let cell = |cell: &Cell| match cell {
        Cell::Host(name) => CellPart::Text(exact(name).into_owned()),
        Cell::Count(count) => CellPart::Count(*count),
        Cell::Time(time) => CellPart::Text(time.to_string()),
        // A fraction would be a float to whoever reads it, and not exact.
        Cell::Percent(share) => CellPart::Text(share.to_string()),
    };
    ReportPart {
        id: &report.id,
        options: report.options.iter().map(|(name, value)| (*name, cell(value))).collect(),
        title: exact(&report.title).into_owned(),
        columns: report.columns.iter().map(column_part).collect(),
        rows: report.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        overflow: report.overflow,
        more: report.more.map(|More { rows, with }| MorePart { rows, with }),
    }
}

fn column_part(column: &Column) -> ColumnPart<'_> {
    ColumnPart { name: &column.name, r#type: column.kind.name() }
}

fn measure_part(MeasureTotal { name, sum, missing }: &MeasureTotal) -> MeasurePart<'_> {
    MeasurePart { name, sum: *sum, missing: *missing }
}

fn balance_part(balance: &Balance) -> BalancePart {
    BalancePart {
        lines_read: balance.lines_read,
        counted: balance.counted,
        overflowed: balance.overflowed,
        filtered: balance.filtered,
        out_of_window: balance.out_of_window,
        late: balance.late,
        future: balance.future,
        malformed: balance.malformed_total(),
        other: balance.other,
        blank: balance.blank,
        bytes_read: balance.bytes_read,
        bytes_skipped: balance.bytes_skipped,
        bytes_compressed: balance.bytes_compressed,
        bytes_unread: balance.bytes_unread,
        bytes_total: balance.bytes_total,
        unterminated: balance.unterminated,
        unknown_losses: balance.unknown_losses,
        inputs: balance.inputs,
        results_dropped: balance.results_dropped,
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Escapes within strings what JSON itself would let pass: characters that act on a terminal or
/// hide, and those that would end a script in a page.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            if !is_hostile(c) && !matches!(c, '<' | '>' | '&') {
                continue;
            }
            CompactFormatter.write_string_fragment(writer, &fragment[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[plain..])
    }
}
