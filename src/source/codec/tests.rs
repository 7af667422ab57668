//! Every form, however it is cut, and whatever is wrong with it.

use std::io;

use proptest::prelude::*;

use super::frame::Fault;
use super::testing::{lines, packed};
use super::{Damage, Form, MOST_MEMORY, Unpacker, of};

/// What is read of some bytes, which come in pieces, with so much room for what they come to; and
/// what is wrong with them.
fn unpacked(form: Form, bytes: &[u8], (piece, room): (usize, usize), memory: u64) -> (Vec<u8>, Result<u64, Damage>) {
    let mut unpacker = Unpacker::new(form, memory, Vec::new());
    let (mut rest, mut all) = (bytes, Vec::new());
    let mut refill = |input: &mut Vec<u8>| {
        let more = rest.len().min(piece).min(input.capacity() - input.len());
        input.extend_from_slice(&rest[..more]);
        rest = &rest[more..];
        Ok(more)
    };
    loop {
        let mut into = Vec::with_capacity(room);
        match unpacker.read(&mut refill, &mut into) {
            Ok(0) => return (all, Ok(unpacker.taken())),
            Ok(read) => {
                assert_eq!(read, into.len());
                all.append(&mut into);
            }
            Err(error) => {
                let damage = Damage::of(&error).expect("reading does not fail").clone();
                assert_eq!((damage.given, unpacker.taken()), (all.len() as u64, damage.at));
                // It is told as often as anybody asks.
                assert!(unpacker.read(&mut refill, &mut Vec::with_capacity(room)).is_err());
                return (all, Err(damage));
            }
        }
    }
}

fn whole(form: Form, bytes: &[u8]) -> (Vec<u8>, Result<u64, Damage>) {
    unpacked(form, bytes, (1000, 333), MOST_MEMORY)
}

fn fault(form: Form, bytes: &[u8]) -> Option<Fault> {
    whole(form, bytes).1.err().map(|damage| damage.fault)
}

#[test]
fn all_frames_are_read_however_they_are_cut_and_with_whatever_room() {
    let text = lines(9000);
    let parts: Vec<&[u8]> = vec![&text.as_bytes()[..7], b"", &text.as_bytes()[7..100_000], &text.as_bytes()[100_000..]];
    for &form in Form::ALL {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| packed(form, part)).collect();
        assert_eq!(of(&bytes).and_then(|codec| codec.form), Some(form));
        for shape in [(1, 1 << 20), (1 << 20, 1 << 20), (17, 4096), (1 << 16, 3)] {
            let (all, end) = unpacked(form, &bytes, shape, MOST_MEMORY);
            assert!(all == text.as_bytes() && end == Ok(bytes.len() as u64), "{form:?} {shape:?}: {end:?}");
        }
    }
}

#[test]
fn what_is_cut_short_gives_all_that_came_before_and_says_so() {
    let text = lines(60);
    let (first, second) = text.as_bytes().split_at(500);
    for &form in Form::ALL {
        let frames = [packed(form, first), packed(form, second)];
        let bytes = frames.concat();
        for length in 0..bytes.len() {
            let (all, end) = whole(form, &bytes[..length]);
            assert!(text.as_bytes().starts_with(&all), "{form:?} {length}");
            if length == frames[0].len() {
                assert_eq!((&all[..], end), (first, Ok(length as u64)), "{form:?}");
                continue;
            }
            let damage = end.unwrap_err();
            assert_eq!((damage.fault, damage.at), (Fault::CutShort, length as u64), "{form:?} {length}");
            assert!(length < frames[0].len() || all.len() >= first.len(), "{form:?} {length}");
        }
    }
}

#[test]
fn each_flipped_bit_is_told_or_changes_nothing_and_frames_before_it_are_exact() {
    let text = lines(40);
    let (first, second) = text.as_bytes().split_at(300);
    for &form in Form::ALL {
        let frames = [packed(form, first), packed(form, second)];
        let bytes = frames.concat();
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let (all, end) = whole(form, &flipped);
                match end {
                    Ok(_) => assert_eq!(all, text.as_bytes(), "{form:?} {at} {bit}"),
                    Err(damage) => {
                        // What was checked is exact.
                        assert!(text.as_bytes().starts_with(&all[..damage.whole as usize]), "{form:?} {at} {bit}");
                        assert!(at < frames[0].len() || damage.whole >= 300, "{form:?} {at} {bit}: {damage:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn zeros_behind_the_last_frame_are_padding_and_nothing_else_is() {
    let text = lines(50);
    for &form in Form::ALL {
        let bytes = packed(form, text.as_bytes());
        for zeros in [1, 4, 511, 100_000] {
            let (all, end) = whole(form, &[&bytes[..], &vec![0; zeros]].concat());
            assert_eq!((&all[..], end), (text.as_bytes(), Ok((bytes.len() + zeros) as u64)), "{form:?}");
        }
        for garbage in [&b"1700000000 a b\n"[..], b"\0\0\0\0x", b"\x01"] {
            let (all, end) = whole(form, &[&bytes[..], garbage].concat());
            let damage = end.unwrap_err();
            let at = bytes.len() + garbage.iter().take_while(|byte| **byte == 0).count();
            assert_eq!((&all[..], damage.fault, damage.at), (text.as_bytes(), Fault::Garbage, at as u64), "{form:?}");
        }
        // Only streams of xz may follow zeros.
        let padded = [&bytes[..], &[0; 4], &bytes].concat();
        assert_eq!(fault(form, &padded), (form.name() != "xz").then_some(Fault::Garbage), "{form:?}");
        assert_eq!(fault(form, &[&bytes[..], &[0; 3], &bytes].concat()), Some(Fault::Garbage), "{form:?}");
    }
}

#[test]
fn one_form_does_not_go_on_as_another() {
    for &form in Form::ALL {
        for &other in Form::ALL.iter().filter(|other| **other != form) {
            // Frames of zstd and lz4 are told apart one by one, as both may begin with one that holds
            // nothing.
            let both = ["zstd", "lz4"];
            let may = both.contains(&form.name()) && both.contains(&other.name());
            let bytes = [packed(form, b"1 a b\n"), packed(other, b"2 c d\n")].concat();
            assert_eq!(fault(form, &bytes).is_none(), may, "{form:?} {other:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_read_to_their_end_or_their_damage(
        form in proptest::sample::select(Form::ALL),
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        cut in 0usize..60,
        piece in 1usize..50,
        room in 1usize..200,
    ) {
        // As it is, and behind a good beginning.
        for begins in [false, true] {
            if begins {
                let good = packed(form, lines(30).as_bytes());
                bytes.splice(0..0, good[..good.len() - cut.min(good.len())].iter().copied());
            }
            let (all, end) = unpacked(form, &bytes, (piece, room), MOST_MEMORY);
            prop_assert!(end.is_ok() || all.len() < 1 << 24);
        }
    }
}

#[test]
fn errors_of_reading_pass_through_and_reading_goes_on() {
    let bytes = packed(Form::Gzip, lines(100).as_bytes());
    let (mut unpacker, mut fails, mut at) = (Unpacker::new(Form::Gzip, MOST_MEMORY, Vec::new()), true, 0);
    let mut all = Vec::with_capacity(1 << 16);
    loop {
        let mut refill = |input: &mut Vec<u8>| {
            fails = !fails;
            if !fails {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            let more = (bytes.len() - at).min(10);
            input.extend_from_slice(&bytes[at..at + more]);
            at += more;
            Ok(more)
        };
        match unpacker.read(&mut refill, &mut all) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted),
        }
    }
    assert_eq!(all, lines(100).as_bytes());
}

#[cfg(feature = "codecs")]
mod of_all {
    use lz4_flex::frame::BlockMode;

    use super::super::testing::{lz4, skipped};
    use super::*;

    #[test]
    fn frames_that_hold_nothing_are_passed_over_wherever_they_stand() {
        let text = lines(20);
        for form in [Form::Zstd, Form::Lz4] {
            let frame = packed(form, text.as_bytes());
            let bytes = [skipped(b"what"), skipped(b""), frame.clone(), skipped(&[7; 70_000]), frame].concat();
            // The first one does not say of which form they are.
            let (all, end) = whole(of(&bytes).unwrap().form.unwrap(), &bytes);
            assert_eq!((all, end), (text.repeat(2).into_bytes(), Ok(bytes.len() as u64)), "{form:?}");
            assert_eq!(fault(form, &skipped(b"more")[..10]), Some(Fault::CutShort));
            assert_eq!(fault(form, &skipped(b"more")[..6]), Some(Fault::CutShort));
        }
        assert_eq!(fault(Form::Gzip, &[packed(Form::Gzip, b"1 a b\n"), skipped(b"x")].concat()), Some(Fault::Garbage));
    }

    #[test]
    fn blocks_of_lz4_may_refer_to_those_before_them_and_have_checksums_or_none() {
        let text = lines(30_000);
        for mode in [BlockMode::Linked, BlockMode::Independent] {
            for checksums in [false, true] {
                let bytes = lz4(text.as_bytes(), mode, checksums);
                let (all, end) = unpacked(Form::Lz4, &bytes, (999, 5000), MOST_MEMORY);
                assert!(all == text.as_bytes() && end == Ok(bytes.len() as u64), "{end:?}");
            }
        }
    }

    /// The start of a frame of zstd with a window of two to the power of this.
    fn zstd_window(log: u8) -> Vec<u8> {
        [b"\x28\xb5\x2f\xfd\x00", &[(log - 10) << 3][..], &[0; 80]].concat()
    }

    /// The start of a stream of xz whose dictionary has the size that a byte says.
    fn xz_dictionary(size: u8) -> Vec<u8> {
        let stream = &packed(Form::Xz, b"x")[..12];
        [stream, b"\x02\x00\x21\x01", &[size], &[0; 80]].concat()
    }

    #[test]
    fn what_takes_more_memory_than_there_may_be_is_refused_by_what_it_says() {
        for (form, bytes, wanted) in [
            (Form::Zstd, zstd_window(28), 1u64 << 28),
            (Form::Zstd, zstd_window(41), 1 << 41),
            (Form::Xz, xz_dictionary(32), 1 << 28),
            (Form::Xz, xz_dictionary(40), u64::from(u32::MAX)),
        ] {
            let Some(Fault::Memory(Some(claimed), most)) = fault(form, &bytes) else {
                panic!("{form:?} is not refused")
            };
            assert!(claimed >= wanted && claimed < wanted + (2 << 20) && most == MOST_MEMORY, "{form:?} {claimed}");
        }
        // These are within the limit, and damaged.
        for (form, bytes) in [(Form::Zstd, zstd_window(27)), (Form::Xz, xz_dictionary(30))] {
            assert!(matches!(fault(form, &bytes), Some(Fault::Data(_) | Fault::CutShort)), "{form:?}");
        }
        // A lower limit holds, too, in later frames as well.
        let small = packed(Form::Zstd, b"1 a b\n");
        let limit = Form::Zstd.memory(&small);
        let both = [small, zstd_window(24)].concat();
        let (all, end) = unpacked(Form::Zstd, &both, (100, 100), limit);
        let damage = end.unwrap_err();
        assert_eq!(all, b"1 a b\n");
        assert!(matches!(damage.fault, Fault::Memory(Some(_), _)), "{damage:?}");
        let said = format!("{}: {damage}", damage.action());
        assert!(said.contains("takes 17 MiB of memory") && said.contains("zstd -dc --long=31"), "{said}");
    }

    #[test]
    fn real_frames_say_how_much_memory_they_take() {
        for (form, least, most) in [
            (Form::Zstd, 1, 8u64 << 20),
            (Form::Lz4, 2 << 16, 4 << 16),
            (Form::Bzip2, 1 << 20, 4 << 20),
            (Form::Xz, 256 << 10, 2 << 20),
        ] {
            let memory = form.memory(&packed(form, lines(1000).as_bytes()));
            assert!((least..=most).contains(&memory), "{form:?}: {memory}");
            assert_eq!(form.memory(b""), if form == Form::Bzip2 { 4 << 20 } else { MOST_MEMORY });
        }
    }
}
