//! Periodic windows against an independent oracle: every window, every pair, whatever the order within the bound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use logparser::model::Timestamp;
use logparser::pipeline::Builder;

use crate::support::{ALL_PAIRS, BASE, Folder, Random, SHAPES, fields, log, oracle, pairs, run_library, shaped};

/// Length, period and anchor of windows, in seconds.
type Windows = (i64, i64, i64);

const TUMBLING: Windows = (600, 600, 0);
const SLIDING: Windows = (1_800, 600, 0);
const WITH_GAPS: Windows = (300, 900, 0);
const ODD: Windows = (700, 300, 123);

fn periodic(builder: Builder, folder: &Folder, (length, period, anchor): Windows) -> Builder {
    builder
        .set("location", &folder.text("*.log"))
        .set("seconds", &length.to_string())
        .set("every", &period.to_string())
        .set("align", &anchor.to_string())
        .set("reports", ALL_PAIRS)
        .clock(|| Timestamp::from_seconds(BASE + 1_000_000))
}

/// What a JSON run says, in the words of the oracle.
fn said(text: &str) -> (Vec<Vec<String>>, BTreeSet<Vec<String>>, u64) {
    let (mut windows, mut all, mut late) = (Vec::new(), BTreeSet::new(), 0);
    for line in text.lines() {
        let result: serde_json::Value = serde_json::from_str(line).unwrap();
        let (start, end) = (result["window"]["start_unix"].to_string(), result["window"]["end_unix"].to_string());
        assert_eq!(result["window"]["end_inclusive"], false);
        let pairs = pairs(&result);
        windows.push(vec![start, end.clone(), pairs.values().sum::<u64>().to_string()]);
        for ((from, to), count) in pairs {
            all.insert(vec![end.clone(), from, to, count.to_string()]);
        }
        late = result["balance"]["late"].as_u64().unwrap();
    }
    (windows, all, late)
}

fn check(name: &str, logs: &[Vec<u8>], lateness: i64, windows: Windows) {
    let folder = Folder::new();
    let files: Vec<PathBuf> =
        logs.iter().enumerate().map(|(at, log)| folder.write(&format!("{at}.log"), log)).collect();
    let (length, period, anchor) = windows;
    let variables =
        [("anchor", anchor), ("length_", length), ("period", period), ("lateness", lateness), ("future", BASE * 2)];
    let expected = oracle("periodic.awk", &variables, &files);
    let expected_late: u64 = fields(&expected, "late")[0][0].parse().unwrap();
    let mut outputs = BTreeMap::new();
    for shape in SHAPES {
        let builder = periodic(shaped(shape), &folder, windows).set("lateness", &lateness.to_string());
        let (text, summary) = run_library(builder, "json");
        assert_eq!(summary.exit_code(), 0, "{name} {shape:?}: {:?}", summary.error());
        assert_eq!(summary.sheets[0].balance.late, expected_late, "{name} {shape:?}: late");
        outputs.entry(text).or_insert_with(Vec::new).push(shape);
    }
    assert_eq!(outputs.len(), 1, "{name}: different shapes, different output: {:?}", outputs.values());
    let (said_windows, said_pairs, _) = said(outputs.keys().next().unwrap());
    assert_eq!(said_windows, fields(&expected, "window"), "{name}");
    assert_eq!(said_pairs, fields(&expected, "pair").into_iter().collect(), "{name}");
}

#[test]
fn windows_equal_an_independent_count_under_every_shape() {
    for (name, windows) in [("tumbling", TUMBLING), ("sliding", SLIDING), ("with gaps", WITH_GAPS), ("odd", ODD)] {
        check(&format!("{name}, one file"), &[log(1, 3_000, 7_200, 300, 20)], 300, windows);
    }
    let three: Vec<Vec<u8>> = (0..3).map(|seed| log(seed, 1_000, 5_000 + 900 * seed, 120, 20)).collect();
    check("three files of different ends", &three, 120, SLIDING);
    check("an empty file among others", &[Vec::new(), log(4, 500, 3_600, 60, 10)], 60, TUMBLING);
}

#[test]
fn records_later_than_declared_are_late_and_only_they() {
    let logs = [log(21, 2_000, 7_200, 300, 20), log(22, 2_000, 7_200, 200, 20)];
    for lateness in [0, 30, 150] {
        check(&format!("lateness {lateness}"), &logs, lateness, SLIDING);
    }
    let jump = format!("{BASE} a b\n{} a b\n{} c d\n{} a b\n", BASE + 5_000, BASE + 100, BASE + 4_900);
    check("a jump and a straggler", &[jump.into_bytes()], 300, TUMBLING);
}

#[test]
fn empty_windows_are_there_too() {
    let gap = format!("{BASE} a b\n{} c d\n", BASE + 6_000);
    check("a long silence", &[gap.into_bytes()], 60, TUMBLING);
}

#[test]
fn any_shuffle_within_the_declared_disorder_gives_the_same_bytes() {
    let text = String::from_utf8(log(31, 1_500, 7_200, 0, 15)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut answers = BTreeSet::new();
    for seed in 0..6 {
        // Sorting by stamp plus less than the bound keeps every line within it.
        let mut random = Random::new(seed);
        let mut keyed: Vec<(i64, &str)> = lines
            .iter()
            .map(|line| (line.split(' ').next().unwrap().parse::<i64>().unwrap() + random.below(300) as i64, *line))
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        let shuffled: String = keyed.iter().map(|(_, line)| format!("{line}\n")).collect();
        let folder = Folder::new();
        folder.write("0.log", shuffled);
        let (text, _) = run_library(periodic(shaped(SHAPES[10]), &folder, SLIDING).set("lateness", "300"), "csv");
        answers.insert(text);
    }
    assert_eq!(answers.len(), 1);
    assert!(answers.first().unwrap().lines().count() > 1_000);
}

#[test]
fn windows_start_where_they_are_told_to() {
    let folder = Folder::new();
    folder.write("0.log", format!("{} a b\n{} a b\n{} a b\n", BASE + 40, BASE + 7, BASE + 95));
    let starts = |align: &str, seconds: &str| -> Vec<i64> {
        let builder = periodic(shaped(SHAPES[0]), &folder, (60, 60, 0)).set("align", align).set("seconds", seconds);
        let text = run_library(builder, "json").0;
        let results = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        results.map(|result| result["window"]["start_unix"].as_i64().unwrap() - BASE).collect()
    };
    // BASE is 20 seconds after a whole minute.
    assert_eq!(starts("epoch", "60"), [-20, 40]);
    assert_eq!(starts("first", "60"), [7, 67]);
    assert_eq!(starts(&(BASE + 30).to_string(), "60"), [-30, 30, 90]);
    assert_eq!(starts("2023-11-14T22:13:50Z", "60"), [-30, 30, 90]);
    // A window of two minutes every minute: the first one starts at the first record.
    assert_eq!(starts("first", "120"), [7]);
}

#[test]
fn since_and_until_bound_the_history() {
    let folder = Folder::new();
    let lines: String = (0..100).map(|at| format!("{} a b\n", BASE + 10 * at)).collect();
    folder.write("0.log", lines);
    let builder = periodic(shaped(SHAPES[0]), &folder, (100, 100, BASE))
        .set("since", &(BASE + 150).to_string())
        .set("until", &(BASE + 400).to_string());
    let (text, summary) = run_library(builder, "json");
    let (windows, _, _) = said(&text);
    let counts: Vec<&str> = windows.iter().map(|window| window[2].as_str()).collect();
    assert_eq!(counts, ["5", "10", "10"]);
    assert_eq!((summary.sheets[0].balance.counted, summary.sheets[0].balance.out_of_window), (25, 75));
}

#[test]
fn c2_a_stamp_far_in_the_future_moves_nothing() {
    let folder = Folder::new();
    let text = format!("{BASE} a b\n253402300799 x y\n{} a b\n{} a b\n", BASE + 2, BASE + 700);
    folder.write("0.log", text);
    let (text, summary) = run_library(periodic(shaped(SHAPES[0]), &folder, TUMBLING), "json");
    assert_eq!(said(&text).0.len(), 2);
    let balance = &summary.sheets[0].balance;
    assert_eq!((balance.counted, balance.future, balance.late), (3, 1, 0));
}

#[test]
fn a_window_and_the_one_before_it_tell_new_pairs() {
    let folder = Folder::new();
    let at = |second: i64, pair: &str| format!("{} {pair}\n", BASE - BASE % 600 + second);
    let text: String = [at(0, "a b"), at(1, "c d"), at(600, "a b"), at(601, "e f"), at(1_200, "c d")].concat();
    folder.write("0.log", text);
    let builder = periodic(shaped(SHAPES[7]), &folder, TUMBLING).set("reports", r#"["new-pairs"]"#);
    let text = run_library(builder, "json").0;
    let new: Vec<Vec<String>> = text
        .lines()
        .map(|line| {
            let result: serde_json::Value = serde_json::from_str(line).unwrap();
            let rows = result["reports"][0]["rows"].as_array().unwrap().clone();
            rows.iter().map(|row| format!("{} {}", row[0].as_str().unwrap(), row[1].as_str().unwrap())).collect()
        })
        .collect();
    assert_eq!(new, [vec!["a b", "c d"], vec!["e f"], vec!["c d"]]);
}

#[test]
fn late_and_malformed_lines_are_kept_in_one_order_under_every_shape() {
    let mut kept = BTreeSet::new();
    for shape in SHAPES {
        let folder = Folder::new();
        for seed in 0..3 {
            let text = String::from_utf8(log(seed, 700, 7_200, 400, 10)).unwrap();
            folder.write(&format!("{seed}.log"), text.replace("5 src1 ", "5 "));
        }
        let builder = periodic(shaped(shape), &folder, TUMBLING)
            .set("lateness", "100")
            .set("rejects", &folder.text("rejects"))
            .set("late-file", &folder.text("late"));
        let (_, summary) = run_library(builder, "csv");
        let read = |name| std::fs::read_to_string(folder.at(name)).unwrap();
        let balance = &summary.sheets[0].balance;
        assert_eq!(read("late").lines().count() as u64, balance.late);
        assert_eq!(read("rejects").lines().count() as u64, balance.malformed_total());
        assert!(balance.late > 100 && balance.malformed_total() > 20);
        kept.insert((read("late"), read("rejects").replace(folder.path().to_str().unwrap(), "")));
    }
    assert_eq!(kept.len(), 1);
}

#[test]
fn the_sheet_of_a_window_is_that_of_the_lines_that_closed_it() {
    let folder = Folder::new();
    let text = format!("{BASE} a b\n\nbad\n{} a b\n{} a b\n{} a b\n", BASE + 10, BASE + 25, BASE + 41);
    folder.write("0.log", text);
    let builder = periodic(shaped(SHAPES[0]), &folder, (20, 20, BASE)).set("lateness", "0");
    let text = run_library(builder, "json").0;
    let sheets: Vec<(u64, u64, u64)> = text
        .lines()
        .map(|line| {
            let balance = serde_json::from_str::<serde_json::Value>(line).unwrap()["balance"].clone();
            let number = |key: &str| balance[key].as_u64().unwrap();
            (number("lines_read"), number("counted"), number("bytes_read"))
        })
        .collect();
    let line = 15;
    assert_eq!(sheets, [(5, 3, 3 * line + 5), (6, 4, 4 * line + 5), (6, 4, 4 * line + 5)]);
}
