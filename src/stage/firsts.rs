//! How the inputs of a time-filter begin, and whether any line of them is a record: what there is to say of a run that has
//! counted nothing.
//!
//! Not here: what such lines look like (`format::foreign`). Invariant: neither depends on threads or chunk size; and once a
//! record is known, no line is looked at for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::format::foreign::{Kind, kind};
use crate::model::{Chunk, InputId, Units};
use crate::ops::scan::{Block, has_record};

/// Lines whose beginnings are kept.
const LINES: usize = 16;

/// Bytes of each.
const BYTES: usize = 400;

/// Bytes at the start of each input in which they are looked for.
const HEAD: u64 = 32 << 10;

/// What is known of the lines of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstLines {
    /// Whether any line is a record, in the window or not.
    pub has_record: bool,
    /// How the first lines begin, blank ones aside.
    pub heads: Vec<Vec<u8>>,
}

impl FirstLines {
    /// What they look like, if they are no records.
    pub fn kind(&self) -> Kind {
        kind(&self.heads.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Adds those of another time-filter.
    pub fn join(mut self, other: FirstLines) -> Self {
        if self.heads.is_empty() {
            self.heads = other.heads;
        }
        FirstLines { has_record: self.has_record || other.has_record, ..self }
    }
}

/// The same while the lines come, chunks in any order.
#[derive(Debug, Default)]
pub struct Firsts {
    has_record: AtomicBool,
    heads: Mutex<BTreeMap<(InputId, u64), Vec<u8>>>,
}

impl Firsts {
    /// Notes a chunk, of which records were kept or not.
    pub fn note(&self, chunk: &Chunk, has_kept: bool, format: &str, units: Units) {
        if has_kept {
            return self.has_record.store(true, Ordering::Relaxed);
        }
        if chunk.span.from < HEAD {
            self.add_heads(chunk);
        }
        if !self.has_record.load(Ordering::Relaxed) {
            let block = Block { bytes: &chunk.bytes, from: chunk.span.from, max_line: chunk.max_line, units };
            if has_record(format, block) {
                self.has_record.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What is known.
    pub fn seen(&self) -> FirstLines {
        let heads = self.heads.lock().values().cloned().collect();
        FirstLines { has_record: self.has_record.load(Ordering::Relaxed), heads }
    }

    fn add_heads(&self, chunk: &Chunk) {
        let mut heads = self.heads.lock();
        let mut at = chunk.span.from;
        for line in chunk.oversized.as_deref().unwrap_or(&chunk.bytes).split_inclusive(|byte| *byte == b'\n') {
            let place = (chunk.span.input, at);
            let full = heads.len() == LINES && heads.last_key_value().is_some_and(|(last, _)| *last < place);
            if full || at >= HEAD {
                return;
            }
            at += line.len() as u64;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !line.trim_ascii().is_empty() {
                heads.insert(place, line[..line.len().min(BYTES)].to_vec());
                if heads.len() > LINES {
                    heads.pop_last();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Balance, Span};
    use proptest::prelude::*;

    fn chunk(input: u32, from: usize, bytes: &[u8]) -> Chunk {
        let span = Span { input: InputId(input), from: from as u64, to: (from + bytes.len()) as u64 };
        Chunk {
            span,
            number: 0,
            bytes: bytes.to_vec().into(),
            oversized: None,
            max_line: 1_000,
            balance: Balance::default(),
            streamed: false,
            order: None,
            last: false,
            live: None,
            guard: None,
        }
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
                firsts.note(&chunk(1, from, &text.as_bytes()[from..to]), false, "plain", Units::AUTO);
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
            firsts.note(&chunk(input, 0, text.as_bytes()), false, "plain", Units::AUTO);
        }
        firsts.note(&chunk(0, HEAD as usize, b"far\n"), false, "plain", Units::AUTO);
        let seen = firsts.seen();
        assert_eq!((seen.heads.len(), &seen.heads[0][..], &seen.heads[15][..]), (16, &b"x00"[..], &b"x15"[..]));
        assert!(!seen.has_record);
        firsts.note(&chunk(3, 0, b""), true, "plain", Units::AUTO);
        assert!(firsts.seen().has_record);
    }
}
