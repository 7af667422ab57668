//! A plan to running threads: all edges first, then the stages from top to bottom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use parking_lot::{Condvar, Mutex, RwLock};

use super::builder::Environment;
use super::follow::{Follow, new_tally};
use super::inputs::Inputs;
use super::nothing::Nothing;
use super::observe::{Observed, Post};
use super::prune::prune;
use super::range::ranged;
use super::resolve::{Resolved, filter_before, resolve};
use super::run::Portion;
use super::targets::{FilterFiles, Targets};
use crate::actor::{Countdown, Gauge, Inbox, LatestOutlet, Outlet, Permits, Pool, Port, Stop, Transform, drive, edge};
use crate::config::{AggregatorPlan, FilterPlan, Plan, ReaderPlan, ReporterPlan, StagePlan, Task};
use crate::error::{Error, Result};
use crate::metrics::{Progress, StageMetrics};
use crate::model::{Balance, Chunk, InputId, Lines, Records, Stamps, Timestamp, Units};
use crate::ops::close::{Closer, Windows};
use crate::ops::history::History;
use crate::ops::progress;
use crate::output::Tell;
use crate::output::destination::Destination;
use crate::output::target::Reopen;
use crate::source::seek::Reason;
use crate::source::{Cursor, Listing, Order, Pruned, Schedule};
use crate::stage::firsts::Firsts;
use crate::stage::peek::Peek;
use crate::stage::reporter::Kept;
use crate::stage::stats::Stats;
use crate::stage::{Closed, Failures, InputNames, aggregator, filter, reader, reporter, skip, splitter};

/// What every stage may need of the run.
pub(super) struct Wired {
    pub stop: Stop,
    pub progress: Arc<Progress>,
    pub failures: Arc<Failures>,
    pub names: Arc<InputNames>,
    pub listing: Listing,
    pub peek: bool,
}

/// What is asked of the stages while they run, and after.
#[derive(Default)]
pub(super) struct Parts {
    pub metrics: Vec<(String, Arc<StageMetrics>)>,
    pub filters: Vec<(String, Arc<filter::Shared>)>,
    pub aggregators: Vec<(String, Arc<aggregator::Shared>)>,
    pub permits: Vec<Permits>,
    pub observed: Observed,
    pub portions: Vec<Portion>,
}

/// Starts the workers of one stage.
type Start = Box<dyn FnOnce(&mut Pool) -> Result<()>>;

/// The edge in front of a stage.
enum Edge {
    /// Readers have none.
    None,
    Chunks(Port<Arc<Chunk>>, Inbox<Arc<Chunk>>),
    Lines(Port<Arc<Lines>>, Inbox<Arc<Lines>>),
    Records(Port<Arc<Records>>, Inbox<Arc<Records>>),
    Closed(Port<Arc<Closed>>, Inbox<Arc<Closed>>),
}

/// Wires and starts everything.
pub(super) fn wire(
    plan: &Plan,
    mut environment: Environment,
    mut inputs: Inputs,
    wired: &Wired,
    pool: &mut Pool,
) -> Result<Parts> {
    let (now, range, kept) = (environment.now, environment.range.take(), environment.kept.take());
    let mut follow = if plan.follows() { Some(Follow::open(plan, wired, now())?) } else { None };
    let tell: Arc<dyn Tell> = Arc::clone(&wired.failures) as Arc<dyn Tell>;
    let mut targets = Targets::open(plan, &inputs, environment, &tell)?;
    let mut resolved = resolve_all(plan, now(), &mut inputs, &wired.stop)?;
    if let Some(follow) = &follow {
        follow.adjust(&mut resolved);
    }
    let pruned = match &range {
        Some(range) => ranged(plan, &inputs, range)?,
        None => prune(plan, &resolved, &inputs),
    };
    let edges: Vec<Edge> = plan.stages.iter().map(|stage| edge_before(stage, &wired.stop)).collect();
    let portions = inputs.by_reader.values().flatten().map(|&id| Portion {
        id,
        path: inputs.all[id.0 as usize].path(),
        pruned: pruned.get(&id).cloned(),
    });
    let mut parts = Parts { portions: portions.collect(), ..Parts::default() };
    let mut starts: Vec<Start> = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        let metrics = Arc::<StageMetrics>::default();
        parts.metrics.push((stage.name.clone(), Arc::clone(&metrics)));
        parts.observed.stages.push(Post::new(stage, edges[at].gauge(), Arc::clone(&metrics)));
        let mut place =
            Place { plan, at, stage, edges: &edges, metrics, now, kept: kept.clone(), follow: follow.as_mut() };
        starts.push(match (&stage.task, &edges[at]) {
            (Task::Reader(reader), _) => place.reader(reader, &inputs, &resolved, &pruned, wired, &mut parts),
            (Task::LineSplitter, Edge::Chunks(_, inbox)) => place.splitter(inbox.clone()),
            (Task::TimeFilter(filter), Edge::Lines(_, inbox)) => {
                let files = targets.filters.remove(&at).unwrap_or_default();
                place.filter(filter, files, resolved_at(&resolved, at)?, wired, inbox.clone(), &mut parts)
            }
            (Task::BucketAggregator(aggregator), Edge::Records(_, inbox)) => {
                let filter = plan.upstream(at).into_iter().find_map(|at| resolved[at]);
                let resolved = filter.ok_or_else(|| misfit(stage))?;
                place.aggregator(aggregator, resolved, &inputs, wired, inbox.clone(), &mut parts)
            }
            (Task::Reporter(reporter), Edge::Closed(_, inbox)) => {
                let outputs = targets.reporters.remove(&at).unwrap_or_default();
                let before = filter_before(plan, at, &resolved);
                let range = before.map(|(_, filter, resolved)| resolved.range(filter)).unwrap_or_default();
                // Of inputs that go on, nobody knows what is still to come.
                let nothing = before
                    .filter(|_| place.follow.is_none())
                    .map(|before| Nothing::before(before, &inputs, &inputs.reaching(plan, at), &parts.filters));
                place.reporter(
                    reporter,
                    (outputs, targets.reopen.clone()),
                    (range, nothing),
                    wired,
                    inbox.clone(),
                    &mut parts,
                )
            }
            _ => return Err(misfit(stage)),
        });
    }
    // Only the workers may hold ports now, or no inbox would ever close.
    drop(edges);
    starts.into_iter().try_for_each(|start| start(pool))?;
    Ok(parts)
}

impl Edge {
    /// Tells how many batches wait.
    fn gauge(&self) -> Option<Gauge> {
        match self {
            Edge::None => None,
            Edge::Chunks(_, inbox) => Some(inbox.gauge()),
            Edge::Lines(_, inbox) => Some(inbox.gauge()),
            Edge::Records(_, inbox) => Some(inbox.gauge()),
            Edge::Closed(_, inbox) => Some(inbox.gauge()),
        }
    }
}

fn edge_before(stage: &StagePlan, stop: &Stop) -> Edge {
    match stage.task {
        Task::Reader(_) => Edge::None,
        Task::LineSplitter => {
            let (port, inbox) = edge(stage.capacity, stop);
            Edge::Chunks(port, inbox)
        }
        Task::TimeFilter(_) => {
            let (port, inbox) = edge(stage.capacity, stop);
            Edge::Lines(port, inbox)
        }
        Task::BucketAggregator(_) => {
            let (port, inbox) = edge(stage.capacity, stop);
            Edge::Records(port, inbox)
        }
        Task::Reporter(_) => {
            let (port, inbox) = edge(stage.capacity, stop);
            Edge::Closed(port, inbox)
        }
    }
}

/// The windows of each time-filter, by its place in the plan.
pub(super) fn resolve_all(
    plan: &Plan,
    now: Timestamp,
    inputs: &mut Inputs,
    stop: &Stop,
) -> Result<Vec<Option<Resolved>>> {
    let mut resolved = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        resolved.push(match &stage.task {
            Task::TimeFilter(filter) => {
                let ids = inputs.reaching(plan, at);
                Some(resolve(filter, now, inputs, &ids, plan.follows(), &|| stop.draining())?)
            }
            _ => None,
        });
    }
    Ok(resolved)
}

/// A stage and where it stands.
struct Place<'a> {
    plan: &'a Plan,
    at: usize,
    stage: &'a StagePlan,
    edges: &'a [Edge],
    metrics: Arc<StageMetrics>,
    now: fn() -> Timestamp,
    /// Where windows are kept in place of reports on them.
    kept: Option<Kept>,
    /// What there is in addition where inputs are followed.
    follow: Option<&'a mut Follow>,
}

impl Place<'_> {
    /// The way out to all stages that this one feeds.
    fn outlet<T: Clone>(&self, port: impl Fn(&Edge) -> Option<Port<T>>) -> Outlet<T> {
        let fed = self.plan.stages.iter().enumerate().filter(|(_, stage)| stage.inputs.contains(&self.at));
        Outlet::new(fed.filter_map(|(to, _)| port(&self.edges[to])).collect(), Arc::clone(&self.metrics))
    }

    /// Starts the workers of a stage that has an inbox.
    fn start<T: Transform>(
        &self,
        point: &'static str,
        inbox: Inbox<T::In>,
        outlet: Outlet<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Start {
        self.start_some(self.stage.threads.get(), point, inbox, outlet, worker)
    }

    fn start_some<T: Transform>(
        &self,
        threads: usize,
        point: &'static str,
        inbox: Inbox<T::In>,
        outlet: Outlet<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Start {
        let name = self.stage.name.clone();
        Box::new(move |pool| {
            let countdown = Countdown::new(threads);
            for _ in 0..threads {
                let (worker, inbox, outlet, countdown) = (worker(), inbox.clone(), outlet.clone(), countdown.clone());
                pool.spawn(&name, move || drive(worker, point, &inbox, outlet, &countdown))?;
            }
            Ok(())
        })
    }

    fn reader(
        &mut self,
        plan: &ReaderPlan,
        inputs: &Inputs,
        resolved: &[Option<Resolved>],
        pruned: &BTreeMap<InputId, Pruned>,
        wired: &Wired,
        parts: &mut Parts,
    ) -> Start {
        let filter = self.plan.stages.iter().enumerate().find_map(|(at, stage)| match &stage.task {
            Task::TimeFilter(filter) if self.plan.upstream(at).contains(&self.at) => Some((at, filter)),
            _ => None,
        });
        let order = if plan.by_time { Order::ByTime } else { Order::OneByOne };
        let ids = inputs.by_reader.get(&self.at).cloned().unwrap_or_default();
        let cursors = ids.iter().map(|&id| {
            let input = &inputs.all[id.0 as usize];
            let pruned = pruned.get(&id).and_then(|pruned| pruned_or_warn(pruned, &input.name, &wired.failures));
            (id, Cursor::new(input.clone(), plan.chunk, plan.max_line), pruned)
        });
        let permits = Permits::new(self.plan.chunk_budget(self.at), &wired.stop);
        parts.permits.push(permits.clone());
        let following = match (plan.follow, &mut self.follow, filter) {
            (Some(options), Some(follow), Some((at, filter))) => resolved[at]
                .map(|resolved| follow.following(plan, options, (filter, resolved), permits.clone(), self.now, wired)),
            _ => None,
        };
        let present = following.as_ref().and(filter).map(|(_, filter)| (self.now, filter.future));
        let shared = Arc::new(reader::Shared {
            schedule: Schedule::new(cursors.collect(), order, plan.chunk),
            permits,
            buffers: Default::default(),
            format: filter.map_or(crate::format::NAMES[0], |(_, filter)| filter.format),
            units: filter.map_or(Units::AUTO, |(_, filter)| filter.units),
            future_after: filter.and_then(|(at, _)| resolved[at]).map_or(Timestamp::MAX, |it| it.bounds.future_after),
            max_jump: filter.map_or(0, |(_, filter)| filter.max_jump),
            max_line: plan.max_line,
            stop: wired.stop.clone(),
            progress: Arc::clone(&wired.progress),
            failures: Arc::clone(&wired.failures),
            present,
        });
        let outlet = self.outlet(|edge| match edge {
            Edge::Chunks(port, _) => Some(port.clone()),
            _ => None,
        });
        let (name, threads) = (self.stage.name.clone(), self.stage.threads.get());
        // Of an input that goes on, only what comes by a stream is read here.
        let threads = if following.is_some() { ids.len() } else { threads };
        let following = following.filter(|_| plan.location.iter().any(|location| location != "-"));
        Box::new(move |pool| {
            if let Some(following) = following {
                let outlet = outlet.clone();
                pool.spawn(&name, move || following.run(outlet))?;
            }
            for _ in 0..threads {
                let (shared, outlet) = (Arc::clone(&shared), outlet.clone());
                pool.spawn(&name, move || reader::run(&shared, outlet))?;
            }
            Ok(())
        })
    }

    fn splitter(&self, inbox: Inbox<Arc<Chunk>>) -> Start {
        let outlet = self.outlet(|edge| match edge {
            Edge::Lines(port, _) => Some(port.clone()),
            _ => None,
        });
        let ends = crate::model::recycle::Pool::default();
        self.start("line-splitter", inbox, outlet, move || splitter::Splitter::new(ends.clone()))
    }

    fn filter(
        &mut self,
        plan: &FilterPlan,
        FilterFiles { rejects, late }: FilterFiles,
        resolved: Resolved,
        wired: &Wired,
        inbox: Inbox<Arc<Lines>>,
        parts: &mut Parts,
    ) -> Start {
        if let Some(follow) = &mut self.follow {
            follow.late.clone_from(&late);
        }
        let keep = match (resolved.windows, plan.range) {
            (Windows::Every(grid), crate::config::Range::Every { lateness, .. }) => {
                let list = rejects.is_some() || late.is_some();
                let (format, units) = (plan.format, plan.units);
                let (bounds, keep_gaps) = (resolved.bounds, plan.needs_previous);
                let (max_jump, grace) = (plan.max_jump, plan.grace);
                let history = History { format, units, bounds, grid, lateness, max_jump, grace, keep_gaps, list };
                let sequencer = self.follow.as_ref().map(|follow| follow.sequencer()).unwrap_or_default();
                filter::Keep::Every(Box::new(history), Mutex::new(sequencer))
            }
            _ => filter::Keep::Once(resolved.bounds),
        };
        let (names, pool) = (Arc::clone(&wired.names), Default::default());
        let stats = plan.stats.then(|| Stats::new(plan.units, resolved.bounds.future_after));
        let passed = Mutex::new(Stamps::none());
        let shared = Arc::new(filter::Shared {
            format: plan.format,
            units: plan.units,
            keep,
            rejects,
            late,
            names,
            pool,
            stats,
            passed,
            firsts: Firsts::default(),
        });
        parts.filters.push((self.stage.name.clone(), Arc::clone(&shared)));
        let outlet = self.outlet(|edge| match edge {
            Edge::Records(port, _) => Some(port.clone()),
            _ => None,
        });
        self.start("time-filter", inbox, outlet, move || filter::Filter::new(Arc::clone(&shared)))
    }

    fn aggregator(
        &mut self,
        plan: &AggregatorPlan,
        resolved: Resolved,
        inputs: &Inputs,
        wired: &Wired,
        inbox: Inbox<Arc<Records>>,
        parts: &mut Parts,
    ) -> Start {
        let windows = resolved.windows;
        let buckets = windows.buckets(plan.grouping);
        let periodic = matches!(windows, Windows::Every(_));
        let closing = match (windows, &self.follow) {
            (Windows::Once(window), _) => aggregator::Closing::Once(window, plan.needs_previous),
            (Windows::Every(grid), Some(follow)) => follow.closing(plan, grid, buckets),
            (Windows::Every(grid), None) => {
                let closer = Closer::new(grid, buckets, plan.needs_previous).with_max_gap(plan.max_gap);
                aggregator::Closing::Every(Box::new(Mutex::new(closer)))
            }
        };
        let restored = self.follow.as_mut().and_then(|follow| follow.take_tally());
        let (tally, overflowed) = restored.unwrap_or_else(|| (new_tally(self.plan, plan, windows), 0));
        let progress = match &self.follow {
            Some(follow) => Arc::clone(&follow.progress),
            None => {
                let inputs = inputs.reaching(self.plan, self.at);
                Arc::new(Mutex::new(progress::Progress::new(inputs, periodic)))
            }
        };
        let before = Balance { overflowed, ..progress.lock().balance().clone() };
        let shared = Arc::new(aggregator::Shared {
            buckets,
            tally: RwLock::new(tally),
            counters: (0..self.stage.threads.get()).map(|_| Mutex::default()).collect(),
            policy: plan.memory_policy,
            store: Mutex::default(),
            overflowed: AtomicU64::new(overflowed),
            before,
            saving: AtomicBool::new(false),
            progress,
            closing,
            peek: wired.peek.then(|| Peek::new(windows, plan.needs_previous)),
            stop: wired.stop.clone(),
            next_worker: AtomicUsize::new(0),
        });
        parts.aggregators.push((self.stage.name.clone(), Arc::clone(&shared)));
        let outlet = self.outlet(|edge| match edge {
            Edge::Closed(port, _) => Some(port.clone()),
            _ => None,
        });
        let (plan_of_all, follow) = (self.plan, self.follow.as_mut());
        let attendants = match (follow, windows) {
            (Some(follow), Windows::Every(grid)) => {
                Some(follow.attendants(plan_of_all, plan, &shared, (grid, resolved), wired))
            }
            _ => None,
        };
        let point = "bucket-aggregator";
        let worker = move || aggregator::Aggregator::new(Arc::clone(&shared));
        let Some((keeper, saver)) = attendants else { return self.start(point, inbox, outlet, worker) };
        // Results come from the keeper; a worker that held a way out too would keep the reporter waiting.
        let workers = self.start(point, inbox, Outlet::new(Vec::new(), Arc::clone(&self.metrics)), worker);
        let name = self.stage.name.clone();
        Box::new(move |pool| {
            workers(pool)?;
            pool.spawn(&name, move || keeper.run(LatestOutlet::new(outlet)))?;
            saver.map_or(Ok(()), |saver| pool.spawn(&name, move || saver.run()))
        })
    }

    fn reporter(
        &self,
        plan: &ReporterPlan,
        (outputs, reopen): (Vec<Destination>, Option<Arc<Reopen>>),
        (range, nothing): (reporter::Range, Option<reporter::Nothing>),
        wired: &Wired,
        inbox: Inbox<Arc<Closed>>,
        parts: &mut Parts,
    ) -> Start {
        let follows = self.follow.is_some();
        let reports: Vec<_> = plan.reports.iter().map(|report| (report.entry, report.options.clone())).collect();
        let fed_by = self.stage.inputs.first().map_or("", |&from| self.plan.stages[from].name.as_str());
        let aggregator =
            parts.aggregators.iter().find(|(name, _)| name == fed_by).map(|(_, shared)| Arc::clone(shared));
        let shared = Arc::new(reporter::Shared {
            searches: reporter::Shared::searches(&reports),
            reports,
            threads: self.stage.threads,
            desk: Mutex::new(reporter::Desk::new(outputs, (!follows).then_some(0))),
            reopen,
            written: Condvar::new(),
            stop: wired.stop.clone(),
            kept: self.kept.clone(),
            range,
            nothing,
            missed: Mutex::default(),
            aggregator,
        });
        parts.observed.reporters.push((fed_by.to_owned(), Arc::clone(&shared)));
        let outlet = Outlet::new(Vec::new(), Arc::clone(&self.metrics));
        // Results that are followed by others come one after the other, from one worker.
        let workers = if follows { 1 } else { self.stage.threads.get() };
        let worker = move || reporter::Reporter::new(Arc::clone(&shared));
        self.start_some(workers, "reporter", inbox, outlet, worker)
    }
}

/// What is skipped of an input, if anything is; a warning if its lines are not sorted as declared.
pub(super) fn pruned_or_warn(pruned: &Pruned, name: &str, failures: &Failures) -> Option<Pruned> {
    if pruned.found.reason == Reason::NotSorted {
        let disorder = pruned.found.extent.map_or(0, |extent| extent.disorder);
        failures.warn(&skip::not_sorted(name, disorder, pruned.disorder));
    }
    (pruned.found.reason == Reason::Pruned).then(|| pruned.clone())
}

fn resolved_at(resolved: &[Option<Resolved>], at: usize) -> Result<Resolved> {
    resolved[at].ok_or_else(|| Error::usage("a time-filter has no window"))
}

/// A plan that was not checked.
fn misfit(stage: &StagePlan) -> Error {
    Error::usage(format!("stage '{}' does not fit the stages that feed it", stage.name))
}
