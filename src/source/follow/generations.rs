//! The generations that are known, the files that they are read from, and the records of both.
//!
//! Not here: what comes of a turn (`turn`), and what a file is that is nobody's (`judgement`).
//! Invariant: a file on disk belongs to one generation at a time, and each change of one is in its
//! record.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::content::{FileIdentity, Stat, same_birth};
use super::delivery::{FollowOptions, New};
use super::generation::{FoundFile, Generation, LastLook};
use super::open_files::{FileKey, OpenFiles};
use super::reading;
use super::records::{FileRecord, FileRecords};
use super::sightings::{Sighting, Sightings};
use super::turns::Turns;
use super::whereabouts::{Gone, Whereabouts};
use crate::error::show_path;
use crate::model::InputId;

/// The most generations without a file that are remembered.
const DEPARTED: usize = 1000;

/// Generations by how they start, so that a file is compared with few.
pub(super) type ByStart = BTreeMap<Vec<u8>, Vec<InputId>>;

/// The generations that are known.
pub(super) struct Generations {
    pub options: FollowOptions,
    pub files: OpenFiles,
    pub turns: Turns,
    by_id: BTreeMap<InputId, Generation>,
    /// Those whose files can be read.
    by_identity: HashMap<FileIdentity, InputId>,
    /// Those that are settled and have no file, in the order in which that came about.
    departed: VecDeque<InputId>,
    records: Arc<FileRecords>,
    /// Files whose content has been replaced, and of which nobody has found out what they hold now.
    displaced: Vec<Displaced>,
}

/// A file that a generation was in, and in which there is something else now.
pub(super) struct Displaced {
    /// The generation.
    pub was: InputId,
    pub path: PathBuf,
    pub key: FileKey,
    pub identity: FileIdentity,
    pub born: Option<u128>,
    /// Whether a location leads to it.
    pub here: bool,
}

impl Generations {
    /// Those that an earlier run has saved.
    pub fn new(options: FollowOptions, saved: Vec<FileRecord>) -> Self {
        let by_id = saved.iter().map(|record| (record.id, Generation::restored(record, &options))).collect();
        let records = FileRecords::default();
        saved.into_iter().for_each(|record| records.put(record));
        Generations {
            files: OpenFiles::new(options.open_files),
            options,
            turns: Turns::default(),
            by_id,
            by_identity: HashMap::new(),
            departed: VecDeque::new(),
            records: Arc::new(records),
            displaced: Vec::new(),
        }
    }

    pub fn get(&self, id: InputId) -> Option<&Generation> {
        self.by_id.get(&id)
    }

    pub fn get_mut(&mut self, id: InputId) -> Option<&mut Generation> {
        self.by_id.get_mut(&id)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Generation> {
        self.by_id.values()
    }

    /// Their numbers.
    pub fn ids(&self) -> Vec<InputId> {
        self.by_id.keys().copied().collect()
    }

    /// The one that can be read in the file of this device and inode.
    pub fn in_file(&self, identity: FileIdentity) -> Option<InputId> {
        self.by_identity.get(&identity).copied()
    }

    /// Those without a file, by that in which they were.
    pub fn gone_from(&self) -> HashMap<FileIdentity, Vec<InputId>> {
        let mut gone: HashMap<_, Vec<InputId>> = HashMap::new();
        for generation in self.iter() {
            if let Some(identity) = generation.whereabouts.gone().and_then(|gone| gone.identity) {
                gone.entry(identity).or_default().push(generation.id);
            }
        }
        gone
    }

    /// By how they start, as far as that is known.
    pub fn by_start(&self) -> ByStart {
        let mut by_start = ByStart::new();
        for generation in self.iter().filter(|generation| generation.passed.head.len() > 0) {
            by_start.entry(generation.passed.head.start.clone()).or_default().push(generation.id);
        }
        by_start
    }

    /// What is to be saved of each.
    pub fn records(&self) -> &Arc<FileRecords> {
        &self.records
    }

    /// Gives one a turn.
    pub fn enqueue(&mut self, id: InputId) {
        if self.by_id.contains_key(&id) {
            self.turns.enqueue(id);
        }
    }

    /// Gives all of them a turn.
    pub fn enqueue_all(&mut self) {
        self.by_id.keys().for_each(|id| self.turns.enqueue(*id));
    }

    /// Sets the time at which one has its turn though nothing marks it.
    pub fn set_timer(&mut self, id: InputId, now: Duration) {
        if let Some(generation) = self.by_id.get(&id) {
            self.turns.set_timer(id, now, generation.next_due(now, &self.options));
        }
    }

    /// Brings the record of one up to date.
    pub fn update_record(&self, id: InputId) {
        if let Some(generation) = self.get(id) {
            self.records.change(id, |record| generation.update(record));
        }
    }

    /// One more, which begins in a file that was found; it is announced.
    pub fn begin(&mut self, id: InputId, found: FoundFile<'_>, now: Duration) -> New {
        let generation = Generation::new(id, found, &self.options, now);
        let (name, path) = (show_path(&generation.path), generation.path.clone());
        self.by_identity.insert(found.stat.identity, id);
        self.records.put(generation.record());
        self.by_id.insert(id, generation);
        self.turns.enqueue(id);
        // Gone, and not open any more: nothing of it can be read.
        if !found.here && !self.files.holds(found.file.key) {
            self.lose_file(id);
        }
        New { id, name, path, size: found.stat.size, position: 0, resumed: false }
    }

    /// Lets one without a file go on in one that was found.
    pub fn go_on(&mut self, id: InputId, found: FoundFile<'_>, now: Duration) {
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        generation.settle_in(&found, now);
        self.by_identity.insert(found.stat.identity, id);
        self.update_record(id);
        self.turns.enqueue(id);
    }

    /// Lets one without a file go on in the file in which it was, where it stands yet: what has
    /// become of it in the meantime counts. An error if the file cannot be read now.
    pub fn resume(&mut self, id: InputId, file: &File, found: FoundFile<'_>, now: Duration) -> io::Result<Resumed> {
        let Some(generation) = self.by_id.get_mut(&id) else { return Ok(Resumed::NotThere) };
        let Some(gone) = generation.whereabouts.gone() else { return Ok(Resumed::NotThere) };
        if !same_birth(generation.born, found.stat.born) {
            return Ok(Resumed::NotThere);
        }
        let restored = gone.is_restored();
        if !generation.passed.stands_in(file, found.head, found.stat.size)? {
            // It has no file any more, and that matters: a copy may have been made before it was
            // truncated.
            generation.be_truncated(now);
            self.turns.enqueue(id);
            return Ok(Resumed::Replaced);
        }
        let last = LastLook { size: generation.seen.size, modified: (0, 0), since: now, sure: false };
        let rotated = generation.whereabouts.is_rotated();
        let (silent_since, moved) = (generation.silence.since, generation.moved);
        self.go_on(id, found, now);
        if let Some(generation) = self.by_id.get_mut(&id) {
            // It is no news that it has grown in the meantime, but it is news that it has shrunk.
            generation.seen.last = Some(last);
            if restored {
                // The silence that an earlier run has waited through goes on, in a file that is
                // what it was.
                generation.silence.since = silent_since;
                if generation.whereabouts.is_rotated() == rotated {
                    generation.moved = moved;
                }
            }
        }
        self.update_record(id);
        Ok(Resumed::GoesOn)
    }

    /// The open file of one; `None` if there is none, or not under its name.
    pub fn open(&mut self, id: InputId, now: Duration) -> io::Result<Option<Arc<File>>> {
        let Some(generation) = self.by_id.get(&id) else { return Ok(None) };
        let Some(own) = generation.file() else { return Ok(None) };
        if let Some(file) = self.files.get(own.key) {
            return Ok(Some(file));
        }
        if generation.whereabouts.is_away() {
            self.lose_file(id);
            return Ok(None);
        }
        let file = match self.files.open(&generation.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.turns.ask_for_scan();
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stat = Stat::of_file(&file)?;
        if own.identity != stat.identity {
            // Another file has taken the name; a scan will tell where this one is.
            self.turns.ask_for_scan();
            return Ok(None);
        }
        let file = Arc::new(file);
        let born = generation.born;
        self.files.put(own.key, Arc::clone(&file));
        if !same_birth(born, stat.born) {
            self.displace(id, now);
            return Ok(None);
        }
        Ok(Some(file))
    }

    /// Looks whether the content of one still stands where it was read.
    pub fn check(&mut self, id: InputId, now: Duration) {
        let Ok(Some(file)) = self.open(id, now) else { return };
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        let intact = Stat::of_file(&file).and_then(|stat| reading::is_intact(generation, &file, &stat));
        // What cannot be read now is no proof of anything.
        if intact.is_ok_and(|intact| !intact) {
            self.displace(id, now);
        }
    }

    /// The same for all that may have changed.
    pub fn check_changed(&mut self, now: Duration) {
        let changed = self.iter().filter(|one| self.turns.is_queued(one.id) && one.file().is_some());
        let changed: Vec<InputId> = changed.map(|generation| generation.id).collect();
        changed.into_iter().for_each(|id| self.check(id, now));
    }

    /// Ends the stay of one in a file whose content has been replaced. What is in it now is to be
    /// found out.
    pub fn displace(&mut self, id: InputId, now: Duration) {
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        let here = generation.whereabouts.is_here();
        let Some(file) = generation.be_replaced(now) else { return };
        let (path, born) = (generation.path.clone(), generation.born);
        self.displaced.push(Displaced { was: id, path, key: file.key, identity: file.identity, born, here });
        self.leave(file.identity, id);
        self.update_record(id);
        self.turns.ask_for_scan();
    }

    /// The files in which there is something else now.
    pub fn take_displaced(&mut self) -> Vec<Displaced> {
        std::mem::take(&mut self.displaced)
    }

    /// Gives up the file of one that no location leads to.
    pub fn lose_file(&mut self, id: InputId) {
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        let Some(own) = generation.file().filter(|_| generation.whereabouts.is_away()) else { return };
        let open = self.files.get(own.key);
        // An inode without a name is free for another file; one that only moved may come back.
        let removed = open.and_then(|file| Stat::of_file(&file).ok()).is_some_and(|stat| stat.links == 0);
        self.files.close(own.key);
        generation.whereabouts.lose_file(removed);
        self.leave(own.identity, id);
    }

    /// Notes that one is not in this file any more; another may be already.
    fn leave(&mut self, identity: FileIdentity, id: InputId) {
        if self.in_file(identity) == Some(id) {
            self.by_identity.remove(&identity);
        }
    }

    /// Notes which of their files were found, and under which names.
    pub fn meet(&mut self, sightings: &mut Sightings, now: Duration) {
        for id in self.ids() {
            let Some(generation) = self.by_id.get_mut(&id) else { continue };
            let Some(own) = generation.file() else {
                if sightings.is_complete() && !generation.whereabouts.is_settled() {
                    generation.miss(now);
                    self.turns.enqueue(id);
                }
                continue;
            };
            let held = self.files.holds(own.key);
            let born = generation.born;
            match sightings.claim(own.identity, |stat| held || same_birth(stat.born, born)) {
                Some(sighting) => self.found(id, sighting, now),
                None => self.not_found(id, now),
            }
        }
    }

    /// The file of one is there.
    fn found(&mut self, id: InputId, sighting: &Sighting, now: Duration) {
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        let Some(own) = generation.file() else { return };
        let back = generation.whereabouts.is_away();
        if back {
            self.files.keep(own.key, false);
        }
        if back || !sighting.paths.contains(&generation.path) {
            generation.rename(sighting.path(), now);
        }
        let stat = sighting.stat;
        let known = |last: &LastLook| last.sure && (last.size, last.modified) == (stat.size, stat.modified);
        let changed = !generation.seen.last.as_ref().is_some_and(known);
        self.update_record(id);
        if changed {
            self.turns.enqueue(id);
        }
    }

    /// The file of one was not found.
    fn not_found(&mut self, id: InputId, now: Duration) {
        self.enqueue(id);
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        let Some(own) = generation.file() else { return };
        if generation.whereabouts.is_here() {
            if is_there(&generation.path, own.identity, generation.born) {
                return;
            }
            generation.depart(now);
        }
        if self.files.holds(own.key) {
            self.files.keep(own.key, true);
        } else {
            self.lose_file(id);
        }
        self.update_record(id);
    }

    /// Notes that all that the end of one brings about is done: where no location leads to it, its
    /// file is given up.
    pub fn settle(&mut self, id: InputId) {
        self.lose_file(id);
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        generation.whereabouts.settle();
        if matches!(generation.whereabouts, Whereabouts::Gone(_)) {
            self.departed.push_back(id);
            self.bound_departed();
        }
        self.update_record(id);
    }

    /// Notes that a copy has the end of one whose file is gone, and that it was counted up to
    /// there.
    pub fn note_whole(&mut self, id: InputId) {
        let Some(generation) = self.by_id.get_mut(&id) else { return };
        // Where a longer copy is known, that is still to be told.
        if !generation.whereabouts.gone().is_some_and(Gone::has_copy) {
            generation.losses.told = true;
        }
        self.update_record(id);
        self.turns.enqueue(id);
    }

    /// Forgets settled generations without a file beyond the most that are remembered.
    fn bound_departed(&mut self) {
        while self.departed.len() > DEPARTED
            && let Some(oldest) = self.departed.pop_front()
        {
            let gone = self.by_id.get_mut(&oldest).and_then(|generation| generation.whereabouts.gone_mut());
            if gone.is_some_and(Gone::expire) {
                self.turns.enqueue(oldest);
            }
        }
    }

    /// Gives one away that is read on elsewhere. Its record stays.
    pub fn give_away(&mut self, id: InputId) -> u64 {
        self.turns.forget(id);
        self.departed.retain(|departed| *departed != id);
        self.by_id.remove(&id).map_or(0, |generation| generation.position())
    }

    /// Forgets one, of which the last has been given.
    pub fn forget(&mut self, id: InputId) {
        self.records.change(id, |record| record.ended = true);
        self.by_id.remove(&id);
        self.turns.forget(id);
        self.departed.retain(|departed| *departed != id);
    }
}

/// Whether a generation goes on in the file in which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resumed {
    GoesOn,
    /// It was there, and another content is there now.
    Replaced,
    /// It was never in this file, or is in another.
    NotThere,
}

/// Whether a file is there, asked by name: a folder that cannot be listed may well lead to its
/// files.
fn is_there(path: &Path, identity: FileIdentity, born: Option<u128>) -> bool {
    match fs::metadata(path) {
        Ok(found) => {
            let stat = Stat::of(&found);
            identity == stat.identity && same_birth(born, stat.born)
        }
        Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}
