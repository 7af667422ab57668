//! The price of the stages, as two numbers: the processor time of the graph against that of one
//! loop over the same operators, and the rate of the graph on all cores against that of independent
//! loops, one a core, each on its part of the file. `cargo bench --bench price [-- --lines N]`.
//!
//! Both read the same file, page cache warm, in turn, several times; what is printed are medians of
//! the ratios within a round, with the lowest and the highest. Times alone mean little on a machine
//! that is shared. Criterion measures no processor time, so this is by hand.

// Benchmarks fail by panicking, and print what they found.
#![allow(clippy::expect_used, clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/mod.rs"]
mod support;

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use logparser::Pipeline;
use logparser::internals::batch::Record;
use logparser::internals::model::recycle::BufferPool;
use logparser::internals::ops::count::{Counter, count};
use logparser::internals::ops::select::{Bounds, select};
use logparser::internals::tally::Shape;
use logparser::internals::tally::Tally;

use support::{CHUNK, END, buckets, chunk, last, lines, made};

/// Lines of the log, unless others are asked for: about 200 MB.
const LINES: u64 = 8_000_000;

const ROUNDS: usize = 9;

/// What is asked: a name, and the length of the window in seconds.
const WINDOWS: [(&str, i64); 2] = [("last hour of a day, everything read", 3_600), ("all inside the window", 86_400)];

/// Time on the clock, and of the processor.
struct Taken {
    wall: f64,
    cpu: f64,
}

fn taken(f: impl FnOnce()) -> Taken {
    let cpu = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_secs_f64()
    };
    let (started, before) = (Instant::now(), cpu());
    f();
    Taken { wall: started.elapsed().as_secs_f64(), cpu: cpu() - before }
}

/// The whole job on a part of a file as one loop over the operators. Gives the records counted.
fn fused(file: &File, part: Range<u64>, bounds: &Bounds) -> u64 {
    let buckets = buckets(bounds);
    let tally = Tally::new(Shape { pane: buckets.last + 1, shards: 64 }, Default::default());
    let (mut counter, mut records, mut counted) = (Counter::default(), Vec::<Record>::new(), 0);
    let (ends, bytes_pool, mut at) = (BufferPool::default(), BufferPool::<u8>::default(), part.start);
    while at < part.end {
        let mut bytes = bytes_pool.take();
        bytes.resize(CHUNK.min((part.end - at) as usize), 0);
        file.read_exact_at(&mut bytes, at).expect("the bytes of the log");
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        bytes.truncate(whole);
        at += whole as u64;
        let chunk = Arc::new(chunk(bytes, at - whole as u64, at == part.end));
        records.clear();
        let selected = select(&lines(&chunk, &ends), bounds, false, &mut records);
        counted += selected.balance.counted;
        assert!(count(&records, &chunk.bytes, &buckets, &tally, &mut counter).is_empty());
    }
    counted
}

fn graph(path: &Path, seconds: i64) -> u64 {
    let builder = Pipeline::builder()
        .set("location", &format!("'{}'", path.display()))
        .set("until", &END.to_string())
        .set("seconds", &seconds.to_string())
        .set("scan", "full")
        .output("json", Box::new(std::io::sink()));
    let summary = builder.build().and_then(Pipeline::run).expect("a run that works");
    summary.sheets[0].balance.counted
}

/// Parts of a file, as many as there are cores, cut at line ends.
fn parts(log: &[u8], cores: usize) -> Vec<Range<u64>> {
    let cut = |core: usize| match core * log.len() / cores {
        0 => 0,
        at if at >= log.len() => log.len(),
        at => at + log[at..].iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1),
    };
    (0..cores).map(|core| cut(core) as u64..cut(core + 1) as u64).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn lowest_and_highest(values: &[f64]) -> [f64; 2] {
    [values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max)]
}

/// The number behind `--lines`, if it is there.
fn lines_asked_for() -> u64 {
    let number = std::env::args().skip_while(|argument| argument != "--lines").nth(1);
    number.map_or(LINES, |number| number.parse().expect("a number of lines"))
}

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let line_count = lines_asked_for();
    let log = made(line_count);
    let path = tempfile::NamedTempFile::new().expect("a temporary file").into_temp_path();
    std::fs::write(&path, &log).expect("room for the log");
    let file = File::open(&path).expect("the log");
    let (all, parts) = (0..log.len() as u64, parts(&log, cores));
    drop(log);
    println!("{cores} cores, {line_count} lines, medians of {ROUNDS} rounds\n");
    println!("| window | graph, CPU s | one loop, CPU s | ratio | graph, rate against {cores} loops |");
    println!("|---|---:|---:|---:|---:|");
    for (name, seconds) in WINDOWS {
        let bounds = last(seconds);
        // A benchmark of something else than it says would be worse than none.
        assert_eq!(graph(&path, seconds), fused(&file, all.clone(), &bounds), "{name}");
        let (mut of_graph, mut of_loop, mut ratios, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let graph = taken(|| _ = graph(&path, seconds));
            let one = taken(|| _ = fused(&file, all.clone(), &bounds));
            let each = taken(|| {
                std::thread::scope(|scope| {
                    parts.iter().for_each(|part| _ = scope.spawn(|| fused(&file, part.clone(), &bounds)));
                })
            });
            of_graph.push(graph.cpu);
            of_loop.push(one.cpu);
            ratios.push(graph.cpu / one.cpu);
            rates.push(each.wall / graph.wall);
        }
        let [lowest, highest] = lowest_and_highest(&ratios);
        let [of_graph, of_loop, ratio, rate] = [of_graph, of_loop, ratios, rates].map(median);
        println!("| {name} | {of_graph:.3} | {of_loop:.3} | {ratio:.2} ({lowest:.2} to {highest:.2}) | {rate:.2} |");
    }
}
