//! The five stages, in the order of the data. Each joins a pure thing to the runtime, and does
//! nothing else.
//!
//! Files that stand behind a stage belong to it: `bind`, `read`, `skip` and `follow` to the reader,
//! `firsts` and `stats` to the time-filter, and `abreast` to the issuer, which has to know when
//! everything that was there is counted.

mod anew;
pub mod bind;
pub mod read;
pub mod reader;
pub mod skip;

pub mod abreast;
pub mod follow;

pub mod splitter;

pub mod filter;
pub mod firsts;
pub mod stats;

pub mod aggregator;

pub mod reporter;
pub mod schedule;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::error::Error;
use crate::format::SavedSchema;
use crate::model::{InputId, WindowResult};
use crate::output::Tell;

/// How the lines of inputs are read that are followed, as whoever saves needs it: from which byte on,
/// nothing for lines of `plain`.
#[derive(Debug, Default)]
pub struct InputSchemas(Mutex<HashMap<InputId, SchemaRun>>);

/// The schemas of one input, each with the byte from which on it holds.
type SchemaRun = Vec<(u64, Option<SavedSchema>)>;

impl InputSchemas {
    /// Notes the schema of an input from a byte on, behind those that are noted.
    pub fn set(&self, input: InputId, from: u64, schema: Option<SavedSchema>) {
        let mut known = self.0.lock();
        let schemas = known.entry(input).or_default();
        if schemas.last().is_none_or(|(_, last)| *last != schema) {
            schemas.push((from, schema));
        }
    }

    /// Those of inputs that are counted up to these bytes, where there is one, in the order of the
    /// inputs. What is before that is not asked for again.
    pub fn of(&self, inputs: impl Iterator<Item = (InputId, u64)>) -> Vec<(InputId, SavedSchema)> {
        let mut known = self.0.lock();
        let at = |(id, position): (InputId, u64)| {
            let schemas = known.get_mut(&id)?;
            let now = schemas.iter().rposition(|(from, _)| *from <= position)?;
            schemas.drain(..now);
            Some((id, schemas.first()?.1.clone()?))
        };
        let mut schemas: Vec<_> = inputs.filter_map(at).collect();
        schemas.sort_by_key(|(id, _)| *id);
        schemas
    }

    /// Drops that of an input that has ended.
    pub fn forget(&self, input: InputId) {
        self.0.lock().remove(&input);
    }
}

/// What is noted of inputs by their numbers.
#[derive(Debug, Clone, Default)]
pub struct InputNotes {
    /// Their names.
    pub names: Arc<InputNames>,
    /// How their lines are read, of those that are followed.
    pub schemas: Arc<InputSchemas>,
}

impl InputNotes {
    /// Drops what is noted of an input that has ended.
    pub fn forget(&self, input: InputId) {
        self.names.forget(input);
        self.schemas.forget(input);
    }
}

/// The names of inputs, for messages.
#[derive(Debug, Default)]
pub struct InputNames(RwLock<HashMap<InputId, String>>);

impl InputNames {
    /// Names an input.
    pub fn set(&self, input: InputId, name: String) {
        self.0.write().insert(input, name);
    }

    /// The name of an input, or its number.
    pub fn get(&self, input: InputId) -> String {
        self.0.read().get(&input).cloned().unwrap_or_else(|| format!("input {}", input.0))
    }

    /// Inputs that have a name.
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Drops the name of an input that has ended.
    pub fn forget(&self, input: InputId) {
        self.0.write().remove(&input);
    }
}

/// A closure that is told something.
pub type Callback<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// Who is told what happens while a run goes on, as far as anybody is.
#[derive(Clone, Default)]
pub struct Listener {
    /// Of errors that do not end it.
    pub failure: Option<Callback<Error>>,
    /// Of what people should know though nothing failed.
    pub warning: Option<Callback<str>>,
    /// Of how something was understood.
    pub note: Option<Callback<str>>,
    /// Of results, in their order.
    pub result: Option<Callback<WindowResult>>,
}

/// Errors that do not end a run, and warnings: told at once, counted at its end.
#[derive(Default)]
pub struct Failures {
    all: Mutex<Vec<Error>>,
    warnings: Mutex<Vec<String>>,
    listener: Listener,
}

impl Failures {
    /// No failures yet; of each the listener is told when it happens, and of each warning.
    pub fn new(listener: Listener) -> Self {
        Failures { listener, ..Failures::default() }
    }

    /// Notes a failure.
    pub fn add(&self, error: Error) {
        if let Some(tell) = &self.listener.failure {
            tell(&error);
        }
        self.all.lock().push(error);
    }

    /// Tells how something was understood.
    pub fn note(&self, text: &str) {
        if let Some(note) = &self.listener.note {
            note(text);
        }
    }

    /// Tells what people should know though nothing failed.
    pub fn warn(&self, text: &str) {
        if let Some(warn) = &self.listener.warning {
            warn(text);
        }
        self.warnings.lock().push(text.to_owned());
    }

    /// All warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    /// All failures so far.
    pub fn take(&self) -> Vec<Error> {
        std::mem::take(&mut *self.all.lock())
    }
}

impl Tell for Failures {
    fn warn(&self, text: &str) {
        Failures::warn(self, text);
    }

    fn fail(&self, error: Error) {
        self.add(error);
    }
}
