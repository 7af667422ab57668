//! The directory of a state, and the lock that lets one process at a time save there.
//!
//! The lock is the kernel's (flock(2)), so it ends with its process, however that ends. The file
//! names the owner, for messages only. Invariant: who holds the lock holds that of the file which
//! is in the directory now.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::error::{Error, Result};
use crate::model::escape::printable;

/// The name of the lock within the directory of the state.
pub(super) const NAME: &str = "lock";

/// Bytes of the owner's command line that are kept.
const COMMAND: usize = 200;

/// How often a lock is asked for its owner, who may be about to write that down, and the time in
/// between.
const LOOKS: u32 = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of a directory, or says who has it.
    pub fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(NAME);
        let failed = |error: io::Error| Error::state(&path, format!("cannot take the lock: {error}{}", remedy(&error)));
        // The file may be removed between opening and locking it; then there is another one to
        // lock.
        for _ in 0..LOOKS {
            let mut open = OpenOptions::new();
            open.read(true).write(true).create(true).truncate(false).mode(0o600);
            let file = open.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path).map_err(failed)?;
            match rustix::io::retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(dir, file)),
                Err(error) => return Err(failed(error.into())),
            }
            let lock = Lock { file, path: path.clone() };
            if !lock.is_ours() {
                let text = "is no lock of logparser, and would be overwritten; name another --state";
                return Err(Error::state(&path, text));
            }
            if lock.still_held().is_ok() {
                lock.name_owner();
                return Ok(lock);
            }
        }
        Err(Error::state(&path, "cannot take the lock: the file is removed again and again"))
    }

    /// Errors if the file of the lock is no longer in the directory: then another process may have
    /// taken that of another.
    pub fn still_held(&self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let gone = |why: String| {
            io::Error::new(io::ErrorKind::NotFound, format!("{}: {why}", crate::error::show_path(&self.path)))
        };
        match std::fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            Ok(_) => Err(gone("the lock was replaced, so the state may be another process's; run again".to_owned())),
            Err(error) => Err(gone(format!("the state directory or its lock was removed ({error}); run again"))),
        }
    }

    /// Whether the file holds what an owner has written down, all of it or a part, or nothing. A
    /// log may have this name, too.
    fn is_ours(&self) -> bool {
        let mut head = Vec::new();
        let read = (&self.file).take(32).read_to_end(&mut head);
        let end = memchr::memchr(b'\n', &head).unwrap_or(head.len());
        read.is_ok() && head[..end].iter().all(u8::is_ascii_digit) && end < 32
    }

    /// Writes down who has the lock. It is held without that too, and a full disk must not keep a
    /// run from starting.
    fn name_owner(&self) {
        let command: Vec<_> = std::env::args_os().map(|arg| printable(arg.as_bytes()).into_owned()).collect();
        let command: String = command.join(" ").chars().take(COMMAND).collect();
        let text = format!("{}\n{command}\n", std::process::id());
        let _ = self.file.set_len(0).and_then(|()| self.file.write_all_at(text.as_bytes(), 0));
    }
}

/// What to do where a state cannot be kept.
pub(super) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; give a folder that may be written to with --state DIR, or run without a state: --state none"
        }
        _ => "",
    }
}

fn in_use(dir: &Path, file: File) -> Error {
    let mut owner = String::new();
    for _ in 0..LOOKS {
        let mut text = String::new();
        // An owner that cannot be read is not named.
        let _ = (&file).take(4096).read_to_string(&mut text);
        owner.push_str(&text);
        if owner.ends_with('\n') {
            break;
        }
        thread::sleep(LOOK_AGAIN);
    }
    let owner = match owner.split_once('\n') {
        Some((pid, command)) => format!("process {pid} ({})", command.trim_end()),
        None => "another process".to_owned(),
    };
    Error::state(dir, format!("the state is in use by {owner}; stop that one first, or name another --state"))
}

/// Makes a directory if it does not exist, and its parents, and sees that all of them last.
pub(super) fn make_directory(dir: &Path) -> io::Result<()> {
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if dir.is_dir() {
        // A process that made it may have been killed before it came to this. Whoever may not read
        // the parent did not make it.
        let _ = sync_directory(parent);
        return Ok(());
    }
    make_directory(parent)?;
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !dir.is_dir() => return Err(error),
        _ => {}
    }
    sync_directory(parent)
}

/// Makes the names in a directory reach the disk.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    fail::fail_point!("state-fsync-directory", |_| Err(io::Error::from_raw_os_error(libc::EIO)));
    OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn d16_parents_are_made_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b/c");
        make_directory(&dir).unwrap();
        make_directory(&dir).unwrap();
        for made in ["a", "a/b", "a/b/c"] {
            let mode = std::fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{made}: {mode:o}");
        }
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_directory(&folder.path().join("file/x")).is_err());
        assert!(make_directory(&folder.path().join("file")).is_err());
    }

    #[test]
    fn d17_a_lock_is_held_once_and_names_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let refused = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("in use by process {} (", std::process::id())), "{refused}");
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_lock_whose_file_was_replaced_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        assert!(lock.still_held().unwrap_err().to_string().contains("was removed"));
        let other = Lock::take(folder.path()).unwrap();
        assert!(lock.still_held().unwrap_err().to_string().contains("was replaced"));
        other.still_held().unwrap();
    }

    #[test]
    fn s13_a_lock_that_is_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "text").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join(NAME)).unwrap();
        assert!(Lock::take(folder.path()).is_err());
        assert_eq!(std::fs::read(&victim).unwrap(), b"text");
    }
}
