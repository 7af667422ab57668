//! Time while following: stamps that cannot be, reports by the clock, results that are issued
//! again.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::{
    BASE, Folder, Running, SavedState, configure, follower, pairs, results, said, seconds, signal, terminate, wait_for,
    wait_until_saved,
};

#[test]
fn c2_c3_lines_from_the_far_future_and_the_far_past_move_nothing() {
    let folder = Folder::new();
    configure(&folder, "1s", "50ms", "unit = \"s\"\nlateness = \"1s\"");
    // The first one is that of the configuration.
    let text = std::fs::read_to_string(folder.at("pipeline.toml")).unwrap().replacen("lateness = \"0\"\n", "", 1);
    folder.write("pipeline.toml", text);
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    // Five minutes on is within the tolerance, and moves the watermark: it comes last.
    let hostile = [now + 86_400, 253_402_300_799, i64::MAX, 0, -62_167_219_200, -1];
    let mut written = 0;
    for second in 0..10 {
        written += 100;
        for _ in 0..100 {
            writeln!(log, "{} a b", BASE + second).unwrap();
        }
        if let Some(stamp) = hostile.get(second as usize) {
            writeln!(log, "{stamp} x y").unwrap();
        }
    }
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_for("the results", || results(&folder).len() >= 8);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let saved = SavedState::of(&folder, false).unwrap();
    let balance = &saved.contents["balance"];
    let number = |key: &str| balance[key].as_i64().unwrap();
    assert_eq!(number("counted"), written, "{balance}");
    assert_eq!(number("future") + number("late") + number("out_of_window") + number("malformed"), 6, "{balance}");
    for result in results(&folder).iter().filter(|result| result["window"]["provisional"] != Value::Bool(true)) {
        let second = seconds(result["window"]["start"].as_str().unwrap());
        let count = pairs(result).get(&("a".to_owned(), "b".to_owned())).copied();
        assert_eq!((count, (BASE..BASE + 10).contains(&second)), (Some(100), true), "{result}");
    }
}

/// Unix seconds now.
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Writes stamps of now until some time has passed.
fn write_now(log: &mut std::fs::File, time: Duration) -> u64 {
    let (until, mut lines) = (Instant::now() + time, 0);
    while Instant::now() < until {
        writeln!(log, "{} a b", (now() * 1e9) as u64).unwrap();
        lines += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    lines
}

#[test]
fn c7_stopped_for_some_seconds_it_makes_up_for_one_report_by_the_clock_at_most() {
    let folder = Folder::new();
    configure(&folder, "1s", "50ms", "trigger = \"clock\"");
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    write_now(&mut log, Duration::from_millis(1500));
    signal(&running.0, "STOP");
    std::thread::sleep(Duration::from_millis(4200));
    let before = results(&folder).len();
    signal(&running.0, "CONT");
    std::thread::sleep(Duration::from_millis(300));
    let after = results(&folder).len();
    // The one that is late, and one that may just be due.
    assert!(after <= before + 2, "{before} results, then {after}");
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
}

#[test]
fn c8_thirty_reports_by_the_clock_come_in_time_each_once() {
    let folder = Folder::new();
    configure(&folder, "100ms", "50ms", "trigger = \"clock\"\nfuture = \"1h\"");
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    write_now(&mut log, Duration::from_millis(400));
    // What is written while the clock passes a window is in its next revision.
    let windows = || results(&folder).iter().filter(|result| result["window"]["revision"] == 0).count();
    let before = windows();
    let started = Instant::now();
    write_now(&mut log, Duration::from_secs(3));
    let due = started.elapsed().as_millis() as usize / 100;
    let came = windows() - before;
    assert!(came.abs_diff(due) <= 2, "{came} reports came, {due} were due");
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let window = |result: &Value| format!("{} {}", result["window"]["end"], result["window"]["revision"]);
    let ends: Vec<String> = results(&folder).iter().map(window).collect();
    let mut sorted = ends.clone();
    sorted.sort();
    sorted.dedup();
    // The last one is that of the end of the run, which may be one that is open.
    assert!(sorted.len() + 1 >= ends.len(), "{ends:?}");
}

#[test]
fn results_that_late_records_change_are_issued_again_as_the_next_revision() {
    let folder = Folder::new();
    // The third line shall move time by itself.
    configure(&folder, "1s", "50ms", "late-updates = \"10s\"\nunit = \"s\"\nmax-jump = \"0\"");
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    writeln!(log, "{BASE} a b\n{} a b\n{} a b", BASE + 1, BASE + 3).unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    let of = |revision: u64| {
        let found = results(&folder).into_iter().filter(|result| {
            let window = &result["window"];
            seconds(window["start"].as_str().unwrap()) == BASE && window["revision"] == revision
        });
        found.map(|result| pairs(&result)).collect::<Vec<_>>()
    };
    wait_for("the first result", || of(0).len() == 1);
    writeln!(log, "{BASE} a c").unwrap();
    wait_for("the second revision", || of(1).len() == 1);
    // Over a restart, too.
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let mut running = Running(follower(&folder).spawn().unwrap());
    writeln!(log, "{BASE} a d").unwrap();
    wait_for("the third revision", || of(2).len() == 1);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let counts: Vec<usize> = (0..3).map(|revision| of(revision)[0].len()).collect();
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn what_late_records_changed_before_a_run_was_killed_is_issued_again_by_the_next() {
    let folder = Folder::new();
    configure(&folder, "1s", "20ms", "late-updates = \"10s\"\nunit = \"s\"\nmax-jump = \"0\"");
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    let written = || std::fs::metadata(folder.at("logs/log")).unwrap().len();
    writeln!(log, "{BASE} a b\n{} a b\n{} a b", BASE + 1, BASE + 3).unwrap();
    let of = |start: i64| {
        let found = results(&folder).into_iter().filter(|it| seconds(it["window"]["start"].as_str().unwrap()) == start);
        found.map(|it| (it["window"]["revision"].as_u64().unwrap(), pairs(&it).len())).collect::<Vec<_>>()
    };
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_for("the first result", || of(BASE) == [(0, 1)]);
    // Within the second in which nothing is issued again.
    writeln!(log, "{BASE} a c").unwrap();
    wait_until_saved(&folder, written());
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_for("the second revision", || of(BASE).last() == Some(&(1, 2)));
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
}

#[test]
fn a_late_record_is_in_all_windows_that_hold_it_those_before_the_first_too() {
    let folder = Folder::new();
    configure(&folder, "1s", "50ms", "late-updates = \"10s\"\nunit = \"s\"\nmax-jump = \"0\"");
    // Each stamp is in two windows.
    let text = std::fs::read_to_string(folder.at("pipeline.toml")).unwrap();
    folder.write("pipeline.toml", text.replacen("\nseconds = \"1s\"", "\nseconds = \"2s\"", 1));
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut log = std::fs::File::create(folder.at("logs/log")).unwrap();
    let of = |start: i64| {
        let found = results(&folder).into_iter().filter(|it| seconds(it["window"]["start"].as_str().unwrap()) == start);
        found.map(|it| (it["window"]["revision"].as_u64().unwrap(), pairs(&it).len())).collect::<Vec<_>>()
    };
    writeln!(log, "{BASE} a b\n{} a b", BASE + 3).unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_for("the first result", || of(BASE - 1) == [(0, 1)]);
    writeln!(log, "{} a c", BASE - 1).unwrap();
    wait_for("the window before it", || of(BASE - 2) == [(0, 1)]);
    wait_for("the second revision", || of(BASE - 1) == [(0, 1), (1, 2)]);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
}
