//! Files to write to, among them pipes by name, which have to be read by somebody before they can be
//! opened.
//!
//! Not here: what is written. Invariant: whoever waits for a reader says so, and hears an interrupt.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use super::medium::Tell;
use crate::error::show_path;

/// How often a pipe is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// How long a pipe is waited for without a word.
const QUIET: Duration = Duration::from_secs(1);

/// How pipes are waited for that nobody reads yet.
#[derive(Clone, Default)]
pub struct PipeWait {
    /// What ends the waiting.
    pub interrupted: Arc<AtomicBool>,
    /// Who hears of it.
    pub tell: Option<Arc<dyn Tell>>,
}

impl PipeWait {
    /// Opens a file with the options; a pipe, to write, once somebody reads it. Errors when it is
    /// interrupted before that.
    pub fn open(&self, path: &Path, options: &OpenOptions) -> io::Result<File> {
        if !is_pipe(path) {
            return options.open(path);
        }
        let (mut quiet_until, tell) = (Some(Instant::now() + QUIET), self.tell.as_ref());
        loop {
            // Opened in the ordinary way, it would wait for its reader, deaf to interrupts.
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            match File::options().write(true).custom_flags(flags).open(path) {
                Ok(pipe) => {
                    fcntl_setfl(&pipe, fcntl_getfl(&pipe)? - OFlags::NONBLOCK)?;
                    return Ok(pipe);
                }
                Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {}
                Err(error) => return Err(error),
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(io::Error::other("it is a pipe, and nobody read it before the run was interrupted"));
            }
            if quiet_until.is_some_and(|until| Instant::now() >= until) {
                quiet_until = None;
                let name = show_path(path);
                tell.inspect(|tell| tell.warn(&format!("{name}: is a pipe that nobody reads; waiting for a reader")));
            }
            thread::sleep(AGAIN);
        }
    }
}

/// Whether a path leads to a pipe.
fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}
