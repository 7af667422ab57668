//! The terminal: taken for the view, and given back as it was.
//!
//! Invariant: however the view ends (done, error, panic, signal), `restore` has run before the
//! process goes on or ends; and nothing of the view is drawn after it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, is_raw_mode_enabled,
};
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio;
use signal_hook::consts::SIGWINCH;

use super::keys::{Key, KeyDecoder};
use super::suspend::{Job, is_controlled};
use crate::cli::tty;
use crate::error::{Error, ErrorKind, Result};

/// How long the rest of a key is waited for. Terminals send one in one piece; a network may cut it.
const REST_OF_KEY: Duration = Duration::from_millis(30);

/// How long `restore` waits for a terminal that takes nothing more.
const STUCK: Duration = Duration::from_millis(100);

/// Errors unless standard output is a terminal that can place text.
pub fn require() -> Result<()> {
    if !io::stdout().is_terminal() {
        return Err(Error::usage("--live needs a terminal; leave it out in a pipe"));
    }
    let Some(kind) = tty::unplaced() else { return Ok(()) };
    Err(Error::usage(format!(
        "--live needs a terminal that can place text, and TERM is {kind}; leave --live out, or set TERM to what the \
         terminal is, e.g. TERM=xterm"
    )))
}

/// The terminal, for as long as the view has it.
pub struct Taken(());

impl Taken {
    /// Takes the terminal, for the thread that draws.
    pub fn take() -> Result<Self> {
        require()?;
        hook_panics();
        enter_view();
        let failed = |source| ErrorKind::System { action: "cannot take the terminal for --live".into(), source };
        enable_raw_mode().map_err(failed)?;
        let taken = Taken(());
        enter().map_err(failed)?;
        Ok(taken)
    }

    /// What draws on it.
    pub fn backend(&self) -> CrosstermBackend<Screen> {
        CrosstermBackend::new(Screen(Vec::new()))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        restore();
        IN_VIEW.set(false);
    }
}

/// Gives the terminal back as it was, if the view has it. May be called at any time by any thread.
pub fn restore() {
    if !is_taken() {
        return;
    }
    // First what cannot hang. If it fails, the terminal is gone.
    let _ = disable_raw_mode();
    let mut leave = Vec::new();
    let _ = queue!(leave, ResetColor, LeaveAlternateScreen, Show);
    let mut stdout = [PollFd::from_borrowed_fd(stdio::stdout(), PollFlags::OUT)];
    if poll(&mut stdout, Some(&timespec(STUCK))).is_ok_and(|ready| ready > 0) {
        let _ = write_all(&leave);
    }
}

/// Goes to a screen of its own.
fn enter() -> io::Result<()> {
    let mut enter = Vec::new();
    // Writing to memory cannot fail.
    let _ = queue!(enter, EnterAlternateScreen, Hide);
    write_all(&enter)
}

/// Takes the terminal again, as another program has left it.
fn take_again() -> io::Result<()> {
    // What was known of its modes is out of date.
    disable_raw_mode()?;
    enable_raw_mode()?;
    enter()
}

fn is_taken() -> bool {
    is_raw_mode_enabled().unwrap_or(false)
}

thread_local! {
    static IN_VIEW: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread belongs to the view: if it panics, the terminal is given back before the
/// message is written.
pub fn enter_view() {
    IN_VIEW.set(true);
}

fn hook_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // A worker that panics ends the run, which then ends the view.
        if IN_VIEW.get() {
            restore();
        }
        before(info);
    }));
}

/// Gathers a frame, and writes it in one piece.
pub struct Screen(Vec<u8>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.0);
        // After a panic in the other thread of the view, the terminal is no longer ours.
        if !is_taken() {
            return Ok(());
        }
        // That the terminal is gone is told by the keyboard.
        let is_gone = |error: &io::Error| error.raw_os_error() == Some(Errno::IO.raw_os_error());
        write_all(&frame).or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })
    }
}

/// Without the lock of `std::io::stdout`, which a thread that is stuck in a write may hold.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stdio::stdout(), bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut stdout = [PollFd::from_borrowed_fd(stdio::stdout(), PollFlags::OUT)];
                let _ = poll(&mut stdout, Some(&timespec(STUCK)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What has come from the terminal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Keys, in order.
    pub keys: Vec<Key>,
    /// Whether the terminal has another size.
    pub resized: bool,
    /// Whether the terminal is gone.
    pub hung_up: bool,
    /// Whether the process was asked to stop, as a job of its shell.
    pub suspended: bool,
    /// Whether the process went on after it had been stopped, so that another program may have had
    /// the terminal.
    pub resumed: bool,
}

/// Where keys come from.
pub trait KeyInput {
    /// What has come; waits for it no longer than `timeout`.
    fn wait(&mut self, timeout: Duration) -> io::Result<Arrived>;

    /// Gives the terminal back and stops, until the process is continued; then the terminal is
    /// taken again.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()>;
}

/// The keyboard of the terminal.
///
/// Not crossterm's reader, which waits for ever for the rest of a key, and spins once the terminal
/// is gone.
pub struct Keyboard {
    terminal: File,
    decoder: KeyDecoder,
    resized: Arc<AtomicBool>,
    job: Job,
}

impl Keyboard {
    /// Standard input if that is a terminal; else the terminal of the session, so that a log can be
    /// piped in.
    pub fn open() -> Result<Self> {
        let open = || -> io::Result<Self> {
            let terminal = match io::stdin().is_terminal() {
                true => File::from(rustix::io::dup(stdio::stdin())?),
                false => File::open("/dev/tty")?,
            };
            let resized = Arc::<AtomicBool>::default();
            signal_hook::flag::register(SIGWINCH, Arc::clone(&resized))?;
            Ok(Keyboard { terminal, decoder: KeyDecoder::default(), resized, job: Job::watch()? })
        };
        open().map_err(|source| ErrorKind::System { action: "cannot read keys for --live".into(), source }.into())
    }

    fn read(&mut self, arrived: &mut Arrived) -> io::Result<()> {
        let mut bytes = [0; 1024];
        match rustix::io::read(&self.terminal, &mut bytes[..]) {
            Ok(0) | Err(Errno::IO) => arrived.hung_up = true,
            Ok(length) => arrived.keys = self.decoder.feed(&bytes[..length]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl KeyInput for Keyboard {
    fn wait(&mut self, timeout: Duration) -> io::Result<Arrived> {
        let mut arrived = Arrived::default();
        let timeout = if self.decoder.is_waiting() { REST_OF_KEY } else { timeout };
        let mut terminal = [PollFd::new(&self.terminal, PollFlags::IN)];
        match poll(&mut terminal, Some(&timespec(timeout))) {
            Ok(0) => arrived.keys.extend(self.decoder.settle()),
            Ok(_) if terminal[0].revents().contains(PollFlags::IN) => self.read(&mut arrived)?,
            // Neither keys nor silence.
            Ok(_) => arrived.hung_up = true,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        arrived.resized = self.resized.swap(false, Ordering::Relaxed);
        arrived.suspended = self.job.is_asked();
        arrived.resumed = self.job.went_on();
        Ok(arrived)
    }

    fn suspend(&mut self) -> io::Result<()> {
        if !is_controlled() {
            return Ok(());
        }
        restore();
        self.job.stop()?;
        self.job.went_on();
        self.resume()
    }

    fn resume(&mut self) -> io::Result<()> {
        take_again()
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(time.subsec_nanos()) }
}
