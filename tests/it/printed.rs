//! What is printed, and to what: terminals of every kind, devices that are full, pipes that nobody
//! reads.

use std::fs::File;
use std::process::{Command, Stdio};

use logparser::internals::model::escape::is_hostile;

use crate::support::{Folder, needs, on_terminal, program, run, signal, stderr, stdout, wait_for};

const LOG: &str = "1700000000 a b\n1700000001 a c\n";

/// Each command that prints, with what it takes.
const PRINTING: [&[&str]; 24] = [
    &["--help"],
    &["-h"],
    &["--version"],
    &["help"],
    &["help", "top"],
    &["top", "--help"],
    &["state", "--help"],
    &["man"],
    &["reports"],
    &["completions", "bash"],
    &["graph", "p.toml"],
    &["check", "p.toml"],
    &["explain", "conn.log"],
    &["explain", "conn.log", "--output", "json"],
    &["plan", "conn.log", "--last", "1h"],
    &["list", "conn.log"],
    &["inspect", "x.tally"],
    &["report", "x.tally", "-q"],
    &["state", "list", "."],
    &["state", "list", ".", "--json"],
    &["make", "-", "--lines", "10", "--quiet"],
    &["top", "conn.log", "--until", "latest", "-q"],
    &["top", "conn.log", "--until", "latest", "-q", "--csv"],
    &["run", "p.toml", "-q"],
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("conn.log", LOG);
    folder.write("p.toml", "location = 'conn.log'\nuntil = 'latest'\n");
    let counted =
        run(&folder, &["partial", "conn.log", "--until", "latest", "--last", "1h", "--output", "x.tally", "-q"]);
    assert_eq!(counted.status.code(), Some(0), "{}", stderr(&counted));
    folder
}

#[test]
fn what_cannot_be_printed_is_one_line_and_exit_code_1() {
    let folder = folder();
    for args in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(&folder).args(args).stdout(full).output().unwrap();
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{args:?}: {said}");
        assert!(said.contains(": cannot write: No space left on device"), "{args:?}: {said}");
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut make = Command::new(env!("CARGO_BIN_EXE_logparser-make"));
    assert_eq!(make.arg("--help").stdout(full).stderr(Stdio::null()).status().unwrap().code(), Some(1));
}

#[test]
fn a_pipe_that_nobody_reads_is_no_error() {
    let folder = folder();
    for args in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(&folder).args(args).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), &stderr(&output)[..]), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn colour_is_for_terminals_that_know_it_and_people_who_want_it() {
    needs!("script");
    let program = env!("CARGO_BIN_EXE_logparser");
    let folder = folder();
    let commands = ["top conn.log --until latest", "top nothing.log", "--help", "top --no-such-option", "reports"];
    for (environment, coloured) in [
        (&[("TERM", "xterm")][..], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "")], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "unknown")], false),
        (&[("TERM", "")], false),
        (&[], false),
    ] {
        let shown = commands.map(|args| on_terminal(&folder, &format!("'{program}' {args}"), environment));
        let any = shown.iter().any(|text| text.contains('\u{1b}'));
        assert_eq!(any, coloured, "{environment:?} {shown:?}");
        assert!(shown[0].contains("Servers that received") && shown[1].contains("No log files found"), "{shown:?}");
    }
    let always =
        on_terminal(&folder, &format!("'{program}' top conn.log --until latest --color always"), &[("TERM", "dumb")]);
    assert!(always.contains('\u{1b}'), "{always:?}");
}

/// JSON itself lets most characters pass that act on a terminal or hide.
#[test]
fn json_of_all_commands_is_harmless_whatever_files_are_called() {
    let folder = Folder::new();
    let name = "a\u{9b}31m\u{202e}\u{200b}\u{7f}.log";
    folder.write(name, LOG);
    let location = format!("./{name}");
    let counted =
        run(&folder, &["partial", &location, "--until", "latest", "--last", "1h", "--output", "x.tally", "-q"]);
    assert_eq!(counted.status.code(), Some(0), "{}", stderr(&counted));
    let follow = ["--follow", "--every", "1s", "--state", "states/one", "--output", "json:results", "-q"];
    let mut running = program(&folder).args(["top", &location]).args(follow).spawn().unwrap();
    wait_for("a state", || run(&folder, &["state", "verify", "--state", "states/one"]).status.code() == Some(0));
    signal(&running, "INT");
    running.wait().unwrap();
    for args in [
        &["list", &location][..],
        &["plan", &location, "--last", "1h"],
        &["explain", &location, "--output", "json"],
        &["inspect", "x.tally"],
        &["report", "x.tally", "-q", "--json"],
        &["state", "list", "states", "--json"],
        &["state", "show", "--state", "states/one", "--json"],
    ] {
        let output = run(&folder, args);
        let text = stdout(&output);
        assert!(!text.chars().any(|c| c != '\n' && is_hostile(c)), "{args:?}: {text:?}");
        let is_json = text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert!(is_json && !text.is_empty(), "{args:?}: {text}{}", stderr(&output));
    }
}
