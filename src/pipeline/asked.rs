//! What each reporter of a plan is asked, with the names of hosts: their files are read before
//! anything else is, and once a run.
//!
//! Not here: what their lines mean (`report`). Invariant: of a file no more is read than one may have,
//! and nothing is written to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::environment::Environment;
use crate::config::{Plan, Task};
use crate::error::{Error, Result, show_path};
use crate::model::location::{PathArg, no_file, scheme};
use crate::report::{HostNames, LARGEST_HOSTS};
use crate::stage::reporter::AskedReports;

/// What the reporters of a plan are asked, by their places in it.
#[derive(Default)]
pub(super) struct AskedOfAll(BTreeMap<usize, Arc<AskedReports>>);

impl AskedOfAll {
    /// Of the reporters of a plan. Errors with a file of hosts that cannot be used, and with a host
    /// that is asked about by a name of several addresses.
    pub fn read(plan: &Plan, environment: &mut Environment) -> Result<Self> {
        let mut known: BTreeMap<&Path, Arc<HostNames>> = BTreeMap::new();
        Self::with(plan, |path| {
            if let Some(names) = known.get(path) {
                return Ok(Arc::clone(names));
            }
            let names = Arc::new(names(path)?);
            environment.read.add(path, format!("the file of hosts {}", show_path(path)));
            known.insert(path, Arc::clone(&names));
            Ok(names)
        })
    }

    /// The same where no report is made: no file of hosts is read.
    pub fn of_none(plan: &Plan) -> Result<Self> {
        Self::with(plan, |_| Ok(Arc::default()))
    }

    fn with<'a>(plan: &'a Plan, mut names: impl FnMut(&'a Path) -> Result<Arc<HostNames>>) -> Result<Self> {
        let mut all = AskedOfAll::default();
        for (at, stage) in plan.stages.iter().enumerate() {
            let Task::Reporter(reporter) = &stage.task else { continue };
            let reports = reporter.reports.iter().map(|report| (report.entry.clone(), report.options.clone()));
            let hosts = reporter.hosts.as_deref().map(&mut names).transpose()?;
            all.0.insert(at, Arc::new(AskedReports::new(reports.collect(), hosts)?));
        }
        Ok(all)
    }

    /// What is asked of the reporter at this place.
    pub fn of(&self, at: usize) -> Option<Arc<AskedReports>> {
        self.0.get(&at).cloned()
    }
}

/// The names that a file gives.
fn names(path: &Path) -> Result<HostNames> {
    let shown = show_path(path);
    let wrong = |what: String| Error::usage(format!("{shown}: {what}"));
    if let Some(scheme) = path.to_str().and_then(scheme) {
        return Err(wrong(no_file(scheme)));
    }
    if PathArg::from(path.as_os_str().to_owned()) == PathArg::Std {
        return Err(wrong("a file of hosts is no standard input; name a file (one that is called so is ./-)".into()));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_HOSTS + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > LARGEST_HOSTS => {
            let most = LARGEST_HOSTS >> 20;
            Err(wrong(format!("has more than the {most} MiB of a file of hosts; leave out what is in no log")))
        }
        Ok(_) => HostNames::read(&shown, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::usage(format!("there is no '{shown}'; name a file of hosts, e.g. --hosts /etc/hosts")))
        }
        Err(error) => Err(wrong(format!("cannot read the file of hosts: {error}"))),
    }
}
