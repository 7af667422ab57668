//! A pipeline that is checked and not yet at work: what it is to do, and what it gets from outside.
//!
//! Not here: what it can be asked for; that is `jobs` and `run`.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Plan;
use crate::model::Timestamp;
use crate::model::time::Clock;
use crate::output::spared::Spared;
use crate::output::target::LastResult;
use crate::output::{OutputEntry, Style};
use crate::source::{Listing, Located};
use crate::stage::Listener;

/// What may be asked of a run while it goes on.
#[derive(Default)]
pub(super) struct Wishes {
    /// Set when it is to end with the report of what was read.
    pub drain: Arc<AtomicBool>,
    /// Set when files that are written to are to be opened again.
    pub reopen: Arc<AtomicBool>,
}

/// What a run gets from outside.
pub(super) struct Environment {
    pub now: Clock,
    pub listener: Listener,
    pub wishes: Wishes,
    /// Folders that are listed so far.
    pub folders: Arc<AtomicU64>,
    /// What the locations of the readers lead to, in the order of these, as far as it was looked
    /// for.
    pub located: VecDeque<Located>,
    pub style: Style,
    /// Whether windows are looked at before they are closed.
    pub peek: bool,
    /// What stands for standard output, if it is not that itself.
    pub stdout: Option<Box<dyn Write + Send>>,
    /// Where the last result is kept that is meant for standard output, in place of all of them
    /// there.
    pub last: Option<LastResult>,
    /// What is read beside the inputs, so that nothing is written to it.
    pub read: Spared,
    /// What the caller writes once all is read; `None` is standard output.
    pub written: Vec<Option<PathBuf>>,
    /// Outputs in place of those of the configuration.
    pub outputs: Vec<(&'static OutputEntry, Box<dyn Write + Send>)>,
}

/// A checked pipeline, ready to run.
pub struct Pipeline {
    pub(super) plan: Plan,
    pub(super) environment: Environment,
}

impl Pipeline {
    /// The plan.
    #[doc(hidden)]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Refuses a file as an input, since the caller writes it once all is read; `None` is standard
    /// output.
    pub fn writes(mut self, target: Option<&Path>) -> Self {
        self.environment.written.push(target.map(Path::to_owned));
        self
    }
}

impl Environment {
    /// How locations are listed: until the run is interrupted.
    pub fn listing(&self) -> Listing {
        Listing { interrupted: Arc::clone(&self.wishes.drain), folders: Arc::clone(&self.folders) }
    }
}

impl Default for Environment {
    /// The machine's clock, nobody to tell, and the outputs of the configuration.
    fn default() -> Self {
        Environment {
            now: Arc::new(wall_clock),
            listener: Listener::default(),
            wishes: Wishes::default(),
            folders: Arc::default(),
            located: VecDeque::new(),
            style: Style::default(),
            peek: false,
            stdout: None,
            last: None,
            read: Spared::default(),
            written: Vec::new(),
            outputs: Vec::new(),
        }
    }
}

/// The time in whole seconds, as Unix counts them, rounded up: what has been written by now is not
/// after it, in whatever unit the log writes its stamps.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().saturating_add(u64::from(since.subsec_nanos() > 0));
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_now_is_not_after_it() {
        let written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(wall_clock() >= Timestamp::from_nanos(i64::try_from(written.as_nanos()).unwrap()));
    }
}
