//! Oracles: each takes any bytes, does with them what the program does with a file or a line, and
//! panics where the result is not what a simple program says, or what a law says that has to hold.
//!
//! Not here: where bytes come from. The fuzz targets draw them (`fuzz/fuzz_targets`), and `cargo
//! test` takes them from the corpora (`tests/it/corpora.rs`). To add one: write its file, and add
//! its line to `TABLE` and to `fuzz/Cargo.toml`.

pub mod arguments;
pub mod chunks;
pub mod configurations;
pub mod escapes;
pub mod instants;
pub mod lines;
pub mod pairs;
pub mod panes;
pub mod ranges;
pub mod rejects;
pub mod reseal;
pub mod states;
pub mod tallies;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// What a run prints, kept.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checks all that holds of some bytes, and panics where it does not.
pub type Oracle = fn(&[u8]);

/// All oracles by name, which is that of the target and of the folder of its corpus.
pub const TABLE: &[(&str, Oracle)] = &[
    ("arguments", arguments::run),
    ("chunks", chunks::run),
    ("configurations", configurations::run),
    ("escapes", escapes::run),
    ("instants", instants::run),
    ("lines", lines::run),
    ("pairs", pairs::run),
    ("panes", panes::run),
    ("ranges", ranges::run),
    ("rejects", rejects::run),
    ("states", states::run),
    ("tallies", tallies::run),
];

/// Bytes that choices are drawn from; where there are none left, each is the first.
pub struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Draw(bytes)
    }

    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, end: usize) -> usize {
        (usize::from(self.byte()) | usize::from(self.byte()) << 8) % end.max(1)
    }

    /// So many bytes, or as many as there are.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes behind their length.
    pub fn block(&mut self) -> &'a [u8] {
        let length = self.below(1 << 16);
        self.take(length)
    }

    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
