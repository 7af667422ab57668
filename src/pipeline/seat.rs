//! Where a stage stands while a plan is wired: the edges around it, and how its workers are
//! started.
//!
//! Not here: which stages there are (`wire`), what a course makes of them (`course`), and which of
//! them are chained (the plan says that, and nothing is asked again). Invariant: only workers hold
//! ports once all are started, so that an inbox closes when nobody feeds it.

use std::sync::Arc;

use super::context::RunContext;
use super::reading::Reading;
use crate::actor::{Coupling, Gauge, Inbox, Outlets, Pool, Port, Stop, Transform, Workers, edge};
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

/// What leads into a stage.
pub(super) enum Edge {
    /// Readers have nothing in front of them.
    None,
    Chunks(Intake<Arc<Chunk>>),
    Lines(Intake<Arc<Lines>>),
    Records(Intake<Arc<Records>>),
    Closed(Intake<Arc<Closed>>),
}

/// How batches come into a stage.
pub(super) enum Intake<T> {
    /// Over a bounded edge, from the workers of others.
    Bounded(Port<T>, Inbox<T>),
    /// From the stage before it, in the same workers.
    Chained(Coupling<T>),
}

impl<T> Intake<T> {
    fn bounded(stage: &StagePlan, stop: &Stop) -> Self {
        let (port, inbox) = edge(stage.capacity, stop);
        Intake::Bounded(port, inbox)
    }

    fn planned(stage: &StagePlan, stop: &Stop) -> Self {
        if stage.chained { Intake::Chained(Coupling::new(stop)) } else { Intake::bounded(stage, stop) }
    }
}

impl<T: Send + 'static> Intake<T> {
    fn gauge(&self) -> Option<Gauge> {
        match self {
            Intake::Bounded(_, inbox) => Some(inbox.gauge()),
            Intake::Chained(_) => None,
        }
    }
}

impl<T> Clone for Intake<T> {
    fn clone(&self) -> Self {
        match self {
            Intake::Bounded(port, inbox) => Intake::Bounded(port.clone(), inbox.clone()),
            Intake::Chained(coupling) => Intake::Chained(coupling.clone()),
        }
    }
}

impl Edge {
    /// That in front of a stage.
    pub fn before(stage: &StagePlan, stop: &Stop) -> Self {
        match stage.task {
            Task::Reader(_) => Edge::None,
            Task::LineSplitter => Edge::Chunks(Intake::planned(stage, stop)),
            Task::TimeFilter(_) => Edge::Lines(Intake::planned(stage, stop)),
            Task::BucketAggregator(_) => Edge::Records(Intake::planned(stage, stop)),
            Task::Reporter(_) => Edge::Closed(Intake::bounded(stage, stop)),
        }
    }

    /// Tells how many batches wait.
    pub fn gauge(&self) -> Option<Gauge> {
        match self {
            Edge::None => None,
            Edge::Chunks(intake) => intake.gauge(),
            Edge::Lines(intake) => intake.gauge(),
            Edge::Records(intake) => intake.gauge(),
            Edge::Closed(intake) => intake.gauge(),
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
    /// The ways out of its workers to what it feeds, whose edges `pick` picks: into the one stage
    /// that is chained to it, or over edges.
    pub fn outlets<T: Clone>(&self, pick: impl Fn(&Edge) -> Option<&Intake<T>>) -> Outlets<T> {
        let chained = self.fed(&pick).find_map(|intake| match intake {
            Intake::Chained(coupling) => Some(coupling.clone()),
            Intake::Bounded(..) => None,
        });
        match chained {
            Some(coupling) => Outlets::into_chain(coupling, Arc::clone(&self.metrics)),
            None => Outlets::to(self.ports(pick), Arc::clone(&self.metrics)),
        }
    }

    /// The ports to all stages that it feeds over edges.
    pub fn ports<T>(&self, pick: impl Fn(&Edge) -> Option<&Intake<T>>) -> Vec<Port<T>> {
        let port = |intake: &Intake<T>| match intake {
            Intake::Bounded(port, _) => Some(port.clone()),
            Intake::Chained(_) => None,
        };
        self.fed(&pick).filter_map(port).collect()
    }

    /// What leads into the stages that it feeds.
    fn fed<'a, T: 'a>(&'a self, pick: &impl Fn(&Edge) -> Option<&Intake<T>>) -> impl Iterator<Item = &'a Intake<T>> {
        let stages = self.ground.plan.stages.iter().zip(self.edges);
        stages.filter(|(stage, _)| stage.inputs.contains(&self.at)).filter_map(|(_, edge)| pick(edge))
    }

    /// Of a stage that feeds none.
    pub fn no_outlets<T: Clone>(&self) -> Outlets<T> {
        Outlets::to(Vec::new(), Arc::clone(&self.metrics))
    }

    /// Starts the workers of a stage, or leaves that to the stage that it is chained to.
    pub fn start<T: Transform>(
        &self,
        point: &'static str,
        intake: Intake<T::In>,
        outlets: Outlets<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Starter {
        self.start_some(self.stage.threads.get(), point, intake, outlets, worker)
    }

    /// Starts so many of them.
    pub fn start_some<T: Transform>(
        &self,
        threads: usize,
        point: &'static str,
        intake: Intake<T::In>,
        outlets: Outlets<T::Out>,
        worker: impl Fn() -> T + 'static,
    ) -> Starter {
        let workers = Workers::new(&self.stage.name, point, outlets, worker);
        match intake {
            Intake::Bounded(_, inbox) => Box::new(move |pool| workers.start(threads, &inbox, pool)),
            Intake::Chained(coupling) => {
                workers.chain(&coupling);
                Box::new(|_| Ok(()))
            }
        }
    }
}

/// A plan that was not checked.
pub(super) fn misfit(stage: &StagePlan) -> Error {
    Error::usage(format!("stage '{}' does not fit the stages that feed it", stage.name))
}
