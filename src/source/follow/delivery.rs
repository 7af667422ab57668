//! What a follower is asked for, and what it gives: files that are new, and what is passed on of
//! each.
//!
//! Not here: how it is found and read. Invariant: the bytes that a delivery accounts for, skipped
//! ones first, begin where those of the one before it ended.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::location::Location;
use crate::model::{Guard, InputId, Timestamp};
use crate::source::chunker::Cut;
use crate::source::entry::Listing;

/// What to follow, and how.
#[derive(Debug, Clone)]
pub struct FollowOptions {
    /// Files, folders and globs.
    pub locations: Vec<Location>,
    /// Bytes a chunk is filled to.
    pub chunk: usize,
    /// Bytes a line may have.
    pub max_line: usize,
    /// How long a renamed or removed file has not grown when it is drained, and how long a file
    /// that may be a copy in the making is held.
    pub rotate_wait: Duration,
    /// How long a file has not grown when it is idle.
    pub idle: Duration,
    /// Files that are held open at most.
    pub open_files: usize,
    /// Bytes of memory that a decoder may take.
    pub unpack_memory: u64,
    /// Compressed files that are there at the start are history, unless they were last written
    /// before. `None` where an earlier run has read what was there.
    pub past_from: Option<Timestamp>,
    /// How locations are listed, and what ends that.
    pub listing: Listing,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Generations that were not announced before, in the order of the locations.
    pub new: Vec<New>,
    /// What cannot be followed, one message each, said once for as long as it lasts.
    pub warnings: Vec<String>,
    /// Locations that lead to no file yet, escaped; of the first scan only.
    pub nowhere: Vec<String>,
    /// Paths that were looked at.
    pub paths: usize,
    /// Whether they lead to other files than in the scan before.
    pub changed: bool,
}

/// A generation that is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// Its number.
    pub id: InputId,
    /// Its name for people, escaped.
    pub name: String,
    /// The path that leads to it.
    pub path: PathBuf,
    /// Bytes in it now.
    pub size: u64,
    /// The byte at which its first delivery begins. What is before it was counted by an earlier
    /// run.
    pub position: u64,
    /// Whether an earlier run knew it.
    pub resumed: bool,
}

/// Something to pass on: mostly a chunk of a generation's bytes, sometimes only news of it.
#[derive(Debug)]
pub struct Delivery {
    /// The generation.
    pub id: InputId,
    /// Where the chunk was cut. `last`: this generation is over, and its number will not come
    /// again.
    pub cut: Cut,
    /// Of the last 256 bytes before `cut.to`.
    pub tail: Guard,
    /// Bytes right before `cut.from` that are passed over: zeros at the start of a file, or what
    /// `begin_at` leaves out.
    pub skipped: u64,
    /// Compressed bytes that were taken for it.
    pub packed: u64,
    /// Bytes that were gone before they could be read.
    pub lost: Option<LostBytes>,
    /// Nothing has come for a while, or nothing more is to be expected. Said once, until data
    /// comes.
    pub idle: bool,
    /// Whether this is the generation's first.
    pub opened: bool,
    /// The chunk is a line without its end, and the end is not expected any more.
    pub unterminated: bool,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Bytes that were gone before they could be read: at least these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostBytes {
    /// The file, escaped.
    pub name: String,
    /// What became of it.
    pub cause: &'static str,
    /// First byte of the generation that was lost.
    pub from: u64,
    /// One past the last that was seen; `from` if none was.
    pub to: u64,
    /// Whether there may have been more behind that, which nobody saw.
    pub open_ended: bool,
    /// How to count them, where a compressed copy holds them.
    pub remedy: Option<String>,
}

impl Delivery {
    /// One without bytes and news, at a position with the guard before it.
    pub(super) fn empty(id: InputId, position: u64, tail: Guard) -> Self {
        Delivery {
            id,
            cut: Cut { from: position, to: position, oversized: None, last: false },
            tail,
            skipped: 0,
            packed: 0,
            lost: None,
            idle: false,
            opened: false,
            unterminated: false,
            warnings: Vec::new(),
        }
    }
}
