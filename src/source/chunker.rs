//! Bytes to chunks of whole lines. Pure: the bytes come from a function.
//!
//! Invariant: what a chunk holds does not depend on how the bytes came, only where it is cut does; a line over the
//! limit never takes more memory than the limit and one read.

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
    /// Whether to fill a chunk, or to cut it as soon as there is a whole line.
    fill: bool,
    /// The byte at which the next chunk begins.
    position: u64,
    /// The bytes from there that have been read: the start of a line, or what was read with an over-long line's end.
    carry: Vec<u8>,
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

/// Appends some bytes to a vector within its spare capacity and says how many; 0 is the end.
pub type Fill<'a> = dyn FnMut(&mut Vec<u8>) -> io::Result<usize> + 'a;

impl Chunker {
    /// Chunks of about `target` bytes. With `fill`, chunks are filled; without, what is there is passed on.
    pub fn new(target: usize, max_line: usize, fill: bool) -> Self {
        Chunker { target, max_line, fill, position: 0, carry: Vec::new() }
    }

    /// The byte at which the next chunk begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes read so far; some of them may not be in a chunk yet.
    pub fn bytes_read(&self) -> u64 {
        self.position + self.carry.len() as u64
    }

    /// Fills chunks to another size from now on.
    pub fn set_target(&mut self, target: usize) {
        self.target = target;
    }

    /// Goes on at another byte, where a line begins.
    pub fn jump(&mut self, position: u64) {
        self.position = position;
        self.carry.clear();
    }

    /// The next chunk, in `into`. Not to be called after the last. Errors are those of `fill`; the bytes before the
    /// error are kept, so that the call may be made again.
    pub fn next(&mut self, fill: &mut Fill<'_>, into: &mut Vec<u8>) -> io::Result<Cut> {
        into.clear();
        into.append(&mut self.carry);
        // Where the last newline ends, once there is one. What was carried has one only behind an over-long line.
        let mut lines_end = memchr::memrchr(b'\n', into).map_or(0, |at| at + 1);
        loop {
            let enough = lines_end > 0 && (!self.fill || into.len() >= self.target);
            if enough {
                return Ok(self.cut(into, lines_end));
            }
            if lines_end == 0 && into.len() > self.max_line {
                return self.skip_line(fill, into);
            }
            let before = into.len();
            into.reserve_exact(self.target.saturating_sub(before).max(self.target.min(WORTH_A_READ)));
            match fill(into) {
                Ok(0) => return Ok(self.end(into)),
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
        let head = into[..OVERSIZED_HEAD.min(self.max_line)].to_vec();
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
                    // What was skipped is given up as one over-long line without an end; the error comes next time.
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
