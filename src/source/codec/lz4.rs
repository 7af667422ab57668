//! Frames of lz4, by its frame format: a header, blocks, and checksums of them.
//!
//! Not here: how a block is decompressed, which the crate does. Invariant: no more is held than one
//! block as it is compressed, one as it is decompressed, and the window before it.

use std::hash::Hasher;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

use super::form::lz4_block;
use super::frame::{Fault, FrameDecoder, Step};

/// Bytes before a block that it may refer to.
const WINDOW: usize = 64 << 10;

/// Bytes of the magic, and of the two bytes that say what else is in the header.
const FIXED: usize = 6;

/// Says that a block is not compressed.
const RAW: u32 = 1 << 31;

/// Decompresses a frame, and checks what is in it.
pub(super) struct Lz4 {
    piece: FramePiece,
    header: Lz4Header,
    /// What was taken of the piece that is next, and how many bytes that has.
    held: Vec<u8>,
    wanted: usize,
    /// The last block, and how many of its bytes were given.
    block: Vec<u8>,
    given: usize,
    /// What a block may refer to, if blocks refer to those before them.
    window: Vec<u8>,
    /// Of everything that was decompressed.
    hash: XxHash32,
    length: u64,
}

/// The piece that is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FramePiece {
    /// The part of the header that is always there.
    Fixed,
    /// All of it.
    Header,
    /// The length of a block, or 0 in place of another one.
    Length,
    /// A block, and its checksum if blocks have one; whether it is compressed.
    Block(bool),
    /// The checksum behind all blocks.
    Checksum,
    End,
}

/// What the header says.
#[derive(Debug, Clone, Copy, Default)]
struct Lz4Header {
    are_apart: bool,
    have_checksums: bool,
    has_checksum: bool,
    /// Bytes of all that is in the frame.
    length: Option<u64>,
    /// The most bytes of a block.
    most: usize,
}

impl Lz4 {
    /// At the start of a frame.
    pub fn new() -> Self {
        Lz4 {
            piece: FramePiece::Fixed,
            header: Lz4Header::default(),
            held: Vec::new(),
            wanted: FIXED,
            block: Vec::new(),
            given: 0,
            window: Vec::new(),
            hash: XxHash32::with_seed(0),
            length: 0,
        }
    }

    /// Deals with the piece that is held.
    fn advance(&mut self) -> Result<(), Fault> {
        let held = std::mem::take(&mut self.held);
        match self.piece {
            FramePiece::Fixed => self.fixed(&held)?,
            FramePiece::Header => self.header(&held)?,
            FramePiece::Length => self.next_block(&held)?,
            FramePiece::Block(is_packed) => self.block(&held, is_packed)?,
            FramePiece::Checksum => {
                if held != self.hash.finish_32().to_le_bytes() {
                    return Err(data("the checksum of its content does not match"));
                }
                self.next(FramePiece::End, 0);
            }
            FramePiece::End => {}
        }
        // The memory of one piece serves for the next.
        if self.held.is_empty() {
            self.held = held;
            self.held.clear();
        }
        Ok(())
    }

    fn next(&mut self, piece: FramePiece, wanted: usize) {
        (self.piece, self.wanted) = (piece, wanted);
    }

    fn fixed(&mut self, held: &[u8]) -> Result<(), Fault> {
        let flags = held[4];
        let (has_length, has_dictionary) = (flags & 8 != 0, flags & 1 != 0);
        if flags >> 6 != 1 || flags & 2 != 0 || held[5] & 0x8f != 0 {
            return Err(data("its frame is of a version that is not known"));
        }
        if has_dictionary {
            return Err(data("it needs a dictionary"));
        }
        self.header = Lz4Header {
            are_apart: flags & 0x20 != 0,
            have_checksums: flags & 0x10 != 0,
            has_checksum: flags & 4 != 0,
            length: None,
            most: lz4_block(held[5]).ok_or_else(|| data("its blocks are of a size that is not known"))?,
        };
        self.held = held.to_vec();
        self.next(FramePiece::Header, FIXED + if has_length { 8 } else { 0 } + 1);
        Ok(())
    }

    fn header(&mut self, held: &[u8]) -> Result<(), Fault> {
        let Some((check, described)) = held.split_last() else { return Err(data("it has no header")) };
        if *check != (XxHash32::oneshot(0, &described[4..]) >> 8) as u8 {
            return Err(data("the checksum of its header does not match"));
        }
        self.header.length =
            described.get(FIXED..FIXED + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        self.next(FramePiece::Length, 4);
        Ok(())
    }

    fn next_block(&mut self, held: &[u8]) -> Result<(), Fault> {
        let word = word(held)?;
        if word == 0 {
            if self.header.length.is_some_and(|length| length != self.length) {
                return Err(data("it has not as many bytes as it says"));
            }
            let (piece, wanted) =
                if self.header.has_checksum { (FramePiece::Checksum, 4) } else { (FramePiece::End, 0) };
            self.next(piece, wanted);
            return Ok(());
        }
        let length = (word & !RAW) as usize;
        if length > self.header.most {
            return Err(data("a block of it is longer than it says"));
        }
        self.next(FramePiece::Block(word & RAW == 0), length + if self.header.have_checksums { 4 } else { 0 });
        Ok(())
    }

    fn block(&mut self, held: &[u8], is_packed: bool) -> Result<(), Fault> {
        let (bytes, check) = held.split_at(held.len() - if self.header.have_checksums { 4 } else { 0 });
        if !check.is_empty() && word(check)? != XxHash32::oneshot(0, bytes) {
            return Err(data("the checksum of a block does not match"));
        }
        self.block.clear();
        if is_packed {
            self.block.resize(self.header.most, 0);
            let unpacked = match self.window.is_empty() {
                true => decompress_into(bytes, &mut self.block),
                false => decompress_into_with_dict(bytes, &mut self.block, &self.window),
            };
            let length = unpacked.map_err(|error| Fault::Data(format!("a block of it is damaged: {error}")))?;
            self.block.truncate(length);
        } else {
            self.block.extend_from_slice(bytes);
        }
        self.given = 0;
        self.length += self.block.len() as u64;
        if self.header.has_checksum {
            self.hash.write(&self.block);
        }
        if !self.header.are_apart {
            let more = &self.block[self.block.len().saturating_sub(WINDOW)..];
            let old = (self.window.len() + more.len()).saturating_sub(WINDOW);
            self.window.drain(..old);
            self.window.extend_from_slice(more);
        }
        self.next(FramePiece::Length, 4);
        Ok(())
    }
}

impl FrameDecoder for Lz4 {
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault> {
        let mut taken = 0;
        loop {
            let room = into.capacity() - into.len();
            let more = (self.block.len() - self.given).min(room);
            into.extend_from_slice(&self.block[self.given..self.given + more]);
            self.given += more;
            if self.given < self.block.len() {
                return Ok(Step { taken, is_end: false });
            }
            if self.piece == FramePiece::End {
                return Ok(Step { taken, is_end: true });
            }
            let more = (self.wanted - self.held.len()).min(input.len() - taken);
            self.held.extend_from_slice(&input[taken..taken + more]);
            taken += more;
            if self.held.len() < self.wanted {
                return Ok(Step { taken, is_end: false });
            }
            self.advance()?;
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        *self = Lz4 { block: std::mem::take(&mut self.block), held: std::mem::take(&mut self.held), ..Lz4::new() };
        self.block.clear();
        self.held.clear();
        Ok(())
    }
}

fn word(bytes: &[u8]) -> Result<u32, Fault> {
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| data("it is cut"))
}

fn data(why: &str) -> Fault {
    Fault::Data(why.to_owned())
}
