//! A file read: its header at once, its pairs when somebody merges them, and its end held against
//! them.
//!
//! Not here: the order of the bytes (`layout`, `header`). Invariant: a file that is cut, altered or
//! forged is an error before it counts, or at the latest at its end, and takes no more memory than
//! its true parts do.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use twox_hash::XxHash64;

use super::frame::{FrameKind, FrameReader, HEAD, SectionReader, invalid};
use super::header::TalliesHeader;
use super::layout::{BUFFER, CountedWindow, FORMAT, FileTotals, MAGIC, START};
use crate::codec::Decoder;
use crate::error::{Error, Result};
use crate::metrics::Progress;
use crate::model::LaterNumbers;

/// A file that is being read.
pub struct Tallies {
    path: PathBuf,
    frames: FrameReader<BufReader<TrackedFile>>,
    header: TalliesHeader,
    /// Of the header as it stands in the file.
    guard: u64,
}

/// A file of which is told how far it is read.
pub(super) struct TrackedFile {
    file: File,
    progress: Arc<Progress>,
}

impl Read for TrackedFile {
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

    pub(super) fn read(path: &Path, file: File, progress: Arc<Progress>) -> Result<Self> {
        Self::from_file(path, file, progress).map_err(|error| Error::tallies(path, error.to_string()))
    }

    pub(super) fn from_file(path: &Path, mut file: File, progress: Arc<Progress>) -> io::Result<Self> {
        let format = version(&mut file)?;
        let input = BufReader::with_capacity(BUFFER, TrackedFile { file, progress });
        let mut frames = FrameReader::new(input, START as u64);
        let read = |decoder: &mut Decoder<'_>| {
            let mut header: TalliesHeader = decoder.get()?;
            header.made = if format > 1 { Some(decoder.get()?) } else { None };
            if format > 2 {
                let nothing = || invalid("it has format 3, and nothing that format 2 does not say");
                let later: LaterNumbers = decoder.get().map_err(|_| nothing())?;
                Some(later).filter(|later| format > 3 || later.is_any()).ok_or_else(nothing)?.put(&mut header.lines);
            }
            header.numbers = if format > 3 { Some(decoder.get()?) } else { None };
            Ok(header)
        };
        let (header, bytes) = value(frames.section(FrameKind::Header), read)?;
        let at = START + HEAD;
        header.check().map_err(|problem| invalid(format!("its header, from byte {at} on, is none: {problem}")))?;
        Ok(Tallies { path: path.to_owned(), frames, header, guard: XxHash64::oneshot(0, &bytes) })
    }

    /// A hash of the header, to tell later whether it is still the same file.
    pub(super) fn guard(&self) -> u64 {
        self.guard
    }

    /// What it says of its counts.
    pub fn header(&self) -> &TalliesHeader {
        &self.header
    }

    pub(super) fn into_header(self) -> TalliesHeader {
        self.header
    }

    /// The bytes of the pairs of a part, and the file's name. All parts have to be read, in their
    /// order.
    pub(super) fn part(&mut self, part: CountedWindow) -> (SectionReader<'_, BufReader<TrackedFile>>, &Path) {
        (self.frames.section(part.kind()), &self.path)
    }

    /// Makes sure that nothing follows but the totals, and that they are those of the pairs that
    /// were read.
    pub(super) fn finish(self, held: FileTotals) -> Result<()> {
        let Tallies { path, mut frames, header, guard: _ } = self;
        let check = || -> io::Result<()> {
            let section = frames.section(FrameKind::End);
            let at = section.at();
            let has_sums = !header.measures().is_empty();
            let read = |decoder: &mut Decoder<'_>| {
                let totals: FileTotals = decoder.get()?;
                Ok(FileTotals { sums: if has_sums { decoder.get()? } else { totals.sums }, ..totals })
            };
            let (totals, _) = value(section, read)?;
            if totals != held {
                let [said, found] = [totals, held].map(|totals| {
                    let FileTotals { pairs, connections, sums } = totals;
                    let sums = if has_sums { format!(" and {:?}", sums.map(|sums| sums.0)) } else { String::new() };
                    format!("{pairs:?} pairs with {connections:?} connections{sums}")
                });
                return Err(invalid(format!("its end, at byte {at}, says {said}, and it has {found}")));
            }
            let from = START + HEAD;
            let located = |problem| invalid(format!("{problem}, which its header says from byte {from} on"));
            header.check_pairs(totals.connections).and_then(|()| header.check_sums(totals.sums)).map_err(located)?;
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
