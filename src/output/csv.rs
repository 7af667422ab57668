//! `csv`: a header and rows.
//!
//! One report has its own columns. Several share the union of their columns behind a column
//! `report`, which holds their names: the same ones whatever the limits; and periodic results have
//! `window_start` and `window_end` before all others, followed by `revision` and `provisional`
//! where inputs are followed. A cell that a spreadsheet would take for a formula begins with an
//! apostrophe (CWE-1236).

use std::io;

use csv::{QuoteStyle, WriterBuilder};

use super::entry::{OutputEntry, PATH, file_or_stdout, path};
use super::medium::{Behind, Medium, Style};
use crate::model::escape::printable;
use crate::model::{Cell, Column, ColumnKind, Report, WindowResult};

/// The output.
pub(super) const ENTRY: OutputEntry = OutputEntry {
    name: "csv",
    help: "comma-separated values with a header",
    options: &[PATH],
    endings: &["csv"],
    example: r#"{ name = "csv", path = "results.csv" }"#,
    claims: file_or_stdout,
    open: |options, opening| opening.open("csv", Box::new(Csv), path(options)),
};

struct Csv;

impl Medium for Csv {
    fn render(&self, result: &WindowResult, style: Style) -> io::Result<Vec<u8>> {
        render(result, style)
    }

    fn head(&self, empty: &WindowResult, style: Style) -> Option<io::Result<Vec<u8>>> {
        Some(render(empty, style))
    }
}

fn render(result: &WindowResult, style: Style) -> io::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    let columns = shared_columns(result);
    // A file that is written on has its header.
    if style.behind == Behind::Nothing {
        writer.write_record(header(result, &columns))?;
    }
    if result.windows > 1 {
        writer.write_record(gap_record(result, columns.len()))?;
    }
    for report in &result.reports {
        for row in &report.rows {
            writer.write_record(record(result, report, row, &columns))?;
        }
        if report.overflow > 0 {
            writer.write_record(record(result, report, &overflow_row(report), &columns))?;
        }
    }
    writer.into_inner().map_err(|failed| failed.into_error())
}

/// The columns of all reports, each once.
fn shared_columns(result: &WindowResult) -> Vec<&str> {
    let mut columns = Vec::new();
    for column in result.reports.iter().flat_map(|report| &report.columns) {
        if !columns.contains(&&*column.name) {
            columns.push(&*column.name);
        }
    }
    columns
}

fn header<'a>(result: &WindowResult, columns: &[&'a str]) -> Vec<&'a str> {
    let mut header = Vec::new();
    if result.periodic {
        header.extend(["window_start", "window_end"]);
    }
    if result.issue.is_some() {
        header.extend(["revision", "provisional"]);
    }
    if result.reports.len() > 1 {
        header.push("report");
    }
    header.extend(columns);
    header
}

/// What all rows of a result begin with.
fn start(result: &WindowResult) -> Vec<String> {
    let mut record = Vec::new();
    if result.periodic {
        record.extend([result.window.start.to_string(), result.window.end.to_string()]);
    }
    if let Some(issue) = result.issue {
        record.extend([issue.revision.to_string(), issue.provisional.to_string()]);
    }
    record
}

/// The one row of many windows that hold nothing. No host can be taken for it: names have no
/// spaces.
fn gap_record(result: &WindowResult, columns: usize) -> Vec<String> {
    let mut record = start(result);
    if result.reports.len() > 1 {
        record.push(String::new());
    }
    let width = record.len() + columns;
    record.push(format!("(gap: {} windows that hold nothing)", result.windows));
    record.resize(width.max(record.len()), String::new());
    record
}

fn record(result: &WindowResult, report: &Report, row: &[Cell], columns: &[&str]) -> Vec<String> {
    let mut record = start(result);
    if result.reports.len() > 1 {
        record.push(label(result, report));
    }
    let cell = |name: &&str| {
        let at = report.columns.iter().position(|column| column.name == *name);
        at.map_or(String::new(), |at| shown(&row[at]))
    };
    record.extend(columns.iter().map(cell));
    record
}

/// A row for the connections whose pair is not known, so that those of all rows add up. No host can
/// be taken for it: names have no spaces.
fn overflow_row(report: &Report) -> Vec<Cell> {
    let text = format!("(overflow: {} connections of further pairs)", report.overflow);
    let cell = |(at, column): (usize, &Column)| match column.kind {
        _ if at == 0 => Cell::Host(text.clone().into_bytes()),
        ColumnKind::Count if column.name == "connections" => Cell::Count(report.overflow),
        _ => Cell::Host(Vec::new()),
    };
    report.columns.iter().enumerate().map(cell).collect()
}

/// The report's id, with the host or whatever text it was asked about, e.g.
/// `connected-to:host=Delta`. Where another has the same name all the same, its other options too.
fn label(result: &WindowResult, report: &Report) -> String {
    let name = |report: &Report, with: fn(&Cell) -> bool| {
        let options = report.options.iter().filter(|(_, value)| with(value));
        let options: Vec<String> = options.map(|(name, value)| format!("{name}={}", plain(value))).collect();
        if options.is_empty() { report.id.clone() } else { format!("{}:{}", report.id, options.join(",")) }
    };
    let is_text = |value: &Cell| matches!(value, Cell::Host(_));
    let own = name(report, is_text);
    let alike = result.reports.iter().filter(|other| name(other, is_text) == own).count();
    no_formula(&if alike == 1 { own } else { name(report, |_| true) })
}

fn shown(cell: &Cell) -> String {
    no_formula(&plain(cell))
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Host(name) => printable(name).into_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Time(time) => time.to_string(),
        Cell::Percent(share) => share.to_string(),
    }
}

/// A text that no spreadsheet takes for a formula. Tabs and returns cannot begin it: they are
/// escaped already. A text that begins with an apostrophe gets another, so that different names
/// stay different.
fn no_formula(text: &str) -> String {
    let text = no_cells_within(text);
    if begins_formula(&text) || text.starts_with('\'') { format!("'{text}") } else { text }
}

/// Where the semicolon is what stands between cells, as in much of Europe, a formula may begin
/// behind one.
fn no_cells_within(text: &str) -> String {
    let parts: Vec<&str> = text.split(';').collect();
    let mut out = parts[0].to_owned();
    for part in &parts[1..] {
        out.push_str(if begins_formula(part) { "\\x3b" } else { ";" });
        out.push_str(part);
    }
    out
}

/// Whether a sign that begins a formula comes first, behind blanks: also in its other widths and
/// heights, which spreadsheets of East Asia, and programs that normalise text, take for the same.
fn begins_formula(text: &str) -> bool {
    text.trim_start_matches(' ').starts_with(|c| {
        matches!(c,
            '=' | '+' | '-' | '@'
            | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
            | '\u{fe66}' | '\u{fe62}' | '\u{fe63}' | '\u{fe6b}'
            | '\u{207a}'..='\u{207c}' | '\u{208a}'..='\u{208c}' | '\u{2212}')
    })
}
