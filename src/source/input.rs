//! What there is to read: a name, how it is opened, and the file that it is, if it is one.
//!
//! Not here: where inputs come from (`places`), and how far one has been read (`cursor`). Invariant:
//! an input can be opened as often as it is asked for; a stream goes on where it was.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::opened::{ByteStream, BytesAt, Opened};
use crate::error::Result;

/// Opens an input, and tells how many bytes of it are known to be there.
type Open<T> = Arc<dyn Fn() -> Result<(Arc<T>, u64)> + Send + Sync>;

/// How an input is opened: as one of the two things that it can be.
#[derive(Clone)]
pub enum Access {
    /// Bytes at an offset.
    At(Open<dyn BytesAt>),
    /// Each byte once.
    Stream(Open<dyn ByteStream>),
}

/// A regular file of this machine.
#[derive(Debug, Clone)]
pub struct LocalFile {
    /// Where it was found.
    pub path: PathBuf,
    /// Device and inode: the same file under another name is the same input.
    pub identity: (u64, u64),
    /// Its size when it was found, in bytes.
    pub size: u64,
}

/// One thing to read.
#[derive(Clone)]
pub struct Input {
    /// Its name for people, escaped.
    pub name: String,
    /// Its path, or the name of what has none.
    path: PathBuf,
    file: Option<LocalFile>,
    /// Its bytes when it was found, if its size is known without reading it.
    size: Option<u64>,
    access: Access,
    /// Whether all of it has been read already, and was kept.
    is_kept: bool,
    /// Whether it is a device that gives nothing.
    is_empty: bool,
}

impl Input {
    /// What is found under this name and path, and opened so. Its size is known only by reading it.
    pub(super) fn new(name: String, path: PathBuf, access: Access) -> Self {
        Input { name, path, file: None, size: None, access, is_kept: false, is_empty: false }
    }

    /// The same, of a known size.
    pub(super) fn of_file(self, file: LocalFile) -> Self {
        Input { size: Some(file.size), file: Some(file), ..self }
    }

    /// The same, of which all has been read already and was kept, or not.
    pub(super) fn kept(self, is_kept: bool) -> Self {
        Input { is_kept, ..self }
    }

    /// The same, which gives nothing, or does.
    pub(super) fn empty(self, is_empty: bool) -> Self {
        Input { is_empty, ..self }
    }

    /// Opens it. How many bytes of it are known to be there, too.
    pub(super) fn open(&self) -> Result<(Opened, u64)> {
        Ok(match &self.access {
            Access::At(open) => {
                let (bytes, size) = open()?;
                (Opened::At(bytes), size)
            }
            Access::Stream(open) => {
                let (stream, size) = open()?;
                (Opened::Stream(stream), size)
            }
        })
    }

    /// Whether it gives its bytes at an offset, again and in any order.
    pub(super) fn is_at(&self) -> bool {
        matches!(self.access, Access::At(_))
    }

    /// Whether all of it has been read already, and was kept.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether its size is known only by reading it.
    pub fn is_streamed(&self) -> bool {
        self.size.is_none()
    }

    /// Whether it is a device that gives nothing, such as `/dev/null` as standard input.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The file that it is, if it is one of this machine.
    pub fn file(&self) -> Option<&LocalFile> {
        self.file.as_ref()
    }

    /// The device and inode of a file.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.file().map(|file| file.identity)
    }

    /// Its size when it was found, in bytes, if it was known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The path, or the name of what has none, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}
