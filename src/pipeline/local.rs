//! Files of this machine, opened as what was found.
//!
//! Not here: what is read of them. Invariant: a file is open only if it is the one that was found.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use crate::source::{Input, LocalFile};

/// A file whose bytes are those of its lines.
pub(super) fn open(input: &Input) -> Option<(File, u64)> {
    let LocalFile { path, identity, .. } = input.file().filter(|_| !input.is_packed())?;
    let file = File::open(path).ok()?;
    let found = file.metadata().ok()?;
    ((found.dev(), found.ino()) == *identity).then_some((file, found.len()))
}
