//! Memory that tallies may take: counted before it is taken, shared by all who take.
//!
//! What is counted is what tables hold, to the byte where it is known and rounded up where it is
//! not. Not here: batches on their way, whose number is bounded (`config::plan`).

use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes, of which parts are taken and given back.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of this many bytes; `None` for no limit.
    pub fn new(limit: Option<usize>) -> Self {
        Budget { limit: limit.unwrap_or(usize::MAX), used: AtomicUsize::new(0) }
    }

    /// Takes this many bytes, if they are left. Gives whether they were.
    pub fn take(&self, bytes: usize) -> bool {
        let taken = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// Whether this many bytes are left.
    pub fn has(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.limit
    }

    /// Takes this many bytes, whether they are left or not: for what is small and has to be there.
    pub fn take_anyway(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
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
