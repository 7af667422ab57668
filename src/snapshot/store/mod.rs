//! The saved state of a run: a snapshot on disk that is whole at every instant, power cuts
//! included.
//!
//! Two slots take turns. A snapshot is written into a temporary file in the same directory, reaches
//! the disk, and is then renamed over the older slot. At the start, the valid slot with the higher
//! sequence number counts; a damaged one is never read as far as its values, and a state that
//! cannot be used is an error. Not here: what a snapshot holds. The caller puts values in, and gets
//! them in the same order. Invariant: once a save has succeeded, there is at least one valid slot,
//! whatever happens then to the next save.

mod choice;
mod lock;
mod slot;

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use choice::{Choice, choose};
pub use slot::{FORMAT, OLDEST, SlotContent, SlotInfo};

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result, show_path};
use crate::model::Timestamp;
use lock::{Lock, make_directory, sync_directory};
use slot::{Body, FoundSlot, NAMES, look_at_both};

/// How the names of temporary files begin.
const TEMPORARY: &str = "state.tmp";

/// Names that are tried for a temporary file, in case some are taken.
const NAMES_TRIED: u64 = 16;

/// The two slots in a directory, and the right to write there.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    lock: Lock,
    /// What the next save writes; `None` before the state is loaded.
    next: Option<NextSlot>,
    /// Temporary files so far: each save has one of its own, so that no fsync is tried twice on one
    /// file. After one has failed, a second one would succeed though the bytes are lost.
    temporaries: u64,
}

#[derive(Debug, Clone, Copy)]
struct NextSlot {
    slot: usize,
    sequence: u64,
}

/// A snapshot that was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedSlot {
    /// Counts the snapshots from 1.
    pub sequence: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A snapshot that was found, length and checksum of which are right.
#[derive(Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// Counts the snapshots from 1.
    pub sequence: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was written, by the clock of the file system.
    pub saved_at: Option<Timestamp>,
    /// The version of its format.
    pub version: u32,
    /// What it depends on of the configuration, as lines `key = value`.
    pub fingerprint: String,
    /// What people should know: that the other slot is damaged, and why.
    pub warning: Option<String>,
    slot: usize,
    body: Body,
}

impl Store {
    /// Opens the state in a directory, which is made if it does not exist, for this process alone.
    /// Errors if another process has it.
    pub fn open(dir: &Path) -> Result<Self> {
        make_directory(dir).map_err(|error| {
            Error::state(dir, format!("cannot make the directory: {error}{}", lock::remedy(&error)))
        })?;
        let lock = Lock::take(dir)?;
        // What could not be removed is in nobody's way.
        let _ = remove_temporaries(dir);
        Ok(Store { dir: dir.to_owned(), lock, next: None, temporaries: 0 })
    }

    /// The newest snapshot that is whole; `None` only if nothing was ever saved. Errors if there is
    /// a state that cannot be used: damaged in both slots, of another format, or saved with another
    /// configuration than `fingerprint` tells.
    pub fn load(&mut self, fingerprint: &str) -> Result<Option<Loaded>> {
        self.next = None;
        let found = peek_of(&self.dir, fingerprint)?;
        let mut next = NextSlot { slot: 0, sequence: 1 };
        if let Some(loaded) = &found {
            // A snapshot a nanosecond would take centuries to get there.
            next = NextSlot { slot: 1 - loaded.slot, sequence: loaded.sequence.saturating_add(1) };
        }
        self.next = Some(next);
        Ok(found)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.dir
    }

    /// Saves a snapshot in place of the older one, in this version of its format; `body` puts its values,
    /// and is called once. It
    /// needs a state that was loaded, so that none is overwritten unread. After an error both slots
    /// are as before, or, where the directory did not reach the disk, the new snapshot is there but
    /// may not last; the next save can succeed in either case.
    pub fn save(
        &mut self,
        version: u32,
        fingerprint: &str,
        body: &mut dyn FnMut(&mut Encoder<'_>) -> io::Result<()>,
    ) -> io::Result<SavedSlot> {
        let Some(NextSlot { slot, sequence }) = self.next else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a state is saved that was not loaded before"));
        };
        self.lock.still_held()?;
        let (temporary, file) = self.temporary()?;
        let bytes = slot::write(file, (version, sequence), fingerprint, body)
            .map_err(while_doing("cannot write", &temporary.path))?;
        let target = self.dir.join(NAMES[slot]);
        temporary.rename(&target).map_err(while_doing("cannot replace", &target))?;
        sync_directory(&self.dir).map_err(while_doing("cannot have it reach the disk", &target))?;
        self.next = Some(NextSlot { slot: 1 - slot, sequence: sequence.saturating_add(1) });
        Ok(SavedSlot { sequence, bytes })
    }

    /// A new file in the directory, and never one that is there already.
    fn temporary(&mut self) -> io::Result<(Temporary, File)> {
        let mut tried = 0;
        loop {
            let path = self.dir.join(format!("{TEMPORARY}.{}", self.temporaries));
            self.temporaries += 1;
            tried += 1;
            let mut open = OpenOptions::new();
            open.write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
            match open.open(&path) {
                Ok(file) => return Ok((Temporary { path, is_renamed: false }, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < NAMES_TRIED => {}
                Err(error) => return Err(while_doing("cannot make the file", &path)(error)),
            }
        }
    }
}

impl Loaded {
    /// The values of the snapshot.
    pub fn decoder(&mut self) -> io::Result<Decoder<'_>> {
        self.body.file.seek(SeekFrom::Start(self.body.from))?;
        Ok(Decoder::new(&self.body.file, self.body.length).of_version(self.version))
    }

    /// What `read` makes of the values, all of which it has to get. Errors name the file.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut Decoder<'_>) -> io::Result<T>) -> Result<T> {
        let end = self.body.from + self.body.length;
        let whole = self.decoder().and_then(|mut decoder| {
            let value = read(&mut decoder).and_then(|value| match decoder.left() {
                0 => Ok(value),
                left => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{left} bytes of it are left over"))),
            });
            let at = end - decoder.left();
            value.map_err(|error| io::Error::new(error.kind(), format!("{error} (at byte {at})")))
        });
        whole.map_err(|error| {
            Error::state(&self.path, format!("cannot decode it, though its checksum is right: {error}"))
        })
    }
}

/// A file that goes away unless it is renamed.
struct Temporary {
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    fn rename(mut self, to: &Path) -> io::Result<()> {
        fail::fail_point!("state-rename", |_| Err(io::Error::from_raw_os_error(libc::EIO)));
        loop {
            match std::fs::rename(&self.path, to) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                renamed => {
                    self.is_renamed = renamed.is_ok();
                    return renamed;
                }
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            // What is left over is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The newest snapshot that is whole, whatever its configuration, without the right to write.
pub fn peek(dir: &Path) -> Result<Option<Loaded>> {
    let [first, second] = look_at_both(dir);
    let infos = [first.info.clone(), second.info.clone()];
    match choose(dir, &infos) {
        Choice::Nothing => Ok(None),
        Choice::Refuse(error) => Err(error),
        Choice::Use { slot, warning } => Ok(loaded(slot, if slot == 0 { first } else { second }, warning)),
    }
}

/// The same, of a run of this configuration: errors as `Store::load` does.
pub fn peek_of(dir: &Path, fingerprint: &str) -> Result<Option<Loaded>> {
    let found = peek(dir)?;
    if let Some(loaded) = &found {
        choice::same_configuration(dir, &loaded.path, &loaded.fingerprint, fingerprint)?;
    }
    Ok(found)
}

/// A valid slot as what it holds.
fn loaded(number: usize, slot: FoundSlot, warning: Option<String>) -> Option<Loaded> {
    let SlotInfo { path, content: SlotContent::Valid { version, sequence, fingerprint }, bytes, saved_at } = slot.info
    else {
        return None;
    };
    Some(Loaded { path, sequence, bytes, saved_at, version, fingerprint, warning, slot: number, body: slot.body? })
}

/// What both slots are, without the right to write: a run may save at the same time.
pub fn inspect(dir: &Path) -> [SlotInfo; 2] {
    look_at_both(dir).map(|slot| slot.info)
}

/// Removes the state in a directory, damaged or not, and gives the files that it was in. Errors if
/// a process has it.
pub fn reset(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Err(Error::state(dir, "there is no such directory; check the path"));
    }
    // Where there is nothing, nothing is made either.
    let places = NAMES.iter().chain([&lock::NAME]).map(|name| dir.join(name));
    if places.into_iter().all(|path| path.symlink_metadata().is_err()) && !has_temporaries(dir) {
        return Ok(Vec::new());
    }
    let _lock = Lock::take(dir)?;
    let failed = |path: &Path, error| Error::state(path, format!("cannot remove it: {error}"));
    let mut removed = Vec::new();
    for path in NAMES.map(|name| dir.join(name)) {
        match std::fs::remove_file(&path) {
            Ok(()) => removed.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    removed.extend(remove_temporaries(dir).map_err(|error| failed(dir, error))?);
    sync_directory(dir).map_err(|error| failed(dir, error))?;
    Ok(removed)
}

/// Whether earlier runs may have left something half written.
fn has_temporaries(dir: &Path) -> bool {
    let is_one = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
    std::fs::read_dir(dir).map_or(true, |entries| entries.flatten().any(|entry| is_one(&entry.file_name())))
}

/// Removes what earlier runs left half written, links themselves and not what they lead to, and
/// gives their names.
fn remove_temporaries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) && !entry.file_type()?.is_dir() {
            std::fs::remove_file(entry.path())?;
            removed.push(entry.path());
        }
    }
    removed.sort();
    Ok(removed)
}

/// Says what was being done to a file when an error came up, whose kind stays.
fn while_doing(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = show_path(path);
    move |error| io::Error::new(error.kind(), format!("{path}: {action}: {error}"))
}

#[cfg(test)]
mod tests;
