//! Periodic windows against an independent oracle: every window, every pair, whatever the order
//! within the bound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use logparser::Builder;
use logparser::Timestamp;

use crate::support::{
    ALL_PAIRS, BASE, Folder, Random, SHAPES, Shape, fields, log, oracle, pairs, python, run_library, shaped,
};

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
        if result["window"].is_null() {
            // What was lost behind the last window.
            continue;
        }
        late = result["balance"]["late"].as_u64().unwrap();
        if let Some(gap) = result["window"]["empty_windows"].as_u64() {
            assert_eq!(result["reports"], serde_json::json!([]));
            let window = &result["window"];
            windows.push(vec![
                window["start_unix"].to_string(),
                window["end_unix"].to_string(),
                "0".to_owned(),
                gap.to_string(),
            ]);
            continue;
        }
        let (start, end) = (result["window"]["start_unix"].to_string(), result["window"]["end_unix"].to_string());
        assert_eq!(result["window"]["end_inclusive"], false);
        let pairs = pairs(&result);
        windows.push(vec![start, end.clone(), pairs.values().sum::<u64>().to_string()]);
        for ((from, to), count) in pairs {
            all.insert(vec![end.clone(), from, to, count.to_string()]);
        }
    }
    (windows, all, late)
}

/// What decides which lines are late, and which windows have a result in common.
#[derive(Debug, Clone, Copy)]
struct Rules {
    lateness: i64,
    max_jump: i64,
    max_gap: i64,
}

/// As rules are where nothing else is asked for.
fn lateness(lateness: i64) -> Rules {
    Rules { lateness, max_jump: 3_600, max_gap: 1_000 }
}

fn check(name: &str, logs: &[Vec<u8>], rules: Rules, windows: Windows) {
    check_in(name, logs, rules, windows, &SHAPES);
}

/// Runs logs under these shapes, and holds the results against those of the oracle. How many
/// results there are.
fn check_in(name: &str, logs: &[Vec<u8>], rules: Rules, windows: Windows, shapes: &[Shape<'_>]) -> usize {
    let Rules { lateness, max_jump, max_gap } = rules;
    let folder = Folder::new();
    let files: Vec<PathBuf> =
        logs.iter().enumerate().map(|(at, log)| folder.write(&format!("{at}.log"), log)).collect();
    let (length, period, anchor) = windows;
    let variables = [
        ("anchor", anchor),
        ("length_", length),
        ("period", period),
        ("lateness", lateness),
        ("future", BASE * 2),
        ("max_jump", if max_jump == 0 { 0 } else { max_jump.max(lateness) }),
        ("max_gap", max_gap),
    ];
    let expected = oracle("periodic.awk", &variables, &files);
    let expected_late: u64 = fields(&expected, "late")[0][0].parse().unwrap();
    let mut outputs = BTreeMap::new();
    for &shape in shapes {
        let builder = periodic(shaped(shape), &folder, windows)
            .clock(|| Timestamp::from_seconds(BASE * 2 - 3_600))
            .set("lateness", &lateness.to_string())
            .set("max-jump", &max_jump.to_string())
            .set("max-gap", &max_gap.to_string());
        let (text, summary) = run_library(builder, "json");
        assert_eq!(summary.exit_code(), 0, "{name} {shape:?}: {:?}", summary.error());
        assert_eq!(summary.sheets[0].balance.late, expected_late, "{name} {shape:?}: late");
        outputs.entry(text).or_insert_with(Vec::new).push(shape);
    }
    assert_eq!(outputs.len(), 1, "{name}: different shapes, different output: {:?}", outputs.values());
    let (said_windows, said_pairs, _) = said(outputs.keys().next().unwrap());
    assert_eq!(said_windows, fields(&expected, "window"), "{name}");
    assert_eq!(said_pairs, fields(&expected, "pair").into_iter().collect(), "{name}");
    said_windows.len()
}

#[test]
fn windows_equal_an_independent_count_under_every_shape() {
    for (name, windows) in [("tumbling", TUMBLING), ("sliding", SLIDING), ("with gaps", WITH_GAPS), ("odd", ODD)] {
        check(&format!("{name}, one file"), &[log(1, 3_000, 7_200, 300, 20)], lateness(300), windows);
    }
    let three: Vec<Vec<u8>> = (0..3).map(|seed| log(seed, 1_000, 5_000 + 900 * seed, 120, 20)).collect();
    check("three files of different ends", &three, lateness(120), SLIDING);
    check("an empty file among others", &[Vec::new(), log(4, 500, 3_600, 60, 10)], lateness(60), TUMBLING);
}

#[test]
fn records_later_than_declared_are_late_and_only_they() {
    let logs = [log(21, 2_000, 7_200, 300, 20), log(22, 2_000, 7_200, 200, 20)];
    for bound in [0, 30, 150] {
        check(&format!("lateness {bound}"), &logs, lateness(bound), SLIDING);
    }
    let jump = format!("{BASE} a b\n{} a b\n{} c d\n{} a b\n", BASE + 5_000, BASE + 100, BASE + 4_900);
    check("a jump and a straggler", &[jump.into_bytes()], Rules { max_jump: 0, ..lateness(300) }, TUMBLING);
}

#[test]
fn empty_windows_are_there_too() {
    let gap = format!("{BASE} a b\n{} c d\n", BASE + 6_000);
    check("a long silence", &[gap.into_bytes()], lateness(60), TUMBLING);
}

/// A log with jumps ahead, of one line or of many, and back; within a cluster, lines are up to 300
/// s out of order.
fn jumping(random: &mut Random, lines: u64) -> Vec<u8> {
    let (mut text, mut base, mut fast, mut ahead) = (String::new(), BASE, 0, 0);
    for _ in 0..lines {
        base += random.below(60) as i64;
        match random.below(60) {
            // A handful that runs ahead, sometimes too many for a handful; a clock that was not
            // set; a silence.
            0 => (fast, ahead) = (1 + random.below(10), 600 * (1 + random.below(400) as i64)),
            1 => text += &format!("{} early b\n", random.below(BASE as u64 / 1_000) as i64 + BASE / 2),
            2 => base += 600 * random.below(200) as i64,
            3 => text += &format!("{} back b\n", base - 600 * random.below(100) as i64),
            _ => {}
        }
        let jump = if fast > 0 && random.below(2) == 0 { ahead } else { 0 };
        fast -= u64::from(jump > 0);
        let stamp = base + jump - random.below(300) as i64;
        text += &format!("{stamp} src{} dst{}\n", random.below(9), random.below(4));
    }
    text.into_bytes()
}

#[test]
fn logs_with_jumps_ahead_and_back_equal_an_independent_count() {
    let mut random = Random::new(13);
    let (mut gaps, mut singles) = (0, 0);
    for case in 0..40 {
        let files = 1 + random.below(3);
        let logs: Vec<Vec<u8>> = (0..files)
            .map(|_| {
                // Some have too few lines to tell the time by.
                let lines = if random.below(4) == 0 { random.below(9) } else { 20 + random.below(400) };
                jumping(&mut random, lines)
            })
            .collect();
        let rules = Rules {
            lateness: [0, 60, 300][random.below(3) as usize],
            max_jump: [0, 1, 300, 3_600, 20_000][random.below(5) as usize],
            max_gap: [1, 3, 40, 1_000][random.below(4) as usize],
        };
        let windows = [TUMBLING, SLIDING, WITH_GAPS, ODD][random.below(4) as usize];
        let shapes: Vec<_> = (0..3).map(|_| SHAPES[random.below(18) as usize]).collect();
        let results = check_in(&format!("case {case}: {rules:?} {windows:?}"), &logs, rules, windows, &shapes);
        if results > 100 { singles += 1 } else { gaps += 1 }
    }
    assert!(gaps > 5 && singles > 5, "{gaps} and {singles}");
}

#[test]
fn a_handful_of_stamps_that_run_ahead_changes_nothing_for_others_wherever_they_stand() {
    let text = String::from_utf8(log(41, 700, 7_200, 250, 15)).unwrap();
    let honest: Vec<&str> = text.lines().collect();
    let fast: Vec<String> = (0..7).map(|at| format!("{} fast{at} b", BASE + 86_400 + 40 * at)).collect();
    let mut answers = BTreeSet::new();
    for seed in 0..8 {
        let mut random = Random::new(seed);
        let mut lines = honest.clone();
        for (at, line) in fast.iter().enumerate() {
            // All at the head, all at the end, or anywhere.
            let place = match seed {
                0 => at,
                1 => lines.len(),
                _ => random.below(lines.len() as u64 + 1) as usize,
            };
            lines.insert(place, line);
        }
        let folder = Folder::new();
        folder.write("0.log", lines.join("\n"));
        let builder = periodic(shaped(SHAPES[seed as usize * 2]), &folder, SLIDING).set("lateness", "300");
        let (text, summary) = run_library(builder, "csv");
        let balance = &summary.sheets[0].balance;
        assert_eq!((balance.counted, balance.late), (707, 0), "seed {seed}");
        answers.insert(text);
    }
    assert_eq!(answers.len(), 1);
    // An eighth is no handful: time moves.
    let folder = Folder::new();
    let eighth = format!("{} fast b", BASE + 86_400);
    let lines = [fast.iter().map(String::as_str).collect(), vec![eighth.as_str()], honest].concat();
    folder.write("0.log", lines.join("\n"));
    let (_, summary) = run_library(periodic(shaped(SHAPES[4]), &folder, SLIDING).set("lateness", "300"), "csv");
    assert_eq!(summary.sheets[0].balance.late, 700);
}

#[test]
fn g6_a_line_from_another_century_at_the_head_in_the_middle_or_at_the_end() {
    let text = String::from_utf8(log(42, 300, 7_200, 250, 15)).unwrap();
    let honest: Vec<&str> = text.lines().collect();
    // One of an unset clock, late unless it is among the first; one of the next century, which the
    // clock has passed.
    for (stamp, late) in [(0, [0, 1, 1]), (BASE * 3 / 2, [0, 0, 0])] {
        for (place, late) in [0, 150, 300].into_iter().zip(late) {
            let line = format!("{stamp} x y");
            let mut lines = honest.clone();
            lines.insert(place, &line);
            let folder = Folder::new();
            folder.write("0.log", lines.join("\n"));
            let builder = periodic(shaped(SHAPES[3]), &folder, TUMBLING).clock(|| Timestamp::from_seconds(BASE * 2));
            let (text, summary) = run_library(builder, "csv");
            let balance = &summary.sheets[0].balance;
            assert_eq!((balance.counted, balance.late), (301 - late, late), "{stamp} at {place}");
            let gaps = text.lines().filter(|line| line.contains("windows that hold nothing")).count();
            assert_eq!(gaps as u64, 1 - late, "{stamp} at {place}: {text}");
        }
    }
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
fn windows_start_at_the_first_stamp_that_counts_whatever_runs_ahead_of_it() {
    let folder = Folder::new();
    let honest: String = (0..30).map(|at| format!("{} a b\n", BASE + 7 + 10 * at)).collect();
    folder.write("0.log", format!("{} fast b\n{honest}", BASE + 86_400));
    let builder = periodic(shaped(SHAPES[0]), &folder, (60, 60, 0)).set("align", "first").set("lateness", "20");
    let (text, summary) = run_library(builder, "json");
    assert_eq!(summary.sheets[0].balance.counted, 31);
    assert_eq!(said(&text).0[0], [(BASE + 7).to_string(), (BASE + 67).to_string(), "6".to_owned()]);
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
fn the_sheet_of_a_result_knows_of_no_line_behind_those_that_closed_it_whatever_the_chunks() {
    let folder = Folder::new();
    // The last line, which has no end, closes nothing: it lies between windows.
    folder.write("0.log", format!("{BASE} a b\n{} a b\n{} a b", BASE + 16, BASE + 27));
    let texts = ["16", "64", "4KiB"].map(|chunk| {
        let shape = shaped(("2", "4", chunk, "true"));
        let builder = periodic(shape, &folder, (5, 10, 0)).set("lateness", "0").set("max-jump", "0");
        run_library(builder, "json").0
    });
    assert!(texts[0].contains("\"lines_read\":2,") && !texts[0].contains("unterminated"), "{}", texts[0]);
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
}

#[test]
fn c2_a_stamp_far_in_the_future_moves_nothing() {
    let folder = Folder::new();
    let text = format!("{BASE} a b\n99999999999 x y\n{} a b\n{} a b\n", BASE + 2, BASE + 700);
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
    let builder = periodic(shaped(SHAPES[0]), &folder, (20, 20, BASE)).set("lateness", "0").set("max-jump", "0");
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

/// Stamps of every unit, jumps and gaps, against a count that knows docs/time.md only.
#[test]
fn random_windows_over_mixtures_of_units_equal_a_count_in_another_language() {
    python("windows.py", env!("CARGO_BIN_EXE_logparser").as_ref(), "--runs", "60");
}
