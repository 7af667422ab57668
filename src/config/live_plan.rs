//! How the results of inputs come that are followed, and what is saved of them, as meant.
//!
//! Not here: what is counted (`plan`). Invariant: where nothing is followed, nothing here has a meaning.

use std::path::PathBuf;
use std::time::Duration;

/// An aggregator's options for inputs that are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePlan {
    /// Whether inputs are followed; nothing else here has a meaning if they are not.
    pub follows: bool,
    /// How long results are kept to be issued again, in nanoseconds.
    pub grace: i64,
    /// When results come.
    pub trigger: TriggerPlan,
    /// Where the state is kept.
    pub state: StatePlan,
    /// Time between two savings.
    pub checkpoint: Duration,
    /// How long a run that is asked to end may take to count and save.
    pub stop_timeout: Duration,
}

/// When the result of a window comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerPlan {
    /// When the watermark has passed its end: complete.
    Event,
    /// When the clock has passed its end: provisional.
    Clock,
}

/// Where a following run keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatePlan {
    /// Nowhere: it starts anew each time.
    None,
    /// Where the system keeps such things, by the configuration.
    Auto,
    /// In this folder.
    Folder(PathBuf),
}
