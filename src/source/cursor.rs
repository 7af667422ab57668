//! One input being read: opened, closed and opened again as descriptors allow, always going on
//! where it was.
//!
//! Files are read by position and never mapped: a file cut short while it is read is an error, not
//! a signal.

use std::io;

use super::chunker::{Chunker, Cut};
use super::codec;
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
}

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
    /// Bytes of the input that will not be read after all. Only in the last step.
    pub unread: u64,
    /// Why the input ended early, if it did.
    pub failure: Option<Error>,
    /// Whether this is the input's first step and it could be opened.
    pub opened: bool,
}

impl Cursor {
    /// At the start of an input, which is not opened yet. Sizes are in bytes.
    pub fn new(input: Input, chunk: usize, max_line: usize) -> Self {
        let chunker = Chunker::new(chunk, max_line, input.is_at());
        Cursor { input, chunker, opened: None, known: 0, started: false, end: u64::MAX, spool: None }
    }

    /// Keeps every byte that is read, if it could not be read again. Called before the first step.
    pub fn keep(&mut self) -> Result<()> {
        if !self.input.is_at() {
            self.spool = Some(Spool::new()?);
        }
        Ok(())
    }

    /// Whether bytes were taken from a stream, which does not give them again.
    pub fn has_taken(&self) -> bool {
        self.spool.is_some() && matches!(&self.opened, Some(Opened::Stream(stream)) if !stream.gives_again())
    }

    /// The input that gives what was kept and then goes on where this cursor is, or ends there if
    /// that was the end; `None` if the input itself still gives all of that.
    pub fn into_kept(self, ended: bool) -> Option<Input> {
        let rest = match self.opened {
            // What had been kept before has not all been read again.
            Some(Opened::Stream(stream)) if !stream.gives_again() => stream,
            // It could not be opened, or need not be kept.
            _ => return None,
        };
        Some(self.spool?.into_input(&self.input, (!ended).then_some(rest)))
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

    /// Gives the file descriptor back; reading on opens the file again. A stream stays open.
    pub fn rest(&mut self) {
        if self.input.is_at() {
            self.opened = None;
        }
    }

    /// Reads the next chunk into `into`. An input that cannot be read on ends with this step, which
    /// says why and keeps all whole lines read before. Not to be called after the last step.
    pub fn next(&mut self, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> ChunkStep {
        let before = self.known;
        let opened = !self.started;
        if let Err(error) = self.open() {
            into.clear();
            return self.give_up(error, before, false);
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
            Err(failure) => {
                into.clear();
                match failure {
                    Some(failure) => self.give_up(failure, before, opened),
                    None => self.interrupted(before, opened),
                }
            }
        }
    }

    /// Cuts the next chunk. Where it was cut, and how many zeros before it were passed over. Errors
    /// with why the input cannot be read on, or with nothing if it was interrupted.
    fn cut(
        &mut self,
        into: &mut Vec<u8>,
        interrupted: &dyn Fn() -> bool,
    ) -> std::result::Result<(Cut, u64), Option<Error>> {
        let offset = self.chunker.bytes_read();
        let mut filling = Filling {
            opened: &mut self.opened,
            spool: self.spool.as_mut(),
            offset,
            end: self.end,
            leading: offset == 0,
            zeros: 0,
        };
        let result = self.chunker.next(&mut |into: &mut Vec<u8>| filling.fill(into, interrupted), into);
        let (offset, zeros) = (filling.offset, filling.zeros);
        self.known = self.known.max(offset);
        let cut = match result {
            Ok(cut) => self.chunker.shifted(cut, zeros),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(None),
            Err(error) => {
                let action = format!("cannot read on at byte {offset}");
                return Err(Some(Error::input(self.input.path(), action, error)));
            }
        };
        if cut.from == 0
            && let Some(failure) = codec::refusal(self.input.path(), cut.oversized.as_deref().unwrap_or(into))
        {
            self.chunker = Chunker::new(1, 1, false);
            return Err(Some(failure));
        }
        Ok((cut, zeros))
    }

    /// What a chunk that was cut comes to.
    fn step(&self, before: u64, opened: bool, cut: Cut, zeros: u64) -> ChunkStep {
        let unread = if cut.last { self.known.min(self.end).saturating_sub(cut.to) } else { 0 };
        let failure = (unread > 0).then(|| {
            let action = format!("was cut short from {} to {} bytes while it was read", self.known, cut.to);
            Error::input(self.input.path(), action, io::Error::from(io::ErrorKind::UnexpectedEof))
        });
        let news = self.news(before, &cut, unread) + if self.input.is_streamed() { zeros } else { 0 };
        ChunkStep { news, unread, failure, opened, cut, zeros }
    }

    fn news(&self, before: u64, cut: &Cut, unread: u64) -> u64 {
        if self.input.is_streamed() { cut.to - cut.from + unread } else { self.known - before }
    }

    /// The end of an input that may not be read any further. The start of a line that was read
    /// stays unread.
    fn interrupted(&mut self, before: u64, opened: bool) -> ChunkStep {
        let at = self.chunker.position();
        let cut = Cut { from: at, to: at, oversized: None, last: true };
        let unread = self.known.min(self.end).saturating_sub(at);
        ChunkStep { news: self.news(before, &cut, unread), unread, failure: None, opened, cut, zeros: 0 }
    }

    fn give_up(&mut self, failure: Error, before: u64, opened: bool) -> ChunkStep {
        ChunkStep { failure: Some(failure), ..self.interrupted(before, opened) }
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
}

impl Filling<'_> {
    /// Appends more bytes; none at the end. How many.
    fn fill(&mut self, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        while self.offset < self.end {
            let before = into.len();
            if let Some(opened) = self.opened {
                opened.read(self.offset, into, interrupted)?;
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
