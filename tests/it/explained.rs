//! What is said of a run that follows before it is started: the files that it would read and from
//! where, and the locations that it would wait for.

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::Value;

use crate::support::{Folder, program, run, signal, stderr, stdout, wait_for};

const LINES: &str = "1700000000 a b\n1700000001 a c\n";

/// The options of a run that follows.
const FOLLOW: [&str; 7] = ["--follow", "--every", "1m", "--since", "2020-01-01", "--state", "state"];

fn explain(folder: &Folder, locations: &[&str], more: &[&str]) -> (Option<i32>, String, String) {
    let output = run(folder, &[&["explain"], locations, &FOLLOW[..], more].concat());
    (output.status.code(), stdout(&output), stderr(&output))
}

#[test]
fn files_that_are_there_and_locations_that_are_waited_for_are_told() {
    let folder = Folder::new();
    folder.write("a.log", LINES);
    folder.write("b.log", "");
    folder.write("c.log", "1700000002 a d\n".repeat(40_000));
    std::fs::create_dir(folder.at("d.log")).unwrap();
    let (code, said, warned) = explain(&folder, &["*.log", "later*.txt"], &[]);
    let expected = "\
a.log
  read     bytes 0 to 30 of 30, 0.0 % skipped, and what comes
  since    all inputs together are small
c.log
  read     bytes 0 to 600000 of 600000, 0.0 % skipped, and what comes
  since    all inputs together are small
b.log
  read     bytes 0 to 0 of 0, 0.0 % skipped, and what comes
  since    it is empty
later*.txt
  since    it leads to no file yet, and is waited for
3 inputs, and 1 location without a file yet: 600030 of 600030 bytes would be read now, and what comes
chained: lines, recent, tally
";
    assert_eq!((code, said.as_str()), (Some(0), expected), "{warned}");
    assert!(warned.contains("d.log: was not read, as it is a folder"), "{warned}");
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(!folder.at("state").exists());
    // The window begins behind all of it.
    let late = ["--since", "2024-01-01", "--prune-above", "1", "--every", "1m", "--follow"];
    let said = stdout(&run(&folder, &[&["explain", "c.log"], &late[..]].concat()));
    assert!(said.contains("  read     bytes 600000 to 600000 of 600000, 100.0 % skipped, and what comes\n"), "{said}");
    assert!(said.contains("  since    it lies outside the window\n1 input: 0 of 600000 bytes"), "{said}");
    let (code, said, _) = explain(&folder, &["later*.txt"], &[]);
    assert_eq!(code, Some(0));
    assert!(said.contains("\n0 inputs, and 1 location without a file yet: 0 of 0 bytes would be read now"), "{said}");
}

#[test]
fn programs_are_told_the_same() {
    let folder = Folder::new();
    folder.write("a.log", LINES);
    let (code, said, _) = explain(&folder, &["a.log", "later.log"], &["--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(0), 2), "{said}");
    let of = |line: &Value| ["input", "size", "from", "to"].map(|key| line[key].to_string()).join(" ");
    assert_eq!([of(&lines[0]), of(&lines[1])], ["\"a.log\" 30 0 30", "\"later.log\" null 0 0"]);
    assert_eq!(lines[1]["reason"], "it leads to no file yet, and is waited for");
}

#[test]
fn what_an_earlier_run_has_counted_is_not_read_again_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("a.log", LINES);
    let follow = [&["top", "a.log"], &FOLLOW[..], &["-q", "-o", "json:results"]].concat();
    let mut running = program(&folder).args(&follow).spawn().unwrap();
    let saved = || {
        let shown = run(&folder, &["state", "show", "--state", "state", "--json"]);
        serde_json::from_str::<Value>(&stdout(&shown)).is_ok_and(|shown| shown["contents"]["inputs"][0].is_object())
    };
    wait_for("a state", saved);
    let (code, said, warned) = explain(&folder, &["a.log"], &[]);
    assert_eq!(code, Some(0), "while the run has the state: {said}{warned}");
    signal(&running, "INT");
    running.wait().unwrap();
    let results = std::fs::read(folder.at("results")).unwrap();
    let slots = || ["state.0", "state.1"].map(|slot| std::fs::read(folder.at("state").join(slot)).ok());
    let before = slots();
    let mut log = OpenOptions::new().append(true).open(folder.at("a.log")).unwrap();
    log.write_all(LINES.as_bytes()).unwrap();
    let (code, said, warned) = explain(&folder, &["a.log"], &[]);
    let expected = "\
a.log
  read     bytes 30 to 60 of 60, 50.0 % skipped, and what comes
  since    an earlier run has counted what is before
1 input: 30 of 60 bytes would be read now, and what comes
";
    assert_eq!(code, Some(0), "{warned}");
    assert!(said.starts_with(expected), "{said}{warned}");
    assert_eq!((slots(), std::fs::read(folder.at("results")).unwrap()), (before, results));
    // What a run would refuse, and why.
    let (code, said, warned) = explain(&folder, &["a.log"], &["--lateness", "1h"]);
    assert_eq!((code, said.as_str()), (Some(4), ""), "{warned}");
    assert!(warned.contains("it was saved with another configuration"), "{warned}");
}

#[test]
fn a_file_that_is_followed_is_not_written_over() {
    let folder = Folder::new();
    folder.write("a.txt", "");
    let (code, _, said) = explain(&folder, &["*.txt"], &["-o", "json:./a.txt"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("'./a.txt' is read as a.txt, and would be overwritten"), "{said}");
    assert_eq!(std::fs::read(folder.at("a.txt")).unwrap(), b"");
}
