//! The five stages, in the order of the data. Each glues one pure thing to the runtime, and does nothing else; X to the time-filter, and `peek` to the aggregator.

pub mod aggregator;
pub mod filter;
pub mod peek;
pub mod reader;
pub mod reporter;
pub mod skip;
pub mod splitter;
pub mod stats;

pub use aggregator::Closed;

use parking_lot::Mutex;

use crate::error::Error;

/// Errors that do not end a run, and warnings: told at once, counted at its end.
pub struct Failures {
    all: Mutex<Vec<Error>>,
    warnings: Mutex<Vec<String>>,
    tell: fn(&Error),
    warn: fn(&str),
}

impl Failures {
    /// No failures yet; each is given to `tell` when it happens, and each warning to `warn`.
    pub fn new(tell: fn(&Error), warn: fn(&str)) -> Self {
        Failures { all: Mutex::default(), warnings: Mutex::default(), tell, warn }
    }

    /// Notes a failure.
    pub fn add(&self, error: Error) {
        (self.tell)(&error);
        self.all.lock().push(error);
    }

    /// Tells what people should know though nothing failed.
    pub fn warn(&self, text: &str) {
        (self.warn)(text);
        self.warnings.lock().push(text.to_owned());
    }

    /// All warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    /// All failures so far.
    pub fn take(&self) -> Vec<Error> {
        std::mem::take(&mut *self.all.lock())
    }
}
