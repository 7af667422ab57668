//! How the inputs of a time-filter begin, and whether any line of them is a record: what there is
//! to say of a run that has counted nothing.
//!
//! A line outside the window is not looked at for its hosts, except until a first one is known that
//! is a record: a chunk that gave none is gone through up to it. So a log of which no line is a
//! record is told for certain, and no other log pays for it.
//!
//! Not here: what such lines look like (`format::foreign`). Invariant: neither depends on threads
//! or chunk size; and once a record is known, no line is looked at for another.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::{Mutex, RwLock};

use crate::batch::Chunk;
use crate::format::foreign::{LineKind, kind};
use crate::model::InputId;
use crate::model::balance::OVERSIZED_HEAD;
use crate::ops::scan::{Block, has_record};

/// Lines of an input whose beginnings are kept.
const LINES: usize = 16;

/// Bytes of each.
const BYTES: usize = 400;

/// Bytes at the start of each input in which they are looked for.
const HEAD: u64 = 32 << 10;

/// Inputs of which they are kept.
const INPUTS: usize = 64;

/// Zeros at the start of an input that may be half of its first letter.
const HALF_A_LETTER: u64 = 3;

/// What is known of the lines of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstLines {
    /// Whether any line is a record, in the window or not, or may be one that nobody has looked at.
    pub has_record: bool,
    /// How the first lines begin, blank ones aside.
    pub heads: Vec<Vec<u8>>,
    /// The inputs that have lines and no record, and how those of each begin, if that was kept.
    pub strange: BTreeMap<InputId, Vec<Vec<u8>>>,
    /// The inputs that have a record, or may have one.
    pub records: BTreeSet<InputId>,
}

impl FirstLines {
    /// What they look like, if they are no records.
    pub fn kind(&self) -> LineKind {
        kind_of(&self.heads)
    }

    /// Adds those of another time-filter.
    pub fn join(mut self, other: FirstLines) -> Self {
        if self.heads.is_empty() {
            self.heads = other.heads;
        }
        self.has_record |= other.has_record;
        self.strange.extend(other.strange);
        self.records.extend(other.records);
        self.strange.retain(|input, _| !self.records.contains(input));
        self
    }
}

/// What lines look like that begin so.
pub fn kind_of(heads: &[Vec<u8>]) -> LineKind {
    kind(&heads.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The same while the lines come, chunks in any order.
#[derive(Debug, Default)]
pub struct Firsts {
    /// The inputs that have a record.
    records: RwLock<BTreeSet<InputId>>,
    /// How the lines of each input begin, by place. Of those behind the first few it is known only
    /// that they have some.
    heads: Mutex<BTreeMap<InputId, BTreeMap<u64, Vec<u8>>>>,
}

impl Firsts {
    /// Notes a chunk, of which records were kept or not.
    pub fn note(&self, chunk: &Chunk, has_kept: bool) {
        let input = chunk.span.input;
        if has_kept || chunk.unseen {
            return self.add_record(input);
        }
        if chunk.span.from < HEAD {
            self.add_heads(chunk);
        }
        if !self.records.read().contains(&input) {
            let block = Block { bytes: &chunk.bytes, from: chunk.span.from, rules: &chunk.rules };
            if has_record(block) {
                self.add_record(input);
            }
        }
    }

    /// What is known.
    pub fn seen(&self) -> FirstLines {
        let records = self.records.read().clone();
        let heads: BTreeMap<InputId, Vec<Vec<u8>>> =
            self.heads.lock().iter().map(|(input, heads)| (*input, lines_of(heads))).collect();
        FirstLines {
            has_record: !records.is_empty(),
            heads: heads.values().flatten().take(LINES).cloned().collect(),
            strange: heads.into_iter().filter(|(input, _)| !records.contains(input)).collect(),
            records,
        }
    }

    fn add_record(&self, input: InputId) {
        if !self.records.read().contains(&input) {
            self.records.write().insert(input);
        }
    }

    fn add_heads(&self, chunk: &Chunk) {
        let mut all = self.heads.lock();
        let input = chunk.span.input;
        if chunk.bytes.is_empty() && (1..=HALF_A_LETTER).contains(&chunk.balance.bytes_skipped) {
            add(&mut all, input, chunk.span.from, &vec![0; chunk.span.len() as usize]);
        }
        let (mut at, longest) = (chunk.span.from, chunk.rules.max_line);
        for line in chunk.oversized.as_deref().unwrap_or(&chunk.bytes).split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let is_long = text.len() > longest || chunk.oversized.is_some();
            // Of a line that does not fit a chunk so much is kept, or less: too little to tell what
            // it looks like.
            let kept = if is_long { OVERSIZED_HEAD } else { BYTES };
            let is_cut_short = is_long && longest < kept;
            let head = &text[..if is_cut_short { 0 } else { text.len().min(kept) }];
            let is_blank = !is_cut_short && head.trim_ascii().is_empty();
            if at >= HEAD || !is_blank && !add(&mut all, input, at, head) {
                return;
            }
            at += line.len() as u64;
        }
    }
}

/// Adds how a line begins, if it is among the first. Whether one behind it may be.
fn add(all: &mut BTreeMap<InputId, BTreeMap<u64, Vec<u8>>>, input: InputId, at: u64, head: &[u8]) -> bool {
    let heads = all.entry(input).or_default();
    heads.insert(at, head.to_vec());
    let is_behind = heads.len() > LINES && heads.pop_last().is_some_and(|(last, _)| last <= at);
    // No lines are kept of an input beyond the most that are kept.
    let one_too_many = all.keys().nth(INPUTS).copied();
    if let Some(behind) = one_too_many.and_then(|one| all.get_mut(&one.max(input))) {
        behind.clear();
    }
    !is_behind && one_too_many.is_none_or(|one| input < one)
}

/// Lines in their order. Zeros that were passed over before the first one are a part of it.
fn lines_of(heads: &BTreeMap<u64, Vec<u8>>) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for (at, head) in heads {
        match lines.last_mut() {
            Some(zeros) if *at == zeros.len() as u64 && zeros.iter().all(|byte| *byte == 0) => zeros.extend(head),
            _ => lines.push(head.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::LineRules;
    use crate::model::{Balance, Span};
    use proptest::prelude::*;

    fn chunk(input: u32, from: usize, bytes: &[u8]) -> Chunk {
        let span = Span { input: InputId(input), from: from as u64, to: (from + bytes.len()) as u64 };
        Chunk {
            span,
            number: 0,
            bytes: bytes.to_vec().into(),
            oversized: None,
            rules: LineRules::plain(1_000),
            balance: Balance::default(),
            streamed: false,
            order: None,
            last: false,
            unseen: false,
            live: None,
            guard: None,
        }
    }

    #[test]
    fn a_line_that_is_too_long_begins_alike_whether_it_fits_a_chunk_or_not() {
        let long = [&b"7 a"[..], &[b' '; 300], b"b c"].concat();
        let seen = |oversized: bool, max_line: usize| {
            let mut chunk = Chunk { rules: LineRules::plain(max_line), ..chunk(0, 0, &long) };
            if oversized {
                let head = long[..OVERSIZED_HEAD.min(max_line)].to_vec();
                chunk = Chunk { bytes: Vec::new().into(), oversized: Some(head), ..chunk };
            }
            let firsts = Firsts::default();
            firsts.note(&chunk, false);
            firsts.seen().heads
        };
        assert_eq!((seen(false, 4), seen(false, 300)), (seen(true, 4), seen(true, 300)));
        assert_eq!((seen(false, 4), seen(false, 300)[0].len()), (vec![vec![]], OVERSIZED_HEAD));
    }

    proptest! {
        #[test]
        fn chunks_in_any_order_and_size_say_the_same(
            lines in proptest::collection::vec(prop_oneof!["[a-c ]{0,9}", Just("7 a".to_owned()), Just("5 a b".to_owned())], 0..60),
            cuts in proptest::collection::vec(0usize..60, 0..6),
            turn in 0usize..7,
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let mut cuts: Vec<usize> = cuts.iter().filter_map(|cut| ends.get(*cut).copied()).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut parts: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let middle = turn % parts.len().max(1);
            parts.rotate_left(middle);
            let firsts = Firsts::default();
            for (from, to) in parts {
                firsts.note(&chunk(1, from, &text.as_bytes()[from..to]), false);
            }
            let seen = firsts.seen();
            let expected: Vec<Vec<u8>> =
                lines.iter().filter(|line| !line.trim().is_empty()).take(LINES).map(|line| line.clone().into_bytes()).collect();
            prop_assert_eq!(seen.has_record, lines.iter().any(|line| line == "5 a b"));
            prop_assert_eq!(seen.heads, expected);
        }
    }

    #[test]
    fn heads_are_those_of_the_first_input_that_has_any() {
        let firsts = Firsts::default();
        for input in [2, 0, 1] {
            let text: String = (0..10).map(|at| format!("x{input}{at}\n")).collect();
            firsts.note(&chunk(input, 0, text.as_bytes()), false);
        }
        firsts.note(&chunk(0, HEAD as usize, b"far\n"), false);
        let seen = firsts.seen();
        assert_eq!((seen.heads.len(), &seen.heads[0][..], &seen.heads[15][..]), (16, &b"x00"[..], &b"x15"[..]));
        assert!(!seen.has_record && seen.strange.len() == 3 && seen.strange[&InputId(2)].len() == 10);
        firsts.note(&chunk(3, 0, b""), true);
        firsts.note(&chunk(1, 500, b"5 a b\n"), false);
        let seen = firsts.seen();
        assert!(seen.has_record && seen.strange.keys().map(|input| input.0).eq([0, 2]), "{seen:?}");
    }

    #[test]
    fn of_many_inputs_the_same_are_known_in_any_order() {
        let known = |inputs: &mut dyn Iterator<Item = u32>| {
            let firsts = Firsts::default();
            for input in inputs {
                for (at, line) in [(0, &b"x\n"[..]), (2, b"y\n")] {
                    firsts.note(&chunk(input, at, line), input % 10 == 0);
                }
            }
            firsts.seen()
        };
        let seen = known(&mut (0..1_000));
        assert_eq!(seen, known(&mut (0..1_000).rev()));
        assert_eq!(seen, known(&mut (0..1_000).map(|at| at * 7 % 1_000)));
        assert_eq!((seen.strange.len(), seen.strange.values().filter(|heads| heads.len() == 2).count()), (900, 64));
    }

    #[test]
    fn a_zero_at_the_start_is_a_part_of_the_first_line() {
        let firsts = Firsts::default();
        let mut zero = chunk(0, 0, b"");
        (zero.span.to, zero.balance.bytes_skipped) = (1, 1);
        firsts.note(&zero, false);
        firsts.note(&chunk(0, 1, b"a\0b\0\n\0c\n"), false);
        assert_eq!(firsts.seen().heads, [&b"\0a\0b\0"[..], b"\0c"]);
        assert!(!firsts.seen().has_record);
        firsts.note(&Chunk { unseen: true, ..chunk(0, 90, b"") }, false);
        assert!(firsts.seen().has_record);
    }
}
