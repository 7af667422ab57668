//! How the lines of an input are read, as plain values that a saved state has.
//!
//! Not here: which inputs these are of. Invariant: what was saved is bound to the same schema again,
//! without a look at the input, and whatever a later version would tell of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::asked::Format;
use super::listed::{AUTO, PLAIN};
use super::mapped::Definition;
use super::mapped::bind::StampContext;
use super::mapped::definition::read_keys;
use super::plain::Plain;
use super::schema::{LineRules, Schema};
use crate::model::Timestamp;

/// The schema of one input.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SavedSchema {
    /// The name of the format.
    pub name: String,
    /// Its keys, in TOML; none are those of `plain`.
    pub keys: String,
    /// The names of its columns, where the input said them.
    pub columns: Option<Vec<String>>,
    /// The line that said them.
    pub header: Vec<u8>,
}

impl Schema {
    /// What to save of it.
    pub fn saved(&self) -> SavedSchema {
        match self {
            Schema::Plain(_) => {
                SavedSchema { name: PLAIN.to_owned(), keys: String::new(), columns: None, header: Vec::new() }
            }
            Schema::Mapped(format) => {
                let (columns, header) = format.columns();
                let definition = format.definition();
                let (name, keys) = (definition.name.clone(), definition.to_string());
                SavedSchema { name, keys, columns: columns.map(<[String]>::to_vec), header: header.to_vec() }
            }
        }
    }
}

/// Bytes that a schema may have, far beyond any that a file begins with.
pub const MOST_SCHEMA: usize = 256 << 10;

/// How the lines of a file are read, as whoever reads a part of it needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSchema {
    /// The schema.
    pub schema: SavedSchema,
    /// No stamp without a year is later than this and a day.
    pub latest: Timestamp,
}

impl SavedSchema {
    /// That nothing has told yet how the lines of an input are read.
    pub fn undecided() -> Self {
        SavedSchema { name: AUTO.to_owned(), keys: String::new(), columns: None, header: Vec::new() }
    }

    /// Whether nothing has told that yet.
    pub fn is_undecided(&self) -> bool {
        *self == SavedSchema::undecided()
    }

    /// Whether it is that of `plain`.
    pub fn is_plain(&self) -> bool {
        self.name == PLAIN && self.keys.is_empty()
    }

    /// Errors with why it is none that was saved.
    pub fn check(&self) -> Result<(), String> {
        let columns = self.columns.iter().flatten().map(String::len).sum::<usize>();
        if self.name.len() + self.keys.len() + columns + self.header.len() > MOST_SCHEMA {
            return Err("is longer than any".to_owned());
        }
        match self.is_undecided() {
            true => Ok(()),
            false => Format::plain().bind_saved(self, Timestamp::MAX, 1).map(drop),
        }
    }
}

impl LineRules {
    /// What to tell whoever reads a part of this input.
    pub fn planned(&self) -> PlannedSchema {
        PlannedSchema { schema: self.schema.saved(), latest: self.schema.latest().unwrap_or(Timestamp::MAX) }
    }
}

impl Format {
    /// How the lines of an input are read that was bound to this, and last written to at `latest`.
    /// Errors with why there is no such schema.
    pub fn bind_saved(&self, saved: &SavedSchema, latest: Timestamp, max_line: usize) -> Result<LineRules, String> {
        let SavedSchema { name, keys, columns, header } = saved;
        if saved.is_plain() {
            return Ok(LineRules { schema: Schema::Plain(Plain { units: self.units() }), max_line });
        }
        let definition = Definition::new(name, read_keys(keys)?).map_err(|flaw| flaw.message)?;
        let context = StampContext { latest, ..self.context() };
        let bound = Arc::new(definition).bind_saved(columns.clone(), header.clone(), &context)?;
        Ok(LineRules { schema: Schema::Mapped(bound), max_line })
    }
}
