//! Files with right checksums that no run has written: refused with exit code, file and byte, and
//! without taking memory.

use std::path::{Path, PathBuf};
use std::process::Output;

use logparser::Timestamp;
use logparser::internals::codec::{Decoder, Encoder};
use logparser::internals::snapshot::Snapshot;
use logparser::internals::snapshot::store as state;
use logparser::internals::source::follow::PassedOver;

use crate::oracles::reseal::{self, Tallies};
use crate::support::{Folder, peak_memory_of, piped, program, run, signal, stderr, stdout, wait_for};

/// What the program may take that has refused a file, in KiB.
const SMALL: u64 = 48 << 10;

fn tally(folder: &Folder) -> Vec<u8> {
    folder.write("a.log", "1700000000 a b\n1700000001 a c\n1700000002 b c\n");
    let made = run(folder, &["partial", "a.log", "--until", "1700000002", "--seconds", "60", "--output", "a.tally"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    std::fs::read(folder.at("a.tally")).unwrap()
}

#[test]
fn g5_a_tally_with_a_length_of_exabytes_is_refused_by_all_who_read_it() {
    let folder = Folder::new();
    let mut forged = Tallies::of(&tally(&folder));
    // The length of the first name, in ten digits.
    forged.sections[1].splice(0..1, [vec![0xff; 8], vec![0x3f]].concat());
    folder.write("x.tally", forged.file(2));
    for work in [
        &["report", "x.tally", "a", "b"][..],
        &["merge", "x.tally", "--output", "y.tally"],
        &["merge", "x.tally", "a.tally", "--output", "y.tally"],
        &["inspect", "x.tally"],
    ] {
        let mut command = program(&folder);
        command.args(work);
        let (peak, output) = peak_memory_of(command);
        let said = stderr(&output);
        let is_said = said.contains("x.tally: a host in it has ") || said.contains("both hold bytes ");
        assert!(output.status.code() == Some(1) && is_said && peak < SMALL, "{work:?}: {peak}: {said}");
        assert!(!folder.at("y.tally").exists());
    }
}

/// A state with a few windows in it, in the folder `s`, and the arguments of the run that goes on
/// from it.
fn followed(folder: &Folder) -> Vec<&'static str> {
    let args = vec![
        "top",
        "a.log",
        "--follow",
        "--every",
        "10s",
        "--seconds",
        "20s",
        "--state",
        "s",
        "--checkpoint",
        "20ms",
        "--lateness",
        "5s",
        // Of what is written before a run begins, only the last window is wanted otherwise.
        "--since",
        "1970-01-01T00:00:00Z",
    ];
    folder.write("a.log", (0..60).map(|at| format!("{} a{} b\n", 1_700_000_000 + at, at % 7)).collect::<String>());
    let child = piped(folder, &args);
    let mut sequence = 0;
    wait_for("a state", || {
        let Ok(Some(mut loaded)) = state::peek(&folder.at("s")) else { return false };
        sequence = loaded.sequence;
        loaded
            .read(|decoder| {
                let mut header: Snapshot = decoder.get()?;
                header.skip_counts(decoder)?;
                Ok(header.balance().counted == 60)
            })
            .unwrap_or(false)
    });
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    args
}

/// The newest slot.
fn slot(folder: &Folder) -> PathBuf {
    state::peek(&folder.at("s")).unwrap().unwrap().path
}

/// The state with its header changed, in place of both slots.
fn forge(path: &Path, whole: &[u8], change: &dyn Fn(&mut Snapshot, &mut Vec<u8>)) {
    let (fingerprint, body) = reseal::slot(whole);
    let mut decoder = Decoder::new(&body[..], body.len() as u64);
    let mut header: Snapshot = decoder.get().unwrap();
    let left = decoder.left() as usize;
    drop(decoder);
    let mut rest = body[body.len() - left..].to_vec();
    change(&mut header, &mut rest);
    let mut forged = Vec::new();
    Encoder::new(&mut forged).put(&header).unwrap();
    forged.extend(rest);
    let folder = path.parent().unwrap();
    for name in ["state.0", "state.1"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    std::fs::write(path, reseal::state(state::OLDEST, 9, &fingerprint, &forged)).unwrap();
}

type Change = fn(&mut Snapshot, &mut Vec<u8>);

const FORGERIES: [(&str, Change); 20] = [
    ("10^17 buckets", |it, _| (it.grid.length, it.grid.period, it.counts.grain) = (200_000_000_000_000_000, 1, 1)),
    ("a length of 0", |it, _| it.grid.length = 0),
    ("a period of 0", |it, _| it.grid.period = 0),
    ("a period below 0", |it, _| it.grid.period = -1),
    ("a grain of 0", |it, _| it.counts.grain = 0),
    ("a grain that is no part", |it, _| it.counts.grain = 7),
    ("a window that is twice as long", |it, _| it.grid.length *= 2),
    ("a period that is half as long", |it, _| it.grid.period /= 2),
    ("windows that start a nanosecond later", |it, _| it.grid.anchor = it.grid.anchor.plus(1)),
    ("windows that start at the end of time", |it, _| it.grid.anchor = Timestamp::MAX),
    ("buckets that are not in order", |it, _| it.counts.buckets.reverse()),
    ("a bucket beyond all time", |it, _| it.counts.buckets.last_mut().unwrap().0 = i64::MAX),
    ("a bucket with more connections", |it, _| it.counts.buckets.last_mut().unwrap().1 += 1),
    ("a file whose position is not counted", |it, _| it.files[0].position += 1),
    ("a file that is there twice", |it, _| it.files.push(it.files[0].clone())),
    ("an input that is not given out yet", |it, _| it.next_input = 0),
    ("a host with a byte that no line can hold", |_, rest| {
        let at = rest.windows(3).position(|three| three == b"\x02a1").unwrap();
        rest[at + 2] = 0;
    }),
    ("bytes that are left over", |_, rest| rest.push(0)),
    ("a file that is passed over twice", |_, rest| passes_over(rest, &[(1, 0), (1, 0)])),
    ("a file that was written at no time", |_, rest| passes_over(rest, &[(1, 1_000_000_000)])),
];

/// Has files passed over, by inode and by nanoseconds of the time when they were written.
fn passes_over(rest: &mut Vec<u8>, files: &[(u64, i64)]) {
    // There were none.
    assert_eq!(rest.pop(), Some(0));
    let file =
        |&(inode, nanos): &(u64, i64)| PassedOver { device: 1, inode, born: None, size: 5, modified: (0, nanos) };
    Encoder::new(rest).put(&files.iter().map(file).collect::<Vec<_>>()).unwrap();
}

#[test]
fn g5_a_forged_state_is_refused_by_verify_and_by_a_start() {
    let folder = Folder::new();
    let args = followed(&folder);
    let (path, verify) = (slot(&folder), ["state", "verify", "--state", "s"]);
    let whole = std::fs::read(&path).unwrap();
    forge(&path, &whole, &|_, _| {});
    assert_eq!(run(&folder, &verify).status.code(), Some(0));
    forge(&path, &whole, &|_, rest| passes_over(rest, &[(1, 0), (2, 0)]));
    assert_eq!(run(&folder, &verify).status.code(), Some(0));
    // As builds have saved it that remembered none.
    forge(&path, &whole, &|_, rest| assert_eq!(rest.pop(), Some(0)));
    assert_eq!(run(&folder, &verify).status.code(), Some(0));
    let checked = |work: &[&str], what: &str| -> Output {
        let mut command = program(&folder);
        command.args(work);
        let (peak, output) = peak_memory_of(command);
        assert_eq!(output.status.code(), Some(4), "{what}: {work:?}: {}{}", stdout(&output), stderr(&output));
        assert!(peak < SMALL, "{what}: {peak}");
        output
    };
    for (what, change) in FORGERIES {
        forge(&path, &whole, &change);
        let said = stdout(&checked(&verify, what));
        assert!(said.contains("cannot decode it, though its checksum is right: "), "{what}: {said}");
        let said = stderr(&checked(&args, what));
        assert!(said.contains("s/state.") && said.contains("though its checksum is right"), "{what}: {said}");
    }
}
