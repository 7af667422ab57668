//! Building a pipeline: configuration in layers, reports and outputs of one's own, an injected clock.

use std::collections::VecDeque;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

use super::explain::Explanation;
use super::inputs::readers;
use super::list::ListedFile;
use super::machine;
use super::partial::{Partial, PartialRequest};
use super::partition::Partition;
use super::range::ByteRange;
use super::run::{Running, Summary};
use crate::config::{Catalog, Plan, Written, check};
use crate::error::{Error, Place, Result, show_path};
use crate::metrics::Progress;
use crate::model::Timestamp;
use crate::output::spared::Spared;
use crate::output::target::Last;
use crate::output::{self, Style};
use crate::report::{self, ReportEntry, ReportFn};
use crate::source::{Listing, Located, locate};
use crate::stage::reporter::Kept;
use crate::tallies::Files;
use crate::{format, options};

/// Puts a pipeline together. Nothing is opened before `run` or `start`.
///
/// ```
/// let summary = logparser::Pipeline::builder()
///     .set("location", "tests/data/*.log")
///     .set("until", "latest")
///     .output("json", Box::new(std::io::sink()))
///     .build()?
///     .run()?;
/// assert!(summary.sheets[0].balance.counted > 0);
/// # Ok::<(), logparser::Error>(())
/// ```
pub struct Builder {
    written: Written,
    reports: Vec<ReportEntry>,
    pub(super) environment: Environment,
}

/// What a run gets from outside.
pub(super) struct Environment {
    pub now: fn() -> Timestamp,
    pub tell: fn(&Error),
    pub warn: fn(&str),
    pub drain: Arc<AtomicBool>,
    /// Folders that are listed so far.
    pub folders: Arc<AtomicU64>,
    /// What the locations of the readers lead to, in the order of these, as far as it was looked for.
    pub located: VecDeque<Located>,
    /// Set when files that are written to are to be opened anew.
    pub reopen: Arc<AtomicBool>,
    pub style: Style,
    /// Whether windows are looked at before they are closed.
    pub peek: bool,
    /// What stands for standard output, if it is not that itself.
    pub stdout: Option<Box<dyn Write + Send>>,
    /// Where the last result is kept that is meant for standard output, in place of all of them there.
    pub last: Option<Last>,
    /// The bytes of its one input that a run is about, if not all.
    pub range: Option<ByteRange>,
    /// Where windows are kept in place of reports on them.
    pub kept: Option<Kept>,
    /// What is read beside the inputs, so that nothing is written to it.
    pub read: Spared,
    /// What is written by who has the pipeline run, once all is read; `None` is standard output.
    pub written: Vec<Option<PathBuf>>,
    /// Outputs in place of those of the configuration.
    pub outputs: Vec<(String, Box<dyn Write + Send>)>,
}

impl Environment {
    /// How locations are listed: until the run is interrupted.
    pub fn listing(&self) -> Listing {
        Listing { interrupted: Arc::clone(&self.drain), folders: Arc::clone(&self.folders) }
    }
}

/// A checked pipeline, ready to run.
pub struct Pipeline {
    pub(super) plan: Plan,
    pub(super) environment: Environment,
}

impl Pipeline {
    /// A builder with the standard five stages.
    pub fn builder() -> Builder {
        Builder {
            written: Written::standard(),
            reports: report::TABLE.to_vec(),
            environment: Environment {
                now: wall_clock,
                tell: |_| {},
                warn: |_| {},
                drain: Arc::default(),
                folders: Arc::default(),
                located: VecDeque::new(),
                reopen: Arc::default(),
                style: Style::default(),
                peek: false,
                stdout: None,
                last: None,
                range: None,
                kept: None,
                read: Spared::default(),
                written: Vec::new(),
                outputs: Vec::new(),
            },
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Finds the inputs, those that are followed aside, so that a run need not. That may take long where globs lead through
    /// many folders: `folders` tells how many were listed so far. Errors as a run would.
    pub fn locate(mut self) -> Result<Self> {
        let listing = self.environment.listing();
        for (_, reader) in readers(&self.plan).filter(|(_, reader)| reader.follow.is_none()) {
            self.environment.located.push_back(locate(&reader.location, &listing)?);
        }
        Ok(self)
    }

    /// How many folders have been listed to find the inputs.
    pub fn folders(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.environment.folders)
    }

    /// Has a file be refused as an input, as it is written by who has the pipeline run, once all is read; `None` is standard
    /// output.
    pub fn writes(mut self, target: Option<&Path>) -> Self {
        self.environment.written.push(target.map(Path::to_owned));
        self
    }

    /// Runs to the end. Errors if the run could not start; how it went is in the summary.
    pub fn run(self) -> Result<Summary> {
        Ok(self.start()?.join())
    }

    /// Says which bytes of which inputs a run would read, and why, without reading them, and which it would refuse. Errors
    /// as a run would that finds no input or no window.
    pub fn explain(self) -> Result<Explanation> {
        super::explain::explain(self)
    }

    /// Counts what a run would count, for `Files` of tallies to be added up. Errors if anything could not be read: there
    /// are no tallies of a part that was not asked for; why it was not is told to `on_failure`. `started` gets what tells
    /// how far it has come.
    pub fn partial(self, request: PartialRequest, started: impl FnOnce(Arc<Progress>)) -> Result<Partial> {
        super::partial::partial(self, request, started)
    }

    /// The files that a run would read, in the order of their names. Errors if one of them cannot be read.
    pub fn list(self) -> Result<Vec<ListedFile>> {
        super::list::list(self)
    }

    /// Divides what a run would read into tasks of at most `bytes` bytes each, one partial a task.
    pub fn partition(self, bytes: u64, previous: bool) -> Result<Partition> {
        super::partition::partition(self, bytes, previous)
    }

    /// Reports on tallies as a run on their logs would have; the configuration says which reports and outputs. Unless
    /// `incomplete`, they must hold all bytes of their inputs.
    pub fn report_on(self, files: &Files, incomplete: bool) -> Result<Summary> {
        super::replay::report_on(self, files, incomplete)
    }

    /// Finds the inputs, opens the outputs and starts all stages.
    pub fn start(self) -> Result<Running> {
        super::run::start(self)
    }
}

impl Builder {
    /// Reads a configuration file in place of the standard pipeline. Call it before `set`.
    pub fn config(mut self, path: &Path) -> Result<Self> {
        self.written = Written::read(path)?;
        Ok(self.reads(path, &format!("the configuration {}", show_path(path))))
    }

    /// Has a file be refused as an output, as it is read by who has the pipeline run; `name` is what messages call it.
    pub fn reads(mut self, path: &Path, name: &str) -> Self {
        self.environment.read.add(path, name);
        self
    }

    /// Takes a configuration from a text; `label` names it in messages.
    pub fn config_text(mut self, label: &str, text: &str) -> Self {
        self.written = Written::from_text(label, text);
        self
    }

    /// Sets a key: in every stage that knows it (`seconds`), or in one (`stages.recent.seconds`). Values are TOML, or
    /// plain text.
    pub fn set(self, key: &str, value: &str) -> Self {
        let place = Place::Argument(format!("{key}={value}"));
        self.set_at(key, value, place)
    }

    /// Sets a key; `place` is what messages point at.
    pub fn set_at(mut self, key: &str, value: &str, place: Place) -> Self {
        self.written.set(key, value, place);
        self
    }

    /// Adds a report function without options, to be asked for by `name`.
    pub fn report(self, name: &'static str, function: ReportFn) -> Self {
        let help = "a report function of this program";
        let options: &[options::OptionSpec] = &[];
        self.report_entry(ReportEntry {
            name,
            help,
            options,
            example: "",
            needs_previous: false,
            looks_at_pairs: true,
            function,
        })
    }

    /// Adds a report function with all that can be said of it. One of the same name is replaced.
    pub fn report_entry(mut self, entry: ReportEntry) -> Self {
        self.reports.retain(|known| known.name != entry.name);
        self.reports.push(entry);
        self
    }

    /// Writes the results in `format` to `writer`, in place of the outputs of the configuration.
    pub fn output(mut self, format: &str, writer: Box<dyn Write + Send>) -> Self {
        self.environment.outputs.push((format.to_owned(), writer));
        self
    }

    /// Writes what is meant for standard output to `writer`.
    pub fn stdout(mut self, writer: Box<dyn Write + Send>) -> Self {
        self.environment.stdout = Some(writer);
        self
    }

    /// Keeps the last result that is meant for standard output in `last`, and writes none there.
    pub fn keep_last(mut self, last: Last) -> Self {
        self.environment.last = Some(last);
        self
    }

    /// Takes the time from `now`.
    pub fn clock(mut self, now: fn() -> Timestamp) -> Self {
        self.environment.now = now;
        self
    }

    /// Tells failures that do not end the run, such as an unreadable input, when they happen.
    pub fn on_failure(mut self, tell: fn(&Error)) -> Self {
        self.environment.tell = tell;
        self
    }

    /// Tells what people should know though nothing failed, such as that a file is not sorted.
    pub fn on_warning(mut self, warn: fn(&str)) -> Self {
        self.environment.warn = warn;
        self
    }

    /// Ends the run, with a report of what was read, once the flag is set.
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.environment.drain = flag;
        self
    }

    /// In a run that follows its inputs: has files that it writes to be opened anew once the flag is set, which is then
    /// cleared, so that they can be rotated.
    pub fn reopen(mut self, flag: Arc<AtomicBool>) -> Self {
        self.environment.reopen = flag;
        self
    }

    /// How outputs on standard output should look.
    pub fn style(mut self, style: Style) -> Self {
        self.environment.style = style;
        self
    }

    /// Lets windows be looked at before they are closed, by `Running::result_now` and `Running::peers_now`.
    pub fn peek(mut self) -> Self {
        self.environment.peek = true;
        self
    }

    /// Checks the configuration; errors with all its problems.
    pub fn build(self) -> Result<Pipeline> {
        let catalog = Catalog { reports: self.reports, outputs: output::TABLE, formats: format::NAMES };
        for (name, _) in &self.environment.outputs {
            if output::entry(name).is_none() {
                let help = options::suggest(name, output::TABLE.iter().map(|entry| entry.name)).unwrap_or_default();
                return Err(Error::usage(format!("unknown output '{name}'; {help}")));
            }
        }
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let mut plan = check(&self.written, &catalog, cores)?;
        if plan.follows()
            && let Some(bytes) = machine::memory()
        {
            plan.limit_memory(bytes / 2);
        }
        Ok(Pipeline { plan, environment: self.environment })
    }
}

/// The time in whole seconds, as Unix counts them, rounded up: what has been written by now is not after it, in
/// whatever unit the log writes its stamps.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().saturating_add(u64::from(since.subsec_nanos() > 0));
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_now_is_not_after_it() {
        let written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(wall_clock() >= Timestamp::from_nanos(i64::try_from(written.as_nanos()).unwrap()));
    }
}
