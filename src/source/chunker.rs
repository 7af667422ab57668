//! Bytes to chunks of whole lines. Pure: the bytes come from a function.
//!
//! Invariant: what a chunk holds does not depend on how the bytes came, only where it is cut does;
//! a line over the limit never takes more memory than the limit and one read.

use std::io;

use crate::model::balance::OVERSIZED_HEAD;

/// The least free space that is worth a read, so that a long carried line does not make reads tiny.
const WORTH_A_READ: usize = 4096;

/// Cuts an input into chunks at line ends.
#[derive(Debug)]
pub struct Chunker {
    /// Bytes a chunk is filled to.
    target: usize,
    /// Bytes a line may have.
    max_line: usize,
    /// Whether to fill a chunk, or to cut it as soon as it has a whole line.
    fill: bool,
    /// The byte at which the next chunk begins.
    position: u64,
    /// The bytes from there that have been read: the start of a line, or what was read together
    /// with the end of an over-long line.
    carry: Vec<u8>,
    /// The over-long line that is being skipped, in an input that goes on. Nothing is carried then.
    long: Option<LongLine>,
}

/// An over-long line whose end has not come yet.
#[derive(Debug)]
struct LongLine {
    /// Its start.
    head: Vec<u8>,
    /// Bytes of it that have been read.
    length: u64,
}

/// Where a chunk was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// First byte.
    pub from: u64,
    /// One past the last.
    pub to: u64,
    /// The start of the line, if the chunk is one over-long line.
    pub oversized: Option<Vec<u8>>,
    /// Whether the input ends here.
    pub last: bool,
}

/// What was gathered for a chunk.
enum Gathered {
    /// Whole lines, up to here.
    Lines(usize),
    /// The start of a line that is over the limit.
    TooLong,
    /// All that there is, with whole lines up to here.
    NoMore(usize),
}

/// Appends some bytes to a vector within its spare capacity and says how many; 0 is the end.
pub type Fill<'a> = dyn FnMut(&mut Vec<u8>) -> io::Result<usize> + 'a;

impl Chunker {
    /// Chunks of about `target` bytes. With `fill`, chunks are filled; without, what is there is
    /// passed on.
    pub fn new(target: usize, max_line: usize, fill: bool) -> Self {
        Chunker { target, max_line, fill, position: 0, carry: Vec::new(), long: None }
    }

    /// The byte at which the next chunk begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes read so far; some of them may not be in a chunk yet.
    pub fn bytes_read(&self) -> u64 {
        self.position + self.carry.len() as u64 + self.long.as_ref().map_or(0, |long| long.length)
    }

    /// Fills chunks to another size from now on.
    pub fn set_target(&mut self, target: usize) {
        self.target = target;
    }

    /// Goes on at another byte, where a line begins.
    pub fn jump(&mut self, position: u64) {
        self.position = position;
        self.forget_carried();
        self.long = None;
    }

    /// A chunk that was cut from bytes with so many others before them, which were passed over.
    pub fn shifted(&mut self, cut: Cut, bytes: u64) -> Cut {
        self.position += bytes;
        Cut { from: cut.from + bytes, to: cut.to + bytes, ..cut }
    }

    /// Forgets the start of a line that was read; it is to be read again. Gives its memory back.
    pub fn forget_carried(&mut self) {
        self.carry = Vec::new();
    }

    /// The next chunk, in `into`. Not to be called after the last. Errors are those of `fill`; the
    /// bytes before the error are kept, so that the call may be made again.
    pub fn next(&mut self, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Cut> {
        into.clear();
        match self.gather(self.fill, fill, into)? {
            Gathered::Lines(end) => Ok(self.cut(into, end)),
            Gathered::TooLong => self.skip_line(fill, into),
            Gathered::NoMore(_) => Ok(self.end(into)),
        }
    }

    /// The next chunk of an input that goes on, in `into`. When `fill` has no bytes now, that is
    /// not the end: the whole lines so far are cut, and the start of a line waits for its rest
    /// (`None`), or is skipped if the line is over-long.
    pub fn next_available(&mut self, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Option<Cut>> {
        into.clear();
        if self.long.is_some() {
            return self.skip_available(fill, into);
        }
        match self.gather(true, fill, into)? {
            Gathered::TooLong => {
                self.long = Some(LongLine { head: self.long_head(into), length: into.len() as u64 });
                self.skip_available(fill, into)
            }
            Gathered::NoMore(0) => {
                self.carry.append(into);
                Ok(None)
            }
            Gathered::Lines(end) | Gathered::NoMore(end) => Ok(Some(self.cut(into, end))),
        }
    }

    /// Gathers bytes in `into`, behind what was carried, until there are whole lines: as many as
    /// fill a chunk if it is to be full. On an error the bytes are carried.
    fn gather(&mut self, full: bool, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Gathered> {
        into.append(&mut self.carry);
        // Where the last newline ends, once there is one. What was carried has one only behind an
        // over-long line.
        let mut lines_end = memchr::memrchr(b'\n', into).map_or(0, |at| at + 1);
        loop {
            if lines_end > 0 && (!full || into.len() >= self.target) {
                return Ok(Gathered::Lines(lines_end));
            }
            if lines_end == 0 && into.len() > self.max_line {
                return Ok(Gathered::TooLong);
            }
            let before = into.len();
            into.reserve_exact(self.target.saturating_sub(before).max(self.target.min(WORTH_A_READ)));
            match fill(into) {
                Ok(0) => return Ok(Gathered::NoMore(lines_end)),
                Ok(_) => {}
                Err(error) => {
                    self.carry.append(into);
                    return Err(error);
                }
            }
            if let Some(at) = memchr::memrchr(b'\n', &into[before..]) {
                lines_end = before + at + 1;
            }
        }
    }

    /// The whole lines among what is carried, in `into`, of an input that cannot be read on. There
    /// are some where an error came before a chunk was full.
    pub fn whole_lines(&mut self, into: &mut Vec<u8>) -> Cut {
        into.clear();
        let lines_end = memchr::memrchr(b'\n', &self.carry).map_or(0, |at| at + 1);
        into.extend(self.carry.drain(..lines_end));
        self.advance(lines_end as u64, None, true)
    }

    /// What is left of an input that turned out not to go on: the start of a line without an end,
    /// if there is one.
    pub fn rest(&mut self, into: &mut Vec<u8>) -> Option<Cut> {
        into.clear();
        if let Some(LongLine { head, length }) = self.long.take() {
            return Some(self.advance(length, Some(head), false));
        }
        into.append(&mut self.carry);
        (!into.is_empty()).then(|| self.advance(into.len() as u64, None, false))
    }

    /// Reads towards the end of an over-long line as far as there are bytes.
    fn skip_available(&mut self, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Option<Cut>> {
        loop {
            into.clear();
            into.reserve_exact(self.target);
            let read = fill(into)? as u64;
            if read == 0 {
                return Ok(None);
            }
            let newline = memchr::memchr(b'\n', into);
            let Some(long) = &mut self.long else { return Ok(None) };
            let Some(at) = newline else {
                long.length += read;
                continue;
            };
            let length = long.length + at as u64 + 1;
            self.carry.extend_from_slice(&into[at + 1..]);
            into.clear();
            let head = self.long.take().map(|long| long.head);
            return Ok(Some(self.advance(length, head, false)));
        }
    }

    fn long_head(&self, line: &[u8]) -> Vec<u8> {
        line[..OVERSIZED_HEAD.min(self.max_line)].to_vec()
    }

    /// Cuts after the last newline and carries the rest.
    fn cut(&mut self, into: &mut Vec<u8>, lines_end: usize) -> Cut {
        self.carry.extend_from_slice(&into[lines_end..]);
        into.truncate(lines_end);
        self.advance(lines_end as u64, None, false)
    }

    /// The last chunk: all that is left.
    fn end(&mut self, into: &[u8]) -> Cut {
        self.advance(into.len() as u64, None, true)
    }

    /// Reads to the end of a line that is over the limit, and keeps only its start.
    fn skip_line(&mut self, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Cut> {
        let head = self.long_head(into);
        let mut length = into.len() as u64;
        loop {
            into.clear();
            into.reserve_exact(self.target);
            let (newline, read) = match fill(into) {
                Ok(0) => {
                    into.clear();
                    return Ok(self.advance(length, Some(head), true));
                }
                Ok(read) => (memchr::memchr(b'\n', into), read as u64),
                Err(error) => {
                    // What was skipped becomes one over-long line without an end; the error comes
                    // next time.
                    if error.kind() == io::ErrorKind::Interrupted {
                        into.clear();
                        return Ok(self.advance(length, Some(head), false));
                    }
                    return Err(error);
                }
            };
            match newline {
                Some(at) => {
                    self.carry.extend_from_slice(&into[at + 1..]);
                    into.clear();
                    return Ok(self.advance(length + at as u64 + 1, Some(head), false));
                }
                None => length += read,
            }
        }
    }

    fn advance(&mut self, length: u64, oversized: Option<Vec<u8>>, last: bool) -> Cut {
        let from = self.position;
        self.position += length;
        Cut { from, to: self.position, oversized, last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All chunks of `input`, which comes in pieces of `piece` bytes.
    fn chunks(input: &[u8], mut chunker: Chunker, piece: usize) -> Vec<(Cut, Vec<u8>)> {
        let mut rest = input;
        let mut out = Vec::new();
        loop {
            let mut into = Vec::new();
            let cut = chunker
                .next(
                    &mut |into| {
                        let n = rest.len().min(piece).min(into.capacity() - into.len());
                        into.extend_from_slice(&rest[..n]);
                        rest = &rest[n..];
                        Ok(n)
                    },
                    &mut into,
                )
                .unwrap();
            let last = cut.last;
            out.push((cut, into));
            if last {
                return out;
            }
        }
    }

    /// What a chunked input says: each line, or `None` for an over-long one.
    fn lines(chunks: &[(Cut, Vec<u8>)], max_line: usize) -> Vec<Option<Vec<u8>>> {
        let mut out = Vec::new();
        for (cut, bytes) in chunks {
            out.extend(cut.oversized.iter().map(|_| None));
            let mut ends = Vec::new();
            crate::ops::split::split(bytes, &mut ends);
            let mut start = 0;
            for end in ends {
                let line = &bytes[start..end as usize];
                out.push((line.len() <= max_line).then(|| line.to_vec()));
                start = end as usize + 1;
            }
        }
        out
    }

    proptest! {
        #[test]
        fn b4_any_chunking_is_the_whole_input(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'b')], 0..120),
            target in 1usize..40,
            piece in 1usize..50,
            max_line in 1usize..20,
            fill: bool,
        ) {
            let chunks = chunks(&input, Chunker::new(target, max_line, fill), piece);
            let mut position = 0;
            for (cut, bytes) in &chunks {
                prop_assert_eq!(cut.from, position);
                position = cut.to;
                if cut.oversized.is_none() {
                    prop_assert_eq!(&input[cut.from as usize..cut.to as usize], &bytes[..]);
                    prop_assert!(cut.last || bytes.ends_with(b"\n"));
                }
            }
            prop_assert_eq!(position, input.len() as u64);
            let mut oracle: Vec<_> = input.split(|b| *b == b'\n').map(|line| (line.len() <= max_line).then(|| line.to_vec())).collect();
            if input.is_empty() || input.ends_with(b"\n") {
                oracle.pop();
            }
            prop_assert_eq!(lines(&chunks, max_line), oracle);
        }
    }

    proptest! {
        #[test]
        fn b4_an_input_that_comes_in_spurts_is_cut_into_the_same_lines(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'b')], 0..120),
            spurts in proptest::collection::vec(0usize..30, 1..12),
            target in 1usize..40,
            piece in 1usize..50,
            max_line in 1usize..20,
            forgetful: bool,
        ) {
            let mut chunker = Chunker::new(target, max_line, true);
            let (mut all, mut there, mut into) = (Vec::new(), 0, Vec::new());
            for spurt in spurts.iter().copied().chain([input.len()]) {
                there = (there + spurt).min(input.len());
                loop {
                    let mut at = chunker.bytes_read() as usize;
                    let mut fill = |into: &mut Vec<u8>| {
                        let n = (there - at).min(piece).min(into.capacity() - into.len());
                        into.extend_from_slice(&input[at..at + n]);
                        at += n;
                        Ok(n)
                    };
                    let Some(cut) = chunker.next_available(&mut fill, &mut into).unwrap() else { break };
                    all.push((cut, into.clone()));
                    if forgetful {
                        chunker.forget_carried();
                    }
                }
                // What waits is less than a line, and what is known of it may be read again.
                prop_assert!(!input[chunker.position() as usize..there].contains(&b'\n'));
                if forgetful && there < input.len() {
                    chunker.forget_carried();
                }
            }
            all.extend(chunker.rest(&mut into).map(|cut| (cut, into.clone())));
            prop_assert_eq!(chunker.position(), input.len() as u64);
            let once = chunks(&input, Chunker::new(target, max_line, true), 1000);
            prop_assert_eq!(lines(&all, max_line), lines(&once, max_line));
        }
    }

    #[test]
    fn b8_an_over_long_line_in_progress_is_kept_in_mind_without_memory() {
        let mut chunker = Chunker::new(1 << 12, 1 << 12, true);
        let mut into = Vec::new();
        for _ in 0..1000 {
            let mut left = 1 << 13;
            let mut fill = |into: &mut Vec<u8>| {
                let n = left.min(into.capacity() - into.len());
                into.resize(into.len() + n, b'x');
                left -= n;
                Ok(n)
            };
            assert!(chunker.next_available(&mut fill, &mut into).unwrap().is_none());
            assert!(into.capacity() + chunker.carry.capacity() < 1 << 15 && chunker.position() == 0);
        }
        let mut end = Some(&b"\n17 a b\n"[..]);
        let mut fill = |into: &mut Vec<u8>| {
            let bytes = end.take().unwrap_or_default();
            into.extend_from_slice(bytes);
            Ok(bytes.len())
        };
        let long = chunker.next_available(&mut fill, &mut into).unwrap().unwrap();
        assert_eq!((long.to, long.oversized.map(|head| head.len())), (8_192_001, Some(OVERSIZED_HEAD)));
        chunker.next_available(&mut fill, &mut into).unwrap().unwrap();
        assert_eq!(into, b"17 a b\n");
    }

    #[test]
    fn b8_a_line_without_end_takes_no_memory_beyond_the_limit() {
        let mut chunker = Chunker::new(1 << 16, 1 << 16, true);
        let (mut left, mut most) = (1u64 << 26, 0);
        let mut fill = |into: &mut Vec<u8>| {
            most = most.max(into.capacity());
            if left == 0 {
                into.extend_from_slice(b"\n17 a b\n");
                left = u64::MAX;
                return Ok(8);
            }
            if left == u64::MAX {
                return Ok(0);
            }
            let n = (into.capacity() - into.len()).min(left as usize);
            into.resize(into.len() + n, b'x');
            left -= n as u64;
            Ok(n)
        };
        let mut into = Vec::new();
        let long = chunker.next(&mut fill, &mut into).unwrap();
        assert_eq!((long.to, long.oversized.as_deref()), ((1 << 26) + 1, Some(&[b'x'; OVERSIZED_HEAD][..])));
        let next = chunker.next(&mut fill, &mut into).unwrap();
        assert_eq!((&into[..], next.last), (&b"17 a b\n"[..], true));
        assert!(most < 1 << 19, "a buffer of {most} bytes");
    }

    #[test]
    fn an_error_loses_no_byte() {
        let mut chunker = Chunker::new(100, 100, true);
        let mut calls = 0;
        let mut fill = |into: &mut Vec<u8>| {
            calls += 1;
            match calls {
                1 => into.extend_from_slice(b"17 a b\n18"),
                2 => return Err(io::Error::other("for once")),
                3 => into.extend_from_slice(b" c d\n"),
                _ => return Ok(0),
            }
            Ok(1)
        };
        let mut into = Vec::new();
        assert!(chunker.next(&mut fill, &mut into).is_err());
        assert!(chunker.next(&mut fill, &mut into).unwrap().last);
        assert_eq!(into, b"17 a b\n18 c d\n");
    }
}
