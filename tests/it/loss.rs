//! What is lost is told, whatever the output: a sweep over classes and outputs, and who is told how
//! often.

use serde_json::Value;

use std::process::Stdio;
use std::time::Duration;

use crate::support::{Folder, Running, program, run, run_with_input, signal, stderr, stdout, wait_for};

/// A way to lose something: the log, the arguments, the key of its number in JSON, how many, what
/// is said of them, and the exit code.
struct Case {
    log: String,
    args: &'static [&'static str],
    key: &'static str,
    count: u64,
    said: &'static str,
    code: i32,
}

fn cases() -> Vec<Case> {
    let line = |stamp: u32, from: &str| format!("{stamp} {from} b\n");
    let late: String = (0..50).map(|at| line(1_700_010_000 + at, "a") + &line(1_700_003_000 + at, "a")).collect();
    let crowd: String = (0..120_000).map(|at| line(1_700_000_000, &format!("a-host-with-a-long-name-{at}"))).collect();
    vec![
        Case {
            log: "1700000000 a b\nfoo bar baz\n1700000000 a\n".to_owned(),
            args: &["--until", "latest"],
            key: "malformed",
            count: 2,
            said: "2 malformed lines (1 bad timestamp, 1 too few fields); the first: a.log: byte 15: bad timestamp: foo bar \
                   baz; --rejects FILE keeps their lines",
            code: 0,
        },
        Case {
            log: late,
            args: &["--every", "1h", "--max-jump", "0"],
            key: "late",
            count: 50,
            said: "50 late records, further behind than the declared disorder; the first: a.log: byte 15: 1700003000 a b; \
                   --lateness 2h would keep all, --late-file FILE keeps their lines",
            code: 0,
        },
        Case {
            log: "1700000000 a b\n1800000000 a \x1b[2J\n".to_owned(),
            args: &["--until", "1700000000", "--now", "1700000000"],
            key: "future",
            count: 1,
            said: "1 line has a stamp too far beyond now; the first: a.log: byte 15: 1800000000 a \\x1b[2J; check the clock",
            code: 0,
        },
        Case {
            log: crowd,
            args: &["--until", "latest", "--max-memory", "37MiB", "--threads", "1"],
            key: "overflowed",
            count: 0,
            said: "counted without their pair, for want of memory; the first: a.log: byte ",
            code: 0,
        },
        Case {
            log: "\x1f\u{8b}this is not for us".to_owned(),
            args: &["read.log", "--until", "1700000000"],
            key: "bytes_unread",
            count: 20,
            said: "20 bytes were there and not read; the first: a.log: byte 0; mend what kept them",
            code: 1,
        },
    ]
}

/// Lines of stderr that tell a loss.
fn told(stderr: &str) -> Vec<&str> {
    stderr.lines().filter_map(|line| line.strip_prefix("logparser: warning: ")).collect()
}

#[test]
fn every_class_is_told_on_stderr_and_in_every_output_for_programs() {
    for case in cases() {
        let folder = Folder::new();
        let bytes: Vec<u8> = case.log.chars().map(|c| c as u8).collect();
        folder.write("a.log", bytes);
        folder.write("read.log", "1700000000 a b\n");
        for output in ["text", "json", "csv", "json:out.json", "text:out.txt"] {
            for (quiet, strict) in [("", ""), ("-q", "--strict"), ("-qq", ""), ("-qq", "--strict")] {
                let mut args = vec!["top", "a.log", "--limit", "1", "--output", output];
                args.extend(case.args);
                args.extend([quiet, strict].iter().filter(|word| !word.is_empty()));
                let found = run(&folder, &args);
                let (err, told_lines) = (stderr(&found), told(&stderr(&found)).join("\n"));
                let code = if strict.is_empty() || case.code > 0 { case.code } else { 6 };
                assert_eq!(found.status.code(), Some(code), "{args:?}: {err}");
                let said = told_lines.matches(case.said).count();
                assert_eq!(said, usize::from(quiet != "-qq"), "{args:?}: {err}");
                assert_eq!(told_lines.lines().count(), said, "{args:?}: {err}");
                if output.starts_with("json") {
                    let text = std::fs::read_to_string(folder.at("out.json")).unwrap_or_else(|_| stdout(&found));
                    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
                    let count = last["balance"][case.key].as_u64().unwrap();
                    assert!(count > 0 && (case.count == 0 || case.count == count), "{args:?}: {last}");
                    let _ = std::fs::remove_file(folder.at("out.json"));
                }
            }
        }
    }
}

#[test]
fn a_lateness_as_it_is_told_keeps_all() {
    let folder = Folder::new();
    folder.write("a.log", &cases()[1].log);
    let found = run(
        &folder,
        &["top", "a.log", "--every", "1h", "--max-jump", "0", "--lateness", "2h", "--strict", "--output", "csv"],
    );
    assert_eq!((found.status.code(), stderr(&found)), (Some(0), String::new()));
}

#[test]
fn a_run_that_closes_no_window_still_gives_its_sheet_as_json() {
    let folder = Folder::new();
    folder.write("a.log", "foo bar baz\n1700000000 a b\n");
    let found = run(&folder, &["top", "a.log", "--every", "1h", "--since", "1750000000", "--output", "json"]);
    let line: Value = serde_json::from_str(&stdout(&found)).unwrap();
    assert_eq!(
        (&line["window"], &line["reports"], &line["balance"]["malformed"]),
        (&Value::Null, &Value::from(Vec::<u8>::new()), &1.into())
    );
}

#[test]
fn the_last_line_of_json_has_what_is_lost_behind_the_last_window() {
    let folder = Folder::new();
    // The window closes when the stamps have passed it; what is wrong comes later.
    folder.write("a.log", "1700000000 a b\n1700090000 a b\nfoo bar baz\n1700000000 late b\n");
    let found = run(
        &folder,
        &["top", "a.log", "--every", "1h", "--until", "1700003600", "--max-jump", "0", "--output", "json"],
    );
    let text = stdout(&found);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["balance"]["malformed"], &last["balance"]["late"]), (&1.into(), &1.into()), "{text}");
    assert!(lines[..lines.len() - 1].iter().all(|line| line["window"].is_object()), "{text}");
}

#[test]
fn who_reads_the_first_results_only_is_told_of_nothing_unread() {
    let folder = Folder::new();
    let log: String = (0..200_000).map(|at| format!("{} a b\n", 1_700_000_000 + at)).collect();
    folder.write("a.log", log);
    folder.write(
        "p.toml",
        "location = 'a.log'\nevery = '60'\noutputs = ['json']\nreports = ['top-servers']\nchunk = '4KiB'\ncapacity = 1\n",
    );
    let script = format!(
        "'{}' run p.toml --strict | head -1 > /dev/null; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_logparser")
    );
    let found = std::process::Command::new("bash").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
    assert_eq!((stdout(&found).as_str(), stderr(&found)), ("0\n", String::new()));
}

#[test]
fn explain_refuses_what_a_run_refuses() {
    let folder = Folder::new();
    folder.write("a.log", "1700000000 a b\n");
    for (name, bytes) in
        [("a.gz", &b"\x1f\x8b\x08"[..]), ("a.zst", b"\x28\xb5\x2f\xfd"), ("a.xz", b"\xfd7zXZ\x00x"), ("a.bz2", b"BZh9")]
    {
        folder.write(name, bytes);
    }
    std::fs::create_dir(folder.at("empty")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.at("link.log")).unwrap();
    for location in ["a.gz", "a.zst", "a.xz", "a.bz2", "missing.log", "link.log", "empty", "*.nothing"] {
        for others in [&[][..], &["a.log"]] {
            let args = |command| [&[command, location][..], others, &["--until", "latest"]].concat();
            let (run_, explained) =
                (run(&folder, &[&args("top")[..], &["-qq"]].concat()), run(&folder, &args("explain")));
            assert_eq!(explained.status.code(), run_.status.code(), "{location} {others:?}: {}", stderr(&explained));
            assert_eq!(stderr(&explained), stderr(&run_), "{location} {others:?}");
            assert!(run_.status.code() != Some(0) && !stderr(&run_).is_empty(), "{location} {others:?}");
            assert!(!stdout(&explained).contains(location), "{}", stdout(&explained));
        }
    }
}

#[test]
fn an_empty_window_says_what_there_is_by_file_and_by_pipe_and_in_every_output() {
    let folder = Folder::new();
    // The lowest stamp is not first and the highest not last; what is no record says nothing.
    let log = "1700000005 a b\n1700000001 a b\n1800000000 a\n1700003600 a b\n1700003590 a b\nx\n";
    folder.write("a.log", log);
    folder.write("empty.log", "");
    let window = ["--until", "1700100000", "--seconds", "1h"];
    let said = "Nothing between 2023-11-16 01:00:00 and 2023-11-16 02:00:00 UTC; stamps run from 2023-11-14 22:13:21 to \
                2023-11-14 23:13:20; for their last hour: --until latest\n";
    for location in ["a.log", "-"] {
        let text = run_with_input(&folder, &[&["top", location][..], &window].concat(), log.as_bytes());
        assert_eq!((stdout(&text).as_str(), text.status.code()), (said, Some(0)), "{location}");
        for output in ["csv", "json"] {
            let args = [&["top", location, "--output", output][..], &window].concat();
            let found = run_with_input(&folder, &args, log.as_bytes());
            assert!(stderr(&found).contains(&format!("logparser: {said}")), "{location} {output}: {}", stderr(&found));
            let quiet = run_with_input(&folder, &[&args[..], &["-q"]].concat(), log.as_bytes());
            assert!(!stderr(&quiet).contains("Nothing between"), "{location} {output}: {}", stderr(&quiet));
        }
    }
    let empty = run(&folder, &[&["top", "empty.log"][..], &window].concat());
    let said = "Nothing between 2023-11-16 01:00:00 and 2023-11-16 02:00:00 UTC: the input is empty (0 bytes)\n";
    assert_eq!(stdout(&empty), said);
    assert_eq!(
        (empty.status.code(), run(&folder, &["top", "empty.log", "--strict"]).status.code()),
        (Some(0), Some(0))
    );
}

#[test]
fn a_range_of_windows_that_holds_nothing_says_so_in_every_output() {
    let folder = Folder::new();
    let log = "1700000000 a b\n1700000060 a b\n";
    folder.write("a.log", log);
    folder.write("empty.log", "");
    let (run_from, columns) =
        ("; stamps run from 2023-11-14 22:13:20 to 2023-11-14 22:14:20; ", "window_start,window_end,");
    for (location, range, said) in [
        (
            "a.log",
            &["--since", "2020-01-01", "--until", "2020-01-02"][..],
            "Nothing between 2020-01-01 00:00:00 and 2020-01-02 00:00:00 UTC",
        ),
        ("a.log", &["--since", "2024-01-01"], "Nothing from 2024-01-01 00:00:00 UTC on"),
        ("a.log", &["--until", "2020-01-02"], "Nothing before 2020-01-02 00:00:00 UTC"),
        ("-", &["--until", "2020-01-02"], "Nothing before 2020-01-02 00:00:00 UTC"),
        (
            "empty.log",
            &["--until", "2020-01-02"],
            "Nothing before 2020-01-02 00:00:00 UTC: the input is empty (0 bytes)\n",
        ),
        ("empty.log", &[], "Nothing in any window: the input is empty (0 bytes)\n"),
    ] {
        for (output, reports, on_stdout) in [
            ("text", &[][..], String::new()),
            ("csv", &[], format!("{columns}server,connections\n")),
            (
                "csv",
                &["-r", "new-pairs", "-r", "timeline", "-r", "matrix"],
                format!("{columns}report,from,to,connections,start\n"),
            ),
        ] {
            let args = [&["top", location, "--every", "1h", "--output", output][..], range, reports].concat();
            let found = run_with_input(&folder, &args, log.as_bytes());
            let err = stderr(&found);
            assert_eq!((stdout(&found), found.status.code()), (on_stdout, Some(0)), "{args:?}: {err}");
            assert_eq!(err.matches("Nothing").count(), 1, "{args:?}: {err}");
            let is_told =
                err.contains(&format!("logparser: {said}")) && (location == "empty.log" || err.contains(run_from));
            assert!(is_told, "{args:?}: {err}");
            let quiet = run_with_input(&folder, &[&args[..], &["-q"]].concat(), log.as_bytes());
            assert_eq!((stdout(&quiet), stderr(&quiet)), (stdout(&found), String::new()), "{args:?}");
        }
    }
    // Windows that came say for themselves what they hold.
    let some = run(&folder, &["top", "a.log", "--every", "1h", "--output", "csv"]);
    assert!(stdout(&some).starts_with(columns) && !stderr(&some).contains("Nothing"), "{}", stderr(&some));
}

#[test]
fn of_what_could_not_be_read_the_cause_is_told_and_no_more() {
    let folder = Folder::new();
    folder.write("a.gz", b"\x1f\x8b\x08\x00rest");
    folder.write("empty.log", "");
    std::os::unix::fs::symlink("nowhere", folder.at("link.log")).unwrap();
    let header = "server,connections\n";
    for (locations, lines) in [(&["a.gz"][..], 1), (&["a.gz", "empty.log"], 1), (&["a.gz", "link.log"], 2)] {
        for (more, on_stdout) in [(&[][..], ""), (&["-qq"], ""), (&["--csv"], header), (&["--every", "1h"], "")] {
            let found = run(&folder, &[&["top"][..], locations, more].concat());
            let (out, err) = (stdout(&found), stderr(&found));
            assert_eq!(
                (out.as_str(), err.lines().count(), found.status.code()),
                (on_stdout, lines, Some(1)),
                "{more:?}: {err}"
            );
            assert!(err.contains(locations[0]), "{err}");
        }
    }
    // Beside what was read, the sheet says how much was not.
    folder.write("old.log", "5 a b\n");
    let err = stderr(&run(&folder, &["top", "a.gz", "old.log"]));
    assert!(err.contains("Balance sheet") && err.contains("8 bytes were there and not read"), "{err}");
}

#[test]
fn of_large_inputs_the_stamps_are_told_as_far_as_was_looked() {
    let folder = Folder::new();
    let log: String = (0..3_000_000).map(|at| format!("{} host-a host-b\n", 1_700_000_000 + at / 100)).collect();
    assert!(log.len() > 64 << 20);
    folder.write("a.log", &log);
    let said = "; stamps run from 2023-11-14 22:13:20 to 2023-11-15 06:33:19, as far as was looked; ";
    for (location, scan) in [("a.log", "auto"), ("a.log", "full"), ("-", "auto")] {
        let args = ["top", location, "--until", "1700100000", "--scan", scan];
        let found = run_with_input(&folder, &args, log.as_bytes());
        assert!(stdout(&found).contains(said), "{location} {scan}: {}", stdout(&found));
    }
}

#[test]
fn where_no_line_is_a_record_the_exit_code_is_1_and_one_sentence_says_what_they_look_like() {
    let folder = Folder::new();
    let cases: [(&[u8], &str); 5] = [
        (b"{\"ts\":1,\"src\":\"a\"}\n{\"ts\":2,\"src\":\"b\"}\n", "none of 2 lines is a record: they look like JSON; "),
        (b"\nx y z\n", "the one line is no record: it looks like nothing that is known here; "),
        (
            b"1700000000 a b 80\n",
            "it looks like lines with more fields than the three of '<Unix time> <from> <to>'; take ",
        ),
        (
            b"#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\n",
            "they look like a log of Zeek; say --format zeek-conn, or take three columns of it: awk ",
        ),
        (b"\xff\xfe1\x007\x00 \x00a\x00\n\x001\x007\x00 \x00a\x00", "they look like UTF-16 text; convert it: iconv "),
    ];
    for (log, said) in cases {
        folder.write("a.log", log);
        for location in ["a.log", "-"] {
            for more in [&[][..], &["--output", "json"], &["--output", "csv", "-qq"], &["--every", "1h", "-q"]] {
                let args = [&["top", location, "--until", "1700000001", "--format", "plain"][..], more].concat();
                let found = run_with_input(&folder, &args, log);
                assert_eq!(found.status.code(), Some(1), "{args:?}: {}", stderr(&found));
                assert_eq!(stderr(&found).matches(said).count(), 1, "{args:?}: {}", stderr(&found));
            }
        }
    }
    // One record among them, or none but blank lines, is another thing.
    for log in [&b"x\n1700000000 a b\n"[..], b"\n \n", b""] {
        folder.write("a.log", log);
        assert_eq!(run(&folder, &["top", "a.log", "--until", "1700000000"]).status.code(), Some(0));
    }
}

#[test]
fn what_was_told_while_a_run_went_on_is_told_in_all_at_its_end() {
    let folder = Folder::new();
    folder.write("a.log", "oh no\n1700000000 a b\n");
    let said = || std::fs::read_to_string(folder.at("said")).unwrap_or_default();
    let args = ["top", "a.log", "--follow", "--every", "1h", "--since", "2023-11-14", "--state", "none", "-q"];
    let stderr = std::fs::File::create(folder.at("said")).unwrap();
    let mut running = Running(program(&folder).args(args).stdout(Stdio::null()).stderr(stderr).spawn().unwrap());
    wait_for("the first to be told", || said().contains("warning: 1 malformed line"));
    let mut log = std::fs::File::options().append(true).open(folder.at("a.log")).unwrap();
    std::io::Write::write_all(&mut log, b"oh dear\n").unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    signal(&running.0, "TERM");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    let last = said();
    assert!(last.lines().last().is_some_and(|line| line.contains("warning: in all: 2 malformed lines (")), "{last}");
}
