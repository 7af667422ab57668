//! Following, row by row of the catalogue of faults: content, odd files, and a system that is short
//! of something.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::io::Errno;

use super::events::Woken;
use super::testing::*;
use super::{Events, FollowOptions, Follower};
use crate::model::location::Location;

#[test]
fn a18_what_is_no_file_is_skipped_with_one_warning_each() {
    let mut world = World::new();
    let at = |name: &str| world.path(name);
    for (name, kind) in [("fifo.log", rustix::fs::FileType::Fifo), ("socket.log", rustix::fs::FileType::Socket)] {
        rustix::fs::mknodat(rustix::fs::CWD, at(name), kind, rustix::fs::Mode::RUSR, 0).unwrap();
    }
    fs::create_dir(at("folder.log")).unwrap();
    symlink("/dev/zero", at("device.log")).unwrap();
    symlink("nowhere", at("dangling.log")).unwrap();
    symlink("loop.log", at("loop.log")).unwrap();
    world.append("n.log", lines(0..10));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..10));
    for name in ["fifo", "socket", "folder", "device", "dangling", "loop"] {
        let said = world.warnings.iter().filter(|text| text.contains(&format!("/{name}.log"))).count();
        assert_eq!(said, 1, "{name}: {:?}", world.warnings);
    }
    assert_eq!(world.warnings.len(), 6);
    // What comes back is said again.
    world.remove("dangling.log");
    world.poll();
    symlink("nowhere", world.path("dangling.log")).unwrap();
    world.poll();
    assert_eq!(world.warnings.len(), 7);
}

#[test]
fn a18_a_fifo_that_takes_the_place_of_a_file_does_not_hold_anybody_up() {
    let mut handles = super::open_files::OpenFiles::new(1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(handles.open(&path).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn a22_a_stale_handle_is_opened_anew_and_the_others_are_read_on() {
    let mut world = World::new();
    world.append("a.log", lines(0..20));
    world.append("b.log", lines(20..40));
    world.scan();
    for errno in [Errno::STALE, Errno::IO, Errno::STALE, Errno::IO] {
        world.follower.generations.files.faults.read.push_back(errno);
        world.drain();
        world.now += SECOND;
    }
    world.pass(2);
    assert_eq!(world.lines(), expected(0..40));
    assert_eq!(world.losses(), []);
    // One failure is not worth a word, and of more there is one.
    assert!(world.warnings.len() <= 1, "{:?}", world.warnings);
}

#[test]
fn a22_a_removed_file_that_cannot_be_read_is_given_up_and_reported() {
    let mut world = World::new();
    world.append("a.log", lines(0..20));
    world.scan();
    world.remove("a.log");
    world.scan();
    world.follower.generations.files.faults.read.extend([Errno::IO; 20]);
    world.pass(60);
    let size = lines(0..20).len() as u64;
    assert_eq!(world.losses(), [("a.log".to_owned(), 0, size)]);
    assert_eq!(world.follower.open_files(), 0);
}

#[test]
fn a25_a_file_that_is_truncated_while_it_is_read_is_no_signal() {
    let mut world = World::with(|options| options.chunk = 1 << 16);
    let file = File::create(world.path("n.log")).unwrap();
    file.write_at(lines(0..5000).as_bytes(), 0).unwrap();
    file.write_at(b"\n", 1 << 30).unwrap();
    world.scan();
    assert!(world.step());
    world.truncate("n.log");
    world.append("n.log", lines(5000..5010));
    world.pass(8);
    assert_eq!(world.losses()[0].2, (1 << 30) + 1);
    assert!(world.lines().ends_with(&expected(5000..5010)));
}

#[test]
fn b1_an_unterminated_line_waits_and_the_position_stays_before_it() {
    let mut world = World::new();
    world.append("n.log", lines(0..3));
    world.append("n.log", "0000003 fr");
    world.pass(40);
    assert_eq!(world.lines(), expected(0..3));
    assert_eq!(world.saved()[0].position, lines(0..3).len() as u64);
    world.restart();
    world.pass(3);
    world.append("n.log", &line(3)[10..]);
    world.pass(3);
    assert_eq!(world.lines(), expected(0..4));
    assert_eq!(world.counted.len(), 1);
}

#[test]
fn b2_an_unterminated_line_of_a_final_file_is_passed_on_once() {
    let mut world = World::new();
    for name in ["renamed.log", "moved.log", "removed.log"] {
        world.append(name, format!("{name} x\n{name} no end"));
    }
    world.pass(2);
    world.rename("renamed.log", "renamed.log.1");
    world.rename("moved.log", "out/moved");
    world.remove("removed.log");
    world.pass(4);
    assert_eq!(world.lines().len(), 3);
    world.pass(10);
    assert_eq!(world.lines().len(), 6);
    world.restart();
    world.pass(10);
    assert_eq!(world.lines().len(), 6);
    assert!(world.counted.values().all(|counted| counted.unterminated == 1 && counted.opened == 1));
    assert_eq!(world.losses(), []);
}

#[test]
fn b3_a_line_that_a_rotation_splits_is_whole() {
    let mut world = World::new();
    world.append("n.log", lines(0..3));
    world.append("n.log", &line(3)[..10]);
    world.pass(2);
    let file = File::options().append(true).open(world.path("n.log")).unwrap();
    world.rename("n.log", "n.log.1");
    world.append("n.log", lines(4..6));
    world.pass(2);
    world.append_to(&file, &line(3)[10..]);
    world.pass(8);
    assert_eq!(world.lines(), expected(0..6));
}

#[test]
fn b7_zeros_at_the_start_are_passed_over() {
    let mut world = World::new();
    world.append("n.log", lines(0..40));
    let writer = File::options().write(true).open(world.path("n.log")).unwrap();
    world.pass(2);
    // A writer that goes on at its old offset after a truncation.
    let mut at = lines(0..40).len() as u64;
    world.truncate("n.log");
    world.pass(8);
    writer.write_at(lines(40..50).as_bytes(), at).unwrap();
    world.pass(8);
    at += 1 << 30;
    world.truncate("n.log");
    writer.set_len(at).unwrap();
    world.pass(3);
    writer.write_at(lines(50..60).as_bytes(), at).unwrap();
    world.pass(8);
    assert_eq!(world.lines(), expected(0..60));
    let skipped: Vec<u64> = world.counted.values().map(|counted| counted.skipped).filter(|s| *s > 0).collect();
    assert_eq!(skipped, [lines(0..40).len() as u64, at]);
    let before = world.counted.len();
    world.restart();
    world.append("n.log", lines(60..70));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..70));
    assert_eq!(world.counted.len(), before);
}

#[test]
fn b7_a_file_of_zeros_only_is_accounted_for_when_it_is_final() {
    let mut world = World::new();
    File::create(world.path("n.log")).unwrap().set_len(5000).unwrap();
    world.pass(3);
    world.remove("n.log");
    world.pass(10);
    world.count(usize::MAX);
    let counted = world.counted.values().next().unwrap();
    assert_eq!((counted.skipped, counted.position), (5000, 5000));
}

#[test]
fn b8_an_over_long_line_is_one_and_the_next_is_counted() {
    let mut world = World::new();
    world.append("n.log", lines(0..3));
    for _ in 0..50 {
        world.append("n.log", [b'x'; 97]);
        world.pass(1);
    }
    world.count(usize::MAX);
    assert_eq!(world.saved()[0].position, lines(0..3).len() as u64);
    world.append("n.log", format!("\n{}", lines(3..6)));
    world.pass(2);
    assert_eq!(world.lines(), expected(0..6));
    assert_eq!(world.counted.values().next().unwrap().oversized, 1);
    // Without an end, in a file that is removed.
    world.append("n.log", [b'y'; 1000]);
    world.pass(1);
    world.remove("n.log");
    world.pass(8);
    world.count(usize::MAX);
    let counted = world.counted.values().next().unwrap();
    assert_eq!((counted.oversized, counted.unterminated), (2, 1));
    assert_eq!(counted.position, lines(0..6).len() as u64 + 50 * 97 + 1 + 1000);
}

#[test]
fn b11_compressed_files_are_not_read_and_said_once() {
    let mut world = World::new();
    world.append("a.log", b"\x1f\x8b\x08\x00\x00\nx\n");
    world.pass(3);
    world.append("b.log", "");
    world.pass(1);
    world.append("b.log", b"\x28\xb5\x2f\xfd\x00\n");
    world.pass(8);
    assert_eq!(world.lines().len(), 0);
    assert_eq!(world.warnings.len(), 2, "{:?}", world.warnings);
    assert!(world.warnings[0].contains("is compressed (gzip)") && world.warnings[1].contains("(zstd)"));
    assert_eq!(world.follower.open_files(), 0);
    world.truncate("a.log");
    world.append("a.log", lines(0..5));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..5));
}

#[test]
fn b13_positions_beyond_4_gib() {
    let mut world = World::new();
    let at = 5 << 30;
    File::create(world.path("n.log")).unwrap().write_at(lines(0..10).as_bytes(), at).unwrap();
    world.scan();
    world.follower.begin_at(world.new[0].id, at + lines(0..2).len() as u64);
    world.pass(2);
    assert_eq!(world.lines(), expected(2..10));
    world.restart();
    world.append("n.log", lines(10..20));
    world.pass(2);
    assert_eq!(world.lines(), expected(2..20));
    let counted = world.counted.values().next().unwrap();
    assert_eq!((counted.skipped, counted.position), (at + lines(0..2).len() as u64, at + lines(0..20).len() as u64));
}

#[test]
fn e8_more_files_than_descriptors() {
    let mut world = World::with(|options| options.open_files = 10);
    for file in 0..200 {
        world.append(&format!("f{file:03}.log"), lines(file * 10..file * 10 + 10));
    }
    world.pass(2);
    for round in 0..3 {
        for file in 0..200 {
            let from = 2000 + round * 2000 + file * 10;
            world.append(&format!("f{file:03}.log"), lines(from..from + 10));
        }
        world.pass(1);
        assert!(world.follower.open_files() <= 10);
    }
    assert_eq!(world.lines(), expected(0..8000));
    assert_eq!(world.losses(), []);
}

#[test]
fn e9_a_shortage_on_opening_is_waited_out() {
    let mut world = World::new();
    for file in 0..10 {
        world.append(&format!("f{file}.log"), lines(file * 10..file * 10 + 10));
    }
    for errno in [Errno::NFILE, Errno::MFILE, Errno::NOMEM].iter().cycle().take(30) {
        world.follower.generations.files.faults.open.push_back(*errno);
    }
    world.pass(20);
    assert_eq!(world.lines(), expected(0..100));
    // And in files that are read already.
    let keys: Vec<_> = world.follower.generations.iter().filter_map(|one| one.file().map(|file| file.key)).collect();
    keys.iter().for_each(|key| world.follower.generations.files.close(*key));
    world.follower.generations.files.faults.open.extend([Errno::MFILE; 30]);
    for file in 0..10 {
        world.append(&format!("f{file}.log"), lines(100 + file * 10..110 + file * 10));
    }
    world.pass(60);
    assert_eq!(world.lines(), expected(0..200));
    assert_eq!(world.losses(), []);
}

#[test]
fn e12_what_may_not_be_read_is_tried_at_each_scan() {
    let mut world = World::new();
    world.append("n.log", lines(0..10));
    // Tests may run as a user who may read everything.
    world.follower.generations.files.faults.open.extend([Errno::ACCESS; 5]);
    world.pass(3);
    assert_eq!(world.lines().len(), 0);
    assert_eq!(world.warnings.len(), 1, "{:?}", world.warnings);
    assert!(world.warnings[0].contains("ermission denied"), "{:?}", world.warnings);
    world.pass(5);
    assert_eq!(world.lines(), expected(0..10));
    // Lost while it is followed: what is open is read on.
    fs::set_permissions(world.path("n.log"), fs::Permissions::from_mode(0o0)).unwrap();
    world.follower.generations.files.faults.open.extend([Errno::ACCESS; 5]);
    world.append("n.log", lines(10..20));
    world.pass(2);
    assert_eq!(world.lines(), expected(0..20));
}

#[test]
fn e13_a_process_that_was_stopped_takes_no_pause_for_an_end() {
    let mut world = World::new();
    world.append("n.log", lines(0..10));
    world.pass(1);
    let file = File::options().append(true).open(world.path("n.log")).unwrap();
    world.remove("n.log");
    world.append_to(&file, lines(10..20));
    world.poll();
    world.append_to(&file, lines(20..30));
    world.now += SECOND * 60;
    world.poll();
    world.append_to(&file, lines(30..40));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..40));
}

#[test]
fn e14_many_files_among_many_entries() {
    let mut world = World::with(|options| options.open_files = 500);
    let (files, entries) = if cfg!(debug_assertions) { (500, 2_000) } else { (10_000, 90_000) };
    for entry in 0..entries {
        File::create(world.path(&format!("{entry}.other"))).unwrap();
    }
    for file in 0..files {
        fs::write(world.path(&format!("{file}.log")), lines(file..file + 1)).unwrap();
    }
    let start = std::time::Instant::now();
    world.poll();
    let first = start.elapsed();
    (0..5).for_each(|_| world.scan());
    let all = start.elapsed();
    assert_eq!(world.lines(), expected(0..files));
    // Generous, so that a busy machine does not fail it; comparing each with each would take
    // minutes.
    assert!(all.as_secs() < 20, "{first:?}, {all:?}");
}

#[test]
fn e15_odd_names_are_followed_and_escaped() {
    let mut world = World::new();
    let mut from = 0;
    for name in [&b"new\nline.log"[..], b"esc\x1b[2J.log", b"not\xffutf8.log", b"[glob]*?.log"] {
        let path = world.path("x").with_file_name(std::ffi::OsStr::from_bytes(name));
        fs::write(&path, lines(from..from + 5)).unwrap();
        from += 5;
    }
    symlink("nowhere", world.path("x").with_file_name(std::ffi::OsStr::from_bytes(b"d\x1b\n.log"))).unwrap();
    world.pass(2);
    assert_eq!(world.lines(), expected(0..from));
    let names = world.new.iter().map(|new| &new.name).chain(&world.warnings);
    assert!(names.clone().all(|name| !name.contains(['\n', '\x1b'])), "{:?}", names.collect::<Vec<_>>());
    world.restart();
    world.pass(2);
    assert_eq!(world.lines(), expected(0..from));
}

#[test]
fn files_get_one_chunk_a_round() {
    let mut world = World::new();
    world.append("big.log", lines(0..1000));
    for file in 0..5 {
        world.append(&format!("small{file}.log"), lines(1000 + file..1001 + file));
    }
    world.scan();
    (0..6).for_each(|_| assert!(world.step()));
    let ids: std::collections::BTreeSet<_> = world.waiting.iter().map(|(step, _)| step.id).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn idle_is_said_once_until_data_comes() {
    let mut world = World::new();
    world.append("n.log", lines(0..1));
    world.append("empty.log", "");
    let idle = |world: &mut World| {
        world.count(usize::MAX);
        world.counted.values().map(|counted| counted.idle).collect::<Vec<_>>()
    };
    world.pass(29);
    assert_eq!(idle(&mut world), [0]);
    world.pass(60);
    assert_eq!(idle(&mut world), [1, 1]);
    world.append("n.log", lines(1..2));
    world.pass(32);
    assert_eq!(idle(&mut world), [1, 2]);
    assert!(world.counted.values().all(|counted| counted.opened == 1));
}

#[test]
fn a_touched_file_is_read_without_a_scan() {
    let mut world = World::new();
    world.append("n.log", lines(0..1));
    world.pass(1);
    world.append("n.log", lines(1..2));
    world.drain();
    assert_eq!(world.lines(), expected(0..1));
    world.follower.touch(&world.path("n.log"));
    world.drain();
    assert_eq!(world.lines(), expected(0..2));
    assert!(!world.follower.scan_due());
    world.follower.touch(&world.path("unknown.log"));
    assert!(world.follower.scan_due());
}

#[test]
fn locations_that_lead_nowhere_are_no_error() {
    let options = FollowOptions {
        locations: vec![Location::Glob("/nonexistent/x*.log".to_owned()), Location::Stdin],
        ..World::new().options
    };
    let mut follower = Follower::new(options, Vec::new(), 0);
    let scanned = follower.scan(SECOND);
    assert!(scanned.new.is_empty());
    assert_eq!(scanned.warnings, ["standard input cannot be followed"]);
    assert_eq!(follower.directories(), [Path::new("/")]);
}

#[test]
fn events_tell_of_changes_but_not_of_reading() {
    let mut world = World::new();
    world.append("n.log", lines(0..1));
    world.pass(1);
    let (mut events, warning) = Events::new(&world.follower.directories());
    assert_eq!((warning, events.polling()), (None, false));
    world.append("n.log", lines(1..2));
    let woken = events.wait(SECOND * 5);
    assert_eq!(woken.paths, [world.path("n.log")]);
    let quiet = |events: &Events| while events.wait(SECOND / 5) != Woken::default() {};
    quiet(&events);
    world.scan();
    fs::read(world.path("n.log")).unwrap();
    assert_eq!(events.wait(SECOND / 5), Woken::default());
    world.append("m.log", lines(2..3));
    assert!(events.wait(SECOND * 5).rescan);
    quiet(&events);
    world.rename("m.log", "m.log.1");
    assert!(events.wait(SECOND * 5).rescan);
    quiet(&events);
    // A19: a folder that was made again is watched again.
    fs::remove_dir_all(world.path("in/")).unwrap();
    fs::create_dir(world.path("in/")).unwrap();
    quiet(&events);
    assert_eq!(events.watch(&world.follower.directories()), None);
    world.append("n.log", lines(3..4));
    assert!(events.wait(SECOND * 5).rescan);
}

#[test]
fn a23_a_queue_that_overflowed_asks_for_a_rescan() {
    let overflow = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
    let mut woken = Woken::default();
    woken.take(Ok(overflow));
    assert!(woken.rescan);
    let mut woken = Woken::default();
    woken.take(Err(notify::Error::generic("lost")));
    assert!(woken.rescan);
}
