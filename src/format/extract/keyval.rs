//! Fields by the keys of `key=value`, with blanks between them.
//!
//! A line is words with blanks between them. A word with an equals sign behind at least one byte is a
//! pair; its value may be in quotes, with blanks and escapes in it. All other words are passed over:
//! flags, and text before the first pair. What follows a closing quote at once is a word, too. Where a
//! format says so, a part of the line has the keys of something else: from a key that begins with some
//! text up to a bracket that ends a word.
//!
//! Not here: what the keys mean. Invariant: of pairs with the same key the first one counts, and a
//! line is read to its end.

use std::sync::Arc;

use super::escapes;
use super::fields::{FieldPlace, Fields, Misfit, MisfitKind};
use super::keys::Keys;
use super::marks::{AnyOf, MarkScan};
use crate::model::lanes::{Lanes, on_widest_lanes};

/// Fields that have keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVal(Arc<WantedKeys>);

#[derive(Debug, PartialEq, Eq)]
struct WantedKeys {
    slots: usize,
    keys: Keys,
    /// The slots of each key, by its number.
    slots_of: Vec<Vec<u32>>,
    /// How a part of the line begins that is passed over.
    aside: Option<Box<[u8]>>,
}

impl KeyVal {
    /// The fields with these keys, by slot.
    pub fn new<S: AsRef<[u8]>>(names: &[S]) -> Self {
        let mut keys = Keys::default();
        let mut slots_of: Vec<Vec<u32>> = Vec::new();
        for (name, slot) in names.iter().map(S::as_ref).zip(0..) {
            let known = keys.get(name, 0, name.len());
            match known.and_then(|number| slots_of.get_mut(number as usize)) {
                Some(slots) => slots.push(slot),
                None => {
                    keys.add(name, slots_of.len() as u32);
                    slots_of.push(vec![slot]);
                }
            }
        }
        KeyVal(Arc::new(WantedKeys { slots: names.len(), keys, slots_of, aside: None }))
    }

    /// The same without the keys of parts of a line that begin with this text.
    pub fn with_aside(self, aside: Option<&[u8]>) -> Self {
        let WantedKeys { slots, keys, slots_of, .. } = &*self.0;
        let (keys, slots_of) = (keys.clone(), slots_of.clone());
        KeyVal(Arc::new(WantedKeys { slots: *slots, keys, slots_of, aside: aside.map(Box::from) }))
    }

    pub(super) fn slots(&self) -> usize {
        self.0.slots
    }

    #[inline]
    pub(super) fn extract(&self, line: &[u8], fields: &mut Fields) -> Result<(), Misfit> {
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || self.0.extract(line, lanes, fields)
        ))
    }
}

impl WantedKeys {
    #[inline(always)]
    fn extract<L: Lanes>(&self, line: &[u8], lanes: L, fields: &mut Fields) -> Result<(), Misfit> {
        let mut words = KeyValWords::new(line, lanes);
        let mut has_pairs = false;
        while let Some(pair) = words.next_pair()? {
            if self.aside.as_ref().is_some_and(|aside| line[pair.key.0..].starts_with(aside)) {
                words.pass_bracket(pair.key.0);
                continue;
            }
            has_pairs = true;
            if let Some(key) = self.keys.get(line, pair.key.0, pair.key.1) {
                self.found(key, &pair, line, fields);
            }
        }
        if has_pairs { Ok(()) } else { Err(MisfitKind::NoPairs.at(line.len())) }
    }

    #[inline(always)]
    fn found(&self, key: u32, pair: &KeyValuePair, line: &[u8], fields: &mut Fields) {
        let slots = self.slots_of.get(key as usize).map(Vec::as_slice).unwrap_or_default();
        let is_first = slots.first().is_some_and(|slot| fields.place(*slot as usize) == FieldPlace::Absent);
        if !is_first {
            return;
        }
        let (start, end) = pair.value;
        let place = match pair.has_escapes {
            false => FieldPlace::line(start, end),
            true => fields.unescape(|out| escapes::unescape(&line[start..end], escapes::PAIRS, out)),
        };
        for slot in slots {
            fields.set(*slot, place);
        }
    }
}

/// A key and its value: where each begins and ends.
#[derive(Debug)]
struct KeyValuePair {
    key: (usize, usize),
    value: (usize, usize),
    has_escapes: bool,
}

/// The words of a line.
#[derive(Debug)]
struct KeyValWords<'a, L> {
    line: &'a [u8],
    /// What ends a key or a bare word.
    joints: MarkScan<'a, L, AnyOf<3>>,
    /// What ends a value.
    blanks: MarkScan<'a, L, AnyOf<2>>,
    /// What ends a value in quotes, or is special in it.
    in_quotes: MarkScan<'a, L, AnyOf<2>>,
    at: usize,
}

impl<'a, L: Lanes> KeyValWords<'a, L> {
    #[inline(always)]
    fn new(line: &'a [u8], lanes: L) -> Self {
        KeyValWords {
            line,
            joints: MarkScan::new(line, lanes, AnyOf([b'=', b' ', b'\t'])),
            blanks: MarkScan::new(line, lanes, AnyOf([b' ', b'\t'])),
            in_quotes: MarkScan::new(line, lanes, AnyOf([b'"', b'\\'])),
            at: 0,
        }
    }

    /// The next pair, past all other words.
    #[inline(always)]
    fn next_pair(&mut self) -> Result<Option<KeyValuePair>, Misfit> {
        while self.at < self.line.len() {
            let start = self.at;
            let joint = self.joints.next(start);
            if self.line.get(joint) == Some(&b'=') {
                if joint > start {
                    return self.pair(start, joint).map(Some);
                }
                // There is no key: all of the word is passed over.
                self.at = self.blanks.next(joint);
            }
            self.at = self.at.max(joint) + 1;
        }
        Ok(None)
    }

    /// Goes on behind the next bracket that ends a word, at `from` or behind it.
    fn pass_bracket(&mut self, from: usize) {
        let ends_word = |at: &usize| self.line.get(at + 1).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
        let mut brackets = memchr::memchr_iter(b']', &self.line[from..]).map(|at| from + at);
        self.at = brackets.find(ends_word).map_or(self.line.len(), |at| at + 1);
    }

    /// The pair whose key goes from `start` to the equals sign at `equals`.
    #[inline(always)]
    fn pair(&mut self, start: usize, equals: usize) -> Result<KeyValuePair, Misfit> {
        let begin = equals + 1;
        let key = (start, equals);
        if self.line.get(begin) != Some(&b'"') {
            let end = self.blanks.next(begin);
            self.at = end + 1;
            return Ok(KeyValuePair { key, value: (begin, end), has_escapes: false });
        }
        let mut has_escapes = false;
        let mut end = self.in_quotes.next(begin + 1);
        while self.line.get(end) == Some(&b'\\') {
            has_escapes = true;
            // The byte behind it may be a quote that does not close.
            end = self.in_quotes.next((end + 2).min(self.line.len()));
        }
        if end == self.line.len() {
            return Err(MisfitKind::UnclosedQuote.at(begin));
        }
        self.at = end + 1;
        Ok(KeyValuePair { key, value: (begin + 1, end), has_escapes })
    }
}

#[cfg(test)]
mod tests;
