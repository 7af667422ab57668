//! One way through a line of JSON, from its first byte to its last.
//!
//! Objects and arrays are not recursed into: which of the two each open one is, is a bit; and only
//! those on the way to a field are remembered in full.
//!
//! Not here: which keys lead where (`states`). Invariant: each byte of the line is looked at, in a
//! text by way of its block; a line is taken if and only if it is an object by RFC 8259 that is nested
//! no deeper than `DEEPEST`.

use super::super::escapes;
use super::super::fields::{FieldPlace, Misfit, MisfitKind, unescape};
use super::super::keys::is_at;
use super::super::marks::{ByteMark, MarkScan};
use super::states::{NOWHERE, PathStates, ROOT};
use crate::model::lanes::{Lanes, NARROW, WIDE, block, digits};

/// How deep objects and arrays may be nested: there is a bit for each.
const DEEPEST: u32 = u128::BITS;

/// What ends a text or is special in it: a quote, a backslash, and what may not stand in it.
#[derive(Debug, Clone, Copy)]
struct InText;

impl ByteMark for InText {
    #[inline(always)]
    fn mask(self, lanes: impl Lanes, block: &[u8; WIDE]) -> u64 {
        lanes.equal(block, b'"') | lanes.equal(block, b'\\') | lanes.at_most_wide(block, 0x1f)
    }
}

/// An open object or array on the way to a field.
#[derive(Debug, Clone, Copy, Default)]
struct OpenNesting {
    /// What is wanted of it.
    state: u32,
    /// How many are open, itself included.
    depth: u32,
    /// Where it begins.
    start: u32,
    /// How many elements of it have begun, if it is an array.
    elements: u32,
}

/// Memory that is kept from line to line.
#[derive(Debug, Default, Clone)]
pub struct Scratch {
    /// Those on the way to a field, but for the innermost.
    open: Vec<OpenNesting>,
    /// A key that had to be unescaped.
    key: Vec<u8>,
}

/// Where the fields are.
#[derive(Debug)]
pub struct FoundFields<'a> {
    /// Their places, by slot.
    pub places: &'a mut [FieldPlace],
    /// The bytes of those that had to be unescaped.
    pub unescaped: &'a mut Vec<u8>,
}

/// The way through a line.
#[derive(Debug)]
pub struct JsonWalk<'a, L> {
    states: &'a PathStates,
    line: &'a [u8],
    marks: MarkScan<'a, L, InText>,
    found: FoundFields<'a>,
    scratch: &'a mut Scratch,
    /// The byte that comes next.
    at: usize,
    /// How many objects and arrays are open.
    depth: u32,
    /// Which of them are objects; the lowest bit is the innermost.
    objects: u128,
    /// The innermost one on the way to a field.
    open: OpenNesting,
}

/// A text in the line, without its quotes.
struct JsonText {
    start: usize,
    end: usize,
    has_escapes: bool,
}

impl<'a, L: Lanes> JsonWalk<'a, L> {
    /// From the beginning of this line.
    #[inline(always)]
    pub fn new(
        states: &'a PathStates,
        line: &'a [u8],
        lanes: L,
        found: FoundFields<'a>,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.open.clear();
        let marks = MarkScan::new(line, lanes, InText);
        JsonWalk { states, line, marks, found, scratch, at: 0, depth: 0, objects: 0, open: OpenNesting::default() }
    }

    /// To its end.
    #[inline(always)]
    pub fn run(mut self) -> Result<(), Misfit> {
        self.skip_blanks();
        let start = self.at;
        let mut state = ROOT;
        loop {
            if !self.value(state)? && !self.behind_value()? {
                break;
            }
            state = if self.objects & 1 == 1 { self.key()? } else { self.element() };
        }
        match self.line.get(start) {
            _ if self.at < self.line.len() => Err(self.not_json()),
            Some(b'{') => Ok(()),
            _ => Err(MisfitKind::NotAnObject.at(start)),
        }
    }

    /// A value of which `state` tells what is wanted: to its end, or into an object or an array that
    /// is not empty. Whether it is the latter.
    #[inline(always)]
    fn value(&mut self, state: u32) -> Result<bool, Misfit> {
        let start = self.at;
        match self.byte() {
            b'"' => {
                let text = self.text()?;
                if state != NOWHERE {
                    self.found_text(state, &text);
                }
                return Ok(false);
            }
            b'{' => return self.enter(state, true),
            b'[' => return self.enter(state, false),
            b'0'..=b'9' | b'-' => self.number()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => {
                self.word(b"null")?;
                self.found(state, FieldPlace::Absent);
                return Ok(false);
            }
            _ => return Err(self.not_json()),
        }
        self.found(state, FieldPlace::line(start, self.at));
        Ok(false)
    }

    /// From the end of a value to the next key or element, past the ends of all that ends here.
    /// Whether there is a next one.
    #[inline(always)]
    fn behind_value(&mut self) -> Result<bool, Misfit> {
        loop {
            self.skip_blanks();
            if self.depth == 0 {
                return Ok(false);
            }
            match self.byte() {
                b',' => {
                    self.at += 1;
                    self.skip_blanks();
                    return Ok(true);
                }
                b'}' if self.objects & 1 == 1 => self.leave(),
                b']' if self.objects & 1 == 0 => self.leave(),
                _ => return Err(self.not_json()),
            }
        }
    }

    /// Into an object or an array; if it is empty, past it. Whether there is something in it.
    #[inline(always)]
    fn enter(&mut self, state: u32, is_object: bool) -> Result<bool, Misfit> {
        if self.depth == DEEPEST {
            return Err(MisfitKind::TooDeep.at(self.at));
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(is_object);
        if state != NOWHERE {
            if self.open.depth > 0 {
                self.scratch.open.push(self.open);
            }
            self.open = OpenNesting { state, depth: self.depth, start: self.at as u32, elements: 0 };
        }
        self.at += 1;
        self.skip_blanks();
        let is_empty = self.byte() == if is_object { b'}' } else { b']' };
        if is_empty {
            self.leave();
        }
        Ok(!is_empty)
    }

    /// Past the end of the innermost object or array.
    #[inline(always)]
    fn leave(&mut self) {
        self.at += 1;
        if self.depth == self.open.depth {
            self.found(self.open.state, FieldPlace::line(self.open.start as usize, self.at));
            self.open = self.scratch.open.pop().unwrap_or_default();
        }
        self.depth -= 1;
        self.objects >>= 1;
    }

    /// A key and the colon behind it: the state of its value.
    #[inline(always)]
    fn key(&mut self) -> Result<u32, Misfit> {
        if self.byte() != b'"' {
            return Err(self.not_json());
        }
        let key = self.text()?;
        self.skip_blanks();
        if self.byte() != b':' {
            return Err(self.not_json());
        }
        self.at += 1;
        self.skip_blanks();
        if self.depth != self.open.depth {
            return Ok(NOWHERE);
        }
        Ok(match key.has_escapes {
            false => self.states.behind_key(self.open.state, self.line, key.start, key.end),
            true => self.escaped_key(&key),
        })
    }

    #[cold]
    fn escaped_key(&mut self, key: &JsonText) -> u32 {
        let unescaped = &mut self.scratch.key;
        unescaped.clear();
        escapes::unescape(&self.line[key.start..key.end], escapes::JSON, unescaped);
        self.states.behind_key(self.open.state, unescaped, 0, unescaped.len())
    }

    /// The state of the next element.
    #[inline(always)]
    fn element(&mut self) -> u32 {
        if self.depth != self.open.depth {
            return NOWHERE;
        }
        let index = self.open.elements;
        self.open.elements += 1;
        self.states.behind_index(self.open.state, index)
    }

    /// A text, from its opening quote past its closing one.
    #[inline(always)]
    fn text(&mut self) -> Result<JsonText, Misfit> {
        let start = self.at + 1;
        let mut end = self.marks.next(start);
        let mut has_escapes = false;
        while self.byte_at(end) == b'\\' {
            has_escapes = true;
            end = self.marks.next(behind_escape(self.line, end)?);
        }
        if self.byte_at(end) != b'"' {
            return Err(MisfitKind::NotJson.at(end));
        }
        self.at = end + 1;
        Ok(JsonText { start, end, has_escapes })
    }

    /// A number.
    #[inline(always)]
    fn number(&mut self) -> Result<(), Misfit> {
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    #[inline(always)]
    fn digits(&mut self) -> Result<(), Misfit> {
        let start = self.at;
        while let Some(block) = block::<NARROW>(self.line, self.at) {
            let count = digits(block).trailing_ones() as usize;
            self.at += count;
            if count < NARROW {
                break;
            }
        }
        // At the end of the line.
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(self.not_json()) } else { Ok(()) }
    }

    /// This word.
    #[inline(always)]
    fn word<const N: usize>(&mut self, word: &[u8; N]) -> Result<(), Misfit> {
        if !is_at(self.line, self.at, word) {
            return Err(self.not_json());
        }
        self.at += N;
        Ok(())
    }

    /// A value was found in a state.
    #[inline(always)]
    fn found(&mut self, state: u32, place: FieldPlace) {
        for slot in self.states.slots(state) {
            if let Some(old) = self.found.places.get_mut(*slot as usize) {
                *old = place;
            }
        }
    }

    /// A text was found in a state.
    #[inline(always)]
    fn found_text(&mut self, state: u32, text: &JsonText) {
        let place = match text.has_escapes && !self.states.slots(state).is_empty() {
            false => FieldPlace::line(text.start, text.end),
            true => {
                let escaped = &self.line[text.start..text.end];
                unescape(self.found.unescaped, |out| escapes::unescape(escaped, escapes::JSON, out))
            }
        };
        self.found(state, place);
    }

    #[inline(always)]
    fn skip_blanks(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// The next byte; zero, which may stand nowhere, at the end.
    #[inline(always)]
    fn byte(&self) -> u8 {
        self.byte_at(self.at)
    }

    #[inline(always)]
    fn byte_at(&self, at: usize) -> u8 {
        self.line.get(at).copied().unwrap_or(0)
    }

    #[cold]
    fn not_json(&self) -> Misfit {
        MisfitKind::NotJson.at(self.at)
    }
}

/// Where the escape ends whose backslash is at `at`.
#[inline(never)]
fn behind_escape(line: &[u8], at: usize) -> Result<usize, Misfit> {
    let not_json = |at: usize| MisfitKind::NotJson.at(at.min(line.len()));
    match line.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let is_digit = |at: &usize| line.get(*at).is_some_and(u8::is_ascii_hexdigit);
            (at + 2..at + 6).find(|at| !is_digit(at)).map_or(Ok(at + 6), |at| Err(not_json(at)))
        }
        _ => Err(not_json(at + 1)),
    }
}
