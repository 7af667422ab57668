//! What there is to read: a name, how it is opened, and the file that it is, if it is one.
//!
//! Not here: where inputs come from (`places`), and how far one has been read (`cursor`). Invariant:
//! an input can be opened as often as it is asked for; a stream goes on where it was.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codec::{self, Codec, Form, HEAD_BYTES, MOST_MEMORY};
use super::opened::{ByteStream, BytesAt, Opened};
use super::unpacked::{PackedFile, SniffedStream};
use crate::error::Result;
use crate::model::Timestamp;

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
    /// When it had last been written then.
    pub modified: Timestamp,
}

/// How the bytes of an input are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// That shows when it is read.
    Unknown,
    /// They are not.
    Plain,
    /// They are, and decompressing them takes about so many bytes of memory.
    Packed(Form, u64),
}

/// One thing to read.
#[derive(Clone)]
pub struct Input {
    /// Its name for people, escaped.
    pub name: String,
    /// Its path, or the name of what has none.
    path: PathBuf,
    file: Option<LocalFile>,
    /// The bytes that it took when it was found, if that is known without reading it.
    size: Option<u64>,
    access: Access,
    packing: Packing,
    /// Bytes of memory that decompressing it may take.
    memory: u64,
    /// Whether all of it has been read already, and was kept.
    is_kept: bool,
    /// Compressed bytes that were taken for what was kept of it.
    packed: Option<u64>,
    /// Whether it is a device that gives nothing.
    is_empty: bool,
}

impl Input {
    /// What is found under this name and path, and opened so. Its size is known only by reading it.
    pub(super) fn new(name: String, path: PathBuf, access: Access) -> Self {
        Input {
            name,
            path,
            file: None,
            size: None,
            access,
            packing: Packing::Unknown,
            memory: MOST_MEMORY,
            is_kept: false,
            packed: None,
            is_empty: false,
        }
    }

    /// The same, of a known size.
    pub(super) fn of_file(self, file: LocalFile) -> Self {
        Input { size: Some(file.size), file: Some(file), ..self }
    }

    /// The same, of which all has been read already and was kept, or not: as it is decompressed, if
    /// so many compressed bytes were taken for it.
    pub(super) fn kept(self, is_kept: bool, packed: Option<u64>) -> Self {
        Input { is_kept, packed, packing: Packing::Plain, ..self }
    }

    /// The same, of which it is known whether it is compressed, if it can be read again: by how it
    /// begins. What cannot be read now is told by whoever reads it.
    pub(super) fn sniffed(self) -> Self {
        let Access::At(open) = &self.access else { return self };
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let read = open().is_ok_and(|(bytes, _)| bytes.read_at(0, &mut head).is_ok());
        let form = codec::of(&head).and_then(|Codec { form, .. }| form).filter(|_| read);
        let packing = form.map_or(Packing::Plain, |form| Packing::Packed(form, form.memory(&head)));
        Input { packing, ..self }
    }

    /// The same, for whose decompression there are so many bytes of memory.
    pub fn with_memory(self, memory: u64) -> Self {
        Input { memory, ..self }
    }

    /// The same, which gives nothing, or does.
    pub(super) fn empty(self, is_empty: bool) -> Self {
        Input { is_empty, ..self }
    }

    /// Opens it. How many bytes of it are known to be there, too.
    pub(super) fn open(&self) -> Result<(Opened, u64)> {
        Ok(match (&self.access, self.packing) {
            (Access::At(open), Packing::Packed(form, _)) => {
                let (bytes, again) = (open()?.0, Arc::clone(open));
                let again = Box::new(move || again().map(|(bytes, _)| bytes));
                (Opened::Stream(Arc::new(PackedFile::new(form, self.memory, bytes, again))), 0)
            }
            (Access::At(open), _) => {
                let (bytes, size) = open()?;
                (Opened::At(bytes), size)
            }
            (Access::Stream(open), Packing::Unknown) => {
                let (stream, size) = open()?;
                (Opened::Stream(Arc::new(SniffedStream::new(stream, self.memory))), size)
            }
            (Access::Stream(open), _) => {
                let (stream, size) = open()?;
                (Opened::Stream(stream), size)
            }
        })
    }

    /// Whether it gives all its bytes again when it is opened again.
    pub(super) fn gives_again(&self) -> bool {
        matches!(self.access, Access::At(_))
    }

    /// Whether it is a file that is compressed.
    pub fn is_packed(&self) -> bool {
        matches!(self.packing, Packing::Packed(..))
    }

    /// What a compressed file is compressed with, and about the bytes of memory that decompressing it
    /// takes; `None` if it is none.
    pub fn packing(&self) -> Option<(&'static str, u64)> {
        match self.packing {
            Packing::Packed(form, memory) => Some((form.name(), memory)),
            Packing::Unknown | Packing::Plain => None,
        }
    }

    /// Compressed bytes that were taken for what was kept of it.
    pub(super) fn packed(&self) -> Option<u64> {
        self.packed
    }

    /// Whether all of it has been read already, and was kept.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether who reads it may have to wait for whoever writes it.
    pub fn is_awaited(&self) -> bool {
        !self.gives_again() && self.file().is_none() && !self.is_empty()
    }

    /// Whether its size is known only by reading it.
    pub fn is_streamed(&self) -> bool {
        self.size().is_none()
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

    /// Its bytes when it was found, if they are known without reading it.
    pub fn size(&self) -> Option<u64> {
        self.size.filter(|_| !self.is_packed())
    }

    /// The bytes that it took when it was found, compressed or not, if that is known.
    pub fn stored(&self) -> Option<u64> {
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
