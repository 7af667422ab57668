//! Where results go: standard output or a file, opened before the run starts so that a bad path fails at once.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result, show_path};

/// Somewhere to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, which is made or emptied.
    File(PathBuf),
}

impl Target {
    /// Opens it. Errors with the path.
    pub fn open(self) -> Result<Box<dyn Write + Send>> {
        match self {
            // Outputs write a whole result at a time: a buffer that looks for line ends would only be in the way.
            Target::Stdout => Ok(Box::new(BufWriter::new(io::stdout()))),
            Target::File(path) => match File::create(&path) {
                Ok(file) => Ok(Box::new(BufWriter::new(file))),
                Err(source) => Err(cannot_open(&path, source)),
            },
        }
    }
}

/// A file that a run without end appends whole results to, and opens anew when it is asked to, so that it can be rotated.
pub struct Appended {
    path: PathBuf,
    file: File,
    /// What of a result has been written so far.
    result: Vec<u8>,
    reopen: Arc<Reopen>,
    /// How often it was opened anew.
    opened: u64,
}

/// Asks for files to be opened anew.
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

    /// Has the files be opened anew before the next result, if that was asked for.
    pub fn heed(&self) {
        if self.asked.swap(false, Ordering::Relaxed) {
            self.times.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Appended {
    /// Opens or makes the file. Whether there is something in it is told too. Errors with the path.
    pub fn open(path: &Path, reopen: Arc<Reopen>) -> Result<(Self, bool)> {
        let (file, has_content) = open_whole(path).map_err(|source| cannot_open(path, source))?;
        let opened = reopen.times.load(Ordering::Relaxed);
        Ok((Appended { path: path.to_owned(), file, result: Vec::new(), reopen, opened }, has_content))
    }
}

/// Opens a file to append to, behind whole lines only: a line that a crash has cut gets its end.
fn open_whole(path: &Path) -> io::Result<(File, bool)> {
    let mut file = File::options().append(true).create(true).open(path)?;
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

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.result.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Writes the result that was gathered, in one piece.
    fn flush(&mut self) -> io::Result<()> {
        let times = self.reopen.times.load(Ordering::Relaxed);
        if times != self.opened {
            self.file = open_whole(&self.path)?.0;
            self.opened = times;
        }
        let result = std::mem::take(&mut self.result);
        self.file.write_all(&result)
    }
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
        let (mut out, has_content) = Appended::open(&path, Arc::clone(&reopen)).unwrap();
        assert!(has_content);
        let mut write = |text: &str| {
            reopen.heed();
            out.write_all(text.as_bytes()).unwrap();
            out.flush().unwrap();
        };
        write("one\n");
        std::fs::rename(&path, &rotated).unwrap();
        write("two\n");
        asked.store(true, Ordering::Relaxed);
        write("three\n");
        assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "cut by a cra\none\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    }
}
