//! The files that a question leads to here: by name, size and how they begin, to be compared with
//! those of a plan.
//!
//! Not here: which bytes of them hold the window. Invariant: files that agree with a plan are all
//! of the plan's and no others, none shorter than planned, and each begins as it did. Those that
//! are longer are named, since who has planned may have seen an old state of them.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result, show_path};
use crate::model::Guard;
use crate::pipeline::environment::Pipeline;
use crate::pipeline::probe::head;
use crate::pipeline::reading::find_all;
use crate::source::follow::HEAD;
use crate::stage::Failures;

/// A file, as it was found or as it was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// How it begins.
    pub head: Guard,
}

impl Pipeline {
    /// The files that a run would read, in the order of their names. Errors if one of them cannot
    /// be read.
    pub(crate) fn list(self) -> Result<Vec<ListedFile>> {
        let Pipeline { plan, mut environment } = self;
        let failures = Failures::new(environment.listener.clone());
        let inputs = find_all(&plan, &mut environment, &failures, "there is no list")?;
        let listed = inputs.all.iter().map(|input| match input.file() {
            Some(file) => found(&file.path),
            None => Err(Error::usage(format!("{}: only files can be listed; count a pipe where it is", input.name))),
        });
        let mut listed = listed.collect::<Result<Vec<_>>>()?;
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listed)
    }
}

/// A file as it is now: once it is open, a network file system says its size as it is, too.
fn found(path: &Path) -> Result<ListedFile> {
    let look = |file: File| Ok((file.metadata()?.len(), head(&file, HEAD as u64)?));
    let (size, head) = File::open(path).and_then(look).map_err(|error| Error::input(path, "cannot read", error))?;
    Ok(ListedFile { path: path.to_owned(), size, head })
}

fn beginning(path: &Path, bytes: u64) -> Result<Guard> {
    let read = File::open(path).and_then(|file| head(&file, bytes));
    read.map_err(|error| Error::input(path, "cannot read", error))
}

/// Errors with the first file in which these files, in the order of their names, are not those that
/// were planned. Gives those that are longer.
pub fn agree<'a>(here: &'a [ListedFile], planned: &[ListedFile]) -> Result<Vec<&'a ListedFile>> {
    let mut longer = Vec::new();
    let mut planned: Vec<&ListedFile> = planned.iter().collect();
    planned.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut here, mut planned) = (here.iter().peekable(), planned.into_iter().peekable());
    loop {
        let (path, what) = match (here.peek(), planned.peek()) {
            (None, None) => return Ok(longer),
            (Some(file), None) => (&file.path, "is here, and not in the plan".to_owned()),
            (None, Some(file)) => (&file.path, "is in the plan, and not here".to_owned()),
            (Some(file), Some(other)) if file.path < other.path => {
                (&file.path, "is here, and not in the plan".to_owned())
            }
            (Some(file), Some(other)) if file.path > other.path => {
                (&other.path, "is in the plan, and not here".to_owned())
            }
            (Some(file), Some(other)) => match difference(file, other)? {
                Some(what) => (&file.path, what),
                None => {
                    longer.extend((file.size > other.size).then_some(*file));
                    here.next();
                    planned.next();
                    continue;
                }
            },
        };
        let text = format!("{}: {what}; plan again where all files are seen", show_path(path));
        return Err(ErrorKind::Tallies(text).into());
    }
}

/// What of a file is not as it was planned.
fn difference(here: &ListedFile, planned: &ListedFile) -> Result<Option<String>> {
    if here.size < planned.size {
        return Ok(Some(format!("has {} bytes here, and {} in the plan", here.size, planned.size)));
    }
    // It may have been shorter than what is looked at now.
    let same_length = here.head.bytes == planned.head.bytes;
    let head = if same_length { here.head } else { beginning(&here.path, u64::from(planned.head.bytes))? };
    Ok((head != planned.head).then(|| "begins otherwise here than in the plan".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, bytes: &[u8]) -> ListedFile {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        ListedFile { size: bytes.len() as u64, head: beginning(&path, HEAD as u64).unwrap(), path }
    }

    fn said(here: &[ListedFile], planned: &[ListedFile]) -> String {
        let text = agree(here, planned).map_or_else(|error| error.to_string(), |_| String::new());
        text.rsplit('/').next().unwrap().split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_set_agrees_that_is_the_plans_or_has_grown_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| file(folder.path(), name, format!("17 {name} x\n").as_bytes()));
        let all = [a.clone(), b.clone(), c.clone()];
        assert_eq!(said(&all, &[c.clone(), a.clone(), b.clone()]), "");
        for missing in 0..3 {
            let mut some = all.to_vec();
            let name = some.remove(missing).path.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(said(&some, &all), format!("{name}: is in the plan, and not here"));
            assert_eq!(said(&all, &some), format!("{name}: is here, and not in the plan"));
        }
        // By one byte, by more than what is looked at of a file, and from nothing.
        for more in [&b"1"[..], &[b'x'; 5_000]] {
            let grown = file(folder.path(), "b", &[b"17 b x\n", more].concat());
            let here = [a.clone(), grown.clone(), c.clone()];
            assert_eq!(agree(&here, &all).unwrap(), [&grown]);
            let expected = format!("b: has 7 bytes here, and {} in the plan", 7 + more.len());
            assert_eq!(said(&all, &[a.clone(), grown, c.clone()]), expected);
        }
        let empty = ListedFile { size: 0, head: Guard::default(), ..b.clone() };
        assert_eq!(said(&all, &[a.clone(), empty, c.clone()]), "");
        let other = file(folder.path(), "b", b"17 z x\n17 b x\n");
        assert_eq!(said(&[a, other, c], &all), "b: begins otherwise here than in the plan");
    }
}
