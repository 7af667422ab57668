//! Bounded channels whose every wait ends when a bell rings. The only user of crossbeam-channel.
//!
//! Not here: what the bell means (`stop`) and who holds which end (`edge`). Invariant: no wait goes
//! on once the bell has rung.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, TrySendError, bounded, select_biased};

/// Rings, for everyone who holds the other end, when it is dropped.
pub(super) struct BellRope(#[allow(dead_code, reason = "held for its drop")] crossbeam_channel::Sender<Infallible>);

/// Waited on beside every channel.
#[derive(Clone)]
pub(super) struct Bell(crossbeam_channel::Receiver<Infallible>);

/// The end that batches go into.
pub(super) struct Sender<T>(crossbeam_channel::Sender<T>);

/// The end that batches come out of.
pub(super) struct Receiver<T>(crossbeam_channel::Receiver<T>);

/// What comes of waiting for a batch.
pub(super) enum Received<T> {
    Batch(T),
    /// None has come in that time.
    Nothing,
    /// None will come.
    End,
    /// The bell has rung.
    Rung,
}

/// Why a batch was not sent.
pub(super) enum Unsent<T> {
    /// There is no room: the batch again.
    Full(T),
    /// Nobody receives any more.
    Closed,
    /// The bell has rung.
    Rung,
}

/// A bell, and the rope that rings it.
pub(super) fn bell() -> (BellRope, Bell) {
    let (sender, receiver) = bounded(0);
    (BellRope(sender), Bell(receiver))
}

/// A channel that holds up to `capacity` batches.
pub(super) fn channel<T>(capacity: NonZeroUsize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bounded(capacity.get());
    (Sender(sender), Receiver(receiver))
}

impl<T> Receiver<T> {
    /// The next batch, waited for as long as it takes.
    pub fn receive(&self, bell: &Bell) -> Received<T> {
        select_biased! {
            recv(bell.0) -> _ => Received::Rung,
            recv(self.0) -> batch => batch.map_or(Received::End, Received::Batch),
        }
    }

    /// As `receive`, for no longer than `patience`.
    pub fn receive_within(&self, bell: &Bell, patience: Duration) -> Received<T> {
        select_biased! {
            recv(bell.0) -> _ => Received::Rung,
            recv(self.0) -> batch => batch.map_or(Received::End, Received::Batch),
            default(patience) => Received::Nothing,
        }
    }

    /// Batches that wait at this moment.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Sender<T> {
    /// Sends if there is room.
    pub fn try_send(&self, batch: T) -> Result<(), Unsent<T>> {
        self.0.try_send(batch).map_err(|error| match error {
            TrySendError::Full(batch) => Unsent::Full(batch),
            TrySendError::Disconnected(_) => Unsent::Closed,
        })
    }

    /// Sends, waiting for room as long as it takes.
    pub fn send(&self, bell: &Bell, batch: T) -> Result<(), Unsent<T>> {
        select_biased! {
            recv(bell.0) -> _ => Err(Unsent::Rung),
            send(self.0, batch) -> sent => sent.map_err(|_| Unsent::Closed),
        }
    }

    /// Sends if there is room, or will be within `patience`.
    pub fn send_within(&self, batch: T, patience: Duration) -> Result<(), Unsent<T>> {
        self.0.send_timeout(batch, patience).map_err(|error| match error {
            SendTimeoutError::Timeout(batch) => Unsent::Full(batch),
            SendTimeoutError::Disconnected(_) => Unsent::Closed,
        })
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}
