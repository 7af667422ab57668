//! The progress on all inputs as plain values, as a saved state has it.
//!
//! Not here: whether one that was read can be trusted (`sound`).

use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::model::balance::Rejected;
use crate::model::{Balance, InputId, Timestamp, Traces};

/// The progress on all inputs, to go on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressRecord {
    /// By input.
    pub inputs: Vec<(InputId, Position)>,
    pub(super) past: Balance,
    pub(super) past_ahead: u64,
    pub(super) total: Balance,
    pub(super) rejected: Vec<Rejected>,
    pub(super) traces: Traces,
    pub(super) extent: Option<(Timestamp, Timestamp)>,
    pub(super) highest: Timestamp,
    /// Beside the sheets, which have their place in tallies too.
    pub(super) unknown_losses: u64,
    pub(super) results_dropped: u64,
}

impl ProgressRecord {
    /// The sheet of all that was applied.
    pub fn balance(&self) -> Balance {
        Balance { unknown_losses: self.unknown_losses, results_dropped: self.results_dropped, ..self.total.clone() }
    }

    /// All balance sheets, each once, always in the same order.
    pub fn sheets_mut(&mut self) -> impl Iterator<Item = &mut Balance> {
        let ProgressRecord { inputs, past, total, .. } = self;
        [past, total].into_iter().chain(inputs.iter_mut().flat_map(|(_, position)| position.sheets_mut()))
    }

    /// The same, to be read.
    pub fn sheets(&self) -> impl Iterator<Item = &Balance> {
        [&self.past, &self.total].into_iter().chain(self.inputs.iter().flat_map(|(_, position)| position.sheets()))
    }

    /// The number of the next input: those that are forgotten may be given out again.
    pub fn next_input(&self) -> u32 {
        self.inputs.last().map_or(0, |(id, _)| id.0.saturating_add(1))
    }

    /// The lowest and the highest stamp that count.
    pub fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        self.extent
    }

    /// The highest watermark of any input.
    pub fn watermark(&self) -> Timestamp {
        self.highest
    }
}
