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
pub mod unsaid;
pub mod whole;

use std::io;

use crate::error::Error;
use crate::model::time::SECOND;
use crate::model::{Balance, Stamps, Timestamp, Window, WindowResult};

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

/// A balance sheet as bytes.
pub type RenderSheet = fn(&Balance) -> io::Result<Vec<u8>>;

/// A medium with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct OutputEntry {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// A result as bytes, to be written whole.
    pub render: fn(&WindowResult, Style) -> io::Result<Vec<u8>>,
    /// Whether it says that a limit has left out rows which are as good as the last one.
    pub says_more: bool,
    /// The balance sheet of a whole run as bytes, where the medium has a place for it: it is written behind all results if
    /// the last of them does not tell all that was lost.
    pub sheet: Option<RenderSheet>,
}

/// All outputs, in the order in which they are listed.
pub const TABLE: &[OutputEntry] = &[text::ENTRY, json::ENTRY, csv::ENTRY];

/// The output of this name.
pub fn entry(name: &str) -> Option<&'static OutputEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

/// Says of a one-shot window that it holds nothing, and what there is.
pub fn nothing(window: &Window, stamps: Option<Stamps>) -> String {
    let at = |time: Timestamp| time.to_string().replace('T', " ").trim_end_matches('Z').to_owned();
    let none = format!("Nothing between {} and {} UTC", at(window.start), at(window.end));
    match stamps {
        None => none,
        Some(Stamps { extent: None, whole: true }) => format!("{none}, and no record elsewhere"),
        Some(Stamps { extent: None, whole: false }) => format!("{none}, and no record elsewhere that was looked at"),
        Some(Stamps { extent: Some((lowest, highest)), whole }) => {
            let looked = if whole { "" } else { ", as far as was looked" };
            let length = match window.length() / SECOND {
                60 => "minute".to_owned(),
                3_600 => "hour".to_owned(),
                86_400 => "day".to_owned(),
                _ => format!("{} s", Timestamp::from_nanos(window.length()).unix_decimal()),
            };
            let (lowest, highest) = (at(lowest), at(highest));
            format!("{none}; stamps run from {lowest} to {highest}{looked}; for their last {length}: --until latest")
        }
    }
}

#[cfg(test)]
mod laws;
