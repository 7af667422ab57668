//! An input that is open, as one of the two things that it can be: bytes at an offset, or a stream.
//!
//! Bytes at an offset can be read again and in any order, so what has them can be pruned and divided;
//! a stream can not. Not here: how far an input has been read (`cursor`). Invariant: whoever waits for
//! a stream hears an interrupt.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::input::{ByteStream, Input, Origin, Rest};
use crate::error::{Error, Result};

/// How often a wait for a stream looks up whether the run should stop, in nanoseconds.
const POLL_NANOS: i64 = 50_000_000;

/// Bytes that a pipe should hold: as many as an unprivileged process may ask for.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// An input that is open.
pub(super) enum Opened {
    /// Bytes at an offset.
    At(Arc<File>),
    /// Each byte once.
    Stream(ByteStream),
}

impl Opened {
    /// Opens an input. How many bytes of it are known to be there, too.
    pub fn open(input: &Input) -> Result<(Self, u64)> {
        let fail = |path: &Path, source| Error::input(path, "cannot open", source);
        match &input.origin {
            Origin::Stream(None) => {
                widen(io::stdin());
                Ok((Opened::Stream(ByteStream::Stdin), 0))
            }
            Origin::Stream(Some(path)) => {
                // Opening a pipe would wait for its writer, deaf to interrupts; reading waits too,
                // but hears them.
                let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
                let opened = File::options().read(true).custom_flags(flags).open(path);
                let stream = opened.map_err(|error| fail(path, error))?;
                widen(&stream);
                Ok((Opened::Stream(ByteStream::Open(Arc::new(stream))), 0))
            }
            Origin::Spooled { file, path, .. } => {
                let size = file.metadata().map_err(|error| fail(path, error))?.len();
                Ok((Opened::At(Arc::clone(file)), size))
            }
            Origin::File { path, identity, .. } => {
                let file = File::open(path).map_err(|error| fail(path, error))?;
                let found = file.metadata().map_err(|error| fail(path, error))?;
                if (found.dev(), found.ino()) != *identity {
                    let source = io::Error::other("another file has taken its name; run again");
                    return Err(Error::input(path, "was replaced before it was read", source));
                }
                Ok((Opened::At(Arc::new(file)), found.len()))
            }
        }
    }

    /// Appends bytes of the input from `offset` on, waiting for them if it is a stream. How many.
    pub fn read(
        &mut self,
        input: &Input,
        offset: u64,
        into: &mut Vec<u8>,
        interrupted: &dyn Fn() -> bool,
    ) -> io::Result<usize> {
        loop {
            let read = match self {
                Opened::At(file) => rustix::io::pread(&**file, spare_capacity(into), offset),
                Opened::Stream(ByteStream::Open(stream)) => read_stream(&**stream, into, interrupted),
                Opened::Stream(ByteStream::Stdin) => read_stream(io::stdin(), into, interrupted),
            };
            match read {
                Err(Errno::INTR) if interrupted() => return Err(io::ErrorKind::Interrupted.into()),
                Err(Errno::INTR) => {}
                Ok(0) => match self.rest_of(input) {
                    Some(rest) => *self = Opened::Stream(rest),
                    None => return Ok(0),
                },
                other => return Ok(other?),
            }
        }
    }

    /// What follows when the kept beginning of a stream has been read.
    fn rest_of(&self, input: &Input) -> Option<ByteStream> {
        match (self, &input.origin) {
            (Opened::At(_), Origin::Spooled { rest: Rest::Stream(stream), .. }) => Some(stream.clone()),
            _ => None,
        }
    }
}

/// Gives a pipe room for more than its usual 64 KiB, so that writer and reader take turns less
/// often.
fn widen(stream: impl AsFd) {
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
