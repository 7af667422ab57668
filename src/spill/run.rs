//! A run: pairs with counts, sorted, each once, as bytes in a section of a file.
//!
//! A pair is: 0 if its first host is that of the pair before, else the length of the host's name
//! plus 1, and the name; the length of the second host's name, and the name; the count; the sum of each
//! measure. Numbers are
//! in base 128, the lowest digit first, all digits but the last with the top bit set (LEB128). Not
//! here: reading pairs back (`pairs`). Invariant: a run holds each pair once, in rising order.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::pairs::{PairInput, PairReader};
use crate::model::{Countable, MeasureSet};
use crate::tally::Side;

/// Bytes of a buffer for a file.
const BUFFER: usize = 64 << 10;

/// Bytes that are written before they have to be on the disk. What is not there yet is in memory,
/// which a control group counts as that of the process; and where the disk is slow, it cannot be
/// had back in time.
const WRITTEN_BACK: usize = 8 << 20;

fn buffered<W: io::Write>(inner: W) -> BufWriter<W> {
    BufWriter::with_capacity(BUFFER, inner)
}

/// Where the pairs are that were spilled from a pane at one time.
#[derive(Debug, Clone)]
pub(super) struct Run {
    file: Arc<File>,
    /// By source, and by server.
    sides: [Range<u64>; 2],
    /// How many sums stand behind each count.
    measures: MeasureSet,
}

/// Writes runs one after the other into a file that has no name and goes away with its last user.
pub(super) struct RunWriter {
    file: Arc<File>,
    out: BufWriter<SpillFile>,
    at: u64,
    measures: MeasureSet,
}

/// A file of which never more than a little waits to be written to the disk.
pub(super) struct SpillFile {
    file: Arc<File>,
    waiting: usize,
}

/// Writes pairs that come in order.
pub struct PairWriter<W> {
    out: W,
    written: u64,
    first: Vec<u8>,
    any: bool,
    /// How many sums stand behind each count.
    measures: MeasureSet,
}

impl RunWriter {
    /// To a new file in the temporary folder, with these measures.
    pub fn new(measures: MeasureSet) -> io::Result<Self> {
        fail::fail_point!("spill", |_| Err(io::Error::from(io::ErrorKind::StorageFull)));
        let file = Arc::new(tempfile::tempfile()?);
        let out = buffered(SpillFile { file: Arc::clone(&file), waiting: 0 });
        Ok(RunWriter { out, file, at: 0, measures })
    }

    /// Writes what `f` pushes, and gives where that is.
    pub fn section(&mut self, f: impl FnOnce(&mut Section<'_>) -> io::Result<()>) -> io::Result<Range<u64>> {
        let start = self.at;
        let mut section = PairWriter::new(&mut self.out).with_measures(self.measures);
        f(&mut section)?;
        self.at += section.written;
        Ok(start..self.at)
    }

    /// The run of two sections.
    pub fn run(&self, sides: [Range<u64>; 2]) -> Run {
        Run { file: Arc::clone(&self.file), sides, measures: self.measures }
    }

    /// Writes what is still held back.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes one side of a run.
pub(super) type Section<'a> = PairWriter<&'a mut BufWriter<SpillFile>>;

impl Write for SpillFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.as_ref().write(bytes)?;
        self.waiting += written;
        if self.waiting >= WRITTEN_BACK {
            self.file.sync_data()?;
            self.waiting = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> PairWriter<W> {
    /// To `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        PairWriter { out, written: 0, first: Vec::new(), any: false, measures: MeasureSet::default() }
    }

    /// The same with these measures behind each count.
    pub fn with_measures(self, measures: MeasureSet) -> Self {
        PairWriter { measures, ..self }
    }

    /// What it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Adds a pair, which comes after those before it.
    pub fn push(&mut self, first: &[u8], second: &[u8], what: impl Countable) -> io::Result<()> {
        if self.any && self.first == first {
            self.number(0)?;
        } else {
            self.number(first.len() as u64 + 1)?;
            self.bytes(first)?;
            self.first.clear();
            self.first.extend_from_slice(first);
            self.any = true;
        }
        self.number(second.len() as u64)?;
        self.bytes(second)?;
        let amount = what.amount();
        self.number(amount.connections)?;
        self.measures.places().try_for_each(|place| self.number(amount.sums.get(place)))
    }

    fn number(&mut self, mut number: u64) -> io::Result<()> {
        let (mut digits, mut length) = ([0; 10], 0);
        loop {
            digits[length] = number as u8 & 0x7f;
            number >>= 7;
            if number == 0 {
                return self.bytes(&digits[..=length]);
            }
            digits[length] |= 0x80;
            length += 1;
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// A section of a file, read without moving the place at which others read.
pub(super) struct Slice {
    file: Arc<File>,
    range: Range<u64>,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut buffer[..length], self.range.start)?;
        if read == 0 && length > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.range.start += read as u64;
        Ok(read)
    }
}

/// One side of a run, one pair at a time.
pub(super) fn side_of(run: &Run, side: Side) -> PairReader<BufReader<Slice>> {
    let slice = Slice { file: Arc::clone(&run.file), range: run.sides[side as usize].clone() };
    // Its names are as long as they were in memory.
    PairReader::new(BufReader::with_capacity(BUFFER, slice), u64::MAX).with_measures(run.measures)
}

impl PairInput for BufReader<Slice> {}
