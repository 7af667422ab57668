//! What a configuration is checked against: what it may name beside the stages, and the machine.
//!
//! Not here: what each of them means (`report`, `output`, `format`). Invariant: checking knows the
//! world outside the configuration only from here, so that it is pure.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::format::Definition;
use crate::model::location::Location;
use crate::output::OutputEntry;
use crate::report::ReportEntry;

/// The plug-in parts that a configuration may name.
pub struct Catalog {
    /// The report functions.
    pub reports: Vec<ReportEntry>,
    /// The outputs.
    pub outputs: &'static [OutputEntry],
    /// Whether something is read from such a location.
    pub reads: fn(&Location) -> bool,
}

/// What the stages of a configuration may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// What is there for every configuration.
    pub catalog: &'a Catalog,
    /// The log formats that this one defines.
    pub formats: &'a [Arc<Definition>],
}

/// What the machine has, as far as a plan depends on it.
pub struct Machine {
    /// Processors.
    pub cores: NonZeroUsize,
    /// Tells the bytes of memory that this process may have, if they are known.
    pub memory: fn() -> Option<usize>,
}
