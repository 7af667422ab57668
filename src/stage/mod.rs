//! The five stages, in the order of the data. Each glues one pure thing to the runtime, and does nothing else.

pub mod aggregator;
pub mod filter;
pub mod reader;
pub mod reporter;
pub mod splitter;

pub use aggregator::Closed;

use parking_lot::Mutex;

use crate::error::Error;

/// Errors that do not end a run: told at once, counted at its end.
pub struct Failures {
    all: Mutex<Vec<Error>>,
    tell: fn(&Error),
}

impl Failures {
    /// No failures yet; each is given to `tell` when it happens.
    pub fn new(tell: fn(&Error)) -> Self {
        Failures { all: Mutex::new(Vec::new()), tell }
    }

    /// Notes a failure.
    pub fn add(&self, error: Error) {
        (self.tell)(&error);
        self.all.lock().push(error);
    }

    /// All failures so far.
    pub fn take(&self) -> Vec<Error> {
        std::mem::take(&mut *self.all.lock())
    }
}
