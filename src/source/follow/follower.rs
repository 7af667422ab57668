//! Follows files: looks where the locations lead, finds out what became of each file, and passes on
//! what it holds.
//!
//! Not here: how each of that is done. This is the order in which it is done, and the only place
//! that knows all parts. Invariant: a generation is announced by a scan before anything of it is
//! passed on.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::candidates::{Candidate, Candidates, start};
use super::compressed::{CopyJudge, Packed, whole_copies};
use super::delivery::{Delivery, FollowOptions, New, Scanned};
use super::generations::{ByStart, Generations, Resumed};
use super::ignored::{IgnoredFiles, Why};
use super::judgement::{CandidateJudge, Judgement};
use super::past::{Past, PastStep};
use super::records::{FileRecord, FileRecords, PassedOver};
use super::sightings::{Locations, Sighting, Sightings};
use super::turn::FileTurn;
use super::unpack::AT_ONCE;
use super::whereabouts::Gone;
use crate::error::{Error, show_path};
use crate::model::InputId;
use crate::source::opened::BytesAt;

/// Follows files that grow and rotate.
pub struct Follower {
    locations: Locations,
    pub(super) generations: Generations,
    pub(super) candidates: Candidates,
    ignored: IgnoredFiles,
    /// The generations that an earlier run saved, until the first scan announces them.
    saved: Option<Vec<InputId>>,
    /// Warnings of the last scan, which are not repeated.
    said: HashSet<String>,
    /// What people should know, and nobody has been told.
    warnings: Vec<String>,
    /// Compressed files that are read as history.
    past: Past,
    /// Whether that has the next turn.
    is_pasts_turn: bool,
    /// Bytes that are decompressed in one look at all files, at most.
    pub(super) at_once: u64,
}

impl Follower {
    /// Goes on with what was saved; without that, everything that is there is new. New generations
    /// are numbered from `next_id`. Time goes on from where it was when that was saved.
    pub fn new(options: FollowOptions, saved: Vec<FileRecord>, next_id: u32) -> Self {
        let ids: Vec<InputId> = saved.iter().map(|record| record.id).collect();
        let next_id = ids.iter().map(|id| id.0.saturating_add(1)).fold(next_id, u32::max);
        Follower {
            locations: Locations::new(options.locations.clone(), options.listing.clone()),
            generations: Generations::new(options, saved),
            candidates: Candidates::new(next_id),
            ignored: IgnoredFiles::default(),
            saved: Some(ids),
            said: HashSet::new(),
            warnings: Vec::new(),
            past: Past::default(),
            is_pasts_turn: false,
            at_once: AT_ONCE,
        }
    }

    /// Passes over what an earlier run has passed over.
    pub fn pass_over(&mut self, files: Vec<PassedOver>) {
        self.ignored.pass_over(files);
        self.generations.records().pass_over(self.ignored.copies());
    }

    /// Whether a location leads to a generation, as far as the last scan has found.
    pub fn is_here(&self, id: InputId) -> bool {
        self.generations.get(id).is_some_and(|generation| generation.whereabouts.is_here())
    }

    /// Lets a generation begin at a later byte, where a line begins. Only before anything is passed
    /// on of it.
    pub fn begin_at(&mut self, id: InputId, position: u64) {
        if let Some(generation) = self.generations.get_mut(id)
            && !generation.is_opened()
            && generation.position() == 0
        {
            generation.passed.skip_to(position);
        }
    }

    /// Looks at the locations: new files, renamed ones, vanished ones. It is not an error if there
    /// are none.
    pub fn scan(&mut self, now: Duration) -> Scanned {
        let mut sightings = self.look();
        if sightings.is_interrupted() {
            return Scanned { paths: self.locations.paths(), ..Scanned::default() };
        }
        let saved = self.saved.take();
        let is_first = saved.is_some();
        let from_start = saved.as_ref().is_some_and(Vec::is_empty);
        self.generations.turns.scanned();
        let (mut new, mut warnings) = (Vec::new(), sightings.take_warnings());
        self.generations.meet(&mut sightings, now);
        self.candidates.meet(&mut sightings, &mut self.generations, now);
        self.meet_strangers(&sightings, now, from_start, &mut warnings);
        // One that goes on as history is no generation any more once that is decided.
        let announce = |id: &InputId| Some((*id, self.announce_saved(*id)?));
        let announced: Vec<(InputId, New)> = saved.iter().flatten().filter_map(announce).collect();
        self.decide(now, &mut new, &mut warnings);
        new.splice(0..0, announced.into_iter().map(|(id, new)| self.announce_saved(id).unwrap_or(new)));
        let changed = self.locations.note(&mut sightings);
        self.ignored.retain(|identity| sightings.includes(identity));
        self.generations.records().pass_over(self.ignored.copies());
        self.generations.ids().into_iter().for_each(|id| self.generations.set_timer(id, now));
        // A location that led somewhere before may well lead nowhere for a while.
        let nowhere = if is_first { sightings.take_nowhere() } else { Vec::new() };
        Scanned { new, warnings: self.unsaid(warnings), nowhere, paths: self.locations.paths(), changed }
    }

    /// What the locations lead to, looked at once more with fewer files held open where descriptors
    /// were lacking.
    fn look(&mut self) -> Sightings {
        let sightings = self.locations.look();
        match sightings.is_short() && self.generations.files.shed() {
            true => self.locations.look(),
            false => sightings,
        }
    }

    /// Files that are nobody's so far: one in which a generation was goes on as that, if it still
    /// stands there.
    fn meet_strangers(&mut self, sightings: &Sightings, now: Duration, from_start: bool, warnings: &mut Vec<String>) {
        let gone = self.generations.gone_from();
        for sighting in sightings.unclaimed() {
            if self.past.has(sighting.stat.identity) {
                continue;
            }
            if let Some(why) = self.ignored.why(&sighting.stat) {
                warnings.extend(why.warning().cloned());
                continue;
            }
            match self.candidates.find(sighting, &mut self.generations, now, from_start) {
                Ok(candidate) => {
                    let were_there = gone.get(&sighting.stat.identity).map_or(&[][..], Vec::as_slice);
                    self.resume(candidate, were_there, now);
                }
                Err(error) => warnings.extend(unopened(sighting, error)),
            }
        }
    }

    /// Lets one of the generations that were in the file of a candidate go on in it, if its content
    /// still stands there. If none does, the candidate is held.
    fn resume(&mut self, mut candidate: Candidate, were_there: &[InputId], now: Duration) {
        // The one found last is the likeliest.
        for id in were_there.iter().rev() {
            let by_start = ByStart::new();
            let judge =
                CopyJudge { generations: &mut self.generations, by_start: &by_start, now, most: 0, ending: false };
            if judge.goes_on(&candidate, *id) {
                candidate.packed.goes_on = Some(*id);
                break;
            }
            let Ok(Some(file)) = candidate.open(&mut self.generations) else { break };
            match self.generations.resume(*id, &file, candidate.found(), now) {
                Ok(Resumed::GoesOn) => return,
                Ok(Resumed::Replaced) => candidate.instead_of = Some(*id),
                Ok(Resumed::NotThere) => {}
                // It cannot be read now: the next scan finds it again.
                Err(_) => return self.generations.files.close(candidate.key),
            }
        }
        self.candidates.put(candidate);
    }

    /// Decides what can be decided about the candidates.
    fn decide(&mut self, now: Duration, new: &mut Vec<New>, warnings: &mut Vec<String>) {
        let mut by_start = ByStart::new();
        if self.candidates.iter().any(|candidate| candidate.stat.size > 0) {
            // What stands in a file in place of what was read there is a candidate, and older than
            // copies that were made of it.
            self.generations.check_changed(now);
            for id in self.adopt(now) {
                self.candidates.refresh(id, &mut self.generations, now);
            }
            by_start = self.generations.by_start();
        }
        let (mut most, mut old) = (self.at_once, Vec::new());
        for id in self.candidates.ids_by_age() {
            let Some(mut candidate) = self.candidates.take(id) else { continue };
            match self.packed(&mut candidate, &by_start, now, (&mut most, false)) {
                Packed::No => {
                    let mut judge = CandidateJudge { generations: &mut self.generations, by_start: &by_start, now };
                    let judgement = judge.judge(&mut candidate).unwrap_or(Judgement::Wait);
                    self.carry_out(judgement, candidate, now, new, &mut by_start);
                }
                Packed::Wait => self.candidates.put(candidate),
                Packed::Past(head) => new.push(self.begin_past(candidate, &head, None)),
                Packed::PastGoesOn(head, id) => _ = self.begin_past(candidate, &head, Some(id)),
                Packed::Old => {
                    old.push(show_path(&candidate.path));
                    self.ignore(candidate, Why::Copy { until: None, said: None });
                }
                Packed::Ignored(why) => warnings.extend(self.ignore(candidate, why)),
            }
        }
        warnings.extend(old_note(&old));
        self.adopt(now);
    }

    /// Reads a compressed file as history from now on: from its start, or from where an earlier run
    /// has counted a generation to.
    fn begin_past(&mut self, candidate: Candidate, head: &[u8], going_on: Option<InputId>) -> New {
        let id = going_on.unwrap_or(candidate.id);
        let position = going_on.map_or(0, |id| self.generations.give_away(id));
        let (new, record) = self.past.begin(&candidate, id, head, position);
        if going_on.is_none() {
            self.generations.records().put(record);
        }
        // How many bytes it has is known at its end.
        self.ignore(candidate, Why::Copy { until: Some((id, u64::MAX)), said: None });
        new
    }

    /// The next thing to pass on of history.
    fn next_of_past(&mut self, now: Duration, into: &mut Vec<u8>) -> Option<Delivery> {
        let locations = &self.locations;
        let find = |identity| locations.path_to(identity).map(Path::to_owned);
        let PastStep { delivery, ended } = self.past.next(&self.generations.options, now, find, into)?;
        if let Some(stat) = ended {
            self.ignored.end_past(&stat, delivery.id, delivery.cut.to);
            self.generations.records().change(delivery.id, |record| record.ended = true);
            self.generations.records().pass_over(self.ignored.copies());
        }
        Some(delivery)
    }

    /// Does what was decided about a candidate.
    fn carry_out(
        &mut self,
        judgement: Judgement,
        candidate: Candidate,
        now: Duration,
        new: &mut Vec<New>,
        by_start: &mut ByStart,
    ) {
        match judgement {
            Judgement::Wait => self.candidates.put(candidate),
            Judgement::Itself => {
                by_start.entry(start(&candidate.head).to_vec()).or_default().push(candidate.id);
                new.push(self.generations.begin(candidate.id, candidate.found(), now));
            }
            Judgement::GoesOn(id) => self.generations.go_on(id, candidate.found(), now),
            Judgement::Nothing => self.generations.files.close(candidate.key),
        }
    }

    /// Whether a candidate is compressed, and what comes of it then. `most`: bytes that may be
    /// decompressed for that; beside it, whether the run ends.
    fn packed(
        &mut self,
        candidate: &mut Candidate,
        by_start: &ByStart,
        now: Duration,
        (most, ending): (&mut u64, bool),
    ) -> Packed {
        let mut judge = CopyJudge { generations: &mut self.generations, by_start, now, most: *most, ending };
        let packed = judge.judge(candidate);
        *most = judge.most;
        packed
    }

    /// Passes a candidate over from now on. What is said of it.
    fn ignore(&mut self, candidate: Candidate, why: Why) -> Option<String> {
        let said = why.warning().cloned();
        self.ignored.ignore(&candidate, why);
        self.generations.files.close(candidate.key);
        said
    }

    /// What files hold whose content was replaced are candidates from now on.
    fn adopt(&mut self, now: Duration) -> Vec<InputId> {
        let displaced = self.generations.take_displaced();
        displaced.into_iter().map(|displaced| self.candidates.adopt(displaced, now)).collect()
    }

    /// A generation that was saved, wherever it is now.
    fn announce_saved(&self, id: InputId) -> Option<New> {
        let generation = self.generations.get(id)?;
        Some(New {
            id,
            name: show_path(&generation.path),
            path: generation.path.clone(),
            size: generation.seen.size,
            position: generation.position(),
            resumed: true,
        })
    }

    /// What people were not told of at the scan before; these are the warnings of this one.
    fn unsaid(&mut self, warnings: Vec<String>) -> Vec<String> {
        let mut unsaid = std::mem::take(&mut self.warnings);
        unsaid.extend(warnings.iter().filter(|text| !self.said.contains(*text)).cloned());
        self.said = warnings.into_iter().collect();
        unsaid
    }

    /// The next thing to pass on, its bytes in `into`; `None` if there is nothing now.
    pub fn next(&mut self, now: Duration, into: &mut Vec<u8>) -> Option<Delivery> {
        into.clear();
        self.is_pasts_turn = !self.is_pasts_turn;
        if self.is_pasts_turn
            && let Some(delivery) = self.next_of_past(now, into)
        {
            return Some(delivery);
        }
        into.clear();
        self.generations.turns.begin(now);
        while let Some(id) = self.generations.turns.take() {
            let delivery = self.turn(id, now).take(into);
            self.adopt(now);
            self.generations.set_timer(id, now);
            if let Some(mut delivery) = delivery {
                delivery.warnings.append(&mut self.warnings);
                return Some(delivery);
            }
        }
        self.next_of_past(now, into)
    }

    fn turn(&mut self, id: InputId, now: Duration) -> FileTurn<'_> {
        let Follower { generations, candidates, warnings, .. } = self;
        FileTurn { id, now, generations, candidates, warnings }
    }

    /// What is still to be said of compressed files when the run ends, and the losses that they
    /// show.
    pub fn conclude(&mut self, now: Duration) -> (Vec<String>, Vec<Delivery>) {
        let by_start = self.generations.by_start();
        let (mut warnings, mut most) = (Vec::new(), self.at_once);
        for id in self.candidates.ids() {
            let Some(mut candidate) = self.candidates.take(id) else { continue };
            match self.packed(&mut candidate, &by_start, now, (&mut most, true)) {
                Packed::Ignored(why) => warnings.extend(self.ignore(candidate, why)),
                _ => self.candidates.put(candidate),
            }
        }
        let copied = self.generations.iter().filter(|one| one.whereabouts.gone().is_some_and(Gone::has_copy));
        let copied: Vec<InputId> = copied.map(|generation| generation.id).collect();
        for id in whole_copies(&self.ignored, &self.locations, &self.generations, &mut most) {
            self.generations.note_whole(id);
        }
        let deliveries = copied.into_iter().filter_map(|id| self.turn(id, now).settle(None)).collect();
        self.generations.records().pass_over(self.ignored.copies());
        (warnings, deliveries)
    }

    /// The first bytes of the file of a generation, without the zeros that it may begin with, at most
    /// so many; `None` if they cannot be had, or are those of another content by now.
    pub fn beginning(&mut self, id: InputId, now: Duration, most: usize) -> Option<Vec<u8>> {
        let file = self.generations.open(id, now).ok()??;
        let mut bytes = Vec::with_capacity(most);
        while bytes.len() < most && file.read_at(bytes.len() as u64, &mut bytes).ok()? > 0 {}
        let start = &self.generations.get(id)?.passed.head.start;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.starts_with(start).then(|| bytes.split_off(zeros))
    }

    /// Notes the line of an input that says what its columns are.
    pub fn set_header(&mut self, id: InputId, header: &[u8]) {
        if let Some(generation) = self.generations.get_mut(id).filter(|generation| generation.header != header) {
            generation.header = header.to_vec();
        }
    }

    /// Marks the file at a path, which may have changed.
    pub fn touch(&mut self, path: &Path) {
        let known = self.locations.file_at(path).and_then(|identity| self.generations.in_file(identity));
        match known {
            Some(id) => self.generations.enqueue(id),
            // Whether a file is new or a copy is for a scan to find out.
            None => self.generations.turns.ask_for_scan(),
        }
    }

    /// Marks all files.
    pub fn touch_all(&mut self) {
        self.generations.enqueue_all();
    }

    /// Asks for everything that is there now to be read; `is_abreast` says when it has been.
    pub fn mark_behind(&mut self) {
        self.generations.turns.mark_behind(self.generations.ids().into_iter());
        self.touch_all();
    }

    /// Whether all has been passed on that was there when it was last asked for, but for lines
    /// without their end and what cannot be read now.
    pub fn is_abreast(&self) -> bool {
        self.generations.turns.is_abreast() && self.past.is_empty()
    }

    /// Whether a scan should not wait until its next regular time.
    pub fn scan_due(&self) -> bool {
        self.generations.turns.scan_due()
    }

    /// When the next turn comes that only time brings about.
    #[cfg(test)]
    pub fn wake_at(&self) -> Option<Duration> {
        self.generations.turns.wake_at()
    }

    /// Folders in which files appear and change, as far as they exist.
    pub fn directories(&self) -> Vec<PathBuf> {
        self.locations.directories()
    }

    /// What is to be saved of each generation.
    pub fn records(&self) -> Arc<FileRecords> {
        Arc::clone(self.generations.records())
    }

    /// Whether nothing was saved, and no scan has been made.
    #[cfg(test)]
    pub(super) fn is_fresh(&self) -> bool {
        self.saved.as_ref().is_some_and(Vec::is_empty)
    }

    /// Files that are held open.
    #[cfg(test)]
    pub fn open_files(&self) -> usize {
        self.generations.files.len()
    }
}

/// What is said of compressed files that are no history of the first window, if there are any.
fn old_note(names: &[String]) -> Option<String> {
    let (first, others) = names.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    let was = if others.is_empty() { "was" } else { "were" };
    Some(format!("{first}{more} {was} last written before the first window, and {was} not read; --scan full reads all"))
}

/// What is said of a file that could not be opened.
fn unopened(sighting: &Sighting, error: std::io::Error) -> Option<String> {
    let is_gone = error.kind() == std::io::ErrorKind::NotFound;
    (!is_gone).then(|| Error::input(sighting.path(), "cannot open", error).to_string())
}
