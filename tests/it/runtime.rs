//! The runtime under stress: panics, full edges, slow stages, free graphs, and memory as the
//! formula says.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use logparser::Pipeline;
use logparser::Running;

use crate::support::{ALL_PAIRS, BASE, Folder, SHAPES, faulty, log, program, run_library, shaped, stderr, wait_for};

/// The places for faults, and the names of the stages.
const STAGES: [(&str, &str); 5] = [
    ("reader", "read"),
    ("line-splitter", "lines"),
    ("time-filter", "recent"),
    ("bucket-aggregator", "tally"),
    ("reporter", "report"),
];

/// A folder with a log whose chunks are many and whose windows are too.
fn busy() -> Folder {
    let folder = Folder::new();
    folder.write("0.log", log(1, 20_000, 200_000, 0, 20));
    folder.write(
        "pipeline.toml",
        "location = '0.log'\nevery = 60\nseconds = 60\nlateness = 0\nchunk = 1024\noutputs = ['json']\ncapacity = 2\n",
    );
    folder
}

#[test]
fn f1_a_panic_in_any_stage_ends_the_process_with_a_message() {
    let folder = busy();
    for (stage, name) in STAGES {
        // The first batch, and one in the middle.
        for (action, chain) in [("panic", "true"), ("20*off->panic", "true"), ("20*off->panic", "false")] {
            let started = Instant::now();
            let mut program = faulty(&folder, &format!("{stage}={action}"));
            program.args(["run", "--set", &format!("chain={chain}"), "--set", "threads=2"]);
            let output = program.output().unwrap();
            assert!(started.elapsed() < Duration::from_secs(2), "{stage} {action}: {:?}", started.elapsed());
            assert_eq!(output.status.code(), Some(1), "{stage} {action}");
            let said = stderr(&output);
            // Each stage panics as itself, whichever stages share its workers.
            assert!(said.contains(&format!("stage '{name}' panicked: failpoint {stage}")), "{action}: {said}");
            assert_eq!(said.lines().filter(|line| line.contains("panicked")).count(), 1, "{said}");
        }
    }
}

#[test]
fn f2_a_slow_stage_changes_nothing() {
    let folder = Folder::new();
    folder.write("0.log", log(3, 2_000, 20_000, 0, 20));
    let args = ["top", "0.log", "--every", "1h", "--output", "json", "--quiet"];
    let expected = program(&folder).args(args).output().unwrap().stdout;
    for (stage, _) in STAGES {
        let output = faulty(&folder, &format!("{stage}=sleep(20)")).args(args).output().unwrap();
        assert_eq!(output.stdout, expected, "{stage}");
    }
}

/// A writer that writes nothing until it is told to.
struct Stuck(Receiver<()>, bool);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.1 {
            // An error means that the test has ended, and so should the run.
            self.1 = self.0.recv().is_ok();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A run over many chunks, each of which closes a window, whose output is stuck; how many chunks
/// may exist at once; and the way to get it going.
fn stuck(folder: &Folder, (threads, capacity, chain): (&str, &str, &str)) -> (Running, usize, Sender<()>) {
    // A file for each reader, so that each has a chunk in its hands.
    let files: i64 = threads.parse().unwrap();
    for file in 0..files {
        let lines: String = (0..4_000 / files).map(|at| format!("{} a b\n", BASE + 60 * at)).collect();
        folder.write(&format!("{file}.log"), lines);
    }
    let (go, wait) = channel();
    let pipeline = Pipeline::builder()
        .set("location", &folder.text("*.log"))
        .set("every", "60")
        .set("seconds", "60")
        .set("lateness", "0")
        .set("chunk", "16")
        .set("threads", threads)
        .set("capacity", capacity)
        .set("chain", chain)
        .output("csv", Box::new(Stuck(wait, false)))
        .build()
        .unwrap();
    let budget = pipeline.plan().chunk_budget(0).get();
    (pipeline.start().unwrap(), budget, go)
}

#[test]
fn a_stuck_output_stops_the_reader_at_exactly_the_chunks_of_the_formula() {
    for (shape, formula, held) in [
        // Three stages hold chunks, each in its edge and in its workers' hands. The reader holds one
        // more: its inputs are read by one worker in the order of time.
        (("1", "1", "false"), 7, 7..=7),
        (("1", "5", "false"), 19, 19..=19),
        (("2", "3", "false"), 16, 16..=16),
        (("8", "1", "false"), 28, 28..=28),
        // Chained, they have no edge, and one chunk in each worker's hands. Where there are several,
        // a worker that is quicker leaves its chunks to wait for the one before them, as many as
        // there may be, and whoever has that one then has them all in hand.
        (("1", "1", "true"), 2, 1..=1),
        (("1", "5", "true"), 6, 1..=1),
        (("2", "3", "true"), 5, 2..=5),
        (("8", "1", "true"), 9, 8..=9),
    ] {
        let folder = Folder::new();
        let (running, budget, go) = stuck(&folder, shape);
        assert_eq!(budget, formula, "{shape:?}");
        // All chunks may exist for an instant long before the output is stuck: the end is when no
        // more is read.
        wait_for("a full pipeline that reads no more", || {
            let read = running.progress().read();
            std::thread::sleep(Duration::from_millis(100));
            held.contains(&running.chunks_in_flight()) && running.progress().read() == read
        });
        assert!(running.metrics("report").is_some());
        go.send(()).unwrap();
        let summary = running.join();
        assert_eq!((summary.exit_code(), summary.sheets[0].balance.counted), (0, 4_000));
    }
}

#[test]
fn e6_a_run_with_a_stuck_output_can_be_aborted() {
    for (shape, held) in [(("1", "1", "false"), 7), (("2", "1", "true"), 2)] {
        let folder = Folder::new();
        let (running, _, go) = stuck(&folder, shape);
        wait_for("a full pipeline", || running.chunks_in_flight() >= held);
        let started = Instant::now();
        running.abort();
        let summary = running.join();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_ne!(summary.exit_code(), 0);
        drop(go);
    }
}

#[test]
fn a_chained_reader_lets_others_read_while_it_works_off_what_it_has_read() {
    let folder = Folder::new();
    folder.write("0.log", log(1, 2_000, 7_000, 0, 20));
    folder.write("pipeline.toml", "location = '0.log'\nuntil = 'latest'\nchunk = '1KiB'\n");
    let run = |threads: &str| {
        let mut program = faulty(&folder, "line-splitter=sleep(20)");
        program.args(["run", "--quiet", "--set", &format!("threads={threads}")]);
        let started = Instant::now();
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (output.stdout, started.elapsed())
    };
    let ((alone, long), (together, short)) = (run("1"), run("8"));
    assert_eq!(alone, together);
    assert!(short < long / 2, "{short:?} of {long:?}");
}

#[test]
fn a_pipe_that_gives_nothing_keeps_nobody_from_the_other_inputs() {
    let folder = Folder::new();
    assert!(Command::new("mkfifo").arg(folder.at("0.pipe")).status().unwrap().success());
    folder.write("1.log", log(1, 2_000, 7_000, 0, 20));
    let pipe = OpenOptions::new().read(true).write(true).open(folder.at("0.pipe")).unwrap();
    let builder = shaped(("2", "1", "1KiB", "true")).set("until", &(BASE + 10_000).to_string());
    let locations = format!("[{:?}, {:?}]", folder.text("0.pipe"), folder.text("1.log"));
    let builder = builder.set("location", &locations).output("json", Box::new(std::io::sink()));
    let running = builder.build().unwrap().start().unwrap();
    wait_for("the file to be read", || running.observe().balance.lines_read == 2_000);
    // Nor does it keep a run from its end.
    running.drain();
    let summary = running.join();
    assert_eq!((summary.exit_code(), summary.interrupted), (0, true));
    drop(pipe);
}

/// Two readers into one splitter; one filter into two aggregators of different grain, each with a
/// reporter.
const FREE_GRAPH: &str = r#"
    [stages.left]
    type = "reader"
    location = "LEFT"
    [stages.right]
    type = "reader"
    location = "RIGHT"
    [stages.lines]
    type = "line-splitter"
    inputs = ["left", "right"]
    [stages.near]
    type = "time-filter"
    inputs = ["lines"]
    seconds = 7200
    until = 1700007200
    [stages.coarse]
    type = "bucket-aggregator"
    inputs = ["near"]
    grouping-seconds = 3600
    [stages.fine]
    type = "bucket-aggregator"
    inputs = ["near"]
    grouping-seconds = 600
    [stages.pairs]
    type = "reporter"
    inputs = ["coarse"]
    reports = [{ name = "top-pairs", limit = 1000000000 }]
    outputs = ["json:PAIRS"]
    [stages.times]
    type = "reporter"
    inputs = ["fine"]
    reports = ["timeline"]
    outputs = ["csv:TIMES"]
"#;

#[test]
fn f3_fan_in_and_fan_out_give_what_the_plain_pipelines_give_under_every_shape() {
    let folder = Folder::new();
    folder.write("left.log", log(1, 3_000, 7_000, 300, 30));
    folder.write("right.log", log(2, 2_000, 7_000, 300, 30));
    let plain = |reports: &str, format: &str, grouping: &str| {
        let builder = shaped(SHAPES[0])
            .set("location", &folder.text("*.log"))
            .set("seconds", "7200")
            .set("until", "1700007200")
            .set("grouping-seconds", grouping)
            .set("reports", reports);
        run_library(builder, format).0
    };
    let (pairs, times) = (plain(ALL_PAIRS, "json", "3600"), plain("[\"timeline\"]", "csv", "600"));
    assert_eq!(times.lines().count(), 13);
    for shape in SHAPES {
        let text = [("LEFT", "left.log"), ("RIGHT", "right.log"), ("PAIRS", "pairs.json"), ("TIMES", "times.csv")]
            .iter()
            .fold(FREE_GRAPH.to_owned(), |text, (word, name)| text.replace(word, &folder.text(name)));
        let summary = Pipeline::builder()
            .config_text("free", &text)
            .set("threads", shape.0)
            .set("capacity", shape.1)
            .set("chunk", shape.2)
            .set("chain", shape.3)
            .build()
            .unwrap()
            .run()
            .unwrap();
        assert_eq!(summary.exit_code(), 0, "{shape:?}: {:?}", summary.error());
        assert_eq!(summary.sheets.len(), 2);
        assert_eq!(std::fs::read_to_string(folder.at("pairs.json")).unwrap(), pairs, "{shape:?}");
        assert_eq!(std::fs::read_to_string(folder.at("times.csv")).unwrap(), times, "{shape:?}");
    }
}

#[test]
fn a16_a_file_that_two_readers_find_counts_once() {
    let folder = Folder::new();
    folder.write("0.log", log(1, 500, 7_000, 0, 30));
    std::os::unix::fs::symlink("0.log", folder.at("1.log")).unwrap();
    let text = [("LEFT", "0.log"), ("RIGHT", "1.log"), ("PAIRS", "pairs.json"), ("TIMES", "times.csv")]
        .iter()
        .fold(FREE_GRAPH.to_owned(), |text, (word, name)| text.replace(word, &folder.text(name)));
    let summary = Pipeline::builder().config_text("free", &text).build().unwrap().run().unwrap();
    let balance = &summary.sheets[0].balance;
    assert_eq!((balance.lines_read, balance.inputs, summary.exit_code()), (500, 1, 0));
}
