//! What there is to read: a file, a stream, or the beginning of a stream that was kept.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// The name of standard input in messages.
pub(super) const STDIN: &str = "<stdin>";

/// One thing to read.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name for people, escaped.
    pub name: String,
    /// What it is.
    pub origin: Origin,
}

/// What an input is.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A regular file.
    File {
        /// Where it was found.
        path: PathBuf,
        /// Device and inode: the same file under another name is the same input.
        identity: (u64, u64),
        /// Its size when it was found, in bytes.
        size: u64,
    },
    /// Standard input, or a pipe, terminal or device by its path. It can be read once.
    Stream(Option<PathBuf>),
    /// The beginning of a stream, kept in a file without a name, and then the stream, if it goes
    /// on.
    Spooled {
        /// What was read already.
        file: Arc<File>,
        /// What follows it.
        rest: Rest,
        /// The name of the stream.
        path: PathBuf,
    },
}

/// What is left of a stream whose beginning was kept.
#[derive(Debug, Clone)]
pub enum Rest {
    /// Nothing: it has ended.
    Ended,
    /// What it goes on with.
    Stream(ByteStream),
}

/// A stream that is open: it gives each byte once.
#[derive(Debug, Clone)]
pub enum ByteStream {
    /// Standard input.
    Stdin,
    /// A pipe, terminal or device.
    Open(Arc<File>),
}

impl Input {
    /// Standard input.
    pub fn stdin() -> Self {
        Input { name: STDIN.to_owned(), origin: Origin::Stream(None) }
    }

    /// Whether its size is known only by reading it.
    pub fn is_streamed(&self) -> bool {
        !matches!(self.origin, Origin::File { .. })
    }

    /// The device and inode of a file.
    pub fn identity(&self) -> Option<(u64, u64)> {
        match self.origin {
            Origin::File { identity, .. } => Some(identity),
            _ => None,
        }
    }

    /// The size of a file when it was found, in bytes.
    pub fn size(&self) -> Option<u64> {
        match self.origin {
            Origin::File { size, .. } => Some(size),
            _ => None,
        }
    }

    /// The path, or the name of what has none, for messages.
    pub fn path(&self) -> PathBuf {
        match &self.origin {
            Origin::File { path, .. } | Origin::Stream(Some(path)) | Origin::Spooled { path, .. } => path.clone(),
            Origin::Stream(None) => PathBuf::from(STDIN),
        }
    }
}
