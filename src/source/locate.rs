//! Locations to inputs: files, folders, globs, standard input.
//!
//! Invariant: each file is there once, however many locations lead to it; inputs stand in the order
//! of the locations, those of one location by name.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::entry::{Finding, Listing};
use super::input::Input;
use super::places::{self, file};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::model::location::Location;
use crate::options::suggest;

/// What the locations lead to.
#[derive(Debug)]
pub struct Located {
    /// What can be read.
    pub inputs: Vec<Input>,
    /// What was found and cannot be read, one clear message each.
    pub failures: Vec<Error>,
    /// What was found on the way and is not read, which is not a failure.
    pub notes: Vec<String>,
}

/// Finds all inputs. Errors if there are none, with the locations and what exists near them, and
/// when listing is interrupted.
pub fn locate(locations: &[Location], listing: &Listing) -> Result<Located> {
    let mut search = FoundInputs::default();
    let mut missing = Vec::new();
    for location in locations {
        if !places::find(location, listing, &mut |finding| search.take(finding))? {
            missing.push(format!("'{}' matches nothing{}", show_path(location.as_path()), near(location.as_path())));
        }
    }
    let FoundInputs { inputs, mut failures, folders, hidden, .. } = search;
    let notes = [
        note(&folders, file::folder_note, "folder", "folders"),
        note(&hidden, file::hidden_note, "hidden file", "hidden files"),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    if inputs.is_empty() && failures.is_empty() {
        missing.extend(notes);
        return Err(ErrorKind::NoInput(missing.join("; ")).into());
    }
    failures.extend(missing.into_iter().map(|text| Error::from(ErrorKind::NoInput(text))));
    Ok(Located { inputs, failures, notes })
}

/// What is said of the first of some paths, and how many more there are.
fn note(paths: &[PathBuf], of: fn(&Path) -> String, one: &str, more: &str) -> Option<String> {
    let (first, others) = paths.split_first()?;
    Some(match others.len() {
        0 => of(first),
        1 => format!("{} (1 more {one} likewise)", of(first)),
        others => format!("{} ({others} more {more} likewise)", of(first)),
    })
}

#[derive(Default)]
struct FoundInputs {
    inputs: Vec<Input>,
    failures: Vec<Error>,
    /// Folders found in a folder or by a glob.
    folders: Vec<PathBuf>,
    /// Hidden files of folders.
    hidden: Vec<PathBuf>,
    known: HashSet<(u64, u64)>,
    /// Names of those that have no path.
    named: HashSet<String>,
}

impl FoundInputs {
    /// Takes in what a location leads to.
    fn take(&mut self, finding: Finding) {
        match finding {
            Finding::Input { input, identity, .. } => {
                // A file on standard input is that file, should another location lead to it too.
                let known = identity.is_some_and(|identity| !self.known.insert(identity));
                if self.named.insert(input.name.clone()) && !known {
                    self.inputs.push(input);
                }
            }
            Finding::Hidden { files, .. } => self.hidden.extend(files),
            Finding::Path { path, found, named } => self.add_path(&path, &found, named),
            Finding::Unreadable { path, source, .. } => self.failures.push(Error::input(&path, "cannot open", source)),
        }
    }

    /// Adds a path. Streams are added only if they were `named`: one that a glob only happens to
    /// match could block for ever.
    fn add_path(&mut self, path: &Path, found: &Metadata, named: bool) {
        if found.is_dir() {
            return self.folders.push(path.to_owned());
        }
        if let Some(source) = unfit(found, named) {
            return self.failures.push(Error::input(path, "was not read", source));
        }
        let identity = (found.dev(), found.ino());
        if !self.known.insert(identity) {
            return;
        }
        self.inputs.push(file::input(path, found));
    }
}

/// Why what was found is not to be read, if it is not. Streams are, if they were `named`.
fn unfit(found: &Metadata, named: bool) -> Option<io::Error> {
    let stream = !found.is_file() && !named;
    stream.then(|| io::Error::other("not a regular file; name it by itself to read it as a stream"))
}

/// For a location that leads nowhere: what is there instead.
fn near(path: &Path) -> String {
    if path.is_dir() {
        return ": the folder holds no file that is not hidden".to_owned();
    }
    if path.is_symlink() {
        return ": it is a link to what is not there".to_owned();
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

    fn located(locations: &[String]) -> Result<Located> {
        let locations: Vec<_> = locations.iter().map(|text| Location::read(text)).collect();
        locate(&locations, &Listing::default())
    }

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
        assert_eq!(names(&located(&[format!("{path}/*.log")]).unwrap()), ["a.log", "b.log"]);
        assert_eq!(names(&located(std::slice::from_ref(&path)).unwrap()), ["a.log", "b.log"]);
        assert_eq!(names(&located(&[format!("{path}/b.log")]).unwrap()), ["b.log"]);
        assert!(located(&["-".into(), "-".into()]).unwrap().inputs[0].is_streamed());
    }

    #[test]
    fn a16_a_file_by_two_paths_is_one_input() {
        let (folder, path) = folder();
        fs::hard_link(folder.path().join("a.log"), folder.path().join("c.log")).unwrap();
        std::os::unix::fs::symlink("b.log", folder.path().join("d.log")).unwrap();
        let located = super::tests::located(&[format!("{path}/*.log"), format!("{path}/a.log"), path]).unwrap();
        assert_eq!(names(&located), ["a.log", "b.log"]);
    }

    #[test]
    fn a18_what_cannot_be_opened_is_one_message_and_the_rest_is_read() {
        let (folder, path) = folder();
        fs::create_dir(folder.path().join("sub.log")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.log")).unwrap();
        let located = super::tests::located(&[format!("{path}/*.log")]).unwrap();
        assert_eq!(names(&located), ["a.log", "b.log"]);
        assert_eq!(located.failures.len(), 1);
    }

    #[test]
    fn folders_that_are_come_across_are_told_once_and_are_no_failure() {
        let (folder, path) = folder();
        fs::create_dir(folder.path().join("c.log")).unwrap();
        fs::create_dir(folder.path().join("d.log")).unwrap();
        for location in [path.clone(), format!("{path}/*.log")] {
            let located = super::tests::located(&[location]).unwrap();
            assert_eq!((names(&located).len(), located.failures.len()), (2, 0));
            let folders: Vec<_> = located.notes.iter().filter(|note| note.contains("as it is a folder")).collect();
            let [note] = folders[..] else { panic!("{:?}", located.notes) };
            assert!(note.contains("c.log: was not read") && note.contains("(1 more folder likewise)"), "{note}");
        }
        let error = located(&[format!("{path}/[cd].log")]).unwrap_err().to_string();
        assert!(error.starts_with("No log files found! ") && error.contains("as it is a folder"), "{error}");
    }

    #[test]
    fn no_input_names_the_pattern_and_what_is_near() {
        let (_folder, path) = folder();
        let text = |location: String| located(&[location]).unwrap_err().to_string();
        assert!(text(format!("{path}/a.lag")).ends_with("did you mean 'a.log'?"));
        let far = text(format!("{path}/zzz*.txt"));
        assert!(far.starts_with("No log files found! '") && far.ends_with("holds a.log, b.log"), "{far}");
        assert!(text(format!("{path}/no/such/x.log")).contains("holds a.log, b.log"));
        std::os::unix::fs::symlink("nowhere", Path::new(&path).join("link.log")).unwrap();
        assert!(text(format!("{path}/link.log")).ends_with("' matches nothing: it is a link to what is not there"));
        fs::create_dir(Path::new(&path).join("empty")).unwrap();
        assert!(
            text(format!("{path}/empty"))
                .ends_with("empty' matches nothing: the folder holds no file that is not hidden")
        );
    }
}
