//! Makes the results of windows where inputs are followed, and sends them.
//!
//! A result is made with the gate held alone, so that it holds what every input had up to its
//! position; it is sent without the gate, so that an output that is slow or blocked keeps nobody
//! from counting.
//!
//! A result is issued before the state says so. Results that are not written when a state is saved
//! are listed in it, and come again under the same revision.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::live::{LiveCounting, ResultTrigger};
use super::windows::{LiveWindows, Outstanding};
use crate::actor::{Exit, LatestOutlet, Stop};
use crate::error::Result;
use crate::model::{Balance, Gap, Issue, Timestamp, Window};
use crate::ops::close::Due;
use crate::snapshot::Issued;
use crate::stage::aggregator::closed::Closed;
use crate::stage::aggregator::counting::Then;
use crate::tally::aggregates::Layout;

/// The shortest time between two rounds in which results that late records changed are issued
/// again.
const CHANGES: Duration = Duration::from_secs(1);

/// How long an output that takes nothing is waited for before results that it does not take are
/// dropped for later ones.
const PATIENCE: Duration = Duration::from_millis(500);

/// The same at the end of a run that was asked to end: what comes then comes at once, and is more
/// than an output takes so.
const LAST_PATIENCE: Duration = Duration::from_millis(300);

/// How a window is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultKind {
    /// The window has closed.
    Final,
    /// It goes on.
    Provisional,
}

/// What a result says beside what is counted.
struct ToIssue {
    /// Its windows, the first and the last.
    run: (i64, i64),
    /// Those windows, if they are many that hold nothing.
    gap: Option<Gap>,
    issue: Issue,
    /// The sheet at their end.
    balance: Balance,
}

/// Who makes results and sends them.
pub(super) struct Issuing<'a> {
    pub live: &'a LiveCounting,
    /// The run's stop switch.
    pub stop: &'a Stop,
    outlet: &'a mut LatestOutlet<Arc<Closed>>,
    /// The watermark at which windows were due that wait, as they hold nothing and may be many.
    waits: Option<Timestamp>,
    /// When changes were looked for.
    changes: Instant,
    /// The first bucket that is kept.
    needed: Option<i64>,
    /// The next window when what lies between others was dropped.
    kept: Option<i64>,
    /// Whether no result has come yet, and it has not been said why.
    pub awaited: bool,
}

impl<'a> Issuing<'a> {
    /// Nothing is issued yet.
    pub fn new(live: &'a LiveCounting, stop: &'a Stop, outlet: &'a mut LatestOutlet<Arc<Closed>>) -> Self {
        let (changes, awaited) = (Instant::now(), live.rules.trigger == ResultTrigger::Event);
        Issuing { live, stop, outlet, waits: None, changes, needed: None, kept: None, awaited }
    }

    /// Closes every window that is due, and issues it.
    pub fn close_due(&mut self) -> Result<(), Exit> {
        let counting = &self.live.counting;
        loop {
            let due = |windows: &LiveWindows| {
                let progress = counting.progress.lock();
                let (watermark, extent) = (progress.watermark(), progress.extent());
                Some((windows.closer.due(watermark, extent)?, watermark, extent))
            };
            // A look without the gate first, since there is seldom anything to close.
            let found = due(&self.live.windows.lock());
            if found.is_none_or(|(_, watermark, _)| self.waits == Some(watermark)) {
                break;
            }
            let gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let Some((window, watermark, extent)) = due(&windows) else { break };
            let decided = {
                let mut tally = counting.tally.write();
                counting.hand_over(i64::MIN, &mut tally);
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

    /// Closes a window. Gives what is to be sent of it, if anything is.
    fn close(&self, windows: &mut LiveWindows, window: Window) -> Result<Option<Arc<Closed>>> {
        let k = windows.closer.number(window);
        windows.begin(k, self.live.counting.progress.lock().watermark());
        let stands = match (self.live.rules.trigger, windows.issued.get(&k).copied()) {
            // A result by the clock stands, unless more has come since.
            (ResultTrigger::Clock, Some(issued)) => issued.connections == self.connections(windows, k),
            _ => false,
        };
        let closed = if stands {
            // The sheets move on even where nothing is sent.
            self.live.counting.progress.lock().balance_at(window.end);
            None
        } else {
            Some(self.result(windows, k, ResultKind::Final)?)
        };
        windows.closer.close(window, 1);
        self.settle(windows)?;
        Ok(closed)
    }

    /// Closes many windows that hold nothing, of which `first` is the first. As `close`, with one
    /// result for all.
    fn close_gap(&self, windows: &mut LiveWindows, first: Window, gap: Gap) -> Result<Option<Arc<Closed>>> {
        let run = (windows.closer.number(first), windows.closer.number(gap.window));
        let balance = {
            let mut progress = self.live.counting.progress.lock();
            windows.begin(run.0, progress.watermark());
            progress.balance_at(gap.window.end)
        };
        // What came of them by the clock stands: they held nothing then, too.
        let closed = match self.live.rules.trigger {
            ResultTrigger::Event => Some(self.gap_result(windows, run, balance)?),
            ResultTrigger::Clock => None,
        };
        windows.closer.close(gap.window, gap.windows);
        if self.live.rules.grace > 0 {
            windows.gaps.push(run);
        }
        self.settle(windows)?;
        Ok(closed)
    }

    /// The result of many windows that hold nothing, from the first to the last.
    fn gap_result(&self, windows: &mut LiveWindows, run: (i64, i64), balance: Balance) -> Result<Arc<Closed>> {
        let gap = windows.closer.grid().gap(run.0, run.1);
        let layout = windows.closer.layout(windows.closer.grid().window(run.0));
        let issue = Issue { revision: 0, provisional: false };
        self.issue(windows, &layout, ToIssue { run, gap: Some(gap), issue, balance })
    }

    /// Settles what is done with, before it is dropped. To be called with the gate held alone.
    fn settle(&self, windows: &mut LiveWindows) -> Result<()> {
        let counting = &self.live.counting;
        {
            let mut tally = counting.tally.write();
            counting.hand_over(i64::MIN, &mut tally);
            windows.settle(&tally)?;
        }
        self.live.set_limits(windows);
        self.live.check(windows)
    }

    /// The connections that are counted in window `k`.
    pub(super) fn connections(&self, windows: &LiveWindows, k: i64) -> u64 {
        let mut tally = self.live.counting.tally.write();
        self.live.counting.hand_over(i64::MIN, &mut tally);
        windows.connections(k, &tally)
    }

    /// The result of window `k` as it is, noted as issued. To be called with the gate held alone.
    pub(super) fn result(&self, windows: &mut LiveWindows, k: i64, kind: ResultKind) -> Result<Arc<Closed>> {
        let counting = &self.live.counting;
        let window = windows.closer.grid().window(k);
        let layout = windows.closer.layout(window);
        let provisional = kind == ResultKind::Provisional;
        let issue = Issue { revision: windows.next_revision(k), provisional };
        let is_closing = kind == ResultKind::Final && !windows.has_closed(k);
        let balance = {
            let mut progress = counting.progress.lock();
            if is_closing { progress.balance_at(window.end) } else { progress.balance().clone() }
        };
        let closed = self.issue(windows, &layout, ToIssue { run: (k, k), gap: None, issue, balance })?;
        windows.issued.insert(k, Issued { revision: issue.revision, connections: closed.view.total() });
        Ok(closed)
    }

    /// A result on its way, of one window or of a run of them that hold nothing.
    fn issue(&self, windows: &mut LiveWindows, layout: &Layout, result: ToIssue) -> Result<Arc<Closed>> {
        let ToIssue { run, gap, issue, balance } = result;
        let counting = &self.live.counting;
        let may_change = issue.provisional || self.live.rules.grace > 0;
        let then = if may_change && !self.live.stages().drained { Then::Open } else { Then::Closed };
        let view = counting.view(&mut counting.tally.write(), layout, then)?;
        let issued = Issued { revision: issue.revision, connections: view.total() };
        let sequence = windows.sequence(run.0);
        let (issue, balance, written) = (Some(issue), counting.with_overflow(balance), Arc::default());
        let periodic = true;
        let closed = Arc::new(Closed { sequence, periodic, gap, issue, view, balance, written: Arc::clone(&written) });
        windows.outstanding.push(Outstanding { k: run, issued, closed: Arc::downgrade(&closed), written });
        Ok(closed)
    }

    /// Issues again what may not have been written before the state was saved.
    pub fn issue_again(&mut self) -> Result<(), Exit> {
        loop {
            let gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let Some((k, last)) = windows.again.first().copied() else { return Ok(()) };
            let kind = if windows.has_closed(k) { ResultKind::Final } else { ResultKind::Provisional };
            let closed = if k < last {
                let balance = self.live.counting.progress.lock().balance().clone();
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
    pub fn issue_changed(&mut self) -> Result<(), Exit> {
        self.changes = Instant::now();
        if self.live.rules.grace == 0 || !self.live.changed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let mut changed = Vec::new();
        {
            let _gate = self.live.gate.write();
            let mut windows = self.live.windows.lock();
            let next = windows.closer.next().unwrap_or(i64::MIN);
            for k in self.changed_before(&windows, next) {
                changed.push(self.result(&mut windows, k, ResultKind::Final)?);
            }
        }
        changed.into_iter().try_for_each(|closed| self.send(&closed))
    }

    /// Drops what no result needs any more.
    fn forget(&mut self) -> Result<(), Exit> {
        if self.live.rules.grace > 0 {
            self.expire()?;
        }
        let counting = &self.live.counting;
        let needed = {
            let mut windows = self.live.windows.lock();
            windows.lowest().map(|k| windows.closer.first_needed(k))
        };
        if needed > self.needed {
            self.needed = needed;
            counting.forget_before(&mut counting.tally.write(), needed.unwrap_or(i64::MIN));
        }
        let (next, kept) = {
            let windows = self.live.windows.lock();
            (windows.closer.next(), windows.kept())
        };
        // With more than one run, results are on their way; what lies between them and the open
        // windows goes.
        if kept.len() > 1 && next != self.kept {
            self.kept = next;
            counting.tally.write().keep_only(&kept);
        }
        Ok(())
    }

    /// The windows before `k` that were issued and hold something else now.
    fn changed_before(&self, windows: &LiveWindows, k: i64) -> Vec<i64> {
        let mut tally = self.live.counting.tally.write();
        self.live.counting.hand_over(i64::MIN, &mut tally);
        windows.changed_before(k, &tally)
    }

    /// Forgets the results that are too old to be issued again; what has changed since the last
    /// look is issued before.
    fn expire(&mut self) -> Result<(), Exit> {
        let watermark = self.live.counting.progress.lock().watermark();
        let kept = |windows: &LiveWindows| {
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
                changed.push(self.result(&mut windows, k, ResultKind::Final)?);
            }
            windows.release(kept, &self.live.counting.tally.read())?;
            self.settle(&mut windows)?;
        }
        changed.into_iter().try_for_each(|closed| self.send(&closed))
    }

    /// Sends what is held, as far as it is taken.
    pub fn flush(&mut self) -> Result<bool, Exit> {
        self.outlet.flush()
    }

    /// Whether changes have not been looked for for a while.
    pub fn wants_changes(&self) -> bool {
        self.changes.elapsed() >= CHANGES
    }

    pub(super) fn send(&mut self, closed: &Arc<Closed>) -> Result<(), Exit> {
        self.awaited = false;
        let patience = if self.stop.draining() { LAST_PATIENCE } else { PATIENCE };
        let dropped = self.outlet.send(closed, patience)?;
        if dropped > 0 {
            self.live.windows.lock().give_up();
            self.live.counting.progress.lock().results_dropped(dropped);
        }
        Ok(())
    }
}
