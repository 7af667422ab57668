//! The lengths of time that the numbers of a saved state have to agree with.
//!
//! Not here: reading them from a configuration. Invariant: all are nanoseconds.

use super::time::Timestamp;

/// How long windows are, and what may come late, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Of a window.
    pub window: i64,
    /// From one window to the next.
    pub period: i64,
    /// Where windows start, if an instant was given.
    pub anchor: Option<Timestamp>,
    /// The grain that was asked for.
    pub grouping: i64,
    /// The declared disorder.
    pub lateness: i64,
    /// How long results may be issued again.
    pub grace: i64,
}

impl Lengths {
    /// How long records are counted behind others.
    pub fn kept(&self) -> i64 {
        self.lateness.saturating_add(self.grace)
    }
}
