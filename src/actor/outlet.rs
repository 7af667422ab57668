//! A worker's way out: over edges to the stages that its own feeds, or straight into the next stage
//! of the same worker.
//!
//! Fan-out is an outlet with several ports. Not here: the edges (`edge`), and how the stages of a
//! worker are put together (`chain`). Invariant: nothing is sent on once the run is aborted.

use std::sync::Arc;
use std::time::Duration;

use super::edge::Port;
use super::outcome::Exit;
use super::stop::Stop;
use crate::metrics::StageMetrics;

/// The next stage of the same worker, as the one before it sees it.
pub(super) trait Chained<T>: Send {
    /// Works on one batch, and so do all stages behind it in the worker.
    fn receive(&mut self, batch: T) -> Result<(), Exit>;

    /// The shortest time that any of them would wait for a batch.
    fn patience(&self) -> Option<Duration>;

    /// Called whenever the worker has waited that long.
    fn waited(&mut self) -> Result<(), Exit>;

    /// Called once for all workers, when no batch will come: ends this stage, then those behind it.
    fn finish(&mut self) -> Result<(), Exit>;
}

/// A worker's way out.
pub struct Outlet<T> {
    leads: Leads<T>,
    metrics: Arc<StageMetrics>,
}

/// Where an outlet leads.
enum Leads<T> {
    /// To each stage that the worker's own feeds, over an edge.
    Ports(Vec<Port<T>>),
    /// Into the one stage that it feeds, in the same worker.
    Next(Box<dyn Chained<T>>, Stop),
}

impl<T: Clone> Outlet<T> {
    /// An outlet to these ports.
    pub fn new(ports: Vec<Port<T>>, metrics: Arc<StageMetrics>) -> Self {
        Outlet { leads: Leads::Ports(ports), metrics }
    }

    /// An outlet into the next stage of the same worker.
    pub(super) fn into_next(next: Box<dyn Chained<T>>, stop: Stop, metrics: Arc<StageMetrics>) -> Self {
        Outlet { leads: Leads::Next(next, stop), metrics }
    }

    /// Counts a batch that leaves the pipeline instead of going to another stage.
    pub fn count(&self) {
        self.metrics.batch();
    }

    /// Sends a batch to every stage that still takes any; errors once none does.
    pub fn send(&mut self, batch: T) -> Result<(), Exit> {
        self.metrics.batch();
        match &mut self.leads {
            Leads::Ports(ports) => send_to_all(ports, batch, &self.metrics),
            Leads::Next(next, stop) => alive(stop).and_then(|()| next.receive(batch)),
        }
    }

    /// The shortest time that any stage behind in the same worker would wait for a batch.
    pub(super) fn patience(&self) -> Option<Duration> {
        match &self.leads {
            Leads::Ports(_) => None,
            Leads::Next(next, _) => next.patience(),
        }
    }

    /// Tells them that the worker has waited that long.
    pub(super) fn waited(&mut self) -> Result<(), Exit> {
        match &mut self.leads {
            Leads::Ports(_) => Ok(()),
            Leads::Next(next, _) => next.waited(),
        }
    }

    /// Ends them, in the order of the data.
    pub(super) fn finish(&mut self) -> Result<(), Exit> {
        match &mut self.leads {
            Leads::Ports(_) => Ok(()),
            Leads::Next(next, stop) => alive(stop).and_then(|()| next.finish()),
        }
    }
}

/// Errors if the run was aborted.
fn alive(stop: &Stop) -> Result<(), Exit> {
    if stop.aborted() { Err(Exit::Stopped) } else { Ok(()) }
}

/// Sends a batch over each port whose stage still takes any, and drops the others.
fn send_to_all<T: Clone>(ports: &mut Vec<Port<T>>, batch: T, metrics: &StageMetrics) -> Result<(), Exit> {
    let mut stopped = false;
    let last = ports.pop();
    ports.retain(|port| match port.send(batch.clone(), metrics) {
        Ok(()) => true,
        Err(exit) => {
            stopped |= matches!(exit, Exit::Stopped);
            false
        }
    });
    // The last port takes the batch itself: with one port, the common case, nothing is cloned.
    if let Some(port) = last {
        match port.send(batch, metrics) {
            Ok(()) => ports.push(port),
            Err(exit) => stopped |= matches!(exit, Exit::Stopped),
        }
    }
    taken(stopped, ports.is_empty())
}

/// Errors if the run was aborted, or if nobody takes anything any more.
fn taken(stopped: bool, nobody_is_left: bool) -> Result<(), Exit> {
    match (stopped, nobody_is_left) {
        (true, _) => Err(Exit::Stopped),
        (false, true) => Err(Exit::DownstreamClosed),
        (false, false) => Ok(()),
    }
}

/// An outlet that never blocks for long: only the latest batch is kept for a stage that takes
/// nothing at the moment.
pub struct LatestOutlet<T> {
    /// Each port, with the batch that it could not take.
    ports: Vec<(Port<T>, Option<T>)>,
    metrics: Arc<StageMetrics>,
}

impl<T: Clone> LatestOutlet<T> {
    /// An outlet to these ports.
    pub fn new(ports: Vec<Port<T>>, metrics: Arc<StageMetrics>) -> Self {
        LatestOutlet { ports: ports.into_iter().map(|port| (port, None)).collect(), metrics }
    }

    /// Sends a batch to every stage that still takes any, waiting up to `patience` for each that
    /// was not blocked before; errors once none takes any. Gives the number of unsent batches that
    /// this one replaced.
    pub fn send(&mut self, batch: &T, patience: Duration) -> Result<u64, Exit> {
        self.metrics.batch();
        self.each(|port, held| {
            let patience = if held.is_some() { Duration::ZERO } else { patience };
            if let Some(before) = held.take() {
                *held = port.send_within(before, Duration::ZERO)?;
            }
            if held.is_some() {
                *held = Some(batch.clone());
                return Ok(1);
            }
            *held = port.send_within(batch.clone(), patience)?;
            Ok(0)
        })
    }

    /// Sends what is held, if it can be sent now. Gives whether nothing is held any more.
    pub fn flush(&mut self) -> Result<bool, Exit> {
        let held = self.each(|port, held| {
            if let Some(before) = held.take() {
                *held = port.send_within(before, Duration::ZERO)?;
            }
            Ok(u64::from(held.is_some()))
        })?;
        Ok(held == 0)
    }

    /// Calls `f` with each port and what it holds, and drops those whose stage has gone. Gives the
    /// sum of what `f` gives.
    fn each(&mut self, mut f: impl FnMut(&Port<T>, &mut Option<T>) -> Result<u64, Exit>) -> Result<u64, Exit> {
        let (mut sum, mut stopped) = (0, false);
        self.ports.retain_mut(|(port, held)| match f(port, held) {
            Ok(count) => {
                sum += count;
                true
            }
            Err(exit) => {
                stopped |= matches!(exit, Exit::Stopped);
                false
            }
        });
        taken(stopped, self.ports.is_empty()).map(|()| sum)
    }
}

#[cfg(test)]
mod tests {
    use super::super::edge::tests::two;
    use super::*;

    #[test]
    fn e6_of_what_a_blocked_stage_does_not_take_the_latest_is_kept() {
        let stop = Stop::default();
        let ((slow, slow_inbox), (quick, quick_inbox)) = (two(1, &stop), two(9, &stop));
        let mut outlet = LatestOutlet::new(vec![slow, quick], Arc::default());
        let patience = Duration::from_millis(1);
        let dropped: Vec<u64> = (1..=4).map(|batch| outlet.send(&batch, patience).unwrap()).collect();
        assert_eq!(dropped, [0, 0, 1, 1]);
        assert!(!outlet.flush().unwrap());
        assert_eq!(slow_inbox.receive().unwrap(), Some(1));
        assert!(outlet.flush().unwrap());
        assert_eq!(slow_inbox.receive().unwrap(), Some(4));
        assert_eq!((0..4).map(|_| quick_inbox.receive().unwrap()).sum::<Option<u32>>(), Some(10));
        drop((slow_inbox, quick_inbox));
        assert!(matches!(outlet.send(&5, patience), Err(Exit::DownstreamClosed)));
    }

    #[test]
    fn an_outlet_goes_on_while_one_of_its_stages_listens() {
        let stop = Stop::default();
        let ((left, left_inbox), (right, right_inbox)) = (two(4, &stop), two(4, &stop));
        let mut outlet = Outlet::new(vec![left, right], Arc::default());
        outlet.send(1).unwrap();
        drop(right_inbox);
        outlet.send(2).unwrap();
        outlet.send(3).unwrap();
        assert_eq!(left_inbox.receive().unwrap(), Some(1));
        assert_eq!(left_inbox.receive().unwrap(), Some(2));
        drop(left_inbox);
        assert!(matches!(outlet.send(4), Err(Exit::DownstreamClosed)));
    }
}
