//! Tallies files: what they hold, that the way in which they were merged does not show, and that no
//! damage passes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::layout::MAGIC;
use super::write::TalliesWriter;
use super::*;
use crate::error::{Error, Result};
use crate::model::balance::Cause;
use crate::model::{Balance, Extent, Timestamp};
use crate::tally::Shape;
use crate::tally::Tally;
use crate::tally::aggregates::Layout;

/// Buckets of a window, which are seconds.
const BUCKETS: i64 = 4;

/// A connection: second from the window's start (those below 0 are of the window before), source,
/// server.
type Line = (i64, u8, u8);

/// What one run counted: an input, the bytes of it, whether they were skipped, and the connections.
#[derive(Debug, Clone)]
pub(super) struct Part1 {
    pub(super) input: u8,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) skipped: bool,
    pub(super) lines: Vec<Line>,
}

pub(super) fn question() -> Question {
    Question {
        start: Timestamp::from_seconds(100),
        end: Timestamp::from_seconds(100 + BUCKETS),
        grouping: 1_000_000_000,
        previous: true,
        format: "plain".to_owned(),
        max_line: 65_536,
        lateness: 5,
    }
}

pub(super) fn header(part: &Part1) -> TalliesHeader {
    let counted: Vec<&Line> = part.lines.iter().filter(|line| line.0 >= 0).collect();
    let mut buckets = BTreeMap::new();
    counted.iter().for_each(|line| *buckets.entry(line.0 as u64).or_default() += 1);
    let mut balance = Balance { counted: counted.len() as u64, blank: part.to - part.from, ..Balance::default() };
    // A line that begins in no byte of the part is none of it.
    let is_malformed = part.from < part.to;
    balance.malformed[Cause::Nul as usize] = u64::from(is_malformed);
    balance.out_of_window = part.lines.len() as u64 - balance.counted;
    balance.lines_read = balance.lines_classified();
    let order =
        LineOrder::of(part.lines.iter().map(|line| Extent::of(Timestamp::from_nanos(line.0))).reduce(Extent::then));
    let name = format!("{}.log", part.input).into_bytes();
    let sample = MalformedSample { input: name.clone(), at: part.from, cause: Cause::Nul, head: b"\0".to_vec() };
    let piece = Piece { from: part.from, to: part.to, skipped: part.skipped, order };
    let share = Share { name, size: 1_000, pieces: vec![piece] };
    let samples = is_malformed.then_some(sample).into_iter().collect();
    TalliesHeader::new(question(), vec![share], buckets, 0, &balance, samples)
}

fn bytes(part: &Part1) -> Vec<u8> {
    let mut tally = Tally::new(Shape { pane: BUCKETS, shards: 3 }, Arc::default());
    let name =
        |side: &str, host: u8| format!("{side}{host}{}", if host == 3 { "x".repeat(300) } else { String::new() });
    for (second, from, to) in &part.lines {
        tally.add(*second, name("s", *from).as_bytes(), name("d", *to).as_bytes(), 1);
    }
    let window = question().window();
    let layout = Layout { window, first_bucket: 0, buckets: BUCKETS, grain: 1_000_000_000, previous: true };
    let mut out = Vec::new();
    write(&mut out, &header(part), &tally.last_view(&layout)).unwrap();
    out
}

/// Files in a folder of their own.
pub(super) struct Folder(TempDir, usize);

impl Folder {
    pub(super) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap(), 0)
    }

    pub(super) fn file(&mut self, bytes: &[u8]) -> PathBuf {
        self.1 += 1;
        let path = self.0.path().join(self.1.to_string());
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(super) fn merged(&mut self, paths: &[PathBuf]) -> PathBuf {
        self.1 += 1;
        let target = self.0.path().join(self.1.to_string());
        let files = Files::open(paths).unwrap();
        files.write(&mut File::create(&target).unwrap()).unwrap();
        target
    }
}

pub(super) type Plain = BTreeMap<(usize, Vec<u8>, Vec<u8>), u64>;

pub(super) fn pairs(paths: &[PathBuf]) -> Result<Plain> {
    let (mut out, mut last) = (Plain::new(), None);
    Files::open(paths)?.for_each::<Error>(&mut |part, from, to, amount| {
        let key = (part as usize, from.to_vec(), to.to_vec());
        assert!(last.as_ref() < Some(&key), "pairs come in order, each once");
        last = Some(key.clone());
        out.insert(key, amount.connections);
        Ok(())
    })?;
    Ok(out)
}

fn oracle(parts: &[Part1]) -> BTreeMap<(usize, u8, u8), u64> {
    let mut out = BTreeMap::new();
    for (second, from, to) in parts.iter().flat_map(|part| &part.lines) {
        *out.entry((usize::from(*second < 0), *from, *to)).or_default() += 1;
    }
    out
}

/// Parts of two inputs, each part a piece of its own; the pieces of an input touch.
fn parts() -> impl Strategy<Value = Vec<Part1>> {
    let line = (-BUCKETS..BUCKETS, 0u8..12, 0u8..5);
    let part = (0u8..2, 0u64..3, any::<bool>(), proptest::collection::vec(line, 0..20));
    proptest::collection::vec(part, 1..7).prop_map(|drawn| {
        let mut ends = [0u64; 2];
        let part = |(input, length, skipped, lines): (u8, u64, bool, Vec<Line>)| {
            let from = ends[usize::from(input)];
            ends[usize::from(input)] += length;
            Part1 { input, from, to: from + length, skipped, lines }
        };
        drawn.into_iter().map(part).collect()
    })
}

proptest! {
    #[test]
    fn merged_in_any_order_or_tree_it_is_the_same_file(parts in parts(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 12)) {
        let mut folder = Folder::new();
        let mut files: Vec<PathBuf> = parts.iter().map(|part| folder.file(&bytes(part))).collect();
        let at_once = std::fs::read(folder.merged(&files)).unwrap();
        for file in &files {
            let again = folder.merged(std::slice::from_ref(file));
            prop_assert_eq!(std::fs::read(file).unwrap(), std::fs::read(again).unwrap());
        }
        let found = pairs(&files).unwrap();
        let expected = oracle(&parts);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.values().sum::<u64>(), expected.values().sum::<u64>());
        for pick in picks.chunks(2).take_while(|_| files.len() > 1).collect::<Vec<_>>() {
            if files.len() < 2 {
                break;
            }
            let one = files.remove(pick[0].index(files.len()));
            let other = files.remove(pick[1].index(files.len()));
            files.push(folder.merged(&[one, other]));
        }
        prop_assert_eq!(std::fs::read(folder.merged(&files)).unwrap(), at_once);
    }

    #[test]
    fn what_is_known_of_order_is_that_of_all_pieces(stamps in proptest::collection::vec(0i64..20, 1..12), cut in 0usize..12) {
        let order = |stamps: &[i64]| {
            LineOrder::of(stamps.iter().map(|stamp| Extent::of(Timestamp::from_nanos(*stamp))).reduce(Extent::then))
        };
        let (one, other) = stamps.split_at(cut.min(stamps.len()));
        prop_assert_eq!(order(one).then(order(other)), order(&stamps));
    }
}

pub(super) fn small() -> Part1 {
    Part1 { input: 0, from: 0, to: 9, skipped: false, lines: vec![(0, 1, 2), (1, 1, 2), (2, 3, 4), (-1, 1, 2)] }
}

#[test]
fn a_file_that_is_cut_at_any_length_or_goes_on_is_refused_with_a_reason() {
    let (whole, mut folder) = (bytes(&small()), Folder::new());
    for length in 0..whole.len() {
        let error = pairs(&[folder.file(&whole[..length])]).expect_err("a part was taken for the whole").to_string();
        assert!(error.contains(if length == 0 { ": it is empty" } else { ": it is cut short" }), "{length}: {error}");
    }
    let error = pairs(&[folder.file(&[&whole[..], b"x"].concat())]).unwrap_err().to_string();
    assert!(error.ends_with(": it goes on behind its end"), "{error}");
}

#[test]
fn a_file_with_any_bit_flipped_is_refused_with_a_reason() {
    let (whole, mut folder) = (bytes(&small()), Folder::new());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = pairs(&[folder.file(&flipped)]).expect_err("a flipped bit passed").to_string();
        let reasons = ["no tallies file", "is damaged", "it has format ", "is cut short"];
        assert!(reasons.iter().any(|reason| error.contains(reason)), "bit {bit}: {error}");
    }
}

#[test]
fn frames_that_are_left_out_or_change_places_are_noticed() {
    let (whole, mut folder) = (bytes(&small()), Folder::new());
    let mut frames = Vec::new();
    let mut at = MAGIC.len() + 4;
    while at < whole.len() {
        let length = u32::from_le_bytes(whole[at + 1..at + 5].try_into().unwrap()) as usize + 13;
        frames.push(&whole[at..at + length]);
        at += length;
    }
    assert_eq!(frames.len(), 4, "header, pairs of both windows, end");
    let mut refused = |order: &[usize]| {
        let mut bytes = whole[..MAGIC.len() + 4].to_vec();
        order.iter().for_each(|frame| bytes.extend(frames[*frame]));
        pairs(&[folder.file(&bytes)]).is_err()
    };
    assert!(!refused(&[0, 1, 2, 3]));
    for order in [&[0, 2, 1, 3][..], &[0, 1, 3], &[0, 2, 3], &[0, 3], &[0, 1, 1, 2, 3], &[0, 1, 2], &[1, 2, 3]] {
        assert!(refused(order), "{order:?}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (mut whole, mut folder) = (bytes(&small()), Folder::new());
    whole[MAGIC.len()..MAGIC.len() + 4].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    let error = pairs(&[folder.file(&whole)]).unwrap_err().to_string();
    let expected =
        format!("it has format {}, and this logparser ({}) reads up to", FORMAT + 1, env!("CARGO_PKG_VERSION"));
    assert!(error.contains(&expected), "{error}");
    for (text, reason) in
        [("hello, this is no such file", "it is no tallies file of logparser"), ("lpt", "it is cut short")]
    {
        assert!(pairs(&[folder.file(text.as_bytes())]).unwrap_err().to_string().ends_with(reason));
    }
    assert!(pairs(&[folder.0.path().to_owned()]).unwrap_err().to_string().contains("it is a folder"));
}

#[test]
fn bytes_that_two_files_hold_are_refused_and_both_named() {
    let mut folder = Folder::new();
    let part = |input, from, to, skipped| Part1 { input, from, to, skipped, ..small() };
    let one = folder.file(&bytes(&part(0, 0, 10, false)));
    for (from, to, skipped, bytes_named) in
        [(9, 12, false, "9 to 10"), (0, 10, false, "0 to 10"), (3, 4, true, "3 to 4")]
    {
        let other = folder.file(&bytes(&part(0, from, to, skipped)));
        let error = Files::open(&[one.clone(), other.clone()]).unwrap_err().to_string();
        let names = [&one, &other].map(|path| path.to_str().unwrap().to_owned());
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
        assert!(error.contains(&format!("both hold bytes {bytes_named} of 0.log")), "{error}");
    }
    for apart in [part(0, 10, 12, false), part(1, 0, 10, false)] {
        let other = folder.file(&bytes(&apart));
        assert!(Files::open(&[one.clone(), other]).is_ok());
    }
}

#[test]
fn answers_to_different_questions_are_refused_and_both_named() {
    let mut folder = Folder::new();
    let one = folder.file(&bytes(&small()));
    type Change = fn(&mut Question);
    let changes: [(Change, &str); 6] = [
        (|q| q.start = Timestamp::from_seconds(99), "their windows are from 1970-01-01T00:01:40Z to"),
        (|q| q.end = Timestamp::from_seconds(105), "their windows are"),
        (|q| q.grouping += 1_000_000_000, "their grains are 1 s and 2 s"),
        (|q| q.previous = false, "the window before"),
        (|q| q.max_line = 17, "their limits of a line are 65536 and 17"),
        (|q| q.lateness = 1_000_000_000, "their declared disorders are"),
    ];
    for (change, expected) in changes {
        let part = Part1 { input: 1, lines: Vec::new(), ..small() };
        let mut header = header(&part);
        change(&mut header.question);
        let mut out = Vec::new();
        TalliesWriter::new(&mut out, &header).unwrap().finish().unwrap();
        let other = folder.file(&out);
        let error = Files::open(&[one.clone(), other.clone()]).unwrap_err().to_string();
        let names = [&one, &other].map(|path| path.to_str().unwrap().to_owned());
        assert!(names.iter().all(|name| error.contains(name)) && error.contains(expected), "{error}");
    }
}

#[test]
fn more_files_than_may_be_open_are_merged_in_rounds() {
    let mut folder = Folder::new();
    let parts: Vec<Part1> = (0..300).map(|at| Part1 { from: at, to: at + 1, ..small() }).collect();
    let files: Vec<PathBuf> = parts.iter().map(|part| folder.file(&bytes(part))).collect();
    let found = pairs(&files).unwrap();
    assert_eq!(found.values().copied().collect::<Vec<_>>(), [600, 300, 300]);
    let halves = [folder.merged(&files[..150]), folder.merged(&files[150..])];
    let (whole, again) = (folder.merged(&files), folder.merged(&halves));
    assert_eq!(std::fs::read(whole).unwrap(), std::fs::read(again).unwrap());
}
