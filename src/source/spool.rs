//! A stream whose beginning has to be read twice: kept in a temporary file without a name.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::input::STDIN;
use crate::error::{Error, Result};

/// The beginning of a stream, on its way into a file.
pub struct Spool {
    file: File,
}

impl Spool {
    /// An empty spool in the directory for temporary files. Its space comes back when the run ends,
    /// however it ends.
    pub fn new() -> Result<Self> {
        let action = "needs a temporary file, which cannot be made (see TMPDIR)";
        tempfile::tempfile().map(|file| Spool { file }).map_err(|source| Error::input(Path::new(STDIN), action, source))
    }

    /// Keeps bytes.
    pub fn keep(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)
    }

    /// The file that holds what was kept.
    pub fn into_file(self) -> Arc<File> {
        Arc::new(self.file)
    }
}
