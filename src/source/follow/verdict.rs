//! Files that were found and are no generation yet: each is the going on of one that is known, or
//! may become its copy, or stands for itself.
//!
//! Content decides, not names: a copy has the head of its original, and the bytes before the
//! original's position. A file that so far holds nothing but the first bytes of another may be its
//! copy in the making, and is held, uncounted, until one of three things has happened: the original
//! was truncated or has vanished (then it goes on in the copy), the two differ (then both are
//! counted), or the file has stopped growing (then it is a copy that people made, and counted).

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::candidate::{ByStart, Candidate, alike, start};
use super::content::{self, Agreement, HEAD, Head, Stat, same_birth};
use super::follower::Follower;
use super::generation::Generation;
use super::ignored::Packed;
use super::reading;
use super::step::New;
use crate::error::show_path;
use crate::model::InputId;

/// How many times the rotation wait a file that grows on is held at most for the sake of one whose
/// file is gone: nothing more can be compared with that one until the file has passed its position.
const HELD: u32 = 6;

/// What a candidate has turned out to be.
enum Verdict {
    /// Nothing yet.
    Wait,
    /// A generation of its own.
    Itself,
    /// Where a known generation goes on.
    GoesOn(InputId),
    /// Nothing that anybody could read.
    Nothing,
}

impl Follower {
    /// Ends the stay of a generation in a file whose content has been replaced. What is in it now
    /// is a candidate.
    pub(super) fn replaced(&mut self, id: InputId, now: Duration) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let (Some(key), Some(identity)) = (generation.key.take(), generation.identity.take()) else { return };
        let here = generation.away.is_none();
        generation.truncated = true;
        generation.depart(now);
        generation.last = None;
        let (path, born) = (generation.path.clone(), generation.born);
        self.leave(identity, id);
        let id_of_new = self.next_id();
        self.candidates.push(Candidate {
            id: id_of_new,
            from_start: false,
            path,
            key,
            stat: Stat { identity, born, size: 0, modified: (0, 0), links: 1 },
            head: Vec::new(),
            here,
            found: now,
            grown: now,
            instead_of: Some(id),
            suspected: Vec::new(),
            unpacking: None,
        });
        self.update_record(id);
        self.ask_for_scan(true);
    }

    /// Notes what a candidate's file is now. If its content was replaced, nothing is lost by that:
    /// it was held since all that was seen of it stood in another file too.
    pub(super) fn refresh(&mut self, at: usize, now: Duration) -> io::Result<()> {
        let Some(file) = self.candidate_file(at)? else { return Ok(()) };
        let stat = Stat::of_file(&file)?;
        let candidate = &mut self.candidates[at];
        if (stat.size, stat.modified) != (candidate.stat.size, candidate.stat.modified) {
            candidate.head = content::read_head(&file)?;
            if stat.size != candidate.stat.size {
                candidate.grown = now;
            }
            candidate.stat = stat;
            candidate.unpacking = None;
        }
        Ok(())
    }

    /// Decides what can be decided about the candidates.
    pub(super) fn decide(&mut self, now: Duration, new: &mut Vec<New>, warnings: &mut Vec<String>) {
        let any = self.candidates.iter().any(|candidate| candidate.stat.size > 0);
        if any {
            self.check_changed(now);
        }
        let mut by_start = if any { self.by_start() } else { ByStart::new() };
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        // Of two that are alike, the one that was made first is the original.
        order.sort_by_key(|at| self.candidates[*at].stat.born);
        let mut most = self.at_once;
        for at in order {
            match self.packed(at, now, &by_start, &mut most) {
                Packed::No => {}
                Packed::Wait => continue,
                Packed::Ignored(ignored) => {
                    warnings.extend(ignored.warning().cloned());
                    self.ignore(at, ignored);
                    continue;
                }
            }
            match self.judge(at, now, &by_start).unwrap_or(Verdict::Wait) {
                Verdict::Wait => {}
                Verdict::Itself => {
                    let start = start(&self.candidates[at].head).to_vec();
                    by_start.entry(start).or_default().push(self.register(at, now, new));
                }
                Verdict::GoesOn(id) => self.go_on(at, id, now),
                Verdict::Nothing => self.drop_candidate(at),
            }
        }
        self.candidates.retain(|candidate| candidate.key != 0);
    }

    pub(super) fn drop_candidate(&mut self, at: usize) {
        // Keys begin at 1: the candidate is taken out at the end of the round.
        let key = std::mem::take(&mut self.candidates[at].key);
        self.handles.close(key);
    }

    /// Looks whether what has changed still holds what was read there. What stands there otherwise
    /// is a candidate, and older than copies that were made of it.
    fn check_changed(&mut self, now: Duration) {
        let changed = self.generations.values().filter(|generation| generation.queued && generation.key.is_some());
        let changed: Vec<InputId> = changed.map(|generation| generation.id).collect();
        let known = self.candidates.len();
        changed.into_iter().for_each(|id| self.check(id, now));
        for at in known..self.candidates.len() {
            // What cannot be read now is looked at again.
            let _ = self.refresh(at, now);
        }
    }

    /// Looks whether a generation's content still stands where it was read.
    pub(super) fn check(&mut self, id: InputId, now: Duration) {
        let Ok(Some(file)) = self.handle(id, now) else { return };
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let intact = Stat::of_file(&file).and_then(|stat| reading::is_intact(generation, &file, &stat));
        // What cannot be read now is no proof of anything.
        if intact.is_ok_and(|intact| !intact) {
            self.replaced(id, now);
        }
    }

    /// Makes a candidate a generation of its own.
    fn register(&mut self, at: usize, now: Duration, new: &mut Vec<New>) -> InputId {
        let candidate = &mut self.candidates[at];
        let (id, key) = (candidate.id, std::mem::take(&mut candidate.key));
        let mut generation = Generation::new(id, candidate.path.clone(), &self.options, now);
        generation.settle_in(candidate.path.clone(), key, &candidate.stat, now);
        generation.head = Head::of(&candidate.head);
        generation.modified = candidate.stat.modified;
        if !candidate.here {
            generation.depart(now);
        }
        let (here, size) = (candidate.here, candidate.stat.size);
        self.by_identity.insert(candidate.stat.identity, id);
        self.announce(generation, size, new);
        // Gone, and not open any more: nothing of it can be read.
        if !here && !self.handles.holds(key) {
            self.lose_file(id);
        }
        id
    }

    /// Lets a generation without a file go on in a candidate.
    pub(super) fn go_on(&mut self, at: usize, id: InputId, now: Duration) {
        let candidate = &mut self.candidates[at];
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let key = std::mem::take(&mut candidate.key);
        generation.settle_in(candidate.path.clone(), key, &candidate.stat, now);
        if generation.head.len() < candidate.head.len() {
            generation.head = Head::of(&candidate.head);
        }
        if !candidate.here {
            generation.depart(now);
        }
        self.by_identity.insert(candidate.stat.identity, id);
        self.update_record(id);
        self.enqueue(id);
    }

    fn announce(&mut self, generation: Generation, size: u64, new: &mut Vec<New>) {
        let id = generation.id;
        let (name, path) = (show_path(&generation.path), generation.path.clone());
        new.push(New { id, name, path, size, position: 0, resumed: false });
        self.records.put(generation.record());
        self.generations.insert(id, generation);
        self.enqueue(id);
    }

    pub(super) fn next_id(&mut self) -> InputId {
        self.next_id += 1;
        InputId(self.next_id - 1)
    }

    /// The open file of a candidate; `None` if it is gone.
    pub(super) fn candidate_file(&mut self, at: usize) -> io::Result<Option<Arc<File>>> {
        let candidate = &self.candidates[at];
        let key = candidate.key;
        if let Some(file) = self.handles.get(key) {
            return Ok(Some(file));
        }
        if !candidate.here {
            return Ok(None);
        }
        let file = self.handles.open(&candidate.path)?;
        let stat = Stat::of_file(&file)?;
        if stat.identity != candidate.stat.identity || !same_birth(stat.born, candidate.stat.born) {
            self.ask_for_scan(true);
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = Arc::new(file);
        self.handles.put(key, Arc::clone(&file));
        Ok(Some(file))
    }

    pub(super) fn by_start(&self) -> ByStart {
        let mut by_start = ByStart::new();
        for generation in self.generations.values().filter(|generation| generation.head.len() > 0) {
            by_start.entry(generation.head.start.clone()).or_default().push(generation.id);
        }
        by_start
    }

    fn judge(&mut self, at: usize, now: Duration, by_start: &ByStart) -> io::Result<Verdict> {
        let wait = self.options.rotate_wait;
        let candidate = &self.candidates[at];
        let still = now >= candidate.grown + wait;
        if candidate.stat.size == 0 {
            // A copy in the making may be seen before its first byte; one that stays empty is none.
            return Ok(match (still, candidate.here, candidate.from_start) {
                (true, false, _) => Verdict::Nothing,
                (true, true, true) => Verdict::Itself,
                _ => Verdict::Wait,
            });
        }
        let Some(file) = self.candidate_file(at)? else {
            // All that was seen of it stands in its original; of one that was never looked into,
            // all is lost.
            let suspected = !self.candidates[at].suspected.is_empty();
            return Ok(if suspected { Verdict::Nothing } else { Verdict::Itself });
        };
        let mut suspected = Vec::new();
        for id in alike(by_start, &self.candidates[at].head) {
            match self.compare(at, id, &file, now)? {
                Compared::Same => return Ok(Verdict::GoesOn(id)),
                Compared::SoFar => suspected.push(id),
                Compared::Other => {}
            }
        }
        // An original that is being drained is not done with; its end is near.
        let draining = |id: &InputId| self.generations.get(id).is_some_and(|g| g.away.is_some() && g.key.is_some());
        let open = suspected.iter().any(draining);
        let own = suspected.is_empty() || (still && !open);
        self.candidates[at].suspected = suspected;
        Ok(if own { Verdict::Itself } else { Verdict::Wait })
    }

    /// How a candidate's content compares with a generation's.
    fn compare(&mut self, at: usize, id: InputId, file: &File, now: Duration) -> io::Result<Compared> {
        let candidate = &self.candidates[at];
        let Some(generation) = self.generations.get(&id) else { return Ok(Compared::Other) };
        let agreement = generation.head.agrees(&candidate.head);
        if agreement == Agreement::Differs || candidate.instead_of == Some(id) {
            return Ok(Compared::Other);
        }
        let size = candidate.stat.size;
        if generation.key.is_some() {
            // It may have been truncated, and have grown again, since it was last read.
            self.check(id, now);
            if self.is_live(id) && !self.is_weak(at, id) && self.compare_live(id, file, size, now)? == Compared::SoFar {
                return Ok(Compared::SoFar);
            }
            // Or while the two were compared: then they differ by that alone, and this is where it
            // goes on.
            self.check(id, now);
            if self.is_live(id) {
                return Ok(Compared::Other);
            }
        }
        let Some(generation) = self.generations.get(&id).filter(|_| !self.is_weak(at, id)) else {
            return Ok(Compared::Other);
        };
        let (candidate, position) = (&self.candidates[at], generation.position());
        if agreement == Agreement::Whole && size >= position {
            let tail = generation.tail.unwrap_or_default();
            let same = content::tail_holds(file, position, &tail)?;
            return Ok(if same { Compared::Same } else { Compared::Other });
        }
        let held = now < candidate.found + self.options.rotate_wait * HELD;
        Ok(if held { Compared::SoFar } else { Compared::Other })
    }

    /// Whether a generation has a file that can be read.
    fn is_live(&self, id: InputId) -> bool {
        self.generations.get(&id).is_some_and(|generation| generation.key.is_some())
    }

    /// Whether too little was read of a generation for its bytes to tell a candidate by, and
    /// nothing else speaks for it.
    fn is_weak(&self, at: usize, id: InputId) -> bool {
        self.generations.get(&id).is_none_or(|generation| {
            generation.position() < HEAD as u64 && !self.candidates[at].is_like_moved(generation)
        })
    }

    /// Whether a file so far is the beginning of a generation whose file can be read.
    fn compare_live(&mut self, id: InputId, file: &File, size: u64, now: Duration) -> io::Result<Compared> {
        // What cannot be read now is no proof of anything.
        let Some(original) = self.handle(id, now).unwrap_or_default() else { return Ok(Compared::SoFar) };
        if size > Stat::of_file(&original)?.size {
            return Ok(Compared::Other);
        }
        let same = content::read_tail(file, size)? == content::read_tail(&original, size)?;
        Ok(if same { Compared::SoFar } else { Compared::Other })
    }
}

/// How a candidate compares with a generation.
#[derive(PartialEq, Eq)]
enum Compared {
    /// The generation goes on in it.
    Same,
    /// It may be a copy in the making.
    SoFar,
    /// They are two.
    Other,
}
