//! Beside the bucket-aggregator: has the results of windows issued where inputs are followed, each
//! when it is due.
//!
//! Not here: how a result is made and sent (`issuing`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::by_clock::ByClock;
use super::ending::{Ending, WaitsFor};
use super::issuing::Issuing;
use super::live::LiveCounting;
use super::standing::Standing;
use super::sweeping::Sweeping;
use crate::actor::{Exit, LatestOutlet, Stop};
use crate::model::Timestamp;
use crate::source::follow::FileRecords;
use crate::stage::aggregator::closed::Closed;
use crate::stage::{Failures, InputNotes};

/// How often to look whether a window is due.
const TICK: Duration = Duration::from_millis(25);

/// The same while nothing is counted. A batch that comes ends the wait.
const IDLE_TICK: Duration = Duration::from_millis(90);

/// How long nothing has to be counted, for that.
const IDLE: Duration = Duration::from_millis(500);

/// How long a stream gives nothing before it is taken to have given everything that was there.
const PAUSE: Duration = Duration::from_secs(2);

/// What an issuer works with.
pub struct Issuer {
    /// The aggregator.
    pub live: Arc<LiveCounting>,
    /// The clock at the start of the run, which goes on by itself from there: steps of the system's
    /// clock do not count.
    pub started: (Timestamp, Instant),
    /// Whether the inputs end by themselves: then all windows close with them.
    pub ends: bool,
    /// Whether there is a saver to wait for. Where there is none, the issuer drops what is known of
    /// inputs that have ended.
    pub saves: bool,
    /// The first instant that counts.
    pub first: Timestamp,
    /// How long a run that was asked to end may take to count and save.
    pub stop_timeout: Duration,
    /// The files that are followed.
    pub files: Arc<FileRecords>,
    /// What is noted of inputs by their numbers.
    pub notes: InputNotes,
    /// Results that could not be written are told here.
    pub failures: Arc<Failures>,
    /// The run's stop switch.
    pub stop: Stop,
}

impl Issuer {
    /// Runs until all is counted and issued.
    pub fn run(self, mut outlet: LatestOutlet<Arc<Closed>>) -> Result<(), Exit> {
        let live = &self.live;
        let mut ending = Ending::new(self.stop_timeout);
        let result = self.keep(&mut outlet, &mut ending);
        live.done(|stages| stages.issued = true);
        if let Err(Exit::DownstreamClosed) = &result {
            // Nobody takes results any more, as behind `head`, so nothing more has to be read.
            self.stop.drain();
        }
        self.wait_for_others(&mut outlet, &mut ending);
        result
    }

    fn keep(&self, outlet: &mut LatestOutlet<Arc<Closed>>, ending: &mut Ending) -> Result<(), Exit> {
        let live = &*self.live;
        let mut issuing = Issuing::new(live, &self.stop, outlet);
        let (mut clock, mut sweeping) = (ByClock::default(), Sweeping::default());
        let mut asked = false;
        issuing.issue_again()?;
        let mut seen = (0, Instant::now());
        while !live.stages().drained {
            if issuing.awaited && !asked && live.counting.progress.lock().inputs() > 0 {
                asked = true;
                if !self.ends {
                    live.abreast.ask();
                }
            }
            let is_read = issuing.awaited && asked && self.has_read(seen.1);
            issuing.close_due()?;
            if is_read {
                self.stand(&mut issuing);
            }
            clock.issue(&mut issuing, self.now(), self.ends)?;
            if issuing.wants_changes() {
                issuing.issue_changed()?;
            }
            issuing.flush()?;
            sweeping.go_on(live);
            if !self.saves {
                for id in live.counting.progress.lock().forgotten() {
                    self.files.forget(id);
                    self.notes.forget(id);
                }
            }
            if self.stop.aborted() {
                return Err(Exit::Stopped);
            }
            if ending.is_over(WaitsFor::Counting, &self.stop, &self.failures) {
                self.stop.abort();
            }
            let counted = live.counting.progress.lock().balance().lines_read;
            if counted != seen.0 {
                seen = (counted, Instant::now());
            }
            if seen.1.elapsed() > IDLE { live.doze(IDLE_TICK) } else { live.wait(TICK) }
        }
        issuing.issue_changed()?;
        if self.ends && !self.stop.draining() {
            live.counting.progress.lock().ends();
        }
        issuing.close_due()?;
        if !self.ends || self.stop.draining() {
            issuing.issue_current()?;
        }
        let _gate = live.gate.write();
        let windows = live.windows.lock();
        live.counting.hand_over(i64::MIN, &mut live.counting.tally.write());
        Ok(live.check(&windows)?)
    }

    /// Waits until results are written and the state is saved. Where the run was asked to end, not
    /// for ever.
    fn wait_for_others(&self, outlet: &mut LatestOutlet<Arc<Closed>>, ending: &mut Ending) {
        let live = &*self.live;
        while !self.stop.aborted() {
            let stages = live.stages();
            // An outlet to nobody holds nothing.
            let flushed = outlet.flush().unwrap_or(true);
            let left = live.windows.lock().unwritten();
            let written = flushed && left == 0;
            let saved = stages.saved || !self.saves;
            if stages.drained && written && saved {
                return;
            }
            let waits_for = match (stages.drained, saved) {
                (false, _) => WaitsFor::Counting,
                (true, false) => WaitsFor::State,
                (true, true) => WaitsFor::Outputs(left),
            };
            if ending.is_over(waits_for, &self.stop, &self.failures) {
                return self.stop.abort();
            }
            live.wait(TICK);
        }
    }

    /// Whether all is counted that was there at the start. A stream is taken to have given that
    /// once it gives no more.
    fn has_read(&self, since: Instant) -> bool {
        if self.ends { since.elapsed() > PAUSE } else { self.live.abreast.is_reached() }
    }

    /// Notes where the run stands, if no result has come.
    fn stand(&self, issuing: &mut Issuing<'_>) {
        if std::mem::take(&mut issuing.awaited) {
            let live = &*self.live;
            let (windows, progress) = (live.windows.lock(), live.counting.progress.lock());
            let standing = Standing::of(&progress, &windows.closer, &live.counting.before, self.first);
            *live.standing.lock() = Some(standing);
        }
    }

    /// The wall clock as the run has it.
    fn now(&self) -> Timestamp {
        let (time, instant) = self.started;
        time.plus(i64::try_from(instant.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}
