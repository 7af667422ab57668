//! Locations to paths: what files, folders and globs lead to, looked at once each.
//!
//! Not here: what is done with a path. Invariant: paths come in the order of the locations, those of one location by name.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a location leads to.
pub(super) enum Finding {
    /// Standard input.
    Stdin,
    /// Something that is there, named by itself or come across by a folder or a glob.
    Path {
        /// Where.
        path: PathBuf,
        /// What.
        found: Metadata,
        /// Whether the location is this path.
        named: bool,
    },
    /// Something that cannot be looked at.
    Unreadable {
        /// Where.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
        /// Whether it is a folder, so that files in it may be missing.
        folder: bool,
    },
}

/// Gives all that a location leads to. Whether it leads to anything. Errors if it is a glob that is none.
pub(super) fn walk(location: &str, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    if location == "-" {
        visit(Finding::Stdin);
        return Ok(true);
    }
    let path = Path::new(location);
    // A name that exists is meant as it is, even if it looks like a glob.
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(walk_folder(path, visit)),
        Ok(found) => {
            visit(Finding::Path { path: path.to_owned(), found, named: true });
            return Ok(true);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_glob(location) => {}
        Err(source) => {
            visit(Finding::Unreadable { path: path.to_owned(), source, folder: false });
            return Ok(true);
        }
    }
    if is_glob(location) { walk_glob(location, visit) } else { Ok(false) }
}

fn walk_glob(pattern: &str, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    let paths = glob::glob_with(pattern, options).map_err(|error| {
        Error::usage(format!("'{pattern}' is not a glob: {} at character {}", error.msg, error.pos + 1))
    })?;
    let mut any = false;
    for found in paths {
        any = true;
        match found {
            Ok(path) => visit(look(path)),
            Err(error) => {
                let path = error.path().to_owned();
                visit(Finding::Unreadable { path, source: error.into(), folder: true });
            }
        }
    }
    Ok(any)
}

/// The files in a folder, hidden ones aside. Whether there are any.
fn walk_folder(folder: &Path, visit: &mut dyn FnMut(Finding)) -> bool {
    let names = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name()),
        Err(source) => {
            visit(Finding::Unreadable { path: folder.to_owned(), source, folder: true });
            return true;
        }
    };
    let mut names: Vec<_> = names.filter(|name| !name.as_encoded_bytes().starts_with(b".")).collect();
    names.sort();
    for name in &names {
        visit(look(folder.join(name)));
    }
    !names.is_empty()
}

fn look(path: PathBuf) -> Finding {
    match fs::metadata(&path) {
        Ok(found) => Finding::Path { path, found, named: false },
        Err(source) => Finding::Unreadable { path, source, folder: false },
    }
}

/// Whether a location has characters that only globs have.
pub(super) fn is_glob(location: &str) -> bool {
    location.contains(['*', '?', '['])
}
