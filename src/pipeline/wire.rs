//! A plan to running threads: all edges first, then the stages from top to bottom.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::context::RunContext;
use super::following::{Follow, new_tally};
use super::nothing::Nothing;
use super::observed::{Observed, Post};
use super::prune::pruned_or_warn;
use super::reading::Reading;
use super::resolve::{Resolved, filter_before};
use super::targets::{FilterFiles, Targets};
use crate::actor::{Countdown, Gauge, Inbox, LatestOutlet, Outlet, Permits, Pool, Port, Stop, Transform, drive, edge};
use crate::batch::{Chunk, Lines, Records};
use crate::config::{AggregatorPlan, FilterPlan, Plan, ReaderPlan, ReporterPlan, StagePlan, Task};
use crate::error::{Error, Result};
use crate::metrics::StageMetrics;
use crate::model::time::Clock;
use crate::model::{InputId, Stamps, Timestamp};
use crate::ops::close::{Closer, Windows};
use crate::ops::history::History;
use crate::ops::progress::Progress;
use crate::output::destination::Destination;
use crate::output::rejects::RejectsFile;
use crate::output::target::Reopen;
use crate::source::{Cursor, Pruned};
use crate::stage::aggregator::every::Every;
use crate::stage::aggregator::once::Once;
use crate::stage::aggregator::{Aggregator, Closed, Counting, Peek, every, following, once};
use crate::stage::firsts::Firsts;
use crate::stage::reporter::Kept;
use crate::stage::schedule::{OpenInput, ReadOrder, Schedule};
use crate::stage::stats::Stats;
use crate::stage::{filter, read, reader, reporter, splitter};

/// What is asked of the stages while they run, and after.
#[derive(Default)]
pub(super) struct Parts {
    pub metrics: Vec<(String, Arc<StageMetrics>)>,
    pub filters: Vec<(String, Arc<filter::Shared>)>,
    pub aggregators: Vec<(String, Aggregator)>,
    pub permits: Vec<Permits>,
    pub observed: Observed,
    pub portions: Vec<Portion>,
}

/// An input, and what is read of it.
pub(super) struct Portion {
    pub id: InputId,
    pub path: PathBuf,
    /// The bytes that are read, if not all.
    pub pruned: Option<Pruned>,
}

/// The place of aggregators for injected faults.
const AGGREGATOR: &str = "bucket-aggregator";

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

/// What is wired.
pub(super) struct Wiring<'a> {
    pub plan: &'a Plan,
    /// What is read.
    pub reading: &'a Reading,
    pub context: &'a RunContext,
    pub now: Clock,
    /// Where windows are kept in place of reports on them.
    pub kept: Option<Kept>,
}

impl Wiring<'_> {
    /// Wires and starts everything. `follow`: what there is in addition where inputs are followed.
    pub fn wire(&self, mut targets: Targets, mut follow: Option<&mut Follow>, pool: &mut Pool) -> Result<Parts> {
        let (plan, Reading { inputs, windows, pruned }) = (self.plan, self.reading);
        let edges: Vec<Edge> = plan.stages.iter().map(|stage| edge_before(stage, &self.context.stop)).collect();
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
            let mut place = Place { wiring: self, at, stage, edges: &edges, metrics, follow: follow.as_deref_mut() };
            starts.push(match (&stage.task, &edges[at]) {
                (Task::Reader(reader), _) => place.reader(reader, &mut parts),
                (Task::LineSplitter, Edge::Chunks(_, inbox)) => place.splitter(inbox.clone()),
                (Task::TimeFilter(filter), Edge::Lines(_, inbox)) => {
                    let files = targets.filters.get(&at).cloned().unwrap_or_default();
                    let resolved = windows[at].ok_or_else(|| Error::usage("a time-filter has no window"))?;
                    place.filter(filter, files, resolved, inbox.clone(), &mut parts)
                }
                (Task::BucketAggregator(aggregator), Edge::Records(_, inbox)) => {
                    let (_, _, resolved) = filter_before(plan, at, windows).ok_or_else(|| misfit(stage))?;
                    let late = plan.upstream(at).into_iter().find_map(|at| targets.filters.get(&at)?.late.clone());
                    place.aggregator(aggregator, (resolved, late), inbox.clone(), &mut parts)
                }
                (Task::Reporter(reporter), Edge::Closed(_, inbox)) => {
                    let outputs = targets.reporters.remove(&at).unwrap_or_default();
                    place.reporter(reporter, (outputs, targets.reopen.clone()), inbox.clone(), &mut parts)
                }
                _ => return Err(misfit(stage)),
            });
        }
        // Only the workers may hold ports now, or no inbox would ever close.
        drop(edges);
        starts.into_iter().try_for_each(|start| start(pool))?;
        Ok(parts)
    }
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

/// A stage and where it stands.
struct Place<'a> {
    wiring: &'a Wiring<'a>,
    at: usize,
    stage: &'a StagePlan,
    edges: &'a [Edge],
    metrics: Arc<StageMetrics>,
    /// What there is in addition where inputs are followed.
    follow: Option<&'a mut Follow>,
}

impl Place<'_> {
    /// The way out to all stages that this one feeds.
    fn outlet<T: Clone>(&self, port: impl Fn(&Edge) -> Option<Port<T>>) -> Outlet<T> {
        let fed = self.wiring.plan.stages.iter().enumerate().filter(|(_, stage)| stage.inputs.contains(&self.at));
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

    fn reader(&mut self, plan: &ReaderPlan, parts: &mut Parts) -> Start {
        let Wiring { plan: whole, reading, context, ref now, .. } = *self.wiring;
        let Reading { inputs, windows, pruned } = reading;
        let filter = whole.filter_behind(self.at);
        let order = if plan.by_time { ReadOrder::ByTime } else { ReadOrder::OneByOne };
        let ids = inputs.by_reader.get(&self.at).cloned().unwrap_or_default();
        let cursors = ids.iter().map(|&id| {
            let input = &inputs.all[id.0 as usize];
            let pruned = pruned.get(&id).and_then(|pruned| pruned_or_warn(pruned, &input.name, &context.failures));
            let cursor = Cursor::new(input.clone(), plan.chunk, plan.max_line);
            OpenInput::new(id, cursor, inputs.rules[id.0 as usize].clone(), pruned)
        });
        let permits = Permits::new(whole.chunk_budget(self.at), &context.stop);
        parts.permits.push(permits.clone());
        let following = match (plan.follow, &mut self.follow, filter) {
            (Some(options), Some(follow), Some((at, filter))) => windows[at].map(|resolved| {
                follow.following(plan, options, (filter, resolved), permits.clone(), Arc::clone(now), context)
            }),
            _ => None,
        };
        let present = following.as_ref().and(filter).map(|(_, filter)| (Arc::clone(now), filter.future));
        let shared = Arc::new(read::ReaderShared {
            schedule: Schedule::new(cursors.collect(), order, plan.chunk),
            permits,
            buffers: Default::default(),
            future_after: filter.and_then(|(at, _)| windows[at]).map_or(Timestamp::MAX, |it| it.bounds.future_after),
            max_jump: filter.map_or(0, |(_, filter)| filter.max_jump),
            stop: context.stop.clone(),
            progress: Arc::clone(&context.progress),
            failures: Arc::clone(&context.failures),
            present,
        });
        let outlet = self.outlet(|edge| match edge {
            Edge::Chunks(port, _) => Some(port.clone()),
            _ => None,
        });
        let (name, threads) = (self.stage.name.clone(), self.stage.threads.get());
        // Of inputs that go on, only streams are read here.
        let threads = if following.is_some() { ids.len() } else { threads };
        let following = following.filter(|_| plan.of_files().next().is_some());
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
        let ends = crate::model::recycle::BufferPool::default();
        self.start("line-splitter", inbox, outlet, move || splitter::Splitter::new(ends.clone()))
    }

    fn filter(
        &mut self,
        plan: &FilterPlan,
        FilterFiles { rejects, late }: FilterFiles,
        resolved: Resolved,
        inbox: Inbox<Arc<Lines>>,
        parts: &mut Parts,
    ) -> Start {
        let keep = match (resolved.windows, plan.range) {
            (Windows::Every(grid), crate::config::Range::Every { lateness, .. }) => {
                let list = rejects.is_some() || late.is_some();
                let (bounds, keep_gaps) = (resolved.bounds, plan.needs_previous);
                let (max_jump, grace) = (plan.max_jump, plan.grace);
                let history = History { bounds, grid, lateness, max_jump, grace, keep_gaps, list };
                let sequencer = self.follow.as_ref().map(|follow| follow.sequencer()).unwrap_or_default();
                filter::Keep::Every(Box::new(history), Mutex::new(sequencer))
            }
            _ => filter::Keep::Once(resolved.bounds),
        };
        let (names, pool) = (Arc::clone(&self.wiring.context.names), Default::default());
        let stats = plan.stats.then(|| Stats::new(resolved.bounds.future_after));
        let passed = Mutex::new(Stamps::none());
        let shared =
            Arc::new(filter::Shared { keep, rejects, late, names, pool, stats, passed, firsts: Firsts::default() });
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
        (resolved, late): (Resolved, Option<Arc<RejectsFile>>),
        inbox: Inbox<Arc<Records>>,
        parts: &mut Parts,
    ) -> Start {
        let Wiring { plan: whole, reading, context, .. } = *self.wiring;
        let windows = resolved.windows;
        let buckets = windows.buckets(plan.grouping);
        let tally = self.follow.as_mut().and_then(|follow| follow.take_tally());
        let tally = tally.unwrap_or_else(|| (new_tally(whole, plan, windows), 0));
        let progress = match &self.follow {
            Some(follow) => Arc::clone(&follow.progress),
            None => {
                let inputs = reading.inputs.reaching(whole, self.at);
                Arc::new(Mutex::new(Progress::new(inputs, matches!(windows, Windows::Every(_)))))
            }
        };
        let counting = Counting::new(buckets, tally, self.stage.threads.get(), plan.memory_policy, progress);
        let peek = context.peek.then(|| Arc::new(Peek::new(Arc::clone(&counting), windows, plan.needs_previous)));
        let outlet = self.outlet(|edge| match edge {
            Edge::Closed(port, _) => Some(port.clone()),
            _ => None,
        });
        let mut aggregator = Aggregator { counting: Arc::clone(&counting), peek: peek.clone(), live: None };
        let start: Start = match (windows, &mut self.follow) {
            (Windows::Once(window), _) => {
                let once = Once::new(counting, window, plan.needs_previous, peek);
                self.start(AGGREGATOR, inbox, outlet, move || once::Worker::new(Arc::clone(&once)))
            }
            (Windows::Every(grid), None) => {
                let closer = Closer::new(grid, buckets, plan.needs_previous).with_max_gap(plan.max_gap);
                let every = Every::new(counting, closer, peek, context.stop.clone());
                self.start(AGGREGATOR, inbox, outlet, move || every::Worker::new(Arc::clone(&every)))
            }
            (Windows::Every(grid), Some(follow)) => {
                let live = follow.live(plan, grid, counting, late);
                let (keeper, saver) = follow.attendants(whole, plan, &live, (grid, resolved), context);
                aggregator.live = Some(Arc::clone(&live));
                // Results come from the keeper; a worker that held a way out too would keep the
                // reporter waiting.
                let none = Outlet::new(Vec::new(), Arc::clone(&self.metrics));
                let workers = self.start(AGGREGATOR, inbox, none, move || following::Worker::new(Arc::clone(&live)));
                let name = self.stage.name.clone();
                Box::new(move |pool| {
                    workers(pool)?;
                    pool.spawn(&name, move || keeper.run(LatestOutlet::new(outlet)))?;
                    saver.map_or(Ok(()), |saver| pool.spawn(&name, move || saver.run()))
                })
            }
        };
        parts.aggregators.push((self.stage.name.clone(), aggregator));
        start
    }

    fn reporter(
        &self,
        plan: &ReporterPlan,
        (outputs, reopen): (Vec<Destination>, Option<Arc<Reopen>>),
        inbox: Inbox<Arc<Closed>>,
        parts: &mut Parts,
    ) -> Start {
        let Wiring { plan: whole, reading, context, ref kept, .. } = *self.wiring;
        let follows = self.follow.is_some();
        let before = filter_before(whole, self.at, &reading.windows);
        let range = before.map(|(_, filter, resolved)| resolved.range(filter)).unwrap_or_default();
        // Nobody knows what inputs that go on will still give.
        let ids = reading.inputs.reaching(whole, self.at);
        let nothing =
            before.filter(|_| !follows).map(|before| Nothing::before(before, &reading.inputs, &ids, &parts.filters));
        let reports: Vec<_> =
            plan.reports.iter().map(|report| (report.entry.clone(), report.options.clone())).collect();
        let fed_by = self.stage.inputs.first().map_or("", |&from| whole.stages[from].name.as_str());
        let aggregator = parts.aggregators.iter().find(|(name, _)| name == fed_by);
        let counting = aggregator.map(|(_, aggregator)| Arc::clone(&aggregator.counting));
        let shared = Arc::new(reporter::ReporterShared {
            searches: reporter::ReporterShared::searches(&reports),
            reports,
            threads: self.stage.threads,
            desk: Mutex::new(reporter::Desk::new(outputs, context.listener.clone(), (!follows).then_some(0))),
            reopen,
            written: Condvar::new(),
            stop: context.stop.clone(),
            kept: kept.clone(),
            range,
            nothing,
            missed: Mutex::default(),
            counting,
        });
        parts.observed.reporters.push((fed_by.to_owned(), Arc::clone(&shared)));
        let outlet = Outlet::new(Vec::new(), Arc::clone(&self.metrics));
        // Results that are followed by others come one after the other, from one worker.
        let workers = if follows { 1 } else { self.stage.threads.get() };
        let worker = move || reporter::Reporter::new(Arc::clone(&shared));
        self.start_some(workers, "reporter", inbox, outlet, worker)
    }
}

/// A plan that was not checked.
fn misfit(stage: &StagePlan) -> Error {
    Error::usage(format!("stage '{}' does not fit the stages that feed it", stage.name))
}
