//! As written to as meant: everything is checked at once.
//!
//! Not here: the rules themselves (`stage`, `graph`, `follow`). Invariant: a plan comes out only if
//! nothing is wrong, and otherwise every problem does, in the order of the file.

use super::catalog::{Catalog, Known, Machine};
use super::node::parse_file;
use super::plan::Plan;
use super::problems::Problems;
use super::written::Written;
use super::{draft, formats, graph, stage};
use crate::error::{ErrorKind, Result};

/// Checks a configuration. Errors with all its problems, in the order of the file.
pub fn check(written: &Written, catalog: &Catalog, machine: &Machine) -> Result<Plan> {
    let root = parse_file(&written.label, &written.text).map_err(|mut problems| {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ErrorKind::Config(problems)
    })?;
    let mut problems = Problems::default();
    let own = formats::own(&root, &mut problems);
    let known = Known { catalog, formats: &own };
    let plan = draft::collect(&root, written, &mut problems).and_then(|drafts| {
        let stages = drafts.iter().map(|draft| stage::read(draft, known, machine.cores, &mut problems)).collect();
        graph::check(&drafts, stages, (&root.place, written.previous), &mut problems)
    });
    match plan {
        Some(plan) if problems.len() == 0 => Ok(match plan.follows() {
            // A run without end must not take the whole machine in the end.
            true => plan.limited((machine.memory)().map(|bytes| bytes / 2)),
            false => plan,
        }),
        _ => Err(ErrorKind::Config(problems.sorted()).into()),
    }
}
