//! Reporter: maps the report functions over each window and hands the results to the outputs, in
//! order.
//!
//! Not here: what reports are made of (`report`) and where results go (`output`). Invariant:
//! results are written in the order of their windows, each to every output, or the run says which
//! it was not.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::actor::{Exit, Outlet, Stop, Transform};
use crate::error::{Error, Result};
use crate::model::loss::losses;
use crate::model::{Balance, Cell, Ends, Issue, Loss, MeasureTotal, Stamps, Timestamp, Window, WindowResult, escape};
use crate::options::{Instant, Options, Value};
use crate::output::destination::{Destination, Receipt};
use crate::output::target::Reopen;
use crate::output::unsaid::Unsaid;
use crate::output::{Stretch, nothing, odd};
use crate::report::{HostNames, ReportContext, ReportEntry, Search};
use crate::tally::Shape;
use crate::tally::aggregates::Layout;
use crate::tally::{Budget, Tally};

use super::Listener;
use super::aggregator::{Closed, Counting, WindowLook};

/// How often a worker that waits for its turn looks up whether the run was aborted.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How often results that found no room are tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What all workers of a reporter share.
pub struct ReporterShared {
    /// What is asked of each window.
    pub asked: Arc<AskedReports>,
    /// Threads that a report may use.
    pub threads: NonZeroUsize,
    /// Where results go.
    pub desk: Mutex<Desk>,
    /// Whether files are to be opened again before the next result.
    pub reopen: Option<Arc<Reopen>>,
    /// Told whenever a result has been written.
    pub written: Condvar,
    /// The run's stop switch.
    pub stop: Stop,
    /// Where windows are kept as they are, in place of reports on them.
    pub kept: Option<Kept>,
    /// Gives the balance sheet of the whole run, at its end.
    pub counting: Option<Arc<Counting>>,
    /// The range that was asked for.
    pub range: AskedRange,
    /// What it takes to say what there is, where nothing is counted.
    pub nothing: Option<Emptiness>,
    /// What there is to say, if nothing is.
    pub missed: Mutex<Option<Missed>>,
}

/// The reports that are made on each window.
pub struct AskedReports {
    /// In the order of the results, with their options.
    reports: Vec<(ReportEntry, Options)>,
    /// What addresses are called in them, where that was asked for.
    hosts: Option<Arc<HostNames>>,
    /// For each report, what is known of the host that it asks about, if it does.
    searches: Mutex<Vec<Option<Search>>>,
}

impl AskedReports {
    /// These reports. Errors with a host that is asked about by a name of several addresses.
    pub fn new(reports: Vec<(ReportEntry, Options)>, hosts: Option<Arc<HostNames>>) -> Result<Self> {
        let search = |(entry, options): &(ReportEntry, Options)| Search::of(entry, options, hosts.as_deref());
        let searches = reports.iter().map(search).collect::<Result<_>>()?;
        Ok(AskedReports { searches: Mutex::new(searches), reports, hosts })
    }

    /// What addresses are called.
    pub fn hosts(&self) -> Option<&HostNames> {
        self.hosts.as_deref()
    }
}

/// The range that was asked for, as far as its ends are given.
#[derive(Debug, Clone, Copy, Default)]
pub struct AskedRange {
    /// Its ends, as far as they are known before the run.
    pub ends: Ends,
    /// Whether it ends with the highest stamp.
    pub until_latest: bool,
    /// Whether an end is given as an instant, for one window too: somebody who gives one knows the
    /// stamps.
    pub by_instant: bool,
}

/// Where nothing is counted.
pub struct Emptiness {
    /// What was asked for.
    pub stretch: Stretch,
    /// Looks for the stamps that there are.
    pub look: Box<dyn Fn() -> Stamps + Send + Sync>,
}

/// What there is to say of a run that counted nothing.
#[derive(Debug, Clone)]
pub struct Missed {
    /// One line; `None` if nothing could be read.
    pub said: Option<String>,
    /// Whether results that are text say so themselves.
    pub in_text: bool,
}

/// A window that is kept as it is.
pub type Kept = Arc<Mutex<Option<Arc<Closed>>>>;

/// The outputs, and whose turn it is.
pub struct Desk {
    /// The open outputs. One whose reader has gone is dropped.
    pub outputs: Vec<Destination>,
    /// Who is told of results.
    pub listener: Listener,
    /// The sequence number that is written next; `None` if results are written as they come, by the
    /// one worker there is.
    pub next: Option<u64>,
    /// What stands before results says this of their issue where none comes, if anything.
    pub issue: Option<Issue>,
    /// The losses that the last result has told, if there was any.
    pub told: Option<Vec<(Loss, u64)>>,
    /// What the results have left unsaid.
    pub unsaid: Unsaid,
    /// Of one window, from where to where buckets hold anything.
    pub extent: Option<(Timestamp, Timestamp)>,
    /// Results that outputs have dropped, as far as the balance sheet has them.
    dropped: u64,
}

impl Desk {
    /// For these outputs and who is told of results; `next` is what is written first, if there is
    /// an order, and `issue` what is said of results where none comes.
    pub fn new(outputs: Vec<Destination>, listener: Listener, next: Option<u64>, issue: Option<Issue>) -> Self {
        Desk { outputs, listener, next, issue, told: None, unsaid: Unsaid::default(), extent: None, dropped: 0 }
    }
}

impl ReporterShared {
    /// What is to say of hosts that were asked about and are nowhere, and of what a medium has no
    /// place for.
    pub fn hints(&self) -> Vec<String> {
        let mut hints: Vec<String> = self.asked.searches.lock().iter().flatten().filter_map(Search::hint).collect();
        // As in `settle`, what a worker that was given up on holds is not waited for.
        let Some(desk) = self.desk.try_lock() else { return hints };
        hints.extend(desk.unsaid.hints());
        let of_many = || self.counting.as_ref()?.progress.lock().extent();
        let odd = desk.extent.or_else(of_many).filter(|_| !self.range.by_instant).and_then(odd);
        hints.extend(odd.map(|odd| format!("the records that count are {odd}")));
        hints
    }

    /// Looks for the hosts that are asked about in a window that is closed.
    pub fn search(&self, seen: WindowLook<'_>, result: &WindowResult) -> Result<()> {
        let mut searches = self.asked.searches.lock();
        let all = self.asked.reports.iter().zip(&mut *searches).zip(&result.reports);
        for (((entry, options), search), report) in all {
            let Some(search) = search else { continue };
            let context = self.context(entry, options, seen);
            search.look(&context, seen.view, report, (seen.sequence, seen.periodic))?;
        }
        Ok(())
    }

    fn context<'a>(&'a self, entry: &'a ReportEntry, options: &'a Options, seen: WindowLook<'a>) -> ReportContext<'a> {
        let (window, balance) = (seen.view.window(), seen.balance);
        ReportContext { name: entry.name, options, window, balance, threads: self.threads, hosts: self.asked.hosts() }
    }

    /// The result on a window, closed or not.
    pub fn result(&self, seen: WindowLook<'_>) -> Result<WindowResult> {
        let window = seen.view.window();
        let reports = self.asked.reports.iter().map(|(entry, options)| {
            let context = self.context(entry, options, seen);
            let mut report = entry.maker.make(&context, seen.view, window.end)?;
            report.id = entry.name.to_owned();
            // A function of another crate may get this wrong, and outputs rely on it.
            report.check().map_err(|message| Error::report(entry.name, message))?;
            report.options = asked_for(options);
            if entry.looks_at_pairs {
                let overflow = seen.view.overflow();
                report.overflow = if entry.needs_previous { overflow.of_both() } else { overflow.window };
            }
            if seen.gap.is_some() {
                report.rows.clear();
            }
            if let Some(hosts) = self.asked.hosts() {
                hosts.name(&mut report);
            }
            Ok(report)
        });
        let window = seen.gap.map_or(window, |gap| gap.window);
        Ok(WindowResult {
            sequence: seen.sequence,
            window,
            windows: seen.gap.map_or(1, |gap| gap.windows),
            periodic: seen.periodic,
            cut: self.ends().cut(&window),
            issue: seen.issue,
            connections: seen.view.total(),
            measures: MeasureTotal::all(seen.view.measures(), &seen.view.measured()),
            from_start: matches!(self.nothing, Some(Emptiness { stretch: Stretch::From(_), .. })),
            stamps: self.stamps_beside(&seen),
            reports: reports.collect::<Result<_>>()?,
            balance: seen.balance.clone(),
        })
    }

    /// The ends of the range. Windows that close before the input ends end before a stamp that is
    /// known by then, so that stamps which come later cut none.
    fn ends(&self) -> Ends {
        let AskedRange { ends, until_latest, .. } = self.range;
        let highest = || self.counting.as_ref()?.progress.lock().highest_stamp();
        if until_latest { Ends { until: highest(), ..ends } } else { ends }
    }

    /// The stamps that there are where a one-shot window holds nothing.
    fn stamps_beside(&self, seen: &WindowLook<'_>) -> Option<Stamps> {
        let nothing = self.nothing.as_ref().filter(|_| seen.view.total() == 0 && !seen.periodic)?;
        Some((nothing.look)())
    }

    /// Notes what there is to say where a one-shot window holds nothing.
    fn miss(&self, result: &WindowResult) {
        if result.stamps.is_some() {
            let said = nothing(Stretch::of(result), result.stamps, &result.balance);
            *self.missed.lock() = Some(Missed { said, in_text: true });
        }
    }

    /// If no window came: says what there is, and writes what stands before results.
    fn without_results(&self, desk: &mut Desk, balance: &Balance) -> Result<()> {
        let second = Timestamp::from_seconds(1);
        let window = Window::half_open(Timestamp::from_seconds(0), second);
        let layout = Layout { window, first_bucket: 0, buckets: 1, grain: second.nanos(), previous: true };
        let measures = self.counting.as_ref().map(|counting| Arc::clone(counting.measures.names())).unwrap_or_default();
        let tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::new(Budget::new(None))).measuring(&measures);
        let view = tally.view(&layout);
        let look = WindowLook { sequence: 0, periodic: true, gap: None, issue: desk.issue, view: &view, balance };
        let mut empty = self.result(look)?;
        empty.reports.iter_mut().for_each(|report| report.rows.clear());
        desk.outputs.iter_mut().try_for_each(|output| output.head(&empty))?;
        self.miss_all(balance);
        Ok(())
    }

    /// Notes what there is to say where nothing is counted and no result says so.
    fn miss_all(&self, balance: &Balance) {
        // Of a run that is cut short, nobody knows what it would have counted.
        let whole = !self.stop.draining() && !self.stop.aborted();
        if let Some(Emptiness { stretch, look }) = self.nothing.as_ref().filter(|_| whole) {
            *self.missed.lock() = Some(Missed { said: nothing(*stretch, Some(look()), balance), in_text: false });
        }
    }

    /// Writes a result once all before it are written; sets `written` when no output has it before
    /// it any more.
    pub fn write(&self, result: &WindowResult, written: Arc<AtomicBool>) -> Result<(), Exit> {
        if let Some(reopen) = &self.reopen {
            reopen.heed();
        }
        let mut desk = self.desk.lock();
        // The result before this one left the inbox earlier: another worker has it, and needs
        // nothing from this one.
        while desk.next.is_some_and(|next| next != result.sequence) {
            if self.stop.aborted() {
                return Err(Exit::Stopped);
            }
            self.written.wait_for(&mut desk, LOOK_UP);
        }
        if let Some(take) = &desk.listener.result {
            take(result);
        }
        let receipt = Receipt::new(desk.outputs.len(), written);
        if let Some(medium) = desk.outputs.iter().find_map(Destination::leaves_unsaid) {
            desk.unsaid.note(medium, result);
        }
        // An output that fails keeps no other from this result.
        let mut failed = None;
        desk.outputs.retain_mut(|output| match output.write(result, &receipt) {
            Ok(takes_more) => takes_more,
            Err(error) => {
                failed.get_or_insert(error);
                true
            }
        });
        self.note_dropped(&mut desk);
        desk.next = desk.next.map(|next| next + result.windows);
        desk.told = Some(losses(&result.balance));
        self.written.notify_all();
        match failed {
            Some(error) => Err(error.into()),
            None if desk.outputs.is_empty() => Err(Exit::DownstreamClosed),
            None => Ok(()),
        }
    }

    /// Tells what was not written, at the end of the run.
    pub fn settle(&self) {
        // If a worker that was given up on has the desk, because its reader makes it wait for ever,
        // what it would write is given up too.
        let Some(mut desk) = self.desk.try_lock() else { return };
        desk.outputs.iter_mut().for_each(Destination::settle);
        self.note_dropped(&mut desk);
    }

    /// Enters into the balance sheet what outputs have dropped since the last time.
    fn note_dropped(&self, desk: &mut Desk) {
        let dropped = desk.outputs.iter().map(Destination::dropped).sum();
        if let Some(counting) = self.counting.as_ref().filter(|_| dropped > desk.dropped) {
            counting.progress.lock().results_dropped(dropped - desk.dropped);
            desk.dropped = dropped;
        }
    }

    /// Writes the sheet of the whole run behind all results, if the last of them does not tell all
    /// that was lost.
    fn end(&self) -> Result<()> {
        let Some(counting) = &self.counting else { return Ok(()) };
        let (mut desk, balance) = (self.desk.lock(), counting.sheet().0);
        if desk.told.is_none() && self.kept.is_none() {
            self.without_results(&mut desk, &balance)?;
        }
        if desk.told.as_ref() == Some(&losses(&balance)) {
            return Ok(());
        }
        desk.outputs.iter_mut().try_for_each(|output| output.end(&balance))
    }
}

/// Options as results have them: numbers as they are, all else as text.
fn asked_for(options: &Options) -> Vec<(&'static str, Cell)> {
    let cell = |value: &Value| match value {
        Value::Count(count) => Cell::Count(*count),
        Value::Text(text) => Cell::Host(escape::bytes(text)),
        Value::Texts(texts) => Cell::Host(escape::bytes(&texts.join(","))),
        Value::Locations(locations) => {
            let texts: Vec<String> = locations.iter().map(ToString::to_string).collect();
            Cell::Host(escape::bytes(&texts.join(",")))
        }
        Value::Flag(flag) => Cell::Host(flag.to_string().into_bytes()),
        Value::Nanos(nanos) => Cell::Host(format!("{}s", Timestamp::from_nanos(*nanos).unix_decimal()).into_bytes()),
        Value::Instant(Instant::At(moment)) => Cell::Host(moment.to_string().into_bytes()),
        Value::Instant(Instant::Word(word)) => Cell::Host(word.as_bytes().to_vec()),
    };
    options.iter().map(|(name, value)| (name, cell(value))).collect()
}

/// One worker.
pub struct Reporter {
    shared: Arc<ReporterShared>,
}

impl Reporter {
    /// A worker.
    pub fn new(shared: Arc<ReporterShared>) -> Self {
        Reporter { shared }
    }
}

impl Transform for Reporter {
    type In = Arc<Closed>;
    type Out = ();

    fn receive(&mut self, closed: Arc<Closed>, outlet: &mut Outlet<()>) -> Result<(), Exit> {
        if let Some(kept) = &self.shared.kept {
            if closed.view.total() == 0 {
                self.shared.miss_all(&closed.balance);
            }
            *kept.lock() = Some(closed);
            return Ok(());
        }
        let result = self.shared.result(closed.look())?;
        self.shared.search(closed.look(), &result)?;
        self.shared.miss(&result);
        if !closed.periodic {
            self.shared.desk.lock().extent = closed.view.extent();
        }
        self.shared.write(&result, Arc::clone(&closed.written))?;
        outlet.count();
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        // In a run over files no result waits for room, so no worker waits here for another's
        // write.
        self.shared.reopen.as_ref()?;
        self.shared.desk.lock().outputs.iter().any(Destination::is_waiting).then_some(TRY_AGAIN)
    }

    fn waited(&mut self) -> Result<(), Exit> {
        let mut desk = self.shared.desk.lock();
        Ok(desk.outputs.iter_mut().try_for_each(Destination::go_on)?)
    }

    fn finish(&mut self, _outlet: &mut Outlet<()>) -> Result<(), Exit> {
        self.waited()?;
        Ok(self.shared.end()?)
    }
}
