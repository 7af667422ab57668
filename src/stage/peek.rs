//! A look at a window of an aggregator while it is filled, for who watches the run.
//!
//! Nobody counts while somebody looks. Invariant: a look changes no result. Where it would take memory that the run may
//! need, or read back what is on disk, there is none.

use std::sync::Arc;

use parking_lot::Mutex;

use super::aggregator::{Closed, Shared};
use crate::model::{Balance, Gap, Issue, MemoryPolicy};
use crate::ops::close::{Closer, Windows, once_layout};
use crate::tally::Aggregates;

/// What an aggregator that is watched knows beside its windows.
pub struct Peek {
    windows: Windows,
    needs_previous: bool,
    /// The last window of the run, once it is closed: nothing of it is in the tally any more.
    last: Mutex<Option<Arc<Closed>>>,
}

/// What is seen of a window.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Its place in the run, from 0; 0 too while it is not known.
    pub sequence: u64,
    /// Whether it is one of many.
    pub periodic: bool,
    /// The windows that it is, if it is a run of them that hold nothing; the view is then that of the first.
    pub gap: Option<Gap>,
    /// Which result of the window it is, where there may be several.
    pub issue: Option<Issue>,
    /// What it holds.
    pub view: &'a Aggregates,
    /// The balance sheet: at this window if it is closed, else of all lines so far.
    pub balance: &'a Balance,
}

impl Peek {
    /// For an aggregator of these windows; `needs_previous` says whether the window before is kept.
    pub fn new(windows: Windows, needs_previous: bool) -> Self {
        Peek { windows, needs_previous, last: Mutex::default() }
    }

    /// Keeps the last window of the run.
    pub(super) fn keep(&self, last: &Arc<Closed>) {
        *self.last.lock() = Some(Arc::clone(last));
    }
}

impl Closed {
    /// All that is to see.
    pub fn look(&self) -> Look<'_> {
        Look {
            sequence: self.sequence,
            periodic: self.periodic,
            gap: self.gap,
            issue: self.issue,
            view: &self.view,
            balance: &self.balance,
        }
    }
}

impl Shared {
    /// Shows `f` the window that is filled at this moment: the only one, or that which ends first behind the highest
    /// stamp; after the run, its last one. The workers wait until `f` returns. `None` if nothing is counted yet, if
    /// there is no memory to join what is counted or some of it is on disk, and if the aggregator is not watched.
    pub fn peek<R>(&self, f: impl FnOnce(Look<'_>) -> R) -> Option<R> {
        let peek = self.peek.as_ref()?;
        let mut tally = self.tally.write();
        let last = peek.last.lock().clone();
        if let Some(last) = last {
            // Nobody counts into it any more.
            drop(tally);
            return Some(f(last.look()));
        }
        let (extent, balance) = {
            let progress = self.progress.lock();
            (progress.extent(), self.with_overflow(progress.balance().clone()))
        };
        let layout = match peek.windows {
            Windows::Once(_) if balance.counted == 0 => return None,
            Windows::Once(window) => once_layout(window, &self.buckets, peek.needs_previous),
            Windows::Every(grid) => {
                let (_, highest) = extent?;
                let window = grid.window(grid.first_ending_after(highest));
                Closer::new(grid, self.buckets, peek.needs_previous).layout(window)
            }
        };
        let first = tally.pane_of(layout.first_bucket);
        let end = tally.pane_of(layout.end_bucket());
        let before = if layout.previous { first - (end - first) } else { first };
        if self.store.lock().holds(before..end) {
            return None;
        }
        self.hand_over(i64::MAX, &mut tally);
        let to_join = tally.bytes_to_join(&layout);
        if to_join > 0 && !tally.budget().has(to_join) {
            return None;
        }
        let periodic = matches!(peek.windows, Windows::Every(_));
        tally.show(&layout, |view| {
            // Joined, panes may have taken more than they did before, and than there was.
            let is_whole = self.policy != MemoryPolicy::Spill || view.overflow() == 0;
            is_whole.then(|| f(Look { sequence: 0, periodic, gap: None, issue: None, view, balance: &balance }))
        })
    }
}
