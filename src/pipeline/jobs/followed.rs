//! What a run that follows would read now, and what it would wait for, found as the run finds it.
//!
//! Not here: inputs that end (`explain`). Invariant: nothing is written; a state is looked at without
//! the right to it, since a run may have it at the time.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::explained::Explained;
use crate::config::{Plan, Scan, fingerprint};
use crate::error::Result;
use crate::pipeline::environment::Environment;
use crate::pipeline::following::{follow_options, sought, state_folder};
use crate::pipeline::inputs::readers;
use crate::pipeline::reading::{Part, Reading};
use crate::pipeline::restore::restored;
use crate::snapshot::{Snapshot, store};
use crate::source::follow::{Follower, New};
use crate::stage::Failures;

/// What an earlier run of the plan has saved, if it has, as the next one goes on from it.
pub(super) struct SavedRun(Option<Snapshot>);

/// What is followed.
#[derive(Debug, Default)]
pub(super) struct FollowedNow {
    /// What would be read of each file that is there.
    pub files: Vec<Explained>,
    /// The paths that lead to them.
    pub paths: Vec<PathBuf>,
    /// The locations that lead to no file yet, escaped.
    pub nowhere: Vec<String>,
}

impl SavedRun {
    /// Looks for it. Errors as a run that cannot go on from it.
    pub fn look(plan: &Plan, failures: &Failures) -> Result<Self> {
        let Some(folder) = state_folder(plan, failures)? else { return Ok(SavedRun(None)) };
        let fingerprint = fingerprint(plan);
        let Some(mut loaded) = store::peek_of(&folder, &fingerprint)? else { return Ok(SavedRun(None)) };
        loaded.warning.iter().for_each(|text| failures.warn(text));
        let (snapshot, _) = loaded.read(|decoder| restored(&fingerprint, decoder, Arc::default()))?;
        Ok(SavedRun(Some(snapshot)))
    }

    /// What of the plan is still to be read.
    pub fn part(&self) -> Part {
        self.0.as_ref().map_or(Part::All, |snapshot| Part::Rest(snapshot.grid, snapshot.bounds))
    }
}

/// Looks where the locations of a plan lead that follows, with the windows that it has.
pub(super) fn followed(
    plan: &Plan,
    reading: &Reading,
    SavedRun(saved): SavedRun,
    environment: &Environment,
    failures: &Failures,
) -> FollowedNow {
    let mut now = FollowedNow::default();
    let reader = readers(plan).find_map(|(_, reader)| {
        let resolved = reading.windows[reader.first_filter]?;
        Some((reader, reader.follow?, resolved)).filter(|_| reader.of_files().next().is_some())
    });
    let Some((reader, follow, resolved)) = reader else { return now };
    let clock = saved.as_ref().map_or(Duration::ZERO, |snapshot| snapshot.clock);
    let (files, passed_over, next) = saved
        .map_or((Vec::new(), Vec::new(), 0), |snapshot| (snapshot.files, snapshot.passed_over, snapshot.next_input));
    // Numbers are told to nobody.
    let mut follower = Follower::new(follow_options(reader, follow, environment.listing()), files, next.max(1));
    follower.pass_over(passed_over);
    let mut first = follower.scan(clock);
    // By then, a file that is empty, or may be a copy in the making, is one of its own.
    let later = follower.scan(clock.saturating_add(follow.rotate_wait));
    first.warnings.iter().chain(&later.warnings).for_each(|text| failures.warn(text));
    let may_skip = first.new.iter().map(|new| new.size).sum::<u64>() > reader.scan.above();
    let skipping = |new: &New| {
        let file = if may_skip { File::open(&new.path).ok() } else { None };
        let found = file.and_then(|file| sought(reader, resolved, new.size, &file));
        match (found, reader.scan) {
            (Some(found), _) => Explained::found(new.name.clone(), new.size, &found, reader.stamps.lateness, None),
            (None, Scan::Full) => Explained::whole(new.name.clone(), new.size, "all is asked for"),
            (None, _) if !may_skip => Explained::whole(new.name.clone(), new.size, "all inputs together are small"),
            (None, _) => Explained::whole(new.name.clone(), new.size, "it cannot be searched"),
        }
    };
    let one = |new: &New| match new.resumed {
        true => Explained {
            range: (new.position.min(new.size), new.size),
            ..Explained::whole(new.name.clone(), new.size, "an earlier run has counted what is before")
        },
        false => skipping(new),
    };
    let held = |new: &New| match new.size {
        0 => Explained::whole(new.name.clone(), 0, "it is empty"),
        size => Explained::whole(new.name.clone(), size, "it may be a copy in the making, and is held back first"),
    };
    // Of a file that is gone, a run tells what it has lost.
    first.new.retain(|new| !new.resumed || follower.is_here(new.id));
    now.files = first.new.iter().map(one).chain(later.new.iter().map(held)).collect();
    now.paths = first.new.into_iter().chain(later.new).map(|new| new.path).collect();
    now.nowhere = first.nowhere;
    now
}
