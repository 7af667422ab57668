//! One input being read: opened, closed and opened again as descriptors allow, always going on
//! where it was.
//!
//! Files are read by position and never mapped: a file cut short while it is read is an error, not
//! a signal.

use std::io;

use super::chunker::{Chunker, Cut};
use super::codec::{self, Damage};
use super::input::Input;
use super::opened::Opened;
use super::spool::Spool;
use crate::error::{Error, Result};

/// An input and how far it has been read.
pub struct Cursor {
    input: Input,
    chunker: Chunker,
    /// Nothing before it is opened, and while it rests.
    opened: Option<Opened>,
    /// Bytes of the input that are known to be there.
    known: u64,
    started: bool,
    /// The byte before which to stop.
    end: u64,
    /// Where every byte that is read is kept.
    spool: Option<Spool>,
    /// Bytes that were read before it rested, and have to be decompressed again.
    again: u64,
    /// Compressed bytes that earlier steps accounted for.
    packed: u64,
}

/// Bytes up to which a compressed input that rests is decompressed again rather than be kept: less
/// than what it would take to keep its decoder.
const AGAIN: u64 = 64 << 10;

/// What reading on gave.
#[derive(Debug)]
pub struct ChunkStep {
    /// Where the chunk was cut.
    pub cut: Cut,
    /// Bytes right before `cut.from` that are passed over: zeros at the start of the input.
    pub zeros: u64,
    /// Bytes of the input that are news: of a file its size at the first step and its growth later,
    /// of a stream those that this step accounts for.
    pub news: u64,
    /// Bytes of the input that will not be read after all. Only in the last step. Of a compressed
    /// input of which nothing could be read, these are the bytes that it takes, as far as is known.
    pub unread: u64,
    /// Compressed bytes that were taken for this step.
    pub packed: u64,
    /// Why the input ended early, if it did.
    pub failure: Option<Error>,
    /// Whether this is the input's first step and it could be opened.
    pub opened: bool,
}

impl Cursor {
    /// At the start of an input, which is not opened yet. Sizes are in bytes.
    pub fn new(input: Input, chunk: usize, max_line: usize) -> Self {
        let chunker = Chunker::new(chunk, max_line, input.gives_again());
        Cursor {
            input,
            chunker,
            opened: None,
            known: 0,
            started: false,
            end: u64::MAX,
            spool: None,
            again: 0,
            packed: 0,
        }
    }

    /// Keeps every byte that is read, if it could not be read again. Called before the first step.
    pub fn keep(&mut self) -> Result<()> {
        if !self.input.gives_again() {
            self.spool = Some(Spool::new()?);
        }
        Ok(())
    }

    /// Reads another input in place of this stream, of which it gives all: before the first step.
    pub fn read_instead(&mut self, input: Input) {
        self.input = input;
    }

    /// Whether bytes were taken from a stream, which does not give them again.
    pub fn has_taken(&self) -> bool {
        self.spool.is_some() && matches!(&self.opened, Some(Opened::Stream(stream)) if !stream.gives_again())
    }

    /// The input that gives what was kept and then goes on where this cursor is, or ends there if
    /// that was the end; `None` if the input itself still gives all of that.
    pub fn into_kept(self, ended: bool) -> Option<Input> {
        let packed = self.packed_so_far();
        let rest = match self.opened {
            // What had been kept before has not all been read again.
            Some(Opened::Stream(stream)) if !stream.gives_again() => stream,
            // It could not be opened, or need not be kept.
            _ => return None,
        };
        Some(self.spool?.into_input(&self.input, (!ended).then_some(rest), packed))
    }

    /// The input.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Bytes of the input that are known to be there, and the byte at which the next chunk begins.
    pub fn extent(&self) -> (u64, u64) {
        (self.known, self.chunker.position())
    }

    /// Fills chunks to another size from now on.
    pub fn set_chunk(&mut self, bytes: usize) {
        self.chunker.set_target(bytes);
    }

    /// Reads on at `from`, where a line begins, and stops before `to`, where another does.
    pub fn restrict(&mut self, from: u64, to: u64) {
        self.chunker.jump(from);
        self.end = to;
    }

    /// Reads on at a byte, where a line begins: what is before it has been read by others. Called
    /// before the first step.
    pub fn go_on_at(&mut self, position: u64) {
        self.chunker.jump(position);
        self.again = if self.input.is_packed() { position } else { 0 };
    }

    /// Gives the file descriptor back; reading on opens the file again. A stream stays open, and so
    /// does the decoder of a compressed file of which much has been read.
    pub fn rest(&mut self) {
        match &self.opened {
            Some(Opened::At(_)) => self.opened = None,
            Some(Opened::Stream(stream)) if self.input.is_packed() => {
                let read = self.chunker.bytes_read();
                if read > AGAIN || self.again > 0 {
                    return stream.rest();
                }
                (self.opened, self.again) = (None, read);
            }
            _ => {}
        }
    }

    /// Compressed bytes that were taken so far; `None` if the input is not compressed, as far as is
    /// known.
    fn packed_so_far(&self) -> Option<u64> {
        self.input.packed().or_else(|| self.opened.as_ref()?.packed())
    }

    /// Reads the next chunk into `into`. An input that cannot be read on ends with this step, which
    /// says why and keeps all whole lines read before. Not to be called after the last step.
    pub fn next(&mut self, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> ChunkStep {
        let before = self.known;
        let opened = !self.started;
        if let Err(error) = self.open() {
            return self.give_up(error, (before, 0), false, into);
        }
        self.started = true;
        // What has been kept of a stream was read before the interrupt.
        let kept = self.input.is_kept();
        let interrupted = &|| !kept && interrupted();
        if interrupted() {
            into.clear();
            return self.interrupted(before, opened);
        }
        match self.cut(into, interrupted) {
            Ok((cut, zeros)) => self.step(before, opened, cut, zeros),
            Err((Some(failure), zeros)) => self.give_up(failure, (before, zeros), opened, into),
            Err((None, _)) => {
                into.clear();
                self.interrupted(before, opened)
            }
        }
    }

    /// Cuts the next chunk. Where it was cut, and how many zeros before it were passed over. Errors
    /// with why the input cannot be read on, or with nothing if it was interrupted, and with these
    /// zeros.
    fn cut(
        &mut self,
        into: &mut Vec<u8>,
        interrupted: &dyn Fn() -> bool,
    ) -> std::result::Result<(Cut, u64), (Option<Error>, u64)> {
        let offset = self.chunker.bytes_read();
        let mut filling = Filling {
            opened: &mut self.opened,
            spool: self.spool.as_mut(),
            offset,
            end: self.end,
            leading: offset == 0,
            zeros: 0,
            again: &mut self.again,
        };
        let result = self.chunker.next(&mut |into: &mut Vec<u8>| filling.fill(into, interrupted), into);
        let (offset, zeros) = (filling.offset, filling.zeros);
        self.known = self.known.max(offset);
        let cut = match result {
            Ok(cut) => self.chunker.shifted(cut, zeros),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err((None, zeros)),
            Err(error) => return Err((Some(self.failure(offset, error)), zeros)),
        };
        if cut.from == 0
            && let Some(failure) = codec::refusal(self.input.path(), cut.oversized.as_deref().unwrap_or(into))
        {
            self.chunker = Chunker::new(1, 1, false);
            let twice =
                || Error::input(self.input.path(), "is compressed twice", io::Error::other("decompress it once"));
            return Err((Some(if self.packed_so_far().is_some() { twice() } else { failure }), 0));
        }
        Ok((cut, zeros))
    }

    /// Why the input cannot be read on at a byte.
    fn failure(&self, offset: u64, error: io::Error) -> Error {
        let action = match (Damage::of(&error), self.packed_so_far()) {
            (Some(damage), _) => damage.action(),
            (None, Some(packed)) => format!("cannot read on at compressed byte {packed}"),
            (None, None) => format!("cannot read on at byte {offset}"),
        };
        Error::input(self.input.path(), action, error)
    }

    /// What a chunk that was cut comes to.
    fn step(&mut self, before: u64, opened: bool, cut: Cut, zeros: u64) -> ChunkStep {
        let unread = if cut.last { self.known.min(self.end).saturating_sub(cut.to) } else { 0 };
        let failure = (unread > 0).then(|| {
            let action = format!("was cut short from {} to {} bytes while it was read", self.known, cut.to);
            Error::input(self.input.path(), action, io::Error::from(io::ErrorKind::UnexpectedEof))
        });
        let news = self.news(before, &cut, unread) + if self.input.is_streamed() { zeros } else { 0 };
        ChunkStep { news, unread, packed: self.take_packed(), failure, opened, cut, zeros }
    }

    /// Compressed bytes that were taken since the last step.
    fn take_packed(&mut self) -> u64 {
        // What is decompressed again counts once.
        let packed = self.packed_so_far().unwrap_or(0).saturating_sub(self.packed);
        self.packed += packed;
        packed
    }

    fn news(&self, before: u64, cut: &Cut, unread: u64) -> u64 {
        if self.input.is_streamed() { cut.to - cut.from + unread } else { self.known - before }
    }

    /// The end of an input that may not be read any further. The start of a line that was read
    /// stays unread.
    fn interrupted(&mut self, before: u64, opened: bool) -> ChunkStep {
        let at = self.chunker.position();
        self.ended(Cut { from: at, to: at, oversized: None, last: true }, before, opened)
    }

    /// The end of an input that cannot be read any further, with the whole lines that were read,
    /// behind so many zeros.
    fn give_up(&mut self, failure: Error, (before, zeros): (u64, u64), opened: bool, into: &mut Vec<u8>) -> ChunkStep {
        let cut = self.chunker.whole_lines(into);
        // Zeros before nothing are not read either.
        let zeros = if into.is_empty() { 0 } else { zeros };
        let cut = self.chunker.shifted(cut, zeros);
        let step = self.ended(cut, before, opened);
        let news = step.news + if self.input.is_streamed() { zeros } else { 0 };
        ChunkStep { failure: Some(failure), zeros, news, ..step }
    }

    fn ended(&mut self, cut: Cut, before: u64, opened: bool) -> ChunkStep {
        let unread = match self.packed_so_far().filter(|_| self.known == 0) {
            // How much is in it nobody knows.
            Some(packed) => self.input.stored().unwrap_or(packed),
            None => self.known.min(self.end).saturating_sub(cut.to),
        };
        let news = self.news(before, &cut, unread);
        ChunkStep { news, unread, packed: self.take_packed(), failure: None, opened, cut, zeros: 0 }
    }

    fn open(&mut self) -> Result<()> {
        if self.opened.is_none() {
            let (opened, size) = self.input.open()?;
            self.opened = Some(opened);
            if !self.started {
                self.known = size;
            }
        }
        Ok(())
    }
}

/// What fills a chunk: the bytes of an input from an offset on.
struct Filling<'a> {
    opened: &'a mut Option<Opened>,
    /// Where every byte that is read is kept.
    spool: Option<&'a mut Spool>,
    offset: u64,
    /// The byte before which to stop.
    end: u64,
    /// Whether nothing but zeros has been read of the input.
    leading: bool,
    /// Those.
    zeros: u64,
    /// Bytes that were read before, and have to be passed over.
    again: &'a mut u64,
}

impl Filling<'_> {
    /// Appends more bytes; none at the end. How many.
    fn fill(&mut self, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        while self.offset < self.end {
            let before = into.len();
            if let Some(opened) = self.opened {
                opened.read(self.offset, into, interrupted)?;
            }
            if *self.again > 0 && into.len() > before {
                let passed = usize::try_from(*self.again).unwrap_or(usize::MAX).min(into.len() - before);
                into.drain(before..before + passed);
                *self.again -= passed as u64;
                if into.len() == before {
                    continue;
                }
            }
            let wanted = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
            into.truncate(before.saturating_add(wanted));
            let read = into.len() - before;
            if let Some(spool) = &mut self.spool {
                spool.keep(&into[into.len() - read..])?;
            }
            self.offset += read as u64;
            if self.leading {
                self.zeros += pass_zeros(into);
                self.leading = into.is_empty();
            }
            if read == 0 || !self.leading {
                return Ok(into.len() - before);
            }
            if interrupted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        Ok(0)
    }
}

/// Takes the zeros from the start of an input's first bytes, as a truncation beneath a writer
/// leaves them. How many.
fn pass_zeros(bytes: &mut Vec<u8>) -> u64 {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    zeros as u64
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::source::places;

    fn input(file: &tempfile::NamedTempFile) -> Input {
        places::file::regular(file.path(), &file.as_file().metadata().unwrap())
    }

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_to_its_end_though_it_is_closed_in_between() {
        let file = file(b"1 a b\n2 c d\n3 e f");
        let mut cursor = Cursor::new(input(&file), 6, 100);
        let (mut all, mut news, mut into) = (Vec::new(), 0, Vec::new());
        loop {
            let step = cursor.next(&mut into, &|| false);
            assert!(step.failure.is_none() && step.unread == 0);
            all.extend_from_slice(&into);
            news += step.news;
            if step.cut.last {
                break;
            }
            cursor.rest();
        }
        assert_eq!(all, b"1 a b\n2 c d\n3 e f");
        assert_eq!(news, 17);
    }

    #[test]
    fn a_restricted_file_gives_the_bytes_between_and_then_others() {
        let file = file(b"1 a b\n2 c d\n3 e f\n4 g h\n");
        let mut cursor = Cursor::new(input(&file), 100, 100);
        let mut into = Vec::new();
        for (from, to, text) in
            [(6, 18, &b"2 c d\n3 e f\n"[..]), (0, 6, b"1 a b\n"), (18, 24, b"4 g h\n"), (24, 24, b"")]
        {
            cursor.restrict(from, to);
            let step = cursor.next(&mut into, &|| false);
            assert!(step.cut.last && step.unread == 0 && step.failure.is_none());
            assert_eq!((step.cut.from, step.cut.to, &into[..]), (from, to, text));
            assert_eq!(step.news, if from == 6 { 24 } else { 0 });
        }
    }

    #[test]
    fn a25_a_file_cut_short_is_an_error_that_says_how_much_is_missing() {
        let file = file(b"1 a b\n2 c d\n3 e f\n");
        let mut cursor = Cursor::new(input(&file), 6, 100);
        let mut into = Vec::new();
        assert!(!cursor.next(&mut into, &|| false).cut.last);
        file.as_file().set_len(6).unwrap();
        let step = cursor.next(&mut into, &|| false);
        assert!(step.cut.last && step.unread == 12);
        assert!(step.failure.unwrap().to_string().contains("was cut short from 18 to 6 bytes"));
    }

    #[test]
    fn an_interrupt_ends_an_input_at_a_line_end() {
        let file = file(b"1 a b\n2 c d\n3 e f\n");
        let mut cursor = Cursor::new(input(&file), 6, 100);
        let mut into = Vec::new();
        let first = cursor.next(&mut into, &|| false).cut;
        let step = cursor.next(&mut into, &|| true);
        assert!(step.cut.last && into.is_empty());
        assert_eq!((step.cut.from, step.unread), (first.to, 18 - first.to));
    }

    #[test]
    fn a_stream_that_was_looked_at_is_read_again_from_its_start() {
        let file = file(b"1 a b\n2 c d\n3 e f\n");
        let stream = places::file::stream(file.path());
        let mut looked = Cursor::new(stream, 8, 100);
        looked.keep().unwrap();
        let mut into = Vec::new();
        looked.next(&mut into, &|| false);
        assert_eq!(into, b"1 a b\n");
        let mut again = Cursor::new(looked.into_kept(false).unwrap(), 100, 100);
        let mut all = Vec::new();
        while !again.next(&mut into, &|| false).cut.last {
            all.append(&mut into);
        }
        all.append(&mut into);
        assert_eq!(all, b"1 a b\n2 c d\n3 e f\n");
    }

    #[test]
    fn b11_a_compressed_file_is_refused_with_the_remedy() {
        let file = file(b"\x1f\x8b\x08\x00\x00\n\x00");
        let step = Cursor::new(input(&file), 100, 100).next(&mut Vec::new(), &|| false);
        let text = step.failure.unwrap().to_string();
        assert!(text.contains("is compressed (gzip); pipe it in, decompressed by zcat"), "{text}");
        assert_eq!((step.news, step.unread, step.cut.to), (7, 7, 0));
    }

    #[test]
    fn a_file_that_was_replaced_is_not_read() {
        for read_before in [false, true] {
            let (file, other) = (file(b"1 a b\n2 c d\n3 e f\n"), file(b"4 g h\n5 i j\n6 k l\n"));
            let mut cursor = Cursor::new(input(&file), 6, 100);
            let mut into = Vec::new();
            if read_before {
                assert!(!cursor.next(&mut into, &|| false).cut.last);
                cursor.rest();
            }
            std::fs::rename(other.path(), file.path()).unwrap();
            let step = cursor.next(&mut into, &|| false);
            assert!(step.cut.last && into.is_empty());
            assert!(step.failure.unwrap().to_string().contains("was replaced before it was read"));
        }
    }
}
