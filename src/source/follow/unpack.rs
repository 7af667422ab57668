//! A compressed file decompressed to its end, a piece at a time, to learn how long it is and what stands
//! before some positions.
//!
//! Not here: what is made of that (`compressed`). Invariant: a file has an end only if it is whole,
//! whatever follows its first member.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::content::TAIL;
use crate::model::Guard;
use crate::source::codec::{Form, Unpacker};
use crate::source::opened::BytesAt;

/// Bytes that are decompressed in one look at all files: a tenth of a second or so.
pub(super) const AT_ONCE: u64 = 32 << 20;

/// Bytes that are decompressed at a time.
const PIECE: usize = 64 << 10;

/// A file that is being decompressed.
pub(super) struct Unpacking {
    file: Arc<File>,
    unpacker: Unpacker,
    /// Bytes that it holds, as far as that is known.
    length: u64,
    tails: Vec<(u64, Vec<u8>)>,
    state: Unpacked,
}

impl fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacking").field("length", &self.length).field("state", &self.state).finish_non_exhaustive()
    }
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpacked {
    /// Its end is not reached yet.
    Going,
    /// It is whole, and holds this many bytes.
    Whole(u64),
    /// It is damaged, or is not finished.
    Broken,
}

impl Unpacking {
    /// Begins with a file; the bytes before these positions are kept.
    pub fn new(file: Arc<File>, (form, memory): (Form, u64), positions: impl Iterator<Item = u64>) -> Self {
        let tails = positions.map(|position| (position, Vec::new())).collect();
        let unpacker = Unpacker::new(form, memory, Vec::new());
        Unpacking { file, unpacker, length: 0, tails, state: Unpacked::Going }
    }

    /// Goes on until this many more bytes are decompressed, which are taken from `most`.
    pub fn go_on(&mut self, most: &mut u64) -> Unpacked {
        let mut piece = Vec::with_capacity(PIECE);
        while self.state == Unpacked::Going && *most > 0 {
            piece.clear();
            let (file, mut at) = (&self.file, self.unpacker.read_so_far());
            let mut refill = |input: &mut Vec<u8>| {
                let read = file.read_at(at, input)?;
                at += read as u64;
                Ok(read)
            };
            match self.unpacker.read(&mut refill, &mut piece) {
                Ok(0) => self.state = Unpacked::Whole(self.length),
                Ok(read) => {
                    self.keep(&piece);
                    *most = most.saturating_sub(read as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.state = Unpacked::Broken,
            }
        }
        self.state
    }

    /// Whether the bytes before a position are kept.
    pub fn keeps(&self, position: u64) -> bool {
        self.tails.iter().any(|(at, _)| *at == position)
    }

    /// Whether its end is not reached yet, and may lie behind a position whose bytes are kept.
    pub fn seeks(&self, position: u64) -> bool {
        self.state == Unpacked::Going && self.keeps(position)
    }

    /// Whether the bytes that `tail` was made of stand before a position, which are kept. An empty
    /// guard agrees only with position 0.
    pub fn holds(&self, position: u64, tail: &Guard) -> bool {
        let found = self.tails.iter().find(|(at, _)| *at == position);
        (position == 0 || tail.bytes > 0) && found.is_some_and(|(_, bytes)| tail.holds(bytes))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let here = self.length..self.length + bytes.len() as u64;
        for (position, tail) in &mut self.tails {
            let (from, to) = (position.saturating_sub(TAIL as u64).max(here.start), (*position).min(here.end));
            if from < to {
                tail.extend(&bytes[(from - here.start) as usize..(to - here.start) as usize]);
            }
        }
        self.length = here.end;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::source::MOST_MEMORY;

    const GZIP: (Form, u64) = (Form::Gzip, MOST_MEMORY);

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn file(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    #[test]
    fn the_bytes_before_each_position_are_known_at_the_end_of_all_members_however_they_are_cut() {
        let text: Vec<u8> = (0..200_000u32).map(|at| (at % 251) as u8).collect();
        let positions = [0, 1, 255, 256, 65_535, 65_536, 65_700, 199_999, 200_000];
        for cuts in [&[200_000][..], &[1, 65_536, 134_463], &[100, 199_900]] {
            let (mut bytes, mut from) = (Vec::new(), 0);
            for length in cuts {
                bytes.extend(packed(&text[from..from + length]));
                from += length;
            }
            let mut unpacking = Unpacking::new(file(&bytes), GZIP, positions.into_iter());
            let mut rounds = 0;
            while unpacking.go_on(&mut 70_000) == Unpacked::Going {
                rounds += 1;
            }
            assert_eq!((rounds, unpacking.state), (1, Unpacked::Whole(200_000)), "in pieces");
            for position in positions {
                let before = &text[..position as usize];
                let tail = Guard::of(&before[before.len().saturating_sub(TAIL)..]);
                assert!(unpacking.holds(position, &tail), "{position}");
                assert!(position == 0 || !unpacking.holds(position, &Guard::of(b"x")), "{position}");
            }
            assert!(!unpacking.holds(200_001, &Guard::default()) && !unpacking.holds(1, &Guard::default()));
        }
    }

    #[test]
    fn what_is_cut_short_or_damaged_has_no_end() {
        let whole = packed(&b"some bytes, and more of them\n".repeat(1000));
        let mut damaged = whole.clone();
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        for bytes in [&whole[..whole.len() - 1], &whole[..30], &damaged[..], b""] {
            let mut unpacking = Unpacking::new(file(bytes), GZIP, [].into_iter());
            assert_eq!(unpacking.go_on(&mut { u64::MAX }), Unpacked::Broken, "{} bytes", bytes.len());
        }
    }
}
