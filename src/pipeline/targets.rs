//! What a run writes to, held against what it reads and against itself: no log is overwritten, no two outputs meet.
//!
//! Paths that are spelled alike have been refused by the check of the configuration; here files are compared, before
//! any is opened. Pipes, terminals and devices have nothing to lose.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::inputs::Inputs;
use crate::config::{Plan, Task};
use crate::error::{Error, Result, show_path};
use crate::source::stdin_identity;

/// Refuses outputs that are inputs, or each other.
pub(super) fn check(plan: &Plan, inputs: &Inputs, outputs_given: bool) -> Result<()> {
    let mut read: Vec<((u64, u64), String)> =
        inputs.all.iter().filter_map(|input| Some((input.identity()?, input.name.clone()))).collect();
    if inputs.all.iter().any(|input| input.identity().is_none()) {
        read.extend(stdin_identity().map(|identity| (identity, "standard input".to_owned())));
    }
    let mut written: Vec<((u64, u64), String)> = Vec::new();
    for target in targets(plan, outputs_given) {
        let Some(identity) = identity(target.as_deref()) else { continue };
        let name = target.as_deref().map_or("standard output".to_owned(), |path| format!("'{}'", show_path(path)));
        if let Some((_, input)) = read.iter().find(|(known, _)| *known == identity) {
            return Err(Error::usage(format!("{name} is read as {input}, and would be overwritten; write elsewhere")));
        }
        if let Some((_, other)) = written.iter().find(|(known, _)| *known == identity) {
            return Err(Error::usage(format!(
                "{name} is the same file as {other}; give each output a file of its own"
            )));
        }
        written.push((identity, name));
    }
    Ok(())
}

/// All that the stages write to; `None` is standard output.
fn targets(plan: &Plan, outputs_given: bool) -> Vec<Option<PathBuf>> {
    let of = |task: &Task| match task {
        Task::TimeFilter(filter) => {
            [&filter.rejects, &filter.late_file].into_iter().flatten().cloned().map(Some).collect()
        }
        Task::Reporter(reporter) if !outputs_given => {
            reporter.outputs.iter().map(|output| output.path.clone()).collect()
        }
        _ => Vec::new(),
    };
    plan.stages.iter().flat_map(|stage| of(&stage.task)).collect()
}

/// Device and inode of a file that is there.
fn identity(target: Option<&Path>) -> Option<(u64, u64)> {
    let found: Metadata = match target {
        Some(path) => fs::metadata(path).ok()?,
        None => File::from(io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()?,
    };
    found.is_file().then(|| (found.dev(), found.ino()))
}
