//! Tallies as files: what was counted of some bytes of some inputs, to be added up with what was
//! counted elsewhere.
//!
//! Counts add up in any order, and so do these files: merged in any order or tree, they give the
//! same file, byte for byte. Pairs stand there by their names, sorted, so that any number of files
//! is merged as they are read. The format is documented in `docs/tallies.md`. Not here: how counts
//! come about, and what reports make of them. Invariant: no byte of an input is in a file twice,
//! and nothing of a file is believed before its checksum is right.

mod check;
#[cfg(test)]
mod forged_tests;
mod frame;
mod header;
mod layout;
mod lines;
mod merge;
mod numbers;
#[cfg(test)]
mod numbers_tests;
mod read;
mod summed;
#[cfg(test)]
mod tests;
mod write;

pub use header::{First, LineOrder, MalformedSample, Piece, Question, Share, TalliesHeader};
pub use layout::{CountedWindow, FORMAT};
pub use merge::Files;
pub use numbers::HeaderNumbers;
pub use read::is_one;
pub use write::write;
