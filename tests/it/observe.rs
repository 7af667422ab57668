//! A run that is looked at while it goes on: what is seen is what has been counted, and the run
//! does not mind.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::Duration;

use logparser::Pipeline;
use logparser::{Builder, Running};
use logparser::{Cell, WindowResult};

use crate::support::{ALL_PAIRS, BASE, Folder, Shape, Sink, log, run_library, shaped, wait_for};

type Pairs = BTreeMap<(String, String), u64>;

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Host(name) => String::from_utf8(name.clone()).unwrap(),
        other => panic!("{other:?} is no host"),
    }
}

/// The pairs of a result whose first report is `top-pairs`.
fn pairs_of(result: &WindowResult) -> Pairs {
    let rows = result.reports[0].rows.iter();
    let count = |cell: &Cell| if let Cell::Count(count) = cell { *count } else { panic!("{cell:?} is no count") };
    rows.map(|row| ((text(&row[0]), text(&row[1])), count(&row[2]))).collect()
}

/// The pairs of some lines whose stamps are in a result's window.
fn pairs_in<'a>(result: &WindowResult, lines: impl Iterator<Item = &'a str>) -> Pairs {
    let mut pairs = Pairs::new();
    for line in lines {
        let fields: Vec<&str> = line.split(' ').collect();
        let stamp = logparser::Timestamp::from_seconds(fields[0].parse().unwrap());
        if result.window.contains(stamp) {
            *pairs.entry((fields[1].to_owned(), fields[2].to_owned())).or_default() += 1;
        }
    }
    pairs
}

/// Waits until nothing more is counted: how many lines are.
fn settled(running: &Running) -> usize {
    let (mut before, mut same) = (0, 0);
    wait_for("the run to settle", || {
        thread::sleep(Duration::from_millis(20));
        let counted = running.observe().balance.counted;
        same = if counted == before && counted > 0 { same + 1 } else { 0 };
        before = counted;
        same == 5
    });
    before as usize
}

fn builder(shape: Shape<'_>, folder: &Folder, periodic: bool) -> Builder {
    let builder = shaped(shape).set("location", &folder.text("pipe")).set("reports", ALL_PAIRS);
    match periodic {
        true => builder.set("every", "100").set("seconds", "300").set("lateness", "10"),
        false => builder.set("until", &(BASE + 1_000).to_string()).set("seconds", "1000"),
    }
}

#[test]
fn what_is_seen_is_what_has_been_counted() {
    for (shape, periodic) in [
        (("1", "1", "64", "false"), false),
        (("4", "8", "256", "true"), false),
        (("2", "2", "64", "true"), true),
        (("2", "2", "64", "false"), true),
    ] {
        let folder = Folder::new();
        assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
        let whole = String::from_utf8(log(5, 4_000, 1_000, 0, 20)).unwrap();
        // Opened for both directions, so that neither end waits for the other.
        let mut pipe = OpenOptions::new().read(true).write(true).open(folder.at("pipe")).unwrap();
        let sink = Sink::default();
        let pipeline = builder(shape, &folder, periodic).output("json", Box::new(sink.clone())).peek();
        let running = pipeline.build().unwrap().start().unwrap();
        assert_eq!(running.result_now().unwrap(), None, "before the first record");
        assert_eq!(running.peers_now(b"src1").unwrap(), None);
        let (first, second) = whole.split_at(whole.len() / 2);
        for part in [first, second] {
            pipe.write_all(part.as_bytes()).unwrap();
            let counted = settled(&running);
            let seen = running.result_now().unwrap().unwrap();
            let expected = pairs_in(&seen, whole.lines().take(counted));
            assert_eq!(pairs_of(&seen), expected, "{shape:?} {periodic}");
            assert_eq!(seen.connections, expected.values().sum::<u64>());
            let [servers, clients] = running.peers_now(b"src1").unwrap().unwrap();
            let of_src1 = expected.iter().filter(|((from, _), _)| from == "src1");
            let of_src1: Vec<(Vec<u8>, u64)> = of_src1.map(|((_, to), count)| (to.clone().into(), *count)).collect();
            assert_eq!(servers.into_iter().map(|peer| (peer.host, peer.connections)).collect::<Vec<_>>(), of_src1);
            assert!(clients.is_empty());
            let observed = running.observe();
            assert!(!observed.ended && observed.inputs == 1 && observed.stages.len() == 5);
            assert_eq!(observed.watermark.is_some(), periodic);
            assert!(observed.stages[3].batches > 0 || !periodic);
            assert!(observed.stages.iter().all(|stage| stage.waiting <= stage.capacity));
            // What is chained has no queue, and counts and has workers all the same.
            let chained = observed.stages.iter().map(|stage| stage.chained);
            let can = shape.3 == "true";
            assert!(chained.eq([false, can, can, can, false]));
            for stage in observed.stages.iter().filter(|stage| stage.chained) {
                assert_eq!((stage.waiting, stage.capacity, stage.threads.to_string()), (0, 0, shape.0.to_owned()));
            }
            assert!(observed.stages[2].batches > 0);
        }
        drop(pipe);
        wait_for("the end", || running.observe().ended);
        let last = running.result_now().unwrap().unwrap();
        assert_eq!(pairs_of(&last), pairs_in(&last, whole.lines()), "{shape:?} {periodic}");
        assert_eq!(running.observe().balance.counted, 4_000);
        let written = sink.text();
        let written: serde_json::Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
        assert_eq!(written["window"]["start"], last.window.start.to_string());
        assert_eq!(crate::support::pairs(&written), pairs_of(&last));
        assert_eq!(running.join().exit_code(), 0);
    }
}

/// What a run writes that is looked at all the time, and how often something was seen. Its first
/// report lists all pairs.
fn looked_at(builder: Builder) -> (String, usize) {
    let sink = Sink::default();
    let running = builder.output("json", Box::new(sink.clone())).peek().build().unwrap().start().unwrap();
    let mut seen = 0;
    while !running.observe().ended {
        if let Some(result) = running.result_now().unwrap() {
            assert_eq!(pairs_of(&result).values().sum::<u64>(), result.connections, "all pairs, and nothing twice");
            seen += 1;
        }
        running.peers_now(b"src1").unwrap();
    }
    assert!(running.result_now().unwrap().is_some(), "after the run, its last window is seen");
    assert_eq!(running.join().exit_code(), 0);
    (sink.text(), seen)
}

#[test]
fn looking_changes_no_result() {
    let folder = Folder::new();
    folder.write("0.log", log(7, 30_000, 20_000, 60, 300));
    let reports = r#"[{ name = "top-pairs", limit = 100000 }, "new-pairs", "fan-in", "timeline"]"#;
    let mut all_seen = 0;
    for shape in [("1", "1", "4KiB", "true"), ("4", "2", "4KiB", "false"), ("2", "64", "64KiB", "true")] {
        for (seconds, every) in [("3600", ""), ("100000", ""), ("1000", "1000"), ("1500", "500")] {
            let build = || {
                let builder = shaped(shape).set("location", &folder.text("0.log")).set("reports", reports);
                let builder = builder.set("seconds", seconds).set("until", "latest");
                if every.is_empty() { builder } else { builder.set("every", every).set("lateness", "60") }
            };
            let (expected, _) = run_library(build(), "json");
            let (written, seen) = looked_at(build());
            all_seen += seen;
            assert!(written == expected, "{shape:?} {seconds} {every}");
        }
    }
    assert!(all_seen > 0, "nothing was ever seen before the end");
}

#[test]
fn e10_looking_takes_no_memory_that_a_run_may_need() {
    let folder = Folder::new();
    let mut file = File::create(folder.at("0.log")).unwrap();
    let lines = (0..600_000u64).map(|line| {
        let pair = line * 7_919 % 600_000;
        format!("{} source-{} d{}\n", BASE + line as i64 * 36_000 / 600_000, pair / 40, pair % 40)
    });
    file.write_all(lines.collect::<String>().as_bytes()).unwrap();
    let build = |limit: bool| {
        let builder = Pipeline::builder().set("location", &folder.text("0.log")).set("chunk", "16KiB");
        let builder =
            builder.set("max-line", "1KiB").set("capacity", "2").set("threads", "2").set("reports", ALL_PAIRS);
        let builder = builder.set("seconds", "6h").set("every", "3h").set("align", "first");
        if limit { builder.set("max-memory", "24MiB").set("memory-policy", "spill") } else { builder }
    };
    let (expected, _) = run_library(build(false), "json");
    let (written, seen) = looked_at(build(true));
    assert!(written == expected);
    assert!(seen > 0);
}

#[test]
fn a_run_that_is_not_built_to_be_looked_at_shows_no_result() {
    let folder = Folder::new();
    folder.write("0.log", "1700000000 a b\n");
    let builder = Pipeline::builder().set("location", &folder.text("0.log")).set("until", "latest");
    let running = builder.output("json", Box::new(std::io::sink())).build().unwrap().start().unwrap();
    wait_for("the end", || running.observe().ended);
    assert_eq!(running.result_now().unwrap(), None);
    assert_eq!(running.join().exit_code(), 0);
}
