//! Compressed files among those that are followed. Those that were there when nothing was known are
//! history (`past`). Others are not read, and that is said of each, unless it is what became of a
//! known file. There is nothing to say of a copy of what was counted;
//! if it holds more than was counted of a file that is gone, the rest is the loss, and the command
//! that counts it is told.
//!
//! Content decides, as ever: how the file begins once it is decompressed, how many bytes it has,
//! and those before the position. Invariant: what is passed over in silence was counted, or told.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::{Candidate, alike};
use super::content::{Agreement, HEAD, Stat, read_range};
use super::generation::Generation;
use super::generations::{ByStart, Generations};
use super::ignored::{IgnoredFiles, Why};
use super::sightings::Locations;
use super::unpack::{Unpacked, Unpacking};
use super::whereabouts::{Gone, LongerCopy};
use crate::error::show_path;
use crate::model::escape::shell_word;
use crate::model::{InputId, Timestamp};
use crate::source::codec::{self, Codec, Form, Unpacker};

/// What a candidate is, as far as it is compressed.
pub(super) enum Packed {
    /// It is not.
    No,
    /// It may be the copy of what was counted, and is not finished, or that is not counted to its
    /// end.
    Wait,
    /// It is history that is new, and begins so once it is decompressed.
    Past(Vec<u8>),
    /// The same, of which an earlier run has read a part: of this generation.
    PastGoesOn(Vec<u8>, InputId),
    /// It is history from before the first window.
    Old,
    /// It is not followed.
    Ignored(Why),
}

/// What compressed files are judged by.
pub(super) struct CopyJudge<'a> {
    pub generations: &'a mut Generations,
    /// The generations by how they start.
    pub by_start: &'a ByStart,
    pub now: Duration,
    /// Bytes that may be decompressed yet.
    pub most: u64,
    /// Whether the run ends, so that there is nothing to wait for.
    pub ending: bool,
}

/// Bytes of a compressed file that are read to know how it begins: more than 1,024 bytes take when
/// they are compressed.
const ENOUGH: usize = 4096;

/// What a compressed file is to a generation that begins as it does.
enum Relation {
    /// A copy of what was counted of it, or told to be lost: this many bytes.
    Counted(u64),
    /// A copy of all that it was, this many bytes, and all of that was counted: nothing of it is
    /// lost, though it is gone.
    Whole(u64),
    /// A copy of all that it was, and of more than was counted of it: this many bytes.
    HasRest(u64),
    /// That is not known yet.
    Unknown,
    /// Another file.
    None,
}

impl CopyJudge<'_> {
    /// Whether a candidate is compressed, and what comes of it then.
    pub fn judge(&mut self, candidate: &mut Candidate) -> Packed {
        let Some(Codec { name, reader, form }) = codec::of(&candidate.head) else { return Packed::No };
        let warning = format!("{}: is compressed ({name}) and was not read; see {reader}", show_path(&candidate.path));
        let Some(form) = form else { return Packed::Ignored(Why::Unread(warning)) };
        let wait = self.generations.options.rotate_wait;
        let still = self.ending || candidate.from_start || candidate.is_still(self.now, wait);
        let Ok(Some(file)) = candidate.open(self.generations) else { return Packed::Wait };
        let head = self.unpacked_head(&file, form);
        if let Some(id) = candidate.packed.goes_on {
            return Packed::PastGoesOn(head, id);
        }
        let same = |id: &InputId| {
            let head_of =
                |one: &Generation| one.passed.head.len() > 0 && one.passed.head.agrees(&head) == Agreement::Whole;
            self.generations.get(*id).is_some_and(head_of)
        };
        let like: Vec<InputId> = alike(self.by_start, &head).into_iter().filter(same).collect();
        let file = (&file, form);
        let relations: Vec<_> = like.iter().map(|id| (*id, self.relation(candidate, *id, file, &like))).collect();
        if let Some(why) = self.is_dealt_with(candidate, &relations) {
            return Packed::Ignored(why);
        }
        let is_unknown = relations.iter().any(|(_, relation)| matches!(relation, Relation::Unknown));
        match still && (!is_unknown || self.ending) {
            true => match self.generations.options.past_from {
                Some(from) if candidate.from_start && !self.ending && !head.is_empty() => past(candidate, from, head),
                _ => Packed::Ignored(Why::Unread(warning)),
            },
            false => Packed::Wait,
        }
    }

    /// The first bytes of what is compressed, as far as they can be had.
    fn unpacked_head(&self, file: &File, form: Form) -> Vec<u8> {
        let packed = read_range(file, 0, ENOUGH).unwrap_or_default();
        let mut unpacker = Unpacker::new(form, self.generations.options.unpack_memory, packed);
        let mut head = Vec::with_capacity(HEAD);
        // An error leaves what came before it.
        while head.len() < HEAD && unpacker.read(&mut |_| Ok(0), &mut head).is_ok_and(|read| read > 0) {}
        head
    }

    /// Whether an earlier run has read a part of a candidate as history: it is what it was when that
    /// was saved, and begins as a generation did.
    pub fn goes_on(&self, candidate: &Candidate, id: InputId) -> bool {
        let Some(form) = codec::of(&candidate.head).and_then(|codec| codec.form) else { return false };
        let Some(generation) = self.generations.get(id) else { return false };
        let same = generation.seen.modified == candidate.stat.modified && generation.whereabouts.is_rotated();
        let known = &generation.passed.head;
        // Where it lies there as it was read, it has not been decompressed.
        if !same || known.len() == 0 || known.agrees(&candidate.head) == Agreement::Whole {
            return false;
        }
        let Ok(file) = File::open(&candidate.path) else { return false };
        known.agrees(&self.unpacked_head(&file, form)) == Agreement::Whole
    }

    /// Why a candidate is passed over as a copy, if it is: what it is to those that begin as it
    /// does says so.
    fn is_dealt_with(&mut self, candidate: &Candidate, relations: &[(InputId, Relation)]) -> Option<Why> {
        let silent = |of, length| Some(Why::Copy { until: Some((of, length)), said: None });
        for &(of, ref relation) in relations {
            if let Relation::Whole(length) = *relation {
                self.generations.note_whole(of);
                return silent(of, length);
            }
        }
        for &(of, ref relation) in relations {
            if let Relation::Counted(length) = *relation {
                return silent(of, length);
            }
        }
        if relations.iter().any(|(_, relation)| matches!(relation, Relation::Unknown)) && !self.ending {
            return None;
        }
        for &(of, ref relation) in relations {
            if let Relation::HasRest(length) = *relation {
                let said = self.note_rest(candidate, of, length);
                // Where the loss was told before, there is nothing to come.
                let until = said.is_none().then_some((of, length));
                return Some(Why::Copy { until, said });
            }
        }
        None
    }

    /// What a candidate is to one of the generations that begin as it does once it is decompressed.
    fn relation(
        &mut self,
        candidate: &mut Candidate,
        id: InputId,
        (file, form): (&Arc<File>, Form),
        like: &[InputId],
    ) -> Relation {
        let Some(generation) = self.generations.get(id) else { return Relation::None };
        let position = generation.position();
        // All that was counted and no more, as far as 32 bits say: so no time is spent on files
        // that rotate as they should. Before it is taken to show that nothing is lost, all of it is
        // compared.
        let is_missing = generation.is_end_unknown();
        let has_length = |length| length == position as u32;
        let length = || length(file, candidate.stat.size).filter(|_| form == Form::Gzip);
        if position > 0 && !is_missing && length().is_some_and(has_length) {
            return Relation::Counted(position);
        }
        let unpacking = match candidate.packed.unpacking.take().filter(|known| known.keeps(position)) {
            Some(unpacking) => unpacking,
            None => {
                let positions = like.iter().filter_map(|id| self.generations.get(*id)).map(Generation::position);
                Unpacking::new(Arc::clone(file), (form, self.generations.options.unpack_memory), positions)
            }
        };
        let unpacking = candidate.packed.unpacking.insert(unpacking);
        let length = match unpacking.go_on(&mut self.most) {
            Unpacked::Going => {
                self.generations.turns.ask_for_scan();
                return Relation::Unknown;
            }
            Unpacked::Broken => return Relation::None,
            Unpacked::Whole(length) => length,
        };
        let holds = unpacking.holds(position, &generation.passed.tail());
        relation_by_end(generation, length, holds, self.ending)
    }

    /// Notes that a candidate holds all that a generation had, whose file is gone, and more than
    /// was counted of it. Gives what there is to say, unless the loss says it: each loss is told
    /// once.
    fn note_rest(&mut self, candidate: &Candidate, id: InputId, length: u64) -> Option<String> {
        let generation = self.generations.get_mut(id)?;
        let position = generation.position();
        let reader = codec::of(&candidate.head).map_or("zcat", |codec| codec.reader);
        let remedy = remedy(&candidate.path, reader, position, &generation.header);
        if !generation.losses.is_told()
            && let Some(gone) = generation.whereabouts.gone_mut()
        {
            gone.note_copy(LongerCopy { length, remedy });
            generation.seen.size = length;
            self.generations.enqueue(id);
            return None;
        }
        let (name, copy) = (show_path(&generation.path), show_path(&candidate.path));
        Some(format!("{copy}: holds bytes {position} to {length} of {name}, which were not counted; {remedy}"))
    }
}

/// What comes of a file that was there when nothing was known.
fn past(candidate: &Candidate, from: Timestamp, head: Vec<u8>) -> Packed {
    let (seconds, nanos) = candidate.stat.modified;
    let modified = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    if modified < i128::from(from.nanos()) { Packed::Old } else { Packed::Past(head) }
}

/// What a compressed file of so many bytes is to a generation. `holds`: the bytes before the
/// position stand in it.
fn relation_by_end(generation: &Generation, length: u64, holds: bool, ending: bool) -> Relation {
    let position = generation.position();
    let gone = generation.whereabouts.gone();
    // Until enough scans have missed it, it may be there.
    let is_missed = ending || gone.is_some_and(Gone::is_missed);
    if length == position && generation.is_end_unknown() && holds {
        return if is_missed { Relation::Whole(length) } else { Relation::Unknown };
    }
    if length <= position {
        return Relation::Counted(length);
    }
    match gone {
        _ if !holds => Relation::None,
        // Nothing is lost of a file that is there: this run or the next one reads on.
        None if length > generation.seen.size => Relation::None,
        None if ending => Relation::Counted(length),
        None => Relation::Unknown,
        Some(_) if length < generation.seen.size => Relation::None,
        Some(_) if is_missed => Relation::HasRest(length),
        Some(_) => Relation::Unknown,
    }
}

/// The generations whose files are gone, and of which a copy that is passed over has all that was
/// counted, so that the next run need not wonder whether anything is lost of them. `most`: bytes
/// that may be decompressed for that.
pub(super) fn whole_copies(
    ignored: &IgnoredFiles,
    locations: &Locations,
    generations: &Generations,
    most: &mut u64,
) -> Vec<InputId> {
    let is_missing = |one: &&Generation| !one.whereabouts.is_here() && !one.losses.told;
    let copies = ignored.silent_copies().filter_map(|(identity, id, length)| {
        let generation = generations.get(id).filter(is_missing).filter(|one| one.position() == length)?;
        Some((locations.path_to(identity)?, identity, generation))
    });
    let mut whole = Vec::new();
    for (path, identity, generation) in copies {
        let Ok(file) = File::open(path) else { continue };
        let is_same = Stat::of_file(&file).is_ok_and(|stat| stat.identity == identity);
        let position = generation.position();
        let head = read_range(&file, 0, ENOUGH).unwrap_or_default();
        let Some(form) = codec::of(&head).and_then(|codec| codec.form) else { continue };
        let memory = generations.options.unpack_memory;
        let mut unpacking = Unpacking::new(Arc::new(file), (form, memory), [position].into_iter());
        if is_same
            && unpacking.go_on(most) == Unpacked::Whole(position)
            && unpacking.holds(position, &generation.passed.tail())
        {
            whole.push(generation.id);
        }
    }
    whole
}

/// How to count the bytes of a compressed file from one on. A line that says what the columns are is
/// put in front of them.
fn remedy(path: &Path, reader: &str, from: u64, header: &[u8]) -> String {
    use std::os::unix::ffi::OsStrExt;
    let path = shell_word(path.as_os_str().as_bytes());
    let rest = format!("{reader} < {path} | tail -c +{}", from + 1);
    match header {
        [] => format!("count them with: {rest} | logparser -"),
        header => format!("count them with: {{ printf '{}\\n'; {rest}; }} | logparser -", printf_format(header)),
    }
}

/// What a shell's `printf` writes as these bytes, if it stands in single quotes.
fn printf_format(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'\t' => "\\t".to_owned(),
        b'%' => "%%".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'#' | b'_' | b'.' | b'-' | b',' | b';' | b'|' => {
            char::from(*byte).to_string()
        }
        other => format!("\\{other:03o}"),
    };
    bytes.iter().map(escape).collect()
}

/// How many bytes it has decompressed, modulo 2^32, as its last four bytes say (RFC 1952). Of
/// several members, that is of the last one.
fn length(file: &File, size: u64) -> Option<u32> {
    let last = read_range(file, size.checked_sub(4)?, 4).ok()?;
    Some(u32::from_le_bytes(last.try_into().ok()?))
}
