//! How long counting stands still at ten million pairs: while a state is saved, with the memory
//! that this takes, and while the names of a window that has closed are dropped.
//!
//! A log of that many pairs is followed, and once it is counted another one grows line by line,
//! while it is looked up all the time how much is counted. The longest time in which that does not
//! change, though more was written, is the stall.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use logparser::Pipeline;
use logparser::Running;

/// Distinct pairs.
const PAIRS: u32 = 10_000_000;

/// Hosts of the window that closes, and of the one that goes on.
const HOSTS: u32 = 1_000_000;

/// How long it is watched, in seconds.
const WATCHED: u64 = 20;

/// Lines are written, and looked for, this often.
const TICK: Duration = Duration::from_millis(2);

/// The start of an hour.
const HOUR: u64 = 1_699_999_200;

fn main() {
    saving();
    dropping();
}

/// A state is saved every second.
fn saving() {
    // With CHECKPOINT=1h nothing is saved meanwhile: what the machine itself makes a line wait for.
    let checkpoint = std::env::var("CHECKPOINT").unwrap_or_else(|_| "1s".to_owned());
    let run = Run::new(|log| {
        (0..PAIRS).for_each(|pair| writeln!(log, "{HOUR} h{} s{}", pair % 10_000, pair / 10_000).unwrap());
        PAIRS
    });
    let state = quoted(&run.at("state"));
    let run = run.start(&[("every", "1d"), ("seconds", "1d"), ("checkpoint", &checkpoint), ("state", &state)]);
    let before = resident();
    let (longest, most) = run.watch(HOUR + 1, || {});
    let saved: Vec<u64> =
        logparser::internals::snapshot::store::inspect(&run.at("state")).iter().map(|slot| slot.bytes).collect();
    println!("{PAIRS} pairs, states of {saved:?} bytes");
    run.tell("while saving", longest);
    let more = 100.0 * (most as f64 / before as f64 - 1.0);
    println!("resident: {} MiB, at most {} MiB while saving ({more:+.1} %)", before >> 20, most >> 20);
    run.end();
}

/// A window closes once all pairs of the next one are counted.
fn dropping() {
    let run = Run::new(|log| {
        (0..HOSTS).for_each(|host| writeln!(log, "{HOUR} dropped-{host} s{}", host % 1_000).unwrap());
        let pair = |pair| (pair % HOSTS, pair / HOSTS);
        (0..PAIRS).map(pair).for_each(|(from, to)| writeln!(log, "{} kept-{from} s{to}", HOUR + 3_600).unwrap());
        HOSTS + PAIRS + 1
    });
    // Nothing of this log is new for long, so that the first window stays open.
    std::fs::write(run.at("slow.log"), format!("{HOUR} h1 s1\n")).unwrap();
    let run = run.start(&[("every", "1h"), ("seconds", "1h"), ("lateness", "0"), ("idle", "1h"), ("state", "none")]);
    let before = resident();
    let mut slow = File::options().append(true).open(run.at("slow.log")).unwrap();
    let (longest, most) = run.watch(HOUR + 3_601, || writeln!(slow, "{} h1 s1", HOUR + 3_600).unwrap());
    println!("{PAIRS} pairs of {HOSTS} hosts, and as many hosts of a window that closes");
    run.tell("while names are dropped", longest);
    println!("resident: {} MiB, then at most {} MiB, in the end {}", before >> 20, most >> 20, resident() >> 20);
    run.end();
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// A run that follows the logs of a folder, or is about to.
struct Run {
    dir: tempfile::TempDir,
    /// Lines of its first logs.
    lines: u64,
    ends: Arc<AtomicBool>,
    running: Option<Running>,
}

impl Run {
    /// Of a log that `write` writes; it gives how many lines there are to wait for.
    fn new(write: impl FnOnce(&mut BufWriter<File>) -> u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut log = BufWriter::new(File::create(dir.path().join("many.log")).unwrap());
        let lines = u64::from(write(&mut log));
        log.into_inner().unwrap().sync_all().unwrap();
        Run { dir, lines, ends: Arc::default(), running: None }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it, and waits until its lines are counted.
    fn start(mut self, options: &[(&str, &str)]) -> Self {
        let builder = Pipeline::builder().set("location", &quoted(&self.at("*.log"))).set("follow", "true");
        let builder = builder.set("since", "1600000000");
        let builder = options.iter().fold(builder, |builder, (key, value)| builder.set(key, value));
        let builder = builder.output("json", Box::new(std::io::sink())).interrupt(Arc::clone(&self.ends));
        self.running = Some(builder.build().unwrap().start().unwrap());
        while self.lines_read() < self.lines {
            std::thread::sleep(Duration::from_millis(100));
        }
        self
    }

    fn lines_read(&self) -> u64 {
        self.running.as_ref().unwrap().observe().balance.lines_read
    }

    /// The longest time for which a line of this stamp is not counted, and the most memory there is
    /// meanwhile. `after` writes one line more after some of them.
    fn watch(&self, stamp: u64, after: impl FnOnce()) -> (Duration, u64) {
        let mut live = File::create(self.at("live.log")).unwrap();
        let (started, mut written, mut longest) = (Instant::now(), self.lines_read(), Duration::ZERO);
        let (mut waiting, mut most, mut looked, mut after) = (None, resident(), Instant::now(), Some(after));
        while started.elapsed() < Duration::from_secs(WATCHED) {
            if started.elapsed() > Duration::from_secs(2)
                && let Some(after) = after.take()
            {
                after();
                written += 1;
            }
            writeln!(live, "{stamp} h1 s1").unwrap();
            written += 1;
            // Time for which the disk keeps this thread from writing is no time that counting
            // stands still.
            let since = *waiting.get_or_insert_with(|| (self.lines_read(), Instant::now()));
            std::thread::sleep(TICK);
            let now = self.lines_read();
            if now != since.0 {
                longest = longest.max(since.1.elapsed());
                waiting = (now < written).then(|| (now, Instant::now()));
            }
            if looked.elapsed() > Duration::from_millis(50) {
                most = most.max(resident());
                looked = Instant::now();
            }
        }
        (longest, most)
    }

    fn tell(&self, what: &str, longest: Duration) {
        let stall = self.running.as_ref().unwrap().observe().longest_stall;
        println!("{what} counting was kept from going on for at most {:.1} ms", stall.as_secs_f64() * 1e3);
        println!("a line written was counted after {:.0} ms at the latest", longest.as_secs_f64() * 1e3);
    }

    fn end(self) {
        self.ends.store(true, Ordering::Relaxed);
        drop(self.running.map(Running::join));
    }
}

/// Bytes of memory that this process has, by the system.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
