//! What a run has in addition that follows its inputs: a state to go on from, files that come and
//! go, an issuer and a saver beside the aggregator.
//!
//! Not here: following itself (`source/follow`), and how windows are issued and counts saved
//! (`stage/aggregator/following`). Invariant: inputs, positions and counts all come from one
//! snapshot, or from none.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::context::RunContext;
use super::course::{AGGREGATOR, CountedInto, Course, EveryWindow, Readers, ResultOrder};
use super::inputs::readers;
use super::probe::FormatStamps;
use super::reading::Part;
use super::resolve::{Resolved, ResolvedFilter};
use super::restore::restored;
use super::seat::{Ground, Seat, Starter};
use super::tallied::{budget, new_tally};
use super::uniform::is_uniform;
use super::unpacking;

use crate::actor::{LatestOutlet, Permits};
use crate::config::{AggregatorPlan, FollowPlan, Plan, ReaderPlan, Scan, StatePlan, Task, TriggerPlan};
use crate::config::{fingerprint, question};
use crate::error::{Error, Result};
use crate::format::{HEAD_BYTES, Head, LineRules, SavedSchema};
use crate::model::time::Clock;
use crate::model::time::SECOND;
use crate::model::{Grid, Guard, InputId, Issue, RunTotal, Stamps, Timestamp};
use crate::ops::close::{Closer, Windows};
use crate::ops::progress::CountProgress;
use crate::ops::sequence::Sequencer;
use crate::output::rejects::RejectsFile;
use crate::snapshot::store::Store;
use crate::snapshot::{Delays, Snapshot};
use crate::source::follow::{Events, FileRecord, FileRecords, FollowOptions, Follower, New};
use crate::source::seek::{Found, Reason, Wanted, seek};
use crate::source::{Listing, MOST_MEMORY};
use crate::stage::abreast::Abreast;
use crate::stage::aggregator::Counting;
use crate::stage::aggregator::following::issuer::Issuer;
use crate::stage::aggregator::following::saver::Saver;
use crate::stage::aggregator::following::trouble::Trouble;
use crate::stage::aggregator::following::windows::LiveWindows;
use crate::stage::aggregator::following::{self, LiveCounting};
use crate::stage::bind::Binder;
use crate::stage::filter::{self, Surveyed};
use crate::stage::follow::{Announcing, Begin, Begun, ChunkMaker, Following};
use crate::stage::{Failures, InputNotes, InputSchemas, reporter};
use crate::tally::Tally;

/// Descriptors that are left for everything but followed files.
const OTHER_DESCRIPTORS: u64 = 64;

/// The fewest files that are held open.
const LEAST_FILES: u64 = 8;

/// What the parts of a following run have in common.
pub(super) struct Follow {
    /// How far inputs are counted; also told of new ones.
    pub progress: Arc<Mutex<CountProgress>>,
    /// What was saved.
    restored: Option<Restored>,
    store: Option<Store>,
    fingerprint: String,
    started: (Timestamp, Instant),
    abreast: Arc<Abreast>,
}

struct Restored {
    snapshot: Snapshot,
    tally: Tally,
}

impl Follow {
    /// Opens the state, and reads it if there is one. Errors if it cannot be used: it is never
    /// passed over.
    pub fn open(plan: &Plan, context: &RunContext, now: Timestamp) -> Result<Self> {
        let fingerprint = fingerprint(plan);
        let stdin = plan.reads_stdin();
        let mut follow = Follow {
            progress: Arc::new(Mutex::new(CountProgress::following(None)?)),
            restored: None,
            store: None,
            fingerprint,
            started: (exact(now), Instant::now()),
            abreast: Arc::default(),
        };
        if stdin {
            follow.progress.lock().register(InputId(0));
        }
        let Some(aggregator) = aggregator(plan) else { return Ok(follow) };
        let Some(folder) = state_folder(plan, &context.failures)? else { return Ok(follow) };
        let mut store = Store::open(&folder)?;
        if let Some(mut loaded) = store.load(&follow.fingerprint)? {
            if let Some(text) = &loaded.warning {
                context.failures.warn(text);
            }
            let budget = Arc::new(budget(plan, aggregator, 0));
            let (snapshot, tally) = loaded.read(|decoder| restored(&follow.fingerprint, decoder, budget))?;
            same_formats(plan, &snapshot).map_err(|text| Error::state(&loaded.path, text))?;
            let restored = Restored { snapshot, tally };
            let progress = CountProgress::following(Some(restored.snapshot.progress.clone()))?;
            follow.progress = Arc::new(Mutex::new(progress));
            follow.restored = Some(restored);
        }
        follow.store = Some(store);
        Ok(follow)
    }

    /// The folder of the state, if there is one.
    pub fn state_folder(&self) -> Option<&Path> {
        self.store.as_ref().map(Store::directory)
    }

    /// What of the plan is still to be read.
    pub fn part(&self) -> Part {
        let snapshot = self.restored.as_ref().map(|restored| &restored.snapshot);
        snapshot.map_or(Part::All, |snapshot| Part::Rest(snapshot.grid, snapshot.bounds))
    }

    /// Looks for the files of its reader, and tells whom it concerns of them, before anything is
    /// read.
    pub fn begin(self, ground: Ground<'_>) -> Result<GoingOn> {
        let Ground { plan, reading, context, now } = ground;
        let reader = plan.stages.iter().enumerate().find_map(|(at, stage)| match &stage.task {
            Task::Reader(reader) => Some((at, reader, reader.follow?)),
            _ => None,
        });
        let found = reader.and_then(|(at, reader, follow)| {
            let resolved = reading.windows[reader.first_filter]?;
            Some((at, reader, follow, resolved))
        });
        let Some((at, reader, follow, resolved)) = found else {
            return Err(Error::usage("nothing is followed that windows are made of"));
        };
        let permits = Permits::new(plan.chunk_budget(at), &context.stop);
        let bounds = resolved.bounds;
        let options = FollowOptions {
            unpack_memory: unpacking::of_one(plan),
            past_from: self.restored.is_none().then_some(match reader.scan {
                Scan::Full => Timestamp::MIN,
                Scan::Auto { .. } => bounds.keep_from.minus(reader.stamps.lateness),
            }),
            ..follow_options(reader, follow, context.listing.clone())
        };
        let following = self.following(ground, options, reader, resolved, permits.clone());
        let files = following.follower.records();
        let following = reader.of_files().next().is_some().then_some(following);
        Ok(GoingOn {
            follow: self,
            permits,
            present: (Arc::clone(now), reader.stamps.future),
            ends: following.is_none(),
            following,
            files,
        })
    }

    /// The follower of a reader's files; they are looked for and announced before anything is read.
    fn following(
        &self,
        Ground { now, context, .. }: Ground<'_>,
        options: FollowOptions,
        plan: &ReaderPlan,
        resolved: Resolved,
        permits: Permits,
    ) -> Following {
        let snapshot = self.restored.as_ref().map(|restored| &restored.snapshot);
        let (saved, next) = snapshot.map_or((Vec::new(), 0), |snapshot| (snapshot.files.clone(), snapshot.next_input));
        for file in &saved {
            context.names.set(file.id, crate::model::escape::printable(&file.name).into_owned());
        }
        // Number 0 is that of standard input, if it is read.
        let mut follower = Follower::new(options, saved, next.max(1));
        follower.pass_over(snapshot.map_or_else(Vec::new, |snapshot| snapshot.passed_over.clone()));
        let (events, warning) = Events::new(&follower.directories());
        warning.into_iter().for_each(|text| context.failures.warn(&text));
        let progress = Arc::clone(&self.progress);
        let announcing = Announcing {
            begin: beginning(plan, resolved),
            prune_above: plan.scan.above(),
            register: Box::new(move |id| progress.lock().register(id)),
            names: Arc::clone(&context.names),
        };
        let chunks = ChunkMaker {
            permits,
            buffers: Default::default(),
            future: plan.stamps.future,
            binder: Binder { format: plan.stamps.format.clone(), max_line: plan.max_line, now: Arc::clone(now) },
            schemas: Arc::clone(&context.schemas),
            begun: snapshot.map_or_else(HashMap::new, |snapshot| begun(plan, snapshot, &context.schemas, now())),
        };
        let mut following = Following {
            follower,
            events,
            announcing,
            chunks,
            stop: context.stop.clone(),
            progress: Arc::clone(&context.progress),
            failures: Arc::clone(&context.failures),
            clock: snapshot.map_or(Duration::ZERO, |snapshot| snapshot.clock),
            pace: Duration::ZERO,
            abreast: Arc::clone(&self.abreast),
            sent: 0,
        };
        following.follower.records().set_clock(following.clock);
        following.go_on();
        following.scan(true);
        following
    }

    /// The tally and the connections without a pair that go on, if there are any.
    fn take_tally(&mut self) -> Option<(Tally, u64)> {
        let Restored { snapshot, tally } = self.restored.as_mut()?;
        Some((std::mem::replace(tally, Tally::new(tally.shape(), Arc::default())), snapshot.balance().overflowed))
    }

    /// What the workers of an aggregator share with its issuer and its saver. `late` is where lines
    /// go that come too late for their windows.
    fn live(
        &self,
        plan: &AggregatorPlan,
        grid: Grid,
        counting: Arc<Counting>,
        late: Option<Arc<RejectsFile>>,
    ) -> Arc<LiveCounting> {
        let saved = self.restored.as_ref().map(|restored| restored.snapshot.windows.clone());
        let buckets = Windows::Every(grid).buckets(plan.grouping);
        let closer = Closer::new(grid, buckets, plan.needs_previous).with_max_gap(plan.max_gap);
        let windows = LiveWindows::new(closer, plan.live.grace, saved);
        let trigger = match plan.live.trigger {
            TriggerPlan::Event => following::ResultTrigger::Event,
            TriggerPlan::Clock => following::ResultTrigger::Clock,
        };
        LiveCounting::new(counting, windows, trigger, Arc::clone(&self.abreast), late)
    }
}

/// How the lines of each input are read that an earlier run has counted a part of: those of which the
/// state says nothing are of `plain`.
fn begun(plan: &ReaderPlan, snapshot: &Snapshot, schemas: &InputSchemas, now: Timestamp) -> HashMap<InputId, Begun> {
    let format = &plan.stamps.format;
    // Most inputs share a few schemas.
    let mut known: HashMap<&SavedSchema, Option<LineRules>> = HashMap::new();
    let one = |file: &FileRecord| {
        let saved = snapshot.schemas.binary_search_by_key(&file.id, |(id, _)| *id).ok();
        let rules = match saved.map(|at| &snapshot.schemas[at].1) {
            None => (file.position > 0).then(|| format.plain_rules(plan.max_line)),
            Some(saved) => {
                schemas.set(file.id, 0, Some(saved.clone()));
                // The state was held against that when it was read.
                let bound = || format.bind_saved(saved, now, plan.max_line).ok();
                known.entry(saved).or_insert_with(|| if saved.is_undecided() { None } else { bound() }).clone()
            }
        };
        (file.id, Begun::by(rules))
    };
    snapshot.files.iter().map(one).collect()
}

/// What is followed for a reader, and how.
pub(super) fn follow_options(plan: &ReaderPlan, follow: FollowPlan, listing: Listing) -> FollowOptions {
    FollowOptions {
        unpack_memory: MOST_MEMORY,
        past_from: None,
        locations: plan.of_files().cloned().collect(),
        chunk: plan.chunk,
        max_line: plan.max_line,
        rotate_wait: follow.rotate_wait,
        idle: follow.idle,
        open_files: open_files(),
        listing,
    }
}

/// Inputs that go on, as they are wired.
pub(super) struct GoingOn {
    follow: Follow,
    permits: Permits,
    /// What follows files, if any are; until it is started.
    following: Option<Following>,
    /// Their records.
    files: Arc<FileRecords>,
    /// Whether nothing is followed but a stream, which ends.
    ends: bool,
    /// The clock, and how far beyond now a stamp may lie, in nanoseconds.
    present: (Clock, i64),
}

impl Course for GoingOn {
    fn readers(&mut self, seat: &Seat<'_>) -> Readers {
        // Only what comes by a stream is read to its end.
        let streams = seat.ground.reading.inputs.by_reader.get(&seat.at).map_or(0, Vec::len);
        let (permits, following) = (self.permits.clone(), self.following.take());
        Readers { permits, threads: streams, following, present: Some(self.present.clone()) }
    }

    /// With the highest stamps that were seen of inputs that go on.
    fn sequencer(&self) -> Sequencer<Surveyed> {
        let inputs = self.follow.restored.iter().flat_map(|restored| &restored.snapshot.progress.inputs);
        Sequencer::resumed(inputs.map(|(id, position)| (*id, position.peaks)))
    }

    /// Nobody asks of inputs that go on.
    fn passed(&self) -> Option<Mutex<Stamps>> {
        None
    }

    fn counted(&mut self, ground: Ground<'_>, _at: usize, plan: &AggregatorPlan, windows: Windows) -> CountedInto {
        let tally = self.follow.take_tally().unwrap_or_else(|| (new_tally(ground.plan, plan, windows, 0), 0));
        let measured = self.follow.restored.as_ref().and_then(|restored| restored.snapshot.measures.as_ref());
        let measured = measured.map_or_else(RunTotal::default, |measures| measures.total);
        CountedInto { tally, progress: Arc::clone(&self.follow.progress), measured }
    }

    fn every(
        &mut self,
        seat: &Seat<'_>,
        plan: &AggregatorPlan,
        every: EveryWindow,
    ) -> (Starter, Option<Arc<LiveCounting>>) {
        let EveryWindow { grid, resolved, counting, peek: _, late, intake, ports } = every;
        let live = self.follow.live(plan, grid, counting, late);
        let (issuer, saver) = self.attendants(plan, &live, (grid, resolved), seat.ground.context);
        // Results come from the issuer; a worker that held a way out too would keep the reporter
        // waiting.
        let counting = Arc::clone(&live);
        let worker = move || following::LiveWorker::new(Arc::clone(&counting));
        let workers = seat.start(AGGREGATOR, intake, seat.no_outlets(), worker);
        let (name, outlet) = (seat.stage.name.clone(), LatestOutlet::new(ports, Arc::clone(&seat.metrics)));
        let start: Starter = Box::new(move |pool| {
            workers(pool)?;
            pool.spawn(&name, move || issuer.run(outlet))?;
            saver.map_or(Ok(()), |saver| pool.spawn(&name, move || saver.run()))
        });
        (start, Some(live))
    }

    /// Results that are followed by others come one after the other, from one worker.
    fn results(&self, _seat: &Seat<'_>) -> ResultOrder {
        let issue = Issue { revision: 0, provisional: false };
        ResultOrder { first: None, workers: 1, issue: Some(issue) }
    }

    /// Nobody knows what inputs that go on will still give.
    fn nothing(
        &self,
        _seat: &Seat<'_>,
        _before: ResolvedFilter<'_>,
        _filter: &Arc<filter::FilterShared>,
    ) -> Option<reporter::Emptiness> {
        None
    }
}

impl GoingOn {
    /// The issuer of an aggregator, and its saver if there is a state.
    fn attendants(
        &mut self,
        aggregator: &AggregatorPlan,
        live: &Arc<LiveCounting>,
        (grid, resolved): (Grid, Resolved),
        context: &RunContext,
    ) -> (Issuer, Option<Saver>) {
        let saver = self.follow.store.take().map(|store| Saver {
            live: Arc::clone(live),
            store,
            fingerprint: self.follow.fingerprint.clone(),
            delays: Delays { lateness: aggregator.lateness(), grace: aggregator.live.grace },
            interval: aggregator.live.checkpoint,
            grid,
            bounds: (resolved.bounds.keep_from, resolved.bounds.first),
            files: Arc::clone(&self.files),
            notes: InputNotes { names: Arc::clone(&context.names), schemas: Arc::clone(&context.schemas) },
            failures: Arc::clone(&context.failures),
            stop: context.stop.clone(),
            trouble: Trouble::default(),
        });
        let issuer = Issuer {
            live: Arc::clone(live),
            started: self.follow.started,
            ends: self.ends,
            saves: saver.is_some(),
            first: resolved.bounds.first,
            stop_timeout: aggregator.live.stop_timeout,
            files: Arc::clone(&self.files),
            notes: InputNotes { names: Arc::clone(&context.names), schemas: Arc::clone(&context.schemas) },
            failures: Arc::clone(&context.failures),
            stop: context.stop.clone(),
        };
        (issuer, saver)
    }
}

/// An instant of the wall clock, which comes rounded up to a second, as it is: results by the clock
/// would come too early.
fn exact(now: Timestamp) -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let clock = Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    if clock <= now && now <= clock.plus(SECOND) { clock } else { now }
}

/// Errors where inputs are to be read as `plain`, and an earlier run was told otherwise.
fn same_formats(plan: &Plan, snapshot: &Snapshot) -> std::result::Result<(), String> {
    let asked = readers(plan).map(|(_, reader)| &reader.stamps.format).next();
    let other = snapshot.schemas.iter().map(|(_, schema)| schema).find(|schema| !schema.is_undecided());
    match (asked, other) {
        (Some(asked), Some(schema)) if !asked.needs_head() => Err(format!(
            "files in it are read as {}, and --format {} is asked for: leave that out, or name another --state",
            schema.name,
            asked.name()
        )),
        _ => Ok(()),
    }
}

/// The aggregator of a plan that follows; the check has seen to it that there is one.
fn aggregator(plan: &Plan) -> Option<&AggregatorPlan> {
    plan.stages.iter().find_map(|stage| match &stage.task {
        Task::BucketAggregator(aggregator) => Some(aggregator),
        _ => None,
    })
}

/// Where the state is kept, if it is.
pub(super) fn state_folder(plan: &Plan, failures: &Failures) -> Result<Option<PathBuf>> {
    let Some(aggregator) = aggregator(plan) else { return Ok(None) };
    let reads_stdin = plan.reads_stdin();
    match &aggregator.live.state {
        StatePlan::None => Ok(None),
        StatePlan::Folder(_) if reads_stdin => {
            Err(Error::usage("standard input cannot be read again from a saved position; leave out --state"))
        }
        StatePlan::Folder(folder) => Ok(Some(folder.clone())),
        StatePlan::Auto if reads_stdin => Ok(None),
        StatePlan::Auto => {
            let Some(root) = state_root() else {
                failures.warn(
                    "no state is kept, as neither XDG_STATE_HOME nor HOME is set: a restart begins anew; give --state",
                );
                return Ok(None);
            };
            let key = Guard::of(question(plan).as_bytes()).hash;
            Ok(Some(root.join(format!("{key:016x}"))))
        }
    }
}

/// The folder in which each configuration has a folder for its state, where none is given. `None`
/// where there is no home.
pub fn state_root() -> Option<PathBuf> {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = given("XDG_STATE_HOME").or_else(|| given("HOME").map(|home| home.join(".local/state")));
    home.map(|home| home.join("logparser"))
}

/// How many files may be held open: as many as the system allows, some left for everything else.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it may not be raised, the limit stays what it is.
    let _ = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::from(u16::MAX));
    usize::try_from(current.saturating_sub(OTHER_DESCRIPTORS).max(LEAST_FILES)).unwrap_or(usize::MAX)
}

/// Says from which byte a file is needed: what is before cannot hold any window, by the declared
/// disorder.
fn beginning(plan: &ReaderPlan, resolved: Resolved) -> Box<Begin> {
    let plan = plan.clone();
    Box::new(move |new: &New, file: &File| {
        let found = sought(&plan, resolved, new.size, file)?;
        (found.reason == Reason::Pruned).then_some(found.from)
    })
}

/// Which bytes of a file that has so many are needed; `None` if it cannot be searched.
pub(super) fn sought(plan: &ReaderPlan, resolved: Resolved, size: u64, file: &File) -> Option<Found> {
    let ReaderPlan { stamps, max_line, .. } = plan;
    let wanted = Wanted { first: resolved.bounds.keep_from, last: Timestamp::MAX, disorder: stamps.lateness };
    let future_after = resolved.bounds.future_after;
    let mut head = vec![0; if stamps.format.needs_head() { HEAD_BYTES } else { 0 }];
    let read = file.read_at(&mut head, 0).ok()?;
    let rules = stamps.format.bind(&Head::of(&head[..read], false), future_after, *max_line).ok()?;
    if !rules.schema.is_written_in_order() || !is_uniform(file, size, &rules).ok()? {
        return None;
    }
    let stamps = FormatStamps { rules, future_after };
    seek(&|at, into| file.read_at(into, at), size, &wanted, &stamps).ok()
}
