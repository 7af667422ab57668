//! What format 3 of a saved state has before all that format 2 has: numbers of balance sheets that
//! lines of `plain` do not have, how the lines of each input are read, and what is summed.
//!
//! Not here: whether a state has any of that to say (`Snapshot::format`). Invariant: a state of which
//! format 2 says everything is of format 2, so that there is one form for each.

use std::collections::HashSet;
use std::io;

use serde::{Deserialize, Serialize};

use super::measures::SavedMeasures;
use super::store::{FORMAT, OLDEST};
use super::value::Snapshot;
use crate::codec::{Decoder, Encoder};
use crate::format::SavedSchema;
use crate::model::{InputId, LaterNumbers};

/// What stands before the snapshot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Beside {
    /// Of each sheet, in their order; none if all of them are 0.
    sheets: Vec<LaterNumbers>,
    /// By input.
    schemas: Vec<(InputId, SavedSchema)>,
    measures: Option<SavedMeasures>,
}

impl Beside {
    /// What a snapshot has to say; `None` if that is nothing.
    pub(super) fn of(snapshot: &Snapshot) -> Option<Self> {
        let has_any = snapshot.progress.sheets().any(|sheet| LaterNumbers::of(sheet).is_some());
        let sheets = if has_any { snapshot.progress.sheets().map(LaterNumbers::all_of).collect() } else { Vec::new() };
        let (schemas, measures) = (snapshot.schemas.clone(), snapshot.measures.clone());
        (has_any || !schemas.is_empty() || measures.is_some()).then_some(Beside { sheets, schemas, measures })
    }

    /// Reads it, if a state has it.
    pub(super) fn read(decoder: &mut Decoder<'_>) -> io::Result<Self> {
        if decoder.version() <= OLDEST { Ok(Beside::default()) } else { decoder.get() }
    }

    /// Puts it into a snapshot that was read. Errors with what no run saves.
    pub(super) fn put(self, version: u32, snapshot: &mut Snapshot) -> Result<(), String> {
        let sheets = snapshot.progress.sheets().count();
        let (first, others) = (self.sheets.first(), &self.sheets);
        if first.is_some() && (others.len() != sheets || !others.iter().any(LaterNumbers::is_any)) {
            return Err("its balance sheets are not as many as there are numbers beside them".to_owned());
        }
        for (sheet, later) in snapshot.progress.sheets_mut().zip(&self.sheets) {
            later.put(sheet);
        }
        (snapshot.schemas, snapshot.measures) = (self.schemas, self.measures);
        if version > OLDEST && snapshot.format() == OLDEST {
            return Err(format!("it has format {version}, and nothing that format {OLDEST} does not say"));
        }
        snapshot.check_schemas()
    }
}

impl Snapshot {
    /// The version of the format that says all of it.
    pub fn format(&self) -> u32 {
        if Beside::of(self).is_some() { FORMAT } else { OLDEST }
    }

    /// Puts all that stands before names and pairs.
    pub fn put(&self, encoder: &mut Encoder<'_>) -> io::Result<()> {
        Beside::of(self).iter().try_for_each(|beside| encoder.put(beside))?;
        encoder.put(self)
    }

    /// Errors with what no run saves of schemas.
    fn check_schemas(&self) -> Result<(), String> {
        let ids = |schema: &(InputId, SavedSchema)| schema.0;
        if !self.schemas.is_sorted_by(|a, b| ids(a) < ids(b)) {
            return Err("its schemas are not in order".to_owned());
        }
        // Most inputs share a few.
        let mut checked = HashSet::new();
        for (id, schema) in &self.schemas {
            if self.progress.inputs.binary_search_by_key(id, |(id, _)| *id).is_err() {
                return Err(format!("it has a schema of input {}, which there is not", id.0));
            }
            if checked.insert(schema) {
                schema.check().map_err(|problem| format!("the schema of input {}: {problem}", id.0))?;
            }
        }
        Ok(())
    }
}
