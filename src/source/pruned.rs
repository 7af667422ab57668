//! An input of which some bytes are skipped, until that has proved right.
//!
//! Not here: how these bytes are found (`seek`), and who skips them.

use std::sync::Arc;

use super::seek::Found;
use crate::model::OrderMeter;

/// An input of which some bytes are skipped.
#[derive(Debug, Clone)]
pub struct Pruned {
    /// The bytes that are read, and why.
    pub found: Found,
    /// Bytes of the input.
    pub size: u64,
    /// The declared disorder, on which that rests, in nanoseconds.
    pub disorder: i64,
    /// Where the extents of the chunks are noted, if they are wanted.
    pub order: Option<Arc<OrderMeter>>,
    /// Bytes of them that have been sent on.
    pub sent: u64,
}
