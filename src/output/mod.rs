//! Outputs: window results to the world, one medium a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`.
//! Not here: any computing. Invariant: what a log holds is made harmless for the medium before it leaves.

mod csv;
pub mod json;
pub mod rejects;
pub mod target;
mod text;

use std::io::{self, Write};

use crate::model::WindowResult;

/// A medium that results are written in.
pub trait Output: Send {
    /// Writes one result whole and flushes it. Called in the order of the results.
    fn write(&mut self, result: &WindowResult) -> io::Result<()>;
}

/// How an output should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to colour headings: only for a terminal.
    pub color: bool,
    /// Whether it goes on behind what an earlier run has written.
    pub continued: bool,
}

/// A medium with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct OutputEntry {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Makes the output over an opened writer.
    pub open: fn(Box<dyn Write + Send>, Style) -> Box<dyn Output>,
}

/// All outputs, in the order in which they are listed.
pub const TABLE: &[OutputEntry] = &[text::ENTRY, json::ENTRY, csv::ENTRY];

/// The output of this name.
pub fn entry(name: &str) -> Option<&'static OutputEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod laws;
