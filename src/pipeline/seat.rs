//! Where a stage stands while a plan is wired: the edges around it, and how its workers are
//! started.
//!
//! Not here: which stages there are (`wire`), and what a course makes of them (`course`).
//! Invariant: only workers hold ports once all are started, so that an inbox closes when nobody
//! feeds it.

use std::sync::Arc;

use super::context::RunContext;
use super::reading::Reading;
use crate::actor::{Countdown, Gauge, Inbox, Outlet, Pool, Port, Stop, Transform, drive, edge};
use crate::batch::{Chunk, Lines, Records};
use crate::config::{Plan, StagePlan, Task};
use crate::error::{Error, Result};
use crate::metrics::StageMetrics;
use crate::model::time::Clock;
use crate::stage::aggregator::Closed;

/// Starts the workers of one stage.
pub(super) type Starter = Box<dyn FnOnce(&mut Pool) -> Result<()>>;

/// What all stages of a run are wired from.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub plan: &'a Plan,
    /// What is read.
    pub reading: &'a Reading,
    pub context: &'a RunContext,
    pub now: &'a Clock,
}

/// The edge in front of a stage.
pub(super) enum Edge {
    /// Readers have none.
    None,
    Chunks(Port<Arc<Chunk>>, Inbox<Arc<Chunk>>),
    Lines(Port<Arc<Lines>>, Inbox<Arc<Lines>>),
    Records(Port<Arc<Records>>, Inbox<Arc<Records>>),
    Closed(Port<Arc<Closed>>, Inbox<Arc<Closed>>),
}

impl Edge {
    /// That in front of a stage.
    pub fn before(stage: &StagePlan, stop: &Stop) -> Self {
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

    /// Tells how many batches wait.
    pub fn gauge(&self) -> Option<Gauge> {
        match self {
            Edge::None => None,
            Edge::Chunks(_, inbox) => Some(inbox.gauge()),
            Edge::Lines(_, inbox) => Some(inbox.gauge()),
            Edge::Records(_, inbox) => Some(inbox.gauge()),
            Edge::Closed(_, inbox) => Some(inbox.gauge()),
        }
    }
}

/// A stage and where it stands.
pub(super) struct Seat<'a> {
    pub ground: Ground<'a>,
    pub at: usize,
    pub stage: &'a StagePlan,
    pub edges: &'a [Edge],
    pub metrics: Arc<StageMetrics>,
}

impl Seat<'_> {
    /// The way out to all stages that this one feeds.
    pub fn outlet<T: Clone>(&self, port: impl Fn(&Edge) -> Option<Port<T>>) -> Outlet<T> {
        let fed = self.ground.plan.stages.iter().enumerate().filter(|(_, stage)| stage.inputs.contains(&self.at));
        Outlet::new(fed.filter_map(|(to, _)| port(&self.edges[to])).collect(), Arc::clone(&self.metrics))
    }

    /// Of a stage that feeds none.
    pub fn no_outlet<T: Clone>(&self) -> Outlet<T> {
        Outlet::new(Vec::new(), Arc::clone(&self.metrics))
    }

    /// Starts the workers of a stage that has an inbox.
    pub fn start<T: Transform>(
        &self,
        point: &'static str,
        inbox: Inbox<T::In>,
        outlet: Outlet<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Starter {
        self.start_some(self.stage.threads.get(), point, inbox, outlet, worker)
    }

    /// Starts so many of them.
    pub fn start_some<T: Transform>(
        &self,
        threads: usize,
        point: &'static str,
        inbox: Inbox<T::In>,
        outlet: Outlet<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Starter {
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
}

/// A plan that was not checked.
pub(super) fn misfit(stage: &StagePlan) -> Error {
    Error::usage(format!("stage '{}' does not fit the stages that feed it", stage.name))
}
