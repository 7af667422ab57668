//! Codecs: what stands between the bytes of an input as they lie there and those of its lines. Which
//! one does is told by how the input begins, and never by its name.
//!
//! Not here: how such data begins (`model::magic`), and who reads it (`source::unpacked`).
//! Invariant: an input whose form has no codec is refused by name before a line of it is read.

#[cfg(feature = "codecs")]
mod bzip2;
mod damage;
mod form;
mod frame;
mod gzip;
#[cfg(feature = "codecs")]
mod lz4;
mod unpacker;
#[cfg(feature = "codecs")]
mod xz;
#[cfg(feature = "codecs")]
mod zstd;

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use damage::Damage;
pub use form::{Form, HEAD_BYTES, MOST_MEMORY};
pub use unpacker::Unpacker;

use crate::error::{Error, ErrorKind};
use crate::model::magic;

/// A form that an input may be compressed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// What it is called.
    pub name: &'static str,
    /// The program that decompresses it.
    pub reader: &'static str,
    /// How it is decompressed here; `None` if it is not.
    pub form: Option<Form>,
}

/// The codec of what begins so; `None` if its bytes are those of its lines.
pub fn of(head: &[u8]) -> Option<Codec> {
    let magic = magic::of(head)?;
    magic.reader.map(|reader| Codec { name: magic.name, reader, form: Form::named(magic.name) })
}

/// Whether more bytes may show that what begins so is compressed.
pub fn may_be(head: &[u8]) -> bool {
    magic::may_be(head)
}

/// The error for an input that begins so, if its bytes are not those of its lines.
pub fn refusal(path: &Path, head: &[u8]) -> Option<Error> {
    let Codec { name, reader, .. } = of(head)?;
    Some(ErrorKind::Compressed { path: path.to_owned(), name, reader }.into())
}
