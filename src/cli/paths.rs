//! Words of a command line that have to name a file.
//!
//! Not here: locations of logs, which the configuration checks.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::location::{no_file, no_target, scheme};
use crate::output::no_format;

/// Refuses what names no file.
pub fn local(path: &Path) -> Result<()> {
    refuse_scheme(path, no_file)
}

/// Refuses what names nothing that is written to.
pub fn local_target(path: &Path) -> Result<()> {
    match path.to_str().and_then(no_format) {
        Some(why) => Err(Error::usage(format!("{}: {why}", crate::error::show_path(path)))),
        None => refuse_scheme(path, no_target),
    }
}

fn refuse_scheme(path: &Path, why: fn(&str) -> String) -> Result<()> {
    match path.to_str().and_then(scheme) {
        Some(scheme) => Err(Error::usage(format!("{}: {}", crate::error::show_path(path), why(scheme)))),
        None => Ok(()),
    }
}
