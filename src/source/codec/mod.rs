//! Codecs: what stands between the bytes of an input as they lie there and those of its lines. Which
//! one does is told by how the input begins.
//!
//! Not here: how such data begins (`model::magic`). Invariant: an input whose form has no codec is
//! refused by name before a line of it is read. Today none has one.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::model::magic;

/// A form that an input may be compressed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// What it is called.
    pub name: &'static str,
    /// The program that decompresses it.
    pub reader: &'static str,
}

/// The codec of what begins so; `None` if its bytes are those of its lines.
pub fn of(head: &[u8]) -> Option<Codec> {
    let magic = magic::of(head)?;
    magic.reader.map(|reader| Codec { name: magic.name, reader })
}

/// The error for an input that begins so, if there is no reading it.
pub fn refusal(path: &Path, head: &[u8]) -> Option<Error> {
    let Codec { name, reader } = of(head)?;
    Some(ErrorKind::Compressed { path: path.to_owned(), name, reader }.into())
}
