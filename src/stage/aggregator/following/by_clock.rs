//! Part of the issuer: results of windows that have not closed, by the clock and at the end of a
//! run that may go on.
//!
//! They are provisional, and move nothing (`windows`). Invariant: a result by the clock has all
//! that was in the files when the clock passed its window; what comes for it later is in the next
//! revision.

use std::sync::Arc;

use super::issuing::{Issuing, ResultKind};
use super::live::ResultTrigger;
use super::windows::LiveWindows;
use crate::actor::Exit;
use crate::error::Result;
use crate::model::Timestamp;
use crate::stage::aggregator::closed::Closed;

/// Which windows were issued by the clock.
#[derive(Debug, Default)]
pub(super) struct ByClock {
    /// The last of them.
    last: Option<i64>,
    /// The next, which waits for what was in the files when the clock passed it.
    asked: Option<i64>,
}

impl ByClock {
    /// Issues the latest window that the clock has passed once all is counted that was there then,
    /// and those before it again for which more has come. LiveWindows that passed while the program
    /// was stopped come when they close. `now` is the time; with `ends`, inputs end by themselves.
    pub fn issue(&mut self, issuing: &mut Issuing<'_>, now: Timestamp, ends: bool) -> Result<(), Exit> {
        let live = issuing.live;
        if live.rules.trigger != ResultTrigger::Clock {
            return Ok(());
        }
        let grid = *live.windows.lock().closer.grid();
        let Some(k) = self.asked else {
            let k = grid.first_ending_after(now).saturating_sub(1);
            if grid.first.is_none_or(|first| first <= k) && self.last.is_none_or(|last| last < k) {
                // Standard input has nothing that could be waited for: what it will give, nobody
                // knows.
                if !ends {
                    live.abreast.ask();
                }
                self.asked = Some(k);
            }
            return Ok(());
        };
        if !live.abreast.is_reached() {
            return Ok(());
        }
        (self.last, self.asked) = (Some(k), None);
        let results = {
            let _gate = live.gate.write();
            let mut windows = live.windows.lock();
            let next = windows.closer.next().unwrap_or(i64::MIN);
            // By their stamps, windows may have closed before the clock has passed them.
            let mut open: Vec<i64> = windows.issued.range(next.min(k)..k).map(|(&k, _)| k).collect();
            open.retain(|k| next <= *k);
            open.extend((next <= k).then_some(k));
            issuing.news(&mut windows, open)?
        };
        results.iter().try_for_each(|closed| issuing.send(closed))
    }
}

impl Issuing<'_> {
    /// At the end of a run that may go on: all windows that hold anything of which more is known
    /// than was issued, so that all that is counted is in results; and as windows move with the
    /// stamps, that of the last records in any case.
    pub(super) fn issue_current(&mut self) -> Result<(), Exit> {
        let (open, current) = {
            let _gate = self.live.gate.write();
            let windows = self.live.windows.lock();
            let Some((lowest, highest)) = self.live.counting.progress.lock().extent() else { return Ok(()) };
            let first = windows.closer.next().unwrap_or_else(|| windows.closer.grid().first_ending_after(lowest));
            let last = windows.closer.grid().first_ending_after(highest);
            let mut tally = self.live.counting.tally.write();
            self.live.counting.hand_over(i64::MIN, &mut tally);
            let current = (self.live.rules.trigger == ResultTrigger::Event && first <= last).then_some(last);
            let open = windows.closer.holding(first, last, &tally).filter(|k| Some(*k) != current);
            (open.collect::<Vec<_>>(), current)
        };
        // One at a time, as there may be many: nothing more is counted.
        for k in open {
            let results = {
                let _gate = self.live.gate.write();
                self.news(&mut self.live.windows.lock(), vec![k])?
            };
            results.iter().try_for_each(|closed| self.send(closed))?;
        }
        let Some(k) = current else { return Ok(()) };
        let closed = {
            let _gate = self.live.gate.write();
            self.result(&mut self.live.windows.lock(), k, ResultKind::Provisional)?
        };
        self.send(&closed)
    }

    /// The results of those of some open windows of which more is known than was issued. To be
    /// called with the gate held alone.
    fn news(&self, windows: &mut LiveWindows, open: Vec<i64>) -> Result<Vec<Arc<Closed>>> {
        let mut results = Vec::new();
        for k in open {
            let issued = windows.issued.get(&k).map(|issued| issued.connections);
            if issued.is_none_or(|issued| issued != self.connections(windows, k)) {
                results.push(self.result(windows, k, ResultKind::Provisional)?);
            }
        }
        Ok(results)
    }
}
