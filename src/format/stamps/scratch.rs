//! What a reader of stamps remembers from one to the next.
//!
//! Not here: what zones are (`zone`). Invariant: it changes how long a stamp takes to read and what
//! is counted of it, never what it means.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::format::line::UnclearStamps;

/// What a reader of stamps counts, and what it has looked up last.
#[derive(Debug, Clone, Default)]
pub struct StampScratch {
    /// Stamps that clocks which were set make unclear.
    pub unclear: UnclearStamps,
    stretch: OffsetStretch,
    /// Whose times these are. That it is held keeps its address from being that of another zone.
    rules: Option<Arc<TimeZone>>,
}

/// How many instants a time of day means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Once,
    /// Clocks were set back: the first of two is taken.
    Twice,
    /// Clocks were set forward past it.
    Never,
}

/// Local times that mean one instant each, all with one offset. By default, none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OffsetStretch {
    /// The first, in seconds from 1970 as if there were no zones.
    pub(super) from: i64,
    /// The one behind the last.
    pub(super) until: i64,
    /// Seconds that clocks are ahead of UTC.
    pub(super) offset: i64,
}

impl OffsetStretch {
    pub(super) const fn holds(&self, local: i64) -> bool {
        self.from <= local && local < self.until
    }
}

impl StampScratch {
    /// The offset at a local time, if it is remembered.
    #[inline]
    pub(super) fn known(&self, rules: &Arc<TimeZone>, local: i64) -> Option<i64> {
        let is_known = self.stretch.holds(local) && self.rules.as_ref().is_some_and(|known| Arc::ptr_eq(known, rules));
        is_known.then_some(self.stretch.offset)
    }

    pub(super) fn remember(&mut self, rules: &Arc<TimeZone>, stretch: OffsetStretch) {
        self.rules = Some(Arc::clone(rules));
        self.stretch = stretch;
    }

    #[inline]
    pub(super) fn count(&mut self, times: Occurrence) {
        match times {
            Occurrence::Once => {}
            Occurrence::Twice => self.unclear.ambiguous += 1,
            Occurrence::Never => self.unclear.missing += 1,
        }
    }
}
