//! Beside the bucket-aggregator: what it has in addition where inputs are followed.
//!
//! A worker holds the gate shared while it counts a batch and notes its span. Whoever needs counts
//! and positions to agree holds it alone: the issuer for a result, the saver for the moment in
//! which it sets tables aside. Batches reach the tally in the order of their input, so nothing is
//! counted beyond a position.
//!
//! A record may be late in two ways. By its own input's stamps it is late or not, as in a file. If
//! an idle input was not waited for, its records are also late if any of their windows has closed
//! for good.
//!
//! Workers count, an issuer issues results (`issuer`) of windows (`windows`), a saver saves
//! (`saver`). Invariant: who holds the gate alone sees counts and positions that agree: each input
//! is counted up to its position and not beyond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::batch::{Record, Records};
use crate::error::Result;
use crate::model::{Grid, InputId, Loss, Peaks, Timestamp, Traces};
use crate::ops::sequence::{BatchPlace, Sequencer};
use crate::output::rejects::{RejectsFile, late_line};

use super::standing::Standing;
use super::windows::LiveWindows;
use crate::actor::{Exit, Outlet, Transform};
use crate::stage::abreast::Abreast;
use crate::stage::aggregator::closed::Closed;
use crate::stage::aggregator::counting::Counting;

/// The number of standard input, if it is read; files that are followed have others.
const STDIN: InputId = InputId(0);

/// When results come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultTrigger {
    /// When the watermark has passed a window's end.
    Event,
    /// When the clock has passed it.
    Clock,
}

/// What workers, issuer and saver of an aggregator share.
pub struct LiveCounting {
    /// What is counted.
    pub(super) counting: Arc<Counting>,
    /// Held shared by each worker while it counts a batch, and alone where counts and positions
    /// have to agree.
    pub(super) gate: RwLock<()>,
    /// Batches reach the tally in the order of their input, so that there is nothing beyond a
    /// position.
    order: Mutex<Sequencer<Arc<Records>>>,
    /// The windows and what was issued of them.
    pub(super) windows: Mutex<LiveWindows>,
    lateness: Lateness,
    pub(super) rules: ResultRules,
    /// How far what is in the files is counted.
    pub(super) abreast: Arc<Abreast>,
    /// Set when a record is counted into a window whose result was issued.
    pub(super) changed: AtomicBool,
    /// Batches that are half counted. If it is above 0 and nobody is at work, a worker has failed
    /// in the middle.
    counting_now: AtomicUsize,
    signals: Signals,
    /// What there was to say once all was counted that was there, if no result had come.
    pub(super) standing: Mutex<Option<Standing>>,
    setting_aside: SettingAside,
}

/// When results come, and come again.
pub(super) struct ResultRules {
    pub trigger: ResultTrigger,
    /// How long results are kept to be issued again, in nanoseconds.
    pub grace: i64,
}

/// What comes too late, and where its lines go.
struct Lateness {
    grid: Grid,
    limits: RwLock<Limits>,
    /// Where lines go that come too late for their windows.
    file: Option<Arc<RejectsFile>>,
}

/// What is done, and who waits for that.
#[derive(Default)]
struct Signals {
    stages: Mutex<Stages>,
    moved: Condvar,
    /// Whether the issuer waits for a batch to be counted, and has to be told.
    dozes: AtomicBool,
}

/// What is set aside while others count.
#[derive(Default)]
struct SettingAside {
    /// The longest time for which counting stood still to set aside what is saved, or to drop
    /// names, in nanoseconds.
    stalled: AtomicU64,
    /// Whether names and pairs are on their way to a saved state.
    saving: AtomicBool,
}

/// Which parts of the stage are done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stages {
    /// All batches are counted, and no more will come.
    pub drained: bool,
    /// All results are issued.
    pub issued: bool,
    /// The last state is saved, or never will be.
    pub saved: bool,
}

/// What stamps mean for records that come behind others.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// A window that holds a stamp below it has closed for good.
    floor: Timestamp,
    /// A window that holds a stamp below it was closed.
    closed: Timestamp,
}

impl LiveCounting {
    /// For these windows, of which nothing has closed, or what is saved of them.
    pub fn new(
        counting: Arc<Counting>,
        windows: LiveWindows,
        trigger: ResultTrigger,
        abreast: Arc<Abreast>,
        late: Option<Arc<RejectsFile>>,
    ) -> Arc<Self> {
        let (grid, grace) = (*windows.closer.grid(), windows.grace());
        let limits = Limits { floor: Timestamp::MIN, closed: Timestamp::MIN };
        let live = LiveCounting {
            counting,
            gate: RwLock::new(()),
            order: Mutex::default(),
            windows: Mutex::new(windows),
            lateness: Lateness { grid, limits: RwLock::new(limits), file: late },
            rules: ResultRules { trigger, grace },
            abreast,
            // A saved state may have been set aside before what has changed was issued again.
            changed: AtomicBool::new(true),
            counting_now: AtomicUsize::new(0),
            signals: Signals::default(),
            standing: Mutex::default(),
            setting_aside: SettingAside::default(),
        };
        live.set_limits(&live.windows.lock());
        Arc::new(live)
    }

    /// Says which stamps are late from now on. To be called with the gate held alone.
    pub(super) fn set_limits(&self, windows: &LiveWindows) {
        let (Some(open), Some(next)) = (windows.open(), windows.closer.next()) else { return };
        let grid = self.lateness.grid;
        // Where windows overlap, the one before still holds stamps of the first that is open: its
        // result stays as it is.
        let floor = grid.window(open.saturating_sub(1)).end;
        *self.lateness.limits.write() = Limits { floor, closed: grid.window(next - 1).end };
    }

    /// Counts a batch, and those that waited for it, once all before it in its input are counted.
    pub(super) fn receive(&self, worker: usize, batch: Arc<Records>) -> Result<()> {
        let _gate = self.gate.read();
        let ready = self.order.lock().arrive(BatchPlace::of(&batch.chunk), Peaks::default(), batch);
        for (_, batch) in ready {
            self.counting_now.fetch_add(1, Ordering::Relaxed);
            self.count(worker, &batch)?;
            self.counting_now.fetch_sub(1, Ordering::Relaxed);
            if batch.chunk.span.input != STDIN {
                self.abreast.count();
            }
        }
        if self.signals.dozes.swap(false, Ordering::Relaxed) {
            self.signals.moved.notify_all();
        }
        Ok(())
    }

    fn count(&self, worker: usize, batch: &Records) -> Result<()> {
        let limits = *self.lateness.limits.read();
        let lowest = batch.records.iter().map(|record| record.time).min();
        // Only an input that was idle, and left the watermark, gives records whose windows have
        // closed.
        let behind = lowest.is_some_and(|lowest| lowest < limits.floor);
        let (mut late, mut traces) = (0, Traces::default());
        if behind {
            let in_time: Vec<Record> =
                batch.records.iter().filter(|record| record.time >= limits.floor).copied().collect();
            let behind = batch.records.iter().filter(|record| record.time < limits.floor);
            let behind: Vec<&Record> = behind.filter(|record| self.lateness.grid.covers(record.time)).collect();
            self.keep_late(batch, &behind);
            late = behind.len() as u64;
            if let Some(first) = behind.first() {
                traces.note(Loss::Late, batch.place_of(first));
                traces.after_idle = late;
            }
            self.counting.count(worker, &in_time, batch)?;
        } else {
            self.counting.count(worker, &batch.records, batch)?;
        }
        if lowest.is_some_and(|lowest| lowest < limits.closed) {
            self.changed.store(true, Ordering::Relaxed);
        }
        let mut progress = self.counting.progress.lock();
        progress.applied(batch)?;
        progress.came_late(batch.chunk.span.input, late);
        progress.note(&traces);
        Ok(())
    }

    /// Writes the lines of late records where they are wanted.
    fn keep_late(&self, batch: &Records, late: &[&Record]) {
        let Some(file) = self.lateness.file.as_ref().filter(|_| !late.is_empty()) else { return };
        let mut block = Vec::new();
        for record in late {
            let (start, end) = batch.line_of(record);
            late_line(&mut block, &batch.chunk.bytes[start..end]);
        }
        file.append((batch.chunk.span.input, batch.chunk.span.from), &block);
    }

    /// The longest time for which counting stood still for a state to be saved, or for names to be
    /// dropped.
    pub fn longest_stall(&self) -> Duration {
        Duration::from_nanos(self.setting_aside.stalled.load(Ordering::Relaxed))
    }

    /// Where the run stands, if it has no result of what was there.
    pub fn standing(&self) -> Option<Standing> {
        *self.standing.lock()
    }

    /// Whether names and pairs are on their way to a saved state.
    pub(super) fn is_saving(&self) -> bool {
        self.setting_aside.saving.load(Ordering::Relaxed)
    }

    /// Notes whether they are.
    pub(super) fn set_saving(&self, saving: bool) {
        self.setting_aside.saving.store(saving, Ordering::Relaxed);
    }

    /// Notes a time for which counting stood still.
    pub(super) fn stalled_for(&self, time: Duration) {
        self.setting_aside.stalled.fetch_max(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Errors unless all that is counted is done with or there. To be called with the gate held
    /// alone, once workers have handed over what they have counted.
    pub(super) fn check(&self, windows: &LiveWindows) -> Result<()> {
        if !self.is_consistent() {
            // A worker has failed in the middle, which ends the run.
            return Ok(());
        }
        let counted = self.counting.progress.lock().balance().counted;
        let connections = counted.saturating_add(self.counting.measures.total().more);
        windows.check(&self.counting.tally.read(), connections)
    }

    /// Whether counts and positions agree, now that nobody counts.
    pub(super) fn is_consistent(&self) -> bool {
        self.counting_now.load(Ordering::Relaxed) == 0
    }

    /// What is done.
    pub(super) fn stages(&self) -> Stages {
        *self.signals.stages.lock()
    }

    /// Notes what is done.
    pub(super) fn done(&self, note: impl FnOnce(&mut Stages)) {
        note(&mut self.signals.stages.lock());
        self.signals.moved.notify_all();
    }

    /// As `wait`, or until a batch is counted. One that is counted at the same moment may be
    /// noticed only after that time.
    pub(super) fn doze(&self, time: Duration) {
        self.signals.dozes.store(true, Ordering::Relaxed);
        self.wait(time);
        self.signals.dozes.store(false, Ordering::Relaxed);
    }

    /// Waits this long, or until something more is done.
    pub(super) fn wait(&self, time: Duration) {
        let mut stages = self.signals.stages.lock();
        self.signals.moved.wait_for(&mut stages, time);
    }
}

/// One worker. Results do not come from it.
pub struct LiveWorker {
    live: Arc<LiveCounting>,
    number: usize,
}

impl LiveWorker {
    /// The next worker.
    pub fn new(live: Arc<LiveCounting>) -> Self {
        let number = live.counting.worker();
        LiveWorker { live, number }
    }
}

impl Transform for LiveWorker {
    type In = Arc<Records>;
    type Out = Arc<Closed>;

    fn receive(&mut self, batch: Arc<Records>, _outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        Ok(self.live.receive(self.number, batch)?)
    }

    fn finish(&mut self, _outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        self.live.done(|stages| stages.drained = true);
        Ok(())
    }
}
