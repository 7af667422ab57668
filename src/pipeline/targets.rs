//! What a run writes to: held against what it reads and against itself, and opened, all before the
//! first byte is read.
//!
//! Invariant: no log is overwritten and no two outputs meet. Paths that are spelled alike have been
//! refused by the check of the configuration; here files are compared. Pipes, terminals and devices
//! have nothing to lose.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::Environment;
use super::inputs::{UnboundInputs, readers};
use crate::config::{OutputPlan, Plan, ReporterPlan, Task};
use crate::error::{Error, Result, show_path};
use crate::ops::scan::begins_with_record;
use crate::options::Options;
use crate::output::destination::Destination;
use crate::output::rejects::RejectsFile;
use crate::output::spared::{Identity, Spared};
use crate::output::target::Reopen;
use crate::output::{Claim, Opening, OutputEntry, PipeWait, Tell};
use crate::source::{Input, Listing, locate, stdin_identity};

/// How many bytes of a file that is to be written are read to see whether it is a log.
const START: u64 = 4 << 10;

/// The open targets of all stages, by the stage's place in the plan.
#[derive(Default)]
pub(super) struct Targets {
    pub filters: BTreeMap<usize, FilterFiles>,
    pub reporters: BTreeMap<usize, Vec<Destination>>,
    /// Set when files are to be opened again, where inputs are followed.
    pub reopen: Option<Arc<Reopen>>,
}

/// What a time-filter writes to.
#[derive(Clone, Default)]
pub(super) struct FilterFiles {
    pub rejects: Option<Arc<RejectsFile>>,
    pub late: Option<Arc<RejectsFile>>,
}

impl Targets {
    /// Opens everything; beside the environment stands the folder of the state, if there is one.
    /// Errors with the first target that may not or cannot be written. Where inputs are followed,
    /// `tell` hears of those that cannot be written later.
    pub fn open(
        plan: &Plan,
        inputs: &UnboundInputs,
        (environment, state): (Environment, Option<&Path>),
        tell: &Arc<dyn Tell>,
    ) -> Result<Self> {
        let (has_given, listing) = (!environment.outputs.is_empty(), environment.listing());
        check(plan, &read(inputs, &environment), has_given)?;
        if let Some(folder) = state {
            apart_from_state(plan, has_given, folder)?;
        }
        if !plan.follows() {
            spare_logs(plan, inputs, has_given)?;
        }
        let reopen = plan.follows().then(|| Arc::new(Reopen::new(environment.wishes.reopen)));
        let pipes = PipeWait { interrupted: environment.wishes.drain, tell: Some(Arc::clone(tell)) };
        let mut opening = Opening {
            pipes: pipes.clone(),
            style: environment.style,
            last: environment.last,
            stdout: environment.stdout,
            given: None,
            follows: reopen.clone().map(|reopen| (reopen, Arc::clone(tell))),
        };
        let mut given = environment.outputs;
        let mut targets = Targets { reopen: reopen.clone(), ..Targets::default() };
        for (at, stage) in plan.stages.iter().enumerate() {
            match &stage.task {
                Task::TimeFilter(filter) => {
                    let open = |path: &Path| match reopen {
                        Some(_) => RejectsFile::append_to(path, &pipes, Arc::clone(tell)),
                        None => RejectsFile::create(path, &pipes, Arc::clone(tell)),
                    };
                    let create = |path: &Option<PathBuf>| path.as_deref().map(open).transpose();
                    let files = FilterFiles {
                        rejects: create(&filter.rejects)?.map(Arc::new),
                        late: create(&filter.late_file)?.map(Arc::new),
                    };
                    targets.filters.insert(at, files);
                }
                Task::Reporter(reporter) => {
                    let outputs = open_outputs(reporter, &mut opening, std::mem::take(&mut given))?;
                    targets.reporters.insert(at, outputs);
                }
                _ => {}
            }
        }
        if reopen.is_some() {
            not_followed(plan, has_given, &listing)?;
            // What is open is appended to, so nothing is overwritten yet.
            spare_logs(plan, inputs, has_given)?;
        }
        Ok(targets)
    }
}

/// Refuses outputs that lie among the files that are followed: they would be read, and what was
/// read written, for ever.
fn not_followed(plan: &Plan, outputs_given: bool, listing: &Listing) -> Result<()> {
    let written = claims(plan, outputs_given);
    for (_, reader) in readers(plan) {
        // Where nothing is found yet, there is nothing to clash with.
        let Ok(located) = locate(&reader.locations, listing) else { continue };
        let found = located.inputs.iter().filter_map(|input| Some((input.identity()?, &input.name)));
        for (known, name) in found {
            let met = |claim: &&Claim| claim.path().is_some() && claim.identity() == Some(known);
            if let Some(claim) = written.iter().find(met) {
                return Err(Error::usage(format!(
                    "{claim} is written to and followed as {name}; write elsewhere, or follow a narrower glob"
                )));
            }
        }
    }
    Ok(())
}

/// Refuses outputs in the folder of the state: a slot that is saved would take their place.
fn apart_from_state(plan: &Plan, outputs_given: bool, folder: &Path) -> Result<()> {
    let Ok(real) = folder.canonicalize() else { return Ok(()) };
    // A file that is not there yet lies where the folder in front of its name leads.
    let resolved = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        path.canonicalize().or_else(|_| parent.unwrap_or(Path::new(".")).canonicalize())
    };
    let inside = |claim: &&Claim| claim.path().is_some_and(|path| resolved(path).is_ok_and(|at| at.starts_with(&real)));
    match claims(plan, outputs_given).iter().find(inside) {
        Some(claim) => Err(Error::usage(format!(
            "{claim} lies in the folder of the state, '{}', which keeps nothing else; write elsewhere",
            show_path(folder)
        ))),
        None => Ok(()),
    }
}

/// All that is read: inputs, and what the builder was told of.
fn read(inputs: &UnboundInputs, environment: &Environment) -> Spared {
    let mut read = environment.read.clone();
    for input in &inputs.all {
        match input.identity() {
            Some(identity) => read.add_known(identity, input.name.clone()),
            None => stdin_identity().into_iter().for_each(|identity| read.add_known(identity, "standard input")),
        }
    }
    read
}

/// Refuses to read what is to be written once all is read.
pub(super) fn spare(inputs: &UnboundInputs, environment: &Environment) -> Result<()> {
    let read = read(inputs, environment);
    let spare = |target: &Option<PathBuf>| read.refuse(target.as_deref()).and_then(|()| spare_log(target.as_deref()));
    environment.written.iter().try_for_each(spare)
}

/// Refuses to write over a file that begins as a log does, since it was meant to be read: of the
/// files written here, only those of late lines begin like that. `None` is standard output.
pub fn spare_log(target: Option<&Path>) -> Result<()> {
    let Some(path) = target.filter(|path| path.is_file()) else { return Ok(()) };
    let mut start = Vec::new();
    // If it cannot be read, it cannot be written either, which is told then.
    let _ = File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    if !begins_with_record(&start) {
        return Ok(());
    }
    let name = show_path(path);
    Err(Error::usage(format!(
        "'{name}' begins as a log does, and would be overwritten; write elsewhere, or remove it first (if it was meant to be \
         read, the option in front of it lacks its value)"
    )))
}

/// Refuses to write over logs. A file of late lines begins as one, too; it is spared where nothing
/// is read: then it was meant to be.
fn spare_logs(plan: &Plan, inputs: &UnboundInputs, outputs_given: bool) -> Result<()> {
    let reads_nothing = !inputs.all.is_empty() && inputs.all.iter().all(Input::is_empty);
    for stage in &plan.stages {
        match &stage.task {
            Task::TimeFilter(filter) => {
                spare_log(filter.rejects.as_deref())?;
                spare_log(filter.late_file.as_deref().filter(|_| reads_nothing))?;
            }
            Task::Reporter(reporter) if !outputs_given => {
                let claims = reporter.outputs.iter().flat_map(OutputPlan::claims);
                claims.into_iter().try_for_each(|claim| spare_log(claim.path()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses outputs that are read, or each other.
fn check(plan: &Plan, read: &Spared, outputs_given: bool) -> Result<()> {
    let mut written: Vec<(Identity, String)> = Vec::new();
    for claim in claims(plan, outputs_given) {
        let Some(identity) = claim.identity() else { continue };
        read.refuse_known(identity, &claim.to_string())?;
        if let Some((_, other)) = written.iter().find(|(known, _)| *known == identity) {
            return Err(Error::usage(format!(
                "{claim} is the same file as {other}; give each output a file of its own"
            )));
        }
        written.push((identity, claim.to_string()));
    }
    Ok(())
}

/// All that the stages take for themselves.
fn claims(plan: &Plan, outputs_given: bool) -> Vec<Claim> {
    let of = |task: &Task| match task {
        Task::TimeFilter(filter) => {
            [&filter.rejects, &filter.late_file].into_iter().flatten().cloned().map(Claim::File).collect()
        }
        Task::Reporter(reporter) if !outputs_given => reporter.outputs.iter().flat_map(OutputPlan::claims).collect(),
        _ => Vec::new(),
    };
    plan.stages.iter().flat_map(|stage| of(&stage.task)).collect()
}

/// Opens what a reporter writes to: the given writers, or else the outputs of its plan.
fn open_outputs(
    plan: &ReporterPlan,
    opening: &mut Opening,
    given: Vec<(&'static OutputEntry, Box<dyn Write + Send>)>,
) -> Result<Vec<Destination>> {
    if given.is_empty() {
        return plan.outputs.iter().map(|output| (output.entry.open)(&output.options, opening)).collect();
    }
    let open = |(entry, writer): (&'static OutputEntry, _)| {
        opening.given = Some(writer);
        (entry.open)(&Options::defaults(entry.options), opening)
    };
    given.into_iter().map(open).collect()
}
