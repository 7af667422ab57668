//! Where results go: standard output or a file, opened before the run starts so that a bad path fails at once.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::error::{Error, Result, show_path};

/// Somewhere to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, which is made or emptied.
    File(PathBuf),
}

impl Target {
    /// Opens it. Errors with the path.
    pub fn open(self) -> Result<Box<dyn Write + Send>> {
        match self {
            // Outputs write a whole result at a time: a buffer that looks for line ends would only be in the way.
            Target::Stdout => Ok(Box::new(BufWriter::new(io::stdout()))),
            Target::File(path) => match File::create(&path) {
                Ok(file) => Ok(Box::new(BufWriter::new(file))),
                Err(source) => Err(Error::output(show_path(&path), "cannot open for writing", source)),
            },
        }
    }
}
