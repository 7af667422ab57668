//! What a configuration may name beside the stages.

use crate::format::FormatEntry;
use crate::output::OutputEntry;
use crate::report::ReportEntry;

/// The plug-in parts that a configuration may name.
pub struct Catalog {
    /// The report functions.
    pub reports: Vec<ReportEntry>,
    /// The outputs.
    pub outputs: &'static [OutputEntry],
    /// The log formats.
    pub formats: &'static [FormatEntry],
}
