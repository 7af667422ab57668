//! Fields by the numbers of their columns, with a separator between them and perhaps quotes around.
//!
//! A quote only opens where a column begins. With blanks as separators, those before the first column
//! and behind the last one are none.
//!
//! Not here: what columns are called. Invariant: every line has the columns that taking it apart byte
//! by byte gives; where there are quotes, a line is read to its end, whatever is asked for.

mod cells;
mod plain;
mod spec;

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::fields::{FieldPlace, Fields, Misfit, MisfitKind};
use crate::model::lanes::{Baseline, Lanes, on_widest_lanes};
pub(super) use cells::trimmed;
use cells::{Between, BlankSeparated, Blanks, Bracketed, Cells, ColumnCell, Doubled, OneByte, Quoting, Unquoted};
use plain::Picker;
pub use spec::{ColumnsSpec, Quotes, Separator};

/// Fields that are columns.
#[derive(Debug, Clone)]
pub struct Columns(Arc<WantedColumns>);

#[derive(Debug)]
struct WantedColumns {
    spec: ColumnsSpec,
    /// Looks for a separator that is a text.
    finder: Finder<'static>,
    /// Which columns go into which slots, in the order of the columns.
    columns: Vec<(usize, u32)>,
    count: Option<usize>,
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        let parts = |columns: &Self| (columns.0.spec.clone(), columns.0.columns.clone(), columns.0.count);
        parts(self) == parts(other)
    }
}

impl Eq for Columns {}

impl Columns {
    /// The columns with these numbers, the first of which is 0, by slot. With `count`, each line
    /// has so many columns.
    pub fn new(spec: ColumnsSpec, wanted: &[usize], count: Option<usize>) -> Self {
        let mut columns: Vec<(usize, u32)> = wanted.iter().copied().zip(0..).collect();
        columns.sort_unstable();
        Columns(Arc::new(WantedColumns { finder: finder(&spec), spec, columns, count }))
    }

    /// All columns of a line.
    pub fn split<'a>(spec: &ColumnsSpec, line: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, Misfit> {
        let mut columns = Vec::new();
        visit(spec, &finder(spec), line, Baseline, Collect { line, columns: &mut columns })?;
        Ok(columns)
    }

    /// How lines are cut, which columns go into which slots, and how many there are, if that is known.
    pub(super) fn parts(&self) -> (&ColumnsSpec, &[(usize, u32)], Option<usize>) {
        (&self.0.spec, &self.0.columns, self.0.count)
    }

    pub(super) fn slots(&self) -> usize {
        self.0.columns.len()
    }

    #[inline]
    pub(super) fn extract(&self, line: &[u8], fields: &mut Fields) -> Result<(), Misfit> {
        let WantedColumns { spec, finder, columns, count } = &*self.0;
        let may_have_quotes = match spec.quotes {
            Quotes::None => false,
            Quotes::Csv => memchr::memchr(b'"', line).is_some(),
            Quotes::Web => true,
        };
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || {
                if !may_have_quotes {
                    let picker = Picker::new(line, spec, columns, *count, fields);
                    if let Some(picked) = picker.pick(spec, lanes) {
                        return picked;
                    }
                }
                visit(spec, finder, line, lanes, Pick { line, columns, count: *count, fields })
            }
        ))
    }
}

/// What looks for the separator, if it is a text of more than one byte.
fn finder(spec: &ColumnsSpec) -> Finder<'static> {
    match &spec.separator {
        Separator::Text(text) => Finder::new(text).into_owned(),
        _ => Finder::new(b"").into_owned(),
    }
}

/// Work on the cells of a line, compiled for each way to write them.
trait Visitor {
    fn visit<B: Between, Q: Quoting>(self, cells: Cells<'_, B, Q>) -> Result<(), Misfit>;
}

/// Does work on the cells of a line.
#[inline(always)]
fn visit<L: Lanes>(
    spec: &ColumnsSpec,
    finder: &Finder<'_>,
    line: &[u8],
    lanes: L,
    visitor: impl Visitor,
) -> Result<(), Misfit> {
    match &spec.separator {
        Separator::Blanks => visit_quoted(spec, line, lanes, Blanks::new(line, lanes), visitor),
        Separator::Byte(byte) => visit_quoted(spec, line, lanes, OneByte::new(line, lanes, *byte), visitor),
        Separator::Text(text) => match text[..] {
            [byte] => visit_quoted(spec, line, lanes, OneByte::new(line, lanes, byte), visitor),
            _ => visit_quoted(spec, line, lanes, BlankSeparated::new(line, finder), visitor),
        },
    }
}

#[inline(always)]
fn visit_quoted<L: Lanes>(
    spec: &ColumnsSpec,
    line: &[u8],
    lanes: L,
    between: impl Between,
    visitor: impl Visitor,
) -> Result<(), Misfit> {
    match spec.quotes {
        Quotes::None => visitor.visit(Cells::new(spec, line, between, Unquoted)),
        Quotes::Csv => visitor.visit(Cells::new(spec, line, between, Doubled::new(line, lanes))),
        Quotes::Web => visitor.visit(Cells::new(spec, line, between, Bracketed::new(line, lanes))),
    }
}

/// Finds the places of the columns that are wanted.
struct Pick<'a> {
    line: &'a [u8],
    columns: &'a [(usize, u32)],
    count: Option<usize>,
    fields: &'a mut Fields,
}

impl Visitor for Pick<'_> {
    #[inline(always)]
    fn visit<B: Between, Q: Quoting>(self, mut cells: Cells<'_, B, Q>) -> Result<(), Misfit> {
        let Pick { line, columns, count, fields } = self;
        let mut wanted = columns.iter();
        let mut next = wanted.next();
        let most = count.unwrap_or(usize::MAX);
        let mut number = 0;
        // Columns behind the last one that is wanted can only be too many, or in quotes that are
        // not closed.
        while next.is_some() || Q::ANY || count.is_some() {
            let Some(cell) = cells.next()? else { break };
            if number == most {
                return Err(MisfitKind::TooManyFields.at(cell.start));
            }
            if next.is_some_and(|(column, _)| *column == number) {
                let place = place(&cell, line, fields);
                while let Some((_, slot)) = next.filter(|(column, _)| *column == number) {
                    fields.set(*slot, place);
                    next = wanted.next();
                }
            }
            number += 1;
        }
        match count {
            Some(count) if number < count => Err(MisfitKind::TooFewFields.at(line.len())),
            _ => Ok(()),
        }
    }
}

/// Where the text of a cell is: in the line, unless quotes in it are doubled.
#[inline(always)]
fn place(cell: &ColumnCell, line: &[u8], fields: &mut Fields) -> FieldPlace {
    match cell.is_doubled {
        false => FieldPlace::line(cell.start, cell.end),
        true => fields.unescape(|out| cells::halve(&line[cell.start..cell.end], out)),
    }
}

/// Collects all columns.
struct Collect<'l, 'a> {
    line: &'l [u8],
    columns: &'a mut Vec<Cow<'l, [u8]>>,
}

impl Visitor for Collect<'_, '_> {
    fn visit<B: Between, Q: Quoting>(self, mut cells: Cells<'_, B, Q>) -> Result<(), Misfit> {
        while let Some(cell) = cells.next()? {
            let text = &self.line[cell.start..cell.end];
            self.columns.push(match cell.is_doubled {
                false => Cow::Borrowed(text),
                true => {
                    let mut halved = Vec::with_capacity(text.len());
                    cells::halve(text, &mut halved);
                    Cow::Owned(halved)
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
