//! What is saved of each generation, so that a later run goes on where this one had counted to.
//!
//! The clock of silences goes on from run to run: silence that was waited through is not waited for
//! again.
//!
//! Invariant: a generation is here from its announcement until it is forgotten by whoever saves,
//! since what is counted lags behind what is read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::model::{Guard, InputId};

/// One generation of a file, as it is saved.
///
/// The follower fills in all but `position`, `tail` and `lost`. Those it leaves as the run found
/// them; whoever saves puts in what has been counted since: `cut.to` and `tail` of the last
/// delivery that was, and the sum of the losses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its number.
    pub id: InputId,
    /// The bytes of its last path.
    pub name: Vec<u8>,
    /// The device it lies on.
    pub device: u64,
    /// Its inode there; given to another file once this one is removed.
    pub inode: u64,
    /// When it was made, in nanoseconds of the Unix epoch, if the file system knows.
    pub born: Option<u128>,
    /// When it was last written, as far as was seen: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// Its first bytes, at most 64.
    pub start: Vec<u8>,
    /// Of its first bytes, at most 1,024.
    pub head: Guard,
    /// The most bytes that were seen in it.
    pub size_seen: u64,
    /// Bytes of it that are counted, or passed over.
    pub position: u64,
    /// Of the 256 bytes before the position.
    pub tail: Guard,
    /// Bytes of it that were reported lost.
    pub lost: u64,
    /// It was renamed, so that no more is to be expected of it.
    pub rotated: bool,
    /// Its file was truncated or overwritten, so that a copy of it may be found.
    pub truncated: bool,
    /// Its end has been dealt with: what was lost of it has been told.
    pub settled: bool,
    /// No location leads to it any more.
    pub departed: bool,
    /// Scans that missed it since then, up to a few.
    pub missed: u32,
    /// When it last gave bytes, when it last grew, was renamed or went away, and when it went away,
    /// by the clock of silences, which goes on from run to run: what was waited through is not
    /// waited for again.
    pub active: Duration,
    /// See `active`.
    pub moved: Duration,
    /// See `active`.
    pub away: Duration,
    /// Its last delivery has been given.
    pub ended: bool,
}

impl FileRecord {
    /// Of a generation of which nothing is known.
    pub fn new(id: InputId) -> Self {
        FileRecord {
            id,
            name: Vec::new(),
            device: 0,
            inode: 0,
            born: None,
            modified: (0, 0),
            start: Vec::new(),
            head: Guard::default(),
            size_seen: 0,
            position: 0,
            tail: Guard::default(),
            lost: 0,
            rotated: false,
            truncated: false,
            settled: false,
            departed: false,
            missed: 0,
            active: Duration::ZERO,
            moved: Duration::ZERO,
            away: Duration::ZERO,
            ended: false,
        }
    }
}

/// A compressed file that was passed over, as it is saved: a copy of what was counted, or whose
/// loss was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The device it lies on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// When it was made, in nanoseconds of the Unix epoch, if the file system knows.
    pub born: Option<u128>,
    /// Bytes in it.
    pub size: u64,
    /// When it was last written: seconds and nanoseconds.
    pub modified: (i64, i64),
}

/// A file that is passed over, and how many bytes of which generation have to be counted or told
/// first, if any have to.
pub(super) type PassedWhen = (PassedOver, Option<(InputId, u64)>);

/// The records of all generations, shared with whoever saves them.
#[derive(Debug, Default)]
pub struct FileRecords {
    records: Mutex<BTreeMap<InputId, FileRecord>>,
    passed_over: Mutex<Vec<PassedWhen>>,
    clock: AtomicU64,
}

impl FileRecords {
    /// Copies of all records, by number.
    pub fn all(&self) -> Vec<FileRecord> {
        self.records.lock().values().cloned().collect()
    }

    /// The clock of silences.
    pub fn clock(&self) -> Duration {
        Duration::from_nanos(self.clock.load(Ordering::Relaxed))
    }

    /// Notes what that clock says.
    pub fn set_clock(&self, now: Duration) {
        self.clock.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Drops a record. To be called once the last delivery of the generation has been counted and
    /// that has been saved.
    pub fn forget(&self, id: InputId) {
        self.records.lock().remove(&id);
    }

    /// The compressed files that are passed over, as far as these records, by number, say that what
    /// they hold was counted or told.
    pub fn passed_over(&self, records: &[FileRecord]) -> Vec<PassedOver> {
        let files = self.passed_over.lock();
        let is_dealt_with = |(of, length): (InputId, u64)| {
            let found = records.binary_search_by_key(&of, |record| record.id);
            // One that there is no record of is counted to its end, and that is saved.
            found.map_or(true, |at| records[at].position + records[at].lost >= length)
        };
        let files = files.iter().filter(|(_, copy)| copy.is_none_or(is_dealt_with));
        files.map(|(file, _)| file.clone()).collect()
    }

    /// Notes which compressed files are passed over.
    pub(super) fn pass_over(&self, files: Vec<PassedWhen>) {
        *self.passed_over.lock() = files;
    }

    /// Records there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.records.lock().len()
    }

    /// Puts a record in.
    pub fn put(&self, record: FileRecord) {
        self.records.lock().insert(record.id, record);
    }

    /// Changes a record, unless it is forgotten.
    pub(super) fn change(&self, id: InputId, change: impl FnOnce(&mut FileRecord)) {
        if let Some(record) = self.records.lock().get_mut(&id) {
            change(record);
        }
    }
}
