//! Compressed inputs as streams of what is in them: files, which can be read again from their start,
//! and streams, which turn out to be compressed once they are read.
//!
//! Not here: how bytes are decompressed (`codec`). Invariant: nothing of a stream is lost by looking
//! whether it is compressed; a file that rests keeps its decoder and gives its descriptor back.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::codec::{self, Codec, Form, Unpacker};
use super::opened::{ByteStream, BytesAt};
use crate::error::Error;

/// Bytes that are read of a stream to see what it is.
const FIRST_READ: usize = 64 << 10;

/// Opens a file again.
pub type OpenAgain = Box<dyn Fn() -> Result<Arc<dyn BytesAt>, Error> + Send + Sync>;

/// A compressed file, decompressed from its start.
pub struct PackedFile {
    reopen: OpenAgain,
    state: Mutex<(Unpacker, Option<Arc<dyn BytesAt>>)>,
}

impl PackedFile {
    /// At the start of a file that is open. Decompressing it takes `most` bytes of memory.
    pub fn new(form: Form, most: u64, file: Arc<dyn BytesAt>, reopen: OpenAgain) -> Self {
        PackedFile { reopen, state: Mutex::new((Unpacker::new(form, most, Vec::new()), Some(file))) }
    }
}

impl ByteStream for PackedFile {
    fn read(&self, _: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        let mut state = self.state.lock();
        let (unpacker, file) = &mut *state;
        let file = match file {
            Some(file) => file,
            none => none.insert((self.reopen)().map_err(io::Error::other)?),
        };
        let mut at = unpacker.read_so_far();
        let mut refill = |input: &mut Vec<u8>| {
            // What a file has is there at once, but a bomb may take long.
            if interrupted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let read = file.read_at(at, input)?;
            at += read as u64;
            Ok(read)
        };
        unpacker.read(&mut refill, into)
    }

    fn gives_again(&self) -> bool {
        true
    }

    fn packed(&self) -> Option<u64> {
        Some(self.state.lock().0.taken())
    }

    fn rest(&self) {
        self.state.lock().1 = None;
    }
}

/// A stream that may be compressed.
pub struct SniffedStream {
    stream: Arc<dyn ByteStream>,
    /// Bytes of memory that decompressing it may take.
    most: u64,
    state: Mutex<Sniffed>,
}

/// What is known of a stream.
enum Sniffed {
    /// That it began so, which does not say yet what it is.
    Head(Vec<u8>),
    /// It is not compressed; these bytes were read of it, and so many of them given.
    Plain(Vec<u8>, usize),
    Packed(Box<Unpacker>),
}

impl SniffedStream {
    /// One of which nothing has been read.
    pub fn new(stream: Arc<dyn ByteStream>, most: u64) -> Self {
        SniffedStream { stream, most, state: Mutex::new(Sniffed::Head(Vec::new())) }
    }

    /// Reads until it is known what the stream is.
    fn sniff(&self, head: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<Sniffed> {
        loop {
            head.reserve_exact(FIRST_READ);
            let read = self.stream.read(head.len() as u64, head, interrupted)?;
            if read == 0 || !codec::may_be(head) {
                break;
            }
        }
        let head = std::mem::take(head);
        Ok(match codec::of(&head) {
            Some(Codec { form: Some(form), .. }) => Sniffed::Packed(Box::new(Unpacker::new(form, self.most, head))),
            _ => Sniffed::Plain(head, 0),
        })
    }
}

impl ByteStream for SniffedStream {
    fn read(&self, offset: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        let mut state = self.state.lock();
        if let Sniffed::Head(head) = &mut *state {
            let sniffed = self.sniff(head, interrupted)?;
            *state = sniffed;
        }
        match &mut *state {
            Sniffed::Plain(head, given) if *given < head.len() => {
                let more = (head.len() - *given).min(into.capacity() - into.len());
                into.extend_from_slice(&head[*given..*given + more]);
                *given += more;
                if *given == head.len() {
                    (*head, *given) = (Vec::new(), 0);
                }
                Ok(more)
            }
            Sniffed::Packed(unpacker) => {
                let mut at = unpacker.read_so_far();
                let mut refill = |input: &mut Vec<u8>| {
                    let read = self.stream.read(at, input, interrupted)?;
                    at += read as u64;
                    Ok(read)
                };
                unpacker.read(&mut refill, into)
            }
            // While others wait for it, nobody else reads it: an input is with one worker at a time.
            _ => self.stream.read(offset, into, interrupted),
        }
    }

    fn packed(&self) -> Option<u64> {
        match &*self.state.lock() {
            Sniffed::Packed(unpacker) => Some(unpacker.taken()),
            _ => None,
        }
    }
}
