//! A look at a window of an aggregator while it is being filled, for somebody who watches the run.
//!
//! Reports on such a window are made in place, with nothing copied. So a look holds the workers up,
//! and whoever looks has to do so seldom.
//!
//! Nobody counts while somebody looks. Invariant: a look changes no result. There is no look where
//! it would take memory that the run may need, or read back what is on disk.

use std::sync::Arc;

use parking_lot::Mutex;

use super::closed::{Closed, WindowLook};
use super::counting::Counting;
use crate::model::MemoryPolicy;
use crate::ops::close::{Closer, Windows, once_layout};

/// What an aggregator that is watched knows beside its windows.
pub struct Peek {
    counting: Arc<Counting>,
    windows: Windows,
    needs_previous: bool,
    /// The last window of the run, once it is closed: nothing of it is in the tally any more.
    last: Mutex<Option<Arc<Closed>>>,
}

impl Peek {
    /// For an aggregator of these windows; `needs_previous` says whether the window before is kept.
    pub fn new(counting: Arc<Counting>, windows: Windows, needs_previous: bool) -> Self {
        Peek { counting, windows, needs_previous, last: Mutex::default() }
    }

    /// Keeps the last window of the run.
    pub(super) fn keep(&self, last: &Arc<Closed>) {
        *self.last.lock() = Some(Arc::clone(last));
    }

    /// Shows `f` the window that is filled at this moment: the only one, or that which ends first
    /// behind the highest stamp; after the run, its last one. The workers wait until `f` returns.
    /// `None` if nothing is counted yet, if there is no memory to join what is counted, or some of
    /// it is on disk.
    pub fn look<R>(&self, f: impl FnOnce(WindowLook<'_>) -> R) -> Option<R> {
        let counting = &self.counting;
        let mut tally = counting.tally.write();
        let last = self.last.lock().clone();
        if let Some(last) = last {
            // Nobody counts into it any more.
            drop(tally);
            return Some(f(last.look()));
        }
        let (extent, balance) = {
            let progress = counting.progress.lock();
            (progress.extent(), counting.with_overflow(progress.balance().clone()))
        };
        let layout = match self.windows {
            Windows::Once(_) if balance.counted == 0 => return None,
            Windows::Once(window) => once_layout(window, &counting.buckets, self.needs_previous),
            Windows::Every(grid) => {
                let (_, highest) = extent?;
                let window = grid.window(grid.first_ending_after(highest));
                Closer::new(grid, counting.buckets, self.needs_previous).layout(window)
            }
        };
        let first = tally.pane_of(layout.first_bucket);
        let end = tally.pane_of(layout.end_bucket());
        let before = if layout.previous { first - (end - first) } else { first };
        if counting.store.lock().holds(before..end) {
            return None;
        }
        counting.hand_over(i64::MAX, &mut tally);
        let to_join = tally.bytes_to_join(&layout);
        if to_join > 0 && !tally.budget().has(to_join) {
            return None;
        }
        let periodic = matches!(self.windows, Windows::Every(_));
        tally.show(&layout, |view| {
            // Joined, panes may have taken more than they did before, and than there was.
            let is_whole = counting.policy != MemoryPolicy::Spill || view.overflow().of_both() == 0;
            is_whole.then(|| f(WindowLook { sequence: 0, periodic, gap: None, issue: None, view, balance: &balance }))
        })
    }
}
