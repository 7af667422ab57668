//! Fields by their paths in a JSON object, one to a line.
//!
//! The line is read to its end, so that it fits only if all of it is JSON (RFC 8259), though bytes in
//! texts need not be UTF-8. What is not asked for costs little more than looking for the ends of its
//! texts.
//!
//! Not here: what else a line may be wrapped in. Invariant: where several places match a path, the
//! last one counts.

mod path;
mod states;
mod walk;

use std::sync::Arc;

use super::fields::{FieldPlace, Fields, Misfit};
use crate::model::lanes::{Lanes as _, on_widest_lanes};
pub use path::FieldPath;
use states::PathStates;
pub use walk::Scratch;
use walk::{FoundFields, JsonWalk};

/// Fields that have paths in a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFields(Arc<WantedPaths>);

#[derive(Debug, PartialEq, Eq)]
struct WantedPaths {
    slots: usize,
    states: PathStates,
}

impl JsonFields {
    /// The fields with these paths, by slot.
    pub fn new(paths: &[FieldPath]) -> Self {
        JsonFields(Arc::new(WantedPaths { slots: paths.len(), states: PathStates::of(paths) }))
    }

    pub(super) fn slots(&self) -> usize {
        self.0.slots
    }

    #[inline]
    pub(super) fn extract(&self, line: &[u8], fields: &mut Fields, scratch: &mut Scratch) -> Result<(), Misfit> {
        let Fields { places, unescaped } = fields;
        self.find(line, places, unescaped, scratch)
    }

    /// As `extract`, into places that were absent.
    pub(crate) fn find(
        &self,
        line: &[u8],
        places: &mut [FieldPlace],
        unescaped: &mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> Result<(), Misfit> {
        let found = FoundFields { places, unescaped };
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || JsonWalk::new(&self.0.states, line, lanes, found, scratch).run()
        ))
    }
}

#[cfg(test)]
mod tests;
