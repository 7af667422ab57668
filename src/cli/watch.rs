//! While a run goes on: signals, and progress on a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{ErrorKind, Result};
use crate::metrics;

/// A run shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time between two looks at the progress.
const TICK: Duration = Duration::from_millis(100);

/// A flag that the first SIGINT or SIGTERM sets. The second one ends the process at once, with 130 or 143.
pub fn interrupt_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let register = || {
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            // In this order: the signal that sets the flag must not be the one that finds it set.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&flag))?;
            flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(())
    };
    register().map_err(|source| ErrorKind::System { action: "cannot watch for signals".into(), source })?;
    Ok(flag)
}

/// A progress bar on stderr, until it is dropped.
pub struct Progress {
    done: Arc<AtomicBool>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows how far `progress` has come.
    pub fn start(progress: Arc<metrics::Progress>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let painter = thread::Builder::new().name("progress".into()).spawn(move || paint(&progress, &seen)).ok();
        Progress { done, painter }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(painter) = self.painter.take() {
            // A painter that panicked has nothing left to say.
            let _ = painter.join();
        }
    }
}

fn paint(progress: &metrics::Progress, done: &AtomicBool) {
    let started = Instant::now();
    let mut bar = None;
    while !done.load(Ordering::Relaxed) {
        thread::sleep(TICK);
        if started.elapsed() < PATIENCE {
            continue;
        }
        let bar = bar.get_or_insert_with(|| new_bar(progress.known()));
        bar.set_length(progress.known());
        bar.set_position(progress.read());
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn new_bar(known: u64) -> ProgressBar {
    let template = match known {
        0 => "{binary_bytes} read, {binary_bytes_per_sec}",
        _ => "{bar:30} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(known), ProgressDrawTarget::stderr()).with_style(style)
}
