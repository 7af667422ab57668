//! The whole graph on a made log, beside one loop over the same operators: bytes a second, and so
//! the price of the stages. `cargo bench --bench pipeline`.
//!
//! Test and benchmark builds hold the injection points of `fail`; they are looked up once a batch.

// Benchmarks fail by panicking.
#![allow(clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use logparser::Pipeline;
use logparser::internals::batch::{Chunk, Record};
use logparser::internals::model::recycle::BufferPool;
use logparser::internals::ops::count::{Counter, count};
use logparser::internals::ops::select::{Bounds, select};
use logparser::internals::tally::Shape;
use logparser::internals::tally::Tally;

use support::{END, buckets, chunks, last, lines, made};

/// Lines of the log: about 32 MB.
const LINES: u64 = 1_300_000;

/// What is asked: a name, and the length of the window in seconds.
const WINDOWS: [(&str, i64); 2] = [("last hour of a day, everything read", 3_600), ("all inside the window", 86_400)];

/// The whole job as one loop over the same operators, on one thread and without stages. Gives the
/// records counted.
fn fused(chunks: &[Arc<Chunk>], bounds: &Bounds) -> u64 {
    let buckets = buckets(bounds);
    let tally = Tally::new(Shape { pane: buckets.last + 1, shards: 64 }, Default::default());
    let mut counter = Counter::default();
    let (pool, mut records, mut counted) = (BufferPool::default(), Vec::<Record>::new(), 0);
    for chunk in chunks {
        records.clear();
        let selected = select(&lines(chunk, &pool), bounds, false, &mut records);
        counted += selected.balance.counted;
        black_box(count(&records, &chunk.bytes, &buckets, &tally, &mut counter));
    }
    counted
}

fn graph(criterion: &mut Criterion) {
    let log = made(LINES);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), &log).expect("room for the log");
    let location = format!("'{}'", file.path().display());
    let chunks = chunks(&log);
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    for (name, seconds) in WINDOWS {
        let run = |threads: Option<&str>| {
            let builder = Pipeline::builder()
                .set("location", &location)
                .set("until", &END.to_string())
                .set("seconds", &seconds.to_string())
                .set("scan", "full")
                .output("json", Box::new(std::io::sink()));
            let builder = threads.into_iter().fold(builder, |builder, threads| builder.set("threads", threads));
            let summary = builder.build().and_then(Pipeline::run).expect("a run that works");
            summary.sheets[0].balance.counted
        };
        let bounds = last(seconds);
        // A benchmark of something else than it says would be worse than none.
        assert_eq!(run(None), fused(&chunks, &bounds), "{name}");
        group.bench_function(format!("graph, threads by default, {name}"), |bench| bench.iter(|| black_box(run(None))));
        group.bench_function(format!("graph, 1 thread a stage, {name}"), |bench| {
            bench.iter(|| black_box(run(Some("1"))))
        });
        group.bench_function(format!("one loop, 1 thread, {name}"), |bench| {
            bench.iter(|| black_box(fused(&chunks, &bounds)))
        });
    }
    group.finish();
}

criterion_group!(benches, graph);
criterion_main!(benches);
