//! `--live`: a running pipeline, on a terminal.
//!
//! `glance` is what is shown and who gives it; `state` is what each key does; `draw` makes a frame
//! of it; `terminal` takes the terminal and gives it back. Here they are put together: one thread
//! looks at the run, another draws and takes keys, so that keys are quick however long a look
//! takes.
//!
//! Invariant: the view costs the run little. Looks take no more than a tenth of the time, and
//! nothing is drawn if nothing has changed.

mod draw;
mod exchange;
pub mod glance;
mod keys;
mod rates;
#[cfg(test)]
mod samples;
mod say;
mod signals;
mod state;
mod suspend;
mod table;
mod tables;
mod terminal;
#[cfg(test)]
mod tests;
mod watched;

use std::io;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};

use crate::error::{ErrorKind, Result};

use exchange::Exchange;
use glance::Watched;
use state::{App, Flow};
use terminal::{KeyInput, Keyboard, Taken};

pub use signals::interrupt_on_signals;
pub use terminal::require as require_terminal;
pub use watched::{WatchedRun, prepare};

/// How long a key or the end of the run may wait to be seen.
const TICK: Duration = Duration::from_millis(50);

/// Shows a run until it is left with a key, which stops the run, or `interrupted` is set; the
/// picture stays when the run has ended by itself. Errors if standard output is no terminal, and
/// with the error of a look that failed. The terminal is as it was before when this returns or
/// panics.
pub fn run(watched: &dyn Watched, interrupted: &AtomicBool) -> Result<()> {
    let mut keyboard = Keyboard::open()?;
    let taken = Taken::take()?;
    let mut screen = Terminal::new(taken.backend()).map_err(cannot_draw)?;
    let given_back = move || drop(taken);
    view(watched, interrupted, &mut screen, &mut keyboard, given_back)
}

/// The view over any screen and any keys. `leave` is called when nothing is drawn any more, before
/// a last look that is under way is waited for.
fn view<B: Backend>(
    watched: &dyn Watched,
    interrupted: &AtomicBool,
    screen: &mut Terminal<B>,
    input: &mut dyn KeyInput,
    leave: impl FnOnce(),
) -> Result<()> {
    let exchange = Exchange::default();
    thread::scope(|scope| {
        let looker = thread::Builder::new().name("look".into());
        let action = "cannot start a thread for --live";
        let looker = looker
            .spawn_scoped(scope, || exchange.look(watched))
            .map_err(|source| ErrorKind::System { action: action.into(), source })?;
        let shown = {
            // A panic here must not leave the other thread looking, for which the scope would wait.
            let _closed = exchange.closed_on_drop();
            show(&exchange, interrupted, screen, input)
        };
        leave();
        if matches!(shown, Ok(End::Asked)) {
            watched.stop();
        }
        looker.join().unwrap_or_else(|panic| resume_unwind(panic));
        shown.map(|_| ())
    })
}

/// Why the view has ended.
#[derive(Debug)]
enum End {
    /// Whoever looks has seen enough, or is gone.
    Asked,
    /// The run is interrupted anyway.
    Interrupted,
}

/// Draws what has changed and does what keys ask for, until the end.
fn show<B: Backend>(
    exchange: &Exchange,
    interrupted: &AtomicBool,
    screen: &mut Terminal<B>,
    input: &mut dyn KeyInput,
) -> Result<End> {
    let (mut app, started, mut changed) = (App::default(), Instant::now(), true);
    while !interrupted.load(Ordering::Relaxed) && !exchange.is_closed() {
        if let Some(seen) = exchange.take() {
            let (glance, peers) = seen?;
            if let Some(glance) = glance {
                app.see(glance, started.elapsed());
            }
            if let Some((host, peers)) = peers {
                app.see_peers(&host, peers);
            }
            changed = true;
        }
        if changed {
            fail::fail_point!("live-draw");
            screen.draw(|frame| draw::draw(&app, frame)).map_err(cannot_draw)?;
            let area = screen.get_frame().area();
            app.set_page(draw::page(area, &app));
        }
        let arrived = input.wait(TICK).map_err(cannot_draw)?;
        changed = arrived.resized || arrived.resumed || !arrived.keys.is_empty();
        let flows: Vec<Flow> = arrived.keys.into_iter().map(|key| app.press(key)).collect();
        if arrived.hung_up || flows.contains(&Flow::Quit) {
            return Ok(End::Asked);
        }
        let suspended = arrived.suspended || flows.contains(&Flow::Suspend);
        if arrived.resumed && !suspended {
            input.resume().map_err(cannot_draw)?;
        }
        if suspended {
            input.suspend().map_err(cannot_draw)?;
        }
        if suspended || arrived.resumed {
            // Nothing of what was drawn is there any more. Not by `clear`, which asks the terminal
            // where its cursor is, and waits for the answer among the keys.
            let size = screen.size().map_err(cannot_draw)?;
            screen.resize(Rect::from((Position::ORIGIN, size))).map_err(cannot_draw)?;
            changed = true;
        }
        exchange.want(app.wanted());
    }
    // The other thread ends by itself only if a look fails.
    match exchange.take() {
        Some(Err(error)) => Err(error),
        _ => Ok(End::Interrupted),
    }
}

fn cannot_draw(source: impl std::error::Error) -> ErrorKind {
    let action = "the terminal of --live fails".to_owned();
    ErrorKind::System { action, source: io::Error::other(source.to_string()) }
}
