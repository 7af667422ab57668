//! What each place where inputs come from says of itself, and what looking there gives.
//!
//! Not here: the places (`places`). Invariant: a location is taken by one entry at most.

use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::input::Input;
use crate::error::{ErrorKind, Result};
use crate::model::location::Location;

/// Looks where a location leads, and passes on what is there.
type FindInputs = fn(&Location, &Listing, &mut dyn FnMut(Finding)) -> Result<bool>;

/// A place where inputs come from.
#[derive(Debug)]
pub struct SourceEntry {
    /// What it is, for people.
    pub help: &'static str,
    /// A location that leads to something.
    #[cfg(test)]
    pub example: &'static str,
    /// Whether a location is one of its own.
    pub takes: fn(&Location) -> bool,
    /// Passes on everything that a location leads to, and gives whether that is anything. Errors if
    /// the location cannot be read, and when listing is interrupted.
    pub find: FindInputs,
}

/// What a location leads to.
pub enum Finding {
    /// An input that has no path.
    Input {
        /// It.
        input: Input,
        /// The file that it is, if it is one that may have a path elsewhere.
        identity: Option<(u64, u64)>,
        /// What it is, for people: the help of its entry.
        what: &'static str,
    },
    /// Something that is there, named by itself or come across by a folder or a glob.
    Path {
        /// Where.
        path: PathBuf,
        /// What.
        found: Metadata,
        /// Whether the location is this path.
        named: bool,
    },
    /// Hidden files of a folder, which are not read.
    Hidden {
        /// The folder.
        folder: PathBuf,
        /// The files, by name.
        files: Vec<PathBuf>,
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

/// How folders are listed: what can be seen of it meanwhile, and what ends it. A glob may lead
/// through a whole disk.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Once this is set, no more are listed, and what was found is of no use.
    pub interrupted: Arc<AtomicBool>,
    /// How many have been.
    pub folders: Arc<AtomicU64>,
}

impl Listing {
    /// Errors once it was interrupted.
    pub(super) fn goes_on(&self) -> Result<()> {
        match self.interrupted.load(Ordering::Relaxed) {
            false => Ok(()),
            true => {
                let action = "interrupted while folders were listed".to_owned();
                Err(ErrorKind::System { action, source: io::ErrorKind::Interrupted.into() }.into())
            }
        }
    }
}
