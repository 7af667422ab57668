//! The crash loop: a writer at full rate, a program that is killed again and again, and a count of
//! one's own after every kill.
//!
//! `LOGPARSER_KILLS` is the number of kills of each loop, `LOGPARSER_SEED` the seed, which is
//! printed, and `LOGPARSER_BIN` the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::{
    Folder, Logs, Oracle, Random, Running, SavedState, asked, check_results, configure, follower, program, said,
    seconds, terminate, wait_until_saved,
};

/// Kills of a loop where nothing else is asked for.
const KILLS: u64 = 25;

fn seed(test: &str) -> u64 {
    let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = asked("LOGPARSER_SEED").unwrap_or_else(|| u64::from(clock()) % 1_000_000);
    eprintln!("{test}: LOGPARSER_SEED={seed}");
    seed
}

/// A writer at work in a thread of its own, until it is dropped.
struct Writing {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Logs>>,
}

impl Writing {
    fn start(mut logs: Logs) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&done);
        // The oracle keeps all that is written: in a long loop it comes slower.
        let pause = Duration::from_micros(if asked("LOGPARSER_KILLS").unwrap_or(KILLS) > 100 { 2000 } else { 300 });
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                logs.step();
                std::thread::sleep(pause);
            }
            logs.finish();
            logs
        });
        Writing { done, thread: Some(thread) }
    }

    fn stop(mut self) -> Logs {
        self.done.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// Bytes of all that can be read.
fn readable(logs: &Logs) -> u64 {
    let generations = logs.generations.lock().unwrap();
    generations.iter().filter(|generation| generation.readable).map(|generation| generation.bytes.len() as u64).sum()
}

/// Copies the slots of the state away, or back.
fn copy_state(folder: &Folder, from: &str, to: &str) {
    std::fs::create_dir_all(folder.at(to)).unwrap();
    for slot in ["state.0", "state.1"] {
        let _ = std::fs::remove_file(folder.at(to).join(slot));
        let _ = std::fs::copy(folder.at(from).join(slot), folder.at(to).join(slot));
    }
}

/// What a loop is like.
struct Loop {
    seed: u64,
    window: &'static str,
    /// Length of a window in seconds.
    length: i64,
    checkpoint: &'static str,
    more: &'static str,
    /// Stamps go on by so many nanoseconds a line.
    pace: i64,
    loses: bool,
    /// Whether an older state is copied back now and then.
    restores: bool,
    /// The longest that a program lives, in milliseconds.
    longest: u64,
}

impl Loop {
    /// Runs it; the folder and the oracle are left for more questions.
    fn run(&self) -> (Folder, Oracle) {
        let folder = Folder::new();
        configure(&folder, self.window, self.checkpoint, self.more);
        let mut logs = Logs::new(&folder, self.seed);
        (logs.pace, logs.loses) = (self.pace, self.loses);
        let mut random = Random::new(self.seed + 1);
        let mut oracle = Oracle::new(&logs.generations, self.length);
        let writing = Writing::start(logs);
        let (mut states, mut backup): (u64, Option<u64>) = (0, None);
        let kills = asked("LOGPARSER_KILLS").unwrap_or(KILLS);
        for kill in 0..kills {
            let mut running = Running(follower(&folder).spawn().unwrap());
            // Now and then while it starts.
            let longest = if random.below(4) == 0 { 40 } else { self.longest };
            std::thread::sleep(Duration::from_millis(random.below(longest)));
            assert!(running.0.try_wait().unwrap().is_none(), "kill {kill}: it has ended: {}", said(&folder));
            drop(running);
            let Some(saved) = SavedState::of(&folder, true) else { continue };
            states += 1;
            oracle.check(&saved);
            match backup {
                _ if !self.restores => {}
                None if random.below(4) == 0 => {
                    copy_state(&folder, "state", "backup");
                    backup = Some(kill);
                }
                Some(taken) if kill > taken + random.below(3) => {
                    copy_state(&folder, "backup", "state");
                    backup = None;
                }
                _ => {}
            }
        }
        let mut logs = writing.stop();
        // So that the end shows in every generation that is not the last one.
        logs.append(1);
        let mut running = Running(follower(&folder).spawn().unwrap());
        if self.loses {
            self.await_silence(&folder);
        } else {
            wait_until_saved(&folder, readable(&logs));
            self.await_windows(&folder, &logs);
        }
        let (code, time) = terminate(&mut running);
        assert_eq!(code, Some(0), "{}", said(&folder));
        assert!(time < Duration::from_millis(2500), "ended after {time:?}");
        let saved = SavedState::of(&folder, true).unwrap();
        oracle.check(&saved);
        if !self.loses {
            let before = oracle.lines;
            oracle.set_all();
            assert_eq!((saved.bytes(), before), (readable(&logs), oracle.lines), "{}", saved.text(false));
            assert_eq!(saved.lost(), 0, "{}\n{}", said(&folder), saved.text(false));
        }
        let generations = logs.generations.lock().unwrap().len();
        eprintln!(
            "{kills} kills, {states} states, {generations} generations, {} lines, {} bytes: exact",
            oracle.lines,
            saved.bytes()
        );
        (folder, oracle)
    }

    /// Waits until all windows are closed but the last one, for which a file that was rotated must
    /// have ended.
    fn await_windows(&self, folder: &Folder, logs: &Logs) {
        let last = logs.stamp().div_euclid(self.length * 1_000_000_000) * self.length;
        let started = Instant::now();
        loop {
            let saved = SavedState::of(folder, false).unwrap();
            let next = saved.contents["windows"]["next_end"].as_str().map(seconds);
            if self.length > 3600 || next.is_some_and(|next| next > last) {
                return;
            }
            // Long, as a busy machine is no fault: windows that stay open do so for ever.
            assert!(started.elapsed() < Duration::from_secs(60), "{last}: windows stay open: {}", saved.text(false));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until nothing more is read, and so long that what is gone is given up.
    fn await_silence(&self, folder: &Folder) {
        let (mut last, mut since) = (0, Instant::now());
        while since.elapsed() < Duration::from_millis(4000) {
            let now = SavedState::of(folder, false).map_or(0, |saved| saved.bytes() + saved.lost() + 1);
            if now != last || last == 0 {
                (last, since) = (now, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

const WHOLE: Loop = Loop {
    seed: 0,
    window: "10d",
    length: 864_000,
    checkpoint: "50ms",
    more: "",
    pace: 1_000,
    loses: false,
    restores: false,
    longest: 400,
};

#[test]
fn d1_a3_b1_b3_killed_at_random_the_counts_are_those_of_the_bytes_before_the_positions() {
    Loop { seed: seed("d1"), ..WHOLE }.run();
}

#[test]
fn d19_an_older_state_that_is_copied_back_replays() {
    Loop { seed: seed("d19"), restores: true, ..WHOLE }.run();
}

#[test]
fn d22_d23_killed_soon_and_with_a_state_every_ten_milliseconds() {
    let (folder, mut oracle) = Loop { seed: seed("d22"), checkpoint: "10ms", longest: 120, ..WHOLE }.run();
    // With no state in between, what comes meanwhile is read by the next run that has one.
    let saved = SavedState::of(&folder, true).unwrap();
    let mut running = Running(follower(&folder).args(["--set", "checkpoint=1h"]).spawn().unwrap());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(terminate(&mut running).0, Some(0));
    oracle.check(&SavedState::of(&folder, true).unwrap());
    assert_eq!(saved.bytes(), SavedState::of(&folder, true).unwrap().bytes());
}

#[test]
fn a9_lines_that_were_truncated_without_a_copy_are_said_to_be_lost() {
    let (folder, oracle) = Loop { seed: seed("a9"), loses: true, ..WHOLE }.run();
    let saved = SavedState::of(&folder, false).unwrap();
    let said = said(&folder);
    let generations = oracle.lengths();
    let cut = generations.iter().enumerate().filter(|(at, (length, _))| (1..*length).contains(&oracle.position(*at)));
    let mut losses = Vec::new();
    for (at, (length, readable)) in cut {
        assert!(!readable, "generation {at} could be read, and was not: {}", saved.text(false));
        losses.push((at, oracle.position(at), length));
    }
    let warnings = said.lines().filter(|line| line.contains("lost")).count();
    let text = saved.text(false);
    assert!(warnings >= losses.len(), "generations, positions and lengths {losses:?}, and said is {said}\n{text}");
}

/// Every window is issued, and always with the same content.
fn every_result_is_right(more: &'static str, restores: bool, test: &str) {
    // Windows of a second, each of some thousand lines. A file that was rotated while nobody looked
    // is one like any other, and holds results back until it is idle.
    let (folder, mut oracle) =
        Loop { seed: seed(test), window: "1s", length: 1, pace: 200_000, more, restores, ..WHOLE }.run();
    oracle.set_all();
    check_results(&folder, &oracle, test);
}

#[test]
fn d1_every_window_is_issued_and_always_alike_however_often_it_is_killed() {
    every_result_is_right("idle = \"2s\"", false, "d1 windows");
}

#[test]
fn d1_d19_windows_are_issued_alike_from_an_older_state_too() {
    every_result_is_right("idle = \"2s\"", true, "d19 windows");
}

#[test]
fn d17_a_second_instance_is_refused_and_a_third_starts_once_the_first_is_killed() {
    let folder = Folder::new();
    configure(&folder, "10d", "50ms", "");
    let mut logs = Logs::new(&folder, 1);
    logs.append(1000);
    let mut first = Running(follower(&folder).spawn().unwrap());
    wait_until_saved(&folder, readable(&logs));
    let started = Instant::now();
    let second = program(&folder).args(["run", "pipeline.toml"]).output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{text}");
    assert!(text.contains(&format!("in use by process {} (", first.0.id())), "{text}");
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    logs.append(1000);
    let mut third = Running(follower(&folder).spawn().unwrap());
    wait_until_saved(&folder, readable(&logs));
    assert_eq!(terminate(&mut third).0, Some(0));
    let mut oracle = Oracle::new(&logs.generations, 864_000);
    oracle.check(&SavedState::of(&folder, true).unwrap());
    assert_eq!(oracle.lines, 2000);
}
