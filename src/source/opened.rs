//! An input that is open, as one of the two things that it can be: bytes at an offset, or a stream.
//!
//! Bytes at an offset can be read again and in any order, so what has them can be pruned and divided;
//! a stream can not. Not here: how far an input has been read (`cursor`). Invariant: whoever waits for
//! a stream hears an interrupt.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How often a wait for a stream looks up whether the run should stop, in nanoseconds.
const POLL_NANOS: i64 = 50_000_000;

/// Bytes that a pipe should hold: as many as an unprivileged process may ask for.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Bytes at an offset.
pub trait BytesAt: Send + Sync {
    /// Appends bytes from `offset` on, no more than there is room for; none at the end. How many.
    fn read_at(&self, offset: u64, into: &mut Vec<u8>) -> io::Result<usize>;
}

/// What gives each byte once.
pub trait ByteStream: Send + Sync {
    /// Appends the next bytes, waiting for them, no more than there is room for; none at the end.
    /// How many. `offset` is how many it gave since it was opened. Errors as interrupted if the run
    /// should stop.
    fn read(&self, offset: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize>;

    /// Whether all that it gave since it was opened comes again when it is opened again.
    fn gives_again(&self) -> bool {
        false
    }

    /// Compressed bytes that were taken for what it gave; `None` if it is not compressed, as far as
    /// is known.
    fn packed(&self) -> Option<u64> {
        None
    }

    /// Gives its descriptor back, if it can have it again.
    fn rest(&self) {}
}

/// An input that is open.
pub(super) enum Opened {
    /// Bytes at an offset.
    At(Arc<dyn BytesAt>),
    /// Each byte once.
    Stream(Arc<dyn ByteStream>),
}

impl Opened {
    /// Compressed bytes that were taken for what it gave; `None` if it is not compressed.
    pub fn packed(&self) -> Option<u64> {
        match self {
            Opened::At(_) => None,
            Opened::Stream(stream) => stream.packed(),
        }
    }

    /// Appends bytes of the input from `offset` on, waiting for them if it is a stream. How many.
    pub fn read(&self, offset: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        loop {
            let read = match self {
                Opened::At(bytes) => bytes.read_at(offset, into),
                Opened::Stream(stream) => stream.read(offset, into, interrupted),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted && !interrupted() => {}
                other => return other,
            }
        }
    }
}

impl BytesAt for File {
    fn read_at(&self, offset: u64, into: &mut Vec<u8>) -> io::Result<usize> {
        Ok(rustix::io::pread(self, spare_capacity(into), offset)?)
    }
}

/// A pipe, terminal or device.
impl ByteStream for File {
    fn read(&self, _: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        Ok(read_stream(self, into, interrupted)?)
    }
}

impl ByteStream for io::Stdin {
    fn read(&self, _: u64, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> io::Result<usize> {
        Ok(read_stream(self, into, interrupted)?)
    }
}

/// Gives a pipe room for more than its usual 64 KiB, so that writer and reader take turns less
/// often.
pub(super) fn widen(stream: impl AsFd) {
    // What is not a pipe, or may not grow, stays as it is; other systems size their pipes
    // themselves.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(stream, PIPE_BYTES);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Reads what a stream has, waiting until it has something. `INTR` when the run should stop.
fn read_stream(stream: impl AsFd, into: &mut Vec<u8>, interrupted: &dyn Fn() -> bool) -> rustix::io::Result<usize> {
    let timeout = Timespec { tv_sec: 0, tv_nsec: POLL_NANOS };
    loop {
        if interrupted() {
            return Err(Errno::INTR);
        }
        let mut fds = [PollFd::new(&stream, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout))? == 0 {
            continue;
        }
        match rustix::io::read(&stream, spare_capacity(into)) {
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
}
