//! Report functions: all of one signature, one a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`.
//! Not here: printing. A report function turns the merged view of a window into plain data, and nothing else.

mod absent;
mod connected;
mod context;
mod fan;
mod matrix;
mod new_pairs;
mod pairs;
mod ranking;
mod timeline;
mod top;

pub use absent::Search;
pub use context::ReportContext;
pub use ranking::Top;

use crate::error::Result;
use crate::model::{Aggregates, Report, Timestamp};
use crate::options::{Kind, OptionSpec};

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
    /// Whether it looks at pairs or hosts, so that it is not whole where some are not known for want of memory.
    pub looks_at_pairs: bool,
    /// The function.
    pub function: ReportFn,
}

/// All report functions, in the order in which they are listed.
pub const TABLE: &[ReportEntry] = &[
    top::SERVERS,
    top::SOURCES,
    pairs::ENTRY,
    connected::TO,
    connected::FROM,
    fan::IN,
    fan::OUT,
    timeline::ENTRY,
    matrix::ENTRY,
    new_pairs::ENTRY,
];

/// The option that rankings share.
const LIMIT: OptionSpec = OptionSpec {
    name: "limit",
    kind: Kind::Count(1, u64::MAX),
    default: Some("10"),
    required: false,
    help: "the most rows to show",
};

/// The report function of this name.
pub fn entry(name: &str) -> Option<&'static ReportEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod laws;
