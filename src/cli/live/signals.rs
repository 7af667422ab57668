//! Signals while the terminal is taken.
//!
//! Invariant: the first SIGINT, SIGTERM or SIGHUP sets a flag, upon which the view ends; the second
//! one ends the process at once, with 128 and its number, even if the terminal is stuck. Either way
//! the terminal is given back first.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use super::terminal::restore;
use crate::error::{ErrorKind, Result};

/// Makes the first signal set a flag.
pub fn interrupt_on_signals(interrupted: &Arc<AtomicBool>) -> Result<()> {
    let failed = |source: io::Error| ErrorKind::System { action: "cannot watch for signals".into(), source };
    Ok(watch(interrupted).map_err(failed)?)
}

fn watch(interrupted: &Arc<AtomicBool>) -> io::Result<()> {
    let last = Arc::new(AtomicUsize::new(0));
    let (mut told, teller) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, Arc::clone(interrupted))?;
        flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
        low_level::pipe::register(signal, teller.try_clone()?)?;
    }
    // A handler may do next to nothing; a thread may give the terminal back.
    let wait = move || {
        let mut two = [0; 2];
        if told.read_exact(&mut two).is_ok() {
            restore();
            low_level::exit(128 + last.load(Ordering::Relaxed) as i32);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}
