//! Which files are read in part: those of readers whose windows are known, and whose lines are
//! sorted as declared.
//!
//! A compressed file cannot be skipped into: it is read whole, unless it was last written so long
//! before the window that nothing of it can lie there.
//!
//! Not here: where in a file the bytes are (`source/seek`). Invariant: where anything is in doubt,
//! a file is read whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inputs::{Inputs, readers};
use super::probe::{FormatStamps, look};
use super::resolve::Resolved;
use crate::config::{Plan, Scan, Task};
use crate::format::LineRules;
use crate::model::{InputId, Timestamp};
use crate::ops::close::Windows;
use crate::source::seek::{Found, Reason, Wanted};
use crate::source::{Input, Pruned};
use crate::stage::{Failures, skip};

/// What was found of each file of the readers that may skip bytes.
pub(super) fn prune(plan: &Plan, resolved: &[Option<Resolved>], inputs: &Inputs) -> BTreeMap<InputId, Pruned> {
    let mut pruned = BTreeMap::new();
    for (at, reader) in readers(plan) {
        let Some((wanted, future_after)) = wanted(plan, resolved, at) else { continue };
        let ids = inputs.by_reader.get(&at).into_iter().flatten();
        if reader.scan != Scan::Full {
            let old = |id: &InputId| {
                let number = id.0 as usize;
                Some((*id, old(&inputs.all[number], &inputs.rules[number], &wanted)?))
            };
            pruned.extend(ids.clone().filter_map(old));
        }
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

/// That a compressed file is skipped as a whole, if it is.
fn old(input: &Input, rules: &LineRules, wanted: &Wanted) -> Option<Pruned> {
    let file = input.file().filter(|_| input.is_packed())?;
    let is_old = file.modified.plus(rules.schema.ahead()) < wanted.first.minus(wanted.disorder);
    is_old.then(|| Pruned { found: Found::nothing(Reason::Old), size: file.size, disorder: 0, order: None, sent: 0 })
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
    matches!(pruned.found.reason, Reason::Pruned | Reason::Old).then(|| pruned.clone())
}

/// The warning for compressed files that are skipped as a whole, if there are any.
pub(super) fn old_warning<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let (first, others) = names.split_first()?;
    let (more, was) = match others.len() {
        0 => (String::new(), "was"),
        others => (format!(" and {others} more"), "were"),
    };
    Some(format!(
        "{first}{more} {was} last written before the window, and {was} skipped without being decompressed; --scan full \
         reads all"
    ))
}
