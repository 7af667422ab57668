//! Outputs: window results to the world, one medium a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`.
//! Not here: any computing. Invariant: what a log holds is made harmless for the medium before it leaves.

mod csv;
pub mod destination;
pub mod json;
pub mod rejects;
pub mod save;
pub mod spared;
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

/// A result as bytes.
pub type Render = fn(&WindowResult, Style) -> io::Result<Vec<u8>>;

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
    pub render: Render,
    /// Whether it says that a limit has left out rows which are as good as the last one.
    pub says_more: bool,
    /// What stands before all results, where there is no result; of a result without rows.
    pub head: Option<Render>,
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

/// Says of a stretch of time that it holds nothing, and what there is. Nothing is to say where nothing could be read, the
/// cause of which has been told.
pub fn nothing(stretch: Stretch, stamps: Option<Stamps>, balance: &Balance) -> Option<String> {
    let at = |time: Timestamp| time.to_string().replace('T', " ").trim_end_matches('Z').to_owned();
    let none = match stretch.ends() {
        (Some(start), Some(end)) => format!("Nothing between {} and {} UTC", at(start), at(end)),
        (Some(start), None) => format!("Nothing from {} UTC on", at(start)),
        (None, Some(end)) => format!("Nothing before {} UTC", at(end)),
        (None, None) => "Nothing in any window".to_owned(),
    };
    let Some(Stamps { extent, whole }) = stamps else { return Some(none) };
    if balance.is_unread() {
        return None;
    }
    let looked = if whole { "" } else { ", as far as was looked" };
    let there_is = match extent {
        Some((lowest, highest)) => {
            format!("; stamps run from {} to {}{looked}; {}", at(lowest), at(highest), stretch.remedy())
        }
        None if balance.bytes_total == 0 => match balance.inputs {
            1 => ": the input is empty (0 bytes)".to_owned(),
            inputs => format!(": all {inputs} inputs are empty (0 bytes)"),
        },
        None if balance.lines_read == balance.blank && whole => ": all lines are blank".to_owned(),
        None if whole => ", and no record elsewhere".to_owned(),
        None => ", and no record elsewhere that was looked at".to_owned(),
    };
    Some(format!("{none}{there_is}"))
}

/// A stretch of time that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// One window.
    Window(Window),
    /// That of many, from an instant on or before one, if any are given.
    Range(Option<Timestamp>, Option<Timestamp>),
}

impl Stretch {
    fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        match *self {
            Stretch::Window(window) => (Some(window.start), Some(window.end)),
            Stretch::Range(since, until) => (since, until),
        }
    }

    /// What finds records that lie elsewhere.
    fn remedy(&self) -> String {
        let Stretch::Window(window) = self else { return "without --since and --until all of them count".to_owned() };
        let length = match window.length() / SECOND {
            60 => "minute".to_owned(),
            3_600 => "hour".to_owned(),
            86_400 => "day".to_owned(),
            _ => format!("{} s", Timestamp::from_nanos(window.length()).unix_decimal()),
        };
        format!("for their last {length}: --until latest")
    }
}

#[cfg(test)]
mod laws;

#[cfg(test)]
mod tests {
    #[test]
    fn the_names_of_outputs_are_known_where_paths_are_checked() {
        let names: Vec<&str> = super::TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names, crate::model::location::OUTPUT_NAMES);
    }
}
