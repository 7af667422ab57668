//! What is kept of the stages of a run for an observer.
//!
//! Not here: who looks (`observe`). Invariant: it keeps no edge open, so that a run that is watched
//! ends as any other.

use std::sync::Arc;

use crate::actor::Gauge;
use crate::config::StagePlan;
use crate::metrics::StageMetrics;
use crate::stage::reporter;

/// What is kept of a run for an observer.
#[derive(Default)]
pub(super) struct Observed {
    /// In the order of the plan.
    pub stages: Vec<Post>,
    /// The reporters, each with the name of its aggregator.
    pub reporters: Vec<(String, Arc<reporter::ReporterShared>)>,
}

/// Where a stage is observed from.
pub(super) struct Post {
    name: String,
    kind: &'static str,
    threads: usize,
    capacity: usize,
    chained: bool,
    /// Readers have none, and chained stages neither.
    gauge: Option<Gauge>,
    metrics: Arc<StageMetrics>,
}

/// A stage at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageObservation {
    /// Its name in the graph.
    pub name: String,
    /// Its type, as a configuration names it.
    pub kind: &'static str,
    /// Its workers; of a chained stage, those of its chain.
    pub threads: usize,
    /// Whether it runs in the workers of the stage before it, so that nothing waits between them.
    pub chained: bool,
    /// Batches that wait in front of it; 0 for readers and chained stages.
    pub waiting: usize,
    /// How many may; 0 for readers and chained stages.
    pub capacity: usize,
    /// Batches that it has sent on; of reporters, results written.
    pub batches: u64,
}

impl Post {
    /// Of this stage; `gauge` tells what waits in front of it.
    pub fn new(stage: &StagePlan, gauge: Option<Gauge>, metrics: Arc<StageMetrics>) -> Self {
        let capacity = if gauge.is_some() { stage.capacity.get() } else { 0 };
        let (name, kind, threads) = (stage.name.clone(), stage.kind().name(), stage.threads.get());
        Post { name, kind, threads, capacity, chained: stage.chained, gauge, metrics }
    }

    /// Batches that wait in front of it; `None` once it has ended, and of stages that have no edge
    /// there.
    pub fn waiting(&self) -> Option<usize> {
        self.gauge.as_ref()?.waiting()
    }

    /// The stage at this moment.
    pub fn observe(&self) -> StageObservation {
        StageObservation {
            name: self.name.clone(),
            kind: self.kind,
            threads: self.threads,
            chained: self.chained,
            waiting: self.waiting().unwrap_or(0),
            capacity: self.capacity,
            batches: self.metrics.batches(),
        }
    }
}
