//! The program as people run it: real processes, their output, their messages and their exit codes.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{
    Folder, needs, on_terminal, piped, program, run, run_with_input, signal, stderr, stdout, wait_for,
};

/// Some connections at known times, the last one at second 1,700,000,000.
const LOG: &str = "\
1699990000 old Delta
1699999000 sierra Alpha
1699999100 almont Delta
1699999200 alta Delta
1699999300 sierra Bravo
1699999400 alpine Delta
1700000000 almont Bravo
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("conn.log", LOG);
    folder
}

#[test]
fn the_positional_form_prints_what_it_always_did() {
    let expected = "\
Report results
--------------

* Server that received more connections:
to    Delta
ts        3

* List of connected hosts to Delta

almont, alpine, alta

* List of connections from sierra
Alpha, Bravo
";
    let folder = folder();
    for args in [
        vec!["conn.log", "sierra", "Delta", "--until", "1700000000"],
        vec![
            "--folder",
            "--seconds",
            "3600",
            "--grouping-seconds",
            "1200",
            ".",
            "sierra",
            "Delta",
            "--until",
            "latest",
        ],
        vec!["--last", "1h", "*.log", "sierra", "Delta", "--until", "2023-11-14T22:13:20Z"],
        vec!["--sleep-seconds", "5m", "--window=60m", "./conn.log", "sierra", "Delta", "--until", "latest"],
    ] {
        let output = run(&folder, &args);
        assert_eq!(stdout(&output), expected, "{args:?}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(0));
        assert!(stderr(&output).contains("= counted                      6\n"), "{}", stderr(&output));
    }
    let output = run_with_input(&folder, &["-", "sierra", "Delta", "--until", "latest", "--quiet"], LOG.as_bytes());
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (expected, ""));
}

#[test]
fn short_questions_need_no_configuration() {
    let folder = folder();
    let answer = |args: &[&str]| {
        let output = run(&folder, args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        stdout(&output)
    };
    let until = ["--until", "latest", "--output", "csv", "--quiet"];
    assert_eq!(answer(&[&["top", "conn.log"][..], &until].concat()), "server,connections\nDelta,3\nBravo,2\nAlpha,1\n");
    assert_eq!(
        answer(&[&["to", "Delta", "conn.log"][..], &until].concat()),
        "host,connections\nalmont,1\nalpine,1\nalta,1\n"
    );
    assert_eq!(
        answer(&[&until[..], &["from", "sierra", "conn.log", "conn.log"]].concat()),
        "host,connections\nAlpha,1\nBravo,1\n"
    );
    assert_eq!(
        answer(&[&until[..], &["peers", "sierra", "conn.log", "conn.log"]].concat()),
        "host,connections,in,out\nAlpha,1,0,1\nBravo,1,0,1\n"
    );
    let piped = run_with_input(&folder, &[&["top", "--limit", "1"][..], &until].concat(), LOG.as_bytes());
    assert_eq!(stdout(&piped), "server,connections\nDelta,3\n");
    assert!(answer(&["reports"]).contains("connected-to\n    the hosts that connected to a host, by name\n    host: "));
    assert!(answer(&["completions", "bash"]).contains("_logparser"));
    assert!(answer(&["--help"]).contains("both ends in:"));
    assert!(answer(&["top", "--help"]).contains("--every"));
}

#[test]
fn a_host_or_file_may_be_named_like_a_command() {
    let folder = Folder::new();
    folder.write("top", "1700000000 run make\n");
    let output = run(&folder, &["--quiet", "./top", "run", "make", "--until", "latest"]);
    assert!(
        stdout(&output).ends_with("List of connected hosts to make\n\nrun\n\n* List of connections from run\nmake\n")
    );
}

#[test]
fn exit_codes_and_messages_say_what_to_do() {
    let folder = folder();
    folder.write("bad.toml", "secnds = 5\nlocation = 'conn.log'\nunit = 'x'\n");
    std::fs::create_dir(folder.at("sub.log")).unwrap();
    for (args, code, said) in [
        (vec!["conn.log", "a", "b"], 0, ""),
        (
            vec!["nothing/*.log", "a", "b"],
            3,
            "logparser: No log files found! 'nothing/*.log' matches nothing; '.' holds ",
        ),
        (vec!["con.log", "a", "b"], 3, "did you mean 'conn.log'?"),
        (vec!["conn.log", "a", "b", "--seconds", "x"], 2, "logparser: --seconds x: expected a length of time"),
        (vec!["conn.log", "a", "b", "--since", "5", "--seconds", "5"], 2, "takes the place of --seconds"),
        (vec!["conn.log", "a", "b", "--since", "2000000000"], 2, "after its end at"),
        (vec!["conn.log", "a"], 2, "`logparser to a conn.log`"),
        (vec!["conn.log", "a", "b", "--secnds", "5"], 2, "--seconds"),
        (vec!["top", "conn.log", "--output", "jsn"], 2, "unknown output 'jsn'; did you mean 'json'?"),
        (vec!["top", "conn.log", "--output", "json:no/such/file"], 1, "no/such/file: cannot open for writing: "),
        (
            vec!["top", "conn.log", "--output", "text", "--output", "csv"],
            2,
            "standard output would be written to twice",
        ),
        (vec!["top", "*.log", "--until", "latest"], 0, "logparser: warning: sub.log: was not read, "),
        (vec!["top", "conn.log", "missing.log", "--until", "latest"], 1, "'missing.log' matches nothing"),
        (vec!["top", "[", "--until", "latest"], 2, "'[' is not a glob"),
        (
            vec!["check", "bad.toml"],
            2,
            "logparser: bad.toml:1:1: secnds: unknown key; did you mean 'seconds'?\nlogparser: bad.toml:3:8: ",
        ),
        (vec!["check"], 2, "there is no 'pipeline.toml'"),
        (vec!["run", "--set", "seconds"], 2, "there is no 'pipeline.toml'"),
        (vec!["-", "a", "b", "--tail", "--state", "here"], 2, "standard input cannot be read again"),
        (vec!["top", "conn.log", "--follow"], 2, "--follow: needs --every, too; how often to report, e.g. --every 1m"),
        (vec!["top", "conn.log", "--trigger", "clock"], 2, "--trigger clock: has a meaning only with --follow"),
        (vec!["conn.log", "a", "b", "--tail", "--until", "latest"], 2, "--until latest: ends what is to be followed"),
        (vec!["conn.log", "a", "b", "--tail", "--memory-policy", "spill"], 2, "a saved state cannot name"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
        assert!(code == 0 || code == 1 || output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_counted() {
    let folder = folder();
    std::os::unix::fs::symlink("nowhere", folder.at("sub.log")).unwrap();
    let output = run(&folder, &["top", "*.log", "--until", "latest", "--output", "csv"]);
    assert_eq!(stdout(&output), "server,connections\nDelta,3\nBravo,2\nAlpha,1\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_empty_window_is_no_error() {
    let output = run(&folder(), &["conn.log", "a", "b", "--seconds", "60"]);
    let said = stdout(&output);
    assert!(
        said.starts_with("Nothing between 20") && said.contains(" UTC; stamps run from 2023-11-14 19:26:40 to 2023"),
        "{said}"
    );
    assert!(said.ends_with("; for their last minute: --until latest\n"), "{said}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_file_of_configuration_is_run_and_any_key_overridden() {
    let folder = folder();
    folder.write("pipeline.toml", "location = 'conn.log'\nuntil = 'latest'\noutputs = ['csv']\n");
    let rows = |args: &[&str]| stdout(&run(&folder, args)).lines().count();
    assert_eq!(rows(&["run"]), 4);
    assert_eq!(rows(&["run", "--set", "limit=2"]), 3);
    assert_eq!(
        rows(&["run", "pipeline.toml", "--set", "stages.recent.seconds=1d", "--set", "reports=[\"top-pairs\"]"]),
        8
    );
    assert_eq!(rows(&["run", "--seconds", "1"]), 2);
    assert!(stdout(&run(&folder, &["graph", "--set", "capacity=3"])).contains("window results, up to 3"));
    assert!(stdout(&run(&folder, &["graph", "--format", "dot"])).starts_with("digraph pipeline {"));
    assert!(stdout(&run(&folder, &["graph", "--format", "mermaid"])).starts_with("flowchart TD"));
    assert_eq!(stdout(&run(&folder, &["check"])), "pipeline.toml: 5 stages, no problems\n");
}

#[test]
fn several_outputs_each_get_everything() {
    let folder = folder();
    let args = [
        "top",
        "conn.log",
        "--until",
        "latest",
        "--output",
        "text",
        "--output",
        "json:r.json",
        "--output",
        "csv:r.csv",
    ];
    let output = run(&folder, &args);
    assert!(stdout(&output).contains("Delta             3\n"), "{}", stdout(&output));
    assert!(std::fs::read_to_string(folder.at("r.json")).unwrap().contains("[\"Delta\",3]"));
    assert_eq!(std::fs::read_to_string(folder.at("r.csv")).unwrap(), "server,connections\nDelta,3\nBravo,2\nAlpha,1\n");
}

#[test]
fn s1_nothing_hostile_reaches_a_terminal() {
    let folder = Folder::new();
    folder.write("x\u{1b}[2J.log", b"1700000000 a\x1b[31m b\xff\n1700000000 c \xe2\x80\xaed\nbad\x1b]52;c;\x07\n");
    let output = run(&folder, &["top", ".", "--until", "latest"]);
    let all = stdout(&output) + &stderr(&output);
    assert!(all.contains("b\\xff") && all.contains("\\xe2\\x80\\xaed") && all.contains("bad\\x1b]52"), "{all}");
    assert!(!all.chars().any(|c| c.is_control() && c != '\n'), "{all:?}");
}

#[test]
fn e4_a_reader_of_stdout_that_leaves_ends_the_run_quietly() {
    let folder = Folder::new();
    let lines: String = (0..20_000).map(|at| format!("{} a b\n", 1_700_000_000 + 60 * at)).collect();
    folder.write("conn.log", lines);
    let mut child = program(&folder)
        .args(["top", "conn.log", "--every", "60", "--output", "json", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"schema\""));
    let output = child.wait_with_output().unwrap();
    assert_eq!((stderr(&output).as_str(), output.status.code()), ("", Some(0)));
}

#[test]
fn e5_a_full_disk_is_a_message_and_an_exit_code() {
    let folder = folder();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = program(&folder).args(["top", "conn.log", "--until", "latest"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("stdout: cannot write: "), "{}", stderr(&output));
}

/// The program reading a pipe that stays open, once it has read what was written.
fn reading_a_pipe(folder: &Folder) -> (std::process::Child, std::process::ChildStdin) {
    use std::io::Write;
    let args = ["top", "--every", "60", "--output", "json", "--lateness", "0", "--max-jump", "0"];
    let mut child = piped(folder, &args);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1700000000 a b\n1700000100 a b\n1700000500 a b\n").unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    // The first result shows that the lines were read, and that an open pipe does not hold results
    // back.
    let mut byte = [0];
    stdout.read_exact(&mut byte).unwrap();
    (child, stdin)
}

#[test]
fn e1_the_first_signal_ends_the_run_with_the_report_of_what_was_read() {
    for name in ["INT", "TERM"] {
        let folder = Folder::new();
        let (mut child, _stdin) = reading_a_pipe(&folder);
        let started = Instant::now();
        signal(&child, name);
        wait_for("the end", || child.try_wait().unwrap().is_some());
        assert!(started.elapsed() < Duration::from_secs(2));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains("interrupted; this is the report of what was read"), "{}", stderr(&output));
        // 22:13, 22:14, ... 22:21: the last record is in the ninth minute.
        assert_eq!(stdout(&output).lines().count(), 9, "{}", stdout(&output));
    }
}

#[test]
fn e2_the_second_signal_ends_the_process_at_once() {
    let folder = Folder::new();
    let lines: String = (0..200_000).map(|at| format!("{} a b\n", 1_700_000_000 + 60 * at)).collect();
    folder.write("conn.log", lines);
    // Nobody reads its results, so it cannot end by itself.
    let mut child = program(&folder)
        .args(["top", "conn.log", "--every", "60", "--output", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "it ended by the first signal");
    signal(&child, "INT");
    wait_for("the end", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    needs!("script");
    let folder = Folder::new();
    folder.write("conn.log", LOG.repeat(6_000));
    let slow = "reader=sleep(400)";
    let command = format!("'{}' top conn.log --until latest --limit 1 --output csv", env!("CARGO_BIN_EXE_logparser"));
    let shown = on_terminal(&folder, &command, &[("FAILPOINTS", slow), ("TERM", "xterm")]);
    assert!(shown.contains(" KiB of ") && shown.contains(" left"), "{shown:?}");
    // The bar makes way for the results, and is gone at the end.
    assert!(shown.contains("\r\u{1b}[2Kserver,connections\r\nDelta,18000\r\n"), "{shown:?}");
    assert!(shown.ends_with("\r\u{1b}[2K"), "{shown:?}");
    let piped = program(&folder)
        .args(["top", "conn.log", "--until", "latest", "--scan", "full"])
        .env("FAILPOINTS", slow)
        .output()
        .unwrap();
    assert!(!stderr(&piped).contains(" left") && stderr(&piped).starts_with("\nBalance sheet\n"), "{}", stderr(&piped));
}

#[test]
fn a_log_is_made_the_same_by_both_programs_and_never_over_another() {
    let folder = Folder::new();
    let args = ["--lines", "1000", "--end", "1700000000", "--seed", "7", "--malformed", "0.01"];
    let first = run(&folder, &[&["make", "a.log"][..], &args].concat());
    assert!(stderr(&first).starts_with("a.log: 1000 lines, "), "{}", stderr(&first));
    let mut other = std::process::Command::new(env!("CARGO_BIN_EXE_logparser-make"));
    assert!(other.current_dir(folder.path()).arg("b.log").args(args).status().unwrap().success());
    let read = |name| std::fs::read(folder.at(name)).unwrap();
    assert_eq!(read("a.log"), read("b.log"));
    assert_eq!(stdout(&run(&folder, &[&["make", "-"][..], &args].concat())).as_bytes(), read("a.log"));
    let again = run(&folder, &["make", "a.log", "--lines", "1"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("'a.log' is there already; give --force to overwrite it"));
}
