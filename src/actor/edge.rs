//! Bounded edges between stages.
//!
//! A stage has one inbox, shared by its workers; the stages that feed it hold ports to it. So
//! fan-in is several ports on one inbox, and fan-out an outlet with several ports. Not here:
//! threads (`pool`), and what a batch is. Invariant: a full edge blocks its senders; it never grows
//! and never drops.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::channel::{Received, Receiver, Sender, Unsent, channel};
use super::outcome::Exit;
use super::stop::Stop;
use crate::metrics::StageMetrics;

/// Where a stage's workers take their batches from.
pub struct Inbox<T> {
    /// Shared, so that a gauge can look at it without counting as a receiver.
    receiver: Arc<Receiver<T>>,
    stop: Stop,
}

/// One upstream stage's access to an inbox.
pub struct Port<T> {
    sender: Sender<T>,
    stop: Stop,
}

/// An edge that holds up to `capacity` batches.
pub fn edge<T>(capacity: NonZeroUsize, stop: &Stop) -> (Port<T>, Inbox<T>) {
    let (sender, receiver) = channel(capacity);
    (Port { sender, stop: stop.clone() }, Inbox { receiver: Arc::new(receiver), stop: stop.clone() })
}

impl<T> Inbox<T> {
    /// The next batch; `None` once all ports are gone and the edge is empty.
    pub fn receive(&self) -> Result<Option<T>, Exit> {
        match self.receiver.receive(self.stop.bell()) {
            Received::Batch(batch) => Ok(Some(batch)),
            Received::End | Received::Nothing => Ok(None),
            Received::Rung => Err(Exit::Stopped),
        }
    }

    /// As `receive`, for no longer than `patience`, if one is given.
    pub(super) fn receive_within(&self, patience: Option<Duration>) -> Received<T> {
        match patience {
            Some(patience) => self.receiver.receive_within(self.stop.bell(), patience),
            None => self.receiver.receive(self.stop.bell()),
        }
    }

    /// Batches that wait at this moment.
    pub fn len(&self) -> usize {
        self.receiver.len()
    }
}

impl<T: Send + 'static> Inbox<T> {
    /// A gauge of this inbox.
    pub fn gauge(&self) -> Gauge {
        let receiver = Arc::downgrade(&self.receiver);
        Gauge(Box::new(move || Some(receiver.upgrade()?.len())))
    }
}

/// Tells how full an inbox is, and keeps neither end of its edge open.
pub struct Gauge(Box<dyn Fn() -> Option<usize> + Send + Sync>);

impl Gauge {
    /// Batches that wait at this moment; `None` once no worker is there to take them.
    pub fn waiting(&self) -> Option<usize> {
        (self.0)()
    }
}

impl<T> Port<T> {
    /// Sends, waiting while the edge is full. The clock is read only if it is.
    pub fn send(&self, batch: T, metrics: &StageMetrics) -> Result<(), Exit> {
        if self.stop.aborted() {
            return Err(Exit::Stopped);
        }
        let batch = match self.sender.try_send(batch) {
            Err(Unsent::Full(batch)) => batch,
            other => return other.map_err(exit),
        };
        let since = Instant::now();
        let sent = self.sender.send(self.stop.bell(), batch);
        metrics.blocked(since.elapsed());
        sent.map_err(exit)
    }

    /// Sends if there is room, or will be within `patience`; gives the batch back if not.
    fn send_within(&self, batch: T, patience: Duration) -> Result<Option<T>, Exit> {
        if self.stop.aborted() {
            return Err(Exit::Stopped);
        }
        match self.sender.send_within(batch, patience) {
            Ok(()) => Ok(None),
            Err(Unsent::Full(batch)) => Ok(Some(batch)),
            Err(unsent) => Err(exit(unsent)),
        }
    }

    /// Sends if there is room and somebody to receive.
    pub fn try_send(&self, batch: T) -> bool {
        self.sender.try_send(batch).is_ok()
    }
}

/// How a worker ends when nobody takes its batch any more.
fn exit<T>(unsent: Unsent<T>) -> Exit {
    match unsent {
        Unsent::Rung => Exit::Stopped,
        Unsent::Closed | Unsent::Full(_) => Exit::DownstreamClosed,
    }
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Inbox { receiver: Arc::clone(&self.receiver), stop: self.stop.clone() }
    }
}

impl<T> Clone for Port<T> {
    fn clone(&self) -> Self {
        Port { sender: self.sender.clone(), stop: self.stop.clone() }
    }
}

/// A worker's way out: a port to each stage that its stage feeds.
pub struct Outlet<T> {
    ports: Vec<Port<T>>,
    metrics: Arc<StageMetrics>,
}

impl<T: Clone> Outlet<T> {
    /// An outlet to these ports.
    pub fn new(ports: Vec<Port<T>>, metrics: Arc<StageMetrics>) -> Self {
        Outlet { ports, metrics }
    }

    /// Counts a batch that leaves the pipeline instead of going to another stage.
    pub fn count(&self) {
        self.metrics.batch();
    }

    /// Sends a batch to every stage that still takes any; errors once none does.
    pub fn send(&mut self, batch: T) -> Result<(), Exit> {
        self.metrics.batch();
        let metrics = Arc::clone(&self.metrics);
        let mut stopped = false;
        let last = self.ports.pop();
        self.ports.retain(|port| match port.send(batch.clone(), &metrics) {
            Ok(()) => true,
            Err(exit) => {
                stopped |= matches!(exit, Exit::Stopped);
                false
            }
        });
        // The last port takes the batch itself: with one port, the common case, nothing is cloned.
        if let Some(port) = last {
            match port.send(batch, &metrics) {
                Ok(()) => self.ports.push(port),
                Err(exit) => stopped |= matches!(exit, Exit::Stopped),
            }
        }
        match (stopped, self.ports.is_empty()) {
            (true, _) => Err(Exit::Stopped),
            (false, true) => Err(Exit::DownstreamClosed),
            (false, false) => Ok(()),
        }
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
    /// In place of an outlet.
    pub fn new(outlet: Outlet<T>) -> Self {
        let ports = outlet.ports.into_iter().map(|port| (port, None)).collect();
        LatestOutlet { ports, metrics: outlet.metrics }
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
        match (stopped, self.ports.is_empty()) {
            (true, _) => Err(Exit::Stopped),
            (false, true) => Err(Exit::DownstreamClosed),
            (false, false) => Ok(sum),
        }
    }
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Outlet { ports: self.ports.clone(), metrics: Arc::clone(&self.metrics) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn two(capacity: usize, stop: &Stop) -> (Port<u32>, Inbox<u32>) {
        edge(NonZeroUsize::new(capacity).unwrap(), stop)
    }

    #[test]
    fn a_closed_upstream_ends_the_inbox_after_its_last_batch() {
        let (port, inbox) = two(2, &Stop::default());
        port.send(1, &StageMetrics::default()).unwrap();
        drop(port);
        assert_eq!(inbox.receive().unwrap(), Some(1));
        assert_eq!(inbox.receive().unwrap(), None);
    }

    #[test]
    fn a_gauge_keeps_neither_end_open() {
        let (port, inbox) = two(2, &Stop::default());
        let gauge = inbox.gauge();
        port.send(1, &StageMetrics::default()).unwrap();
        assert_eq!(gauge.waiting(), Some(1));
        let second = inbox.clone();
        drop(inbox);
        assert_eq!(gauge.waiting(), Some(1));
        drop(second);
        assert_eq!(gauge.waiting(), None);
        assert!(matches!(port.send(2, &StageMetrics::default()), Err(Exit::DownstreamClosed)));
    }

    #[test]
    fn abort_ends_a_waiting_sender_and_a_waiting_receiver() {
        let stop = Stop::default();
        let (port, inbox) = two(1, &stop);
        let (_other_port, other_inbox) = two(1, &stop);
        port.send(1, &StageMetrics::default()).unwrap();
        let sender = thread::spawn(move || port.send(2, &StageMetrics::default()));
        let receiver = thread::spawn(move || other_inbox.receive());
        thread::sleep(Duration::from_millis(20));
        stop.abort();
        assert!(matches!(sender.join().unwrap(), Err(Exit::Stopped)));
        assert!(matches!(receiver.join().unwrap(), Err(Exit::Stopped)));
        drop(inbox);
    }

    #[test]
    fn time_blocked_is_measured_only_when_the_edge_was_full() {
        let metrics = StageMetrics::default();
        let (port, inbox) = two(1, &Stop::default());
        port.send(1, &metrics).unwrap();
        assert_eq!(metrics.blocked_time(), Duration::ZERO);
        let receiver = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            (inbox.receive().unwrap(), inbox.receive().unwrap())
        });
        port.send(2, &metrics).unwrap();
        assert!(metrics.blocked_time() > Duration::ZERO);
        assert_eq!(receiver.join().unwrap(), (Some(1), Some(2)));
    }

    #[test]
    fn e6_of_what_a_blocked_stage_does_not_take_the_latest_is_kept() {
        let stop = Stop::default();
        let ((slow, slow_inbox), (quick, quick_inbox)) = (two(1, &stop), two(9, &stop));
        let mut outlet = LatestOutlet::new(Outlet::new(vec![slow, quick], Arc::default()));
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
