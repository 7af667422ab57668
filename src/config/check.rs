//! As written to as meant: everything is checked at once.

use std::num::NonZeroUsize;

use super::catalog::Catalog;
use super::node::parse_file;
use super::plan::Plan;
use super::problems::Problems;
use super::written::Written;
use super::{draft, graph, stage};
use crate::error::{ErrorKind, Result};

/// Checks a configuration. Errors with all its problems, in the order of the file.
pub fn check(written: &Written, catalog: &Catalog, cores: NonZeroUsize) -> Result<Plan> {
    let root = parse_file(&written.label, &written.text).map_err(|mut problems| {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ErrorKind::Config(problems)
    })?;
    let mut problems = Problems::default();
    let plan = draft::collect(&root, written, &mut problems).and_then(|drafts| {
        let stages = drafts.iter().map(|draft| stage::read(draft, catalog, cores, &mut problems)).collect();
        graph::check(&drafts, stages, &root.place, &mut problems)
    });
    match plan {
        Some(plan) if problems.len() == 0 => Ok(plan),
        _ => Err(ErrorKind::Config(problems.sorted()).into()),
    }
}
