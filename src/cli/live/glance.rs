//! What the view is shown of a run, and what it asks of whatever shows it.

use crate::error::Result;
use crate::model::{Balance, Timestamp, WindowResult};
use crate::pipeline::StageObservation;

/// What is seen of a run at one moment.
#[derive(Debug, Clone)]
pub struct Glance {
    /// The reports on the window that is being filled, provisional; None before the first record.
    pub result: Option<WindowResult>,
    /// All lines and bytes so far.
    pub balance: Balance,
    /// The overall watermark, if there is one.
    pub watermark: Option<Timestamp>,
    /// The wall clock.
    pub now: Timestamp,
    /// Inputs that are read or followed.
    pub inputs: usize,
    /// Each stage in the order of the plan.
    pub stages: Vec<StageObservation>,
    /// Set once the run has ended.
    pub ended: bool,
}

/// Peers of a host, both ways: (name, connections), largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// The host.
    pub host: Vec<u8>,
    /// Whom it connects to.
    pub servers: Vec<(Vec<u8>, u64)>,
    /// Who connects to it.
    pub clients: Vec<(Vec<u8>, u64)>,
}

/// Where the view gets what it shows.
///
/// `glance` and `peers` are called by a thread of their own, one call at a time and some four times
/// a second; less often if they take long. `stop` may be called meanwhile.
pub trait Watched: Sync {
    /// The run at this moment. An error ends the view.
    fn glance(&self) -> Result<Glance>;

    /// The peers of a host in the window of `glance`; None if there is no window to look at.
    fn peers(&self, host: &[u8]) -> Result<Option<Peers>>;

    /// Asks the run to end. Called when the user has seen enough, and when the terminal is gone.
    fn stop(&self);
}
