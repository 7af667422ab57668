//! An output and where it goes, with the results for which there is no room yet.
//!
//! What is written, waits for room or is dropped is decided here, and an output only renders. So
//! the first result that reaches a file has its header, whenever it gets there.
//!
//! Where inputs are followed, a file that cannot be written holds nobody up: a number of its
//! results wait, and are written once it can be. Invariant: a file holds whole results in their
//! order, and a result that is missing was told.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::medium::{Behind, Medium, Style, Tell};
use super::target::Target;
use super::whole::{Left, Unwritten};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Balance, WindowResult};

/// The most results that wait for room. Counts are kept for each of them, in case the run ends
/// meanwhile.
const MOST_WAITING: usize = 32;

/// Results that go to one place in one medium.
pub struct Destination {
    target: Target,
    /// What the medium is called.
    medium_name: &'static str,
    medium: Box<dyn Medium>,
    style: Style,
    /// What is called when a file cannot be written and its results wait; without it, that is an
    /// error.
    tell: Option<Arc<dyn Tell>>,
    waiting: VecDeque<(WindowResult, Arc<Receipt>)>,
    /// Results that were dropped without waiting, since there were too many.
    dropped_since: u64,
    /// All of them.
    dropped: u64,
    /// Why they wait, as long as any do.
    trouble: Option<io::Error>,
}

/// Tells when all destinations of a result have done with it.
pub struct Receipt {
    left: AtomicUsize,
    done: Arc<AtomicBool>,
}

impl Receipt {
    /// For this many destinations; sets `done` after the last.
    pub fn new(destinations: usize, done: Arc<AtomicBool>) -> Arc<Self> {
        Arc::new(Receipt { left: AtomicUsize::new(destinations), done })
    }

    fn done(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.store(true, Ordering::Release);
        }
    }
}

impl Destination {
    /// Writes results to `target` in a medium, which is called `medium_name`. With `tell`, those that
    /// cannot be written to a file wait.
    pub fn new(
        target: Target,
        medium_name: &'static str,
        medium: Box<dyn Medium>,
        style: Style,
        tell: Option<Arc<dyn Tell>>,
    ) -> Self {
        Destination {
            target,
            medium_name,
            medium,
            style,
            tell,
            waiting: VecDeque::new(),
            dropped_since: 0,
            dropped: 0,
            trouble: None,
        }
    }

    /// Writes a result, or lets it wait. Gives whether anybody takes more.
    pub fn write(&mut self, result: &WindowResult, receipt: &Arc<Receipt>) -> Result<bool> {
        self.go_on()?;
        if !self.is_waiting() {
            match self.put(result) {
                Ok(()) => {
                    receipt.done();
                    return Ok(true);
                }
                Err(unwritten) if unwritten.source.kind() == io::ErrorKind::BrokenPipe => {
                    receipt.done();
                    return Ok(false);
                }
                Err(unwritten) => self.refused(unwritten)?,
            }
        }
        self.wait(result.clone(), Arc::clone(receipt));
        Ok(true)
    }

    /// The medium, if it has no place for rows that a limit left out.
    pub fn leaves_unsaid(&self) -> Option<&'static str> {
        (!self.medium.says_more()).then_some(self.medium_name)
    }

    /// Whether results wait for room.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes what waits, as far as there is room.
    pub fn go_on(&mut self) -> Result<()> {
        while let Some((result, receipt)) = self.waiting.pop_front() {
            match self.put(&result) {
                Ok(()) => receipt.done(),
                Err(unwritten) => {
                    self.waiting.push_front((result, receipt));
                    return self.refused(unwritten);
                }
            }
        }
        if let (Some(_), Some(tell)) = (self.trouble.take(), &self.tell) {
            let dropped = match std::mem::take(&mut self.dropped_since) {
                0 => "no result is lost".to_owned(),
                lost => {
                    let action = format!("{}: {lost} results were dropped, as they did not fit", self.target.name);
                    tell.fail(ErrorKind::System { action, source: io::ErrorKind::StorageFull.into() }.into());
                    format!("{lost} results are lost")
                }
            };
            tell.warn(&format!("{}: can be written again, and {dropped}", self.target.name));
        }
        Ok(())
    }

    /// Results that will not be written.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Writes what the medium has before all results, when there are no results; `empty` is a
    /// result without rows.
    pub fn head(&mut self, empty: &WindowResult) -> Result<()> {
        let Some(head) = self.medium.head(empty, self.style) else { return Ok(()) };
        self.write_beside(head)
    }

    /// Writes the balance sheet of the whole run, if the medium has a place for it. It is not
    /// written behind results that wait.
    pub fn end(&mut self, balance: &Balance) -> Result<()> {
        let Some(sheet) = self.medium.sheet(balance).filter(|_| !self.is_waiting()) else { return Ok(()) };
        self.write_beside(sheet)
    }

    /// Writes what is no result.
    fn write_beside(&mut self, rendered: io::Result<Vec<u8>>) -> Result<()> {
        match rendered.map_err(Unwritten::from).and_then(|bytes| self.target.write(&bytes)) {
            Err(unwritten) if unwritten.source.kind() != io::ErrorKind::BrokenPipe => self.refused(unwritten),
            _ => Ok(()),
        }
    }

    /// At the end: says what was not written.
    pub fn settle(&mut self) {
        let Some(tell) = &self.tell else { return };
        let (waiting, dropped) = (self.waiting.len(), self.dropped_since);
        if let Some(source) = self.trouble.take() {
            let before = if dropped > 0 { format!(", and {dropped} before them were dropped") } else { String::new() };
            let action = format!(
                "{}: {waiting} results are not written{before}; a run that goes on from the state writes what waits",
                self.target.name
            );
            tell.fail(ErrorKind::System { action, source }.into());
        }
    }

    fn put(&mut self, result: &WindowResult) -> Result<(), Unwritten> {
        if let Some(has_content) = self.target.reopened()? {
            self.style.behind = if has_content { Behind::Run } else { Behind::Nothing };
        }
        let bytes = self.medium.render(result, self.style)?;
        self.target.write(&bytes)?;
        if !self.target.holds_last() {
            self.style.behind = Behind::Result;
        }
        Ok(())
    }

    /// What comes of a failed write: an error, unless the result may wait.
    fn refused(&mut self, unwritten: Unwritten) -> Result<()> {
        let may_wait = unwritten.left != Left::Torn && self.target.is_file();
        let Some(tell) = self.tell.as_ref().filter(|_| may_wait) else { return Err(unwritten.of(&self.target.name)) };
        if self.trouble.is_none() {
            let said = Error::output(self.target.name.clone(), "cannot write", copied(&unwritten.source));
            tell.warn(&format!(
                "{said}; counting goes on, and up to {MOST_WAITING} results wait until it can be written"
            ));
        }
        self.trouble = Some(unwritten.source);
        Ok(())
    }

    fn wait(&mut self, result: WindowResult, receipt: Arc<Receipt>) {
        self.waiting.push_back((result, receipt));
        if self.waiting.len() <= MOST_WAITING {
            return;
        }
        if let Some((_, receipt)) = self.waiting.pop_front() {
            receipt.done();
        }
        if let Some(tell) = self.tell.as_ref().filter(|_| self.dropped_since == 0) {
            let name = &self.target.name;
            tell.warn(&format!("{name}: more than {MOST_WAITING} results wait to be written; the oldest are dropped"));
        }
        self.dropped_since += 1;
        self.dropped += 1;
    }
}

/// The same error once more.
fn copied(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
