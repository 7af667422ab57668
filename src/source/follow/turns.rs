//! Whose turn it is: every file that may have changed gets one chunk a round, and one that only
//! time changes gets its turn when it is due. Beside that, whether all was read that was there when
//! somebody asked.
//!
//! Not here: what comes of a turn. Invariant: a file stands in the queue once.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::model::InputId;

/// Looks at files in one call without anything to pass on: then the caller has a turn, and comes
/// back when `wake_at` says.
const LOOKS: u32 = 64;

/// The order in which generations have their turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queue: VecDeque<InputId>,
    queued: HashSet<InputId>,
    timers: BTreeSet<(Duration, InputId)>,
    /// The time of each generation that has one.
    due: HashMap<InputId, Duration>,
    /// For each generation that is not read yet up to where it was when somebody asked: that
    /// position, once it is known.
    behind: HashMap<InputId, Option<u64>>,
    /// Reads in this call that have given nothing yet.
    looks: u32,
    scan_due: bool,
}

impl Turns {
    /// Gives a generation a turn.
    pub fn enqueue(&mut self, id: InputId) {
        if self.queued.insert(id) {
            self.queue.push_back(id);
        }
    }

    /// Whether a generation has a turn to come.
    pub fn is_queued(&self, id: InputId) -> bool {
        self.queued.contains(&id)
    }

    /// Begins a call: those that are due have their turns now.
    pub fn begin(&mut self, now: Duration) {
        self.looks = 0;
        while let Some((due, id)) = self.timers.first().copied().filter(|(due, _)| *due <= now) {
            self.timers.remove(&(due, id));
            self.due.remove(&id);
            self.enqueue(id);
        }
    }

    /// The generation whose turn it is.
    pub fn take(&mut self) -> Option<InputId> {
        self.queue.pop_front().inspect(|id| {
            self.queued.remove(id);
        })
    }

    /// Whether it may be looked at once more in this call though nothing came of it.
    pub fn may_look_on(&mut self) -> bool {
        self.looks += 1;
        self.looks < LOOKS
    }

    /// Sets the time at which a generation has its turn though nothing marks it.
    pub fn set_timer(&mut self, id: InputId, now: Duration, due: Option<Duration>) {
        let before = self.due.get(&id).copied();
        if before.is_some_and(|before| before <= now) || before == due {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, id));
        }
        match due {
            Some(due) => {
                self.timers.insert((due, id));
                self.due.insert(id, due);
            }
            None => {
                self.due.remove(&id);
            }
        }
    }

    /// When the next turn comes that only time brings about.
    #[cfg(test)]
    pub fn wake_at(&self) -> Option<Duration> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Notes that these are to be read to where they are now.
    pub fn mark_behind(&mut self, ids: impl Iterator<Item = InputId>) {
        self.behind = ids.map(|id| (id, None)).collect();
    }

    /// Notes how far a generation is read after its turn, and how far it could be: `None` if there
    /// was nothing to read.
    pub fn catch_up(&mut self, id: InputId, read: Option<(u64, u64)>) {
        let Some(wanted) = self.behind.get_mut(&id) else { return };
        let is_behind = read.is_some_and(|(position, seen)| position < *wanted.get_or_insert(seen));
        if !is_behind {
            self.behind.remove(&id);
        }
    }

    /// Whether all has been read that was there when it was last asked for.
    pub fn is_abreast(&self) -> bool {
        self.behind.is_empty()
    }

    /// Has the locations looked at before their next regular time.
    pub fn ask_for_scan(&mut self) {
        self.scan_due = true;
    }

    /// Notes that they are looked at now.
    pub fn scanned(&mut self) {
        self.scan_due = false;
    }

    /// Whether a scan should not wait until its next regular time.
    pub fn scan_due(&self) -> bool {
        self.scan_due
    }

    /// Forgets a generation.
    pub fn forget(&mut self, id: InputId) {
        self.behind.remove(&id);
        if let Some(due) = self.due.remove(&id) {
            self.timers.remove(&(due, id));
        }
    }
}
