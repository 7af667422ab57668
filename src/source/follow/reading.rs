//! Reading on in a generation: the bytes first, and then a look whether they still follow those
//! read before.
//!
//! Invariant: bytes are passed on only if, after they were read, the bytes before them and the head
//! still stood in the file. A file that was truncated and has grown again past the position is
//! noticed by that.

use std::fs::File;
use std::io;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use super::content::{self, Agreement, HEAD, Stat, TAIL};
use super::generation::Generation;
use super::passed_on::PassedOn;
use super::zeros;
use crate::model::Guard;
use crate::source::chunker::Cut;

/// How long a file has to be unchanged before an equal stamp says that it is. Kernels stamp in
/// steps of up to 10 ms.
const SURE: Duration = Duration::from_millis(50);

/// What a look at a generation's file gave.
#[derive(Debug)]
pub(super) enum Looked {
    /// A chunk, and whether it is a line without its end.
    Chunk(Cut, bool),
    /// Nothing to pass on now.
    Nothing,
    /// Nothing yet, but there is more to look at.
    More,
    /// The content has been replaced by another.
    Replaced,
}

/// Where the bytes come from.
pub(super) struct OpenedFile<'a> {
    /// The file.
    pub file: &'a File,
    /// What it is now.
    pub stat: Stat,
    /// Bytes to read in one go at most: more than a chunk and a line.
    pub most: u64,
    /// An error that the next read gives. For tests.
    pub fault: Option<Errno>,
}

/// Reads on in a generation. With `finish`, the start of a line that has no end is passed on too.
/// Bytes that the file had and has no more are noted as `cut_short`, from and to.
pub(super) fn look(
    generation: &mut Generation,
    source: &OpenedFile<'_>,
    now: Duration,
    finish: bool,
    cut_short: &mut Option<(u64, u64)>,
    into: &mut Vec<u8>,
) -> io::Result<Looked> {
    let OpenedFile { file, stat, .. } = source;
    into.clear();
    let before = generation.seen.last.map_or(0, |last| last.size);
    if stat.size < before {
        if !is_intact(generation, file, stat)? {
            return Ok(Looked::Replaced);
        }
        *cut_short = Some((stat.size, before));
        generation.seen.size = stat.size;
        // What was known of an over-long line may be gone.
        let position = generation.position();
        generation.passed.chunker.jump(position);
    }
    let known = (generation.seen.size, generation.seen.modified);
    let last = generation.look(stat, now);
    if last.sure && !finish {
        return Ok(Looked::Nothing);
    }
    if let Some(zeros) = pass_zeros(&mut generation.passed, file, stat, finish)? {
        return Ok(zeros);
    }
    let looked = read(&mut generation.passed, source, finish, into)?;
    if matches!(looked, Looked::Replaced) {
        // What was seen now was another content.
        (generation.seen.size, generation.seen.modified) = known;
    }
    if matches!(looked, Looked::Nothing)
        && let Some(last) = &mut generation.seen.last
    {
        last.sure = now >= last.since + SURE;
    }
    Ok(looked)
}

/// Whether what has been read of a generation still stands in its file. Its head is extended as the
/// file has grown.
pub(super) fn is_intact(generation: &mut Generation, file: &File, stat: &Stat) -> io::Result<bool> {
    if stat.size < generation.position() || (stat.size == 0 && generation.seen.size > 0) {
        return Ok(false);
    }
    Ok(generation.passed.tail_stands_in(file)? && keep_head(&mut generation.passed, file, 0, &[])?)
}

/// Passes over zeros at the start. `None`: there are none, or they are behind us.
fn pass_zeros(passed: &mut PassedOn, file: &File, stat: &Stat, finish: bool) -> io::Result<Option<Looked>> {
    if passed.chunker.bytes_read() > 0 || stat.size == 0 {
        return Ok(None);
    }
    if passed.zeros == 0 && content::read_head(file)?.first() != Some(&0) {
        return Ok(None);
    }
    let from = if passed.zeros > stat.size { 0 } else { passed.zeros };
    let (at, found) = zeros::skip(file, from, stat.size)?;
    passed.zeros = at;
    // As long as there is nothing but zeros, they may yet be overwritten.
    let final_zeros = finish && at == stat.size;
    if !found && !final_zeros {
        return Ok(Some(if at < stat.size { Looked::More } else { Looked::Nothing }));
    }
    passed.skip_to(at);
    Ok(None)
}

fn read(passed: &mut PassedOn, source: &OpenedFile<'_>, finish: bool, into: &mut Vec<u8>) -> io::Result<Looked> {
    let OpenedFile { file, stat, .. } = source;
    let position = passed.position();
    let tail = passed.tail_in(file)?;
    let mut offset = passed.chunker.bytes_read();
    // What comes after the look is left to the next one; and of an over-long line only so much is
    // read in one go.
    let end = stat.size.min(offset.saturating_add(source.most));
    let mut fault = source.fault;
    let mut fill = |into: &mut Vec<u8>| {
        if offset >= end {
            return Ok(0);
        }
        if let Some(fault) = fault.take() {
            return Err(fault.into());
        }
        let read = loop {
            match rustix::io::pread(file, spare_capacity(into), offset) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        offset += read as u64;
        Ok(read)
    };
    let mut cut = passed.chunker.next_available(&mut fill, into);
    let more = end < stat.size;
    let unterminated = finish && !more && matches!(cut, Ok(None));
    if unterminated {
        cut = Ok(passed.chunker.rest(into));
    }
    // What is carried is read again, so that it needs neither memory nor a guard of its own.
    passed.chunker.forget_carried();
    let cut = cut?;
    let proved = prove(passed, file, (position, tail), cut.as_ref(), into);
    if !matches!(proved, Ok(Some(_))) {
        // Nothing of it is passed on, also where it could not be looked at just now.
        into.clear();
        passed.chunker.jump(position);
    }
    let Some(tail) = proved? else { return Ok(Looked::Replaced) };
    let Some(cut) = cut else {
        into.clear();
        return Ok(if more { Looked::More } else { Looked::Nothing });
    };
    passed.set_tail(tail);
    Ok(Looked::Chunk(cut, unterminated))
}

/// The guard of the bytes before the end of a cut, if the bytes before the position and the head
/// still stand in the file.
fn prove(
    passed: &mut PassedOn,
    file: &File,
    (position, tail): (u64, Guard),
    cut: Option<&Cut>,
    data: &[u8],
) -> io::Result<Option<Guard>> {
    let before = content::read_tail(file, position)?;
    let holds = (position == 0 || tail.bytes > 0) && tail.holds(&before);
    if !holds || !keep_head(passed, file, position, data)? {
        return Ok(None);
    }
    match cut {
        Some(cut) if cut.oversized.is_some() => content::read_tail(file, cut.to).map(|bytes| Some(Guard::of(&bytes))),
        Some(_) => Ok(Some(tail_of(&before, data))),
        None => Ok(Some(tail)),
    }
}

/// Whether the head still stands in the file. It is extended as the file grows.
fn keep_head(passed: &mut PassedOn, file: &File, position: u64, data: &[u8]) -> io::Result<bool> {
    if position >= HEAD as u64 && passed.head.len() == HEAD {
        return Ok(true);
    }
    let head = content::read_head(file)?;
    let both = head.len().min(data.len());
    // The first bytes of the file were read just now: if they are others already, it was replaced
    // in between.
    if passed.head.agrees(&head) != Agreement::Whole || (position == 0 && head[..both] != data[..both]) {
        return Ok(false);
    }
    passed.extend_head(&head);
    Ok(true)
}

/// Of the last bytes of some bytes and those before them.
fn tail_of(before: &[u8], bytes: &[u8]) -> Guard {
    if bytes.len() >= TAIL {
        return Guard::of(&bytes[bytes.len() - TAIL..]);
    }
    let both = [before, bytes].concat();
    Guard::of(&both[both.len().saturating_sub(TAIL)..])
}
