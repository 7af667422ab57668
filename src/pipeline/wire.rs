//! A plan to running threads: all edges first, then the stages from top to bottom.
//!
//! Not here: what depends on whether inputs end (`course`).

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::course::{AGGREGATOR, CountedInto, Course, EveryWindow, Readers, ResultOrder};
use super::observed::{Observed, Post};
use super::prune::pruned_or_warn;
use super::reading::Reading;
use super::resolve::{Resolved, filter_before};
use super::seat::{Edge, Ground, Seat, Starter};
use super::targets::{FilterFiles, Targets};
use crate::actor::{Inbox, Permits, Pool};
use crate::batch::{Chunk, Lines, Records};
use crate::config::{AggregatorPlan, FilterPlan, ReaderPlan, ReporterPlan, StagePlan, Task};
use crate::error::{Error, Result};
use crate::metrics::StageMetrics;
use crate::model::{InputId, Stamps, Timestamp};
use crate::ops::close::Windows;
use crate::ops::history::History;
use crate::output::destination::Destination;
use crate::output::rejects::RejectsFile;
use crate::output::target::Reopen;
use crate::source::{Cursor, Pruned};
use crate::stage::aggregator::once::{self, Once};
use crate::stage::aggregator::{Aggregator, Closed, Counting, Peek};
use crate::stage::firsts::Firsts;
use crate::stage::reporter::Kept;
use crate::stage::schedule::{OpenInput, ReadOrder, Schedule};
use crate::stage::stats::Stats;
use crate::stage::{filter, read, reader, reporter, splitter};

/// What is asked of the stages while they run, and after.
#[derive(Default)]
pub(super) struct RunParts {
    pub metrics: Vec<(String, Arc<StageMetrics>)>,
    pub filters: Vec<(String, Arc<filter::FilterShared>)>,
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

/// A plan that is wired: what it stands on, and where windows are kept in place of reports on them.
pub(super) struct Wiring<'a> {
    pub ground: Ground<'a>,
    pub kept: Option<Kept>,
}

impl Wiring<'_> {
    /// Wires and starts everything.
    pub fn wire(&self, mut targets: Targets, course: &mut dyn Course, pool: &mut Pool) -> Result<RunParts> {
        let Ground { plan, reading, context, .. } = self.ground;
        let Reading { inputs, windows, pruned } = reading;
        let edges: Vec<Edge> = plan.stages.iter().map(|stage| Edge::before(stage, &context.stop)).collect();
        let portions = inputs.by_reader.values().flatten().map(|&id| Portion {
            id,
            path: inputs.all[id.0 as usize].path().to_owned(),
            pruned: pruned.get(&id).cloned(),
        });
        let mut parts = RunParts { portions: portions.collect(), ..RunParts::default() };
        let mut starts: Vec<Starter> = Vec::new();
        for (at, stage) in plan.stages.iter().enumerate() {
            let metrics = Arc::<StageMetrics>::default();
            parts.metrics.push((stage.name.clone(), Arc::clone(&metrics)));
            parts.observed.stages.push(Post::new(stage, edges[at].gauge(), Arc::clone(&metrics)));
            let seat = Seat { ground: self.ground, at, stage, edges: &edges, metrics };
            let mut stage_of = StageWiring { seat, course, parts: &mut parts };
            starts.push(match (&stage.task, &edges[at]) {
                (Task::Reader(reader), _) => stage_of.reader(reader),
                (Task::LineSplitter, Edge::Chunks(_, inbox)) => stage_of.splitter(inbox.clone()),
                (Task::TimeFilter(filter), Edge::Lines(_, inbox)) => {
                    let files = targets.filters.get(&at).cloned().unwrap_or_default();
                    let resolved = windows[at].ok_or_else(|| Error::usage("a time-filter has no window"))?;
                    stage_of.filter(filter, files, resolved, inbox.clone())
                }
                (Task::BucketAggregator(aggregator), Edge::Records(_, inbox)) => {
                    let (_, _, resolved) = filter_before(plan, at, windows).ok_or_else(|| misfit(stage))?;
                    let late = plan.upstream(at).into_iter().find_map(|at| targets.filters.get(&at)?.late.clone());
                    stage_of.aggregator(aggregator, (resolved, late), inbox.clone())
                }
                (Task::Reporter(reporter), Edge::Closed(_, inbox)) => {
                    let outputs = targets.reporters.remove(&at).unwrap_or_default();
                    let reopen = targets.reopen.clone();
                    stage_of.reporter(reporter, (outputs, reopen), inbox.clone(), self.kept.clone())
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

/// One stage that is wired.
struct StageWiring<'a> {
    seat: Seat<'a>,
    course: &'a mut dyn Course,
    /// What is asked of the stages that are wired so far.
    parts: &'a mut RunParts,
}

impl StageWiring<'_> {
    fn reader(&mut self, plan: &ReaderPlan) -> Starter {
        let Ground { plan: whole, reading, context, .. } = self.seat.ground;
        let Reading { inputs, windows, pruned } = reading;
        let filter = whole.filter_behind(self.seat.at);
        let order = if plan.by_time { ReadOrder::ByTime } else { ReadOrder::OneByOne };
        let ids = inputs.by_reader.get(&self.seat.at).cloned().unwrap_or_default();
        let cursors = ids.iter().map(|&id| {
            let input = &inputs.all[id.0 as usize];
            let pruned = pruned.get(&id).and_then(|pruned| pruned_or_warn(pruned, &input.name, &context.failures));
            let cursor = Cursor::new(input.clone(), plan.chunk, plan.max_line);
            OpenInput::new(id, cursor, inputs.rules[id.0 as usize].clone(), pruned)
        });
        let Readers { permits, threads, following, present } = self.course.readers(&self.seat);
        self.parts.permits.push(permits.clone());
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
        let outlet = self.seat.outlet(|edge| match edge {
            Edge::Chunks(port, _) => Some(port.clone()),
            _ => None,
        });
        let name = self.seat.stage.name.clone();
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

    fn splitter(&self, inbox: Inbox<Arc<Chunk>>) -> Starter {
        let outlet = self.seat.outlet(|edge| match edge {
            Edge::Lines(port, _) => Some(port.clone()),
            _ => None,
        });
        let ends = crate::model::recycle::BufferPool::default();
        self.seat.start("line-splitter", inbox, outlet, move || splitter::Splitter::new(ends.clone()))
    }

    fn filter(
        &mut self,
        plan: &FilterPlan,
        FilterFiles { rejects, late }: FilterFiles,
        resolved: Resolved,
        inbox: Inbox<Arc<Lines>>,
    ) -> Starter {
        let keep = match (resolved.windows, plan.range) {
            (Windows::Every(grid), crate::config::Range::Every { lateness, .. }) => {
                let list = rejects.is_some() || late.is_some();
                let (bounds, keep_gaps) = (resolved.bounds, plan.needs_previous);
                let (max_jump, grace) = (plan.max_jump, plan.grace);
                let history = History { bounds, grid, lateness, max_jump, grace, keep_gaps, list };
                filter::Keep::Every(Box::new(history), Mutex::new(self.course.sequencer()))
            }
            _ => filter::Keep::Once(resolved.bounds),
        };
        let (names, pool) = (Arc::clone(&self.seat.ground.context.names), Default::default());
        let stats = plan.stats.then(|| Stats::new(resolved.bounds.future_after));
        let passed = Mutex::new(Stamps::none());
        let shared = Arc::new(filter::FilterShared {
            keep,
            rejects,
            late,
            names,
            pool,
            stats,
            passed,
            firsts: Firsts::default(),
        });
        self.parts.filters.push((self.seat.stage.name.clone(), Arc::clone(&shared)));
        let outlet = self.seat.outlet(|edge| match edge {
            Edge::Records(port, _) => Some(port.clone()),
            _ => None,
        });
        self.seat.start("time-filter", inbox, outlet, move || filter::FilterWorker::new(Arc::clone(&shared)))
    }

    fn aggregator(
        &mut self,
        plan: &AggregatorPlan,
        (resolved, late): (Resolved, Option<Arc<RejectsFile>>),
        inbox: Inbox<Arc<Records>>,
    ) -> Starter {
        let windows = resolved.windows;
        let CountedInto { tally, progress } = self.course.counted(&self.seat, plan, windows);
        let (buckets, threads) = (windows.buckets(plan.grouping), self.seat.stage.threads.get());
        let counting = Counting::new(buckets, tally, threads, plan.memory_policy, progress);
        let peek = || Arc::new(Peek::new(Arc::clone(&counting), windows, plan.needs_previous));
        let peek = self.seat.ground.context.peek.then(peek);
        let outlet = self.seat.outlet(|edge| match edge {
            Edge::Closed(port, _) => Some(port.clone()),
            _ => None,
        });
        let mut aggregator = Aggregator { counting: Arc::clone(&counting), peek: peek.clone(), live: None };
        let start = match windows {
            Windows::Once(window) => {
                let once = Once::new(counting, window, plan.needs_previous, peek);
                self.seat.start(AGGREGATOR, inbox, outlet, move || once::OnceWorker::new(Arc::clone(&once)))
            }
            Windows::Every(grid) => {
                let every = EveryWindow { grid, resolved, counting, peek, late, inbox, outlet };
                let (start, live) = self.course.every(&self.seat, plan, every);
                aggregator.live = live;
                start
            }
        };
        self.parts.aggregators.push((self.seat.stage.name.clone(), aggregator));
        start
    }

    fn reporter(
        &mut self,
        plan: &ReporterPlan,
        (outputs, reopen): (Vec<Destination>, Option<Arc<Reopen>>),
        inbox: Inbox<Arc<Closed>>,
        kept: Option<Kept>,
    ) -> Starter {
        let Ground { plan: whole, reading, context, .. } = self.seat.ground;
        let before = filter_before(whole, self.seat.at, &reading.windows);
        let range = before.map(|(_, filter, resolved)| resolved.range(filter)).unwrap_or_default();
        let nothing = before.and_then(|before| self.course.nothing(&self.seat, before, &self.parts.filters));
        let ResultOrder { first, workers } = self.course.results(&self.seat);
        let reports: Vec<_> =
            plan.reports.iter().map(|report| (report.entry.clone(), report.options.clone())).collect();
        let fed_by = self.seat.stage.inputs.first().map_or("", |&from| whole.stages[from].name.as_str());
        let aggregator = self.parts.aggregators.iter().find(|(name, _)| name == fed_by);
        let counting = aggregator.map(|(_, aggregator)| Arc::clone(&aggregator.counting));
        let shared = Arc::new(reporter::ReporterShared {
            searches: reporter::ReporterShared::searches(&reports),
            reports,
            threads: self.seat.stage.threads,
            desk: Mutex::new(reporter::Desk::new(outputs, context.listener.clone(), first)),
            reopen,
            written: Condvar::new(),
            stop: context.stop.clone(),
            kept,
            range,
            nothing,
            missed: Mutex::default(),
            counting,
        });
        self.parts.observed.reporters.push((fed_by.to_owned(), Arc::clone(&shared)));
        let worker = move || reporter::Reporter::new(Arc::clone(&shared));
        self.seat.start_some(workers, "reporter", inbox, self.seat.no_outlet(), worker)
    }
}

/// A plan that was not checked.
fn misfit(stage: &StagePlan) -> Error {
    Error::usage(format!("stage '{}' does not fit the stages that feed it", stage.name))
}
