//! How long counting stands still while a state with ten million pairs is saved, and what memory that takes.
//!
//! A log of that many pairs is followed, and once it is counted another one grows line by line, while it is looked up all
//! the time how much is counted. The longest time in which that does not change, though more was written, is the stall.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use logparser::Pipeline;

/// Distinct pairs.
const PAIRS: u32 = 10_000_000;

/// How long it is watched, in seconds.
const WATCHED: u64 = 20;

/// Lines are written, and looked for, this often.
const TICK: Duration = Duration::from_millis(2);

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mut log = BufWriter::new(File::create(path("many.log")).unwrap());
    for pair in 0..PAIRS {
        writeln!(log, "1700000000 h{} s{}", pair % 10_000, pair / 10_000).unwrap();
    }
    log.into_inner().unwrap().sync_all().unwrap();
    let location = path("*.log").to_str().unwrap().to_owned();
    // With CHECKPOINT=1h nothing is saved meanwhile: what the machine itself makes a line wait for.
    let checkpoint = std::env::var("CHECKPOINT").unwrap_or_else(|_| "1s".to_owned());
    let builder = Pipeline::builder().set("location", &format!("'{location}'")).set("follow", "true");
    let builder =
        builder.set("every", "1d").set("seconds", "1d").set("since", "1600000000").set("checkpoint", &checkpoint);
    let builder = builder.set("state", &format!("'{}'", path("state").display()));
    let ends = Arc::new(AtomicBool::new(false));
    let running = builder
        .output("json", Box::new(std::io::sink()))
        .interrupt(Arc::clone(&ends))
        .build()
        .unwrap()
        .start()
        .unwrap();
    let counted = || running.observe().balance.lines_read;
    while counted() < u64::from(PAIRS) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let before = resident();
    let mut live = File::create(path("live.log")).unwrap();
    let (started, mut written, mut longest) = (Instant::now(), u64::from(PAIRS), Duration::ZERO);
    let (mut waiting, mut most, mut looked) = (None, before, Instant::now());
    while started.elapsed() < Duration::from_secs(WATCHED) {
        writeln!(live, "1700000001 h1 s1").unwrap();
        written += 1;
        // Time for which the disk keeps this thread from writing is no time that counting stands still.
        let since = *waiting.get_or_insert_with(|| (counted(), Instant::now()));
        std::thread::sleep(TICK);
        let now = counted();
        if now != since.0 {
            longest = longest.max(since.1.elapsed());
            waiting = (now < written).then(|| (now, Instant::now()));
        }
        if looked.elapsed() > Duration::from_millis(50) {
            most = most.max(resident());
            looked = Instant::now();
        }
    }
    let saved: Vec<u64> = logparser::state::inspect(&path("state")).iter().map(|slot| slot.bytes).collect();
    println!("{PAIRS} pairs, states of {saved:?} bytes");
    let stall = running.observe().longest_stall;
    println!("counting stood still to set tables aside or join them: at most {:.1} ms", stall.as_secs_f64() * 1e3);
    println!("a line written was counted after {:.0} ms at the latest", longest.as_secs_f64() * 1e3);
    let more = 100.0 * (most as f64 / before as f64 - 1.0);
    println!("resident: {} MiB, at most {} MiB while saving ({more:+.1} %)", before >> 20, most >> 20);
    ends.store(true, Ordering::Relaxed);
    drop(running.join());
}

/// Bytes of memory that this process has, by the system.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
