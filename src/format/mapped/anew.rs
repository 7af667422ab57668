//! Logs that name other columns from some line on, as Zeek's do after an update, or where several
//! are put together.
//!
//! Not here: who divides what there (`stage/anew`). Invariant: a line that names the columns that
//! an input has anyway changes nothing, and no record is taken for one that names columns.

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::bind::{StampContext, names_said};
use super::bound::{Bound, OF_ENVELOPE};
use super::condition::pattern;
use super::definition::{ColumnRules, Definition, FieldRules, Header};
use super::{Mapped, MappedScratch};
use crate::format::envelope::Envelope;
use crate::format::extract::Separator;

/// What lines have that name columns.
#[derive(Debug)]
pub(super) enum Naming {
    /// They begin with it.
    Behind(Finder<'static>),
    /// One of their columns is called so, as that of who connected is.
    Called(Regex),
}

impl Naming {
    /// What a definition says of them, for an input that names its columns so. `None` if no line names
    /// columns.
    pub(super) fn of(definition: &Definition, columns: Option<&[String]>) -> Option<Self> {
        let FieldRules::Columns(rules) = &definition.fields else { return None };
        match &rules.header {
            Header::None => None,
            Header::Behind(prefix) => Some(Naming::Behind(Finder::new(prefix).into_owned())),
            Header::First if definition.envelope != Envelope::None => None,
            Header::First => {
                let is_name = |name: &&str| !OF_ENVELOPE.contains(name) && name.parse::<usize>().is_err();
                let defined: Vec<&str> = definition.from.iter().flat_map(|from| from.names()).filter(is_name).collect();
                let is_alike = |column: &&String| defined.iter().any(|name| name.eq_ignore_ascii_case(column));
                let bound = columns.unwrap_or_default().iter().filter(is_alike).flat_map(|name| in_letters(name));
                let mut names: Vec<String> = defined.iter().map(|name| (*name).to_owned()).chain(bound).collect();
                // The first that fits is taken, and has to be the longest.
                names.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
                names.dedup();
                let any = names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
                (!names.is_empty()).then(|| pattern(&any).ok()).flatten().map(Naming::Called)
            }
        }
    }
}

impl Mapped {
    /// Whether any line of the input may name columns.
    pub fn may_name_columns(&self) -> bool {
        self.bound.naming.is_some()
    }

    /// Whether a line names columns that are others than those of this input.
    pub fn names_other_columns(&self, line: &[u8]) -> bool {
        self.bound.other_columns(line, 0).is_some()
    }

    /// Where in `bytes`, at `from` or behind it, the next line begins that names other columns, and
    /// the same format for these. `None` if there is none.
    pub fn bound_anew(&self, bytes: &[u8], from: usize) -> Option<(usize, Mapped)> {
        let (at, line) = self.bound.other_columns(bytes, from)?;
        let FieldRules::Columns(rules) = &self.bound.definition.fields else { return None };
        // Of columns that are no names, or not those that a record needs, no line is a record.
        let columns = names_said(rules, line).unwrap_or_default();
        let context = StampContext { latest: self.latest, ..self.bound.context() };
        Some((at, self.bound.definition.bind_columns_or_none(columns, line.to_vec(), &context)))
    }
}

impl Bound {
    /// The next line at `from` or behind it that names other columns, and where it begins.
    pub(super) fn other_columns<'a>(&self, bytes: &'a [u8], from: usize) -> Option<(usize, &'a [u8])> {
        let FieldRules::Columns(rules) = &self.definition.fields else { return None };
        let rest = bytes.get(from..)?;
        let line = |at: usize| {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            (at, bytes[at..end].strip_suffix(b"\r").unwrap_or(&bytes[at..end]))
        };
        match self.naming.as_ref()? {
            Naming::Behind(finder) => {
                let starts = finder.find_iter(rest).map(|at| from + at);
                let mut lines = starts.filter(|at| *at == 0 || bytes[*at - 1] == b'\n').map(line);
                lines.find(|(_, line)| *line != &self.header[..])
            }
            Naming::Called(names) => {
                let found = names.find_iter(rest).map(|name| (from + name.start(), from + name.end()));
                let is_column = |(start, end): &(usize, usize)| is_apart(rules, bytes, *start, *end);
                let mut lines = found.filter(is_column).filter_map(|(at, _)| {
                    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
                    // One that begins before `from` was looked at.
                    (start >= from).then(|| line(start))
                });
                lines.find(|(_, line)| self.is_header(rules, names, line))
            }
        }
    }

    /// Whether a line in which one of the names stands says the columns of those behind it, and other
    /// ones.
    fn is_header(&self, rules: &ColumnRules, names: &Regex, line: &[u8]) -> bool {
        if line == &self.header[..] || self.is_comment(line) {
            return false;
        }
        let Ok(said) = names_said(rules, line) else { return false };
        let is_whole = |name: &String| names.find(name.as_bytes()).is_some_and(|found| found.len() == name.len());
        let context = self.context();
        // A record may have names of columns in it, but has a time.
        said.iter().any(is_whole)
            && !self.has_time(line)
            && (self.shares_names(&said) || self.definition.bind_columns(Some(said), line.to_vec(), &context).is_ok())
    }

    fn has_time(&self, line: &[u8]) -> bool {
        let mut scratch = MappedScratch::default();
        self.read(&mut scratch, line)
            .and_then(|()| self.stamp(&mut scratch, line, StampContext::default().latest))
            .is_ok()
    }

    /// Whether half of these are names of columns of this input.
    fn shares_names(&self, said: &[String]) -> bool {
        let known = self.columns.as_deref().unwrap_or_default();
        let shared = said.iter().filter(|name| known.contains(name)).count();
        shared > 1 && shared * 2 >= said.len()
    }

    /// What its stamps mean that do not say all of it themselves, whenever it was written.
    fn context(&self) -> StampContext {
        let rules = &self.stamps;
        StampContext { units: rules.units, zone: rules.zone.clone(), ..StampContext::default() }
    }
}

/// A name as one line and another may write it.
fn in_letters(name: &str) -> [String; 4] {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    let lower = rest.to_lowercase();
    [name.to_owned(), name.to_lowercase(), name.to_uppercase(), first.to_uppercase() + &lower]
}

/// Whether what stands there may be a column, and is no part of a longer word.
fn is_apart(rules: &ColumnRules, bytes: &[u8], start: usize, end: usize) -> bool {
    let separates = |byte: u8| match &rules.spec.separator {
        Separator::Blanks => false,
        Separator::Byte(separator) => byte == *separator,
        Separator::Text(text) => text.contains(&byte),
    };
    let is_word = |byte: &u8| (byte.is_ascii_alphanumeric() || *byte == b'_') && !separates(*byte);
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(is_word) && !bytes.get(end).is_some_and(is_word)
}
