//! What a run has at hand for outputs when they are opened, all before its first byte is read.
//!
//! Not here: whether an output may have what it takes (`claim`). Invariant: where inputs are followed,
//! files are written on; elsewhere they begin anew.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::destination::Destination;
use super::medium::{Behind, Medium, Style, Tell};
use super::pipes::PipeWait;
use super::target::{LastResult, Reopen, Target};
use crate::error::Result;

/// What a run has at hand for its outputs.
#[derive(Default)]
pub struct Opening {
    /// How what goes to standard output should look.
    pub style: Style,
    /// Where the last result is kept that is meant for standard output, in place of all of them there.
    pub last: Option<LastResult>,
    /// What stands for standard output, if it is not that itself.
    pub stdout: Option<Box<dyn Write + Send>>,
    /// What the next output writes to, whatever it was told.
    pub given: Option<Box<dyn Write + Send>>,
    /// How pipes are waited for.
    pub pipes: PipeWait,
    /// Where inputs are followed: what asks for files to be opened again, and what is told of those
    /// that cannot be written.
    pub follows: Option<(Arc<Reopen>, Arc<dyn Tell>)>,
}

impl Opening {
    /// Opens a file, or standard output in its place, for the results in a medium, which is called
    /// `name`.
    pub fn open(&mut self, name: &'static str, medium: Box<dyn Medium>, path: Option<&Path>) -> Result<Destination> {
        let (target, style) = match (self.given.take(), path) {
            (Some(writer), _) => (Target::given(name.to_owned(), writer), self.style),
            (None, None) => (self.stdout()?, self.style),
            (None, Some(path)) => self.file(path)?,
        };
        let tell = self.follows.as_ref().map(|(_, tell)| Arc::clone(tell));
        Ok(Destination::new(target, name, medium, style, tell))
    }

    fn stdout(&mut self) -> Result<Target> {
        match (&self.last, self.stdout.take()) {
            (Some(last), _) => Ok(Target::last(Arc::clone(last))),
            (None, Some(writer)) => Ok(Target::given("stdout".to_owned(), writer)),
            (None, None) => Target::stdout(),
        }
    }

    fn file(&self, path: &Path) -> Result<(Target, Style)> {
        let Some((reopen, _)) = &self.follows else {
            return Ok((Target::create(path, &self.pipes)?, Style::default()));
        };
        let (target, has_content) = Target::append_to(path, Arc::clone(reopen), self.pipes.clone())?;
        let behind = if has_content { Behind::Run } else { Behind::Nothing };
        Ok((target, Style { color: false, behind }))
    }
}
