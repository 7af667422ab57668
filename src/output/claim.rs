//! What an output takes for itself: a file, standard output, an address.
//!
//! Not here: who is refused it (`config::graph` by how it is spelled, `pipeline::targets` by what it
//! leads to). Invariant: nothing is opened to know it, so that conflicts are told before anything is.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use super::spared::{Identity, identity, shown};

/// What an output takes for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Standard output.
    Stdout,
    /// A file, which it writes.
    File(PathBuf),
    /// An address, at which it listens.
    Address(SocketAddr),
}

impl Claim {
    /// The same, if it is spelled without the parts of a path that change nothing: two that are
    /// equal then are one. No file is looked at.
    pub fn cleaned(&self) -> Self {
        match self {
            Claim::File(path) => Claim::File(cleaned(path)),
            other => other.clone(),
        }
    }

    /// The file, if it is one, or leads to one.
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Claim::Stdout => identity(None),
            Claim::File(path) => identity(Some(path)),
            Claim::Address(_) => None,
        }
    }

    /// The path, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Claim::File(path) => Some(path),
            Claim::Stdout | Claim::Address(_) => None,
        }
    }

    /// What keeps two outputs from taking the same.
    pub fn remedy(&self) -> &'static str {
        match self {
            Claim::Stdout => "give one of them a path, e.g. json:results.jsonl",
            Claim::File(_) => "give each a path of its own",
            Claim::Address(_) => "give each an address of its own",
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Stdout => f.write_str(&shown(None)),
            Claim::File(path) => f.write_str(&shown(Some(path))),
            Claim::Address(address) => address.fmt(f),
        }
    }
}

/// A path without the parts that change nothing.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_the_same_however_it_is_spelled() {
        let file = |path: &str| Claim::File(PathBuf::from(path)).cleaned();
        assert_eq!(file("./a/../b"), file("b"));
        assert_ne!(file("../b"), file("b"));
        let address = |text: &str| Claim::Address(text.parse().unwrap()).cleaned();
        assert_eq!(address("127.0.0.1:9100"), address("127.0.0.1:9100"));
        assert_ne!(address("127.0.0.1:9100"), address("127.0.0.1:9101"));
        assert_eq!((file("b").to_string(), Claim::Stdout.to_string()), ("'b'".into(), "standard output".into()));
        assert_eq!(address("[::1]:80").to_string(), "[::1]:80");
    }
}
