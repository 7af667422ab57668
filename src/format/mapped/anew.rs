//! Logs that name other columns from some line on, as Zeek's do after an update, or where several
//! are put together.
//!
//! Not here: who divides what there (`stage/anew`). Invariant: a line that names the columns that
//! an input has anyway changes nothing.

use memchr::memmem::Finder;

use super::Mapped;
use super::bind::{StampContext, names_behind};
use super::bound::Bound;
use super::definition::{FieldRules, Header};

impl Mapped {
    /// What a line begins with that names columns, if any line of the input may.
    pub fn naming(&self) -> Option<&[u8]> {
        self.bound.naming()
    }

    /// Whether a line names columns that are others than those of this input.
    pub fn names_other_columns(&self, line: &[u8]) -> bool {
        self.bound.names_other_columns(line)
    }

    /// Where in `bytes`, at `from` or behind it, the next line begins that names other columns, and
    /// the same format for these. `None` if there is none.
    pub fn bound_anew(&self, bytes: &[u8], from: usize) -> Option<(usize, Mapped)> {
        let (at, line) = self.other_columns(bytes, from)?;
        let FieldRules::Columns(rules) = &self.bound.definition.fields else { return None };
        // Of columns that are no names, or not those that a record needs, no line is a record.
        let columns = names_behind(rules, self.naming()?, line).unwrap_or_default();
        let context =
            StampContext { units: self.bound.stamps.units, zone: self.bound.stamps.zone.clone(), latest: self.latest };
        Some((at, self.bound.definition.bind_columns_or_none(columns, line.to_vec(), &context)))
    }

    /// The next line at `from` or behind it that names other columns, and where it begins.
    fn other_columns<'a>(&self, bytes: &'a [u8], from: usize) -> Option<(usize, &'a [u8])> {
        let finder = Finder::new(self.naming()?);
        let is_line = |at: &usize| *at == 0 || bytes[*at - 1] == b'\n';
        let line = |at: usize| {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            (at, bytes[at..end].strip_suffix(b"\r").unwrap_or(&bytes[at..end]))
        };
        let mut lines = finder.find_iter(bytes.get(from..)?).map(|at| from + at).filter(is_line).map(line);
        lines.find(|(_, line)| *line != &self.bound.header[..])
    }
}

impl Bound {
    fn naming(&self) -> Option<&[u8]> {
        match &self.definition.fields {
            FieldRules::Columns(rules) => match &rules.header {
                Header::Behind(prefix) => Some(prefix),
                Header::None | Header::First => None,
            },
            _ => None,
        }
    }

    /// Whether a line names columns that are others than those of this input.
    pub(super) fn names_other_columns(&self, line: &[u8]) -> bool {
        self.naming().is_some_and(|naming| line.starts_with(naming)) && line != &self.header[..]
    }
}
