//! Compressed files that were there when nothing was known yet: history that is new, read once and
//! to its end, one file after the other, for the first windows.
//!
//! Not here: which files these are (`compressed`). Invariant: bytes of one are passed on once and in
//! order, an interrupted one from the byte on up to which it was counted; and no more than one
//! decoder is open.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::Candidate;
use super::content::{FileHead, FileIdentity, Stat, TAIL};
use super::delivery::{Delivery, FollowOptions, LostBytes, New};
use super::records::FileRecord;
use crate::error::show_path;
use crate::model::{Guard, InputId};
use crate::source::cursor::{ChunkStep, Cursor};
use crate::source::input::{Access, Input};
use crate::source::opened::BytesAt;

/// The files that are still to be read, in their order.
#[derive(Default)]
pub(super) struct Past {
    files: VecDeque<PastFile>,
}

/// One of them.
struct PastFile {
    id: InputId,
    path: PathBuf,
    /// What it was when it was opened, or found.
    stat: Stat,
    /// Up to where it is passed on, and the last bytes before that.
    position: u64,
    tail: Vec<u8>,
    cursor: Option<Cursor>,
    /// Its size when it was opened, and since when it has that.
    size: u64,
    since: Duration,
    is_opened: bool,
    /// Until when it may still be written: its end was not whole.
    waits: Option<Duration>,
}

/// What reading on gave.
pub(super) struct PastStep {
    pub delivery: Delivery,
    /// What its file is, if it has ended.
    pub ended: Option<Stat>,
}

impl Past {
    /// Whether nothing is left to be read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a file is to be read yet.
    pub fn has(&self, identity: FileIdentity) -> bool {
        self.files.iter().any(|file| file.stat.identity == identity)
    }

    /// One more, which is announced, from a byte on; with its record. `head`: how it begins once it
    /// is decompressed.
    pub fn begin(&mut self, candidate: &Candidate, id: InputId, head: &[u8], position: u64) -> (New, FileRecord) {
        use std::os::unix::ffi::OsStrExt;
        let (path, stat, head) = (candidate.path.clone(), candidate.stat, FileHead::of(head));
        let new =
            New { id, name: show_path(&path), path: path.clone(), size: stat.size, position, resumed: position > 0 };
        let record = FileRecord {
            name: path.as_os_str().as_bytes().to_vec(),
            device: stat.identity.0,
            inode: stat.identity.1,
            born: stat.born,
            modified: stat.modified,
            start: head.start,
            head: head.guard,
            rotated: true,
            ..FileRecord::new(id)
        };
        self.files.push_back(PastFile {
            id,
            path,
            stat,
            position,
            tail: Vec::new(),
            cursor: None,
            size: 0,
            since: Duration::ZERO,
            is_opened: position > 0,
            waits: None,
        });
        (new, record)
    }

    /// The next thing to pass on, its bytes in `into`; `None` if there is nothing now. `find` says
    /// under which name a file is now.
    pub fn next(
        &mut self,
        options: &FollowOptions,
        now: Duration,
        find: impl Fn(FileIdentity) -> Option<PathBuf>,
        into: &mut Vec<u8>,
    ) -> Option<PastStep> {
        let file = self.files.front_mut()?;
        if file.waits.is_some_and(|until| now < until) {
            return None;
        }
        let delivery = file.next(options, now, find, into)?;
        let ended = delivery.cut.last.then_some(file.stat);
        if ended.is_some() {
            self.files.pop_front();
        }
        Some(PastStep { delivery, ended })
    }
}

impl PastFile {
    fn next(
        &mut self,
        options: &FollowOptions,
        now: Duration,
        find: impl Fn(FileIdentity) -> Option<PathBuf>,
        into: &mut Vec<u8>,
    ) -> Option<Delivery> {
        into.clear();
        if self.cursor.is_none() && !self.open(options, now, find) {
            return Some(self.gone("was gone before it was read", Vec::new()));
        }
        let cursor = self.cursor.as_mut()?;
        let ChunkStep { mut cut, zeros, failure, packed, .. } = cursor.next(into, &|| false);
        if cut.oversized.is_some() {
            self.tail.clear();
        } else {
            self.tail.extend_from_slice(&into[into.len().saturating_sub(TAIL)..]);
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
        self.position = cut.to;
        let mut delivery = match failure {
            Some(failure) => {
                self.cursor = None;
                // Whoever writes it may not be done.
                if self.may_grow(options, now) {
                    cut.last = false;
                    self.waits = Some(now + options.rotate_wait);
                    self.empty()
                } else {
                    self.gone("could not be decompressed to its end", vec![failure.to_string()])
                }
            }
            None => self.empty(),
        };
        delivery.unterminated = cut.last && into.last().is_some_and(|byte| *byte != b'\n');
        (delivery.skipped, delivery.packed, delivery.idle) = (zeros, packed, cut.last);
        delivery.cut = cut;
        Some(delivery)
    }

    /// Opens it. Whether it is there.
    fn open(&mut self, options: &FollowOptions, now: Duration, find: impl Fn(FileIdentity) -> Option<PathBuf>) -> bool {
        let is_same = |file: &File| Stat::of_file(file).ok().filter(|stat| stat.identity == self.stat.identity);
        let open = |path: PathBuf| {
            let file = File::open(&path).ok()?;
            is_same(&file).map(|stat| (path, Arc::new(file), stat))
        };
        let found = open(self.path.clone()).or_else(|| find(self.stat.identity).and_then(open));
        let Some((path, file, stat)) = found else { return false };
        if stat.size != self.size {
            (self.size, self.since) = (stat.size, now);
        }
        let (bytes, size): (Arc<dyn BytesAt>, u64) = (file, stat.size);
        let access = Access::At(Arc::new(move || Ok((Arc::clone(&bytes), size))));
        let input = Input::new(show_path(&path), path.clone(), access).sniffed().with_memory(options.unpack_memory);
        let mut cursor = Cursor::new(input, options.chunk, options.max_line);
        cursor.go_on_at(self.position);
        (self.path, self.stat, self.cursor) = (path, stat, Some(cursor));
        true
    }

    /// Whether it has been written of late.
    fn may_grow(&mut self, options: &FollowOptions, now: Duration) -> bool {
        let size = std::fs::metadata(&self.path).map_or(0, |found| found.len());
        size != self.size || now < self.since + options.rotate_wait
    }

    /// News of it, without bytes.
    fn empty(&mut self) -> Delivery {
        let mut delivery = Delivery::empty(self.id, self.position, Guard::of(&self.tail));
        delivery.opened = !std::mem::replace(&mut self.is_opened, true);
        delivery
    }

    /// Its end, though there was more.
    fn gone(&mut self, cause: &'static str, warnings: Vec<String>) -> Delivery {
        let (from, name) = (self.position, show_path(&self.path));
        let lost = Some(LostBytes { name, cause, from, to: from, open_ended: true, remedy: None });
        let mut delivery = Delivery { lost, warnings, idle: true, ..self.empty() };
        delivery.cut.last = true;
        delivery
    }
}
