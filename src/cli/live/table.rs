//! How the rows of one table are looked at: sorted, filtered, and with one of them selected.
//!
//! Not here: the rows. They change with every glance; what is said here of them holds until
//! `arrange` is called again.

use std::cmp::Ordering;

use crate::model::escape::printable;
use crate::model::{Cell, Column, ColumnKind};

/// The look at a table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The column by which rows are sorted; without one, they are as they come.
    sort: Option<usize>,
    reversed: bool,
    /// The rows that are shown, in order.
    order: Vec<usize>,
    /// A place in `order`; 0 if that is empty.
    selected: usize,
    /// What the selected row is about, so that it stays selected when rows move; `None` while the
    /// top row is selected.
    chosen: Option<Vec<Cell>>,
}

impl Table {
    /// The rows that are shown, in order, as places in the list of all.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The place of the selected row in `order`.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The column by which rows are sorted, and whether the lowest comes first.
    pub fn sort(&self, columns: &[Column]) -> Option<(usize, bool)> {
        let column = self.sort.filter(|at| *at < columns.len())?;
        Some((column, is_ascending(columns[column].kind) != self.reversed))
    }

    /// The selected row, if there is any.
    pub fn row<'a>(&self, rows: &'a [Vec<Cell>]) -> Option<&'a Vec<Cell>> {
        rows.get(*self.order.get(self.selected)?)
    }

    /// Sorts and filters rows anew. The selected one stays so as long as it is there.
    pub fn arrange(&mut self, columns: &[Column], rows: &[Vec<Cell>], filter: &str) {
        let filter = filter.to_lowercase();
        self.order = (0..rows.len()).filter(|at| passes(&rows[*at], &filter)).collect();
        match self.sort(columns) {
            Some((column, ascending)) => self.order.sort_by(|a, b| {
                let order = compare(rows[*a].get(column), rows[*b].get(column));
                if ascending { order } else { order.reverse() }
            }),
            None if self.reversed => self.order.reverse(),
            None => {}
        }
        let found = self.chosen.as_ref().and_then(|chosen| {
            let is_chosen = |at: &usize| about(&rows[*at]).eq(chosen);
            self.order.iter().position(is_chosen)
        });
        self.selected = found.unwrap_or(self.selected).min(self.order.len().saturating_sub(1));
    }

    /// Selects the row `by` places further down, or up if that is negative.
    pub fn step(&mut self, rows: &[Vec<Cell>], places: isize) {
        let last = self.order.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(places).min(last);
        self.chosen = match self.selected {
            0 => None,
            _ => self.row(rows).map(|row| about(row).cloned().collect()),
        };
    }

    /// Sorts by the next column; after the last, rows come as they are.
    pub fn next_sort(&mut self, columns: &[Column]) {
        self.reversed = false;
        self.sort = self.sort.map_or(Some(0), |at| Some(at + 1)).filter(|at| *at < columns.len());
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.reversed = !self.reversed;
    }
}

/// The first order of numbers is from the largest, and of names and times from the lowest.
fn is_ascending(kind: ColumnKind) -> bool {
    !kind.is_number()
}

/// What a row is about: all of it but its numbers, which change.
fn about(row: &[Cell]) -> impl Iterator<Item = &Cell> {
    row.iter().filter(|cell| !cell.kind().is_number())
}

/// Whether a host of the row has the filter in its name, as it is shown. Rows about no host pass.
fn passes(row: &[Cell], filter: &str) -> bool {
    let mut hosts = row.iter().filter_map(|cell| match cell {
        Cell::Host(name) => Some(name),
        _ => None,
    });
    filter.is_empty()
        || row.iter().all(|cell| cell.kind() != ColumnKind::Host)
        || hosts.any(|name| printable(name).to_lowercase().contains(filter))
}

fn compare(a: Option<&Cell>, b: Option<&Cell>) -> Ordering {
    match (a, b) {
        (Some(Cell::Host(a)), Some(Cell::Host(b))) => a.cmp(b),
        (Some(Cell::Count(a)), Some(Cell::Count(b))) => a.cmp(b),
        (Some(Cell::Time(a)), Some(Cell::Time(b))) => a.cmp(b),
        (Some(Cell::Percent(a)), Some(Cell::Percent(b))) => a.cmp(b),
        // A report has one kind of cell in a column.
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    const COLUMNS: [Column; 2] = [Column::host("host"), Column::count("connections")];

    fn rows(counts: &[(&str, u64)]) -> Vec<Vec<Cell>> {
        counts.iter().map(|(host, count)| vec![Cell::Host(host.as_bytes().to_vec()), Cell::Count(*count)]).collect()
    }

    fn shown(table: &Table, rows: &[Vec<Cell>]) -> String {
        let name = |at: &usize| match &rows[*at][0] {
            Cell::Host(name) => String::from_utf8_lossy(name).into_owned(),
            _ => "?".to_owned(),
        };
        table.order().iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sorting_goes_through_the_columns_and_back_to_the_order_of_the_report() {
        let (rows, mut table) = (rows(&[("b", 2), ("c", 9), ("a", 2)]), Table::default());
        let mut seen = Vec::new();
        for _ in 0..4 {
            table.arrange(&COLUMNS, &rows, "");
            seen.push(shown(&table, &rows));
            table.next_sort(&COLUMNS);
        }
        assert_eq!(seen, ["b c a", "a b c", "c b a", "b c a"]);
        table.reverse();
        table.arrange(&COLUMNS, &rows, "");
        assert_eq!((shown(&table, &rows).as_str(), table.sort(&COLUMNS)), ("c b a", Some((0, false))));
    }

    #[test]
    fn a_filter_looks_at_names_as_they_are_shown_and_at_nothing_else() {
        let rows = [
            rows(&[("Alpha", 1), ("beta", 12), ("a\u{1b}b", 2)]),
            vec![vec![Cell::Time(Timestamp::from_seconds(12)), Cell::Count(1)]],
        ]
        .concat();
        let mut table = Table::default();
        for (filter, expected) in [("AL", "Alpha ?"), ("x1B", "a\u{1b}b ?"), ("12", "?"), ("", "Alpha beta a\u{1b}b ?")]
        {
            table.arrange(&COLUMNS, &rows, filter);
            assert_eq!(shown(&table, &rows), expected);
        }
    }

    #[test]
    fn a_selected_row_stays_selected_when_rows_move_and_the_top_stays_the_top() {
        let (mut table, before) = (Table::default(), rows(&[("a", 3), ("b", 2), ("c", 1)]));
        table.arrange(&COLUMNS, &before, "");
        table.step(&before, 1);
        let after = rows(&[("c", 5), ("a", 4), ("d", 3), ("b", 2)]);
        table.arrange(&COLUMNS, &after, "");
        assert_eq!(table.row(&after), Some(&after[3]));
        table.step(&after, -9);
        table.arrange(&COLUMNS, &before, "");
        assert_eq!(table.row(&before), Some(&before[0]));
        table.step(&before, 99);
        table.arrange(&COLUMNS, &after, "d");
        assert_eq!((table.selected(), table.order().len()), (0, 1));
        table.arrange(&COLUMNS, &[], "");
        assert_eq!((table.selected(), table.row(&[])), (0, None));
    }
}
