//! Building a pipeline: configuration in layers, reports and outputs of one's own, an injected
//! clock.
//!
//! Not here: what is checked (`config`), and the run (`run`). Invariant: nothing is opened or read
//! but the configuration until `build` has returned.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::environment::{Environment, Pipeline};
use super::machine;
use crate::config::{Catalog, Machine, Written, check};
use crate::error::{Error, Place, Result, show_path};
use crate::model::{Report, Timestamp, WindowResult};
use crate::options;
use crate::output::target::LastResult;
use crate::output::{self, Style};
use crate::report::{self, ReportContext, ReportEntry};
use crate::source;
use crate::tally::Aggregates;

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
    /// Outputs in place of those of the configuration, by their names.
    outputs: Vec<(String, Box<dyn Write + Send>)>,
    environment: Environment,
    /// Whether the window before is counted, whatever the reports need.
    previous: bool,
}

impl Pipeline {
    /// A builder with the standard five stages.
    pub fn builder() -> Builder {
        Builder {
            written: Written::standard(),
            reports: report::TABLE.to_vec(),
            outputs: Vec::new(),
            environment: Environment::default(),
            previous: false,
        }
    }
}

impl Builder {
    /// Reads a configuration file in place of the standard pipeline. Call it before `set`.
    pub fn config(mut self, path: &Path) -> Result<Self> {
        self.written = Written::read(path)?;
        Ok(self.reads(path, &format!("the configuration {}", show_path(path))))
    }

    /// Refuses a file as an output, since the caller reads it; `name` is what messages call it.
    pub fn reads(mut self, path: &Path, name: &str) -> Self {
        self.environment.read.add(path, name);
        self
    }

    /// Takes a configuration from a text; `label` names it in messages.
    pub fn config_text(mut self, label: &str, text: &str) -> Self {
        self.written = Written::from_text(label, text);
        self
    }

    /// Sets a key: in every stage that knows it (`seconds`), or in one (`stages.recent.seconds`).
    /// Values are TOML, or plain text.
    pub fn set(self, key: &str, value: &str) -> Self {
        let place = Place::Argument(format!("{key}={value}"));
        self.set_at(key, value, place)
    }

    /// Sets a key; `place` is what messages point at.
    pub fn set_at(mut self, key: &str, value: &str, place: Place) -> Self {
        self.written.set(key, value, place);
        self
    }

    /// Adds a report function without options, to be asked for by `name`: a function or a closure.
    pub fn report<F>(self, name: &'static str, function: F) -> Self
    where
        F: Fn(&ReportContext<'_>, &Aggregates, Timestamp) -> Result<Report> + Send + Sync + 'static,
    {
        self.report_entry(ReportEntry::new(name, function))
    }

    /// Adds a report function with all that can be said of it. One of the same name is replaced.
    pub fn report_entry(mut self, entry: ReportEntry) -> Self {
        self.reports.retain(|known| known.name != entry.name);
        self.reports.push(entry);
        self
    }

    /// Writes the results in `format` to `writer`, in place of the outputs of the configuration.
    pub fn output(mut self, format: &str, writer: Box<dyn Write + Send>) -> Self {
        self.outputs.push((format.to_owned(), writer));
        self
    }

    /// Writes what is meant for standard output to `writer`.
    pub fn stdout(mut self, writer: Box<dyn Write + Send>) -> Self {
        self.environment.stdout = Some(writer);
        self
    }

    /// Keeps the last result that is meant for standard output in `last`, and writes none there.
    pub fn keep_last(mut self, last: LastResult) -> Self {
        self.environment.last = Some(last);
        self
    }

    /// Takes the time from `now`.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.environment.now = Arc::new(now);
        self
    }

    /// Tells failures that do not end the run, such as an unreadable input, when they happen.
    pub fn on_failure(mut self, tell: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.environment.listener.failure = Some(Arc::new(tell));
        self
    }

    /// Tells how something was understood, such as which format an input has.
    pub fn on_note(mut self, note: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.environment.listener.note = Some(Arc::new(note));
        self
    }

    /// Tells what people should know though nothing failed, such as that a file is not sorted.
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.environment.listener.warning = Some(Arc::new(warn));
        self
    }

    /// Hands each result to `take` as plain data, in their order, in place of the outputs of the
    /// configuration. The next result waits until it is taken.
    pub fn on_result(mut self, take: impl Fn(&WindowResult) + Send + Sync + 'static) -> Self {
        self.environment.listener.result = Some(Arc::new(take));
        self
    }

    /// Ends the run, with a report of what was read, once the flag is set.
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.environment.wishes.drain = flag;
        self
    }

    /// In a run that follows its inputs: opens the files that it writes to again once the flag is
    /// set, so that they can be rotated. The flag is then cleared.
    pub fn reopen(mut self, flag: Arc<AtomicBool>) -> Self {
        self.environment.wishes.reopen = flag;
        self
    }

    /// How outputs on standard output should look.
    pub fn style(mut self, style: Style) -> Self {
        self.environment.style = style;
        self
    }

    /// Lets windows be looked at before they are closed, by `Running::result_now` and
    /// `Running::peers_now`.
    pub fn peek(mut self) -> Self {
        self.environment.peek = true;
        self
    }

    /// Counts the window before too, whether a report compares with it or not: a report on tallies
    /// may.
    pub(crate) fn count_previous(mut self, previous: bool) -> Self {
        self.previous = previous;
        self
    }

    /// Checks the configuration; errors with all its problems.
    pub fn build(mut self) -> Result<Pipeline> {
        if self.previous {
            self.written.count_previous();
        }
        let catalog = Catalog { reports: self.reports, outputs: output::TABLE, reads: source::reads };
        for (name, writer) in self.outputs {
            let unknown = || {
                let help = options::suggest(&name, output::TABLE.iter().map(|entry| entry.name)).unwrap_or_default();
                Error::usage(format!("unknown output '{name}'; {help}"))
            };
            self.environment.outputs.push((output::entry(&name).ok_or_else(unknown)?, writer));
        }
        if self.environment.listener.result.is_some() && self.environment.outputs.is_empty() {
            self.environment.outputs.push((output::DEFAULT, Box::new(io::sink())));
        }
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let plan = check(&self.written, &catalog, &Machine { cores, memory: machine::memory })?;
        Ok(Pipeline { plan, environment: self.environment })
    }
}
