//! The same answer whatever way the bytes come: by file, by pipe, in chunks of any size, looked at
//! before or not.

use std::collections::BTreeSet;
use std::fs::File;

use logparser::Timestamp;

use crate::support::{BASE, Folder, SHAPES, log, program, run, run_library, run_with_input, shaped, stderr, stdout};

/// The JSON that a configuration gives under every shape, which has to be one.
fn under_every_shape(folder: &Folder, text: &str) -> serde_json::Value {
    let mut answers = BTreeSet::new();
    for shape in SHAPES.into_iter().chain([("1", "1", "16", "true")]) {
        let builder = shaped(shape).config_text("test", text).set("location", &folder.text("0.log"));
        let builder = builder.clock(|| Timestamp::from_seconds(BASE + 1_000_000));
        let (text, summary) = run_library(builder, "json");
        assert_eq!(summary.exit_code(), 0, "{:?}", summary.error());
        answers.insert(text);
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let lines: Vec<&str> = answers.first().unwrap().lines().collect();
    serde_json::from_str(&format!("[{}]", lines.join(","))).unwrap()
}

#[test]
fn the_unit_is_told_by_the_first_stamp_wherever_chunks_are_cut() {
    let folder = Folder::new();
    for (text, counted, malformed) in [
        // The first line has a stamp and is malformed.
        ("1700000000000 a\n1700000000000 a b\n", 1, 1),
        ("1700000000000 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n1700000000000 a b\n1700000000001 c d\n", 2, 1),
        // A byte order mark belongs to no stamp.
        ("\u{feff}1700000000000 a b\n1700000000000 a b\n", 2, 0),
        // An over-long line says nothing.
        ("17 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b\n1700000000000 a b\n", 1, 1),
    ] {
        folder.write("0.log", text);
        let results = under_every_shape(&folder, "until = 1700000100\nmax-line = 50");
        let balance = &results[0]["balance"];
        assert_eq!((&balance["counted"], &balance["malformed"]), (&counted.into(), &malformed.into()), "{text}");
    }
}

#[test]
fn a_last_line_without_a_newline_is_told_whatever_its_length_and_the_chunks() {
    let folder = Folder::new();
    for length in [1, 38, 39, 100, 10_000] {
        for (end, unterminated) in [("", 1), ("\n", 0)] {
            folder.write("0.log", format!("{BASE} a b\n{BASE} {}{end}", "x".repeat(length)));
            let results = under_every_shape(&folder, "until = 'latest'\nmax-line = 50");
            assert_eq!(results[0]["balance"]["unterminated"].as_u64().unwrap_or(0), unterminated, "{length} {end:?}");
        }
    }
}

#[test]
fn the_latest_and_the_first_stamp_are_those_of_lines_that_count() {
    let folder = Folder::new();
    let long = "x".repeat(60);
    // The highest stamp stands behind a byte order mark, and a higher one in a line that is too
    // long.
    folder.write("0.log", format!("\u{feff}{} a b\n{BASE} c d\n{} {long} b\n", BASE + 9_000, BASE + 90_000));
    let results = under_every_shape(&folder, "until = 'latest'\nmax-line = 50");
    assert_eq!(results[0]["window"]["end_unix"], BASE + 9_000);
    assert_eq!(results[0]["balance"]["counted"], 1);
    folder.write("0.log", format!("\u{feff}{} a b\n{} c d\n", BASE + 3, BASE + 10));
    let results = under_every_shape(&folder, "every = 60\nseconds = 60\nalign = 'first'");
    assert_eq!(results[0]["window"]["start_unix"], BASE + 3);
    assert_eq!(results[0]["balance"]["counted"], 2);
}

#[test]
fn c2_stamps_between_now_and_a_window_in_the_future_are_in_the_future() {
    let folder = Folder::new();
    let (past, future) = (BASE, BASE + 100_000_000);
    // Runs of either kind, so that what a line is cannot hang on the line or the chunk before it.
    let text: String = [past, past, future, future, past, future].map(|stamp| format!("{stamp} a b\n")).concat();
    folder.write("0.log", text);
    let results = under_every_shape(&folder, "since = 1900000000\nuntil = 1950000000");
    let balance = &results[0]["balance"];
    assert_eq!((&balance["future"], &balance["out_of_window"]), (&3.into(), &3.into()));
}

#[test]
fn late_records_between_windows_do_not_reach_the_comparison() {
    let folder = Folder::new();
    folder.write("0.log", "65 a b\n70 x y\n55 a b\n200 z z\n");
    let text = "every = 60\nseconds = 10\nlateness = 0\nmax-jump = 0\nunit = 's'\nreports = ['new-pairs']";
    let results = under_every_shape(&folder, text);
    assert_eq!(results[0]["reports"][0]["rows"][0][0], "a");
    folder.write("0.log", "61 a b\n200 x y\n55 a b\n201 x y\n");
    under_every_shape(&folder, text);
}

#[test]
fn windows_far_from_their_anchor_are_in_their_place() {
    let folder = Folder::new();
    folder.write("0.log", "-3000000000 a b\n-2999900000 a c\n");
    let results = under_every_shape(&folder, "every = '1d'\nseconds = '1d'\nalign = 9000000000\nunit = 's'");
    let starts: Vec<i64> =
        results.as_array().unwrap().iter().map(|result| result["window"]["start_unix"].as_i64().unwrap()).collect();
    // The anchor is 57,600 seconds after a midnight, and so is each start.
    assert_eq!(starts, [-3_000_009_600, -2_999_923_200]);
    assert!(starts.iter().all(|start| start.rem_euclid(86_400) == 57_600));
    let rows = |at: usize| &results[at]["reports"][0]["rows"];
    assert_eq!((rows(0), rows(1)), (&serde_json::json!([["b", 1]]), &serde_json::json!([["c", 1]])));
}

#[test]
fn a_pipe_gives_what_the_file_gives_whether_it_is_looked_at_before_or_not() {
    let folder = Folder::new();
    let text = log(3, 3_000, 7_200, 200, 20);
    folder.write("0.log", &text);
    for how in [
        "every = 600\nseconds = 600",
        "every = 600\nseconds = 600\nalign = 'first'",
        "until = 'latest'",
        "until = 1700007000",
    ] {
        let by_file = under_every_shape(&folder, how);
        folder.write("stdin.toml", format!("{how}\nlocation = '-'\noutputs = ['json']\n"));
        for chunk in ["16", "1000", "1MiB"] {
            let set = format!("chunk={chunk}");
            let output = run_with_input(&folder, &["run", "stdin.toml", "--quiet", "--set", &set], &text);
            let said = stdout(&output);
            let results: Vec<serde_json::Value> =
                said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let file = by_file.as_array().unwrap();
            assert_eq!(results.len(), file.len(), "{how} {set}");
            for (by_pipe, by_file) in results.iter().zip(file) {
                // A file's size is known before it is read, a pipe's only as it comes.
                let mut by_file = by_file.clone();
                by_file["balance"]["bytes_total"] = by_file["balance"]["bytes_read"].clone();
                assert_eq!(*by_pipe, by_file, "{how} {set}");
            }
        }
    }
}

/// Two filters that both have to look at standard input before the run.
const TWO_LOOKS: &str = "
    stages.r = { type = 'reader', location = 'LOCATION' }
    stages.l = { type = 'line-splitter', inputs = ['r'] }
    stages.f = { type = 'time-filter', inputs = ['l'], every = 600, seconds = 600, align = 'first' }
    stages.g = { type = 'time-filter', inputs = ['l'], until = 'latest', seconds = 7200 }
    stages.h = { type = 'time-filter', inputs = ['l'], every = 600, seconds = 600, align = 'first', lateness = 0 }
    stages.a = { type = 'bucket-aggregator', inputs = ['f'] }
    stages.b = { type = 'bucket-aggregator', inputs = ['g'] }
    stages.c = { type = 'bucket-aggregator', inputs = ['h'] }
    stages.o = { type = 'reporter', inputs = ['a'], outputs = ['json:every.json'] }
    stages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv'] }
    stages.q = { type = 'reporter', inputs = ['c'], outputs = ['json:strict.json'] }
";

#[test]
fn several_looks_at_a_pipe_lose_nothing() {
    let folder = Folder::new();
    // Long enough that the first look ends long before the pipe does.
    let text = log(4, 60_000, 7_000, 100, 20);
    folder.write("0.log", &text);
    folder.write("file.toml", TWO_LOOKS.replace("LOCATION", "0.log"));
    folder.write("pipe.toml", TWO_LOOKS.replace("LOCATION", "-"));
    let by_file = run(&folder, &["run", "file.toml", "--quiet"]);
    assert_eq!(by_file.status.code(), Some(0), "{}", stderr(&by_file));
    assert!(stdout(&by_file).lines().count() > 5);
    let by_pipe = run_with_input(&folder, &["run", "pipe.toml", "--quiet"], &text);
    assert_eq!((stdout(&by_pipe), stderr(&by_pipe)), (stdout(&by_file), stderr(&by_file).replace("0.log", "<stdin>")));
}

#[test]
fn a16_a_file_on_standard_input_and_by_its_name_counts_once() {
    let folder = Folder::new();
    folder.write("0.log", format!("{BASE} a b\n"));
    for locations in [["-", "0.log"], ["0.log", "-"], ["-", "/dev/stdin"]] {
        let args = [&["top", "--until", "latest", "--output", "csv", "--quiet"][..], &locations].concat();
        let output = program(&folder).args(args).stdin(File::open(folder.at("0.log")).unwrap()).output().unwrap();
        assert_eq!(stdout(&output), "server,connections\nb,1\n", "{locations:?}: {}", stderr(&output));
    }
}

#[test]
fn an_over_long_line_is_rejected_with_the_same_bytes_in_every_chunk() {
    let mut kept = BTreeSet::new();
    for shape in SHAPES {
        let folder = Folder::new();
        folder.write("0.log", format!("{BASE} a b\n{BASE} {} b\n{BASE} c d\n", "y".repeat(1_000)));
        let builder = shaped(shape)
            .set("location", &folder.text("0.log"))
            .set("until", "latest")
            .set("max-line", "100")
            .set("rejects", &folder.text("rejects"));
        assert_eq!(run_library(builder, "csv").1.sheets[0].balance.malformed_total(), 1);
        let text = std::fs::read_to_string(folder.at("rejects")).unwrap();
        kept.insert(text.replace(folder.path().to_str().unwrap(), ""));
    }
    assert_eq!(kept.len(), 1, "{kept:#?}");
    assert!(kept.first().unwrap().starts_with("/0.log:15\tline too long\t1700000000 yyy"));
}
