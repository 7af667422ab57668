//! Failures in a row, and when to try again: at once after the first, ever later after further
//! ones.
//!
//! Not here: reading. Invariant: the same trouble is told once, however often it comes back.

use std::time::Duration;

/// The first wait after a second failure in a row, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Failures after which waits do not grow.
const MOST: u32 = 16;

/// As soon as others have had their turn.
const SOON: Duration = Duration::from_nanos(1);

/// Failures in a row to read one file.
#[derive(Debug, Default)]
pub(super) struct Retries {
    failures: u32,
    after: Option<Duration>,
    /// Whether people were told that it cannot be read.
    said: bool,
}

impl Retries {
    /// Notes a failure. Whether it is worth a word: what one more try mends is not, and neither is
    /// what was said.
    pub fn fail(&mut self, now: Duration) -> bool {
        let wait = match self.failures {
            0 => SOON,
            more => (BACKOFF.0 * 2u32.saturating_pow(more - 1)).min(BACKOFF.1),
        };
        self.failures = (self.failures + 1).min(MOST);
        self.after = Some(now + wait);
        self.failures > 1 && !std::mem::replace(&mut self.said, true)
    }

    /// Notes that it could be read.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Forgets all failures: it is another file now.
    pub fn reset(&mut self) {
        (self.failures, self.after) = (0, None);
    }

    /// Has it tried again once others have had their turn.
    pub fn put_off(&mut self, now: Duration) {
        self.after = Some(now + SOON);
    }

    /// Whether it is to be tried now; then it is not waited for any more.
    pub fn is_time(&mut self, now: Duration) -> bool {
        let is_time = self.after.is_none_or(|after| after <= now);
        if is_time {
            self.after = None;
        }
        is_time
    }

    /// When it is to be tried again.
    pub fn after(&self) -> Option<Duration> {
        self.after
    }

    /// Whether it failed at least so often in a row.
    pub fn failed_at_least(&self, times: u32) -> bool {
        self.failures >= times
    }
}
