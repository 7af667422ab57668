//! A running pipeline as seen from outside: how far it is, how full its edges are, and what it
//! counts at this moment.
//!
//! Invariant: observing is no part of the run. It goes on if nobody looks, and ends the same if
//! somebody does.

use std::time::Duration;

use super::observed::{Post, StageObservation};
use super::run::Running;
use crate::error::Result;
use crate::model::{Balance, Timestamp, WindowResult};
use crate::report::together;
use crate::stage::aggregator::Aggregator;
use crate::tally::{Peer, Side};

/// A run at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Observation {
    /// All lines and bytes so far that reached the first aggregator of the plan.
    pub balance: Balance,
    /// Its watermark; none in a one-shot run, and none before every input has shown a record.
    pub watermark: Option<Timestamp>,
    /// Inputs of the run.
    pub inputs: usize,
    /// The longest time for which counting stood still for a state to be saved.
    pub longest_stall: Duration,
    /// Each stage in the order of the plan.
    pub stages: Vec<StageObservation>,
    /// Whether everything is processed, or dropped.
    pub ended: bool,
    /// Whether the run was aborted, so that nothing more comes of it.
    pub aborted: bool,
}

impl Running {
    /// The run at this moment. Costs next to nothing.
    pub fn observe(&self) -> Observation {
        // Asked for before the balance: if all had ended, the balance is that of the end.
        let ended = self.parts.observed.stages.iter().all(|post| post.waiting().is_none());
        let first = self.parts.aggregators.first().map(|(_, aggregator)| aggregator);
        let watermark = first.map_or(Timestamp::MIN, |first| first.counting.progress.lock().watermark());
        Observation {
            balance: first.map(|first| first.counting.sheet().0).unwrap_or_default(),
            watermark: Some(watermark).filter(|at| (Timestamp::MIN < *at) && (*at < Timestamp::MAX)),
            inputs: self.context.names.len(),
            longest_stall: first.map_or(Duration::ZERO, Aggregator::longest_stall),
            stages: self.parts.observed.stages.iter().map(Post::observe).collect(),
            ended,
            aborted: self.context.stop.aborted(),
        }
    }

    /// The reports on the window that the first aggregator of the plan fills at this moment, of all
    /// its reporters; after the run, those on its last window. Nobody counts while they are made.
    /// `None` before the first record, where memory is limited and does not suffice for a look, and
    /// if the run was not built with `Builder::peek`.
    pub fn result_now(&self) -> Result<Option<WindowResult>> {
        let Some((name, aggregator)) = self.parts.aggregators.first() else { return Ok(None) };
        let Some(peek) = &aggregator.peek else { return Ok(None) };
        let reporters = self.parts.observed.reporters.iter().filter(|(fed_by, _)| fed_by == name);
        let result = peek.look(|seen| {
            let results = reporters.map(|(_, reporter)| reporter.result(seen));
            results.reduce(|whole, more| {
                let mut whole = whole?;
                whole.reports.extend(more?.reports);
                Ok(whole)
            })
        });
        result.flatten().transpose()
    }

    /// The hosts that `host` connects to and those that connect to it, in the window of
    /// `result_now`, by name. `None` where there is no such window. With a file of hosts, a host may
    /// be given as it is shown, and the others are named.
    pub fn peers_now(&self, host: &[u8]) -> Result<Option<[Vec<Peer>; 2]>> {
        let peek = self.parts.aggregators.first().and_then(|(_, aggregator)| aggregator.peek.as_ref());
        let Some(peek) = peek else { return Ok(None) };
        let names = self.parts.observed.reporters.iter().find_map(|(_, reporter)| reporter.asked.hosts());
        let peers = peek.look(|seen| {
            let asked = std::str::from_utf8(host).ok();
            // A name of several addresses is none that is shown.
            let meant = names.zip(asked).and_then(|(names, asked)| names.meant(asked).ok().flatten());
            let texts = meant.map_or_else(|| Ok(vec![host.to_vec()]), |meant| meant.texts(seen.view))?;
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let on_side = |side| -> Result<Vec<Peer>> {
                let mut peers = together(seen.view.peers_in(0..seen.view.parts(), side, &texts)?);
                if let Some(names) = names {
                    names.name_all(peers.iter_mut().map(|peer| &mut peer.host).collect());
                }
                Ok(peers)
            };
            Ok([on_side(Side::From)?, on_side(Side::To)?])
        });
        peers.transpose()
    }

    /// Reads no more; what has been read is counted and reported.
    pub fn drain(&self) {
        self.context.stop.drain();
    }
}
