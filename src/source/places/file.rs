//! Files, folders and globs, pipes and devices by their paths, looked at once each.
//!
//! Listing ends at once when it is told to: a glob may lead through a whole disk. Inputs are found
//! before signals are watched, so that a signal ends the program as it would any other; where files
//! are followed, a scan that is interrupted counts for nothing.
//!
//! Not here: what is done with a path. Invariant: paths come in the order of the locations, those
//! of one location by name.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use glob::Pattern;

use crate::error::{Error, Result, show_path};
use crate::model::Timestamp;
use crate::model::location::{Location, is_glob};
use crate::source::entry::{Finding, Listing, SourceEntry};
use crate::source::input::{Access, Input, LocalFile};
use crate::source::opened::widen;

/// Files of this machine.
pub(super) const ENTRY: SourceEntry = SourceEntry {
    help: "files, folders, globs, pipes and devices by their paths",
    #[cfg(test)]
    example: "tests/data/*.log",
    takes: Location::is_path,
    find,
};

/// Passes on everything that a location leads to, and gives whether that is anything. Errors if a
/// glob cannot be read, and when listing is interrupted.
fn find(location: &Location, listing: &Listing, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    let path = location.as_path();
    // A name that exists is meant as it is, even if it looks like a glob.
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(walk_folder(path, visit)),
        Ok(found) => {
            visit(Finding::Path { path: path.to_owned(), found, named: true });
            return Ok(true);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || matches!(location, Location::Glob(_)) => {}
        Err(source) => {
            visit(Finding::Unreadable { path: path.to_owned(), source, folder: false });
            return Ok(true);
        }
    }
    match location {
        Location::Glob(pattern) => walk_glob(pattern, listing, visit),
        _ => Ok(false),
    }
}

/// Bytes that a path may have.
const LONGEST: usize = 4095;

fn walk_glob(pattern: &str, listing: &Listing, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    Pattern::new(pattern).map_err(|error| {
        Error::usage(format!("'{pattern}' is not a glob: {} at character {}", error.msg, error.pos + 1))
    })?;
    let (root, rest) = match pattern.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", pattern),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    // Any number of folders, and again any number of them.
    parts.dedup_by(|part, before| *part == "**" && *before == "**");
    // Each part has a byte, and one between it and the next.
    let levels = parts.iter().filter(|part| **part != "**").count();
    if levels * 2 > LONGEST {
        return Err(Error::usage(format!(
            "'{}...' is a glob of {levels} levels, and no path is as deep; name the folder that holds the logs",
            pattern.chars().take(40).collect::<String>()
        )));
    }
    let mut expansion = Expansion { listing, found: BTreeSet::new(), unreadable: Vec::new() };
    expansion.expand(Path::new(root), &parts)?;
    let Expansion { found, unreadable, .. } = expansion;
    let any = !found.is_empty() || !unreadable.is_empty();
    for (path, source) in unreadable {
        visit(Finding::Unreadable { path, source, folder: true });
    }
    found.into_iter().for_each(|path| visit(look(path)));
    Ok(any)
}

/// What a glob leads to.
struct Expansion<'a> {
    listing: &'a Listing,
    found: BTreeSet<PathBuf>,
    unreadable: Vec<(PathBuf, io::Error)>,
}

impl Expansion<'_> {
    /// Adds all that the parts of a glob lead to from a folder. The crate `glob` matches names, but
    /// does not list folders: it passes over names that are not UTF-8, or panics at them.
    fn expand(&mut self, folder: &Path, parts: &[&str]) -> Result<()> {
        let Some((part, rest)) = parts.split_first() else {
            self.found.insert(folder.to_owned());
            return Ok(());
        };
        if !is_glob(part) {
            let next = folder.join(part);
            let leads_on = !rest.is_empty() || next.symlink_metadata().is_ok();
            return if leads_on { self.expand(&next, rest) } else { Ok(()) };
        }
        let deep = *part == "**";
        if deep && !rest.is_empty() {
            self.expand(folder, rest)?;
        }
        let Ok(pattern) = Pattern::new(part) else { return Ok(()) };
        for entry in self.list(folder)? {
            let name = entry.file_name();
            let hidden = name.as_encoded_bytes().starts_with(b".") && !part.starts_with('.');
            if hidden || !(deep || pattern.matches(&name.to_string_lossy())) {
                continue;
            }
            let next = folder.join(&name);
            // Links are not followed downwards without end.
            if deep && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.expand(&next, parts)?;
            }
            if rest.is_empty() || (!deep && next.is_dir()) {
                self.expand(&next, rest)?;
            }
        }
        Ok(())
    }

    /// What is in a folder. A folder that does not exist, or is not one, holds nothing.
    fn list(&mut self, folder: &Path) -> Result<Vec<DirEntry>> {
        self.listing.goes_on()?;
        self.listing.folders.fetch_add(1, Ordering::Relaxed);
        let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match fs::read_dir(listed).and_then(Iterator::collect) {
            Ok(entries) => Ok(entries),
            Err(error) => {
                if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                    self.unreadable.push((listed.to_owned(), error));
                }
                Ok(Vec::new())
            }
        }
    }
}

/// The files in a folder, hidden ones aside. Whether there are any.
fn walk_folder(folder: &Path, visit: &mut dyn FnMut(Finding)) -> bool {
    let names = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name()),
        Err(source) => {
            visit(Finding::Unreadable { path: folder.to_owned(), source, folder: true });
            return true;
        }
    };
    let (mut hidden, mut names): (Vec<_>, Vec<_>) = names.partition(|name| name.as_encoded_bytes().starts_with(b"."));
    hidden.sort();
    names.sort();
    let hidden = hidden.iter().map(|name| folder.join(name));
    let hidden: Vec<_> = hidden.filter(|path| fs::metadata(path).is_ok_and(|found| found.is_file())).collect();
    if !hidden.is_empty() {
        visit(Finding::Hidden { folder: folder.to_owned(), files: hidden });
    }
    for name in &names {
        visit(look(folder.join(name)));
    }
    !names.is_empty()
}

fn look(path: PathBuf) -> Finding {
    match fs::metadata(&path) {
        Ok(found) => Finding::Path { path, found, named: false },
        Err(source) => Finding::Unreadable { path, source, folder: false },
    }
}

/// What is said of a folder found in a folder or by a glob: its files are not read, and how they
/// would be.
pub fn folder_note(path: &Path) -> String {
    let path = show_path(path);
    format!("{path}: was not read, as it is a folder; to read its files too, name it: '{path}'")
}

/// What is said of the hidden files of a folder: they are not read, and how they would be.
pub fn hidden_note(first: &Path) -> String {
    let path = show_path(first);
    format!("{path}: was not read, as it is hidden; to read it too, name it: '{path}'")
}

/// What is found at a path, as it is read. A stream can be read once.
pub fn input(path: &Path, found: &Metadata) -> Input {
    if found.is_file() { regular(path, found).sniffed() } else { stream(path) }
}

/// A regular file. It is not read any more once another has taken its name.
pub(crate) fn regular(path: &Path, found: &Metadata) -> Input {
    let modified = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
    let modified = i64::try_from(modified).unwrap_or(if modified < 0 { i64::MIN } else { i64::MAX });
    let file = LocalFile {
        path: path.to_owned(),
        identity: (found.dev(), found.ino()),
        size: found.len(),
        modified: Timestamp::from_nanos(modified),
    };
    let (owned, identity) = (path.to_owned(), file.identity);
    let access = Access::At(Arc::new(move || {
        let fail = |source| Error::input(&owned, "cannot open", source);
        let file = File::open(&owned).map_err(fail)?;
        let found = file.metadata().map_err(fail)?;
        if (found.dev(), found.ino()) != identity {
            let source = io::Error::other("another file has taken its name; run again");
            return Err(Error::input(&owned, "was replaced before it was read", source));
        }
        Ok((Arc::new(file), found.len()))
    }));
    Input::new(show_path(path), path.to_owned(), access).of_file(file)
}

/// A pipe, terminal or device.
pub(crate) fn stream(path: &Path) -> Input {
    let owned = path.to_owned();
    let access = Access::Stream(Arc::new(move || {
        // Opening a pipe would wait for its writer, deaf to interrupts; reading waits too, but hears
        // them.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let opened = File::options().read(true).custom_flags(flags).open(&owned);
        let stream = opened.map_err(|error| Error::input(&owned, "cannot open", error))?;
        widen(&stream);
        Ok((Arc::new(stream), 0))
    }));
    Input::new(show_path(path), path.to_owned(), access)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    /// What a glob gives in a folder, by name from there.
    fn found(folder: &Path, pattern: &str) -> Vec<String> {
        let mut found = Vec::new();
        let location = Location::read(&format!("{}/{pattern}", folder.to_str().unwrap()));
        super::find(&location, &Listing::default(), &mut |finding| match finding {
            Finding::Path { path, .. } => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            Finding::Unreadable { .. } | Finding::Hidden { .. } | Finding::Input { .. } => panic!("not in this folder"),
        })
        .unwrap();
        found
    }

    #[test]
    fn globs_match_as_the_shell_does() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.log", "b/c/3.log", "a/1.log", "a/.h.log", ".d/4.log", "5.log", "6.txt", "[x].log"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("b", folder.path().join("link")).unwrap();
        let found = |pattern: &str| found(folder.path(), pattern);
        assert_eq!(found("*.log"), ["5.log", "[x].log"]);
        assert_eq!(found("*/*.log"), ["a/1.log", "b/2.log", "link/2.log"]);
        assert_eq!(found("**/*.log"), ["5.log", "[x].log", "a/1.log", "b/2.log", "b/c/3.log"]);
        assert_eq!(found("a/.*.log"), ["a/.h.log"]);
        assert_eq!(found("[a-b]/?.log"), ["a/1.log", "b/2.log"]);
        assert_eq!(found("*/c/3.log"), ["b/c/3.log", "link/c/3.log"]);
        assert_eq!(found("[[]x].log"), ["[x].log"]);
        assert_eq!(found("[x].log"), ["[x].log"]);
        assert!(found("*/no.log").is_empty() && found("5.log/*").is_empty() && found("no/*").is_empty());
        assert!(super::find(&Location::Glob("a**b".to_owned()), &Listing::default(), &mut |_| {}).is_err());
    }

    #[test]
    fn listing_is_counted_and_ends_when_it_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), "").unwrap();
        let listing = Listing::default();
        let location = Location::Glob(format!("{}/*/**/**/*", folder.path().to_str().unwrap()));
        let mut found = 0;
        assert!(super::find(&location, &listing, &mut |_| found += 1).unwrap());
        // Those of `a`, `b`, and as often as parts lead there.
        assert_eq!((found, listing.folders.load(Ordering::Relaxed)), (2, 5));
        listing.interrupted.store(true, Ordering::Relaxed);
        let said = super::find(&location, &listing, &mut |_| {}).unwrap_err().to_string();
        assert!(said.contains("interrupted while folders were listed"), "{said}");
    }

    #[test]
    fn a_glob_that_is_deeper_than_any_path_is_refused_and_one_that_is_not_is_looked_for() {
        let walked = |levels| {
            super::find(
                &Location::Glob("/*".repeat(levels)),
                &Listing { interrupted: Arc::new(true.into()), ..Listing::default() },
                &mut |_| {},
            )
        };
        for (levels, said) in [
            (2047, "interrupted"),
            (2048, "a glob of 2048 levels, and no path is as deep"),
            (500_000, "no path is as deep"),
        ] {
            let found = walked(levels).unwrap_err().to_string();
            assert!(found.contains(said) && found.len() < 200, "{levels}: {found}");
        }
        // Any number of levels that stand for any number is one.
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.log"), "").unwrap();
        assert_eq!(self::found(folder.path(), &format!("{}*.log", "**/".repeat(300))), ["a.log"]);
    }

    #[test]
    fn e15_a_name_that_is_no_text_is_found_and_breaks_no_glob() {
        let folder = tempfile::tempdir().unwrap();
        for name in [&b"a\xff.log"[..], b"\xfe\n.log", b"x.log"] {
            fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
        }
        assert_eq!(found(folder.path(), "*.log").len(), 3);
        assert_eq!(found(folder.path(), "a?.log").len(), 1);
    }
}
