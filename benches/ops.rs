//! The pure operators, each beside its simple twin: bytes, lines or records a second. `cargo bench
//! --bench ops`.

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use logparser::Timestamp;
use logparser::internals::batch::Record;
use logparser::internals::model::recycle::BufferPool;
use logparser::internals::model::time::SECOND;
use logparser::internals::ops::count::{Counter, count};
use logparser::internals::ops::select::{Bounds, select};
use logparser::internals::ops::split::split;
use logparser::internals::tally::Shape;
use logparser::internals::tally::{Hosts, Tally};

use support::{buckets, chunks, last, lines, made};

/// Lines of the log that is worked on: some two chunks.
const LINES: u64 = 20_000;

const DAY: i64 = 86_400;

fn splitting(criterion: &mut Criterion) {
    let log = made(LINES);
    let mut group = criterion.benchmark_group("split");
    group.throughput(Throughput::Bytes(log.len() as u64));
    let mut ends = Vec::new();
    group.bench_function("memchr", |bench| {
        bench.iter(|| {
            ends.clear();
            split(black_box(&log), &mut ends);
        })
    });
    group.bench_function("simple: byte by byte", |bench| {
        bench.iter(|| {
            ends.clear();
            ends.extend(black_box(&log).iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at as u32));
        })
    });
    group.finish();
}

/// The stamps and hosts of the lines in the window, by splitting at white space.
fn parse_simply(log: &[u8], bounds: &Bounds) -> usize {
    let stamp = |field: Option<&str>| field.and_then(|text| text.parse::<i64>().ok());
    let mut kept = 0;
    for line in std::str::from_utf8(log).unwrap_or_default().lines() {
        let mut fields = line.split_ascii_whitespace();
        let time = stamp(fields.next()).map(Timestamp::from_seconds);
        if time.is_some_and(|time| bounds.first <= time && time <= bounds.last) {
            kept += usize::from(fields.next().is_some() && fields.next().is_some());
        }
    }
    kept
}

fn parsing(criterion: &mut Criterion) {
    let log = made(LINES);
    let chunks = chunks(&log);
    let pool = BufferPool::default();
    let lines: Vec<_> = chunks.iter().map(|chunk| lines(chunk, &pool)).collect();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(LINES));
    // All outside: a window of an hour that begins an hour behind the log.
    let later = |time: Timestamp| time.plus(2 * 3_600 * SECOND);
    let Bounds { first, last: end, .. } = last(3_600);
    let behind = Bounds { keep_from: later(first), first: later(first), last: later(end), future_after: later(end) };
    for (share, bounds) in [("all inside", last(DAY)), ("all outside", behind)] {
        let mut records = Vec::new();
        group.bench_function(format!("select, {share}"), |bench| {
            bench.iter(|| {
                records.clear();
                for lines in &lines {
                    black_box(select(lines, &bounds, false, &mut records));
                }
            })
        });
        group.bench_function(format!("simple: split at white space, {share}"), |bench| {
            bench.iter(|| black_box(parse_simply(&log, &bounds)))
        });
    }
    group.finish();
}

fn interning(criterion: &mut Criterion) {
    let log = made(LINES);
    let text = String::from_utf8_lossy(&log);
    let names: Vec<&[u8]> = text.lines().filter_map(|line| line.split(' ').nth(1)).map(str::as_bytes).collect();
    let mut group = criterion.benchmark_group("intern");
    group.throughput(Throughput::Elements(names.len() as u64));
    group.bench_function("Hosts", |bench| {
        bench.iter(|| {
            let mut hosts = Hosts::default();
            names.iter().for_each(|name| _ = black_box(hosts.find(name).unwrap_or_else(|| hosts.intern(name))));
        })
    });
    group.bench_function("simple: HashMap", |bench| {
        bench.iter(|| {
            let mut hosts: HashMap<Vec<u8>, usize> = HashMap::new();
            for name in &names {
                let next = hosts.len();
                black_box(*hosts.entry(name.to_vec()).or_insert(next));
            }
        })
    });
    group.finish();
}

fn counting(criterion: &mut Criterion) {
    let log = made(LINES);
    let chunks = chunks(&log);
    let bounds = last(DAY);
    let buckets = buckets(&bounds);
    let batches: Vec<Vec<Record>> = chunks
        .iter()
        .map(|chunk| {
            let mut records = Vec::new();
            select(&lines(chunk, &BufferPool::default()), &bounds, false, &mut records);
            records
        })
        .collect();
    let mut group = criterion.benchmark_group("count");
    group.throughput(Throughput::Elements(LINES));
    let tally = Tally::new(Shape { pane: buckets.last + 1, shards: 1 }, Default::default());
    let mut counter = Counter::default();
    group.bench_function("Tally", |bench| {
        bench.iter(|| {
            for (records, chunk) in batches.iter().zip(&chunks) {
                black_box(count(records, &chunk.bytes, &buckets, &tally, &mut counter));
            }
        })
    });
    let mut map: BTreeMap<(i64, Vec<u8>, Vec<u8>), u64> = BTreeMap::new();
    group.bench_function("simple: BTreeMap", |bench| {
        bench.iter(|| {
            for (records, chunk) in batches.iter().zip(&chunks) {
                for record in records {
                    let host = |range| Record::slice(&chunk.bytes, range).to_vec();
                    *map.entry((buckets.of(record.time), host(record.from), host(record.to))).or_default() += 1;
                }
            }
        })
    });
    group.finish();
}

criterion_group!(benches, splitting, parsing, interning, counting);
criterion_main!(benches);
