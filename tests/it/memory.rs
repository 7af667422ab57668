//! Limited memory (rows C4 and E10): what is beyond it is counted together, goes to disk, or ends
//! the run; and nothing is lost, whichever it is.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{BASE, Folder, faulty, is_full, peak_memory_of, program, run, skip, stderr, stdout};

/// Batches that take little, so that a small limit leaves enough to count with.
const SMALL: &str = "chunk = '16KiB'\nmax-line = '1KiB'\ncapacity = 2\nuntil = 1700036000\nseconds = '10h'\n";

/// A limit under which `SMALL` can count, and the log of `crowd` cannot be held.
const LIMIT: &str = "24MiB";

/// A log of ten hours with more pairs than fit: 900,000 records of 600,000 pairs.
fn crowd(folder: &Folder) {
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    for line in 0..900_000u64 {
        let pair = line * 7_919 % 600_000;
        writeln!(file, "{} source-{} d{}", BASE + line as i64 * 36_000 / 900_000, pair / 40, pair % 40).unwrap();
    }
    file.into_inner().unwrap();
}

const REPORTS: &str = r#"reports = [
    "top-servers", "top-sources", { name = "top-pairs", limit = 1000000 }, { name = "connected-to", host = "d7" },
    { name = "connected-from", host = "source-7" }, "fan-in", "fan-out", "timeline", "matrix", "new-pairs", "gone-pairs",
    "risers", { name = "fallers", of = "pairs" }, "totals", { name = "talkers", shares = true }, "services",
    { name = "scans", above = 10 }, { name = "peers", host = "d7" },
]
location = "0.log"
"#;

fn answer(folder: &Folder, args: &[&str]) -> String {
    let output = run(folder, &[&["run", "--quiet"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// Holds the answer of what does not fit against that of a run without a limit, which it gives.
fn spills_exactly(folder: &Folder, all_threads: &[&str]) -> String {
    let config = std::fs::read_to_string(folder.at("pipeline.toml")).unwrap();
    let whole = answer(folder, &[]);
    let output = run(folder, &["run", "--max-memory", LIMIT, "--memory-policy", "error"]);
    assert_eq!(output.status.code(), Some(1), "it fits: {config}{}", stderr(&output));
    for threads in all_threads {
        let args = ["--max-memory", LIMIT, "--memory-policy", "spill", "--threads", threads];
        assert!(answer(folder, &args) == whole, "{threads} threads: {config}");
    }
    whole
}

#[test]
fn e10_spilled_counts_are_those_of_a_run_without_a_limit() {
    let folder = Folder::new();
    crowd(&folder);
    folder.write("pipeline.toml", format!("{SMALL}{REPORTS}outputs = ['json']\n"));
    spills_exactly(&folder, &["1", "2", "4"]);
}

#[test]
fn e10_windows_that_follow_each_other_spill_and_are_exact() {
    let folder = Folder::new();
    crowd(&folder);
    // Windows of one pane, of two, and with gaps between them.
    for (seconds, every) in [("5h", "5h"), ("6h", "3h"), ("4h", "5h")] {
        let windows = format!("seconds = '{seconds}'\nevery = '{every}'\nalign = 'first'\n");
        let small = "chunk = '16KiB'\nmax-line = '1KiB'\ncapacity = 2\n";
        folder.write("pipeline.toml", format!("{small}{windows}{REPORTS}outputs = ['json']\n"));
        let whole = spills_exactly(&folder, &["1", "3"]);
        assert!(whole.lines().count() >= 2, "{seconds} every {every}");
    }
}

#[test]
fn e10_what_overflows_is_counted_and_every_affected_report_says_so() {
    let folder = Folder::new();
    crowd(&folder);
    folder.write("pipeline.toml", format!("{SMALL}{REPORTS}outputs = ['json', 'text:out.txt', 'csv:out.csv']\n"));
    for threads in ["1", "4"] {
        let output = run(&folder, &["run", "--max-memory", LIMIT, "--threads", threads]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let overflow = result["balance"]["overflowed"].as_u64().unwrap_or_default();
        assert_eq!(result["balance"]["counted"], 900_000);
        assert!(0 < overflow && overflow < 750_000, "{overflow}");
        assert!(stderr(&output).contains(&format!("    of them overflow{overflow:>14}\n")), "{}", stderr(&output));
        let counts = |rows: &Value, column: usize| {
            rows.as_array().unwrap().iter().map(|row| row[column].as_u64().unwrap()).sum::<u64>()
        };
        for report in result["reports"].as_array().unwrap() {
            let said = report["overflow"].as_u64();
            let expected = (report["id"] != "timeline").then_some(overflow);
            assert_eq!(said, expected, "{}", report["id"]);
        }
        assert_eq!(counts(&result["reports"][2]["rows"], 2) + overflow, 900_000);
        assert_eq!(counts(&result["reports"][7]["rows"], 1), 900_000, "the timeline is whole");
        let text = std::fs::read_to_string(folder.at("out.txt")).unwrap();
        let row = format!("(overflow: {overflow} connections of further pairs, for which max-memory has no room)\n");
        // All but the timeline.
        assert_eq!(text.matches(&row).count(), 17);
        let csv = std::fs::read_to_string(folder.at("out.csv")).unwrap();
        let pairs: u64 = csv
            .lines()
            .filter(|line| line.starts_with("top-pairs,"))
            .map(|line| line.split(',').filter_map(|cell| cell.parse::<u64>().ok()).sum::<u64>())
            .sum();
        assert_eq!(pairs, 900_000, "the rows of a report in CSV add up, overflow and all");
    }
}

#[test]
fn e10_windows_that_follow_each_other_overflow_and_add_up() {
    let folder = Folder::new();
    crowd(&folder);
    let config = "location = '0.log'\nchunk = '16KiB'\nmax-line = '1KiB'\ncapacity = 2\nalign = 'first'\n\
        seconds = '6h'\nevery = '3h'\nreports = [{ name = 'top-pairs', limit = 1000000 }, 'timeline']\noutputs = ['json']\n";
    folder.write("pipeline.toml", config);
    let mut overflowed = 0;
    for line in answer(&folder, &["--max-memory", LIMIT]).lines() {
        let result: Value = serde_json::from_str(line).unwrap();
        let sum = |report: usize, column: usize| {
            let rows = result["reports"][report]["rows"].as_array().unwrap();
            rows.iter().map(|row| row[column].as_u64().unwrap()).sum::<u64>()
        };
        let overflow = result["reports"][0]["overflow"].as_u64().unwrap_or(0);
        overflowed += overflow;
        assert_eq!(sum(0, 2) + overflow, sum(1, 1), "{}", result["window"]);
    }
    assert!(overflowed > 0);
}

#[test]
fn e10_a_limit_that_is_reached_can_end_the_run() {
    let folder = Folder::new();
    crowd(&folder);
    folder.write("pipeline.toml", format!("{SMALL}{REPORTS}"));
    let output = run(&folder, &["run", "--max-memory", LIMIT, "--memory-policy", "error", "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let said = stderr(&output);
    assert!(said.contains("take more than") && said.contains("spill (exact, by means of the disk)"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // Of what a run would have counted that is cut short, nobody can say that it is nothing.
    let output = run(&folder, &["run", "--max-memory", LIMIT, "--memory-policy", "error"]);
    assert!(!stderr(&output).contains("Nothing"), "{}", stderr(&output));
}

#[test]
fn a_limit_that_leaves_nothing_to_count_with_is_told_before_the_run() {
    let folder = Folder::new();
    folder.write("0.log", format!("{BASE} a b\n"));
    let output = run(&folder, &["top", "0.log", "--max-memory", "24MiB"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("--max-memory 24MiB: ") && said.contains("give at least "), "{said}");
    // What is named is enough.
    let enough = said.split("give at least ").nth(1).unwrap().split(',').next().unwrap();
    let output = run(&folder, &["top", "0.log", "--max-memory", enough, "--until", "latest"]);
    assert_eq!(output.status.code(), Some(0), "{enough}: {}", stderr(&output));
    let output = run(&folder, &["top", "0.log", "--max-memory", "1GiB", "--memory-policy", "spil"]);
    assert!(stderr(&output).contains("did you mean 'spill'?"), "{}", stderr(&output));
}

#[test]
fn a_temporary_folder_that_cannot_be_had_is_told_with_its_remedy() {
    let folder = Folder::new();
    crowd(&folder);
    folder.write("pipeline.toml", format!("{SMALL}{REPORTS}"));
    let mut nowhere = program(&folder);
    nowhere.env("TMPDIR", "/nowhere");
    let full = faulty(&folder, "spill=1*off->return");
    for (mut command, expected) in [(nowhere, "No such file"), (full, "no storage space")] {
        let args = ["run", "--max-memory", LIMIT, "--memory-policy", "spill", "--quiet"];
        let output = command.args(args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write counts to the temporary folder") && said.contains(expected), "{said}");
        assert_eq!(stdout(&output), "", "a part is no result");
    }
}

/// Puts a command into a control group of so much memory, where this machine lets us; gives what
/// has to be removed.
fn within_memory(command: &Command, bytes: u64, name: &str) -> Option<(Command, String)> {
    let group = format!("/sys/fs/cgroup/memory/logparser-test-{}-{name}", std::process::id());
    std::fs::create_dir(&group).ok()?;
    std::fs::write(Path::new(&group).join("memory.limit_in_bytes"), bytes.to_string()).ok()?;
    let mut inside = Command::new("sh");
    inside.args(["-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\"", &group]).arg(command.get_program());
    inside.args(command.get_args()).current_dir(command.get_current_dir()?);
    Some((inside, group))
}

/// One run of a flood in a control group, if there is one: whether there was.
fn flood(folder: &Folder, kind: &str, policy: &str, pairs: u64, limit: u64) -> bool {
    let max_memory = format!("{limit}MiB");
    let mut command = program(folder);
    command.args(["top", "0.log", "--until", "latest", "--seconds", "2h", "--output", "json", "--limit", "1"]);
    command.args(["--threads", "2", "--max-memory", &max_memory, "--memory-policy", policy]);
    let name = format!("{kind}-{policy}-{limit}");
    let (command, group) = match within_memory(&command, limit << 20, &name) {
        Some((command, group)) => (command, Some(group)),
        None => (command, None),
    };
    let (peak, output) = peak_memory_of(command);
    let grouped = group.is_some();
    if let Some(group) = group {
        std::fs::remove_dir(group).unwrap();
    }
    // One that the kernel has ended has no exit code.
    assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    assert!(peak < limit << 10, "{name}: {peak} KiB");
    let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(result["balance"]["counted"], pairs, "{name}");
    let overflow = result["balance"]["overflowed"].as_u64();
    let top = result["reports"][0]["rows"][0][1].as_u64().unwrap();
    let each = if kind == "pairs" { pairs / 1_000 } else { pairs / 10 };
    match policy {
        "spill" => assert_eq!((overflow, top), (None, each), "{name}"),
        _ => assert!(overflow.unwrap() > 0 && top <= each, "{name}"),
    }
    grouped
}

#[test]
fn e10_a_flood_of_pairs_or_hosts_stays_within_the_limit() {
    let folder = Folder::new();
    // At full size: more than the ten million pairs in 256 MiB of the row. What an
    // allocator that keeps what is freed takes beyond the limit is not the same each time, and
    // shows most where much is spilled: hence the half.
    let (pairs, limits) = if is_full() { (15_000_000u64, &[128u64, 128, 256][..]) } else { (1_500_000, &[46][..]) };
    let mut grouped = BTreeSet::new();
    for kind in ["pairs", "hosts"] {
        let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
        for line in 0..pairs {
            let time = BASE + line as i64 * 3_600 / pairs as i64;
            match kind {
                "pairs" => writeln!(file, "{time} source-{:05} d{}", line / 1_000, line % 1_000).unwrap(),
                _ => writeln!(file, "{time} 10.{}.{}.{} d{}", line >> 16, line >> 8 & 255, line & 255, line % 10)
                    .unwrap(),
            }
        }
        file.into_inner().unwrap();
        for limit in limits {
            for policy in ["overflow", "spill"] {
                grouped.insert(flood(&folder, kind, policy, pairs, *limit));
            }
        }
    }
    if grouped.contains(&false) {
        skip("in part: no control group can be made, and only the memory of the process is watched");
    }
}

#[test]
fn e10_many_workers_with_small_chunks_take_no_more_than_the_limit() {
    let folder = Folder::new();
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    // Only a release build lets go of so much that it shows, if each thread keeps what it let go.
    let lines = if is_full() { 3_000_000u64 } else { 500_000 };
    for line in 0..lines {
        let (from, to) = (line * 7_919 % 100_003, line * 104_729 % 9_973);
        writeln!(file, "{} source-{from}.a1.example.net d{to}.a1.example.net", BASE + line as i64 / 1_000).unwrap();
    }
    file.into_inner().unwrap();
    folder.write("pipeline.toml", "location = '0.log'\nchunk = '16KiB'\nuntil = 'latest'\nseconds = '1h'\n");
    let mut command = program(&folder);
    command.args(["run", "--quiet", "--threads", "8", "--max-memory", "32MiB", "--memory-policy", "spill"]);
    let (peak, output) = peak_memory_of(command);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(peak < 32 << 10, "{peak} KiB");
}

#[test]
fn c4_a_million_buckets_of_hostile_stamps_are_few_and_exact() {
    let folder = Folder::new();
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    // No two stamps in the same second, and in no order.
    for line in 0..1_000_000i64 {
        writeln!(file, "{} a b", BASE + line * 7_919 % 1_000_000).unwrap();
    }
    file.into_inner().unwrap();
    folder.write(
        "pipeline.toml",
        "location = '0.log'\nuntil = 1701000000\nseconds = 1000000\ngrouping-seconds = 1\nreports = ['timeline']\n\
         outputs = ['csv']\n",
    );
    let (peak, output) = peak_memory_of({
        let mut command = program(&folder);
        command.args(["run", "--quiet"]);
        command
    });
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let counts: Vec<u64> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(counts.len() <= 100_000, "{} buckets", counts.len());
    assert_eq!(counts.iter().sum::<u64>(), 1_000_000);
    assert!(peak < 96 << 10, "{peak} KiB");
}

#[test]
fn e10_windows_that_slide_take_no_more_than_the_limit() {
    let folder = Folder::new();
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    for line in 0..300_000i64 {
        let name = format!("{line}.dc{}.example.com", line % 5);
        writeln!(file, "{} host{name} srv{name}", BASE + line / 50).unwrap();
    }
    file.into_inner().unwrap();
    for (reports, policy, threads) in [
        ("'new-pairs'", "overflow", "1"),
        ("'gone-pairs', 'fallers', 'talkers', 'totals'", "spill", "2"),
        ("'new-pairs'", "spill", "2"),
        ("'top-pairs', 'fan-in'", "overflow", "1"),
        ("'top-servers', 'top-sources'", "spill", "1"),
    ] {
        let settings =
            "location = '0.log'\nuntil = 'latest'\nevery = 60\nseconds = 720\nchunk = '64KiB'\nmax-line = '4KiB'\n";
        let more =
            format!("outputs = ['json']\nmax-memory = '64MiB'\nmemory-policy = '{policy}'\nreports = [{reports}]\n");
        folder.write("pipeline.toml", format!("{settings}{more}threads = {threads}\n"));
        let mut command = program(&folder);
        command.args(["run", "--quiet"]);
        let (peak, output) = peak_memory_of(command);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(peak < 64 << 10, "{reports}, {policy}, {threads} threads: {peak} KiB");
    }
}

/// What overflows is in the report that it may be missing from, and in no other; the sheet and the
/// losses know of it, too where it is only the panes of a window that there is no room to join.
#[test]
fn e10_rows_and_overflow_are_the_connections_of_their_window() {
    let folder = Folder::new();
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    for line in 0..120_000i64 {
        writeln!(file, "{} host{} srv{}", BASE + line / 50, line % 90_000, line * 7 % 90_001).unwrap();
    }
    file.into_inner().unwrap();
    let mut any = false;
    for limit in [30, 33, 36, 40, 48] {
        folder.write(
            "pipeline.toml",
            format!(
                "location = '0.log'\nuntil = 'latest'\nevery = 60\nseconds = 720\nchunk = '64KiB'\nmax-line = '4KiB'\n\
                 outputs = ['json']\nmax-memory = '{limit}MiB'\nthreads = 1\nlimit = 1000000\n\
                 reports = ['new-pairs', 'top-pairs', 'timeline']\n"
            ),
        );
        let output = run(&folder, &["run", "--quiet"]);
        assert_eq!(output.status.code(), Some(0), "{limit} MiB: {}", stderr(&output));
        let results: Vec<serde_json::Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let overflow = |result: &serde_json::Value, report: usize| {
            result["reports"][report]["overflow"].as_u64().unwrap_or_default()
        };
        for result in &results {
            let rows = result["reports"][1]["rows"].as_array().unwrap();
            let shown: u64 = rows.iter().map(|row| row[2].as_u64().unwrap()).sum();
            let buckets = result["reports"][2]["rows"].as_array().unwrap();
            let connections: u64 = buckets.iter().map(|row| row[1].as_u64().unwrap()).sum();
            assert_eq!(shown + overflow(result, 1), connections, "{limit} MiB");
            assert!(overflow(result, 0) >= overflow(result, 1), "{limit} MiB");
        }
        let most = results.iter().map(|result| overflow(result, 0)).max().unwrap();
        let told = results.last().unwrap()["balance"]["overflowed"].as_u64().unwrap_or_default();
        assert!((most > 0) == (told > 0) && told >= most / 2, "{limit} MiB: {most} in a report, {told} in the sheet");
        assert_eq!(stderr(&output).contains("without their pair"), most > 0, "{}", stderr(&output));
        any |= most > 0;
    }
    assert!(any, "nothing overflowed");
}

#[test]
fn c4_windows_that_hostile_stamps_keep_open_are_bounded() {
    let folder = Folder::new();
    let mut file = BufWriter::new(File::create(folder.at("0.log")).unwrap());
    // Each record opens another window of a second, up to as many as a day of disorder allows.
    for line in 0..200_000i64 {
        writeln!(file, "{} a{} b", BASE + line * 7_919 % 86_000, line % 50).unwrap();
    }
    file.into_inner().unwrap();
    let args = ["top", "0.log", "--every", "1", "--seconds", "1", "--output", "csv", "--quiet", "--lateness", "1d"];
    let mut command = program(&folder);
    command.args(args).args(["--max-memory", "256MiB", "--memory-policy", "error"]);
    let (peak, output) = peak_memory_of(command);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sum: u64 =
        stdout(&output).lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 200_000);
    assert!(peak < 256 << 10, "{peak} KiB");
    // More than can be bounded is refused.
    let output = run(&folder, &["top", "0.log", "--every", "1", "--seconds", "1", "--lateness", "30d"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("buckets of 1s open at the same time; give a shorter lateness"),
        "{}",
        stderr(&output)
    );
}
