//! How far the content of a generation is passed on, and by what it is known again.
//!
//! Not here: reading. Invariant: the guard before the position is that of bytes that were passed
//! on, and nothing is carried from look to look.

use std::fs::File;
use std::io;

use super::content::{self, Agreement, FileHead};
use crate::model::Guard;
use crate::source::chunker::Chunker;

/// What was passed on of a content.
#[derive(Debug)]
pub(super) struct PassedOn {
    pub head: FileHead,
    /// Cuts it, and knows the position.
    pub chunker: Chunker,
    /// Of the bytes before the position; `None`: to be taken from the file.
    tail: Option<Guard>,
    /// Bytes before the position that the next delivery has to account for.
    skipped: u64,
    /// How far it begins with zeros, as long as no other byte was found.
    pub zeros: u64,
}

impl PassedOn {
    /// Nothing yet, of a content that begins so.
    pub fn nothing(head: FileHead, chunker: Chunker) -> Self {
        PassedOn { head, chunker, tail: Some(Guard::default()), skipped: 0, zeros: 0 }
    }

    /// All up to a position, by an earlier run.
    pub fn up_to(position: u64, tail: Guard, head: FileHead, mut chunker: Chunker) -> Self {
        chunker.jump(position);
        PassedOn { tail: Some(tail), ..PassedOn::nothing(head, chunker) }
    }

    /// The byte at which what is next begins.
    pub fn position(&self) -> u64 {
        self.chunker.position()
    }

    /// Of the bytes before the position, as far as they are known.
    pub fn tail(&self) -> Guard {
        self.tail.unwrap_or_default()
    }

    /// The same, taken from the file where they are not known.
    pub fn tail_in(&mut self, file: &File) -> io::Result<Guard> {
        match self.tail {
            Some(tail) => Ok(tail),
            None => Ok(*self.tail.insert(Guard::of(&content::read_tail(file, self.position())?))),
        }
    }

    /// Notes the bytes before a position to which it has come.
    pub fn set_tail(&mut self, tail: Guard) {
        self.tail = Some(tail);
    }

    /// Passes over what is before a position.
    pub fn skip_to(&mut self, position: u64) {
        self.chunker.jump(position);
        self.skipped = position;
        self.tail = None;
    }

    /// Whether bytes were passed over that no delivery has accounted for.
    pub fn has_skipped(&self) -> bool {
        self.skipped > 0
    }

    /// Those bytes, which are accounted for by that.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// Extends the head with more bytes of the file.
    pub fn extend_head(&mut self, head: &[u8]) {
        if self.head.len() < head.len() {
            self.head = FileHead::of(head);
        }
    }

    /// Whether the bytes before the position still stand there in a file. Where they are not known,
    /// they do.
    pub fn tail_stands_in(&self, file: &File) -> io::Result<bool> {
        self.tail.map_or(Ok(true), |tail| content::tail_holds(file, self.position(), &tail))
    }

    /// Whether a file that begins so and has so many bytes holds all that was passed on.
    pub fn stands_in(&self, file: &File, head: &[u8], size: u64) -> io::Result<bool> {
        let holds = content::tail_holds(file, self.position(), &self.tail())?;
        Ok(self.head.agrees(head) == Agreement::Whole && size >= self.position() && holds)
    }
}
