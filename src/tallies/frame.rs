//! Bytes in frames that are checked before anything in them is believed.
//!
//! A frame is, numbers with the lowest byte first:
//!
//! ```text
//! 0      1  kind 1      4  length of the payload 5         the payload then   8  checksum: XXH64
//! over all of the frame before it; the seed is the number of the frame in its file, from 0
//! ```
//!
//! Invariant: a reader gives bytes in the order in which they were written, all of a frame or none.
//! That a frame is missing, is there twice or has changed places with another shows by its number.
//! Of those of a kind all are full but the last, so that the same bytes have the same frames.

use std::hash::Hasher;
use std::io::{self, BufRead, Read, Write};

use twox_hash::XxHash64;

/// Bytes of the payload of a full frame.
pub(super) const FULL: usize = 64 << 10;

/// Bytes before the payload.
pub(super) const HEAD: usize = 5;

/// What frames hold; a file has them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// The header.
    Header = b'H',
    /// Pairs of the window.
    Window = b'W',
    /// Pairs of the window before.
    Before = b'B',
    /// How much there is of them.
    End = b'E',
}

/// Writes frames one after the other.
pub(super) struct FrameWriter<W> {
    out: W,
    number: u64,
}

impl<W: Write> FrameWriter<W> {
    pub fn new(out: W) -> Self {
        FrameWriter { out, number: 0 }
    }

    /// What it was made of.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Writes a frame. The payload has 1 to `FULL` bytes.
    pub fn write(&mut self, kind: FrameKind, payload: &[u8]) -> io::Result<()> {
        let head = head(kind, payload.len());
        self.out.write_all(&head)?;
        self.out.write_all(payload)?;
        self.out.write_all(&checksum(self.number, &head, payload).to_le_bytes())?;
        self.number += 1;
        Ok(())
    }
}

/// Reads frames one after the other.
pub(super) struct FrameReader<R> {
    input: R,
    number: u64,
    /// The frame at hand, and how much of it has been given.
    kind: u8,
    payload: Vec<u8>,
    given: usize,
    at_hand: bool,
    /// The byte of the file at which the frame at hand begins.
    begins: u64,
    /// The byte at which the next one does.
    next: u64,
}

impl<R: Read> FrameReader<R> {
    /// Reads frames from here on, which is byte `at` of the file.
    pub fn new(input: R, at: u64) -> Self {
        FrameReader { input, number: 0, kind: 0, payload: Vec::new(), given: 0, at_hand: false, begins: at, next: at }
    }

    /// The bytes of the frames of this kind that come next, if any do.
    pub fn section(&mut self, kind: FrameKind) -> SectionReader<'_, R> {
        SectionReader { frames: self, kind }
    }

    /// Makes sure that nothing follows.
    pub fn end(mut self) -> io::Result<()> {
        if self.at_hand || self.input.read(&mut [0])? > 0 {
            return Err(invalid("it goes on behind its end"));
        }
        Ok(())
    }

    /// Reads the next frame and checks it.
    fn next(&mut self) -> io::Result<()> {
        let mut head = [0; HEAD];
        self.input.read_exact(&mut head).map_err(cut_short)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length == 0 || length > FULL {
            return Err(damaged(self.number, self.next));
        }
        let follows_part = self.number > 0 && self.kind == head[0] && self.payload.len() < FULL;
        self.payload.resize(length, 0);
        self.input.read_exact(&mut self.payload).map_err(cut_short)?;
        let mut sum = [0; 8];
        self.input.read_exact(&mut sum).map_err(cut_short)?;
        if checksum(self.number, &head, &self.payload) != u64::from_le_bytes(sum) {
            return Err(damaged(self.number, self.next));
        }
        if follows_part {
            let (frame, at) = (self.number, self.next);
            return Err(invalid(format!("its frame {frame}, at byte {at}, follows one of its kind that is not full")));
        }
        (self.begins, self.next) = (self.next, self.next + (HEAD + length + sum.len()) as u64);
        self.number += 1;
        (self.kind, self.given, self.at_hand) = (head[0], 0, true);
        Ok(())
    }
}

/// Bytes from frames of one kind; ends where another kind follows, or behind the last frame.
pub(super) struct SectionReader<'a, R> {
    frames: &'a mut FrameReader<R>,
    kind: FrameKind,
}

impl<R: Read> SectionReader<'_, R> {
    /// The byte of the file at which the next byte stands.
    pub fn at(&self) -> u64 {
        let frames = &self.frames;
        if frames.at_hand { frames.begins + (HEAD + frames.given) as u64 } else { frames.next }
    }
}

impl<R: Read> BufRead for SectionReader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let frames = &mut *self.frames;
        if !frames.at_hand && frames.kind != FrameKind::End as u8 {
            frames.next()?;
        }
        let is_mine = frames.at_hand && frames.kind == self.kind as u8;
        Ok(if is_mine { &frames.payload[frames.given..] } else { &[] })
    }

    fn consume(&mut self, bytes: usize) {
        self.frames.given += bytes;
        self.frames.at_hand &= self.frames.given < self.frames.payload.len();
    }
}

impl<R: Read> Read for SectionReader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

fn head(kind: FrameKind, length: usize) -> [u8; HEAD] {
    // A frame has at most `FULL` bytes.
    let [a, b, c, d] = (length as u32).to_le_bytes();
    [kind as u8, a, b, c, d]
}

fn checksum(number: u64, head: &[u8], payload: &[u8]) -> u64 {
    let mut hash = XxHash64::with_seed(number);
    hash.write(head);
    hash.write(payload);
    hash.finish()
}

fn cut_short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { invalid("it is cut short") } else { error }
}

fn damaged(frame: u64, at: u64) -> io::Error {
    invalid(format!("it is damaged: the checksum of its frame {frame}, at byte {at}, is not that of its content"))
}

pub(super) fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
