//! Zeros at the start of a file: a writer leaves them that goes on at its old offset in a file that
//! was truncated.
//!
//! Invariant: memory and work at a time are bounded, however long the hole is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// Bytes that are looked at in one read.
const BLOCK: usize = 1 << 16;

/// Blocks of zeros that are read before others have their turn.
const BLOCKS: usize = 512;

/// How far there are only zeros from `from` on, and whether another byte was found there. If not,
/// either the file ends there, or that is how far was looked.
pub(super) fn skip(file: &File, from: u64, size: u64) -> io::Result<(u64, bool)> {
    let mut at = from;
    let mut block = vec![0; BLOCK];
    for _ in 0..BLOCKS {
        at = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            // All that follows is a hole.
            Err(Errno::NXIO) => return Ok((size, false)),
            // Where the file system does not tell holes, zeros are read.
            Err(Errno::INVAL | Errno::NOTSUP) => at,
            Err(error) => return Err(error.into()),
        };
        if at >= size {
            return Ok((size, false));
        }
        let read = file.read_at(&mut block, at)?;
        if read == 0 {
            return Ok((at, false));
        }
        if let Some(found) = block[..read].iter().position(|byte| *byte != 0) {
            return Ok((at + found as u64, true));
        }
        at += read as u64;
    }
    Ok((at.min(size), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_holes_and_zeros_are_passed_over() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(skip(&file, 0, 1 << 30).unwrap(), (1 << 30, false));
        file.write_at(&[0; 5000], 1 << 30).unwrap();
        file.write_at(b"17 a b\n", (1 << 30) + 5000).unwrap();
        let size = (1 << 30) + 5007;
        assert_eq!(skip(&file, 0, size).unwrap(), (size - 7, true));
        assert_eq!(skip(&file, size - 7, size).unwrap(), (size - 7, true));
        // Real zeros, more than are looked at in one go.
        let file = tempfile::tempfile().unwrap();
        let zeros = vec![0; BLOCK];
        for at in 0..BLOCKS as u64 + 3 {
            file.write_at(&zeros, at * BLOCK as u64).unwrap();
        }
        let size = (BLOCKS as u64 + 3) * BLOCK as u64;
        let (first, found) = skip(&file, 0, size).unwrap();
        assert_eq!((first, found), ((BLOCKS * BLOCK) as u64, false));
        assert_eq!(skip(&file, first, size).unwrap(), (size, false));
    }
}
