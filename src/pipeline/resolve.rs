//! Windows as asked for (`now`, `latest`, `first`) to windows in time.
//!
//! `latest` and `first` need a look at the inputs before the run. Standard input can be read once
//! only: what is looked at is kept in a temporary file and read from there.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::inputs::Inputs;
use super::probe::latest;
use crate::config::{Align, FilterPlan, Plan, Range, Start, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::format::LineRules;
use crate::model::{Ends, Grid, InputId, Moment, Peaks, Timestamp, Window};
use crate::ops::close::Windows;
use crate::ops::scan::{Block, Highest, Lowest};
use crate::ops::select::Bounds;
use crate::output::Stretch;
use crate::source::{Cursor, Input};
use crate::stage::reporter;

/// Bytes of a block in a look at the inputs.
const BLOCK: usize = 256 << 10;

/// A time-filter's windows in time, and what it keeps for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolved {
    pub windows: Windows,
    pub bounds: Bounds,
    /// What is taken for now.
    pub now: Timestamp,
}

impl Resolved {
    /// Takes the windows of the run that was saved, in place of those that would begin now: with
    /// the first instant that it keeps, and the first that counts.
    pub fn go_on(&mut self, grid: Grid, bounds: (Timestamp, Timestamp)) {
        self.windows = Windows::Every(grid);
        (self.bounds.keep_from, self.bounds.first) = bounds;
    }

    /// What was asked for, as it is said where it holds nothing.
    pub fn stretch(&self, filter: &FilterPlan) -> Stretch {
        match (self.windows, filter.range) {
            (Windows::Once(window), Range::Once { start: Start::At(_), .. }) => Stretch::From(window),
            (Windows::Once(window), _) => Stretch::Window(window),
            (Windows::Every(_), _) => {
                let Ends { since, until } = self.range(filter).ends;
                Stretch::Range(since, until)
            }
        }
    }

    /// The range that was asked for. One window is what it was asked to be, and nothing cuts it.
    pub fn range(&self, filter: &FilterPlan) -> reporter::AskedRange {
        let is_instant = |moment: &Moment| !matches!(moment, Moment::Word(..));
        let (since, until) = match filter.range {
            Range::Every { since, until, .. } => (since, until),
            Range::Once { start, until } => {
                let since = matches!(start, Start::At(since) if is_instant(&since));
                return reporter::AskedRange {
                    by_instant: since || is_instant(&until),
                    ..reporter::AskedRange::default()
                };
            }
        };
        let by_instant = since.iter().chain(&until).any(is_instant);
        let until_latest = until == Some(Moment::LATEST);
        let since = since.map(|_| self.bounds.first);
        let until = until.filter(|_| !until_latest).map(|_| self.bounds.last.plus(1));
        reporter::AskedRange { ends: Ends { since, until }, until_latest, by_instant }
    }
}

/// A time-filter and its place in the plan, with its windows.
pub(super) type ResolvedFilter<'a> = (usize, &'a FilterPlan, Resolved);

/// The time-filter before a stage.
pub(super) fn filter_before<'a>(
    plan: &'a Plan,
    at: usize,
    resolved: &[Option<Resolved>],
) -> Option<ResolvedFilter<'a>> {
    plan.upstream(at).into_iter().find_map(|at| match &plan.stages[at].task {
        Task::TimeFilter(filter) => Some((at, filter, resolved[at]?)),
        _ => None,
    })
}

/// The windows of each time-filter, by its place in the plan.
pub(super) fn resolve_all(
    plan: &Plan,
    now: Timestamp,
    inputs: &mut Inputs,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Option<Resolved>>> {
    let mut resolved = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        resolved.push(match &stage.task {
            Task::TimeFilter(filter) => {
                let ids = inputs.reaching(plan, at);
                Some(resolve(filter, now, inputs, &ids, plan.follows(), interrupted)?)
            }
            _ => None,
        });
    }
    Ok(resolved)
}

/// Resolves the range of a time-filter over `ids`. Inputs that can be read once only are replaced
/// by spooled ones.
fn resolve(
    filter: &FilterPlan,
    now: Timestamp,
    inputs: &mut Inputs,
    ids: &[InputId],
    follows: bool,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Resolved> {
    let now = filter.now.map_or(Ok(now), |moment| {
        moment.resolve(&filter.zone, now, || Ok(now)).map_err(|message: String| beyond("now", moment, &message))
    })?;
    let future_after = now.checked_plus(filter.stamps.future).ok_or_else(|| {
        Error::usage(format!("future reaches beyond the instants there are, from now at {now}; give a shorter one"))
    })?;
    let mut look = InputLook { filter, inputs, ids, interrupted, now, future_after, latest: None };
    match filter.range {
        Range::Once { start, until } => {
            let window = once(start, until, &mut look)?;
            let (first, last) = (window.start, window.end);
            let keep_from = if filter.needs_previous { first.minus(window.length()) } else { first };
            let bounds = Bounds { keep_from, first, last, future_after };
            Ok(Resolved { windows: Windows::Once(window), bounds, now })
        }
        Range::Every { length, period, align, lateness, since, until } => {
            // A window that reaches beyond the instants there are could not say where it starts or
            // ends.
            let too_long = || Error::usage("seconds and every reach beyond the instants there are; give shorter ones");
            let margin = length.checked_add(period).ok_or_else(too_long)?;
            let by_inputs = [since, until].into_iter().flatten().any(Moment::rests_on_inputs);
            let since = since.map(|moment| look.moment("since", moment)).transpose()?;
            let first = since.unwrap_or(Timestamp::MIN).max(Timestamp::MIN.plus(margin));
            let last = match until {
                None | Some(Moment::LATEST) => future_after,
                Some(moment) => look.moment("until", moment)?.minus(1),
            };
            if let Some(since) = since.filter(|since| *since > last) {
                return Err(not_before(since, last.plus(1), by_inputs));
            }
            last.checked_plus(margin).ok_or_else(too_long)?;
            let (anchor, start) = match align {
                Align::At(moment) => (look.moment("align", moment)?, None),
                Align::Start => (now.checked_plus(-length).ok_or_else(too_long)?, None),
                Align::First => {
                    let (max_jump, bounds, peaks) = (filter.stamps.max_jump, (first, last), Peaks::default());
                    let state = Lowest { future_after, lateness, max_jump, bounds, peaks, found: None };
                    (look.lowest(state)?.unwrap_or(now), Some(0))
                }
            };
            let grid = Grid { anchor, length, period, first: start };
            if follows {
                return Ok(following(grid, filter, now, since.map(|_| first), future_after));
            }
            let bounds = Bounds { keep_from: first, first, last, future_after };
            Ok(Resolved { windows: Windows::Every(grid), bounds, now })
        }
    }
}

/// The one window of a run that ends.
fn once(from: Start, until: Moment, look: &mut InputLook<'_>) -> Result<Window> {
    let end = look.moment("until", until)?;
    let start = match from {
        Start::At(moment) => look.moment("since", moment)?,
        Start::Before(nanos) => end.checked_plus(-nanos).ok_or_else(|| {
            let seconds = Timestamp::from_nanos(nanos).unix_decimal();
            wrong(until.rests_on_inputs(), match until.rests_on_inputs() {
                true => format!(
                    "the highest stamp of the inputs leads to a window that ends at {end}, {seconds} s before which there \
                     are no instants (the first is {}); are these stamps right? --since {} takes all there are",
                    Timestamp::MIN,
                    Timestamp::MIN,
                ),
                false => format!("seconds reaches beyond the instants there are, back from {end}; give fewer"),
            })
        })?,
    };
    let by_inputs = until.rests_on_inputs() || matches!(from, Start::At(since) if since.rests_on_inputs());
    if start > end {
        return Err(not_before(start, end, by_inputs));
    }
    if end.nanos().checked_sub(start.nanos()).is_none() {
        let message = format!("the window from {start} to {end} is longer than 292 years; give a later since");
        return Err(wrong(by_inputs, message));
    }
    Ok(Window::closed(start, end))
}

/// The windows of a run that goes on: from the first one that ends now or later, or from where the
/// history is to start.
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
    Resolved { windows: Windows::Every(grid), bounds: Bounds { keep_from, first, last, future_after }, now }
}

fn beyond(key: &str, moment: Moment, message: &str) -> Error {
    Error::usage(format!("{key} {moment}: {message}"))
}

fn not_before(start: Timestamp, end: Timestamp, by_inputs: bool) -> Error {
    let whose = if by_inputs { ", as the stamps of the inputs have it" } else { "" };
    wrong(by_inputs, format!("the window starts at {start}, after its end at {end}{whose}; give an earlier --since"))
}

/// A window that cannot be, because of what was asked or, where an end of it rests on the inputs,
/// because of what is in them.
fn wrong(by_inputs: bool, message: String) -> Error {
    if by_inputs { ErrorKind::Stamps(message).into() } else { Error::usage(message) }
}

/// A look at the inputs of a time-filter.
struct InputLook<'a> {
    filter: &'a FilterPlan,
    inputs: &'a mut Inputs,
    ids: &'a [InputId],
    interrupted: &'a (dyn Fn() -> bool + Sync),
    now: Timestamp,
    future_after: Timestamp,
    /// The highest stamp, once it has been looked for.
    latest: Option<Timestamp>,
}

impl InputLook<'_> {
    /// The instant that a key gives.
    fn moment(&mut self, key: &str, moment: Moment) -> Result<Timestamp> {
        if moment.rests_on_inputs() && self.latest.is_none() {
            self.latest = Some(self.highest()?.unwrap_or(self.now));
        }
        let latest = self.latest.unwrap_or(self.now);
        let found = moment.resolve(&self.filter.zone, self.now, || Ok(latest));
        found.map_err(|message: String| match moment.rests_on_inputs() {
            true => wrong(true, format!("{key} {moment}: {message}; the highest stamp of the inputs is {latest}")),
            false => beyond(key, moment, &message),
        })
    }

    /// The highest stamp of all inputs; of lines that are malformed behind theirs where there are
    /// no others, so that these are told as what they are.
    fn highest(&mut self) -> Result<Option<Timestamp>> {
        let future_after = self.future_after;
        // Most files tell it by their ends; the others have to be looked at from their starts.
        let (mut highest, mut others) = (None, Vec::new());
        for &id in self.ids {
            match latest(self.inputs, id, self.filter, future_after) {
                Some(time) => highest = highest.max(Some(time)),
                None => others.push(id),
            }
        }
        let state = Highest { future_after, found: None, any: None };
        let looked = self.each(&others, &state, |state, block| {
            state.look(block);
            true
        })?;
        let highest = looked.iter().filter_map(|state| state.found).max().max(highest);
        Ok(highest.or_else(|| looked.iter().filter_map(|state| state.any).max()))
    }

    /// The lowest stamp of all inputs that is not late.
    fn lowest(&mut self, state: Lowest) -> Result<Option<Timestamp>> {
        let looked = self.each(self.ids, &state, |state, block| {
            state.look(block);
            !state.is_settled()
        })?;
        Ok(looked.iter().filter_map(|state| state.found).min())
    }

    /// Shows the blocks of each of these inputs, in order, to a copy of `state` of its own, until
    /// `f` has seen enough. Inputs are looked at in parallel.
    fn each<S: Clone + Send + Sync>(
        &mut self,
        ids: &[InputId],
        state: &S,
        f: impl Fn(&mut S, Block<'_>) -> bool + Sync,
    ) -> Result<Vec<S>> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(ids.len()).min(self.inputs.looks);
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
            // This thread looks too, so without more threads it only takes longer.
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

    /// Looks at one input; gives the input to read instead, if it could be read once only. What
    /// goes wrong here goes wrong in the run too, and is told there.
    fn look_at<S>(&self, id: InputId, state: &mut S, f: &impl Fn(&mut S, Block<'_>) -> bool) -> Result<Option<Input>> {
        let at = id.0 as usize;
        let (input, mut rules) = (&self.inputs.all[at], self.inputs.rules[at].clone());
        let mut cursor = Cursor::new(input.clone(), BLOCK, rules.max_line);
        cursor.keep()?;
        let mut bytes = Vec::new();
        loop {
            let mut step = cursor.next(&mut bytes, &self.interrupted);
            // What went wrong in a stream would not go wrong again: what was taken from it is gone.
            if let Some(failure) = step.failure.take().filter(|_| cursor.has_taken()) {
                return Err(failure);
            }
            let piece = |bytes: &[u8], start: usize, rules: &LineRules| {
                f(state, Block { bytes, from: step.cut.from + start as u64, rules })
            };
            if !rules.each_piece(&bytes, piece) || step.cut.last {
                return Ok(cursor.into_kept(step.cut.last));
            }
        }
    }
}
