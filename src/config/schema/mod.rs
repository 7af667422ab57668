//! What a configuration may say: the types of stages, and the keys of each.
//!
//! Not here: what a configuration says. Invariant: a key stands in one place, the table of `keys`,
//! with all that is to be said of it.

mod format_keys;
mod key;
mod keys;
mod ranking_key;
mod stages;

pub use key::{Argument, Heading, KeySpec, Needs, Takers};
pub use keys::{KEYS, all_keys};
pub use stages::{StageType, stage_type};
