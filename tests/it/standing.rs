//! A run that follows and has no result of what was there says once what it has read, why that is
//! no result, and what brings one; and that does.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::{Folder, program, signal, wait_for};

/// A run with its outputs in files.
struct Follower {
    folder: Folder,
    child: Child,
}

impl Follower {
    /// Follows `location` beside the log `a.log`.
    fn start(log: &str, location: &str, more: &[&str]) -> Self {
        let folder = Folder::new();
        folder.write("a.log", log);
        let mut command = program(&folder);
        command.args(["top", location, "--follow", "--every", "1m", "--seconds", "1m", "-o", "csv"]).args(more);
        // Standard input cannot be read again, and has no state.
        command.args(["--state", "none"].iter().filter(|_| location != "-"));
        let to = |name: &str| Stdio::from(File::create(folder.at(name)).unwrap());
        let child = command.stdin(Stdio::piped()).stdout(to("out")).stderr(to("err")).spawn().unwrap();
        Follower { folder, child }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.at(name)).unwrap()
    }

    fn wait_for(&self, name: &str, text: &str) {
        wait_for(text, || self.text(name).contains(text));
    }

    fn append(&self, lines: &str) {
        OpenOptions::new().append(true).open(self.folder.at("a.log")).unwrap().write_all(lines.as_bytes()).unwrap();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const OLD: &str = "1700000000 a b\n1700000001 a c\n";

#[test]
fn what_was_read_and_why_it_is_no_result_is_said_once() {
    let vpc = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 443 49152 6 10 840 1700000000 1700000060 ACCEPT OK\n";
    let come =
        "2 lines of 1 input read; no result yet: stamps have come to 2023-11-14T22:13:21Z, and windows begin at ";
    let counted = "2 lines of 1 input read; no result yet: 2 counted, and stamps have come to 2023-11-14T22:13:21Z; the \
                   window to 2023-11-14T22:14:00Z closes once each input has 8 stamps from 2023-11-14T22:19:00Z on (";
    let since = |args: &[&'static str]| [&["--since", "2020-01-01"][..], args].concat();
    let runs = [
        (Follower::start(OLD, "a.log", &[]), format!("{come}20")),
        (Follower::start(OLD, "a.log", &["--since", "2024-01-01"]), format!("{come}2024-01-01T00:00:00Z (--since")),
        (Follower::start(OLD, "a.log", &since(&[])), counted.to_owned()),
        (Follower::start(OLD, "*.log", &since(&["--threads", "4"])), counted.to_owned()),
        (
            Follower::start("", "a.log", &[]),
            "0 lines of 1 input read; no result yet: there is nothing to read; ".into(),
        ),
        (
            Follower::start(vpc, "a.log", &["--format", "plain"]),
            "the one line is no record: it looks like a VPC flow log; say --format vpc-flow, or take ".into(),
        ),
    ];
    let mut stream = Follower::start("", "-", &since(&[]));
    stream.child.stdin.as_mut().unwrap().write_all(OLD.as_bytes()).unwrap();
    let quiet = Follower::start(OLD, "a.log", &["-q"]);
    let all = || runs.iter().map(|(run, said)| (run, said.as_str())).chain([(&stream, counted)]);
    for (run, said) in all() {
        run.wait_for("err", said);
    }
    std::thread::sleep(Duration::from_millis(2_500));
    for (run, said) in all() {
        assert_eq!((run.text("err").matches(said).count(), run.text("out").as_str()), (1, ""), "{}", run.text("err"));
    }
    assert_eq!(quiet.text("err"), "");
}

#[test]
fn what_is_said_to_bring_a_result_does() {
    let since = ["--since", "2020-01-01", "--idle", "4s"];
    // Stamps that have come far enough, too few of them to be believed before there is silence.
    let few = Follower::start("1700000000 a b\n1700000400 a c\n", "a.log", &since);
    let (one, eight) = (Follower::start(OLD, "a.log", &since), Follower::start(OLD, "a.log", &since));
    let enough = Follower::start(&"1700000000 a b\n1700000400 a c\n".repeat(8), "a.log", &since);
    let past = "8 stamps from 2023-11-14T22:19:00Z on (--lateness 300s), or ";
    few.wait_for("err", &format!("{past}is silent for 4s (--idle)"));
    for run in [&one, &eight] {
        run.wait_for("err", &format!("{past}one and is silent for 4s (--idle)"));
    }
    one.append("1700000340 a b\n");
    eight.append(&"1700000340 a b\n".repeat(8));
    for run in [&few, &one, &eight, &enough] {
        run.wait_for("out", "2023-11-14T22:13:00Z,2023-11-14T22:14:00Z,0,false,b,");
    }
    assert!(!enough.text("err").contains("no result"), "{}", enough.text("err"));
}

#[test]
fn at_the_end_a_log_of_no_records_is_exit_code_1_and_csv_has_its_header_where_no_result_came() {
    let json = "{\"ts\":1700000000,\"from\":\"a\",\"to\":\"b\"}\n".repeat(9);
    let header = "window_start,window_end,revision,provisional,server,connections\n";
    for (log, first, code) in [(json.as_str(), "none of 9 lines is a record", 1), (OLD, "no result yet", 0)] {
        let mut run = Follower::start(log, "a.log", &["--format", "plain"]);
        run.wait_for("err", first);
        signal(&run.child, "INT");
        let ended = run.child.wait().unwrap();
        let (out, err) = (run.text("out"), run.text("err"));
        assert_eq!((ended.code(), out.as_str()), (Some(code), header), "{err}");
        assert_eq!(err.matches(first).count(), 1, "{err}");
    }
}
