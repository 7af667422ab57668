//! Locations and paths as a command line or a configuration says them, before anybody looks for a
//! file.
//!
//! Not here: what they lead to (`source`). Invariant: what a text stands for is told once, here;
//! behind it nobody compares texts with `-`.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// What `-` is for.
const STANDARD: &str = "-";

/// Where something is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Standard input.
    Stdin,
    /// A file or a folder.
    Path(PathBuf),
    /// A pattern of paths, unless there is a file or a folder of that name.
    Glob(String),
    /// Something elsewhere.
    Address {
        /// How it is come by, e.g. `s3`.
        scheme: String,
        /// All of it.
        text: String,
    },
}

impl Location {
    /// What a text means.
    pub fn read(text: &str) -> Self {
        match scheme(text) {
            Some(scheme) => Location::Address { scheme: scheme.to_owned(), text: text.to_owned() },
            None if text == STANDARD => Location::Stdin,
            None if is_glob(text) => Location::Glob(text.to_owned()),
            None => Location::Path(PathBuf::from(text)),
        }
    }

    /// Whether it is standard input.
    pub fn is_stdin(&self) -> bool {
        matches!(self, Location::Stdin)
    }

    /// The scheme of an address.
    pub fn scheme(&self) -> Option<&str> {
        match self {
            Location::Address { scheme, .. } => Some(scheme),
            _ => None,
        }
    }

    /// Whether it leads to files of this machine.
    pub fn is_path(&self) -> bool {
        matches!(self, Location::Path(_) | Location::Glob(_))
    }

    /// As it is written.
    pub fn as_path(&self) -> &Path {
        match self {
            Location::Stdin => Path::new(STANDARD),
            Location::Path(path) => path,
            Location::Glob(text) | Location::Address { text, .. } => Path::new(text),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
    }
}

/// Whether a text is a pattern of paths.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A file, or the standard stream in its place: standard input of what is read, standard output of
/// what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathArg {
    /// The standard stream.
    Std,
    /// The file.
    Path(PathBuf),
}

impl PathArg {
    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            PathArg::Std => None,
            PathArg::Path(path) => Some(path),
        }
    }
}

impl From<OsString> for PathArg {
    fn from(text: OsString) -> Self {
        if text == STANDARD { PathArg::Std } else { PathArg::Path(PathBuf::from(text)) }
    }
}

impl From<&str> for PathArg {
    fn from(text: &str) -> Self {
        PathArg::from(OsString::from(text))
    }
}

/// The scheme that a text begins with as addresses do, e.g. `s3` of `s3://bucket/x`. A file of that name is written `./s3://x`.
pub fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let rest = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (letter && rest).then_some(scheme)
}

/// Why a text that begins with a scheme names no file, and what to do.
pub fn no_file(scheme: &str) -> String {
    let remedy = match scheme.to_ascii_lowercase().as_str() {
        "file" => "write the path alone",
        _ => "copy or mount it, or pipe it in",
    };
    format!("{scheme}:// is no place that is read ({remedy}; a file that is called so is ./{scheme}://...)")
}

/// Why a text that begins with a scheme names nothing that is written to, and what to do.
pub fn no_target(scheme: &str) -> String {
    let remedy = match scheme.to_ascii_lowercase().as_str() {
        "file" => "write the path alone",
        _ => "write a file, and copy it there",
    };
    format!("{scheme}:// is no place that is written to ({remedy}; a file that is called so is ./{scheme}://...)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_to_is_named_with_the_remedy() {
        assert!(no_target("s3").starts_with("s3:// is no place that is written to (write a file, and copy it there;"));
        assert!(no_target("FILE").contains("(write the path alone; a file that is called so is ./FILE://...)"));
    }

    #[test]
    fn a_location_is_what_its_text_stands_for_and_is_written_as_that() {
        for (text, expected) in [
            ("-", Location::Stdin),
            ("./-", Location::Path("./-".into())),
            ("logs/a.log", Location::Path("logs/a.log".into())),
            ("logs/*.log", Location::Glob("logs/*.log".to_owned())),
            ("./s3://x", Location::Path("./s3://x".into())),
            ("s3://x*", Location::Address { scheme: "s3".to_owned(), text: "s3://x*".to_owned() }),
        ] {
            assert_eq!(Location::read(text), expected);
            assert_eq!(expected.to_string(), text);
        }
        assert_eq!((PathArg::from("-").path(), PathArg::from("./-").path()), (None, Some(Path::new("./-"))));
    }

    #[test]
    fn schemes_are_told_from_names() {
        for (text, expected) in [
            ("s3://bucket/x", Some("s3")),
            ("hdfs://host:1/x*.log", Some("hdfs")),
            ("HTTPS://x", Some("HTTPS")),
            ("git+ssh://x", Some("git+ssh")),
            ("file:///x", Some("file")),
            ("x://", Some("x")),
            ("./s3://x", None),
            ("/s3://x", None),
            ("a b://x", None),
            ("3s://x", None),
            ("://x", None),
            ("s3:/x", None),
            ("*.log", None),
            ("-", None),
        ] {
            assert_eq!(scheme(text), expected, "{text}");
        }
    }
}
