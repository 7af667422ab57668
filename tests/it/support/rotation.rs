//! A writer of logs that rotate.
//!
//! It keeps the bytes of every generation, so that the oracle is simple: a state that has a
//! generation at byte `p` has counted the lines of its bytes before `p`, and nothing else.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{BASE, Folder, Random};

/// The content of one file over its life.
#[derive(Debug)]
pub struct Generation {
    pub bytes: Vec<u8>,
    /// Where it lies now; none once it was truncated and there is no copy.
    pub path: Option<PathBuf>,
    /// Whether it can be read to its end, as it was not truncated without a copy.
    pub readable: bool,
    /// No more comes.
    pub complete: bool,
}

/// All generations, in the order in which they were begun.
pub type Generations = Arc<Mutex<Vec<Generation>>>;

/// Writes a log, and rotates it.
pub struct Logs {
    dir: PathBuf,
    pub generations: Generations,
    random: Random,
    file: File,
    stamp: i64,
    /// From one line's stamp to the next, in nanoseconds.
    pub pace: i64,
    /// The end of a line, which is written later.
    pending: Vec<u8>,
    rotations: u64,
    /// Whether some truncations leave no copy that matches the glob.
    pub loses: bool,
}

impl Logs {
    /// Makes the folder `logs` and an empty `log` in it.
    pub fn new(folder: &Folder, seed: u64) -> Self {
        let dir = folder.at("logs");
        std::fs::create_dir(&dir).unwrap();
        std::fs::create_dir(folder.at("elsewhere")).unwrap();
        let file = open(&dir.join("log"));
        let generations = Generations::default();
        let logs = Logs {
            dir,
            generations,
            random: Random::new(seed),
            file,
            stamp: BASE * 1_000_000_000,
            pace: 1_000,
            pending: Vec::new(),
            rotations: 0,
            loses: false,
        };
        logs.begin();
        logs
    }

    /// The last stamp.
    pub fn stamp(&self) -> i64 {
        self.stamp
    }

    fn begin(&self) {
        let path = Some(self.dir.join("log"));
        self.generations.lock().unwrap().push(Generation { bytes: Vec::new(), path, readable: true, complete: false });
    }

    fn lines(&mut self, count: u64) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..count {
            self.stamp += self.pace;
            let (from, to) = (self.random.below(40), self.random.below(20));
            writeln!(text, "{} src{from} dst{to}", self.stamp).unwrap();
        }
        text
    }

    fn write(&mut self, bytes: &[u8]) {
        // First into the memory: nothing may be read that the oracle does not know.
        self.generations.lock().unwrap().last_mut().unwrap().bytes.extend_from_slice(bytes);
        self.file.write_all(bytes).unwrap();
    }

    /// Appends whole lines.
    pub fn append(&mut self, lines: u64) {
        self.finish();
        let bytes = self.lines(lines);
        self.write(&bytes);
    }

    /// Appends lines, the last one without its end.
    pub fn append_part(&mut self, lines: u64) {
        self.finish();
        let mut bytes = self.lines(lines);
        let cut = bytes.len() - 1 - self.random.below(25) as usize;
        self.pending = bytes.split_off(cut);
        self.write(&bytes);
    }

    /// Writes the end of a line that has none.
    pub fn finish(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.write(&pending);
        }
    }

    /// Renames the log; what was half written is finished under the new name. Then makes a new one.
    pub fn rename(&mut self) {
        self.rotations += 1;
        let to = self.dir.join(format!("log.{}", self.rotations));
        std::fs::rename(self.dir.join("log"), &to).unwrap();
        self.end(Some(to), true);
        self.finish();
        self.generations.lock().unwrap().last_mut().unwrap().complete = true;
        self.file = open(&self.dir.join("log"));
        self.begin();
    }

    fn end(&self, path: Option<PathBuf>, readable: bool) {
        let mut generations = self.generations.lock().unwrap();
        let last = generations.last_mut().unwrap();
        (last.path, last.readable) = (path, readable);
    }

    /// Copies the log and truncates it. Without `matching`, the copy goes where nobody looks.
    pub fn copytruncate(&mut self, matching: bool) {
        self.finish();
        self.rotations += 1;
        let name = format!("log.{}", self.rotations);
        let to = if matching { self.dir.join(name) } else { self.dir.join("../elsewhere").join(name) };
        // In pieces, as `cp` does it.
        let mut copy = open(&to);
        let bytes = self.generations.lock().unwrap().last().unwrap().bytes.clone();
        for piece in bytes.chunks(64 << 10) {
            copy.write_all(piece).unwrap();
        }
        {
            // At once for the oracle, which must not take the next generation for this one.
            let mut generations = self.generations.lock().unwrap();
            let last = generations.last_mut().unwrap();
            (last.path, last.readable, last.complete) = (matching.then_some(to), matching, true);
            self.file.set_len(0).unwrap();
        }
        self.begin();
    }

    /// Something that happens to logs.
    pub fn step(&mut self) {
        match self.random.below(400) {
            0 => self.rename(),
            1 => self.copytruncate(true),
            2 if self.loses => self.copytruncate(false),
            3..60 => {
                let lines = 1 + self.random.below(100);
                self.append_part(lines);
            }
            _ => {
                let lines = 1 + self.random.below(200);
                self.append(lines);
            }
        }
    }
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}
