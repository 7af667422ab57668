//! The configuration as written: a file or none, and overrides.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use crate::error::{Error, Place, Result, show_path};

/// A configuration that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct Written {
    pub(super) label: String,
    pub(super) text: String,
    overrides: Vec<Override>,
}

/// A key set from outside the file.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub key: String,
    pub value: String,
    pub place: Place,
}

impl Written {
    /// Reads a file. A file that is not there is an error that says what to do.
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Written::from_text(&show_path(path), &text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::usage(format!(
                "there is no '{}'; name a configuration file, or ask without one: logparser top LOCATION",
                show_path(path)
            ))),
            Err(error) => Err(Error::usage(format!("{}: cannot read the configuration: {error}", show_path(path)))),
        }
    }

    /// Takes a text; `label` names it in messages.
    pub fn from_text(label: &str, text: &str) -> Self {
        Written { label: label.to_owned(), text: text.to_owned(), overrides: Vec::new() }
    }

    /// The standard pipeline, without any file.
    pub fn standard() -> Self {
        Written::from_text("the standard pipeline", "")
    }

    /// The overrides that count, each key once, in the order in which they got their values.
    pub(super) fn effective(&self) -> Vec<&Override> {
        let mut seen = HashSet::new();
        let mut last: Vec<&Override> =
            self.overrides.iter().rev().filter(|given| seen.insert(given.key.as_str())).collect();
        last.reverse();
        last
    }

    /// Sets a key for all stages that know it (`seconds`) or for one (`stages.recent.seconds`). The value is TOML, or
    /// plain text. A key set twice has the value that it got last.
    pub fn set(&mut self, key: &str, value: &str, place: Place) {
        self.overrides.push(Override { key: key.to_owned(), value: value.to_owned(), place });
    }
}
