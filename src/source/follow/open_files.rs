//! The files that are held open: so many at most, the ones used last.
//!
//! Invariant: a file that could not be opened again is closed only if all are such files.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Files that are closed at once when the system has no descriptor left, so that not every further
/// one meets that again.
const SHED: usize = 8;

/// The place of a file among them, whether it is open now or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileKey(u64);

/// Open files by key.
pub(super) struct OpenFiles {
    open: HashMap<FileKey, Held>,
    /// Keys by when they were used: those that can be opened again, and those that cannot.
    used: [BTreeMap<u64, FileKey>; 2],
    tick: u64,
    keys: u64,
    limit: usize,
    /// Answers that opening gives before it works, and reading. For tests.
    #[cfg(test)]
    pub faults: Faults,
}

/// Errors to come.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Faults {
    pub open: std::collections::VecDeque<Errno>,
    pub read: std::collections::VecDeque<Errno>,
}

struct Held {
    file: Arc<File>,
    tick: u64,
    kept: bool,
}

impl OpenFiles {
    /// At most `limit` open files, and at least one.
    pub fn new(limit: usize) -> Self {
        OpenFiles {
            open: HashMap::new(),
            used: [BTreeMap::new(), BTreeMap::new()],
            tick: 0,
            keys: 0,
            limit: limit.max(1),
            #[cfg(test)]
            faults: Faults::default(),
        }
    }

    /// A key that was not given before.
    pub fn new_key(&mut self) -> FileKey {
        self.keys += 1;
        FileKey(self.keys)
    }

    /// The open file of this key.
    pub fn get(&mut self, key: FileKey) -> Option<Arc<File>> {
        let held = self.open.get_mut(&key)?;
        self.tick += 1;
        self.used[usize::from(held.kept)].remove(&held.tick);
        self.used[usize::from(held.kept)].insert(self.tick, key);
        held.tick = self.tick;
        Some(Arc::clone(&held.file))
    }

    /// Files that are open.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// The error that the next read is to give.
    #[cfg(test)]
    pub fn read_fault(&mut self) -> Option<Errno> {
        self.faults.read.pop_front()
    }

    /// None: only tests make reading fail.
    #[cfg(not(test))]
    pub fn read_fault(&mut self) -> Option<Errno> {
        None
    }

    /// Whether the file of this key is open.
    pub fn holds(&self, key: FileKey) -> bool {
        self.open.contains_key(&key)
    }

    /// Holds a file open.
    pub fn put(&mut self, key: FileKey, file: Arc<File>) {
        self.close(key);
        while self.open.len() >= self.limit && self.close_oldest() {}
        self.tick += 1;
        self.used[0].insert(self.tick, key);
        self.open.insert(key, Held { file, tick: self.tick, kept: false });
    }

    /// Says whether the file of this key is to be kept before others, since it cannot be opened
    /// again.
    pub fn keep(&mut self, key: FileKey, kept: bool) {
        if let Some(held) = self.open.get_mut(&key) {
            self.used[usize::from(held.kept)].remove(&held.tick);
            held.kept = kept;
            self.used[usize::from(kept)].insert(held.tick, key);
        }
    }

    /// Closes the file of this key.
    pub fn close(&mut self, key: FileKey) {
        if let Some(held) = self.open.remove(&key) {
            self.used[usize::from(held.kept)].remove(&held.tick);
        }
    }

    /// Closes some files that can be opened again. Whether there were any.
    pub fn shed(&mut self) -> bool {
        let keys: Vec<FileKey> = self.used[0].values().copied().take(SHED).collect();
        keys.iter().for_each(|key| self.close(*key));
        !keys.is_empty()
    }

    /// Opens a file. Never waits, whatever has taken the name. If the system has no descriptor
    /// left, others are closed.
    pub fn open(&mut self, path: &Path) -> io::Result<File> {
        match self.try_open(path) {
            Err(error) if is_shortage(&error) && self.shed() => self.try_open(path),
            other => other,
        }
    }

    fn try_open(&mut self, path: &Path) -> io::Result<File> {
        #[cfg(test)]
        if let Some(error) = self.faults.open.pop_front() {
            return Err(error.into());
        }
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("not a regular file")),
        }
    }

    fn close_oldest(&mut self) -> bool {
        let oldest = self.used.iter().find_map(|used| used.first_key_value()).map(|(_, key)| *key);
        oldest.inspect(|key| self.close(*key)).is_some()
    }
}

/// Whether the system is short of something that closing files gives back, or waiting may.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE, Errno::NOMEM].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e8_the_file_used_longest_ago_is_closed_first_and_one_that_is_kept_last() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let mut files = OpenFiles::new(3);
        let keys: Vec<FileKey> = (0..5).map(|_| files.new_key()).collect();
        let open = |files: &OpenFiles| keys.iter().map(|key| files.holds(*key)).collect::<Vec<_>>();
        keys[..3].iter().for_each(|key| files.put(*key, Arc::clone(&file)));
        files.keep(keys[1], true);
        files.get(keys[0]);
        files.put(keys[3], Arc::clone(&file));
        assert_eq!(open(&files), [true, true, false, true, false]);
        files.put(keys[4], Arc::clone(&file));
        assert_eq!(open(&files), [false, true, false, true, true]);
        assert!(files.shed() && !files.shed());
        assert_eq!(open(&files), [false, true, false, false, false]);
        files.keep(keys[1], false);
        assert!(files.shed());
    }
}
