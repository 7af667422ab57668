//! The view as a whole: frames of every size, and the loop over made-up keys and runs.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw::draw;
use super::glance::{Glance, Peers, Watched};
use super::keys::Key;
use super::samples::{glance, glance_of, host};
use super::state::App;
use super::terminal::{Arrived, KeyInput};
use super::view;
use crate::error::{Error, Result};
use crate::model::escape::is_hostile;
use crate::model::{Cell, More, Timestamp};

/// The rows of a frame of this size.
fn frame(app: &App, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(app, frame)).unwrap();
    let cells: Vec<&str> = terminal.backend().buffer().content().iter().map(|cell| cell.symbol()).collect();
    cells.chunks(usize::from(width).max(1)).map(|row| row.concat().trim_end().to_owned()).collect()
}

fn app() -> App {
    let mut app = App::default();
    app.see(glance(), Duration::ZERO);
    app
}

fn press(app: &mut App, keys: &str) {
    for c in keys.chars() {
        app.press(if c == '\n' { Key::Enter } else { Key::Char(c) });
    }
}

#[test]
fn a_wide_frame_has_the_report_the_pipeline_and_the_sheet() {
    let mut app = app();
    let mut later = glance();
    later.balance.lines_read += 3_000;
    later.balance.bytes_read += 90_000;
    later.stages[1].batches += 20;
    app.see(later, Duration::from_secs(2));
    app.press(Key::Down);
    assert_eq!(
        frame(&app, 104, 20),
        [
            " LIVE  window [2023-11-14T21:13:20Z .. 2023-11-14T22:13:20Z]",
            " 1.5k lines/s  45kB/s  2 inputs  complete up to 22:13:15, 5 s behind",
            " 1 top-servers   2 top-pairs",
            "┌ Servers that received most connections (3) ──────────────┐┌ Pipeline ────────────────────────────────┐",
            "│server                connections                         ││read   x2                        0/s      │",
            "│Delta                           3                         ││lines  x2  ████████ 4/4         10/s      │",
            "│Bravo                           2                         ││recent x2  ██░░░░░░ 1/4          0/s      │",
            "│Alpha                           1                         ││tally  x2  chained               0/s      │",
            "│                                                          │└──────────────────────────────────────────┘",
            "│                                                          │┌ Balance sheet ───────────────────────────┐",
            "│                                                          ││lines read              4234              │",
            "│                                                          ││= counted               1200              │",
            "│                                                          ││+ out of window           30              │",
            "│                                                          ││+ late                     0              │",
            "│                                                          ││+ future                   0              │",
            "│                                                          ││+ malformed                4              │",
            "│                                                          ││+ blank                    0              │",
            "│                                                          ││bytes read            120000              │",
            "└──────────────────────────────────────────────────────────┘└──────────────────────────────────────────┘",
            " q quits  space freezes  s sorts  / filters  Enter peers  ? keys",
        ]
    );
}

#[test]
fn what_a_limit_left_out_is_said() {
    let mut cut = glance();
    cut.result.as_mut().unwrap().reports[0].more = Some(More { rows: 2, with: Some(1) });
    let mut app = App::default();
    app.see(cut, Duration::ZERO);
    let said = frame(&app, 120, 20).join("\n");
    assert!(said.contains("most connections (3)  and 2 more with 1 "), "{said}");
}

#[test]
fn a_small_frame_has_what_fits() {
    assert_eq!(
        frame(&app(), 20, 5),
        [
            " LIVE  window [2023-",
            " Servers t…ions (3)",
            "server   connections",
            "Delta              3",
            " q quits  space free",
        ]
    );
    assert_eq!(frame(&app(), 7, 1), [" LIVE"]);
    let narrow = frame(&app(), 70, 30).join("\n");
    assert!(narrow.contains("┌ Pipeline ─") && narrow.contains("│+ out of window           30│"), "{narrow}");
}

#[test]
fn the_state_the_filter_the_sorting_and_the_keys_are_said() {
    let mut app = app();
    press(&mut app, " /l");
    let said = frame(&app, 80, 24).join("\n");
    assert!(said.starts_with(" FROZEN  window"), "{said}");
    assert!(said.contains("(2 of 3)") && said.ends_with(" /l_   Enter keeps, Esc clears"), "{said}");
    press(&mut app, "\nss");
    let said = frame(&app, 80, 24).join("\n");
    assert!(said.contains("connections ▼") && said.contains("filter: l  q quits  space goes on"), "{said}");
    press(&mut app, "?");
    assert!(frame(&app, 80, 24).join("\n").contains("Ctrl-C           end the run"));
    let mut ended = glance_of(&[]);
    ended.ended = true;
    let mut app = App::default();
    assert!(frame(&app, 80, 24).join("\n").contains("Waiting for the run"));
    app.see(ended, Duration::ZERO);
    let said = frame(&app, 80, 24).join("\n");
    assert!(said.starts_with(" ENDED ") && said.contains("(none)"), "{said}");
}

#[test]
fn peers_stand_side_by_side_or_below_each_other() {
    let mut app = app();
    press(&mut app, "\n");
    assert!(frame(&app, 80, 20).join("\n").contains("Looking ..."));
    let clients = vec![(b"sierra".to_vec(), 2), (b"alta".to_vec(), 1)];
    app.see_peers(b"Delta", Some(Peers { host: b"Delta".to_vec(), servers: Vec::new(), clients }));
    let wide = frame(&app, 80, 20);
    assert!(
        wide[3].starts_with("┌ Delta connects to (0) ─") && wide[3].contains("┐┌ connect to Delta (2) ─"),
        "{wide:#?}"
    );
    assert!(wide[4].starts_with("│(none)") && wide[5].contains("│sierra                          2"), "{wide:#?}");
    let narrow = frame(&app, 40, 20).join("\n");
    assert!(narrow.contains("┌ Delta connects to (0) ─") && narrow.contains("┌ connect to Delta (2) ─"), "{narrow}");
}

#[test]
fn a_host_that_is_too_long_for_a_title_is_cut_in_its_middle_and_says_so() {
    let hosts = ["server-0.rack-12.zone-0.example.com", "server-1.rack-12.zone-0.example.org"];
    let mut titles = Vec::new();
    for shown in hosts {
        let mut app = App::default();
        app.see(glance_of(&[(shown, 7)]), Duration::ZERO);
        press(&mut app, "\n");
        let looking = frame(&app, 64, 20);
        app.see_peers(shown.as_bytes(), Some(Peers { host: shown.into(), servers: Vec::new(), clients: Vec::new() }));
        let wide = frame(&app, 64, 20);
        for (row, ends) in [(&looking[3], "connects to "), (&wide[3], "connects to (0) ")] {
            let title = row.split('┐').next().unwrap();
            assert!(title.contains('…') && title.contains(ends), "{row}");
        }
        titles.push(wide[3].clone());
    }
    assert_ne!(titles[0], titles[1]);
    let mut glance = glance();
    glance.result.as_mut().unwrap().reports[0].title = format!("List of connected hosts to {}", hosts[0]).into();
    glance.stages[0].name = "read-all-that-there-is".to_owned();
    let mut app = App::default();
    app.see(glance, Duration::ZERO);
    let said = frame(&app, 104, 20).join("\n");
    assert!(said.contains(" List of connected hosts to server-0.rac….example.com (3) "), "{said}");
    assert!(said.contains("│read-a…re-is x2"), "{said}");
}

#[test]
fn the_selected_row_is_in_sight_wherever_it_is() {
    let servers: Vec<(String, u64)> = (0..1000).map(|at| (format!("host{at}"), 1000 - at)).collect();
    let servers: Vec<(&str, u64)> = servers.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let mut app = App::default();
    app.see(glance_of(&servers), Duration::ZERO);
    for (key, name) in [(Key::End, "host999 "), (Key::Up, "host998 "), (Key::Home, "host0 "), (Key::Down, "host1 ")] {
        app.press(key);
        let said = frame(&app, 80, 12).join("\n");
        assert!(said.contains(name), "{name}: {said}");
    }
    assert_eq!(frame(&app, 80, 12).iter().filter(|row| row.contains("host")).count(), 5);
}

/// What a log may hold to make trouble on a terminal.
const HOSTILE: [&[u8]; 8] = [
    b"\x1b[2J",
    b"\x1b]52;c;aGk=\x07",
    b"\xff\xfe",
    "\u{9b}31m".as_bytes(),
    "\u{202e}evil".as_bytes(),
    "数据库".as_bytes(),
    "e\u{301}\u{301}\u{200b}".as_bytes(),
    b"\r\n\t",
];

fn hostile() -> Glance {
    let mut glance = glance();
    let result = glance.result.as_mut().unwrap();
    let rows = HOSTILE.iter().map(|name| vec![host(name), Cell::Count(u64::MAX)]).collect();
    result.reports[0].rows = rows;
    result.reports[0].title = HOSTILE.concat();
    result.reports[1].id = String::from_utf8_lossy(HOSTILE[0]).into_owned();
    result.window.start = Timestamp::MIN;
    glance.stages[0].name = String::from_utf8_lossy(&HOSTILE.concat()).into_owned();
    glance.stages[1].waiting = 99;
    glance
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key = prop_oneof![
        Just(Key::Enter),
        Just(Key::Escape),
        Just(Key::Down),
        Just(Key::End),
        Just(Key::Tab),
        Just(Key::PageUp),
        Just(Key::Char('\u{202e}')),
        proptest::sample::select("sS/?p 12x\\".chars().collect::<Vec<_>>()).prop_map(Key::Char),
    ];
    proptest::collection::vec(key, 0..12)
}

proptest! {
    #[test]
    fn s1_frames_of_any_size_are_drawn_and_hold_printable_characters_only(
        width in prop_oneof![1u16..30, 1u16..200], height in prop_oneof![1u16..12, 1u16..60], keys in keys(),
    ) {
        let mut app = App::default();
        frame(&app, width, height);
        app.see(hostile(), Duration::ZERO);
        for key in keys {
            app.press(key);
            let wanted = app.wanted().map(<[u8]>::to_vec);
            if let Some(host) = wanted {
                let all: Vec<_> = HOSTILE.iter().map(|name| (name.to_vec(), 1)).collect();
                app.see_peers(&host, Some(Peers { host: host.clone(), servers: all.clone(), clients: all }));
            }
            app.see(hostile(), Duration::from_secs(1));
        }
        let rows = frame(&app, width, height);
        prop_assert!(!rows.concat().chars().any(is_hostile), "{rows:#?}");
    }
}

/// Keys that come one after the other, each once the run was looked at as often as it says.
struct Script<'a>(VecDeque<(usize, Arrived)>, &'a Run);

impl KeyInput for Script<'_> {
    fn wait(&mut self, timeout: Duration) -> io::Result<Arrived> {
        let is_time = |step: &mut (usize, Arrived)| self.1.looks.load(Ordering::SeqCst) >= step.0;
        match self.0.pop_front_if(is_time) {
            Some((_, arrived)) => Ok(arrived),
            None => {
                thread::sleep(timeout.min(Duration::from_millis(2)));
                Ok(Arrived::default())
            }
        }
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.1.suspended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.1.resumed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A run that does as it is told.
#[derive(Default)]
struct Run {
    looks: AtomicUsize,
    asked: AtomicUsize,
    stopped: AtomicBool,
    suspended: AtomicUsize,
    resumed: AtomicUsize,
    takes: Duration,
    fails: bool,
    panics: bool,
}

impl Watched for Run {
    fn glance(&self) -> Result<Glance> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.takes);
        assert!(!self.panics, "a report function that panics");
        if self.fails { Err(Error::report("x", "no")) } else { Ok(glance()) }
    }

    fn peers(&self, host: &[u8]) -> Result<Option<Peers>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Peers { host: host.to_vec(), servers: vec![(b"peer".to_vec(), 1)], clients: Vec::new() }))
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn key(key: Key) -> Arrived {
    Arrived { keys: vec![key], ..Arrived::default() }
}

/// Runs the view until it ends by itself: how it ended, how long it took to leave, and the last
/// frame.
fn viewed(run: &Run, script: Vec<(usize, Arrived)>) -> (thread::Result<Result<()>>, Option<Duration>, String) {
    let mut screen = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let (started, mut left, interrupted) = (Instant::now(), None, AtomicBool::new(false));
    let mut input = Script(script.into(), run);
    let mut go = || view(run, &interrupted, &mut screen, &mut input, || left = Some(started.elapsed()));
    let end = catch_unwind(AssertUnwindSafe(&mut go));
    (end, left, screen.backend().to_string())
}

#[test]
fn a_key_stops_the_run_and_leaves() {
    for last in [key(Key::Char('q')), key(Key::Interrupt), Arrived { hung_up: true, ..Arrived::default() }] {
        let run = Run::default();
        let (end, left, screen) = viewed(&run, vec![(2, key(Key::Enter)), (4, key(Key::Down)), (4, last)]);
        assert!(matches!(end, Ok(Ok(()))) && left.is_some());
        assert!(run.stopped.load(Ordering::SeqCst));
        assert!(run.asked.load(Ordering::SeqCst) > 0);
        assert!(screen.contains("Delta connects to (1)") && screen.contains("peer"), "{screen}");
    }
}

#[test]
fn ctrl_z_and_its_signal_suspend_once_and_what_was_drawn_is_drawn_again() {
    let run = Run::default();
    let by_signal = Arrived { suspended: true, ..key(Key::Suspend) };
    let resumed = Arrived { resumed: true, ..Arrived::default() };
    let (end, _, screen) = viewed(&run, vec![(1, by_signal), (2, resumed), (3, key(Key::Char('q')))]);
    assert!(matches!(end, Ok(Ok(()))));
    assert_eq!((run.suspended.load(Ordering::SeqCst), run.resumed.load(Ordering::SeqCst)), (1, 1));
    assert!(screen.contains("complete up to"), "{screen}");
}

#[test]
fn an_interrupt_leaves_and_stops_nothing_by_itself() {
    let (run, interrupted) = (Run::default(), AtomicBool::new(true));
    let mut screen = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut input = Script(VecDeque::new(), &run);
    view(&run, &interrupted, &mut screen, &mut input, || {}).unwrap();
    assert!(!run.stopped.load(Ordering::SeqCst));
}

#[test]
fn a_look_that_fails_ends_the_view_with_its_error() {
    let (end, left, _) = viewed(&Run { fails: true, ..Run::default() }, Vec::new());
    assert_eq!(end.unwrap().unwrap_err().to_string(), "report 'x': no");
    assert!(left.is_some());
}

#[test]
fn a_look_that_panics_leaves_the_screen_before_the_panic_goes_on() {
    let (end, left, _) = viewed(&Run { panics: true, ..Run::default() }, Vec::new());
    assert!(end.is_err() && left.is_some());
}

#[test]
fn keys_are_quick_while_a_look_takes_long() {
    let run = Run { takes: Duration::from_millis(1500), ..Run::default() };
    let (end, left, _) = viewed(&run, vec![(1, key(Key::Char('q')))]);
    assert!(matches!(end, Ok(Ok(()))));
    assert!(left.unwrap() < Duration::from_millis(1000), "{left:?}");
}

#[test]
fn looks_that_take_long_are_seldom() {
    let run = Run { takes: Duration::from_millis(100), ..Run::default() };
    let (_, left, _) = viewed(&run, vec![(3, key(Key::Char('q')))]);
    // Two of them took nine times as long to rest from.
    assert!(left.unwrap() >= Duration::from_millis(2 * 1000), "{left:?}");
}
