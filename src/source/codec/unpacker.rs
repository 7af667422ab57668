//! Decompresses a stream: one frame after the other, as bytes come and as there is room for what
//! they come to.
//!
//! Behind the last frame there may be zeros, as tapes and block devices leave them, and nothing
//! else. Not here: where the bytes come from. Invariant: all bytes before a damage are given before
//! it is told; a damage is told whenever more is asked for; and no more is held than one read and
//! what the decoder of the form takes.

use std::io;

use super::damage::Damage;
use super::form::{Form, HEAD_BYTES, MOST_MEMORY};
use super::frame::{Fault, FrameDecoder, Step};
use super::gzip::Gzip;

/// Bytes that are read at a time.
const READ: usize = 64 << 10;

/// How more compressed bytes come: appended within the spare capacity. How many; 0 is the end.
pub type Refill<'a> = dyn FnMut(&mut Vec<u8>) -> io::Result<usize> + 'a;

/// Decompresses a stream.
pub struct Unpacker {
    form: Form,
    /// Bytes of memory that it may take.
    most: u64,
    decoder: Option<Box<dyn FrameDecoder>>,
    place: StreamPlace,
    /// What was read, and how many bytes of it were taken.
    input: Vec<u8>,
    at: usize,
    progress: UnpackProgress,
    /// What is wrong, once that is known.
    damage: Option<Damage>,
}

/// How far a stream is decompressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct UnpackProgress {
    /// Compressed bytes that were taken.
    taken: u64,
    /// Bytes that were given.
    given: u64,
    /// The same at the start of the frame.
    whole: u64,
}

/// Where in its stream an unpacker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamPlace {
    /// At its start.
    Start,
    /// In a frame.
    Frame,
    /// Behind a frame, and so many zeros.
    Between(u64),
    /// In a frame that is to be passed over, with so many bytes left.
    Skipped(u64),
    End,
}

impl Unpacker {
    /// At the start of a stream, of which these bytes have been read. It takes `most` bytes of
    /// memory.
    pub fn new(form: Form, most: u64, head: Vec<u8>) -> Self {
        Unpacker {
            form,
            most: most.min(MOST_MEMORY),
            decoder: None,
            place: StreamPlace::Start,
            input: head,
            at: 0,
            progress: UnpackProgress::default(),
            damage: None,
        }
    }

    /// Compressed bytes that were taken.
    pub fn taken(&self) -> u64 {
        self.progress.taken
    }

    /// Compressed bytes that were read, taken or not.
    pub fn read_so_far(&self) -> u64 {
        self.progress.taken + (self.input.len() - self.at) as u64
    }

    /// Appends bytes, no more than there is room for; none at the end. How many. Errors are those of
    /// reading, and a damage.
    pub fn read(&mut self, refill: &mut Refill<'_>, into: &mut Vec<u8>) -> io::Result<usize> {
        let before = into.len();
        while into.len() == before && before < into.capacity() {
            if let Some(damage) = &self.damage {
                return Err(damage.clone().into());
            }
            match self.place {
                StreamPlace::End => return Ok(0),
                StreamPlace::Frame => self.decode(refill, into)?,
                StreamPlace::Start | StreamPlace::Between(_) => self.begin(refill)?,
                StreamPlace::Skipped(left) => self.skip(left, refill)?,
            }
        }
        Ok(into.len() - before)
    }

    /// Goes on in a frame, as far as there are bytes and room.
    fn decode(&mut self, refill: &mut Refill<'_>, into: &mut Vec<u8>) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let before = into.len();
        let decoded = decoder.decode(&self.input[self.at..], into);
        self.progress.given += (into.len() - before) as u64;
        match decoded {
            Ok(Step { taken, is_end }) => {
                self.take(taken);
                if is_end {
                    self.progress.whole = self.progress.given;
                    self.place = StreamPlace::Between(0);
                } else if taken == 0 && into.len() == before && self.refill(refill)? == 0 {
                    self.fail(Fault::CutShort);
                }
            }
            Err(fault) => self.fail(fault),
        }
        Ok(())
    }

    /// Begins with what is next: a frame, zeros, or nothing.
    fn begin(&mut self, refill: &mut Refill<'_>) -> io::Result<()> {
        // No more is waited for than it takes: a frame may be shorter than what the head of one may
        // have.
        while !self.is_clear() && self.refill(refill)? > 0 {}
        let head = &self.input[self.at..];
        let zeros = match self.place {
            StreamPlace::Between(zeros) => Some(zeros),
            _ => None,
        };
        if head.is_empty() {
            match zeros {
                Some(_) => self.place = StreamPlace::End,
                None => self.fail(Fault::CutShort),
            }
            return Ok(());
        }
        let padding = head.iter().take_while(|byte| **byte == 0).count();
        if let Some(zeros) = zeros.filter(|_| padding > 0) {
            self.take(padding);
            self.place = StreamPlace::Between(zeros + padding as u64);
            return Ok(());
        }
        // Streams of xz may have zeros between them, a multiple of four.
        let may_begin = zeros.is_none_or(|zeros| zeros == 0 || (self.form.name() == "xz" && zeros % 4 == 0));
        match frame(self.form, head) {
            Next::Frame(form) if may_begin => {
                if form != self.form {
                    (self.form, self.decoder) = (form, None);
                }
                self.open();
            }
            Next::Skipped(bytes) if may_begin => {
                self.take(SKIPPED_HEADER);
                self.place = StreamPlace::Skipped(bytes);
            }
            Next::Cut if may_begin => {
                self.take(self.input.len() - self.at);
                self.fail(Fault::CutShort);
            }
            _ => self.fail(Fault::Garbage),
        }
        Ok(())
    }

    /// Whether what was read says what is next.
    fn is_clear(&self) -> bool {
        let head = &self.input[self.at..];
        match frame(self.form, head) {
            Next::Frame(form) => head.len() >= HEAD_BYTES || form.claimed(head).is_some(),
            Next::Cut => false,
            Next::Skipped(_) | Next::Other => true,
        }
    }

    /// Begins with a frame.
    fn open(&mut self) {
        let wanted = self.form.memory(&self.input[self.at..]);
        let opened = match &mut self.decoder {
            _ if wanted > self.most => Err(Fault::Memory(Some(wanted), self.most)),
            Some(decoder) => decoder.begin(),
            none => open(self.form, self.most).map(|decoder| *none = Some(decoder)),
        };
        match opened {
            Ok(()) => self.place = StreamPlace::Frame,
            Err(fault) => self.fail(fault),
        }
    }

    /// Passes over bytes of a frame that holds nothing.
    fn skip(&mut self, left: u64, refill: &mut Refill<'_>) -> io::Result<()> {
        let here = (self.input.len() - self.at) as u64;
        if left > 0 && here == 0 {
            if self.refill(refill)? == 0 {
                self.fail(Fault::CutShort);
            }
            return Ok(());
        }
        let passed = left.min(here);
        self.take(usize::try_from(passed).unwrap_or(0));
        self.place = if passed == left { StreamPlace::Between(0) } else { StreamPlace::Skipped(left - passed) };
        Ok(())
    }

    fn take(&mut self, bytes: usize) {
        self.at += bytes;
        self.progress.taken += bytes as u64;
    }

    fn fail(&mut self, fault: Fault) {
        let UnpackProgress { taken, given, whole } = self.progress;
        self.damage = Some(Damage { form: self.form, at: taken, given, whole, fault });
    }

    /// Reads more, behind what was not taken. How many bytes.
    fn refill(&mut self, refill: &mut Refill<'_>) -> io::Result<usize> {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.reserve_exact(READ.saturating_sub(self.input.len()).max(HEAD_BYTES));
        refill(&mut self.input)
    }
}

/// Bytes at the start of a frame that is passed over: what it is, and how long.
const SKIPPED_HEADER: usize = 8;

/// What stands where a frame may begin.
enum Next {
    Frame(Form),
    /// One that holds nothing, of so many bytes behind its header.
    Skipped(u64),
    /// The beginning of one, and no more.
    Cut,
    Other,
}

/// What begins so in a stream of a form.
fn frame(form: Form, head: &[u8]) -> Next {
    use crate::model::magic;
    let of = magic::of(head).and_then(|magic| Form::named(magic.name));
    if magic::is_skipped(head) && is_skipping(form) {
        let length = head.get(4..SKIPPED_HEADER).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        return length.map_or(Next::Cut, |length| Next::Skipped(u64::from(length)));
    }
    match of {
        Some(of) if of == form || (is_skipping(form) && is_skipping(of)) => Next::Frame(of),
        None if magic::may_be(head) => Next::Cut,
        _ => Next::Other,
    }
}

/// Whether there are frames in such a stream that hold nothing. They are the same in all forms that
/// have them, so that the first one does not say which it is.
fn is_skipping(form: Form) -> bool {
    matches!(form.name(), "zstd" | "lz4")
}

/// A decoder of a form that takes so many bytes of memory at most.
fn open(form: Form, most: u64) -> Result<Box<dyn FrameDecoder>, Fault> {
    let _ = most;
    Ok(match form {
        Form::Gzip => Box::new(Gzip::new()),
        #[cfg(feature = "codecs")]
        Form::Zstd => Box::new(super::zstd::Zstd::new(super::form::window_log(most))?),
        #[cfg(feature = "codecs")]
        Form::Lz4 => Box::new(super::lz4::Lz4::new()),
        #[cfg(feature = "codecs")]
        Form::Bzip2 => Box::new(super::bzip2::Bzip2::new()),
        #[cfg(feature = "codecs")]
        Form::Xz => Box::new(super::xz::Xz::new(most)?),
    })
}
