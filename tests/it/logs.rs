//! A writer of logs that rotate, and what a saved state has to hold of them.
//!
//! The writer keeps the bytes of every generation, so that the oracle is simple: a state that has a
//! generation at byte `p` has counted the lines of its bytes before `p`, and nothing else.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::support::{BASE, Folder, Random};

/// Digits of a stamp in nanoseconds. No two lines have the same, so the first one tells the
/// generation.
const STAMP: usize = 19;

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

/// Pairs with their connections, by the start of their pane in seconds.
pub type Counts = BTreeMap<i64, BTreeMap<(String, String), i64>>;

/// Counts for itself.
pub struct Oracle {
    generations: Generations,
    /// Length of a pane in seconds.
    pane: i64,
    /// The byte up to which each generation is in `counts`.
    positions: Vec<usize>,
    pub counts: Counts,
    pub lines: i64,
}

impl Oracle {
    pub fn new(generations: &Generations, pane: i64) -> Self {
        Oracle { generations: Arc::clone(generations), pane, positions: Vec::new(), counts: Counts::new(), lines: 0 }
    }

    /// Moves a generation to a byte, on or back.
    pub fn set(&mut self, generation: usize, position: usize) {
        self.positions.resize(self.positions.len().max(generation + 1), 0);
        let before = std::mem::replace(&mut self.positions[generation], position);
        let sign = if position < before { -1 } else { 1 };
        let generations = self.generations.lock().unwrap();
        let bytes = &generations[generation].bytes[before.min(position)..before.max(position)];
        for line in std::str::from_utf8(bytes).unwrap().lines() {
            let mut fields = line.split(' ');
            let stamp: i64 = fields.next().unwrap().parse().unwrap();
            let start = stamp.div_euclid(self.pane * 1_000_000_000) * self.pane;
            let pair = (fields.next().unwrap().to_owned(), fields.next().unwrap().to_owned());
            *self.counts.entry(start).or_default().entry(pair).or_default() += sign;
            self.lines += sign;
        }
    }

    /// The length of each generation, and whether it can be read to its end.
    pub fn lengths(&self) -> Vec<(usize, bool)> {
        let generations = self.generations.lock().unwrap();
        generations.iter().map(|generation| (generation.bytes.len(), generation.readable)).collect()
    }

    /// The byte up to which a generation is counted.
    pub fn position(&self, generation: usize) -> usize {
        self.positions.get(generation).copied().unwrap_or(0)
    }

    /// Counts all lines of all generations, but not those of unreadable ones beyond their position.
    pub fn set_all(&mut self) {
        for (at, (length, readable)) in self.lengths().into_iter().enumerate() {
            if readable {
                self.set(at, length);
            }
        }
    }

    /// Holds a saved state to what it has to be; panics with what is wrong.
    pub fn check(&mut self, saved: &SavedState) {
        let contents = &saved.contents;
        let balance = |key: &str| contents["balance"][key].as_i64().unwrap();
        let positions = self.positions_in(contents);
        for (at, position) in positions.iter().enumerate() {
            self.set(at, *position);
        }
        let what = || format!("{}\npositions {positions:?}", saved.text(false));
        assert_eq!(balance("lines_read"), self.lines, "lines read: {}", what());
        assert_eq!(balance("counted"), self.lines, "counted: {}", what());
        let next = contents["windows"]["next_end"].as_str().map(seconds);
        let counts = counts(contents);
        let there: Vec<i64> = starts(&contents["overflows"]);
        for (start, pairs) in &self.counts {
            let mut pairs = pairs.clone();
            pairs.retain(|_, count| *count != 0);
            if there.contains(start) {
                let empty = BTreeMap::new();
                let found = counts.get(start).unwrap_or(&empty);
                assert!(*found == pairs, "pane {start}: {}\n{}", difference(found, &pairs), what());
            } else {
                // What a closed window held is not kept.
                let is_closed = next.is_some_and(|next| start + self.pane < next);
                assert!(pairs.is_empty() || is_closed, "pane {start} is missing: {}", what());
            }
        }
        let strange = counts.keys().find(|start| !self.counts.contains_key(start));
        assert_eq!(strange, None, "{}", what());
        for end in contents["windows"]["again"].as_array().unwrap() {
            let start = seconds(end.as_str().unwrap()) - self.pane;
            assert!(there.contains(&start), "window from {start} is to be issued again, and gone: {}", what());
        }
    }

    /// The byte at which the state has each generation.
    fn positions_in(&self, contents: &Value) -> Vec<usize> {
        let generations = self.generations.lock().unwrap();
        let first = |generation: &Generation| generation.bytes.get(..STAMP).map(<[u8]>::to_vec);
        let mut positions: Vec<Option<usize>> = vec![None; generations.len()];
        for input in contents["inputs"].as_array().unwrap() {
            let position = input["position"].as_u64().unwrap() as usize;
            let start = input["start"].as_str().unwrap().as_bytes();
            let Some(at) = generations.iter().position(|g| first(g).is_some_and(|first| start.starts_with(&first)))
            else {
                assert_eq!(position, 0, "an input that nobody wrote: {input}");
                continue;
            };
            let bytes = &generations[at].bytes;
            assert!(position <= bytes.len(), "{position} of {}: {input}", bytes.len());
            assert!(position == 0 || bytes[position - 1] == b'\n', "in the middle of a line: {input}");
            positions[at] = Some(positions[at].unwrap_or(0).max(position));
        }
        // Inputs that have ended and are not needed any more are not there: they are counted to
        // their end.
        let read = contents["balance"]["bytes_read"].as_u64().unwrap() as usize;
        let mut rest = read.checked_sub(positions.iter().flatten().sum()).expect("more positions than bytes");
        for (at, position) in positions.iter_mut().enumerate().filter(|(_, position)| position.is_none()) {
            let length = generations[at].bytes.len();
            let is_counted = generations[at].complete && length > 0 && rest >= length;
            rest -= if is_counted { length } else { 0 };
            *position = Some(if is_counted { length } else { 0 });
        }
        assert_eq!(rest, 0, "bytes that were read of no input: {contents:#}");
        positions.into_iter().flatten().collect()
    }
}

fn difference(found: &BTreeMap<(String, String), i64>, wanted: &BTreeMap<(String, String), i64>) -> String {
    let (sum, right): (i64, i64) = (found.values().sum(), wanted.values().sum());
    let pair = wanted.iter().find(|(pair, count)| found.get(pair) != Some(count));
    format!("{sum} connections, {right} are right; e.g. {pair:?}, found {:?}", pair.map(|(pair, _)| found.get(pair)))
}

/// Whole Unix seconds of an instant that is written as RFC 3339.
pub fn seconds(text: &str) -> i64 {
    humantime::parse_rfc3339(text).unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
}

fn starts(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|entry| entry["start"].as_str().unwrap().parse().unwrap()).collect()
}

/// The pairs that a state holds.
pub fn counts(contents: &Value) -> Counts {
    let mut counts = Counts::new();
    for pair in contents["pairs"].as_array().unwrap() {
        let text = |at: usize| pair[at].as_str().unwrap().to_owned();
        let pane = counts.entry(text(0).parse().unwrap()).or_default();
        assert_eq!(pane.insert((text(1), text(2)), pair[3].as_i64().unwrap()), None, "{pair} is there twice");
    }
    counts
}

/// A state as `logparser state show` prints it.
pub struct SavedState {
    pub whole: Value,
    pub contents: Value,
}

impl SavedState {
    /// None before the first one is saved. It fails where a slot is damaged or cannot be used.
    pub fn of(folder: &Folder, pairs: bool) -> Option<Self> {
        let mut command = binary(folder);
        command.args(["state", "show", "--state", "state", "--output", "json"]).args(pairs.then_some("--pairs"));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(whole["problem"], Value::Null, "{whole:#}");
        // A slot that is being replaced is there all the time.
        assert_eq!(whole["warning"], Value::Null, "{whole:#}");
        (whole["used"] != Value::Null).then(|| SavedState { contents: whole["contents"].clone(), whole })
    }

    /// As text for messages.
    pub fn text(&self, pairs: bool) -> String {
        let mut whole = self.whole.clone();
        if !pairs && let Some(contents) = whole["contents"].as_object_mut() {
            contents.remove("pairs");
        }
        format!("{whole:#}")
    }

    /// Bytes that are counted.
    pub fn bytes(&self) -> u64 {
        self.contents["balance"]["bytes_read"].as_u64().unwrap()
    }

    /// Bytes that are known to be lost.
    pub fn lost(&self) -> u64 {
        self.contents["balance"]["bytes_unread"].as_u64().unwrap()
    }
}

/// The program under test: that of this build, or the one that `LOGPARSER_BIN` names.
pub fn binary_path() -> PathBuf {
    std::env::var_os("LOGPARSER_BIN").map_or_else(|| env!("CARGO_BIN_EXE_logparser").into(), PathBuf::from)
}

/// The program under test, in a folder.
pub fn binary(folder: &Folder) -> Command {
    let mut command = Command::new(binary_path());
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command
}

/// Writes a configuration that follows `logs/log*` and reports all pairs; `more` are further keys,
/// one a line.
pub fn configure(folder: &Folder, window: &str, checkpoint: &str, more: &str) {
    let text = format!(
        "location = \"logs/log*\"\nfollow = true\nseconds = \"{window}\"\nevery = \"{window}\"\n\
         grouping-seconds = \"{window}\"\nalign = \"epoch\"\nsince = \"1970-01-01T00:00:00Z\"\nlateness = \"0\"\n\
         rotate-wait = \"300ms\"\nstate = \"state\"\ncheckpoint = \"{checkpoint}\"\noutputs = [\"json\"]\n\
         reports = [{{ name = \"top-pairs\", limit = 1000000000 }}]\nthreads = 2\n{more}\n"
    );
    std::fs::write(folder.at("pipeline.toml"), text).unwrap();
}

/// The program with that configuration, its output and what it says at the ends of files.
pub fn follower(folder: &Folder) -> Command {
    let append = |name: &str| OpenOptions::new().append(true).create(true).open(folder.at(name)).unwrap();
    let mut command = binary(folder);
    command.args(["run", "pipeline.toml"]).stdout(append("results")).stderr(append("said"));
    command
}

/// Waits until so many bytes are counted and saved.
pub fn wait_until_saved(folder: &Folder, bytes: u64) {
    let (mut last, mut since) = (0, std::time::Instant::now());
    loop {
        let saved = SavedState::of(folder, false);
        let counted = saved.as_ref().map_or(0, SavedState::bytes);
        if saved.is_some() && counted >= bytes {
            return;
        }
        // A long way to go is no fault, standing still is one.
        if counted > last {
            (last, since) = (counted, std::time::Instant::now());
        }
        if since.elapsed() > Duration::from_secs(30) {
            let said = std::fs::read_to_string(folder.at("said")).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(20).collect();
            let text = saved.map_or_else(|| "no state".to_owned(), |saved| saved.text(false));
            panic!("waited in vain for {bytes} bytes: {text}\n{last:#?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
