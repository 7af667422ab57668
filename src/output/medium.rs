//! Media: what an output makes of a result, as bytes.
//!
//! Not here: where the bytes go (`target`), and whether they can wait (`destination`). Invariant: a
//! medium computes nothing; what it is given is what it shows.

use std::io;

use crate::error::Error;
use crate::model::{Balance, WindowResult};

/// How a result should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Style {
    /// Whether to colour headings: only for a terminal.
    pub color: bool,
    /// What it stands behind.
    pub behind: Behind,
}

/// What stands before a result where it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behind {
    /// Nothing.
    #[default]
    Nothing,
    /// What an earlier run has written.
    Run,
    /// A result of this run.
    Result,
}

/// Who is told that a file cannot be written, where the run goes on all the same.
pub trait Tell: Send + Sync {
    /// What people should know though nothing is lost yet.
    fn warn(&self, text: &str);
    /// What is lost.
    fn fail(&self, error: Error);
}

/// Makes bytes of results.
pub trait Medium: Send {
    /// A result as bytes, to be written whole.
    fn render(&self, result: &WindowResult, style: Style) -> io::Result<Vec<u8>>;

    /// Whether it says that a limit has left out rows which are as good as the last one.
    fn says_more(&self) -> bool {
        false
    }

    /// What stands before all results, where there is none; `empty` is one without rows.
    fn head(&self, _empty: &WindowResult, _style: Style) -> Option<io::Result<Vec<u8>>> {
        None
    }

    /// The balance sheet of a whole run as bytes, where the medium has a place for it: it is written
    /// behind all results if the last of them does not tell all that was lost.
    fn sheet(&self, _balance: &Balance) -> Option<io::Result<Vec<u8>>> {
        None
    }
}
