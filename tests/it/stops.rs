//! Stops and starts, of which results are the proof: what was counted before a stop is in them
//! after it.
//!
//! Most of it is done by `tests/oracle/stops.py`, which knows nothing of the program.
//! `LOGPARSER_KILLS` is the number of its stops, `LOGPARSER_SEED` its seed, which is printed, and
//! `LOGPARSER_BIN` the program.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::support::{
    BASE, Folder, Running, SavedState, binary_path, program, python, said, seconds, signal, terminate, wait_for,
};

/// Stops of the loop where nothing else is asked for: a few of each kind.
const STOPS: &str = "27";

#[test]
fn stopped_and_started_in_any_way_the_results_add_up_to_what_was_written() {
    let stops = std::env::var("LOGPARSER_KILLS").unwrap_or_else(|_| STOPS.to_owned());
    python("stops.py", binary_path().as_ref(), "--stops", &stops);
}

/// The program over `*.log`, a window a minute, with further arguments.
fn follow(folder: &Folder, more: &[&str]) -> Running {
    let append = |name: &str| std::fs::OpenOptions::new().append(true).create(true).open(folder.at(name)).unwrap();
    let mut command = program(folder);
    command.args(["top", "*.log", "--follow", "--since", "1970-01-01T00:00:00Z"]);
    if !more.contains(&"--state") {
        command.args(["--state", "state"]);
    }
    command.args(["--output", "json:results", "--unit", "s"]).args(more);
    Running(command.stdout(Stdio::null()).stderr(append("said")).spawn().unwrap())
}

/// Lets it run so long, and asks it to end.
fn run_for(folder: &Folder, time: Duration, more: &[&str]) {
    let mut running = follow(folder, more);
    std::thread::sleep(time);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(folder));
}

/// By the start of their window: revision, whether it is provisional, and connections, of the last
/// revision of each.
fn results(folder: &Folder) -> BTreeMap<i64, (u64, bool, u64)> {
    let text = std::fs::read_to_string(folder.at("results")).unwrap_or_default();
    let mut last = BTreeMap::<i64, (u64, bool, u64)>::new();
    for result in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let window = &result["window"];
        let revision = window["revision"].as_u64().unwrap();
        let connections =
            result["reports"][0]["rows"].as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum();
        let start = seconds(window["start"].as_str().unwrap());
        let known = last.get(&start).map_or(0, |(revision, ..)| *revision);
        if revision >= known {
            last.insert(start, (revision, window["provisional"] == Value::Bool(true), connections));
        }
    }
    last
}

/// Lines in each of some minutes.
fn minutes(minutes: std::ops::Range<i64>, lines: i64) -> String {
    let start = BASE / 60 * 60;
    minutes
        .flat_map(|minute| (0..lines).map(move |line| format!("{} a b{line}\n", start + minute * 60 + line)))
        .collect()
}

const MINUTES: [&str; 4] = ["--every", "1m", "--seconds", "1m"];

#[test]
fn what_was_counted_before_any_window_has_closed_is_there_after_a_stop() {
    for more in [
        &MINUTES[..],
        &["--every", "1m", "--seconds", "3m"],
        &["--every", "1m", "--seconds", "1m", "--late-updates", "2m"],
    ] {
        let folder = Folder::new();
        folder.append("a.log", minutes(0..4, 3));
        // Several times, so that what is provisional comes as often.
        for _ in 0..3 {
            run_for(&folder, Duration::from_millis(600), more);
        }
        folder.append("a.log", minutes(30..31, 20));
        let mut running = follow(&folder, more);
        wait_for("the windows to close", || results(&folder).len() > 20);
        assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
        let start = BASE / 60 * 60;
        let counts: Vec<u64> = (0..4).map(|minute| results(&folder)[&(start + minute * 60)].2).collect();
        let right = if more[3] == "3m" { [9, 9, 6, 3] } else { [3, 3, 3, 3] };
        assert_eq!(counts, right, "{:?}", results(&folder));
        let verified = program(&folder).args(["state", "verify", "--state", "state"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

#[test]
fn what_is_counted_when_a_run_ends_is_in_its_results_and_a_later_one_issues_them_again() {
    for (state, window, right) in
        [("none", "1m", [3, 3, 3, 3]), ("state", "1m", [3, 3, 3, 3]), ("state", "3m", [3, 6, 9, 9])]
    {
        let folder = Folder::new();
        folder.append("a.log", minutes(0..4, 3));
        for run in 0..3 {
            let more = ["--every", "1m", "--seconds", window, "--state", state];
            run_for(&folder, Duration::from_millis(900), &more);
            let results: Vec<(u64, bool, u64)> = results(&folder).into_values().collect();
            assert_eq!(results.iter().map(|(.., n)| *n).collect::<Vec<_>>(), right, "{state}");
            // Those of which no more is known do not come again, but for the last one, which says
            // how far the run has come.
            let revisions = if state == "none" { [0; 4] } else { [0, 0, 0, run] };
            assert_eq!(results.iter().map(|(revision, ..)| *revision).collect::<Vec<_>>(), revisions);
            assert!(results.iter().all(|(_, provisional, _)| *provisional));
        }
        if let Some(saved) = SavedState::of(&folder, false) {
            let open = saved.contents["windows"]["open"].as_array().unwrap();
            let open: Vec<u64> = open.iter().map(|window| window["connections"].as_u64().unwrap()).collect();
            assert_eq!(open, right);
        }
    }
}

#[test]
fn results_by_the_clock_add_up_to_what_is_counted_however_busy_the_machine_is() {
    let folder = Folder::new();
    let busy: Vec<Running> =
        (0..6).map(|_| Running(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())).collect();
    let mut running = follow(&folder, &["--every", "1s", "--seconds", "1s", "--trigger", "clock", "--lateness", "1s"]);
    let started = Instant::now();
    let mut written = BTreeMap::<i64, u64>::new();
    let mut text = String::new();
    while started.elapsed() < Duration::from_secs(5) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        // Some come a second after their stamp.
        let stamp = now - i64::from(text.is_empty());
        *written.entry(stamp).or_default() += 1;
        text.push_str(&format!("{stamp} a b\n"));
        if text.len() > 60 {
            folder.append("a.log", &text);
            text.clear();
        }
        std::thread::sleep(Duration::from_millis(7));
    }
    folder.append("a.log", &text);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    drop(busy);
    let found: BTreeMap<i64, u64> = results(&folder)
        .into_iter()
        .map(|(start, (.., connections))| (start, connections))
        .filter(|(_, n)| *n > 0)
        .collect();
    assert_eq!(found, written, "{}", said(&folder));
    let counted = SavedState::of(&folder, false).unwrap().contents["balance"]["counted"].as_u64().unwrap();
    assert_eq!(counted, written.values().sum::<u64>());
    // They came while the run went on, and not only at its end.
    let provisional = std::fs::read_to_string(folder.at("results")).unwrap().matches("\"provisional\":true").count();
    assert!(provisional >= 3, "{provisional} results came by the clock");
}

/// Lines of what was said that hold this.
fn told(folder: &Folder, text: &str) -> Vec<String> {
    said(folder).lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

#[test]
fn a_file_that_was_gone_when_a_run_began_is_told_as_lost_once() {
    for moved in [false, true] {
        let folder = Folder::new();
        folder.append("a.log", minutes(0..1, 20));
        folder.append("b.log", minutes(1..2, 20));
        run_for(&folder, Duration::from_millis(600), &MINUTES);
        let position = std::fs::metadata(folder.at("a.log")).unwrap().len();
        folder.append("a.log", minutes(1..2, 20));
        if moved {
            std::fs::rename(folder.at("a.log"), folder.at("a.old")).unwrap();
        } else {
            std::fs::remove_file(folder.at("a.log")).unwrap();
        }
        let lost = format!(
            "a.log: was gone when this run began; what was written behind byte {position}, if anything, is lost"
        );
        for _ in 0..2 {
            let mut running = follow(&folder, &MINUTES);
            std::thread::sleep(Duration::from_secs(9));
            assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
            assert_eq!(told(&folder, &lost).len(), 1, "{}", said(&folder));
        }
        let saved = SavedState::of(&folder, false).unwrap();
        assert_eq!(saved.contents["balance"]["unknown_losses"], 1, "{}", saved.text(false));
    }
}

#[test]
fn silence_that_was_waited_through_is_not_waited_for_again() {
    let folder = Folder::new();
    folder.append("a.log", minutes(0..1, 20));
    folder.append("b.log", minutes(0..10, 20));
    // Until it is silent for so long, the first one holds back everything.
    let more = ["--every", "1m", "--seconds", "1m", "--lateness", "1m", "--idle", "4s"];
    for run in 0..6 {
        run_for(&folder, Duration::from_millis(1300), &more);
        if run < 2 {
            assert_eq!(results(&folder).values().filter(|(_, provisional, _)| !provisional).count(), 0, "{run}");
        }
        folder.append("b.log", minutes(10 + run..11 + run, 20));
    }
    assert!(
        results(&folder).values().filter(|(_, provisional, _)| !provisional).count() >= 8,
        "{:?}",
        results(&folder)
    );
}

#[test]
fn a_truncation_is_told_once_and_not_at_each_start() {
    let folder = Folder::new();
    folder.append("a.log", minutes(0..1, 60));
    run_for(&folder, Duration::from_millis(600), &MINUTES);
    folder.write("a.log", minutes(1..2, 20));
    for _ in 0..4 {
        run_for(&folder, Duration::from_millis(3500), &MINUTES);
    }
    let said = told(&folder, "is lost");
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("was truncated or overwritten before it was read; what was written behind byte"),
        "{said:#?}"
    );
}

#[test]
fn a_run_that_is_asked_to_end_waits_for_the_state_and_says_so_and_a_second_signal_ends_it() {
    // Far more than the outputs are waited for.
    for (failpoint, code, time) in
        [("saver=1*sleep(100)->sleep(3000)", Some(0), 3), ("saver=sleep(60000)", Some(143), 2)]
    {
        let folder = Folder::new();
        folder.append("a.log", minutes(0..1, 20));
        let mut command = Command::new(env!("CARGO_BIN_EXE_logparser"));
        command.current_dir(folder.path()).env("FAILPOINTS", failpoint).stdin(Stdio::null());
        command.args(["top", "*.log", "--follow", "--since", "1970-01-01T00:00:00Z", "--state", "state"]).args(MINUTES);
        let said = std::fs::File::create(folder.at("said")).unwrap();
        let mut running = Running(command.stdout(Stdio::null()).stderr(said).spawn().unwrap());
        std::thread::sleep(Duration::from_millis(1000));
        signal(&running.0, "TERM");
        let text = || std::fs::read_to_string(folder.at("said")).unwrap();
        let started = Instant::now();
        wait_for("what it waits for", || text().contains("waiting for the state to be saved, 10s at most"));
        if code == Some(143) {
            signal(&running.0, "TERM");
        }
        let ended = running.0.wait().unwrap().code();
        assert_eq!(ended, code, "{}", text());
        assert!(started.elapsed() < Duration::from_secs(time + 5), "{:?}", started.elapsed());
    }
}

#[test]
fn two_signals_at_once_are_one() {
    for name in ["TERM", "INT"] {
        let folder = Folder::new();
        folder.append("a.log", minutes(0..1, 20));
        let mut command = Command::new(env!("CARGO_BIN_EXE_logparser"));
        command.current_dir(folder.path()).stdin(Stdio::null()).env("FAILPOINTS", "saver=sleep(400)");
        command.args(["top", "*.log", "--follow", "--since", "1970-01-01T00:00:00Z", "--state", "state"]).args(MINUTES);
        let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        std::thread::sleep(Duration::from_millis(700));
        // As timeout(1) does: to the process, and to its group.
        let process = running.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process, &process, &process]).status().unwrap();
        assert!(sent.success());
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn a_later_run_tells_only_what_it_has_lost_itself() {
    let folder = Folder::new();
    let text = |from: i64| minutes(from..from + 1, 20);
    for (run, bad) in [(0, "oh no\n"), (1, "1 a b c d\n1 a\n"), (2, "")] {
        let begins = std::fs::metadata(folder.at("a.log")).map_or(0, |log| log.len());
        folder.append("a.log", format!("{bad}{}", text(run)));
        let before = said(&folder).len();
        run_for(&folder, Duration::from_millis(700), &MINUTES);
        let said = said(&folder).split_off(before);
        let right = match run {
            0 => Some(format!("1 malformed line (1 bad timestamp); the first: a.log: byte {begins}: ")),
            1 => Some(format!(
                "2 malformed lines (1 too few fields, 1 too many fields); the first: a.log: byte {begins}: "
            )),
            _ => None,
        };
        let told = said
            .lines()
            .filter(|line| line.contains(" malformed line"))
            .all(|line| right.as_ref().is_some_and(|right| line.contains(right.as_str())));
        assert!(told && said.contains("malformed line") == right.is_some(), "{run}: {right:?}\n{said}");
    }
}
