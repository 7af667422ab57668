//! Beside the bucket-aggregator: issues the results of windows where inputs are followed.
//!
//! A result is made with the gate held alone, so that it holds what every input had up to its position; it is sent
//! without the gate, so that an output that is slow or blocked keeps nobody from counting.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::actor::{Exit, LatestOutlet, Stop};
use crate::error::Result;
use crate::model::{Balance, Gap, Issue, Timestamp, Window};
use crate::ops::close::Due;
use crate::source::follow::Records;
use crate::tally::aggregates::Layout;

use super::aggregator::{Closed, Closing, Shared, Then};
use super::by_clock::ByClock;
use super::ending::{Ending, WaitsFor};
use super::live::{Live, Trigger};
use super::standing::Standing;
use super::sweeping::Sweeping;
use super::windows::{Issued, Outstanding, Windows};
use super::{Failures, InputNames};

/// How often is looked whether a window is due.
const TICK: Duration = Duration::from_millis(25);

/// The same while nothing is counted. A batch that comes ends the wait.
const IDLE_TICK: Duration = Duration::from_millis(90);

/// How long nothing was counted, for that.
const IDLE: Duration = Duration::from_millis(500);

/// How long a stream gives nothing before it is taken to have given what was there.
const PAUSE: Duration = Duration::from_secs(2);

/// How often results that late records changed are issued again, at most.
const CHANGES: Duration = Duration::from_secs(1);

/// How long an output that takes nothing is waited for before results that it does not take are dropped for later ones.
const PATIENCE: Duration = Duration::from_millis(500);

/// The same at the end of a run that was asked to end: what comes then comes at once, and is more than an output takes so.
const LAST_PATIENCE: Duration = Duration::from_millis(300);

/// What a keeper works with.
pub struct Keeper {
    /// The aggregator.
    pub shared: Arc<Shared>,
    /// The clock at the start of the run, which goes on by itself from there: steps of the system's clock do not count.
    pub started: (Timestamp, Instant),
    /// Whether the inputs end by themselves: then all windows close with them.
    pub ends: bool,
    /// Whether there is a saver to wait for. Where there is none, the keeper drops what is known of inputs that have ended.
    pub saves: bool,
    /// The first instant that counts.
    pub first: Timestamp,
    /// How long a run that was asked to end may take for that.
    pub stop_timeout: Duration,
    /// The files that are followed.
    pub files: Arc<Records>,
    /// The names of all inputs.
    pub names: Arc<InputNames>,
    /// Results that could not be written are told here.
    pub failures: Arc<Failures>,
    /// The run's stop switch.
    pub stop: Stop,
}

/// How a window is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The window has closed.
    Final,
    /// It goes on.
    Provisional,
}

impl Keeper {
    /// Runs until all is counted and issued.
    pub fn run(self, mut outlet: LatestOutlet<Arc<Closed>>) -> Result<(), Exit> {
        let Closing::Live(live) = &self.shared.closing else { return Ok(()) };
        let mut ending = Ending::new(self.stop_timeout);
        let result = self.keep(live, &mut outlet, &mut ending);
        live.done(|stages| stages.issued = true);
        if let Err(Exit::DownstreamClosed) = &result {
            // Nobody takes results any more, such as behind `head`: nothing more has to be read.
            self.stop.drain();
        }
        self.wait_for_others(live, &mut outlet, &mut ending);
        result
    }

    fn keep(&self, live: &Live, outlet: &mut LatestOutlet<Arc<Closed>>, ending: &mut Ending) -> Result<(), Exit> {
        let mut work = Work {
            keeper: self,
            live,
            outlet,
            clock: ByClock::default(),
            waits: None,
            changes: Instant::now(),
            needed: None,
            kept: None,
            sweeping: Sweeping::default(),
            awaited: live.trigger == Trigger::Event,
        };
        let mut asked = false;
        work.issue_again()?;
        let mut seen = (0, Instant::now());
        while !live.stages().drained {
            if work.awaited && !asked && self.shared.progress.lock().inputs() > 0 {
                asked = true;
                if !self.ends {
                    live.abreast.ask();
                }
            }
            let is_read = work.awaited && asked && self.has_read(live, seen.1);
            work.close_due()?;
            if is_read {
                work.stand();
            }
            work.issue_by_clock()?;
            if work.changes.elapsed() >= CHANGES {
                work.issue_changed()?;
            }
            work.outlet.flush()?;
            work.sweeping.go_on(&self.shared, live);
            if !self.saves {
                for id in self.shared.progress.lock().forgotten() {
                    self.files.forget(id);
                    self.names.forget(id);
                }
            }
            if self.stop.aborted() {
                return Err(Exit::Stopped);
            }
            if ending.is_over(WaitsFor::Counting, &self.stop, &self.failures) {
                self.stop.abort();
            }
            let counted = self.shared.progress.lock().balance().lines_read;
            if counted != seen.0 {
                seen = (counted, Instant::now());
            }
            if seen.1.elapsed() > IDLE { live.doze(IDLE_TICK) } else { live.wait(TICK) }
        }
        work.issue_changed()?;
        if self.ends && !self.stop.draining() {
            self.shared.progress.lock().ends();
        }
        work.close_due()?;
        if !self.ends || self.stop.draining() {
            work.issue_current()?;
        }
        let _gate = live.gate.write();
        let windows = live.windows.lock();
        self.shared.hand_over(i64::MIN, &mut self.shared.tally.write());
        Ok(live.check(&self.shared, &windows)?)
    }

    /// Waits until results are written and the state is saved. Where the run was asked to end, not for ever.
    fn wait_for_others(&self, live: &Live, outlet: &mut LatestOutlet<Arc<Closed>>, ending: &mut Ending) {
        while !self.stop.aborted() {
            let stages = live.stages();
            // An outlet to nobody holds nothing.
            let flushed = outlet.flush().unwrap_or(true);
            let written = flushed && live.windows.lock().all_written();
            let saved = stages.saved || !self.saves;
            if stages.drained && written && saved {
                return;
            }
            let waits_for = match (stages.drained, saved) {
                (false, _) => WaitsFor::Counting,
                (true, false) => WaitsFor::State,
                (true, true) => WaitsFor::Outputs,
            };
            if ending.is_over(waits_for, &self.stop, &self.failures) {
                return self.stop.abort();
            }
            live.wait(TICK);
        }
    }

    /// Whether all is counted that was there at the start. A stream is taken to have given that once it gives no more.
    fn has_read(&self, live: &Live, since: Instant) -> bool {
        if self.ends { since.elapsed() > PAUSE } else { live.abreast.is_reached() }
    }

    /// The wall clock as the run has it.
    pub(super) fn now(&self) -> Timestamp {
        let (time, instant) = self.started;
        time.plus(i64::try_from(instant.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A keeper at work.
pub(super) struct Work<'a> {
    pub keeper: &'a Keeper,
    pub live: &'a Live,
    outlet: &'a mut LatestOutlet<Arc<Closed>>,
    /// The windows that are issued by the clock.
    pub clock: ByClock,
    /// The watermark at which windows were due that wait, as they hold nothing and may be many.
    waits: Option<Timestamp>,
    /// When changes were looked for.
    changes: Instant,
    /// The first bucket that is kept.
    needed: Option<i64>,
    /// The next window when what lies between others was dropped.
    kept: Option<i64>,
    /// What drops the names that are left over.
    sweeping: Sweeping,
    /// Whether neither a result has come yet nor was it said why.
    awaited: bool,
}

impl Work<'_> {
    /// Closes every window that is due, and issues it.
    fn close_due(&mut self) -> Result<(), Exit> {
        let shared = &self.keeper.shared;
        loop {
            let due = |windows: &Windows| {
                let progress = shared.progress.lock();
                let (watermark, extent) = (progress.watermark(), progress.extent());
                Some((windows.closer.due(watermark, extent)?, watermark, extent))
            };
            // A look without the gate, which seldom finds anything.
            let found = due(&self.live.windows.lock());
            if found.is_none_or(|(_, watermark, _)| self.waits == Some(watermark)) {
                break;
            }
            let gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let Some((window, watermark, extent)) = due(&windows) else { break };
            let decided = {
                let mut tally = shared.tally.write();
                shared.hand_over(i64::MIN, &mut tally);
                windows.closer.decide(window, watermark, extent, &tally)
            };
            let closed = match decided {
                Due::Window(window) => self.close(&mut windows, window)?,
                Due::Gap(gap) => self.close_gap(&mut windows, window, gap)?,
                Due::Wait(_) => {
                    self.waits = Some(watermark);
                    break;
                }
            };
            drop((windows, gate));
            closed.map_or(Ok(()), |closed| self.send(&closed))?;
        }
        self.forget()
    }

    /// Closes a window. What is to be sent of it, if anything is.
    fn close(&self, windows: &mut Windows, window: Window) -> Result<Option<Arc<Closed>>> {
        let k = windows.closer.number(window);
        windows.begin(k, self.keeper.shared.progress.lock().watermark());
        let stands = match (self.live.trigger, windows.issued.get(&k).copied()) {
            // What came by the clock stands, unless more has come since.
            (Trigger::Clock, Some(issued)) => issued.connections == self.connections(windows, k),
            _ => false,
        };
        let closed = if stands {
            // The sheets move on even where nothing is sent.
            self.keeper.shared.progress.lock().balance_at(window.end);
            None
        } else {
            Some(self.result(windows, k, Kind::Final)?)
        };
        windows.closer.close(window, 1);
        self.settle(windows)?;
        Ok(closed)
    }

    /// Closes many windows that hold nothing, of which `first` is the first. As `close`, with one result for all.
    fn close_gap(&self, windows: &mut Windows, first: Window, gap: Gap) -> Result<Option<Arc<Closed>>> {
        let run = (windows.closer.number(first), windows.closer.number(gap.window));
        let balance = {
            let mut progress = self.keeper.shared.progress.lock();
            windows.begin(run.0, progress.watermark());
            progress.balance_at(gap.window.end)
        };
        // What came of them by the clock stands: they held nothing then, too.
        let closed = match self.live.trigger {
            Trigger::Event => Some(self.gap_result(windows, run, balance)?),
            Trigger::Clock => None,
        };
        windows.closer.close(gap.window, gap.windows);
        if self.live.grace > 0 {
            windows.gaps.push(run);
        }
        self.settle(windows)?;
        Ok(closed)
    }

    /// The result of many windows that hold nothing, from the first to the last.
    fn gap_result(&self, windows: &mut Windows, run: (i64, i64), balance: Balance) -> Result<Arc<Closed>> {
        let gap = windows.closer.grid().gap(run.0, run.1);
        let layout = windows.closer.layout(windows.closer.grid().window(run.0));
        self.issue(windows, run, &layout, Some(gap), Issue { revision: 0, provisional: false }, balance)
    }

    /// Lets go what is done with, before it is dropped. To be called with the gate held alone.
    fn settle(&self, windows: &mut Windows) -> Result<()> {
        let shared = &self.keeper.shared;
        {
            let mut tally = shared.tally.write();
            shared.hand_over(i64::MIN, &mut tally);
            windows.settle(&tally)?;
        }
        self.live.set_limits(windows);
        self.live.check(shared, windows)
    }

    /// The connections that are counted in window `k`.
    pub(super) fn connections(&self, windows: &Windows, k: i64) -> u64 {
        let mut tally = self.keeper.shared.tally.write();
        self.keeper.shared.hand_over(i64::MIN, &mut tally);
        windows.connections(k, &tally)
    }

    /// The result of window `k` as it is, noted as issued. To be called with the gate held alone.
    pub(super) fn result(&self, windows: &mut Windows, k: i64, kind: Kind) -> Result<Arc<Closed>> {
        let shared = &self.keeper.shared;
        let window = windows.closer.grid().window(k);
        let layout = windows.closer.layout(window);
        let provisional = kind == Kind::Provisional;
        let issue = Issue { revision: windows.next_revision(k), provisional };
        let is_closing = kind == Kind::Final && !windows.has_closed(k);
        let balance = {
            let mut progress = shared.progress.lock();
            if is_closing { progress.balance_at(window.end) } else { progress.balance().clone() }
        };
        let closed = self.issue(windows, (k, k), &layout, None, issue, balance)?;
        windows.issued.insert(k, Issued { revision: issue.revision, connections: closed.view.total() });
        Ok(closed)
    }

    /// A result on its way, of one window or of a run of them that hold nothing.
    fn issue(
        &self,
        windows: &mut Windows,
        run: (i64, i64),
        layout: &Layout,
        gap: Option<Gap>,
        issue: Issue,
        balance: Balance,
    ) -> Result<Arc<Closed>> {
        let shared = &self.keeper.shared;
        let may_change = issue.provisional || self.live.grace > 0;
        let then = if may_change && !self.live.stages().drained { Then::Open } else { Then::Closed };
        let view = shared.view(&mut shared.tally.write(), layout, then)?;
        let issued = Issued { revision: issue.revision, connections: view.total() };
        let sequence = windows.sequence(run.0);
        let (issue, balance, written) = (Some(issue), shared.with_overflow(balance), Arc::default());
        let periodic = true;
        let closed = Arc::new(Closed { sequence, periodic, gap, issue, view, balance, written: Arc::clone(&written) });
        windows.outstanding.push(Outstanding { k: run, issued, closed: Arc::downgrade(&closed), written });
        Ok(closed)
    }

    /// Issues again what may not have been written before the state was saved.
    fn issue_again(&mut self) -> Result<(), Exit> {
        loop {
            let gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let Some((k, last)) = windows.again.first().copied() else { return Ok(()) };
            let kind = if windows.has_closed(k) { Kind::Final } else { Kind::Provisional };
            let closed = if k < last {
                let balance = self.keeper.shared.progress.lock().balance().clone();
                self.gap_result(&mut windows, (k, last), balance)?
            } else {
                self.result(&mut windows, k, kind)?
            };
            windows.again.remove(0);
            self.settle(&mut windows)?;
            drop((windows, gate));
            self.send(&closed)?;
        }
    }

    /// Issues the results again that records have changed that came late.
    fn issue_changed(&mut self) -> Result<(), Exit> {
        self.changes = Instant::now();
        if self.live.grace == 0 || !self.live.changed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let mut changed = Vec::new();
        {
            let _gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let next = windows.closer.next().unwrap_or(i64::MIN);
            for k in self.changed_before(&windows, next) {
                changed.push(self.result(&mut windows, k, Kind::Final)?);
            }
        }
        changed.into_iter().try_for_each(|closed| self.send(&closed))
    }

    /// Drops what no result needs any more.
    fn forget(&mut self) -> Result<(), Exit> {
        if self.live.grace > 0 {
            self.expire()?;
        }
        let shared = &self.keeper.shared;
        let needed = {
            let mut windows = self.live.windows.lock();
            windows.lowest().map(|k| windows.closer.first_needed(k))
        };
        if needed > self.needed {
            self.needed = needed;
            shared.forget_before(&mut shared.tally.write(), needed.unwrap_or(i64::MIN));
        }
        let (next, kept) = {
            let windows = self.live.windows.lock();
            (windows.closer.next(), windows.kept())
        };
        // With more than one run, results are on their way; what lies between them and the open windows goes.
        if kept.len() > 1 && next != self.kept {
            self.kept = next;
            shared.tally.write().keep_only(&kept);
        }
        Ok(())
    }

    /// The windows before `k` that were issued and hold something else now.
    fn changed_before(&self, windows: &Windows, k: i64) -> Vec<i64> {
        let mut tally = self.keeper.shared.tally.write();
        self.keeper.shared.hand_over(i64::MIN, &mut tally);
        windows.changed_before(k, &tally)
    }

    /// Forgets the results that are too old to be issued again; what has changed since the last look is issued before.
    fn expire(&mut self) -> Result<(), Exit> {
        let watermark = self.keeper.shared.progress.lock().watermark();
        let kept = |windows: &Windows| {
            let kept = windows.closer.next()?.min(windows.changeable(watermark));
            (windows.oldest_issued()? < kept).then_some(kept)
        };
        if kept(&self.live.windows.lock()).is_none() {
            return Ok(());
        }
        let mut changed = Vec::new();
        {
            let _gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let Some(kept) = kept(&windows) else { return Ok(()) };
            for k in self.changed_before(&windows, kept) {
                changed.push(self.result(&mut windows, k, Kind::Final)?);
            }
            windows.release(kept, &self.keeper.shared.tally.read())?;
            self.settle(&mut windows)?;
        }
        changed.into_iter().try_for_each(|closed| self.send(&closed))
    }

    /// Notes where the run stands, as no result has come.
    fn stand(&mut self) {
        if std::mem::take(&mut self.awaited) {
            let (windows, progress) = (self.live.windows.lock(), self.keeper.shared.progress.lock());
            let standing = Standing::of(&progress, &windows.closer, &self.keeper.shared.before, self.keeper.first);
            *self.live.standing.lock() = Some(standing);
        }
    }

    pub(super) fn send(&mut self, closed: &Arc<Closed>) -> Result<(), Exit> {
        self.awaited = false;
        let patience = if self.keeper.stop.draining() { LAST_PATIENCE } else { PATIENCE };
        let dropped = self.outlet.send(closed, patience)?;
        if dropped > 0 {
            self.live.windows.lock().give_up();
            self.keeper.shared.progress.lock().results_dropped(dropped);
        }
        Ok(())
    }
}
