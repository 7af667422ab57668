//! Stamps: each tells its own unit, to the nanosecond, whatever stands before it; zeros at the
//! start of a file hold none.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use crate::support::{
    ALL_PAIRS, BASE, Folder, Random, SHAPES, pairs, piped, program, run, run_library, run_with_input, shaped, signal,
    stderr, stdout, wait_for,
};

/// A text with single spaces.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An instant as a log may write it, to whole microseconds.
fn written(random: &mut Random, micros: i64) -> String {
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    match random.below(6) {
        0 if rest == 0 => format!("{seconds}"),
        1 if rest == 0 => format!("00{seconds}"),
        2 if rest % 1_000 == 0 => format!("{}", micros / 1_000),
        3 => format!("{}000", micros),
        4 => format!("{micros}"),
        _ => format!("{seconds}.{rest:06}"),
    }
}

#[test]
fn mixtures_of_units_count_as_their_instants_do() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let (first, last) = ((BASE + 100) * 1_000_000, (BASE + 300) * 1_000_000 + 500_000);
        let (mut text, mut expected, mut outside) = (Vec::new(), BTreeMap::new(), 0u64);
        for _ in 0..1_500 {
            let grain = [1_000_000, 1_000, 1][random.below(3) as usize];
            let micros = (BASE * 1_000_000 + random.below(400_000_000) as i64) / grain * grain;
            let (from, to) = (format!("s{}", random.below(5)), format!("d{}", random.below(5)));
            writeln!(text, "{} {from} {to}", written(&mut random, micros)).unwrap();
            if (first..=last).contains(&micros) {
                *expected.entry((from, to)).or_insert(0u64) += 1;
            } else {
                outside += 1;
            }
        }
        let folder = Folder::new();
        folder.write("mixed.log", text);
        for shape in SHAPES {
            let builder = shaped(shape)
                .set("location", &folder.text("mixed.log"))
                .set("since", &format!("{}", BASE + 100))
                .set("until", &format!("{}.5", BASE + 300))
                .set("reports", ALL_PAIRS);
            let result: Value = serde_json::from_str(&run_library(builder, "json").0).unwrap();
            assert_eq!(pairs(&result), expected, "seed {seed} {shape:?}");
            assert_eq!(result["balance"]["out_of_window"], outside);
        }
    }
}

#[test]
fn a_followed_log_that_begins_with_stamp_0_gives_its_results() {
    let folder = Folder::new();
    folder.write("live.log", "0 a b\n1700000000000 a b\n1700000001 c b\n");
    let every = ["--every", "1m", "--seconds", "1m", "--lateness", "0", "--state", "none", "--max-jump", "0"];
    let mut child = piped(&folder, &[&["top", "live.log", "--follow", "--since", "1699999980"], &every[..]].concat());
    std::fs::OpenOptions::new()
        .append(true)
        .open(folder.at("live.log"))
        .unwrap()
        .write_all(b"1700000100 a b\n")
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    wait_for("the first result", || {
        use std::io::BufRead;
        out.read_line(&mut text).unwrap();
        text.contains("connections") && text.ends_with("2\n")
    });
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn zeros_at_the_start_are_passed_over_however_they_are_read() {
    let lines = b"1700000000 a b\n1700000060 c b\n1700000061 a b\n";
    for zeros in [1, 5, 4_096, 70_000, 600_000, 3 << 20] {
        let folder = Folder::new();
        let text = [&vec![0; zeros][..], lines].concat();
        folder.write("zeros.log", &text);
        folder.write("top.toml", "location = 'zeros.log'\n");
        let top = |more: &[&str]| run(&folder, &[&["top", "zeros.log", "--until", "1700000061"], more].concat());
        let whole = top(&[]);
        assert_eq!(stdout(&whole).lines().last().map(str::trim_end), Some("b                 3"), "{zeros}");
        let sheet = words(&stderr(&whole));
        assert!(sheet.contains(&format!("+ malformed 0 + blank 0 bytes read 45 + skipped {zeros}")), "{sheet}");
        // The same by pruning, by `latest`, by a pipe, from tallies, and following.
        let pruned = top(&["--prune-above", "0"]);
        assert_eq!((stdout(&pruned), stderr(&pruned)), (stdout(&whole), stderr(&whole)));
        let latest = run(&folder, &["top", "zeros.log", "--until", "latest"]);
        assert_eq!((stdout(&latest), stderr(&latest)), (stdout(&whole), stderr(&whole)));
        for until in ["1700000061", "latest"] {
            let pipe = run_with_input(&folder, &["top", "-", "--until", until], &text);
            assert_eq!((stdout(&pipe), stderr(&pipe)), (stdout(&whole), stderr(&whole)), "{zeros} {until}");
        }
        let parts = ["0..", "0..5", "5.."];
        for (at, range) in parts.iter().enumerate() {
            let output = format!("{at}.tally");
            let args = ["partial", "zeros.log", "--until", "1700000061", "--range", range, "--output", &output];
            assert_eq!(stderr(&run(&folder, &args)), "");
        }
        for files in [&["0.tally"][..], &["1.tally", "2.tally"]] {
            let report = run(&folder, &[&["report", "--config", "top.toml"], files].concat());
            assert_eq!(stderr(&report), stderr(&whole), "{zeros} {files:?}");
        }
        let mut command = program(&folder);
        command.args(["top", "zeros.log", "--follow", "--every", "1m", "--seconds", "1m", "--lateness", "0"]);
        command.args(["--since", "1699999980", "--state", "none", "--output", "json", "--idle", "1"]);
        let mut child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        std::io::BufRead::read_line(&mut out, &mut first).unwrap();
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let first: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(first["balance"]["bytes_skipped"], zeros, "{first}");
        assert_eq!(first["reports"][0]["rows"][0][1], 1, "{first}");
    }
}
