//! What an envelope says of a line.
//!
//! Not here: opening one. Invariant: plain data.

use crate::format::extract::FieldPlace;

/// What an envelope says: where the message is, and its own fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenedLine {
    /// The message.
    pub message: FieldPlace,
    /// When it was written or received.
    pub time: FieldPlace,
    /// The host that it is from.
    pub host: FieldPlace,
    /// The program that wrote it.
    pub program: FieldPlace,
    /// How many messages alike it stands for, where it says so: a whole number above 0.
    pub repeats: FieldPlace,
}

/// A part of a line that ends before a blank: its end, if it is not empty.
pub fn word_end(line: &[u8], start: usize) -> Option<usize> {
    let rest = line.get(start..)?;
    let end = start + memchr::memchr(b' ', rest).unwrap_or(rest.len());
    (end > start).then_some(end)
}
