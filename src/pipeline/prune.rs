//! Which files are read in part: those of readers whose windows are known, and whose lines are
//! sorted as declared.
//!
//! Not here: where in a file the bytes are (`source/seek`). Invariant: where anything is in doubt,
//! a file is read whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inputs::{Inputs, readers};
use super::probe::{FormatStamps, look};
use super::resolve::Resolved;
use crate::config::{Plan, Task};
use crate::model::{InputId, Timestamp};
use crate::ops::close::Windows;
use crate::source::Pruned;
use crate::source::seek::{Reason, Wanted};
use crate::stage::{Failures, skip};

/// What was found of each file of the readers that may skip bytes.
pub(super) fn prune(plan: &Plan, resolved: &[Option<Resolved>], inputs: &Inputs) -> BTreeMap<InputId, Pruned> {
    let mut pruned = BTreeMap::new();
    for (at, _) in readers(plan) {
        let Some((wanted, future_after)) = wanted(plan, resolved, at) else { continue };
        let ids = inputs.by_reader.get(&at).into_iter().flatten();
        for &id in ids.filter(|id| inputs.may_skip[id.0 as usize]) {
            let stamps = FormatStamps::of(inputs, id, future_after);
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

/// What all time-filters behind a reader want of it together, and beyond which stamps the future
/// is; `None` if one of them wants all of it.
fn wanted(plan: &Plan, resolved: &[Option<Resolved>], reader: usize) -> Option<(Wanted, Timestamp)> {
    let mut wanted: Option<(Wanted, Timestamp)> = None;
    for (at, stage) in plan.stages.iter().enumerate() {
        let Task::TimeFilter(filter) = &stage.task else { continue };
        if !plan.upstream(at).contains(&reader) {
            continue;
        }
        // To measure the disorder, all of it has to be read.
        let once = |resolved: &Resolved| matches!(resolved.windows, Windows::Once(_)) && !filter.stats;
        let resolved = resolved[at].filter(once)?;
        let (first, last) = (resolved.bounds.keep_from, resolved.bounds.last);
        let mine = Wanted { first, last, disorder: filter.stamps.lateness };
        let future_after = resolved.bounds.future_after;
        wanted = Some(match wanted {
            None => (mine, future_after),
            // What is in the future for one and in the window of another has to be looked at by
            // both their rules.
            Some((_, other)) if other != future_after => return None,
            Some((other, _)) => {
                let (first, last) = (first.min(other.first), last.max(other.last));
                (Wanted { first, last, disorder: filter.stamps.lateness.max(other.disorder) }, future_after)
            }
        });
    }
    wanted
}

/// What is skipped of an input, if anything is; a warning if its lines are not sorted as declared.
pub(super) fn pruned_or_warn(pruned: &Pruned, name: &str, failures: &Failures) -> Option<Pruned> {
    if pruned.found.reason == Reason::NotSorted {
        let disorder = pruned.found.extent.map_or(0, |extent| extent.disorder);
        failures.warn(&skip::not_sorted(name, disorder, pruned.disorder));
    }
    (pruned.found.reason == Reason::Pruned).then(|| pruned.clone())
}
