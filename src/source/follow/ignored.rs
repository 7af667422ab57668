//! Files that are not followed, and why.

use super::candidate::Candidate;
use super::content::Stat;
use crate::model::InputId;

/// A file that is not followed, as it was when that was decided, and why.
#[derive(Debug)]
pub(super) struct Ignored {
    pub born: Option<u128>,
    pub size: u64,
    pub modified: (i64, i64),
    pub why: Why,
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

impl Ignored {
    pub fn new(candidate: &Candidate, why: Why) -> Self {
        let Stat { born, size, modified, .. } = candidate.stat;
        Ignored { born, size, modified, why }
    }

    /// What is said of it each time that it is met.
    pub fn warning(&self) -> Option<&String> {
        match &self.why {
            Why::Unread(text) => Some(text),
            Why::Copy { said, .. } => said.as_ref(),
        }
    }
}

/// What a candidate is, as far as it is compressed.
pub(super) enum Packed {
    /// It is not.
    No,
    /// It may be the copy of what was counted, and is not finished, or that is not counted to its
    /// end.
    Wait,
    /// It is not followed.
    Ignored(Ignored),
}
