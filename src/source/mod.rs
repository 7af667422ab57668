//! World to bytes: finds the inputs and reads them in chunks of whole lines.
//!
//! Not here: threads, formats, windows. Invariant: every byte of an input is in exactly one chunk's
//! span, in order.

mod beginning;
mod chunker;
mod codec;
mod cursor;
mod entry;
pub mod follow;
mod input;
mod locate;
mod opened;
mod places;
mod pruned;
pub mod seek;
mod spool;
mod unpacked;

#[cfg(test)]
mod packed_tests;

pub use beginning::{Beginning, beginning};
pub use chunker::{Chunker, Cut};
pub use codec::MOST_MEMORY;
pub use cursor::{ChunkStep, Cursor};
pub use entry::Listing;
pub use input::{Input, LocalFile};
pub use locate::{Located, locate};
pub use places::reads;
pub use places::stdin::{identity as stdin_identity, input as stdin};
pub use pruned::Pruned;
