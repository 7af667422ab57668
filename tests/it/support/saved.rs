//! Saved states as `logparser state show` prints them, and the oracle that each is held against.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Folder, Generation, Generations, program};

/// Digits of a stamp in nanoseconds. No two lines have the same, so the first one tells the
/// generation.
const STAMP: usize = 19;

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
        let mut command = program(folder);
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
