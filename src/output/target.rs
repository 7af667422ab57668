//! Where results go: standard output, a file, or a writer that was given; opened before the run
//! starts, so that a bad path fails at once.
//!
//! Not here: how a result is laid out (each output says that), and which paths clash (`claim`).
//! Invariant: a result is written whole, or the caller is told how much of it was not.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::pipes::PipeWait;
use super::whole::{Left, Unwritten, write_whole};
use crate::error::{Error, Result, show_path};

/// Takes results, each whole or not at all.
pub struct Target {
    /// A path, or `stdout`.
    pub name: String,
    place: Sink,
}

enum Sink {
    File(File),
    /// A file that a run without end appends to, and opens again when it is asked to, so that it
    /// can be rotated.
    Appended(Appended),
    /// Cannot be cut back.
    Writer(Box<dyn Write + Send>),
    /// Holds the last result only.
    Last(LastResult),
}

/// The last result, as it is written to standard output.
pub type LastResult = Arc<Mutex<Vec<u8>>>;

struct Appended {
    path: PathBuf,
    file: File,
    pipes: PipeWait,
    reopen: Arc<Reopen>,
    /// How often it was opened again.
    opened: u64,
}

/// Asks for files to be opened again.
#[derive(Debug, Default)]
pub struct Reopen {
    asked: Arc<AtomicBool>,
    times: AtomicU64,
}

impl Reopen {
    /// Asked for by a flag, which a signal handler may own too.
    pub fn new(asked: Arc<AtomicBool>) -> Self {
        Reopen { asked, times: AtomicU64::new(0) }
    }

    /// Opens the files again before the next result, if that was asked for.
    pub fn heed(&self) {
        if self.asked.swap(false, Ordering::Relaxed) {
            self.times.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Target {
    /// Standard output.
    pub fn stdout() -> Result<Self> {
        // Not through the buffer of the library, which may hold a part of what could not be
        // written.
        let file = io::stdout().as_fd().try_clone_to_owned();
        let file = file.map_err(|source| Error::output("stdout", "cannot open for writing", source))?;
        Ok(Target { name: "stdout".to_owned(), place: Sink::File(File::from(file)) })
    }

    /// A file, which is made or emptied. Errors with the path.
    pub fn create(path: &Path, pipes: &PipeWait) -> Result<Self> {
        let opened = pipes.open(path, File::options().write(true).create(true).truncate(true));
        let file = opened.map_err(|source| cannot_open(path, source))?;
        Ok(Target { name: show_path(path), place: Sink::File(file) })
    }

    /// A file, which is made or appended to. Whether there is something in it is told too. Errors
    /// with the path.
    pub fn append_to(path: &Path, reopen: Arc<Reopen>, pipes: PipeWait) -> Result<(Self, bool)> {
        let (file, has_content) = open_whole(path, &pipes).map_err(|source| cannot_open(path, source))?;
        let opened = reopen.times.load(Ordering::Relaxed);
        let place = Sink::Appended(Appended { path: path.to_owned(), file, pipes, reopen, opened });
        Ok((Target { name: show_path(path), place }, has_content))
    }

    /// A writer.
    pub fn given(name: String, writer: Box<dyn Write + Send>) -> Self {
        Target { name, place: Sink::Writer(writer) }
    }

    /// A place for the last result, in place of standard output.
    pub fn last(last: LastResult) -> Self {
        Target { name: "stdout".to_owned(), place: Sink::Last(last) }
    }

    /// Whether a result takes the place of the one before it.
    pub fn holds_last(&self) -> bool {
        matches!(self.place, Sink::Last(_))
    }

    /// Opens a file again if that was asked for. Gives whether there is something in the new one,
    /// if there is a new one.
    pub fn reopened(&mut self) -> io::Result<Option<bool>> {
        let Sink::Appended(appended) = &mut self.place else { return Ok(None) };
        let times = appended.reopen.times.load(Ordering::Relaxed);
        if times == appended.opened {
            return Ok(None);
        }
        let (file, has_content) = open_whole(&appended.path, &appended.pipes)?;
        appended.file = file;
        appended.opened = times;
        Ok(Some(has_content))
    }

    /// Writes a result.
    pub fn write(&mut self, result: &[u8]) -> Result<(), Unwritten> {
        match &mut self.place {
            Sink::File(file) | Sink::Appended(Appended { file, .. }) => write_whole(file, result),
            Sink::Writer(writer) => {
                let written = writer.write_all(result).and_then(|()| writer.flush());
                written.map_err(|source| Unwritten { source, left: Left::Nothing })
            }
            Sink::Last(last) => {
                *last.lock() = result.to_vec();
                Ok(())
            }
        }
    }

    /// Whether it is a file, in which there may be room again.
    pub fn is_file(&self) -> bool {
        match &self.place {
            Sink::File(file) | Sink::Appended(Appended { file, .. }) => {
                file.metadata().is_ok_and(|found| found.is_file())
            }
            Sink::Writer(_) | Sink::Last(_) => false,
        }
    }
}

/// Opens a file to append to, behind whole lines only: a line that a crash has cut gets its end.
fn open_whole(path: &Path, pipes: &PipeWait) -> io::Result<(File, bool)> {
    let mut file = pipes.open(path, File::options().append(true).create(true))?;
    let found = file.metadata()?;
    if found.is_file() && found.len() > 0 {
        let mut last = [b'\n'];
        let mut reader = File::open(path)?;
        reader.seek(SeekFrom::End(-1))?;
        reader.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok((file, found.len() > 0))
}

fn cannot_open(path: &Path, source: io::Error) -> Error {
    Error::output(show_path(path), "cannot open for writing", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e3_an_appended_file_is_opened_anew_when_asked_and_holds_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (path, rotated) = (dir.path().join("out"), dir.path().join("out.1"));
        std::fs::write(&path, "cut by a cra").unwrap();
        let asked = Arc::new(AtomicBool::new(false));
        let reopen = Arc::new(Reopen::new(Arc::clone(&asked)));
        let (mut out, has_content) = Target::append_to(&path, Arc::clone(&reopen), PipeWait::default()).unwrap();
        assert!(has_content);
        let mut write = |text: &str| {
            reopen.heed();
            let reopened = out.reopened().unwrap();
            out.write(text.as_bytes()).unwrap();
            reopened
        };
        assert_eq!(write("one\n"), None);
        std::fs::rename(&path, &rotated).unwrap();
        assert_eq!(write("two\n"), None);
        asked.store(true, Ordering::Relaxed);
        assert_eq!(write("three\n"), Some(false));
        assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "cut by a cra\none\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    }
}
