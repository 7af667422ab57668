//! Which files are read in part: those of readers whose windows are known, and whose lines are sorted as declared.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use super::inputs::{Inputs, readers};
use super::resolve::Resolved;
use crate::config::{FilterPlan, Plan, ReaderPlan, Task};
use crate::model::{Extent, InputId, Timestamp, Units};
use crate::ops::close::Windows;
use crate::ops::scan::{self, Block};
use crate::source::seek::{self, Found, Stamps, Wanted, seek};
use crate::source::{Input, Origin, Pruned};

/// What was found of each file of the readers that may skip bytes.
pub(super) fn prune(plan: &Plan, resolved: &[Option<Resolved>], inputs: &Inputs) -> BTreeMap<InputId, Pruned> {
    let mut pruned = BTreeMap::new();
    for (at, reader) in readers(plan) {
        let Some((wanted, stamps)) = wanted(plan, resolved, at, reader) else { continue };
        let ids = inputs.by_reader.get(&at).into_iter().flatten();
        for &id in ids.filter(|id| inputs.may_skip[id.0 as usize]) {
            if let Some((size, found)) = look(&inputs.all[id.0 as usize], &wanted, &stamps) {
                pruned.insert(
                    id,
                    Pruned { found, size, disorder: wanted.disorder, order: Some(Arc::default()), sent: 0 },
                );
            }
        }
    }
    pruned
}

/// What all time-filters behind a reader want of it together; `None` if one of them wants all of it.
fn wanted(
    plan: &Plan,
    resolved: &[Option<Resolved>],
    reader: usize,
    reading: &ReaderPlan,
) -> Option<(Wanted, FormatStamps)> {
    let mut wanted: Option<(Wanted, FormatStamps)> = None;
    for (at, stage) in plan.stages.iter().enumerate() {
        let Task::TimeFilter(filter) = &stage.task else { continue };
        if !plan.upstream(at).contains(&reader) {
            continue;
        }
        // Whoever measures the disorder wants to see all of it.
        let once = |resolved: &Resolved| matches!(resolved.windows, Windows::Once(_)) && !filter.stats;
        let resolved = resolved[at].filter(once)?;
        let (first, last) = (resolved.bounds.keep_from, resolved.bounds.last);
        let mine = Wanted { first, last, disorder: filter.lateness };
        let stamps = FormatStamps::of(filter, resolved.bounds.future_after, reading.max_line);
        wanted = Some(match wanted {
            None => (mine, stamps),
            // What is in the future for one and in the window of another has to be looked at by both their rules.
            Some((_, other)) if other.future_after != stamps.future_after => return None,
            Some((other, stamps)) => {
                let (first, last) = (first.min(other.first), last.max(other.last));
                (Wanted { first, last, disorder: filter.lateness.max(other.disorder) }, stamps)
            }
        });
    }
    wanted
}

/// Looks at a file. `None` if it is none, or cannot be read, which the run will tell.
pub(super) fn look(input: &Input, wanted: &Wanted, stamps: &FormatStamps) -> Option<(u64, Found)> {
    let (file, size) = open(input)?;
    Some((size, seek(&|at, into| file.read_at(into, at), size, wanted, stamps).ok()?))
}

/// The highest stamp of a file that may be read in part, from its end. `None` if that cannot be told from there.
pub(super) fn latest(inputs: &Inputs, id: InputId, filter: &FilterPlan, future_after: Timestamp) -> Option<Timestamp> {
    let at = id.0 as usize;
    if !inputs.may_skip[at] {
        return None;
    }
    let (file, size) = open(&inputs.all[at])?;
    let stamps = FormatStamps::of(filter, future_after, inputs.max_line[at]);
    seek::latest(&|at, into| file.read_at(into, at), size, filter.lateness, &stamps).ok()?
}

pub(super) fn open(input: &Input) -> Option<(File, u64)> {
    let Origin::File { path, identity, .. } = &input.origin else { return None };
    let file = File::open(path).ok()?;
    let found = file.metadata().ok()?;
    ((found.dev(), found.ino()) == *identity).then_some((file, found.len()))
}

/// The stamps of a log format.
pub(super) struct FormatStamps {
    format: &'static str,
    units: Units,
    future_after: Timestamp,
    max_line: usize,
}

impl FormatStamps {
    pub(super) fn of(filter: &FilterPlan, future_after: Timestamp, max_line: usize) -> Self {
        FormatStamps { format: filter.format, units: filter.units, future_after, max_line }
    }
}

impl Stamps for FormatStamps {
    fn extent(&self, bytes: &[u8], from: u64) -> Option<Extent> {
        let block = Block { bytes, from, max_line: self.max_line, units: self.units };
        scan::extent(self.format, block, self.future_after)
    }
}
