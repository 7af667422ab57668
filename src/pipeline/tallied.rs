//! The tally of an aggregator, empty, and the memory that it may take.
//!
//! Invariant: a tally that is restored and one that is new have the same shape and the same budget.

use std::sync::Arc;

use crate::config::{AggregatorPlan, Plan};
use crate::ops::close::Windows;
use crate::tally::{Budget, Tally};

/// An empty tally of an aggregator.
pub(super) fn new_tally(plan: &Plan, aggregator: &AggregatorPlan, windows: Windows) -> Tally {
    let buckets = windows.buckets(aggregator.grouping);
    let kept = aggregator.lateness().saturating_add(aggregator.live.grace);
    Tally::new(windows.shape(&buckets, kept), Arc::new(budget(plan, aggregator)))
}

/// The bytes that the tally of an aggregator may take.
pub(super) fn budget(plan: &Plan, aggregator: &AggregatorPlan) -> Budget {
    Budget::new(aggregator.max_memory.map(|bytes| plan.tally_bytes(bytes)))
}
