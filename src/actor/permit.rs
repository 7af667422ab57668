//! Permits: how many of something may exist at once. With the chunks of a graph it makes the memory
//! formula hold whatever the threads do.
//!
//! Not here: what is permitted. Invariant: never more permits are out than there are, and each
//! comes back when it is dropped, even by a panic.

use std::num::NonZeroUsize;

use super::edge::{Inbox, Port, edge};
use super::outcome::Exit;
use super::stop::Stop;

/// A number of permits, handed out and taken back.
#[derive(Clone)]
pub struct Permits {
    count: usize,
    free: Inbox<()>,
    give_back: Port<()>,
}

/// A permit; given back when it is dropped.
pub struct Permit {
    give_back: Port<()>,
}

impl Permits {
    /// `count` permits.
    pub fn new(count: NonZeroUsize, stop: &Stop) -> Self {
        let (give_back, free) = edge(count, stop);
        while give_back.try_send(()) {}
        Permits { count: count.get(), free, give_back }
    }

    /// Permits that are out at this moment.
    pub fn held(&self) -> usize {
        self.count - self.free.len()
    }

    /// A permit, waiting until one is free.
    pub fn acquire(&self) -> Result<Permit, Exit> {
        match self.free.receive()? {
            Some(()) => Ok(Permit { give_back: self.give_back.clone() }),
            None => Err(Exit::Stopped),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // There is room: never more permits come back than were handed out.
        self.give_back.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_allowed_and_abort_ends_the_wait() {
        let stop = Stop::default();
        let permits = Permits::new(NonZeroUsize::new(2).unwrap(), &stop);
        let (first, _second) = (permits.acquire().unwrap(), permits.acquire().unwrap());
        assert_eq!(permits.held(), 2);
        drop(first);
        let _third = permits.acquire().unwrap();
        let waiting = permits.clone();
        let waiter = std::thread::spawn(move || waiting.acquire().map(drop));
        stop.abort();
        assert!(matches!(waiter.join().unwrap(), Err(Exit::Stopped)));
    }
}
