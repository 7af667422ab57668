//! Beside the bucket-aggregator: drops the names that no pane holds where inputs are followed, in
//! steps of the issuer's.
//!
//! Invariant: while a state is being saved, no number loses its name; a hole may be given one.

use std::time::{Duration, Instant};

use crate::tally::sweep::Sweep;

use super::live::LiveCounting;

/// How long results may wait for a part of a sweep.
const AT_ONCE: Duration = Duration::from_millis(5);

/// The sweep that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct Sweeping(Option<Sweep>);

impl Sweeping {
    /// Begins a sweep if one is due, or goes on with it for a short time.
    pub(super) fn go_on(&mut self, live: &LiveCounting) {
        let since = Instant::now();
        while self.step(live) && since.elapsed() < AT_ONCE {}
    }

    /// Whether there is more to do now.
    fn step(&mut self, live: &LiveCounting) -> bool {
        let Some(sweep) = &mut self.0 else {
            let is_due = live.counting.tally.read().needs_sweep();
            self.0 = is_due.then(|| live.counting.tally.write().start_sweep());
            return is_due;
        };
        if sweep.mark_some() {
            return true;
        }
        let mut tally = live.counting.tally.write();
        if live.is_saving() {
            return false;
        }
        let since = Instant::now();
        let is_more = tally.drop_some(sweep);
        live.stalled_for(since.elapsed());
        if !is_more {
            self.0 = None;
        }
        is_more
    }
}
