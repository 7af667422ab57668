//! What a candidate is: the going on of a generation that is known, or what may become a copy of
//! one, or a file that stands for itself.
//!
//! Content decides, not names: a copy has the head of its original, and the bytes before the
//! original's position. A file that so far holds nothing but the first bytes of another may be its
//! copy in the making, and is held, uncounted, until one of three things has happened: the original
//! was truncated or has vanished (then it goes on in the copy), the two differ (then both are
//! counted), or the file has stopped growing (then it is a copy that people made, and counted).
//!
//! Not here: doing what was decided. Invariant: what cannot be read now is no proof of anything.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::candidates::{Candidate, alike};
use super::content::{self, Agreement, HEAD, Stat};
use super::generations::{ByStart, Generations};
use crate::model::InputId;

/// How many times the rotation wait a growing file is held, at most, because of a generation whose
/// file is gone: the two cannot be compared until the file has passed its position.
const HELD: u32 = 6;

/// What a candidate has turned out to be.
pub(super) enum Judgement {
    /// Nothing yet.
    Wait,
    /// A generation of its own.
    Itself,
    /// Where a known generation goes on.
    GoesOn(InputId),
    /// Nothing that anybody could read.
    Nothing,
}

/// What a candidate is judged by.
pub(super) struct CandidateJudge<'a> {
    pub generations: &'a mut Generations,
    /// The generations by how they start.
    pub by_start: &'a ByStart,
    pub now: Duration,
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

impl CandidateJudge<'_> {
    /// What a candidate is.
    pub fn judge(&mut self, candidate: &mut Candidate) -> io::Result<Judgement> {
        let still = candidate.is_still(self.now, self.generations.options.rotate_wait);
        if candidate.stat.size == 0 {
            // A copy in the making may be seen before its first byte; one that stays empty is not a
            // copy.
            return Ok(match (still, candidate.here, candidate.from_start) {
                (true, false, _) => Judgement::Nothing,
                (true, true, true) => Judgement::Itself,
                _ => Judgement::Wait,
            });
        }
        let Some(file) = candidate.open(self.generations)? else {
            // All that was seen of it stands in its original; if it was never looked into, all of
            // it is lost.
            let suspected = !candidate.suspected.is_empty();
            return Ok(if suspected { Judgement::Nothing } else { Judgement::Itself });
        };
        let mut suspected = Vec::new();
        for id in alike(self.by_start, &candidate.head) {
            match self.compare(candidate, id, &file)? {
                Compared::Same => return Ok(Judgement::GoesOn(id)),
                Compared::SoFar => suspected.push(id),
                Compared::Other => {}
            }
        }
        // An original that is being drained is not done with; its end is near.
        let draining = |id: &InputId| self.generations.get(*id).is_some_and(|one| one.whereabouts.is_away());
        let open = suspected.iter().any(draining);
        let own = suspected.is_empty() || (still && !open);
        candidate.suspected = suspected;
        Ok(if own { Judgement::Itself } else { Judgement::Wait })
    }

    /// How a candidate's content compares with a generation's.
    fn compare(&mut self, candidate: &Candidate, id: InputId, file: &File) -> io::Result<Compared> {
        let Some(generation) = self.generations.get(id) else { return Ok(Compared::Other) };
        let agreement = generation.passed.head.agrees(&candidate.head);
        if agreement == Agreement::Differs || candidate.instead_of == Some(id) {
            return Ok(Compared::Other);
        }
        let size = candidate.stat.size;
        if generation.file().is_some() {
            // It may have been truncated, and have grown again, since it was last read.
            self.generations.check(id, self.now);
            let may_be_copied = self.is_live(id) && !self.is_weak(candidate, id);
            if may_be_copied && self.compare_live(id, file, size)? == Compared::SoFar {
                return Ok(Compared::SoFar);
            }
            // Or while the two were compared: then they differ by that alone, and this is where it
            // goes on.
            self.generations.check(id, self.now);
            if self.is_live(id) {
                return Ok(Compared::Other);
            }
        }
        let Some(generation) = self.generations.get(id).filter(|_| !self.is_weak(candidate, id)) else {
            return Ok(Compared::Other);
        };
        if agreement == Agreement::Whole && size >= generation.position() {
            let same = content::tail_holds(file, generation.position(), &generation.passed.tail())?;
            return Ok(if same { Compared::Same } else { Compared::Other });
        }
        let held = candidate.is_new(self.now, self.generations.options.rotate_wait * HELD);
        Ok(if held { Compared::SoFar } else { Compared::Other })
    }

    /// Whether a generation has a file that can be read.
    fn is_live(&self, id: InputId) -> bool {
        self.generations.get(id).is_some_and(|generation| generation.file().is_some())
    }

    /// Whether too little was read of a generation for its bytes to tell a candidate by, and
    /// nothing else speaks for it.
    fn is_weak(&self, candidate: &Candidate, id: InputId) -> bool {
        let is_weak = |generation: &_| !candidate.is_like_moved(generation);
        self.generations.get(id).is_none_or(|one| one.position() < HEAD as u64 && is_weak(one))
    }

    /// Whether a file so far is the beginning of a generation whose file can be read.
    fn compare_live(&mut self, id: InputId, file: &File, size: u64) -> io::Result<Compared> {
        let Some(original) = self.generations.open(id, self.now).unwrap_or_default() else {
            return Ok(Compared::SoFar);
        };
        if size > Stat::of_file(&original)?.size {
            return Ok(Compared::Other);
        }
        let same = content::read_tail(file, size)? == content::read_tail(&original, size)?;
        Ok(if same { Compared::SoFar } else { Compared::Other })
    }
}
