//! The beginning of an input, looked at before the input is read.
//!
//! Not here: what it tells (`format::detect`). Invariant: nothing of an input is lost by looking: what
//! gives its bytes once is put together again, as an input that gives them from the start.

use std::time::{Duration, Instant};

use super::codec::Damage;
use super::cursor::Cursor;
use super::input::Input;
use super::opened::{ByteStream, Opened};
use super::spool::Spool;
use crate::error::{Error, Result};

/// What an input begins with.
#[derive(Debug, Default)]
pub struct Beginning {
    /// Its first bytes; of a file without the zeros that it may begin with.
    pub bytes: Vec<u8>,
    /// Whether these are all that it has.
    pub is_whole: bool,
}

/// How long nothing has to come of a stream that has given a line, until what it gave is its
/// beginning.
const QUIET: Duration = Duration::from_secs(1);

/// Up to so many bytes at the beginning of an input, and the input to read in its place if it gives
/// its bytes once only. Of a stream it is what comes until `is_enough`, or until nothing more comes
/// for a second behind a whole line.
pub fn beginning(
    input: &Input,
    most: usize,
    is_enough: &dyn Fn(&[u8]) -> bool,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Beginning, Option<Input>)> {
    if input.gives_again() || input.file().is_some() {
        return of_file(input, most, interrupted).map(|beginning| (beginning, None));
    }
    let (Opened::Stream(stream), _) = input.open()? else { return Ok((Beginning::default(), None)) };
    let beginning = of_stream(&*stream, most, is_enough, interrupted)
        .map_err(|error| Error::input(input.path(), "cannot read", error))?;
    let mut spool = Spool::new()?;
    spool.keep(&beginning.bytes).map_err(|error| Error::input(input.path(), "cannot keep what was read", error))?;
    let packed = stream.packed();
    // Who is interrupted reads what there is.
    let is_end = beginning.is_whole || interrupted();
    let again = spool.into_input(input, (!is_end).then_some(stream), packed);
    Ok((beginning, Some(again)))
}

/// Of what can be opened again. What goes wrong here goes wrong when it is read, too, and is told
/// there.
fn of_file(input: &Input, most: usize, interrupted: &dyn Fn() -> bool) -> Result<Beginning> {
    let mut bytes = Vec::new();
    let step = Cursor::new(input.clone(), most, most).next(&mut bytes, interrupted);
    match step.failure {
        // What comes before a damage is read, too.
        Some(failure) if bytes.is_empty() => Err(failure),
        failure => Ok(Beginning { bytes, is_whole: step.cut.last && failure.is_none() }),
    }
}

fn of_stream(
    stream: &dyn ByteStream,
    most: usize,
    is_enough: &dyn Fn(&[u8]) -> bool,
    interrupted: &dyn Fn() -> bool,
) -> std::io::Result<Beginning> {
    let mut bytes = Vec::with_capacity(most);
    let mut last = Instant::now();
    while bytes.len() < most && !is_enough(&bytes) {
        let has_line = bytes.contains(&b'\n');
        let is_over = || interrupted() || (has_line && last.elapsed() > QUIET);
        match stream.read(bytes.len() as u64, &mut bytes, &is_over) {
            Ok(0) => return Ok(Beginning { bytes, is_whole: true }),
            Ok(_) => last = Instant::now(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                // By a signal that asks for nothing, if by nothing else.
                if is_over() {
                    break;
                }
            }
            // What comes before a damage is read, and then it is told.
            Err(error) if Damage::of(&error).is_some() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Beginning { bytes, is_whole: false })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::source::places;

    fn all_of(input: Input) -> Vec<u8> {
        let (mut cursor, mut into, mut all) = (Cursor::new(input, 100, 100), Vec::new(), Vec::new());
        while !cursor.next(&mut into, &|| false).cut.last {
            all.append(&mut into);
        }
        all.append(&mut into);
        all
    }

    #[test]
    fn of_a_file_it_is_its_first_lines() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"\0\0\0one\ntwo\nthree\n").unwrap();
        let input = places::file::regular(file.path(), &file.as_file().metadata().unwrap());
        let (found, again) = beginning(&input, 8, &|_| false, &|| false).unwrap();
        assert_eq!((&found.bytes[..], found.is_whole, again.is_none()), (&b"one\ntwo\n"[..], false, true));
        let (found, _) = beginning(&input, 800, &|_| false, &|| false).unwrap();
        assert_eq!((&found.bytes[..], found.is_whole), (&b"one\ntwo\nthree\n"[..], true));
    }

    #[test]
    fn a_stream_is_given_again_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let text: String = (0..1_000).map(|line| format!("line {line}\n")).collect();
        let (written, to) = (text.clone(), path.clone());
        let writer = std::thread::spawn(move || std::fs::write(to, written).unwrap());
        let (found, again) = beginning(&places::file::stream(&path), 600, &|_| false, &|| false).unwrap();
        assert!(!found.is_whole && text.as_bytes().starts_with(&found.bytes) && !found.bytes.is_empty());
        assert_eq!(all_of(again.unwrap()), text.as_bytes());
        writer.join().unwrap();
    }

    #[test]
    fn a_stream_that_pauses_has_begun() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        let reader = std::fs::File::from(std::os::fd::OwnedFd::from(reader));
        writer.write_all(b"one\ntw").unwrap();
        let began = Instant::now();
        let found = of_stream(&reader, 600, &|_| false, &|| false).unwrap();
        assert_eq!((&found.bytes[..], found.is_whole), (&b"one\ntw"[..], false));
        assert!(began.elapsed() >= QUIET);
        // Enough is enough.
        writer.write_all(b"o\n").unwrap();
        let found = of_stream(&reader, 600, &|bytes| bytes.ends_with(b"\n"), &|| false).unwrap();
        assert_eq!(found.bytes, b"o\n");
        drop(writer);
        assert!(of_stream(&reader, 600, &|_| false, &|| false).unwrap().is_whole);
    }
}
