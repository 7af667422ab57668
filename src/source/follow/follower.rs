//! Whose turn it is: every file gets one chunk a round, and what time brings about is done when it
//! is due.
//!
//! Not here: finding files (`scan`), and telling copies from originals (`candidate`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::candidate::Candidate;
use super::content::{Stat, same_birth};
use super::generation::Generation;
use super::handles::{Handles, is_shortage};
use super::ignored::Ignored;
use super::reading::{self, Looked, Source};
use super::records::{Records, Saved};
use super::step::{Loss, Options, Step};
use super::unpack::AT_ONCE;
use crate::error::{Error, show_path};
use crate::model::{Guard, InputId};

/// Chunks of an over-long line that are read in one go: then others have their turn.
const READS: u64 = 4;

/// Such reads in one call without anything to pass on: then the caller has a turn, and comes back
/// when `wake_at` says.
const LOOKS: u32 = 64;

/// Failures in a row after which a file that nothing leads to is given up.
const GIVE_UP: u32 = 8;

/// Follows files that grow and rotate.
pub struct Follower {
    pub(super) options: Options,
    pub(super) generations: BTreeMap<InputId, Generation>,
    /// The generations whose files can be read, by device and inode.
    pub(super) by_identity: HashMap<(u64, u64), InputId>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) ignored: HashMap<(u64, u64), Ignored>,
    pub(super) handles: Handles,
    pub(super) records: Arc<Records>,
    /// Where the paths of the last scan led, by their absolute names.
    pub(super) paths: HashMap<PathBuf, (u64, u64)>,
    /// Warnings of the last scan, which are not repeated.
    pub(super) said: HashSet<String>,
    pub(super) next_id: u32,
    pub(super) scanned: bool,
    /// Whether nothing was saved, so that the files of the first scan are all there were.
    pub(super) fresh: bool,
    /// Whether the run ends, so that there is nothing to wait for.
    pub(super) ending: bool,
    /// Bytes that are decompressed in one look at all files, at most.
    pub(super) at_once: u64,
    scan_due: bool,
    queue: VecDeque<InputId>,
    timers: BTreeSet<(Duration, InputId)>,
    /// Looks in this call that gave nothing yet.
    looks: u32,
    /// Of each generation that was not read yet to where it was when that was asked for: where that
    /// is, once known.
    behind: HashMap<InputId, Option<u64>>,
    /// Generations that are settled and have no file, in the order in which that came about.
    pub(super) departed: VecDeque<InputId>,
    warnings: Vec<String>,
}

/// How an attempt to read went.
pub(super) enum Turn {
    Step(Step),
    Nothing,
    /// There may be bytes, but not now.
    Later,
}

impl Follower {
    /// Goes on with what was saved; without, all that is there is new. New generations are numbered
    /// from `next_id`. Time goes on from where it was when that was saved.
    pub fn new(options: Options, saved: Vec<Saved>, next_id: u32) -> Self {
        let mut follower = Follower {
            handles: Handles::new(options.open_files),
            options,
            generations: BTreeMap::new(),
            by_identity: HashMap::new(),
            candidates: Vec::new(),
            ignored: HashMap::new(),
            records: Arc::new(Records::default()),
            paths: HashMap::new(),
            said: HashSet::new(),
            next_id,
            scanned: false,
            fresh: saved.is_empty(),
            ending: false,
            at_once: AT_ONCE,
            scan_due: true,
            queue: VecDeque::new(),
            timers: BTreeSet::new(),
            looks: 0,
            behind: HashMap::new(),
            departed: VecDeque::new(),
            warnings: Vec::new(),
        };
        for record in saved {
            let generation = Generation::restored(&record, &follower.options);
            follower.next_id = follower.next_id.max(record.id.0.saturating_add(1));
            follower.records.put(record);
            follower.generations.insert(generation.id, generation);
        }
        follower
    }

    /// Lets a generation begin at a later byte, where a line begins. Only before its first step.
    pub fn begin_at(&mut self, id: InputId, position: u64) {
        if let Some(generation) = self.generations.get_mut(&id)
            && !generation.opened_said
            && generation.position() == 0
        {
            generation.chunker.jump(position);
            generation.skipped = position;
            generation.tail = None;
        }
    }

    /// The next thing to pass on, its bytes in `into`; `None` if there is nothing now.
    pub fn next(&mut self, now: Duration, into: &mut Vec<u8>) -> Option<Step> {
        into.clear();
        self.looks = 0;
        self.take_due(now);
        while let Some(id) = self.queue.pop_front() {
            let step = self.turn(id, now, into);
            self.set_timer(id, now);
            if let Some(mut step) = step {
                step.warnings.append(&mut self.warnings);
                return Some(step);
            }
        }
        None
    }

    /// Marks the file at a path, which may have changed.
    pub fn touch(&mut self, path: &Path) {
        let known = std::path::absolute(path).ok().and_then(|path| self.paths.get(&path));
        match known.and_then(|identity| self.by_identity.get(identity)) {
            Some(id) => self.enqueue(*id),
            // A file that is new, or may be a copy: that is for a scan to find out.
            None => self.scan_due = true,
        }
    }

    /// Marks all files.
    pub fn touch_all(&mut self) {
        let ids: Vec<InputId> = self.generations.keys().copied().collect();
        ids.into_iter().for_each(|id| self.enqueue(id));
    }

    /// Asks that all be read that is there now; `is_abreast` says when it is.
    pub fn mark_behind(&mut self) {
        self.behind = self.generations.keys().map(|id| (*id, None)).collect();
        self.touch_all();
    }

    /// Whether all has been passed on that was there when it was last asked for, but for lines
    /// without their end and what cannot be read now.
    pub fn is_abreast(&self) -> bool {
        self.behind.is_empty()
    }

    /// Whether a scan should not wait until its next regular time.
    pub fn scan_due(&self) -> bool {
        self.scan_due
    }

    /// When the next turn comes that only time brings about.
    #[cfg(test)]
    pub fn wake_at(&self) -> Option<Duration> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// What is to be saved of each generation.
    pub fn records(&self) -> Arc<Records> {
        Arc::clone(&self.records)
    }

    /// Files that are held open.
    #[cfg(test)]
    pub fn open_files(&self) -> usize {
        self.handles.len()
    }

    pub(super) fn ask_for_scan(&mut self, due: bool) {
        self.scan_due = due;
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Gives a generation a turn.
    pub(super) fn enqueue(&mut self, id: InputId) {
        if let Some(generation) = self.generations.get_mut(&id)
            && !std::mem::replace(&mut generation.queued, true)
        {
            self.queue.push_back(id);
        }
    }

    fn take_due(&mut self, now: Duration) {
        while let Some((due, id)) = self.timers.first().copied().filter(|(due, _)| *due <= now) {
            self.timers.remove(&(due, id));
            if let Some(generation) = self.generations.get_mut(&id) {
                generation.due = None;
            }
            self.enqueue(id);
        }
    }

    /// Sets the time at which a generation has its turn though nothing marks it.
    pub(super) fn set_timer(&mut self, id: InputId, now: Duration) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        if generation.due.is_some_and(|due| due <= now) {
            return;
        }
        let due = generation.next_due(now, &self.options);
        if due != generation.due {
            if let Some(before) = std::mem::replace(&mut generation.due, due) {
                self.timers.remove(&(before, id));
            }
            self.timers.extend(due.map(|due| (due, id)));
        }
    }

    fn turn(&mut self, id: InputId, now: Duration, into: &mut Vec<u8>) -> Option<Step> {
        let generation = self.generations.get_mut(&id)?;
        generation.queued = false;
        if generation.retry.is_some_and(|retry| retry > now) {
            self.behind.remove(&id);
            return self.say_idle(id, now);
        }
        generation.retry = None;
        let turn = self.read(id, now, false, into);
        self.catch_up(id, &turn);
        let step = match turn {
            Turn::Step(step) => Some(step),
            Turn::Nothing => self.bring_about(id, now, into),
            Turn::Later => self.say_idle(id, now),
        };
        self.update_record(id);
        if step.is_some() {
            self.enqueue(id);
        }
        step
    }

    /// Notes how far a generation is read after a turn.
    fn catch_up(&mut self, id: InputId, turn: &Turn) {
        let Some(wanted) = self.behind.get_mut(&id) else { return };
        let generation = self.generations.get(&id).filter(|_| matches!(turn, Turn::Step(_)));
        let more =
            generation.is_some_and(|generation| generation.position() < *wanted.get_or_insert(generation.size_seen));
        if !more {
            self.behind.remove(&id);
        }
    }

    /// Reads on. A chunk, or news of bytes that are gone, is a step.
    pub(super) fn read(&mut self, id: InputId, now: Duration, finish: bool, into: &mut Vec<u8>) -> Turn {
        let file = match self.handle(id, now) {
            Ok(Some(file)) => file,
            Ok(None) => {
                // It may have a file that a scan will find under another name.
                let somewhere = self.generations.get(&id).is_some_and(|generation| generation.key.is_some());
                return if somewhere { Turn::Later } else { Turn::Nothing };
            }
            Err(error) => return self.failed(id, now, error),
        };
        let fault = self.handles.read_fault();
        let most = READS * (self.options.chunk + self.options.max_line) as u64;
        let Some(generation) = self.generations.get_mut(&id) else { return Turn::Nothing };
        let mut cut_short = None;
        let looked = Stat::of_file(&file).and_then(|stat| {
            reading::look(generation, &Source { file: &file, stat, most, fault }, now, finish, &mut cut_short, into)
        });
        let lost = cut_short.map(|(from, to)| Loss {
            name: show_path(&generation.path),
            cause: "was cut short before it was read",
            from: from.max(generation.position().min(to)),
            to,
            open_ended: false,
            remedy: None,
        });
        let mut more = false;
        match looked {
            Err(error) => return self.failed(id, now, error),
            Ok(Looked::Replaced) => self.replaced(id, now),
            Ok(Looked::More) => {
                more = true;
                self.looks += 1;
                if self.looks < LOOKS {
                    self.enqueue(id);
                } else {
                    generation.retry = Some(now + Duration::from_nanos(1));
                }
            }
            Ok(Looked::Chunk(cut, unterminated)) => {
                let step = self.step(id, now);
                return step
                    .map_or(Turn::Nothing, |step| Turn::Step(Step { cut, lost, idle: false, unterminated, ..step }));
            }
            Ok(Looked::Nothing) => {}
        }
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.failures = 0;
        }
        match lost.and_then(|lost| Some(Step { lost: Some(lost), ..self.step(id, now)? })) {
            Some(step) => Turn::Step(step),
            None if more => Turn::Later,
            None => Turn::Nothing,
        }
    }

    /// A step without bytes at the position, with what every step has to account for.
    pub(super) fn step(&mut self, id: InputId, now: Duration) -> Option<Step> {
        let generation = self.generations.get_mut(&id)?;
        let mut step = Step::empty(id, generation.position(), generation.tail.unwrap_or(Guard::default()));
        step.skipped = std::mem::take(&mut generation.skipped);
        step.opened = !std::mem::replace(&mut generation.opened_said, true);
        generation.active = now;
        generation.idle_said = false;
        generation.failures = 0;
        Some(step)
    }

    /// The open file of a generation; `None` if there is none, or not under its name.
    pub(super) fn handle(&mut self, id: InputId, now: Duration) -> io::Result<Option<Arc<File>>> {
        let Some(generation) = self.generations.get(&id) else { return Ok(None) };
        let Some(key) = generation.key else { return Ok(None) };
        if let Some(file) = self.handles.get(key) {
            return Ok(Some(file));
        }
        if generation.away.is_some() {
            self.lose_file(id);
            return Ok(None);
        }
        let file = match self.handles.open(&generation.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.scan_due = true;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stat = Stat::of_file(&file)?;
        if generation.identity != Some(stat.identity) {
            // Another file has taken the name; a scan will tell where this one is.
            self.scan_due = true;
            return Ok(None);
        }
        let file = Arc::new(file);
        let born = generation.born;
        self.handles.put(key, Arc::clone(&file));
        if !same_birth(born, stat.born) {
            self.replaced(id, now);
            return Ok(None);
        }
        Ok(Some(file))
    }

    /// Notes that a file could not be read, and when to try again.
    fn failed(&mut self, id: InputId, now: Duration, error: io::Error) -> Turn {
        let Some(generation) = self.generations.get_mut(&id) else { return Turn::Nothing };
        generation.failed(now);
        let again = generation.away.is_none();
        if let Some(key) = generation.key.filter(|_| again && !is_shortage(&error)) {
            // The next try opens it anew, which a stale handle needs.
            self.handles.close(key);
        }
        // What one more try mends is not worth a word.
        if generation.failures > 1 && !std::mem::replace(&mut generation.trouble_said, true) {
            let error = Error::input(&generation.path, "cannot be read now, and will be tried again", error);
            self.warnings.push(error.to_string());
        }
        if !again && generation.failures >= GIVE_UP {
            self.lose_file(id);
        }
        Turn::Later
    }

    /// Gives up the file of a generation that nothing leads to.
    pub(super) fn lose_file(&mut self, id: InputId) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        if let Some(key) = generation.key.take() {
            let removed =
                self.handles.get(key).and_then(|file| Stat::of_file(&file).ok()).is_some_and(|s| s.links == 0);
            self.handles.close(key);
            if let Some(identity) = generation.identity {
                self.leave(identity, id);
            }
            // An inode without a name is free for another file; one that only moved may come back.
            if let Some(generation) = self.generations.get_mut(&id).filter(|_| removed) {
                generation.identity = None;
            }
        }
    }

    /// Notes that a generation is not in this file any more; another may be already.
    pub(super) fn leave(&mut self, identity: (u64, u64), id: InputId) {
        if self.by_identity.get(&identity) == Some(&id) {
            self.by_identity.remove(&identity);
        }
    }

    pub(super) fn update_record(&self, id: InputId) {
        if let Some(generation) = self.generations.get(&id) {
            self.records.change(id, |record| generation.update(record));
        }
    }
}
