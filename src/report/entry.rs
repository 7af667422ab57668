//! What a report function is to the table, and what many of them share.
//!
//! Not here: the entries, each of which stands in the file of its report.

use super::context::ReportContext;
use crate::error::Result;
use crate::model::{Report, Timestamp};
use crate::options::{Kind, OptionSpec};
use crate::tally::Aggregates;

/// The one signature: what the run offers, the merged view of the window, and the reference time
/// (the end of the window). The same arguments always give the same report.
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
    /// Whether it looks at pairs or hosts, so that it is not whole where some are not known for
    /// want of memory.
    pub looks_at_pairs: bool,
    /// The function.
    pub function: ReportFn,
    /// What it has to say, counted the plain way: its laws are held against it.
    #[cfg(test)]
    pub(super) oracle: Option<super::laws::Oracle>,
}

impl ReportEntry {
    /// A report without options that looks at pairs or hosts.
    pub const fn new(name: &'static str, function: ReportFn) -> Self {
        ReportEntry {
            name,
            help: "a report function of this program",
            options: &[],
            example: "",
            needs_previous: false,
            looks_at_pairs: true,
            function,
            #[cfg(test)]
            oracle: None,
        }
    }
}

/// The option that rankings share.
pub(super) const LIMIT: OptionSpec = OptionSpec {
    name: "limit",
    kind: Kind::Count(1, u64::MAX),
    default: Some("10"),
    required: false,
    help: "the most rows to show",
};
