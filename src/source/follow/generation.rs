//! One generation of a file: who it is, how far it is read, and what time has to bring.
//!
//! Not here: opening and reading. Invariant: the guard before the position is that of bytes that
//! were passed on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::content::{Head, Stat};
use super::records::Saved;
use super::step::{Loss, Options};
use crate::error::show_path;
use crate::model::{Guard, InputId};
use crate::source::chunker::Chunker;

/// How long a generation without a file is kept in mind, in case that its content turns up again.
pub(super) const KEEP_DEPARTED: Duration = Duration::from_secs(600);

/// The first wait after a second failure in a row, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Scans that have to miss a file that is not open before it is taken for gone: one may look while
/// it is renamed.
const MISSES: u32 = 2;

/// A generation.
#[derive(Debug)]
pub(super) struct Generation {
    pub id: InputId,
    /// The path that leads to it, or did.
    pub path: PathBuf,
    /// The key of its handle; `None`: there is no file that its bytes could be read from.
    pub key: Option<u64>,
    /// Device and inode, unless they may have been given to another file.
    pub identity: Option<(u64, u64)>,
    pub born: Option<u128>,
    pub head: Head,
    /// Cuts it, and knows the position. Carries nothing from look to look.
    pub chunker: Chunker,
    /// Of the bytes before the position; `None`: to be taken from the file.
    pub tail: Option<Guard>,
    /// Bytes before the position that the next step has to account for.
    pub skipped: u64,
    /// How far it begins with zeros, as long as no other byte was found.
    pub zeros: u64,
    /// What the file was at the last look.
    pub last: Option<Last>,
    pub size_seen: u64,
    pub modified: (i64, i64),
    /// Bytes that were reported lost.
    pub lost: u64,
    /// Renamed, or read on from a copy: no more is expected.
    pub rotated: bool,
    /// No location leads to it.
    pub away: Option<Away>,
    /// Its file was truncated or overwritten.
    pub truncated: bool,
    /// An earlier run knew it.
    pub resumed: bool,
    /// Where it is now has not been found out since it was saved.
    pub restored: bool,
    /// All that the end of a rotated or departed file brings about has been done.
    pub settled: bool,
    /// Where it ended is known: what it may have lost has been told, also by an earlier run, or a
    /// copy shows that it is nothing.
    pub told: bool,
    /// The compressed copy that holds all it had, and more than was counted, until that is told.
    pub copied: Option<Copied>,
    /// It is to end now, though it could be kept in mind longer.
    pub expired: bool,
    pub idle_said: bool,
    pub opened_said: bool,
    pub trouble_said: bool,
    /// When it last gave bytes, or was found.
    pub active: Duration,
    /// When it last grew, was renamed or went away.
    pub moved: Duration,
    /// Failures in a row.
    pub failures: u32,
    pub retry: Option<Duration>,
    pub queued: bool,
    /// When its turn comes by itself.
    pub due: Option<Duration>,
}

/// What a file was at a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub size: u64,
    pub modified: (i64, i64),
    /// Since when it has been that.
    pub since: Duration,
    /// Whether all of it has been read since then, so late that no change can hide behind the same
    /// stamp.
    pub sure: bool,
}

/// A compressed copy of a generation.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    /// Bytes of the generation that it holds.
    pub length: u64,
    /// How to count those that were not counted.
    pub remedy: String,
}

/// A generation that no location leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Away {
    pub since: Duration,
    /// Scans that missed it.
    pub missed: u32,
}

impl Generation {
    /// One that begins.
    pub fn new(id: InputId, path: PathBuf, options: &Options, now: Duration) -> Self {
        Generation {
            id,
            path,
            key: None,
            identity: None,
            born: None,
            head: Head::default(),
            chunker: Chunker::new(options.chunk, options.max_line, true),
            tail: Some(Guard::default()),
            skipped: 0,
            zeros: 0,
            last: None,
            size_seen: 0,
            modified: (0, 0),
            lost: 0,
            rotated: false,
            away: None,
            truncated: false,
            resumed: false,
            restored: false,
            settled: false,
            told: false,
            copied: None,
            expired: false,
            idle_said: false,
            opened_said: false,
            trouble_said: false,
            active: now,
            moved: now,
            failures: 0,
            retry: None,
            queued: false,
            due: None,
        }
    }

    /// One that an earlier run saved. Where its file is now has to be found out.
    pub fn restored(saved: &Saved, options: &Options) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(&saved.name)).to_owned();
        let mut chunker = Chunker::new(options.chunk, options.max_line, true);
        chunker.jump(saved.position);
        Generation {
            identity: Some((saved.device, saved.inode)),
            born: saved.born,
            head: Head { start: saved.start.clone(), guard: saved.head },
            chunker,
            tail: Some(saved.tail),
            size_seen: saved.size_seen,
            modified: saved.modified,
            lost: saved.lost,
            rotated: saved.rotated,
            truncated: saved.truncated,
            told: saved.settled,
            away: Some(Away { since: saved.away, missed: saved.missed }),
            resumed: true,
            restored: true,
            opened_said: saved.position > 0,
            active: saved.active,
            moved: saved.moved,
            ..Generation::new(saved.id, path, options, saved.active)
        }
    }

    /// A record of it, with nothing counted.
    pub fn record(&self) -> Saved {
        let mut saved = Saved::new(self.id);
        self.update(&mut saved);
        saved
    }

    /// Brings a record up to date.
    pub fn update(&self, saved: &mut Saved) {
        use std::os::unix::ffi::OsStrExt;
        let name = self.path.as_os_str().as_bytes();
        if saved.name != name {
            saved.name = name.to_vec();
        }
        if saved.head != self.head.guard {
            saved.head = self.head.guard;
            saved.start = self.head.start.clone();
        }
        // Of a file that is gone, nobody may take the inode for it.
        (saved.device, saved.inode) = self.identity.unwrap_or_default();
        saved.born = self.born;
        saved.modified = self.modified;
        saved.size_seen = self.size_seen;
        saved.rotated = self.rotated;
        saved.truncated = self.truncated;
        saved.settled = self.settled || self.told;
        saved.departed = self.away.is_some();
        let away = self.away.unwrap_or(Away { since: Duration::ZERO, missed: 0 });
        (saved.away, saved.missed) = (away.since, away.missed.min(MISSES));
        (saved.active, saved.moved) = (self.active, self.moved);
    }

    pub fn position(&self) -> u64 {
        self.chunker.position()
    }

    /// Takes on a file as the place of its bytes.
    pub fn settle_in(&mut self, path: PathBuf, key: u64, stat: &Stat, now: Duration) {
        self.rotated |= self.path != path;
        self.path = path;
        self.key = Some(key);
        self.identity = Some(stat.identity);
        self.born = stat.born;
        self.size_seen = self.size_seen.max(stat.size);
        self.last = None;
        self.away = None;
        self.truncated = false;
        self.restored = false;
        self.told = false;
        self.copied = None;
        self.settled = false;
        self.expired = false;
        self.lost = 0;
        self.retry = None;
        self.failures = 0;
        self.moved = now;
        self.active = now;
    }

    /// Notes that no location leads to it.
    pub fn depart(&mut self, now: Duration) {
        self.away.get_or_insert(Away { since: now, missed: 0 });
        self.moved = now;
        self.settled = false;
    }

    /// Notes that a scan has missed its file, which is not open. That is news if it was there when
    /// an earlier run ended.
    pub fn missed(&mut self, now: Duration) {
        let Some(away) = self.away.as_mut() else { return };
        away.missed = away.missed.saturating_add(1);
        if self.restored && away.missed == 1 {
            (away.since, self.moved) = (now, now);
        }
    }

    /// Takes up the silence that an earlier run has waited through, in a file that is what it was.
    pub fn stay_silent(&mut self, active: Duration, moved: Option<Duration>) {
        self.active = active;
        self.moved = moved.unwrap_or(self.moved);
    }

    /// Whether it may have had bytes that nobody has seen: its file was there when an earlier run
    /// ended or was truncated, and what became of it until it was gone is not known.
    pub fn is_end_unknown(&self) -> bool {
        (self.truncated || self.restored) && self.key.is_none() && self.lost == 0 && !self.told
    }

    /// Whether it has been told that it has lost something.
    pub fn is_told(&self) -> bool {
        self.told || self.lost > 0
    }

    /// Whether enough scans have missed it to take it for gone.
    pub fn is_missed(&self) -> bool {
        self.settled || self.away.is_none_or(|away| away.missed >= MISSES)
    }

    /// Whether its end may be dealt with: a rotated or departed file that has not grown for a
    /// while.
    pub fn is_drained(&self, now: Duration, wait: Duration) -> bool {
        let expected = !self.rotated && self.away.is_none();
        let missed = self.key.is_some() || self.is_missed();
        !expected && !self.settled && missed && now >= self.moved + wait
    }

    /// Whether its number is to be given up.
    pub fn is_over(&self, now: Duration) -> bool {
        let departed = self.away.is_some_and(|away| now >= away.since + KEEP_DEPARTED);
        self.settled && self.key.is_none() && (departed || self.expired)
    }

    /// When its turn has to come though nothing is known to have changed.
    pub fn next_due(&self, now: Duration, options: &Options) -> Option<Duration> {
        let drained =
            ((self.rotated || self.away.is_some()) && !self.settled).then(|| self.moved + options.rotate_wait);
        let idle = (!self.idle_said).then(|| self.active + options.idle);
        let over = self.away.filter(|_| self.settled).map(|away| away.since + KEEP_DEPARTED);
        // What is overdue waits for something else: a scan, or the retry.
        [self.retry, drained, idle, over].into_iter().flatten().filter(|due| *due > now).min()
    }

    /// Notes a failure, and when to try again: at once after the first, ever later after further
    /// ones.
    pub fn failed(&mut self, now: Duration) {
        let wait = match self.failures {
            0 => Duration::from_nanos(1),
            more => (BACKOFF.0 * 2u32.saturating_pow(more - 1)).min(BACKOFF.1),
        };
        self.failures = (self.failures + 1).min(16);
        self.retry = Some(now + wait);
    }

    /// What is lost of it, now that no more of it can be read.
    pub fn loss(&mut self) -> Option<Loss> {
        if let Some(Copied { length, remedy }) = self.copied.take() {
            return Some(self.loss_in_copy(length, remedy));
        }
        let to = self.size_seen;
        let known = to > self.position() + self.lost;
        let gone = self.restored && self.key.is_none() && !self.truncated;
        let unknown = self.is_end_unknown();
        if !known && !unknown {
            return None;
        }
        let cause = match (self.truncated, self.key) {
            (true, _) => "was truncated or overwritten before it was read",
            (false, None) if gone => "was gone when this run began",
            (false, Some(_)) if self.rotated => "was truncated before all of it was copied",
            _ => "was gone before it was read",
        };
        let from = if known { self.position() + self.lost } else { self.position() };
        let to = if known { to } else { from };
        self.lost += to - from;
        self.told = true;
        Some(Loss { name: show_path(&self.path), cause, from, to, open_ended: unknown, remedy: None })
    }

    /// What a compressed copy holds that was not counted: so much is known of the end.
    fn loss_in_copy(&mut self, length: u64, remedy: String) -> Loss {
        let from = self.position() + self.lost;
        (self.lost, self.told) = (length - self.position(), true);
        let cause = match self.truncated {
            true => "was truncated or overwritten before it was read to its end",
            false => "was gone before it was read to its end",
        };
        Loss { name: show_path(&self.path), cause, from, to: length, open_ended: false, remedy: Some(remedy) }
    }
}
