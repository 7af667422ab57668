//! A slot: one snapshot in one file, and the check that says whether it is whole.
//!
//! A slot is, numbers with the lowest byte first:
//!
//! ```text
//! 0   8  magic
//! 8   4  version of the format
//! 12  8  sequence number
//! 20  4  length of the configuration's fingerprint
//! 24  8  length of the body
//! 32  8  checksum: XXH64 with seed 0 over the fingerprint, the body and bytes 0 to 32, in this order
//! 40     the fingerprint, then the body
//! ```
//!
//! The header is hashed last, as the body's length is known last. Other versions may have other
//! bodies; header and checksum are the same in all, so that another version is told from damage.
//! Invariant: nothing of a slot is believed before its length and its checksum are right.

use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use twox_hash::XxHash64;

use crate::codec::Encoder;
use crate::model::Timestamp;

/// The names of the slots within the directory of the state.
pub(super) const NAMES: [&str; 2] = ["state.0", "state.1"];

/// The newest version of the format. What an earlier one can say is written as that.
pub const FORMAT: u32 = 3;

/// The earliest version that is read.
pub const OLDEST: u32 = 2;

/// The first bytes of every slot. The end of line shows a copy that was made as text.
const MAGIC: [u8; 8] = *b"lpstate\n";

/// Bytes before the fingerprint.
const HEADER: usize = 40;

/// Bytes of the header that the checksum covers.
const COVERED: usize = 32;

/// The most states that a run and all before it may have saved.
const MAX_SEQUENCE: u64 = 1 << 62;

/// Bytes that are read at a time.
const READ_BUFFER: usize = 64 << 10;

/// Bytes that are written at a time.
const WRITE_BUFFER: usize = 256 << 10;

/// What is known of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub content: SlotContent,
    /// Its bytes; 0 if it is missing.
    pub bytes: u64,
    /// When it was written, by the clock of the file system.
    pub saved_at: Option<Timestamp>,
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotContent {
    /// There is no such file.
    Missing,
    /// A snapshot of a format that is read.
    Valid {
        /// The version of its format.
        version: u32,
        /// Counts the snapshots from 1.
        sequence: u64,
        /// What it depends on of the configuration, as lines `key = value`.
        fingerprint: String,
    },
    /// A snapshot of another format: whole, but not for this program.
    OtherFormat {
        /// Counts the snapshots from 1.
        sequence: u64,
        /// The version of its format.
        version: u32,
    },
    /// Anything else.
    Damaged {
        /// Why it is not usable.
        reason: String,
    },
}

/// A slot and, if it is valid, where its body is.
pub(super) struct FoundSlot {
    pub info: SlotInfo,
    pub body: Option<Body>,
}

/// The body of a valid slot.
#[derive(Debug)]
pub(super) struct Body {
    pub file: File,
    pub from: u64,
    pub length: u64,
}

struct SlotHeader {
    version: u32,
    sequence: u64,
    fingerprint: u32,
    body: u64,
}

impl SlotHeader {
    fn covered(&self) -> [u8; COVERED] {
        let mut bytes = [0; COVERED];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[24..].copy_from_slice(&self.body.to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8; HEADER]) -> Self {
        SlotHeader {
            version: u32::from_le_bytes(part(bytes, 8)),
            sequence: u64::from_le_bytes(part(bytes, 12)),
            fingerprint: u32::from_le_bytes(part(bytes, 20)),
            body: u64::from_le_bytes(part(bytes, 24)),
        }
    }

    /// Bytes of the whole file, if a file can be that long.
    fn file_length(&self) -> Option<u64> {
        self.body.checked_add(HEADER as u64 + u64::from(self.fingerprint))
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|k| bytes[at + k])
}

/// Looks at a slot and checks the whole of it.
pub(super) fn look(path: PathBuf) -> FoundSlot {
    let mut info = SlotInfo { path, content: SlotContent::Missing, bytes: 0, saved_at: None };
    // A link would lead out of the directory, and a pipe would be waited for.
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&info.path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return FoundSlot { info, body: None },
        Err(error) => {
            let is_link = error.raw_os_error() == Some(libc::ELOOP);
            let reason =
                if is_link { "it is a symbolic link".to_owned() } else { format!("it cannot be read: {error}") };
            info.content = SlotContent::Damaged { reason };
            return FoundSlot { info, body: None };
        }
    };
    let checked = match file.metadata() {
        Ok(metadata) => {
            info.bytes = metadata.len();
            let nanos = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            info.saved_at = i64::try_from(nanos).ok().map(Timestamp::from_nanos);
            if metadata.is_file() { check(file, info.bytes) } else { Err("it is not a regular file".to_owned()) }
        }
        Err(error) => Err(format!("it cannot be read: {error}")),
    };
    match checked {
        Ok((content, body)) => FoundSlot { info: SlotInfo { content, ..info }, body },
        Err(reason) => FoundSlot { info: SlotInfo { content: SlotContent::Damaged { reason }, ..info }, body: None },
    }
}

/// Holds a file against its own header. Errors with the reason why it is no snapshot.
fn check(mut file: File, length: u64) -> Result<(SlotContent, Option<Body>), String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    if length == 0 {
        return Err("it is empty".to_owned());
    }
    let mut head = Vec::with_capacity(HEADER);
    (&file).take(HEADER as u64).read_to_end(&mut head).map_err(unreadable)?;
    if !MAGIC.starts_with(&head[..head.len().min(MAGIC.len())]) {
        let is_zero = head.iter().all(|byte| *byte == 0);
        return Err(if is_zero { "it begins with zero bytes" } else { "it is no state of logparser" }.to_owned());
    }
    let Ok(head) = <[u8; HEADER]>::try_from(head) else {
        return Err(format!("it is cut short: {length} bytes are not even a header"));
    };
    let header = SlotHeader::parse(&head);
    if header.file_length() != Some(length) {
        let meant = header.file_length().map_or("more than any file has".to_owned(), |meant| meant.to_string());
        return Err(format!("it has {length} bytes, and its header says {meant}"));
    }
    // The length is that of the file, so there are that many bytes.
    let mut fingerprint = vec![0; header.fingerprint as usize];
    file.read_exact(&mut fingerprint).map_err(unreadable)?;
    let mut hash = XxHash64::with_seed(0);
    hash.write(&fingerprint);
    hash_rest(&mut file, header.body, &mut hash).map_err(unreadable)?;
    hash.write(&head[..COVERED]);
    if hash.finish() != u64::from_le_bytes(part(&head, COVERED)) {
        return Err("its checksum is not that of its content".to_owned());
    }
    let sequence = header.sequence;
    if sequence > MAX_SEQUENCE {
        return Err(format!("its sequence number, {sequence}, is more than there can be"));
    }
    if !(OLDEST..=FORMAT).contains(&header.version) {
        return Ok((SlotContent::OtherFormat { sequence, version: header.version }, None));
    }
    let Ok(fingerprint) = String::from_utf8(fingerprint) else {
        return Err("its fingerprint is no text".to_owned());
    };
    let body = Body { file, from: HEADER as u64 + u64::from(header.fingerprint), length: header.body };
    Ok((SlotContent::Valid { version: header.version, sequence, fingerprint }, Some(body)))
}

/// Hashes what follows, which has to be `length` bytes.
fn hash_rest(file: &mut File, length: u64, hash: &mut XxHash64) -> io::Result<()> {
    let (mut buffer, mut left) = (vec![0; READ_BUFFER], length);
    loop {
        match file.read(&mut buffer) {
            Ok(0) if left == 0 => return Ok(()),
            Ok(read) if read > 0 && read as u64 <= left => {
                hash.write(&buffer[..read]);
                left -= read as u64;
            }
            // Slots are never written in place, by this program at least.
            Ok(_) => return Err(io::Error::other("its length changed")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a snapshot into a new file and makes it reach the disk. Gives its size.
pub(super) fn write(
    mut file: File,
    (version, sequence): (u32, u64),
    fingerprint: &str,
    body: &mut dyn FnMut(&mut Encoder<'_>) -> io::Result<()>,
) -> io::Result<u64> {
    file.seek(SeekFrom::Start(HEADER as u64))?;
    let mut out = BufWriter::with_capacity(WRITE_BUFFER, Hashing::new(file));
    let put = out.write_all(fingerprint.as_bytes()).and_then(|()| body(&mut Encoder::new(&mut out)));
    let written = put.and_then(|()| out.flush());
    // Taken apart, since dropping it would write once more, into a file that is given up.
    let (Hashing { inner: file, mut hash, length }, _) = out.into_parts();
    written?;
    let too_long = |_| io::Error::other("the fingerprint is too long");
    let fingerprint = u32::try_from(fingerprint.len()).map_err(too_long)?;
    let header = SlotHeader { version, sequence, fingerprint, body: length - u64::from(fingerprint) }.covered();
    hash.write(&header);
    let mut head = [0; HEADER];
    head[..COVERED].copy_from_slice(&header);
    head[COVERED..].copy_from_slice(&hash.finish().to_le_bytes());
    file.write_all_at(&head, 0)?;
    fail::fail_point!("state-fsync", |_| Err(io::Error::from_raw_os_error(libc::EIO)));
    file.sync_all()?;
    Ok(HEADER as u64 + length)
}

/// A writer that hashes and counts what has been written.
struct Hashing<W> {
    inner: W,
    hash: XxHash64,
    length: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Hashing { inner, hash: XxHash64::with_seed(0), length: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fail::fail_point!("state-write", |_| Err(io::Error::from_raw_os_error(libc::ENOSPC)));
        let written = self.inner.write(bytes)?;
        self.hash.write(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The slots of a directory.
pub(super) fn look_at_both(dir: &Path) -> [FoundSlot; 2] {
    NAMES.map(|name| look(dir.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_short_writes_and_interrupts_do_not_show() {
        /// Takes a byte at every second call and is interrupted at the others.
        struct Slow(Vec<u8>, bool);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(io::Error::from(io::ErrorKind::Interrupted));
                }
                self.0.extend(bytes.first());
                Ok(1)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = BufWriter::with_capacity(7, Hashing::new(Slow(Vec::new(), false)));
        out.write_all(b"a text of some bytes").unwrap();
        let Ok(Hashing { inner, hash, length }) = out.into_inner() else { panic!("not flushed") };
        assert_eq!((inner.0.as_slice(), length), (&b"a text of some bytes"[..], 20));
        assert_eq!(hash.finish(), XxHash64::oneshot(0, b"a text of some bytes"));
    }

    #[test]
    fn g5_a_sequence_number_after_which_none_can_come_is_no_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.0");
        for (sequence, is_valid) in [(1, true), (MAX_SEQUENCE, true), (MAX_SEQUENCE + 1, false), (u64::MAX, false)] {
            write(File::create_new(&path).unwrap(), (FORMAT, sequence), "key = value", &mut |_| Ok(())).unwrap();
            let content = look(path.clone()).info.content;
            assert_eq!(matches!(content, SlotContent::Valid { .. }), is_valid, "{sequence}: {content:?}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn d12_what_is_no_slot_is_damaged_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.0");
        let reason = || match look(path.clone()).info.content {
            SlotContent::Damaged { reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(look(path.clone()).info.content, SlotContent::Missing);
        let mut endless = MAGIC.to_vec();
        endless.extend([0xff; 40]);
        for (bytes, said) in [
            (&b""[..], "it is empty"),
            (&[0; 100], "it begins with zero bytes"),
            (b"SQLite format 3\0 and more", "it is no state of logparser"),
            (b"x", "it is no state of logparser"),
            (&MAGIC, "8 bytes are not even a header"),
            (&endless, "it has 48 bytes, and its header says more than any file has"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(reason().contains(said), "{}", reason());
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(reason(), "it is not a regular file");
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(reason(), "it is a symbolic link");
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(reason(), "it is not a regular file");
    }
}
