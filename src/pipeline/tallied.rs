//! The tally of an aggregator, empty, and the memory that it may take.
//!
//! Invariant: a tally that is restored and one that is new have the same shape and the same budget.

use std::sync::Arc;

use crate::config::{AggregatorPlan, Plan};
use crate::ops::close::Windows;
use crate::tally::{Budget, Tally};

/// An empty tally of an aggregator.
/// `beside`: bytes of memory that decompressing inputs takes.
pub(super) fn new_tally(plan: &Plan, aggregator: &AggregatorPlan, windows: Windows, beside: usize) -> Tally {
    let buckets = windows.buckets(aggregator.grouping);
    let kept = aggregator.lateness().saturating_add(aggregator.live.grace);
    let budget = Arc::new(budget(plan, aggregator, beside));
    Tally::new(windows.shape(&buckets, kept), budget).measuring(&aggregator.measures)
}

/// The bytes that the tally of an aggregator may take.
pub(super) fn budget(plan: &Plan, aggregator: &AggregatorPlan, beside: usize) -> Budget {
    Budget::new(aggregator.max_memory.map(|bytes| plan.tally_bytes(bytes.saturating_sub(beside))))
}
