//! Any number of tallies files as one: headers are held against each other and added up, pairs are merged as they are read.
//!
//! Memory is that of the headers and of a few buffers for each file that is open; more files than that are merged in
//! rounds.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{BUFFER, Header, Part, Tallies, Totals, Unsaved, Writer, clash};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::metrics::Progress;
use crate::model::escape::printable;
use crate::spill::{PairReader, merge};

/// Files that are open at the same time.
const AT_ONCE: usize = 128;

/// Files that answer the same question from different bytes.
#[derive(Debug)]
pub struct Files {
    paths: Vec<PathBuf>,
    header: Header,
    progress: Arc<Progress>,
}

/// Takes a pair of a part: source, server, count.
pub type Take<'a, E> = dyn FnMut(Part, &[u8], &[u8], u64) -> Result<(), E> + 'a;

/// A file on its way into another.
enum Source {
    Named(PathBuf),
    /// What some files were merged into.
    Scratch(File),
}

impl Files {
    /// Reads the headers. Errors with the first file that cannot be used, and with two that cannot be added up: of another
    /// question, or of the same bytes.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let (mut header, progress): (Option<Header>, Arc<Progress>) = Default::default();
        let mut claims = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let next = Tallies::open(path, Arc::default())?.into_header();
            progress.add_known(std::fs::metadata(path).map_or(0, |found| found.len()));
            for share in &next.inputs {
                claims.extend(share.pieces.iter().map(|piece| (share.name.clone(), piece.from, piece.to, at)));
            }
            match &mut header {
                None => header = Some(next),
                Some(header) => match header.question.difference(&next.question) {
                    Some(difference) => return Err(clash(&paths[0], path, &difference)),
                    None => header.join(next),
                },
            }
        }
        let Some(header) = header else { return Err(Error::usage("name the tallies files")) };
        claims.sort();
        for pair in claims.windows(2) {
            let ((name, _, end, one), (other_name, from, to, other)) = (&pair[0], &pair[1]);
            if name == other_name && from < end {
                let bytes = format!("both hold bytes {from} to {} of {}", to.min(end), printable(name));
                return Err(clash(&paths[*one], &paths[*other], &bytes));
            }
        }
        Ok(Files { paths: paths.to_vec(), header, progress })
    }

    /// What they say together.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How much of them has been read; stays valid.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Calls `f` with each pair of each part once, in order, with its count over all files. Errors also if a file does not
    /// hold what it says: then nothing that `f` was told counts.
    pub fn for_each<E: From<Error>>(&self, f: &mut Take<'_, E>) -> Result<Totals, E> {
        let mut sources: VecDeque<Source> = self.paths.iter().cloned().map(Source::Named).collect();
        while sources.len() > AT_ONCE {
            let merged = scratch(self.open_all(sources.drain(..AT_ONCE))?)?;
            sources.push_back(Source::Scratch(merged));
        }
        combine(self.open_all(sources)?, f)
    }

    fn open_all(&self, sources: impl IntoIterator<Item = Source>) -> Result<Vec<Tallies>> {
        let open = |source| match source {
            Source::Named(path) => Tallies::open(&path, self.progress()),
            // What it was merged from has been read.
            Source::Scratch(file) => Tallies::read(Path::new("a temporary file"), file, Arc::default()),
        };
        sources.into_iter().map(open).collect()
    }

    /// Writes them as one file.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), Unsaved> {
        let mut writer = Writer::new(BufWriter::with_capacity(BUFFER, out), &self.header)?;
        self.for_each::<Unsaved>(&mut |part, from, to, count| Ok(writer.push(part, from, to, count)?))?;
        Ok(writer.finish()?.flush()?)
    }
}

/// Some files as one without a name.
fn scratch(files: Vec<Tallies>) -> Result<File> {
    let cannot = |source| Error::from(ErrorKind::System { action: "cannot write a temporary file".into(), source });
    let mut headers = files.iter().map(|file| file.header().clone());
    let Some(mut header) = headers.next() else { return Err(Error::usage("name the tallies files")) };
    headers.for_each(|next| header.join(next));
    let out = BufWriter::with_capacity(BUFFER, tempfile::tempfile().map_err(cannot)?);
    let mut writer = Writer::new(out, &header).map_err(cannot)?;
    combine(files, &mut |part, from, to, count| writer.push(part, from, to, count).map_err(cannot))?;
    let mut file = writer.finish().map_err(cannot)?.into_inner().map_err(|error| cannot(error.into_error()))?;
    file.rewind().map_err(cannot)?;
    Ok(file)
}

/// Calls `f` with each pair of each part of some files, and makes sure that it was told of all.
fn combine<E: From<Error>>(mut files: Vec<Tallies>, f: &mut Take<'_, E>) -> Result<Totals, E> {
    let (mut read, mut merged) = (Totals::default(), Totals::default());
    for part in Part::ALL {
        fail::fail_point!("tallies");
        let sources = files.iter_mut().map(|file| {
            let (section, path) = file.part(part);
            // One group: counts of all files add up.
            (0, PairReader::new(Named { section, path }))
        });
        let mut failed = None;
        let pairs = merge(sources, |from, to, [count, _]| {
            merged.add(part, count);
            f(part, from, to, count).map_err(|error| {
                failed = Some(error);
                io::Error::from(io::ErrorKind::Other)
            })
        });
        match (failed, pairs) {
            (Some(error), _) => return Err(error),
            (None, Err(error)) => return Err(Error::from(ErrorKind::Tallies(error.to_string())).into()),
            (None, Ok(pairs)) => read.pairs[part as usize] = pairs,
        }
    }
    let mut written = Totals::default();
    for file in files {
        written.join(file.finish()?);
    }
    if written.pairs != read.pairs || written.connections != merged.connections {
        let message = format!("the files say that they have {:?} pairs, and have {:?}", written.pairs, read.pairs);
        return Err(Error::from(ErrorKind::Tallies(message)).into());
    }
    Ok(merged)
}

/// A section whose errors say which file it is of.
struct Named<'a, R> {
    section: R,
    path: &'a Path,
}

impl<R> Named<'_, R> {
    fn named(path: &Path, error: &io::Error) -> io::Error {
        // What is read of a pair may end with the section.
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends within a pair".to_owned(),
            _ => error.to_string(),
        };
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {message}", show_path(path)))
    }
}

impl<R: BufRead> BufRead for Named<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let path = self.path;
        self.section.fill_buf().map_err(|error| Self::named(path, &error))
    }

    fn consume(&mut self, bytes: usize) {
        self.section.consume(bytes);
    }
}

impl<R: BufRead> Read for Named<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let path = self.path;
        self.section.read(into).map_err(|error| Self::named(path, &error))
    }
}
