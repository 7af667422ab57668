//! How the content of a file is told from another: by its first bytes, and by those before a
//! position.
//!
//! Invariant: nothing here trusts a name or an inode.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::UNIX_EPOCH;

use crate::model::Guard;

/// Bytes of a file's head that are hashed: enough to pass a header and reach the first stamps.
pub const HEAD: usize = 1024;

/// Bytes before a position that are hashed.
pub(super) const TAIL: usize = 256;

/// Bytes of a file's head that are kept as they are, to compare a file that has only just begun
/// with it.
pub const START: usize = 64;

/// Device and inode of a file.
pub(super) type FileIdentity = (u64, u64);

/// What a file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub identity: FileIdentity,
    /// When it was made, in nanoseconds of the Unix epoch, if the file system knows.
    pub born: Option<u128>,
    /// Bytes in it.
    pub size: u64,
    /// When it was last written: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// Names it has; 0: it was removed.
    pub links: u64,
}

impl Stat {
    /// Of what was found.
    pub fn of(found: &Metadata) -> Self {
        let born = found.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Stat {
            identity: (found.dev(), found.ino()),
            born: born.map(|since| since.as_nanos()),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            links: found.nlink(),
        }
    }

    /// Of an open file.
    pub fn of_file(file: &File) -> io::Result<Self> {
        file.metadata().map(|found| Stat::of(&found))
    }
}

/// Whether two times of birth can be those of one file.
pub(super) fn same_birth(one: Option<u128>, other: Option<u128>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// The first bytes of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileHead {
    /// The first of them, as they are.
    pub start: Vec<u8>,
    /// All of them, hashed.
    pub guard: Guard,
}

/// How the head of a file agrees with bytes at the beginning of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// All of the head stands there.
    Whole,
    /// They are fewer than the head has, and no difference is seen.
    SoFar,
    /// They differ.
    Differs,
}

impl FileHead {
    /// Of the first bytes of a file.
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(HEAD)];
        FileHead { start: bytes[..bytes.len().min(START)].to_vec(), guard: Guard::of(bytes) }
    }

    /// Bytes of the head.
    pub fn len(&self) -> usize {
        self.guard.bytes as usize
    }

    /// How the head agrees with the first bytes of a file, `HEAD` of them if it has so many.
    pub fn agrees(&self, bytes: &[u8]) -> Agreement {
        let both = self.start.len().min(bytes.len());
        if self.start[..both] != bytes[..both] {
            return Agreement::Differs;
        }
        match bytes.get(..self.len()) {
            None => Agreement::SoFar,
            Some(head) if self.guard.holds(head) => Agreement::Whole,
            Some(_) => Agreement::Differs,
        }
    }
}

/// The first bytes of a file, `HEAD` of them if it has so many.
pub(super) fn read_head(file: &File) -> io::Result<Vec<u8>> {
    read_range(file, 0, HEAD)
}

/// The bytes of a file before a position, `TAIL` of them if there are so many. Fewer, if the file
/// is shorter now.
pub(super) fn read_tail(file: &File, position: u64) -> io::Result<Vec<u8>> {
    let length = position.min(TAIL as u64);
    read_range(file, position - length, usize::try_from(length).unwrap_or(TAIL))
}

/// Whether the bytes that `tail` was made of still stand before a position. An empty guard agrees
/// only with position 0.
pub(super) fn tail_holds(file: &File, position: u64, tail: &Guard) -> io::Result<bool> {
    if position > 0 && tail.bytes == 0 {
        return Ok(false);
    }
    Ok(tail.holds(&read_tail(file, position)?))
}

/// This many bytes of a file, from a position on. Fewer, if it ends before.
pub fn read_range(file: &File, from: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_agrees_as_far_as_can_be_told() {
        let bytes: Vec<u8> = (0..2000u32).map(|at| (at % 251) as u8).collect();
        let other = |at: usize| {
            let mut other = bytes.clone();
            other[at] ^= 1;
            other
        };
        let head = FileHead::of(&bytes);
        assert_eq!((head.len(), head.start.len()), (HEAD, START));
        assert_eq!(head.agrees(&bytes[..HEAD]), Agreement::Whole);
        assert_eq!(head.agrees(&other(1000)[..HEAD]), Agreement::Differs);
        assert_eq!(head.agrees(&bytes[..500]), Agreement::SoFar);
        assert_eq!(head.agrees(&other(10)[..500]), Agreement::Differs);
        assert_eq!((head.agrees(b""), FileHead::default().agrees(&bytes)), (Agreement::SoFar, Agreement::Whole));
        let short = FileHead::of(&bytes[..10]);
        assert_eq!((short.agrees(&bytes), short.agrees(&other(3))), (Agreement::Whole, Agreement::Differs));
    }
}
