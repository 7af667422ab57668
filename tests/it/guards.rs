//! What must not happen to people: a log overwritten, an interrupt ignored, a loss that nobody
//! tells.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BASE, Folder, log, piped, program, run, signal, stderr, stdout, wait_for};

#[test]
fn no_output_overwrites_a_log() {
    let folder = Folder::new();
    let text = format!("{BASE} a b\n");
    folder.write("0.log", &text);
    std::os::unix::fs::symlink("0.log", folder.at("link")).unwrap();
    for args in [
        vec!["top", "0.log", "--output", "json:0.log"],
        vec!["top", "0.log", "--output", "json:./link"],
        vec!["top", "link", "--rejects", "0.log"],
        vec!["top", "0.log", "--every", "60", "--late-file", "0.log"],
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("would be overwritten; write elsewhere"), "{args:?}: {}", stderr(&output));
        assert_eq!(std::fs::read_to_string(folder.at("0.log")).unwrap(), text, "{args:?}");
    }
    let by_stdin = ["-c", "exec \"$0\" top - --output json:0.log <0.log", env!("CARGO_BIN_EXE_logparser")];
    let output = Command::new("sh").current_dir(folder.path()).args(by_stdin).output().unwrap();
    assert!(stderr(&output).contains("read as standard input"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(folder.at("0.log")).unwrap(), text);
}

#[test]
fn no_two_outputs_meet_in_one_file() {
    let folder = Folder::new();
    folder.write("0.log", format!("{BASE} a b\n"));
    folder.write("one", "");
    std::os::unix::fs::symlink("one", folder.at("two")).unwrap();
    let output = run(&folder, &["top", "0.log", "--output", "json:one", "--output", "csv:two"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'two' is the same file as 'one'"), "{}", stderr(&output));
    let to_stdout = ["-c", "exec \"$0\" top 0.log --output json --output csv:/dev/stdout >one"];
    let output =
        Command::new("sh").current_dir(folder.path()).args(to_stdout).arg(env!("CARGO_BIN_EXE_logparser")).output();
    assert!(stderr(&output.unwrap()).contains("'/dev/stdout' is the same file as standard output"));
}

#[test]
fn a_bad_output_fails_before_the_first_byte_is_read() {
    let folder = Folder::new();
    for target in [["--output", "json:no/such/file"], ["--rejects", "no/such/file"]] {
        let args = [&["top", "--until", "latest"][..], &target].concat();
        // Nobody ever writes into this pipe.
        let mut child = program(&folder).args(args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for("the end", || child.try_wait().unwrap().is_some());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{target:?}");
        assert!(stderr(&output).contains("no/such/file: cannot open for writing"), "{}", stderr(&output));
    }
}

/// Runs `child` until it ends after one interrupt, which has to be soon.
fn interrupted(mut child: std::process::Child) -> std::process::Output {
    let started = Instant::now();
    signal(&child, "INT");
    wait_for("the end", || child.try_wait().unwrap().is_some());
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    child.wait_with_output().unwrap()
}

#[test]
fn e1_an_interrupt_while_the_latest_stamp_is_sought_reports_what_was_read() {
    use std::io::Write;
    let folder = Folder::new();
    let mut child = piped(&folder, &["top", "--until", "latest", "--output", "csv"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{BASE} a b\n{BASE} c d\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let output = interrupted(child);
    assert_eq!(stdout(&output), "server,connections\nb,1\nd,1\n", "{}", stderr(&output));
    drop(stdin);
}

#[test]
fn e1_an_interrupt_ends_windows_without_end_that_hold_nothing() {
    let folder = Folder::new();
    folder.write("0.log", format!("0 a b\n{BASE} c d\n"));
    let out = std::fs::File::create(folder.at("out")).unwrap();
    let args = ["top", "0.log", "--every", "1", "--seconds", "1", "--max-gap", "0", "--output", "csv"];
    let child = program(&folder).args(args).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let output = interrupted(child);
    let rows = std::fs::read_to_string(folder.at("out")).unwrap();
    assert_eq!(rows.lines().count(), 3, "{rows}\n{}", stderr(&output));
}

#[test]
fn a18_a_pipe_without_a_writer_can_be_interrupted() {
    let folder = Folder::new();
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    for until in ["now", "latest"] {
        let child = program(&folder)
            .args(["top", "pipe", "--until", until])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let output = interrupted(child);
        assert!(stdout(&output).starts_with("Nothing between "), "{until}: {}", stderr(&output));
    }
}

#[test]
fn a_pipe_by_its_name_is_read_to_its_end() {
    let folder = Folder::new();
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    let child = program(&folder)
        .args(["top", "pipe", "--until", "latest", "--output", "csv", "--quiet"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::fs::write(folder.at("pipe"), log(1, 5_000, 3_000, 0, 2)).unwrap();
    let output = child.wait_with_output().unwrap();
    let total: u64 =
        stdout(&output).lines().skip(1).map(|row| row.rsplit(',').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(total, 5_000);
}

#[test]
fn a_full_disk_under_a_spooled_pipe_is_an_error_and_not_a_loss() {
    let folder = Folder::new();
    folder.write("0.log", log(1, 100_000, 3_000, 0, 9));
    // Files of this process may not pass 512 KiB; the pipe gives two megabytes.
    let command = "trap '' XFSZ; ulimit -f 512; cat 0.log | \"$0\" top --until latest --output csv";
    let output = Command::new("bash")
        .current_dir(folder.path())
        .args(["-c", command, env!("CARGO_BIN_EXE_logparser")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).is_empty(), "{}", stdout(&output));
    assert!(stderr(&output).contains("<stdin>: cannot read on at byte"), "{}", stderr(&output));
}

#[test]
fn all_of_time_fits_one_window() {
    let folder = Folder::new();
    folder.write("0.log", format!("{BASE} a b\n"));
    for grouping in ["1", "1ns", "1200"] {
        let args = ["top", "0.log", "--since", "0", "--grouping-seconds", grouping, "--until", "latest", "--quiet"];
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(0), "{grouping}: {}", stderr(&output));
        assert!(stdout(&output).ends_with("b                 1\n"), "{grouping}: {}", stdout(&output));
    }
}

#[test]
fn every_wrong_command_line_is_one_line_with_the_remedy() {
    let folder = Folder::new();
    folder.write("0.log", format!("{BASE} a b\n"));
    for (args, said) in [
        (vec!["topp", "0.log"], "did you mean 'top'?"),
        (vec!["0.log", "a", "b", "--secnds", "5"], "'--seconds'"),
        (vec!["0.log", "a", "b", "--seconds", "-5"], "--seconds -5: expected a length of time above 0"),
        (vec!["0.log", "a", "b", "--tail", "--folder"], "cannot be used with"),
        (vec!["top", "0.log", "--threads", "0"], "--threads 0: expected a whole number from 1 to 256, not '0'"),
        (vec!["top", "0.log", "--color", "green"], "auto, always, never"),
        (vec!["top", "0.log", "--every", "60", "--since", "10", "--until", "5"], "give an earlier --since"),
        (vec!["make"], "<PATH>"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("logparser: ") && output.stdout.is_empty());
    }
}
