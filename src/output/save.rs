//! Files that come into being whole: what is written at once, and not line by line.
//!
//! Invariant: a regular file is there as it was or as it is to be, never half; anything else (a
//! device, a pipe, a name of standard output in `/dev`) stays what it is and is written into, and a
//! link stays a link.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, Unsaved, show_path};

/// The most links that are followed, as on Linux.
const MOST_LINKS: usize = 40;

/// How a target is written.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// A file beside this path takes its name.
    Replace(PathBuf),
    /// What there is takes the bytes.
    Into,
}

/// Writes to a path; `None` is standard output.
pub fn save(target: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> Result<(), Unsaved>) -> Result<()> {
    let cannot = |error: io::Error| {
        let name = target.map_or("stdout".to_owned(), show_path);
        Error::output(name, "cannot write", error)
    };
    let unsaved = |unsaved| match unsaved {
        Unsaved::Output(error) => cannot(error),
        Unsaved::Content(error) => error,
    };
    let Some(path) = target else {
        let mut stdout = io::stdout().lock();
        write(&mut stdout).map_err(unsaved)?;
        return stdout.flush().map_err(cannot);
    };
    match way(path).map_err(cannot)? {
        Way::Into => {
            let mut file = File::options().write(true).truncate(true).open(path).map_err(cannot)?;
            write(&mut file).map_err(unsaved)
        }
        Way::Replace(path) => {
            let folder = folder_of(&path);
            let mut builder = tempfile::Builder::new();
            // With the usual permissions, less those that the umask takes away.
            builder.prefix(".logparser-").permissions(Permissions::from_mode(0o666));
            let mut file = builder.tempfile_in(folder).map_err(cannot)?;
            write(file.as_file_mut()).map_err(unsaved)?;
            if let Ok(replaced) = fs::metadata(&path) {
                file.as_file().set_permissions(replaced.permissions()).map_err(cannot)?;
            }
            file.as_file().sync_all().map_err(cannot)?;
            file.persist(&path).map_err(|error| cannot(error.error))?;
            // The name reaches the disk with its folder; where a folder cannot be synced, the
            // system does that in its own time.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
            Ok(())
        }
    }
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Follows links to what is to be written.
fn way(target: &Path) -> io::Result<Way> {
    let mut path = target.to_owned();
    for _ in 0..MOST_LINKS {
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Way::Replace(path)),
            Err(error) => return Err(error),
        };
        if !found.is_symlink() {
            return Ok(if found.is_file() { Way::Replace(path) } else { Way::Into });
        }
        let parent = folder_of(&path);
        // A name in `/proc` of what a process has open is not one that another file could take.
        if fs::canonicalize(parent)?.starts_with("/proc") {
            return Ok(Way::Into);
        }
        path = parent.join(fs::read_link(&path)?);
    }
    Err(io::Error::other("its links lead on to each other"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(target: &Path, text: &str) -> Result<()> {
        save(Some(target), |out| Ok(out.write_all(text.as_bytes())?))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        for before in [None, Some("what was there")] {
            before.iter().for_each(|text| fs::write(&target, text).unwrap());
            let failed = save(Some(&target), |out| {
                out.write_all(b"half of")?;
                Err(Unsaved::Content(Error::usage("no more")))
            });
            assert_eq!(failed.unwrap_err().to_string(), "no more");
            assert_eq!(fs::read_to_string(&target).ok().as_deref(), before);
            assert_eq!(names(folder.path()).len(), usize::from(before.is_some()), "nothing is left behind");
        }
        fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
        put(&target, "new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600, "who may read it stays so");
    }

    /// Through one link, two, and one to what is not there yet.
    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/file"), "old").unwrap();
        symlink("d/file", at("link")).unwrap();
        symlink("link", at("again")).unwrap();
        symlink("d/new", at("dangling")).unwrap();
        for (link, file) in [("link", "d/file"), ("again", "d/file"), ("dangling", "d/new")] {
            put(&at(link), link).unwrap();
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(fs::read_to_string(at(file)).unwrap(), link);
        }
        assert_eq!(names(&at("d")), ["file", "new"]);
        symlink("round", at("round")).unwrap();
        assert!(put(&at("round"), "x").unwrap_err().to_string().contains("links lead on to each other"));
    }

    #[test]
    fn what_is_no_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).map(|_| text)
            }
        });
        put(&pipe, "through").unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), "through");
        assert!(!fs::metadata(&pipe).unwrap().is_file());
        assert_eq!(names(folder.path()), ["pipe"]);
        // Of what a process has open, whatever it is.
        let mut open = tempfile::tempfile().unwrap();
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&open);
        put(Path::new(&format!("/dev/fd/{descriptor}")), "held").unwrap();
        let mut text = String::new();
        open.read_to_string(&mut text).unwrap();
        assert_eq!(text, "held");
        assert!(put(folder.path(), "x").unwrap_err().to_string().contains("cannot write"));
    }
}
