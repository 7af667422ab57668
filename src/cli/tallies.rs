//! What the commands that make tallies or read them have in common.
//!
//! Not here: what any one of them does (`jobs`).

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::building::{configured_or_standard, located, or_piped, with_overrides, with_settings};
use super::commands::tallies::CountedLogs;
use super::paths::{local, local_target};
use super::show::no_json;
use super::{show, slips, tty, watch};
use crate::error::{Error, Result, show_path};
use crate::metrics::Progress;
use crate::model::Guard;
use crate::model::location::PathArg;
use crate::output::spared::Spared;
use crate::pipeline::Builder;
use crate::tallies::Files;

/// A builder of what is counted of these logs.
pub fn builder(logs: &CountedLogs, location: &[String]) -> Result<Builder> {
    let location = if logs.config.is_some() { location.to_vec() } else { or_piped(location.to_vec())? };
    let builder = with_settings(configured_or_standard(logs.config.as_deref())?, &logs.settings)?;
    let builder = with_overrides(builder, logs.keys.overrides()?);
    Ok(located(builder, &location)?.on_failure(show::error).on_warning(show::warning))
}

/// A path as JSON has it, which knows no others.
pub fn utf8(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| Error::usage(format!("{}: a name that is no UTF-8 cannot stand in a plan", show_path(path))))
}

/// Refuses what another build has planned.
pub fn same_build(planned: &str) -> Result<()> {
    if planned == crate::version::BUILD {
        return Ok(());
    }
    let text =
        format!("this is build {} of logparser, and the plan was made by build {planned}", crate::version::BUILD);
    Err(Error::usage(format!("{text}; take the same program everywhere")))
}

pub fn shown_head(Guard { bytes, hash }: &Guard) -> String {
    format!("{bytes}:{hash:016x}")
}

/// `BYTES:HASH`.
pub fn head(text: &str) -> Option<Guard> {
    let (bytes, hash) = text.split_once(':')?;
    Some(Guard { bytes: bytes.parse().ok()?, hash: u64::from_str_radix(hash, 16).ok()? })
}

/// Where tallies go; `None` is standard output.
pub fn target(output: &PathArg) -> Result<Option<&Path>> {
    if let Some(path) = output.path() {
        return local_target(path).map(|()| Some(path));
    }
    if io::stdout().is_terminal() {
        return Err(Error::usage("tallies are nothing to read on a terminal; name a file, or a pipe behind"));
    }
    Ok(None)
}

/// Tallies files, none of which may be written to.
pub fn spared(files: &[PathBuf]) -> Spared {
    let mut spared = Spared::default();
    files.iter().for_each(|path| spared.add(path, show_path(path)));
    spared
}

pub fn opened(files: &[PathBuf]) -> Result<Files> {
    files.iter().try_for_each(|file| local(file))?;
    Files::open(files).map_err(|error| slips::no_tallies(files).unwrap_or(error))
}

/// A progress bar, if a person waits for it.
pub struct Shown(Option<watch::ProgressLine>);

impl Shown {
    pub fn new(quiet: bool) -> Self {
        Shown((tty::draws(&io::stderr()) && !quiet).then(watch::ProgressLine::new))
    }

    /// Standard output, for results: on the same terminal, the bar makes way for them.
    pub fn stdout(&self) -> Option<Box<dyn Write + Send>> {
        self.0.as_ref().map(watch::ProgressLine::stdout)
    }

    pub fn start(&mut self, progress: Arc<Progress>) {
        self.0.iter_mut().for_each(|bar| bar.start(Arc::clone(&progress)));
    }
}

pub fn value(part: &impl Serialize) -> Result<Json> {
    serde_json::to_value(part).map_err(|error| no_json(error.into()))
}
