//! Time-pruned reading: exact for every file that is sorted as declared, and a warning and exact
//! for those that are not.

use std::fmt::Write;

use crate::support::{BASE, Folder, Random, log, run, stderr, stdout};

/// What a question answers, with and without pruning: the reports, what was skipped, and whether
/// there was a warning.
struct Both {
    auto: serde_json::Value,
    full: serde_json::Value,
    skipped: u64,
    warned: bool,
}

fn both(folder: &Folder, options: &[&str]) -> Both {
    both_above(folder, "0", options)
}

/// As `both`, where files of at most `above` bytes are read whole.
fn both_above(folder: &Folder, above: &str, options: &[&str]) -> Both {
    let ask = |scan: &str| {
        let output = run(
            folder,
            &[
                &["top", "0.log", "--limit", "1000000", "--output", "json", "--scan", scan, "--prune-above", above][..],
                options,
            ]
            .concat(),
        );
        assert_eq!(output.status.code(), Some(0), "{options:?}: {}", stderr(&output));
        (serde_json::from_str::<serde_json::Value>(&stdout(&output)).unwrap(), stderr(&output))
    };
    let ((auto, said), (full, of_full)) = (ask("auto"), ask("full"));
    assert!(!of_full.contains("a stamp lies "), "{of_full}");
    let number = |key: &str| auto["balance"][key].as_u64().unwrap();
    assert_eq!(number("bytes_read") + number("bytes_skipped"), number("bytes_total"));
    assert_eq!(full["balance"]["bytes_skipped"], 0);
    let skipped = number("bytes_skipped");
    Both { auto, full, skipped, warned: said.contains("logparser: warning: 0.log: a stamp lies ") }
}

impl Both {
    fn is_exact(&self) -> bool {
        self.auto["reports"] == self.full["reports"]
            && self.auto["balance"]["counted"] == self.full["balance"]["counted"]
    }
}

#[test]
fn sorted_as_declared_is_exact_and_skips_what_it_can() {
    let mut random = Random::new(5);
    let mut skipped = 0;
    for round in 0..30 {
        let folder = Folder::new();
        let (span, disorder) = (20_000 + random.below(60_000), random.below(400));
        let text = log(round, 20_000, span, disorder, 15);
        let size = text.len() as u64;
        folder.write("0.log", text);
        let until = (BASE + random.below(span + 2_000) as i64 - 1_000).to_string();
        let seconds = (1 + random.below(5_000)).to_string();
        let lateness = disorder.max(1).to_string();
        let both = both(&folder, &["--until", &until, "--seconds", &seconds, "--lateness", &lateness]);
        assert!(both.is_exact() && !both.warned, "round {round}: {until} {seconds}");
        skipped += both.skipped * 100 / size;
    }
    assert!(skipped / 30 > 40, "{} % skipped on average", skipped / 30);
}

#[test]
fn the_latest_stamp_is_the_same_whether_the_end_tells_it_or_not() {
    for (name, text) in [
        ("sorted", log(1, 60_000, 60_000, 250, 15)),
        ("with a last line in the future", [log(2, 60_000, 60_000, 250, 15), b"9999999999 a b\n".to_vec()].concat()),
        ("two logs, the later one first", [log(3, 30_000, 90_000, 50, 15), log(4, 30_000, 30_000, 50, 15)].concat()),
        ("with an end of malformed lines", [log(5, 60_000, 60_000, 250, 15), b"bad\n".repeat(30_000)].concat()),
    ] {
        let folder = Folder::new();
        folder.write("0.log", text);
        let both = both(&folder, &["--until", "latest", "--seconds", "2000"]);
        assert!(both.is_exact(), "{name}");
        assert_eq!(both.auto["window"], both.full["window"], "{name}");
    }
}

#[test]
fn a_file_outside_the_window_is_not_read() {
    let folder = Folder::new();
    let text = log(1, 20_000, 20_000, 100, 15);
    let size = text.len() as u64;
    folder.write("0.log", text);
    for until in [BASE - 5_000, BASE + 90_000] {
        let both = both(&folder, &["--until", &until.to_string(), "--seconds", "60"]);
        assert!(both.is_exact() && both.skipped == size, "{until}: {} of {size}", both.skipped);
    }
}

#[test]
fn what_is_explained_is_what_is_read() {
    let folder = Folder::new();
    folder.write("0.log", log(1, 60_000, 80_000, 100, 15));
    folder.write("1.log", sorted(30_000).iter().rev().cloned().collect::<String>());
    folder.write("2.log", "nothing\n".repeat(30_000));
    folder.write("3.log", log(2, 60_000, 20_000, 100, 15));
    let question =
        ["--until", &(BASE + 60_000).to_string(), "--seconds", "600", "--output", "json", "--prune-above", "0"];
    let question = [&question[..], &["--format", "plain"]].concat();
    let explained = run(&folder, &[&["explain", "."][..], &question].concat());
    assert_eq!(explained.status.code(), Some(0), "{}", stderr(&explained));
    let lines: Vec<serde_json::Value> =
        stdout(&explained).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bytes: u64 = lines.iter().map(|line| line["to"].as_u64().unwrap() - line["from"].as_u64().unwrap()).sum();
    let run_ = run(&folder, &[&["top", "."][..], &question].concat());
    let result: serde_json::Value = serde_json::from_str(&stdout(&run_)).unwrap();
    assert_eq!(result["balance"]["bytes_read"], bytes);
    let reasons: Vec<_> = lines.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons[0], "the rest lies outside the window");
    assert!(reasons[1].ends_with("300 s are declared"), "{}", reasons[1]);
    assert_eq!(reasons[2..], ["nothing is worth skipping", "it lies outside the window"]);
    for (option, reason) in [
        (["--scan", "full"], "all is asked for"),
        (["--every", "60"], "every window is asked for"),
        (["--prune-above", "2MiB"], "all inputs together are small"),
    ] {
        let text = stdout(&run(&folder, &[&["explain", "0.log"][..], &option].concat()));
        assert!(text.contains(&format!("  since    {reason}\n")), "{text}");
    }
}

#[test]
fn new_pairs_prune_by_the_window_before_too() {
    let folder = Folder::new();
    folder.write("0.log", log(2, 30_000, 60_000, 100, 40));
    folder.write("new.toml", format!(
        "location = '0.log'\nuntil = {}\nseconds = 600\nreports = [{{ name = 'new-pairs', limit = 9999 }}]\noutputs = ['json']\n",
        BASE + 30_000
    ));
    let reports = |scan: &str| {
        let output = run(&folder, &["run", "new.toml", "--scan", scan, "--prune-above", "500KiB"]);
        serde_json::from_str::<serde_json::Value>(&stdout(&output)).unwrap()
    };
    let (auto, full) = (reports("auto"), reports("full"));
    assert_eq!(auto["reports"], full["reports"]);
    assert!(auto["balance"]["bytes_skipped"].as_u64().unwrap() > 500_000);
}

/// `lines` lines, one a second, with hosts of their own.
fn sorted(lines: i64) -> Vec<String> {
    (0..lines).map(|at| format!("{} src{} dst{}\n", BASE + at, at % 7, at % 3)).collect()
}

#[test]
fn a_file_that_is_not_sorted_is_read_whole_with_a_warning() {
    let lines = sorted(30_000);
    let (first, second) = lines.split_at(15_000);
    let mut shuffled = lines.clone();
    let mut random = Random::new(3);
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at as u64 + 1) as usize);
    }
    let shapes: [(&str, Vec<String>); 5] = [
        ("reversed", lines.iter().rev().cloned().collect()),
        ("two logs, the later one first", [second, first].concat()),
        ("one log twice", [&lines[..], &lines].concat()),
        ("a clock that was set back an hour", [&lines[..20_000], &lines[16_400..]].concat()),
        ("shuffled", shuffled),
    ];
    for (name, text) in shapes {
        let folder = Folder::new();
        folder.write("0.log", text.concat());
        for until in (0..30_000).step_by(5_000) {
            let both = both(&folder, &["--until", &(BASE + until).to_string(), "--seconds", "900"]);
            assert!(both.is_exact() && both.warned, "{name}, until {until}");
        }
    }
}

/// Calls `f` with 30,000 lines of which a block from the window, 1 to 15,000 lines long, was moved
/// to a tenth of the file, between the probes; with the options that ask for that window, the size
/// of the block, and the tenth.
fn displaced(mut f: impl FnMut(&Folder, &[&str], usize, usize)) {
    let lines = sorted(LINES as i64);
    for size in [1, 10, 100, 1_000, LINES / 20, LINES / 10, LINES / 4, LINES / 2] {
        for tenth in 0..10 {
            let until = BASE + (LINES / 2) as i64;
            let start = (LINES / 2 - 700).min(LINES - size);
            let mut rest = lines.clone();
            let block: Vec<String> = rest.drain(start..start + size).collect();
            let target = (tenth * LINES / 10 + 321).min(rest.len());
            rest.splice(target..target, block);
            let folder = Folder::new();
            folder.write("0.log", rest.concat());
            f(&folder, &["--until", &until.to_string(), "--seconds", "1500"], size, tenth);
        }
    }
}

const LINES: usize = 30_000;

#[test]
fn wherever_a_block_was_moved_the_answer_is_exact() {
    let mut cases = 0;
    displaced(|folder, options, size, tenth| {
        assert!(both_above(folder, "64MiB", options).is_exact(), "size {size} at tenth {tenth}");
        // That is the default.
        let ask =
            |more: &[&str]| stdout(&run(folder, &[&["top", "0.log", "--output", "json"], options, more].concat()));
        assert_eq!(ask(&[]), ask(&["--scan", "full"]), "size {size} at tenth {tenth}");
        cases += 1;
    });
    assert_eq!(cases, 80);
}

#[test]
fn in_a_large_file_a_displaced_block_is_seen_unless_it_lies_between_two_probes() {
    let (mut seen, mut unseen) = (0, String::new());
    displaced(|folder, options, size, tenth| {
        let both = both(folder, options);
        if both.is_exact() {
            seen += 1;
        } else {
            assert!(!both.warned, "size {size} at tenth {tenth}: warned of, and wrong");
            writeln!(unseen, "size {size} at tenth {tenth}").unwrap();
            // No sampling can promise to see a block that lies between two samples. What is
            // promised: one as long as the distance of the spread probes, a thirty-second of the
            // file, never escapes.
            assert!(size < LINES / 32 + 200, "size {size} at tenth {tenth}: wrong, and no warning");
        }
    });
    assert!(seen >= 60, "{seen} of 80 exact; wrong and unseen:\n{unseen}");
}

#[test]
fn files_are_small_all_of_them_together() {
    let folder = Folder::new();
    for at in 0..3 {
        folder.write(&format!("{at}.log"), log(at, 20_000, 80_000, 100, 15));
    }
    let size = std::fs::metadata(folder.at("0.log")).unwrap().len();
    let skipped = |files: &[&str], above: u64| {
        let (until, above) = ((BASE + 60_000).to_string(), above.to_string());
        let question = ["--until", &until, "--seconds", "600", "--output", "json", "--prune-above", &above];
        let result: serde_json::Value =
            serde_json::from_str(&stdout(&run(&folder, &[&["top"], files, &question].concat()))).unwrap();
        result["balance"]["bytes_skipped"].as_u64().unwrap()
    };
    assert_eq!(skipped(&["0.log"], size), 0);
    assert!(skipped(&["0.log"], size - 1) > 0);
    assert!(skipped(&["0.log", "1.log", "2.log"], size) > 0);
    assert_eq!(skipped(&["0.log", "1.log", "2.log"], 4 * size), 0);
}

#[test]
fn blocks_that_changed_places_are_seen_by_reading_itself() {
    for size in [1, 2, 10, 100, 400] {
        let mut lines = sorted(LINES as i64);
        // Lines of the window stand where none are read, and others in their place; no probe looks
        // at either.
        let (inside, outside) = (LINES / 2 - 700, 4_000);
        (0..size).for_each(|at| lines.swap(inside + at, outside + at));
        let folder = Folder::new();
        folder.write("0.log", lines.concat());
        let both = both(&folder, &["--until", &(BASE + (LINES / 2) as i64).to_string(), "--seconds", "1500"]);
        assert!(both.is_exact() && both.warned && both.skipped == 0, "size {size}");
    }
}

#[test]
fn the_disorder_is_told_and_what_a_smaller_bound_would_lose() {
    let folder = Folder::new();
    let text =
        format!("{BASE} a b\n{} a b\n{} a b\nbad\n{} a b\n{} a b\n", BASE + 100, BASE + 92, BASE + 39, BASE + 101);
    // Long enough for many chunks of the smallest size, and sorted behind its start.
    let sorted: String = (0..300).map(|at| format!("{} c d\n", BASE + 102 + at)).collect();
    folder.write("0.log", text + &sorted);
    folder.write("1.log", format!("{} a b\n{BASE} a b\n", BASE + 3));
    let expected = "
Disorder: how far records lie behind the highest stamp before them
  records                      307
  furthest back               61 s
  over 0 s                       3
  over 1 s                       3
  over 2 s                       3
  over 5 s                       2
  over 10 s                      1
  over 30 s                      1
  over 60 s                      1
";
    for chunk in ["16", "256KiB"] {
        for threads in ["1", "8"] {
            folder.write(
                "pipeline.toml",
                format!(
                    "location = '*.log'\nuntil = 'latest'\nchunk = '{chunk}'\nthreads = {threads}\noutputs = ['json']\n"
                ),
            );
            for how in [&[][..], &["--every", "60"], &["--seconds", "10"]] {
                let output = run(&folder, &[&["run", "--stats", "-qq"][..], how].concat());
                assert_eq!(stderr(&output), expected, "{chunk} {threads} {how:?}");
            }
        }
    }
    let explained = stdout(&run(&folder, &["explain", "0.log", "--stats"]));
    assert!(explained.contains("  since    all is measured\n"), "{explained}");
}
