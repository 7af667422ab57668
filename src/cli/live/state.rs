//! The state of the view: what is shown, and what each key does to it.
//!
//! Not here: drawing, the terminal, time. Invariant: a frozen picture stays what it is until it is
//! thawed, whatever comes meanwhile; and rows are in the order in which they are drawn at every
//! moment.

use std::time::Duration;

use super::glance::{Glance, Peers};
use super::keys::Key;
use super::rates::{Meter, Rates};
use super::table::Table;
use crate::model::escape::is_hostile;
use crate::model::{Cell, Column, Report};

/// Characters that a filter may have.
const FILTER_LENGTH: usize = 64;

/// How many hosts deep one may go from peer to peer; beyond that, the way back is forgotten.
const DEPTH: usize = 32;

/// The columns of a list of peers.
pub const PEER_COLUMNS: [Column; 2] = [Column::host("host"), Column::count("connections")];

/// A glance, and the rates up to it.
#[derive(Debug)]
pub struct Picture {
    /// What was seen.
    pub glance: Glance,
    /// How fast it went.
    pub rates: Rates,
}

/// The peers of one host, looked at.
#[derive(Debug)]
pub struct Drill {
    /// The host.
    pub host: Vec<u8>,
    /// Whom it connects to, and who connects to it; `None` before they are known.
    pub sides: Option<[Vec<Vec<Cell>>; 2]>,
    /// How each list is looked at.
    pub tables: [Table; 2],
    /// The list that keys go to.
    pub focus: usize,
    /// What the names in both lists are filtered by.
    pub filter: String,
}

/// Whether the view goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    On,
    /// The user has seen enough.
    Quit,
    /// The user wants the shell back for a while.
    Suspend,
}

/// The view.
#[derive(Debug, Default)]
pub struct App {
    meter: Meter,
    shown: Option<Picture>,
    /// The newest picture, while another one is frozen.
    behind: Option<Picture>,
    frozen: bool,
    tables: Vec<Table>,
    tab: usize,
    filter: String,
    editing: bool,
    drilled: Vec<Drill>,
    help: bool,
    page: usize,
}

impl App {
    /// The picture to draw.
    pub fn picture(&self) -> Option<&Picture> {
        self.shown.as_ref()
    }

    /// Whether the picture stands still.
    pub fn frozen(&self) -> bool {
        self.frozen
    }

    /// Whether the keys are shown.
    pub fn help(&self) -> bool {
        self.help
    }

    /// Whether keys go to the filter.
    pub fn editing(&self) -> bool {
        self.editing
    }

    /// The filter of what is shown.
    pub fn filter(&self) -> &str {
        self.drilled.last().map_or(&self.filter, |drill| &drill.filter)
    }

    /// The reports of the picture.
    pub fn reports(&self) -> &[Report] {
        self.shown.as_ref().and_then(|picture| picture.glance.result.as_ref()).map_or(&[], |result| &result.reports)
    }

    /// The place of the report that is shown.
    pub fn tab(&self) -> usize {
        self.tab
    }

    /// The report that is shown, and how it is looked at.
    pub fn report(&self) -> Option<(&Report, &Table)> {
        self.reports().get(self.tab).zip(self.tables.get(self.tab))
    }

    /// The host whose peers are shown, if any are.
    pub fn drill(&self) -> Option<&Drill> {
        self.drilled.last()
    }

    /// The host whose peers are asked for.
    pub fn wanted(&self) -> Option<&[u8]> {
        self.drilled.last().map(|drill| &drill.host[..])
    }

    /// Notes how many rows of a table are seen at once.
    pub fn set_page(&mut self, rows: usize) {
        self.page = rows;
    }

    /// Takes a glance, seen at a time since the start of the view.
    pub fn see(&mut self, glance: Glance, at: Duration) {
        let rates = self.meter.add(&glance, at);
        let picture = Some(Picture { glance, rates });
        if self.frozen && self.shown.is_some() {
            self.behind = picture;
        } else {
            self.shown = picture;
            self.arrange();
        }
    }

    /// Takes the peers of a host, if they are still asked for. None means that there is no window
    /// to look at.
    pub fn see_peers(&mut self, host: &[u8], peers: Option<Peers>) {
        let frozen = self.frozen;
        let Some(drill) = self.drilled.last_mut().filter(|drill| drill.host == host) else { return };
        if frozen && drill.sides.is_some() {
            return;
        }
        let rows = |peers: Vec<(Vec<u8>, u64)>| {
            let row = |(host, connections)| vec![Cell::Host(host), Cell::Count(connections)];
            peers.into_iter().map(row).collect()
        };
        drill.sides = peers.map(|peers| [rows(peers.servers), rows(peers.clients)]);
        self.arrange();
    }

    /// Does what a key asks for.
    pub fn press(&mut self, key: Key) -> Flow {
        match key {
            Key::Interrupt => return Flow::Quit,
            Key::Suspend => return Flow::Suspend,
            _ => {}
        }
        if self.help {
            self.help = false;
        } else if self.editing {
            self.edit(key);
        } else {
            return self.command(key);
        }
        Flow::On
    }

    fn edit(&mut self, key: Key) {
        let filter = match self.drilled.last_mut() {
            Some(drill) => &mut drill.filter,
            None => &mut self.filter,
        };
        match key {
            Key::Char(c) if !is_hostile(c) && filter.chars().count() < FILTER_LENGTH => filter.push(c),
            Key::Backspace => drop(filter.pop()),
            Key::Enter => self.editing = false,
            Key::Escape => {
                filter.clear();
                self.editing = false;
            }
            _ => return,
        }
        self.arrange();
    }

    fn command(&mut self, key: Key) -> Flow {
        let page = isize::try_from(self.page.max(1)).unwrap_or(isize::MAX);
        match key {
            Key::Char('q') => return Flow::Quit,
            Key::Char(' ' | 'p') => self.freeze(),
            Key::Char('?') => self.help = true,
            Key::Char('/') => self.editing = true,
            Key::Char('s') => self.with_table(|table, columns, _| table.next_sort(columns)),
            Key::Char('S') => self.with_table(|table, _, _| table.reverse()),
            Key::Char(c @ '1'..='9') => self.go_to(c as usize - '1' as usize),
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Down | Key::Char('j') => self.step(1),
            Key::PageUp => self.step(-page),
            Key::PageDown => self.step(page),
            Key::Home | Key::Char('g') => self.step(isize::MIN),
            Key::End | Key::Char('G') => self.step(isize::MAX),
            Key::Right | Key::Tab | Key::Char('l') => self.turn(1),
            Key::Left | Key::BackTab | Key::Char('h') => self.turn(-1),
            Key::Enter => self.enter(),
            Key::Escape | Key::Backspace => self.back(),
            Key::Char(_) | Key::Interrupt | Key::Suspend => {}
        }
        Flow::On
    }

    /// Freezes the picture, or shows the newest one again.
    fn freeze(&mut self) {
        self.frozen = !self.frozen;
        if let Some(behind) = self.behind.take().filter(|_| !self.frozen) {
            self.shown = Some(behind);
            self.arrange();
        }
    }

    fn go_to(&mut self, tab: usize) {
        if tab < self.reports().len() {
            self.drilled.clear();
            self.tab = tab;
        }
    }

    /// The next report or list of peers; the one before it if `by` is -1.
    fn turn(&mut self, by: isize) {
        let reports = self.reports().len();
        match self.drilled.last_mut() {
            Some(drill) => drill.focus = 1 - drill.focus,
            None if reports > 0 => {
                self.tab = self.tab.checked_add_signed(by).unwrap_or(reports - 1) % reports;
            }
            None => {}
        }
    }

    fn step(&mut self, places: isize) {
        self.with_table(|table, _, rows| table.step(rows, places));
    }

    /// Goes to the peers of the host in the selected row: the one by which rows are sorted, or else
    /// the first.
    fn enter(&mut self) {
        let mut found = None;
        self.with_table(|table, columns, rows| {
            let Some(row) = table.row(rows) else { return };
            let sorted = table.sort(columns).and_then(|(column, _)| row.get(column)).into_iter();
            found = sorted.chain(row).find_map(|cell| match cell {
                Cell::Host(name) => Some(name.clone()),
                _ => None,
            });
        });
        let Some(host) = found else { return };
        if self.drilled.len() == DEPTH {
            self.drilled.remove(0);
        }
        self.drilled.push(Drill { host, sides: None, tables: Default::default(), focus: 0, filter: String::new() });
    }

    /// Goes back from the peers or, if none are shown, clears the filter.
    fn back(&mut self) {
        if self.drilled.pop().is_none() {
            self.filter.clear();
        }
        self.arrange();
    }

    /// Does something to the table that keys go to.
    fn with_table(&mut self, mut f: impl FnMut(&mut Table, &[Column], &[Vec<Cell>])) {
        match self.drilled.last_mut() {
            Some(Drill { sides: Some(sides), tables, focus, .. }) => {
                f(&mut tables[*focus], &PEER_COLUMNS, &sides[*focus]);
            }
            Some(_) => {}
            None => {
                let result = self.shown.as_ref().and_then(|picture| picture.glance.result.as_ref());
                let report = result.and_then(|result| result.reports.get(self.tab));
                if let Some((report, table)) = report.zip(self.tables.get_mut(self.tab)) {
                    f(table, &report.columns, &report.rows);
                }
            }
        }
        self.arrange();
    }

    /// Puts the rows of what is shown in order. Called after every change of rows, sorting or
    /// filter.
    fn arrange(&mut self) {
        if let Some(drill) = self.drilled.last_mut() {
            for (table, rows) in drill.tables.iter_mut().zip(drill.sides.iter().flatten()) {
                table.arrange(&PEER_COLUMNS, rows, &drill.filter);
            }
        }
        let result = self.shown.as_ref().and_then(|picture| picture.glance.result.as_ref());
        let reports = result.map_or(&[][..], |result| &result.reports);
        if !reports.is_empty() {
            self.tables.resize_with(reports.len(), Table::default);
            self.tab = self.tab.min(reports.len() - 1);
        }
        for (table, report) in self.tables.iter_mut().zip(reports) {
            table.arrange(&report.columns, &report.rows, &self.filter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::live::samples::{glance, glance_of};

    fn app() -> App {
        let mut app = App::default();
        app.see(glance(), Duration::ZERO);
        app
    }

    fn press(app: &mut App, keys: &str) {
        for c in keys.chars() {
            let key = match c {
                '\n' => Key::Enter,
                '\u{1b}' => Key::Escape,
                '\u{8}' => Key::Backspace,
                '\t' => Key::Tab,
                c => Key::Char(c),
            };
            assert_eq!(app.press(key), Flow::On);
        }
    }

    fn hosts(app: &App) -> Vec<String> {
        let (report, table) = app.report().unwrap();
        let name = |at: &usize| match &report.rows[*at][0] {
            Cell::Host(name) => String::from_utf8_lossy(name).into_owned(),
            _ => "?".to_owned(),
        };
        table.order().iter().map(name).collect()
    }

    #[test]
    fn q_and_ctrl_c_quit_wherever_one_is() {
        assert_eq!(app().press(Key::Char('q')), Flow::Quit);
        for keys in ["", "/", "?", "\n", " "] {
            let mut app = app();
            press(&mut app, keys);
            assert_eq!(app.press(Key::Interrupt), Flow::Quit, "{keys:?}");
        }
        // In a filter, q is a letter.
        let mut app = app();
        press(&mut app, "/q");
        assert_eq!(app.filter(), "q");
    }

    #[test]
    fn a_frozen_picture_stands_still_and_the_newest_one_follows_it() {
        let mut app = app();
        press(&mut app, " ");
        app.see(glance_of(&[("late", 9)]), Duration::from_secs(1));
        app.see(glance_of(&[("later", 9)]), Duration::from_secs(2));
        assert!(app.frozen());
        assert_eq!(hosts(&app), ["Delta", "Bravo", "Alpha"]);
        press(&mut app, "s");
        assert_eq!(hosts(&app), ["Alpha", "Bravo", "Delta"]);
        press(&mut app, "p");
        assert_eq!(hosts(&app), ["later"]);
        assert!(!app.frozen());
    }

    #[test]
    fn what_is_frozen_before_anything_is_seen_shows_the_first_glance() {
        let mut app = App::default();
        press(&mut app, " ");
        app.see(glance(), Duration::ZERO);
        app.see(glance_of(&[]), Duration::ZERO);
        assert_eq!(hosts(&app).len(), 3);
    }

    #[test]
    fn a_filter_is_typed_kept_and_cleared() {
        let mut app = app();
        press(&mut app, "/AL\u{8}L\u{0}\n");
        assert_eq!((app.filter(), app.editing(), hosts(&app)), ("AL", false, vec!["Alpha".to_owned()]));
        app.see(glance(), Duration::ZERO);
        assert_eq!(hosts(&app), ["Alpha"]);
        press(&mut app, "\u{1b}");
        assert_eq!(hosts(&app).len(), 3);
        press(&mut app, "/x");
        assert_eq!(hosts(&app).len(), 0);
        press(&mut app, "\u{1b}");
        assert_eq!((app.filter(), app.editing(), hosts(&app).len()), ("", false, 3));
        press(&mut app, "/");
        press(&mut app, &"a".repeat(1000));
        assert_eq!(app.filter().len(), FILTER_LENGTH);
    }

    #[test]
    fn reports_are_gone_through_in_a_ring_and_by_number() {
        let mut app = app();
        let mut seen = Vec::new();
        for key in [Key::Right, Key::Tab, Key::Left, Key::Char('2'), Key::Char('9'), Key::Char('1'), Key::BackTab] {
            app.press(key);
            seen.push(app.tab());
        }
        assert_eq!(seen, [1, 0, 1, 1, 1, 0, 1]);
        // A result with fewer reports has no place for the second.
        let mut fewer = glance();
        fewer.result.as_mut().unwrap().reports.truncate(1);
        app.see(fewer, Duration::ZERO);
        assert!(app.report().is_some());
    }

    #[test]
    fn enter_goes_to_peers_and_on_to_theirs_and_escape_comes_back() {
        let mut app = app();
        app.press(Key::Down);
        press(&mut app, "\n");
        assert_eq!(app.wanted(), Some(&b"Bravo"[..]));
        press(&mut app, "\nsS/x\n\t");
        let peers = |host: &[u8]| Peers {
            host: host.to_vec(),
            servers: vec![(b"one".to_vec(), 2)],
            clients: vec![(b"two".to_vec(), 3), (b"three".to_vec(), 1)],
        };
        app.see_peers(b"Delta", Some(peers(b"Delta")));
        assert!(app.drill().unwrap().sides.is_none(), "they are the peers of another host");
        app.see_peers(b"Bravo", Some(peers(b"Bravo")));
        assert_eq!(app.drill().unwrap().tables[1].order().len(), 0);
        press(&mut app, "/\u{8}\n");
        app.press(Key::End);
        press(&mut app, "\n");
        assert_eq!(app.wanted(), Some(&b"three"[..]));
        press(&mut app, "\u{1b}");
        assert_eq!(app.wanted(), Some(&b"Bravo"[..]));
        press(&mut app, "\u{8}");
        assert_eq!((app.wanted(), hosts(&app).len()), (None, 3));
        press(&mut app, "\n1");
        assert_eq!(app.wanted(), None);
    }

    #[test]
    fn of_two_hosts_in_a_row_the_one_that_is_sorted_by_is_entered() {
        let mut app = app();
        press(&mut app, "2\n");
        assert_eq!(app.wanted(), Some(&b"sierra"[..]));
        press(&mut app, "\u{1b}ss\n");
        assert_eq!(app.wanted(), Some(&b"Delta"[..]));
    }

    #[test]
    fn peers_of_a_frozen_picture_are_looked_up_once() {
        let mut app = app();
        press(&mut app, " \n");
        let peers =
            |count| Some(Peers { host: Vec::new(), servers: vec![(b"a".to_vec(), count)], clients: Vec::new() });
        app.see_peers(b"Delta", None);
        app.see_peers(b"Delta", peers(1));
        app.see_peers(b"Delta", peers(2));
        assert_eq!(app.drill().unwrap().sides.as_ref().unwrap()[0][0][1], Cell::Count(1));
    }

    #[test]
    fn no_key_harms_a_view_that_has_nothing_to_show() {
        let mut app = App::default();
        for key in [Key::Up, Key::Down, Key::PageDown, Key::Home, Key::End, Key::Left, Key::Tab, Key::Backspace] {
            app.press(key);
        }
        press(&mut app, "sSpp1\n\u{1b}/a\n?x");
        for _ in 0..2 * DEPTH {
            app.see(glance(), Duration::ZERO);
            press(&mut app, "\u{1b}\n");
        }
        assert!(app.drilled.len() <= DEPTH);
    }
}
