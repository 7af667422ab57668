//! While a run goes on: signals, and progress on a terminal.
//!
//! Not here: what is said of losses (`loss`). Invariant: no progress is drawn where nobody sees it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::{flag, low_level};

use crate::error::{ErrorKind, Result};
use crate::metrics;
use crate::pipeline::Sheets;

use super::loss::{Asked, Told};
use super::show;
use super::standing::Waits;

/// A run shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time between two looks at the progress.
const TICK: Duration = Duration::from_millis(100);

/// Time between two looks at the losses of a run that goes on.
const LOOK: Duration = Duration::from_secs(1);

/// A signal that comes this soon after the first is the same wish: timeout(1) sends one to the
/// process and one to its group.
const TWINS: Duration = Duration::from_millis(50);

/// Makes the first SIGINT or SIGTERM set the flag. One that comes later ends the process at once,
/// with 130 or 143.
pub fn drain_on_signals(flag: &Arc<AtomicBool>) -> Result<()> {
    let failed = |action: &str, source| ErrorKind::System { action: action.into(), source };
    let armed = Arc::<AtomicBool>::default();
    let register = || {
        let (told, mut teller) = UnixStream::pair()?;
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            // From here on the signal does not end the process, so that it must not be missed.
            flag::register(signal, Arc::clone(flag))?;
            low_level::pipe::register(signal, teller.try_clone()?)?;
            flag::register_conditional_shutdown(signal, code, Arc::clone(&armed))?;
        }
        if flag.load(Ordering::SeqCst) {
            teller.write_all(&[0])?;
        }
        Ok(told)
    };
    let mut told = register().map_err(|source| failed("cannot watch for signals", source))?;
    let wait = move || {
        if told.read_exact(&mut [0]).is_ok() {
            thread::sleep(TWINS);
            armed.store(true, Ordering::Relaxed);
        }
    };
    let thread = thread::Builder::new().name("signals".into()).spawn(wait);
    Ok(thread.map(drop).map_err(|source| failed("cannot start a thread", source))?)
}

/// Lets a run that goes on for months outlive signals that are meant for others, or for nobody:
/// SIGHUP sets the flag, so that output files are opened again, and SIGUSR1, SIGUSR2 and SIGALRM do
/// nothing.
pub fn outlive_signals(reopen: &Arc<AtomicBool>) -> Result<()> {
    let register = || {
        flag::register(SIGHUP, Arc::clone(reopen))?;
        for signal in [SIGUSR1, SIGUSR2, SIGALRM] {
            flag::register(signal, Arc::default())?;
        }
        Ok(())
    };
    register().map_err(|source| ErrorKind::System { action: "cannot watch for signals".into(), source }.into())
}

/// Makes a file that may not grow any more an error for its writer, and not the end of the process.
pub fn outlive_full_files() {
    // If that fails, a process that meets its limit is ended as usual.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// A progress bar on stderr, until it is dropped.
pub struct ProgressLine {
    /// Hidden until the run has taken a while.
    bar: ProgressBar,
    done: Arc<AtomicBool>,
    painter: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        ProgressLine { bar: ProgressBar::hidden(), done: Arc::default(), painter: None }
    }

    /// Standard output, for results: on the same terminal, the bar makes way for them.
    pub fn stdout(&self) -> Box<dyn Write + Send> {
        Box::new(BesideBar(self.bar.clone()))
    }

    /// Shows how many folders have been listed, until there is something to read.
    pub fn list(&mut self, folders: Arc<AtomicU64>) {
        self.paint(move |bar, is_new| {
            if is_new {
                bar.set_style(style("{spinner} listing: {pos} folders so far"));
            }
            bar.set_position(folders.load(Ordering::Relaxed));
        });
    }

    /// Shows how far `progress` has come.
    pub fn start(&mut self, progress: Arc<metrics::Progress>) {
        self.paint(move |bar, is_new| {
            if is_new {
                bar.set_style(style(match progress.known() {
                    0 => "{binary_bytes} read, {binary_bytes_per_sec}",
                    _ => "{bar:30} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
                }));
            }
            bar.set_length(progress.known());
            bar.set_position(progress.read());
        });
    }

    /// Starts a thread that draws again and again, over what it has drawn before, once the run has
    /// taken a while.
    fn paint(&mut self, draw: impl Fn(&ProgressBar, bool) + Send + 'static) {
        self.stop();
        let (bar, done) = (self.bar.clone(), Arc::clone(&self.done));
        let paint = move || {
            let (started, mut is_new) = (Instant::now(), true);
            while !done.load(Ordering::Relaxed) {
                thread::park_timeout(TICK);
                if started.elapsed() < PATIENCE {
                    continue;
                }
                draw(&bar, is_new);
                if bar.is_hidden() {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
                is_new = false;
            }
        };
        self.painter = thread::Builder::new().name("progress".into()).spawn(paint).ok();
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(painter) = self.painter.take() {
            painter.thread().unpark();
            // A painter that panicked has nothing left to say.
            let _ = painter.join();
        }
        self.done = Arc::default();
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.stop();
        self.bar.finish_and_clear();
    }
}

/// Tells the losses of a run that goes on, as they begin and then seldom, until it is dropped.
pub struct Losses {
    done: Arc<AtomicBool>,
    foreign: Arc<AtomicBool>,
    teller: Option<JoinHandle<Told>>,
}

impl Losses {
    /// Of the run that has these sheets. Without a thread they are told at its end only. With
    /// `waits`, it is said once why no result has come, if none has.
    pub fn tell(sheets: Sheets, asked: Asked, mut waits: Option<Waits>) -> Self {
        let done = Arc::<AtomicBool>::default();
        let foreign = Arc::<AtomicBool>::default();
        let (stop, is_foreign) = (Arc::clone(&done), Arc::clone(&foreign));
        let tell = move || {
            let (started, mut told) = (Instant::now(), Told::default());
            loop {
                thread::park_timeout(LOOK);
                if stop.load(Ordering::Relaxed) {
                    return told;
                }
                let due = told.due(&sheets.now(), &asked, started.elapsed());
                due.iter().for_each(|line| show::loss(line));
                let Some(standing) = waits.and_then(|_| sheets.standing()) else { continue };
                let Some(waits) = waits.take() else { continue };
                match sheets.foreign() {
                    None => show::note(&waits.said(&standing)),
                    foreign => {
                        show::foreign(foreign);
                        is_foreign.store(true, Ordering::Relaxed);
                    }
                }
            }
        };
        Losses { done, foreign, teller: thread::Builder::new().name("losses".into()).spawn(tell).ok() }
    }
}

impl Losses {
    /// Whether it was said that no line is a record.
    pub fn have_said_foreign(&self) -> bool {
        self.foreign.load(Ordering::Relaxed)
    }

    /// What has been told so far.
    pub fn end(mut self) -> Told {
        self.stop()
    }

    fn stop(&mut self) -> Told {
        self.done.store(true, Ordering::Relaxed);
        let Some(teller) = self.teller.take() else { return Told::default() };
        teller.thread().unpark();
        // A thread that panicked has nothing left to say.
        teller.join().unwrap_or_default()
    }
}

impl Drop for Losses {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Standard output, past a bar.
struct BesideBar(ProgressBar);

impl Write for BesideBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.suspend(|| io::stdout().flush())
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
