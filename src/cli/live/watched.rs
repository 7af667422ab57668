//! A running pipeline as the view sees it.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::glance::{Glance, Peers, Watched};
use crate::error::Result;
use crate::model::{Balance, WindowResult};
use crate::output::target::LastResult;
use crate::pipeline::{Builder, Observation, Running, wall_clock};
use crate::tally::Peer;

/// A pipeline that can be watched, and whose output does not get in the way of the view: of the
/// results for standard output the last one is kept, and messages come after the view.
pub fn prepare(builder: Builder, last: LastResult) -> Builder {
    builder.peek().keep_last(last).on_failure(|_| {}).on_warning(|_| {})
}

/// A running pipeline.
pub struct WatchedRun<'a> {
    running: &'a Running,
    interrupted: &'a AtomicBool,
    /// The last result, and what had been read by then: reports are not made anew if nothing is
    /// new.
    known: Mutex<Option<(Balance, bool, Option<WindowResult>)>>,
}

impl<'a> WatchedRun<'a> {
    /// Of this run. A run that is aborted sets the flag: nothing more comes of it, and why it was
    /// is said after the view.
    pub fn new(running: &'a Running, interrupted: &'a AtomicBool) -> Self {
        WatchedRun { running, interrupted, known: Mutex::default() }
    }

    fn result(&self, seen: &Observation) -> Result<Option<WindowResult>> {
        let mut known = self.known.lock();
        if let Some((balance, ended, result)) = &*known
            && (balance, ended) == (&seen.balance, &seen.ended)
        {
            return Ok(result.clone());
        }
        let result = self.running.result_now()?;
        *known = Some((seen.balance.clone(), seen.ended, result.clone()));
        Ok(result)
    }
}

impl Watched for WatchedRun<'_> {
    fn glance(&self) -> Result<Glance> {
        // In this order, so that the result is at least as new as the count that it is kept under.
        let seen = self.running.observe();
        let result = if seen.aborted { None } else { self.result(&seen)? };
        if seen.aborted {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        Ok(Glance {
            result,
            balance: seen.balance,
            watermark: seen.watermark,
            now: wall_clock(),
            inputs: seen.inputs,
            stages: seen.stages,
            ended: seen.ended,
        })
    }

    fn peers(&self, host: &[u8]) -> Result<Option<Peers>> {
        let Some([servers, clients]) = self.running.peers_now(host)? else { return Ok(None) };
        Ok(Some(Peers { host: host.to_vec(), servers: largest_first(servers), clients: largest_first(clients) }))
    }

    fn stop(&self) {
        self.running.drain();
    }
}

/// By connections, and then by name.
fn largest_first(mut peers: Vec<Peer>) -> Vec<(Vec<u8>, u64)> {
    peers.sort_by_key(|peer| Reverse(peer.connections));
    peers.into_iter().map(|peer| (peer.host, peer.connections)).collect()
}
