//! Report functions: all of one signature, one a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`.
//! Not here: printing. A report function turns the merged view of a window into plain data, and nothing else.

mod context;

pub use context::ReportContext;

use crate::error::Result;
use crate::model::{Aggregates, Report, Timestamp};
use crate::options::OptionSpec;

/// The one signature: what the run offers, the merged view of the window, and the reference time (the end of the
/// window). The same arguments always give the same report.
pub type ReportFn = fn(&ReportContext<'_>, &Aggregates, Timestamp) -> Result<Report>;

/// A report function with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct ReportEntry {
    /// The name by which it is asked for, kebab-case.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Its options.
    pub options: &'static [OptionSpec],
    /// An example of it in a configuration, as a TOML value.
    pub example: &'static str,
    /// Whether it compares with the window before, which is then kept.
    pub needs_previous: bool,
    /// The function.
    pub function: ReportFn,
}
