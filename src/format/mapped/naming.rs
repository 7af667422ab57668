//! Lines that name columns: what they have, and which columns they name.
//!
//! Not here: which columns an input has for a line (`anew`, `bind`). Invariant: what is looked for stands
//! in every line that may name columns, as it is written in the input.

use std::sync::Arc;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::condition::pattern;
use super::definition::{ColumnRules, Definition, FieldRules, Header};
use crate::format::envelope::Envelope;
use crate::format::extract::{Columns, Misfit, Separator};

/// What lines have that name columns.
#[derive(Debug, Clone)]
pub enum Naming {
    /// They begin with it.
    Behind(Box<Finder<'static>>),
    /// One of their columns is called so, as that of who connected is.
    Called(Arc<Regex>),
}

impl Naming {
    /// What a definition says of them, for an input that names its columns so; `known` is what was said
    /// for others. `None` if no line names columns.
    pub fn of(definition: &Definition, columns: Option<&[String]>, known: Option<&Naming>) -> Option<Self> {
        let FieldRules::Columns(rules) = &definition.fields else { return None };
        match &rules.header {
            Header::None => None,
            Header::Behind(prefix) => Some(Naming::Behind(Box::new(Finder::new(prefix).into_owned()))),
            Header::First => {
                let is_name = |name: &&str| name.parse::<usize>().is_err();
                let defined: Vec<&str> = definition.from.iter().flat_map(|from| from.names()).filter(is_name).collect();
                let is_alike = |column: &&String| defined.iter().any(|name| name.eq_ignore_ascii_case(column));
                let bound = columns.unwrap_or_default().iter().filter(is_alike).flat_map(|name| in_letters(name));
                let mut names: Vec<String> = defined.iter().map(|name| (*name).to_owned()).chain(bound).collect();
                // The first that fits is taken, and has to be the longest.
                names.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
                names.dedup();
                let any = names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
                // To compile it takes longer than to read many lines.
                match known {
                    Some(Naming::Called(known)) if known.as_str() == any => Some(Naming::Called(Arc::clone(known))),
                    _ => (!names.is_empty())
                        .then(|| pattern(&any).ok())
                        .flatten()
                        .map(|any| Naming::Called(Arc::new(any))),
                }
            }
        }
    }

    /// Where in `bytes`, at `from` or behind it, what is looked for may stand as a whole.
    pub fn places<'a>(
        &'a self,
        definition: &'a Definition,
        bytes: &'a [u8],
        from: usize,
    ) -> Box<dyn Iterator<Item = usize> + 'a> {
        let rest = bytes.get(from..).unwrap_or_default();
        match self {
            Naming::Behind(finder) => Box::new(finder.find_iter(rest).map(move |at| from + at)),
            Naming::Called(names) => {
                let found = names.find_iter(rest).map(move |name| (from + name.start(), from + name.end()));
                let is_whole = |(start, end): &(usize, usize)| is_apart(definition, bytes, *start, *end);
                Box::new(found.filter(is_whole).map(|(start, _)| start))
            }
        }
    }

    /// Whether a column is called so.
    pub fn is_name(&self, column: &str) -> bool {
        match self {
            Naming::Behind(_) => false,
            Naming::Called(names) => names.find(column.as_bytes()).is_some_and(|found| found.len() == column.len()),
        }
    }
}

/// A name as one line and another may write it.
fn in_letters(name: &str) -> [String; 4] {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    [name.to_owned(), name.to_lowercase(), name.to_uppercase(), first.to_uppercase() + &rest.to_lowercase()]
}

/// Whether what stands there may be a column, and is no part of a longer word.
fn is_apart(definition: &Definition, bytes: &[u8], start: usize, end: usize) -> bool {
    let FieldRules::Columns(rules) = &definition.fields else { return false };
    let separates = |byte: u8| match &rules.spec.separator {
        Separator::Blanks => false,
        Separator::Byte(separator) => byte == *separator,
        Separator::Text(text) => text.contains(&byte),
    };
    let is_word = |byte: &u8| (byte.is_ascii_alphanumeric() || *byte == b'_') && !separates(*byte);
    // Docker writes a tab as two letters.
    let is_escaped = definition.envelope == Envelope::DockerJson;
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).filter(|_| !is_escaped);
    !before.is_some_and(is_word) && !bytes.get(end).is_some_and(is_word)
}

/// The names of columns that a line says: behind what such lines begin with, if they do.
pub fn names_said(rules: &ColumnRules, line: &[u8]) -> Result<Vec<String>, String> {
    let names = match &rules.header {
        Header::None | Header::First => line,
        Header::Behind(prefix) => {
            let rest = line.strip_prefix(&prefix[..]).unwrap_or_default();
            let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            &rest[blanks..]
        }
    };
    let columns = Columns::split(&rules.spec, names).map_err(|Misfit { what, .. }| what.text().to_owned())?;
    Ok(columns.iter().map(|column| String::from_utf8_lossy(column).trim().to_owned()).collect())
}
