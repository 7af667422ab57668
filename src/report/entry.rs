//! What a report function is to the table, and what many of them share.
//!
//! Not here: the entries, each of which stands in the file of its report.

use std::fmt;
use std::sync::Arc;

use super::context::ReportContext;
use crate::error::Result;
use crate::model::{Report, Timestamp};
use crate::options::{Kind, OptionSpec};
use crate::tally::Aggregates;

/// The one signature: what the run offers, the merged view of the window, and the reference time
/// (the end of the window). The same arguments always give the same report.
pub type ReportFn = fn(&ReportContext<'_>, &Aggregates, Timestamp) -> Result<Report>;

/// The same of a closure.
pub type ReportClosure = dyn Fn(&ReportContext<'_>, &Aggregates, Timestamp) -> Result<Report> + Send + Sync;

/// What makes a report: a function of a table, or what a program has added.
#[derive(Clone)]
pub enum ReportMaker {
    /// A function.
    Function(ReportFn),
    /// A closure, with what it has at hand.
    Closure(Arc<ReportClosure>),
}

impl ReportMaker {
    /// Makes the report.
    pub fn make(&self, context: &ReportContext<'_>, view: &Aggregates, until: Timestamp) -> Result<Report> {
        match self {
            ReportMaker::Function(function) => function(context, view, until),
            ReportMaker::Closure(closure) => closure(context, view, until),
        }
    }
}

impl fmt::Debug for ReportMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReportMaker::Function(_) => "Function",
            ReportMaker::Closure(_) => "Closure",
        })
    }
}

/// A report function with what people and the configuration need to know of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
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
    /// What makes it.
    pub maker: ReportMaker,
    /// What it has to say, counted the plain way: its laws are held against it.
    #[cfg(test)]
    pub(super) oracle: Option<super::laws::Oracle>,
}

impl ReportEntry {
    /// Of a report function without options, which looks at pairs and not at the window before.
    pub fn new<F>(name: &'static str, function: F) -> Self
    where
        F: Fn(&ReportContext<'_>, &Aggregates, Timestamp) -> Result<Report> + Send + Sync + 'static,
    {
        ReportEntry {
            name,
            help: "a report function of this program",
            options: &[],
            example: "",
            needs_previous: false,
            looks_at_pairs: true,
            maker: ReportMaker::Closure(Arc::new(function)),
            #[cfg(test)]
            oracle: None,
        }
    }
}

/// What rankings may be by.
pub(super) const BY: OptionSpec = OptionSpec {
    name: "by",
    kind: Kind::Text,
    default: None,
    required: false,
    help: "what to rank by: connections, or a measure that is summed",
};

/// The option that rankings share.
pub(super) const LIMIT: OptionSpec = OptionSpec {
    name: "limit",
    kind: Kind::Count(1, u64::MAX),
    default: Some("10"),
    required: false,
    help: "the most rows to show",
};

/// The option of rankings that turns them round.
pub(super) const REVERSE: OptionSpec = OptionSpec {
    name: "reverse",
    kind: Kind::Flag,
    // Without one, results that were asked for without it do not have it among their options.
    default: None,
    required: false,
    help: "true: the lowest counts first, above none; ties by name all the same",
};

/// The option of rankings by connections or a measure that adds two columns.
pub(super) const SHARES: OptionSpec = OptionSpec {
    name: "shares",
    kind: Kind::Flag,
    default: None,
    required: false,
    help: "true: also each row's share of the whole, and that of all rows up to it, in per cent",
};
