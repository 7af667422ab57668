//! `csv`: a header and rows.
//!
//! One report has its own columns. Several share the union of their columns behind a column `report`, which holds their
//! ids, or their titles where those are alike; and periodic results have `window_start` and `window_end` before all
//! others, followed by `revision` and `provisional` where inputs are followed. A cell that a spreadsheet would take for
//! a formula begins with an apostrophe (CWE-1236).

use std::io;

use csv::{QuoteStyle, WriterBuilder};

use super::{Behind, OutputEntry, Style};
use crate::model::escape::printable;
use crate::model::{Cell, Column, ColumnKind, Report, WindowResult};

/// The output.
pub(super) const ENTRY: OutputEntry =
    OutputEntry { name: "csv", help: "comma-separated values with a header", render, sheet: None };

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
fn shared_columns(result: &WindowResult) -> Vec<&'static str> {
    let mut columns = Vec::new();
    for column in result.reports.iter().flat_map(|report| &report.columns) {
        if !columns.contains(&column.name) {
            columns.push(column.name);
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

/// The one row of many windows that hold nothing. No host can be taken for it: names have no spaces.
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

/// A row for the connections whose pair is not known, so that those of all rows add up. No host can be taken for it:
/// names have no spaces.
fn overflow_row(report: &Report) -> Vec<Cell> {
    let text = format!("(overflow: {} connections of further pairs)", report.overflow);
    let cell = |(at, column): (usize, &Column)| match column.kind {
        _ if at == 0 => Cell::Host(text.clone().into_bytes()),
        ColumnKind::Count if column.name == "connections" => Cell::Count(report.overflow),
        _ => Cell::Host(Vec::new()),
    };
    report.columns.iter().enumerate().map(cell).collect()
}

/// The report's id, or its title where several have one id, such as `connected-to` of several hosts.
fn label(result: &WindowResult, report: &Report) -> String {
    let alike = result.reports.iter().filter(|other| other.id == report.id).count();
    if alike == 1 { report.id.clone() } else { no_formula(&printable(&report.title)) }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Host(name) => no_formula(&printable(name)),
        Cell::Count(count) => count.to_string(),
        Cell::Time(time) => time.to_string(),
    }
}

/// A text that no spreadsheet takes for a formula. Tabs and returns cannot begin it: they are escaped already. A text
/// that begins with an apostrophe gets another, so that different names stay different.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\'']) { format!("'{text}") } else { text.to_owned() }
}
