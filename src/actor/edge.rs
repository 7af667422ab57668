//! Bounded edges between stages.
//!
//! A stage has one inbox, shared by its workers; the stages that feed it hold ports to it. So
//! fan-in is several ports on one inbox. Not here: a worker's way out (`outlet`), threads (`pool`),
//! and what a batch is. Invariant: a full edge blocks its senders; it never grows and never drops.

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
    pub(super) fn send_within(&self, batch: T, patience: Duration) -> Result<Option<T>, Exit> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    pub fn two(capacity: usize, stop: &Stop) -> (Port<u32>, Inbox<u32>) {
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
}
