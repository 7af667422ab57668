//! Compressed files among those that are followed: they are not read, and that is said of each,
//! unless it is what became of a file that is known. Of a copy of what was counted there is nothing
//! to say; where it holds more than was counted of a file that is gone, that is the loss, with the
//! way to count it.
//!
//! Content decides, as ever: how the file begins once it is decompressed, how many bytes it has,
//! and those before the position. Invariant: what is passed over in silence was counted, or told.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::candidate::{ByStart, Candidate, alike};
use super::content::{Agreement, HEAD, Stat, read_range};
use super::follower::Follower;
use super::generation::{Copied, Generation};
use super::ignored::{Ignored, Packed, Why};
use super::records::PassedOver;
use super::step::Step;
use super::unpack::{Unpacked, Unpacking};
use crate::error::show_path;
use crate::model::InputId;
use crate::model::escape::shell_word;
use crate::source::cursor::COMPRESSED;

/// Bytes of a compressed file that are read to know how it begins: more than 1,024 bytes take,
/// compressed.
const ENOUGH: usize = 4096;

/// What a compressed file is to a generation that begins as it does.
enum Relation {
    /// A copy of what was counted of it, or was told to be lost: of so many bytes.
    Counted(u64),
    /// A copy of all it was, so many bytes, and all of that was counted: of it nothing is lost,
    /// though it is gone.
    Whole(u64),
    /// A copy of all it was, and of more than was counted of it: of so many bytes.
    HasRest(u64),
    /// That is not known yet.
    Unknown,
    /// Another file.
    None,
}

impl Follower {
    /// Whether a candidate is compressed, and what comes of it then. `most`: bytes that may be
    /// decompressed for that.
    pub(super) fn packed(&mut self, at: usize, now: Duration, by_start: &ByStart, most: &mut u64) -> Packed {
        let candidate = &self.candidates[at];
        let magic = COMPRESSED.iter().find(|(magic, ..)| candidate.head.starts_with(magic));
        let Some((_, name, reader)) = magic else { return Packed::No };
        let warning = format!("{}: is compressed ({name}) and was not read; see {reader}", show_path(&candidate.path));
        if *name != "gzip" {
            return Packed::Ignored(Ignored::new(candidate, Why::Unread(warning)));
        }
        let still = self.ending || candidate.from_start || now >= candidate.grown + self.options.rotate_wait;
        let Ok(Some(file)) = self.candidate_file(at) else { return Packed::Wait };
        let head = unpacked_head(&file);
        let same = |id: &InputId| {
            let generation = self.generations.get(id);
            generation.is_some_and(|one| one.head.len() > 0 && one.head.agrees(&head) == Agreement::Whole)
        };
        let like: Vec<InputId> = alike(by_start, &head).into_iter().filter(same).collect();
        let relations: Vec<_> = like.iter().map(|id| (*id, self.relation(at, *id, &file, &like, most))).collect();
        let ignored = |it: &Self, why| Packed::Ignored(Ignored::new(&it.candidates[at], why));
        for &(of, ref relation) in &relations {
            if let Relation::Whole(length) = *relation {
                self.is_whole(of);
                return ignored(self, Why::Copy { until: Some((of, length)), said: None });
            }
        }
        for &(of, ref relation) in &relations {
            if let Relation::Counted(length) = *relation {
                return ignored(self, Why::Copy { until: Some((of, length)), said: None });
            }
        }
        if relations.iter().any(|(_, relation)| matches!(relation, Relation::Unknown)) && !self.ending {
            return Packed::Wait;
        }
        for &(of, ref relation) in &relations {
            if let Relation::HasRest(length) = *relation {
                let said = self.copied(at, of, length);
                // Where the loss was told before, there is nothing to come.
                let until = said.is_none().then_some((of, length));
                return ignored(self, Why::Copy { until, said });
            }
        }
        match still {
            true => ignored(self, Why::Unread(warning)),
            false => Packed::Wait,
        }
    }

    /// What a candidate is to one of the generations that begin as it does once it is decompressed.
    fn relation(&mut self, at: usize, id: InputId, file: &Arc<File>, like: &[InputId], most: &mut u64) -> Relation {
        let Some(generation) = self.generations.get(&id) else { return Relation::None };
        let position = generation.position();
        let size = self.candidates[at].stat.size;
        // All that was counted and no more, as far as 32 bits say: so no time is spent on what
        // rotates as it should. Where it is to say that nothing is lost, all of it has to.
        let is_missing = generation.is_end_unknown();
        if position > 0 && !is_missing && length(file, size).is_some_and(|length| length == position as u32) {
            return Relation::Counted(position);
        }
        let unpacking = match self.candidates[at].unpacking.take().filter(|known| known.keeps(position)) {
            Some(unpacking) => unpacking,
            None => {
                let positions = like.iter().filter_map(|id| self.generations.get(id)).map(Generation::position);
                Unpacking::new(Arc::clone(file), positions)
            }
        };
        let unpacking = self.candidates[at].unpacking.insert(unpacking);
        let length = match unpacking.go_on(most) {
            Unpacked::Going => {
                self.ask_for_scan(true);
                return Relation::Unknown;
            }
            Unpacked::Broken => return Relation::None,
            Unpacked::Whole(length) => length,
        };
        let Some(generation) = self.generations.get(&id) else { return Relation::None };
        let holds = unpacking.holds(position, &generation.tail.unwrap_or_default());
        if length == position && is_missing && holds {
            // Until enough scans have missed it, it may be there.
            return if generation.is_missed() || self.ending { Relation::Whole(length) } else { Relation::Unknown };
        }
        if length <= position {
            return Relation::Counted(length);
        }
        match generation.key {
            _ if !holds => Relation::None,
            // Of what is there nothing is lost, and this run or the next one reads on.
            Some(_) if length > generation.size_seen => Relation::None,
            Some(_) if self.ending => Relation::Counted(length),
            Some(_) => Relation::Unknown,
            None if length < generation.size_seen => Relation::None,
            None if generation.is_missed() || self.ending => Relation::HasRest(length),
            None => Relation::Unknown,
        }
    }

    /// Notes that a candidate holds all that a generation had, whose file is gone, and more than
    /// was counted of it. What is to be said, unless the loss says it: each loss is told once.
    fn copied(&mut self, at: usize, id: InputId, length: u64) -> Option<String> {
        let path = self.candidates[at].path.clone();
        let generation = self.generations.get_mut(&id)?;
        let position = generation.position();
        if !generation.is_told() {
            generation.copied = Some(Copied { length, remedy: remedy(&path, position) });
            generation.size_seen = length;
            self.enqueue(id);
            return None;
        }
        let (name, copy) = (show_path(&generation.path), show_path(&path));
        Some(format!(
            "{copy}: holds bytes {position} to {length} of {name}, which were not counted; {}",
            remedy(&path, position)
        ))
    }

    /// Notes that a compressed copy has the end of a generation whose file is gone, and that it was
    /// counted up to there.
    fn is_whole(&mut self, id: InputId) {
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.told = true;
            self.update_record(id);
            self.enqueue(id);
        }
    }

    /// Whether a compressed file is being looked through that may be what became of a generation
    /// whose file is gone.
    pub(super) fn is_looked_for(&self, id: InputId) -> bool {
        self.generations.get(&id).is_some_and(|generation| {
            let position = generation.position();
            let is_sought = |candidate: &Candidate| candidate.unpacking.as_ref().is_some_and(|one| one.seeks(position));
            generation.is_end_unknown() && self.candidates.iter().filter(|candidate| candidate.here).any(is_sought)
        })
    }

    /// What is still to be said of compressed files when the run ends, and the losses that they
    /// show.
    pub fn conclude(&mut self, now: Duration) -> (Vec<String>, Vec<Step>) {
        self.ending = true;
        let by_start = self.by_start();
        let (mut warnings, mut most) = (Vec::new(), self.at_once);
        for at in 0..self.candidates.len() {
            if let Packed::Ignored(ignored) = self.packed(at, now, &by_start, &mut most) {
                warnings.extend(ignored.warning().cloned());
                self.ignore(at, ignored);
            }
        }
        let copied = self.generations.values().filter(|generation| generation.copied.is_some());
        let copied: Vec<InputId> = copied.map(|generation| generation.id).collect();
        self.settle_copies(&mut most);
        let steps = copied.into_iter().filter_map(|id| self.settle(id, None, now)).collect();
        self.note_passed_over();
        (warnings, steps)
    }

    /// Notes that nothing is lost of generations whose files are gone, where a copy that is passed
    /// over has all that was counted of them, so that the next run need not wonder. `most`: bytes
    /// that may be decompressed for that.
    fn settle_copies(&mut self, most: &mut u64) {
        let gone = |id| self.generations.get(&id).filter(|one| one.away.is_some() && !one.told);
        let copies = self.ignored.iter().filter_map(|(identity, ignored)| match ignored.why {
            Why::Copy { until: Some((id, length)), said: None } if gone(id)?.position() == length => {
                Some((*identity, id))
            }
            _ => None,
        });
        for (identity, id) in copies.collect::<Vec<_>>() {
            if self.is_copy(identity, id, most) {
                self.is_whole(id);
            }
        }
    }

    /// Whether the file of this identity holds what was counted of a generation, and no more.
    fn is_copy(&self, identity: (u64, u64), id: InputId, most: &mut u64) -> bool {
        let path = self.paths.iter().find_map(|(path, found)| (*found == identity).then_some(path));
        let (Some(path), Some(generation)) = (path, self.generations.get(&id)) else { return false };
        let Ok(file) = File::open(path) else { return false };
        let is_same = Stat::of_file(&file).is_ok_and(|stat| stat.identity == identity);
        let position = generation.position();
        let mut unpacking = Unpacking::new(Arc::new(file), [position].into_iter());
        is_same
            && unpacking.go_on(most) == Unpacked::Whole(position)
            && unpacking.holds(position, &generation.tail.unwrap_or_default())
    }

    /// Passes a candidate over from now on.
    pub(super) fn ignore(&mut self, at: usize, ignored: Ignored) {
        self.ignored.insert(self.candidates[at].stat.identity, ignored);
        self.drop_candidate(at);
    }

    /// Passes over what an earlier run has passed over.
    pub fn pass_over(&mut self, files: Vec<PassedOver>) {
        for PassedOver { device, inode, born, size, modified } in files {
            let why = Why::Copy { until: None, said: None };
            self.ignored.insert((device, inode), Ignored { born, size, modified, why });
        }
        self.note_passed_over();
    }

    /// Has it saved which files are passed over as copies.
    pub(super) fn note_passed_over(&self) {
        let passed_over = self.ignored.iter().filter_map(|(&(device, inode), ignored)| {
            let Ignored { born, size, modified, ref why } = *ignored;
            let Why::Copy { until, .. } = why else { return None };
            Some((PassedOver { device, inode, born, size, modified }, *until))
        });
        self.records.pass_over(passed_over.collect());
    }
}

/// How to count the bytes of a compressed file from one on.
fn remedy(path: &Path, from: u64) -> String {
    use std::os::unix::ffi::OsStrExt;
    format!("count them with: zcat < {} | tail -c +{} | logparser -", shell_word(path.as_os_str().as_bytes()), from + 1)
}

/// The first bytes of what is compressed, as far as they can be had.
fn unpacked_head(file: &File) -> Vec<u8> {
    let packed = read_range(file, 0, ENOUGH).unwrap_or_default();
    let mut head = Vec::new();
    // An error leaves what came before it.
    let _ = GzDecoder::new(&packed[..]).take(HEAD as u64).read_to_end(&mut head);
    head
}

/// How many bytes it has decompressed, modulo 2^32, as its last four bytes say (RFC 1952). Of
/// several members, that is of the last one.
fn length(file: &File, size: u64) -> Option<u32> {
    let last = read_range(file, size.checked_sub(4)?, 4).ok()?;
    Some(u32::from_le_bytes(last.try_into().ok()?))
}
