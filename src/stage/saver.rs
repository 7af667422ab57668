//! Beside the bucket-aggregator: saves what is counted together with how far each input is counted.
//!
//! With the gate held alone, tables are set aside and positions noted; all that is large is written afterwards, while
//! counting goes on into second tables (`model/shard.rs`). Invariant: what is saved is what was counted at one instant.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::actor::{Exit, Stop};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::model::pairs::PairTable;
use crate::model::pane::Pane;
use crate::model::{Balance, Grid, HostId, InputId, Tally, Timestamp};
use crate::ops::progress;
use crate::source::follow::{Records, Saved as SavedFile};
use crate::state::Store;

use super::aggregator::{Closing, Shared};
use super::live::{Live, SavedWindows};
use super::{Failures, InputNames};

/// How often is looked whether the last results of a run that ends are written.
const TICK: Duration = Duration::from_millis(25);

/// How often is looked before that whether a state is due, and whether the run was aborted. That it ends is told.
const IDLE_TICK: Duration = Duration::from_millis(200);

/// The first state is saved so long after the start, so that a run that is killed again and again comes forward.
const FIRST: Duration = Duration::from_millis(500);

/// How long the last results of a run that was asked to end are waited for.
const LAST_RESULTS: Duration = Duration::from_millis(300);

/// A state is saved no more often than takes this part of the time.
const SHARE: u32 = 10;

/// Names that are copied at a time, so that nobody who meets a new one waits for long.
const NAMES: usize = 1024;

/// All of a state but names and pairs, which follow it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// Where the windows lie.
    pub grid: Grid,
    /// The first instant that is kept, and the first that counts.
    pub bounds: (Timestamp, Timestamp),
    /// The windows and what was issued of them.
    pub windows: SavedWindows,
    /// How far each input is counted.
    pub progress: progress::Saved,
    /// The files that the inputs are.
    pub files: Vec<SavedFile>,
    /// The number of the next input.
    pub next_input: u32,
    /// Length of a bucket in nanoseconds.
    pub grain: i64,
    /// Connections of all pairs, by bucket.
    pub buckets: Vec<(i64, u64)>,
    /// Connections that are counted without their pair.
    overflowed: u64,
    /// By number: what is counted without its pair, and how many shards there are.
    panes: Vec<(i64, u64, u64)>,
    /// Host names by number are so many, those of holes without bytes.
    numbers: u32,
}

impl Header {
    /// The sheet of all that is counted.
    pub fn balance(&self) -> Balance {
        Balance { overflowed: self.overflowed, ..self.progress.balance().clone() }
    }

    /// Reads the names and pairs behind it into a tally that is empty.
    pub fn read_counts(&self, decoder: &mut Decoder<'_>, tally: &mut Tally) -> io::Result<()> {
        for _ in 0..self.numbers {
            let name: Vec<u8> = decoder.get()?;
            let mut hosts = tally.hosts().write();
            let before = hosts.bytes();
            hosts.restore(&name);
            tally.budget().take_anyway(hosts.bytes() - before);
        }
        for &(number, overflow, shards) in &self.panes {
            let pane = tally.pane(number);
            pane.overflow(overflow);
            for _ in 0..shards {
                let pairs: u64 = decoder.get()?;
                for _ in 0..pairs {
                    let (from, to, count): (u32, u32, u64) = decoder.get()?;
                    if from.max(to) >= self.numbers {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a pair of a host that has no name"));
                    }
                    pane.add_anyway(HostId(from), HostId(to), count);
                }
            }
        }
        for &(bucket, connections) in &self.buckets {
            tally.add_to_bucket(bucket, connections);
        }
        Ok(())
    }

    /// As `read_counts`, where only the bytes matter. How many hosts there are.
    pub fn skip_counts(&self, decoder: &mut Decoder<'_>) -> io::Result<usize> {
        let mut hosts = 0;
        for _ in 0..self.numbers {
            hosts += usize::from(!decoder.get::<Vec<u8>>()?.is_empty());
        }
        for &(_, _, shards) in &self.panes {
            for _ in 0..shards {
                let pairs: u64 = decoder.get()?;
                (0..pairs).try_for_each(|_| decoder.get::<(u32, u32, u64)>().map(drop))?;
            }
        }
        Ok(hosts)
    }

    /// Connections that are counted without their pair, by pane.
    pub fn overflows(&self) -> impl Iterator<Item = (i64, u64)> {
        self.panes.iter().map(|&(number, overflow, _)| (number, overflow))
    }
}

/// What a saver works with.
pub struct Saver {
    /// The aggregator.
    pub shared: Arc<Shared>,
    /// Where states are kept.
    pub store: Store,
    /// What they depend on.
    pub fingerprint: String,
    /// Time between two savings.
    pub interval: Duration,
    /// Where the windows lie.
    pub grid: Grid,
    /// The first instant that is kept, and the first that counts.
    pub bounds: (Timestamp, Timestamp),
    /// The files that are followed.
    pub files: Arc<Records>,
    /// The names of all inputs.
    pub names: Arc<InputNames>,
    /// Failures are told here.
    pub failures: Arc<Failures>,
    /// The run's stop switch.
    pub stop: Stop,
    /// Whether a state could not be saved: that is told each time, and counts as one failure of the run.
    pub has_failed: bool,
}

/// What was set aside, and what of the rest there is to save.
struct Snapshot {
    header: Header,
    panes: Vec<(Arc<Pane>, Vec<Arc<PairTable>>)>,
}

impl Saver {
    /// Saves every so often, and once more when all is issued.
    pub fn run(mut self) -> Result<(), Exit> {
        let shared = Arc::clone(&self.shared);
        let Closing::Live(live) = &shared.closing else { return Ok(()) };
        let (mut due, mut last) = (Instant::now() + FIRST.min(self.interval), None);
        let mut last_results = None;
        loop {
            let ends = live.stages().issued && live.stages().drained && self.written(live, &mut last_results);
            if self.stop.aborted() {
                return self.last_words(live);
            }
            let now = Instant::now();
            if !ends && now < due {
                live.wait(if live.stages().drained { TICK } else { IDLE_TICK.min(due - now) });
                continue;
            }
            let started = Instant::now();
            let mark = self.mark(live);
            // An idle run writes nothing.
            if last != Some(mark) || ends {
                fail::fail_point!("saver");
                match self.save(live) {
                    Ok(()) => last = Some(mark),
                    Err(error) if self.has_failed => self.failures.tell(&error),
                    Err(error) => {
                        self.has_failed = true;
                        self.failures.add(error);
                    }
                }
            }
            if ends {
                live.done(|stages| stages.saved = true);
                return Ok(());
            }
            due = Instant::now() + self.interval.max(started.elapsed() * SHARE);
        }
    }

    /// Whether the last results are written, or have been waited for: those that are not are issued again by the next
    /// run.
    fn written(&self, live: &Live, since: &mut Option<Instant>) -> bool {
        let since = since.get_or_insert_with(Instant::now);
        live.windows.lock().all_written() || (self.stop.draining() && since.elapsed() > LAST_RESULTS)
    }

    /// A run that was ended by a failure, of an output, say, saves what it has counted, if that agrees with itself.
    fn last_words(&mut self, live: &Live) -> Result<(), Exit> {
        if let Some(_gate) = live.gate.try_write_for(Duration::from_millis(500))
            && live.is_consistent()
        {
            drop(_gate);
            self.save(live)?;
        }
        Err(Exit::Stopped)
    }

    /// Changes whenever there is something new to save.
    fn mark(&self, live: &Live) -> (u64, u64, Option<i64>, u64) {
        let (bytes, losses) = {
            let progress = self.shared.progress.lock();
            let balance = progress.balance();
            (balance.bytes_read + balance.bytes_skipped, balance.bytes_unread + balance.inputs)
        };
        let mut windows = live.windows.lock();
        let unwritten = !windows.all_written();
        (bytes, losses, windows.closer.next(), u64::from(unwritten))
    }

    fn save(&mut self, live: &Live) -> Result<()> {
        let mut snapshot = self.snapshot(live);
        let shared = Arc::clone(&self.shared);
        let saved = self.store.save(&self.fingerprint, &mut |encoder| write(&shared, &snapshot, encoder));
        for (pane, tables) in snapshot.panes.drain(..) {
            // Nobody else may hold a table when it is joined, or it would be copied.
            drop(tables);
            let since = Instant::now();
            pane.join();
            live.stalled_for(since.elapsed());
        }
        self.shared.saving.store(false, Ordering::Relaxed);
        saved.map(drop).map_err(|error| {
            let message = format!("{error}; counting goes on, and what was saved before stays");
            Error::state(self.store.directory(), message)
        })
    }

    /// Sets everything aside that is to be saved. Counting waits for it, and it is quick.
    fn snapshot(&self, live: &Live) -> Snapshot {
        let (shared, since) = (&self.shared, Instant::now());
        let _gate = live.gate.write();
        shared.saving.store(true, Ordering::Relaxed);
        let mut tally = shared.tally.write();
        shared.hand_over(i64::MAX, &mut tally);
        let panes: Vec<(i64, Arc<Pane>)> = tally.panes();
        let (progress, forgotten) = {
            let mut progress = shared.progress.lock();
            (progress.saved(), progress.forgotten())
        };
        for id in forgotten {
            self.files.forget(id);
            self.names.forget(id);
        }
        let header = Header {
            grid: self.grid,
            bounds: self.bounds,
            windows: live.windows.lock().saved(),
            files: self.files(&progress),
            next_input: progress.inputs.last().map_or(0, |(id, _)| id.0 + 1),
            progress,
            grain: shared.buckets.grain,
            overflowed: shared.overflowed.load(Ordering::Relaxed),
            buckets: tally.buckets().iter().map(|(&bucket, &count)| (bucket, count)).collect(),
            panes: panes.iter().map(|(k, pane)| (*k, pane.overflowed(), pane.shards().len() as u64)).collect(),
            numbers: tally.hosts().read().names().end() as u32,
        };
        let panes = panes.into_iter().map(|(_, pane)| {
            let tables = pane.set_aside();
            (pane, tables)
        });
        let snapshot = Snapshot { header, panes: panes.collect() };
        live.stalled_for(since.elapsed());
        snapshot
    }

    /// The files, each with the position up to which it is counted.
    fn files(&self, progress: &progress::Saved) -> Vec<SavedFile> {
        let at = |id: InputId| {
            let found = progress.inputs.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            Some(&progress.inputs[found].1)
        };
        let files = self.files.all().into_iter().filter_map(|file| {
            let position = at(file.id)?;
            Some(SavedFile { position: position.next, tail: position.tail, lost: position.lost(), ..file })
        });
        files.collect()
    }
}

fn write(shared: &Shared, snapshot: &Snapshot, encoder: &mut Encoder<'_>) -> io::Result<()> {
    let Snapshot { header, panes } = snapshot;
    encoder.put(header)?;
    for first in (0..header.numbers).step_by(NAMES) {
        let block: Vec<Vec<u8>> = {
            let tally = shared.tally.read();
            let hosts = tally.hosts().read();
            let end = header.numbers.min(first + NAMES as u32);
            (first..end).map(|id| hosts.names().get(HostId(id)).unwrap_or_default().to_vec()).collect()
        };
        block.iter().try_for_each(|name| encoder.put(name))?;
    }
    for (_, tables) in panes {
        for table in tables {
            encoder.put(&(table.len() as u64))?;
            let mut result = Ok(());
            table.for_each(|from, to, count| {
                if result.is_ok() {
                    result = encoder.put(&(from.0, to.0, count));
                }
            });
            result?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

    use parking_lot::{Mutex, RwLock};

    use super::*;
    use crate::model::sweep::ALWAYS_KEPT;
    use crate::model::tally::Shape;
    use crate::model::time::SECOND;
    use crate::model::{Budget, MemoryPolicy};
    use crate::ops::close::Closer;
    use crate::ops::count::Buckets;
    use crate::ops::progress::Progress;
    use crate::ops::sequence::Sequencer;
    use crate::stage::live::{Trigger, Windows};
    use crate::stage::sweeping::Sweeping;

    const GRID: Grid = Grid { anchor: Timestamp::from_seconds(0), length: SECOND, period: SECOND, first: None };

    type Pairs = BTreeMap<(i64, Vec<u8>, Vec<u8>), u64>;

    fn shared() -> Arc<Shared> {
        let buckets = Buckets { anchor: GRID.anchor, grain: SECOND, last: i64::MAX };
        let windows = Windows::new(Closer::new(GRID, buckets, false), None);
        Arc::new(Shared {
            buckets,
            tally: RwLock::new(empty()),
            counters: Vec::new(),
            policy: MemoryPolicy::Overflow,
            store: Mutex::default(),
            overflowed: AtomicU64::new(0),
            before: Balance::default(),
            saving: AtomicBool::new(false),
            progress: Arc::new(Mutex::new(Progress::new([], true))),
            closing: Closing::Live(Box::new(Live::new(Sequencer::default(), windows, Trigger::Event, 0))),
            peek: None,
            stop: Stop::default(),
            next_worker: AtomicUsize::new(0),
        })
    }

    fn empty() -> Tally {
        Tally::new(Shape { pane: 1, shards: 2 }, Arc::<Budget>::default())
    }

    fn saver(shared: &Arc<Shared>, dir: &std::path::Path) -> Saver {
        let mut store = Store::open(dir).unwrap();
        store.load("").unwrap();
        Saver {
            shared: Arc::clone(shared),
            store,
            fingerprint: String::new(),
            interval: Duration::ZERO,
            grid: GRID,
            bounds: (Timestamp::MIN, Timestamp::MAX),
            files: Arc::default(),
            names: Arc::default(),
            failures: Arc::new(Failures::new(|_| {}, |_| {})),
            stop: Stop::default(),
            has_failed: false,
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

    /// The tally in a directory.
    fn restored(dir: &std::path::Path) -> Tally {
        let mut tally = empty();
        let mut loaded = crate::state::peek(dir).unwrap().unwrap();
        let read = |decoder: &mut Decoder<'_>| decoder.get::<Header>()?.read_counts(decoder, &mut tally);
        loaded.read(read).unwrap();
        tally
    }

    #[test]
    fn names_are_dropped_before_and_after_a_state_is_saved_and_not_meanwhile() {
        let (shared, dir) = (shared(), tempfile::tempdir().unwrap());
        let Closing::Live(live) = &shared.closing else { unreachable!() };
        let (mut saver, mut sweeping) = (saver(&shared, dir.path()), Sweeping::default());
        let names = || shared.tally.read().hosts().read().names().len();
        let add = |bucket: i64, hosts: std::ops::Range<u32>| {
            let mut tally = shared.tally.write();
            hosts.for_each(|host| tally.add(bucket, format!("h{host}").as_bytes(), b"to", 1));
        };
        add(0, 0..3_000);
        add(1, 2_000..2_500);
        let mut snapshot = saver.snapshot(live);
        let expected = pairs(&shared.tally.read());
        shared.tally.write().drop_before(1);
        (0..1_000).for_each(|_| sweeping.go_on(&shared, live));
        assert_eq!(names(), 3_001, "names are dropped while they are saved");
        let to_write = |encoder: &mut Encoder<'_>| write(&shared, &snapshot, encoder);
        saver.store.save("", &mut { to_write }).unwrap();
        assert_eq!(pairs(&restored(dir.path())), expected);
        snapshot.panes.clear();
        saver.save(live).unwrap();
        (0..1_000).for_each(|_| sweeping.go_on(&shared, live));
        assert_eq!(names(), ALWAYS_KEPT + 500);
        // A state with holes; what is counted behind it takes their numbers.
        saver.save(live).unwrap();
        let tally = restored(dir.path());
        assert_eq!(pairs(&tally), pairs(&shared.tally.read()));
        assert!(tally.hosts().read().find(b"").is_none());
        assert_eq!(tally.hosts().read().names().len(), ALWAYS_KEPT + 500);
        let end = tally.hosts().read().names().end();
        let new = tally.hosts().write().intern(b"new");
        assert!((new.0 as usize) < end, "{new:?} of {end}");
    }
}
