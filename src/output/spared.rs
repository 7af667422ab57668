//! The files that a command reads, none of which it may write to.
//!
//! Invariant: files are told apart by device and inode, so that no link and no other spelling of a
//! path hides one. Pipes, terminals and devices have nothing to lose.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Result, show_path};

/// A device and an inode.
pub type Identity = (u64, u64);

/// What is read, with the name of each.
#[derive(Debug, Clone, Default)]
pub struct Spared(Vec<(Identity, String)>);

impl Spared {
    /// Adds a file by its path, if there is one; `name` is what messages call it.
    pub fn add(&mut self, path: &Path, name: impl Into<String>) {
        self.0.extend(identity(Some(path)).map(|identity| (identity, name.into())));
    }

    /// Adds a file that was looked at before.
    pub fn add_known(&mut self, identity: Identity, name: impl Into<String>) {
        self.0.push((identity, name.into()));
    }

    /// Refuses to write to one of them; `None` is standard output.
    pub fn refuse(&self, target: Option<&Path>) -> Result<()> {
        identity(target).map_or(Ok(()), |identity| self.refuse_known(identity, &shown(target)))
    }

    /// Refuses to write to one of them, which is called `target`.
    pub fn refuse_known(&self, identity: Identity, target: &str) -> Result<()> {
        let Some((_, read)) = self.0.iter().find(|(known, _)| *known == identity) else { return Ok(()) };
        Err(Error::usage(format!("{target} is read as {read}, and would be overwritten; write elsewhere")))
    }
}

/// What a target is called.
pub fn shown(target: Option<&Path>) -> String {
    target.map_or("standard output".to_owned(), |path| format!("'{}'", show_path(path)))
}

/// Which file a path leads to, or standard output (`None`), if it is one.
pub fn identity(target: Option<&Path>) -> Option<Identity> {
    let found: Metadata = match target {
        Some(path) => fs::metadata(path).ok()?,
        None => File::from(io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()?,
    };
    found.is_file().then(|| (found.dev(), found.ino()))
}
