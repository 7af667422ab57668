//! Where the fields of a line are: the four ways to find them.
//!
//! Not here: what stands around a line (`envelope`), and what a field means. Invariant: what is found
//! depends on the line alone, not on those before it, and whether a line fits does not depend on
//! which fields are asked for.

mod columns;
mod escapes;
mod few_columns;
mod fields;
mod json;
mod keys;
mod keyval;
mod marks;
mod pattern;

pub use columns::{Columns, ColumnsSpec, Quotes, Separator};
pub use few_columns::FewColumns;
pub use fields::{FieldPlace, Fields, Misfit, MisfitKind};
pub use json::{FieldPath, JsonFields};
pub use keyval::KeyVal;
pub use pattern::Pattern;

pub(crate) use json::Scratch;

use pattern::Groups;

/// Memory that is kept from line to line.
#[derive(Debug, Default, Clone)]
pub struct ExtractScratch {
    json: Scratch,
    groups: Groups,
}

/// How fields are found. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extractor {
    /// By the numbers of columns.
    Columns(Columns),
    /// By paths in a JSON object.
    Json(JsonFields),
    /// By the keys of `key=value`.
    KeyVal(KeyVal),
    /// By the groups of a regular expression.
    Regex(Pattern),
}

impl Extractor {
    /// Finds the fields of a line, which has no newline, nor a carriage return at its end. Of a line
    /// that does not fit all fields are absent.
    pub fn extract(&self, line: &[u8], fields: &mut Fields, scratch: &mut ExtractScratch) -> Result<(), Misfit> {
        let slots = match self {
            Extractor::Columns(columns) => columns.slots(),
            Extractor::Json(json) => json.slots(),
            Extractor::KeyVal(pairs) => pairs.slots(),
            Extractor::Regex(pattern) => pattern.slots(),
        };
        fields.reset(slots);
        if u32::try_from(line.len()).is_err() {
            return Err(MisfitKind::TooLong.at(u32::MAX as usize));
        }
        let found = match self {
            Extractor::Columns(columns) => columns.extract(line, fields),
            Extractor::Json(json) => json.extract(line, fields, &mut scratch.json),
            Extractor::KeyVal(pairs) => pairs.extract(line, fields),
            Extractor::Regex(pattern) => pattern.extract(line, fields, &mut scratch.groups),
        };
        if found.is_err() {
            fields.reset(slots);
        }
        found
    }
}

#[cfg(test)]
mod tests;
