//! What time brings about where there is nothing to read: silence, the end of a file, and that it
//! is forgotten.
//!
//! Invariant: what is lost of a generation is told before its last step, and once.

use std::time::Duration;

use super::follower::{Follower, Turn};
use super::step::Step;
use crate::model::InputId;

/// Generations without a file that are kept in mind at most.
const DEPARTED: usize = 1000;

impl Follower {
    /// What time and the ways of a file bring about when there is nothing to read.
    pub(super) fn bring_about(&mut self, id: InputId, now: Duration, into: &mut Vec<u8>) -> Option<Step> {
        let generation = self.generations.get_mut(&id)?;
        if generation.copied.is_some() {
            return self.settle(id, None, now);
        }
        if generation.is_over(now) {
            return self.end(id, now);
        }
        if !generation.is_drained(now, self.options.rotate_wait) {
            return self.say_idle(id, now);
        }
        let mut step = None;
        if generation.key.is_some() {
            match self.read(id, now, true, into) {
                Turn::Later => return self.say_idle(id, now),
                Turn::Step(read) if !read.unterminated => return Some(read),
                Turn::Step(read) => step = Some(read),
                Turn::Nothing => {}
            }
        }
        let generation = self.generations.get_mut(&id)?;
        // That look may have shown that it grew, or is another file.
        if !generation.is_drained(now, self.options.rotate_wait) {
            return step;
        }
        // A copy may say where it ended.
        if step.is_none() && self.is_looked_for(id) {
            return self.say_idle(id, now);
        }
        self.settle(id, step, now)
    }

    /// Deals with the end of a generation; `step`: the last bytes of it. What there is to say of
    /// it, if there is anything.
    pub(super) fn settle(&mut self, id: InputId, step: Option<Step>, now: Duration) -> Option<Step> {
        let generation = self.generations.get_mut(&id)?;
        generation.settled = true;
        let lost = generation.loss();
        let wanted = step.is_some() || lost.is_some() || !generation.idle_said || generation.skipped > 0;
        if generation.away.is_some() {
            self.lose_file(id);
            self.bound_departed(id);
        }
        self.update_record(id);
        if !wanted {
            return None;
        }
        let mut step = match step {
            Some(step) => step,
            None => self.step(id, now)?,
        };
        step.lost = step.lost.or(lost);
        step.idle = true;
        self.generations.get_mut(&id)?.idle_said = true;
        Some(step)
    }

    /// Keeps no more settled generations without a file than are allowed.
    fn bound_departed(&mut self, id: InputId) {
        self.departed.push_back(id);
        while self.departed.len() > DEPARTED
            && let Some(oldest) = self.departed.pop_front()
        {
            if let Some(generation) = self.generations.get_mut(&oldest)
                && generation.key.is_none()
                && generation.settled
            {
                generation.expired = true;
                self.enqueue(oldest);
            }
        }
    }

    pub(super) fn say_idle(&mut self, id: InputId, now: Duration) -> Option<Step> {
        let generation = self.generations.get(&id)?;
        if generation.idle_said || now < generation.active + self.options.idle {
            return None;
        }
        let active = generation.active;
        let step = self.step(id, now)?;
        let generation = self.generations.get_mut(&id)?;
        (generation.active, generation.idle_said) = (active, true);
        Some(Step { idle: true, ..step })
    }

    /// The last step of a generation.
    fn end(&mut self, id: InputId, now: Duration) -> Option<Step> {
        let mut step = self.step(id, now)?;
        step.cut.last = true;
        step.idle = true;
        self.records.change(id, |record| record.ended = true);
        self.generations.remove(&id);
        self.departed.retain(|departed| *departed != id);
        Some(step)
    }
}
