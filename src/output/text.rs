//! `text`: reports as people read them, in a terminal or a file.
//!
//! Invariant: whatever stands in a log, only printable characters, spaces and newlines leave here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style as Ansi};

use super::entry::{OutputEntry, PATH, file_or_stdout, path};
use super::medium::{Behind, Medium, Style};
use super::nothing::{Stretch, nothing};
use crate::model::escape::printable;
use crate::model::time::SECOND;
use crate::model::{Cell, Drawing, Issue, Report, Timestamp, Window, WindowResult};

/// The output.
pub(super) const ENTRY: OutputEntry = OutputEntry {
    name: "text",
    help: "reports as people read them",
    options: &[PATH],
    endings: &["txt"],
    example: r#""text""#,
    claims: file_or_stdout,
    open: |options, opening| opening.open("text", Box::new(AsText), path(options)),
};

struct AsText;

impl Medium for AsText {
    fn render(&self, result: &WindowResult, style: Style) -> io::Result<Vec<u8>> {
        Ok(Text { style }.render(result).into_bytes())
    }

    fn says_more(&self) -> bool {
        true
    }
}

/// Stands for an empty list or table.
const NONE: &str = "(none)";

/// Between the columns of a table.
const GAP: &str = "  ";

struct Text {
    style: Style,
}

impl Text {
    fn render(&self, result: &WindowResult) -> String {
        let mut text = String::new();
        if self.style.behind == Behind::Result {
            text.push('\n');
        }
        if result.periodic {
            let window = result.window;
            let note = match result.issue {
                Some(Issue { provisional: true, .. }) => " (provisional)".to_owned(),
                Some(Issue { revision, .. }) if revision > 0 => format!(" (revision {revision})"),
                _ => String::new(),
            };
            let (what, rest) = match result.windows {
                1 => ("Window", String::new()),
                windows => ("Gap", format!(": {windows} windows that hold nothing")),
            };
            let cut = if result.cut.is_open() { String::new() } else { format!(" (cut: only {})", result.cut) };
            let heading = self.bold(&format!("{what} {} .. {}{note}{cut}", window.start, window.end));
            push_line(&mut text, &format!("{heading}{rest}"));
        }
        if result.windows > 1 {
            // The heading says it all.
        } else if result.connections == 0 {
            let none = match result.periodic {
                true => Some(format!("No data in last {} seconds", length(&result.window))),
                false => nothing(Stretch::of(result), result.stamps, &result.balance),
            };
            none.into_iter().for_each(|none| push_line(&mut text, &none));
            // What is gone since the window before is seen best where nothing is left.
            let back = result.reports.iter().filter(|report| report.looks_back && !report.rows.is_empty());
            back.for_each(|report| self.report(&mut text, report));
        } else {
            push_line(&mut text, &self.bold("Report results"));
            push_line(&mut text, "--------------");
            result.reports.iter().for_each(|report| self.report(&mut text, report));
        }
        text
    }

    fn report(&self, text: &mut String, report: &Report) {
        text.push('\n');
        push_line(text, &self.title(&printable(&report.title)));
        draw(text, report);
        if let Some(more) = report.more {
            push_line(text, &more.to_string());
        }
        if report.overflow > 0 {
            push_line(text, &overflow(report.overflow));
        }
    }

    fn bold(&self, text: &str) -> String {
        self.styled(Ansi::new().bold(), text)
    }

    fn title(&self, text: &str) -> String {
        self.styled(AnsiColor::Cyan.on_default(), &format!("* {text}"))
    }

    fn styled(&self, style: Ansi, text: &str) -> String {
        if self.style.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The row of connections whose pair is not known. No host can be taken for it: names have no
/// spaces.
fn overflow(connections: u64) -> String {
    format!("(overflow: {connections} connections of further pairs, for which max-memory has no room)")
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// The seconds of a window, without loss.
fn length(window: &Window) -> String {
    let nanos = window.length();
    if nanos % SECOND == 0 { (nanos / SECOND).to_string() } else { Timestamp::from_nanos(nanos).unix_decimal() }
}

fn draw(text: &mut String, report: &Report) {
    match &report.drawing {
        Drawing::Labelled { labels } => draw_labelled(text, report, labels),
        Drawing::List { gap } => draw_list(text, report, *gap),
        Drawing::Matrix => draw_matrix(text, report),
        Drawing::Table => {
            let header = report.columns.iter().map(|column| column.name.to_string()).collect();
            let rows = report.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
            let right = report.columns.iter().map(|column| column.kind.is_number()).collect();
            draw_table(text, header, rows, right);
        }
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Host(name) => printable(name).into_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Time(time) => time.to_string(),
        Cell::Percent(share) => share.to_string(),
    }
}

/// The first row, a line for each value, values right-aligned in one column.
fn draw_labelled(text: &mut String, report: &Report, labels: &[&str]) {
    let Some(row) = report.rows.first() else { return push_line(text, NONE) };
    let values: Vec<String> = row.iter().map(shown).collect();
    let label_width = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let value_width = values.iter().map(|value| width(value)).max().unwrap_or(0);
    for (label, value) in labels.iter().zip(&values) {
        push_line(text, &format!("{}    {}", padded(label, label_width, false), padded(value, value_width, true)));
    }
}

fn draw_list(text: &mut String, report: &Report, gap: bool) {
    if gap {
        text.push('\n');
    }
    let names: Vec<String> = report.rows.iter().filter_map(|row| row.first()).map(shown).collect();
    if names.is_empty() { push_line(text, NONE) } else { push_line(text, &names.join(", ")) }
}

/// A row for each value of the first column, a column for each of the second, in the order in which
/// they come. Where a report has no value for a place, it stays empty.
fn draw_matrix(text: &mut String, report: &Report) {
    let (mut header, mut rows): (Vec<String>, Vec<Vec<String>>) = (vec![String::new()], Vec::new());
    let (mut row_of, mut column_of) = (HashMap::new(), HashMap::new());
    for row in &report.rows {
        let [from, to, count, ..] = &row[..] else { continue };
        let at = *row_of.entry(shown(from)).or_insert_with_key(|from| {
            rows.push(vec![from.clone()]);
            rows.len() - 1
        });
        let column = *column_of.entry(shown(to)).or_insert_with_key(|to| {
            header.push(to.clone());
            header.len() - 1
        });
        let cells = &mut rows[at];
        cells.resize(cells.len().max(column + 1), String::new());
        cells[column] = shown(count);
    }
    rows.iter_mut().for_each(|cells| cells.resize(header.len(), String::new()));
    let right = (0..header.len()).map(|column| column > 0).collect();
    draw_table(text, header, rows, right);
}

fn draw_table(text: &mut String, header: Vec<String>, rows: Vec<Vec<String>>, right: Vec<bool>) {
    if rows.is_empty() {
        return push_line(text, NONE);
    }
    let widest = |column: usize| rows.iter().chain([&header]).map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(widest).collect();
    for row in [&header].into_iter().chain(&rows) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(line, "{}{GAP}", padded(cell, widths[column], right[column]));
        }
        push_line(text, line.trim_end());
    }
}

/// Columns of a terminal that a text takes, one for each character, wide or not.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, to: usize, right: bool) -> Cow<'_, str> {
    let missing = to.saturating_sub(width(text));
    match (missing, right) {
        (0, _) => Cow::Borrowed(text),
        (_, true) => Cow::Owned(format!("{}{text}", " ".repeat(missing))),
        (_, false) => Cow::Owned(format!("{text}{}", " ".repeat(missing))),
    }
}
