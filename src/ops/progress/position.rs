//! How far one input is counted.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::batch::Mark;
use crate::model::{Balance, Guard, Peaks, Timestamp};

/// How far one input is counted; with what comes from the chunks on the way, all that is saved of
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The byte up to which the input is applied without a gap.
    pub next: u64,
    /// Of the last bytes before it.
    pub tail: Guard,
    /// Its watermark.
    pub watermark: Timestamp,
    /// What that is while nothing more comes of it.
    pub(super) at_rest: Timestamp,
    /// The highest stamps up to `next`.
    pub peaks: Peaks,
    pub(super) ahead: u64,
    pub(super) ended: bool,
    pub(super) idle: bool,
    /// What the input added to the sheet up to `next`.
    pub(super) balance: Balance,
    /// Marks up to `next`, with the input's sheet at each, until their windows are closed.
    pub(super) marks: VecDeque<Mark>,
}

impl Position {
    /// Whether nothing more comes of it.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether it holds back no window: it has ended, or is idle.
    pub(super) fn rests(&self) -> bool {
        self.ended || self.idle
    }

    /// Bytes of the input that were gone before they could be read.
    pub fn lost(&self) -> u64 {
        self.balance.bytes_unread
    }

    /// Its balance sheets, those of the marks behind that of all.
    pub(super) fn sheets_mut(&mut self) -> impl Iterator<Item = &mut Balance> {
        std::iter::once(&mut self.balance).chain(self.marks.iter_mut().map(|mark| &mut mark.balance))
    }

    /// The same, to be read.
    pub(super) fn sheets(&self) -> impl Iterator<Item = &Balance> {
        std::iter::once(&self.balance).chain(self.marks.iter().map(|mark| &mark.balance))
    }

    /// The input's sheet at the end of a window, which closes now.
    pub(super) fn balance_at(&mut self, end: Timestamp) -> &Balance {
        while self.marks.front().is_some_and(|mark| mark.watermark < end) {
            self.marks.pop_front();
        }
        // An input that ended before that has given everything that it has.
        self.marks.front().map_or(&self.balance, |mark| &mark.balance)
    }
}

impl Default for Position {
    fn default() -> Self {
        Position {
            next: 0,
            tail: Guard::default(),
            watermark: Timestamp::MIN,
            at_rest: Timestamp::MIN,
            peaks: Peaks::default(),
            ahead: 0,
            ended: false,
            idle: false,
            balance: Balance::default(),
            marks: VecDeque::new(),
        }
    }
}
