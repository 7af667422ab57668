//! A report as plain data: titled, typed columns and rows, and how to draw it.
//!
//! Not here: report functions (`report`) and outputs (`output`). No report prints, and no output
//! computes.

use std::borrow::Cow;
use std::fmt;

use super::balance::Balance;
use super::measure::MeasureTotal;
use super::order::Stamps;
use super::percent::Percent;
use super::time::Timestamp;
use super::window::{Ends, Window};

/// What a report function answers: made by [`Report::table`], with what else there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The report's name in the table, e.g. `top-servers`. Report functions leave it empty; the run
    /// sets it.
    pub id: String,
    /// A line for people. May hold host names: outputs escape it.
    pub title: Vec<u8>,
    /// What the rows hold.
    pub columns: Vec<Column>,
    /// Each as long as `columns`, with cells of its kinds.
    pub rows: Vec<Vec<Cell>>,
    /// How `text` draws it.
    pub drawing: Drawing,
    /// Connections whose pair is not known, as there was no memory for it: they would be in the
    /// rows too, or in others. Report functions leave it at 0; the run sets it where the report
    /// looks at pairs.
    pub overflow: u64,
    /// Rows that were left out only since there are so many, though they are as good as the last
    /// one shown.
    pub more: Option<More>,
    /// Whether the rows are about the window before too, so that there is something to see where the
    /// window itself holds nothing.
    pub looks_back: bool,
    /// What the report was asked for, by option: with `id`, that is its name. Report functions
    /// leave it empty; the run sets it.
    pub options: Vec<(&'static str, Cell)>,
}

/// Rows that a limit left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct More {
    /// How many.
    pub rows: u64,
    /// The count that each of them and the last row have, where rows are ranked by one.
    pub with: Option<u64>,
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.with {
            Some(count) => write!(f, "and {} more with {count}", self.rows),
            None => write!(f, "and {} more", self.rows),
        }
    }
}

impl Report {
    /// An aligned table: what most reports are.
    pub fn table(title: impl Into<Vec<u8>>, columns: impl Into<Vec<Column>>, rows: Vec<Vec<Cell>>) -> Self {
        Report {
            id: String::new(),
            title: title.into(),
            columns: columns.into(),
            rows,
            drawing: Drawing::Table,
            overflow: 0,
            more: None,
            looks_back: false,
            options: Vec::new(),
        }
    }

    /// Whether every row has a cell of the right kind for each column; errors with the first that
    /// does not.
    pub fn check(&self) -> Result<(), String> {
        for (at, row) in self.rows.iter().enumerate() {
            if row.len() != self.columns.len() {
                return Err(format!("row {at} has {} cells for {} columns", row.len(), self.columns.len()));
            }
            if let Some((_, column)) = row.iter().zip(&self.columns).find(|(cell, column)| cell.kind() != column.kind) {
                return Err(format!("row {at} has no {} in column '{}'", column.kind.name(), column.name));
            }
        }
        Ok(())
    }
}

/// A column's name and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Lower case, e.g. `connections`; that of a measure as it was asked for.
    pub name: Cow<'static, str>,
    /// What its cells are.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of host names.
    pub const fn host(name: &'static str) -> Self {
        Column { name: Cow::Borrowed(name), kind: ColumnKind::Host }
    }

    /// A column of whole numbers.
    pub const fn count(name: &'static str) -> Self {
        Column { name: Cow::Borrowed(name), kind: ColumnKind::Count }
    }

    /// A column of the sums of a measure.
    pub fn measure(name: &str) -> Self {
        Column { name: Cow::Owned(name.to_owned()), kind: ColumnKind::Count }
    }

    /// A column of instants.
    pub const fn time(name: &'static str) -> Self {
        Column { name: Cow::Borrowed(name), kind: ColumnKind::Time }
    }

    /// A column of shares.
    pub fn percent(name: impl Into<Cow<'static, str>>) -> Self {
        Column { name: name.into(), kind: ColumnKind::Percent }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Host names.
    Host,
    /// Whole numbers.
    Count,
    /// Instants.
    Time,
    /// Shares in per cent.
    Percent,
}

impl ColumnKind {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            ColumnKind::Host => "host",
            ColumnKind::Count => "count",
            ColumnKind::Time => "time",
            ColumnKind::Percent => "percent",
        }
    }

    /// Whether its cells are numbers.
    pub const fn is_number(self) -> bool {
        matches!(self, ColumnKind::Count | ColumnKind::Percent)
    }
}

/// One value of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell {
    /// A host name, as it stood in the log.
    Host(Vec<u8>),
    /// A number of connections or hosts.
    Count(u64),
    /// An instant.
    Time(Timestamp),
    /// A share in per cent.
    Percent(Percent),
}

impl Cell {
    /// What the cell is.
    pub const fn kind(&self) -> ColumnKind {
        match self {
            Cell::Host(_) => ColumnKind::Host,
            Cell::Count(_) => ColumnKind::Count,
            Cell::Time(_) => ColumnKind::Time,
            Cell::Percent(_) => ColumnKind::Percent,
        }
    }
}

/// How a report looks in `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drawing {
    /// An aligned table with a header.
    Table,
    /// The first row as labelled values, one a line.
    Labelled {
        /// A label for each column.
        labels: Vec<&'static str>,
    },
    /// The first two columns as the sides of a cross table, the third as its cells.
    Matrix,
    /// The first column as a list with commas.
    List {
        /// Whether an empty line follows the title.
        gap: bool,
    },
}

/// Which result of a window this is, where inputs are followed: a later one takes the place of an
/// earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// How often a result of this window was issued before.
    pub revision: u32,
    /// Whether more may be counted in the window.
    pub provisional: bool,
}

/// All reports on one window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowResult {
    /// The place of the window in the run, from 0.
    pub sequence: u64,
    /// The window; of several, from the start of the first to the end of the last.
    pub window: Window,
    /// How many windows it stands for: 1, or a long run of them that hold nothing. Of such a run,
    /// reports have no rows.
    pub windows: u64,
    /// Whether the window is one of many.
    pub periodic: bool,
    /// The ends of the range that was asked for, where they cut the window: only what lies between
    /// them counts.
    pub cut: Ends,
    /// Which of several results of this window it is, where there may be several.
    pub issue: Option<Issue>,
    /// Connections in the window.
    pub connections: u64,
    /// What the measures come to that are summed.
    pub measures: Vec<MeasureTotal>,
    /// Whether the start of the one window was given, and not its length.
    pub from_start: bool,
    /// The stamps that there are, where a one-shot window holds nothing and they could be looked
    /// at.
    pub stamps: Option<Stamps>,
    /// One for each report asked for, in that order.
    pub reports: Vec<Report>,
    /// The balance sheet: of the run; in periodic runs, of all lines up to those that closed the
    /// window.
    pub balance: Balance,
}

impl WindowResult {
    /// The one result on a window.
    pub fn new(window: Window, connections: u64, reports: Vec<Report>, balance: Balance) -> Self {
        WindowResult {
            sequence: 0,
            window,
            windows: 1,
            periodic: false,
            cut: Ends::default(),
            issue: None,
            connections,
            measures: Vec::new(),
            from_start: false,
            stamps: None,
            reports,
            balance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_their_columns_are_told() {
        let columns = vec![Column::host("host"), Column::count("n")];
        let report = |rows| Report::table(Vec::new(), columns.clone(), rows);
        let row = || vec![Cell::Host(b"a".to_vec()), Cell::Count(1)];
        assert_eq!(report(vec![row(), row()]).check(), Ok(()));
        assert_eq!(report(vec![row(), vec![]]).check(), Err("row 1 has 0 cells for 2 columns".into()));
        let wrong = vec![Cell::Host(b"a".to_vec()), Cell::Host(b"b".to_vec())];
        assert_eq!(report(vec![wrong]).check(), Err("row 0 has no count in column 'n'".into()));
    }
}
