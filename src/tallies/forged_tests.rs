//! Files that somebody made: every checksum in them is right, and what they say is not what this
//! program writes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use super::frame::{FULL, FrameKind, FrameReader, FrameWriter, HEAD};
use super::layout::{FileTotals, MAGIC, START};
use super::tests::{Folder, header, pairs, small};
use super::write::TalliesWriter;
use super::*;
use crate::codec::Encoder;
use crate::error::Error;
use crate::model::balance::Cause;
use crate::model::{Balance, LaterNumbers, Loss, Timestamp};
use crate::spill::PairWriter;

/// The frames of a file: a header, bytes in place of the pairs of each part, totals.
fn framed(header: &TalliesHeader, parts: [&[u8]; 2], totals: &FileTotals) -> Vec<u8> {
    let mut out = [&MAGIC[..], &header.format().to_le_bytes()].concat();
    let mut frames = FrameWriter::new(&mut out);
    let encoded = |value: &mut dyn FnMut(&mut Encoder<'_>)| {
        let mut bytes = Vec::new();
        value(&mut Encoder::new(&mut bytes));
        bytes
    };
    let header = encoded(&mut |encoder| {
        encoder.put(header).unwrap();
        header.made.iter().for_each(|made| encoder.put(made).unwrap());
        let later = LaterNumbers::of(&header.lines);
        let later = later.or_else(|| header.numbers.as_ref().map(|_| LaterNumbers::all_of(&header.lines)));
        later.iter().for_each(|later| encoder.put(later).unwrap());
        header.numbers.iter().for_each(|numbers| encoder.put(numbers).unwrap());
    });
    header.chunks(FULL).for_each(|payload| frames.write(FrameKind::Header, payload).unwrap());
    for (kind, bytes) in [FrameKind::Window, FrameKind::Before].into_iter().zip(parts) {
        if !bytes.is_empty() {
            frames.write(kind, bytes).unwrap();
        }
    }
    frames.write(FrameKind::End, &encoded(&mut |encoder| encoder.put(totals).unwrap())).unwrap();
    out
}

/// Pairs as they stand in a file, in whatever order they are given.
fn written(pairs: &[(&str, &str, u64)]) -> Vec<u8> {
    let mut writer = PairWriter::new(Vec::new());
    pairs.iter().for_each(|(from, to, count)| writer.push(from.as_bytes(), to.as_bytes(), *count).unwrap());
    std::mem::take(writer.get_mut())
}

const THREE: [(&str, &str, u64); 2] = [("a", "b", 2), ("a", "c", 1)];

fn totals(pairs: [u64; 2], connections: [u64; 2]) -> FileTotals {
    FileTotals { pairs, connections, ..FileTotals::default() }
}

/// Why a file is refused, by whoever reads all of it: with its name, and without the name.
fn refused(bytes: &[u8]) -> String {
    let mut folder = Folder::new();
    let path = folder.file(bytes);
    let error = pairs(std::slice::from_ref(&path)).expect_err("a forged file passed");
    assert_eq!(error.exit_code(), 1, "{error}");
    let text = error.to_string();
    text.strip_prefix(&format!("{}: ", path.display())).unwrap_or_else(|| panic!("no name: {text}")).to_owned()
}

#[test]
fn g5_pairs_that_are_no_pairs_are_refused_with_their_byte() {
    let header = header(&small());
    let good = framed(&header, [&written(&THREE), b""], &totals([2, 0], [3, 0]));
    let mut folder = Folder::new();
    assert_eq!(pairs(&[folder.file(&good)]).unwrap().len(), 2);
    let long = "x".repeat(70_000);
    // The length of a name, in as many digits as there are.
    let exabytes = [&[0xff; 8][..], &[0x3f], b"a"].concat();
    let limit = "bytes, and a line may have 65536";
    let cases: [(Vec<u8>, &str); 12] = [
        (written(&[("b", "a", 2), ("a", "a", 1)]), "does not come behind the one before"),
        (written(&[("a", "c", 2), ("a", "b", 1)]), "does not come behind the one before"),
        (written(&[("a", "b", 2), ("a", "b", 1)]), "does not come behind the one before"),
        (written(&[("a", "b", 0), ("a", "c", 3)]), "has no connections"),
        (written(&[("", "b", 3)]), "has no name"),
        (written(&[("a", "", 3)]), "has no name"),
        (written(&[("a", &long, 3)])[..65_000].to_vec(), limit),
        (exabytes, limit),
        (written(&[("a", "b\0", 3)]), "a byte that no line can hold in one, 0x00"),
        (written(&[("a\nb", "c", 3)]), "a byte that no line can hold in one, 0x0a"),
        (written(&[("a", "b", 2), ("a", "c\n", 1)]), "a byte that no line can hold in one, 0x0a"),
        (vec![2, b'a', 1, b'b', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "more than 64 bits"),
    ];
    let first = good.windows(4).position(|four| four == [2, b'a', 1, b'b']).unwrap();
    for (pairs, reason) in cases {
        let text = refused(&framed(&header, [&pairs, b""], &totals([2, 0], [3, 0])));
        assert!(text.contains(reason), "{reason}: {text}");
        let (_, at) = text.split_once("(in the pair at byte ").unwrap_or_else(|| panic!("no byte: {text}"));
        let at: usize = at.trim_end_matches(')').parse().unwrap();
        assert!((first..first + 6).contains(&at), "{text}");
    }
    let cut = written(&THREE);
    let text = refused(&framed(&header, [&cut[..cut.len() - 1], b""], &totals([2, 0], [3, 0])));
    assert!(text.contains("it ends within a pair (in the pair at byte "), "{text}");
}

#[test]
fn g5_pairs_that_do_not_add_up_are_refused() {
    let header = header(&small());
    let most = written(&[("a", "b", u64::MAX), ("a", "c", 4)]);
    let text = refused(&framed(&header, [&most, b""], &totals([2, 0], [3, 0])));
    assert!(text.contains("more connections than a number of 64 bits can say (in the pair at byte "), "{text}");
    let text = refused(&framed(&header, [b"", &most], &totals([0, 2], [0, 3])));
    assert!(text.contains("more connections than a number of 64 bits"), "{text}");
    for (pairs, totals) in
        [(written(&[("a", "b", 4)]), totals([1, 0], [4, 0])), (written(&[("a", "b", 2)]), totals([1, 0], [2, 0]))]
    {
        let text = refused(&framed(&header, [&pairs, b""], &totals));
        let said =
            "its pairs, and its connections without one, do not add up to its connections, which its header says from ";
        assert!(text.starts_with(said) && text.ends_with("byte 17 on"), "{text}");
    }
    // What the end says is held against what the file has, alone and among others.
    let ends = [totals([3, 0], [3, 0]), totals([2, 1], [3, 0]), totals([2, 0], [2, 0]), totals([2, 0], [3, 1])];
    for forged in ends.map(|end| framed(&header, [&written(&THREE), b""], &end)) {
        let text = refused(&forged);
        let at = text.strip_prefix("its end, at byte ").and_then(|rest| rest.split(',').next()?.parse::<usize>().ok());
        assert!(at.is_some_and(|at| (forged.len() - 24..forged.len()).contains(&at)), "{} bytes: {text}", forged.len());
        assert!(text.ends_with("it has [2, 0] pairs with [3, 0] connections"), "{text}");
    }
}

fn first(loss: Loss, input: &str, at: u64) -> First {
    First { loss, input: input.as_bytes().to_vec(), at, head: b"x".to_vec() }
}

/// A header that says what no run says, and why it is refused.
type Forgery = (fn(&mut TalliesHeader), &'static str);

const FORGERIES: [Forgery; 34] = [
    (|it| it.question.end = Timestamp::from_seconds(99), "its window does not end behind its start"),
    (|it| (it.question.start, it.question.end) = (Timestamp::MIN, Timestamp::MAX), "does not end behind its start"),
    (|it| it.question.grouping = 0, "a length of time in it"),
    (|it| it.question.grouping = -1, "a length of time in it"),
    (|it| it.question.lateness = -1, "a length of time in it"),
    (|it| it.question.max_line = 0, "its lines may have 0 bytes"),
    (|it| it.question.max_line = u64::MAX, "its lines may have 18446744073709551615 bytes"),
    (
        |it| it.question.format = String::new(),
        "its log format '' is none of those that this logparser reads (logparser formats lists them)",
    ),
    (|it| it.question.format = "x\x1b".repeat(257), "its log format 'x\\x1bx\\x1bx"),
    (|it| it.inputs.push(it.inputs[0].clone()), "its inputs are not in order"),
    (|it| it.inputs[0].name.clear(), "an input in it has no name"),
    (|it| it.inputs[0].name = vec![b'x'; 65_537], "an input in it has no name"),
    (|it| it.inputs[0].name = b"a\0".to_vec(), "an input in it has no name"),
    (|it| it.inputs[0].size = 8, "its bytes of 0.log overlap"),
    (|it| it.inputs[0].pieces[0].to = 0, "or there are none of a piece"),
    (|it| another_piece(it, 8, 10), "overlap"),
    (|it| another_piece(it, 9, 10), "that touch are not one"),
    (|it| it.inputs[0].pieces[0].order = order(5, 4, 0), "what it says of the order of 0.log cannot be"),
    (|it| it.inputs[0].pieces[0].order = order(5, 9, -1), "what it says of the order of 0.log cannot be"),
    (|it| it.inputs[0].pieces[0].order = order(5, 9, 5), "what it says of the order of 0.log cannot be"),
    (|it| it.buckets = renamed(&it.buckets, 4), "behind the end of its window"),
    (|it| it.buckets = renamed(&it.buckets, u64::MAX), "behind the end of its window"),
    (|it| _ = it.buckets.insert(3, 0), "it has a bucket without connections"),
    (|it| it.buckets.extend([(0, u64::MAX), (1, 4)]), "its buckets do not add up"),
    (|it| (it.lines.late, it.lines.future) = (1 << 63, 1 << 63), "its lines do not add up"),
    (|it| it.lines.bytes_unread = 1, "its lines do not add up"),
    (|it| it.samples[0].input = b"other".to_vec(), "its malformed lines are not those of its inputs"),
    (|it| it.samples[0].at = 1_001, "its malformed lines are not those of its inputs"),
    (|it| it.samples.push(it.samples[0].clone()), "its malformed lines are not those of its inputs"),
    (|it| it.made.as_mut().unwrap().build.clear(), "the build that it is from has no id"),
    (|it| it.made.as_mut().unwrap().build = "\x1b[2J 123456789x".to_owned(), "the build that it is from has no id"),
    (|it| it.made.as_mut().unwrap().firsts = vec![first(Loss::Future, "0.log", 0)], "the first lines of its losses"),
    (|it| it.made.as_mut().unwrap().firsts = vec![first(Loss::Malformed, "9.log", 0)], "the first lines of its losses"),
    (
        |it| it.made.as_mut().unwrap().firsts = vec![first(Loss::Malformed, "0.log", 1); 2],
        "the first lines of its losses",
    ),
];

/// The same connections with those of bucket 0 in another one.
fn renamed(buckets: &BTreeMap<u64, u64>, to: u64) -> BTreeMap<u64, u64> {
    buckets.iter().map(|(&bucket, &count)| (if bucket == 0 { to } else { bucket }, count)).collect()
}

fn another_piece(header: &mut TalliesHeader, from: u64, to: u64) {
    let pieces = &mut header.inputs[0].pieces;
    let piece = Piece { from, to, ..pieces[0].clone() };
    pieces.push(piece);
}

fn order(lowest: i64, highest: i64, disorder: i64) -> LineOrder {
    LineOrder::Seen(Some((Timestamp::from_nanos(lowest), Timestamp::from_nanos(highest), disorder)))
}

#[test]
fn g5_a_header_that_no_run_writes_is_refused_with_its_byte() {
    for (at, (change, reason)) in FORGERIES.into_iter().enumerate() {
        let mut header = header(&small());
        change(&mut header);
        let text = refused(&framed(&header, [&written(&THREE), b""], &totals([2, 0], [3, 0])));
        assert!(text.starts_with("its header, from byte 17 on, is none: ") && text.contains(reason), "{at}: {text}");
    }
}

/// The frames of a file with a number in more bytes than it takes: the last one of its header, or
/// of its end.
fn long_number(header: &TalliesHeader, of_end: bool) -> Vec<u8> {
    let whole = framed(header, [&written(&THREE), b""], &totals([2, 0], [3, 0]));
    let mut frames = FrameReader::new(&whole[START..], START as u64);
    let sections = [FrameKind::Header, FrameKind::Window, FrameKind::End].map(|kind| {
        let mut bytes = Vec::new();
        frames.section(kind).read_to_end(&mut bytes).unwrap();
        (kind, bytes)
    });
    let mut out = whole[..START].to_vec();
    let mut frames = FrameWriter::new(&mut out);
    for (kind, mut bytes) in sections {
        if (kind == FrameKind::End) == of_end && kind != FrameKind::Window {
            // The number of pairs of the window, or the length of the id of the build.
            let at = if of_end { 0 } else { bytes.len() - 18 };
            bytes.splice(at..=at, [251, bytes[at], 0]);
        }
        frames.write(kind, &bytes).unwrap();
    }
    out
}

#[test]
fn g5_what_could_be_written_in_another_way_is_refused() {
    let header = header(&small());
    for of_end in [false, true] {
        let text = refused(&long_number(&header, of_end));
        assert!(text.starts_with("the value at byte "), "{text}");
        assert!(text.ends_with(": it holds a value in another form than this program writes"), "{text}");
    }
    let whole = framed(&header, [&written(&THREE), b""], &totals([2, 0], [3, 0]));
    // The same bytes in more frames than they take.
    for cut in [FrameKind::Header, FrameKind::Window] {
        let mut frames = FrameReader::new(&whole[START..], START as u64);
        let (mut out, mut at) = (whole[..START].to_vec(), START);
        let mut writer = FrameWriter::new(&mut out);
        for kind in [FrameKind::Header, FrameKind::Window, FrameKind::End] {
            let mut bytes = Vec::new();
            frames.section(kind).read_to_end(&mut bytes).unwrap();
            let (one, other) = bytes.split_at(if kind == cut { 2 } else { bytes.len() });
            for payload in [one, other].into_iter().filter(|payload| !payload.is_empty()) {
                writer.write(kind, payload).unwrap();
            }
            at += if kind == FrameKind::Header && cut != kind { HEAD + bytes.len() + 8 } else { 0 };
        }
        let (frame, at) = (if cut == FrameKind::Header { 1 } else { 2 }, at + HEAD + 2 + 8);
        let text = refused(&out);
        let said = format!("its frame {frame}, at byte {at}, follows one of its kind that is not full");
        assert!(text.contains(&said), "{text}");
    }
}

#[test]
fn g5_more_samples_than_a_run_shows_and_heads_longer_than_it_keeps_are_refused() {
    let mut many = header(&small());
    many.samples = (0..6).map(|at| MalformedSample { at, ..many.samples[0].clone() }).collect();
    many.lines.malformed[Cause::Nul as usize] = 6;
    many.lines.lines_read += 5;
    let mut long = header(&small());
    long.samples[0].head = vec![b'x'; 81];
    let mut other = header(&small());
    other.samples[0].cause = Cause::BadStamp;
    let mut unsorted = header(&small());
    unsorted.samples = [2, 1].map(|at| MalformedSample { at, ..unsorted.samples[0].clone() }).to_vec();
    unsorted.lines.malformed[Cause::Nul as usize] = 2;
    unsorted.lines.lines_read += 1;
    for header in [many, long, other, unsorted] {
        let text = refused(&framed(&header, [&written(&THREE), b""], &totals([2, 0], [3, 0])));
        assert!(text.ends_with("its malformed lines are not those of its inputs"), "{text}");
    }
}

#[test]
fn what_is_right_alone_is_right_together() {
    // Of different bytes, and a malformed line at the same place.
    let part = |from: u64| super::tests::Part1 { from, to: from + 9, ..small() };
    let mut whole = header(&part(0));
    let mut other = header(&part(9));
    other.samples[0].at = 0;
    assert_eq!((whole.check(), other.check()), (Ok(()), Ok(())));
    whole.join(other).unwrap();
    assert_eq!((whole.check(), whole.samples.len()), (Ok(()), 2));
}

#[test]
fn g5_files_that_wrap_only_together_are_refused_and_both_named() {
    let lines = |blank: u64, overflow: u64, size: u64, input: u8| {
        let mut header = header(&super::tests::Part1 { input, ..small() });
        // Those without a pair are of the window before.
        let lines_read = blank.max(overflow);
        let out_of_window = if overflow > 0 { lines_read } else { 0 };
        let blank = lines_read - out_of_window;
        header.question.previous = true;
        header.lines = Balance { lines_read, blank, out_of_window, overflowed: overflow, ..Balance::default() };
        header.buckets.clear();
        header.samples.clear();
        (header.overflow, header.inputs[0].size) = (overflow, size);
        framed(&header, [b"", b""], &FileTotals::default())
    };
    let half = 1 << 63;
    for (one, other) in [
        (lines(half, 0, 9, 0), lines(half, 0, 9, 1)),
        (lines(1, half, 9, 0), lines(1, half, 9, 1)),
        (lines(1, 0, half, 0), lines(1, 0, half, 1)),
    ] {
        let mut folder = Folder::new();
        let paths: Vec<PathBuf> = [one, other].iter().map(|bytes| folder.file(bytes)).collect();
        assert!(paths.iter().all(|path| pairs(std::slice::from_ref(path)).is_ok()));
        let error = pairs(&paths).expect_err("their sum wraps").to_string();
        assert!(paths.iter().all(|path| error.contains(path.to_str().unwrap())), "{error}");
        assert!(error.ends_with("together they count more than a number of 64 bits can say"), "{error}");
    }
}

#[test]
fn g5_pairs_of_two_files_that_wrap_only_together_are_refused() {
    for second in ["b", "c"] {
        let (mut folder, mut paths) = (Folder::new(), Vec::new());
        for (input, to) in [(0, "b"), (1, second)] {
            let mut header = header(&super::tests::Part1 { input, ..small() });
            // Those of the window before are outside of the window.
            (header.lines.out_of_window, header.lines.lines_read) = (1 << 63, header.lines.lines_read - 1 + (1 << 63));
            let before = written(&[("a", to, 1 << 63)]);
            paths.push(folder.file(&framed(&header, [&written(&THREE), &before], &totals([2, 1], [3, 1 << 63]))));
            assert!(pairs(&paths[usize::from(input)..]).is_ok());
        }
        let error = pairs(&paths).expect_err("their sum wraps").to_string();
        assert!(error.ends_with("together they count more than a number of 64 bits can say"), "{second}: {error}");
    }
}

#[test]
fn g5_a_file_that_is_changed_between_two_looks_is_refused() {
    let mut folder = Folder::new();
    let path = folder.file(&framed(&header(&small()), [&written(&THREE), b""], &totals([2, 0], [3, 0])));
    let files = Files::open(std::slice::from_ref(&path)).unwrap();
    let other = header(&super::tests::Part1 { input: 1, ..small() });
    std::fs::write(&path, framed(&other, [&written(&THREE), b""], &totals([2, 0], [3, 0]))).unwrap();
    let error = files.for_each::<Error>(&mut |_, _, _, _| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("it was changed while it was read; run again"), "{error}");
}

#[test]
fn g5_an_input_with_a_long_name_and_many_pieces_takes_no_more_than_both() {
    let mut folder = Folder::new();
    let mut header = header(&small());
    let share = &mut header.inputs[0];
    (share.name, share.size) = (vec![b'x'; 65_536], 1 << 40);
    share.pieces = (0..100_000).map(|at| Piece { from: 2 * at, to: 2 * at + 1, ..share.pieces[0].clone() }).collect();
    header.samples.clear();
    let mut out = Vec::new();
    TalliesWriter::new(&mut out, &header).unwrap().finish().unwrap();
    // A name for each piece would be 6.5 GB.
    let _ = Files::open(&[folder.file(&out)]).unwrap();
}

#[test]
fn an_input_of_many_files_is_joined_whatever_their_order() {
    let part = |from: u64| super::tests::Part1 { from, to: from + 1, ..small() };
    let mut whole = header(&part(0));
    for from in [3, 1, 2, 4] {
        whole.join(header(&part(from))).unwrap();
    }
    let pieces: Vec<(u64, u64)> = whole.inputs[0].pieces.iter().map(|piece| (piece.from, piece.to)).collect();
    assert_eq!((whole.inputs.len(), pieces), (1, vec![(0, 5)]));
}

#[test]
fn g5_connections_without_a_pair_are_those_that_the_pairs_leave() {
    let forged = |overflow: u64, overflowed: u64, previous: bool, connections: [u64; 2]| {
        let mut header = header(&small());
        (header.overflow, header.lines.overflowed, header.question.previous) = (overflow, overflowed, previous);
        let before = if connections[1] > 0 { written(&[("a", "b", connections[1])]) } else { Vec::new() };
        framed(&header, [&written(&THREE), &before], &totals([2, u64::from(connections[1] > 0)], connections))
    };
    // One record is outside of the window.
    for (overflow, previous, before) in [(0, false, 0), (0, true, 0), (0, true, 1), (1, true, 0)] {
        let mut folder = Folder::new();
        assert!(pairs(&[folder.file(&forged(overflow, overflow, previous, [3, before]))]).is_ok());
    }
    for (overflow, previous, before) in [(1, false, 0), (2, false, 0), (1, true, 1), (2, true, 0), (0, true, 2)] {
        let text = refused(&forged(overflow, overflow, previous, [3, before]));
        assert!(text.contains("do not add up to its connections"), "{overflow} {previous} {before}: {text}");
    }
    let text = refused(&forged(0, 1, false, [3, 0]));
    assert!(text.ends_with("its lines and its connections without a pair are not as many"), "{text}");
}
