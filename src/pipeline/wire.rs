//! A plan to running threads: all edges first, then what stages share, then each stage.
//!
//! Not here: what depends on whether inputs end (`course`), and what a stage has that others look
//! at (`shared_parts`). Invariant: a stage is wired from what was made before any was.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::asked::AskedOfAll;
use super::course::{AGGREGATOR, Course, EveryWindow, Readers, ResultOrder};
use super::observed::{Observed, Post};
use super::prune::{old_warning, pruned_or_warn};
use super::reading::Reading;
use super::resolve::filter_before;
use super::seat::{Edge, Ground, Intake, Seat, Starter, misfit};
use super::shared_parts::{SharedCounts, SharedParts};
use super::targets::Targets;
use crate::actor::{Outlets, Permits, Pool};
use crate::batch::{Chunk, Lines, Records};
use crate::config::{AggregatorPlan, ReaderPlan, Task};
use crate::error::Result;
use crate::metrics::StageMetrics;
use crate::model::{InputId, Timestamp};
use crate::ops::close::Windows;
use crate::output::destination::Destination;
use crate::output::target::Reopen;
use crate::source::seek::Reason;
use crate::source::{Cursor, Pruned};
use crate::stage::aggregator::once::{self, Once};
use crate::stage::aggregator::{Aggregator, Closed, Peek};
use crate::stage::reporter::Kept;
use crate::stage::schedule::{OpenInput, ReadOrder, Schedule};
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
    /// Whether it is a file that is compressed.
    pub is_packed: bool,
    /// The bytes that are read, if not all.
    pub pruned: Option<Pruned>,
}

/// A plan that is wired: what it stands on, what its reporters are asked, and where windows are kept
/// in place of reports on them.
pub(super) struct Wiring<'a> {
    pub ground: Ground<'a>,
    pub asked: AskedOfAll,
    pub kept: Option<Kept>,
}

impl Wiring<'_> {
    /// Wires and starts everything.
    pub fn wire(&self, targets: Targets, course: &mut dyn Course, pool: &mut Pool) -> Result<RunParts> {
        let order: Vec<usize> = (0..self.ground.plan.stages.len()).collect();
        let (parts, starts) = self.wire_in(&order, targets, course)?;
        starts.into_iter().try_for_each(|start| start(pool))?;
        Ok(parts)
    }

    /// Wires the stages in this order, which makes no difference: what one looks at of another is
    /// made before, and what they give is put in the order of the plan.
    fn wire_in(
        &self,
        order: &[usize],
        mut targets: Targets,
        course: &mut dyn Course,
    ) -> Result<(RunParts, Vec<Starter>)> {
        let Ground { plan, context, .. } = self.ground;
        let edges: Vec<Edge> = plan.stages.iter().map(|stage| Edge::before(stage, &context.stop)).collect();
        let shared = SharedParts::new(self.ground, &targets, course)?;
        let reopen = targets.reopen.take();
        let mut wired = BTreeMap::new();
        for &at in order {
            let (stage, metrics) = (&plan.stages[at], Arc::default());
            let seat = Seat { ground: self.ground, at, stage, edges: &edges, metrics };
            let outputs = targets.reporters.remove(&at).unwrap_or_default();
            let of = StageWiring { seat, shared: &shared, asked: &self.asked, reopen: &reopen, kept: &self.kept };
            wired.insert(at, of.wire(outputs, course)?);
        }
        // Only the workers may hold ports now, or no inbox would ever close.
        drop(edges);
        let mut parts = RunParts { portions: self.portions(), ..RunParts::default() };
        let named = |(at, shared): (usize, _)| (plan.stages[at].name.clone(), shared);
        parts.filters = shared.filters.into_iter().map(named).collect();
        let starts = wired.into_iter().map(|(at, stage)| parts.take(&plan.stages[at].name, stage)).collect();
        Ok((parts, starts))
    }

    /// The inputs, and what is read of them.
    fn portions(&self) -> Vec<Portion> {
        let Reading { inputs, pruned, .. } = self.ground.reading;
        let portion = |&id: &InputId| {
            let input = &inputs.all[id.0 as usize];
            Portion {
                id,
                path: input.path().to_owned(),
                is_packed: input.is_packed(),
                pruned: pruned.get(&id).cloned(),
            }
        };
        inputs.by_reader.values().flatten().map(portion).collect()
    }
}

/// A stage that is wired: how it is started, and what is asked of it while it runs.
struct WiredStage {
    start: Starter,
    metrics: Arc<StageMetrics>,
    post: Post,
    part: WiredPart,
}

/// What is asked of a stage of a type, beside what is asked of all.
enum WiredPart {
    Reader(Permits),
    /// Of a time-filter, what its workers share is asked.
    None,
    Aggregator(Aggregator),
    /// With the name of its aggregator.
    Reporter(String, Arc<reporter::ReporterShared>),
}

impl RunParts {
    /// Takes what is asked of the next stage of the plan. What starts it.
    fn take(&mut self, name: &str, stage: WiredStage) -> Starter {
        let WiredStage { start, metrics, post, part } = stage;
        self.metrics.push((name.to_owned(), metrics));
        self.observed.stages.push(post);
        match part {
            WiredPart::Reader(permits) => self.permits.push(permits),
            WiredPart::None => {}
            WiredPart::Aggregator(aggregator) => self.aggregators.push((name.to_owned(), aggregator)),
            WiredPart::Reporter(fed_by, shared) => self.observed.reporters.push((fed_by, shared)),
        }
        start
    }
}

/// One stage, and what it is wired from.
struct StageWiring<'a> {
    seat: Seat<'a>,
    shared: &'a SharedParts,
    asked: &'a AskedOfAll,
    reopen: &'a Option<Arc<Reopen>>,
    kept: &'a Option<Kept>,
}

impl StageWiring<'_> {
    /// Wires it; `outputs` are those of a reporter.
    fn wire(&self, outputs: Vec<Destination>, course: &mut dyn Course) -> Result<WiredStage> {
        let Seat { at, stage, edges, metrics, .. } = &self.seat;
        let misfit = || misfit(stage);
        let (start, part) = match (&stage.task, &edges[*at]) {
            (Task::Reader(reader), _) => self.reader(reader, course),
            (Task::LineSplitter, Edge::Chunks(intake)) => (self.splitter(intake.clone()), WiredPart::None),
            (Task::TimeFilter(_), Edge::Lines(intake)) => {
                let shared = self.shared.filters.get(at).ok_or_else(misfit)?;
                (self.filter(Arc::clone(shared), intake.clone()), WiredPart::None)
            }
            (Task::BucketAggregator(aggregator), Edge::Records(intake)) => {
                let counts = self.shared.aggregators.get(at).ok_or_else(misfit)?;
                self.aggregator(aggregator, counts, intake.clone(), course)
            }
            (Task::Reporter(_), Edge::Closed(intake)) => {
                let asked = self.asked.of(*at).ok_or_else(misfit)?;
                self.reporter(asked, outputs, intake.clone(), course)
            }
            _ => return Err(misfit()),
        };
        let post = Post::new(stage, edges[*at].gauge(), Arc::clone(metrics));
        Ok(WiredStage { start, metrics: Arc::clone(metrics), post, part })
    }

    fn reader(&self, plan: &ReaderPlan, course: &mut dyn Course) -> (Starter, WiredPart) {
        let Ground { reading, context, .. } = self.seat.ground;
        let Reading { inputs, windows, pruned, .. } = reading;
        let order = if plan.by_time { ReadOrder::ByTime } else { ReadOrder::OneByOne };
        let ids = inputs.by_reader.get(&self.seat.at).cloned().unwrap_or_default();
        let is_old = |id: &&InputId| pruned.get(id).is_some_and(|pruned| pruned.found.reason == Reason::Old);
        let old = old_warning(ids.iter().filter(is_old).map(|id| inputs.all[id.0 as usize].name.as_str()));
        old.into_iter().for_each(|text| context.failures.warn(&text));
        let cursors = ids.iter().map(|&id| {
            let input = &inputs.all[id.0 as usize];
            let pruned = pruned.get(&id).and_then(|pruned| pruned_or_warn(pruned, &input.name, &context.failures));
            let cursor = Cursor::new(input.clone(), plan.chunk, plan.max_line);
            let (rules, late) = (inputs.rules[id.0 as usize].clone(), inputs.late[id.0 as usize].clone());
            OpenInput::new(id, cursor, rules, pruned).bound_by(late)
        });
        let Readers { permits, threads, following, present } = course.readers(&self.seat);
        let part = WiredPart::Reader(permits.clone());
        let shared = Arc::new(read::ReaderShared {
            schedule: Schedule::new(cursors.collect(), order, plan.chunk, &context.stop),
            permits,
            buffers: Default::default(),
            future_after: windows[plan.first_filter].map_or(Timestamp::MAX, |it| it.bounds.future_after),
            max_jump: plan.stamps.max_jump,
            stop: context.stop.clone(),
            progress: Arc::clone(&context.progress),
            failures: Arc::clone(&context.failures),
            present,
        });
        let outlets = self.seat.outlets(|edge| match edge {
            Edge::Chunks(intake) => Some(intake),
            _ => None,
        });
        let name = self.seat.stage.name.clone();
        let start: Starter = Box::new(move |pool| {
            if let Some(following) = following {
                let outlet = outlets.open()?;
                pool.spawn(&name, move || following.run(outlet))?;
            }
            outlets.start(&name, threads, pool, move |outlet| reader::run(&shared, outlet))
        });
        (start, part)
    }

    fn splitter(&self, intake: Intake<Arc<Chunk>>) -> Starter {
        let outlets = self.seat.outlets(|edge| match edge {
            Edge::Lines(intake) => Some(intake),
            _ => None,
        });
        let ends = crate::model::recycle::BufferPool::default();
        self.seat.start("line-splitter", intake, outlets, move || splitter::Splitter::new(ends.clone()))
    }

    fn filter(&self, shared: Arc<filter::FilterShared>, intake: Intake<Arc<Lines>>) -> Starter {
        let outlets = self.seat.outlets(|edge| match edge {
            Edge::Records(intake) => Some(intake),
            _ => None,
        });
        self.seat.start("time-filter", intake, outlets, move || filter::FilterWorker::new(Arc::clone(&shared)))
    }

    fn aggregator(
        &self,
        plan: &AggregatorPlan,
        counts: &SharedCounts,
        intake: Intake<Arc<Records>>,
        course: &mut dyn Course,
    ) -> (Starter, WiredPart) {
        let (resolved, late) = (counts.resolved, counts.late.clone());
        let (windows, counting) = (resolved.windows, Arc::clone(&counts.counting));
        let peek = || Arc::new(Peek::new(Arc::clone(&counting), windows, plan.needs_previous));
        let peek = self.seat.ground.context.peek.then(peek);
        let ports = self.seat.ports(|edge| match edge {
            Edge::Closed(intake) => Some(intake),
            _ => None,
        });
        let mut aggregator = Aggregator { counting: Arc::clone(&counting), peek: peek.clone(), live: None };
        let start = match windows {
            Windows::Once(window) => {
                let once = Once::new(counting, window, plan.needs_previous, peek);
                let outlets = Outlets::to(ports, Arc::clone(&self.seat.metrics));
                self.seat.start(AGGREGATOR, intake, outlets, move || once::OnceWorker::new(Arc::clone(&once)))
            }
            Windows::Every(grid) => {
                let every = EveryWindow { grid, resolved, counting, peek, late, intake, ports };
                let (start, live) = course.every(&self.seat, plan, every);
                aggregator.live = live;
                start
            }
        };
        (start, WiredPart::Aggregator(aggregator))
    }

    fn reporter(
        &self,
        asked: Arc<reporter::AskedReports>,
        outputs: Vec<Destination>,
        intake: Intake<Arc<Closed>>,
        course: &dyn Course,
    ) -> (Starter, WiredPart) {
        let Ground { plan: whole, reading, context, .. } = self.seat.ground;
        let before = filter_before(whole, self.seat.at, &reading.windows);
        let range = before.map(|(_, filter, resolved)| resolved.range(filter)).unwrap_or_default();
        let nothing = before.and_then(|before| course.nothing(&self.seat, before, self.shared.filters.get(&before.0)?));
        let ResultOrder { first, workers, issue } = course.results(&self.seat);
        let fed_by = self.seat.stage.inputs.first();
        let counting = fed_by.and_then(|at| Some(Arc::clone(&self.shared.aggregators.get(at)?.counting)));
        let fed_by = fed_by.map_or_else(String::new, |&at| whole.stages[at].name.clone());
        let shared = Arc::new(reporter::ReporterShared {
            asked,
            threads: self.seat.stage.threads,
            desk: Mutex::new(reporter::Desk::new(outputs, context.listener.clone(), first, issue)),
            reopen: self.reopen.clone(),
            written: Condvar::new(),
            stop: context.stop.clone(),
            kept: self.kept.clone(),
            range,
            nothing,
            missed: Mutex::default(),
            counting,
        });
        let part = WiredPart::Reporter(fed_by, Arc::clone(&shared));
        let worker = move || reporter::Reporter::new(Arc::clone(&shared));
        (self.seat.start_some(workers, "reporter", intake, self.seat.no_outlets(), worker), part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;
    use crate::output::Tell;
    use crate::pipeline::context::RunContext;
    use crate::pipeline::inputs::Heads;
    use crate::pipeline::reading::{Part, find};
    use crate::pipeline::to_the_end::ToTheEnd;

    /// Two ways from one reader, one of which counts nothing.
    const FORKED: &str = r#"
        until = "2023-11-14T20:00:00Z"
        [stages.read]
        type = "reader"
        [stages.split]
        type = "line-splitter"
        inputs = ["read"]
        [stages.some]
        type = "time-filter"
        inputs = ["split"]
        seconds = 3600
        [stages.none]
        type = "time-filter"
        inputs = ["split"]
        until = "1971-01-01T00:00:00Z"
        [stages.count-none]
        type = "bucket-aggregator"
        inputs = ["none"]
        [stages.count-some]
        type = "bucket-aggregator"
        inputs = ["some"]
        [stages.tell-none]
        type = "reporter"
        inputs = ["count-none"]
        outputs = ["json:nowhere.jsonl"]
        [stages.tell-some]
        type = "reporter"
        inputs = ["count-some"]
    "#;

    /// All that is asked of a run of it whose stages are wired in an order.
    fn run_of(order: impl Fn(usize) -> Vec<usize>) -> Vec<String> {
        let results = Arc::new(Mutex::new(Vec::new()));
        let take = Arc::clone(&results);
        let pipeline = Pipeline::builder()
            .config_text("forked", FORKED)
            .set("location", "tests/data/conn-1.log")
            .stdout(Box::new(std::io::sink()))
            .on_result(move |result| take.lock().push(format!("{result:?}")))
            .build()
            .unwrap();
        let Pipeline { plan, mut environment } = pipeline;
        let (context, now) = (RunContext::new(&environment), Arc::clone(&environment.now));
        let (inputs, heads) = (find(&plan, &mut environment, &context.failures).unwrap(), Heads::of(&environment));
        let tell: Arc<dyn Tell> = Arc::clone(&context.failures) as Arc<dyn Tell>;
        let targets = Targets::open(&plan, &inputs, (environment, None), &tell).unwrap();
        let inputs = inputs.bind(&plan, &context.failures, &heads).unwrap();
        let reading = Reading::new(&plan, inputs, now(), &context.stop, &Part::All).unwrap();
        let ground = Ground { plan: &plan, reading: &reading, context: &context, now: &now };
        let wiring = Wiring { ground, asked: AskedOfAll::of_none(&plan).unwrap(), kept: None };
        let (parts, starts) = wiring.wire_in(&order(plan.stages.len()), targets, &mut ToTheEnd).unwrap();
        let mut pool = Pool::new(context.stop.clone());
        starts.into_iter().for_each(|start| start(&mut pool).unwrap());
        pool.join();
        let mut all = std::mem::take(&mut *results.lock());
        all.sort();
        assert_eq!(all.len(), 2);
        all.extend(parts.metrics.iter().map(|(name, _)| name.clone()));
        all.extend(parts.filters.iter().map(|(name, filter)| format!("{name}: {:?}", filter.firsts.seen())));
        all.extend(parts.aggregators.iter().map(|(name, it)| format!("{name}: {:?}", it.counting.sheet().0)));
        all.extend(parts.observed.stages.iter().map(|post| format!("{:?}", post.observe())));
        let missed = |(of, reporter): &(String, Arc<reporter::ReporterShared>)| {
            format!("{of}: {:?}, {:?}", *reporter.missed.lock(), reporter.hints())
        };
        all.extend(parts.observed.reporters.iter().map(missed));
        all
    }

    #[test]
    fn the_order_of_wiring_makes_no_difference() {
        let there = run_of(|stages| (0..stages).collect());
        assert!(there.iter().any(|text| text.starts_with("count-none: Some(Missed")), "{there:#?}");
        let back = run_of(|stages| (0..stages).rev().collect());
        assert_eq!(there, back);
    }
}
