//! Tallies as files: what was counted of some bytes of some inputs, to be added up with what was
//! counted elsewhere.
//!
//! Counts add up in any order, and so do these files: merged in any order or tree, they give the
//! same file, byte for byte. Pairs stand there by their names, sorted, so that any number of files
//! is merged as they are read. The format is documented in `docs/tallies.md`. Not here: how counts
//! come about, and what reports make of them. Invariant: no byte of an input is in a file twice,
//! and nothing of a file is believed before its checksum is right.

mod check;
#[cfg(test)]
mod forged_tests;
mod frame;
mod header;
mod lines;
mod merge;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Progress;
use crate::spill::{PairWriter, Ranking};
use crate::tally::aggregates::Pairs;
use crate::tally::pane::Pane;
use crate::tally::{Aggregates, Side};
use frame::{FULL, FrameReader, FrameWriter, HEAD, Kind, SectionReader, invalid};

pub use header::{First, Header, Made, Order, Piece, Question, Sample, Share};
pub use merge::{Files, Take};

/// The version of the format that this program writes, and the highest that it reads.
pub const FORMAT: u32 = 2;

/// The first bytes of every file. The end of line shows a copy that was made as text.
const MAGIC: [u8; 8] = *b"lptally\n";

/// Bytes before the first frame.
const START: usize = MAGIC.len() + 4;

/// Bytes that are read from a file, or written to it, at a time.
const BUFFER: usize = 64 << 10;

/// Which window pairs are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The window.
    Window,
    /// The window of the same length before it.
    Before,
}

impl Part {
    /// In the order in which a file has them.
    pub const ALL: [Part; 2] = [Part::Window, Part::Before];

    fn kind(self) -> Kind {
        match self {
            Part::Window => Kind::Window,
            Part::Before => Kind::Before,
        }
    }
}

/// How many pairs a file has, and how many connections they have together, by part: what must have
/// been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Pairs.
    pub pairs: [u64; 2],
    /// Connections.
    pub connections: [u64; 2],
}

impl Totals {
    fn add(&mut self, part: Part, connections: u64) -> io::Result<()> {
        let sum = self.connections[part as usize].checked_add(connections);
        self.connections[part as usize] = sum.ok_or_else(too_many)?;
        self.pairs[part as usize] += 1;
        Ok(())
    }
}

/// Writes a file: the header, then the pairs of each part, in their order and with counts above 0.
struct Writer<W: Write> {
    frames: FrameWriter<W>,
    part: Part,
    pairs: PairWriter<Vec<u8>>,
    totals: Totals,
}

impl<W: Write> Writer<W> {
    fn new(mut out: W, header: &Header) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        out.write_all(&header.format().to_le_bytes())?;
        let mut frames = FrameWriter::new(out);
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.put(header)?;
        header.made.iter().try_for_each(|made| encoder.put(made))?;
        bytes.chunks(FULL).try_for_each(|payload| frames.write(Kind::Header, payload))?;
        Ok(Writer { frames, part: Part::Window, pairs: PairWriter::new(Vec::new()), totals: Totals::default() })
    }

    /// Adds a pair, which comes after those before it.
    fn push(&mut self, part: Part, from: &[u8], to: &[u8], count: u64) -> io::Result<()> {
        if part != self.part {
            self.end_part()?;
            self.part = part;
        }
        self.totals.add(part, count)?;
        self.pairs.push(from, to, count)?;
        let waiting = self.pairs.get_mut();
        while waiting.len() >= FULL {
            self.frames.write(part.kind(), &waiting[..FULL])?;
            waiting.drain(..FULL);
        }
        Ok(())
    }

    fn end_part(&mut self) -> io::Result<()> {
        let mut pairs = std::mem::replace(&mut self.pairs, PairWriter::new(Vec::new()));
        let rest = pairs.get_mut();
        if rest.is_empty() { Ok(()) } else { self.frames.write(self.part.kind(), rest) }
    }

    fn finish(mut self) -> io::Result<W> {
        self.end_part()?;
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).put(&self.totals)?;
        self.frames.write(Kind::End, &bytes)?;
        Ok(self.frames.into_inner())
    }
}

/// A file that is being read.
pub struct Tallies {
    path: PathBuf,
    frames: FrameReader<BufReader<Watched>>,
    header: Header,
    /// Of the header as it stands in the file.
    guard: u64,
}

/// A file of which is told how far it is read.
struct Watched {
    file: File,
    progress: Arc<Progress>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.progress.add_read(read as u64);
        Ok(read)
    }
}

impl Tallies {
    /// Opens a file and reads its header; `progress` is told how much of it is read. Errors say why
    /// it cannot be used.
    pub fn open(path: &Path, progress: Arc<Progress>) -> Result<Self> {
        let cannot = |error: io::Error| Error::tallies(path, error.to_string());
        let file = File::open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_dir() {
            return Err(Error::tallies(path, "it is a folder; name the files in it"));
        }
        Self::read(path, file, progress)
    }

    fn read(path: &Path, file: File, progress: Arc<Progress>) -> Result<Self> {
        Self::from_file(path, file, progress).map_err(|error| Error::tallies(path, error.to_string()))
    }

    fn from_file(path: &Path, mut file: File, progress: Arc<Progress>) -> io::Result<Self> {
        let format = version(&mut file)?;
        let input = BufReader::with_capacity(BUFFER, Watched { file, progress });
        let mut frames = FrameReader::new(input, START as u64);
        let read = |decoder: &mut Decoder<'_>| {
            let mut header: Header = decoder.get()?;
            header.made = if format > 1 { Some(decoder.get()?) } else { None };
            Ok(header)
        };
        let (header, bytes) = value(frames.section(Kind::Header), read)?;
        let at = START + HEAD;
        header.check().map_err(|problem| invalid(format!("its header, from byte {at} on, is none: {problem}")))?;
        Ok(Tallies { path: path.to_owned(), frames, header, guard: XxHash64::oneshot(0, &bytes) })
    }

    /// A hash of the header, to tell later whether it is still the same file.
    fn guard(&self) -> u64 {
        self.guard
    }

    /// What it says of its counts.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn into_header(self) -> Header {
        self.header
    }

    /// The bytes of the pairs of a part, and the file's name. All parts have to be read, in their
    /// order.
    fn part(&mut self, part: Part) -> (SectionReader<'_, BufReader<Watched>>, &Path) {
        (self.frames.section(part.kind()), &self.path)
    }

    /// Makes sure that nothing follows but the totals, and that they are those of the pairs that
    /// were read.
    fn finish(self, held: Totals) -> Result<()> {
        let Tallies { path, mut frames, header, guard: _ } = self;
        let check = || -> io::Result<()> {
            let section = frames.section(Kind::End);
            let at = section.at();
            let (totals, _): (Totals, _) = value(section, |decoder| decoder.get())?;
            if totals != held {
                let [said, found] = [totals, held].map(|totals| {
                    let Totals { pairs, connections } = totals;
                    format!("{pairs:?} pairs with {connections:?} connections")
                });
                return Err(invalid(format!("its end, at byte {at}, says {said}, and it has {found}")));
            }
            let from = START + HEAD;
            let located = |problem| invalid(format!("{problem}, which its header says from byte {from} on"));
            header.check_pairs(totals.connections).map_err(located)?;
            frames.end()
        };
        check().map_err(|error| Error::tallies(&path, error.to_string()))
    }
}

/// The value of a section, and its bytes.
fn value<T>(
    mut section: SectionReader<'_, impl Read>,
    read: impl FnOnce(&mut Decoder<'_>) -> io::Result<T>,
) -> io::Result<(T, Vec<u8>)> {
    let (at, mut bytes) = (section.at(), Vec::new());
    section.read_to_end(&mut bytes)?;
    let mut decoder = Decoder::new(&bytes[..], bytes.len() as u64);
    let value = read(&mut decoder).map_err(|error| invalid(format!("the value at byte {at}: {error}")))?;
    let left = decoder.left();
    drop(decoder);
    if left > 0 {
        return Err(invalid(format!("the value at byte {at} has {left} bytes more than it takes")));
    }
    Ok((value, bytes))
}

/// Whether a file begins as tallies files do.
pub fn is_one(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
}

fn too_many() -> io::Error {
    invalid("together they have more connections than a number of 64 bits can say")
}

/// Reads what every file begins with: the version of its format, if it is one that this program
/// reads.
fn version(file: &mut File) -> io::Result<u32> {
    let mut start = Vec::with_capacity(START);
    file.take(START as u64).read_to_end(&mut start)?;
    if start.is_empty() {
        return Err(invalid("it is empty"));
    }
    if !MAGIC.starts_with(&start[..start.len().min(MAGIC.len())]) {
        return Err(invalid("it is no tallies file of logparser"));
    }
    let version = start.get(MAGIC.len()..).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    match version {
        None => Err(invalid("it is cut short")),
        Some(known @ 1..=FORMAT) => Ok(known),
        Some(0) => Err(invalid("it is damaged: there is no format 0")),
        Some(newer) => Err(invalid(format!(
            "it has format {newer}, and this logparser ({}) reads up to format {FORMAT}; use a newer one",
            env!("CARGO_PKG_VERSION")
        ))),
    }
}

/// Writes the counts of a window as a file; all of it reaches the writer, or an error.
pub fn write(out: impl Write, header: &Header, view: &Aggregates) -> io::Result<()> {
    let mut writer = Writer::new(BufWriter::with_capacity(BUFFER, out), header)?;
    match view.pairs() {
        Pairs::Counted(counted) => {
            let ranking = Ranking::of(&counted.names);
            let panes: [Option<&Pane>; 2] = [Some(&counted.window), counted.previous.as_deref()];
            for (part, pane) in Part::ALL.into_iter().zip(panes) {
                let Some(pane) = pane else { continue };
                ranking.for_each_sorted(pane, Side::From, |from, to, count| writer.push(part, from, to, count))?;
            }
        }
        Pairs::Stored(stored) => {
            for part in Part::ALL {
                let mut pushed = Ok(());
                stored.for_each(Side::From, &mut |from, to, counts| {
                    let count = counts[part as usize];
                    if count > 0 && pushed.is_ok() {
                        pushed = writer.push(part, from, to, count);
                    }
                })?;
                pushed?;
            }
        }
    }
    writer.finish()?.flush()
}

/// Two files that cannot be added up.
fn clash(one: &Path, other: &Path, message: &str) -> Error {
    let (one, other) = (crate::error::show_path(one), crate::error::show_path(other));
    ErrorKind::Clash(format!("{one} and {other} cannot be added up: {message}")).into()
}
