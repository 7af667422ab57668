//! The standard streams: results go to stdout and nothing else does; what is said to people goes to
//! stderr.
//!
//! Not here: what is said (`show`), and what a terminal can do (`tty`). Invariant: it is not an
//! error when the reader of stdout has had enough.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::error::{ErrorKind, Result};
use crate::output::save::save;

/// Writes the JSON of a command to all its places.
pub fn emit(text: &str, places: &[Option<&Path>]) -> Result<u8> {
    for place in places {
        match place {
            None => print(text)?,
            Some(path) => save(Some(path), |out| Ok(out.write_all(text.as_bytes())?)).map(|()| 0)?,
        };
    }
    Ok(0)
}

/// Prints to stdout. It is not an error if nobody reads it.
pub fn print(text: &str) -> Result<u8> {
    taken(io::stdout().write_all(text.as_bytes()))
}

/// The outcome of a write to stdout, once everything buffered is written too.
pub fn taken(written: io::Result<()>) -> Result<u8> {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(source) => Err(ErrorKind::Output { target: "stdout".into(), action: "cannot write", source }.into()),
    }
}

/// Whether a person sees what goes to stderr.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether something is piped in.
pub fn is_piped() -> bool {
    let stdin = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| File::from(stdin).metadata());
    stdin.is_ok_and(|found| found.file_type().is_fifo() || found.is_file())
}
