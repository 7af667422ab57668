//! `--live` on a terminal: keys, signals, and the terminal as it was, however the view ends.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{
    BASE, Folder, Pty, log, needs, program, run, run_with_input, signal, skip, stderr, stdout, wait_for,
};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("conn.log", log(1, 2_000, 1_000, 0, 20));
    folder
}

/// The view of the log in `folder`, on a terminal, with some injected faults.
fn live(folder: &Folder, args: &[&str], faults: &str) -> Pty {
    let mut command = program(folder);
    command.args(["conn.log", "src1", "dst1", "--until", "latest", "--live"]).args(args).env("FAILPOINTS", faults);
    Pty::start(&command, 120, 30)
}

#[test]
fn keys_go_through_the_reports_and_to_peers_and_end_the_view() {
    needs!("setsid");
    let folder = folder();
    let mut pty = live(&folder, &[], "");
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED  window [2023-11-14T"));
    assert!(pty.screen().contains("lines read              2000"), "{}", pty.screen());
    assert!(!pty.has_its_modes());
    pty.send(b"\t");
    pty.wait_for_text("List of connected hosts to dst1 (20)");
    pty.send(b"ss");
    pty.wait_for_text("connections ▼");
    pty.send(b"/c19");
    pty.wait_for_text("List of connected hosts to dst1 (1 of 20)");
    pty.send(b"\r\r");
    pty.wait_for_text("src19 connects to (11)");
    pty.wait_for("peers by size", |screen| screen.matches("dst").count() == 11);
    pty.send(b"\x1b");
    pty.wait_for_text("(1 of 20)");
    pty.send(b"?");
    pty.wait_for_text("end the run");
    pty.send(b"x q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.is_restored());
    // The last reports stay.
    let said = pty.said_after();
    let reports = said.find("\nto    dst1\nts     199\n").expect(&said);
    assert!(said[reports..].contains("\nBalance sheet\n  lines read "), "{said:?}");
    assert_eq!(said.matches("Report results").count(), 1, "{said}");
    assert!(pty.hostile().is_empty(), "{:?}", pty.hostile());
}

#[test]
fn hosts_are_named_and_their_peers_are_found() {
    needs!("setsid");
    let folder = Folder::new();
    folder.write("hosts", "10.0.0.1 web1\n10.0.0.5 client\n2001:db8::7 seven\n2001:db8::8 eight\n");
    let pairs = ["10.0.0.5 10.0.0.1:443/tcp", "2001:DB8::7 10.0.0.1:443/tcp", "2001:DB8::7 2001:DB8:0::8"];
    folder.write("conn.log", pairs.map(|pair| format!("{BASE} {pair}\n")).concat());
    let mut command = program(&folder);
    command.args(["top", "conn.log", "--until", "latest", "--live", "--hosts", "hosts"]);
    let mut pty = Pty::start(&command, 120, 30);
    pty.wait_for_text("web1:443/tcp");
    pty.send(b"\r\t");
    pty.wait_for_text("connect to web1:443/tcp (2)");
    pty.wait_for("both of them", |screen| screen.contains("client") && screen.contains("seven"));
    pty.send(b"/sev\r\r");
    pty.wait_for_text("seven connects to (2)");
    pty.wait_for("its peers, too", |screen| screen.contains("eight") && screen.contains("web1:443/tcp"));
    assert!(!pty.screen().contains("2001:"), "{}", pty.screen());
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
}

#[test]
fn the_terminal_is_given_back_after_signals_and_ctrl_c() {
    needs!("setsid");
    let folder = folder();
    for (way, code) in [("TERM", 0), ("HUP", 0), ("INT", 0), ("key", 0)] {
        // The run is still going on.
        let mut pty = live(&folder, &["--every", "100"], "reader=sleep(300)");
        pty.wait_for("the view", |screen| screen.starts_with(" LIVE "));
        match way {
            "key" => pty.send(b"\x03"),
            name => signal(&pty.child, name),
        }
        assert_eq!(pty.wait().code(), Some(code), "{way}: {}", pty.said_after());
        assert!(pty.is_restored(), "{way}");
        assert!(pty.said_after().contains("Balance sheet"), "{way}");
    }
}

#[test]
fn e2_a_second_signal_ends_the_process_at_once_and_the_terminal_is_given_back() {
    needs!("setsid");
    let folder = folder();
    for (name, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        // A look that takes long is waited for.
        let mut pty = live(&folder, &[], "live-look=sleep(8000)");
        pty.wait_for("the view", |screen| screen.starts_with(" LIVE "));
        // The view is there before the first look begins, of which nothing is seen.
        std::thread::sleep(Duration::from_millis(300));
        signal(&pty.child, name);
        pty.wait_for("the screen to be left", |screen| screen.trim().is_empty());
        assert!(pty.is_restored(), "{name}");
        let started = Instant::now();
        signal(&pty.child, name);
        assert_eq!(pty.wait().code(), Some(code));
        assert!(started.elapsed() < Duration::from_secs(2));
        assert!(pty.is_restored(), "{name}");
    }
}

#[test]
fn e2_a_terminal_that_takes_nothing_keeps_nobody_from_ending_the_process() {
    needs!("setsid");
    let folder = folder();
    let mut pty = live(&folder, &[], "");
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    // Each size is drawn whole, and nobody reads it.
    for columns in (100..200).cycle().take(400) {
        pty.resize(columns, 60);
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&pty.child, "TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(pty.child.try_wait().unwrap().is_none(), "it is not stuck");
    signal(&pty.child, "TERM");
    wait_for("the end of the process", || pty.child.try_wait().unwrap().is_some());
    assert_eq!(pty.wait().code(), Some(143));
    assert!(pty.has_its_modes());
}

#[test]
fn a_panic_of_the_view_or_of_a_worker_gives_the_terminal_back_before_its_message() {
    needs!("setsid");
    let folder = folder();
    for (faults, code, said) in [
        ("live-draw=1*off->panic", 101, "panicked at "),
        ("live-look=2*off->panic", 101, "panicked at "),
        (
            "reader=sleep(300);time-filter=panic",
            1,
            "logparser:\u{1b}[0m stage 'recent' panicked: failpoint time-filter panic",
        ),
    ] {
        let mut pty = live(&folder, &[], faults);
        assert_eq!(pty.wait().code(), Some(code), "{faults}: {}", pty.said_after());
        assert!(pty.is_restored(), "{faults}");
        assert!(pty.said_after().contains(said), "{faults}: {}", pty.said_after());
    }
}

#[test]
fn a_terminal_that_hangs_up_ends_the_run() {
    needs!("setsid");
    let folder = folder();
    for faults in ["", "reader=sleep(300)"] {
        let mut pty = live(&folder, &["--every", "100", "--output", "json:out.json"], faults);
        pty.wait_for("the view", |screen| screen.contains(" window ["));
        pty.hang_up();
        assert_eq!(pty.wait().code(), Some(0));
    }
    let mut command = program(&folder);
    command.args(["top", "conn.log", "--until", "latest", "--live"]);
    let mut pty = Pty::start_apart(&command, 100, 30);
    pty.wait_for("the view", |screen| screen.contains(" window ["));
    pty.hang_up();
    assert_eq!(pty.wait().code(), Some(0));
}

#[test]
fn the_view_follows_the_size_of_the_terminal() {
    needs!("setsid");
    let folder = folder();
    let mut pty = live(&folder, &[], "");
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    pty.resize(20, 5);
    pty.wait_for("a small screen", |screen| {
        screen.starts_with(" ENDED  window [2023\n") && screen.contains("\nserver")
    });
    for (columns, rows) in [(1, 1), (3, 2), (0, 0), (200, 60)] {
        pty.resize(columns, rows);
        pty.read(Duration::from_millis(200));
    }
    pty.wait_for("a large screen", |screen| screen.contains("Balance sheet") && screen.lines().count() == 60);
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.is_restored());
}

#[test]
fn a_frozen_picture_stands_still_while_the_run_goes_on() {
    needs!("setsid");
    let folder = folder();
    let mut pty = live(&folder, &["--every", "100"], "reader=2*sleep(400)->off");
    pty.wait_for("the view", |screen| screen.starts_with(" LIVE "));
    pty.send(b" ");
    pty.wait_for_text(" FROZEN ");
    pty.send(b"p");
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
}

#[test]
fn s1_hostile_names_reach_the_terminal_as_text() {
    needs!("setsid");
    let folder = Folder::new();
    let names: [&[u8]; 6] =
        [b"\x1b[2J", b"\x1b]52;c;aGk=\x07", b"\xff\x9b31m", "\u{9b}1m".as_bytes(), "\u{202e}x".as_bytes(), b"a\rb"];
    let lines = names.iter().flat_map(|name| [format!("{BASE} ").as_bytes(), name, b" dst\n"].concat());
    folder.write("conn.log", lines.collect::<Vec<u8>>());
    let mut command = program(&folder);
    command.args(["to", "dst", "conn.log", "--until", "latest", "--live"]);
    let mut pty = Pty::start(&command, 120, 30);
    pty.wait_for_text("List of connected hosts to dst (6)");
    for shown in ["\\x1b[2J ", "\\x1b]52;c;aGk=\\x07", "\\xff\\x9b31m", "\\xc2\\x9b1m", "\\xe2\\x80\\xaex", "a\\x0db"] {
        assert!(pty.screen().contains(shown), "{shown}: {}", pty.screen());
    }
    pty.send(b"\r");
    pty.wait_for_text("\\x1b[2J connects to (1)");
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.hostile().is_empty(), "{:?}", pty.hostile());
}

#[test]
fn a_log_may_be_piped_in_and_results_go_to_files_as_ever() {
    needs!("setsid");
    let folder = folder();
    let args = "run --every 100 --seconds 300 --threads 2 --set chunk=4KiB --output json";
    folder.write("pipeline.toml", "location = 'conn.log'\nreports = ['top-servers', 'top-pairs', 'new-pairs']\n");
    let plain = format!("{args} --set location=- --quiet");
    let plain = run_with_input(&folder, &plain.split(' ').collect::<Vec<_>>(), &log(1, 2_000, 1_000, 0, 20));
    let mut shell = Command::new("sh");
    let piped = format!("cat conn.log | \"$PROGRAM\" {args}:live.json --output csv --set location=- --live");
    shell.current_dir(folder.path()).env("PROGRAM", env!("CARGO_BIN_EXE_logparser"));
    shell.env("FAILPOINTS", "time-filter=sleep(40)").args(["-c", &piped]);
    let mut pty = Pty::start(&shell, 100, 30);
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.is_restored());
    // The last result on standard output is there after the view, with its header.
    let said = pty.said_after();
    assert_eq!(said.matches("window_start,window_end,report,").count(), 1, "{said}");
    assert!(std::fs::read_to_string(folder.at("live.json")).unwrap() == stdout(&plain), "the results differ");
}

#[test]
fn without_a_terminal_it_says_so() {
    needs!("setsid");
    let folder = folder();
    let output = run(&folder, &["top", "conn.log", "--live"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "logparser: --live needs a terminal; leave it out in a pipe\n");
    let mut command = program(&folder);
    command.args(["top", "-", "--live"]);
    let mut pty = Pty::start(&command, 100, 30);
    assert_eq!(pty.wait().code(), Some(2));
    assert!(pty.screen().contains("--live takes its keys from the terminal"), "{}", pty.screen());
    let mut command = program(&folder);
    command.args(["top", "conn.log", "--live"]).env("TERM", "dumb");
    let mut pty = Pty::start(&command, 180, 30);
    assert_eq!(pty.wait().code(), Some(2));
    assert!(pty.screen().contains("TERM is 'dumb'; leave --live out, or set TERM"), "{}", pty.screen());
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    needs!("setsid");
    let folder = folder();
    let script =
        "set -m; \"$PROGRAM\" top conn.log --until latest --live; echo at the shell; read line; fg; echo ended $?";
    let mut shell = Command::new("bash");
    shell.current_dir(folder.path()).env("PROGRAM", env!("CARGO_BIN_EXE_logparser")).args(["-c", script]);
    let mut pty = Pty::start(&shell, 100, 30);
    pty.wait_for("the view", |screen| screen.starts_with(" ENDED "));
    pty.send(b"\x1a");
    pty.wait_for_text("at the shell");
    assert!(pty.is_restored());
    pty.send(b"\n");
    pty.wait_for("the view again", |screen| screen.starts_with(" ENDED ") && screen.contains("Balance sheet"));
    assert!(!pty.has_its_modes());
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.is_restored());
    assert!(pty.said_after().contains("ended 0"), "{}", pty.said_after());
}

#[test]
fn without_a_shell_to_go_to_ctrl_z_does_nothing() {
    needs!("setsid");
    let folder = folder();
    ctrl_z_does_nothing(live(&folder, &[], ""));
}

fn ctrl_z_does_nothing(mut pty: Pty) {
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    pty.send(b"\x1a");
    pty.send(b"?");
    pty.wait_for_text("to the shell, and back with fg");
    pty.send(b"xq");
    assert_eq!(pty.wait().code(), Some(0));
}

/// There, the session and the group of whoever started all this have no numbers.
#[test]
fn in_a_container_ctrl_z_does_nothing_without_a_shell() {
    needs!("setsid");
    let in_container = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let can =
        Command::new("unshare").args(in_container).arg("true").output().is_ok_and(|output| output.status.success());
    if !can {
        return skip("unshare cannot make a container here");
    }
    let folder = folder();
    let mut container = Command::new("unshare");
    container.current_dir(folder.path()).args(in_container).args([
        "sh",
        "-c",
        "\"$0\" top conn.log --until latest --live; exit $?",
    ]);
    container.arg(env!("CARGO_BIN_EXE_logparser"));
    ctrl_z_does_nothing(Pty::start(&container, 120, 30));
}

#[test]
fn what_is_followed_is_seen_as_it_grows() {
    needs!("setsid");
    let folder = Folder::new();
    let log = folder.write("grow.log", "1001 a Delta\n");
    let mut command = program(&folder);
    command.args(["grow.log*", "sierra", "Delta", "--tail", "--live", "--since", "0", "--align", "epoch"]);
    command.args(["--lateness", "0", "--state", "none"]);
    let mut pty = Pty::start(&command, 100, 30);
    pty.wait_for("the first line", |screen| screen.contains("lines read                 1"));
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    std::io::Write::write_all(&mut file, b"1002 b Delta\n1003 c Delta\n").unwrap();
    pty.wait_for("what was added", |screen| screen.contains("lines read                 3"));
    folder.write("grow.log.2", "1004 d Delta\n");
    pty.wait_for("a file that is new", |screen| screen.contains("lines read                 4"));
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(0));
    assert!(pty.is_restored());
}

#[test]
fn what_went_wrong_is_said_after_the_view() {
    needs!("setsid");
    let folder = folder();
    std::os::unix::fs::symlink("nowhere", folder.at("sub.log")).unwrap();
    let mut command = program(&folder);
    command.args(["top", "*.log", "--until", "latest", "--live"]);
    let mut pty = Pty::start(&command, 100, 30);
    pty.wait_for("the end of the run", |screen| screen.starts_with(" ENDED "));
    assert!(!pty.screen().contains("cannot open"), "{}", pty.screen());
    pty.send(b"q");
    assert_eq!(pty.wait().code(), Some(1));
    assert!(pty.said_after().contains("sub.log: cannot open"), "{}", pty.said_after());
}
