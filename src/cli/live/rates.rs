//! Counts at successive moments to rates.
//!
//! Not here: what is counted, and how rates are written (`say`).

use std::collections::VecDeque;
use std::time::Duration;

use super::glance::Glance;

/// The time over which a rate is taken: short enough to be current, long enough to be steady.
const SPAN: Duration = Duration::from_secs(2);

/// How fast a run goes, a second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    /// Lines read.
    pub lines: f64,
    /// Bytes read.
    pub bytes: f64,
    /// Batches of each stage.
    pub batches: Vec<f64>,
}

/// Counts at one moment.
#[derive(Debug)]
struct Sample {
    at: Duration,
    lines: u64,
    bytes: u64,
    batches: Vec<u64>,
}

/// Remembers the counts of the last moments.
#[derive(Debug, Default)]
pub struct Meter(VecDeque<Sample>);

impl Meter {
    /// Takes the counts at a moment, and gives the rates up to it: all 0 at first.
    pub fn add(&mut self, glance: &Glance, at: Duration) -> Rates {
        let batches = glance.stages.iter().map(|stage| stage.batches).collect();
        let (lines, bytes) = (glance.balance.lines_read, glance.balance.bytes_read);
        self.0.push_back(Sample { at, lines, bytes, batches });
        // The oldest that is kept lies a whole span back, or is all that there is.
        while self.0.get(1).is_some_and(|second| at.saturating_sub(second.at) >= SPAN) {
            self.0.pop_front();
        }
        self.rates().unwrap_or_default()
    }

    fn rates(&self) -> Option<Rates> {
        let (first, last) = (self.0.front()?, self.0.back()?);
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        let rate = |from: u64, to: u64| if seconds > 0.0 { to.saturating_sub(from) as f64 / seconds } else { 0.0 };
        Some(Rates {
            lines: rate(first.lines, last.lines),
            bytes: rate(first.bytes, last.bytes),
            batches: first.batches.iter().zip(&last.batches).map(|(from, to)| rate(*from, *to)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::live::samples::glance;

    #[test]
    fn rates_are_of_the_last_seconds() {
        let mut meter = Meter::default();
        let mut at = |millis, lines, batches| {
            let mut glance = glance();
            glance.balance.lines_read = lines;
            glance.balance.bytes_read = 10 * lines;
            glance.stages.iter_mut().for_each(|stage| stage.batches = batches);
            meter.add(&glance, Duration::from_millis(millis))
        };
        assert_eq!(at(0, 100, 1).lines, 0.0);
        let rates = at(500, 200, 3);
        assert_eq!((rates.lines, rates.bytes, rates.batches[1]), (200.0, 2000.0, 4.0));
        // Counts that are less than before are those of something else; no rate is negative.
        assert_eq!(at(1000, 0, 0).lines, 0.0);
        at(8000, 1000, 0);
        assert_eq!(at(10_000, 1500, 0).lines, 250.0);
    }
}
