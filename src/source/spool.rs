//! A stream whose beginning has to be read twice: kept in a temporary file without a name.
//!
//! Not here: when that is needed (`cursor`). Invariant: what was kept comes first, whenever the input
//! is opened, and then the stream goes on where it was.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::input::{Access, Input};
use super::opened::{ByteStream, BytesAt};
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
        tempfile::tempfile()
            .map(|file| Spool { file })
            .map_err(|source| Error::input(Path::new("<stdin>"), action, source))
    }

    /// Keeps bytes.
    pub fn keep(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)
    }

    /// The input that gives what was kept of another, and then goes on with `rest`, if it goes on.
    /// `packed`: compressed bytes that were taken for it, if it was compressed.
    pub fn into_input(self, of: &Input, rest: Option<Arc<dyn ByteStream>>, packed: Option<u64>) -> Input {
        let (file, path) = (Arc::new(self.file), of.path().to_owned());
        let fail = {
            let path = path.clone();
            move |error| Error::input(&path, "cannot open", error)
        };
        let is_kept = rest.is_none();
        let access = match rest {
            None => Access::At(Arc::new(move || {
                let size = file.metadata().map_err(&fail)?.len();
                Ok((Arc::clone(&file) as Arc<dyn BytesAt>, size))
            })),
            Some(rest) => Access::Stream(Arc::new(move || {
                let size = file.metadata().map_err(&fail)?.len();
                let (beginning, rest) = (Arc::clone(&file), Arc::clone(&rest));
                Ok((Arc::new(KeptStream { beginning, is_past: AtomicBool::new(false), rest }), size))
            })),
        };
        Input::new(of.name.clone(), path, access).kept(is_kept, packed.filter(|_| is_kept))
    }
}

/// The kept beginning of a stream, and then the stream.
struct KeptStream {
    beginning: Arc<File>,
    /// Whether the beginning has been read to its end.
    is_past: AtomicBool,
    rest: Arc<dyn ByteStream>,
}

impl ByteStream for KeptStream {
    fn read(&self, offset: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        if self.gives_again() {
            match self.beginning.read_at(offset, into)? {
                0 => self.is_past.store(true, Ordering::Relaxed),
                read => return Ok(read),
            }
        }
        self.rest.read(offset, into, interrupted)
    }

    fn gives_again(&self) -> bool {
        !self.is_past.load(Ordering::Relaxed)
    }

    fn packed(&self) -> Option<u64> {
        self.rest.packed()
    }
}
