//! A long run with many rotations, now and then killed: memory and descriptors must not grow, and
//! all is exact.
//!
//! Not part of `cargo test`: `tests/soak.sh` runs it, for `LOGPARSER_MINUTES`, with
//! `LOGPARSER_ROTATIONS` rotations.

use crate::support::{
    Folder, Logs, Oracle, Running, SavedState, asked, check_results, configure, follower, said, skip, terminate,
    wait_until_saved,
};
use std::time::{Duration, Instant};

/// Rotated files that are kept, as `logrotate` keeps some.
const KEPT: usize = 10;

/// Lines a second.
const RATE: u64 = 10_000;

/// Resident memory in KiB, and open descriptors.
fn sample(running: &Running) -> (u64, u64) {
    let process = format!("/proc/{}", running.0.id());
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident = line.trim().trim_end_matches(" kB").parse().unwrap();
    (resident, std::fs::read_dir(format!("{process}/fd")).unwrap().count() as u64)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

#[test]
#[ignore = "takes as long as it is told to: tests/soak.sh runs it"]
fn e16_a_long_run_over_many_rotations_stays_small_and_exact() {
    let time = Duration::from_secs_f64(60.0 * asked("LOGPARSER_MINUTES").unwrap_or(30.0));
    let rotations = asked("LOGPARSER_ROTATIONS").unwrap_or(1000.0);
    let folder = Folder::new();
    configure(&folder, "1s", "1s", "idle = \"5s\"");
    let mut logs = Logs::new(&folder, 16);
    // Stamps go on as time does.
    logs.pace = 1_000_000_000 / RATE as i64;
    let mut oracle = Oracle::new(&logs.generations, 1);
    let mut running = Running(follower(&folder).spawn().unwrap());
    let (started, mut samples, mut rotated) = (Instant::now(), Vec::new(), 0);
    let mut written = 0;
    while started.elapsed() < time {
        let due = (started.elapsed().as_secs_f64() * RATE as f64) as u64;
        logs.append((due - written).max(1));
        written = due.max(written + 1);
        if started.elapsed().as_secs_f64() / time.as_secs_f64() > rotated as f64 / rotations {
            rotated += 1;
            if rotated % 4 == 0 {
                logs.copytruncate(true)
            } else {
                logs.rename()
            }
            let generations = logs.generations.lock().unwrap();
            if let Some(old) = generations.len().checked_sub(KEPT + 1) {
                let _ = std::fs::remove_file(generations[old].path.as_ref().unwrap());
            }
        }
        // Twenty samples a minute at least.
        if samples.len() as f64 <= started.elapsed().as_secs_f64() / 3.0 {
            samples.push(sample(&running));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let bytes = oracle.lengths().iter().map(|(length, _)| *length as u64).sum();
    wait_until_saved(&folder, bytes);
    // All windows close but the last one.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    oracle.check(&SavedState::of(&folder, true).unwrap());
    let lines = oracle.lines;
    oracle.set_all();
    assert_eq!(lines, oracle.lines, "{}", said(&folder));
    check_results(&folder, &oracle, "e16");
    let quarter = samples.len() / 4;
    let of = |from: usize, to: usize| {
        let part = &samples[from..to];
        (median(part.iter().map(|s| s.0).collect()), median(part.iter().map(|s| s.1).collect()))
    };
    let (early, late) = (of(quarter, 2 * quarter), of(3 * quarter, samples.len()));
    eprintln!(
        "e16: {} min, {rotated} rotations, {lines} lines, exact; resident {} KiB, later {} KiB; descriptors {}, later {}",
        time.as_secs() / 60,
        early.0,
        late.0,
        early.1,
        late.1
    );
    // A short one is not through with its warm-up.
    if rotated < 10 * KEPT {
        return skip("in part: it was too short for memory to stop growing");
    }
    assert!(late.0 < early.0 + early.0 / 10 + 2048, "memory grows");
    assert!(late.1 <= early.1 + 2, "descriptors grow");
}
