//! Any number of tallies files as one: headers are held against each other and added up, pairs are
//! merged as they are read.
//!
//! Memory is that of the headers and of a few buffers for each file that is open; more files than
//! that are merged in rounds.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::SectionReader;
use super::header::TalliesHeader;
use super::layout::{BUFFER, CountedWindow, FileTotals};
use super::read::Tallies;
use super::write::TalliesWriter;
use crate::error::{Error, ErrorKind, Result, Unsaved, show_path};
use crate::metrics::Progress;
use crate::model::escape::printable;
use crate::model::{Amount, MeasureSet};
use crate::spill::{PairInput, PairReader, merge};

/// Files that are open at the same time.
const AT_ONCE: usize = 128;

/// Files that answer the same question from different bytes.
#[derive(Debug)]
pub struct Files {
    /// With the hash of its header each.
    paths: Vec<(PathBuf, u64)>,
    header: TalliesHeader,
    progress: Arc<Progress>,
}

/// Takes a pair of a part: source, server, what is counted.
pub type Take<'a, E> = dyn FnMut(CountedWindow, &[u8], &[u8], Amount) -> Result<(), E> + 'a;

/// A file on its way into another.
enum MergeInput {
    Named(PathBuf, u64),
    /// What some files were merged into.
    Scratch(File),
}

impl Files {
    /// Reads the headers. Errors with the first file that cannot be used, and with two that cannot
    /// be added up: of another question, or of the same bytes.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let (mut header, progress): (Option<TalliesHeader>, Arc<Progress>) = Default::default();
        // By input: the pieces of each file. A name is there once, however many pieces it has.
        let mut claims: BTreeMap<Vec<u8>, Vec<(u64, u64, usize)>> = BTreeMap::new();
        let mut guards = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let file = Tallies::open(path, Arc::default())?;
            guards.push(file.guard());
            let next = file.into_header();
            progress.add_known(std::fs::metadata(path).map_or(0, |found| found.len()));
            for share in &next.inputs {
                let pieces = share.pieces.iter().map(|piece| (piece.from, piece.to, at));
                claims.entry(share.name.clone()).or_default().extend(pieces);
            }
            let Some(header) = &mut header else {
                header = Some(next);
                continue;
            };
            // What is summed is a part of the question, and said more plainly.
            if let Some(difference) = header.other_measures(&next) {
                return Err(clash(&paths[0], path, &difference));
            }
            if let Some(difference) = header.question.difference(&next.question) {
                return Err(clash(&paths[0], path, &difference));
            }
            if let Some(difference) = header.other_build(&next) {
                return Err(clash(&paths[0], path, &difference));
            }
            header.join(next).map_err(|problem| clash(&paths[0], path, &problem))?;
        }
        let Some(header) = header else { return Err(Error::usage("name the tallies files")) };
        for (name, mut pieces) in claims {
            pieces.sort_unstable();
            for pair in pieces.windows(2) {
                let ((_, end, one), (from, to, other)) = (&pair[0], &pair[1]);
                if from < end {
                    let bytes = format!("both hold bytes {from} to {} of {}", to.min(end), printable(&name));
                    return Err(clash(&paths[*one], &paths[*other], &bytes));
                }
            }
        }
        Ok(Files { paths: paths.iter().cloned().zip(guards).collect(), header, progress })
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(|(path, _)| path.as_path())
    }

    /// What they say together.
    pub fn header(&self) -> &TalliesHeader {
        &self.header
    }

    /// How much of them has been read; stays valid.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Calls `f` with each pair of each part once, in order, with its count over all files. Errors
    /// also if a file does not hold what it says: then nothing that `f` was told counts.
    pub fn for_each<E: From<Error>>(&self, f: &mut Take<'_, E>) -> Result<FileTotals, E> {
        let mut sources: VecDeque<MergeInput> =
            self.paths.iter().map(|(path, guard)| MergeInput::Named(path.clone(), *guard)).collect();
        while sources.len() > AT_ONCE {
            let merged = scratch(self.open_all(sources.drain(..AT_ONCE))?)?;
            sources.push_back(MergeInput::Scratch(merged));
        }
        combine(self.open_all(sources)?, f)
    }

    fn open_all(&self, sources: impl IntoIterator<Item = MergeInput>) -> Result<Vec<Tallies>> {
        let open = |source| match source {
            MergeInput::Named(path, guard) => match Tallies::open(&path, self.progress())? {
                file if file.guard() == guard => Ok(file),
                _ => Err(Error::tallies(&path, "it was changed while it was read; run again")),
            },
            // What it was merged from has been read.
            MergeInput::Scratch(file) => Tallies::read(Path::new("a temporary file"), file, Arc::default()),
        };
        sources.into_iter().map(open).collect()
    }

    /// Writes them as one file.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), Unsaved> {
        let mut writer = TalliesWriter::new(BufWriter::with_capacity(BUFFER, out), &self.header)?;
        self.for_each::<Unsaved>(&mut |part, from, to, amount| Ok(writer.push(part, from, to, amount)?))?;
        Ok(writer.finish()?.flush()?)
    }
}

/// Some files as one without a name.
fn scratch(files: Vec<Tallies>) -> Result<File> {
    let cannot = |source| Error::from(ErrorKind::System { action: "cannot write a temporary file".into(), source });
    let mut headers = files.iter().map(|file| file.header().clone());
    let Some(mut header) = headers.next() else { return Err(Error::usage("name the tallies files")) };
    for next in headers {
        header.join(next).map_err(ErrorKind::Tallies)?;
    }
    let out = BufWriter::with_capacity(BUFFER, tempfile::tempfile().map_err(cannot)?);
    let mut writer = TalliesWriter::new(out, &header).map_err(cannot)?;
    combine(files, &mut |part, from, to, amount| writer.push(part, from, to, amount).map_err(cannot))?;
    let mut file = writer.finish().map_err(cannot)?.into_inner().map_err(|error| cannot(error.into_error()))?;
    file.rewind().map_err(cannot)?;
    Ok(file)
}

/// Calls `f` with each pair of each part of some files, and makes sure that it was told of all.
fn combine<E: From<Error>>(mut files: Vec<Tallies>, f: &mut Take<'_, E>) -> Result<FileTotals, E> {
    let mut merged = FileTotals::default();
    let mut held = vec![FileTotals::default(); files.len()];
    // All answer the same question.
    let longest = files.first().map_or(0, |file| file.header().question.max_line);
    let measures = files.first().map_or_else(MeasureSet::default, |file| MeasureSet::of(file.header().measures()));
    for part in CountedWindow::ALL {
        fail::fail_point!("tallies");
        let sources = files.iter_mut().zip(&mut held).map(|(file, held)| {
            let (section, path) = file.part(part);
            // One group: counts of all files add up.
            let named = Named { begins: section.at(), section, path, part, held };
            (0, PairReader::new(named, longest).with_measures(measures))
        });
        let mut failed = None;
        let pairs = merge(sources, |from, to, [amount, _]| {
            merged.add(part, amount)?;
            f(part, from, to, amount).map_err(|error| {
                failed = Some(error);
                io::Error::from(io::ErrorKind::Other)
            })
        });
        match (failed, pairs) {
            (Some(error), _) => return Err(error),
            (None, Err(error)) => return Err(Error::from(ErrorKind::Tallies(error.to_string())).into()),
            (None, Ok(_)) => {}
        }
    }
    for (file, held) in files.into_iter().zip(held) {
        file.finish(held)?;
    }
    Ok(merged)
}

/// A section whose errors say which file it is of.
struct Named<'a, R> {
    section: SectionReader<'a, R>,
    path: &'a Path,
    /// Which pairs these are.
    part: CountedWindow,
    /// What the file holds.
    held: &'a mut FileTotals,
    /// The byte at which the pair begins that is being read.
    begins: u64,
}

impl<R: Read> PairInput for Named<'_, R> {
    fn begins(&mut self) {
        self.begins = self.section.at();
    }

    fn ended(&mut self, pairs: u64, total: Amount) {
        self.held.pairs[self.part as usize] = pairs;
        self.held.connections[self.part as usize] = total.connections;
        self.held.sums[self.part as usize] = total.sums;
    }

    fn located(&self, error: io::Error) -> io::Error {
        // The bytes read of a pair may end with the section.
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends within a pair".to_owned(),
            _ => error.to_string(),
        };
        let text = format!("{}: {message} (in the pair at byte {})", show_path(self.path), self.begins);
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

impl<R: Read> BufRead for Named<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.section.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.section.consume(bytes);
    }
}

impl<R: Read> Read for Named<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.section.read(into)
    }
}

/// Two files that cannot be added up.
fn clash(one: &Path, other: &Path, message: &str) -> Error {
    let (one, other) = (show_path(one), show_path(other));
    ErrorKind::Clash(format!("{one} and {other} cannot be added up: {message}")).into()
}
