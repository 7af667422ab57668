//! Outputs: window results to the world, one medium a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`.
//! Not here: any computing. Invariant: what a log holds is made harmless for the medium before it leaves.

mod csv;
pub mod destination;
pub mod json;
pub mod rejects;
pub mod target;
mod text;
pub mod whole;

use std::io;

use crate::error::Error;
use crate::model::WindowResult;

/// How a result should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to colour headings: only for a terminal.
    pub color: bool,
    /// What it stands behind.
    pub behind: Behind,
}

/// What stands before a result where it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behind {
    /// Nothing.
    #[default]
    Nothing,
    /// What an earlier run has written.
    Run,
    /// A result of this run.
    Result,
}

/// Who is told that a file cannot be written, where the run goes on all the same.
pub trait Tell: Send + Sync {
    /// What people should know though nothing is lost yet.
    fn warn(&self, text: &str);
    /// What is lost.
    fn fail(&self, error: Error);
}

/// A medium with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct OutputEntry {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// A result as bytes, to be written whole.
    pub render: fn(&WindowResult, Style) -> io::Result<Vec<u8>>,
}

/// All outputs, in the order in which they are listed.
pub const TABLE: &[OutputEntry] = &[text::ENTRY, json::ENTRY, csv::ENTRY];

/// The output of this name.
pub fn entry(name: &str) -> Option<&'static OutputEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod laws;
