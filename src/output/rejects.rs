//! Files of lines that did not count: malformed ones and late ones.
//!
//! They hold text, in which each byte that is not text, or could act on a terminal, is `\xNN`;
//! `escape::bytes` gives the bytes back. Blocks are written as they come, so that a killed run
//! leaves what it had; at the end they are put in the order of the inputs, so that the file is the
//! same for every number of threads.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::medium::Tell;
use super::pipes::PipeWait;
use super::save::folder_of;
use super::whole::{Left, write_lines};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::model::InputId;
use crate::model::escape::{printable, printable_line};

/// The most bytes that wait for room, where inputs are followed.
const MOST_WAITING: usize = 1 << 20;

/// A file that many workers append blocks of whole lines to. A file that cannot be written holds
/// nobody up.
pub struct RejectsFile {
    path: PathBuf,
    inner: Mutex<Inner>,
    /// What is called with what is not written.
    tell: Arc<dyn Tell>,
    /// Whether lines wait until there is room. Otherwise nothing is written behind those that did
    /// not fit.
    waits: bool,
}

struct Inner {
    file: File,
    length: u64,
    /// Where each block belongs and where it is; `None` if they stay as they come.
    blocks: Option<Vec<RejectBlock>>,
    /// Whole lines for which there was no room.
    waiting: VecDeque<Vec<u8>>,
    /// The lines that were dropped without waiting, and have not been told of yet.
    dropped: usize,
    /// Those that were told of.
    lost: usize,
    /// Why they wait or were dropped, as long as any are.
    trouble: Option<io::Error>,
    /// Whether there is half a line at the end, which cannot be cut back.
    torn: bool,
}

impl Inner {
    fn new(file: File, blocks: Option<Vec<RejectBlock>>) -> Self {
        Inner { file, length: 0, blocks, waiting: VecDeque::new(), dropped: 0, lost: 0, trouble: None, torn: false }
    }
}

#[derive(Clone, Copy)]
struct RejectBlock {
    /// Input, and the byte of it at which the block's batch begins.
    place: (InputId, u64),
    at: u64,
    length: u64,
}

impl RejectsFile {
    /// Makes or empties the file.
    pub fn create(path: &Path, pipes: &PipeWait, tell: Arc<dyn Tell>) -> Result<Self> {
        let open = |read| pipes.open(path, File::options().read(read).write(true).create(true).truncate(true));
        // What cannot be read back, such as a pipe, is written in the order of arrival.
        let file = open(true).or_else(|_| open(false));
        let file = file.map_err(|source| Error::output(show_path(path), "cannot open for writing", source))?;
        let inner = Mutex::new(Inner::new(file, Some(Vec::new())));
        Ok(RejectsFile { path: path.to_owned(), inner, tell, waits: false })
    }

    /// Opens the file to write behind what it holds, for a run that goes on: blocks stay in the
    /// order in which they come, and lines for which there is no room wait until there is.
    pub fn append_to(path: &Path, pipes: &PipeWait, tell: Arc<dyn Tell>) -> Result<Self> {
        let file = pipes.open(path, File::options().append(true).create(true));
        let file = file.map_err(|source| Error::output(show_path(path), "cannot open for writing", source))?;
        Ok(RejectsFile { path: path.to_owned(), inner: Mutex::new(Inner::new(file, None)), tell, waits: true })
    }

    /// Appends a block of whole lines that come from the batch at `place`: an input, and a byte of
    /// it. Each is written, waits, or is counted as one that is not.
    pub fn append(&self, place: (InputId, u64), block: &[u8]) {
        let mut inner = self.inner.lock();
        self.write_waiting(&mut inner);
        let rest = if inner.trouble.is_none() { self.write(&mut inner, place, block) } else { block };
        if rest.is_empty() {
            return;
        }
        if inner.torn || !self.waits {
            inner.dropped += lines(rest);
            return;
        }
        inner.waiting.push_back(rest.to_vec());
        inner.keep_waiting(MOST_WAITING);
    }

    /// Writes what waits, as far as there is room.
    fn write_waiting(&self, inner: &mut Inner) {
        if inner.torn || !self.waits {
            return;
        }
        // Blocks that have waited stay in the order in which they came.
        let anywhere = (InputId(0), 0);
        while let Some(block) = inner.waiting.pop_front() {
            let rest = self.write(inner, anywhere, &block);
            if !rest.is_empty() {
                let rest = rest.to_vec();
                inner.waiting.push_front(rest);
                return;
            }
        }
        if let Some(source) = inner.trouble.take() {
            let (path, dropped) = (show_path(&self.path), std::mem::take(&mut inner.dropped));
            inner.lost += dropped;
            self.tell.warn(&format!("{path}: can be written again"));
            if dropped > 0 {
                let action = format!("{path}: {dropped} lines were dropped, for which there was no room");
                self.tell.fail(ErrorKind::System { action, source }.into());
            }
        }
    }

    /// Writes those lines of a block for which there is room; the others.
    fn write<'a>(&self, inner: &mut Inner, place: (InputId, u64), block: &'a [u8]) -> &'a [u8] {
        let (written, unwritten) = match write_lines(&mut inner.file, block) {
            Ok(()) => (block.len(), None),
            Err((written, unwritten)) => (written, Some(unwritten)),
        };
        inner.wrote(place, written as u64);
        if let Some(unwritten) = unwritten {
            inner.torn = unwritten.left == Left::Torn;
            if inner.trouble.is_none() && self.waits {
                let (path, source) = (show_path(&self.path), &unwritten.source);
                let then = match inner.torn {
                    true => "and no more lines, as what was begun cannot be cut back".to_owned(),
                    false => format!("and up to {} KiB of lines wait until it can be written", MOST_WAITING >> 10),
                };
                self.tell.warn(&format!("{path}: cannot write: {source}; counting goes on, {then}"));
            }
            inner.trouble = Some(unwritten.source);
        }
        &block[written..]
    }

    /// At the end: writes what waits, and says what is lost.
    pub fn settle(&self) {
        let mut inner = self.inner.lock();
        self.write_waiting(&mut inner);
        if let Some(source) = inner.trouble.take() {
            let lost = inner.dropped + inner.lines_waiting();
            let holds = match inner.torn {
                true => "what was begun cannot be cut back, so that it ends within one",
                false => "it holds the others, whole",
            };
            let lost = if lost == 1 { "1 line is".to_owned() } else { format!("{lost} lines are") };
            let action = format!("{}: {lost} not written; {holds}", show_path(&self.path));
            self.tell.fail(ErrorKind::System { action, source }.into());
        }
    }

    /// How many lines that were appended are not in the file.
    pub fn unkept(&self) -> u64 {
        let inner = self.inner.lock();
        (inner.lost + inner.dropped + inner.lines_waiting()) as u64
    }

    /// Puts the blocks in order.
    pub fn finish(&self) -> Result<()> {
        let mut inner = self.inner.lock();
        // Where there is no room for all lines, there is none for a sorted copy either.
        if inner.trouble.is_some()
            || inner.blocks.as_ref().is_none_or(|blocks| blocks.is_sorted_by_key(|block| block.place))
        {
            return Ok(());
        }
        let regular = inner.file.metadata().is_ok_and(|found| found.is_file());
        if !regular {
            return Ok(());
        }
        inner.reorder(&self.path).map_err(|source| Error::output(show_path(&self.path), "cannot write", source))
    }
}

impl Inner {
    /// Notes a block that was written.
    fn wrote(&mut self, place: (InputId, u64), length: u64) {
        if length == 0 {
            return;
        }
        if let Some(blocks) = &mut self.blocks {
            blocks.push(RejectBlock { place, at: self.length, length });
        }
        self.length += length;
    }

    fn lines_waiting(&self) -> usize {
        self.waiting.iter().map(|block| lines(block)).sum()
    }

    /// Drops the oldest lines that wait, as many as it takes to make room for this many bytes.
    fn keep_waiting(&mut self, most: usize) {
        let mut excess = self.waiting.iter().map(Vec::len).sum::<usize>().saturating_sub(most);
        while excess > 0 {
            let Some(oldest) = self.waiting.front_mut() else { return };
            // Behind the newline at which enough has been dropped.
            let end = memchr::memchr(b'\n', oldest.get(excess - 1..).unwrap_or_default()).map(|at| excess + at);
            let dropped = end.unwrap_or(oldest.len());
            self.dropped += lines(&oldest[..dropped]);
            oldest.drain(..dropped);
            excess = excess.saturating_sub(dropped);
            if oldest.is_empty() {
                self.waiting.pop_front();
            }
        }
    }

    /// Writes the blocks in order to a file beside it, which then takes its name.
    fn reorder(&mut self, path: &Path) -> io::Result<()> {
        if !fs::symlink_metadata(path)?.is_file() {
            return self.reorder_in_place();
        }
        let folder = folder_of(path);
        let mut ordered = tempfile::NamedTempFile::new_in(folder)?;
        self.copy_ordered(ordered.as_file_mut())?;
        // A temporary file is for its owner only; this one takes over the permissions of the file
        // it replaces.
        ordered.as_file().set_permissions(self.file.metadata()?.permissions())?;
        ordered.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    }

    /// Where the name is a link, another file would take the place of the link: the blocks are put
    /// back into this one.
    fn reorder_in_place(&mut self) -> io::Result<()> {
        let mut ordered = tempfile::tempfile()?;
        self.copy_ordered(&mut ordered)?;
        ordered.rewind()?;
        self.file.rewind()?;
        io::copy(&mut ordered, &mut self.file)?;
        Ok(())
    }

    fn copy_ordered(&mut self, to: &mut File) -> io::Result<()> {
        let mut blocks = self.blocks.take().unwrap_or_default();
        blocks.sort_by_key(|block| block.place);
        for block in &blocks {
            self.file.seek(SeekFrom::Start(block.at))?;
            io::copy(&mut (&self.file).take(block.length), to)?;
        }
        Ok(())
    }
}

/// How many lines a block has.
fn lines(block: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', block).count()
}

/// Appends one malformed line: where it stands, a tab, why, a tab, and its bytes as text. `input`
/// is a name as it is shown.
pub fn reject_line(out: &mut Vec<u8>, input: &str, at: u64, cause: &str, line: &[u8]) {
    out.extend_from_slice(format!("{input}:{at}\t{cause}\t{}\n", printable(line)).as_bytes());
}

/// Appends one late line, so that it can be read as one again, without what it ended with.
pub fn late_line(out: &mut Vec<u8>, line: &[u8]) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    out.extend_from_slice(printable_line(line).as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::escape::{bytes, is_hostile};
    use proptest::prelude::*;

    /// What was told.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Tell for Told {
        fn warn(&self, text: &str) {
            self.0.lock().push(text.to_owned());
        }

        fn fail(&self, error: Error) {
            self.0.lock().push(error.to_string());
        }
    }

    fn create(path: &Path) -> RejectsFile {
        RejectsFile::create(path, &PipeWait::default(), Arc::new(Told::default())).unwrap()
    }

    proptest! {
        /// Of lines that wait, the newest stay that there is room for, and all others are counted.
        #[test]
        fn the_newest_lines_wait(blocks in prop::collection::vec("([a-z]{0,9}\n){1,6}", 1..8), most in 0usize..80) {
            let mut inner = Inner::new(tempfile::tempfile().unwrap(), None);
            inner.waiting = blocks.iter().map(|block| block.clone().into_bytes()).collect();
            inner.keep_waiting(most);
            let left = String::from_utf8(inner.waiting.iter().flatten().copied().collect()).unwrap();
            let all = blocks.concat();
            prop_assert!(all.ends_with(&left) && left.len() <= most);
            prop_assert_eq!(inner.dropped, lines(all.as_bytes()) - lines(left.as_bytes()));
            // One line more would be too much.
            let before = &all[..all.len() - left.len()];
            let next = before.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default().len() + 1;
            prop_assert!(before.is_empty() || before.ends_with("\n\n") && left.len() + 1 > most || left.len() + next > most);
        }
    }

    #[test]
    fn blocks_end_up_in_the_order_of_the_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects");
        let file = create(&path);
        for (input, from, text) in [(1, 0, "d\n"), (0, 100, "b\nc\n"), (0, 7, "a\n"), (1, 9, "e\n")] {
            file.append((InputId(input), from), text.as_bytes());
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "d\nb\nc\na\ne\n");
        file.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\nc\nd\ne\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_line_is_shown_on_one_line_and_had_back_from_there() {
        let lines: [&[u8]; 5] =
            [b"plain \\ text", b"a\tb\x1b[2J\r", b"\xff\\xff", "\u{202e}\u{3164}\n".as_bytes(), b""];
        for line in lines {
            let (mut rejected, mut late) = (Vec::new(), Vec::new());
            reject_line(&mut rejected, "odd\\x09name", 7, "empty host", line);
            let text = String::from_utf8(rejected).unwrap();
            let fields: Vec<&str> = text.strip_suffix('\n').unwrap().split('\t').collect();
            assert_eq!((fields[0], fields[1], fields.len()), ("odd\\x09name:7", "empty host", 3));
            assert!(!fields.concat().chars().any(is_hostile), "{text:?}");
            assert_eq!(bytes(fields[2]), line);
            late_line(&mut late, line);
            let text = String::from_utf8(late).unwrap();
            assert!(!text.strip_suffix('\n').unwrap().chars().any(|c| is_hostile(c) && c != '\t'), "{text:?}");
            assert_eq!(bytes(text.strip_suffix('\n').unwrap()), line.strip_suffix(b"\r").unwrap_or(line));
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("rejects"), folder.path().join("link"));
        fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink("rejects", &link).unwrap();
        let file = create(&link);
        for (from, text) in [(9, "b\n"), (0, "a\n")] {
            file.append((InputId(0), from), text.as_bytes());
        }
        file.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
    }

    #[test]
    fn a_bad_path_fails_at_once() {
        let error =
            RejectsFile::create(Path::new("/no/such/folder/x"), &PipeWait::default(), Arc::new(Told::default()))
                .err()
                .unwrap();
        assert!(error.to_string().contains("/no/such/folder/x: cannot open for writing"), "{error}");
    }
}
