//! The saved state of a run: what was counted at one moment, and how far each input was read for
//! that.
//!
//! A `Snapshot` is a plain value, which is checked when it is read; the names and pairs that belong
//! to it are read into a tally. The `store` keeps the newest two on disk, whole at every instant.
//! `SavedContents` is one that was read to be looked at, and `ShownSnapshot` what is written out of it.
//!
//! Not here: setting aside what is counted, and saving (`stage/aggregator/following/saver`).
//! Invariant: what is read is what some run has saved, or an error; its bytes are those of format 2
//! or, where that cannot say all of it, 3.

mod agreement;
mod beside;
mod contents;
mod counts;
mod measures;
mod shown;
mod sound;
mod value;
mod windows;

pub mod store;

pub use beside::Beside;
pub use contents::SavedContents;
pub use measures::SavedMeasures;
pub use value::{Delays, SavedCounts, Snapshot};
pub use windows::{Issued, SavedWindows};

#[cfg(test)]
pub(crate) use sound::tests::file;
