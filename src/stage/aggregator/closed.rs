//! A window that is complete, and what is seen of one.
//!
//! Not here: when a window is complete (`once`, `every`, `following`). Invariant: nothing is
//! counted into it any more.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::model::{Balance, Gap, Issue};
use crate::tally::Aggregates;

/// A window that is complete.
#[derive(Debug)]
pub struct Closed {
    /// Its place in the run, from 0.
    pub sequence: u64,
    /// Whether it is one of many.
    pub periodic: bool,
    /// The windows that it stands for, if it stands for several, which hold nothing; the view is
    /// then that of the first.
    pub gap: Option<Gap>,
    /// Which result of the window it is, where there may be several.
    pub issue: Option<Issue>,
    /// What it holds.
    pub view: Aggregates,
    /// The balance sheet at this window.
    pub balance: Balance,
    /// Set once a reporter has written it. A result that is dropped without that, because an output
    /// failed or the run was aborted, is issued again by the next run.
    pub written: Arc<AtomicBool>,
}

/// What is seen of a window.
#[derive(Debug, Clone, Copy)]
pub struct WindowLook<'a> {
    /// Its place in the run, from 0; 0 too while it is not known.
    pub sequence: u64,
    /// Whether it is one of many.
    pub periodic: bool,
    /// The windows that it is, if it is a run of them that hold nothing; the view is then that of
    /// the first.
    pub gap: Option<Gap>,
    /// Which result of the window it is, where there may be several.
    pub issue: Option<Issue>,
    /// What it holds.
    pub view: &'a Aggregates,
    /// The balance sheet: at this window if it is closed, else of all lines so far.
    pub balance: &'a Balance,
}

impl Closed {
    /// All that is to see.
    pub fn look(&self) -> WindowLook<'_> {
        WindowLook {
            sequence: self.sequence,
            periodic: self.periodic,
            gap: self.gap,
            issue: self.issue,
            view: &self.view,
            balance: &self.balance,
        }
    }
}
