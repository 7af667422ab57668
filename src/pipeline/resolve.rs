//! Windows as asked for (`now`, `latest`, `first`) to windows in time.
//!
//! `latest` and `first` need a look at the inputs before the run. Standard input can be read once only: what is looked
//! at is kept in a temporary file and read from there.

use std::thread;

use crate::config::{Align, FilterPlan, Range, Start, Until};
use crate::error::{Error, Result};
use crate::model::{Grid, InputId, TimeUnit, Timestamp, Window};
use crate::ops::close::Windows;
use crate::ops::scan::{Highest, Lowest, detect_unit};
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
    inputs: &mut [Input],
    ids: &[InputId],
    max_line: usize,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Resolved> {
    let future_after = now.plus(filter.future);
    let mut look = Look { filter, inputs, ids, max_line, interrupted };
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
                return Err(Error::usage(format!(
                    "the window starts at {start}, after its end at {end}; give an earlier --since"
                )));
            }
            let window = Window::closed(start, end);
            let keep_from = if filter.needs_previous { start.minus(window.length()) } else { start };
            let bounds = Bounds { keep_from, first: start, last: end, future_after };
            Ok(Resolved { windows: Windows::Once(window), bounds })
        }
        Range::Every { length, period, align, lateness, since, until } => {
            let first = since.unwrap_or(Timestamp::MIN);
            let last = match until {
                None | Some(Until::Latest) => future_after,
                Some(Until::Now) => now.minus(1),
                Some(Until::At(time)) => time.minus(1),
            };
            let (anchor, start) = match align {
                Align::At(time) => (time, None),
                Align::First => {
                    let state = Lowest { future_after, lateness, bounds: (first, last), highest: None, found: None };
                    (look.lowest(state)?.unwrap_or(now), Some(0))
                }
            };
            let grid = Grid { anchor, length, period, first: start };
            Ok(Resolved {
                windows: Windows::Every(grid),
                bounds: Bounds { keep_from: first, first, last, future_after },
            })
        }
    }
}

/// A look at the inputs of a time-filter.
struct Look<'a> {
    filter: &'a FilterPlan,
    inputs: &'a mut [Input],
    ids: &'a [InputId],
    max_line: usize,
    interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl Look<'_> {
    /// The highest stamp of all inputs.
    fn highest(&mut self, future_after: Timestamp) -> Result<Option<Timestamp>> {
        let state = Highest { future_after, found: None };
        let format = self.filter.format;
        let looked = self.each(&state, |state, bytes, unit| {
            state.look(format, bytes, unit);
            true
        })?;
        Ok(looked.iter().filter_map(|state| state.found).max())
    }

    /// The lowest stamp of all inputs that is not late.
    fn lowest(&mut self, state: Lowest) -> Result<Option<Timestamp>> {
        let format = self.filter.format;
        let looked = self.each(&state, |state, bytes, unit| {
            state.look(format, bytes, unit);
            !state.is_settled()
        })?;
        Ok(looked.iter().filter_map(|state| state.found).min())
    }

    /// Shows each input's blocks, in order, to a copy of `state` of its own, until `f` has seen enough. Inputs are
    /// looked at in parallel.
    fn each<S: Clone + Send + Sync>(
        &mut self,
        state: &S,
        f: impl Fn(&mut S, &[u8], TimeUnit) -> bool + Sync,
    ) -> Result<Vec<S>> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(self.ids.len());
        let chosen: Vec<(usize, Input)> =
            self.ids.iter().map(|id| (id.0 as usize, self.inputs[id.0 as usize].clone())).collect();
        let next = std::sync::atomic::AtomicUsize::new(0);
        let one = || {
            let mut done = Vec::new();
            while let Some((at, input)) = chosen.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                let mut state = state.clone();
                let spooled = self.look_at(input, &mut state, &f)?;
                done.push((*at, state, spooled));
            }
            Ok::<_, Error>(done)
        };
        let looked: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(one)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut states = Vec::new();
        for part in looked {
            for (at, state, spooled) in part? {
                states.push(state);
                if let Some(input) = spooled {
                    self.inputs[at] = input;
                }
            }
        }
        Ok(states)
    }

    /// Looks at one input; gives the input to read instead, if it could be read once only. What goes wrong here goes
    /// wrong in the run too, and is told there.
    fn look_at<S>(
        &self,
        input: &Input,
        state: &mut S,
        f: &impl Fn(&mut S, &[u8], TimeUnit) -> bool,
    ) -> Result<Option<Input>> {
        let mut cursor = Cursor::new(input.clone(), BLOCK, self.max_line);
        cursor.keep()?;
        let (mut bytes, mut unit) = (Vec::new(), self.filter.unit);
        loop {
            let step = cursor.next(&mut bytes, &self.interrupted);
            unit = unit.or_else(|| detect_unit(self.filter.format, &bytes));
            let enough = unit.is_some_and(|unit| !f(state, &bytes, unit));
            if step.cut.last || enough {
                return Ok(cursor.into_kept());
            }
        }
    }
}
