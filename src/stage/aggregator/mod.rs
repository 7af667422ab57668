//! Bucket-aggregator: records to tallies, and tallies to the view of each window.
//!
//! What is counted is one value, `Counting`, that all workers share. The code that closes windows
//! owns it, in one of three ways: one window at the end of the input (`once`), windows that repeat
//! as the watermark passes them (`every`), and windows of inputs that go on (`following`), where
//! results may come again and counts are saved. Invariant: a window closes once, in order, and
//! holds all that is counted into it.

mod closed;
mod counting;
mod measuring;
mod peek;

pub mod every;
pub mod following;
pub mod once;

use std::sync::Arc;
use std::time::Duration;

pub use closed::{Closed, WindowLook};
pub use counting::Counting;
pub use measuring::RunMeasures;
pub use peek::Peek;

use following::LiveCounting;
use following::standing::Standing;

/// An aggregator as others see it, while it works and after.
#[derive(Clone)]
pub struct Aggregator {
    /// What is counted.
    pub counting: Arc<Counting>,
    /// What it takes to look at a window before it is closed, if the run is watched.
    pub peek: Option<Arc<Peek>>,
    /// What there is in addition where inputs are followed.
    pub live: Option<Arc<LiveCounting>>,
}

impl Aggregator {
    /// The longest time for which counting stood still for a state to be saved, or for names to be
    /// dropped.
    pub fn longest_stall(&self) -> Duration {
        self.live.as_ref().map_or(Duration::ZERO, |live| live.longest_stall())
    }

    /// Where a run that follows stands, if it has no result of what was there.
    pub fn standing(&self) -> Option<Standing> {
        self.live.as_ref().and_then(|live| live.standing())
    }
}
