//! Files that were found and are no generation yet.
//!
//! Not here: what becomes of them (`judgement`, and `compressed` where they are). Invariant:
//! numbers are given out in the order in which files are found, each once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::content::{self, START, Stat, same_birth};
use super::generation::{FoundFile, Generation};
use super::generations::{ByStart, Displaced, Generations};
use super::open_files::FileKey;
use super::sightings::{Sighting, Sightings};
use super::unpack::Unpacking;
use super::whereabouts::{Gone, OwnFile};
use crate::model::InputId;
use crate::source::codec;

/// All of them, by the numbers that they will have as generations.
pub(super) struct Candidates {
    by_id: BTreeMap<InputId, Candidate>,
    /// The number of the next.
    next: u32,
}

/// A file that is no generation yet.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The number that it will have if it becomes a generation.
    pub id: InputId,
    pub path: PathBuf,
    pub key: FileKey,
    pub stat: Stat,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Whether a location leads to it.
    pub here: bool,
    /// Whether it was there when nothing was known yet.
    pub from_start: bool,
    found: Duration,
    /// When it last grew.
    grown: Duration,
    /// The generation whose content it replaced, so that it is not a copy of that one.
    pub instead_of: Option<InputId>,
    /// The generations that it may be a copy of.
    pub suspected: Vec<InputId>,
    pub packed: PackedContent,
}

/// What is known of what a candidate holds, if it is compressed.
#[derive(Debug, Default)]
pub(super) struct PackedContent {
    /// How far it was looked through.
    pub unpacking: Option<Unpacking>,
    /// The generation that an earlier run has read a part of as history, from this file.
    pub goes_on: Option<InputId>,
}

impl Candidates {
    /// None yet; the first will have this number.
    pub fn new(next: u32) -> Self {
        Candidates { by_id: BTreeMap::new(), next }
    }

    /// The number of the next.
    #[cfg(test)]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.by_id.values()
    }

    /// Their numbers.
    pub fn ids(&self) -> Vec<InputId> {
        self.by_id.keys().copied().collect()
    }

    /// The same; of two that are alike, the one that was made first, the original, comes first, and
    /// what is compressed last: it may be a copy of any other.
    pub fn ids_by_age(&self) -> Vec<InputId> {
        let mut ids = self.ids();
        ids.sort_by_key(|id| (codec::of(&self.by_id[id].head).is_some(), self.by_id[id].stat.born));
        ids
    }

    /// Takes one out, to decide what it is.
    pub fn take(&mut self, id: InputId) -> Option<Candidate> {
        self.by_id.remove(&id)
    }

    /// Puts it back: that is not decided yet.
    pub fn put(&mut self, candidate: Candidate) {
        self.by_id.insert(candidate.id, candidate);
    }

    /// Whether one of them is being decompressed that may hold more than is before a position.
    pub fn seeks(&self, position: u64) -> bool {
        let mut here = self.iter().filter(|candidate| candidate.here);
        here.any(|candidate| candidate.packed.unpacking.as_ref().is_some_and(|unpacking| unpacking.seeks(position)))
    }

    /// One more: a file that is nobody's so far.
    pub fn find(
        &mut self,
        sighting: &Sighting,
        known: &mut Generations,
        now: Duration,
        from_start: bool,
    ) -> io::Result<Candidate> {
        let path = sighting.path().to_owned();
        let file = Arc::new(known.files.open(&path)?);
        let stat = Stat::of_file(&file)?;
        if stat.identity != sighting.stat.identity {
            known.turns.ask_for_scan();
            return Err(io::ErrorKind::NotFound.into());
        }
        let head = content::read_head(&file)?;
        let key = known.files.new_key();
        known.files.put(key, file);
        let id = self.next_id();
        Ok(Candidate { head, from_start, ..Candidate::new(id, path, key, stat, now) })
    }

    /// One more: what a file holds now whose content was replaced. That has not been looked at.
    pub fn adopt(&mut self, displaced: Displaced, now: Duration) -> InputId {
        let Displaced { was, path, key, identity, born, here } = displaced;
        let stat = Stat { identity, born, size: 0, modified: (0, 0), links: 1 };
        let id = self.next_id();
        self.put(Candidate { here, instead_of: Some(was), ..Candidate::new(id, path, key, stat, now) });
        id
    }

    /// Looks at what one is now.
    pub fn refresh(&mut self, id: InputId, known: &mut Generations, now: Duration) {
        if let Some(candidate) = self.by_id.get_mut(&id) {
            // What cannot be read now is looked at again.
            let _ = candidate.refresh(known, now);
        }
    }

    /// Notes which of them were found again, and what they are now.
    pub fn meet(&mut self, sightings: &mut Sightings, known: &mut Generations, now: Duration) {
        for candidate in self.by_id.values_mut() {
            let held = known.files.holds(candidate.key);
            let born = candidate.stat.born;
            let found = sightings.claim(candidate.stat.identity, |stat| held || same_birth(stat.born, born));
            candidate.here = found.is_some();
            if let Some(sighting) = found
                && !sighting.paths.contains(&candidate.path)
            {
                candidate.path = sighting.path().to_owned();
            }
            known.files.keep(candidate.key, !candidate.here);
            // What cannot be read now is looked at again.
            let _ = candidate.refresh(known, now);
        }
    }

    fn next_id(&mut self) -> InputId {
        self.next += 1;
        InputId(self.next - 1)
    }
}

impl Candidate {
    fn new(id: InputId, path: PathBuf, key: FileKey, stat: Stat, now: Duration) -> Self {
        Candidate {
            id,
            path,
            key,
            stat,
            head: Vec::new(),
            here: true,
            from_start: false,
            found: now,
            grown: now,
            instead_of: None,
            suspected: Vec::new(),
            packed: PackedContent::default(),
        }
    }

    /// The open file; `None` if it is gone.
    pub fn open(&self, known: &mut Generations) -> io::Result<Option<Arc<File>>> {
        if let Some(file) = known.files.get(self.key) {
            return Ok(Some(file));
        }
        if !self.here {
            return Ok(None);
        }
        let file = known.files.open(&self.path)?;
        let stat = Stat::of_file(&file)?;
        if stat.identity != self.stat.identity || !same_birth(stat.born, self.stat.born) {
            known.turns.ask_for_scan();
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = Arc::new(file);
        known.files.put(self.key, Arc::clone(&file));
        Ok(Some(file))
    }

    /// Notes what the file is now. If its content was replaced, nothing is lost by that: it was
    /// held since all that was seen of it stood in another file too.
    fn refresh(&mut self, known: &mut Generations, now: Duration) -> io::Result<()> {
        let Some(file) = self.open(known)? else { return Ok(()) };
        let stat = Stat::of_file(&file)?;
        if (stat.size, stat.modified) != (self.stat.size, self.stat.modified) {
            self.head = content::read_head(&file)?;
            if stat.size != self.stat.size {
                self.grown = now;
            }
            self.stat = stat;
            self.packed.unpacking = None;
        }
        Ok(())
    }

    /// The file, for a generation to begin in or to go on in.
    pub fn found(&self) -> FoundFile<'_> {
        let file = OwnFile { key: self.key, identity: self.stat.identity };
        FoundFile { path: &self.path, file, stat: &self.stat, head: &self.head, here: self.here }
    }

    /// Whether it has not grown for so long.
    pub fn is_still(&self, now: Duration, wait: Duration) -> bool {
        now >= self.grown + wait
    }

    /// Whether it was found less than so long ago.
    pub fn is_new(&self, now: Duration, wait: Duration) -> bool {
        now < self.found + wait
    }

    /// Whether more than its first bytes speaks for it being what became of a generation. A few
    /// bytes may well be written a second time: a file that is removed and written again counts,
    /// however alike the two are.
    pub fn is_like_moved(&self, generation: &Generation) -> bool {
        // While its file is there, it may be copied at any time.
        generation.whereabouts.is_here()
            // It was a copy in the making before.
            || self.suspected.contains(&generation.id)
            // It has the time stamp that moving a file keeps.
            || (self.stat.modified, self.stat.size) == (generation.seen.modified, generation.seen.size)
            // The other one has just lost its file: it was truncated, or that happened while no run
            // was there, or another file has its name.
            || (!generation.whereabouts.is_settled()
                && (generation.whereabouts.gone().is_some_and(Gone::is_end_unseen) || self.path != generation.path))
    }
}

/// The generations whose start agrees with a head as far as both go.
pub(super) fn alike(by_start: &ByStart, head: &[u8]) -> Vec<InputId> {
    let start = start(head);
    let shorter = (1..start.len()).filter_map(|length| by_start.get(&start[..length]));
    let longer = by_start.range(start.to_vec()..).take_while(|(other, _)| other.starts_with(start)).map(|(_, ids)| ids);
    shorter.chain(longer).flatten().copied().collect()
}

/// The first bytes of a head, by which generations are found.
pub(super) fn start(head: &[u8]) -> &[u8] {
    &head[..head.len().min(START)]
}
