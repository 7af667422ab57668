//! Columns without quotes, told by the masks of blocks alone.
//!
//! Not here: any column that a quote opens. Invariant: what is found is what going from cell to cell
//! (`cells`) finds.

use super::super::fields::{FieldPlace, Fields, Misfit, MisfitKind};
use super::super::marks::{AnyOf, Byte, mask_at};
use super::cells::trimmed;
use super::spec::{ColumnsSpec, Separator};
use crate::model::lanes::{Lanes, WIDE};

/// Takes the columns that are wanted from those that go by.
#[derive(Debug)]
pub struct Picker<'a> {
    line: &'a [u8],
    /// Those that are wanted, and their slots, in the order of the columns.
    wanted: &'a [(usize, u32)],
    /// How many columns the line has, if that is known.
    count: Option<usize>,
    fields: &'a mut Fields,
    trim: bool,
    /// Columns that went by.
    number: usize,
    /// The column at which to look up: one that is wanted, or the first that is too many.
    stop: usize,
}

impl<'a> Picker<'a> {
    /// Of this line.
    #[inline(always)]
    pub fn new(
        line: &'a [u8],
        spec: &ColumnsSpec,
        wanted: &'a [(usize, u32)],
        count: Option<usize>,
        fields: &'a mut Fields,
    ) -> Self {
        let mut picker = Picker { line, wanted, count, fields, trim: spec.trim, number: 0, stop: 0 };
        picker.stop = picker.next_stop();
        picker
    }

    /// The columns of its line, if there is a way to tell them here.
    #[inline(always)]
    pub fn pick(self, spec: &ColumnsSpec, lanes: impl Lanes) -> Option<Result<(), Misfit>> {
        match &spec.separator {
            Separator::Blanks => Some(self.between_blanks(lanes)),
            Separator::Byte(byte) => Some(self.between_bytes(lanes, *byte, spec.trailing)),
            Separator::Text(_) => None,
        }
    }

    #[inline(always)]
    fn next_stop(&self) -> usize {
        let wanted = self.wanted.first().map_or(usize::MAX, |(column, _)| *column);
        wanted.min(self.count.unwrap_or(usize::MAX))
    }

    /// A column goes by.
    #[inline(always)]
    fn column(&mut self, start: usize, end: usize) -> Result<(), Misfit> {
        if self.number == self.stop {
            let (start, end) = if self.trim { trimmed(self.line, start, end) } else { (start, end) };
            if self.count == Some(self.number) {
                return Err(MisfitKind::TooManyFields.at(start));
            }
            while let Some(((column, slot), rest)) = self.wanted.split_first()
                && *column == self.number
            {
                self.fields.set(*slot, FieldPlace::line(start, end));
                self.wanted = rest;
            }
            self.stop = self.next_stop();
        }
        self.number += 1;
        Ok(())
    }

    /// Lets columns go by up to the next at which to look up, as far as their separators are among
    /// these, and takes these off. Gives the last of them.
    #[inline(always)]
    fn pass(&mut self, separators: &mut u64) -> Option<usize> {
        let before = self.stop - self.number;
        if before == 0 {
            return None;
        }
        let there = separators.count_ones() as usize;
        if there <= before {
            let last = u64::BITS - 1 - separators.leading_zeros();
            self.number += there;
            *separators = 0;
            return Some(last as usize);
        }
        for _ in 1..before {
            *separators &= *separators - 1;
        }
        let last = separators.trailing_zeros();
        *separators &= *separators - 1;
        self.number = self.stop;
        Some(last as usize)
    }

    /// Whether no column that is left makes a difference.
    #[inline(always)]
    fn is_done(&self) -> bool {
        self.stop == usize::MAX
    }

    #[inline(always)]
    fn end(self) -> Result<(), Misfit> {
        match self.count {
            Some(count) if self.number < count => Err(MisfitKind::TooFewFields.at(self.line.len())),
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn between_bytes(mut self, lanes: impl Lanes, byte: u8, trailing: bool) -> Result<(), Misfit> {
        let line = self.line;
        let (mut base, mut start) = (0, 0);
        while base < line.len() {
            let mut separators = mask_at(line, lanes, Byte(byte), base);
            while separators != 0 {
                start = self.pass(&mut separators).map_or(start, |last| base + last + 1);
                if separators == 0 {
                    break;
                }
                let end = base + separators.trailing_zeros() as usize;
                self.column(start, end)?;
                start = end + 1;
                separators &= separators - 1;
            }
            if self.is_done() {
                return Ok(());
            }
            base += WIDE;
        }
        let (first, last) = if self.trim { trimmed(line, start, line.len()) } else { (start, line.len()) };
        let is_only_announced = trailing && first == last && self.number > 0;
        if !is_only_announced {
            self.column(start, line.len())?;
        }
        self.end()
    }

    #[inline(always)]
    fn between_blanks(mut self, lanes: impl Lanes) -> Result<(), Misfit> {
        let line = self.line;
        let (mut base, mut start) = (0, None);
        // Whether the byte before the block is a blank, as those before and behind the line are.
        let mut blank = 1;
        while base < line.len() {
            let left = line.len() - base;
            let behind = u64::MAX.checked_shl(left as u32).filter(|_| left < WIDE).unwrap_or(0);
            let blanks = mask_at(line, lanes, AnyOf([b' ', b'\t']), base) | behind;
            let mut edges = blanks ^ (blanks << 1 | blank);
            blank = blanks >> (WIDE - 1);
            while edges != 0 {
                let edge = base + edges.trailing_zeros() as usize;
                match start.take() {
                    None => start = Some(edge),
                    Some(start) => self.column(start, edge)?,
                }
                edges &= edges - 1;
            }
            if self.is_done() {
                return Ok(());
            }
            base += WIDE;
        }
        if let Some(start) = start {
            self.column(start, line.len())?;
        }
        self.end()
    }
}
