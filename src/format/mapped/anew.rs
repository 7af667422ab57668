//! Logs that name other columns from some line on, as Zeek's do after an update, or where several
//! are put together.
//!
//! Not here: who divides what there (`stage/anew`). Invariant: a line that names the columns that
//! an input has anyway changes nothing, and no record is taken for one that names columns.

use std::collections::BTreeSet;

use super::bind::StampContext;
use super::bound::Bound;
use super::definition::{ColumnRules, FieldRules, Header};
use super::naming::{Naming, names_said};
use super::{Mapped, MappedScratch, trimmed};

impl Mapped {
    /// Whether any line of the input may name columns.
    pub fn may_name_columns(&self) -> bool {
        self.bound.naming.is_some()
    }

    /// Whether a line, as it is read, names columns that are others than those of this input.
    pub fn names_other_columns(&self, line: &[u8]) -> bool {
        let FieldRules::Columns(rules) = &self.bound.definition.fields else { return false };
        self.bound.naming.as_ref().is_some_and(|naming| {
            naming.places(&self.bound.definition, line, 0).next().is_some()
                && self.bound.other_header(rules, naming, line).is_some()
        })
    }

    /// Where in `bytes`, at `from` or behind it, the next line begins that names other columns, and
    /// the same format for these. `None` if there is none.
    pub fn bound_anew(&self, bytes: &[u8], from: usize) -> Option<(usize, Mapped)> {
        let (at, header) = self.bound.other_columns(bytes, from)?;
        let FieldRules::Columns(rules) = &self.bound.definition.fields else { return None };
        // Of columns that are no names, or not those that a record needs, no line is a record.
        let columns = names_said(rules, &header).unwrap_or_default();
        let context = StampContext { latest: self.latest, ..self.bound.context() };
        Some((at, self.bound.definition.bind_columns_or_none(columns, header, &context, self.bound.naming.as_ref())))
    }
}

impl Bound {
    /// The next line at `from` or behind it that names other columns: where it begins, and what it says.
    pub(super) fn other_columns(&self, bytes: &[u8], from: usize) -> Option<(usize, Vec<u8>)> {
        let FieldRules::Columns(rules) = &self.definition.fields else { return None };
        let naming = self.naming.as_ref()?;
        naming.places(&self.definition, bytes, from).find_map(|at| {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            // One that begins before `from` was looked at.
            let line = trimmed(bytes, start, end);
            (start >= from).then(|| self.other_header(rules, naming, line)).flatten().map(|header| (start, header))
        })
    }

    /// What a line says that names other columns than there are.
    fn other_header(&self, rules: &ColumnRules, naming: &Naming, line: &[u8]) -> Option<Vec<u8>> {
        let mut unescaped = Vec::new();
        let opened = self.definition.envelope.open(line, &mut unescaped).ok()?;
        let message = opened.message.of(line, &unescaped).filter(|message| *message != &self.header[..])?;
        let is_header = match &rules.header {
            Header::None => false,
            Header::Behind(prefix) => message.starts_with(prefix),
            Header::First => self.is_header(rules, naming, line, message),
        };
        is_header.then(|| message.to_vec())
    }

    /// Whether a line in which one of the names stands says the columns of those behind it.
    fn is_header(&self, rules: &ColumnRules, naming: &Naming, line: &[u8], message: &[u8]) -> bool {
        let Ok(said) = names_said(rules, message) else { return false };
        // A record may have names of columns in it, but has a time.
        said.iter().any(|name| naming.is_name(name))
            && !self.is_comment(message)
            && !self.has_time(line)
            && (self.shares_names(&said) || self.definition.makes_records_of(said, &self.context(), naming))
    }

    fn has_time(&self, line: &[u8]) -> bool {
        let mut scratch = MappedScratch::default();
        let read = self.read(&mut scratch, line);
        read.and_then(|()| self.stamp(&mut scratch, line, StampContext::default().latest)).is_ok()
    }

    /// Whether half of these are names of columns of this input.
    fn shares_names(&self, said: &[String]) -> bool {
        let known: BTreeSet<&String> = self.columns.iter().flatten().collect();
        let shared = said.iter().filter(|name| known.contains(name)).count();
        shared > 1 && shared * 2 >= said.len()
    }

    /// What its stamps mean that do not say all of it themselves, whenever it was written.
    fn context(&self) -> StampContext {
        let rules = &self.stamps;
        StampContext { units: rules.units, zone: rules.zone.clone(), ..StampContext::default() }
    }
}
