//! Beside the bucket-aggregator: saves what is counted together with how far each input is counted.
//!
//! With the gate held alone, tables are set aside and positions noted; all that is large is written
//! afterwards, while counting goes on into second tables (`tally/shard.rs`). Invariant: what is
//! saved is what was counted at one instant.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::actor::{Exit, Stop};
use crate::codec::Encoder;
use crate::error::Result;
use crate::model::{Grid, InputId, Timestamp};
use crate::ops::progress::ProgressRecord;
use crate::snapshot::store::Store;
use crate::snapshot::{Delays, SavedCounts, SavedMeasures, Snapshot};
use crate::source::follow::{FileRecord, FileRecords};
use crate::tally::HostId;
use crate::tally::pairs::PairTable;
use crate::tally::pane::Pane;

use super::live::LiveCounting;
use super::trouble::Trouble;
use crate::stage::aggregator::counting::Counting;
use crate::stage::{Failures, InputNotes};

/// How often to look whether the last results of a run that ends are written.
const TICK: Duration = Duration::from_millis(25);

/// How often to look, before that, whether a state is due and whether the run was aborted. The end
/// of the run is notified.
const IDLE_TICK: Duration = Duration::from_millis(200);

/// The first state is saved so long after the start, and the next ones after twice as long each, up
/// to the interval, so that a run that is killed again and again makes progress, even where a busy
/// machine gives it little time.
const FIRST: Duration = Duration::from_millis(50);

/// How long the last results of a run that was asked to end are waited for.
const LAST_RESULTS: Duration = Duration::from_millis(300);

/// Between two savings lies this many times what the last one took. On a busy machine that may be
/// mostly waiting.
const SHARE: u32 = 3;

/// Names that are copied at a time, so that nobody who meets a new one waits for long.
const NAMES: usize = 1024;

/// What a saver works with.
pub struct Saver {
    /// The aggregator.
    pub live: Arc<LiveCounting>,
    /// Where states are kept.
    pub store: Store,
    /// What they depend on.
    pub fingerprint: String,
    /// How late records and results may come.
    pub delays: Delays,
    /// Time between two savings.
    pub interval: Duration,
    /// Where the windows lie.
    pub grid: Grid,
    /// The first instant that is kept, and the first that counts.
    pub bounds: (Timestamp, Timestamp),
    /// The files that are followed.
    pub files: Arc<FileRecords>,
    /// What is noted of the inputs.
    pub notes: InputNotes,
    /// Failures are told here.
    pub failures: Arc<Failures>,
    /// The run's stop switch.
    pub stop: Stop,
    /// Why the last state was not saved, if it was not.
    pub trouble: Trouble,
}

/// What was set aside, and what of the rest there is to save.
struct SetAside {
    snapshot: Snapshot,
    panes: Vec<(Arc<Pane>, Vec<Arc<PairTable>>)>,
}

impl Saver {
    /// Saves every so often, and once more when all is issued.
    pub fn run(mut self) -> Result<(), Exit> {
        let live = Arc::clone(&self.live);
        let mut pause = FIRST.min(self.interval);
        let (mut due, mut last) = (Instant::now() + pause, None);
        let mut last_results = None;
        loop {
            let ends = live.stages().issued && live.stages().drained && self.written(&mut last_results);
            if self.stop.aborted() {
                return self.last_words();
            }
            let now = Instant::now();
            if !ends && now < due {
                live.wait(if live.stages().drained { TICK } else { IDLE_TICK.min(due - now) });
                continue;
            }
            let started = Instant::now();
            let mark = self.mark();
            // An idle run writes nothing.
            if last != Some(mark) || ends {
                fail::fail_point!("saver");
                // Counts that do not add up end the run, and what was saved before stays.
                let set_aside = self.set_aside()?;
                if self.put(set_aside) {
                    last = Some(mark);
                }
            }
            if ends {
                self.trouble.settle(self.store.directory(), &self.failures);
                live.done(|stages| stages.saved = true);
                return Ok(());
            }
            pause = (pause * 2).min(self.interval);
            due = Instant::now() + pause.max(started.elapsed() * SHARE);
        }
    }

    /// Whether the last results are written, or have been waited for: those that are not are issued
    /// again by the next run.
    fn written(&self, since: &mut Option<Instant>) -> bool {
        let since = since.get_or_insert_with(Instant::now);
        self.live.windows.lock().all_written() || (self.stop.draining() && since.elapsed() > LAST_RESULTS)
    }

    /// A run that was ended by a failure, of an output, say, saves what it has counted, if that
    /// agrees with itself.
    fn last_words(&mut self) -> Result<(), Exit> {
        let live = Arc::clone(&self.live);
        if let Some(_gate) = live.gate.try_write_for(Duration::from_millis(500))
            && live.is_consistent()
        {
            drop(_gate);
            let set_aside = self.set_aside()?;
            self.put(set_aside);
        }
        self.trouble.settle(self.store.directory(), &self.failures);
        Err(Exit::Stopped)
    }

    /// Changes whenever there is something new to save.
    fn mark(&self) -> (u64, u64, Option<i64>, u64) {
        let (bytes, losses) = {
            let progress = self.live.counting.progress.lock();
            let balance = progress.balance();
            (balance.bytes_read + balance.bytes_skipped, balance.bytes_unread + balance.unknown_losses + balance.inputs)
        };
        let mut windows = self.live.windows.lock();
        let unwritten = !windows.all_written();
        (bytes, losses, windows.closer.next(), u64::from(unwritten))
    }

    /// Writes a state. Gives whether it is saved; the first failure is told, and the next success
    /// after it.
    fn put(&mut self, mut set_aside: SetAside) -> bool {
        let live = Arc::clone(&self.live);
        let format = set_aside.snapshot.format();
        let saved =
            self.store.save(format, &self.fingerprint, &mut |encoder| write(&live.counting, &set_aside, encoder));
        for (pane, tables) in set_aside.panes.drain(..) {
            // Nobody else may hold a table when it is joined, or it would be copied.
            drop(tables);
            let since = Instant::now();
            pane.join();
            live.stalled_for(since.elapsed());
        }
        live.set_saving(false);
        self.trouble.note(saved.map(drop), self.store.directory(), &self.failures)
    }

    /// Sets everything aside that is to be saved. Counting waits for it, and it is quick.
    fn set_aside(&self) -> Result<SetAside> {
        let (live, counting, since) = (&*self.live, &self.live.counting, Instant::now());
        let _gate = live.gate.write();
        counting.hand_over(i64::MAX, &mut counting.tally.write());
        live.check(&live.windows.lock())?;
        live.set_saving(true);
        let tally = counting.tally.write();
        let panes: Vec<(i64, Arc<Pane>)> = tally.panes();
        let (progress, forgotten) = {
            let mut progress = counting.progress.lock();
            (progress.saved(), progress.forgotten())
        };
        for id in forgotten {
            self.files.forget(id);
            self.notes.forget(id);
        }
        let files = self.files(&progress);
        let passed_over = self.files.passed_over(&files);
        let schemas = self.notes.schemas.of(files.iter().map(|file| (file.id, file.position)));
        let snapshot = Snapshot {
            grid: self.grid,
            bounds: self.bounds,
            windows: live.windows.lock().saved(),
            files,
            clock: self.files.clock(),
            next_input: progress.next_input(),
            progress,
            counts: SavedCounts {
                grain: counting.buckets.grain,
                overflowed: counting.overflowed.load(Ordering::Relaxed),
                buckets: tally.buckets().iter().map(|(&bucket, &count)| (bucket, count)).collect(),
                panes: panes.iter().map(|(k, pane)| (*k, pane.overflowed(), pane.shards().len() as u64)).collect(),
                numbers: tally.hosts().read().names().end() as u32,
            },
            passed_over,
            schemas,
            measures: SavedMeasures::of(&tally, counting.measures.total()),
        };
        debug_assert_eq!(snapshot.as_read(&self.delays), Ok(()), "a start would refuse what is saved");
        let panes = panes.into_iter().map(|(_, pane)| {
            let tables = pane.set_aside();
            (pane, tables)
        });
        let set_aside = SetAside { snapshot, panes: panes.collect() };
        live.stalled_for(since.elapsed());
        Ok(set_aside)
    }

    /// The files, each with the position up to which it is counted.
    fn files(&self, progress: &ProgressRecord) -> Vec<FileRecord> {
        let at = |id: InputId| {
            let found = progress.inputs.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            Some(&progress.inputs[found].1)
        };
        let files = self.files.all().into_iter().filter_map(|file| {
            let position = at(file.id)?;
            Some(FileRecord { position: position.next, tail: position.tail, lost: position.lost(), ..file })
        });
        files.collect()
    }
}

fn write(counting: &Counting, set_aside: &SetAside, encoder: &mut Encoder<'_>) -> io::Result<()> {
    let SetAside { snapshot, panes } = set_aside;
    snapshot.put(encoder)?;
    for first in (0..snapshot.counts.numbers).step_by(NAMES) {
        let block: Vec<Vec<u8>> = {
            let tally = counting.tally.read();
            let hosts = tally.hosts().read();
            let end = snapshot.counts.numbers.min(first + NAMES as u32);
            (first..end).map(|id| hosts.names().get(HostId(id)).unwrap_or_default().to_vec()).collect()
        };
        block.iter().try_for_each(|name| encoder.put(name))?;
    }
    for (_, tables) in panes {
        for table in tables {
            encoder.put(&(table.len() as u64))?;
            let mut result = Ok(());
            let measures = table.measures();
            match measures.is_empty() {
                true => table.for_each(|from, to, count| {
                    if result.is_ok() {
                        result = encoder.put(&(from.0, to.0, count));
                    }
                }),
                false => table.for_each_amount(|from, to, amount| {
                    if result.is_ok() {
                        let pair = encoder.put(&(from.0, to.0, amount.connections));
                        result = pair.and_then(|()| {
                            measures.places().try_for_each(|place| encoder.put(&amount.sums.get(place)))
                        });
                    }
                }),
            }
            result?;
        }
    }
    encoder.put(&snapshot.passed_over)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parking_lot::Mutex;

    use super::*;
    use crate::batch::Chunk;
    use crate::codec::Decoder;
    use crate::model::time::SECOND;
    use crate::model::{Balance, MemoryPolicy, Span};
    use crate::ops::close::Closer;
    use crate::ops::count::Buckets;
    use crate::ops::progress::CountProgress;
    use crate::stage::aggregator::RunMeasures;
    use crate::stage::aggregator::following::live::ResultTrigger;
    use crate::stage::aggregator::following::sweeping::Sweeping;
    use crate::stage::aggregator::following::windows::LiveWindows;
    use crate::tally::Shape;
    use crate::tally::sweep::ALWAYS_KEPT;
    use crate::tally::{Budget, Tally};

    const GRID: Grid = Grid { anchor: Timestamp::from_seconds(0), length: SECOND, period: SECOND, first: None };

    type Pairs = BTreeMap<(i64, Vec<u8>, Vec<u8>), u64>;

    fn live() -> Arc<LiveCounting> {
        let buckets = Buckets { anchor: GRID.anchor, grain: SECOND, last: i64::MAX };
        let windows = LiveWindows::new(Closer::new(GRID, buckets, false), 0, None);
        let progress = Arc::new(Mutex::new(CountProgress::new([], true)));
        let counting = Counting::new(buckets, (empty(), 0), 0, MemoryPolicy::Overflow, progress, RunMeasures::none());
        LiveCounting::new(counting, windows, ResultTrigger::Event, Arc::default(), None)
    }

    fn empty() -> Tally {
        Tally::new(Shape { pane: 1, shards: 2 }, Arc::<Budget>::default())
    }

    fn saver(live: &Arc<LiveCounting>, dir: &std::path::Path) -> Saver {
        let mut store = Store::open(dir).unwrap();
        store.load("").unwrap();
        let files = Arc::<FileRecords>::default();
        (0..3).for_each(|id| files.put(crate::snapshot::file(id)));
        Saver {
            live: Arc::clone(live),
            store,
            fingerprint: String::new(),
            delays: Delays { lateness: 0, grace: 0 },
            interval: Duration::ZERO,
            grid: GRID,
            bounds: (Timestamp::MIN, Timestamp::MIN),
            files,
            notes: InputNotes::default(),
            failures: Arc::new(Failures::default()),
            stop: Stop::default(),
            trouble: Trouble::default(),
        }
    }

    fn pairs(tally: &Tally) -> Pairs {
        let (hosts, mut pairs) = (tally.hosts().read(), Pairs::new());
        let name = |id| hosts.names().get(id).unwrap().to_vec();
        for (number, pane) in tally.panes() {
            pane.for_each(|from, to, count| assert_eq!(pairs.insert((number, name(from), name(to)), count), None));
        }
        pairs
    }

    /// An input of which so many lines are counted.
    fn counted(input: u32, lines: u64) -> crate::batch::Records {
        let balance =
            Balance { lines_read: lines, counted: lines, bytes_read: 1, bytes_total: 1, ..Balance::default() };
        let span = Span { input: InputId(input), from: 0, to: 1 };
        let chunk = Chunk {
            span,
            number: 0,
            bytes: Vec::new().into(),
            oversized: None,
            rules: crate::format::LineRules::plain(1),
            balance: Balance::default(),
            streamed: true,
            order: None,
            last: false,
            unseen: false,
            live: None,
            guard: None,
        };
        let records = Vec::new().into();
        let (rejected, marks, watermark) = (Vec::new(), Vec::new(), Timestamp::from_seconds(100));
        let extent = Some((Timestamp::from_seconds(0), watermark));
        let (chunk, mut peaks) = (Arc::new(chunk), crate::model::Peaks::default());
        peaks.add(watermark);
        let at_rest = watermark;
        crate::batch::Records {
            chunk,
            records,
            text: Vec::new(),
            balance,
            rejected,
            marks,
            watermark,
            at_rest,
            peaks,
            ahead: 0,
            extent,
            traces: Default::default(),
        }
    }

    /// The tally in a directory.
    fn restored(dir: &std::path::Path) -> Tally {
        let mut tally = empty();
        let mut loaded = crate::snapshot::store::peek(dir).unwrap().unwrap();
        let read = |decoder: &mut Decoder<'_>| decoder.get::<Snapshot>()?.read_counts(decoder, &mut tally);
        loaded.read(read).unwrap();
        tally
    }

    #[test]
    fn a_state_that_lacks_what_was_counted_is_not_saved() {
        let (live, dir) = (live(), tempfile::tempdir().unwrap());
        let saver = saver(&live, dir.path());
        live.counting.tally.write().add(0, b"a", b"b", 2);
        live.counting.progress.lock().applied(&counted(1, 2)).unwrap();
        drop(saver.set_aside().unwrap());
        live.counting.tally.write().drop_before(1);
        let error = saver.set_aside().err().unwrap();
        assert!(
            error.to_string().contains("0 connections in windows that are done with and 0 in open ones, 2 counted")
        );
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn a_state_whose_counts_do_not_add_up_is_told_when_it_is_read() {
        let (live, dir) = (live(), tempfile::tempdir().unwrap());
        let mut saver = saver(&live, dir.path());
        live.counting.tally.write().add(0, b"a", b"b", 2);
        live.counting.progress.lock().applied(&counted(1, 2)).unwrap();
        let mut saved = |change: &dyn Fn(&mut Snapshot)| {
            let mut set_aside = saver.set_aside().unwrap();
            change(&mut set_aside.snapshot);
            assert!(saver.put(set_aside));
            let (mut loaded, mut tally) = (crate::snapshot::store::peek(dir.path()).unwrap().unwrap(), empty());
            let mut checked = Ok(());
            let read = |decoder: &mut Decoder<'_>| {
                let mut snapshot = decoder.get::<Snapshot>()?;
                snapshot.read_counts(decoder, &mut tally)?;
                checked = snapshot.check_tally(&tally);
                Ok(())
            };
            loaded.read(read).unwrap();
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(saved(&|_| {}), Ok(()));
        assert!(saved(&|it| it.counts.buckets[0].1 += 1).unwrap_err().contains("3 in open ones, 2 counted"));
        assert!(
            saved(&|it| it.counts.buckets[0].0 += 1)
                .unwrap_err()
                .contains("pane 0 holds 0 connections and the pairs of 2")
        );
        assert!(
            saved(&|it| it.counts.panes[0].1 += 1)
                .unwrap_err()
                .contains("pane 0 holds 2 connections and the pairs of 3")
        );
    }

    #[test]
    fn names_are_dropped_before_and_after_a_state_is_saved_and_not_meanwhile() {
        let (live, dir) = (live(), tempfile::tempdir().unwrap());
        let (mut saver, mut sweeping) = (saver(&live, dir.path()), Sweeping::default());
        let names = || live.counting.tally.read().hosts().read().names().len();
        let add = |bucket: i64, hosts: std::ops::Range<u32>| {
            let mut tally = live.counting.tally.write();
            hosts.clone().for_each(|host| tally.add(bucket, format!("h{host}").as_bytes(), b"to", 1));
            live.counting.progress.lock().applied(&counted(bucket as u32, hosts.len() as u64)).unwrap();
        };
        add(0, 0..3_000);
        add(1, 2_000..2_500);
        let mut set_aside = saver.set_aside().unwrap();
        let expected = pairs(&live.counting.tally.read());
        {
            let mut windows = live.windows.lock();
            windows.begin(0, Timestamp::from_seconds(100));
            windows.closer.close(GRID.window(0), 1);
            windows.settle(&live.counting.tally.read()).unwrap();
        }
        live.counting.tally.write().drop_before(1);
        (0..1_000).for_each(|_| sweeping.go_on(&live));
        assert_eq!(names(), 3_001, "names are dropped while they are saved");
        let to_write = |encoder: &mut Encoder<'_>| write(&live.counting, &set_aside, encoder);
        saver.store.save(set_aside.snapshot.format(), "", &mut { to_write }).unwrap();
        assert_eq!(pairs(&restored(dir.path())), expected);
        set_aside.panes.clear();
        let save = |saver: &mut Saver| {
            let set_aside = saver.set_aside().unwrap();
            assert!(saver.put(set_aside));
        };
        save(&mut saver);
        (0..1_000).for_each(|_| sweeping.go_on(&live));
        assert_eq!(names(), ALWAYS_KEPT + 500);
        // A state with holes; what is counted behind it takes their numbers.
        save(&mut saver);
        let tally = restored(dir.path());
        assert_eq!(pairs(&tally), pairs(&live.counting.tally.read()));
        assert!(tally.hosts().read().find(b"").is_none());
        assert_eq!(tally.hosts().read().names().len(), ALWAYS_KEPT + 500);
        let end = tally.hosts().read().names().end();
        let new = tally.hosts().write().intern(b"new");
        assert!((new.0 as usize) < end, "{new:?} of {end}");
    }
}
