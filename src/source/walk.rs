//! Locations to paths: what files, folders and globs lead to, looked at once each.
//!
//! Not here: what is done with a path. Invariant: paths come in the order of the locations, those of one location by name.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use glob::Pattern;

use crate::error::{Error, Result, show_path};

/// What a location leads to.
pub(super) enum Finding {
    /// Standard input.
    Stdin,
    /// Something that is there, named by itself or come across by a folder or a glob.
    Path {
        /// Where.
        path: PathBuf,
        /// What.
        found: Metadata,
        /// Whether the location is this path.
        named: bool,
    },
    /// Hidden files of a folder, which are not read.
    Hidden {
        /// The folder.
        folder: PathBuf,
        /// The files, by name.
        files: Vec<PathBuf>,
    },
    /// Something that cannot be looked at.
    Unreadable {
        /// Where.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
        /// Whether it is a folder, so that files in it may be missing.
        folder: bool,
    },
}

/// Gives all that a location leads to. Whether it leads to anything. Errors if it is a glob that is none.
pub(super) fn walk(location: &str, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    if location == "-" {
        visit(Finding::Stdin);
        return Ok(true);
    }
    let path = Path::new(location);
    // A name that exists is meant as it is, even if it looks like a glob.
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(walk_folder(path, visit)),
        Ok(found) => {
            visit(Finding::Path { path: path.to_owned(), found, named: true });
            return Ok(true);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_glob(location) => {}
        Err(source) => {
            visit(Finding::Unreadable { path: path.to_owned(), source, folder: false });
            return Ok(true);
        }
    }
    if is_glob(location) { walk_glob(location, visit) } else { Ok(false) }
}

fn walk_glob(pattern: &str, visit: &mut dyn FnMut(Finding)) -> Result<bool> {
    Pattern::new(pattern).map_err(|error| {
        Error::usage(format!("'{pattern}' is not a glob: {} at character {}", error.msg, error.pos + 1))
    })?;
    let (root, rest) = match pattern.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", pattern),
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = BTreeSet::new();
    let mut unreadable = Vec::new();
    expand(Path::new(root), &parts, &mut found, &mut unreadable);
    let any = !found.is_empty() || !unreadable.is_empty();
    for (path, source) in unreadable {
        visit(Finding::Unreadable { path, source, folder: true });
    }
    found.into_iter().for_each(|path| visit(look(path)));
    Ok(any)
}

/// Adds all that the parts of a glob lead to from a folder. The crate `glob` matches names, but does not list folders: it
/// passes over names that are not UTF-8, or panics at them.
fn expand(folder: &Path, parts: &[&str], found: &mut BTreeSet<PathBuf>, unreadable: &mut Vec<(PathBuf, io::Error)>) {
    let Some((part, rest)) = parts.split_first() else {
        found.insert(folder.to_owned());
        return;
    };
    if !is_glob(part) {
        let next = folder.join(part);
        if !rest.is_empty() || next.symlink_metadata().is_ok() {
            expand(&next, rest, found, unreadable);
        }
        return;
    }
    let deep = *part == "**";
    if deep && !rest.is_empty() {
        expand(folder, rest, found, unreadable);
    }
    let Ok(pattern) = Pattern::new(part) else { return };
    for entry in list(folder, unreadable) {
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".") && !part.starts_with('.');
        if hidden || !(deep || pattern.matches(&name.to_string_lossy())) {
            continue;
        }
        let next = folder.join(&name);
        // Links are not followed downwards without end.
        if deep && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            expand(&next, parts, found, unreadable);
        }
        if rest.is_empty() || (!deep && next.is_dir()) {
            expand(&next, rest, found, unreadable);
        }
    }
}

/// What is in a folder. One that is not there, or is none, holds nothing.
fn list(folder: &Path, unreadable: &mut Vec<(PathBuf, io::Error)>) -> Vec<DirEntry> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match fs::read_dir(listed).and_then(Iterator::collect) {
        Ok(entries) => entries,
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                unreadable.push((listed.to_owned(), error));
            }
            Vec::new()
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

/// For a folder that a folder or a glob came across: that its files are not read, and how they would be.
pub(super) fn folder_note(path: &Path) -> String {
    let path = show_path(path);
    format!("{path}: was not read, as it is a folder; to read its files too, name it: '{path}'")
}

/// For hidden files of a folder: that they are not read, and how they would be.
pub(super) fn hidden_note(first: &Path) -> String {
    let path = show_path(first);
    format!("{path}: was not read, as it is hidden; to read it too, name it: '{path}'")
}

/// Whether a location has characters that only globs have.
pub(super) fn is_glob(location: &str) -> bool {
    location.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    /// What a glob gives in a folder, by name from there.
    fn found(folder: &Path, pattern: &str) -> Vec<String> {
        let mut found = Vec::new();
        let location = format!("{}/{pattern}", folder.to_str().unwrap());
        walk(&location, &mut |finding| match finding {
            Finding::Path { path, .. } => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            Finding::Unreadable { .. } | Finding::Hidden { .. } | Finding::Stdin => panic!("not in this folder"),
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
        assert!(walk("a**b", &mut |_| {}).is_err());
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
