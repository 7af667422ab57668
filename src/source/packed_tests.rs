//! Compressed inputs as they are read: files and streams, in chunks of whole lines.

use std::cell::Cell;
use std::io::Write;
use std::path::Path;

use super::codec::Form;
use super::codec::testing::{lines, packed};
use super::input::Input;
use super::places::file;
use super::{ChunkStep, Cursor};
use crate::error::Error;

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn found(path: &Path) -> Input {
    file::input(path, &std::fs::metadata(path).unwrap())
}

/// What a cursor gives to its end.
#[derive(Default)]
struct All {
    bytes: Vec<u8>,
    steps: Vec<(u64, u64)>,
    news: u64,
    unread: u64,
    zeros: u64,
    packed: u64,
    failure: Option<Error>,
}

fn all_of(cursor: &mut Cursor, between: impl Fn(&mut Cursor)) -> All {
    let (mut all, mut into) = (All::default(), Vec::new());
    loop {
        let ChunkStep { cut, zeros, news, unread, packed, failure, .. } = cursor.next(&mut into, &|| false);
        assert!(failure.is_none() || cut.last);
        assert_eq!(cut.from, all.steps.last().map_or(0, |step| step.1) + zeros);
        all.bytes.append(&mut into);
        all.steps.push((cut.from, cut.to));
        (all.news, all.unread) = (all.news + news, all.unread + unread);
        (all.zeros, all.packed) = (all.zeros + zeros, all.packed + packed);
        all.failure = failure;
        if cut.last {
            return all;
        }
        between(cursor);
    }
}

fn read(input: Input, chunk: usize) -> All {
    all_of(&mut Cursor::new(input, chunk, 100), |_| {})
}

#[test]
fn a_file_is_read_as_what_is_in_it_whatever_its_name_with_rests_in_between() {
    let text = lines(9000);
    for &form in Form::ALL {
        let bytes = packed(form, text.as_bytes());
        let file = written(&bytes);
        let input = found(file.path());
        assert!(input.is_packed() && input.is_streamed() && input.stored() == Some(bytes.len() as u64));
        assert_eq!(input.packing().map(|(name, _)| name), Some(form.name()));
        for chunk in [200, 1000, 90_000, 1 << 20] {
            for rests in [false, true] {
                let mut cursor = Cursor::new(input.clone(), chunk, 100);
                let all = all_of(&mut cursor, |cursor| {
                    if rests {
                        cursor.rest()
                    }
                });
                assert!(all.bytes == text.as_bytes() && all.failure.is_none(), "{form:?} {chunk} {rests}");
                let sums = (all.news, all.unread, all.packed);
                assert_eq!(sums, (text.len() as u64, 0, bytes.len() as u64), "{form:?} {chunk} {rests}");
            }
        }
    }
    // A name says nothing.
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("a.log.gz");
    std::fs::write(&plain, "1 a b\n").unwrap();
    assert!(!found(&plain).is_packed());
    assert_eq!(read(found(&plain), 100).bytes, b"1 a b\n");
}

#[test]
fn whole_lines_before_a_damage_are_given_and_the_damage_is_told() {
    let text = lines(100);
    for &form in Form::ALL {
        let bytes = packed(form, text.as_bytes());
        let mut given = 0;
        for length in (8..bytes.len()).step_by(7) {
            let file = written(&bytes[..length]);
            for chunk in [64, 4096] {
                let all = read(found(file.path()), chunk);
                assert!(text.as_bytes().starts_with(&all.bytes), "{form:?} {length}");
                assert!(all.bytes.is_empty() || all.bytes.ends_with(b"\n"), "{form:?} {length}");
                let said = all.failure.expect("it is damaged").to_string();
                assert!(said.contains(&format!("is cut short at compressed byte {length}")), "{said}");
                assert_eq!(all.packed, length as u64);
                if all.bytes.is_empty() && said.contains(" bytes that were in it") {
                    continue;
                }
                if all.bytes.is_empty() {
                    // Nobody knows how much is in it: these are the bytes that it takes.
                    assert_eq!((all.news, all.unread), (length as u64, length as u64), "{form:?}");
                } else {
                    assert_eq!(all.news, all.bytes.len() as u64 + all.unread, "{form:?} {length}");
                    assert!(all.unread < 40, "no more than half a line: {}", all.unread);
                }
                given = given.max(all.bytes.len());
            }
        }
        assert!(given > 0 || form.name() != "gzip", "{form:?}");
    }
}

#[test]
fn a_stream_is_read_as_what_is_in_it_and_nothing_is_lost_by_looking() {
    let text = lines(3000);
    let plain: Vec<Vec<u8>> =
        ["", "1", "1 a b\n", "BX a b\n", "P*L\n", "\x1f"].iter().map(|text| text.as_bytes().to_vec()).collect();
    for bytes in plain.iter().map(Vec::as_slice).chain([text.as_bytes()]) {
        let file = written(bytes);
        for chunk in [7, 100, 1 << 20] {
            let all = read(file::stream(file.path()), chunk);
            assert!(all.bytes == bytes && all.failure.is_none() && all.packed == 0, "{chunk}");
        }
    }
    for &form in Form::ALL {
        let bytes = packed(form, text.as_bytes());
        let file = written(&bytes);
        for chunk in [64, 1 << 20] {
            let all = read(file::stream(file.path()), chunk);
            assert!(all.bytes == text.as_bytes() && all.failure.is_none(), "{form:?}");
            assert_eq!((all.news, all.packed), (text.len() as u64, bytes.len() as u64), "{form:?}");
        }
    }
}

#[test]
fn a_compressed_stream_that_was_looked_at_is_read_again_from_its_start() {
    let text = lines(5000);
    for &form in Form::ALL {
        let bytes = packed(form, text.as_bytes());
        let file = written(&bytes);
        for looks in [1, 3, usize::MAX] {
            let mut looked = Cursor::new(file::stream(file.path()), 500, 100);
            looked.keep().unwrap();
            let (mut into, mut ended, mut done) = (Vec::new(), false, 0);
            while !ended && done < looks {
                ended = looked.next(&mut into, &|| false).cut.last;
                done += 1;
            }
            let kept = looked.into_kept(ended).unwrap();
            let all = read(kept, 5000);
            assert!(all.bytes == text.as_bytes() && all.failure.is_none(), "{form:?} {looks}");
            assert_eq!((all.news, all.packed), (text.len() as u64, bytes.len() as u64), "{form:?} {looks}");
        }
        // A file gives it again by itself.
        let mut looked = Cursor::new(found(file.path()), 500, 100);
        looked.keep().unwrap();
        looked.next(&mut Vec::new(), &|| false);
        assert!(!looked.has_taken() && looked.into_kept(false).is_none());
    }
}

#[test]
fn zeros_at_the_start_of_what_is_in_it_are_passed_over_and_a_bomb_hears_an_interrupt() {
    let text = [&vec![0; 300_000][..], b"1 a b\n2 c d\n"].concat();
    let file = written(&packed(Form::Gzip, &text));
    let all = read(found(file.path()), 100);
    assert_eq!((&all.bytes[..], all.zeros, all.news), (&b"1 a b\n2 c d\n"[..], 300_000, 300_012));
    let file = written(&packed(Form::Gzip, &vec![0; 50 << 20]));
    let asked = Cell::new(0);
    let interrupted = || asked.replace(asked.get() + 1) > 5;
    let step = Cursor::new(found(file.path()), 4096, 4096).next(&mut Vec::new(), &interrupted);
    assert!(step.cut.last && step.failure.is_none() && asked.get() < 10);
}

#[test]
fn what_is_compressed_twice_is_refused_by_name() {
    let file = written(&packed(Form::Gzip, &packed(Form::Gzip, b"1 a b\n")));
    for input in [found(file.path()), file::stream(file.path())] {
        let all = read(input, 100);
        let said = all.failure.unwrap().to_string();
        assert!(all.bytes.is_empty() && said.contains("is compressed twice"), "{said}");
    }
}

#[test]
fn a_file_that_was_replaced_while_it_rested_is_not_read_on() {
    let (file, other) = (written(&packed(Form::Gzip, lines(9000).as_bytes())), written(b"4 g h\n"));
    let mut cursor = Cursor::new(found(file.path()), 100, 100);
    assert!(!cursor.next(&mut Vec::new(), &|| false).cut.last);
    cursor.rest();
    std::fs::rename(other.path(), file.path()).unwrap();
    let step = cursor.next(&mut Vec::new(), &|| false);
    assert!(step.cut.last && step.failure.unwrap().to_string().contains("was replaced before it was read"));
}
