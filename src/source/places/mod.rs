//! Where inputs come from: one place a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`. Not here: what is made
//! of what they find (`locate`, `follow`). Invariant: nobody else asks what kind of location one is.

pub mod file;
pub mod stdin;

use super::entry::{Finding, Listing, SourceEntry};
use crate::error::Result;
use crate::model::location::Location;

/// All sources.
const TABLE: &[SourceEntry] = &[stdin::ENTRY, file::ENTRY];

/// Whether something is read from such a location.
pub fn reads(location: &Location) -> bool {
    entry(location).is_some()
}

fn entry(location: &Location) -> Option<&'static SourceEntry> {
    TABLE.iter().find(|entry| (entry.takes)(location))
}

/// Passes on everything that a location leads to, and gives whether that is anything. Errors if it
/// cannot be read, and when listing is interrupted.
pub fn find(location: &Location, listing: &Listing, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    match entry(location) {
        Some(entry) => (entry.find)(location, listing, visit),
        None => Ok(false),
    }
}

#[cfg(test)]
mod laws;
