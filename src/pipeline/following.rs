//! What a run that follows its inputs has in addition: a state to go on from, files that come and
//! go, a keeper and a saver beside the aggregator.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::context::RunContext;
use super::probe::FormatStamps;
use super::reading::Part;
use super::resolve::Resolved;
use super::saved::restored;

use crate::actor::Permits;
use crate::config::{AggregatorPlan, FilterPlan, FollowPlan, Plan, ReaderPlan, StatePlan, Task, TriggerPlan};
use crate::config::{fingerprint, question};
use crate::error::{Error, Result};
use crate::model::time::Clock;
use crate::model::time::SECOND;
use crate::model::{Grid, Guard, InputId, Timestamp};
use crate::ops::close::{Closer, Windows};
use crate::ops::progress::Progress;
use crate::ops::sequence::Sequencer;
use crate::output::rejects::RejectsFile;
use crate::source::follow::{Events, FileRecords, FollowOptions, Follower, New};
use crate::source::seek::{Reason, Wanted, seek};
use crate::stage::abreast::Abreast;
use crate::stage::aggregator::Counting;
use crate::stage::aggregator::following::header::{Delays, Header};
use crate::stage::aggregator::following::keeper::Keeper;
use crate::stage::aggregator::following::saver::Saver;
use crate::stage::aggregator::following::trouble::Trouble;
use crate::stage::aggregator::following::windows::Windows as LiveWindows;
use crate::stage::aggregator::following::{self, Live};
use crate::stage::follow::{Begin, Following};
use crate::state::Store;
use crate::tally::{Budget, Tally};

/// Descriptors that are left for everything but followed files.
const OTHER_DESCRIPTORS: u64 = 64;

/// The fewest files that are held open.
const LEAST_FILES: u64 = 8;

/// What the parts of a following run have in common.
pub(super) struct Follow {
    /// How far inputs are counted; also told of new ones.
    pub progress: Arc<Mutex<Progress>>,
    /// What was saved.
    restored: Option<Restored>,
    store: Option<Store>,
    fingerprint: String,
    /// The files, once there is a reader.
    files: Arc<FileRecords>,
    started: (Timestamp, Instant),
    abreast: Arc<Abreast>,
}

struct Restored {
    header: Header,
    tally: Tally,
}

impl Follow {
    /// Opens the state, and reads it if there is one. Errors if it cannot be used: it is never
    /// passed over.
    pub fn open(plan: &Plan, context: &RunContext, now: Timestamp) -> Result<Self> {
        let fingerprint = fingerprint(plan);
        let stdin = plan.reads_stdin();
        let mut follow = Follow {
            progress: Arc::new(Mutex::new(Progress::following(None)?)),
            restored: None,
            store: None,
            fingerprint,
            files: Arc::default(),
            started: (exact(now), Instant::now()),
            abreast: Arc::default(),
        };
        if stdin {
            follow.progress.lock().register(InputId(0));
        }
        let Some(aggregator) = aggregator(plan) else { return Ok(follow) };
        let Some(folder) = state_folder(plan, aggregator, context)? else { return Ok(follow) };
        let mut store = Store::open(&folder)?;
        if let Some(mut loaded) = store.load(&follow.fingerprint)? {
            if let Some(text) = &loaded.warning {
                context.failures.warn(text);
            }
            let budget = Arc::new(budget(plan, aggregator));
            let (header, tally) = loaded.read(|decoder| restored(&follow.fingerprint, decoder, budget))?;
            let restored = Restored { header, tally };
            let progress = Progress::following(Some(restored.header.progress.clone()))?;
            follow.progress = Arc::new(Mutex::new(progress));
            follow.restored = Some(restored);
        }
        follow.store = Some(store);
        Ok(follow)
    }

    /// What of the plan is still to be read.
    pub fn part(&self) -> Part {
        let header = self.restored.as_ref().map(|restored| &restored.header);
        header.map_or(Part::All, |header| Part::Rest(header.grid, header.bounds))
    }

    /// The inputs of a time-filter that go on, with the highest stamps that were seen of each.
    pub fn sequencer<T>(&self) -> Sequencer<T> {
        let inputs = self.restored.iter().flat_map(|restored| &restored.header.progress.inputs);
        Sequencer::resumed(inputs.map(|(id, position)| (*id, position.peaks)))
    }

    /// The follower of a reader's files; they are looked for and announced before anything is read.
    pub fn following(
        &mut self,
        plan: &ReaderPlan,
        follow: FollowPlan,
        (filter, resolved): (&FilterPlan, Resolved),
        permits: Permits,
        now: Clock,
        context: &RunContext,
    ) -> Following {
        let options = FollowOptions {
            locations: plan.of_files().cloned().collect(),
            chunk: plan.chunk,
            max_line: plan.max_line,
            rotate_wait: follow.rotate_wait,
            idle: follow.idle,
            open_files: open_files(),
            listing: context.listing.clone(),
        };
        let header = self.restored.as_ref().map(|restored| &restored.header);
        let (saved, next) = header.map_or((Vec::new(), 0), |header| (header.files.clone(), header.next_input));
        for file in &saved {
            context.names.set(file.id, crate::model::escape::printable(&file.name).into_owned());
        }
        // Number 0 is that of standard input, if it is read.
        let mut follower = Follower::new(options, saved, next.max(1));
        follower.pass_over(header.map_or_else(Vec::new, |header| header.passed_over.clone()));
        self.files = follower.records();
        let (events, warning) = Events::new(&follower.directories());
        warning.into_iter().for_each(|text| context.failures.warn(&text));
        let progress = Arc::clone(&self.progress);
        let mut following = Following {
            follower,
            events,
            begin: beginning(filter, resolved, plan.max_line),
            prune_above: plan.scan.above(),
            register: Box::new(move |id| progress.lock().register(id)),
            permits,
            buffers: Default::default(),
            now,
            future: filter.future,
            max_line: plan.max_line,
            stop: context.stop.clone(),
            progress: Arc::clone(&context.progress),
            failures: Arc::clone(&context.failures),
            names: Arc::clone(&context.names),
            format: filter.format.clone(),
            begun: HashMap::new(),
            clock: header.map_or(Duration::ZERO, |header| header.clock),
            pace: Duration::ZERO,
            abreast: Arc::clone(&self.abreast),
            sent: 0,
        };
        following.follower.records().set_clock(following.clock);
        following.scan(true);
        following
    }

    /// The tally and the connections without a pair that go on, if there are any.
    pub fn take_tally(&mut self) -> Option<(Tally, u64)> {
        let Restored { header, tally } = self.restored.as_mut()?;
        Some((std::mem::replace(tally, Tally::new(tally.shape(), Arc::default())), header.balance().overflowed))
    }

    /// What the workers of an aggregator share with its keeper and its saver. `late` is where lines
    /// go that come too late for their windows.
    pub fn live(
        &self,
        plan: &AggregatorPlan,
        grid: Grid,
        counting: Arc<Counting>,
        late: Option<Arc<RejectsFile>>,
    ) -> Arc<Live> {
        let saved = self.restored.as_ref().map(|restored| restored.header.windows.clone());
        let buckets = Windows::Every(grid).buckets(plan.grouping);
        let closer = Closer::new(grid, buckets, plan.needs_previous).with_max_gap(plan.max_gap);
        let windows = LiveWindows::new(closer, plan.live.grace, saved);
        let trigger = match plan.live.trigger {
            TriggerPlan::Event => following::Trigger::Event,
            TriggerPlan::Clock => following::Trigger::Clock,
        };
        Live::new(counting, windows, trigger, Arc::clone(&self.abreast), late)
    }

    /// The keeper of an aggregator, and its saver if there is a state.
    pub fn attendants(
        &mut self,
        plan: &Plan,
        aggregator: &AggregatorPlan,
        live: &Arc<Live>,
        (grid, resolved): (Grid, Resolved),
        context: &RunContext,
    ) -> (Keeper, Option<Saver>) {
        let files_are_followed = plan.stages.iter().any(|stage| match &stage.task {
            Task::Reader(reader) => reader.of_files().next().is_some(),
            _ => false,
        });
        let saver = self.store.take().map(|store| Saver {
            live: Arc::clone(live),
            store,
            fingerprint: self.fingerprint.clone(),
            delays: Delays { lateness: aggregator.lateness(), grace: aggregator.live.grace },
            interval: aggregator.live.checkpoint,
            grid,
            bounds: (resolved.bounds.keep_from, resolved.bounds.first),
            files: Arc::clone(&self.files),
            names: Arc::clone(&context.names),
            failures: Arc::clone(&context.failures),
            stop: context.stop.clone(),
            trouble: Trouble::default(),
        });
        let keeper = Keeper {
            live: Arc::clone(live),
            started: self.started,
            ends: !files_are_followed,
            saves: saver.is_some(),
            first: resolved.bounds.first,
            stop_timeout: aggregator.live.stop_timeout,
            files: Arc::clone(&self.files),
            names: Arc::clone(&context.names),
            failures: Arc::clone(&context.failures),
            stop: context.stop.clone(),
        };
        (keeper, saver)
    }
}

/// An instant of the wall clock, which comes rounded up to a second, as it is: results by the clock
/// would come too early.
fn exact(now: Timestamp) -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let clock = Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    if clock <= now && now <= clock.plus(SECOND) { clock } else { now }
}

/// The aggregator of a plan that follows; the check has seen to it that there is one.
fn aggregator(plan: &Plan) -> Option<&AggregatorPlan> {
    plan.stages.iter().find_map(|stage| match &stage.task {
        Task::BucketAggregator(aggregator) => Some(aggregator),
        _ => None,
    })
}

/// An empty tally of an aggregator.
pub(super) fn new_tally(plan: &Plan, aggregator: &AggregatorPlan, windows: Windows) -> Tally {
    let buckets = windows.buckets(aggregator.grouping);
    let kept = aggregator.lateness().saturating_add(aggregator.live.grace);
    Tally::new(windows.shape(&buckets, kept), Arc::new(budget(plan, aggregator)))
}

/// The bytes that the tally of an aggregator may take.
fn budget(plan: &Plan, aggregator: &AggregatorPlan) -> Budget {
    Budget::new(aggregator.max_memory.map(|bytes| plan.tally_bytes(bytes)))
}

/// Where the state is kept, if it is.
fn state_folder(plan: &Plan, aggregator: &AggregatorPlan, context: &RunContext) -> Result<Option<PathBuf>> {
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
                context.failures.warn(
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
fn beginning(filter: &FilterPlan, resolved: Resolved, max_line: usize) -> Box<Begin> {
    let wanted = Wanted { first: resolved.bounds.keep_from, last: Timestamp::MAX, disorder: filter.lateness };
    let stamps = FormatStamps { rules: filter.format.bind(max_line), future_after: resolved.bounds.future_after };
    Box::new(move |new: &New, file: &File| {
        let found = seek(&|at, into| file.read_at(into, at), new.size, &wanted, &stamps).ok()?;
        (found.reason == Reason::Pruned).then_some(found.from)
    })
}
