//! How a run goes: over inputs that end, or over inputs that go on. It is picked once, by the plan,
//! and what differs between the two is asked of it and nowhere else.
//!
//! Not here: the two (`to_the_end`, `following`). Invariant: no answer depends on which stage asks
//! first.

use std::sync::Arc;

use parking_lot::Mutex;

use super::resolve::{Resolved, ResolvedFilter};
use super::seat::{Ground, Intake, Seat, Starter};
use crate::actor::{Permits, Port};
use crate::batch::Records;
use crate::config::AggregatorPlan;
use crate::model::time::Clock;
use crate::model::{Grid, Issue, RunTotal, Stamps};
use crate::ops::close::Windows;
use crate::ops::progress::CountProgress;
use crate::ops::sequence::Sequencer;
use crate::output::rejects::RejectsFile;
use crate::stage::aggregator::following::LiveCounting;
use crate::stage::aggregator::{Closed, Counting, Peek};
use crate::stage::filter::{self, Surveyed};
use crate::stage::follow::Following;
use crate::stage::reporter;
use crate::tally::Tally;

/// The place of aggregators for injected faults.
pub(super) const AGGREGATOR: &str = "bucket-aggregator";

/// How a run goes.
pub(super) trait Course {
    /// What reads for a reader.
    fn readers(&mut self, seat: &Seat<'_>) -> Readers;

    /// Puts the batches of each input in order, in a time-filter of windows that repeat.
    fn sequencer(&self) -> Sequencer<Surveyed>;

    /// Where a time-filter notes what stamps it passes in pipes, if anybody will ask.
    fn passed(&self) -> Option<Mutex<Stamps>>;

    /// What an aggregator counts into, which is the stage `at`.
    fn counted(&mut self, ground: Ground<'_>, at: usize, plan: &AggregatorPlan, windows: Windows) -> CountedInto;

    /// The workers of an aggregator whose windows repeat; with what there is of it in addition
    /// where its inputs go on.
    fn every(
        &mut self,
        seat: &Seat<'_>,
        plan: &AggregatorPlan,
        every: EveryWindow,
    ) -> (Starter, Option<Arc<LiveCounting>>);

    /// How results are written.
    fn results(&self, seat: &Seat<'_>) -> ResultOrder;

    /// What it takes to say what there is, where the windows of a time-filter hold nothing.
    fn nothing(
        &self,
        seat: &Seat<'_>,
        before: ResolvedFilter<'_>,
        filter: &Arc<filter::FilterShared>,
    ) -> Option<reporter::Emptiness>;
}

/// What reads for a reader.
pub(super) struct Readers {
    /// How many chunks may exist.
    pub permits: Permits,
    /// Workers that read inputs to their ends.
    pub threads: usize,
    /// What follows files beside them.
    pub following: Option<Following>,
    /// Where inputs go on: the clock, and how far beyond now a stamp may lie, in nanoseconds.
    pub present: Option<(Clock, i64)>,
}

/// What an aggregator counts into.
pub(super) struct CountedInto {
    /// The counts, and connections without a pair.
    pub tally: (Tally, u64),
    pub progress: Arc<Mutex<CountProgress>>,
    /// What the measures come to already.
    pub measured: RunTotal,
}

/// An aggregator whose windows repeat, as it is to be wired.
pub(super) struct EveryWindow {
    pub grid: Grid,
    pub resolved: Resolved,
    pub counting: Arc<Counting>,
    pub peek: Option<Arc<Peek>>,
    /// Where lines go that come too late for their windows.
    pub late: Option<Arc<RejectsFile>>,
    pub intake: Intake<Arc<Records>>,
    /// Where results go.
    pub ports: Vec<Port<Arc<Closed>>>,
}

/// How results are written.
pub(super) struct ResultOrder {
    /// The number of the first; `None`: as they come.
    pub first: Option<u64>,
    /// Workers that make them.
    pub workers: usize,
    /// What they say of their issue, as long as none has come.
    pub issue: Option<Issue>,
}
