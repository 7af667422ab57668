//! Standard input.
//!
//! Invariant: there is one, however many locations lead to it.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::location::Location;
use crate::source::entry::{Finding, SourceEntry};
use crate::source::input::{Access, Input};
use crate::source::opened::widen;

/// Its name in messages.
const NAME: &str = "<stdin>";

/// Standard input.
pub(super) const ENTRY: SourceEntry = SourceEntry {
    help: "standard input",
    #[cfg(test)]
    example: "-",
    takes: Location::is_stdin,
    find: |_, _, visit| {
        visit(Finding::Input { input: input(), identity: identity(), what: ENTRY.help });
        Ok(true)
    },
};

/// It as an input.
pub fn input() -> Input {
    let access = Access::Stream(Arc::new(|| {
        widen(io::stdin());
        Ok((Arc::new(io::stdin()), 0))
    }));
    let found = metadata();
    let gives_nothing = found.is_ok_and(|found| found.file_type().is_char_device()) && !io::stdin().is_terminal();
    Input::new(NAME.to_owned(), PathBuf::from(NAME), access).empty(gives_nothing)
}

/// What it is.
fn metadata() -> io::Result<Metadata> {
    File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()
}

/// Its device and inode, if it is a file.
pub fn identity() -> Option<(u64, u64)> {
    let found = metadata().ok()?;
    found.is_file().then(|| (found.dev(), found.ino()))
}
