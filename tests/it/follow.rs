//! Following as users see it: results of live logs, in order, once, whatever happens to the files
//! and to the program.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use crate::support::{
    Folder, Follower, Running, TUMBLING, append, program, run, signal, stderr, stdout, summary, wait_for,
};

#[test]
fn large_files_are_read_from_where_the_first_window_needs_them_unless_all_is_asked_for() {
    let folder = Folder::new();
    // Sorted but for a record of the first window, which stands where it cannot be.
    let line = |at: i64| format!("{} a b\n", if at == 50_000 { 99_990 } else { at });
    append(&folder.at("a.log"), (0..100_011).map(line).collect::<String>());
    let windows = ["--every", "10", "--seconds", "10", "--since", "99990", "--lateness", "0", "--output", "json"];
    for (how, connections) in
        [(&[][..], 11), (&["--prune-above", "0"], 10), (&["--prune-above", "0", "--scan", "full"], 11)]
    {
        let args = [&windows[..], &["*.log", "--state", "none"], how].concat();
        let follower = Follower::start_with(&folder, &args);
        assert_eq!(follower.next(), (100_000, 0, false, connections), "{how:?}");
    }
}

#[test]
fn a_window_is_reported_once_when_its_end_has_passed_and_the_rest_provisionally_at_the_end() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n1009 a b\n");
    let follower = Follower::start(&folder, &["*.log", "--state", "none"]);
    follower.nothing_for(300);
    append(&log, "1010 a b\n1012 a ");
    assert_eq!(follower.next(), (1010, 0, false, 2));
    append(&log, "b\n1035 a b\n");
    assert_eq!(follower.next(), (1020, 0, false, 2));
    assert_eq!(follower.next(), (1030, 0, false, 0));
    follower.nothing_for(100);
    assert_eq!(follower.stop(), [(1040, 0, true, 1)]);
}

#[test]
fn live_gives_what_the_file_gives() {
    let folder = Folder::new();
    let lines: Vec<String> = (0..4000).map(|at| format!("{} h{} s{}\n", 1000 + at / 40, at % 17, at % 5)).collect();
    folder.write("whole.txt", lines.concat());
    let follower = Follower::start(&folder, &["live.log*", "--state", "none"]);
    let live = folder.at("live.log");
    for (at, block) in lines.chunks(150).enumerate() {
        append(&live, block.concat());
        if at % 7 == 6 {
            std::fs::rename(&live, folder.at(&format!("live.log.{at}"))).unwrap();
        }
    }
    let batch =
        run(&folder, &["top", "whole.txt", "--every", "10", "--seconds", "10", "--lateness", "0", "--output", "json"]);
    let batch: Vec<Value> = stdout(&batch).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The last window of the file stays open in what goes on.
    for from_file in &batch[..batch.len() - 1] {
        let live = follower.results.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(live["reports"], from_file["reports"]);
        assert_eq!(live["window"]["end"], from_file["window"]["end"]);
    }
    let last = follower.stop();
    assert_eq!(last, [summary_of_batch(&batch[batch.len() - 1])]);
}

fn summary_of_batch(result: &Value) -> (i64, i64, bool, i64) {
    let rows = result["reports"][0]["rows"].as_array().unwrap();
    (result["window"]["end_unix"].as_i64().unwrap(), 0, true, rows.iter().map(|row| row[1].as_i64().unwrap()).sum())
}

#[test]
fn a3_a_run_that_was_killed_goes_on_where_its_state_was_and_numbers_its_results_on() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n1009 a b\n1011 a b\n");
    let follower = Follower::start(&folder, &["a.log*", "--state", "st"]);
    assert_eq!(follower.next(), (1010, 0, false, 2));
    std::thread::sleep(Duration::from_millis(900));
    follower.kill();
    std::fs::rename(&log, folder.at("a.log.1")).unwrap();
    append(&folder.at("a.log.1"), "1012 a b\n");
    append(&log, "1021 a b\n");
    let follower = Follower::start(&folder, &["a.log*", "--state", "st"]);
    // The old file holds windows back until it has been silent for a while after its renaming.
    assert_eq!(follower.next(), (1020, 0, false, 2));
    assert_eq!(follower.stop(), [(1030, 0, true, 1)]);
    let again = Follower::start(&folder, &["a.log*", "--state", "st"]);
    append(&log, "1030 a b\n");
    // The window was shown provisionally before: this result takes the place of that one.
    assert_eq!(again.next(), (1030, 1, false, 1));
    again.stop();
}

#[test]
fn c8_results_that_late_records_change_are_issued_again() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n1010 a b\n");
    let follower = Follower::start(&folder, &["a.log", "--state", "none", "--late-updates", "30"]);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    append(&log, "1005 late b\n");
    assert_eq!(follower.next(), (1010, 1, false, 2));
    append(&log, "1041 a b\n1002 too late\n");
    for end in [1020, 1030, 1040] {
        assert_eq!(follower.next(), (end, 0, false, i64::from(end == 1020)));
    }
    assert_eq!(follower.stop(), [(1050, 0, true, 1)]);
}

#[test]
fn c6_lines_from_a_silent_file_that_come_after_their_windows_are_kept_as_late() {
    let folder = Folder::new();
    let (log, silent) = (folder.at("a.log"), folder.at("b.log"));
    append(&log, "1001 a b\n");
    append(&silent, "1000 x y\n");
    let follower = Follower::start(&folder, &["*.log", "--state", "none", "--late-file", "late.txt"]);
    append(&log, "1031 a b\n");
    for (end, connections) in [(1010, 2), (1020, 0), (1030, 0)] {
        assert_eq!(follower.next(), (end, 0, false, connections));
    }
    append(&silent, "1004 first\ty  \r\n1032 in time\n1005 last y\n");
    // The record that is in time is counted behind the first that is late; the last one is late in
    // its own file too. What is written to a file that is not waited for may be read behind what
    // other files got after it.
    let late = || std::fs::read_to_string(folder.at("late.txt")).unwrap_or_default();
    wait_for("the silent file to be read", || late().contains("1004 first"));
    append(&log, "1041 a b\n");
    assert_eq!(follower.next(), (1040, 0, false, 2));
    follower.stop();
    assert_eq!(late(), "1005 last y\n1004 first\ty  \n");
}

#[test]
fn a_record_is_in_all_its_windows_or_late_also_where_one_of_them_has_closed() {
    let folder = Folder::new();
    let (log, silent) = (folder.at("a.log"), folder.at("b.log"));
    append(&silent, "1001 x y\n1006 x y\n1011 x y\n");
    append(&log, "1001 a b\n1006 a b\n1011 a b\n1012 a b\n1018 a b\n");
    let args = ["*.log", "--state", "none", "--late-file", "late.txt", "--every", "5", "--seconds", "10"];
    let follower = Follower::start(&folder, &args);
    assert_eq!([follower.next(), follower.next()], [(1005, 0, false, 2), (1010, 0, false, 4)]);
    // That of 1005 to 1015 closes once the other file is not waited for.
    assert_eq!(follower.next(), (1015, 0, false, 5));
    append(&silent, "1012 late y\n1015 in time\n");
    let late = || std::fs::read_to_string(folder.at("late.txt")).unwrap_or_default();
    wait_for("the silent file to be read", || late() == "1012 late y\n");
    append(&log, "1031 a b\n");
    assert_eq!([follower.next(), follower.next()], [(1020, 0, false, 5), (1025, 0, false, 2)]);
    follower.stop();
    assert_eq!(late(), "1012 late y\n");
}

#[test]
fn c7_by_the_clock_a_result_comes_provisionally_and_a_stopped_run_makes_up_for_nothing() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "");
    let args = ["a.log", "--state", "none", "--trigger", "clock", "--every", "1", "--seconds", "1", "--align", "start"];
    let mut command = program(&folder);
    command.args(["top", "--follow", "--quiet", "--output", "json", "--lateness", "60"]).args(args);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    signal(&child, "STOP");
    std::thread::sleep(Duration::from_millis(5000));
    signal(&child, "CONT");
    std::thread::sleep(Duration::from_millis(1500));
    signal(&child, "TERM");
    let mut ends = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let result: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(result["window"]["provisional"], Value::Bool(true));
        ends.push(result["window"]["end_unix"].as_i64().unwrap());
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(ends.is_sorted_by(|a, b| a < b), "{ends:?}");
    assert!((3..=5).contains(&ends.len()), "windows of 5 s at a stop are made up for: {ends:?}");
}

#[test]
fn e7_a_pipe_can_be_followed_and_its_end_closes_all_windows() {
    let folder = Folder::new();
    let mut command = program(&folder);
    command.args(["top", "-", "--follow", "--quiet"]).args(TUMBLING).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1001 a b\n1010 a b\n").unwrap();
    let mut next = || summary(&serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap());
    assert_eq!(next(), (1010, 0, false, 1));
    stdin.write_all(b"1011 a b").unwrap();
    drop(stdin);
    assert_eq!(next(), (1020, 0, false, 2));
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn files_that_are_written_go_on_after_a_restart_and_are_never_followed() {
    let folder = Folder::new();
    append(&folder.at("a.log"), "1001 a b\n1010 a b\n");
    let args = [
        "--every",
        "10",
        "--since",
        "0",
        "--align",
        "epoch",
        "--lateness",
        "0",
        "--max-jump",
        "0",
        "--state",
        "st",
        "--checkpoint",
        "50ms",
    ];
    for part in ["1020 a b\n", "1030 a b\n"] {
        let mut command = program(&folder);
        command.args(["top", "a.log", "--follow", "--quiet", "--seconds", "10", "--output", "csv:out.csv"]).args(args);
        let mut child = command.spawn().unwrap();
        append(&folder.at("a.log"), part);
        std::thread::sleep(Duration::from_millis(800));
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let out = std::fs::read_to_string(folder.at("out.csv")).unwrap();
    assert_eq!(out.matches("window_start").count(), 1, "{out}");
    let rows: Vec<&str> = out.lines().skip(1).map(|line| &line[21..41]).collect();
    assert_eq!(rows[..3], ["1970-01-01T00:16:50Z", "1970-01-01T00:17:00Z", "1970-01-01T00:17:10Z"], "{out}");
    File::create(folder.at("b.log")).unwrap();
    let args = ["top", "*.log", "--follow", "--every", "10", "--state", "none", "--output", "json:b.log"];
    let refused = run(&folder, &args);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("'b.log' is written to and followed as b.log"), "{}", stderr(&refused));
}

#[test]
fn outputs_in_the_folder_of_the_state_are_refused() {
    let folder = Folder::new();
    folder.write("a.log", "1000 a b\n");
    std::os::unix::fs::symlink("st", folder.at("link")).unwrap();
    for output in ["json:st/state.0", "csv:st/../st/rows", "json:link/x", "json:./st/deep.json"] {
        let stderr = File::create(folder.at("said")).unwrap();
        let args = ["top", "a.log", "--follow", "--every", "10", "--state", "st", "--output", output];
        let mut refused = Running(program(&folder).args(args).stderr(stderr).spawn().unwrap());
        wait_for("an answer to an output", || refused.0.try_wait().unwrap().is_some());
        assert_eq!(refused.0.wait().unwrap().code(), Some(2), "{output}");
        let said = std::fs::read_to_string(folder.at("said")).unwrap();
        assert!(said.contains("lies in the folder of the state, 'st'") && said.lines().count() == 1, "{said}");
    }
}
