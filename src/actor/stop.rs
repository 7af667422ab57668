//! The two ways to end a run early: draining (read no more, finish what was read) and aborting
//! (drop everything).
//!
//! Not here: who asks for it. Invariant: an abort ends every wait of the run; draining ends none,
//! since readers look it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::channel::{Bell, BellRope, bell};

/// A run's stop switch. Clones share it.
#[derive(Clone)]
pub struct Stop {
    drain: Arc<AtomicBool>,
    abort: Arc<Abort>,
}

struct Abort {
    /// Dropped to ring the bell.
    rope: Mutex<Option<BellRope>>,
    bell: Bell,
    aborted: AtomicBool,
}

impl Stop {
    /// A switch that drains when `drain` is set; a signal handler may own that too.
    pub fn new(drain: Arc<AtomicBool>) -> Self {
        let (rope, bell) = bell();
        let abort = Abort { rope: Mutex::new(Some(rope)), bell, aborted: AtomicBool::new(false) };
        Stop { drain, abort: Arc::new(abort) }
    }

    /// Asks readers to read no more; what has been read is still processed.
    pub fn drain(&self) {
        self.drain.store(true, Ordering::Relaxed);
    }

    /// Whether readers should read no more.
    pub fn draining(&self) -> bool {
        self.drain.load(Ordering::Relaxed) || self.aborted()
    }

    /// Ends every wait of the run at once.
    pub fn abort(&self) {
        self.abort.aborted.store(true, Ordering::Relaxed);
        drop(self.abort.rope.lock().take());
    }

    /// Whether the run was aborted.
    pub fn aborted(&self) -> bool {
        self.abort.aborted.load(Ordering::Relaxed)
    }

    /// Aborts the run if it is dropped by a panic.
    pub fn abort_on_panic(&self) -> AbortOnPanic<'_> {
        AbortOnPanic(self)
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.abort.bell
    }
}

/// Guards what a panic would leave half done.
pub struct AbortOnPanic<'a>(&'a Stop);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort();
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Stop::new(Arc::new(AtomicBool::new(false)))
    }
}
