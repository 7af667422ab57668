//! Followed logs of other programs: each file is told by how it begins, and a run that goes on knows
//! it without a look at that.
//!
//! Logs that are killed and rotated at random are in `tests/oracle/stops.py --lines zeek`, which the
//! last test runs.

use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, Follower, append, needs, program, root, run, stderr, stdout};

const HEADER: &str = "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n";
const OTHER: &str = "#separator \\x09\n#path\tconn\n#fields\tid.resp_h\tconn_state\tid.orig_h\tts\n";

fn shown(folder: &Folder) -> Value {
    let text = stdout(&run(folder, &["state", "show", "--state", "st", "--output", "json"]));
    serde_json::from_str::<Value>(&text).unwrap()["contents"].clone()
}

#[test]
fn each_file_is_told_by_itself_and_a_run_that_goes_on_needs_no_beginning() {
    let folder = Folder::new();
    let log = folder.at("conn.log");
    append(&log, format!("{HEADER}1001\ta\tb\tSF\n#comment\n1009\ta\tb\tSF\n1011\ta\tb\tSF\n"));
    let follower = Follower::start(&folder, &["*.log*", "--state", "st"]);
    assert_eq!(follower.next(), (1010, 0, false, 2));
    assert_eq!(follower.stop(), [(1020, 0, true, 1)]);
    let state = shown(&folder);
    assert_eq!((&state["balance"]["other"], &state["balance"]["malformed"]), (&Value::from(4), &Value::from(0)));
    // The file is renamed while nobody looks, and a new one has other columns.
    std::fs::rename(&log, folder.at("conn.log.1")).unwrap();
    append(&folder.at("conn.log.1"), "1012\ta\tb\tSF\n");
    append(&log, format!("{OTHER}b\tSF\ta\t1021\n"));
    folder.write("web.log", "10.0.0.5 - - [01/Jan/1970:00:17:03 +0000] \"GET /x HTTP/1.1\" 200 1 \"-\" \"-\"\n");
    folder.write("plain.log", "1023 a b\n");
    let follower = Follower::start(&folder, &["*.log*", "--state", "st"]);
    assert_eq!(follower.next(), (1020, 1, false, 2));
    assert_eq!(follower.stop(), [(1030, 0, true, 3)]);
    let state = shown(&folder);
    let numbers = ["lines_read", "counted", "other", "malformed"].map(|key| state["balance"][key].as_u64().unwrap());
    assert_eq!(numbers, [14, 7, 7, 0]);
}

#[test]
fn a_header_that_makes_no_record_ends_no_run_and_a_state_behind_it_is_gone_on_from() {
    let folder = Folder::new();
    let log = folder.at("conn.log");
    append(&log, format!("{HEADER}1001\ta\tb\tSF\n1009\ta\tb\tSF\n#fields\tts\tuid\n1010\tx\n"));
    let follower = Follower::start(&folder, &["conn.log", "--state", "st"]);
    follower.nothing_for(500);
    follower.kill();
    append(&log, format!("1010\ty\n{HEADER}1011\ta\tb\tSF\n"));
    let follower = Follower::start(&folder, &["conn.log", "--state", "st"]);
    assert_eq!(follower.next(), (1010, 0, false, 2));
    follower.stop();
    let balance = shown(&folder)["balance"].clone();
    assert_eq!((&balance["counted"], &balance["malformed"]), (&Value::from(3), &Value::from(2)));
}

#[test]
fn what_tells_nothing_yet_is_told_by_what_comes() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "not yet\n");
    let follower = Follower::start(&folder, &["*.log", "--state", "st"]);
    follower.nothing_for(700);
    follower.kill();
    let line = |at: u32| format!("{{\"ts\":{at},\"src_ip\":\"a\",\"dst_ip\":\"b\"}}\n");
    append(&log, (1001..1031).map(line).collect::<String>());
    let follower = Follower::start(&folder, &["*.log", "--state", "st"]);
    assert_eq!(follower.next(), (1010, 0, false, 9));
    assert_eq!(follower.next(), (1020, 0, false, 10));
    follower.stop();
    assert_eq!(shown(&folder)["balance"]["malformed"], Value::from(1));
}

#[test]
fn a_state_of_plain_is_gone_on_from_and_one_of_other_formats_is_not_read_as_plain() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n1011 a b\n");
    let follower = Follower::start(&folder, &["a.log", "--state", "st", "--format", "plain"]);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    follower.stop();
    append(&log, "1021 a b\n");
    let follower = Follower::start(&folder, &["a.log", "--state", "st"]);
    assert_eq!(follower.next(), (1020, 1, false, 1));
    follower.stop();
    let log = folder.at("b.log");
    append(&log, format!("{HEADER}1001\ta\tb\tSF\n1011\ta\tb\tSF\n"));
    let follower = Follower::start(&folder, &["b.log", "--state", "other"]);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    follower.stop();
    let asked = ["top", "b.log", "--follow", "--every", "10", "--seconds", "10", "--lateness", "0", "--state", "other"];
    let more = ["--since", "1970-01-01T00:00:00Z", "--format", "plain"];
    let output = run(&folder, &[&asked[..], &more].concat());
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let said = "files in it are read as zeek-conn, and --format plain is asked for";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
}

#[test]
fn logs_of_zeek_that_are_rotated_and_read_by_runs_that_are_killed_are_exact() {
    needs!("python3");
    let mut command = Command::new("python3");
    command.arg(root().join("tests/oracle/stops.py")).arg(program(&Folder::new()).get_program());
    let output = command.args(["--lines", "zeek", "--stops", "27", "--seed", "16"]).output().unwrap();
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}
