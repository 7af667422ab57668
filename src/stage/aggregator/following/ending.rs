//! How long a run takes that was asked to end, and what it says meanwhile.
//!
//! Invariant: whoever asks a run to end gets it to end within the stop timeout, with the last state
//! that could be saved.

use std::time::{Duration, Instant};

use crate::actor::Stop;

use crate::stage::Failures;

/// How long outputs that take nothing are waited for, once all else is done.
const OUTPUTS: Duration = Duration::from_millis(800);

/// How long it waits before it says so.
const SAY: Duration = Duration::from_secs(1);

/// What a run that was asked to end waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// What was read is being counted.
    Counting,
    /// The state is being saved.
    State,
    /// So many results are not written yet.
    Outputs(usize),
}

impl WaitsFor {
    fn name(self) -> &'static str {
        match self {
            WaitsFor::Counting => "what was read to be counted",
            WaitsFor::State => "the state to be saved",
            WaitsFor::Outputs(_) => "results to be written",
        }
    }
}

/// The end of a run.
#[derive(Debug)]
pub(super) struct Ending {
    timeout: Duration,
    /// When the run was asked to end.
    asked: Option<Instant>,
    /// Since when outputs are all that is waited for, and none has taken one of these results.
    outputs: Option<(Instant, usize)>,
    said: Option<WaitsFor>,
}

impl Ending {
    pub fn new(timeout: Duration) -> Self {
        Ending { timeout, asked: None, outputs: None, said: None }
    }

    /// Whether the time is up. Says what is waited for if that takes long.
    pub fn is_over(&mut self, waits_for: WaitsFor, stop: &Stop, failures: &Failures) -> bool {
        if !stop.draining() {
            return false;
        }
        let waited = self.asked.get_or_insert_with(Instant::now).elapsed();
        let name = waits_for.name();
        if let WaitsFor::Outputs(left) = waits_for {
            let now = Instant::now();
            let (since, before) = self.outputs.get_or_insert((now, left));
            if left < *before {
                (*since, *before) = (now, left);
            }
            let is_over = since.elapsed() > OUTPUTS || waited > self.timeout;
            if is_over {
                failures.warn(&format!(
                    "ending without {left} results that an output has not taken in time; a run that goes on from the state \
                     issues them again"
                ));
            }
            return is_over;
        }
        let timeout = humantime::format_duration(self.timeout);
        if waited > self.timeout {
            failures.warn(&format!(
                "waited {timeout} for {name}: ending without; the next run goes on from the state before (stop-timeout)"
            ));
            return true;
        }
        if waited > SAY && self.said != Some(waits_for) {
            self.said = Some(waits_for);
            failures.warn(&format!("waiting for {name}, {timeout} at most; a second signal ends it at once"));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_waits_for_the_state_as_long_as_it_may_and_for_outputs_not_as_long() {
        let (stop, failures) = (Stop::default(), Failures::default());
        let mut ending = Ending::new(Duration::from_millis(40));
        assert!(!ending.is_over(WaitsFor::State, &stop, &failures));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!ending.is_over(WaitsFor::State, &stop, &failures), "nobody has asked it to end");
        stop.drain();
        assert!(!ending.is_over(WaitsFor::State, &stop, &failures));
        std::thread::sleep(Duration::from_millis(60));
        assert!(ending.is_over(WaitsFor::Counting, &stop, &failures));
        assert!(ending.is_over(WaitsFor::State, &stop, &failures));
    }

    #[test]
    fn outputs_are_waited_for_as_long_as_they_take_results() {
        let (stop, failures) = (Stop::default(), Failures::default());
        let mut ending = Ending::new(Duration::from_secs(60));
        stop.drain();
        for left in [3, 2, 1] {
            assert!(!ending.is_over(WaitsFor::Outputs(left), &stop, &failures), "{left} are left");
            std::thread::sleep(OUTPUTS * 2 / 3);
            assert!(!ending.is_over(WaitsFor::Outputs(left), &stop, &failures), "{left} are left");
        }
        std::thread::sleep(OUTPUTS);
        assert!(ending.is_over(WaitsFor::Outputs(1), &stop, &failures));
    }
}
