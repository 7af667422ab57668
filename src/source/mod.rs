//! World to bytes: finds the inputs and reads them in chunks of whole lines.
//!
//! Not here: threads, formats, windows. Invariant: every byte of an input is in exactly one chunk's
//! span, in order.

mod chunker;
mod codec;
mod cursor;
pub mod follow;
mod input;
mod locate;
mod opened;
mod pruned;
pub mod seek;
mod spool;
mod walk;

pub use chunker::{Chunker, Cut};
pub use cursor::{ChunkStep, Cursor};
pub use input::{Input, Origin};
pub use locate::{Located, locate, stdin_identity, stdin_metadata};
pub use pruned::Pruned;
pub use walk::Listing;
