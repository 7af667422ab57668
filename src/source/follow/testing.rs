//! A follower in a folder of its own, with a clock that the test moves and a ledger of what was
//! passed on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::delivery::LostBytes;
use super::{Delivery, FileRecord, FollowOptions, Follower, New};
use crate::model::location::Location;
use crate::model::{Guard, InputId};

/// The folder, the follower and what came of it.
pub(super) struct World {
    pub folder: tempfile::TempDir,
    pub options: FollowOptions,
    pub follower: Follower,
    pub now: Duration,
    pub new: Vec<New>,
    pub warnings: Vec<String>,
    /// What was passed on and is not counted yet.
    pub waiting: VecDeque<(Delivery, Vec<u8>)>,
    /// What is counted, by generation.
    pub counted: BTreeMap<InputId, Counted>,
    pub ended: BTreeSet<InputId>,
    /// How far each generation has been passed on in this run.
    at: BTreeMap<InputId, u64>,
    stamp: u64,
}

/// What is counted of a generation.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub bytes: Vec<u8>,
    pub position: u64,
    pub tail: Guard,
    pub skipped: u64,
    pub oversized: u64,
    pub unterminated: u64,
    pub opened: u64,
    pub idle: u64,
    pub losses: Vec<LostBytes>,
}

pub(super) const SECOND: Duration = Duration::from_secs(1);

impl World {
    /// Follows `in/*.log` and `in/*.log.*`.
    pub fn new() -> Self {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut FollowOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let root = folder.path().to_str().unwrap();
        let mut options = FollowOptions {
            locations: ["*.log", "*.log.*"].map(|glob| Location::Glob(format!("{root}/in/{glob}"))).to_vec(),
            chunk: 64,
            max_line: 100,
            rotate_wait: 5 * SECOND,
            idle: 30 * SECOND,
            open_files: 100,
            unpack_memory: crate::source::MOST_MEMORY,
            past_from: Some(crate::model::Timestamp::MIN),
            listing: Default::default(),
        };
        change(&mut options);
        let follower = Follower::new(options.clone(), Vec::new(), 0);
        World {
            folder,
            options,
            follower,
            now: Duration::ZERO,
            new: Vec::new(),
            warnings: Vec::new(),
            waiting: VecDeque::new(),
            counted: BTreeMap::new(),
            ended: BTreeSet::new(),
            at: BTreeMap::new(),
            stamp: 0,
        }
    }

    /// A path in `in`, or from the root if it has a folder.
    pub fn path(&self, name: &str) -> PathBuf {
        if name.contains('/') { self.folder.path().join(name) } else { self.folder.path().join("in").join(name) }
    }

    pub fn append(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        self.append_to(&file, bytes);
    }

    /// Writes to an open file and gives it a stamp that differs, as clocks are slower than tests.
    pub fn append_to(&mut self, mut file: &File, bytes: impl AsRef<[u8]>) {
        file.write_all(bytes.as_ref()).unwrap();
        self.stamp(file);
    }

    pub fn stamp(&mut self, file: &File) {
        self.stamp += 1;
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000 + self.stamp)).unwrap();
    }

    pub fn truncate(&mut self, name: &str) {
        let file = File::options().write(true).truncate(true).open(self.path(name)).unwrap();
        self.stamp(&file);
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn copy(&mut self, from: &str, to: &str) {
        let bytes = fs::read(self.path(from)).unwrap();
        self.append(to, bytes);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn scan(&mut self) {
        let scanned = self.follower.scan(self.now);
        for new in &scanned.new {
            assert!(!self.at.contains_key(&new.id), "announced twice: {new:?}");
            self.at.insert(new.id, new.position);
        }
        self.new.extend(scanned.new);
        self.warnings.extend(scanned.warnings);
    }

    /// Takes one step. Whether there was one.
    pub fn step(&mut self) -> bool {
        let mut bytes = Vec::new();
        let Some(mut step) = self.follower.next(self.now, &mut bytes) else { return false };
        let at = self.at.get_mut(&step.id).expect("a step before its announcement");
        assert_eq!(step.cut.from, *at + step.skipped, "a gap or bytes twice: {step:?}");
        assert!(step.cut.oversized.is_some() || step.cut.to - step.cut.from == bytes.len() as u64, "{step:?}");
        assert!(step.unterminated || bytes.is_empty() || bytes.ends_with(b"\n"), "{step:?}");
        assert!(!self.ended.contains(&step.id), "a step after the last: {step:?}");
        *at = step.cut.to;
        if step.cut.last {
            self.ended.insert(step.id);
        }
        self.warnings.append(&mut step.warnings);
        self.waiting.push_back((step, bytes));
        true
    }

    pub fn drain(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
        panic!("no end of steps");
    }

    /// Scans and drains as often as it asks for.
    pub fn poll(&mut self) {
        for round in 0.. {
            self.scan();
            self.drain();
            if !self.follower.scan_due() {
                return;
            }
            assert!(round < 20, "no end of scans");
        }
    }

    /// Lets seconds pass, with a poll in each.
    pub fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.poll();
            self.now += SECOND;
        }
        self.poll();
    }

    /// Counts so many of the waiting steps.
    pub fn count(&mut self, steps: usize) {
        for (step, bytes) in self.waiting.drain(..steps.min(self.waiting.len())) {
            let counted = self.counted.entry(step.id).or_default();
            counted.bytes.extend(bytes);
            counted.position = step.cut.to;
            counted.tail = step.tail;
            counted.skipped += step.skipped;
            counted.oversized += u64::from(step.cut.oversized.is_some());
            counted.unterminated += u64::from(step.unterminated);
            counted.opened += u64::from(step.opened);
            counted.idle += u64::from(step.idle);
            counted.losses.extend(step.lost);
            if step.cut.last {
                self.follower.records().forget(step.id);
            }
        }
    }

    /// What is saved now.
    pub fn saved(&self) -> Vec<FileRecord> {
        let mut all = self.follower.records().all();
        for saved in &mut all {
            if let Some(counted) = self.counted.get(&saved.id) {
                (saved.position, saved.tail) = (counted.position, counted.tail);
                saved.lost = counted.losses.iter().map(|loss| loss.to - loss.from).sum();
            }
        }
        all
    }

    /// Ends the run; what waits is not counted.
    pub fn kill(&mut self) -> Vec<FileRecord> {
        let saved = self.saved();
        self.waiting.clear();
        self.at.clear();
        self.ended.clear();
        saved
    }

    /// Kills the run and starts another with what was saved.
    pub fn restart(&mut self) {
        let saved = self.kill();
        let (next_id, passed_over) = (self.follower.candidates.next(), self.follower.records().passed_over(&saved));
        self.start(saved, next_id);
        self.follower.pass_over(passed_over);
    }

    /// Ends the run, with all that it has to say, and starts another.
    pub fn stop_and_start(&mut self) {
        let (warnings, steps) = self.follower.conclude(self.now);
        self.warnings.extend(warnings);
        self.waiting.extend(steps.into_iter().map(|step| (step, Vec::new())));
        self.count(usize::MAX);
        self.restart();
    }

    pub fn start(&mut self, saved: Vec<FileRecord>, next_id: u32) {
        // As it is read back from the disk.
        let bytes = serde_json::to_vec(&saved).unwrap();
        let saved = serde_json::from_slice(&bytes).unwrap();
        let options = FollowOptions { past_from: None, ..self.options.clone() };
        self.follower = Follower::new(options, saved, next_id);
    }

    /// All lines that were counted, sorted.
    pub fn lines(&mut self) -> Vec<String> {
        self.count(usize::MAX);
        let text = |counted: &Counted| String::from_utf8_lossy(&counted.bytes).into_owned();
        let mut lines: Vec<String> =
            self.counted.values().flat_map(|c| text(c).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort();
        lines
    }

    pub fn losses(&mut self) -> Vec<(String, u64, u64)> {
        self.count(usize::MAX);
        let losses = self.counted.values().flat_map(|counted| &counted.losses);
        losses.map(|loss| (loss.name.rsplit('/').next().unwrap().to_owned(), loss.from, loss.to)).collect()
    }
}

/// Lines with these numbers, each different and about 30 bytes long.
pub(super) fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.map(line).collect()
}

pub(super) fn line(number: u32) -> String {
    format!("{:07} from-{number} to-{}\n", number, number % 7)
}

/// What `World::lines` gives if these are all.
pub(super) fn expected(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| line(number).trim_end().to_owned()).collect()
}
