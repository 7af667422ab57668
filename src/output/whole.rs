//! Pieces that reach a file whole or not at all: a result, or a block of lines.
//!
//! Invariant: behind a write that has failed, a file ends where it ended before, or behind a line
//! of a block. A pipe or a device takes nothing back, and what is left of a piece there is told.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::error::Error;

/// Why a piece was not written.
#[derive(Debug)]
pub struct Unwritten {
    /// The operating system's answer.
    pub source: io::Error,
    /// What there is of it all the same.
    pub left: Left,
}

/// What a failed write has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// A file as it was.
    Whole,
    /// Nothing, in what is no file.
    Nothing,
    /// The beginning of the piece, so that nothing may be written behind it.
    Torn,
}

impl Unwritten {
    /// As an error of the run.
    pub fn of(self, target: &str) -> Error {
        let action = match self.left {
            Left::Whole => "cannot write; it holds what was written before, whole",
            Left::Nothing => "cannot write",
            Left::Torn => "cannot write, and what was begun cannot be cut back, so that it ends within a result",
        };
        Error::output(target, action, self.source)
    }
}

impl From<io::Error> for Unwritten {
    fn from(source: io::Error) -> Self {
        Unwritten { source, left: Left::Nothing }
    }
}

/// Writes a piece where the file is written next; cuts the file back if there is no room for all of
/// it.
pub fn write_whole(file: &mut File, piece: &[u8]) -> Result<(), Unwritten> {
    let Err((begun, source)) = write_counted(file, piece) else { return Ok(()) };
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    let left = match (begun, is_file) {
        (0, true) => Left::Whole,
        (0, false) => Left::Nothing,
        (_, true) if cut_back(file, begun).unwrap_or(false) => Left::Whole,
        _ => Left::Torn,
    };
    Err(Unwritten { source, left })
}

/// Writes a block of whole lines: all of it, or those that there is room for. Errors with the bytes
/// of these.
pub fn write_lines(file: &mut File, block: &[u8]) -> Result<(), (usize, Unwritten)> {
    let Err((begun, source)) = write_counted(file, block) else { return Ok(()) };
    let whole = memchr::memrchr(b'\n', &block[..begun]).map_or(0, |at| at + 1);
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    let left = match begun - whole {
        0 if is_file => Left::Whole,
        0 => Left::Nothing,
        part if is_file && cut_back(file, part).unwrap_or(false) => Left::Whole,
        _ => Left::Torn,
    };
    Err((whole, Unwritten { source, left }))
}

/// As `write_all`; an error has the bytes that were written before it.
fn write_counted(file: &mut File, piece: &[u8]) -> Result<(), (usize, io::Error)> {
    // A test says how much room there is.
    fail::fail_point!("output-room", |room| {
        let room = room.and_then(|room| room.parse().ok()).unwrap_or(0).min(piece.len());
        file.write_all(&piece[..room]).map_err(|error| (0, error))?;
        Err((room, io::ErrorKind::StorageFull.into()))
    });
    let mut written = 0;
    while written < piece.len() {
        match file.write(&piece[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// Takes the bytes that were written last off the end of a file. Gives whether that was possible:
/// what others have written behind them is not touched.
fn cut_back(file: &mut File, bytes: usize) -> io::Result<bool> {
    // Behind a write, that is its end, also of a file that is appended to.
    let end = file.stream_position()?;
    let is_last = file.metadata()?.len() == end;
    let Some(start) = end.checked_sub(bytes as u64).filter(|_| is_last) else { return Ok(false) };
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_behind_is_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut file = File::options().append(true).create(true).open(&path).unwrap();
        write_whole(&mut file, b"one\n").unwrap();
        let mut other = File::options().append(true).open(&path).unwrap();
        other.write_all(b"other\n").unwrap();
        assert!(!cut_back(&mut file, 4).unwrap());
        write_whole(&mut file, b"two\n").unwrap();
        assert!(cut_back(&mut file, 4).unwrap());
        write_whole(&mut file, b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\nother\nthree\n");
    }

    #[test]
    fn a_full_device_says_that_nothing_of_a_piece_is_left() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let unwritten = write_whole(&mut full, b"piece\n").unwrap_err();
        assert_eq!((unwritten.source.kind(), unwritten.left), (io::ErrorKind::StorageFull, Left::Nothing));
    }
}
