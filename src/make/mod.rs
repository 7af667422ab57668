//! A log to try things on: the same bytes for the same seed, on every machine.
//!
//! Not here: anything that reads. Invariant: no stamp lies further behind the highest before it
//! than the disorder.

mod generator;
mod names;

pub use generator::{Generator, LogRecipe};
