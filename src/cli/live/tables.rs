//! A table with its look, drawn: the rows around the selected one, as many as fit.
//!
//! Not here: which rows there are, and in which order (`table`).

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell as Shown, Paragraph, Row, Table as Rows, TableState};

use super::say::name;
use super::table::Table;
use crate::model::{Cell, Column, ColumnKind};

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);

/// Columns between two columns of a table.
const GAP: u16 = 2;

/// The fewest columns of a host's name, so that a table does not move with every name that comes
/// into sight.
const NAME: u16 = 20;

/// The fewest columns of a word that a title is cut in.
const LEAST_WORD: usize = 9;

/// Below this height, a table has no frame.
const LOW: u16 = 6;

/// A table to draw.
pub struct ColumnGrid<'a> {
    /// What stands above it; printable.
    pub title: String,
    /// Its columns.
    pub columns: &'a [Column],
    /// All its rows.
    pub rows: &'a [Vec<Cell>],
    /// Which of them are shown, and in which order.
    pub table: &'a Table,
    /// Whether keys go to it.
    pub focused: bool,
}

/// Draws a table.
pub fn draw_grid(grid: &ColumnGrid<'_>, frame: &mut Frame<'_>, area: Rect) {
    // Where there is little room, rows need it more than a frame does.
    let frameless = area.height < LOW;
    let block = if frameless { Block::new() } else { Block::bordered() };
    let border = if grid.focused { Style::new() } else { DIM };
    let room = area.width.saturating_sub(if frameless { 0 } else { 2 });
    let block = block.border_style(border).title(Span::styled(fitted(&grid.title, room.into()), BOLD));
    let order = grid.table.order();
    if order.is_empty() {
        let why = if grid.rows.is_empty() { "(none)" } else { "(none passes the filter)" };
        return frame.render_widget(Paragraph::new(why).block(block), area);
    }
    // The selected row is kept in the middle, as far as there are rows above and below.
    let height = usize::from(block.inner(area).height.saturating_sub(1));
    let first = grid.table.selected().saturating_sub(height / 2).min(order.len().saturating_sub(height));
    let in_sight = order.iter().skip(first).take(height).filter_map(|at| grid.rows.get(*at));
    let mut texts: Vec<Vec<String>> = in_sight.map(|row| row.iter().map(text).collect()).collect();
    let header: Vec<String> = (0..grid.columns.len()).map(|at| heading(grid, at)).collect();
    let widths = widths(grid.columns, &header, &texts, block.inner(area).width);
    for (text, &width) in texts.iter_mut().flat_map(|texts| texts.iter_mut().zip(&widths)) {
        *text = without_middle(std::mem::take(text), width.into());
    }
    let rows: Vec<Row<'_>> = texts.iter().map(|texts| row(texts, grid.columns)).collect();
    let rows = Rows::new(rows, widths)
        .header(row(&header, grid.columns).style(BOLD))
        .column_spacing(GAP)
        .row_highlight_style(if grid.focused { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() })
        .block(block);
    let mut state = TableState::new().with_selected(grid.table.selected() - first);
    frame.render_stateful_widget(rows, area, &mut state);
}

/// The name of a column, and how rows are sorted by it.
fn heading(grid: &ColumnGrid<'_>, at: usize) -> String {
    let mark = match grid.table.sort(grid.columns) {
        Some((column, ascending)) if column == at => {
            if ascending {
                " ▲"
            } else {
                " ▼"
            }
        }
        _ => "",
    };
    format!("{}{mark}", grid.columns[at].name)
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Host(host) => name(host),
        Cell::Count(count) => count.to_string(),
        Cell::Time(time) => time.to_string(),
        Cell::Percent(share) => share.to_string(),
    }
}

fn row<'a>(texts: &'a [String], columns: &[Column]) -> Row<'a> {
    let cells = texts.iter().zip(columns).map(|(text, column)| {
        let side = if column.kind.is_number() { Alignment::Right } else { Alignment::Left };
        Shown::from(Line::from(text.as_str()).alignment(side))
    });
    Row::new(cells.collect::<Vec<_>>())
}

/// As wide as what is in sight; where that does not fit, names share what numbers leave.
fn widths(columns: &[Column], header: &[String], rows: &[Vec<String>], room: u16) -> Vec<u16> {
    let widest = |at: usize| {
        let all = rows.iter().map(Vec::as_slice).chain([header]);
        let widest = all.filter_map(|row| Some(Span::raw(row.get(at)?).width())).max();
        u16::try_from(widest.unwrap_or(0)).unwrap_or(u16::MAX)
    };
    let is_host = |column: &Column| column.kind == ColumnKind::Host;
    let mut widths: Vec<u16> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| if is_host(column) { widest(at).max(NAME) } else { widest(at) })
        .collect();
    let gaps = GAP.saturating_mul(u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX));
    let (mut names, others): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(|at| is_host(&columns[*at]));
    let taken = others.iter().fold(gaps, |sum, at| sum.saturating_add(widths[*at]));
    // What a short one does not need is for the longer ones.
    names.sort_by_key(|at| widths[*at]);
    let (mut left, mut sharing) = (room.saturating_sub(taken), u16::try_from(names.len()).unwrap_or(u16::MAX));
    for at in names {
        widths[at] = widths[at].min(left / sharing.max(1));
        (left, sharing) = (left - widths[at], sharing.saturating_sub(1));
    }
    widths
}

/// A title that is too wide without what is in the middle of its longest word, which is the host that
/// it names; and if that is not enough, without its own middle.
pub fn fitted(title: &str, width: usize) -> String {
    let over = Span::raw(title).width().saturating_sub(width);
    if over == 0 {
        return title.to_owned();
    }
    let words: Vec<&str> = title.split(' ').collect();
    let longest = words.iter().enumerate().max_by_key(|(_, word)| Span::raw(**word).width());
    let Some((at, word)) = longest else { return String::new() };
    let left = Span::raw(*word).width().saturating_sub(over).max(LEAST_WORD);
    let cut: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(other, word)| if other == at { without_middle((*word).to_owned(), left) } else { (*word).to_owned() })
        .collect();
    without_middle(cut.join(" "), width)
}

/// A text that is too wide without what is in its middle: names of one site differ at their ends.
pub fn without_middle(text: String, width: usize) -> String {
    if Span::raw(&text).width() <= width || width == 0 {
        return text;
    }
    let fitting = |letters: &mut dyn Iterator<Item = char>, room: usize| -> String {
        let mut left = room;
        let fits = |letter: &char| {
            let width = Span::raw(letter.to_string()).width();
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        };
        letters.take_while(fits).collect()
    };
    let end: String = fitting(&mut text.chars().rev(), (width - 1) / 2);
    let start = fitting(&mut text.chars(), width - 1 - Span::raw(&end).width());
    format!("{start}…{}", end.chars().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_too_wide_keep_both_ends() {
        let cut = |text: &str, width| without_middle(text.to_owned(), width);
        assert_eq!(cut("server-0.rack-12.zone-0.example.com", 21), "server-0.r…xample.com");
        assert_eq!(cut("as-wide-as-it-is", 16), "as-wide-as-it-is");
        assert_eq!([1, 2, 3, 4].map(|width| cut("abcdef", width)), ["…", "a…", "a…f", "ab…f"]);
        // Letters of two columns each.
        assert_eq!(cut("日本語日本語", 6), "日…語");
    }

    #[test]
    fn titles_that_are_too_wide_are_cut_in_the_host_first_and_fit() {
        let title = " server-0.rack-12.zone-0.example.com connects to (3) ";
        assert_eq!(fitted(title, 60), title);
        assert_eq!(fitted(title, 40), " server-0.ra…xample.com connects to (3) ");
        assert_eq!(fitted(title, 27), " serv….com connects to (3) ");
        assert_eq!(fitted(title, 20), " serv….com…s to (3) ");
        for width in 1..60 {
            assert!(Span::raw(fitted(title, width)).width() <= width, "{width}");
        }
    }
}
