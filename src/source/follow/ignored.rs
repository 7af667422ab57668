//! Files that are not followed, and why.
//!
//! Invariant: one is passed over as long as it is what it was when that was decided.

use std::collections::HashMap;

use super::candidates::Candidate;
use super::content::{FileIdentity, Stat};
use super::records::{PassedOver, PassedWhen};
use crate::model::InputId;

/// Files that are not followed, by device and inode.
#[derive(Debug, Default)]
pub(super) struct IgnoredFiles(HashMap<FileIdentity, Ignored>);

/// A file that is not followed, as it was when that was decided, and why.
#[derive(Debug)]
struct Ignored {
    born: Option<u128>,
    size: u64,
    modified: (i64, i64),
    why: Why,
}

/// Why a file is not followed.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// It cannot be read, which is said.
    Unread(String),
    /// What it holds of a generation is dealt with, or will be once so many bytes of that are
    /// counted, or told to be lost.
    Copy {
        until: Option<(InputId, u64)>,
        /// What is said of it, unless the loss says it.
        said: Option<String>,
    },
}

impl Why {
    /// What is said of it each time that it is met.
    pub fn warning(&self) -> Option<&String> {
        match self {
            Why::Unread(text) => Some(text),
            Why::Copy { said, .. } => said.as_ref(),
        }
    }
}

impl IgnoredFiles {
    /// Passes over a candidate from now on.
    pub fn ignore(&mut self, candidate: &Candidate, why: Why) {
        let Stat { identity, born, size, modified, .. } = candidate.stat;
        self.0.insert(identity, Ignored { born, size, modified, why });
    }

    /// Passes over what an earlier run has passed over.
    pub fn pass_over(&mut self, files: Vec<PassedOver>) {
        for PassedOver { device, inode, born, size, modified } in files {
            let why = Why::Copy { until: None, said: None };
            self.0.insert((device, inode), Ignored { born, size, modified, why });
        }
    }

    /// Why a file is passed over, if it is.
    pub fn why(&self, stat: &Stat) -> Option<&Why> {
        let Ignored { born, size, modified, why } = self.0.get(&stat.identity)?;
        ((*born, *size, *modified) == (stat.born, stat.size, stat.modified)).then_some(why)
    }

    /// Notes that a file has been read as history to its end, with so many bytes of a generation.
    pub fn end_past(&mut self, &Stat { identity, born, size, modified, .. }: &Stat, id: InputId, length: u64) {
        if let Some(ignored) = self.0.get_mut(&identity) {
            let why = Why::Copy { until: Some((id, length)), said: None };
            *ignored = Ignored { born, size, modified, why };
        }
    }

    /// Forgets those that are not there any more.
    pub fn retain(&mut self, is_there: impl Fn(FileIdentity) -> bool) {
        self.0.retain(|identity, _| is_there(*identity));
    }

    /// The copies among them, and how many bytes of which generation have to be counted or told
    /// first.
    pub fn copies(&self) -> Vec<PassedWhen> {
        let copies = self.0.iter().filter_map(|(&(device, inode), ignored)| {
            let Ignored { born, size, modified, ref why } = *ignored;
            let Why::Copy { until, .. } = why else { return None };
            Some((PassedOver { device, inode, born, size, modified }, *until))
        });
        copies.collect()
    }

    /// The copies of which nothing is said, and which have so many bytes of a generation.
    pub fn silent_copies(&self) -> impl Iterator<Item = (FileIdentity, InputId, u64)> {
        self.0.iter().filter_map(|(identity, ignored)| match ignored.why {
            Why::Copy { until: Some((id, length)), said: None } => Some((*identity, id, length)),
            _ => None,
        })
    }
}
