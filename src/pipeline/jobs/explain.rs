//! What a run would read of each input, and why, found as the run finds it.
//!
//! Not here: reading (`reading`), which is that of a run. Invariant: a run that is started at once
//! reads just these bytes, unless they contradict what was declared.

use crate::actor::Stop;
use crate::config::{Plan, Scan, Task};
use crate::error::{Error, Result};
use crate::model::{Extent, InputId, Timestamp};
use crate::pipeline::environment::Pipeline;
use crate::pipeline::inputs::{Inputs, readers, refusal};
use crate::pipeline::reading::{Part, Reading, find};
use crate::source::seek::Reason;
use crate::source::{Input, Pruned};
use crate::stage::Failures;

/// What a run would read of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The input's name, escaped.
    pub name: String,
    /// Its bytes, as they lie there; `None` if only reading it tells.
    pub size: Option<u64>,
    /// What it is compressed with, if it is.
    pub packing: Option<&'static str>,
    /// The bytes that would be read: first, and one past the last.
    pub range: (u64, u64),
    /// The lowest and the highest stamp that the probes have seen.
    pub stamps: Option<(Timestamp, Timestamp)>,
    /// Small reads that it took.
    pub probes: u32,
    /// Why these bytes.
    pub reason: String,
}

impl Explained {
    /// Bytes that would be read.
    pub fn bytes(&self) -> u64 {
        self.range.1 - self.range.0
    }

    /// The share that would be skipped, from 0 to 1.
    pub fn skipped(&self) -> f64 {
        match self.size {
            Some(size) if size > 0 => 1.0 - self.bytes() as f64 / size as f64,
            _ => 0.0,
        }
    }
}

/// The plan of reading.
#[derive(Debug)]
pub struct Explanation {
    /// What would be read of each input that can be read.
    pub inputs: Vec<Explained>,
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
        let inputs = find(&plan, &mut environment, &failures)?;
        let reading = Reading::new(&plan, inputs, (environment.now)(), &stop, &Part::All)?;
        let one = |(at, input): (usize, &Input)| {
            let id = InputId(at as u32);
            match refusal(input) {
                Some(failure) => {
                    failures.add(failure);
                    None
                }
                None => Some(explained(input, reading.pruned.get(&id), whole(&plan, &reading.inputs, id))),
            }
        };
        let explained = reading.inputs.all.iter().enumerate().filter_map(one).collect();
        Ok(Explanation { inputs: explained, failures: failures.take() })
    }
}

fn explained(input: &Input, pruned: Option<&Pruned>, whole: &str) -> Explained {
    let (name, packing) = (input.name.clone(), input.packing().map(|(name, _)| name));
    match (pruned, input.stored()) {
        (Some(Pruned { found, size, disorder, .. }), _) => Explained {
            name,
            size: Some(*size),
            packing,
            range: (found.from, found.to),
            stamps: found.extent.map(|extent: Extent| (extent.lowest, extent.highest)),
            probes: found.probes,
            reason: match (found.reason, found.from == found.to) {
                (Reason::Pruned, true) => "it lies outside the window".to_owned(),
                (Reason::Pruned, false) => "the rest lies outside the window".to_owned(),
                (Reason::Old, _) => {
                    let written = input.file().map_or(String::new(), |file| format!(" at {}", file.modified));
                    format!("it was last written{written}, before the window; --scan full would read it")
                }
                (Reason::NothingToSkip, _) => "nothing is worth skipping".to_owned(),
                (Reason::NotSorted, _) => {
                    let seconds = |nanos| Timestamp::from_nanos(nanos).unix_decimal();
                    let seen = found.extent.map_or(0, |extent| extent.disorder);
                    format!("its stamps lie up to {} s back, {} s are declared", seconds(seen), seconds(*disorder))
                }
            },
        },
        (None, Some(size)) => {
            let reason = match packing {
                Some(packing) => {
                    format!("it is compressed ({packing}), and can be decompressed from its start only")
                }
                None => whole.to_owned(),
            };
            Explained { name, size: Some(size), packing, range: (0, size), stamps: None, probes: 0, reason }
        }
        (None, None) => Explained {
            name,
            size: None,
            packing,
            range: (0, 0),
            stamps: None,
            probes: 0,
            reason: "a pipe is read whole".into(),
        },
    }
}

/// Why an input is read whole that was not searched.
fn whole(plan: &Plan, inputs: &Inputs, id: InputId) -> &'static str {
    let reader = readers(plan).find(|(at, _)| inputs.by_reader.get(at).is_some_and(|ids| ids.contains(&id)));
    match reader {
        Some((_, reader)) if reader.scan == Scan::Full => "all is asked for",
        Some((_, reader)) if reader.by_time => "every window is asked for",
        Some((reader, _)) if measures(plan, reader) => "all is measured",
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
