//! The pure operators: what happens to batches, without threads, channels or files.
//!
//! Used alike by the stages, by benchmarks and by anything else that runs the same job in another
//! way.

pub mod close;
pub mod count;
pub mod disorder;
pub mod history;
mod judge;
pub mod progress;
mod runs;
pub mod scan;
pub mod select;
pub mod sequence;
pub mod settled;
pub mod split;
