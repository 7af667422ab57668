//! What a file is made of: its first bytes, the parts that its pairs are in, and how many there
//! are.
//!
//! Not here: reading and writing them (`read`, `write`). Invariant: both do it by this file.

use std::io;

use serde::{Deserialize, Serialize};

use super::frame::{FrameKind, invalid};
use crate::model::{Amount, PerMeasure};

/// The version of the format that this program writes, and the highest that it reads.
pub const FORMAT: u32 = 4;

/// The first bytes of every file. The end of line shows a copy that was made as text.
pub(super) const MAGIC: [u8; 8] = *b"lptally\n";

/// Bytes before the first frame.
pub(super) const START: usize = MAGIC.len() + 4;

/// Bytes that are read from a file, or written to it, at a time.
pub(super) const BUFFER: usize = 64 << 10;

/// Which window pairs are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedWindow {
    /// The window.
    Window,
    /// The window of the same length before it.
    Before,
}

impl CountedWindow {
    /// In the order in which a file has them.
    pub const ALL: [CountedWindow; 2] = [CountedWindow::Window, CountedWindow::Before];

    pub(super) fn kind(self) -> FrameKind {
        match self {
            CountedWindow::Window => FrameKind::Window,
            CountedWindow::Before => FrameKind::Before,
        }
    }
}

/// How many pairs a file has, and how many connections they have together, by part: what must have
/// been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTotals {
    /// Pairs.
    pub pairs: [u64; 2],
    /// Connections.
    pub connections: [u64; 2],
    /// What their measures come to. A file without any does not say it.
    #[serde(skip)]
    pub sums: [PerMeasure; 2],
}

impl FileTotals {
    pub(super) fn add(&mut self, part: CountedWindow, amount: Amount) -> io::Result<()> {
        let at = part as usize;
        let sum = Amount { connections: self.connections[at], sums: self.sums[at] }.checked_plus(&amount);
        Amount { connections: self.connections[at], sums: self.sums[at] } = sum.ok_or_else(too_many)?;
        self.pairs[part as usize] += 1;
        Ok(())
    }
}

fn too_many() -> io::Error {
    invalid("together they have more connections, or a larger sum, than a number of 64 bits can say")
}
