//! Counters of a running pipeline, for progress and for tests. Touched once a batch, never once a
//! line.
//!
//! Not here: what is counted for answers, which is in the tally and the balance sheet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What one stage did, all its workers together.
#[derive(Debug, Default)]
pub struct StageMetrics {
    batches: AtomicU64,
    blocked_nanos: AtomicU64,
}

impl StageMetrics {
    /// Counts a batch that is about to be sent on.
    pub fn batch(&self) {
        self.batches.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds time for which a full edge made a worker wait.
    pub fn blocked(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.blocked_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Batches sent on, or waiting to be.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Time spent waiting at full edges, added up over workers.
    pub fn blocked_time(&self) -> Duration {
        Duration::from_nanos(self.blocked_nanos.load(Ordering::Relaxed))
    }
}

/// How far a run has come, in bytes.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    known: AtomicU64,
}

impl Progress {
    /// Counts bytes that were read.
    pub fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are known to be there to read.
    pub fn add_known(&self, bytes: u64) {
        self.known.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes known to be there; 0 if the input is a stream.
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::Relaxed)
    }
}
