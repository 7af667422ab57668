//! Memory that tallies may take: counted before it is taken, shared by all who take.
//!
//! What is counted is what tables hold, to the byte where it is known and rounded up where it is
//! not. Not here: batches on their way, whose number is bounded (`config::plan`). Invariant: bytes
//! are refused only once all that is expendable has been dropped.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// A number of bytes, of which parts are taken and given back.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Who may keep what is expendable. Locked while that is dropped, so that nobody is refused the
    /// bytes that come of it.
    keepers: Mutex<Vec<Weak<dyn Expendable>>>,
    /// Whether any of them may keep something.
    any_kept: AtomicBool,
}

/// What is kept only as long as nobody needs its bytes, since it can be made again.
pub trait Expendable: Debug + Send + Sync {
    /// Drops it, and gives its bytes back.
    fn drop_all(&self);
}

impl Budget {
    /// A budget of this many bytes; `None` for no limit.
    pub fn new(limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        Budget { limit, used: AtomicUsize::new(0), keepers: Mutex::default(), any_kept: AtomicBool::new(false) }
    }

    /// Takes this many bytes, if they are left. Gives whether they were.
    pub fn take(&self, bytes: usize) -> bool {
        self.try_take(bytes) || {
            self.drop_expendable();
            self.try_take(bytes)
        }
    }

    fn try_take(&self, bytes: usize) -> bool {
        let taken = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// Whether this many bytes are left.
    pub fn has(&self, bytes: usize) -> bool {
        self.has_beside(bytes) || {
            self.drop_expendable();
            self.has_beside(bytes)
        }
    }

    /// Whether this many bytes are left beside all that is expendable.
    pub fn has_beside(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.limit
    }

    /// Takes this many bytes, whether they are left or not: for what is small and has to be there.
    pub fn take_anyway(&self, bytes: usize) {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit {
            self.drop_expendable();
        }
    }

    /// Has what somebody keeps dropped before any bytes are refused, as often as `note_kept` says
    /// that there is something.
    pub fn may_drop(&self, keeper: Weak<dyn Expendable>) {
        let mut keepers = self.keepers.lock();
        keepers.retain(|keeper| keeper.strong_count() > 0);
        keepers.push(keeper);
    }

    /// Notes that something expendable is kept.
    pub fn note_kept(&self) {
        let _not_dropping = self.keepers.lock();
        self.any_kept.store(true, Ordering::Release);
    }

    #[cold]
    fn drop_expendable(&self) {
        if !self.any_kept.load(Ordering::Acquire) {
            return;
        }
        let keepers = self.keepers.lock();
        keepers.iter().filter_map(Weak::upgrade).for_each(|keeper: Arc<dyn Expendable>| keeper.drop_all());
        self.any_kept.store(false, Ordering::Release);
    }

    /// Gives back what was taken.
    pub fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The bytes that there are; `None` if there is no limit.
    pub fn limit(&self) -> Option<usize> {
        (self.limit < usize::MAX).then_some(self.limit)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let budget = Budget::new(Some(100));
        assert!(budget.take(60));
        assert!(!budget.take(41));
        assert!(budget.take(40));
        budget.give_back(50);
        budget.take_anyway(70);
        assert!(!budget.take(1));
        assert_eq!(budget.used(), 120);
        assert!(Budget::default().take(usize::MAX));
    }
}
