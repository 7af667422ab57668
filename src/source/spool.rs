//! A stream whose beginning has to be read twice: kept in a temporary file without a name.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::{Input, Origin};
use crate::error::{Error, Result};

/// The beginning of standard input, on its way into a file.
pub struct Spool {
    file: File,
}

impl Spool {
    /// An empty spool in the directory for temporary files. Its space comes back when the run ends, however it ends.
    pub fn new() -> Result<Self> {
        tempfile::tempfile().map(|file| Spool { file }).map_err(fail)
    }

    /// Keeps bytes.
    pub fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(fail)
    }

    /// The input that gives what was kept, and then, if it `goes_on`, the rest of standard input.
    pub fn into_input(self, goes_on: bool) -> Input {
        let origin = Origin::Spooled { file: Arc::new(self.file), goes_on };
        Input { name: "<stdin>".to_owned(), origin }
    }
}

fn fail(source: std::io::Error) -> Error {
    Error::input(Path::new("<stdin>"), "cannot keep what was read (see TMPDIR)", source)
}
