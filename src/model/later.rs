//! What a balance sheet has beside the numbers that the first formats of tallies and states have room
//! for.
//!
//! Not here: which format has them. Invariant: with these, a sheet that was read is the one that was
//! written.

use serde::{Deserialize, Serialize};

use super::balance::{Balance, Cause, OF_PLAIN};

/// Numbers that a sheet of `plain` does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterNumbers {
    filtered: u64,
    other: u64,
    malformed: [u64; Cause::ALL.len() - OF_PLAIN],
}

impl LaterNumbers {
    /// Those of a sheet; `None` if all of them are 0.
    pub fn of(balance: &Balance) -> Option<Self> {
        let later = LaterNumbers::all_of(balance);
        later.is_any().then_some(later)
    }

    /// Those of a sheet.
    pub fn all_of(balance: &Balance) -> Self {
        let malformed = std::array::from_fn(|cause| balance.malformed[OF_PLAIN + cause]);
        LaterNumbers { filtered: balance.filtered, other: balance.other, malformed }
    }

    /// Whether any of them is not 0.
    pub fn is_any(&self) -> bool {
        *self != LaterNumbers::default()
    }

    /// Puts them into a sheet.
    pub fn put(&self, balance: &mut Balance) {
        (balance.filtered, balance.other) = (self.filtered, self.other);
        balance.malformed[OF_PLAIN..].copy_from_slice(&self.malformed);
    }
}
