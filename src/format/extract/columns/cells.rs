//! The cells of a line, one after the other: where each column begins and ends, its quotes aside.
//!
//! Not here: which of them are wanted. Invariant: cells do not overlap, and come from left to right.

use memchr::memmem::Finder;

use super::super::fields::{Misfit, MisfitKind};
use super::super::marks::{AnyOf, Byte, MarkScan};
use super::spec::ColumnsSpec;
use crate::model::lanes::Lanes;

/// A column of a line.
#[derive(Debug, Clone, Copy)]
pub struct ColumnCell {
    /// Its first byte, behind the quote that it may have.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Whether there are doubled quotes in it.
    pub is_doubled: bool,
}

/// A way to separate columns.
pub trait Between {
    /// Where the first column begins, if there is any.
    fn first(&mut self) -> Option<usize>;

    /// The end of the column that goes on at `from`, and where the one behind it begins, if there is
    /// one.
    fn end(&mut self, from: usize) -> (usize, Option<usize>);
}

/// A way to put columns in quotes.
pub trait Quoting {
    /// Whether there is any.
    const ANY: bool;

    /// Whether a quote opens at this byte of the line.
    fn opens(&self, line: &[u8], at: usize) -> bool;

    /// Where the quote closes that opens at `at`, and whether there are doubled ones before it.
    fn close(&mut self, line: &[u8], at: usize) -> Option<(usize, bool)>;
}

/// The cells of a line.
#[derive(Debug)]
pub struct Cells<'a, B, Q> {
    line: &'a [u8],
    between: B,
    quoting: Q,
    trim: bool,
    trailing: bool,
    is_first: bool,
    next: Option<usize>,
}

impl<'a, B: Between, Q: Quoting> Cells<'a, B, Q> {
    /// Of this line.
    #[inline(always)]
    pub fn new(spec: &ColumnsSpec, line: &'a [u8], mut between: B, quoting: Q) -> Self {
        let next = between.first();
        Cells { line, between, quoting, trim: spec.trim, trailing: spec.trailing, is_first: true, next }
    }

    /// The next one, if there is one.
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<ColumnCell>, Misfit> {
        let Some(start) = self.next else { return Ok(None) };
        if Q::ANY
            && let Some(quote) = self.quote(start)
        {
            return self.quoted(quote).map(Some);
        }
        let (end, next) = self.between.end(start);
        let (start, end) = if self.trim { trimmed(self.line, start, end) } else { (start, end) };
        let is_only_announced = self.trailing && start == end && next.is_none() && !self.is_first;
        self.is_first = false;
        self.next = next;
        Ok((!is_only_announced).then_some(ColumnCell { start, end, is_doubled: false }))
    }

    /// Where the quote opens of the column that begins at `start`.
    #[inline(always)]
    fn quote(&mut self, start: usize) -> Option<usize> {
        let at = if self.trim { skip_blanks(self.line, start) } else { start };
        // Blanks may separate, too.
        (self.quoting.opens(self.line, at) && (at == start || self.between.end(start).0 >= at)).then_some(at)
    }

    /// The column in quotes that open at `quote`.
    #[inline(always)]
    fn quoted(&mut self, quote: usize) -> Result<ColumnCell, Misfit> {
        let Some((close, is_doubled)) = self.quoting.close(self.line, quote) else {
            return Err(MisfitKind::UnclosedQuote.at(quote));
        };
        let (end, next) = self.between.end(close + 1);
        if end != close + 1 && !(self.trim && skip_blanks(self.line, close + 1) >= end) {
            return Err(MisfitKind::TextAfterQuote.at(close + 1));
        }
        self.is_first = false;
        self.next = next;
        Ok(ColumnCell { start: quote + 1, end: close, is_doubled })
    }
}

#[inline(always)]
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The first byte at or behind `from` that is no blank, or the line's end.
#[inline(always)]
fn skip_blanks(line: &[u8], mut from: usize) -> usize {
    while line.get(from).is_some_and(|byte| is_blank(*byte)) {
        from += 1;
    }
    from
}

/// Without the blanks around.
#[inline(always)]
pub fn trimmed(line: &[u8], start: usize, mut end: usize) -> (usize, usize) {
    let start = skip_blanks(line, start).min(end);
    while end > start && is_blank(line[end - 1]) {
        end -= 1;
    }
    (start, end)
}

/// Runs of spaces and tabs between columns.
#[derive(Debug)]
pub struct Blanks<'a, L> {
    line: &'a [u8],
    blanks: MarkScan<'a, L, AnyOf<2>>,
}

impl<'a, L: Lanes> Blanks<'a, L> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], lanes: L) -> Self {
        Blanks { line, blanks: MarkScan::new(line, lanes, AnyOf([b' ', b'\t'])) }
    }

    #[inline(always)]
    fn column(&self, from: usize) -> Option<usize> {
        Some(skip_blanks(self.line, from)).filter(|start| *start < self.line.len())
    }
}

impl<L: Lanes> Between for Blanks<'_, L> {
    #[inline(always)]
    fn first(&mut self) -> Option<usize> {
        self.column(0)
    }

    #[inline(always)]
    fn end(&mut self, from: usize) -> (usize, Option<usize>) {
        let end = self.blanks.next(from);
        (end, self.column(end))
    }
}

/// One byte between columns.
#[derive(Debug)]
pub struct OneByte<'a, L> {
    line: &'a [u8],
    separators: MarkScan<'a, L, Byte>,
}

impl<'a, L: Lanes> OneByte<'a, L> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], lanes: L, byte: u8) -> Self {
        OneByte { line, separators: MarkScan::new(line, lanes, Byte(byte)) }
    }
}

impl<L: Lanes> Between for OneByte<'_, L> {
    #[inline(always)]
    fn first(&mut self) -> Option<usize> {
        Some(0)
    }

    #[inline(always)]
    fn end(&mut self, from: usize) -> (usize, Option<usize>) {
        let end = self.separators.next(from);
        (end, (end < self.line.len()).then_some(end + 1))
    }
}

/// A text between columns.
#[derive(Debug)]
pub struct BlankSeparated<'a> {
    line: &'a [u8],
    finder: &'a Finder<'a>,
}

impl<'a> BlankSeparated<'a> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], finder: &'a Finder<'a>) -> Self {
        BlankSeparated { line, finder }
    }
}

impl Between for BlankSeparated<'_> {
    #[inline(always)]
    fn first(&mut self) -> Option<usize> {
        Some(0)
    }

    #[inline(always)]
    fn end(&mut self, from: usize) -> (usize, Option<usize>) {
        let separator = self.finder.needle().len();
        // An empty text is found everywhere, and separates nothing.
        let found = self.line.get(from..).filter(|_| separator > 0).and_then(|rest| self.finder.find(rest));
        match found {
            Some(at) => (from + at, Some(from + at + separator)),
            None => (self.line.len(), None),
        }
    }
}

/// No quotes.
#[derive(Debug)]
pub struct Unquoted;

impl Quoting for Unquoted {
    const ANY: bool = false;

    #[inline(always)]
    fn opens(&self, _: &[u8], _: usize) -> bool {
        false
    }

    #[inline(always)]
    fn close(&mut self, _: &[u8], _: usize) -> Option<(usize, bool)> {
        None
    }
}

/// Quotes as in CSV.
#[derive(Debug)]
pub struct Doubled<'a, L> {
    quotes: MarkScan<'a, L, Byte>,
}

impl<'a, L: Lanes> Doubled<'a, L> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], lanes: L) -> Self {
        Doubled { quotes: MarkScan::new(line, lanes, Byte(b'"')) }
    }
}

impl<L: Lanes> Quoting for Doubled<'_, L> {
    const ANY: bool = true;

    #[inline(always)]
    fn opens(&self, line: &[u8], at: usize) -> bool {
        line.get(at) == Some(&b'"')
    }

    #[inline(always)]
    fn close(&mut self, line: &[u8], at: usize) -> Option<(usize, bool)> {
        let mut from = at + 1;
        let mut is_doubled = false;
        loop {
            let quote = self.quotes.next(from);
            if quote == line.len() {
                return None;
            }
            if line.get(quote + 1) != Some(&b'"') {
                return Some((quote, is_doubled));
            }
            is_doubled = true;
            from = quote + 2;
        }
    }
}

/// Appends the text of a column in which all quotes are doubled.
pub fn halve(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Quotes and brackets as in logs of web servers.
#[derive(Debug)]
pub struct Bracketed<'a, L> {
    marks: MarkScan<'a, L, AnyOf<3>>,
}

impl<'a, L: Lanes> Bracketed<'a, L> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], lanes: L) -> Self {
        Bracketed { marks: MarkScan::new(line, lanes, AnyOf([b'"', b'\\', b']'])) }
    }
}

impl<L: Lanes> Quoting for Bracketed<'_, L> {
    const ANY: bool = true;

    #[inline(always)]
    fn opens(&self, line: &[u8], at: usize) -> bool {
        matches!(line.get(at), Some(b'"' | b'['))
    }

    #[inline(always)]
    fn close(&mut self, line: &[u8], at: usize) -> Option<(usize, bool)> {
        let is_quote = line.get(at) == Some(&b'"');
        let closing = if is_quote { b'"' } else { b']' };
        let mut from = at + 1;
        loop {
            let mark = self.marks.next(from);
            match line.get(mark)? {
                byte if *byte == closing => return Some((mark, false)),
                // The byte behind it may be a quote that does not close.
                b'\\' if is_quote && mark + 2 <= line.len() => from = mark + 2,
                _ => from = mark + 1,
            }
        }
    }
}
