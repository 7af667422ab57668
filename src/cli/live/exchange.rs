//! What the thread that looks at the run and the thread that draws have in common.
//!
//! Not here: what is looked at (`glance`), and how it is drawn (`draw`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::glance::{Glance, Peers, Watched};
use super::terminal::enter_view;
use crate::error::Result;

/// Time from one look to the next.
const REFRESH: Duration = Duration::from_millis(250);

/// How many times the length of a look passes before the next one, since the run may stand still
/// during a look.
const REST: u32 = 9;

/// What a look gives: a glance if one is due, and the peers of the host that was asked for.
pub type Seen = (Option<Glance>, Option<(Vec<u8>, Option<Peers>)>);

/// Where both threads leave what the other one needs.
#[derive(Default)]
pub struct Exchange {
    state: Mutex<State>,
    /// Notified when another host is asked for, and at the end.
    asked: Condvar,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The host whose peers are asked for.
    host: Option<Vec<u8>>,
    /// Whether its peers have not been looked for yet.
    is_new: bool,
    seen: Option<Result<Seen>>,
}

/// Ends the exchange when it is dropped.
pub struct CloseOnDrop<'a>(&'a Exchange);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        // Set under the lock, so that no thread is between checking the flag and waiting.
        let _state = self.0.state.lock();
        self.0.asked.notify_all();
    }
}

impl Exchange {
    /// Ends the exchange when the result is dropped, even by a panic.
    pub fn closed_on_drop(&self) -> CloseOnDrop<'_> {
        CloseOnDrop(self)
    }

    /// Whether either thread has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// What was seen since the last call.
    pub fn take(&self) -> Option<Result<Seen>> {
        self.state.lock().seen.take()
    }

    /// Asks for the peers of a host, or of no host.
    pub fn want(&self, host: Option<&[u8]>) {
        let mut state = self.state.lock();
        if state.host.as_deref() != host {
            state.host = host.map(<[u8]>::to_vec);
            state.is_new = host.is_some();
            self.asked.notify_all();
        }
    }

    /// Looks at the run again and again until the end, or until a look fails. A host that is asked
    /// for is looked at without delay.
    pub fn look(&self, watched: &dyn Watched) {
        enter_view();
        // If this panics, the other thread has to know.
        let _closed = self.closed_on_drop();
        let (mut due, mut ended) = (Instant::now(), false);
        while let Some((host, is_new)) = self.next(due) {
            let started = Instant::now();
            let is_due = started >= due;
            let seen = look_once(watched, host, is_due, is_new || !ended);
            if let Ok((Some(glance), _)) = &seen {
                ended = glance.ended;
            }
            let failed = seen.is_err();
            self.leave(seen);
            if failed {
                return;
            }
            let rested = Instant::now() + started.elapsed() * REST;
            due = rested.max(if is_due { started + REFRESH } else { due });
        }
    }

    /// Waits until a look is due: the host that is asked for, and whether that is new. `None` at
    /// the end.
    fn next(&self, due: Instant) -> Option<(Option<Vec<u8>>, bool)> {
        let mut state = self.state.lock();
        while !self.is_closed() {
            if state.is_new || Instant::now() >= due {
                return Some((state.host.clone(), std::mem::take(&mut state.is_new)));
            }
            self.asked.wait_until(&mut state, due);
        }
        None
    }

    /// Leaves what was seen. What has not been taken is replaced, except peers that were not looked
    /// at again.
    fn leave(&self, seen: Result<Seen>) {
        let mut state = self.state.lock();
        let before = state.seen.take();
        state.seen = Some(match (before, seen) {
            (Some(Ok((glance, peers))), Ok((newer, newer_peers))) => Ok((newer.or(glance), newer_peers.or(peers))),
            (_, seen) => seen,
        });
    }
}

fn look_once(watched: &dyn Watched, host: Option<Vec<u8>>, is_due: bool, look_at_peers: bool) -> Result<Seen> {
    fail::fail_point!("live-look");
    let glance = if is_due { Some(watched.glance()?) } else { None };
    let peers = match host.filter(|_| look_at_peers) {
        Some(host) => {
            let peers = watched.peers(&host)?;
            Some((host, peers))
        }
        None => None,
    };
    Ok((glance, peers))
}
