//! Locations to inputs: files, folders, globs, standard input.
//!
//! Invariant: each file is there once, however many locations lead to it; inputs stand in the order of the locations,
//! those of one location by name.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Input, Origin};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::options::suggest;

/// What the locations lead to.
#[derive(Debug)]
pub struct Located {
    /// What can be read.
    pub inputs: Vec<Input>,
    /// What was found and cannot be read, one clear message each.
    pub failures: Vec<Error>,
}

/// Finds all inputs. Errors if there is none, with the locations and what exists near them.
pub fn locate(locations: &[String]) -> Result<Located> {
    let mut search = Search::default();
    let mut missing = Vec::new();
    for location in locations {
        if !search.add(location)? {
            missing.push(format!("'{}' matches nothing{}", show_path(Path::new(location)), near(location)));
        }
    }
    let Search { inputs, mut failures, .. } = search;
    if inputs.is_empty() && failures.is_empty() {
        return Err(ErrorKind::NoInput(missing.join("; ")).into());
    }
    failures.extend(missing.into_iter().map(|text| Error::from(ErrorKind::NoInput(text))));
    Ok(Located { inputs, failures })
}

#[derive(Default)]
struct Search {
    inputs: Vec<Input>,
    failures: Vec<Error>,
    known: HashSet<(u64, u64)>,
    stdin: bool,
}

impl Search {
    /// Adds what a location leads to. Whether it leads to anything.
    fn add(&mut self, location: &str) -> Result<bool> {
        if location == "-" {
            // A file on standard input is that file, should another location lead to it too.
            let known = stdin_identity().is_some_and(|identity| !self.known.insert(identity));
            if !std::mem::replace(&mut self.stdin, true) && !known {
                self.inputs.push(Input::stdin());
            }
            return Ok(true);
        }
        let path = Path::new(location);
        // A name that exists is meant as it is, even if it looks like a glob.
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Ok(self.add_folder(path)),
            Ok(found) => {
                self.add_path(path, &found, true);
                return Ok(true);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_glob(location) => {}
            Err(error) => {
                self.failures.push(Error::input(path, "cannot open", error));
                return Ok(true);
            }
        }
        if is_glob(location) { self.add_glob(location) } else { Ok(false) }
    }

    fn add_glob(&mut self, pattern: &str) -> Result<bool> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
        let paths = glob::glob_with(pattern, options).map_err(|error| {
            Error::usage(format!("'{pattern}' is not a glob: {} at character {}", error.msg, error.pos + 1))
        })?;
        let mut any = false;
        for found in paths {
            any = true;
            match found {
                Ok(path) => self.add_match(&path),
                Err(error) => {
                    let path = error.path().to_owned();
                    self.failures.push(Error::input(&path, "cannot open", error.into()));
                }
            }
        }
        Ok(any)
    }

    /// The files in a folder, hidden ones aside. Whether there are any.
    fn add_folder(&mut self, folder: &Path) -> bool {
        let names = match fs::read_dir(folder) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name()),
            Err(error) => {
                self.failures.push(Error::input(folder, "cannot open", error));
                return true;
            }
        };
        let mut names: Vec<_> = names.filter(|name| !name.as_encoded_bytes().starts_with(b".")).collect();
        names.sort();
        for name in &names {
            self.add_match(&folder.join(name));
        }
        !names.is_empty()
    }

    /// Adds one of the paths that a glob or a folder gives.
    fn add_match(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) => self.add_path(path, &found, false),
            Err(error) => self.failures.push(Error::input(path, "cannot open", error)),
        }
    }

    /// Adds a path. Streams only if they were `named`: one that a glob merely came across could block for ever.
    fn add_path(&mut self, path: &Path, found: &Metadata, named: bool) {
        if found.is_dir() {
            let source = io::Error::from(io::ErrorKind::IsADirectory);
            return self.failures.push(Error::input(path, "was not read", source));
        }
        if !found.is_file() && !named {
            let source = io::Error::other("not a regular file; name it by itself to read it as a stream");
            return self.failures.push(Error::input(path, "was not read", source));
        }
        let identity = (found.dev(), found.ino());
        if !self.known.insert(identity) {
            return;
        }
        let origin = if found.is_file() {
            Origin::File { path: path.to_owned(), identity, size: found.len() }
        } else {
            Origin::Stream(Some(path.to_owned()))
        };
        self.inputs.push(Input { name: show_path(path), origin });
    }
}

/// The device and inode of standard input, if it is a file.
pub fn stdin_identity() -> Option<(u64, u64)> {
    let file = io::stdin().as_fd().try_clone_to_owned().map(File::from).ok()?;
    let found = file.metadata().ok()?;
    found.is_file().then(|| (found.dev(), found.ino()))
}

fn is_glob(location: &str) -> bool {
    location.contains(['*', '?', '['])
}

/// For a location that leads nowhere: what is there instead.
fn near(location: &str) -> String {
    let path = Path::new(location);
    if path.is_dir() {
        return ": the folder holds no file that is not hidden".to_owned();
    }
    let parent = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        other => other.map(Path::to_owned),
    };
    // The nearest folder that exists, and the part of the location that does not exist in it.
    let (mut missing, mut folder) = (path.to_owned(), parent(path));
    while let Some(candidate) = folder.clone().filter(|folder| !folder.is_dir()) {
        folder = parent(&candidate);
        missing = candidate;
    }
    let Some(folder) = folder else { return String::new() };
    let names = fs::read_dir(&folder).map(|entries| {
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
    });
    let mut names = names.unwrap_or_default();
    names.sort();
    let wanted = missing.file_name().unwrap_or_default().to_string_lossy();
    if let Some(help) = suggest(&wanted, names.iter().map(String::as_str)) {
        return format!(" in '{}'; {}", show_path(&folder), show_path(Path::new(&help)));
    }
    let shown: Vec<String> = names.iter().take(3).map(|name| show_path(Path::new(name))).collect();
    match names.len() {
        0 => format!("; '{}' is empty", show_path(&folder)),
        1..=3 => format!("; '{}' holds {}", show_path(&folder), shown.join(", ")),
        more => format!("; '{}' holds {} and {} more", show_path(&folder), shown.join(", "), more - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.log", "a.log", ".hidden.log"] {
            fs::write(folder.path().join(name), "17 a b\n").unwrap();
        }
        let path = folder.path().to_str().unwrap().to_owned();
        (folder, path)
    }

    fn names(located: &Located) -> Vec<&str> {
        located.inputs.iter().map(|input| input.name.rsplit('/').next().unwrap()).collect()
    }

    #[test]
    fn globs_folders_and_files_give_their_files_by_name() {
        let (_folder, path) = folder();
        assert_eq!(names(&locate(&[format!("{path}/*.log")]).unwrap()), ["a.log", "b.log"]);
        assert_eq!(names(&locate(std::slice::from_ref(&path)).unwrap()), ["a.log", "b.log"]);
        assert_eq!(names(&locate(&[format!("{path}/b.log")]).unwrap()), ["b.log"]);
        assert!(locate(&["-".into(), "-".into()]).unwrap().inputs[0].is_streamed());
    }

    #[test]
    fn a16_a_file_by_two_paths_is_one_input() {
        let (folder, path) = folder();
        fs::hard_link(folder.path().join("a.log"), folder.path().join("c.log")).unwrap();
        std::os::unix::fs::symlink("b.log", folder.path().join("d.log")).unwrap();
        let located = locate(&[format!("{path}/*.log"), format!("{path}/a.log"), path]).unwrap();
        assert_eq!(names(&located), ["a.log", "b.log"]);
    }

    #[test]
    fn a18_what_is_no_file_is_one_message_and_the_rest_is_read() {
        let (folder, path) = folder();
        fs::create_dir(folder.path().join("sub.log")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.log")).unwrap();
        let located = locate(&[format!("{path}/*.log")]).unwrap();
        assert_eq!(names(&located), ["a.log", "b.log"]);
        assert_eq!(located.failures.len(), 2);
    }

    #[test]
    fn no_input_names_the_pattern_and_what_is_near() {
        let (_folder, path) = folder();
        let text = |location: String| locate(&[location]).unwrap_err().to_string();
        assert!(text(format!("{path}/a.lag")).ends_with("did you mean 'a.log'?"));
        let far = text(format!("{path}/zzz*.txt"));
        assert!(far.starts_with("No log files found! '") && far.ends_with("holds a.log, b.log"), "{far}");
        assert!(text(format!("{path}/no/such/x.log")).contains("holds a.log, b.log"));
        fs::create_dir(Path::new(&path).join("empty")).unwrap();
        assert!(
            text(format!("{path}/empty"))
                .ends_with("empty' matches nothing: the folder holds no file that is not hidden")
        );
    }
}
