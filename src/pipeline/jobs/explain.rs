//! What a run would read of each input, and why, found as the run finds it.
//!
//! Not here: reading (`reading`), which is that of a run. Invariant: a run that is started at once
//! reads just these bytes, unless they contradict what was declared.

use std::path::PathBuf;

use super::explained::Explained;
use super::followed::{SavedRun, followed};
use crate::actor::Stop;
use crate::config::{Plan, Scan, Task};
use crate::error::{Error, Result, show_path};
use crate::model::InputId;
use crate::output::spared::Spared;
use crate::pipeline::environment::{Environment, Pipeline};
use crate::pipeline::inputs::{Heads, Inputs, readers, refusal};
use crate::pipeline::reading::{Part, Reading, find};
use crate::source::{Input, Pruned};
use crate::stage::Failures;

/// The plan of reading.
#[derive(Debug)]
pub struct Explanation {
    /// What would be read of each input that can be read.
    pub inputs: Vec<Explained>,
    /// Whether inputs are followed, so that more is read once it comes.
    pub follows: bool,
    /// The locations that are followed and lead to no file yet, escaped.
    pub nowhere: Vec<String>,
    /// What cannot be read, as a run would say it.
    pub failures: Vec<Error>,
}

impl Pipeline {
    /// Says which bytes of which inputs a run would read, and why, without reading them, and which
    /// it would refuse: each input in the order in which they are numbered. Errors as a run does
    /// that finds no input or no window.
    pub(crate) fn explain(self) -> Result<Explanation> {
        let Pipeline { plan, mut environment } = self;
        let stop = Stop::new(environment.wishes.drain.clone());
        let failures = Failures::new(environment.listener.clone());
        let found = find(&plan, &mut environment, &failures)?;
        let inputs = found.bind(&plan, &failures, &Heads::of(&environment))?;
        let follows = plan.follows();
        let saved = follows.then(|| SavedRun::look(&plan, &failures)).transpose()?;
        let part = saved.as_ref().map_or(Part::All, SavedRun::part);
        let reading = Reading::new(&plan, inputs, (environment.now)(), &stop, &part)?;
        let one = |(at, input): (usize, &Input)| {
            let id = InputId(at as u32);
            match refusal(input) {
                Some(failure) => {
                    failures.add(failure);
                    None
                }
                None => {
                    let format = reading.inputs.format(at);
                    Some(Explained {
                        format,
                        ..explained(input, reading.pruned.get(&id), whole(&plan, &reading.inputs, id))
                    })
                }
            }
        };
        let mut inputs: Vec<Explained> = reading.inputs.all.iter().enumerate().filter_map(one).collect();
        let mut nowhere = Vec::new();
        if let Some(saved) = saved {
            let now = followed(&plan, &reading, saved, &environment, &failures);
            spare_files(&now.paths, &environment)?;
            inputs.extend(now.files);
            nowhere = now.nowhere;
        }
        Ok(Explanation { inputs, follows, nowhere, failures: failures.take() })
    }
}

fn explained(input: &Input, pruned: Option<&Pruned>, whole: &str) -> Explained {
    let (name, packing) = (input.name.clone(), input.packing().map(|(name, _)| name));
    match (pruned, input.stored()) {
        (Some(Pruned { found, size, disorder, .. }), _) => {
            let written = input.file().map(|file| file.modified);
            Explained { packing, ..Explained::found(name, *size, found, *disorder, written) }
        }
        (None, Some(size)) => match packing {
            Some(form) => {
                let reason = format!("it is compressed ({form}), and can be decompressed from its start only");
                Explained { packing, ..Explained::whole(name, size, &reason) }
            }
            None => Explained::whole(name, size, whole),
        },
        (None, None) => Explained { size: None, packing, ..Explained::whole(name, 0, "a pipe is read whole") },
    }
}

/// Refuses to read files that are to be written.
fn spare_files(paths: &[PathBuf], environment: &Environment) -> Result<()> {
    let mut read = Spared::default();
    paths.iter().for_each(|path| read.add(path, show_path(path)));
    environment.written.iter().try_for_each(|target| read.refuse(target.as_deref()))
}

/// Why an input is read whole that was not searched.
fn whole(plan: &Plan, inputs: &Inputs, id: InputId) -> &'static str {
    let reader = readers(plan).find(|(at, _)| inputs.by_reader.get(at).is_some_and(|ids| ids.contains(&id)));
    match reader {
        Some((_, reader)) if reader.scan == Scan::Full => "all is asked for",
        Some((_, reader)) if reader.by_time => "every window is asked for",
        Some((reader, _)) if measures(plan, reader) => "all is measured",
        _ if !inputs.rules[id.0 as usize].schema.is_written_in_order() => {
            "its records count by their start, and are in the order of their ends"
        }
        _ if !inputs.may_skip[id.0 as usize] => "all inputs together are small",
        _ => "it cannot be searched",
    }
}

/// Whether a time-filter behind the reader measures the disorder.
fn measures(plan: &Plan, reader: usize) -> bool {
    plan.stages.iter().enumerate().any(|(at, stage)| {
        matches!(&stage.task, Task::TimeFilter(filter) if filter.stats) && plan.upstream(at).contains(&reader)
    })
}
