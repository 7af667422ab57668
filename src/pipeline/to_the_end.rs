//! A run over inputs that end: each is read once, and every window of them closes.
//!
//! Invariant: results are numbered from 0, and written in that order.

use std::sync::Arc;

use parking_lot::Mutex;

use super::course::{AGGREGATOR, CountedInto, Course, EveryWindow, Readers, ResultOrder};
use super::nothing::StampsThere;
use super::resolve::ResolvedFilter;
use super::seat::{Ground, Seat, Starter};
use super::tallied::new_tally;
use crate::actor::{Outlets, Permits};
use crate::config::AggregatorPlan;
use crate::model::{RunTotal, Stamps};
use crate::ops::close::{Closer, Windows};
use crate::ops::progress::CountProgress;
use crate::ops::sequence::Sequencer;
use crate::stage::aggregator::every::{self, Every};
use crate::stage::aggregator::following::LiveCounting;
use crate::stage::filter::{self, Surveyed};
use crate::stage::reporter;

/// Inputs that end.
pub(super) struct ToTheEnd;

impl Course for ToTheEnd {
    fn readers(&mut self, seat: &Seat<'_>) -> Readers {
        let permits = Permits::new(seat.ground.plan.chunk_budget(seat.at), &seat.ground.context.stop);
        Readers { permits, threads: seat.stage.threads.get(), following: None, present: None }
    }

    fn sequencer(&self) -> Sequencer<Surveyed> {
        Sequencer::default()
    }

    /// Whoever finds nothing asks what there was.
    fn passed(&self) -> Option<Mutex<Stamps>> {
        Some(Mutex::new(Stamps::none()))
    }

    fn counted(&mut self, ground: Ground<'_>, at: usize, plan: &AggregatorPlan, windows: Windows) -> CountedInto {
        let inputs = ground.reading.inputs.reaching(ground.plan, at);
        let progress = CountProgress::new(inputs, matches!(windows, Windows::Every(_)));
        let tally = (new_tally(ground.plan, plan, windows, ground.reading.unpacking), 0);
        CountedInto { tally, progress: Arc::new(Mutex::new(progress)), measured: RunTotal::default() }
    }

    fn every(
        &mut self,
        seat: &Seat<'_>,
        plan: &AggregatorPlan,
        every: EveryWindow,
    ) -> (Starter, Option<Arc<LiveCounting>>) {
        let EveryWindow { grid, counting, peek, intake, ports, .. } = every;
        let outlets = Outlets::to(ports, Arc::clone(&seat.metrics));
        let buckets = Windows::Every(grid).buckets(plan.grouping);
        let closer = Closer::new(grid, buckets, plan.needs_previous).with_max_gap(plan.max_gap);
        let every = Every::new(counting, closer, peek, seat.ground.context.stop.clone());
        (seat.start(AGGREGATOR, intake, outlets, move || every::EveryWorker::new(Arc::clone(&every))), None)
    }

    fn results(&self, seat: &Seat<'_>) -> ResultOrder {
        ResultOrder { first: Some(0), workers: seat.stage.threads.get(), issue: None }
    }

    fn nothing(
        &self,
        seat: &Seat<'_>,
        before: ResolvedFilter<'_>,
        filter: &Arc<filter::FilterShared>,
    ) -> Option<reporter::Emptiness> {
        let Ground { plan, reading, .. } = seat.ground;
        let ids = reading.inputs.reaching(plan, seat.at);
        Some(StampsThere::before(before, &reading.inputs, &ids, Arc::clone(filter)))
    }
}
