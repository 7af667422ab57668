//! One generation of a file: a record of what is known of it, and what it is now.
//!
//! Not here: opening and reading, and whose turn it is. Invariant: what is saved of it is made in
//! one place (`update`), and read back in one (`restored`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::content::{FileHead, FileIdentity, Stat};
use super::delivery::{FollowOptions, LostBytes};
use super::passed_on::PassedOn;
use super::records::FileRecord;
use super::retries::Retries;
use super::whereabouts::{Gone, LongerCopy, OwnFile, SavedPlace, Whereabouts};
use crate::error::show_path;
use crate::model::InputId;
use crate::source::chunker::Chunker;

/// A generation.
#[derive(Debug)]
pub(super) struct Generation {
    pub id: InputId,
    /// The path that leads to it, or did.
    pub path: PathBuf,
    /// When its file was made, in nanoseconds of the Unix epoch, if the file system knows.
    pub born: Option<u128>,
    pub passed: PassedOn,
    pub seen: SeenFile,
    pub whereabouts: Whereabouts,
    pub losses: ToldLosses,
    pub silence: Silence,
    /// When it last grew, was renamed or went away.
    pub moved: Duration,
    pub retries: Retries,
    /// Whether anything was passed on of it, by an earlier run too.
    opened: bool,
    /// The line in it that says what its columns are, if one does.
    pub header: Vec<u8>,
}

/// What was seen of its file.
#[derive(Debug, Default)]
pub(super) struct SeenFile {
    /// What the file was at the last look.
    pub last: Option<LastLook>,
    /// The most bytes that were in it.
    pub size: u64,
    pub modified: (i64, i64),
}

/// What a file was at a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastLook {
    pub size: u64,
    pub modified: (i64, i64),
    /// Since when it has been that.
    pub since: Duration,
    /// Whether all of it has been read since then, so late that no change can hide behind the same
    /// stamp.
    pub sure: bool,
}

/// What it has lost.
#[derive(Debug, Default)]
pub(super) struct ToldLosses {
    /// Bytes that were told to be lost.
    pub bytes: u64,
    /// Where it ended is known: what it may have lost has been told, also by an earlier run, or a
    /// copy shows that it is nothing.
    pub told: bool,
}

/// How long nothing has come of it.
#[derive(Debug)]
pub(super) struct Silence {
    /// When it last gave bytes, or was found.
    pub since: Duration,
    /// Whether those behind know of it.
    told: bool,
}

impl Generation {
    /// One that begins in a file: in one that no location leads to, if it is not `here`.
    pub fn new(id: InputId, found: FoundFile<'_>, options: &FollowOptions, now: Duration) -> Self {
        let FoundFile { path, file, stat, head, here } = found;
        let passed = PassedOn::nothing(FileHead::of(head), new_chunker(options));
        let mut generation = Generation {
            id,
            path: path.to_owned(),
            born: stat.born,
            passed,
            seen: SeenFile { last: None, size: stat.size, modified: stat.modified },
            whereabouts: Whereabouts::in_file(file, false),
            losses: ToldLosses::default(),
            silence: Silence { since: now, told: false },
            moved: now,
            retries: Retries::default(),
            opened: false,
            header: Vec::new(),
        };
        if !here {
            generation.depart(now);
        }
        generation
    }

    /// One that an earlier run saved. Where its file is now has to be found out.
    pub fn restored(saved: &FileRecord, options: &FollowOptions) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let head = FileHead { start: saved.start.clone(), guard: saved.head };
        let departed = (saved.away, saved.missed);
        let gone = Gone::restored((saved.device, saved.inode), saved.rotated, saved.truncated, departed);
        Generation {
            id: saved.id,
            path: Path::new(std::ffi::OsStr::from_bytes(&saved.name)).to_owned(),
            born: saved.born,
            passed: PassedOn::up_to(saved.position, saved.tail, head, new_chunker(options)),
            seen: SeenFile { last: None, size: saved.size_seen, modified: saved.modified },
            whereabouts: Whereabouts::Gone(gone),
            losses: ToldLosses { bytes: saved.lost, told: saved.settled },
            silence: Silence { since: saved.active, told: false },
            moved: saved.moved,
            retries: Retries::default(),
            opened: saved.position > 0,
            header: Vec::new(),
        }
    }

    /// A record of it, with nothing counted.
    pub fn record(&self) -> FileRecord {
        let mut record = FileRecord::new(self.id);
        self.update(&mut record);
        record
    }

    /// Brings a record up to date.
    pub fn update(&self, record: &mut FileRecord) {
        use std::os::unix::ffi::OsStrExt;
        let name = self.path.as_os_str().as_bytes();
        if record.name != name {
            record.name = name.to_vec();
        }
        let head = &self.passed.head;
        if record.head != head.guard {
            record.head = head.guard;
            record.start = head.start.clone();
        }
        // Of a file that is gone, nobody may take the inode for it.
        (record.device, record.inode) = self.identity().unwrap_or_default();
        record.born = self.born;
        record.modified = self.seen.modified;
        record.size_seen = self.seen.size;
        let SavedPlace { rotated, truncated, settled, departed } = self.whereabouts.told();
        (record.rotated, record.truncated) = (rotated, truncated);
        record.settled = settled || self.losses.told;
        record.departed = departed.is_some();
        (record.away, record.missed) = departed.unwrap_or_default();
        (record.active, record.moved) = (self.silence.since, self.moved);
    }

    pub fn position(&self) -> u64 {
        self.passed.position()
    }

    /// The file that it can be read from.
    pub fn file(&self) -> Option<OwnFile> {
        self.whereabouts.file()
    }

    /// Device and inode of the file that it is in, or was, unless they may have been given to
    /// another.
    pub fn identity(&self) -> Option<FileIdentity> {
        match &self.whereabouts {
            Whereabouts::Gone(gone) => gone.identity,
            other => other.file().map(|file| file.identity),
        }
    }

    /// Whether anything was passed on of it.
    pub fn is_opened(&self) -> bool {
        self.opened
    }

    /// Notes that something is passed on of it. Whether that is the first.
    pub fn open(&mut self) -> bool {
        !std::mem::replace(&mut self.opened, true)
    }

    /// Goes on in a file that was found.
    pub fn settle_in(&mut self, found: &FoundFile<'_>, now: Duration) {
        let rotated = self.whereabouts.is_rotated() || self.path != found.path;
        self.whereabouts = Whereabouts::in_file(found.file, rotated);
        self.path = found.path.to_owned();
        self.born = found.stat.born;
        self.seen.size = self.seen.size.max(found.stat.size);
        self.seen.last = None;
        self.losses = ToldLosses::default();
        self.retries.reset();
        self.passed.extend_head(found.head);
        (self.moved, self.silence.since) = (now, now);
        if !found.here {
            self.depart(now);
        }
    }

    /// Notes that it was found under another name, or again.
    pub fn rename(&mut self, path: &Path, now: Duration) {
        self.path = path.to_owned();
        self.whereabouts.rename();
        self.moved = now;
    }

    /// Notes that no location leads to it.
    pub fn depart(&mut self, now: Duration) {
        self.whereabouts.depart(now);
        self.moved = now;
    }

    /// Notes that another content has taken its place in its file, which is given back.
    pub fn be_replaced(&mut self, now: Duration) -> Option<OwnFile> {
        let file = self.whereabouts.be_replaced(now)?;
        self.moved = now;
        self.seen.last = None;
        Some(file)
    }

    /// Notes that the file that it was in holds something else by now.
    pub fn be_truncated(&mut self, now: Duration) {
        if let Some(gone) = self.whereabouts.gone_mut() {
            gone.be_truncated();
            self.moved = now;
        }
    }

    /// Notes that a scan has missed its file, which is not open.
    pub fn miss(&mut self, now: Duration) {
        if self.whereabouts.gone_mut().is_some_and(|gone| gone.miss(now)) {
            self.moved = now;
        }
    }

    /// Notes what its file is at a look.
    pub fn look(&mut self, stat: &Stat, now: Duration) -> LastLook {
        let same = self.seen.last.filter(|last| (last.size, last.modified) == (stat.size, stat.modified));
        if same.is_none() {
            // A file that is met again has not grown by that.
            if self.seen.last.is_some_and(|last| last.size < stat.size) || stat.size > self.seen.size {
                self.moved = now;
                self.whereabouts.reopen();
            }
            self.seen.size = self.seen.size.max(stat.size);
            self.seen.modified = stat.modified;
        }
        let last = same.unwrap_or(LastLook { size: stat.size, modified: stat.modified, since: now, sure: false });
        *self.seen.last.insert(last)
    }

    /// Whether it may have had bytes that nobody has seen: its file was there when an earlier run
    /// ended, or was truncated, and what became of it until it was gone is not known.
    pub fn is_end_unknown(&self) -> bool {
        self.whereabouts.gone().is_some_and(Gone::is_end_unseen) && !self.losses.is_told()
    }

    /// Whether its end may be dealt with: a rotated or departed file that has not grown for a
    /// while.
    pub fn is_drained(&self, now: Duration, wait: Duration) -> bool {
        let missed = self.whereabouts.gone().is_none_or(Gone::is_missed);
        self.whereabouts.is_draining() && missed && now >= self.moved + wait
    }

    /// Whether its number is to be given up.
    pub fn is_over(&self, now: Duration) -> bool {
        self.whereabouts.gone().is_some_and(|gone| gone.is_over(now))
    }

    /// When its turn has to come though nothing is known to have changed.
    pub fn next_due(&self, now: Duration, options: &FollowOptions) -> Option<Duration> {
        let drained = self.whereabouts.is_draining().then(|| self.moved + options.rotate_wait);
        let over = self.whereabouts.gone().and_then(Gone::over_at);
        // What is overdue waits for something else: a scan, or the retry.
        let due = [self.retries.after(), drained, self.silence.due(options.idle), over];
        due.into_iter().flatten().filter(|due| *due > now).min()
    }

    /// What is lost of it, now that no more of it can be read.
    pub fn lose(&mut self) -> Option<LostBytes> {
        if let Some(copy) = self.whereabouts.gone_mut().and_then(Gone::take_copy) {
            return Some(self.lose_to_copy(copy));
        }
        let (from, to) = (self.position() + self.losses.bytes, self.seen.size);
        let open_ended = self.is_end_unknown();
        if to <= from && !open_ended {
            return None;
        }
        let cause = match &self.whereabouts {
            Whereabouts::Gone(gone) if gone.is_truncated() => "was truncated or overwritten before it was read",
            Whereabouts::Gone(gone) if gone.is_restored() => "was gone when this run began",
            Whereabouts::Gone(_) => "was gone before it was read",
            file if file.is_rotated() => "was truncated before all of it was copied",
            _ => "was gone before it was read",
        };
        let (from, to) = if to > from { (from, to) } else { (self.position(), self.position()) };
        self.losses.tell(to - from);
        Some(LostBytes { name: show_path(&self.path), cause, from, to, open_ended, remedy: None })
    }

    /// What a compressed copy holds that was not counted: so much is known of the end.
    fn lose_to_copy(&mut self, LongerCopy { length, remedy }: LongerCopy) -> LostBytes {
        let from = self.position() + self.losses.bytes;
        self.losses = ToldLosses { bytes: length - self.position(), told: true };
        let cause = match self.whereabouts.gone().is_some_and(Gone::is_truncated) {
            true => "was truncated or overwritten before it was read to its end",
            false => "was gone before it was read to its end",
        };
        let remedy = Some(remedy);
        LostBytes { name: show_path(&self.path), cause, from, to: length, open_ended: false, remedy }
    }
}

impl ToldLosses {
    /// Whether it has been told that something is lost, or that nothing is.
    pub fn is_told(&self) -> bool {
        self.told || self.bytes > 0
    }

    /// Notes that so many bytes more are told to be lost, up to the end.
    fn tell(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.told = true;
    }
}

impl Silence {
    /// Notes that something has come.
    pub fn end(&mut self, now: Duration) {
        *self = Silence { since: now, told: false };
    }

    /// When those behind have to know of it, if they do not.
    fn due(&self, idle: Duration) -> Option<Duration> {
        (!self.told).then(|| self.since + idle)
    }

    /// Whether those behind have to know of it now.
    pub fn is_due(&self, now: Duration, idle: Duration) -> bool {
        self.due(idle).is_some_and(|due| now >= due)
    }

    /// Whether those behind know of it.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// Notes that they know.
    pub fn tell(&mut self) {
        self.told = true;
    }
}

/// A file in which a generation begins, or goes on.
#[derive(Clone, Copy)]
pub(super) struct FoundFile<'a> {
    pub path: &'a Path,
    pub file: OwnFile,
    pub stat: &'a Stat,
    /// Its first bytes.
    pub head: &'a [u8],
    /// Whether a location leads to it.
    pub here: bool,
}

fn new_chunker(options: &FollowOptions) -> Chunker {
    Chunker::new(options.chunk, options.max_line, true)
}
