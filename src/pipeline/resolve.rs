//! Windows as asked for (`now`, `latest`, `first`) to windows in time.
//!
//! `latest` and `first` need a look at the inputs before the run. Standard input can be read once only: what is looked
//! at is kept in a temporary file and read from there.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::inputs::Inputs;
use super::prune::latest;
use crate::config::{Align, FilterPlan, Range, Start, Until};
use crate::error::{Error, Result};
use crate::model::{Grid, InputId, Peaks, TimeUnit, Timestamp, Window};
use crate::ops::close::Windows;
use crate::ops::scan::{Block, Highest, Lowest, detect_unit};
use crate::ops::select::Bounds;
use crate::source::{Cursor, Input};

/// Bytes of a block in a look at the inputs.
const BLOCK: usize = 256 << 10;

/// A time-filter's windows in time, and what it keeps for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolved {
    pub windows: Windows,
    pub bounds: Bounds,
}

/// Resolves the range of a time-filter over `ids`. Inputs that can be read once only are replaced by spooled ones.
pub(super) fn resolve(
    filter: &FilterPlan,
    now: Timestamp,
    inputs: &mut Inputs,
    ids: &[InputId],
    follows: bool,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Resolved> {
    let now = filter.now.unwrap_or(now);
    let future_after = now.plus(filter.future);
    let mut look = Look { filter, inputs, ids, interrupted };
    match filter.range {
        Range::Once { start, until } => {
            let end = match until {
                Until::Now => now,
                Until::At(time) => time,
                Until::Latest => look.highest(future_after)?.unwrap_or(now),
            };
            let start = match start {
                Start::Before(nanos) => end.minus(nanos),
                Start::At(time) => time,
            };
            if start > end {
                return Err(not_before(start, end));
            }
            let window = Window::closed(start, end);
            let keep_from = if filter.needs_previous { start.minus(window.length()) } else { start };
            let bounds = Bounds { keep_from, first: start, last: end, future_after };
            Ok(Resolved { windows: Windows::Once(window), bounds })
        }
        Range::Every { length, period, align, lateness, since, until } => {
            // A window that reaches beyond the instants there are could not say where it starts or ends.
            let margin = length.saturating_add(period);
            let first = since.unwrap_or(Timestamp::MIN).max(Timestamp::MIN.plus(margin));
            let last = match until {
                None | Some(Until::Latest) => future_after,
                Some(Until::Now) => now.minus(1),
                Some(Until::At(time)) => time.minus(1),
            };
            if let Some(since) = since.filter(|since| *since > last) {
                return Err(not_before(since, last.plus(1)));
            }
            let last = last.min(Timestamp::MAX.minus(margin));
            let (anchor, start) = match align {
                Align::At(time) => (time, None),
                Align::Start => (now.minus(length), None),
                Align::First => {
                    let (max_jump, bounds, peaks) = (filter.max_jump, (first, last), Peaks::default());
                    let state = Lowest { future_after, lateness, max_jump, bounds, peaks, found: None };
                    (look.lowest(state)?.unwrap_or(now), Some(0))
                }
            };
            let grid = Grid { anchor, length, period, first: start };
            if follows {
                return Ok(following(grid, filter, now, since.map(|_| first), future_after));
            }
            Ok(Resolved {
                windows: Windows::Every(grid),
                bounds: Bounds { keep_from: first, first, last, future_after },
            })
        }
    }
}

/// The windows of a run that goes on: from the first one that ends now or later, or from where the history is to start.
fn following(
    grid: Grid,
    filter: &FilterPlan,
    now: Timestamp,
    since: Option<Timestamp>,
    future_after: Timestamp,
) -> Resolved {
    let next = grid.first_ending_after(now.minus(1));
    let grid = if since.is_none() { Grid { first: Some(next), ..grid } } else { grid };
    let first = since.unwrap_or(grid.window(next).start);
    let keep_from = if filter.needs_previous { first.minus(grid.length) } else { first };
    let last = Timestamp::MAX.minus(grid.length.saturating_add(grid.period));
    Resolved { windows: Windows::Every(grid), bounds: Bounds { keep_from, first, last, future_after } }
}

fn not_before(start: Timestamp, end: Timestamp) -> Error {
    Error::usage(format!("the window starts at {start}, after its end at {end}; give an earlier --since"))
}

/// A look at the inputs of a time-filter.
struct Look<'a> {
    filter: &'a FilterPlan,
    inputs: &'a mut Inputs,
    ids: &'a [InputId],
    interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl Look<'_> {
    /// The highest stamp of all inputs.
    fn highest(&mut self, future_after: Timestamp) -> Result<Option<Timestamp>> {
        // Most files tell it by their ends; the others have to be looked at from their starts.
        let (mut highest, mut others) = (None, Vec::new());
        for &id in self.ids {
            match latest(self.inputs, id, self.filter, future_after) {
                Some(time) => highest = highest.max(Some(time)),
                None => others.push(id),
            }
        }
        let state = Highest { future_after, found: None };
        let format = self.filter.format;
        let looked = self.each(&others, &state, |state, block, unit| {
            state.look(format, block, unit);
            true
        })?;
        Ok(looked.iter().filter_map(|state| state.found).max().max(highest))
    }

    /// The lowest stamp of all inputs that is not late.
    fn lowest(&mut self, state: Lowest) -> Result<Option<Timestamp>> {
        let format = self.filter.format;
        let looked = self.each(self.ids, &state, |state, block, unit| {
            state.look(format, block, unit);
            !state.is_settled()
        })?;
        Ok(looked.iter().filter_map(|state| state.found).min())
    }

    /// Shows the blocks of each of these inputs, in order, to a copy of `state` of its own, until `f` has seen enough.
    /// Inputs are looked at in parallel.
    fn each<S: Clone + Send + Sync>(
        &mut self,
        ids: &[InputId],
        state: &S,
        f: impl Fn(&mut S, Block<'_>, TimeUnit) -> bool + Sync,
    ) -> Result<Vec<S>> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(ids.len());
        let next = AtomicUsize::new(0);
        let one = || {
            let mut done = Vec::new();
            while let Some(&id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut state = state.clone();
                let spooled = self.look_at(id, &mut state, &f)?;
                done.push((id, state, spooled));
            }
            Ok::<_, Error>(done)
        };
        let looked: Vec<_> = thread::scope(|scope| {
            // This thread looks too, so that threads that cannot be had are only missed.
            let others: Vec<_> =
                (1..workers).map_while(|_| thread::Builder::new().spawn_scoped(scope, one).ok()).collect();
            let mine = one();
            let joined = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            std::iter::once(mine).chain(joined).collect()
        });
        let mut states = Vec::new();
        for part in looked {
            for (id, state, spooled) in part? {
                states.push(state);
                if let Some(input) = spooled {
                    self.inputs.all[id.0 as usize] = input;
                }
            }
        }
        Ok(states)
    }

    /// Looks at one input; gives the input to read instead, if it could be read once only. What goes wrong here goes
    /// wrong in the run too, and is told there.
    fn look_at<S>(
        &self,
        id: InputId,
        state: &mut S,
        f: &impl Fn(&mut S, Block<'_>, TimeUnit) -> bool,
    ) -> Result<Option<Input>> {
        let (input, max_line) = (&self.inputs.all[id.0 as usize], self.inputs.max_line[id.0 as usize]);
        let mut cursor = Cursor::new(input.clone(), BLOCK, max_line);
        cursor.keep()?;
        let (mut bytes, mut unit) = (Vec::new(), self.filter.unit);
        loop {
            let mut step = cursor.next(&mut bytes, &self.interrupted);
            // Of a stream, what went wrong here would not go wrong again: what was taken from it is gone.
            if let Some(failure) = step.failure.take().filter(|_| cursor.has_taken()) {
                return Err(failure);
            }
            let block = Block { bytes: &bytes, from: step.cut.from, max_line };
            unit = unit.or_else(|| detect_unit(self.filter.format, block));
            let enough = unit.is_some_and(|unit| !f(state, block, unit));
            if step.cut.last || enough {
                return Ok(cursor.into_kept(step.cut.last));
            }
        }
    }
}
